"""What is written out here, because importing scipy.stats takes longer than drawing a figure, gives what scipy.stats gives."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import stats

from tme import statistics
from tme.statistics.estimate import t_quantile, t_tail
from tme.statistics.power import power_of_pairs

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("freedom", [1, 2, 2.7, 5, 30, 400])
def test_students_t_is_that_of_scipy(freedom):
    for share in (0.025, 0.5, 0.975, 0.999):
        assert t_quantile(share, freedom) == stats.t.ppf(share, freedom)
    for value in (-2.0, 0.0, 0.3, 4.0):
        assert t_tail(value, freedom) == stats.t.sf(value, freedom)


@pytest.mark.parametrize("case", range(20))
def test_survival_curves_and_the_log_rank_test_are_those_of_scipy(case):
    n = int(RNG.integers(2, 12))
    a, b = RNG.integers(1, 9, n).astype(float), RNG.integers(1, 9, n + 1).astype(float)
    event_a, event_b = RNG.random(n) < 0.7, RNG.random(n + 1) < 0.5
    event_a[0] = True
    sample = stats.CensoredData.right_censored(a, ~event_a)
    sf = stats.ecdf(sample).sf
    at = np.isin(sf.quantiles, a[event_a])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        within = sf.confidence_interval(0.95, method="log-log")
    found = statistics.kaplan_meier(a, event_a)
    np.testing.assert_array_equal(found.times, sf.quantiles[at])
    np.testing.assert_allclose(found.share, sf.probabilities[at], atol=1e-12)
    left = found.share > 0  # at share 0 rounding decides between 0 and no interval
    np.testing.assert_allclose(found.low[left], within.low.probabilities[at][left], rtol=1e-9)
    np.testing.assert_allclose(found.high[left], within.high.probabilities[at][left], rtol=1e-9)
    other = stats.CensoredData.right_censored(b, ~event_b)
    with np.errstate(all="ignore"):
        expected = stats.logrank(sample, other).pvalue
    np.testing.assert_allclose(statistics.logrank(a, event_a, b, event_b), expected, rtol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_false_discovery_control_is_that_of_scipy(n):
    p = np.round(RNG.random(n) ** 3, 2)
    np.testing.assert_allclose(statistics.benjamini_hochberg(p), stats.false_discovery_control(p), rtol=1e-12)


def test_wilcoxon_with_ties_is_that_of_scipy():
    for _ in range(10):
        a, b = RNG.integers(0, 6, 8).astype(float), RNG.integers(0, 6, 8).astype(float)
        d = (a - b)[a != b]
        exact = stats.permutation_test((d,), lambda x: (stats.rankdata(np.abs(x)) * (x > 0)).sum(), permutation_type="samples")
        assert statistics.wilcoxon(a, b).p == pytest.approx(exact.pvalue)


@pytest.mark.parametrize(("effect", "n"), [(0.2, 5), (1.0, 9), (3.0, 4), (0.05, 900)])
def test_power_is_that_of_the_noncentral_t(effect, n):
    limit, shift = stats.t.ppf(0.975, n - 1), effect * np.sqrt(n)
    expected = stats.nct.sf(limit, n - 1, shift) + stats.nct.cdf(-limit, n - 1, shift)
    assert power_of_pairs(effect, n) == pytest.approx(expected, rel=1e-7, abs=1e-12)


def test_a_proportion_has_wilsons_interval_of_scipy():
    for held, n in ((0, 4), (3, 9), (9, 9)):
        expected = stats.binomtest(held, n).proportion_ci(method="wilson")
        found = statistics.proportion(held, n)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_statistics_are_imported_without_scipy_stats():
    code = "import sys, tme.statistics; print('scipy.stats' in sys.modules, 'scipy.optimize' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == ["False", "False"]
