"""How much less a tumour grew: growth inhibition, area under the growth curve, time until a size is reached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tme.statistics.estimate import LEVEL, Estimate, unknown
from tme.statistics.intervals import pairs, ratio_of_means

FOLD = 2.0  # times its size at treatment start: the size whose time is told unless another is asked for


def growth_inhibition(start: Any, end: Any, control_start: Any, control_end: Any, level: float = LEVEL) -> Estimate:
    """TGI = 1 - (mean growth of the arm)/(mean growth of the control), replicates paired, all (n,); null 0.

    1 is stasis, above 1 the tumour shrank. Unknown where the control did not grow on average. Interval as that of a
    ratio of means: linearised t below six pairs, resampled pairs from there.
    """
    s, e, cs, ce = pairs(start, end, control_start, control_end)
    if s.size == 0 or not (ce - cs).mean() > 0:
        return unknown(s.size)
    r = ratio_of_means(e - s, ce - cs, level)
    return replace(r, value=1 - r.value, low=1 - r.high, high=1 - r.low, null=0.0)


def area_under_curve(days: Any, values: Any) -> np.ndarray:
    """Trapezoid area (n,) under curves (n, n_time) over days (n_time,), in value x days; NaN where a value is missing."""
    return np.trapezoid(np.asarray(values, float), np.asarray(days, float), axis=-1)


def time_to_reach(days: Any, values: Any, threshold: Any) -> tuple[np.ndarray, np.ndarray]:
    """When curves (n, n_time) first reach a threshold (scalar or (n,)): times (n,) in days, and whether they did (n,).

    Between two records the size is taken to grow exponentially, where one of them is 0 linearly. A curve that does
    not reach it is censored at its last finite value; one without any value, or with a threshold that is not above 0 (a tumour
    that was gone at the start), has time NaN.
    """
    days, values = np.asarray(days, float), np.atleast_2d(np.asarray(values, float))
    limits = np.broadcast_to(np.asarray(threshold, float), values.shape[:1])
    out = [_first_crossing(days[ok], row[ok], limit) for row, ok, limit in zip(values, np.isfinite(values), limits)]
    return np.array([t for t, _ in out], float), np.array([r for _, r in out], bool)


def _first_crossing(days: np.ndarray, values: np.ndarray, limit: float) -> tuple[float, bool]:
    above = np.flatnonzero(values >= limit)
    if values.size == 0 or not np.isfinite(limit) or limit <= 0:
        return float("nan"), False
    if above.size == 0:
        return float(days[-1]), False
    i = int(above[0])
    if i == 0 or values[i] == limit:
        return float(days[i]), True
    before, after = values[i - 1], values[i]
    if before > 0:
        before, after, limit = np.log(before), np.log(after), np.log(limit)
    return float(days[i - 1] + (days[i] - days[i - 1]) * (limit - before) / (after - before)), True
