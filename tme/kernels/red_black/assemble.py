"""Assembly of a round: the residual of the present guess and the diagonal, distributed over the two colours, in bands of rows."""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial
from tme.kernels.stencil import lane_sum, neighbours, part

# half lattices: sqrt(1/diagonal), k^2/diagonal, correction, residual, direction, its product, and of black values two
W, E, U, R, P, Q, S, T = range(8)


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
    """Distribute one row over the colours: raw residual and w for red, own correction and e for black."""
    at, two, one = np.uint64(start), np.uint64(2), np.uint64(1)
    w, e, raw, black = half[W], half[E], half64[0], half64[1]
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
def place(row, ny, width, plane, lead):
    """(parity, index of its first entry) of a lattice row z * ny + y."""
    flat = lead + row // ny * plane + row % ny
    return flat % 2, flat * width + 1


@part
def fold(lanes, n, nx):
    """Sum of `n` lanes: a row of them first, then along x."""
    for at in range(nx, n, nx):
        o = np.uint64(at)
        for j in range(np.uint64(nx)):
            lanes[j] += lanes[o + j]
    return lane_sum(lanes[:nx])


@part
def band_rows(band, layout):
    """First and last + 1 row of a band: whole loads of `many` rows."""
    n_rows, many, bands = layout[0] * layout[1], layout[9], layout[10]
    loads = (n_rows + many - 1) // many
    return loads * band // bands * many, min(loads * (band + 1) // bands * many, n_rows)


@part
def _from_black(lo, hi, k, layout, half64):
    """Add the black corrections of the neighbours to the red residuals of rows `lo` to `hi`."""
    nz, ny, nx, width, plane, lead = layout[0], layout[1], layout[2], layout[3], layout[4], layout[5]
    black, raw = half64[1], half64[0]
    wide, deep, h = np.uint64(width), np.uint64(plane * width), np.uint64((nx + 1) // 2)
    for row in range(lo, hi):
        parity, at = place(row, ny, width, plane, lead)
        o, side = np.uint64(at), np.uint64(at - 1 + 2 * parity)
        for j in range(h):
            raw[o + j] += k * (black[o + j] + black[side + j] + black[o + j - wide] + black[o + j + wide])
        if nz > 1:
            for j in range(h):
                raw[o + j] += k * (black[o + j - deep] + black[o + j + deep])


@serial
def assemble(band_lo, band_hi, first, c, b, k, per_dt, base, loss, source, exchange, vessel, layout, wrap, half, half64,
           all_rows, all_inv, sums):  # fmt: skip
    """Residual of the guess, by colours, in some bands; `sums` of a band: its square (norm 1/diagonal), that of b, gains, losses.

    Rows near a cut are completed by `assemble_cuts`.
    """
    nz, ny, nx, width, plane, lead = layout[0], layout[1], layout[2], layout[3], layout[4], layout[5]
    h, lag, many, bands = (nx + 1) // 2, 1 if nz == 1 else ny, layout[9], layout[10]
    s0 = 2.0 * k * (int(nx > 1) + int(ny > 1) + int(nz > 1))
    for band in range(band_lo, band_hi):
        rows, inv = all_rows[8 * band : 8 * band + 8], all_inv[band]
        top, stop = band_rows(band, layout)
        rows[4:] = 0.0
        done = top if band == 0 else top + lag
        for lo in range(top, stop, many):
            m = min(many, stop - lo)
            _equation(lo, m, first, c, b, k, s0, per_dt, base, loss, source, exchange, vessel, layout, wrap,
                      rows, inv)  # fmt: skip
            for i in range(m):
                parity, at = place(lo + i, ny, width, plane, lead)
                _split(parity, at, nx // 2, k, rows[1, i * nx :], inv[i * nx :], half, half64)
                if nx % 2 == 1:
                    _last(parity, at + h - 1, k, rows[1, i * nx + nx - 1], inv[i * nx + nx - 1], half, half64)
            end = stop if lo + m == stop and band == bands - 1 else lo + m - lag
            _from_black(done, end, k, layout, half64)
            done = max(done, end)
        n = many * nx
        for j in range(4):
            sums[band, j] = fold(rows[4 + j], n, nx)


@serial
def assemble_cuts(cut_lo, cut_hi, k, layout, half64):
    """Finish the rows near some of the cuts."""
    lag = 1 if layout[0] == 1 else layout[1]
    for band in range(cut_lo + 1, cut_hi + 1):
        cut, _ = band_rows(band, layout)
        _from_black(cut - lag, cut + lag, k, layout, half64)


@part
def _last(parity, at, k, res, inv, half, half64):
    """The last voxel of an odd row: it is red or black with its row, the other colour has none."""
    red = parity == 0
    half64[0, at] = res if red else 0.0
    half[W, at] = np.sqrt(inv) if red else np.float32(0.0)
    half64[1, at] = 0.0 if red else res * inv
    half[E, at] = np.float32(0.0) if red else np.float32(k * k) * inv


@serial
def totals(sums, n):
    """Sums of the four columns over the first `n` bands and cuts."""
    a, b, c, d = sums[0, 0], sums[0, 1], sums[0, 2], sums[0, 3]
    for i in range(1, n):
        a, b, c, d = a + sums[i, 0], b + sums[i, 1], c + sums[i, 2], d + sums[i, 3]
    return a, b, c, d
