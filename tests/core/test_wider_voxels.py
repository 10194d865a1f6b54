"""Fields solved on wider voxels than the lattice's, and in a subdomain around their sources."""

import numpy as np
import pytest

from tme.core import subdomain
from tme.core.field import Field
from tme.core.grid import Grid, ScratchPool
from tme.kernels import threads
from tme.kernels.multigrid import Workspace
from tme.kernels.transfer import average, find_corners, interpolate, read_corners

SHAPES = [(1, 48, 40), (1, 1, 64), (12, 16, 8), (8, 1, 16)]


def between(shape, periodic=(False,) * 3):
    """Mean over children and interpolation as functions of flat arrays."""
    half = [(n + 1) // 2 for n in shape]

    def mean(fine):
        out = np.zeros(half[0] * half[1] * half[2])
        average(0, half[0] * half[1], fine, 1.0, False, out, *shape)
        return out

    def spread(coarse):
        out = np.zeros(shape[0] * shape[1] * shape[2])
        interpolate(0, shape[0] * shape[1], coarse, out, *shape, np.array(periodic))
        return out

    return mean, spread


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("periodic", [False, True])
def test_going_to_wider_voxels_and_back_keeps_the_amount_and_a_constant(shape, periodic):
    axes = tuple(periodic and n > 1 for n in shape)
    mean, spread = between(shape, axes)
    rng = np.random.default_rng(1)
    fine = rng.random(shape[0] * shape[1] * shape[2])
    coarse = mean(fine)
    assert coarse.mean() == pytest.approx(fine.mean(), rel=1e-14)
    assert spread(coarse).mean() == pytest.approx(coarse.mean(), rel=1e-14)
    assert spread(np.full_like(coarse, 3.0)) == pytest.approx(3.0, rel=1e-15)
    assert spread(coarse).min() >= coarse.min() >= 0.0


@pytest.mark.parametrize("shape", SHAPES)
def test_a_slope_is_interpolated_exactly_away_from_walls(shape):
    mean, spread = between(shape)
    z, y, x = np.indices(shape)
    slope = (1.0 * x + 2.0 * y + 4.0 * z).ravel()
    back = spread(mean(slope)).reshape(shape)
    inside = tuple(slice(1, -1) if n > 1 else slice(None) for n in shape)
    assert back[inside] == pytest.approx(slope.reshape(shape)[inside], rel=1e-13)


def with_vessels(shape, coarsen, steps=40):
    """A field fed by scattered vessels and lost in patches, after `steps` steps."""
    rng = np.random.default_rng(4)
    grid = Grid(shape)
    field = Field("drug", "uM", grid, 5000.0, 0.01, 10, vessel_value=2.0, tol=1e-9, coarsen=coarsen)
    field.use("exchange")[rng.random(grid.n_voxels) < 0.03] = 0.1
    field.use("loss")[rng.random(grid.n_voxels) < 0.3] = 0.02
    field.use("source")[rng.random(grid.n_voxels) < 0.05] = 0.01
    workspace = Workspace(shape)
    for _ in range(steps):
        field.advance(10.0, workspace)
    return field


@pytest.mark.parametrize("shape", [(1, 96, 80), (24, 24, 24)])
def test_a_field_of_long_reach_is_the_same_within_a_few_percent_on_wider_voxels(shape):
    fine, two, four = (with_vessels(shape, coarsen) for coarsen in (1, 2, 4))
    assert two.inner is not None and four.inner.inner is not None

    def error(field):
        return np.abs(field.concentration - fine.concentration).mean() / fine.concentration.mean()

    assert error(two) < 0.01 and error(four) < 0.025
    assert 0.0 < error(two) < error(four)


def test_without_losses_nothing_is_lost_on_wider_voxels():
    grid = Grid((1, 40, 64))
    field = Field("tracer", "1", grid, 900.0, 0.0, 10, coarsen=4, tol=1e-6)
    field.fill(np.random.default_rng(2).random(grid.n_voxels))
    field.use("source")
    workspace, start = Workspace(grid.shape), field.concentration.sum()
    for _ in range(2000):
        field.advance(10.0, workspace)
        assert field.concentration.min() >= 0.0
    assert field.concentration.sum() == pytest.approx(start, rel=1e-12)


@pytest.mark.parametrize("shape", [(1, 41, 64), (7, 8, 8)])
def test_a_lattice_with_an_odd_axis_is_solved_as_it_is(shape):
    plain, wide = (Field("tracer", "1", Grid(shape), 900.0, 0.01, 10, coarsen=c) for c in (1, 4))
    assert wide.inner is None and wide.on_solver_grid is wide
    workspace = Workspace(shape)
    for field in (plain, wide):
        field.use("source")[100] = 1.0
        field.advance(10.0, workspace)
    assert np.array_equal(plain.concentration, wide.concentration)


@pytest.mark.parametrize("coarsen", [1, 2, 4])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_terms_written_where_the_field_is_solved_are_those_of_the_whole_lattice(coarsen, n_threads, monkeypatch):
    """`term_writer`, `source_counter` and `add_to_term` against arrays over all voxels: the same solution, and scratch arrays end as zeros."""
    monkeypatch.setattr(threads, "count", lambda: n_threads)
    monkeypatch.setattr(threads, "MIN_ROWS", 1)
    rng, grid = np.random.default_rng(8), Grid((1, 48, 40))
    whole, direct = (Field("drug", "uM", grid, 5000.0, 0.01, 10, vessel_value=2.0, tol=1e-9, coarsen=coarsen) for _ in range(2))
    scratch, workspace = ScratchPool(grid), Workspace(grid.shape)
    for _ in range(3):
        leaks, losses = 0.1 * (rng.random(grid.n_voxels) < 0.03), 0.02 * (rng.random(grid.n_voxels) < 0.3)
        cells, poured = rng.integers(0, grid.n_voxels, 50), rng.random(grid.n_voxels)
        counts = np.bincount(cells, minlength=grid.n_voxels)
        for term, values in (("exchange", leaks), ("loss", losses)):
            whole.use(term)[:] = values
            with direct.term_writer(term, scratch) as array:
                assert not array.any()
                array[:] = values
        whole.use("source")[:] = 0.5 * poured + 0.25 * counts
        direct.on_solver_grid.use("source")[:] = 0.0
        direct.add_to_term("source", poured, 0.5)
        with direct.source_counter(scratch, 0.25, [cells[:20], cells[20:]]) as array:
            assert array.dtype == np.int64 and not array.any()
            np.add.at(array, cells, 1)
        whole.advance(10.0, workspace)
        direct.advance(10.0, workspace)
        for term in ("exchange", "loss"):
            assert np.array_equal(getattr(whole.on_solver_grid, term), getattr(direct.on_solver_grid, term))
        assert whole.concentration == pytest.approx(direct.concentration, rel=1e-12)
        with scratch.borrow() as array, scratch.borrow() as another:
            assert array is not another and not array.any() and not another.any()
    assert coarsen == 1 or (direct.source is None and direct.exchange is None)


def test_what_is_written_to_a_begun_term_adds_to_it():
    grid = Grid((1, 8, 8))
    field, scratch = Field("drug", "uM", grid, 100.0, coarsen=2), ScratchPool(grid)
    for _ in range(2):
        with field.term_writer("source", scratch, overwrite=False) as array:
            array[[0, 1, 63]] = 4.0
    assert field.on_solver_grid.source.reshape(4, 4)[[0, 3], [0, 3]].tolist() == [4.0, 2.0]
    with field.term_writer("source", scratch) as array:
        array[:2] = 1.0
    assert field.on_solver_grid.source.sum() == 0.5 == field.on_solver_grid.source[0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("coarsen", [1, 2, 4])
@pytest.mark.parametrize("periodic", [False, True])
def test_what_cells_see_is_what_is_interpolated_to_the_bit(shape, coarsen, periodic):
    axes = tuple(periodic and n > 1 for n in shape)
    grid, rng = Grid(shape, periodic=axes), np.random.default_rng(6)
    field = Field("tracer", "1", grid, 900.0, 0.01, 10, coarsen=coarsen)
    field.fill(rng.random(grid.n_voxels))
    whole = field.on_solver_grid.concentration
    lattices = [grid, *(g for g in (grid.halved(), grid.halved().halved()) if g.n_voxels >= len(whole))]
    for fine in reversed(lattices[: {1: 0, 2: 1, 4: 2}[coarsen]]):
        whole = between(fine.shape, axes)[1](whole)
    assert np.array_equal(field.concentration, whole)
    voxels = np.arange(grid.n_voxels, dtype=np.int32)
    assert np.array_equal(field.at(voxels), whole) and np.array_equal(field.at(voxels[::-7].copy()), whole[::-7])
    if field.read_view.ndim == 3:
        view, corners, out = field.read_view, np.zeros((4, len(voxels)), np.int32), np.zeros(len(voxels))
        find_corners(0, len(voxels), voxels, view.shape, corners)
        read_corners(0, len(voxels), corners, view.reshape(-1), view.shape[0] == 1, out)
        assert np.array_equal(out, whole)


def test_the_concentration_of_a_widened_field_is_a_copy_that_refuses_to_be_written():
    field = with_vessels((1, 48, 40), 4, 3)
    with pytest.raises(ValueError, match="read-only"):
        field.concentration[3] = 1.0
    field.fill(2.5)
    assert (field.concentration == 2.5).all() and (field.on_solver_grid.concentration == 2.5).all()
    field.fill(np.array([0.5]))
    assert (field.concentration == 0.5).all()
    with pytest.raises(ValueError, match="broadcast"):
        field.fill(np.ones(7))
    other = with_vessels((1, 48, 40), 2, 5)
    field.fill(other.concentration)
    assert field.concentration.mean() == pytest.approx(other.concentration.mean(), rel=1e-12)


@pytest.mark.parametrize(("there", "here"), [(1, 2), (2, 1), (2, 4), (4, 1)])
def test_state_of_a_field_on_other_voxels_is_refused_by_name(there, here):
    saved, field = (with_vessels((1, 48, 40), coarsen, 1) for coarsen in (there, here))
    with pytest.raises(ValueError, match="field drug: the state is not of voxels as wide"):
        field.load_state(saved.state_arrays())


def test_a_widened_field_keeps_its_values_where_some_become_given():
    field = with_vessels((1, 48, 40), 2, 3)
    before, mask = field.concentration, np.zeros(48 * 40, bool)
    mask[7] = True
    field.fix(mask, 9.0)
    assert np.array_equal(field.concentration, before)
    field.advance(10.0, Workspace((1, 48, 40)))
    assert field.concentration[7] == 9.0 and field.at(np.array([7], np.int32)).tolist() == [9.0]


def test_state_of_a_widened_field_continues_bit_for_bit():
    shape = (1, 48, 40)
    straight = with_vessels(shape, 4, 12)
    first, second = with_vessels(shape, 4, 6), with_vessels(shape, 4, 1)
    second.load_state({k: np.array(v) for k, v in first.state_arrays().items()})
    assert np.array_equal(first.concentration, second.concentration)
    for _ in range(6):
        second.advance(10.0, Workspace(shape))
    assert np.array_equal(straight.concentration, second.concentration)


# ---- panes --------------------------------------------------------------------------------------------
def short_range(shape, sources, tol, *, around=True, loss=0.6):
    """IFN-gamma-like field of some sources, in a subdomain or on the whole lattice."""
    grid = Grid(shape)
    field = Field("ifng", "ng/mL", grid, 3000.0, 0.004, 10, "quasi_steady", tol=tol)
    field.allow_subdomain = around
    field.use("loss")[:] = loss
    field.use("source")[sources] = 1.0
    return field, field.advance(10.0, Workspace(shape))


@pytest.mark.parametrize(
    "shape, at, loss, tol, in_subdomain",
    [
        ((1, 160, 200), (0, 60, 90), 0.6, 1e-3, True),
        ((1, 160, 200), (0, 2, 3), 0.6, 1e-8, True),
        ((1, 160, 200), (0, 60, 90), 0.2, 1e-8, False),  # more than its share of the lattice
        ((64, 64, 64), (30, 30, 30), 2.0, 1e-3, True),
        ((64, 64, 64), (2, 30, 61), 2.0, 1e-8, True),
    ],
)
def test_a_subdomain_around_the_sources_gives_the_field_of_the_whole_lattice(shape, at, loss, tol, in_subdomain):
    v = np.ravel_multi_index(at, shape)
    sources = [v, v + 2, v - shape[2]]
    field, _ = short_range(shape, sources, tol, loss=loss)
    exact, _ = short_range(shape, sources, 1e-11, around=False, loss=loss)
    error = np.abs(field.concentration - exact.concentration).max()
    assert error <= 30.0 * tol * exact.concentration.max()
    assert (field.subdomain is not None) == in_subdomain
    if in_subdomain:
        assert field.subdomain.grid.n_voxels <= subdomain.MAX_SHARE * field.grid.n_voxels


def test_a_pane_is_really_used_and_grows_until_nothing_reaches_its_edge():
    """Where a hole in the losses lets the field spread further than the mean loss says."""
    shape = (1, 320, 320)
    near, _ = short_range(shape, [320 * 160 + 160], 1e-3)
    assert near.subdomain is not None
    loss = np.full(shape, 0.6)
    loss[0, 100:220, 100:220] = 0.01
    wide, _ = short_range(shape, [320 * 160 + 160], 1e-3, loss=loss.ravel())
    assert wide.subdomain.grid.n_voxels > near.subdomain.grid.n_voxels
    exact, _ = short_range(shape, [320 * 160 + 160], 1e-11, around=False, loss=loss.ravel())
    assert np.abs(wide.concentration - exact.concentration).max() <= 3e-2 * exact.concentration.max()


@pytest.mark.parametrize("sink", ["vmax", "exchange", "loss"])
def test_a_steady_state_that_nothing_feeds_is_nothing(sink):
    """Uptake that saturates, or vessels that hold none: the right-hand side is 0, and no tolerance relates to it."""
    grid = Grid((1, 60, 80))
    field = Field("oxygen", "mmHg", grid, 1e5, 0.0, 20, "quasi_steady", initial=38.0, vessel_value=0.0, tol=1e-3)
    field.use("vmax")[:] = 90.0
    field.use(sink)[::7] = 300.0
    field.advance(20.0, Workspace(grid.shape))
    assert not field.concentration.any()


def test_without_sources_there_is_nothing():
    field, _ = short_range((1, 160, 200), [], 1e-3)
    assert not field.concentration.any()
    field.concentration[:] = 1.0
    field.advance(10.0, Workspace((1, 160, 200)))
    assert not field.concentration.any()
