"""Whatever the bounds of a parameter or field allow, the numbers stay numbers."""

import numpy as np
import pytest
from support import TISSUE, config_of, merged, nested

from tme.config import ConfigError
from tme.library import load_library
from tme.model import TumourModel, parameter_registry

SMALL = merged(TISSUE, {
    "domain": {"size_um": [160, 160]},
    "initial": {"n_cells": 30},
    "populations": {"cd8": {"per_mm2": 800}, "treg": {"per_mm2": 300}},
    "arms": {"all": {
        "drugs": [{"name": "rsl3", "bath_uM": 0.1, "route": "bath", "day": 0}],
        "antibodies": [{"name": "anti_ctla4", "dose_mg_kg": 5, "day": 0}],
        "nanoparticles": [{"name": "iron_oxide", "dose_mg_kg": 5, "day": 0}],
    }},
})  # fmt: skip
LEVELS = {"diffusion": (0.0, 1e5), "decay": (0.0, 5.0), "initial": (0.0, 300.0)}


def not_finite(change, ticks):
    """Fields and columns that hold a NaN or infinity after some ticks, and what was raised."""
    try:
        model = TumourModel(config_of(merged(SMALL, change)), seed=1, arm="all")
        for _ in range(ticks):
            model.step()
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    bad = [name for name, f in model.fields.items() if not (np.isfinite(f.concentration).all() and f.concentration.min() >= 0.0)]
    return bad + [f"{p.kind}.{c}" for p in model.populations for c in p.declared if not np.isfinite(getattr(p, c)).all()]


SLOW = ("antigen_loss", "ferroptosis")  # most numbers


@pytest.mark.parametrize("group", [pytest.param(g, marks=pytest.mark.slow) if g in SLOW else g for g in sorted(parameter_registry())])
def test_a_parameter_at_either_bound_leaves_finite_numbers(group):
    bad = {}
    for p in parameter_registry()[group]:
        for value in {p.low, p.high} - {p.value}:
            found = not_finite({"mechanisms": {group: {p.name: value}}}, 12)
            if found:
                bad[f"{p.name} = {value:g}"] = found
    assert not bad


@pytest.mark.parametrize("nothing", [("k_red", "k_auto"), ("v_gcl", "k_cx")])
def test_a_state_that_nothing_takes_away_begins_at_a_number(nothing):
    """CoQ10H2 that is neither made nor lost, cysteine that is neither used nor exported."""
    assert not not_finite({"mechanisms": {"ferroptosis": dict.fromkeys(nothing, 0.0)}}, 3)


@pytest.mark.parametrize("name", sorted(load_library().fields))
def test_a_field_at_either_end_of_its_levels_leaves_finite_numbers(name):
    bad = {}
    for key, ends in LEVELS.items():
        for value in ends:
            if name in ("oxygen", "cystine") and key == "diffusion" and value == 0.0:
                continue  # refused, see below
            mode = {"mode": "backward_euler"} if value == 0.0 else {}
            found = not_finite(nested("fields__" + name, {key: value, **mode}), 12)
            if found:
                bad[f"{key} = {value:g}"] = found
    assert not bad


@pytest.mark.parametrize("trait", ["xct", "gpx4_trait", "fsp1", "acsl4", "tfr1", "nrf2", "mufa"])
def test_a_trait_that_is_nearly_absent_leaves_finite_numbers(trait):
    for value in (0.01 if trait == "nrf2" else 0.0, 10.0):
        assert not not_finite({"tumour": {"traits": {trait: value}}}, 12)


# ---- what the generated experiments found -------------------------------------------------------------
def test_the_residence_of_dendritic_cells_need_not_be_a_whole_number_of_ticks():
    model = TumourModel(config_of(SMALL, mechanisms__priming={"residence_min": 1554.4343, "travel_min": 3.3}), seed=1)
    assert model.mechanism("lymph_node").residence == 1554


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"fields": {"peroxide": {"mode": "quasi_steady", "decay": 0}}}, "fields.peroxide.decay"),
        ({"fields": {"hmgb1": {"mode": "quasi_steady", "decay": 0, "vessel_exchange": 0}}}, "fields.hmgb1.decay"),
        ({"fields": {"oxygen": {"diffusion": 0}}}, "fields.oxygen.diffusion"),
        ({"fields": {"cystine": {"diffusion": 0, "mode": "backward_euler"}}}, "fields.cystine.diffusion"),
        ({"tumour": {"traits": {"nrf2": 0}}}, "tumour.traits.nrf2"),
        ({"tumour": {"clones": {"nrf2_high": {"share": 0.1, "nrf2": 0}}}}, "tumour.clones.nrf2_high.nrf2"),
        ({"arms": {"all": {"drugs": [{"name": ["rsl3"], "bath_uM": 1, "route": "bath"}]}}}, "arms.all.drugs.0.name"),
    ],
)
def test_what_cannot_run_is_refused_by_its_key(change, key):
    with pytest.raises(ConfigError) as caught:
        config_of(merged(SMALL, change))
    assert [f.key for f in caught.value.faults] == [key]


def test_a_steady_field_without_decay_is_sound_where_it_is_lost_at_a_wall_or_held():
    steady = {"mode": "quasi_steady", "decay": 0}
    for change in ({"fields": {"hmgb1": {**steady, "held": True}}}, {"fields": {"hmgb1": steady}, "domain": {"boundary": "fixed"}}):
        assert not not_finite(change, 60)


def test_a_table_that_does_not_fit_ends_with_exit_code_2(tmp_path):
    (tmp_path / "t.csv").write_text("x,y,t\n" + "1,1,T\n" * 80)
    start = {"kind": "cells", "file": str(tmp_path / "t.csv"), "columns": {"x": "x", "y": "y", "type": "t"}, "types": {"T": "tumour"}, "duplicates": "keep"}
    with pytest.raises(ValueError, match="the tumour cell of row 65 finds no room within 12 voxels") as caught:
        config_of(merged(merged(SMALL, {"initial": None}), {"initial": start, "domain": {"size_um": [160, 160]}}))
    assert caught.value.exit_code == 2
