"""Unsplit diffusion solver: conjugate gradients preconditioned by one multigrid V-cycle.

The system, per voxel, is `(sigma + sum_axes 2 k) c - sum_neighbours k c_neighbour = b` with `k = D / dx^2` and
`sigma >= 0` (losses, 1/dt, exchange): a symmetric M-matrix, so the exact solution is never negative. Beyond a
no-flux face stands a copy of the voxel itself, beyond a periodic face the voxel of the other side; a fixed-value
face adds `2 k` to `sigma` and `2 k value` to `b`. 2D is 3D with one plane.

Coarse grids (cell-centred, factor 2 along every axis longer than one voxel, odd sizes included) keep the constant
couplings `k / 4`; transfer is bilinear and its transpose. What depends on the matrix is the coarse sigma: a
single-voxel vessel of any strength can draw no more through its own neighbourhood than the lattice lets it,
so each fine sigma is capped at `SPREAD * k` on its way up. SPREAD follows from the lattice Green function: going
from one level to the next changes the potential of a point sink by ln 2 / (2 pi k) = 0.110 / k in 2D and by
0.2527 / (2 k) in 3D (Economou, Green's Functions in Quantum Physics, ch. 5). The cycle is symmetric, so conjugate
gradients may use it whatever the sigma; it is a preconditioner and never decides the answer.

Every sum is taken in a fixed shape (one lane per x, then along x), on one thread. Rows are the unit of work:
all loops run along contiguous x and vectorise.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial

SPREAD_2D = 9.06
SPREAD_3D = 7.91
OMEGA = 0.8
DOMINANT = 2.0  # a level needs no coarser one when its couplings sum to less than DOMINANT * smallest sigma
BOTTOM_SWEEPS = 4


class Workspace:
    """Scratch arrays and coarse-grid tables for one lattice, shared by all its fields; no state between solves.

    `shape` is (nz, ny, nx), `periodic` per axis. Level l has dimensions `dims[l]` and occupies
    `offset[l]:offset[l + 1]` of each multi-level array.
    """

    def __init__(self, shape: tuple[int, int, int], periodic: tuple[bool, bool, bool] = (False,) * 3) -> None:
        dims = [tuple(int(n) for n in shape)]
        while max(dims[-1]) > 1:
            dims.append(tuple((n + 1) // 2 for n in dims[-1]))
        self.shape, self.periodic = dims[0], tuple(bool(p) for p in periodic)
        self.dims = np.array(dims, np.int64)
        self.wrap = np.array(self.periodic, np.bool_)
        sizes = self.dims.prod(axis=1)
        self.offset = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        self.sigma, self.dinv, self.x, self.r, self.t = (np.zeros(self.offset[-1]) for _ in range(5))
        self.b, self.p, self.q = (np.zeros(sizes[0]) for _ in range(3))
        self.rows = np.zeros((3, dims[0][2]))
        self.k = np.zeros((len(dims), 3))
        self._tables()

    def _tables(self) -> None:
        """Per axis and level: parents of each fine index; taps (fine index, weight) of each coarse index."""
        parents, taps, weights = [], [], []
        self.parent_at = np.zeros((len(self.dims), 3), np.int64)
        self.tap_at = np.zeros((len(self.dims), 3), np.int64)
        n_parents = n_taps = 0
        for level in range(len(self.dims) - 1):
            for axis in range(3):
                fine, coarse = int(self.dims[level, axis]), int(self.dims[level + 1, axis])
                pair, tap, weight = _axis_tables(fine, coarse, self.periodic[axis])
                self.parent_at[level, axis], self.tap_at[level, axis] = n_parents, n_taps
                n_parents, n_taps = n_parents + fine, n_taps + coarse
                parents.append(pair)
                taps.append(tap)
                weights.append(weight)
        empty = np.zeros((1, 2), np.int64), np.zeros((1, 4), np.int64), np.zeros((1, 4))
        self.parents = np.concatenate(parents or [empty[0]])
        self.taps = np.concatenate(taps or [empty[1]])
        self.tap_weights = np.concatenate(weights or [empty[2]])

    def tables(self) -> tuple:
        """The arrays that describe the levels, in the order the kernels take them."""
        return (self.dims, self.offset, self.k, self.wrap, self.parents, self.parent_at, self.taps,
                self.tap_weights, self.tap_at)  # fmt: skip


def _axis_tables(fine: int, coarse: int, periodic: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear interpolation 3/4, 1/4 between coarse cells along one axis, and its transpose (up to four taps)."""
    pair = np.zeros((fine, 2), np.int64)
    found: list[dict[int, float]] = [{} for _ in range(coarse)]
    scale = 1.0 if fine == 1 else 0.5
    for i in range(fine):
        near = i // 2
        far = near + (1 if i % 2 else -1)
        far = far % coarse if periodic else min(max(far, 0), coarse - 1)
        pair[i] = near, far
        found[near][i] = found[near].get(i, 0.0) + 0.75 * scale
        found[far][i] = found[far].get(i, 0.0) + 0.25 * scale
    taps, weights = np.zeros((coarse, 4), np.int64), np.zeros((coarse, 4))
    for c, entries in enumerate(found):
        for slot, (i, w) in enumerate(sorted(entries.items())):
            taps[c, slot], weights[c, slot] = i, w
    return pair, taps, weights


@serial
def _neighbours(x, row, nz, ny, nx, kz, ky, kx, wrap, out):
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


@serial
def _jacobi(out, x, b, dinv, nz, ny, nx, kz, ky, kx, wrap, nb):
    """One damped Jacobi sweep: out = x + OMEGA dinv (b - A x)."""
    keep = 1.0 - OMEGA
    n = np.uint64(nx)
    for row in range(nz * ny):
        _neighbours(x, row, nz, ny, nx, kz, ky, kx, wrap, nb)
        o = np.uint64(row * nx)
        for j in range(n):
            out[o + j] = keep * x[o + j] + OMEGA * dinv[o + j] * (b[o + j] + nb[j])


@serial
def _residual(out, x, b, sigma, nz, ny, nx, kz, ky, kx, wrap, nb):
    """out = b - A x."""
    s0 = 2.0 * (kz + ky + kx)
    n = np.uint64(nx)
    for row in range(nz * ny):
        _neighbours(x, row, nz, ny, nx, kz, ky, kx, wrap, nb)
        o = np.uint64(row * nx)
        for j in range(n):
            out[o + j] = b[o + j] - (sigma[o + j] + s0) * x[o + j] + nb[j]


@serial
def _lane_sum(lanes):
    total = 0.0
    for j in range(lanes.size):
        total += lanes[j]
    return total


@serial
def _dot(x, y, nx, lanes):
    """Sum of x * y in a fixed order: one lane per x, then along x."""
    n = np.uint64(nx)
    lanes[:] = 0.0
    for row in range(x.size // nx):
        o = np.uint64(row * nx)
        for j in range(n):
            lanes[j] += x[o + j] * y[o + j]
    return _lane_sum(lanes)


@serial
def _weighted_square(x, w, nx, lanes):
    """Sum of w * x * x in the same fixed order."""
    n = np.uint64(nx)
    lanes[:] = 0.0
    for row in range(x.size // nx):
        o = np.uint64(row * nx)
        for j in range(n):
            lanes[j] += x[o + j] * x[o + j] * w[o + j]
    return _lane_sum(lanes)


@serial
def _apply_dot(q, p, sigma, nz, ny, nx, kz, ky, kx, wrap, nb, lanes):
    """q = A p; returns p . q."""
    s0 = 2.0 * (kz + ky + kx)
    n = np.uint64(nx)
    lanes[:] = 0.0
    for row in range(nz * ny):
        _neighbours(p, row, nz, ny, nx, kz, ky, kx, wrap, nb)
        o = np.uint64(row * nx)
        for j in range(n):
            q[o + j] = (sigma[o + j] + s0) * p[o + j] - nb[j]
        for j in range(n):
            lanes[j] += p[o + j] * q[o + j]
    return _lane_sum(lanes)


@serial
def _update(x, r, p, q, dinv, alpha, nx, lanes):
    """x += alpha p, r -= alpha q; returns r . D^-1 r."""
    n = np.uint64(nx)
    lanes[:] = 0.0
    for row in range(x.size // nx):
        o = np.uint64(row * nx)
        for j in range(n):
            x[o + j] += alpha * p[o + j]
        for j in range(n):
            r[o + j] -= alpha * q[o + j]
        for j in range(n):
            lanes[j] += r[o + j] * r[o + j] * dinv[o + j]
    return _lane_sum(lanes)


@serial
def _restrict(coarse, fine, level, dims, taps, weights, tap_at, row_sum):
    """coarse = transpose of the interpolation, averaged over the children."""
    nz, ny, nx = dims[level]
    mz, my, mx = dims[level + 1]
    n = np.uint64(nx)
    tz, ty, tx = tap_at[level]
    for big in range(mz * my):
        zc, yc = tz + big // my, ty + big % my
        row_sum[:nx] = 0.0
        for a in range(4):
            for e in range(4):
                w = weights[zc, a] * weights[yc, e]
                if w > 0.0:
                    o = np.uint64((taps[zc, a] * ny + taps[yc, e]) * nx)
                    for j in range(n):
                        row_sum[j] += w * fine[o + j]
        o = big * mx
        for j in range(1, mx - 1):
            i = np.uint64(2 * j - 1)
            coarse[o + j] = 0.125 * (row_sum[i] + row_sum[i + np.uint64(3)]) + 0.375 * (
                row_sum[i + np.uint64(1)] + row_sum[i + np.uint64(2)]
            )
        _restrict_end(coarse, o, row_sum, taps, weights, tx, 0)
        if mx > 1:
            _restrict_end(coarse, o, row_sum, taps, weights, tx, mx - 1)
            _restrict_end(coarse, o, row_sum, taps, weights, tx, mx - 2)


@serial
def _restrict_end(coarse, o, row_sum, taps, weights, tx, j):
    total = 0.0
    for a in range(4):
        total += weights[tx + j, a] * row_sum[taps[tx + j, a]]
    coarse[o + j] = total


@serial
def _prolong_add(fine, coarse, level, dims, parents, parent_at, row_sum):
    """fine += interpolation of coarse."""
    nz, ny, nx = dims[level]
    mz, my, mx = dims[level + 1]
    m = np.uint64(mx)
    pz, py, px = parent_at[level]
    for row in range(nz * ny):
        z, y = pz + row // ny, py + row % ny
        for a in range(2):
            for e in range(2):
                w = (0.75 if a == 0 else 0.25) * (0.75 if e == 0 else 0.25)
                o = np.uint64((parents[z, a] * my + parents[y, e]) * mx)
                if a + e == 0:
                    for j in range(m):
                        row_sum[j] = w * coarse[o + j]
                else:
                    for j in range(m):
                        row_sum[j] += w * coarse[o + j]
        o = row * nx
        for j in range(1, mx - 1):
            i = np.uint64(o + 2 * j)
            fine[i] += 0.75 * row_sum[j] + 0.25 * row_sum[j - 1]
            fine[i + np.uint64(1)] += 0.75 * row_sum[j] + 0.25 * row_sum[j + 1]
        for i in range(min(2, nx)):
            fine[o + i] += 0.75 * row_sum[parents[px + i, 0]] + 0.25 * row_sum[parents[px + i, 1]]
        for i in range(max(2, 2 * mx - 2), nx):
            fine[o + i] += 0.75 * row_sum[parents[px + i, 0]] + 0.25 * row_sum[parents[px + i, 1]]


@serial
def _coarsen(level, dims, offset, k, sigma, dinv):
    """Sigma of level + 1: mean over the children of sigma capped at SPREAD * k; and its diagonal."""
    nz, ny, nx = dims[level]
    mz, my, mx = dims[level + 1]
    at, to = offset[level], offset[level + 1]
    s0 = 2.0 * (k[level, 0] + k[level, 1] + k[level, 2])
    s1 = 2.0 * (k[level + 1, 0] + k[level + 1, 1] + k[level + 1, 2])
    cap = 1.25 if nz == 1 else 0.32  # s0 (1 + cap) = SPREAD k
    share = 1.0
    for axis in range(3):
        if dims[level, axis] > 1:
            share *= 0.5
    for j in range(to, to + mz * my * mx):
        sigma[j] = 0.0
    for row in range(nz * ny):
        o = at + row * nx
        big = to + ((row // ny) // 2 * my + (row % ny) // 2) * mx
        for j in range(nx):
            f = sigma[o + j] * dinv[o + j] if dinv[o + j] > 0.0 else 1.0
            sigma[big + j // 2] += share * s0 * f * (1.0 + cap * f)
    for j in range(to, to + mz * my * mx):
        dinv[j] = 1.0 / (sigma[j] + s1) if sigma[j] + s1 > 0.0 else 0.0


@serial
def _hierarchy(kz, ky, kx, sigma_low, dims, offset, k, sigma, dinv):
    """Fill the coarse operators; returns the number of levels worth using."""
    k[0, 0], k[0, 1], k[0, 2] = kz, ky, kx
    for level in range(dims.shape[0] - 1):
        total = 0.0
        for axis in range(3):
            total += 2.0 * k[level, axis]
        if total <= DOMINANT * sigma_low:
            return level + 1
        for axis in range(3):
            one = dims[level + 1, axis] == 1
            k[level + 1, axis] = 0.0 if one else 0.25 * k[level, axis]
        _coarsen(level, dims, offset, k, sigma, dinv)
    return dims.shape[0]


@serial
def _cycle(levels, dims, offset, k, wrap, parents, parent_at, taps, weights, tap_at,
           sigma, dinv, x, r, t, fixed, rows):  # fmt: skip
    """One symmetric V-cycle for A z = r, r on level 0; z ends in x (one level) or t (more)."""
    for level in range(levels - 1):
        nz, ny, nx = dims[level]
        at, end, to = offset[level], offset[level + 1], offset[level + 2]
        for i in range(np.uint64(at), np.uint64(end)):
            x[i] = OMEGA * dinv[i] * r[i]
        _residual(t[at:end], x[at:end], r[at:end], sigma[at:end], nz, ny, nx,
                  k[level, 0], k[level, 1], k[level, 2], wrap, rows[0, :nx])  # fmt: skip
        if level == 0:
            t[fixed] = 0.0
        _restrict(r[end:to], t[at:end], level, dims, taps, weights, tap_at, rows[1])
    bottom = levels - 1
    nz, ny, nx = dims[bottom]
    at, end = offset[bottom], offset[bottom + 1]
    for i in range(np.uint64(at), np.uint64(end)):
        x[i] = dinv[i] * r[i]
    if bottom > 0:
        for _ in range(BOTTOM_SWEEPS // 2):
            _jacobi(t[at:end], x[at:end], r[at:end], dinv[at:end], nz, ny, nx,
                    k[bottom, 0], k[bottom, 1], k[bottom, 2], wrap, rows[0, :nx])  # fmt: skip
            _jacobi(x[at:end], t[at:end], r[at:end], dinv[at:end], nz, ny, nx,
                    k[bottom, 0], k[bottom, 1], k[bottom, 2], wrap, rows[0, :nx])  # fmt: skip
        t[at:end] = x[at:end]
    for level in range(levels - 2, -1, -1):
        nz, ny, nx = dims[level]
        at, end, to = offset[level], offset[level + 1], offset[level + 2]
        _prolong_add(x[at:end], t[end:to], level, dims, parents, parent_at, rows[1])
        if level == 0:
            x[fixed] = 0.0
        _jacobi(t[at:end], x[at:end], r[at:end], dinv[at:end], nz, ny, nx,
                k[level, 0], k[level, 1], k[level, 2], wrap, rows[0, :nx])  # fmt: skip


@serial
def solve(c, kz, ky, kx, sigma_low, tol, max_cycles, fixed,
          dims, offset, k, wrap, parents, parent_at, taps, weights, tap_at,
          sigma, dinv, x, r, t, b, p, q, rows):  # fmt: skip
    """Solve A c = b in place from the guess `c` (n_voxels,); returns the cycles used, -1 if not converged.

    `sigma`, `dinv` (level 0) and `b` are set by the caller; `sigma_low` is a lower bound of sigma; `fixed` lists
    voxels whose value in `c` is given (there sigma, dinv and b are 0): their rows are eliminated exactly. Stops when the residual, in the norm weighted by 1/diagonal, is below
    `tol` times the right-hand side in that norm.
    """
    nz, ny, nx = dims[0]
    n = offset[1]
    nb, lanes = rows[0], rows[2]
    r0, s0, d0 = r[:n], sigma[:n], dinv[:n]
    _residual(r0, c, b, s0, nz, ny, nx, kz, ky, kx, wrap, nb)
    r0[fixed] = 0.0
    size = _weighted_square(b, d0, nx, lanes)
    for i in fixed:
        size += 2.0 * (kz + ky + kx) * c[i] * c[i]
    limit = tol * tol * size
    if size == 0.0:
        c[:] = 0.0
        return 0
    if _weighted_square(r0, d0, nx, lanes) <= limit:
        return 0
    levels = _hierarchy(kz, ky, kx, sigma_low, dims, offset, k, sigma, dinv)
    z = x[:n] if levels == 1 else t[:n]
    rz_before = 1.0
    for it in range(max_cycles):
        _cycle(levels, dims, offset, k, wrap, parents, parent_at, taps, weights, tap_at,
               sigma, dinv, x, r, t, fixed, rows)  # fmt: skip
        rz = _dot(r0, z, nx, lanes)
        beta = 0.0 if it == 0 else rz / rz_before
        rz_before = rz
        for i in range(np.uint64(n)):
            p[i] = z[i] + beta * p[i]
        curvature = _apply_dot(q, p, s0, nz, ny, nx, kz, ky, kx, wrap, nb, lanes)
        q[fixed] = 0.0
        if curvature <= 0.0:
            return it + 1
        if _update(c, r0, p, q, d0, rz / curvature, nx, lanes) <= limit:
            return it + 1
    return -1
