"""An agent that needs a substance acts only as far as that is there."""

import numpy as np
import pytest
from support import bath, dish, hours, tissue
from test_evaluation import model_with, response, rule
from test_refusals import refusal

from tme.library import load_library
from tme.library.hits import rules_of
from tme.model.registry import known_to_rules
from tme.rules.sentences import sentence

NEEDS = "{field: oxygen, half: {value: 30, unit: mmHg, source: 'assumed: a test'}}"


def peroxide(glucose, **changes):
    """The factor on H2O2 in cells of a dish with glucose oxidase, glucose held."""
    model = hours(dish("x", arms={"x": bath("glucose_oxidase", 0.05)}, fields__glucose={"initial": glucose, "held": True}, **changes), 0.2)
    return float(model.tumour.term("ferroptosis.h2o2")[0])


@pytest.mark.mechanism("M105")
def test_glucose_oxidase_makes_less_peroxide_where_glucose_is_low():
    numbers = {k: n.value for k, n in load_library().drug("glucose_oxidase").numbers.items()}
    gain, half, km = numbers["hits.h2o2.to"] - 1, numbers["hits.h2o2.half"], numbers["hits.h2o2.needs.half"]
    for glucose in (25.0, 5.0, 0.5, 0.01):
        assert peroxide(glucose) == pytest.approx(1 + gain * response(0.05 * glucose / (km + glucose), half, 1.0), rel=1e-6)
    assert peroxide(25.0) > peroxide(5.0) > peroxide(0.5) > peroxide(0.01) == pytest.approx(1.0, abs=0.01)


def test_what_a_drug_needs_is_changed_under_its_own_key():
    less = peroxide(5.0, entries={"drugs": {"glucose_oxidase": {"hits": {"h2o2": {"needs": {"half": 400}}}}}})
    assert 1.0 < less < peroxide(5.0)


@pytest.mark.mechanism("M105")
def test_glucose_oxidase_takes_away_what_it_lives_on():
    model = hours(tissue("x", arms={"x": bath("glucose_oxidase", 0.1)}, fields__glucose={"initial": 5}), 3)
    glucose, factor = model.fields["glucose"].at(model.tumour.voxel), model.tumour.term("ferroptosis.h2o2")[: model.tumour.n]
    assert glucose.mean() < 3 and factor.mean() < peroxide(5.0)


def test_a_rule_that_needs_a_substance_hears_its_signal_times_what_is_there():
    model = model_with(x=rule(signal="field.lactate", unit="mM", half=4.0, hill=2.0, needs=NEEDS))
    t = model.tumour
    oxygen, lactate = (np.maximum(model.fields[name].at(t.voxel), 0.0) for name in ("oxygen", "lactate"))
    assert np.ptp(oxygen) > 5
    expected = 1 - 0.5 * response(lactate * oxygen / (30 + oxygen), 4.0, 2.0)
    assert np.allclose(t.term("division.rate")[: t.n], expected, rtol=1e-12)


def test_two_rules_on_one_signal_of_which_one_needs_something_do_not_mix():
    plain, needy = rule(signal="field.lactate", unit="mM", half=4.0), rule(signal="field.lactate", unit="mM", half=4.0, term="death.apoptosis", needs=NEEDS)
    both, one = model_with(x=plain, y=needy), model_with(x=plain)
    assert (both.tumour.term("division.rate") == one.tumour.term("division.rate")).all()
    assert (both.tumour.term("death.apoptosis")[: both.tumour.n] > both.tumour.term("division.rate")[: both.tumour.n]).all()


def test_a_field_that_is_only_needed_is_solved_and_read():
    model = model_with(x=rule(signal="field.oxygen", needs="{field: glucose, half: {value: 2, unit: mM, source: 'assumed: a test'}}"))
    assert "glucose" in model.fields and "field.glucose.concentration" in model.mechanism("rules").reads


def test_a_target_in_short_takes_a_need_and_says_so():
    raw = {"entries": {"drugs": {"rsl3": {"hits": {"gpx4": {"needs": {"field": "glucose", "half": {"value": 5, "unit": "mM", "source": "assumed: a test"}}}}}}}}
    arm = {"arms": {"x": bath("rsl3", 0.1)}, "fields__glucose": {"initial": 5, "held": True}}
    needy, plain = (hours(dish("x", **arm, **change), 0.2) for change in (raw, {}))
    assert needy.tumour.col.e_gpx4[0] == pytest.approx(plain.tumour.col.e_gpx4[0] / 2, rel=1e-9)
    entry = next(iter(rules_of("rsl3", needy.config.library.drug("rsl3")).values()))
    assert ", as far as glucose is there (half at 5 mM)" in sentence(entry, known_to_rules(needy.config).terms)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"needs": "{field: glucos, half: {value: 2, unit: mM, source: 'assumed: a test'}}"}, "rules.x: needs unknown field 'glucos'.*did you mean 'glucose'"),
        ({"needs": "{field: glucose, half: {value: 2, unit: uM, source: 'assumed: a test'}}"}, "needs.half is in 'uM', glucose in 'mM'; expected unit: mM"),
        ({"needs": "{field: glucose}"}, "rules.x.needs.half: .*[Ff]ield required"),
        ({"needs": NEEDS, "signal": "near.cd8", "unit": "cells"}, "near.cd8 is no substance"),
    ],
)
def test_a_need_that_cannot_be_is_refused(more, words):
    import re

    assert re.search(words, refusal(f"rules.x={rule(**more)}"), re.S)


def test_what_an_enzyme_removes_needs_nothing_else():
    need = "{field: oxygen, half: {value: 30, unit: mmHg, source: 'assumed: a test'}}"
    assert "needs no other" in refusal(f"entries.drugs.glucose_oxidase.hits.pool.needs={need}")


def test_the_content_of_an_entry_without_needs_is_as_before_there_were_any():
    library = load_library()
    assert not any("needs" in r.content() for r in library.rules.values())
    assert not any("needs" in h.content() for h in library.drug("rsl3").hits)
