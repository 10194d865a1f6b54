"""The few statistics that figures and sentences need: intervals of means, paired differences, Bliss, Holm.

Means carry Student-t intervals: with the four to ten replicates of a usual run they cover what they claim,
while percentile bootstrap intervals of so few values are too narrow (about 80 % instead of 95 % at n = 4).
The bootstrap serves where no closed form does: Bliss excess of arms that do not share their seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

LEVEL = 0.95
MIN_FOR_P = 3


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval, the p value against `null`, and the number of values behind it."""

    mean: float
    low: float
    high: float
    n: int
    p: float = float("nan")
    null: float = 0.0

    @property
    def has_interval(self) -> bool:
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    @property
    def sign(self) -> int:
        """+1 or -1 where the interval lies above or below `null`, else 0 (also without an interval)."""
        if not self.has_interval or self.low <= self.null <= self.high:
            return 0
        return 1 if self.low > self.null else -1


def mean_interval(values, null: float = 0.0, level: float = LEVEL) -> Estimate:
    """Mean with the Student-t interval mean ± t s/sqrt(n), and the two-sided p of mean = null."""
    x = np.asarray(values, float)
    x = x[np.isfinite(x)]
    if x.size == 0:
        return Estimate(np.nan, np.nan, np.nan, 0, null=null)
    if x.size == 1:
        return Estimate(float(x[0]), np.nan, np.nan, 1, null=null)
    error = x.std(ddof=1) / np.sqrt(x.size)
    return _from_error(x.mean(), error, x.size - 1, x.size, null, level)


def _from_error(mean: float, error: float, freedom: float, n: int, null: float, level: float) -> Estimate:
    half = stats.t.ppf(0.5 + level / 2, freedom) * error if error > 0 else 0.0
    if error > 0:
        p = 2 * stats.t.sf(abs(mean - null) / error, freedom)
    else:
        p = 1.0 if np.isclose(mean, null) else 0.0
    return Estimate(float(mean), float(mean - half), float(mean + half), n, float(p), null)


def mean_of_amounts(values, level: float = LEVEL) -> Estimate:
    """`mean_interval` of amounts: where no value is negative, the interval is cut at zero."""
    e = mean_interval(values, level=level)
    positive = np.nanmin(np.asarray(values, float), initial=0.0) >= 0
    return replace(e, low=max(e.low, 0.0)) if positive and e.has_interval else e


def band(values: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and t interval of each column of (n_replicates, n_time); NaN where nothing can be said."""
    x = np.asarray(values, float)
    n = np.isfinite(x).sum(axis=0)
    safe = np.where(np.isfinite(x), x, 0.0)
    mean = np.where(n > 0, safe.sum(axis=0) / np.maximum(n, 1), np.nan)
    squares = (np.where(np.isfinite(x), x - mean, 0.0) ** 2).sum(axis=0)
    sd = np.sqrt(squares / np.maximum(n - 1, 1))
    half = np.where(
        n > 1, stats.t.ppf(0.5 + level / 2, np.maximum(n - 1, 1)) * sd / np.sqrt(np.maximum(n, 1)), np.nan
    )
    return mean, mean - half, mean + half


def difference(a, b, paired: bool = True, level: float = LEVEL) -> Estimate:
    """Mean of a - b. Paired by position, or Welch's interval for independent groups."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if paired:
        return mean_interval(a - b, level=level)
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if min(a.size, b.size) == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    mean = float(a.mean() - b.mean())
    if min(a.size, b.size) < 2:
        return Estimate(mean, np.nan, np.nan, min(a.size, b.size))
    va, vb = a.var(ddof=1) / a.size, b.var(ddof=1) / b.size
    spread = va**2 / (a.size - 1) + vb**2 / (b.size - 1)
    freedom = (va + vb) ** 2 / spread if spread > 0 else a.size + b.size - 2
    return _from_error(mean, float(np.sqrt(va + vb)), freedom, min(a.size, b.size), 0.0, level)


def share_of_control(arm, control, paired: bool = True, level: float = LEVEL) -> Estimate:
    """Mean of arm / control against 1: by pairs, else the arm over the control's mean (Welch)."""
    arm, control = np.asarray(arm, float), np.asarray(control, float)
    if paired:
        ratio = np.divide(arm, control, out=np.full(arm.shape, np.nan), where=control > 0)
        return mean_interval(ratio, null=1.0, level=level)
    scale = np.nanmean(control)
    if not scale > 0:
        return Estimate(np.nan, np.nan, np.nan, 0, null=1.0)
    d = difference(arm / scale, control / scale, paired=False, level=level)
    return Estimate(1 + d.mean, 1 + d.low, 1 + d.high, d.n, d.p, 1.0)


def bliss_excess(control, a, b, ab) -> np.ndarray:
    """Excess over Bliss independence, f_a f_b - f_ab, with f = tumour / control tumour.

    Positive: the combination leaves fewer cells than two independent treatments would.
    Arrays of any one shape (replicates, or replicates x times); NaN where the control is empty.
    Source: Bliss 1939, doi 10.1111/j.1744-7348.1939.tb06990.x.
    """
    control = np.where(np.asarray(control, float) > 0, control, np.nan)
    return (np.asarray(a) / control) * (np.asarray(b) / control) - np.asarray(ab) / control


def bliss_bootstrap(control, a, b, ab, draws: int = 2000, level: float = LEVEL, seed: int = 1) -> Estimate:
    """Bliss excess of group means with a percentile interval; arms are resampled independently."""
    groups = [np.asarray(g, float)[np.isfinite(np.asarray(g, float))] for g in (control, a, b, ab)]
    n = min(g.size for g in groups)
    if n == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    centre = float(bliss_excess(*[g.mean() for g in groups]))
    if n < 2:
        return Estimate(centre, np.nan, np.nan, n)
    rng = np.random.default_rng(seed)
    means = [g[rng.integers(0, g.size, (draws, g.size))].mean(axis=1) for g in groups]
    low, high = np.nanquantile(bliss_excess(*means), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(centre, float(low), float(high), n)


def holm(p_values) -> np.ndarray:
    """Holm's step-down adjustment; NaN entries stay NaN and do not count as tests."""
    p = np.asarray(p_values, float)
    out = np.full(p.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (order.size - rank) * p[index]))
        out[index] = running
    return out


@dataclass(frozen=True)
class Line:
    """A straight line fitted by least squares: slope with its interval, and R²."""

    slope: float
    low: float
    high: float
    intercept: float
    r2: float


def fit_line(x, y, level: float = LEVEL) -> Line:
    """Ordinary least squares of y on x."""
    fit = stats.linregress(x, y)
    half = stats.t.ppf(0.5 + level / 2, max(len(x) - 2, 1)) * fit.stderr
    return Line(
        float(fit.slope),
        float(fit.slope - half),
        float(fit.slope + half),
        float(fit.intercept),
        float(fit.rvalue**2),
    )
