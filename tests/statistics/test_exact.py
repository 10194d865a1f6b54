"""The tests of statistics, tested: their false alarms and their power are what they say."""

import numpy as np
import pytest
from exact import ALARM, assert_binomial, assert_counts, assert_mean, assert_poisson, share_of_error_caught
from scipy import stats


def test_a_right_rate_passes_and_a_rate_wrong_by_five_percent_is_caught():
    n, p = 200_000, 0.1
    assert share_of_error_caught(n, p) > 0.99
    assert_binomial(n * p, n, p)
    with pytest.raises(AssertionError):
        assert_binomial(n * p * 1.05, n, p)
    assert_poisson(20_000, 20_000.0)
    with pytest.raises(AssertionError):
        assert_poisson(21_000, 20_000.0)


def test_the_alarm_goes_off_where_it_should():
    n, p = 10_000, 0.3
    edge = int(stats.binom.isf(ALARM / 2.0, n, p))
    assert_binomial(edge - 10, n, p)
    with pytest.raises(AssertionError):
        assert_binomial(edge + 10, n, p)


def test_uneven_classes_and_shifted_means_are_caught():
    rng = np.random.default_rng(1)
    assert_counts(rng.multinomial(40_000, [0.25] * 4), [1, 1, 1, 1])
    with pytest.raises(AssertionError):
        assert_counts(rng.multinomial(40_000, [0.27, 0.25, 0.25, 0.23]), [1, 1, 1, 1])
    values = rng.exponential(1.0, 40_000)
    assert_mean(values, 1.0)
    with pytest.raises(AssertionError):
        assert_mean(values, 1.05)
