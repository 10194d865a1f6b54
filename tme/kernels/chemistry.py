"""What every pathway's kernel shares: how one state moves in a step, and which blocks of cells move as vectors.

A pathway's own kernel is written from its table (`pathways.write`); it steps blocks of `BLOCK` cells, column after
column in one scratch array, small enough for the first-level cache. Every block is computed whole (short ones are
padded), so a cell's bits cannot depend on its neighbours in the block.

Integrator: exponential midpoint, order 2. Each state moves by its own linear rate, y' = production - loss y, so
y stays >= 0 for any step (Cox and Matthews 2002, doi 10.1006/jcph.2002.6995).
"""

from __future__ import annotations

import numpy as np

from tme.kernels.elementary import expm1_fast, law
from tme.kernels.jit import serial

BLOCK = 64
MAX_GROWTH = 20.0
_LOWEST = -700.0
_TINY = 1e-30  # 1/min, added where a rate may be 0


@law
def decay(y, production, loss, h):
    """y after h min of y' = production - loss y: y + (e^x - 1)(y - production/loss), x = -loss h. Never negative."""
    loss = loss + _TINY
    x = -loss * h
    return y + expm1_fast(_LOWEST if x < _LOWEST else x) * (y - production / loss)


@law
def grow(y, production, rate, h):
    """As `decay` for a net rate of either sign; the exponent is held to <= 20."""
    rate = rate + _TINY
    x = rate * h
    x = MAX_GROWTH if x > MAX_GROWTH else x
    return y + expm1_fast(_LOWEST if x < _LOWEST else x) * (y + production / rate)


@law
def exp_fast(x):
    """e^x for x <= 709, to 1e-11 of the larger of it and 1; never negative."""
    return 1.0 + expm1_fast(_LOWEST if x < _LOWEST else x)


@law
def positive_part(x):
    """x, 0 below 0. Laws say it by this name rather than by `if`, so that they can be traced with symbols."""
    return 0.0 if x < 0.0 else x


@serial
def whole_block(rows, first, m, clock):
    """Whether a full block's rows lie one after another and share a clock: its columns then move as vectors."""
    if m < BLOCK:
        return False
    row = np.uint64(rows[first])
    astray, now = np.int64(0), clock[row]
    for j in range(np.uint64(BLOCK)):
        astray += np.int64(rows[np.uint64(first) + j] != np.int64(row + j))
    if astray != 0:
        return False
    for j in range(np.uint64(BLOCK)):
        astray += np.int64(clock[row + j] != now)
    return astray == 0


@serial
def dying(lo, hi, state, damage, fate, flag):
    """Raise `flag` in living cells whose damage has reached 1 and that nothing else kills in this tick; how many."""
    count = 0
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] == 0 and damage[i] >= 1.0 and fate[i] < 10:
            fate[i] = flag
            count += 1
    return count
