"""The multigrid solver against sparse LU, its convergence, its bits and its bookkeeping."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels.multigrid import Workspace


def laplacian(grid: Grid, k: float) -> sp.csr_matrix:
    """-D lap of the lattice as a sparse matrix, built voxel pair by voxel pair."""
    v = np.arange(grid.n_voxels).reshape(grid.shape)
    matrix = sp.csr_matrix((grid.n_voxels, grid.n_voxels))
    for axis in range(3):
        if grid.shape[axis] == 1:
            continue
        a, b = (
            np.take(v, range(grid.shape[axis] - 1), axis).ravel(),
            np.take(v, range(1, grid.shape[axis]), axis),
        )
        pairs = [(a, b.ravel())]
        if grid.periodic[axis]:
            pairs.append((np.take(v, [-1], axis).ravel(), np.take(v, [0], axis).ravel()))
        for i, j in pairs:
            n = np.full(i.size, k)
            matrix += sp.csr_matrix(
                (np.r_[n, n, -n, -n], (np.r_[i, j, i, j], np.r_[i, j, j, i])), (grid.n_voxels,) * 2
            )
    return matrix


LATTICES = [
    ((1, 33, 21), (False, False, False)),
    ((7, 9, 13), (False, False, False)),
    ((1, 17, 40), (False, True, True)),
    ((6, 5, 8), (True, True, False)),
    ((5, 4, 3), (True, True, True)),
    ((1, 1, 50), (False, False, False)),
    ((9, 1, 7), (False, False, False)),
    ((2, 2, 2), (False, False, True)),
    ((1, 3, 600), (False, False, False)),  # rows longer than a block of terms
]


def random_field(shape, periodic, mode, seed=1, tol=1e-11):
    rng = np.random.default_rng(seed)
    grid = Grid(shape, 20.0, 20.0, periodic)
    field = Field("x", "uM", grid, 1e5, 0.01, mode=mode, tol=tol, vessel_value=60.0)
    field.use("source")[:] = rng.random(grid.n_voxels) * (rng.random(grid.n_voxels) < 0.2)
    field.use("loss")[:] = rng.random(grid.n_voxels) ** 4 * 50.0
    field.use("exchange")[rng.integers(0, grid.n_voxels, 5)] = 10.0 ** rng.uniform(2, 5, 5)
    field.concentration[:] = rng.random(grid.n_voxels)
    return field, rng


@pytest.mark.parametrize(("shape", "axis"), [((1, 3, 600), 2), ((1, 600, 3), 1), ((1, 257, 5), 1), ((2, 3, 513), 2), ((300, 2, 3), 0)])
def test_between_two_given_faces_the_profile_is_a_line(shape, axis):
    faces = [(2.0, 8.0) if a == axis else None for a in range(3)]
    field = Field("c", "1", Grid(shape), 1e4, 0.0, 1, "quasi_steady", faces=faces, tol=1e-12, max_cycles=400)
    field.advance(1.0, Workspace(shape))
    place = (np.indices(shape)[axis].ravel() + 0.5) / shape[axis]
    assert field.concentration == pytest.approx(2.0 + 6.0 * place, rel=1e-8)


@pytest.mark.parametrize(("shape", "periodic"), LATTICES)
@pytest.mark.parametrize("mode", ["quasi_steady", "backward_euler"])
@pytest.mark.parametrize("given", [False, True])
def test_solution_agrees_with_sparse_lu(shape, periodic, mode, given):
    field, rng = random_field(shape, periodic, mode)
    grid, dt = field.grid, 0.5
    per_dt = 0.0 if mode == "quasi_steady" else 1.0 / dt
    matrix = laplacian(grid, 1e5 / 400.0) + sp.diags(per_dt + 0.01 + field.loss + field.exchange)
    b = per_dt * field.concentration + field.source + 60.0 * field.exchange
    expected = np.full(grid.n_voxels, 5.0)
    free = np.ones(grid.n_voxels, bool)
    if given:
        free[rng.integers(0, grid.n_voxels, 3)] = False
        if grid.nx > 512:
            free[[255, 256, 511, 512]] = False
        field.fix(~free, 5.0)
    matrix = matrix.tocsr()
    rest = b[free] - matrix[free][:, ~free] @ expected[~free]
    expected[free] = spsolve(matrix[free][:, free].tocsc(), rest)
    field.advance(dt, Workspace(grid.shape, grid.periodic))
    # far from sources in a long lattice values are a hundredth of the greatest, which the residual is measured by
    assert np.abs(field.concentration / expected - 1.0).max() < (1e-9 if grid.nx < 512 else 1e-6)


@pytest.mark.parametrize("shape", [(1, 208, 208), (1, 129, 207), (33, 36, 31)])
@pytest.mark.parametrize("permeability", [30.0, 2000.0, 1e5])
def test_single_voxel_vessels_do_not_stall_convergence(shape, permeability):
    rng = np.random.default_rng(3)
    grid = Grid(shape)
    field = Field("oxygen", "uM", grid, 1.2e5, mode="quasi_steady", tol=1e-8, vessel_value=60.0)
    field.use("exchange")[rng.integers(0, grid.n_voxels, 200)] = permeability
    field.use("loss")[:] = 10.0 * (rng.random(grid.n_voxels) < 0.3)
    assert field.advance(1.0, Workspace(shape)) <= (14 if grid.ndim == 2 else 19)


def test_cycles_do_not_grow_with_the_lattice():
    used = []
    for n in (33, 66, 131, 262):
        grid = Grid((1, n, n))
        field = Field("x", "uM", grid, 2000.0, 1e-6, mode="quasi_steady", tol=1e-8)
        field.use("source")[:] = np.random.default_rng(0).random(grid.n_voxels) < 0.01
        used.append(field.advance(1.0, Workspace(grid.shape)))
    assert max(used) <= 16


def test_bits_do_not_depend_on_threads_or_on_what_the_workspace_did_before():
    import numba  # after tme, which sets where compiled code is kept

    results = []
    dirty = Workspace((1, 61, 90))
    for array in (dirty.x, dirty.t, dirty.p, dirty.old, dirty.rows, dirty.r):
        array[...] = 7.0
    before = numba.get_num_threads()
    try:
        for threads, workspace in (
            (1, Workspace((1, 61, 90))),
            (min(2, numba.config.NUMBA_NUM_THREADS), dirty),
        ):
            numba.set_num_threads(threads)
            field, _ = random_field((1, 61, 90), (False,) * 3, "backward_euler", tol=1e-6)
            for _ in range(5):
                field.advance(1.0, workspace)
            results.append(field.concentration.tobytes())
    finally:
        numba.set_num_threads(before)
    assert results[0] == results[1]


def test_a_converged_field_costs_no_cycle_and_keeps_its_bits():
    field, _ = random_field((1, 40, 40), (False,) * 3, "quasi_steady", tol=1e-8)
    workspace = Workspace(field.grid.shape)
    field.advance(1.0, workspace)
    kept = field.concentration.tobytes()
    assert field.advance(1.0, workspace) == 0
    assert field.concentration.tobytes() == kept


def test_solution_is_never_negative():
    rng = np.random.default_rng(11)
    for shape in ((1, 31, 44), (9, 12, 10)):
        grid = Grid(shape)
        workspace = Workspace(shape)
        for _ in range(40):
            mode = "quasi_steady" if rng.random() < 0.5 else "backward_euler"
            field = Field("x", "uM", grid, 10.0 ** rng.uniform(1, 5), 0.01, mode=mode, tol=1e-4)
            field.use("source")[rng.integers(0, grid.n_voxels, 3)] = 10.0 ** rng.uniform(-6, 6, 3)
            field.use("loss")[:] = 10.0 ** rng.uniform(-4, 4, grid.n_voxels)
            for _ in range(3):
                field.advance(10.0 ** rng.uniform(-2, 2), workspace)
                assert field.concentration.min() >= 0.0


def test_a_step_allocates_nothing(monkeypatch):
    """What numba's counter sees are the handles of the kernels' array arguments, nothing else."""
    import tracemalloc

    from numba.core.runtime import _nrt_python, rtsys

    from tme.core import field_solver
    from tme.kernels import diffusion, multigrid

    handed = []

    def counted(kernel):
        def call(*arguments):
            handed.extend(a for a in arguments if isinstance(a, np.ndarray))
            return kernel(*arguments)

        return call

    field, _ = random_field((1, 80, 88), (False,) * 3, "backward_euler", tol=1e-6)
    field.use("vmax")[:] = 1.0
    workspace = Workspace(field.grid.shape)
    field.advance(1.0, workspace)
    for module, name in [(field_solver, "all_zero"), (diffusion, "assemble")] + [
        (multigrid, n) for n in ("_hierarchy", "_cycle", "_direction", "_shrink", "_step_along")
    ]:
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    enabled = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    tracemalloc.start()
    try:
        start = rtsys.get_allocation_stats().alloc
        field.source[5] += 1.0
        field.advance(1.0, workspace)
        assert rtsys.get_allocation_stats().alloc - start == len(handed) > 0
        assert tracemalloc.get_traced_memory()[1] < field.concentration.nbytes / 2
    finally:
        tracemalloc.stop()
        if not enabled:
            _nrt_python.memsys_disable_stats()
