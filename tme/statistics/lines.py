"""Straight lines by least squares: speeds of fronts, exponents, decay lengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tme.statistics.estimate import LEVEL, t_quantile


@dataclass(frozen=True)
class Line:
    """A fitted line: slope with its interval, intercept, and R²."""

    slope: float
    low: float
    high: float
    intercept: float
    r2: float


def fit_line(x: Any, y: Any, level: float = LEVEL) -> Line:
    """Ordinary least squares of y (n,) on x (n,)."""
    from scipy import stats

    fit = stats.linregress(x, y)
    half = t_quantile(0.5 + level / 2, max(len(x) - 2, 1)) * fit.stderr
    return Line(float(fit.slope), float(fit.slope - half), float(fit.slope + half), float(fit.intercept), float(fit.rvalue**2))
