"""`primary:` is read, inherited, shortened and refused."""

from __future__ import annotations

import pytest

from tme.config import ConfigError
from tme.model import load_config
from tme.statistics import faults_of

ARMS = "arms:\n  control: {}\n  a: {drugs: [{name: rsl3, dose_mg_kg: 1}]}\n  b: {antibodies: [{name: anti_pdl1, dose_mg_kg: 10, day: 0}]}\n  ab: {use: [a, b]}\n"
ASKED = ARMS + "primary:\n  contrasts:\n    - "  # the first contrast stands in line 11


def only(yaml, text, **how):
    return yaml.only(text, contrasts=faults_of, **how)


def test_a_question_is_read_and_asks_of_the_last_day_unless_it_says_another(yaml):
    config = yaml.load(ASKED + "ab < control\n    - bliss(ab; a, b) > 0\n", contrasts=faults_of)
    assert config.primary.readout == "tumour_alive" and config.primary.day is None and len(config.primary.contrasts) == 2
    assert yaml.load(ASKED + "ab < a\n  day: 3\n", contrasts=faults_of).primary.day == 3


@pytest.mark.parametrize(
    ("text", "key", "words", "meant"),
    [
        ("ab < contrl\n", "primary.contrasts.0", "unknown arm 'contrl'", "control"),
        ("ab < control\n    - bliss(ab; a, bb) > 0\n", "primary.contrasts.1", "unknown arm 'bb'", "b"),
        ("ab = control\n", "primary.contrasts.0", "is no contrast; expected A < B, A > B, A difference B < 0, bliss(C; A, B) > 0", ""),
        ("bliss(ab; a, b)\n", "primary.contrasts.0", "is no contrast", ""),
        ("blis(ab; a, b) > 0\n", "primary.contrasts.0", "index 'blis', which does not exist", ""),
        ("ab < ab\n", "primary.contrasts.0", "compares an arm with itself", ""),
        ("ab < a\n    - ab  <  a\n", "primary.contrasts.1", "twice", ""),
        ("hsa(ab; a, control) > 0\n", "primary.contrasts.0", "takes the control, 'control', as one of its treatments", ""),
        ("ab < a\n  day: 7\n", "primary.day", "day 7 is after the end of the run on day 6; expected a day up to 6", ""),
        ("ab < a\n  day: 3.1\n", "primary.day", "day 3.1 is not recorded (output.record_every_h is 6); expected 3 or 3.25", ""),
        ("ab < a\n  day: 0\n", "primary.day", "more than 0", ""),
        ("ab < a\n  reedout: x\n", "primary.reedout", "unknown key", "readout"),
    ],
)
def test_a_faulty_question_is_told_with_its_place_and_what_was_expected(yaml, text, key, words, meant):
    fault = only(yaml, ASKED + text)
    assert fault.key == key and words in str(fault) and fault.meant == meant and fault.line >= 8


def test_contrasts_are_needed_and_are_a_list(yaml):
    assert "missing" in str(only(yaml, ARMS + "primary: {readout: tumour_alive}\n"))
    assert "expected a list, e.g. [combination < control]" in str(only(yaml, ARMS + "primary: {contrasts: ab < a}\n"))
    assert "primary.contrasts" in str(only(yaml, ARMS + "primary: {contrasts: []}\n"))


def test_an_index_needs_an_untreated_arm(yaml):
    treated = ARMS.replace("control: {}", "other: {drugs: [{name: rsl3, dose_mg_kg: 2}]}")
    assert "needs an untreated arm" in str(only(yaml, treated + 'primary: {contrasts: ["bliss(ab; a, b) > 0"]}\n'))


def test_faults_of_the_question_stand_beside_all_others(yaml):
    found = yaml.faults(ASKED + "ab < nobody\nreplicates: 0\n", contrasts=faults_of)
    assert {f.key for f in found} == {"primary.contrasts.0", "replicates"}


def test_a_shorter_horizon_asks_of_its_last_day_and_says_so(yaml):
    config = yaml.load(ASKED + "ab < a\n  day: 5\nquick: {horizon_day: 2}\n", contrasts=faults_of, quick=True)
    assert config.primary.day is None and "primary day 5" in " ".join(config.notes)
    config = yaml.load(ASKED + "ab < a\n  day: 5\n", contrasts=faults_of, overrides=["horizon_day=3"])
    assert config.primary.day is None and "primary day 5" in " ".join(config.notes)


def test_a_dropped_arm_takes_its_inherited_contrasts_along_and_a_note_says_so(yaml):
    yaml.write(yaml.base + ASKED + "ab < control\n    - a < control\n", "parent.yaml")
    for child in ("extends: parent\narms: {ab: null}\n", "extends: parent\narms: {only: true, control: {}, a: {drugs: [{name: rsl3, dose_mg_kg: 2}]}}\n"):
        config = yaml.load(child, base="", contrasts=faults_of)
        assert config.primary.contrasts == ("a < control",)
        assert config.notes == ("left out of the primary question, since arms are dropped: ab < control",)


def test_a_question_all_of_whose_arms_are_dropped_is_dropped(yaml):
    config = yaml.load(ASKED + "ab < control\n", contrasts=faults_of, overrides=["arms.ab=null"])
    assert config.primary is None and "ab < control" in config.notes[0]


def test_contrasts_beside_the_change_of_arms_must_fit_it(yaml):
    yaml.write(yaml.base + ASKED + "ab < control\n", "parent.yaml")
    fault = only(yaml, "extends: parent\narms: {ab: null}\nprimary: {contrasts: [ab < control]}\n", base="")
    assert "unknown arm 'ab'" in str(fault)


def test_a_child_may_ask_nothing(yaml):
    yaml.write(yaml.base + ASKED + "ab < control\n", "parent.yaml")
    assert yaml.load("extends: parent\nprimary: null\n", base="", contrasts=faults_of).primary is None


def test_the_question_does_not_change_what_is_simulated(yaml):
    digests = {yaml.load(text, contrasts=faults_of).digest for text in (ARMS, ASKED + "ab < a\n", ASKED + "ab < b\n  day: 3\n")}
    assert len(digests) == 1


def model_faults(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_text("horizon_day: 6\ndomain: {size_um: [1000, 1000]}\ninitial: {kind: nodule, n_cells: 200}\n" + text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return [str(f) for f in caught.value.faults]


def test_an_unknown_readout_is_refused_with_the_nearest_one(tmp_path):
    (fault,) = model_faults(tmp_path, ASKED + "ab < a\n  readout: tumor_alive\n")
    assert "x.yaml:12: primary.readout: unknown readout 'tumor_alive'" in fault and "did you mean 'tumour_alive'?" in fault


@pytest.mark.parametrize(
    ("more", "other"),
    [
        ("initil: {}\n", "initil: unknown key"),
        ("mechanisms: {division: {k_dv: 1}}\n", "unknown parameter 'k_dv'"),
        ("rules: {M69.arest: 'on'}\n", "rules.M69.arest"),
        ("mechanisms: {ferroptosis: {on: false}}\n", "mechanisms.ferroptosis.on"),
        ("entries: {cells: {cd8: {pathways: {feroptosis: {preset: t_cell}}}}}\n", "feroptosis"),
        ("replicates: many\n", "replicates: is 'many'"),
    ],
)
def test_an_unknown_readout_is_told_beside_any_other_fault(tmp_path, more, other):
    found = model_faults(tmp_path, ASKED + "ab < a\n  readout: tumor_alive\n" + more)
    assert sum("primary.readout: unknown readout 'tumor_alive'" in f and "did you mean 'tumour_alive'?" in f for f in found) == 1
    assert any(other in f for f in found), found


def test_beside_another_fault_a_readout_that_some_config_has_is_not_called_unknown(tmp_path):
    for name in ("mdsc", "clone_fsp1_high_share", "metastases", "dead_ferroptosis_caf"):
        found = model_faults(tmp_path, ASKED + f"ab < a\n  readout: {name}\npopulatons: {{mdsc: {{share: 0.1}}}}\n")
        assert not any("readout" in f for f in found), found


def test_a_readout_of_a_cell_type_that_the_config_lacks_is_refused(tmp_path):
    (fault,) = model_faults(tmp_path, ASKED + "ab < a\n  readout: mdsc\n")
    assert "unknown readout 'mdsc'" in fault
    path = tmp_path / "y.yaml"
    path.write_text((tmp_path / "x.yaml").read_text() + "populations: {mdsc: {share: 0.1}}\n")
    assert load_config(path).primary.readout == "mdsc"


def test_loewe_needs_a_sweep_over_three_doses_of_both_agents(tmp_path):
    text = ASKED + '"loewe(ab; a, b) > 0"\n'
    first, second = model_faults(tmp_path, text)
    assert "needs the dose-response of a, and the sweep gives it one dose only" in first and "sweep: {arms.a.drugs.0.dose_mg_kg: [1, 3, 10]}" in first
    assert "dose-response of b" in second and "arms.b.antibodies.0.dose_mg_kg" in second
    doses = "sweep: {arms.a.drugs.0.dose_mg_kg: [1, 3, 9], arms.b.antibodies.0.dose_mg_kg: {from: 1, to: 9, n: %d}}\n"
    (fault,) = model_faults(tmp_path, text + doses % 2)
    assert "dose-response of b, and the sweep gives it 2 doses" in fault
    assert "dose-response of a, and the sweep gives it 2 doses" in model_faults(tmp_path, text + doses.replace("[1, 3, 9]", "[0, 1, 3]") % 3)[0]
    (tmp_path / "y.yaml").write_text((tmp_path / "x.yaml").read_text().replace("[0, 1, 3]", "[0, 1, 3, 9]"))
    assert load_config(tmp_path / "y.yaml").primary.contrasts == ("loewe(ab; a, b) > 0",)
