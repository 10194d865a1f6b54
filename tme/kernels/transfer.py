"""Between a lattice and the one of twice its voxel size: mean of the children, bilinear interpolation.

Rows of the lattice written are the unit of work for `threads`.
Both keep the amount: the mean of a fine array is the mean of its coarse one, and each coarse voxel's weights
in the fine lattice sum to its number of children. Every axis longer than one voxel must be even.

Cells fill one voxel in ten: a field on wider voxels is interpolated at the cells on demand (`at`), with the
bits of `interpolate`, and takes no memory on the cells' own lattice. Where the same cells ask for several such fields,
`find_corners` finds once the coarse voxels around each cell, and `read_corners` reads a field there: the same bits again.
"""

from __future__ import annotations

import numba
import numpy as np
from numba.extending import overload

from tme.kernels.elementary import law
from tme.kernels.jit import serial
from tme.kernels.simd import prefetch
from tme.kernels.stencil import part


@serial
def average(lo, hi, fine, factor, empty, coarse, nz, ny, nx):
    """Coarse rows `lo` to `hi`: coarse (n / 2^d,) += mean of factor * `fine` (nz * ny * nx,) over the children.

    `fine` may be counts; where `empty`, it is left as zeros.
    """
    mz, my, mx = (nz + 1) // 2, (ny + 1) // 2, (nx + 1) // 2
    dz, dy, dx = nz // mz, ny // my, nx // mx
    share = 1.0 / (dz * dy * dx)
    two, one = np.uint64(2), np.uint64(1)
    for big in range(lo, hi):
        to = np.uint64(big * mx)
        for child in range(dz * dy):
            z, y = big // my * dz + child // dy, big % my * dy + child % dy
            o = np.uint64((z * ny + y) * nx)
            if dx == 2:
                for j in range(np.uint64(mx)):
                    coarse[to + j] += share * (factor * fine[o + two * j] + factor * fine[o + two * j + one])
            else:
                for j in range(np.uint64(mx)):
                    coarse[to + j] += share * (factor * fine[o + j])
            if empty:
                for j in range(np.uint64(nx)):
                    fine[o + j] = 0


@part
def _near_far(i, n, m, wrapped):
    """The coarse neighbours (weights 3/4, 1/4) of index `i` of `n`; beyond a wall stands the near one again."""
    if n == m:
        return i, i
    near = i // 2
    far = near + (1 if i % 2 == 1 else -1)
    if wrapped:
        return near, far % m
    return near, min(max(far, 0), m - 1)


@law
def _weighted(aa, ab, ba, bb):
    """Near and near, near and far, far and near, far and far along z and y: 3/4 and 1/4 each."""
    return 0.5625 * aa + 0.1875 * (ab + ba) + 0.0625 * bb


@serial
def interpolate(lo, hi, coarse, fine, nz, ny, nx, wrap):
    """Rows `lo` to `hi` of fine (nz * ny * nx,) from `coarse` (n / 2^d,), linear along every axis."""
    mz, my, mx = (nz + 1) // 2, (ny + 1) // 2, (nx + 1) // 2
    two, one, last = np.uint64(2), np.uint64(1), mx - 1
    row = np.empty(mx)
    for line in range(lo, hi):
        za, zb = _near_far(line // ny, nz, mz, wrap[0])
        ya, yb = _near_far(line % ny, ny, my, wrap[1])
        aa, ab = np.uint64((za * my + ya) * mx), np.uint64((za * my + yb) * mx)
        ba, bb = np.uint64((zb * my + ya) * mx), np.uint64((zb * my + yb) * mx)
        for j in range(np.uint64(mx)):
            row[j] = _weighted(coarse[aa + j], coarse[ab + j], coarse[ba + j], coarse[bb + j])
        o = np.uint64(line * nx)
        if nx == mx:
            for j in range(np.uint64(nx)):
                fine[o + j] = row[j]
            continue
        left, right = (row[last], row[0]) if wrap[2] else (row[0], row[last])
        fine[o] = 0.75 * row[0] + 0.25 * left
        for j in range(np.uint64(last)):
            fine[o + two * j + one] = 0.75 * row[j] + 0.25 * row[j + one]
            fine[o + two * j + two] = 0.75 * row[j + one] + 0.25 * row[j]
        fine[o + np.uint64(nx - 1)] = 0.75 * row[last] + 0.25 * right


@law
def _pair(i, m):
    """The near and the far coarse index of `i` on an axis of `m` coarse voxels; on one of a single voxel 0 and 0."""
    near = i >> 1
    return np.uint64(near), np.uint64(min(max(near + ((i & 1) << 1) - 1, 0), m - 1))


@law
def _between(coarse, v):
    """`interpolate` for the one voxel `v`, without periodic axes."""
    mz, my, mx = coarse.shape
    line = np.int64((v + 0.5) * (0.5 / mx))  # exact: half a voxel is more than any rounding
    xa, xb = _pair(v - line * (mx << 1), mx)
    if mz == 1:
        ya, yb = _pair(line, my)
        o = np.uint64(0)
        a, b = coarse[o, ya, xa], coarse[o, yb, xa]
        c, d = coarse[o, ya, xb], coarse[o, yb, xb]
        return 0.75 * _weighted(a, b, a, b) + 0.25 * _weighted(c, d, c, d)
    z = np.int64((line + 0.5) * (0.5 / my))
    ya, yb = _pair(line - z * (my << 1), my)
    za, zb = _pair(z, mz)
    near = _weighted(coarse[za, ya, xa], coarse[za, yb, xa], coarse[zb, ya, xa], coarse[zb, yb, xa])
    far = _weighted(coarse[za, ya, xb], coarse[za, yb, xb], coarse[zb, ya, xb], coarse[zb, yb, xb])
    return 0.75 * near + 0.25 * far


def at(field, v):
    """The value in voxel `v` of a field: (n_voxels,), or (nz, ny, nx) on voxels twice as wide along y, x and, if nz > 1, z."""
    return field[v] if field.ndim == 1 else _between(field, int(v))


def ask_for(field, v):
    """Prefetch the value in voxel `v` (uint64), which may lie outside the array; fields on wider voxels fit the caches."""
    if field.ndim == 1:
        prefetch(field, v)


if not numba.config.DISABLE_JIT:

    @overload(at, jit_options={"error_model": "numpy", "forceinline": True})
    def _at(field, v):
        if field.ndim == 1:
            return lambda field, v: field[v]
        return lambda field, v: _between(field, np.int64(v))

    @overload(ask_for, jit_options={"forceinline": True})
    def _ask_for(field, v):
        if field.ndim == 1:
            return lambda field, v: prefetch(field, v)
        return lambda field, v: None


@serial
def read(lo, hi, voxel, field, out):
    """out[i] = the field at voxel[i], for the rows from `lo` to `hi`."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] = at(field, voxel[i])


@serial
def find_corners(lo, hi, voxel, shape, corners):
    """corners (4, n) int32: flat index of the near coarse voxel on a lattice of `shape` (mz, my, mx), and from there to the far one along x, y, z."""
    mz, my, mx = shape
    half_x, half_y = 0.5 / mx, 0.5 / my
    for i in range(np.uint64(lo), np.uint64(hi)):
        v = np.int64(voxel[i])
        line = np.int64((v + 0.5) * half_x)  # exact, as in `_between`
        z = np.int64((line + 0.5) * half_y) if mz > 1 else 0
        x, y = v - line * (mx << 1), line - z * (my << 1)
        xa, ya, za = x >> 1, y >> 1, z >> 1
        corners[0, i] = (za * my + ya) * mx + xa
        corners[1, i] = min(max(xa + ((x & 1) << 1) - 1, 0), mx - 1) - xa
        corners[2, i] = (min(max(ya + ((y & 1) << 1) - 1, 0), my - 1) - ya) * mx
        corners[3, i] = (min(max(za + ((z & 1) << 1) - 1, 0), mz - 1) - za) * my * mx


@serial
def read_corners(lo, hi, corners, coarse, flat, out):
    """out[i] = `coarse` (n_coarse,) interpolated between the corners of cell i; `flat`: a lattice of one plane."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        a = np.int64(corners[0, i])
        b, y = a + np.int64(corners[1, i]), np.int64(corners[2, i])
        near_a, near_b, far_a, far_b = coarse[np.uint64(a)], coarse[np.uint64(a + y)], coarse[np.uint64(b)], coarse[np.uint64(b + y)]
        if flat:
            near, far = _weighted(near_a, near_b, near_a, near_b), _weighted(far_a, far_b, far_a, far_b)
        else:
            z = np.int64(corners[3, i])
            near = _weighted(near_a, near_b, coarse[np.uint64(a + z)], coarse[np.uint64(a + y + z)])
            far = _weighted(far_a, far_b, coarse[np.uint64(b + z)], coarse[np.uint64(b + y + z)])
        out[i] = 0.75 * near + 0.25 * far
