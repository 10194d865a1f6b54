"""Adding up patterns of sources, against the solver and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels.multigrid import Workspace
from tme.kernels.superpose import Pattern, add_up, ascending, darken, reach

SHAPES = [(1, 90, 101), (1, 1, 120), (48, 46, 50)]


def two_ways(shape, sources, tol=1e-3, decay=3.0):
    """(added up, solved at 1e-12) for the same sources."""
    grid = Grid(shape)
    quick = Field("peroxide", "uM", grid, 2000.0, decay, mode="quasi_steady", tol=tol)
    exact = Field("peroxide", "uM", grid, 2000.0, decay, mode="quasi_steady", tol=1e-12)
    exact.use("loss")  # an array of zeros sends it to the solver
    for field in (quick, exact):
        field.use("source")[list(sources)] = list(sources.values())
        field.advance(1.0, Workspace(shape))
    assert quick._superposed()
    return quick.concentration, exact.concentration


@pytest.mark.parametrize("shape", SHAPES)
def test_added_patterns_agree_with_the_solver_at_walls_and_corners(shape):
    n = int(np.prod(shape))
    sources = {0: 1.0, n - 1: 2.0, n // 2: 0.5, shape[2] - 1: 0.3, n // 3 + 7: 4.0}
    quick, exact = two_ways(shape, sources)
    assert np.abs(quick - exact).max() < 1e-3 * exact.max()


@pytest.mark.parametrize("shape", SHAPES)
def test_losses_equal_gains_exactly(shape):
    sources = {0: 1.0, 17: 0.25}
    quick, _ = two_ways(shape, sources)
    assert 3.0 * quick.sum() == pytest.approx(1.25, rel=1e-12)


def test_a_tighter_tolerance_brings_it_closer():
    shape, sources = (1, 150, 150), {150 * 70 + 71: 1.0, 5: 1.0}
    errors = []
    for tol in (1e-2, 1e-3, 1e-4):
        quick, exact = two_ways(shape, sources, tol)
        errors.append(np.abs(quick - exact).max() / exact.max())
    assert errors[0] > 3.0 * errors[1] > 9.0 * errors[2]


def test_pattern_of_a_line_is_the_closed_form():
    """In 1D the discrete steady state of one source falls by a constant ratio per voxel."""
    k, sink = 5.0, 3.0
    pattern = Pattern((1, 1, 500), k, sink, 1e-8).values[0, 0]
    ratio = 1.0 + sink / (2 * k) - np.sqrt((1.0 + sink / (2 * k)) ** 2 - 1.0)
    middle = pattern.size // 2
    assert pattern[middle + 1 : middle + 9] / pattern[middle : middle + 8] == pytest.approx(ratio, rel=1e-6)
    assert pattern[middle] == pytest.approx(1.0 / np.sqrt(sink * (sink + 4 * k)), rel=1e-6)


def test_pattern_is_even_about_its_middle():
    values = Pattern((1, 100, 100), 5.0, 3.0, 1e-3).values
    for axis in (1, 2):
        assert values == pytest.approx(np.flip(values, axis), rel=1e-9)
    assert values[0] == pytest.approx(values[0].T, rel=1e-9)


def test_many_sources_or_a_small_lattice_or_losses_go_to_the_solver():
    grid = Grid((1, 90, 101))
    field = Field("peroxide", "uM", grid, 2000.0, 3.0, mode="quasi_steady", tol=1e-3)
    field.use("source")[:] = 1.0
    assert not field._superposed()
    field.advance(1.0, Workspace(grid.shape))
    assert field.concentration == pytest.approx(1.0 / 3.0, rel=3e-3)
    small = Field("peroxide", "uM", Grid((1, 12, 12)), 2000.0, 3.0, mode="quasi_steady", tol=1e-3)
    small.use("source")[5] = 1.0
    assert not small._superposed()
    field.use("source")[:] = 0.0
    field.use("loss")
    assert not field._superposed()


def test_no_source_leaves_nothing():
    field = Field("peroxide", "uM", Grid((1, 90, 101)), 2000.0, 3.0, mode="quasi_steady", tol=1e-3, initial=2.0)
    field.use("source")
    field.advance(1.0, Workspace(field.grid.shape))
    assert not field.concentration.any()


@pytest.mark.parametrize("shape", SHAPES)
def test_known_sources_give_the_bits_of_sources_that_are_looked_for(shape):
    """What was lit by the last sources is put out, and nothing else is touched."""
    rng = np.random.default_rng(3)
    grid = Grid(shape)
    workspace = Workspace(shape)
    told, looked = (Field("s", "uM", grid, 6000.0, 3.0, mode="quasi_steady", tol=1e-3) for _ in range(2))
    for _ in range(4):
        points = np.sort(rng.choice(grid.n_voxels, 5, replace=False))
        for field in (told, looked):
            field.use("source")[:] = 0.0
            field.source[points] = rng.random(5) if field is told else told.source[points]
        told.points = points
        for field in (told, looked):
            field.advance(1.0, workspace)
        assert np.array_equal(told.concentration, looked.concentration)
        assert told.concentration.max() > 0.0


def test_a_far_source_reaches_nothing():
    shape = (1, 90, 400)
    pattern, c, source = Pattern(shape, 5.0, 3.0, 1e-3), np.zeros(90 * 400), np.zeros(90 * 400)
    source[0] = 1.0
    add_up(0, shape[0] * shape[1], np.array([0]), source, pattern.values.ravel(), pattern.reach, shape, c)
    r = reach(5.0, 3.0, 1e-3)
    assert c.reshape(90, 400)[: r + 1, : r + 1].min() >= 0.0
    assert not c.reshape(90, 400)[r + 1 :].any() and not c.reshape(90, 400)[:, r + 1 :].any()
    darken(0, shape[0] * shape[1], np.array([0]), pattern.reach, shape, c)
    assert not c.any()


@pytest.mark.parametrize("chosen", ["none", "one", "word ends", "all", "few", "crowded"])
def test_points_are_put_in_order_and_the_scratch_is_left_empty(chosen):
    rng, n = np.random.default_rng(4), 1000
    points = {
        "none": np.zeros(0, np.int64),
        "one": np.array([n - 1]),
        "word ends": np.array([64, 63, 0, 127, 128, 65]),
        "all": rng.permutation(n),
        "few": rng.choice(n, 7, replace=False),
        "crowded": 300 + rng.permutation(130),
    }[chosen]
    marks, before = np.zeros(n // 64 + 1, np.uint64), np.sort(points)
    ascending(points, marks)
    assert np.array_equal(points, before) and not marks.any()
