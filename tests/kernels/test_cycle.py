"""One multigrid cycle and its coarse operators against dense matrices written from the definition."""

from __future__ import annotations

import numpy as np
import pytest
from dense import line_up

from tme.kernels import multigrid as mg
from tme.kernels.stencil import OMEGA

LATTICES = [
    ((1, 12, 10), (False, False, False)),
    ((1, 9, 13), (False, False, False)),
    ((1, 8, 6), (False, True, True)),
    ((1, 7, 5), (False, False, True)),
    ((5, 6, 4), (False, False, False)),
    ((4, 5, 6), (True, False, True)),
    ((3, 4, 7), (False, True, False)),
    ((1, 1, 11), (False, False, False)),
]
K = np.array([4.0, 3.0, 2.0])


def line_sums(n, wrapped):
    """(n, n) sum of the two neighbours along an axis; beyond a wall stands the voxel itself."""
    out = np.zeros((n, n))
    for i in range(n):
        for j in (i - 1, i + 1):
            out[i, j % n if wrapped else min(max(j, 0), n - 1)] += 1.0
    return out


def product(*parts):
    out = np.ones((1, 1))
    for part in parts:
        out = np.kron(out, part)
    return out


def couplings(shape, k, wrap):
    """Sum of k * neighbour over the axes longer than one voxel."""
    eye = [np.eye(n) for n in shape]
    total = np.zeros((np.prod(shape), np.prod(shape)))
    for axis, n in enumerate(shape):
        if k[axis] > 0.0:
            parts = list(eye)
            parts[axis] = line_sums(n, wrap[axis])
            total += k[axis] * product(*parts)
    return total


def build(shape, wrap, seed=1):
    """Workspace with its hierarchy filled, and the number of levels."""
    rng, work = np.random.default_rng(seed), mg.Workspace(shape, wrap)
    k = np.where(np.array(shape) > 1, K, 0.0)
    n = int(np.prod(shape))
    work.sigma[:n] = 10.0 ** rng.uniform(-3, 3, n)
    work.dinv[:n] = 1.0 / (work.sigma[:n] + 2.0 * k.sum())
    work.sigma[0], work.dinv[0] = 0.0, 0.0  # a given voxel
    levels = mg._hierarchy(*k, 0.0, work.dims, work.offset, work.k, work.sigma, work.dinv, work.rows[0])
    return work, levels


@pytest.mark.parametrize(("shape", "wrap"), LATTICES)
def test_coarse_operators_are_capped_means_of_the_fine(shape, wrap):
    work, levels = build(shape, wrap)
    assert levels == len(work.dims)
    for level in range(levels - 1):
        fine, coarse = work.dims[level], work.dims[level + 1]
        assert np.array_equal(work.k[level + 1], np.where(coarse == 1, 0.0, work.k[level] / 4.0))
        s0, s1 = 2.0 * work.k[level].sum(), 2.0 * work.k[level + 1].sum()
        at, mid, end = work.offset[level : level + 3] if level + 2 < len(work.offset) else (*work.offset[level : level + 2], None)
        dinv, sigma = work.dinv[at:mid], work.sigma[at:mid]
        f = np.where(dinv > 0.0, sigma * dinv, 1.0).reshape(fine)
        spread = mg.SPREAD_2D / 4.0 if fine[0] == 1 else mg.SPREAD_3D / 6.0
        part = s0 * 0.5 ** (fine > 1).sum() * f * (1.0 + (spread - 1.0) * f)
        expected = np.zeros(coarse)
        for place in np.ndindex(*fine):
            expected[tuple(i // 2 for i in place)] += part[place]
        assert np.allclose(work.sigma[mid:end], expected.ravel(), rtol=1e-13)
        assert np.allclose(work.dinv[mid:end], 1.0 / (expected.ravel() + s1), rtol=1e-13)


def dense_cycle(work, levels, wrap, r):
    """The cycle from its definition."""
    def jacobi(x, rest, dinv, sums):
        return (1.0 - OMEGA) * x + OMEGA * dinv * (rest + sums @ x)

    def down(level, rest):
        shape = tuple(int(n) for n in work.dims[level])
        dinv = work.dinv[work.offset[level] : work.offset[level + 1]]
        sums = couplings(shape, work.k[level], wrap)
        if level == levels - 1:
            x = dinv * rest
            for _ in range(mg.BOTTOM_SWEEPS if level > 0 else 0):
                x = jacobi(x, rest, dinv, sums)
            return x
        g = 2.0 * work.k[level].sum() * dinv
        up = (g * (2.0 - g))[:, None] * product(*(line_up(n, w) for n, w in zip(shape, wrap)))
        first = OMEGA * dinv * rest
        left = (1.0 - OMEGA) * rest + OMEGA * (sums @ (dinv * rest))
        coarse = down(level + 1, up.T @ left * 0.5 ** sum(n > 1 for n in shape))
        return jacobi(first + up @ coarse, rest, dinv, sums)

    return down(0, r)


@pytest.mark.parametrize(("shape", "wrap"), LATTICES)
@pytest.mark.parametrize("deep", [1, 2, 9])
def test_a_cycle_is_what_its_definition_says_and_symmetric(shape, wrap, deep):
    work, levels = build(shape, wrap)
    levels, n = min(levels, deep), int(np.prod(shape))
    out, given = [], [np.random.default_rng(s).normal(size=n) for s in (2, 3)]
    for r in given:
        work.r[:n] = r
        work.rows[:] = np.nan  # scratch: nothing may be read before it is written
        rz = mg._cycle(levels, work.dims, work.offset, work.k, work.wrap, work.parents, work.parent_at, work.dinv,
                       work.x, work.r, work.t, work.rows)  # fmt: skip
        out.append(work.t[:n].copy())
        assert np.allclose(out[-1], dense_cycle(work, levels, wrap, r), rtol=1e-10, atol=1e-13)
        assert rz == pytest.approx(r @ out[-1], rel=1e-12)
    assert given[0] @ out[1] == pytest.approx(given[1] @ out[0], rel=1e-9)


def test_no_coarser_level_is_used_where_losses_rule():
    work, _ = build((1, 12, 10), (False, False, False))
    k = (0.0, 3.0, 2.0)
    levels = [mg._hierarchy(*k, low, work.dims, work.offset, work.k, work.sigma, work.dinv, work.rows[0]) for low in (5.0, 4.9, 1.25, 1.24)]
    assert levels == [1, 2, 2, 3]  # 2 (k_y + k_x) = 10 <= 2 low; 2.5 on the next level


def test_one_colour_takes_no_more_passes_than_a_good_condition_number_needs():
    from tme.core.grid import Grid
    from tme.kernels.red_black import solve as red_black

    for shape, k, most in (((1, 40, 33), 5.0, 11), ((1, 41, 34), 50.0, 31), ((9, 11, 12), 5.0, 11)):
        grid, rng = Grid(shape), np.random.default_rng(5)
        c, source = np.zeros(grid.n_voxels), rng.random(grid.n_voxels)
        none = np.zeros(0)
        used = red_black.step(c, 1.0, 0.0, k, 1e-3, 100, none, source, none, 0.0, np.zeros(3, np.bool_),
                              np.zeros(grid.n_voxels), *red_black.Scratch(shape).arrays())  # fmt: skip
        assert 0 < used <= most
