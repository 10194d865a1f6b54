"""A model that starts from a table of cells: who lies where, how far that is, and what markers set."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tme.core.grid import Grid
from tme.experiments import provenance
from tme.kernels.cells.places import nearest_places
from tme.kernels.neighbours import search_order
from tme.model import TumourModel, load_config
from tme.model.initial_cells import arrangement, own_voxels, report_lines, slots

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="module")
def config():
    return load_config(CONFIGS / "codex_field.yaml")


@pytest.fixture(scope="module")
def model(config):
    return TumourModel(config, seed=1)


def test_every_cell_has_a_place_and_tissue_cells_a_voxel_of_their_own(model):
    assert (model.tumour.n, model.cd8.n) == (490, 9)
    assert len(np.unique(model.tumour.voxel)) == model.tumour.n
    assert np.array_equal(model.lattice.immune_count, np.bincount(model.cd8.voxel, minlength=model.grid.n_voxels))


def test_the_report_tells_what_moved_and_what_was_left_out(model, config):
    report = model.placement.report
    assert report["rows"] == 994 and report["unmapped_types"] == {"unclear": 5} and report["left_out"] == {"rows that `only` does not name": 490}
    found = arrangement(config)
    x, y, _z = model.lattice.position_um(found.of("tumour"))
    place = found.tissue.place_um[found.tissue.kind == "tumour"]
    far = np.hypot(x - place[:, 0], y - place[:, 1])
    assert report["displacement_um"]["tumour"] == {"median": round(float(np.median(far)), 2), "p95": round(float(np.percentile(far, 95)), 2), "most": round(float(far.max()), 2)}
    assert 0.0 < report["moved"]["tumour"] < 0.35 and report["moved"]["cd8"] == 0.0
    assert provenance.tissue(config)["tissue"] == found.report
    lines = "\n".join(report_lines(found.report))
    assert "types without a meaning here: 'unclear' (5)" in lines and "tumour: 490, 1" in lines


def test_tumour_cells_start_with_the_pdl1_that_their_gate_says(model):
    table = pd.read_csv(CONFIGS / "codex_field.csv")
    table = table[(table["Region"] == "t_cells") & table["Cell Type"].isin(["PDL1p", "PDL1n"])]
    positive = (table["Cell Type"] == "PDL1p").to_numpy()
    assert set(np.unique(model.tumour.pdl1)) == {0.05, 0.5}
    assert np.array_equal(model.tumour.pdl1 == 0.5, positive)  # the threshold finds in the intensities what their maker put there
    assert np.array_equal(model.tumour.pdl1_free, model.tumour.pdl1)


def test_the_state_by_rank_rises_with_its_marker(model, config):
    table = pd.read_csv(CONFIGS / "codex_field.csv")
    mark = table[(table["Region"] == "t_cells") & table["Cell Type"].isin(["PDL1p", "PDL1n"])]["H2Db"].to_numpy()
    plain = TumourModel(config.with_values({"initial.traits": {"PDL1": {"trait": "antigenicity"}}}), seed=1)
    ratio = model.tumour.mhc1 / plain.tumour.mhc1
    below = model.tumour.mhc1 < 1.0  # the state is a share: the rest is held at 1
    order = np.argsort(mark[below])
    assert below.sum() > 100 and (np.diff(ratio[below][order]) >= -1e-12).all() and ratio.min() == pytest.approx(1 / 1.5)


def test_the_same_cells_in_another_order_of_arms_and_seeds_lie_in_the_same_places(model, config):
    other = TumourModel(config, seed=9, arm="anti_ifng")
    assert np.array_equal(other.tumour.voxel, model.tumour.voxel) and np.array_equal(other.tumour.uid, model.tumour.uid)


# ---- places ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("shape", "periodic"), [((1, 9, 11), (0, 0, 0)), ((1, 9, 11), (0, 1, 0)), ((5, 6, 7), (0, 0, 0))])
@pytest.mark.parametrize("most", [1, 2])
def test_a_cell_goes_to_the_nearest_voxel_with_room_first_come_first_served(shape, periodic, most):
    grid = Grid(shape, 10.0, 10.0, tuple(map(bool, periodic)))
    rng = np.random.default_rng(7)
    wanted = rng.integers(0, grid.n_voxels // 2, 60)
    order, geometry = search_order(6, grid.ndim), (*shape, *periodic)
    room, got = np.full(grid.n_voxels, most), np.full(60, -1)
    assert nearest_places(wanted, order, geometry, room, got) == -1
    left = np.full(grid.n_voxels, most)
    size = np.array(shape)
    for v, g in zip(wanted, got):
        d = np.abs(np.array(np.unravel_index(np.arange(grid.n_voxels), shape)).T - np.array(np.unravel_index(v, shape)))
        d = np.where(np.array(periodic, bool), np.minimum(d, size - d), d)
        far = (d**2).sum(axis=1)
        assert left[g] > 0 and far[g] == far[left > 0].min()
        left[g] -= 1
    assert np.array_equal(left, room) and left.min() >= 0


def test_the_first_cell_without_room_is_told(model):
    room, got = np.zeros(9, np.int64), np.full(3, -1)
    room[4] = 2
    assert nearest_places(np.array([4, 0, 8]), search_order(3, 2), (1, 3, 3, 0, 0, 0), room, got) == 2
    assert got.tolist() == [4, 4, -1]


def test_slots_count_the_earlier_cells_of_a_voxel():
    places = np.random.default_rng(2).integers(0, 9, 50)
    assert slots(places).tolist() == [int((places[:k] == p).sum()) for k, p in enumerate(places)]


def test_the_far_edge_belongs_to_the_last_voxel():
    grid = Grid((1, 2, 3), 10.0, 10.0)
    assert own_voxels(np.array([[0.0, 0.0, 0.0], [30.0, 20.0, 0.0], [29.9, 10.0, 0.0]]), grid).tolist() == [0, 5, 5]
