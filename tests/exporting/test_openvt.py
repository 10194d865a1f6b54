"""OpenVT: its table of cells, and its reference models 01 and 02 as configs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from made import HOSTILE, cells, make

import tme
from tme.experiments.h5ad import write_h5ad
from tme.exporting import Choice, export
from tme.exporting.openvt import HEADER

CONFIGS = Path(__file__).parents[2] / "configs" / "openvt"


def table(path):
    """Rows of the file."""
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == HEADER
    return rows


def test_the_table_has_living_cells_numbered_from_0_in_cell_diameters(run, place):
    path, notes = export(run, "openvt")
    rows = table(path)
    assert {r[0] for r in rows} == {"0", "1", "2", "3"} and {r[3] for r in rows} == {"0", "1", "2"}
    assert notes[:4] == ["cellType 0: cd8", "cellType 1: odd <&\"'>", "cellType 2: tumour", "simID 0: control, replicate 0"]
    assert notes[6] == f"simID 3: {HOSTILE}, replicate 1"
    last = [r for r in rows if r[0] == "3" and r[1] == "36.5"]
    made = cells(11)
    alive = made["fate"] == "alive"
    assert len(last) == alive.sum() == 39
    assert np.allclose([[float(r[4]), float(r[5])] for r in last], np.column_stack([made["x_um"], made["y_um"]])[alive] / 15.0)
    first = [r[2] for r in rows if r[0] == "3" and r[1] == "0"]
    assert first == [str(k) for k in range(39)] == [r[2] for r in last]  # a cell keeps its number


def test_places_finer_than_the_lattice_are_told(tmp_path):
    folder = make(tmp_path / "run", arms=("control",), replicates=1)
    finer = {**cells(0), "in_x_um": np.where(np.arange(40) == 0, 10.5, np.nan), "in_y_um": np.full(40, 6.0)}
    write_h5ad(folder / "control" / "rep-000" / "cells_0.h5ad", finer, {"dx_um": 15.0}, flat=True)
    path, _ = export(tme.load(folder), "openvt", tmp_path / "out.csv", Choice(hour=0.0))
    x, y = np.array([[float(r[4]), float(r[5])] for r in table(path)]).T * 15.0
    assert x[0] == pytest.approx(finer["x_um"][0] + 3.0) and x[1] == pytest.approx(finer["x_um"][1]) and y[0] == pytest.approx(finer["y_um"][0] - 1.5)


def test_101_equal_times_are_taken_without_a_remark(tmp_path):
    folder = make(tmp_path / "run", arms=("control",), replicates=1)
    place = folder / "control" / "rep-000"
    for old in place.glob("cells_*"):
        old.unlink()
    for k in range(101):
        write_h5ad(place / f"cells_{1.68 * k:g}.h5ad", cells(0, 3), {"dx_um": 15.0}, flat=True)
    _, notes = export(tme.load(folder), "openvt", tmp_path / "out.csv")
    assert notes == ["cellType 0: tumour", "simID 0: control, replicate 0"]


# ---- the models ------------------------------------------------------------------------------------------------------------
def model_of(name, **changes):
    """A reference model, changed by dotted keys."""
    config = tme.load_config(CONFIGS / f"{name}.yaml", allow_plugins=True, overrides=[f"{k.replace('__', '.')}={v}" for k, v in changes.items()])
    return tme.TumourModel(config, seed=3)


@pytest.mark.parametrize("name", sorted(p.stem for p in CONFIGS.glob("0*.yaml")))
def test_each_reference_model_keeps_101_equal_times(name):
    config = tme.load_config(CONFIGS / f"{name}.yaml", allow_plugins=True)
    days = np.array(config.output.snapshot_days)
    assert len(days) == 101 and days[0] == 0 and np.ptp(np.diff(days)) < 0.001 * np.diff(days).mean() and days[-1] <= config.horizon_day


SMALL = {"domain__size_um": "[300,300]", "domain__at_edge": "continue", "output__snapshot_days": "[0]", "horizon_day": 1, "mechanisms__cell_cycle__cycle_h": 1}


def grown(hours, gamma):
    """Cells of model 02 after some cycles of an hour."""
    model = model_of("02_monolayer_growth", mechanisms__cell_cycle__gamma=gamma, **SMALL)
    numbers = []
    for k in range(60 * hours + 1):
        model.step()
        if k % 60 == 59:
            numbers.append(model.tumour.n)
    return model, numbers


def test_a_monolayer_without_inhibition_doubles_in_every_cycle():
    model, numbers = grown(6, 1.1)
    assert numbers == [2, 4, 8, 16, 32, 64]
    assert ((model.tumour.area >= 1.0) & (model.tumour.area < 1.05)).all()


def test_inhibited_cells_grow_at_the_edge_only():
    model, numbers = grown(8, 0.8)
    t = model.tumour
    assert numbers[:2] == [2, 4] and 2 * 64 > numbers[-1] > 16
    touched = model.mechanism("cell_cycle").touching(model)[t.voxel]
    edge = touched < 0.8
    assert 0.2 < edge.mean() < 0.9 and (t.n_div[edge].mean() > 0)


def test_with_half_of_the_sides_as_a_bound_only_the_two_ends_of_a_chain_grow():
    assert grown(5, 0.5)[1] == [2, 4, 6, 8, 10]


def walked(minutes, **changes):
    """Displacements (n, 2), um, of the walkers of model 01."""
    changes = {f"mechanisms__persistent_walk__{k}": v for k, v in changes.items()}
    model = model_of("01_persistent_walk", output__snapshot_days="[0]", horizon_day=1, domain__size_um="[750,750]", **changes)
    w = model.walker

    def places():
        x, y, _ = model.lattice.position_um(w.voxel)
        inside = [np.where(w.course > 0, i - 7.5, 0.0) for i in (w.in_x_um, w.in_y_um)]
        return np.column_stack([x + inside[0], y + inside[1]])[np.argsort(w.uid)]

    before = places()
    for _ in range(minutes):
        model.step()
    assert w.n == 100 and (w.in_x_um <= 15.0).all()
    counted = np.bincount(w.voxel, minlength=model.grid.n_voxels)
    assert np.array_equal(counted, model.lattice.immune_count)
    return places() - before


def test_biased_walkers_drift_at_the_speed_that_the_law_has():
    d = walked(200)  # 200 min at 0.1 um/min: a mean of 2/pi along the bias, at bias 1/2 (cos of half a random angle)
    n, step = 2000, 0.01
    assert d[:, 0].mean() == pytest.approx(n * step * 2 / np.pi, abs=6 * step * np.sqrt(n * (0.5 - 4 / np.pi**2) / 100))
    assert d[:, 1].var() == pytest.approx(n * step**2 * 0.5, rel=0.6) and abs(d[:, 1].mean()) < 6 * step * np.sqrt(n * 0.5 / 100)


def test_unbiased_walkers_keep_their_course_for_the_persistence_time():
    speed, t, minutes = 2.0, 30.0, 60
    d = walked(minutes, speed=speed, bias=0, persistence_min=t)
    exact = 2 * speed**2 * t * (minutes - t * (1 - np.exp(-minutes / t)))
    assert (d**2).sum(1).mean() == pytest.approx(exact, rel=0.35)
    assert np.hypot(*d.T).max() <= speed * minutes * (1 + 1e-9)


def test_a_cell_with_full_bias_goes_straight():
    assert np.allclose(walked(50, bias=1, direction=np.pi / 2), [0, 5.0], atol=1e-9)
