"""Iterations of a round and its end, in bands of chunks; chunks near a cut are done separately."""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial
from tme.kernels.red_black.assemble import E, P, Q, R, S, T, U, W, band_rows, fold, place
from tme.kernels.stencil import part


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


@part
def _step_on(first, scale, a, be, o, w, u, r, p, q, s, raw, rr, n):
    """One chunk, from `o` on: step along the direction, the next direction, and s = w p for the black values."""
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


@part
def _product(o, w, p, q, t, even, width, deep, pq, qq, n):
    """One chunk of q = A p, from the black values in t; p . q and q . q into their lanes."""
    _colour(t, w, o, even, False, width, deep, q)
    for j in range(n):
        x = p[o + j] - q[o + j]
        q[o + j] = x
        pq[j] += p[o + j] * x
        qq[j] += x * x


@serial
def iterate(band_lo, band_hi, first, scale, alpha, beta, layout, half, raw, rows, even, sums):
    """One iteration's pass over some bands; `sums` of a band: r . r, p . A p, A p . A p.

    Of a band the black values end `lag` chunks, the products 2 `lag` chunks before a cut, and so they begin.
    """
    width, chunk, n_chunks, lag, bands = layout[3], layout[6], layout[7], layout[8], layout[10]
    begin, wide = layout[5] * width, np.uint64(width)
    deep = np.uint64(layout[4] * width if layout[0] > 1 else 0)
    n = np.uint64(chunk)
    a, be = np.float32(alpha), np.float32(beta)
    w, e, u, r, p, q, s, t = half[W], half[E], half[U], half[R], half[P], half[Q], half[S], half[T]
    for band in range(band_lo, band_hi):
        rr, pq, qq = rows[3 * band], rows[3 * band + 1], rows[3 * band + 2]
        rows[3 * band : 3 * band + 3] = np.float32(0.0)
        lo, hi = n_chunks * band // bands, n_chunks * (band + 1) // bands
        back, ahead = 0 if band == 0 else lag, 0 if band == bands - 1 else lag
        for step in range(lo, hi + 2 * lag):
            if step < hi:
                _step_on(first, scale, a, be, np.uint64(begin + step * chunk), w, u, r, p, q, s, raw, rr, n)
            i = step - lag
            if lo + back <= i < hi - ahead:
                _colour(s, e, np.uint64(begin + i * chunk), even, True, wide, deep, t)
            i -= lag
            if lo + 2 * back <= i < hi - 2 * ahead:
                _product(np.uint64(begin + i * chunk), w, p, q, t, even, wide, deep, pq, qq, n)
        sums[band, 0], sums[band, 1], sums[band, 2] = _sum32(rr), _sum32(pq), _sum32(qq)


@serial
def iterate_cuts(cut_lo, cut_hi, layout, half, rows, even, sums):
    """Complete `iterate` near some of the cuts, with its sums."""
    width, chunk, n_chunks, lag, bands = layout[3], layout[6], layout[7], layout[8], layout[10]
    begin, wide = layout[5] * width, np.uint64(width)
    deep = np.uint64(layout[4] * width if layout[0] > 1 else 0)
    n = np.uint64(chunk)
    for band in range(cut_lo + 1, cut_hi + 1):
        cut, at = n_chunks * band // bands, bands + band - 1
        pq, qq = rows[3 * band + 1], rows[3 * band + 2]
        pq[:], qq[:] = np.float32(0.0), np.float32(0.0)
        for i in range(cut - lag, cut + lag):
            _colour(half[S], half[E], np.uint64(begin + i * chunk), even, True, wide, deep, half[T])
        for i in range(cut - 2 * lag, cut + 2 * lag):
            _product(np.uint64(begin + i * chunk), half[W], half[P], half[Q], half[T], even, wide, deep, pq, qq, n)
        sums[at, 0], sums[at, 1], sums[at, 2] = 0.0, _sum32(pq), _sum32(qq)


@part
def _sum32(lanes):
    total = 0.0
    for j in range(lanes.size):
        total += np.float64(lanes[j])
    return total


@serial
def black_values(band_lo, band_hi, alpha, layout, half, even):
    """The last step along the direction in some bands (into s), and the black values that follow (into t)."""
    width, chunk, n_chunks, lag, bands = layout[3], layout[6], layout[7], layout[8], layout[10]
    begin, n = layout[5] * width, np.uint64(chunk)
    deep = np.uint64(layout[4] * width if layout[0] > 1 else 0)
    w, u, p, s = half[W], half[U], half[P], half[S]
    a = np.float32(alpha)
    for band in range(band_lo, band_hi):
        lo, hi = n_chunks * band // bands, n_chunks * (band + 1) // bands
        back, ahead = 0 if band == 0 else lag, 0 if band == bands - 1 else lag
        for step in range(lo, hi + lag):
            if step < hi:
                o = np.uint64(begin + step * chunk)
                for j in range(n):
                    s[o + j] = w[o + j] * (u[o + j] + a * p[o + j])
            i = step - lag
            if lo + back <= i < hi - ahead:
                _colour(s, half[E], np.uint64(begin + i * chunk), even, True, np.uint64(width), deep, half[T])


@serial
def black_cuts(cut_lo, cut_hi, layout, half, even):
    """The black values near some of the cuts."""
    width, chunk, n_chunks, lag, bands = layout[3], layout[6], layout[7], layout[8], layout[10]
    deep = np.uint64(layout[4] * width if layout[0] > 1 else 0)
    for band in range(cut_lo + 1, cut_hi + 1):
        cut = n_chunks * band // bands
        for i in range(cut - lag, cut + lag):
            o = np.uint64(layout[5] * width + i * chunk)
            _colour(half[S], half[E], o, even, True, np.uint64(width), deep, half[T])


@serial
def apply_correction(band_lo, band_hi, c, k, scale, base, loss, layout, half, half64, all_rows, sums):
    """Add the correction of both colours to `c` in some bands, not below zero; `sums` of a band: losses."""
    ny, nx, width, plane, lead, many = layout[1], layout[2], layout[3], layout[4], layout[5], layout[9]
    s, t, black, two = half[S], half[T], half64[1], np.uint64(2)
    back, per_k = 1.0 / scale, 1.0 / (k * scale)
    for band in range(band_lo, band_hi):
        add, lanes = all_rows[8 * band], all_rows[8 * band + 7]
        lanes[:] = 0.0
        top, stop = band_rows(band, layout)
        for lo in range(top, stop, many):
            m = min(many, stop - lo)
            for i in range(m):
                parity, at = place(lo + i, ny, width, plane, lead)
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
        sums[band, 0] = fold(lanes, many * nx, nx)
