"""Random orders, as a pure function of seed, purpose and round."""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial
from tme.kernels.rng import uniform


@serial
def shuffle(seed, stream, turn, sub, values):
    """Put `values` (n,) into random order, in place: Fisher and Yates, one draw a place.

    Source: Durstenfeld 1964, Commun ACM 7:420, doi 10.1145/364520.364540.
    """
    for i in range(values.size - 1, 0, -1):
        j = min(np.int64(uniform(seed, stream, turn, np.uint64(i), sub) * (i + 1)), i)
        values[i], values[j] = values[j], values[i]
