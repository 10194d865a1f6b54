"""What an estimate is: a number, its interval, and how many values stand behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

LEVEL = 0.95
FEWEST_FOR_P = 3  # a t test of two values says nothing that a reader should act on
FEWEST_TO_RESAMPLE = 6  # percentile intervals of fewer values are too narrow


@dataclass(frozen=True)
class Estimate:
    """A value with its interval from `low` to `high`, the p value against `null`, and the number of values behind it."""

    value: float
    low: float
    high: float
    n: int
    p: float = float("nan")
    null: float = 0.0

    @property
    def has_interval(self) -> bool:
        """Whether anything can be said of how sure the value is."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    @property
    def sign(self) -> int:
        """+1 or -1 where the interval lies above or below `null`, else 0 (also without an interval)."""
        if not self.has_interval or self.low <= self.null <= self.high:
            return 0
        return 1 if self.low > self.null else -1


def t_quantile(share: float, freedom: Any) -> Any:
    """What Student's t stays below with this probability; as scipy.stats.t.ppf, whose import takes half a second."""
    return special.stdtrit(freedom, share)


def t_tail(value: float, freedom: float) -> float:
    """Probability that Student's t exceeds a value, as scipy.stats.t.sf."""
    return float(special.stdtr(freedom, -value))


def unknown(n: int = 0, value: float = float("nan"), null: float = 0.0) -> Estimate:
    """A value without an interval, or not even a value."""
    return Estimate(value, float("nan"), float("nan"), n, null=null)


def from_error(value: float, error: float, freedom: float, n: int, null: float = 0.0, level: float = LEVEL) -> Estimate:
    """value ± t error with `freedom` degrees of freedom, and the two-sided p of value = null."""
    half = t_quantile(0.5 + level / 2, freedom) * error if error > 0 else 0.0
    if error > 0:
        p = 2 * t_tail(abs(value - null) / error, freedom)
    else:
        p = 1.0 if np.isclose(value, null) else 0.0
    return Estimate(float(value), float(value - half), float(value + half), n, float(p), null)
