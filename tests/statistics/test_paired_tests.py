"""Exact tests against enumeration, the adjustment against worked examples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from tme import statistics as st

CONTROL = np.array([100.0, 120, 90, 110, 105])


def test_sign_test_matches_the_binomial():
    assert st.sign_test(CONTROL, CONTROL - 1).p == pytest.approx(2 * 0.5**5)
    assert st.sign_test(CONTROL, CONTROL).p == 1.0


def test_wilcoxon_matches_scipy_without_ties_and_enumeration_with_ties():
    x = np.random.default_rng(3).normal(0.4, 1, 9)
    assert st.wilcoxon(x, 0 * x).p == pytest.approx(stats.wilcoxon(x, method="exact").pvalue)
    d = np.array([1.0, 1, -1, 2, 2])
    ranks = np.array([2, 2, 2, 4.5, 4.5])
    sums = [sum(r for r, s in zip(ranks, signs) if s) for signs in itertools.product((0, 1), repeat=5)]
    assert st.wilcoxon(d, 0 * d).p == pytest.approx(np.mean([abs(s - 7.5) >= 5.5 for s in sums]))


@pytest.mark.parametrize("n", [1, 3, 4, 6, 9])
def test_an_exact_test_says_the_least_p_it_can_give(n):
    x = np.arange(1.0, n + 1)
    for test in (st.sign_test, st.wilcoxon):
        found = test(x, 0 * x)  # all differences of one sign: nothing is further out
        assert found.p == pytest.approx(found.least) and (found.n, found.least) == (n, st.least_p(n))
    assert st.least_p(4) == 0.125 and st.least_p(6) < 0.05 < st.least_p(5)


def test_pairs_that_do_not_differ_do_not_count():
    found = st.wilcoxon([1.0, 2, 3, 5], [1.0, 2, 3, 4])
    assert (found.n, found.least, found.p) == (1, 1.0, 1.0)


def test_holm_matches_the_worked_example_and_leaves_gaps():
    adjusted = st.holm([0.01, 0.04, 0.03, np.nan, 0.005])
    assert adjusted[[0, 1, 2, 4]] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.isnan(adjusted[3])


def test_holm_never_lowers_a_p_value_nor_exceeds_one():
    p = np.random.default_rng(6).random(30)
    adjusted = st.holm(p)
    assert (adjusted >= p).all() and adjusted.max() <= 1
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()
