"""The building blocks of the solvers against dense matrices: walls, periodic axes, odd and even sizes."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pytest
from dense import line_up

from tme.kernels import stencil
from tme.kernels.multigrid import Workspace
from tme.kernels.neighbours import at_margin, beside, place_of, search_order, shifted

SHAPES = [(1, 1, 6), (1, 4, 6), (1, 5, 7), (1, 6, 1), (3, 4, 5), (4, 6, 2)]
WRAPS = list(itertools.product((False, True), repeat=3))


@numba.njit
def sums(x, shape, k, wrap, dinv, plain):
    """(nz * ny, nx): the neighbour sums of every row."""
    nz, ny, nx = shape
    out = np.zeros((nz * ny, nx))
    for row in range(nz * ny):
        if plain:
            stencil.neighbours(x, row, nz, ny, nx, k[0], k[1], k[2], wrap, out[row])
        else:
            stencil.smoothed_neighbours(x, dinv, row, nz, ny, nx, k[0], k[1], k[2], wrap, out[row])
    return out


@numba.njit
def widened(coarse, level, dims, wrapped, parents, parent_at):
    """(nz * ny, nx) of the fine lattice."""
    nz, ny, nx = dims[level]
    out, narrow = np.zeros((nz * ny, nx)), np.zeros(nx)
    for row in range(nz * ny):
        stencil.widen_row(out[row], coarse, row, level, dims, wrapped, parents, parent_at, narrow)
    return out


@numba.njit
def narrowed(row, wrapped):
    """One row of the lattice half as fine."""
    nx = row.size
    mx = (nx + 1) // 2
    out = np.zeros(mx)
    stencil.narrow_row(out, row, np.zeros(mx), np.zeros(mx), nx, mx, wrapped)
    return out


def expected_sums(x, shape, k, wrap):
    total, grid = np.zeros(shape), x.reshape(shape)
    for axis in range(3):
        if shape[axis] == 1 and not (axis == 1 and k[1]):
            continue
        pad = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        wide = np.pad(grid, pad, mode="wrap" if wrap[axis] else "edge")
        total += k[axis] * (np.take(wide, range(shape[axis]), axis) + np.take(wide, range(2, shape[axis] + 2), axis))
    return total.reshape(shape[0] * shape[1], shape[2])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("wrap", WRAPS)
def test_a_sum_over_neighbours_meets_walls_and_wraps(shape, wrap):
    rng = np.random.default_rng(1)
    x, dinv = rng.random(np.prod(shape)), rng.random(np.prod(shape))
    k = np.array([0.5 if shape[0] > 1 else 0.0, 2.0 if shape[1] > 1 else 0.0, 3.0 if shape[2] > 1 else 0.0])
    walls = np.array(wrap)
    assert np.allclose(sums(x, shape, k, walls, dinv, True), expected_sums(x, shape, k, wrap), atol=1e-14)
    assert np.allclose(sums(x, shape, k, walls, dinv, False), expected_sums(x * dinv, shape, k, wrap), atol=1e-14)


@pytest.mark.parametrize("shape", [(1, 4, 6), (1, 5, 7), (1, 9, 2), (3, 4, 5), (6, 5, 8)])
@pytest.mark.parametrize("wrap", WRAPS)
def test_the_way_up_interpolates_along_every_axis(shape, wrap):
    work, rng = Workspace(shape, wrap), np.random.default_rng(2)
    coarse = rng.random(work.dims[1])
    up = widened(coarse.ravel(), 0, work.dims, wrap[2], work.parents, work.parent_at)
    expected = np.einsum("ai,bj,ck,ijk->abc", *(line_up(n, w) for n, w in zip(shape, wrap)), coarse)
    assert np.allclose(up, expected.reshape(up.shape), atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7, 11])
@pytest.mark.parametrize("wrapped", [False, True])
def test_the_way_down_is_the_transpose_of_the_way_up(n, wrapped):
    down = np.array([narrowed(row, wrapped) for row in np.eye(n)])
    if n == 1:
        assert down.tolist() == [[1.0]]
    else:
        assert np.allclose(down, 0.5 * line_up(n, wrapped), atol=1e-15)


# ---- places ---------------------------------------------------------------------------------------------
@numba.njit
def around(voxel, geometry, k):
    return beside(place_of(np.int64(voxel), geometry), k, geometry)


@numba.njit
def offset(voxel, dz, dy, dx, geometry):
    return shifted(np.int64(voxel), dz, dy, dx, geometry)


@numba.njit
def margin_at(voxel, width, geometry):
    return at_margin(np.int64(voxel), width, geometry)


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 4, 5)])
@pytest.mark.parametrize("wrap", WRAPS)
def test_every_neighbour_is_where_its_offset_says_or_nowhere(shape, wrap):
    from tme.kernels.neighbours import OFFSETS

    if shape[0] == 1 and wrap[0]:
        return
    geometry = (*shape, *(int(w) for w in wrap))
    for voxel in range(int(np.prod(shape))):
        home = np.unravel_index(voxel, shape)
        for k, step in enumerate(OFFSETS[: 8 if shape[0] == 1 else 26]):
            place = [int(a + b) for a, b in zip(home, step)]
            place = [p % n if w else p for p, n, w in zip(place, shape, wrap)]
            inside = all(0 <= p < n for p, n in zip(place, shape))
            expected = int(np.ravel_multi_index(place, shape)) if inside else -1
            assert around(voxel, geometry, k) == expected
            assert offset(voxel, *(int(s) for s in step), geometry) == expected


@pytest.mark.parametrize("shape", [(1, 7, 8), (6, 7, 8)])
@pytest.mark.parametrize("wrap", WRAPS)
def test_the_margin_is_so_many_voxels_wide_at_faces_that_are_not_periodic(shape, wrap):
    geometry = (*shape, *(int(w) for w in wrap))
    for width in (0, 1, 2):
        for voxel in range(int(np.prod(shape))):
            place = np.unravel_index(voxel, shape)
            expected = any(not w and n > 1 and (p < width or p >= n - width) for p, n, w in zip(place, shape, wrap))
            assert margin_at(voxel, width, geometry) == expected


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_search_goes_through_every_offset_within_its_radius_nearest_first(ndim):
    order = search_order(3, ndim)
    span = range(-3, 4)
    every = {(z, y, x) for z in (span if ndim == 3 else (0,)) for y in span for x in span if 0 < z * z + y * y + x * x <= 9}
    assert {tuple(o[:3]) for o in order.tolist()} == every and len(order) == len(every)
    assert (order[:, 3] == (order[:, :3] ** 2).sum(axis=1)).all()
    assert (np.diff(order[:, 3]) >= 0).all()
