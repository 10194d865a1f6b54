"""Amounts do not depend on the voxel; holes close from the surface; a kill costs the growth that it should."""

from __future__ import annotations

import numpy as np
import pytest
from support import DISH, alive, hours, merged, small_model

NODULE = merged(DISH, {"initial": None, "fields": None}) | {
    "initial": {"kind": "nodule", "n_cells": 200}, "fields": {**DISH["fields"], "cystine": {"initial": 200, "held": True}},
}
FLAT, BALL = {"size_um": [1000, 1000]}, {"size_um": [600, 600, 600], "dx_um": 20}


@pytest.mark.parametrize("domain", [
    {"size_um": [420, 420], "dx_um": 14, "thickness_um": 14}, {"size_um": [420, 420], "dx_um": 15, "thickness_um": 15},
    {"size_um": [420, 420], "dx_um": 20, "thickness_um": 20}, {"size_um": [150, 150, 150], "dx_um": 15},
])  # fmt: skip
def test_what_a_cell_takes_and_gives_does_not_depend_on_the_voxel(domain):
    """Per cell and minute: 300 mmHg and 10 ng/mL (2/min, half full at 5) IFN-gamma of 3,375 um^3, 1.25 mM lactate into as much."""
    fields = {"oxygen": {"held": False}, "ifng": {"held": False}, "lactate": {"clock_min": 1, "coarsen": 1}}
    changes = {"domain": domain, "initial": {"kind": "nodule", "n_cells": 60}, "fields": fields, "mechanisms": {"uptake": {"normal_oxygen": 0, "normal_ifng": 0}}}
    model = small_model(merged(merged(DISH, {"domain": None, "initial": None}), changes))
    per_cell = model.grid.voxel_um3 / 60.0
    assert model.fields["oxygen"].vmax.sum() * per_cell == pytest.approx(300.0 * 3375.0)
    assert model.fields["ifng"].vmax.sum() * per_cell == pytest.approx(2.0 * 5.0 * 3375.0)  # k times half
    model.step()
    assert model.fields["lactate"].source.sum() * per_cell == pytest.approx(1.25 * 3375.0, rel=1e-3)


def test_a_cleared_voxel_deep_in_the_tumour_is_missing_at_its_surface_in_the_end():
    model = small_model(NODULE, domain=FLAT, mechanisms__closing={"close_h": 0.2})
    lattice, t = model.lattice, model.tumour
    rows = t.uid.copy()
    deep = int(np.argmax(lattice.surface[t.voxel]))
    hole = int(t.voxel[deep])
    t.col.state[deep], t.col.death_tick[deep], t.col.fate[deep] = 4, 0, 20
    model.step()
    assert lattice.hole[hole] == 1 and lattice.tissue_row[hole] == -1
    hours(model, 3)
    assert not lattice.hole.any() and lattice.tissue_row[hole] >= 0
    assert set(t.uid) == set(rows) - {rows[deep]} or t.n == 199
    assert np.array_equal(lattice.tissue_row[t.voxel], np.arange(t.n))


@pytest.mark.parametrize("domain", [FLAT, pytest.param(BALL, marks=pytest.mark.slow)])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_kill_delays_growth_by_the_doublings_that_it_took(share, domain):
    """A well-fed nodule of 200 cells that doubles in 8 h; the delay is read at twice the size before the kill."""
    times = {"division": {"k_div": 1.5e-3}, "damp": {"tau_clear_min": 60}, "closing": {"close_h": 1}}
    arms = {"control": {}, "kill": {"events": [{"name": "kill_share", "share": share, "day": 0.25}]}}
    courses = {}
    for arm in arms:
        model = small_model(NODULE, arm, domain=domain, mechanisms=times, arms=arms)
        counts = []
        for _ in range(44):
            counts.append(alive(hours(model, 1)))
        courses[arm] = np.array(counts, float)
    control, killed = courses["control"], courses["kill"]
    h = np.arange(1.0, 45.0)
    rate, _log0 = np.polyfit(h[:20], np.log2(control[:20]), 1)
    assert np.corrcoef(h[:20], np.log2(control[:20]))[0, 1] ** 2 > 0.99
    level = np.log2(2.0 * control[5])
    first = lambda c: np.interp(level, np.maximum.accumulate(np.log2(c[6:])), h[6:])  # noqa: E731
    delay = (first(killed) - first(control)) * rate
    assert delay == pytest.approx(np.log2(1.0 / (1.0 - share)), rel=0.3)


def kill_and_clear(model, which):
    """The tumour cells at these voxels (bool) are corpses that were cleared."""
    t = model.tumour
    here = which[t.col.voxel[: t.n]]
    t.col.state[: t.n][here], t.col.death_tick[: t.n][here], t.col.fate[: t.n][here] = 4, 0, 20
    model.step()
    model.lattice.hole[:] = 0  # whether these are holes is for the next measurement to say
    model.lattice.measure_surface()


@pytest.mark.parametrize("gap_um", [500, 0])
def test_a_core_that_is_lost_with_a_cleft_to_the_outside_closes_again(gap_um):
    """A cleft of 45 um that leads to a cavity of 120 um: without `gap_um` both are outside, and the tumour stays a ring."""
    still = {"division": {"k_div": 0}, "closing": {"close_h": 0.2, "gap_um": gap_um}}
    model = small_model(merged(NODULE, {"initial": {"kind": "nodule", "n_cells": 600}}), domain=FLAT, mechanisms=still)
    lattice = model.lattice
    x, y, _z = (a - 500.0 for a in lattice.position_um(np.arange(model.grid.n_voxels)))
    lost = (np.hypot(x, y) < 60.0) | ((np.abs(y) < 23.0) & (x > 0.0))
    before = model.tumour.n
    kill_and_clear(model, lost)
    n = model.tumour.n
    assert 30 < before - n < 150
    hours(model, 12)
    core = np.hypot(x, y) < 60.0
    filled = (lattice.tissue_row[core] >= 0).mean()
    assert model.tumour.n == n
    assert np.array_equal(lattice.tissue_row[model.tumour.voxel], np.arange(n))
    assert filled > 0.9 if gap_um else filled < 0.2


@pytest.mark.parametrize("domain", [FLAT, BALL])
def test_a_flat_loss_at_the_surface_is_no_hole(domain):
    """Half of a nodule is lost: what is left has a flat side, nothing flows to where the other half was."""
    model = small_model(NODULE, domain=domain, mechanisms={"division": {"k_div": 0}, "closing": {"close_h": 0.2}})
    lattice = model.lattice
    x = lattice.position_um(np.arange(model.grid.n_voxels))[0]
    kill_and_clear(model, x < np.median(x[model.tumour.voxel]))
    there = np.sort(model.tumour.voxel)
    hours(model, 6)
    moved = 1.0 - np.isin(there, model.tumour.voxel).mean()
    assert lattice.hole.sum() <= 0.05 * model.tumour.n and moved < 0.15
