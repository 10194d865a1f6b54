"""Conjugate gradients on one colour of the lattice, for fields whose losses rein in diffusion.

The system is that of `multigrid`, without given voxels, fixed faces or periodic axes. Colour the voxels like
a chessboard: each colour touches only the other, so black is eliminated exactly and CG runs on red. With rho
the largest ratio of couplings to diagonal the condition number falls from (1 + rho)/(1 - rho) to
1/(1 - rho^2), which halves the iterations; each costs one pass.

Concentrations and residuals are float64; the correction is found in float32, normalised, in as many rounds
as the tolerance needs (iterative refinement: Higham 2002, Accuracy and Stability of Numerical Algorithms,
ch. 12). One fused pass makes an iteration: while a row gets its new direction, the row `lag` behind gets the
black values and the row 2 `lag` behind the product. Sums run in a fixed shape (one lane per x, then along
x), on one thread.

Red voxels of row (z, y) are x = 2 j + parity, parity = (z + y) mod 2. Half lattices are stored flat: a row is
a zero, h = (nx + 1) // 2 entries and zeros up to `width`; zero rows (in 3D: planes) lie before, between and after the planes, so
that every neighbour is at a fixed distance and what is beyond a wall reads 0. Planes are an odd number of
rows apart, so parity is that of the flat row.
"""

from __future__ import annotations

import math

import numpy as np

from tme.kernels.jit import serial
from tme.kernels.memory import rows as spread
from tme.kernels.stencil import lane_sum, neighbours, part

ROUND = 1e-5  # how far one float32 round may reduce the residual
ROUNDS = 60
CHUNK = 640  # entries in flight per array, about: eight of them fill a first-level cache
VECTORS = 64  # entries of a loop's turn: four vectors of 16
_W, _E, _U, _R, _P, _Q, _S, _T = range(8)  # sqrt(1/diag), k^2/diag, correction, residual, direction, ...


class Scratch:
    """Half lattices for one lattice (nz, ny, nx); no state between solves but the zeros of the padding."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        nz, ny, nx = shape
        h = (nx + 1) // 2
        step = VECTORS // 4 if h < 256 else VECTORS // 2
        width = -(-(h + 1) // step) * step
        unit = math.lcm(2 * width, VECTORS)  # every loop over a chunk then ends with a whole vector
        plane = ny if nz == 1 else ny + 1 + ny % 2
        lead = 2 if nz == 1 else plane + plane % 2  # even, so that the parity of a flat row is its own
        chunk = unit * max(1, CHUNK // unit)
        last = (lead + nz * plane) * width
        reach = (1 if nz == 1 else plane) * width
        n_chunks = -(-(last - lead * width) // chunk)
        lag = -(-(reach + 1) // chunk)
        many = max(1, 1024 // nx)  # rows of the full lattice in flight
        size = lead * width + (n_chunks + 1) * chunk + 2 * reach + 2
        self.layout = np.array([nz, ny, nx, width, plane, lead, chunk, n_chunks, lag, many], np.int64)
        self.half = spread(8, size, np.float32)
        self.half64 = spread(2, size)
        self.rows32 = spread(3, chunk, np.float32)
        self.rows = spread(8, many * nx)
        self.inv = spread(1, many * nx, np.float32)[0]
        # 1 where the row of this place of a chunk is even
        self.even = np.repeat(np.arange(chunk // width) % 2 == 0, width).astype(np.float32)

    def arrays(self) -> tuple:
        """What `step` takes, in its order."""
        return self.layout, self.half, self.half64, self.rows32, self.rows, self.inv, self.even


@part
def _equation(lo, m, first, c, b, k, s0, per_dt, base, loss, source, exchange, vessel, layout, wrap, rows, inv):
    """Residual (rows[1]) and 1/diagonal (inv) of the `m` rows from `lo`; their `b` when `first`.

    Adds to the lanes rows[4:8]: residual^2/diagonal, b^2/diagonal, and what `step` balances in a closed system
    (without `exchange`): gains b when `first`, losses. Loops are short because a loop over more than a few
    arrays needs more checks that they do not overlap than LLVM makes, and is then not made of vectors.
    """
    nz, ny, nx = layout[0], layout[1], layout[2]
    kx, ky, kz = (k if nx > 1 else 0.0), (k if ny > 1 else 0.0), (k if nz > 1 else 0.0)
    nb, res, sink, rest, size, gains, losses = rows[0], rows[1], rows[2], rows[4], rows[5], rows[6], rows[7]
    o, n, width, one = np.uint64(lo * nx), np.uint64(m * nx), np.uint64(nx), np.uint64(1)
    if loss.size > 0:
        for j in range(n):
            v = base + loss[o + j]
            sink[j] = v
            losses[j] += v * c[o + j]
    else:
        for j in range(n):
            sink[j] = base
            losses[j] += base * c[o + j]
    if first and source.size > 0:
        for j in range(n):
            v = per_dt * c[o + j] + source[o + j]
            b[o + j] = v
            gains[j] += v
    elif first:
        for j in range(n):
            v = per_dt * c[o + j]
            b[o + j] = v
            gains[j] += v
    if exchange.size > 0:
        for j in range(n):
            sink[j] += exchange[o + j]
        if first:
            for j in range(n):
                b[o + j] += exchange[o + j] * vessel
    # a wall counts as a copy of the voxel, so the couplings `s0` are whole; the true diagonal lacks them
    for i in range(m):
        at = np.uint64(i * nx)
        neighbours(c, lo + i, nz, ny, nx, kz, ky, kx, wrap, nb[at : at + width])
    for j in range(n):
        res[j] = b[o + j] - (sink[j] + s0) * c[o + j] + nb[j]
    for i in range(m):
        at, y, z = np.uint64(i * nx), (lo + i) % ny, (lo + i) // ny
        if nx > 1:
            sink[at] -= kx
            sink[at + width - one] -= kx
        walls = ky * (int(y == 0) + int(y == ny - 1)) + kz * (int(z == 0) + int(z == nz - 1))
        if walls > 0.0:
            for j in range(width):
                sink[at + j] -= walls
    for j in range(n):
        v = np.float32(1.0) / np.float32(sink[j] + s0)
        inv[j] = v
        size[j] += b[o + j] * b[o + j] * v
    for j in range(n):
        rest[j] += res[j] * res[j] * inv[j]


@part
def _split(parity, start, h, k, res, inv, half, half64):
    """Deal one row out to the colours: raw residual and w for red, own correction and e for black."""
    at, two, one = np.uint64(start), np.uint64(2), np.uint64(1)
    w, e, raw, black = half[_W], half[_E], half64[0], half64[1]
    kk = np.float32(k * k)
    if parity == 0:
        for j in range(np.uint64(h)):
            a, b, x, y = res[two * j], res[two * j + one], inv[two * j], inv[two * j + one]
            raw[at + j], w[at + j], black[at + j], e[at + j] = a, np.sqrt(x), b * y, kk * y
    else:
        for j in range(np.uint64(h)):
            a, b, x, y = res[two * j], res[two * j + one], inv[two * j], inv[two * j + one]
            raw[at + j], w[at + j], black[at + j], e[at + j] = b, np.sqrt(y), a * x, kk * x


@part
def _place(row, ny, width, plane, lead):
    """(parity, index of its first entry) of a lattice row z * ny + y."""
    flat = lead + row // ny * plane + row % ny
    return flat % 2, flat * width + 1


@part
def _fold(lanes, n, nx):
    """Sum of `n` lanes: a row of them first, then along x."""
    for at in range(nx, n, nx):
        o = np.uint64(at)
        for j in range(np.uint64(nx)):
            lanes[j] += lanes[o + j]
    return lane_sum(lanes[:nx])


@serial
def _begin(first, c, b, k, per_dt, base, loss, source, exchange, vessel, layout, wrap, half, half64, rows, inv):
    """Residual of the guess, by colours; returns its square (norm 1/diagonal), that of b, gains, losses."""
    nz, ny, nx, width, plane, lead = layout[0], layout[1], layout[2], layout[3], layout[4], layout[5]
    h, n_rows, lag, many = (nx + 1) // 2, nz * ny, 1 if nz == 1 else ny, layout[9]
    s0 = 2.0 * k * (int(nx > 1) + int(ny > 1) + int(nz > 1))
    rows[4:] = 0.0
    black, raw = half64[1], half64[0]
    wide, deep, done = np.uint64(width), np.uint64(plane * width), 0
    for lo in range(0, n_rows, many):
        m = min(many, n_rows - lo)
        _equation(lo, m, first, c, b, k, s0, per_dt, base, loss, source, exchange, vessel, layout, wrap,
                  rows, inv)  # fmt: skip
        for i in range(m):
            parity, at = _place(lo + i, ny, width, plane, lead)
            _split(parity, at, nx // 2, k, rows[1, i * nx :], inv[i * nx :], half, half64)
            if nx % 2 == 1:
                _last(parity, at + h - 1, k, rows[1, i * nx + nx - 1], inv[i * nx + nx - 1], half, half64)
        end = lo + m - lag if lo + m < n_rows else n_rows
        for row in range(done, end):
            parity, at = _place(row, ny, width, plane, lead)
            o, side = np.uint64(at), np.uint64(at - 1 + 2 * parity)
            for j in range(np.uint64(h)):
                raw[o + j] += k * (black[o + j] + black[side + j] + black[o + j - wide] + black[o + j + wide])
            if nz > 1:
                for j in range(np.uint64(h)):
                    raw[o + j] += k * (black[o + j - deep] + black[o + j + deep])
        done = max(done, end)
    n = many * nx
    return _fold(rows[4], n, nx), _fold(rows[5], n, nx), _fold(rows[6], n, nx), _fold(rows[7], n, nx)


@part
def _last(parity, at, k, res, inv, half, half64):
    """The last voxel of an odd row: it is red or black with its row, the other colour has none."""
    red = parity == 0
    half64[0, at] = res if red else 0.0
    half[_W, at] = np.sqrt(inv) if red else np.float32(0.0)
    half64[1, at] = 0.0 if red else res * inv
    half[_E, at] = np.float32(0.0) if red else np.float32(k * k) * inv


@part
def _colour(src, weight, start, even, far, width, deep, out):
    """out = weight * (sum of the neighbours of each entry); `far`: on which side they lie in even rows."""
    one, n = np.uint64(1), np.uint64(even.size)
    for j in range(n):
        i = start + j
        x = src[i + one] if (even[j] > np.float32(0.5)) == far else src[i - one]
        out[i] = weight[i] * ((src[i] + x) + (src[i - width] + src[i + width]))
    if deep > 0:
        for j in range(n):
            i = start + j
            out[i] += weight[i] * (src[i - deep] + src[i + deep])


@serial
def _pass(first, scale, alpha, beta, layout, half, raw, rows, even):
    """One iteration's pass; returns (r . r, p . A p, A p . A p)."""
    width, chunk, n_chunks, lag = layout[3], layout[6], layout[7], layout[8]
    begin, wide = layout[5] * width, np.uint64(width)
    deep = np.uint64(layout[4] * width if layout[0] > 1 else 0)
    w, e, u, r, p, q, s, t = half[0], half[1], half[2], half[3], half[4], half[5], half[6], half[7]
    rr, pq, qq = rows[0], rows[1], rows[2]
    rows[:3] = np.float32(0.0)
    n = np.uint64(chunk)
    a, be = np.float32(alpha), np.float32(beta)
    for step in range(n_chunks + 2 * lag):
        if step < n_chunks:
            o = np.uint64(begin + step * chunk)
            if first:
                for j in range(n):
                    r[o + j] = np.float32(scale * raw[o + j]) * w[o + j]
                for j in range(n):
                    p[o + j] = r[o + j]
                    s[o + j] = w[o + j] * r[o + j]
                    u[o + j] = np.float32(0.0)
            else:
                for j in range(n):
                    u[o + j] += a * p[o + j]
                    r[o + j] -= a * q[o + j]
                for j in range(n):
                    x = r[o + j] + be * p[o + j]
                    p[o + j] = x
                    s[o + j] = w[o + j] * x
            for j in range(n):
                rr[j] += r[o + j] * r[o + j]
        if lag <= step < n_chunks + lag:
            _colour(s, e, np.uint64(begin + (step - lag) * chunk), even, True, wide, deep, t)
        if step >= 2 * lag:
            o = np.uint64(begin + (step - 2 * lag) * chunk)
            _colour(t, w, o, even, False, wide, deep, q)
            for j in range(n):
                x = p[o + j] - q[o + j]
                q[o + j] = x
                pq[j] += p[o + j] * x
                qq[j] += x * x
    return _sum32(rr), _sum32(pq), _sum32(qq)


@part
def _sum32(lanes):
    total = 0.0
    for j in range(lanes.size):
        total += np.float64(lanes[j])
    return total


@serial
def _finish(c, k, scale, alpha, base, loss, layout, half, half64, rows, even):
    """Add the correction of both colours to `c`, not below zero; returns sum of losses."""
    nz, ny, nx, width, plane, lead = layout[0], layout[1], layout[2], layout[3], layout[4], layout[5]
    chunk, n_chunks, lag = layout[6], layout[7], layout[8]
    two, n = np.uint64(2), np.uint64(chunk)
    deep = np.uint64(plane * width if nz > 1 else 0)
    w, e, u, p, s, t, black = half[_W], half[_E], half[_U], half[_P], half[_S], half[_T], half64[1]
    a, per_k = np.float32(alpha), 1.0 / (k * scale)
    for step in range(n_chunks + lag):
        if step < n_chunks:
            o = np.uint64(lead * width + step * chunk)
            for j in range(n):
                s[o + j] = w[o + j] * (u[o + j] + a * p[o + j])
        if step >= lag:
            o = np.uint64(lead * width + (step - lag) * chunk)
            _colour(s, e, o, even, True, np.uint64(width), deep, t)
    add, lanes, back, many = rows[0], rows[7], 1.0 / scale, layout[9]
    lanes[:] = 0.0
    for lo in range(0, nz * ny, many):
        m = min(many, nz * ny - lo)
        for i in range(m):
            parity, at = _place(lo + i, ny, width, plane, lead)
            o, to = np.uint64(at), np.uint64(i * nx)
            red, other = to + np.uint64(parity), to + np.uint64(1 - parity)
            for j in range(np.uint64(nx // 2)):
                add[red + two * j] = back * s[o + j]
                add[other + two * j] = black[o + j] + per_k * t[o + j]
            if nx % 2 == 1:
                j = np.uint64(nx // 2)
                add[to + two * j] = back * s[o + j] if parity == 0 else black[o + j] + per_k * t[o + j]
        o, count = np.uint64(lo * nx), np.uint64(m * nx)
        for j in range(count):
            c[o + j] = max(c[o + j] + add[j], 0.0)
        if loss.size > 0:
            for j in range(count):
                lanes[j] += (base + loss[o + j]) * c[o + j]
        else:
            for j in range(count):
                lanes[j] += base * c[o + j]
    return _fold(lanes, many * nx, nx)


def step(c, per_dt, decay, k, tol, max_passes, loss, source, exchange, vessel, wrap, b,
         layout, half, half64, rows32, rows, inv, even):  # fmt: skip
    """Advance `c` (n_voxels,) in place; returns the passes used.

    -1 if the first round failed, `c` as it was; -2 if a later one did. Arguments as in `diffusion.step`;
    `k` = D/dx^2 couples every pair of neighbours. Stops when the residual in the norm weighted by 1/diagonal
    is below `tol` times the right-hand side. A closed system (no exchange) is scaled so that its losses equal
    its gains. A Python loop over three kernels, which compile sooner than one.
    """
    base, used, gain, lost, floor, done = per_dt + decay, 0, 0.0, 0.0, ROUND * ROUND, False
    raw = half64[0]
    for turn in range(ROUNDS):
        rest, size, total, lost = _begin(turn == 0, c, b, k, per_dt, base, loss, source, exchange, vessel,
                                         layout, wrap, half, half64, rows, inv)  # fmt: skip
        if turn == 0:
            gain = total
        if size == 0.0:
            c[:] = 0.0
            return 0
        goal = tol * tol * size / rest if rest > 0.0 else 1.0
        done = goal >= 1.0
        if done:
            break
        scale, alpha, beta, left = rest**-0.5, 0.0, 0.0, 1.0
        for i in range(max_passes):
            rr, pq, qq = _pass(i == 0, scale, alpha, beta, layout, half, raw, rows32, even)
            used += 1
            alpha = rr / pq if pq > 0.0 else 0.0
            left = max(alpha * alpha * qq - rr, 0.0)  # |r - alpha q|^2, for r . q = p . q
            if left <= max(goal, floor) or alpha == 0.0:
                break
            beta = left / rr
        if turn == 0 and not left <= max(goal, floor):
            return -1
        lost = _finish(c, k, scale, alpha, base, loss, layout, half, half64, rows, even)
        done = left <= goal and goal > floor
        if done:
            break
    if not done:
        return -2
    if exchange.size == 0 and lost > 0.0 and gain > 0.0 and gain != lost:
        c *= gain / lost
    return used
