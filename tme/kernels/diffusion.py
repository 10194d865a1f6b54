"""From a field's equation to its linear system, and what is done to the solution.

    dc/dt = D lap c - k_decay c - loss(x) c - vmax(x) c / (k_m + c) + source(x) + exchange(x) (vessel - c)

Backward Euler adds 1/dt to the diagonal and c_old/dt to the right-hand side; quasi-steady leaves them out.
Saturating uptake enters as vmax / (k_m + c) with c from the last iterate, which keeps an M-matrix. An array of
length 0 means that the term is absent.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial
from tme.kernels.multigrid import _dot, _lane_sum, solve


@serial
def assemble_rhs(b, old, per_dt, source, exchange, vessel):
    """b = c_old / dt + source + exchange * vessel, all per min."""
    n = np.uint64(b.size)
    for i in range(n):
        b[i] = per_dt * old[i]
    if source.size > 0:
        for i in range(n):
            b[i] += source[i]
    if exchange.size > 0:
        for i in range(n):
            b[i] += exchange[i] * vessel


@serial
def assemble_sigma(sigma, base, loss, exchange, vmax, k_m, c):
    """sigma = 1/dt + k_decay + loss + exchange + vmax / (k_m + c), per min."""
    n = np.uint64(sigma.size)
    for i in range(n):
        sigma[i] = base
    if loss.size > 0:
        for i in range(n):
            sigma[i] += loss[i]
    if exchange.size > 0:
        for i in range(n):
            sigma[i] += exchange[i]
    if vmax.size > 0:
        for i in range(n):
            sigma[i] += vmax[i] / (k_m + c[i])


@serial
def add_faces(sigma, b, faces, dims, k0):
    """Fixed-value faces: half a voxel away, so 2 k on the diagonal and 2 k value on the right. NaN: no such face."""
    nz, ny, nx = dims[0]
    shape = dims[0]
    for axis in range(3):
        for side in range(2):
            value = faces[axis, side]
            if np.isnan(value):
                continue
            at = 0 if side == 0 else shape[axis] - 1
            for u in range(ny if axis == 0 else nz):
                for w in range(ny if axis == 2 else nx):
                    z, y, x = (at, u, w) if axis == 0 else ((u, at, w) if axis == 1 else (u, w, at))
                    v = (z * ny + y) * nx + x
                    sigma[v] += 2.0 * k0[axis]
                    b[v] += 2.0 * k0[axis] * value


@serial
def step(c, per_dt, decay, k0, tol, max_cycles, outer, loss, source, exchange, vessel, vmax, k_m,
         fixed, fixed_value, faces, has_faces,
         dims, offset, k, wrap, parents, parent_at, taps, weights, tap_at,
         sigma, dinv, x, r, t, b, p, q, rows):  # fmt: skip
    """Advance `c` (n_voxels,) float64 in place; returns the cycles used, -1 if a solve did not converge."""
    nx = dims[0, 2]
    n = offset[1]
    s0 = 2.0 * (k0[0] + k0[1] + k0[2])
    base = per_dt + decay
    assemble_rhs(b, c, per_dt, source, exchange, vessel)
    if has_faces:
        add_faces(sigma, b, faces, dims, k0)
    b[fixed] = 0.0
    for i in range(fixed.size):
        c[fixed[i]] = fixed_value
    total = 0
    for turn in range(outer if vmax.size > 0 else 1):
        assemble_sigma(sigma[:n], base, loss, exchange, vmax, k_m, c)
        if has_faces:
            add_faces(sigma, q, faces, dims, k0)
        for i in range(np.uint64(n)):
            dinv[i] = 1.0 / (sigma[i] + s0)
        sigma[fixed] = 0.0
        dinv[fixed] = 0.0
        used = solve(c, k0[0], k0[1], k0[2], base, tol, max_cycles, fixed,
                     dims, offset, k, wrap, parents, parent_at, taps, weights, tap_at,
                     sigma, dinv, x, r, t, b, p, q, rows)  # fmt: skip
        for i in range(np.uint64(n)):
            c[i] = max(c[i], 0.0)
        if used < 0:
            return -1
        total += used
        if used == 0 and turn > 0:
            break
    if fixed.size == 0 and exchange.size == 0 and not has_faces:
        _balance(c, sigma[:n], b, nx, rows[2])
    return total


@serial
def _balance(c, sigma, b, nx, lanes):
    """Scale a closed system so that losses equal gains: sum(sigma c) = sum(b)."""
    lanes[:] = 0.0
    n = np.uint64(nx)
    for row in range(b.size // nx):
        o = np.uint64(row * nx)
        for j in range(n):
            lanes[j] += b[o + j]
    gain = _lane_sum(lanes)
    lost = _dot(sigma, c, nx, lanes)
    if lost > 0.0 and gain > 0.0:
        scale = gain / lost
        for i in range(np.uint64(c.size)):
            c[i] *= scale
