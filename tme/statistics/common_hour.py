"""Which hour of several simulations may be compared: the last one that all of them recorded.

A simulation whose tumour reaches the edge of the domain stops, and its last row lies on another day than
the others'. All comparisons of simulations take the hour from here, and read every simulation at it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

DIGITS = 6  # hours that differ by less (a few ms) are one: base ticks of different length add up differently


def common_hours(recorded: Iterable[Iterable[float]]) -> np.ndarray:
    """Hours that every simulation recorded, ascending; `recorded` holds one sequence of hours (h) each."""
    found = [np.unique(np.round(np.asarray(list(hours), float), DIGITS)) for hours in recorded]
    if not found:
        return np.zeros(0)
    common = found[0]
    for hours in found[1:]:
        common = np.intersect1d(common, hours, assume_unique=True)
    return common + 0.0  # no -0


def last_common_hour(recorded: Iterable[Iterable[float]]) -> float | None:
    """The last hour (h) that every simulation recorded, None where they share none."""
    common = common_hours(recorded)
    return float(common[-1]) if common.size else None
