"""Random numbers of spatial statistics: pure functions of (seed, purpose, round), whatever the order or number of threads.

The generator is the model's (`kernels.rng`); purposes are numbered apart from its streams and from those of calibrations.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from tme.kernels import rng
from tme.kernels.shuffles import shuffle


class Purpose(IntEnum):
    """What a draw is for. Append, never renumber: results of a seed depend on it."""

    TYPES = 2001
    TILES = 2002
    CENTRES = 2003
    FATES = 2004
    TIMES = 2005
    SAMPLE = 2006


def shuffled(values: np.ndarray, seed: int, purpose: Purpose, turn: int) -> np.ndarray:
    """A copy of `values` (n,) in random order."""
    out = np.array(values)
    shuffle(np.uint64(seed), int(purpose), turn, 0, out)
    return out


def uniforms(n: int, seed: int, purpose: Purpose, turn: int) -> np.ndarray:
    """(n,) float64 in (0, 1)."""
    out = np.empty(n)
    rng.uniforms(np.uint64(seed), int(purpose), turn, np.arange(n, dtype=np.uint64), 0, out)
    return out
