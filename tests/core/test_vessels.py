"""Vessels as lines: length per volume, isotropy, exact lengths, and which are open."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from tme.core.field import Field
from tme.core.grid import Grid
from tme.core.vessels import NOMINAL_UM, SEGMENT_UM, VesselBed, lines, mean_weight, trace
from tme.kernels.multigrid import Workspace

BOX = Grid((17, 20, 24))


def within(values, expected, errors=5.0):
    """The mean is the expected one to five standard errors."""
    values = np.asarray(values, float)
    assert abs(values.mean() - expected) < errors * values.std() / np.sqrt(len(values)), (values.mean(), expected)


def test_length_per_volume_is_the_length_density():
    beds = [VesselBed(BOX, 75.0, seed) for seed in range(200)]
    within([bed.piece_um.sum() for bed in beds], 75e-6 * BOX.n_voxels * BOX.voxel_um3)
    # everywhere alike: in a corner as in the middle
    for corner in (np.s_[:6, :6, :6], np.s_[5:11, 7:13, 9:15]):
        inside = np.zeros(BOX.shape, bool)
        inside[corner] = True
        within([bed.piece_um[inside.ravel()[bed.sites]].sum() for bed in beds], 75e-6 * 216 * BOX.voxel_um3)
    within([bed.weight.sum() / BOX.n_voxels for bed in beds], mean_weight(BOX, 75.0))


def test_lines_are_isotropic_and_a_plane_meets_half_their_density_per_area():
    along, crossed, counts = [], {0: [], 1: [], 2: []}, []
    for seed in range(300):
        point, e = lines(100e-6, 300.0, seed)
        assert np.abs((point * e).sum(1)).max() < 1e-9 and np.linalg.norm(point, axis=1).max() <= 300.0
        assert np.linalg.norm(e, axis=1) == pytest.approx(1.0)
        along.append(e)
        counts.append(len(point))
        for axis, found in crossed.items():
            at = point - (point[:, axis] / e[:, axis])[:, None] * e
            found.append((np.linalg.norm(at, axis=1) < 250.0).sum() / (np.pi * 0.25**2))
    for found in crossed.values():
        within(found, 50.0)
    within(counts, 100.0 * np.pi * 0.09)
    within((np.array(counts) - 100.0 * np.pi * 0.09) ** 2, 100.0 * np.pi * 0.09)  # Poisson
    e = np.concatenate(along)
    for i in range(3):
        for j in range(3):
            within(e[:, i] * e[:, j] if i != j else e[:, i] ** 2, 1.0 / 3.0 if i == j else 0.0)
        within(np.abs(e[:, i]), 0.5)  # cosines are uniform


def test_lines_stay_where_they_are_in_a_larger_domain():
    (near, e), (far, f) = lines(75e-6, 200.0, 4), lines(75e-6, 900.0, 4)
    assert 0 < len(near) < len(far)
    assert np.array_equal(near, far[: len(near)]) and np.array_equal(e, f[: len(e)])


def test_no_vessels_where_there_is_no_density():
    for grid in (Grid((6, 6, 6)), Grid((1, 20, 20))):
        bed = VesselBed(grid, 0.0, 1)
        bed.update(np.full(grid.n_voxels, 10.0), 300.0, 0.8, 1.0, 0.4)
        assert len(bed.voxels) == len(bed.weight) == len(bed.rank) == 0


def test_lengths_in_voxels_are_exact():
    grid, rng = Grid((9, 7, 11), 15.0), np.random.default_rng(2)
    size = np.array(grid.shape) * 15.0
    for _ in range(50):
        point, e = rng.random(3) * size, rng.standard_normal(3)
        e /= np.linalg.norm(e)
        voxel, um, segment = trace(grid, point, e, 40.0)
        fine = np.linspace(-300.0, 300.0, 600_001)
        at = np.floor((point[:, None] + e[:, None] * fine) / 15.0).astype(int)
        inside = np.all((at >= 0) & (at < np.array(grid.shape)[:, None]), axis=0)
        sampled = np.bincount(grid.voxel(*at[:, inside]), minlength=grid.n_voxels) * 1e-3
        assert np.bincount(voxel, um, grid.n_voxels) == pytest.approx(sampled, abs=3e-3)
        assert np.all(np.diff(segment) >= 0) and np.bincount(segment - segment[0], um).max() <= SEGMENT_UM + 1e-9


@pytest.mark.parametrize("e", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.6, 0.8)])
def test_a_line_along_an_axis_or_a_plane_is_no_special_case(e):
    grid = Grid((5, 5, 5))
    voxel, um, _ = trace(grid, np.array([30.0, 50.0, 50.0]), np.array(e), 5.0)
    assert um.sum() == pytest.approx(100.0 / max(e)) and len(np.unique(voxel)) >= 5
    assert len(trace(grid, np.array([130.0, 130.0, 130.0]), np.array(e), 5.0)[0]) == 0


def test_segments_open_and_close_as_wholes_by_rank_and_deepest_zone():
    bed = VesselBed(BOX, 400.0, 3)
    assert bed.open.all() and len(bed.rank) > 60
    x, y, z = BOX.centres_um(np.arange(BOX.n_voxels))
    depth = 150.0 - np.sqrt((x - 240) ** 2 + (y - 200) ** 2 + (z - 170) ** 2)
    bed.update(depth, 40.0, 0.8, 1.0, 0.4)
    for s in range(len(bed.rank)):
        deep = depth[bed.sites[bed.segment == s]].max()
        assert bed.open[s] == (bed.rank[s] < (0.8 if deep <= 0 else 1.0 if deep <= 40 else 0.4))
    assert 0 < bed.open.sum() < len(bed.open)
    # its length is counted voxel by voxel, with all vessels that share one
    length = np.zeros(BOX.n_voxels)
    for site, um, segment in zip(bed.sites, bed.piece_um, bed.segment, strict=True):
        length[site] += um * bed.open[segment]
    assert np.array_equal(bed.voxels, np.flatnonzero(length))
    assert bed.weight * NOMINAL_UM == pytest.approx(length[bed.voxels], rel=1e-12)


def test_open_or_closed_is_a_function_of_seed_and_tumour_alone():
    beds = [VesselBed(BOX, 200.0, 9) for _ in range(2)]
    small, large = (r - np.linalg.norm(np.stack(BOX.centres_um(np.arange(BOX.n_voxels))) - 200.0, axis=0) for r in (60.0, 160.0))
    beds[0].update(large, 30.0, 0.8, 1.0, 0.0)
    for bed in beds:
        bed.update(small, 30.0, 0.8, 1.0, 0.0)
    assert np.array_equal(beds[0].voxels, beds[1].voxels) and np.array_equal(beds[0].weight, beds[1].weight)
    assert not np.array_equal(beds[0].rank[:9], VesselBed(BOX, 200.0, 10).rank[:9])
    again = VesselBed(BOX, 200.0, 9)
    again.set_open(beds[0].open)
    assert np.array_equal(again.voxels, beds[0].voxels) and np.array_equal(again.weight, beds[0].weight)
    with pytest.raises(ValueError, match="segments, not 3"):
        again.set_open(np.ones(3, bool))


def test_in_2d_a_vessel_weighs_as_much_as_the_slab_is_thick():
    thin, thick = (VesselBed(Grid((1, 60, 60), 20.0, t), 75.0, 1) for t in (20.0, 25.0))
    assert np.array_equal(thin.voxels, thick.voxels)
    assert np.all(thin.weight == 1.0) and np.all(thick.weight == 1.25)


def supplied(grid, exchange, loss):
    """What the tissue of a lattice takes up from vessels that hold 1, per minute, um^3."""
    field = Field("x", "1", grid, 1e5, mode="quasi_steady", tol=1e-7, vessel_value=1.0, max_cycles=200)
    field.use("exchange")[:] = exchange
    field.use("loss")[:] = loss
    field.advance(1.0, Workspace(grid.shape))
    return loss * field.concentration.sum() * grid.voxel_um3


@pytest.mark.parametrize("dx", [20.0, 15.0])
@pytest.mark.parametrize("per_vessel", [5.0, 300.0, 2000.0])
def test_a_mm_of_vessel_supplies_the_same_in_both_dimensions(per_vessel, dx):
    """A point in a slab, lines in many directions in space, each alone; without the resistance lines supply up to 15 % more."""
    flat, n = Grid((1, 41, 41), dx, dx), 31
    exchange, loss = flat.zeros(), 20.0
    exchange[flat.voxel(0, 20, 20)] = per_vessel * dx / NOMINAL_UM
    point = supplied(flat, exchange, loss) / dx
    grid, rng, line = Grid((n, n, n), dx), np.random.default_rng(0), []
    bed = VesselBed(grid, 0.0, 1)
    for _ in range(6):
        e = rng.standard_normal(3)
        voxel, um, _ = trace(grid, (n // 2 + rng.random(3)) * dx, e / np.linalg.norm(e), 0.0)
        exchange = grid.zeros()
        np.add.at(exchange, voxel, bed.rate(per_vessel, 1e5) * um / NOMINAL_UM)
        line.append(supplied(grid, exchange, loss) / um.sum())
    assert np.mean(line) == pytest.approx(point, rel=0.02)


@pytest.mark.slow
def test_the_middle_slice_of_a_3d_tumour_is_as_hypoxic_as_a_section():
    """T48: shares below 10 and 5 mmHg within 20 % or 0.05, mean oxygen against depth within 20 %."""
    script = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "middle_slice.py"))
    flat, solid = (script["summary"](script["slices"](three, 400.0, 75.0, range(seeds), 20.0, {}), 400.0)
                   for three, seeds in ((False, 96), (True, 24)))  # fmt: skip
    for a, b in zip(flat["shares"][:2], solid["shares"][:2], strict=True):
        assert abs(a - b) < max(0.05, 0.2 * a), (flat, solid)
    assert solid["profile"] == pytest.approx(flat["profile"], rel=0.2)
    assert flat["shares"][1] > 0.03  # there is hypoxia to compare


def fed(shape, per_mm2, permeability, tol):
    """Oxygen from the vessels of a bed, taken up everywhere."""
    grid = Grid(shape)
    bed = VesselBed(grid, per_mm2, 2)
    field = Field("oxygen", "mmHg", grid, 1e5, mode="quasi_steady", tol=tol, vessel_value=38.0, max_cycles=200)
    field.use("exchange")[bed.voxels] = permeability * bed.weight
    field.use("loss")[:] = 10.0
    return field


@pytest.mark.parametrize("shape", [(33, 36, 31), (48, 48, 48), (6, 40, 50)])
@pytest.mark.parametrize("per_mm2", [30.0, 150.0])
@pytest.mark.parametrize("permeability", [30.0, 2000.0, 1e5])
def test_lines_of_any_strength_do_not_stall_the_solver(shape, per_mm2, permeability):
    """Each cycle leaves at most a third of the residual, from 1e-7 to 1e-12, whatever the vessels' strength."""
    cycles = [fed(shape, per_mm2, permeability, tol).advance(1.0, Workspace(shape)) for tol in (1e-7, 1e-12)]
    assert 1e-5 ** (1.0 / (cycles[1] - cycles[0])) < 1.0 / 3.0, cycles


def test_lines_feed_the_tissue_to_the_dense_solution():
    field = fed((9, 8, 11), 400.0, 2000.0, 1e-11)
    grid, k = field.grid, 1e5 / 400.0
    matrix = np.diag(10.0 + field.exchange)
    index = np.arange(grid.n_voxels).reshape(grid.shape)
    for axis in range(3):
        for i, j in zip(index.take(range(grid.shape[axis] - 1), axis).ravel(), index.take(range(1, grid.shape[axis]), axis).ravel()):
            matrix[[i, j], [i, j]] += k
            matrix[[i, j], [j, i]] -= k
    field.advance(1.0, Workspace(grid.shape))
    assert field.concentration == pytest.approx(np.linalg.solve(matrix, 38.0 * field.exchange), rel=1e-8)
