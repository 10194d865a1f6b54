"""Times to an event, some censored: Kaplan-Meier curves and the log-rank test (scipy.stats)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from tme.statistics.estimate import LEVEL


@dataclass(frozen=True)
class SurvivalCurve:
    """Share without the event from each event time on: `times`, `share`, `low`, `high` (k,); `censored` times (c,).

    The interval is Greenwood's on the log(-log) scale; NaN where it is not defined (share 0 or 1).
    """

    times: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    censored: np.ndarray
    n: int

    @property
    def median(self) -> float:
        """First time at which half or fewer are left; infinity where that was not reached."""
        at = np.flatnonzero(self.share <= 0.5 + 1e-12)
        return float(self.times[at[0]]) if at.size else float("inf")


def _sample(times: Any, happened: Any) -> stats.CensoredData:
    t, event = np.asarray(times, float), np.asarray(happened, bool)
    known = np.isfinite(t)
    return stats.CensoredData.right_censored(t[known], ~event[known])


def kaplan_meier(times: Any, happened: Any, level: float = LEVEL) -> SurvivalCurve:
    """Kaplan-Meier curve of times (n,), of which those with `happened` (n,) false are censored. Source: Kaplan & Meier
    1958, J Am Stat Assoc 53:457."""
    t, event = np.asarray(times, float), np.asarray(happened, bool)
    known = np.isfinite(t)
    t, event = t[known], event[known]
    if not event.any():
        none = np.zeros(0)
        return SurvivalCurve(none, none, none, none, np.sort(t), t.size)
    sf = stats.ecdf(_sample(t, event)).sf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # undefined at share 0: NaN there says so
        within = sf.confidence_interval(level, method="log-log")
    at = np.isin(sf.quantiles, t[event])
    low, high = (np.asarray(x.probabilities, float)[at] for x in (within.low, within.high))
    return SurvivalCurve(np.asarray(sf.quantiles, float)[at], np.asarray(sf.probabilities, float)[at], low, high, np.sort(t[~event]), t.size)


def logrank(times_a: Any, happened_a: Any, times_b: Any, happened_b: Any) -> float:
    """Two-sided p of the log-rank test that two groups share one curve; NaN where no event happened in either, or a group is empty.

    Replicates that share a seed are paired, which the test does not use. Source: Mantel 1966, Cancer Chemother Rep 50:163.
    """
    a, b = _sample(times_a, happened_a), _sample(times_b, happened_b)
    if not len(a) or not len(b) or not (np.any(happened_a) or np.any(happened_b)):
        return float("nan")
    with np.errstate(all="ignore"):
        return float(stats.logrank(a, b).pvalue)
