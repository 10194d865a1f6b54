"""Exact tests of paired values, and the adjustments for several tests: Holm for one question, false discovery for all the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tme.statistics.intervals import pairs

EXACT_UP_TO = 16  # pairs over whose sign patterns Wilcoxon's sum is enumerated


@dataclass(frozen=True)
class ExactTest:
    """A two-sided p, the number of pairs that differ, and the least p that so many pairs can give."""

    p: float
    n: int
    least: float


def least_p(n: int) -> float:
    """The least two-sided p of an exact test of n pairs, 2/2^n: 0.125 at n = 4, below 0.05 from n = 6 on."""
    return min(1.0, 2.0 ** (1 - n))


def sign_test(a: Any, b: Any) -> ExactTest:
    """Two-sided exact sign test of paired values; ties are left out."""
    x, y = pairs(a, b)
    up, down = int((x > y).sum()), int((x < y).sum())
    n = up + down
    from scipy import stats

    return ExactTest(float(stats.binomtest(up, n, 0.5).pvalue) if n else 1.0, n, least_p(n))


def wilcoxon(a: Any, b: Any) -> ExactTest:
    """Two-sided Wilcoxon signed-rank test, exact (over all sign patterns, ties in mid-ranks) up to n = 16."""
    x, y = pairs(a, b)
    d = (x - y)[x != y]
    n = d.size
    if n == 0:
        return ExactTest(1.0, 0, 1.0)
    if n > EXACT_UP_TO:
        from scipy import stats

        return ExactTest(float(stats.wilcoxon(d, method="asymptotic").pvalue), n, least_p(n))
    _, which, counts = np.unique(np.abs(d), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]  # ties share the middle of their ranks
    signs = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    sums = signs @ ranks
    centre = ranks.sum() / 2
    return ExactTest(float(np.mean(np.abs(sums - centre) >= abs(ranks[d > 0].sum() - centre) - 1e-9)), n, least_p(n))


def holm(p_values: Any) -> np.ndarray:
    """Holm's step-down adjustment; NaN stays NaN and does not count as a test. Source: Holm 1979, Scand J Stat 6:65."""
    p = np.asarray(p_values, float)
    out = np.full(p.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = np.minimum(1.0, (order.size - np.arange(order.size)) * p[order])
    out[order] = np.maximum.accumulate(scaled) if order.size else scaled
    return out


def benjamini_hochberg(p_values: Any) -> np.ndarray:
    """p adjusted so that of all claims below a limit that share at most is false; NaN stays NaN and does not count as a test.

    Source: Benjamini & Hochberg 1995, J R Stat Soc B 57:289.
    """
    p = np.asarray(p_values, float)
    out, tested = np.full(p.shape, np.nan), np.isfinite(p)
    if tested.any():
        order = np.argsort(p[tested])
        least = np.minimum.accumulate((p[tested][order] * order.size / np.arange(1, order.size + 1))[::-1])[::-1]
        adjusted = np.empty(order.size)
        adjusted[order] = np.minimum(least, 1.0)
        out[tested] = adjusted
    return out
