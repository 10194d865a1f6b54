"""Rows of the diffusion stencil and of the transfer between lattices; the building blocks of the solver.

A row is a run of nx voxels along x; row = z * ny + y. `wrap` (3,) bool says which axes are periodic; beyond
any other face stands a copy of the voxel itself (no flux).
"""

from __future__ import annotations

import numba
import numpy as np

# A piece of a larger kernel: compiled into its callers, never called from Python, so without the
# wrappers that would only cost compile time.
part = numba.njit(error_model="numpy", nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)

OMEGA = 0.8  # damping of the Jacobi sweeps


@part
def neighbours(x, row, nz, ny, nx, kz, ky, kx, wrap, out):
    """out[j] = sum of k * neighbour over the row `row` = z * ny + y of the lattice `x` (flat)."""
    z, y = row // ny, row % ny
    up = y - 1 if y > 0 else (ny - 1 if wrap[1] else 0)
    down = y + 1 if y < ny - 1 else (0 if wrap[1] else ny - 1)
    one, n = np.uint64(1), np.uint64(nx)
    c, u, d = np.uint64(row * nx), np.uint64((z * ny + up) * nx), np.uint64((z * ny + down) * nx)
    last = n - one
    if nx == 1:
        out[0] = ky * (x[u] + x[d])
    else:
        left = x[c + last] if wrap[2] else x[c]
        right = x[c] if wrap[2] else x[c + last]
        out[0] = kx * (left + x[c + one]) + ky * (x[u] + x[d])
        for j in range(one, last):
            out[j] = kx * (x[c + j - one] + x[c + j + one]) + ky * (x[u + j] + x[d + j])
        out[last] = kx * (x[c + last - one] + right) + ky * (x[u + last] + x[d + last])
    if nz > 1:
        below = z - 1 if z > 0 else (nz - 1 if wrap[0] else 0)
        above = z + 1 if z < nz - 1 else (0 if wrap[0] else nz - 1)
        e, f = np.uint64((below * ny + y) * nx), np.uint64((above * ny + y) * nx)
        for j in range(n):
            out[j] += kz * (x[e + j] + x[f + j])


@part
def smoothed_neighbours(r, dinv, row, nz, ny, nx, kz, ky, kx, wrap, out):
    """The same sum for z = D^-1 r, which is never stored."""
    z, y = row // ny, row % ny
    up = y - 1 if y > 0 else (ny - 1 if wrap[1] else 0)
    down = y + 1 if y < ny - 1 else (0 if wrap[1] else ny - 1)
    one, n = np.uint64(1), np.uint64(nx)
    c, u, d = np.uint64(row * nx), np.uint64((z * ny + up) * nx), np.uint64((z * ny + down) * nx)
    last = n - one
    for j in range(n):
        out[j] = ky * (r[u + j] * dinv[u + j] + r[d + j] * dinv[d + j])
    if nx > 1:
        left = c + last if wrap[2] else c
        right = c if wrap[2] else c + last
        out[0] += kx * (r[left] * dinv[left] + r[c + one] * dinv[c + one])
        for j in range(one, last):
            out[j] += kx * (r[c + j - one] * dinv[c + j - one] + r[c + j + one] * dinv[c + j + one])
        out[last] += kx * (r[c + last - one] * dinv[c + last - one] + r[right] * dinv[right])
    if nz > 1:
        below = z - 1 if z > 0 else (nz - 1 if wrap[0] else 0)
        above = z + 1 if z < nz - 1 else (0 if wrap[0] else nz - 1)
        e, f = np.uint64((below * ny + y) * nx), np.uint64((above * ny + y) * nx)
        for j in range(n):
            out[j] += kz * (r[e + j] * dinv[e + j] + r[f + j] * dinv[f + j])


@part
def lane_sum(lanes):
    total = 0.0
    for j in range(lanes.size):
        total += lanes[j]
    return total


@part
def rows_ahead(nz, ny, wrap):
    """Rows that must be ready beyond the one whose neighbours are summed."""
    if wrap[0] or wrap[1]:
        return nz * ny
    return 1 if nz == 1 else ny


@part
def jacobi_row(out, x, b, dinv, row, nz, ny, nx, kz, ky, kx, wrap, nb):
    """One row of a damped Jacobi sweep: out = x + OMEGA dinv (b - A x)."""
    neighbours(x, row, nz, ny, nx, kz, ky, kx, wrap, nb)
    o = np.uint64(row * nx)
    for j in range(np.uint64(nx)):
        out[o + j] = (1.0 - OMEGA) * x[o + j] + OMEGA * dinv[o + j] * (b[o + j] + nb[j])


@part
def narrow_row(out, row, even, odd, nx, mx, wrapped):
    """Transpose of the interpolation along x, averaged: row (nx,) to out (mx,)."""
    for j in range(np.uint64(nx // 2)):
        even[j] = row[np.uint64(2) * j]
        odd[j] = row[np.uint64(2) * j + np.uint64(1)]
    if nx % 2 == 1:
        even[mx - 1] = row[nx - 1]
        odd[mx - 1] = 0.0
    near, far = (0.375, 0.125) if nx > 1 else (0.75, 0.25)
    for j in range(1, mx - 1):
        out[j] = near * (even[j] + odd[j]) + far * (odd[j - 1] + even[j + 1])
    before = odd[mx - 1] if wrapped else even[0]
    after = even[0] if wrapped else odd[mx - 1]
    out[0] = near * (even[0] + odd[0]) + far * (before + (even[1] if mx > 1 else after))
    if mx > 1:
        out[mx - 1] = near * (even[mx - 1] + odd[mx - 1]) + far * (odd[mx - 2] + after)


@part
def widen_row(out, coarse, row, level, dims, wrapped, parents, parent_at, narrow):
    """Interpolate the coarse lattice to one fine row."""
    nz, ny, nx = dims[level]
    _mz, my, mx = dims[level + 1]
    pz, py = parent_at[level, 0], parent_at[level, 1]
    z, y = pz + row // ny, py + row % ny
    for a in range(2 if nz > 1 else 1):
        o = np.uint64((parents[z, a] * my + parents[y, 0]) * mx)
        f = np.uint64((parents[z, a] * my + parents[y, 1]) * mx)
        w = 1.0 if nz == 1 else (0.75 if a == 0 else 0.25)
        if a == 0:
            for j in range(np.uint64(mx)):
                narrow[j] = w * (0.75 * coarse[o + j] + 0.25 * coarse[f + j])
        else:
            for j in range(np.uint64(mx)):
                narrow[j] += w * (0.75 * coarse[o + j] + 0.25 * coarse[f + j])
    for j in range(1, mx - 1):
        i = np.uint64(2 * j)
        out[i] = 0.75 * narrow[j] + 0.25 * narrow[j - 1]
        out[i + np.uint64(1)] = 0.75 * narrow[j] + 0.25 * narrow[j + 1]
    last = mx - 1
    out[0] = 0.75 * narrow[0] + 0.25 * narrow[last if wrapped else 0]
    if mx > 1:
        out[1] = 0.75 * narrow[0] + 0.25 * narrow[1]
        out[2 * last] = 0.75 * narrow[last] + 0.25 * narrow[last - 1]
    if nx % 2 == 0:
        out[nx - 1] = 0.75 * narrow[last] + 0.25 * narrow[0 if wrapped else last]
