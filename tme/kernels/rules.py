"""Sweeps that evaluate rules: responses to signals, and the terms they make. Arrays (n,) of one cell type.

    x = sum of (s/half)^hill        over the rules of a group
    u = x/(1 + x)                   and with memory: u moves to it, du/dt = (u_inf - u)/lag
    factor = product of 1 + (to - 1) u over groups, or amount = sum of to u

A signal is an array (n,), read before at the voxels of the cells (`transfer`) or a column of theirs; below 0 it counts as 0.
Powers are taken for `BLOCK` rows at a time in short loops without a branch, which vectorise.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.elementary import power
from tme.kernels.jit import rule, serial

BLOCK = 256  # rows whose powers stay in the first-level cache
_LEAST = 1e-300


@rule
def raise_to(x, n, hill):
    """x -> x^hill for the first `n` (uint64) of `x` >= 0, for hill < 0 at most 1e300; whole powers up to 4 by multiplication."""
    k = abs(hill)
    if k == 2.0:
        for j in range(n):
            x[j] = x[j] * x[j]
    elif k == 3.0:
        for j in range(n):
            x[j] = x[j] * x[j] * x[j]
    elif k == 4.0:
        for j in range(n):
            x[j] = (x[j] * x[j]) * (x[j] * x[j])
    elif k != 1.0:
        for j in range(n):
            raised = power(x[j], k)
            x[j] = raised if x[j] > 0.0 else 0.0
    if hill < 0.0:
        for j in range(n):
            x[j] = 1.0 / max(x[j], _LEAST)


@rule
def scaled_powers(signal, o, n, less, scale, hill, x):
    """x = (scale (s - less))^hill for `n` rows from `o` (uint64)."""
    for j in range(n):
        x[j] = max((signal[o + j] - less) * scale, 0.0)
    raise_to(x, n, hill)


@serial
def multiply_by_response(lo, hi, signal, less, scale, hill, gain, first, out):
    """out (*)= 1 + gain u, u of the signal less `less`; `first` starts anew."""
    x = np.empty(BLOCK)
    for begin in range(lo, hi, BLOCK):
        o, n = np.uint64(begin), np.uint64(min(BLOCK, hi - begin))
        scaled_powers(signal, o, n, less, scale, hill, x)
        for j in range(n):
            f = 1.0 + gain * (x[j] / (1.0 + x[j]))
            out[o + j] = f if first else out[o + j] * f


@serial
def sum_powers(lo, hi, signal, less, scale, hill, first, total):
    """total (+)= (scale s)^hill, s the signal less `less`."""
    x = np.empty(BLOCK)
    for begin in range(lo, hi, BLOCK):
        o, n = np.uint64(begin), np.uint64(min(BLOCK, hi - begin))
        scaled_powers(signal, o, n, less, scale, hill, x)
        for j in range(n):
            total[o + j] = x[j] if first else total[o + j] + x[j]


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
