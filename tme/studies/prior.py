"""Priors of a calibration: independent numbers, each even on its range or on the logarithm of its range.

Everything random happens in the unit cube; `Prior.values` leads from there to the numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tme.studies.ranges import Range


@dataclass(frozen=True)
class Prior:
    """Independent ranges, one for each number that is calibrated."""

    ranges: tuple[Range, ...]

    def __len__(self) -> int:
        return len(self.ranges)

    @property
    def names(self) -> list[str]:
        """Dotted names of the numbers."""
        return [r.key for r in self.ranges]

    def values(self, u: np.ndarray) -> np.ndarray:
        """(n, d) numbers at the points u (n, d) of the unit cube."""
        return np.column_stack([r.at(u[:, j]) for j, r in enumerate(self.ranges)])

    def places(self, values: np.ndarray) -> np.ndarray:
        """(n, d) points of the unit cube of the numbers (n, d)."""
        return np.column_stack([r.share_of(np.asarray(values)[:, j]) for j, r in enumerate(self.ranges)])


def prior(*given: tuple) -> Prior:
    """A prior from (name, low, high[, "log"]) of each number."""
    return Prior(tuple(Range(name, low, high, math.nan, *scale) for name, low, high, *scale in given))
