"""Times to an event, some censored: Kaplan-Meier curves and the log-rank test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

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


def kaplan_meier(times: Any, happened: Any, level: float = LEVEL) -> SurvivalCurve:
    """Kaplan-Meier curve of times (n,), of which those with `happened` (n,) false are censored. Source: Kaplan & Meier
    1958, J Am Stat Assoc 53:457."""
    t, event = _known(times, happened)
    at, risk, deaths = _table(t, event)
    share = np.cumprod((risk - deaths) / risk)
    with np.errstate(all="ignore"):  # undefined at share 0: NaN there says so
        error = np.sqrt(np.cumsum(deaths / (risk * (risk - deaths)))) / np.abs(np.log(share))
        middle, half = np.log(-np.log(share)), special.ndtri(0.5 + level / 2) * error
        low, high = np.exp(-np.exp(middle + half)), np.exp(-np.exp(middle - half))
    return SurvivalCurve(at, share, low, high, np.sort(t[~event]), t.size)


def logrank(times_a: Any, happened_a: Any, times_b: Any, happened_b: Any) -> float:
    """Two-sided p of the log-rank test that two groups share one curve; NaN where no event happened in either, or a group is empty.

    Replicates that share a seed are paired, which the test does not use. Source: Mantel 1966, Cancer Chemother Rep 50:163.
    """
    (a, event_a), (b, event_b) = _known(times_a, happened_a), _known(times_b, happened_b)
    if not a.size or not b.size or not (event_a.any() or event_b.any()):
        return float("nan")
    at, risk, deaths = _table(np.concatenate([a, b]), np.concatenate([event_a, event_b]))
    risk_a = (a[:, None] >= at).sum(axis=0)
    more = risk > 1
    variance = (risk_a * (risk - risk_a) * deaths * (risk - deaths))[more] / (risk**2 * (risk - 1))[more]
    with np.errstate(all="ignore"):
        z = (event_a.sum() - (risk_a * deaths / risk).sum()) / np.sqrt(variance.sum())
    return float(2 * special.ndtr(-abs(z)))


def _known(times: Any, happened: Any) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) that are finite, and whether it happened then."""
    t, event = np.asarray(times, float), np.asarray(happened, bool)
    known = np.isfinite(t)
    return t[known], event[known]


def _table(t: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times (k,) at which it happened, how many had come so far without it, and to how many it happened."""
    at, deaths = np.unique(t[event], return_counts=True)
    return at, (t[:, None] >= at).sum(axis=0), deaths
