"""One-colour conjugate gradients against sparse LU and multigrid; bits, bookkeeping, signs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels.multigrid import Workspace
from tme.kernels.red_black import solve as red_black

SHAPES = [
    (1, 33, 21),
    (1, 34, 20),
    (7, 9, 13),
    (6, 8, 5),
    (5, 4, 3),
    (1, 1, 50),
    (9, 1, 7),
    (2, 2, 2),
    (1, 40, 1),
]
NOTHING = np.zeros(0)


def system(grid: Grid, k: float, sigma: np.ndarray) -> sp.csc_matrix:
    """-D lap + sigma as a sparse matrix, no flux through the faces."""
    v = np.arange(grid.n_voxels).reshape(grid.shape)
    matrix = sp.diags(sigma).tocsr()
    for axis in range(3):
        i = np.take(v, range(grid.shape[axis] - 1), axis).ravel()
        j = np.take(v, range(1, grid.shape[axis]), axis).ravel()
        n = np.full(i.size, k)
        parts = (np.r_[n, n, -n, -n], (np.r_[i, j, i, j], np.r_[i, j, j, i]))
        matrix += sp.csr_matrix(parts, (grid.n_voxels,) * 2)
    return matrix.tocsc()


def solve(grid, c, k, per_dt, loss, source, exchange, tol, scratch=None, passes=100):
    """One call of the kernel, vessels at 60."""
    scratch = scratch or red_black.Scratch(grid.shape)
    old = np.zeros(grid.n_voxels)
    wrap = np.zeros(3, np.bool_)
    return red_black.step(
        c, per_dt, 0.3, k, tol, passes, loss, source, exchange, 60.0, wrap, old, *scratch.arrays()
    )


def terms(grid, seed=1):
    rng = np.random.default_rng(seed)
    n = grid.n_voxels
    exchange = np.zeros(n)
    exchange[rng.integers(0, n, 3)] = 10.0 ** rng.uniform(0, 2, 3)
    return rng.random(n), 2.0 * (rng.random(n) < 0.5), rng.random(n) * (rng.random(n) < 0.2), exchange


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("per_dt", [0.0, 1.0])
def test_solution_agrees_with_sparse_lu(shape, per_dt):
    grid, k = Grid(shape), 7.5
    c, loss, source, exchange = terms(grid)
    b = per_dt * c + source + 60.0 * exchange
    expected = spsolve(system(grid, k, per_dt + 0.3 + loss + exchange), b)
    assert solve(grid, c, k, per_dt, loss, source, exchange, 1e-12) > 0
    assert np.abs(c / expected - 1.0).max() < 1e-8


@pytest.mark.parametrize("shape", [(1, 40, 51), (9, 12, 11)])
def test_tolerance_bounds_the_residual(shape):
    grid, k = Grid(shape), 15.0
    for tol in (1e-2, 1e-3, 1e-5):
        c, loss, source, exchange = terms(grid)
        exchange *= 0.1
        b = c + source + 60.0 * exchange
        a = system(grid, k, 1.3 + loss + exchange)
        solve(grid, c, k, 1.0, loss, source, exchange, tol)
        weight = 1.0 / a.diagonal()
        rest = b - a @ c
        assert np.sqrt(rest @ (weight * rest)) < 1.5 * tol * np.sqrt(b @ (weight * b))


def test_a_solved_field_costs_no_pass_and_keeps_its_bits():
    grid = Grid((1, 40, 41))
    c, loss, source, exchange = terms(grid)
    solve(grid, c, 7.5, 0.0, loss, source, exchange, 1e-7)
    kept = c.tobytes()
    assert solve(grid, c, 7.5, 0.0, loss, source, exchange, 1e-6) == 0
    assert c.tobytes() == kept


def test_what_the_scratch_did_before_does_not_show():
    grid = Grid((1, 40, 41))
    used = red_black.Scratch(grid.shape)
    c, loss, source, exchange = terms(grid, 2)
    solve(grid, c, 15.0, 1.0, NOTHING, source, NOTHING, 1e-5, used)
    results = []
    for scratch in (used, red_black.Scratch(grid.shape)):
        c, loss, source, exchange = terms(grid)
        solve(grid, c, 7.5, 0.0, loss, source, exchange, 1e-3, scratch)
        results.append(c.tobytes())
    assert results[0] == results[1]


def test_amounts_are_conserved_whatever_the_tolerance():
    grid = Grid((1, 60, 61))
    c, _, source, _ = terms(grid)
    before = c.copy()
    solve(grid, c, 15.0, 1.0, NOTHING, source, NOTHING, 1e-2)
    assert c.sum() * 1.3 == pytest.approx((before + source).sum(), rel=1e-13)


@pytest.mark.parametrize("size", [1e-100, 1e-30, 1e30])
def test_numbers_of_any_size_are_solved(size):
    grid = Grid((1, 20, 31))
    c, loss, source, _ = terms(grid)
    expected = spsolve(system(grid, 7.5, 1.3 + loss), c + source)
    c *= size
    assert solve(grid, c, 7.5, 1.0, loss, source * size, NOTHING, 1e-6) > 0
    assert np.abs(c / size / expected - 1.0).max() < 1e-4


def test_solution_is_never_negative():
    rng = np.random.default_rng(5)
    grid = Grid((1, 31, 44))
    for _ in range(30):
        c, loss, source, exchange = np.zeros(grid.n_voxels), NOTHING, np.zeros(grid.n_voxels), NOTHING
        source[rng.integers(0, grid.n_voxels, 3)] = 10.0 ** rng.uniform(-6, 6, 3)
        for _ in range(3):
            solve(grid, c, 10.0 ** rng.uniform(-1, 2), 1.0, loss, source, exchange, 1e-3)
            assert c.min() >= 0.0


def test_a_damped_field_takes_this_path_and_agrees_with_multigrid():
    grid = Grid((1, 64, 70))
    workspace = Workspace(grid.shape)
    found = []
    for tol in (1e-5, 1e-10):  # the tight one goes to multigrid
        field = Field("peroxide", "uM", grid, 6000.0, 3.0, tol=tol)
        field.use("source")[np.random.default_rng(0).integers(0, grid.n_voxels, 30)] = 1.0
        field.advance(1.0, workspace)
        found.append(field.concentration)
    assert np.abs(found[0] - found[1]).max() < 1e-4 * found[1].max()
    assert found[0].tobytes() != found[1].tobytes()


@pytest.mark.parametrize("with_loss", [False, True])
def test_a_guess_within_the_tolerance_is_balanced_as_well(with_loss):
    grid, rng = Grid((1, 24, 18)), np.random.default_rng(6)
    source = rng.random(grid.n_voxels)
    loss = 0.2 * rng.random(grid.n_voxels) if with_loss else NOTHING
    c = np.zeros(grid.n_voxels)
    solve(grid, c, 2.0, 0.0, loss, source, NOTHING, 1e-6)
    c *= 1.0001
    assert solve(grid, c, 2.0, 0.0, loss, source, NOTHING, 1e-2) == 0
    assert ((0.3 + (loss if with_loss else 0.0)) * c).sum() == pytest.approx(source.sum(), rel=1e-13)


@pytest.mark.parametrize("shape", [(1, 160, 160), (1, 150, 161), (30, 64, 62)])
def test_fields_of_both_solvers_in_one_workspace_have_the_bits_of_each_alone(shape):
    """Solvers of a lattice, of wider voxels and of a subdomain take turns in one pool: none sees what others left, not even NaN."""

    def fields():
        rng, grid = np.random.default_rng(5), Grid(shape)
        near, far, small = (Field("c", "1", grid, d, decay, 10, "quasi_steady", tol=1e-4) for d, decay in ((900.0, 0.5), (1e5, 1e-4), (90.0, 0.9)))
        wide = Field("c", "1", grid, 900.0, 0.5, 10, "quasi_steady", tol=1e-4, coarsen=1 if grid.nx % 2 else 2)
        for field in (near, far, small, wide):
            field.use("source")[rng.integers(0, grid.n_voxels, 40)] = 1.0
            field.use("loss")[:] = 0.5 * rng.random(grid.n_voxels) if field is not far else 0.0
            field.allow_subdomain = field is small
        small.source[grid.n_voxels // 8 :] = 0.0  # in a corner, so that a subdomain is worth it
        far.use("exchange")[rng.integers(0, grid.n_voxels, 20)] = 1.0
        return near, wide, far, small

    together, alone = fields(), fields()
    shared = Workspace(shape)
    assert shared.colours().shares
    for _ in range(3):
        for a, b in zip(together, alone):
            a.source[:] = np.roll(a.source, 7)
            b.source[:] = np.roll(b.source, 7)
            shared._pool.buffer[:], shared._pool.last_user = 255, None
            a.advance(10.0, shared)
            b.advance(10.0, Workspace(shape))
            assert np.isfinite(a.concentration).all() and a.concentration.max() > 0.0
            assert np.array_equal(a.concentration, b.concentration)
    near, wide, far, small = together
    assert near.splits and not far.splits and small.subdomain is not None and wide.on_solver_grid.splits


def test_a_lattice_with_scratch_of_its_own_spoils_nobody_elses():
    """Its right-hand side still lies in the pool, where the scratch of its wider voxels does."""
    shape = (1, 50, 50)
    shared, rng, grid = Workspace(shape), np.random.default_rng(7), Grid(shape)
    assert not shared.colours().shares and shared.half().colours().shares
    first, second = ([Field("c", "1", grid, 900.0, 0.5, 10, tol=1e-4, coarsen=n) for n in (1, 2)] for _ in range(2))
    for _ in range(4):
        source = 1e9 * rng.random(grid.n_voxels)
        for together, alone in zip(first, second):
            for field, workspace in ((together, shared), (alone, Workspace(shape))):
                field.use("source")[:] = source
                field.advance(10.0, workspace)
                assert field.on_solver_grid.splits
            assert np.array_equal(together.concentration, alone.concentration)


def test_who_needs_more_passes_than_allowed_leaves_the_field_to_another_solver():
    grid = Grid((1, 33, 21))
    c, loss, source, exchange = terms(grid)
    before = c.copy()
    assert solve(grid, c, 100.0, 0.1, loss, source, exchange, 1e-6, passes=2) == -1
    assert np.array_equal(c, before)
    assert solve(grid, c, 100.0, 0.1, loss, source, exchange, 1e-6) > 2


@pytest.mark.parametrize(("shape", "bands"), [((1, 190, 200), 2), ((1, 190, 200), 3), ((40, 21, 44), 2)])
def test_few_bands_meet_at_their_cuts(monkeypatch, shape, bands):
    grid = Grid(shape)
    c, loss, source, exchange = terms(grid)
    whole = c.copy()
    passes = solve(grid, whole, 20.0, 0.1, loss, source, exchange, 1e-6)
    monkeypatch.setattr(red_black, "BAND", 1)
    monkeypatch.setattr(red_black, "BANDS", bands)
    scratch = red_black.Scratch(shape)
    assert scratch.layout[10] == bands
    assert abs(solve(grid, c, 20.0, 0.1, loss, source, exchange, 1e-6, scratch) - passes) <= 1 < passes
    assert np.abs(c / whole - 1.0).max() < 1e-5
