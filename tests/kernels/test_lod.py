"""The line-split solver: exact where it must be, first order in time, refused where it would be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from tme.kernels.lod import PANEL, LodSolver, transpose_panels
from tme.kernels.simd import _transpose_slowly


def test_lines_conserve_mass_and_stay_positive():
    rng = np.random.default_rng(0)
    for shape in ((1, 21, 34), (5, 8, 13)):
        c = rng.random(np.prod(shape)) * (rng.random(np.prod(shape)) < 0.1)
        mass = c.sum()
        solver = LodSolver(shape, 20.0, 6000.0, 0.0, 1.0)
        for _ in range(500):
            solver.advance(c)
        assert c.min() >= 0.0
        assert abs(c.sum() / mass - 1.0) < 1e-12


@pytest.mark.parametrize("shape", [(1, 1, 40), (1, 40, 1), (1, 24, 40), (12, 10, 14)])
def test_a_cosine_decays_at_its_own_rate_with_first_order_in_time(shape):
    grids = np.meshgrid(*[(np.arange(n) + 0.5) / n * np.pi for n in shape], indexing="ij")
    start = 1.0 + 0.5 * np.prod([np.cos(g) for g, n in zip(grids, shape) if n > 1], axis=0).ravel()
    rate = sum(2.0 * (1.0 - np.cos(np.pi / n)) for n in shape if n > 1) * 400.0 / 400.0
    exact = (1.0 + (start - 1.0) * np.exp(-8.0 * rate)) * np.exp(-0.01 * 8.0)
    errors = []
    for steps in (8, 16, 32):
        c = start.copy()
        solver = LodSolver(shape, 20.0, 400.0, 0.01, 8.0 / steps)
        for _ in range(steps):
            solver.advance(c)
        errors.append(np.abs(c - exact).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1.0, abs=0.1)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(1.0, abs=0.1)


def test_uniform_and_per_voxel_loss_agree():
    rng = np.random.default_rng(1)
    shape = (3, 7, 10)
    a = rng.random(210)
    b = a.copy()
    LodSolver(shape, 20.0, 2000.0, 0.05, 1.0).advance(a)
    LodSolver(shape, 20.0, 2000.0, np.full(210, 0.05), 1.0).advance(b)
    assert np.abs(a - b).max() < 1e-14


def test_steady_error_at_random_sources_stays_below_five_percent_at_small_loss():
    import scipy.sparse as sp
    from scipy.sparse.linalg import spsolve

    rng = np.random.default_rng(2)
    n, dt = 40, 1.0
    loss = 0.02 * rng.random(n * n) + 0.005
    source = rng.random(n * n) * (rng.random(n * n) < 0.02)
    line = sp.diags([np.r_[1.0, np.full(n - 2, 2.0), 1.0], -np.ones(n - 1), -np.ones(n - 1)], [0, 1, -1])
    k = 100.0 / 400.0
    matrix = k * (sp.kron(line, sp.eye(n)) + sp.kron(sp.eye(n), line)) + sp.diags(loss)
    exact = spsolve(matrix.tocsc(), source)
    solver = LodSolver((1, n, n), 20.0, 100.0, loss, dt)
    c = exact.copy()
    for _ in range(600):
        c += dt * source
        solver.advance(c)
    assert np.abs(c - exact).max() / exact.max() < 0.1
    assert np.abs(c - exact).mean() / exact.mean() < 0.05


def test_a_large_loss_is_refused():
    with pytest.raises(ValueError, match="unsplit"):
        LodSolver((1, 8, 8), 20.0, 2000.0, 0.2, 1.0)


@pytest.mark.parametrize("ny, nx", [(35, 17), (64, 8), (70, 130)])
def test_transposing_exchanges_x_and_y_of_any_shape_in_panels(ny, nx):
    a, panels = np.arange(1.0, 2 * ny * nx + 1), -(-ny // PANEL)
    out = np.zeros(2 * panels * nx * PANEL)
    transpose_panels(a, 2, ny, nx, out)
    lines = out.reshape(2, panels, nx, PANEL).transpose(0, 2, 1, 3).reshape(2, nx, panels * PANEL)
    assert np.array_equal(lines[:, :, :ny], a.reshape(2, ny, nx).transpose(0, 2, 1))
    assert not lines[:, :, ny:].any()


def test_a_block_transposed_without_the_compiler_is_the_same():
    a, out = np.arange(200.0), np.zeros(200)
    _transpose_slowly(a, 3, 9, out, 5, 11)
    expected = np.zeros(200)
    for i in range(8):
        for j in range(8):
            expected[5 + 11 * j + i] = a[3 + 9 * i + j]
    assert np.array_equal(out, expected)


def test_a_single_voxel_keeps_what_it_has():
    c = np.array([3.0])
    LodSolver((1, 1, 1), 20.0, 1000.0, 0.0, 1.0).advance(c, 2)
    assert c[0] == 3.0


@pytest.mark.parametrize("shape", [(1, 1, 40), (7, 1, 9), (1, 33, 70), (1, 130, 64), (6, 21, 19), (3, 66, 65)])
@pytest.mark.parametrize("kind", ["uniform", "kept", "anew"])
def test_sweeps_agree_with_dense_line_solves_in_alternating_order(shape, kind):
    rng = np.random.default_rng(3)
    n = int(np.prod(shape))
    loss = 0.05 if kind == "uniform" else 0.1 * rng.random(n)
    c = rng.random(n)
    solver = LodSolver(shape, 20.0, 3000.0, loss, 1.0, keep=kind == "kept")
    axes = [a for a in range(3) if shape[a] > 1]
    expected = c.reshape(shape).copy()
    share = np.broadcast_to(np.asarray(loss, float) / len(axes), n).reshape(shape)
    for axis in [*axes, *axes[::-1], *axes]:
        lines, lam = np.moveaxis(expected, axis, -1), np.moveaxis(share, axis, -1)
        m = shape[axis]
        for index in np.ndindex(lines.shape[:-1]):
            stencil = np.diag(np.r_[1.0, np.full(m - 2, 2.0), 1.0]) - np.eye(m, k=1) - np.eye(m, k=-1)
            lines[index] = np.linalg.solve(np.eye(m) + np.diag(lam[index]) + 7.5 * stencil, lines[index])
    together, apart = c.copy(), c.copy()
    solver.advance(together, 3)
    assert np.abs(together - expected.ravel()).max() < 1e-12
    for _ in range(2):
        solver.advance(apart)  # each from the first axis
    assert np.abs(apart - together).max() > 1e-6 or len(axes) == 1
