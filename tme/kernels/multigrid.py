"""Unsplit diffusion solver: conjugate gradients preconditioned by one multigrid V-cycle.

The system, per voxel, is `(sigma + sum_axes 2 k) c - sum_neighbours k c_neighbour = b` with `k = D / dx^2`
and `sigma >= 0` (losses, 1/dt, exchange): a symmetric M-matrix, so the exact solution is never negative.
Beyond a no-flux face stands a copy of the voxel itself, beyond a periodic face the voxel of the other side;
a fixed-value face adds `2 k` to `sigma` and `2 k value` to `b`. 2D is 3D with one plane.

Coarse grids (cell-centred, factor 2 along every axis longer than one voxel, odd sizes included) keep constant
couplings `k / 4`. What depends on the matrix:
- Transfer is bilinear times g (2 - g), g = sum of couplings / diagonal, and its transpose: the value of a
  vessel or of a given voxel is not corrected from afar.
- A single-voxel vessel of any strength can draw no more through its neighbourhood than the lattice lets it,
  so each sigma is capped at `SPREAD k` on its way up. SPREAD follows from the lattice Green function: from
  one level to the next the potential of a point sink changes by ln 2 / (2 pi k) = 0.110 / k in 2D and by
  0.2527 / (2 k) in 3D (Economou, Green's Functions in Quantum Physics, ch. 5).
The cycle is symmetric, so conjugate gradients may use it whatever the sigma; it is a preconditioner and never
decides the answer.

Every sum is taken in a fixed shape (one lane per x, then along x), on one thread. Rows are the unit of work:
the loops run along contiguous x and vectorise.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tme.kernels.aligned import BufferPool, bytes_for_rows, rows_view, zeros
from tme.kernels.jit import serial
from tme.kernels.red_black.solve import Scratch
from tme.kernels.stencil import (
    OMEGA,
    jacobi_row,
    lane_sum,
    narrow_row,
    neighbours,
    part,
    rows_ahead,
    smoothed_neighbours,
    widen_row,
)

SPREAD_2D = 9.06
SPREAD_3D = 7.91
DOMINANT = 2.0  # a level needs no coarser one when its couplings sum to less than DOMINANT * smallest sigma
BOTTOM_SWEEPS = 4
PARTS_KEPT = 3


class Workspace:
    """Scratch arrays and coarse-grid tables for one lattice, shared by its fields; no state between solves.

    `shape` is (nz, ny, nx), `periodic` per axis. Level l has dimensions `dims[l]` and occupies
    `offset[l]:offset[l + 1]` of each multi-level array. The workspaces of a lattice, of its wider voxels and of
    its parts lie in one `pool`, as does the scratch of the one-colour solver: fields are solved one after another.
    """

    device = "cpu"

    def __init__(self, shape: tuple[int, int, int], periodic: tuple[bool, bool, bool] = (False,) * 3, pool: BufferPool | None = None) -> None:
        dims = [tuple(int(n) for n in shape)]
        while max(dims[-1]) > 1:
            dims.append(tuple((n + 1) // 2 for n in dims[-1]))
        nz, ny, nx = dims[0]
        self.shape, self.periodic = (nz, ny, nx), (bool(periodic[0]), bool(periodic[1]), bool(periodic[2]))
        self.dims = np.array(dims, np.int64)
        self.wrap = np.array(self.periodic, np.bool_)
        sizes = self.dims.prod(axis=1)
        self.offset = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        n, total = int(sizes[0]), int(self.offset[-1])
        coarse, size = bytes_for_rows(4, total), bytes_for_rows(4, total) + bytes_for_rows(2, n)
        self._pool = pool if pool is not None and len(pool.buffer) >= size else BufferPool(size)
        buffer = self._pool.buffer
        self.t, self.sigma, self.dinv, self.r = (row[:total] for row in rows_view(buffer, 4, total))
        self.x, self.p = (row[:n] for row in rows_view(buffer[coarse:], 2, n))
        self.b, self._beside_b = self.t[:n], buffer[bytes_for_rows(1, total) :]
        self.rows = np.zeros((7, max(dims[0][2], 2)))
        self.k = np.zeros((len(dims), 3))
        self._colours: Scratch | None = None
        self._half: Workspace | None = None
        self._others: dict[tuple[int, int, int], Workspace] = {}
        self._tables()

    @cached_property
    def old(self) -> np.ndarray:
        """(n_voxels,) what a step in time with saturating uptake starts from; few fields need it."""
        return zeros(len(self.x))

    def half(self) -> Workspace:
        """The workspace of the lattice of voxels twice as wide, made at first use."""
        if self._half is None:
            nz, ny, nx = ((n + 1) // 2 for n in self.shape)
            self._half = Workspace((nz, ny, nx), self.periodic, self._pool)
        return self._half

    def of(self, shape: tuple[int, int, int]) -> Workspace:
        """The workspace of a part of the lattice; the last few are kept."""
        if shape not in self._others:
            while len(self._others) >= PARTS_KEPT:
                del self._others[next(iter(self._others))]
            self._others[shape] = Workspace(shape, pool=self._pool)
        return self._others[shape]

    def colours(self) -> Scratch:
        """The scratch of `red_black` for this lattice, made at first use, in the pool but not where `b` is."""
        if self._colours is None:
            self._colours = Scratch(self.shape, self._beside_b)
        if self._pool.last_user is not self._colours:
            if self._colours.shares:
                self._colours.clear()
            self._pool.last_user = self._colours  # also of `b` alone
        return self._colours

    def _tables(self) -> None:
        """The coarse parents (3/4, 1/4) of each fine index, per level and axis (z, y), in one table."""
        parents = [np.zeros((1, 2), np.int64)]
        self.parent_at = np.zeros((len(self.dims), 2), np.int64)
        at = 1
        for level in range(len(self.dims) - 1):
            for axis in range(2):
                fine, coarse = int(self.dims[level, axis]), int(self.dims[level + 1, axis])
                self.parent_at[level, axis] = at
                at += fine
                parents.append(_parents(fine, coarse, self.periodic[axis]))
        self.parents = np.concatenate(parents)

    def arrays(self) -> tuple:
        """What the kernels take, in their order."""
        self._pool.last_user = self
        return (self.dims, self.offset, self.k, self.wrap, self.parents, self.parent_at,
                self.sigma, self.dinv, self.x, self.r, self.t, self.p, self.rows)  # fmt: skip


def _parents(fine: int, coarse: int, periodic: bool) -> np.ndarray:
    """(fine, 2) near and far coarse cell of each fine one; the far one beyond a wall is the near."""
    i = np.arange(fine)
    near = i // 2
    far = near + np.where(i % 2, 1, -1)
    far = far % coarse if periodic else np.clip(far, 0, coarse - 1)
    return np.stack([near, far], axis=1).astype(np.int64)


@part
def _descend(r, coarse, dinv, level, dims, k, wrap, parents, parent_at, rows):
    """First sweep from zero, z = OMEGA D^-1 r; restrict what it leaves, (1 - OMEGA) r + k sum z."""
    nz, ny, nx = dims[level]
    _mz, my, mx = dims[level + 1]
    pz, py = parent_at[level, 0], parent_at[level, 1]
    share = (1.0 if nz == 1 else 0.5) * (1.0 if ny == 1 else 0.5)
    s0 = 2.0 * (k[level, 0] + k[level, 1] + k[level, 2])
    left, narrow = rows[0], rows[1]
    coarse[:] = 0.0
    for row in range(nz * ny):
        smoothed_neighbours(r, dinv, row, nz, ny, nx, k[level, 0], k[level, 1], k[level, 2], wrap, left)
        o = np.uint64(row * nx)
        for j in range(np.uint64(nx)):
            g = s0 * dinv[o + j]
            left[j] = ((1.0 - OMEGA) * r[o + j] + OMEGA * left[j]) * (g * (2.0 - g))
        narrow_row(narrow, left, rows[3], rows[4], nx, mx, wrap[2])
        for a in range(2 if nz > 1 else 1):
            for e in range(2):
                w = share * (1.0 if nz == 1 else (0.75 if a == 0 else 0.25)) * (0.75 if e == 0 else 0.25)
                to = np.uint64((parents[pz + row // ny, a] * my + parents[py + row % ny, e]) * mx)
                for j in range(np.uint64(mx)):
                    coarse[to + j] += w * narrow[j]


@part
def _ascend(out, x, r, coarse, dinv, level, dims, k, wrap, parents, parent_at, rows, lanes):
    """x = OMEGA D^-1 r + interpolation of `coarse`; out = one sweep from x. Returns r . out."""
    nz, ny, nx = dims[level]
    n_rows, lag = nz * ny, rows_ahead(nz, ny, wrap)
    n = np.uint64(nx)
    s0 = 2.0 * (k[level, 0] + k[level, 1] + k[level, 2])
    wide = rows[0]
    lanes[:] = 0.0
    for step in range(n_rows + lag):
        if step < n_rows:
            o = np.uint64(step * nx)
            widen_row(wide, coarse, step, level, dims, wrap[2], parents, parent_at, rows[1])
            for j in range(n):
                g = s0 * dinv[o + j]
                x[o + j] = OMEGA * dinv[o + j] * r[o + j] + g * (2.0 - g) * wide[j]
        if step >= lag:
            row = step - lag
            jacobi_row(out, x, r, dinv, row, nz, ny, nx, k[level, 0], k[level, 1], k[level, 2], wrap, rows[0])
            o = np.uint64(row * nx)
            for j in range(n):
                lanes[j] += out[o + j] * r[o + j]
    return lane_sum(lanes[:nx])


@part
def _coarsen(level, dims, offset, k, sigma, dinv, total):
    """Sigma of level + 1: mean over the children of sigma capped at SPREAD * k; and its diagonal."""
    nz, ny, nx = dims[level]
    mz, my, mx = dims[level + 1]
    at, to = offset[level], offset[level + 1]
    s0 = 2.0 * (k[level, 0] + k[level, 1] + k[level, 2])
    s1 = 2.0 * (k[level + 1, 0] + k[level + 1, 1] + k[level + 1, 2])
    cap = (SPREAD_2D / 4.0 if nz == 1 else SPREAD_3D / 6.0) - 1.0  # s0 (1 + cap) = SPREAD k
    share = s0
    for axis in range(3):
        if dims[level, axis] > 1:
            share *= 0.5
    for big in range(mz * my):
        total[:] = 0.0
        for z in range(big // my * 2, min(big // my * 2 + 2, nz)):
            for y in range(big % my * 2, min(big % my * 2 + 2, ny)):
                o = np.uint64(at + (z * ny + y) * nx)
                for j in range(np.uint64(nx)):
                    f = sigma[o + j] * dinv[o + j] if dinv[o + j] > 0.0 else 1.0
                    total[j] += share * f * (1.0 + cap * f)
        o = np.uint64(to + big * mx)
        for j in range(np.uint64(nx // 2)):
            sigma[o + j] = total[np.uint64(2) * j] + total[np.uint64(2) * j + np.uint64(1)]
        if nx % 2 == 1:
            sigma[o + np.uint64(mx - 1)] = total[nx - 1]
        for j in range(np.uint64(mx)):
            dinv[o + j] = 1.0 / (sigma[o + j] + s1) if sigma[o + j] + s1 > 0.0 else 0.0


@serial
def _hierarchy(kz, ky, kx, sigma_low, dims, offset, k, sigma, dinv, row):
    """Fill the coarse operators; returns the number of levels worth using."""
    k[0, 0], k[0, 1], k[0, 2] = kz, ky, kx
    for level in range(dims.shape[0] - 1):
        if 2.0 * (k[level, 0] + k[level, 1] + k[level, 2]) <= DOMINANT * sigma_low:
            return level + 1
        for axis in range(3):
            one = dims[level + 1, axis] == 1
            k[level + 1, axis] = 0.0 if one else 0.25 * k[level, axis]
        _coarsen(level, dims, offset, k, sigma, dinv, row[: dims[level, 2]])
    return dims.shape[0]


@serial
def _cycle(levels, dims, offset, k, wrap, parents, parent_at, dinv, x, r, t, rows):
    """One symmetric V-cycle for A z = r, r on level 0; z ends in t. Returns r . z."""
    for level in range(levels - 1):
        at, end, to = offset[level], offset[level + 1], offset[level + 2]
        _descend(r[at:end], r[end:to], dinv[at:end], level, dims, k, wrap, parents, parent_at, rows)
    product = _bottom(levels - 1, dims, offset, k, wrap, dinv, x, r, t, rows)
    for level in range(levels - 2, -1, -1):
        at, end, to = offset[level], offset[level + 1], offset[level + 2]
        product = _ascend(t[at:end], x[: end - at], r[at:end], t[end:to], dinv[at:end],
                          level, dims, k, wrap, parents, parent_at, rows, rows[2])  # fmt: skip
    return product


@part
def _bottom(level, dims, offset, k, wrap, dinv, x, r, t, rows):
    """Coarsest level: t = D^-1 r and, below the finest, a few sweeps. Returns r . t on the finest level."""
    nz, ny, nx = dims[level]
    at, end = offset[level], offset[level + 1]
    kz, ky, kx = k[level]
    n = np.uint64(nx)
    lanes = rows[2, :nx]
    lanes[:] = 0.0
    for row in range(nz * ny):
        o = np.uint64(at + row * nx)
        for j in range(n):
            t[o + j] = dinv[o + j] * r[o + j]
            lanes[j] += t[o + j] * r[o + j]
    if level > 0:
        here, there, rest, diagonal = t[at:end], x[: end - at], r[at:end], dinv[at:end]
        for _ in range(BOTTOM_SWEEPS):
            for row in range(nz * ny):
                jacobi_row(there, here, rest, diagonal, row, nz, ny, nx, kz, ky, kx, wrap, rows[0])
            here, there = there, here
    return lane_sum(lanes)


@serial
def _direction(c, p, z, sigma, alpha, beta, first, dims, k, wrap, rows):
    """c += alpha p (the last step), p = z + beta p, q = A p in the place of z; returns p . q.

    Where z is 0, as at given voxels, q is not used.
    """
    nz, ny, nx = dims[0]
    s0 = 2.0 * (k[0, 0] + k[0, 1] + k[0, 2])
    n_rows, lag = nz * ny, rows_ahead(nz, ny, wrap)
    n = np.uint64(nx)
    nb, lanes = rows[0], rows[2, :nx]
    lanes[:] = 0.0
    for step in range(n_rows + lag):
        if step < n_rows:
            o = np.uint64(step * nx)
            if not first:
                for j in range(n):
                    c[o + j] += alpha * p[o + j]
                for j in range(n):
                    p[o + j] = z[o + j] + beta * p[o + j]
            else:
                for j in range(n):
                    p[o + j] = z[o + j]
        if step >= lag:
            row = step - lag
            neighbours(p, row, nz, ny, nx, k[0, 0], k[0, 1], k[0, 2], wrap, nb)
            o = np.uint64(row * nx)
            for j in range(n):
                z[o + j] = (sigma[o + j] + s0) * p[o + j] - nb[j]
            for j in range(n):
                lanes[j] += p[o + j] * z[o + j]
    return lane_sum(lanes)


@serial
def _shrink(r, q, dinv, alpha, lanes):
    """r -= alpha q; returns r . D^-1 r."""
    n = np.uint64(lanes.size)
    lanes[:] = 0.0
    for row in range(r.size // lanes.size):
        o = np.uint64(row * lanes.size)
        for j in range(n):
            r[o + j] -= alpha * q[o + j]
        for j in range(n):
            lanes[j] += r[o + j] * r[o + j] * dinv[o + j]
    return lane_sum(lanes)


@serial
def _step_along(c, alpha, p):
    """c += alpha p, not below zero."""
    for i in range(np.uint64(c.size)):
        c[i] = max(c[i] + alpha * p[i], 0.0)


def solve(c, kz, ky, kx, sigma_low, tol, reduction, max_cycles, rest, size,
          dims, offset, k, wrap, parents, parent_at, sigma, dinv, x, r, t, p, rows):  # fmt: skip
    """Solve A c = b in place from the guess `c` (n_voxels,); returns the cycles used, -1 if not converged.

    `sigma`, `dinv` and the residual `r` of level 0, its square `rest` and that of b, `size`, in the norm weighted
    by 1/diagonal, are set by the caller; `sigma_low` is a lower bound of sigma. At voxels whose value in `c` is given
    sigma, dinv and r are 0: their rows are eliminated exactly. Stops when the residual is below `tol` times the
    right-hand side, or below `reduction` times the residual at the start. The exact
    solution is not negative, so negatives of the size of the tolerance become 0.

    The loop is Python over five kernels: compiled as one, each would be compiled three times over.
    """
    n = c.size
    r0, s0, d0, z = r[:n], sigma[:n], dinv[:n], t[:n]
    if size == 0.0:
        c[:] = 0.0
        return 0
    limit = tol * tol * size
    if rest <= limit:
        return 0
    limit = max(limit, reduction * reduction * rest)
    levels = _hierarchy(kz, ky, kx, sigma_low, dims, offset, k, sigma, dinv, rows[0])
    rz_before, alpha, used = 1.0, 0.0, -1
    for cycle in range(max_cycles):
        rz = _cycle(levels, dims, offset, k, wrap, parents, parent_at, dinv, x, r, t, rows)
        beta = 0.0 if cycle == 0 else rz / rz_before
        rz_before = rz
        curvature = _direction(c, p, z, s0, alpha, beta, cycle == 0, dims, k, wrap, rows)
        if not curvature > 0.0:  # nothing left to correct, or not a number
            alpha = 0.0
            break
        alpha = rz / curvature
        if _shrink(r0, z, d0, alpha, rows[2, : dims[0, 2]]) <= limit:
            used = cycle + 1
            break
    _step_along(c, alpha, p)
    return used
