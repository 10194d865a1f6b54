"""Sweeps that evaluate rules: signals at every cell, responses, and the terms they make. Arrays (n,) of one cell type.

    x = sum of (s/half)^hill        over the rules of a group
    u = x/(1 + x)                   and with memory: u moves to it, du/dt = (u_inf - u)/lag
    factor = product of 1 + (to - 1) u over groups, or amount = sum of to u

A signal is read at the voxel of a cell (`on_voxels`) or in its row (`on_rows`); below 0 it counts as 0.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.elementary import power
from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import place_of, shifted
from tme.kernels.transfer import at

_LEAST = 1e-300


@rule
def positive_power(x, hill):
    """The same for hill > 0."""
    if hill == 1.0:
        return x
    if hill == 2.0:
        return x * x
    if hill == 3.0:
        return x * x * x
    if hill == 4.0:
        return (x * x) * (x * x)
    return power(x, hill) if x > 0.0 else 0.0


@rule
def hill_power(x, hill):
    """x^hill for x >= 0, at most 1e300; whole powers up to 4 by multiplication."""
    if hill < 0.0:
        return 1.0 / max(positive_power(x, -hill), _LEAST)
    return positive_power(x, hill)


@serial
def multiply_on_voxels(lo, hi, voxel, field, less, scale, hill, gain, first, out):
    """out (*)= 1 + gain u, u of the signal at the cell's voxel less `less`; `first` starts anew."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        x = hill_power(max((at(field, voxel[i]) - less) * scale, 0.0), hill)
        f = 1.0 + gain * (x / (1.0 + x))
        out[i] = f if first else out[i] * f


@serial
def multiply_on_rows(lo, hi, column, scale, hill, gain, first, out):
    """The same for a signal of the cell's own."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        x = hill_power(max(column[i] * scale, 0.0), hill)
        f = 1.0 + gain * (x / (1.0 + x))
        out[i] = f if first else out[i] * f


@serial
def sum_on_voxels(lo, hi, voxel, field, less, scale, hill, first, total):
    """total (+)= (scale s)^hill, s at the cell's voxel."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        x = hill_power(max((at(field, voxel[i]) - less) * scale, 0.0), hill)
        total[i] = x if first else total[i] + x


@serial
def sum_on_rows(lo, hi, column, scale, hill, first, total):
    """The same for a signal of the cell's own."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        x = hill_power(max(column[i] * scale, 0.0), hill)
        total[i] = x if first else total[i] + x


@serial
def sum_everywhere(lo, hi, x, first, total):
    """The same for a signal that is equal in all cells."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        total[i] = x if first else total[i] + x


@serial
def saturate(lo, hi, total):
    """x -> x/(1 + x)."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        total[i] = total[i] / (1.0 + total[i])


@serial
def remember(lo, hi, total, memory, keep):
    """The memory moves to what is in `total`, of which `keep` = exp(-dt/lag) is left, and takes its place."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        memory[i] = total[i] + (memory[i] - total[i]) * keep
        total[i] = memory[i]


@serial
def multiply(lo, hi, total, gain, first, out):
    """out (*)= 1 + gain u."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        f = 1.0 + gain * total[i]
        out[i] = f if first else out[i] * f


@serial
def add(lo, hi, total, gain, first, out):
    """out (+)= gain u."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        f = gain * total[i]
        out[i] = f if first else out[i] + f


@serial
def times(lo, hi, share, first, out):
    """out (*)= share."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] = share[i] if first else out[i] * share[i]


@serial
def plus(lo, hi, share, first, out):
    """out (+)= share."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] = share[i] if first else out[i] + share[i]


@serial
def bound(lo, hi, low, high, out):
    """Hold the term within its bounds."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] = min(max(out[i], low), high)


@rule
def grammar_value(up, down, base, most, least):
    """PhysiCell's grammar (CBHG v3): u = b + (M - b) HU, value = u + (m - u) HD; decreasing rules dominate."""
    u = base + (most - base) * (up / (1.0 + up))
    return u + (least - u) * (down / (1.0 + down))


@serial
def grammar(lo, hi, up, down, base, most, least, unit, out):
    """out = the grammar's value over `unit`: its base value where the term is a factor, 1 where it is an amount."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] = grammar_value(up[i], down[i], base, most, least) / unit


@serial
def hush(lo, hi, state, total):
    """Signals of dead cells count as nothing."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] != 0:
            total[i] = 0.0


@serial
def grammar_alive(lo, hi, state, up, down, base, most, least, unit, out):
    """`grammar` in living cells; the dead keep the value they have."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] == 0:
            out[i] = grammar_value(up[i], down[i], base, most, least) / unit


@rule
def far_from_walls(place, margin, geometry):
    """Whether every voxel within `margin` of (z, y, x) is on the lattice, without going round."""
    inside = margin <= place[1] < geometry[1] - margin and margin <= place[2] < geometry[2] - margin
    return inside and (geometry[0] == 1 or margin <= place[0] < geometry[0] - margin)


@serial
def count_around(n, voxel, state, offsets, margin, geometry, counts):
    """counts (voxels,) float64 gains 1 in the own voxel and at every offset (m, 3+), at most `margin` along an axis, of each cell.

    `state` (n,) or empty: cells of another state than 0 do not count.
    """
    m = offsets.shape[0]
    steps = np.empty(m, np.int64)
    for k in range(m):
        steps[k] = (offsets[k, 0] * geometry[1] + offsets[k, 1]) * geometry[2] + offsets[k, 2]
    for i in range(n):
        if state.size > 0 and state[i] != 0:
            continue
        v = np.int64(voxel[i])
        counts[v] += 1.0
        if far_from_walls(place_of(v, geometry), margin, geometry):
            for k in range(m):
                counts[np.uint64(v + steps[k])] += 1.0
            continue
        for k in range(m):
            w = shifted(v, offsets[k, 0], offsets[k, 1], offsets[k, 2], geometry)
            if w >= 0:
                counts[w] += 1.0
