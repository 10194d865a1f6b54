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
from tme.kernels.stencil import lane_sum, neighbours, part

BLOCK = 256  # voxels of a row whose terms stay in the first-level cache
NEWTON_REDUCTION = 0.05  # a Newton step is solved to this part of the residual it starts from


@part
def _add_faces(sigma, b, faces, row, lo, nz, ny, nx, k0):
    """Fixed-value faces (NaN: none), half a voxel away, in a row from x = `lo` on: 2 k on the diagonal, 2 k value on the right."""
    for axis in range(3):
        for side in range(2):
            value = faces[axis, side]
            if np.isnan(value):
                continue
            place, length = (row // ny, nz) if axis == 0 else (row % ny, ny)
            first, last = 0, b.size
            if axis == 2:
                first = (0 if side == 0 else nx - 1) - lo
                last = first + 1 if 0 <= first < b.size else first
            elif place != (0 if side == 0 else length - 1):
                continue
            for j in range(first, last):
                sigma[j] += 2.0 * k0[axis]
                b[j] += 2.0 * k0[axis] * value


@part
def _linearise(c, o, b, sigma, per_dt, base, loss, source, exchange, vessel, vmax, k_m, old):
    """Fill b and sigma of the voxels from `o` on.

    Saturating uptake by its tangent at c: vmax k_m / (k_m + c)^2 to sigma, -vmax c^2 / (k_m + c)^2 to b.
    """
    n = np.uint64(b.size)
    for j in range(n):
        b[j] = per_dt * old[o + j]
        sigma[j] = base
    if source.size > 0:
        for j in range(n):
            b[j] += source[o + j]
    if loss.size > 0:
        for j in range(n):
            sigma[j] += loss[o + j]
    if exchange.size > 0:
        for j in range(n):
            b[j] += exchange[o + j] * vessel
            sigma[j] += exchange[o + j]
    if vmax.size > 0:
        for j in range(n):
            share = 1.0 / (k_m + c[o + j])
            pull = vmax[o + j] * share * share
            sigma[j] += pull * k_m
            b[j] -= pull * c[o + j] * c[o + j]


@serial
def assemble(keep, c, r, sigma, dinv, per_dt, base, k0, loss, source, exchange, vessel, vmax, k_m, old,
             fixed, faces, has_faces, shape, wrap, rows):  # fmt: skip
    """The linear system around `c`, row by row: sigma, dinv = 1 / (sigma + sum of couplings), r = b - A c.

    They are stored if `keep`, else only looked at. Returns (r . D^-1 r, b . D^-1 b, sum of b), given voxels
    counted by what they send out. `rows` (7, nx) scratch.
    """
    nz, ny, nx = shape
    s0, cursor = 2.0 * (k0[0] + k0[1] + k0[2]), 0
    left, rest, size, gain = rows[0, :nx], rows[1, :nx], rows[2, :nx], rows[3, :nx]
    rest[:] = 0.0
    size[:] = 0.0
    gain[:] = 0.0
    for row in range(nz * ny):
        neighbours(c, row, nz, ny, nx, k0[0], k0[1], k0[2], wrap, left)
        for lo in range(0, nx, BLOCK):
            m = min(BLOCK, nx - lo)
            b, s, d = rows[4, :m], rows[5, :m], rows[6, :m]
            o, x, n = np.uint64(row * nx + lo), np.uint64(lo), np.uint64(m)
            _linearise(c, o, b, s, per_dt, base, loss, source, exchange, vessel, vmax, k_m, old)
            if has_faces:
                _add_faces(s, b, faces, row, lo, nz, ny, nx, k0)
            for j in range(n):
                d[j] = 1.0 / (s[j] + s0)
                left[x + j] = b[j] - (s[j] + s0) * c[o + j] + left[x + j]
            while cursor < fixed.size and fixed[cursor] < row * nx + lo + m:
                at = fixed[cursor] - row * nx - lo
                b[at], s[at], d[at], left[lo + at] = 0.0, 0.0, 0.0, 0.0
                cursor += 1
            for j in range(n):
                rest[x + j] += left[x + j] * left[x + j] * d[j]
                size[x + j] += b[j] * b[j] * d[j]
                gain[x + j] += b[j]
            if keep:
                for j in range(n):
                    r[o + j] = left[x + j]
                    sigma[o + j] = s[j]
                    dinv[o + j] = d[j]
    total = lane_sum(size)
    for i in fixed:
        total += s0 * c[i] * c[i]
    return lane_sum(rest), total, lane_sum(gain)


def step(c, per_dt, decay, k0, tol, max_cycles, outer, loss, source, exchange, vessel, vmax, k_m,
         old, fixed, fixed_value, faces, has_faces,
         dims, offset, k, wrap, parents, parent_at, sigma, dinv, x, r, t, p, rows):  # fmt: skip
    """Advance `c` (n_voxels,) float64 in place; returns the cycles used, -1 if a solve did not converge.

    With saturating uptake up to `outer` Newton steps are taken. Uptake is concave, so its tangent lies above
    it: a step from anywhere lands on a subsolution, clipping at zero keeps it one, and from there the
    iterates rise to the solution. `old` (n_voxels,) is scratch for a step in time with saturating uptake, else
    never looked at.
    """
    n, base, saturating = c.size, per_dt + decay, vmax.size > 0
    before = c
    if saturating and per_dt > 0.0:
        old[:] = c
        before = old
    if fixed.size > 0:
        c[fixed] = fixed_value
    reduction = NEWTON_REDUCTION if saturating else 0.0
    r0, s0, d0 = r[:n], sigma[:n], dinv[:n]
    terms = (per_dt, base, k0, loss, source, exchange, vessel, vmax, k_m, before, fixed, faces, has_faces, dims[0], wrap, rows)
    total = 0
    for turn in range(outer if saturating else 1):
        if turn > 0:  # most often the last look, which need not store what it sees
            rest, size, _ = assemble(False, c, r0, s0, d0, *terms)
            if size > 0.0 and rest <= tol * tol * size:
                return total
        rest, size, gain = assemble(True, c, r0, s0, d0, *terms)
        used = solve(c, k0[0], k0[1], k0[2], base, tol, reduction, max_cycles, rest, size,
                     dims, offset, k, wrap, parents, parent_at, sigma, dinv, x, r, t, p, rows)  # fmt: skip
        if used < 0:
            return -1
        total += used
        if used == 0:
            break
    if saturating and used > 0:
        return -1
    if fixed.size == 0 and exchange.size == 0 and not saturating and not has_faces:
        _balance(c, s0, gain, rows[2, : dims[0, 2]])
    return total


@serial
def _balance(c, sigma, gain, lanes):
    """Scale a closed system so that losses equal gains: sum(sigma c) = `gain`."""
    lanes[:] = 0.0
    n = np.uint64(lanes.size)
    for row in range(c.size // lanes.size):
        o = np.uint64(row * lanes.size)
        for j in range(n):
            lanes[j] += sigma[o + j] * c[o + j]
    lost = lane_sum(lanes)
    if lost > 0.0 and gain > 0.0:
        scale = gain / lost
        for i in range(np.uint64(c.size)):
            c[i] *= scale
