"""Shapes of launches and of sums.

Every kernel loops from its thread's number in steps of the number of threads, so that any launch shape
does the whole work, and a sum's shape depends on the length of the array alone: entry `v` belongs to lane
`v mod lanes(n)`, lanes are folded into `FEW`, and one thread adds those up. No atomics: the same device
gives the same bits for every launch shape.
"""

from __future__ import annotations

import numba

SIMULATED = bool(numba.config.ENABLE_CUDASIM)
LANES = 1 << 16
FEW = 256
THREADS = 128
BLOCKS = 1 << 16
SIMULATED_SHAPE = (2, 2)  # the simulator makes a Python thread of each


def lanes(n: int) -> int:
    """Partial sums of an array of n entries."""
    return min(n, LANES)


def shape(n: int) -> tuple[int, int]:
    """(blocks, threads) for n items."""
    if SIMULATED:
        return SIMULATED_SHAPE
    return max(1, min(BLOCKS, -(-n // THREADS))), THREADS
