"""Between a lattice and the one of twice its voxel size: mean of the children, bilinear interpolation.

Rows of the lattice written are the unit of work, which a team shares.
Both keep the amount: the mean of a fine array is the mean of its coarse one, and each coarse voxel's weights
in the fine lattice sum to its number of children. Every axis longer than one voxel must be even.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial
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
            row[j] = 0.5625 * coarse[aa + j] + 0.1875 * (coarse[ab + j] + coarse[ba + j]) + 0.0625 * coarse[bb + j]
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
