"""Sums of Green's functions, against the solver and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from tme.core.field import Field
from tme.core.grid import Grid
from tme.core.superposition import Superposition
from tme.kernels.greens_function import GreensFunction, ShortRangeCorrection, free_space, radius
from tme.kernels.multigrid import Workspace
from tme.kernels.superpose import (
    add_truncated,
    add_untruncated,
    clear_support,
    deposit_coarse,
    interpolate_cubic,
    list_sources,
    sort_voxels,
)

SHAPES = [(1, 90, 101), (1, 1, 120), (48, 46, 50)]
# narrower than the radius (11), one voxel thin, odd; and periodic axes
SMALL = [
    ((1, 17, 9), (False,) * 3), ((1, 3, 40), (False,) * 3), ((1, 2, 2), (False,) * 3), ((3, 3, 3), (False,) * 3), ((9, 7, 11), (False,) * 3),
    ((1, 17, 9), (False, True, True)), ((1, 3, 40), (False, True, False)), ((1, 60, 5), (False, False, True)),
    ((5, 4, 3), (True, True, True)), ((13, 30, 8), (True, False, False)), ((12, 9, 31), (False, True, False)),
]  # fmt: skip


def two_ways(shape, sources, tol=1e-3, decay=3.0, periodic=(False,) * 3, diffusion=2000.0, way="direct"):
    """(added up, solved at 1e-12) for the same sources."""
    grid = Grid(shape, periodic=periodic)
    quick = Field("peroxide", "uM", grid, diffusion, decay, mode="quasi_steady", tol=tol)
    exact = Field("peroxide", "uM", grid, diffusion, decay, mode="quasi_steady", tol=1e-12, max_cycles=200)
    exact.allow_superposition = False
    workspace = Workspace(shape, periodic)
    for field in (quick, exact):
        field.use("source")[list(sources)] = list(sources.values())
    exact.advance(1.0, workspace)
    Superposition(quick).add(quick, np.array(sorted(sources)), way, workspace)
    return quick.concentration, exact.concentration


@pytest.mark.parametrize("shape", SHAPES)
def test_added_greens_functions_agree_with_the_solver_at_walls_and_corners(shape):
    n = int(np.prod(shape))
    sources = {0: 1.0, n - 1: 2.0, n // 2: 0.5, shape[2] - 1: 0.3, n // 3 + 7: 4.0}
    quick, exact = two_ways(shape, sources)
    assert np.abs(quick - exact).max() < 1e-3 * exact.max()


@pytest.mark.parametrize(("shape", "periodic"), SMALL)
def test_walls_mirror_repeatedly_and_periodic_axes_wrap(shape, periodic):
    rng, n = np.random.default_rng(6), int(np.prod(shape))
    sources = dict(zip(rng.choice(n, min(5, n // 2), replace=False).tolist(), rng.random(5).tolist())) | {0: 1.0}
    quick, exact = two_ways(shape, sources, periodic=periodic)
    assert np.abs(quick - exact).max() < 1e-3 * exact.max()
    assert 3.0 * quick.sum() == pytest.approx(sum(sources.values()), rel=1e-12)


WIDE = [((48, 46, 50), (False,) * 3), ((24, 30, 36), (True, False, True)), ((6, 4, 50), (False,) * 3), ((2, 2, 2), (False,) * 3),
        ((4, 10, 2), (False, True, True))]  # fmt: skip


@pytest.mark.parametrize("diffusion", [6000.0, 10_700.0, 20_000.0])  # radius 18, 24, 33 voxels
@pytest.mark.parametrize(("shape", "periodic"), WIDE)
def test_with_a_coarse_field_the_sum_is_as_accurate_as_the_solver(shape, periodic, diffusion):
    """A source in a corner, which walls make eight of, one at a wall, and scattered ones; the solver is 0.1 to 1 % off at this tolerance."""
    rng, n = np.random.default_rng(7), int(np.prod(shape))
    scattered = dict(zip(rng.choice(n, max(2, n // 100), replace=False).tolist(), rng.random(n).tolist()))
    for sources in ({0: 1.0}, {n // 2 + shape[2] // 2: 1.0}, scattered):
        quick, exact = two_ways(shape, sources, periodic=periodic, diffusion=diffusion, way="coarse")
        assert quick.min() >= 0.0 and 3.0 * quick.sum() == pytest.approx(sum(sources.values()), rel=1e-4)
        assert np.abs(quick - exact).max() < 8e-3 * exact.max()
        assert np.linalg.norm(quick - exact) < 1.5e-2 * np.linalg.norm(exact)


def test_a_tighter_tolerance_makes_a_sum_with_a_coarse_field_more_accurate():
    shape, errors = (40, 40, 40), []
    for tol in (1e-2, 1e-3, 1e-4):
        quick, exact = two_ways(shape, {31 * 1600 + 40 * 17 + 20: 1.0, 13 * 1600 + 40 * 13 + 25: 0.5}, tol, diffusion=6000.0, way="coarse")
        errors.append(np.abs(quick - exact).max() / exact.max())
    assert errors[0] > 3.0 * errors[1] > 9.0 * errors[2]


def test_the_greens_function_of_an_infinite_lattice_is_that_of_the_solver():
    found = free_space(11, 5.0, 3.0)
    exact = Field("s", "uM", Grid((45, 45, 45)), 2000.0, 3.0, mode="quasi_steady", tol=1e-12, max_cycles=200)
    exact.allow_superposition = False
    exact.use("source")[exact.grid.voxel(22, 22, 22)] = 1.0
    exact.advance(1.0, Workspace((45, 45, 45)))
    assert np.abs(exact.concentration.reshape(45, 45, 45)[11:34, 11:34, 11:34] - found).max() < 1e-7 * found.max()


def test_the_correction_to_a_coarse_field_is_short_and_adds_no_amount():
    near, whole = ShortRangeCorrection(15.0, 3.0, 1e-3), GreensFunction((9, 9, 9), 15.0, 3.0, 1e-3)
    assert near.size < 0.03 * whole.size
    assert np.abs(near.packed.sum(axis=1)).max() < 1e-12
    assert whole.values.sum() == pytest.approx(1.0 / 3.0, rel=1e-12)


def test_depositing_and_interpolating_keep_the_amount_and_cubic_functions():
    for shape, wrap in (((8, 6, 10), (False, False, False)), ((4, 2, 8), (True, True, True)), ((2, 2, 2), (False, True, False))):
        rng, n, flags = np.random.default_rng(1), int(np.prod(shape)), np.array(wrap)
        source, wide, fine = rng.random(n), np.zeros(n // 8), np.zeros(n)
        deposit_coarse(np.arange(n), source, shape, flags, wide)
        assert 8.0 * wide.sum() == pytest.approx(source.sum(), rel=1e-13)
        interpolate_cubic(0, shape[0], wide, fine, shape, flags)
        assert fine.sum() == pytest.approx(8.0 * wide.sum(), rel=1e-13)
    shape = (24, 28, 20)
    z, y, x = (np.indices(shape).reshape(3, -1) + 0.5) / 2.0
    poly = lambda z, y, x: 1.0 + z**3 - 2.0 * z * y**2 + 0.3 * x**3 - 4.0 * y  # noqa: E731
    wide = poly(*(np.indices((12, 14, 10)).reshape(3, -1) + 0.5))
    fine = np.zeros(24 * 28 * 20)
    interpolate_cubic(0, 24, wide, fine, shape, np.zeros(3, bool))
    inner = np.zeros(shape, bool)
    inner[4:-4, 4:-4, 4:-4] = True
    assert fine[inner.ravel()] == pytest.approx(poly(z, y, x)[inner.ravel()], rel=1e-12)


@pytest.mark.parametrize("way", ["direct", "coarse"])
@pytest.mark.parametrize(("shape", "periodic"), [((12, 10, 14), (False,) * 3), ((12, 10, 14), (True, True, False)), ((36, 30, 20), (False,) * 3)])
def test_blocks_of_rows_give_the_bits_of_the_whole(shape, periodic, way, monkeypatch):
    """For any number of threads, and any previous concentration."""
    grid, rng, ends = Grid(shape, periodic=periodic), np.random.default_rng(2), []
    voxels = np.sort(rng.choice(grid.n_voxels, 40, replace=False))
    strength = rng.random(40)
    monkeypatch.setattr("tme.core.superposition.MIN_SHARED_SOURCES", 1)
    for n in (1, 2, 3):
        monkeypatch.setattr("tme.kernels.threads.count", lambda n=n: n)
        monkeypatch.setattr("tme.kernels.threads.MIN_ROWS", 1)
        field = Field("s", "uM", grid, 6000.0, 3.0, mode="quasi_steady", tol=1e-3, initial=float(n))
        field.use("source")[voxels] = strength
        Superposition(field).add(field, voxels, way, Workspace(shape, periodic))
        ends.append(field.concentration.tobytes())
    assert ends[0] == ends[1] == ends[2]


def test_the_cheapest_way_follows_from_the_number_of_sources():
    large = Superposition(Field("s", "uM", Grid((48, 48, 48)), 6000.0, 3.0, mode="quasi_steady", tol=1e-3))
    assert [large.way(m) for m in (0, 3, 200, 2000, 20_000)] == ["direct", "direct", "coarse", "coarse", ""]
    blurred = Superposition(Field("s", "uM", Grid((48, 48, 48)), 2000.0, 3.0, mode="quasi_steady", tol=1e-3))
    assert "coarse" not in {blurred.way(m) for m in (3, 200, 2000)}  # wide voxels would not resolve 1.3 voxels
    odd = Superposition(Field("s", "uM", Grid((49, 49, 49)), 6000.0, 3.0, mode="quasi_steady", tol=1e-3))
    assert [odd.way(m) for m in (0, 40, 2000)] == ["direct", "direct", ""]
    flat = Superposition(Field("s", "uM", Grid((1, 20, 20)), 6000.0, 3.0, mode="quasi_steady", tol=1e-3))
    assert [flat.way(m) for m in (0, 60, 70)] == ["direct", "direct", ""]


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


def test_the_greens_function_of_a_line_is_the_closed_form():
    """In 1D the discrete steady state of one source falls by a constant ratio per voxel."""
    k, sink = 5.0, 3.0
    greens = GreensFunction((1, 1, 500), k, sink, 1e-8).values
    ratio = 1.0 + sink / (2 * k) - np.sqrt((1.0 + sink / (2 * k)) ** 2 - 1.0)
    middle = greens.size // 2
    assert greens[middle + 1 : middle + 9] / greens[middle : middle + 8] == pytest.approx(ratio, rel=1e-6)
    assert greens[middle] == pytest.approx(1.0 / np.sqrt(sink * (sink + 4 * k)), rel=1e-6)


def test_the_greens_function_is_even_about_its_middle():
    values = GreensFunction((1, 100, 100), 5.0, 3.0, 1e-3).values.reshape(1, 23, 23)
    for axis in (1, 2):
        assert values == pytest.approx(np.flip(values, axis), rel=1e-9)
    assert values[0] == pytest.approx(values[0].T, rel=1e-9)


def test_many_sources_or_losses_go_to_the_solver():
    grid = Grid((1, 90, 101))
    workspace = Workspace(grid.shape)
    field = Field("peroxide", "uM", grid, 2000.0, 3.0, mode="quasi_steady", tol=1e-3)
    field.use("source")[:] = 1.0
    assert not field._superpose(workspace)
    field.advance(1.0, workspace)
    assert field.concentration == pytest.approx(1.0 / 3.0, rel=3e-3)
    field.use("source")[:] = 0.0
    assert field._superpose(workspace)
    field.use("loss")
    assert not field._superpose(workspace)


def test_no_source_leaves_nothing():
    field = Field("peroxide", "uM", Grid((1, 90, 101)), 2000.0, 3.0, mode="quasi_steady", tol=1e-3, initial=2.0)
    field.use("source")
    field.advance(1.0, Workspace(field.grid.shape))
    assert not field.concentration.any()


@pytest.mark.parametrize("shape", SHAPES)
def test_known_sources_give_the_bits_of_sources_that_are_looked_for(shape):
    """The support of the last sources is cleared, and nothing else is written."""
    rng = np.random.default_rng(3)
    grid = Grid(shape)
    workspace = Workspace(shape)
    told, looked = (Field("s", "uM", grid, 6000.0, 3.0, mode="quasi_steady", tol=1e-3) for _ in range(2))
    for _ in range(4):
        voxels = np.sort(rng.choice(grid.n_voxels, 5, replace=False))
        for field in (told, looked):
            field.use("source")[:] = 0.0
            field.source[voxels] = rng.random(5) if field is told else told.source[voxels]
        told.source_voxels = voxels
        for field in (told, looked):
            field.advance(1.0, workspace)
        assert np.array_equal(told.concentration, looked.concentration)
        assert told.concentration.max() > 0.0


def test_a_dose_added_between_two_solves_does_not_stay():
    """A steady field depends on its sources alone, also outside the support of its last solution."""
    shape, results = (1, 90, 101), []
    for added in (0.0, 1.0):
        field, workspace = Field("s", "uM", Grid(shape), 2000.0, 3.0, mode="quasi_steady", tol=1e-3), Workspace(shape)
        field.use("source")[[40, 5000]] = 1.0
        for _ in range(2):
            field.source_voxels = np.array([40, 5000])
            field.advance(1.0, workspace)
            solution = field.concentration.copy()
            field.add(np.full(field.grid.n_voxels, added))
        results.append(solution.tobytes())
    assert results[0] == results[1]


def test_on_a_large_lattice_the_general_sum_gives_the_bits_of_the_quick_one():
    shape, rng = (1, 70, 90), np.random.default_rng(8)
    greens, quick, general = GreensFunction(shape, 15.0, 3.0, 1e-3), np.zeros(6300), np.zeros(6300)
    voxels, source = np.sort(rng.choice(6300, 60, replace=False)), rng.random(6300)
    add_untruncated(0, 70, voxels, source, greens.values, greens.radius, shape, quick)
    add_truncated(0, 70, voxels, source, greens.values, greens.half, greens.radius, shape, np.zeros(3, bool), general)
    assert quick.any() and quick.tobytes() == general.tobytes()


def test_a_far_source_reaches_nothing():
    shape = (1, 90, 400)
    greens, c, source = GreensFunction(shape, 5.0, 3.0, 1e-3), np.zeros(90 * 400), np.zeros(90 * 400)
    source[0] = 1.0
    add_untruncated(0, shape[0] * shape[1], np.array([0]), source, greens.values, greens.radius, shape, c)
    r = radius(5.0, 3.0, 1e-3)
    assert c.reshape(90, 400)[: r + 1, : r + 1].min() >= 0.0
    assert not c.reshape(90, 400)[r + 1 :].any() and not c.reshape(90, 400)[:, r + 1 :].any()
    clear_support(0, shape[0] * shape[1], np.array([0]), greens.radius, shape, c)
    assert not c.any()


@pytest.mark.parametrize("chosen", ["none", "one", "word ends", "all", "few", "crowded"])
def test_voxels_are_sorted_and_the_scratch_is_left_empty(chosen):
    rng, n = np.random.default_rng(4), 1000
    voxels = {
        "none": np.zeros(0, np.int64),
        "one": np.array([n - 1]),
        "word ends": np.array([64, 63, 0, 127, 128, 65]),
        "all": rng.permutation(n),
        "few": rng.choice(n, 7, replace=False),
        "crowded": 300 + rng.permutation(130),
    }[chosen]
    marks, before = np.zeros(n // 64 + 1, np.uint64), np.sort(voxels)
    sort_voxels(voxels, marks)
    assert np.array_equal(voxels, before) and not marks.any()


@pytest.mark.parametrize("n", [1, 63, 64, 65, 500])
@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_sources_are_listed_up_to_a_number(n, share):
    source = np.where(np.random.default_rng(1).random(n) < share, -0.5, 0.0)
    there = np.flatnonzero(source)
    out = np.empty(n, np.int64)
    assert list_sources(source, out) == len(there) and np.array_equal(out[: len(there)], there)
    if len(there):
        assert list_sources(source, np.empty(len(there) - 1, np.int64)) == len(there)


@pytest.mark.parametrize("shape", [(1, 90, 90), (48, 48, 48), (1, 12, 9)])
def test_where_more_sources_are_given_than_are_listed_a_solver_is_cheaper(shape):
    grid = Grid(shape)
    field = Field("peroxide", "uM", grid, 2000.0, 0.4, mode="quasi_steady", tol=1e-3)
    both = Superposition(field)
    assert both.way(both.most) == "" or both.most == grid.n_voxels
    assert both.way(both.most // 2) != ""
    field.use("source")[: both.most // 2] = 1.0
    assert both.solve(field, Workspace(shape))
    field.source[:] = 1.0
    assert not both.solve(field, Workspace(shape)) or both.most == grid.n_voxels
