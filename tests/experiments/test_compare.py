"""Statistics against closed forms."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tme.experiments import compare

CONTROL = np.array([100.0, 120, 90, 110, 105])


def test_sign_test_matches_the_binomial():
    assert compare.sign_test(CONTROL, CONTROL - 1) == pytest.approx(2 * 0.5**5)
    assert compare.sign_test(CONTROL, CONTROL) == 1.0


def test_wilcoxon_matches_scipy_without_ties_and_enumeration_with_ties():
    x = np.random.default_rng(3).normal(0.4, 1, 9)
    assert compare.wilcoxon(x, 0 * x) == pytest.approx(stats.wilcoxon(x, method="exact").pvalue)
    d = np.array([1.0, 1, -1, 2, 2])
    ranks = np.array([2, 2, 2, 4.5, 4.5])
    sums = [sum(r for r, s in zip(ranks, signs) if s) for signs in itertools.product((0, 1), repeat=5)]
    assert compare.wilcoxon(d, 0 * d) == pytest.approx(np.mean([abs(s - 7.5) >= 5.5 for s in sums]))


def test_holm_matches_a_worked_example():
    adjusted = compare.holm([0.01, 0.04, np.nan, 0.03])
    np.testing.assert_allclose(adjusted, [0.03, 0.06, np.nan, 0.06])


def test_the_t_interval_matches_scipy():
    e = compare.mean_interval([*CONTROL, np.nan])
    low, high = stats.t.interval(0.95, 4, CONTROL.mean(), stats.sem(CONTROL))
    assert (e.value, e.low, e.high, e.n) == pytest.approx((CONTROL.mean(), low, high, 5))


def test_a_constant_ratio_has_no_width_when_pairs_are_kept_together():
    e = compare.paired_ratio(0.4 * CONTROL, CONTROL)
    assert (e.value, e.low, e.high) == pytest.approx((0.4, 0.4, 0.4))


def test_the_bootstrap_interval_of_a_mean_is_close_to_the_normal_one():
    x = np.random.default_rng(1).normal(5, 2, 400)
    e = compare.paired_difference(x, np.zeros(400))
    half = 1.96 * x.std() / 20
    assert (e.low, e.high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.03)
    assert e == compare.paired_difference(x, np.zeros(400))


def test_bliss_excess_is_zero_for_independent_treatments_and_positive_for_synergy():
    a, b = 0.5 * CONTROL, 0.4 * CONTROL
    assert compare.bliss_excess(CONTROL, a, b, 0.2 * CONTROL).value == pytest.approx(0.0, abs=1e-15)
    synergy = compare.bliss_excess(CONTROL, a, b, 0.05 * CONTROL)
    assert (synergy.value, synergy.low, synergy.n) == pytest.approx((0.15, 0.15, 5))


def test_replicates_missing_in_one_arm_are_left_out_of_all():
    a = np.array([1.0, 2, np.nan, 4])
    b = np.array([1.0, np.nan, 3, 2])
    e = compare.paired_difference(a, b)
    assert (e.value, e.n) == (1.0, 2)


class MadeUpRun:
    """Three arms, five replicates, two hours."""

    config = {"arms": {"control": {}, "a": {"drugs": [1]}, "b": {"drugs": [2]}, "ab": {"use": ["a", "b"]}}}

    def series(self):
        rows = []
        for arm, share in (("control", 1.0), ("a", 0.5), ("b", 0.4), ("ab", 0.1)):
            for r, c in enumerate(CONTROL):
                rows += [
                    {"arm": arm, "replicate": r, "hour": h, "tumour_alive": c * (share if h else 1)}
                    for h in (0, 24)
                ]
        return pd.DataFrame(rows)


def test_every_arm_is_compared_with_the_control_at_the_last_common_hour():
    table = compare.compare_arms(MadeUpRun()).set_index("arm")
    assert list(table.index) == ["a", "b", "ab"]
    assert (table["n"] == 5).all()
    np.testing.assert_allclose(table["ratio"], [0.5, 0.4, 0.1])
    np.testing.assert_allclose(table["p_wilcoxon"], 2 * 0.5**5)
    np.testing.assert_allclose(table["p_wilcoxon_holm"], 6 * 0.5**5)
    assert compare.bliss(MadeUpRun(), "a", "b", "ab")["value"] == pytest.approx(0.1)


def test_time_courses_say_their_n():
    course = compare.time_course(MadeUpRun(), "tumour_alive")
    assert (course["n"] == 5).all()
    boot = compare.time_course(MadeUpRun(), "tumour_alive", "bootstrap")
    np.testing.assert_allclose(boot["mean"], course["mean"])
    with pytest.raises(ValueError, match="interval"):
        compare.time_course(MadeUpRun(), "tumour_alive", "sd")
