"""Rules in a running model: the term is what the formula says, at the clock, for any threads, across a resume."""

import math

import numpy as np
import pytest
from support import QUIET

import tme
from tme.kernels import threads
from tme.model.registry import rule_programs, term_registry
from tme.rules.evaluation import programs
from tme.rules.readings import Neighbourhoods

SMALL = {**{"domain__size_um": "[500, 500]", "initial__n_cells": "150", "start_day": "0", "branch_at_day": "null"}, **{f"rules__{n}": "off" for n in QUIET}}
HELD_LACTATE = {"fields__lactate": "{initial: 8, held: true}"}


def rule(signal="field.oxygen", unit="mmHg", to=0.5, half=20.0, hill=1.0, verb="lowers", term="division.rate", **more):
    """A full entry as a config writes it, in flow style."""
    number = "{{value: {}, unit: {}, source: 'assumed: a test'}}"
    parts = {"in": "tumour", "signal": signal, verb: term, "to": number.format(to, "1"), "half": number.format(half, unit),
             "hill": number.format(hill, "1"), "evidence": "hypothetical", "source": "a test"}  # fmt: skip
    return "{" + ", ".join(f"{k}: {v}" for k, v in {**parts, **more}.items()) + "}"


def model_with(arm="control", seed=3, **rules):
    return tme.TumourModel("configs/quick.yaml", seed=seed, arm=arm, **SMALL, **{f"rules__{n}": r for n, r in rules.items()})


def response(s, half, hill):
    x = (np.maximum(s, 0.0) / half) ** hill
    return x / (1.0 + x)


@pytest.mark.parametrize("hill", [1.0, 2.0, 3.0, 4.0, 2.5])
def test_a_factor_is_one_plus_the_gain_times_the_hill_response(hill):
    model = model_with(x=rule(hill=hill))
    t = model.tumour
    expected = 1.0 - 0.5 * response(model.fields["oxygen"].at(t.voxel), 20.0, hill)
    assert np.allclose(t.term("division.rate")[: t.n], expected, rtol=1e-12)
    assert 0.5 < expected.min() < expected.max() < 1.0


def test_a_falling_response_is_whole_without_the_signal():
    model = model_with(x=rule(response="falling", half=20.0, hill=3.0))
    t = model.tumour
    oxygen = model.fields["oxygen"].at(t.voxel)
    assert np.allclose(t.term("division.rate")[: t.n], 1.0 - 0.5 / (1.0 + (oxygen / 20.0) ** 3), rtol=1e-12)
    lacking = model_with(x=rule(signal="own.gsh", unit="uM", response="falling"))
    lacking.tumour.col.gsh[: lacking.tumour.n] = 0.0
    lacking.mechanism("rules").settle(lacking)
    assert np.all(lacking.tumour.term("division.rate")[: lacking.tumour.n] == 0.5)


def test_rules_on_one_term_multiply_and_a_group_sums_before_it_saturates():
    oxygen, own = rule(half=20.0), rule(signal="own.gsh", unit="uM", half=3000.0)
    model = model_with(x=oxygen, y=own)
    t = model.tumour
    a = response(model.fields["oxygen"].at(t.voxel), 20.0, 1.0)
    model.mechanism("rules").settle(model)
    b = response(t.gsh, 3000.0, 1.0)
    assert np.allclose(t.term("division.rate")[: t.n], (1 - 0.5 * a) * (1 - 0.5 * b), rtol=1e-12)
    grouped = model_with(x=rule(half=20.0, group="g"), y=rule(signal="own.gsh", unit="uM", half=3000.0, group="g"))
    t = grouped.tumour
    grouped.mechanism("rules").settle(grouped)
    s = grouped.fields["oxygen"].at(t.voxel) / 20.0 + t.gsh / 3000.0
    assert np.allclose(t.term("division.rate")[: t.n], 1 - 0.5 * s / (1 + s), rtol=1e-12)


def test_a_term_stays_within_its_bounds():
    fifty = rule(verb="raises", to=50.0, half=0.001)
    model = model_with(x=fifty, y=rule(verb="lowers", to=0.9, half=0.001))
    term = term_registry()["division.rate"]
    assert not model.mechanism("rules").programs[0].within
    assert np.all(model.tumour.term("division.rate")[: model.tumour.n] == term.high)


def test_a_memory_moves_to_the_response_with_its_lag_and_starts_at_rest():
    model = model_with(x=rule(lag_h="{value: 2, unit: h, source: 'assumed: a test'}"))
    t, rules = model.tumour, model.mechanism("rules")
    at_rest = response(model.fields["oxygen"].at(t.voxel), 20.0, 1.0)
    assert np.allclose(t.memory_x, at_rest, rtol=1e-12)
    t.col.memory_x[: t.n] = 0.0
    rules.evaluate(model, [(rules.programs[0], [60.0])])
    assert np.allclose(t.memory_x, at_rest * (1 - math.exp(-0.5)), rtol=1e-12)


def test_neighbours_and_contacts_are_counted_without_the_cell_itself():
    model = model_with(x=rule(signal="near.tumour", unit="cells", half=10.0), y=rule(signal="contact.cd8", unit="cells", half=1.0, term="death.apoptosis"))
    t = model.tumour
    model.mechanism("rules").settle(model)
    _z, y, x = model.grid.coordinates(t.voxel)
    d2 = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    near = ((d2 <= 9).sum(axis=1) - 1).astype(float)
    assert near.max() == 28.0
    assert np.allclose(t.term("division.rate")[: t.n], 1 - 0.5 * response(near, 10.0, 1.0), rtol=1e-12)
    _, cy, cx = model.grid.coordinates(model.cd8.voxel)
    touching = ((abs(y[:, None] - cy) <= 1) & (abs(x[:, None] - cx) <= 1)).sum(axis=1).astype(float)
    assert touching.max() >= 1
    assert np.allclose(t.term("death.apoptosis")[: t.n], 1 - 0.5 * response(touching, 1.0, 1.0), rtol=1e-12)


@pytest.mark.parametrize("cells", ["tumour", "caf"])
def test_a_corpse_hears_all_the_living_around_it(cells):
    """It is not one of those counted, so nothing is taken off for itself."""
    near = rule(f"near.{cells}", "cells", half=10.0, term="death.apoptosis", **{"in": cells})
    model = tme.TumourModel("configs/quick.yaml", seed=3, arm="control", **SMALL, populations__caf="{share: 0.5}", rules__x=near)
    t = model.populations[cells]
    t.col.state[: t.n : 3] = 3
    model.mechanism("rules").neighbourhoods = Neighbourhoods()  # counts are made once a tick
    model.mechanism("rules").settle(model)
    _z, y, x = model.grid.coordinates(t.voxel)
    others = ((y[:, None] - y) ** 2 + (x[:, None] - x) ** 2 <= 9) & ~np.eye(t.n, dtype=bool)
    counted = (others & (t.state == 0)).sum(axis=1).astype(float)
    assert np.allclose(t.term("death.apoptosis")[: t.n], 1 - 0.5 * response(counted, 10.0, 1.0), rtol=1e-12)


def test_a_signal_that_an_arm_lacks_is_nothing_there():
    drug = rule(signal="drug.rsl3", unit="uM", half=0.01, to=0.1)
    assert model_with("control", x=drug).mechanism("rules").programs == []
    programs = model_with("combination", x=drug).mechanism("rules").programs
    assert [p.term.name for p in programs if not p.pooled] == ["division.rate"]
    assert [(p.term.name, p.place) for p in programs if p.pooled] == [("ferroptosis.gpx4_loss", "e_gpx4")]  # what the drug itself hits


def test_a_model_without_rules_has_no_entry_and_no_columns_for_them():
    model = model_with()
    assert not [m for m in model.plan.entries if m.name == "rules"]
    assert not [c for p in model.populations for c in p.declared if c.startswith(("term_", "memory_"))]
    assert "lactate" not in model.fields


def test_a_field_that_a_rule_hears_is_solved_and_no_other_optional_one():
    model = model_with(x=rule(signal="field.lactate", unit="mM"))
    assert "lactate" in model.fields


def digest(model):
    return {k: v.tobytes() for k, v in model.state_dict().items()}


def test_rules_give_the_same_bits_for_any_threads_and_across_a_resume(monkeypatch):
    monkeypatch.setattr(threads, "MIN_ROWS", 8)
    both = {"x": rule(signal="own.plooh", unit="uM", half=0.02, lag_h="{value: 3, unit: h, source: 'assumed: a test'}"),
            "y": rule(signal="near.cd8", unit="cells", half=1.0, term="death.apoptosis", verb="raises", to=40.0)}  # fmt: skip
    whole = model_with("combination", **both)
    half = model_with("combination", **both)
    monkeypatch.setattr(threads, "count", lambda: 1)
    for _ in range(45):
        half.step()
    half = tme.TumourModel.from_state(half.config, half.state_dict(), arm="combination", seed=3)
    for _ in range(45):
        half.step()
    monkeypatch.undo()
    for _ in range(90):
        whole.step()
    assert digest(whole) == digest(half)


def test_programs_do_not_depend_on_the_order_of_the_rules():
    config = model_with(a=rule(), b=rule(signal="own.gsh", unit="uM"), c=rule(term="death.apoptosis")).config
    from tme.rules.resolve import chosen

    entries = chosen(config)
    assert programs(entries, term_registry()) == programs(dict(reversed(entries.items())), term_registry()) == rule_programs(config)


def test_slower_division_leaves_a_smaller_tumour():
    def grown(**rules):
        model = tme.TumourModel("configs/quick.yaml", seed=3, arm="control", **SMALL, **{f"rules__{n}": r for n, r in rules.items()})
        for _ in range(1440):
            model.step()
        return int((model.tumour.state == 0).sum())

    assert grown(x=rule(to=0.0, half=0.001)) < grown() < grown(x=rule(verb="raises", to=3.0, half=0.001))


def test_rules_keep_a_column_each_only_where_their_clocks_differ():
    pair = {"a": rule(signal="own.gsh", unit="uM"), "b": rule(signal="own.plooh", unit="uM")}
    shares = {clocks: [c for c in model_with(**pair, **more).tumour.declared if c.startswith("rule_")]
              for clocks, more in (("one", {}), ("two", {"c": rule(signal="field.hmgb1", unit="a.u.")}))}  # fmt: skip
    assert shares == {"one": [], "two": ["rule_a", "rule_b", "rule_c"]}
