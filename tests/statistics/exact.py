"""Exact tests of counts and means against closed forms, at one false-alarm rate.

A test built on these fails by chance once in a million seeds (`ALARM`). Its seed is fixed, so it fails
always or never; the rate says how far a failure may be blamed on luck: not at all. The counterpart is the
power: `share_of_error_caught` gives the chance that a rate wrong by 5 % is noticed, and every test here has
enough draws for 0.99 or more unless its docstring says otherwise.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

ALARM = 1e-6
Z = float(stats.norm.isf(ALARM / 2.0))  # 4.89 standard errors


def assert_binomial(hits: int, n: int, p: float) -> None:
    """`hits` of `n` at probability `p`: two-sided exact binomial test."""
    found = stats.binomtest(int(hits), int(n), float(p)).pvalue
    assert found > ALARM, f"{hits} of {n} where {n * p:.1f} are expected: probability {found:.1e}"


def assert_poisson(hits: int, mean: float) -> None:
    """`hits` events where `mean` are expected: two-sided exact test, twice the smaller tail."""
    tail = min(stats.poisson.cdf(hits, mean), stats.poisson.sf(hits - 1, mean))
    assert 2.0 * tail > ALARM, f"{hits} where {mean:.1f} are expected: probability {2 * tail:.1e}"


def assert_counts(seen: np.ndarray, probability: np.ndarray) -> None:
    """Counts per class against class probabilities: chi-square; every class must expect 20 or more."""
    seen, probability = np.asarray(seen), np.asarray(probability, float)
    expected = seen.sum() * probability / probability.sum()
    assert expected.min() >= 20.0, "too few draws for chi-square"
    found = stats.chisquare(seen, expected).pvalue
    assert found > ALARM, f"{seen} where {expected.round(1)} are expected: probability {found:.1e}"


def assert_mean(values: np.ndarray, mean: float) -> None:
    """Mean of independent values (thousands, so that it is normal) against its expectation."""
    values = np.asarray(values, float)
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - mean) < Z * error, f"{values.mean():.5g} +- {error:.2g} where {mean:.5g} is expected"


def assert_same_mean(a: np.ndarray, b: np.ndarray) -> None:
    """Two samples of independent values have one mean: Welch's t."""
    found = stats.ttest_ind(a, b, equal_var=False).pvalue
    assert not found < ALARM, f"means {np.mean(a):.5g} and {np.mean(b):.5g}: probability {found:.1e}"


def share_of_error_caught(n: int, p: float, wrong_by: float = 0.05) -> float:
    """Power: the chance that `assert_binomial` notices a probability wrong by this share, either way."""
    out = []
    for q in (p * (1.0 - wrong_by), p * (1.0 + wrong_by)):
        sd, wide = np.sqrt(n * q * (1.0 - q)), Z * np.sqrt(n * p * (1.0 - p))
        out.append(stats.norm.sf(n * p + wide, n * q, sd) + stats.norm.cdf(n * p - wide, n * q, sd))
    return float(min(out))
