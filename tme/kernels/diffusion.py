"""From a field's equation to its linear system, and what is done to the solution.

    dc/dt = D lap c - k_decay c - loss(x) c - vmax(x) c / (k_m + c) + source(x) + exchange(x) (vessel - c)

Backward Euler adds 1/dt to the diagonal and c_old/dt to the right-hand side; quasi-steady leaves them out.
Saturating uptake enters by its tangent at the last iterate, which keeps an M-matrix. An array of length 0
means that the term is absent.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial
from tme.kernels.multigrid import solve
from tme.kernels.stencil import lane_sum, part

NEWTON_REDUCTION = 0.05  # a Newton step is solved to this part of the residual it starts from


@part
def add_faces(sigma, b, dinv, faces, dims, k0, s0):
    """Fixed-value faces (NaN: none), half a voxel away: 2 k on the diagonal, 2 k value on the right."""
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
                    dinv[v] = 1.0 / (sigma[v] + s0)


@part
def _linearise(c, b, sigma, dinv, per_dt, base, s0, loss, source, exchange, vessel, vmax, k_m, old):
    """Fill b, sigma and dinv = 1 / (sigma + sum of couplings), row by row so that each stays in cache.

    Saturating uptake by its tangent at c: vmax k_m / (k_m + c)^2 to sigma, -vmax c^2 / (k_m + c)^2 to b.
    """
    block = 256
    for lo in range(0, b.size, block):
        first, last = np.uint64(lo), np.uint64(min(lo + block, b.size))
        for i in range(first, last):
            b[i] = per_dt * old[i]
            sigma[i] = base
        if source.size > 0:
            for i in range(first, last):
                b[i] += source[i]
        if loss.size > 0:
            for i in range(first, last):
                sigma[i] += loss[i]
        if exchange.size > 0:
            for i in range(first, last):
                b[i] += exchange[i] * vessel
                sigma[i] += exchange[i]
        if vmax.size > 0:
            for i in range(first, last):
                share = 1.0 / (k_m + c[i])
                pull = vmax[i] * share * share
                sigma[i] += pull * k_m
                b[i] -= pull * c[i] * c[i]
        for i in range(first, last):
            dinv[i] = 1.0 / (sigma[i] + s0)


@serial
def _prepare(c, b, sigma, dinv, per_dt, base, k0, loss, source, exchange, vessel, vmax, k_m, old,
             fixed, faces, has_faces, dims):  # fmt: skip
    """The linear system around `c`, given faces and voxels included."""
    s0 = 2.0 * (k0[0] + k0[1] + k0[2])
    _linearise(c, b, sigma, dinv, per_dt, base, s0, loss, source, exchange, vessel, vmax, k_m, old)
    if has_faces:
        add_faces(sigma, b, dinv, faces, dims, k0, s0)
    for i in fixed:
        b[i] = 0.0
        sigma[i] = 0.0
        dinv[i] = 0.0


def step(c, per_dt, decay, k0, tol, max_cycles, outer, loss, source, exchange, vessel, vmax, k_m,
         old, fixed, fixed_value, faces, has_faces,
         dims, offset, k, wrap, parents, parent_at, sigma, dinv, x, r, t, b, p, q, rows):  # fmt: skip
    """Advance `c` (n_voxels,) float64 in place; returns the cycles used, -1 if a solve did not converge.

    With saturating uptake up to `outer` Newton steps are taken. Uptake is concave, so its tangent lies above
    it: a step from anywhere lands on a subsolution, clipping at zero keeps it one, and from there the
    iterates rise to the solution.
    """
    base, saturating = per_dt + decay, vmax.size > 0
    before = c
    if saturating:
        old[:] = c
        before = old
    if fixed.size > 0:
        c[fixed] = fixed_value
    reduction = NEWTON_REDUCTION if saturating else 0.0
    n = c.size
    total, used = 0, -1
    for _ in range(outer if saturating else 1):
        _prepare(c, b, sigma[:n], dinv[:n], per_dt, base, k0, loss, source, exchange, vessel, vmax, k_m, before,
                 fixed, faces, has_faces, dims)  # fmt: skip
        used = solve(c, k0[0], k0[1], k0[2], base, tol, reduction, max_cycles, fixed,
                     dims, offset, k, wrap, parents, parent_at, sigma, dinv, x, r, t, b, p, q,
                     rows)  # fmt: skip
        if used < 0:
            return -1
        total += used
        if used == 0:
            break
    if saturating and used > 0:
        return -1
    if fixed.size == 0 and exchange.size == 0 and not saturating and not has_faces:
        nx = dims[0, 2]
        _balance(c, sigma[:n], b, rows[1, :nx], rows[2, :nx])
    return total


@serial
def _balance(c, sigma, b, gains, losses):
    """Scale a closed system so that losses equal gains: sum(sigma c) = sum(b)."""
    gains[:] = 0.0
    losses[:] = 0.0
    n = np.uint64(gains.size)
    for row in range(b.size // gains.size):
        o = np.uint64(row * gains.size)
        for j in range(n):
            gains[j] += b[o + j]
        for j in range(n):
            losses[j] += sigma[o + j] * c[o + j]
    gain, lost = lane_sum(gains), lane_sum(losses)
    if lost > 0.0 and gain > 0.0:
        scale = gain / lost
        for i in range(np.uint64(c.size)):
            c[i] *= scale
