"""Rules that cannot be are refused with their key, what was expected and the nearest name."""

import re
import shutil

import pytest

import tme
from tme.config import ConfigError
from tme.library import load_library
from tme.model.registry import known_to_rules, term_registry
from tme.rules.resolve import check, chosen
from tme.rules.sentences import sentence

N = "{{value: {}, unit: {}, source: 'assumed: a test'}}"


def text(change=None, **without):
    parts = {"in": "tumour", "signal": "field.oxygen", "lowers": "division.rate", "to": N.format(0.5, "1"), "half": N.format(20, "mmHg"),
             "evidence": "hypothetical", "source": "a test"}  # fmt: skip
    parts |= change or {}
    return "{" + ", ".join(f"{k}: {v}" for k, v in parts.items() if v is not None) + "}"


def refusal(*overrides):
    with pytest.raises(ConfigError) as caught:
        tme.load_config("configs/quick.yaml", overrides=overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"signal": "field.oxigen"}, "unknown signal 'field.oxigen'.*did you mean 'field.oxygen'"),
        ({"signal": "drug.rsl"}, "unknown signal 'drug.rsl'.*did you mean 'drug.rsl3'"),
        ({"signal": "smell.oxygen"}, "rules.x.signal.*pattern"),
        ({"lowers": "division.rat"}, "unknown term 'division.rat'.*did you mean 'division.rate'"),
        ({"in": "tumor"}, "unknown cell type 'tumor'.*did you mean 'tumour'"),
        ({"in": "treg"}, "treg cells have no term division.rate"),
        ({"to": N.format(1.5, "1")}, "lowers division.rate to 1.5, which is on the wrong side of 1"),
        ({"lowers": None, "raises": "division.rate"}, "raises division.rate to 0.5, which is on the wrong side of 1"),
        ({"raises": "division.rate"}, "this has raises and lowers"),
        ({"lowers": None, "adds_to": "division.rate"}, "is a factor.*expected raises or lowers"),
        ({"to": N.format(0.5, "'%'")}, "to is in '%', division.rate in '1'"),
        ({"combine": "cbhg", "base": N.format(1, "1/h"), "to": N.format(0.5, "1/min")}, "to is in '1/min', the base in '1/h'"),
        ({"combine": "cbhg", "base": N.format(1, "1/h"), "to": N.format(0.5, "1/h"), "lowers": "death.drug"}, "to is in '1/h', death.drug in '1/min'"),
        ({"half": N.format(20, "kPa")}, "half is in 'kPa', field.oxygen in 'mmHg'"),
        ({"half": None}, "a Hill response needs half"),
        ({"hlaf": N.format(20, "mmHg")}, "did you mean 'half'"),
        ({"combine": "cbhg"}, "combine: cbhg needs base"),
        ({"response": "linear"}, "a linear response needs slope"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_its_key(change, words):
    said = refusal("rules.x=" + text(change))
    assert "rules.x" in said and re.search(words, said), said


def test_a_switch_of_a_rule_that_does_not_exist_names_the_nearest():
    assert "unknown rule 'M12x'" in refusal("rules.M12x=on")
    assert "is no switch" in refusal("rules.M96.high=perhaps")


def test_rules_of_one_group_must_agree():
    said = refusal("rules.x=" + text({"group": "g"}), "rules.y=" + text({"group": "g", "to": N.format(0.2, "1")}))
    assert "to differs from that of x" in said


def test_rules_of_one_term_are_combined_in_one_way():
    said = refusal("rules.x=" + text(), "rules.y=" + text({"combine": "cbhg", "base": N.format(1, "1")}))
    assert "is combined as" in said


def test_every_rule_of_the_library_can_be_and_reads_as_a_sentence():
    library = load_library()
    assert check(library.rules, known_to_rules()) == []
    for name, entry in library.rules.items():
        said = sentence(entry, term_registry())
        assert said.startswith(("In ", "At ")) and said.endswith(".") and "_" not in said, (name, said)


def test_a_line_of_a_file_is_named(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("extends: quick\nname: mine\nrules:\n  x:\n    in: tumour\n    signal: field.oxigen\n    lowers: division.rate\n"
                    f"    to: {N.format(0.5, 1)}\n    half: {N.format(20, 'mmHg')}\n    evidence: hypothetical\n    source: a test\n")  # fmt: skip
    for name in ("quick", "four_arms", "base"):
        shutil.copy(f"configs/{name}.yaml", tmp_path)
    with pytest.raises(ConfigError, match=r"mine\.yaml:\d+: rules\.x: unknown signal"):
        tme.load_config(path)


def test_what_acts_only_on_a_term_that_does_nothing_is_refused():
    """BH4 traps no radicals while kap_b is 0: an inhibitor of GCH1 would be an arm that equals its control."""
    arm = "arms.x={drugs: [{name: gambogenic_acid, dose_mg_kg: 5, day: 0}]}"
    for change, who in ((arm, "gambogenic_acid"), ("rules.M56.gch1=on", "rules.M56.gch1")):
        others = ("populations.caf={share: 0.1}",) if change.startswith("rules") else ()
        said = refusal(change, *others)
        assert who in said and "acts on ferroptosis.gch1 alone, which does nothing while ferroptosis.kap_b is 0" in said
        tme.load_config("configs/quick.yaml", overrides=(change, *others, "mechanisms.ferroptosis.kap_b=0.3"))
    tme.load_config("configs/quick.yaml", overrides=["arms.x={drugs: [{name: methotrexate, dose_mg_kg: 5, day: 0}]}"])  # it has other hits


def test_faults_of_rules_axes_and_question_are_told_in_one_go():
    said = refusal("rules.mine=" + text({"signal": "field.oxigen"}), "mechanisms.vessels.on=false", "primary={readout: tumour_alve, contrasts: [rsl3_np < control]}")
    assert all(words in said for words in ("unknown signal 'field.oxigen'", "mechanisms.vessels.on: cannot be switched off", "unknown readout 'tumour_alve'"))


def test_a_rule_is_switched_and_changed_by_any_of_its_keys_from_outside():
    config = tme.load_config("configs/quick.yaml", overrides=["rules.M69.arrest.on=false", "rules.mine=" + text({"lag_h": N.format(0, "h")})])
    found = chosen(config)
    assert "M69.arrest" not in found and found["mine"].lag_h == 0.0


def test_a_number_of_the_first_version_is_refused_with_what_stands_for_it_now():
    assert "'s_max' is a parameter of the first version; expected receptors.pd1.effects.killing.to" in refusal("mechanisms.killing.s_max=2")


def test_an_unknown_metric_is_refused_with_the_nearest_readout():
    assert "metrics: unknown readout 'cd8_per_m2'" in refusal("metrics=[cd8, cd8_per_m2]") and "did you mean 'cd8_per_mm2'" in refusal("metrics=[cd8_per_m2]")


def test_rules_agree_with_the_drugs_and_alterations_that_act_on_their_term():
    """PhysiCell's grammar knows no factor beside it, and a pool of inhibitors is a sum that the law takes."""
    cbhg = text({"combine": "cbhg", "base": N.format(1, "1"), "signal": "field.oxygen"})
    said = refusal("rules.x=" + cbhg, "tumour.alterations=[myc_high]", "rules.M69.arrest=off", "rules.M77.m2_growth=off")
    assert "rules.x: division.rate is combined as cbhg, and myc_high.rate acts on it too" in said
    drug = "arms.x={drugs: [{name: erastin, dose_mg_kg: 5, day: 0}]}"
    xct = {"lowers": "ferroptosis.xct", "group": "xct_inhibitors"}
    said = refusal("rules.x=" + text(xct), drug)
    assert "group xct_inhibitors is that of what competes for ferroptosis.xct" in said and "to: 0 and no lag_h" in said
    assert "to differs from that of erastin.xct" in said
    for change in ({"lag_h": N.format(1, "h")}, {"response": "linear", "lowers": None, "adds_to": "ferroptosis.gpx4_loss"}):
        fault = refusal("rules.x=" + text({**xct, "to": N.format(0, "1"), **change}))
        assert "rules.x" in fault
    tme.load_config("configs/quick.yaml", overrides=["rules.x=" + text({**xct, "to": N.format(0, "1")}), drug])


def test_a_bare_number_that_a_rule_of_the_library_does_not_state_has_its_unit():
    config = tme.load_config("configs/quick.yaml", overrides=["rules.M53.hif1={lag_h: 6, clock_min: 20}", "rules.M74.il12_ifng.hill=2"])
    found = chosen(config)
    assert (found["M53.hif1"].lag_h, found["M53.hif1"].clock_min, found["M74.il12_ifng"].hill) == (6.0, 20.0, 2.0)
    assert found["M53.hif1"].numbers["lag_h"].unit == "h"
    assert "must be written" in refusal("rules.x=" + text({"lag_h": 6}))  # a new rule says where its numbers come from


def test_what_acts_on_a_term_that_does_nothing_is_judged_by_the_numbers_of_its_cells():
    """Those of tumour cells do not reach others."""
    mdsc = "rules.x=" + text({"in": "mdsc", "lowers": "ferroptosis.gch1"})
    on = ("mechanisms.ferroptosis_mdsc.on=true", "populations.mdsc={per_mm2: 100}")
    assert "entries.cells.mdsc.pathways.ferroptosis.preset.kap_b above 0" in refusal(mdsc, *on, "mechanisms.ferroptosis.kap_b=0.3")
    tme.load_config("configs/quick.yaml", overrides=[mdsc, *on, "entries.cells.mdsc.pathways.ferroptosis.preset={kap_b: {value: 0.3, unit: '1', source: 'assumed: a test'}}"])


def test_one_group_on_two_terms_is_refused():
    """Memory and share of a group are columns of its name."""
    said = refusal("rules.one=" + text({"group": "mine"}), "rules.two=" + text({"group": "mine", "lowers": "ferroptosis.gcl"}))
    assert "group mine is that of one on division.rate" in said
