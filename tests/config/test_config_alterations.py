"""Alterations in configs: named by a tumour or a clone, taken from the preset, refused by line and nearest name."""

import pytest
from support import DISH, config_of

from tme.config import ConfigError


def test_a_config_that_lists_alterations_takes_the_place_of_the_presets_list(yaml):
    assert yaml.load("tumour: {preset: nsclc_keap1_like}\n").carriers()["keap1_loss"] == (True, True)
    assert not yaml.load("tumour: {preset: nsclc_keap1_like, alterations: []}\n").carriers()
    config = yaml.load("tumour: {preset: nsclc_keap1_like, alterations: [keap1_loss, myc_high]}\n")
    assert config.tumour_traits()["nrf2"] == pytest.approx(3 * 1.5)


def test_what_a_resolved_config_says_loads_again_with_the_same_hash_and_traits(yaml):
    import json

    first = yaml.load("tumour: {preset: nsclc_keap1_like, clones: {a: {share: 0.1, alterations: [bcat2_high]}}}\n")
    again = yaml.load(json.dumps(first.to_dict()), base="", name="again.yaml")
    assert again.digest == first.digest and again.tumour_traits() == first.tumour_traits() and again.clone_traits() == first.clone_traits()


def test_the_hash_follows_an_alteration_that_is_carried_and_no_other(yaml):
    text = "tumour: {clones: {a: {share: 0.1, alterations: [bcat2_high]}}}\n"
    before = yaml.load(text).digest
    assert yaml.load(text, overrides=["entries.alterations.bcat2_high.traits.xct=2"]).digest != before
    assert yaml.load(text, overrides=["entries.alterations.keap1_loss.traits.nrf2=2"]).digest == before


@pytest.mark.parametrize(
    ("text", "key", "problem", "meant"),
    [
        ("tumour: {alterations: [keap1_los]}\n", "tumour.alterations.0", "unknown alteration 'keap1_los'", "keap1_loss"),
        ("tumour: {clones: {a: {share: 0.1, alterations: [myc_hi]}}}\n", "tumour.clones.a.alterations.0", "unknown alteration", "myc_high"),
        ("tumour: {alterations: [myc_high, myc_high]}\n", "tumour.alterations.1", "carried already", ""),
        ("tumour: {alterations: [myc_high], clones: {a: {share: 0.1, alterations: [myc_high]}}}\n", "tumour.clones.a.alterations.0", "carried already", ""),
        ("tumour: {clones: {a: {share: 0.1, alterations: [ebv_positive]}}}\n", "tumour.clones.a.alterations.0", "switches rules on", ""),
        ("tumour: {alterations: 3}\n", "tumour.alterations", "is 3", ""),
        ("tumour: {alteration: [myc_high]}\n", "tumour.alteration", "unknown key", "alterations"),
        ("entries: {alterations: {myc_high: {traits: {nrf3: {value: 2, unit: 1, source: \"assumed: x\"}}}}}\n", "entries.alterations.myc_high.traits.nrf3", "unknown trait 'nrf3'", "nrf2"),
        ("entries: {alterations: {myc_high: {effects: {rate: {to: 0.5}}}}}\n", "entries.alterations.myc_high.effects.rate.to", "wrong side of 1", ""),
        ("entries: {alterations: {gpx4_variant: {feels: {gpx4_inactivators: -1}}}}\n", "entries.alterations.gpx4_variant.feels.gpx4_inactivators", "is -1 1", ""),
    ],
)  # fmt: skip
def test_faults_have_key_line_and_nearest_name(yaml, text, key, problem, meant):
    fault = yaml.only(text)
    assert (fault.key, fault.line, fault.meant) == (key, 4, meant) and problem in fault.problem


def test_alterations_that_leave_no_nrf2_are_refused(yaml):
    text = "entries: {alterations: {myc_high: {traits: {nrf2: 0.02}}}}\ntumour: {traits: {nrf2: 0.1}, alterations: [myc_high]}\n"
    fault = yaml.only(text)
    assert fault.key == "tumour.alterations" and "no iron leaves" in fault.problem


def test_an_effect_on_a_term_that_tumour_cells_lack_is_refused_with_its_place():
    with pytest.raises(ConfigError) as caught:
        config_of(DISH, tumour__alterations=["bax_loss"], entries={"alterations": {"bax_loss": {"effects": {"apoptosis": {"lowers": "death.apoptos"}}}}})
    (fault,) = caught.value.faults
    assert "alterations.bax_loss.effects" in fault.key and fault.problem == "unknown term 'death.apoptos'" and fault.meant == "death.apoptosis"
    with pytest.raises(ConfigError, match="have no term"):
        config_of(DISH, tumour__alterations=["bax_loss"], entries={"alterations": {"bax_loss": {"effects": {"apoptosis": {"lowers": "exhaustion.rate"}}}}})
