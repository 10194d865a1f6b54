"""Every rule of the library: off it leaves a model alone, on it moves its term the way it says; rules at vessels."""

import numpy as np
import pytest
import support
from support import hours, tissue

import tme
from tme.config import ConfigError
from tme.kernels import threads
from tme.library import load_library
from tme.model.describe import describe
from tme.model.registry import known_to_rules, rule_programs, term_registry
from tme.rules.resolve import chosen, woken
from tme.rules.sentences import sentence
from tme.rules.signals import VESSEL
from tme.rules.vessels import OF_VESSELS

RULES = load_library().rules
EVENTS = {"drugs": [{"name": "photosensitiser", "bath_uM": 1.0, "route": "bath", "day": 0}],
          "events": [{"name": "radiation", "dose_gy": 2, "day": 3}, {"name": "light", "fluence_mw_cm2": 1, "minutes": 5, "day": 3}]}  # fmt: skip
EVERYTHING = {
    "arms": {"x": EVENTS},
    "domain__immune_per_voxel": 8,
    "populations": {k: {} for k in ("mdsc", "nk", "neutrophil")} | {"caf": {"share": 0.3}, "cd4": {"per_mm2": 1500}, "b_cell": {"per_mm2": 1500}},
    "mechanisms__cuproptosis": {"on": True},
    "mechanisms__ferroptosis_cd8": {"on": True},
    "mechanisms__ferroptosis_mdsc": {"on": True},
    "mechanisms__disulfidptosis": {"on": True},
    "mechanisms__ferroptosis__kap_b": 0.1,  # else GCH1 traps nothing
    "mechanisms__invasion": {"speed_um_h": 1.0},
}


def put(model, entry, level):
    """Make the signal of a rule `level` everywhere, where that can be."""
    kind, _, name = entry.signal.partition(".")
    if kind in ("field", "drug"):
        model.fields[name].fill(level)
    elif kind == "event":
        model.events.add(name, np.full(model.grid.n_voxels, level) - model.events.signal(name))
    elif kind == "own":
        for cells in entry.cells:
            population = model.populations[cells]
            getattr(population.col, name)[: population.n] = level


def terms_of(model, entry):
    """Values of the term of a rule in the places where it acts."""
    if entry.term.startswith("vessels."):
        return getattr(model.mechanism("vessels"), OF_VESSELS[entry.term])(model.vessels.sites)
    if entry.cells == (VESSEL,):
        return model.mechanism("recruitment").factor[entry.term.partition(".")[2]](model.vessels.voxels)
    model.mechanism("rules").settle(model)
    return np.concatenate([model.populations[c].term(entry.term)[: model.populations[c].n] for c in entry.cells]).copy()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_is_on_moves_its_term_the_way_it_says(name):
    entry = RULES[name]
    kind, _, heard = entry.signal.partition(".")
    given = [{"name": heard, "bath_uM": 1.0, "route": "bath", "day": 0}] if kind == "drug" and heard != "photosensitiser" else []
    arm = {**EVENTS, "drugs": [*EVENTS["drugs"], *given]}
    alone = kind in ("near", "contact")  # seen against the neutral value, so without the rules that a pathway brings
    brought = {n: "off" for n, e in RULES.items() if alone and e.comes_with}
    model = tissue("x", rules={**brought, name: "on"}, **{**EVERYTHING, "arms": {"x": arm}})
    scale = entry.half or 100.0
    silent, loud = (0.01 * scale, 100 * scale)
    if entry.response == "falling":
        silent, loud = loud, silent
    put(model, entry, silent)
    quiet = terms_of(model, entry)
    put(model, entry, loud)
    moved = terms_of(model, entry)
    assert len(moved) > 0
    if alone:  # cells are where they are: some are near
        neutral = term_registry()[entry.term].neutral
        away = moved - neutral
        assert (away >= 0).all() if entry.verb == "raises" else (away <= 0).all()
        assert abs(away).max() > 0.3 * abs(entry.aim - neutral)
    elif entry.verb == "adds_to":
        assert (moved - quiet).min() > (0.9 * entry.aim if entry.slope is None else 0.9 * entry.slope * (loud - silent))
    elif entry.verb == "raises":
        assert (moved / quiet).min() > 1 + 0.8 * (entry.aim - 1)
    else:
        assert (moved / quiet).max() < 1 + 0.8 * (entry.aim - 1)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_acts_on_a_term_that_its_cells_have(name):
    entry = RULES[name]
    assert set(entry.cells) <= set(term_registry()[entry.term].cells)


@pytest.mark.parametrize("name", [n for n, e in RULES.items() if not e.default and not e.comes_with])
def test_a_rule_that_is_off_is_none(name):
    plain, off = tissue(), tissue(rules={name: "off"})
    assert name not in chosen(plain.config)
    assert rule_programs(plain.config, (), ()) == rule_programs(off.config, (), ()) == ()


def test_a_model_with_all_rules_off_is_bit_for_bit_one_without_a_library_of_rules(monkeypatch):
    def after_an_hour(**changes):
        return {k: v.tobytes() for k, v in hours(tissue(**changes), 1).state_dict().items()}

    usual, off = after_an_hour(), after_an_hour(rules=dict.fromkeys(RULES, "off"))
    monkeypatch.setattr("tme.rules.resolve.chosen", lambda config: {})
    assert usual == off == after_an_hour()


def test_with_every_rule_on_a_model_goes_on_from_a_checkpoint_bit_for_bit_with_any_threads(monkeypatch):
    def state(model):
        return {k: v.tobytes() for k, v in model.state_dict().items()}

    every = {**EVERYTHING, "rules": dict.fromkeys(RULES, "on")}
    whole = tissue("x", **every)
    assert {"lactate", "glucose", "oleate"} <= set(whole.fields)
    monkeypatch.setattr(threads, "MIN_ROWS", 8)
    half = hours(tissue("x", **every), 1)
    monkeypatch.undo()
    half = tme.TumourModel.from_state(half.config, half.state_dict(), arm="x", seed=1)
    assert state(hours(half, 1)) == state(hours(whole, 2))


def test_only_rules_that_an_arm_wakes_or_a_pathway_brings_are_on_by_default():
    """Beside these, those of an untreated tumour: IFN-gamma's arrest, loss of exhausted CD8, macrophages, one of two papers on early corpses."""
    always = {"M69.arrest", "M82.loss", "M74.il12_ifng", "M74.il12_killing", "M77.m2_growth", "M71.efimova"}
    default = {n: e for n, e in RULES.items() if e.default and n not in always}
    assert default and all(e.signal.startswith("event.") for e in default.values())
    assert always == {*support.QUIET}
    library = load_library()
    assert woken(default, library, ()) == {}
    assert {n[:4] for n in woken(default, library, ["radiation"])} == {"M92."} and woken(default, library, ["radiation", "light"]) == default


def test_a_description_tells_the_rules_that_some_arm_wakes():
    assert describe(tissue(rules={"M11": "on"}).config)["rules"][0]["rule"] == "M11"
    assert [r["rule"] for r in describe(tissue().config)["rules"]] == []
    told = describe(tissue(arms={"control": {}, "x": {"events": [{"name": "radiation", "dose_gy": 2, "day": 1}]}}).config)["rules"]
    assert [r["rule"] for r in told] == ["M92.ros", "M92.acsl4", "M92.xct"] and all(r["on"] for r in told)


def test_priors_of_a_known_direction_are_at_most_fourfold():
    for name, entry in RULES.items():
        if name.startswith("M6") or entry.verb == "adds_to":
            continue
        assert 0.0 <= entry.to <= 4.0, name
        number = entry.numbers["to"]
        assert number.source.startswith("tuned" if name == "M82.loss" else "assumed"), name


def test_sentences_read_as_english():
    terms = term_registry()
    for name, entry in RULES.items():
        said = sentence(entry, terms)
        assert "factor on" not in said and "_" not in said and "  " not in said, (name, said)
        assert not any(s in said for s in (" raises raises", "cells cells", "1 cells", "the the")), (name, said)
    assert not [t.name for t in terms.values() if "factor on" in t.about]
    assert sentence(RULES["M90.cd36"], terms).startswith("In CD8 T cells nearby tumour cells raise the supply of PUFA")
    assert sentence(RULES["M77.mdsc"], terms).startswith("At open vessels HMGB1 raises the entry of MDSC up to 3-fold")


# ---- at vessels --------------------------------------------------------------------------------------------------------
NUMBER = {"unit": "1", "source": "assumed: a test"}


def at_vessels(signal="field.hmgb1", unit="ng/mL", **more):
    """A rule on the entry of Tregs."""
    return {"in": "vessel", "signal": signal, "raises": "entry.treg", "to": {"value": 3, **NUMBER},
            "half": {"value": 2, **NUMBER, "unit": unit}, "evidence": "hypothetical", "source": "a test", **more}  # fmt: skip


def factor(model, kind="treg"):
    """The factor on entry at the open vessels."""
    return model.mechanism("recruitment").factor[kind](model.vessels.voxels)


def test_the_factor_at_a_vessel_is_what_the_formula_says():
    model = tissue(rules={"a": at_vessels("field.oxygen", "mmHg"), "b": at_vessels("near.tumour", "cells")})
    _, vy, vx = model.grid.coordinates(model.vessels.voxels)
    _, y, x = model.grid.coordinates(model.tumour.voxel)
    near = ((vy[:, None] - y) ** 2 + (vx[:, None] - x) ** 2 <= 9).sum(axis=1)
    s = model.fields["oxygen"].at(model.vessels.voxels)
    assert np.allclose(factor(model), (1 + 2 * s / (2 + s)) * (1 + 2 * near / (2 + near)), rtol=1e-12)
    assert near.max() > 5 and "tumour.voxel" in model.mechanism("recruitment").reads


def test_a_rule_at_vessels_keeps_its_bits_across_a_resume():
    changes = {"rules": {"a": at_vessels("near.tumour", "cells")}, "mechanisms__recruitment": {"k_treg": 300}}
    whole, half = hours(tissue(**changes), 3), hours(tissue(**changes), 1.5)
    half = hours(tme.TumourModel.from_state(half.config, half.state_dict(), seed=1), 1.5)
    assert {k: v.tobytes() for k, v in whole.state_dict().items()} == {k: v.tobytes() for k, v in half.state_dict().items()}
    assert whole.counters["recruited_treg"] > hours(tissue(**{**changes, "rules": {}}), 3).counters["recruited_treg"] > 0


@pytest.mark.parametrize(("change", "said"), [
    ({"signal": "own.gsh"}, "unknown signal 'own.gsh'"),
    ({"signal": "contact.caf"}, "unknown signal 'contact.caf'"),
    ({"lag_h": {"value": 3, "unit": "h", "source": "assumed: a test"}}, "a rule at vessels has no memory"),
    ({"raises": "division.rate"}, "vessels have no term division.rate"),
    ({"raises": "entry.tregs"}, "unknown term 'entry.tregs'"),
    ({"in": "vessels"}, "unknown cell type 'vessels'"),
    ({"in": "tumour"}, "tumour cells have no term entry.treg"),
])  # fmt: skip
def test_what_cannot_be_at_vessels_is_refused(change, said):
    with pytest.raises(ConfigError, match=said):
        tissue(rules={"a": {**at_vessels(), **change}})


def test_what_is_known_at_vessels_is_no_signal_of_a_cell():
    known = known_to_rules().signals(VESSEL)
    assert {s.partition(".")[0] for s in known} == {"field", "drug", "near", "event", "time"}


def test_a_rule_on_the_entry_of_a_type_that_is_not_there_is_left_out():
    assert tissue(rules={"M77.mdsc": "on"}).mechanism("recruitment").factor == {}
