"""Intervals and synergy against closed forms and against what their names promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tme import statistics as st


def test_mean_interval_is_the_student_t_interval():
    x = np.array([1.0, 2.0, 4.0, 7.0])
    e = st.mean_interval(x)
    low, high = stats.t.interval(0.95, 3, loc=x.mean(), scale=stats.sem(x))
    assert (e.value, e.low, e.high, e.n) == pytest.approx((3.5, low, high, 4))
    assert e.p == pytest.approx(stats.ttest_1samp(x, 0).pvalue)


def test_interval_excludes_null_exactly_when_p_is_below_five_percent():
    rng = np.random.default_rng(0)
    for shift in np.linspace(-1.5, 1.5, 41):
        e = st.mean_interval(rng.normal(shift, 1, 6))
        assert (e.sign != 0) == (e.p < 0.05)


def test_t_interval_of_four_values_covers_its_share_and_the_bootstrap_would_not():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4000, 4))
    _, low, high = st.band(x.T)
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(0.95, abs=0.012)
    draws = x[:400, rng.integers(0, 4, (500, 4))].mean(axis=2)
    low, high = np.quantile(draws, [0.025, 0.975], axis=1)
    assert np.mean((low <= 0) & (high >= 0)) < 0.88


def test_a_single_value_has_no_interval_and_no_sign():
    e = st.mean_interval([3.0])
    assert e.value == 3 and not e.has_interval and e.sign == 0 and not np.isfinite(e.p)


def test_amounts_have_no_interval_below_zero():
    assert st.mean_interval([0.0, 5.0]).low < 0 == st.mean_of_amounts([0.0, 5.0]).low
    assert st.mean_of_amounts([-1.0, 5.0]).low < -1


def test_no_value_gives_nothing():
    assert st.mean_interval([np.nan]).n == 0


def test_band_agrees_with_mean_interval_and_skips_gaps():
    x = np.random.default_rng(2).normal(5, 1, (5, 7))
    x[0, 3] = np.nan
    mean, low, high = st.band(x)
    for j in range(7):
        e = st.mean_interval(x[:, j])
        assert (mean[j], low[j], high[j]) == pytest.approx((e.value, e.low, e.high))


def test_paired_and_independent_differences_equal_scipys():
    rng = np.random.default_rng(3)
    a, b = rng.normal(1, 1, 6), rng.normal(0, 2, 6)
    assert st.difference(a, b).p == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert st.difference(a, b[:4], paired=False).p == pytest.approx(
        stats.ttest_ind(a, b[:4], equal_var=False).pvalue
    )


def test_pairing_by_seed_narrows_the_interval_when_seeds_share_their_luck():
    luck = np.random.default_rng(4).normal(0, 5, 8)
    a, b = luck + 1 + 0.1 * np.arange(8), luck
    paired, loose = st.difference(a, b), st.difference(a, b, paired=False)
    assert paired.high - paired.low < 0.2 * (loose.high - loose.low)


def test_share_of_control_is_the_mean_ratio_and_survives_an_empty_arm():
    e = st.share_of_control([50, 60, 40], [100, 100, 100])
    assert e.value == pytest.approx(0.5) and e.null == 1 and e.sign == -1
    assert st.share_of_control([0, 0, 0], [10, 20, 30]).value == 0


def test_bliss_excess_of_independent_treatments_is_zero():
    control = np.array([100.0, 200.0])
    excess = st.bliss_excess(control, 0.5 * control, 0.4 * control, 0.2 * control)
    assert excess == pytest.approx([0, 0])


def test_bliss_excess_is_positive_when_the_combination_leaves_less():
    assert st.bliss_excess(100, 74, 82, 49) == pytest.approx(0.74 * 0.82 - 0.49)


def test_bliss_excess_without_control_tumour_is_undefined():
    assert np.isnan(st.bliss_excess(0.0, 1.0, 1.0, 1.0))


def test_fit_line_recovers_slope_and_its_interval():
    x = np.arange(30.0)
    y = 2 + 5.5 * x + np.random.default_rng(7).normal(0, 0.5, 30)
    line = st.fit_line(x, y)
    assert line.low < 5.5 < line.high and line.r2 > 0.99


def covered(estimates, truth):
    """Share of intervals that hold the true value."""
    return np.mean([e.low <= truth <= e.high for e in estimates])


@pytest.mark.parametrize("n", [4, 6, 10])
def test_the_ratio_of_few_pairs_has_a_t_interval_that_covers_its_share(n):
    rng = np.random.default_rng(8)
    luck = rng.normal(100, 20, (2000, n))
    arm = 0.5 * luck + rng.normal(0, 5, (2000, n))
    assert covered([st.ratio_of_means(a, c) for a, c in zip(arm, luck)], 0.5) == pytest.approx(0.95, abs=0.02)


def test_a_constant_ratio_has_no_width_when_pairs_are_kept_together():
    for n in (4, 9):
        control = 100.0 + np.arange(n) ** 2
        e = st.ratio_of_means(0.4 * control, control)
        assert (e.value, e.low, e.high, e.null) == pytest.approx((0.4, 0.4, 0.4, 1.0))
    assert st.ratio_of_means([1.0, 2], [0.0, 0]).n == 2 and not np.isfinite(st.ratio_of_means([1.0, 2], [0.0, 0]).value)


def test_fewer_than_six_replicates_are_not_resampled():
    x = np.random.default_rng(9).normal(5, 1, 6)
    assert not st.bootstrap(np.mean, x[:5]).has_interval
    e = st.bootstrap(lambda v: v.mean(axis=-1), x)
    assert e.low < x.mean() < e.high


def test_the_resampled_interval_of_a_mean_is_close_to_the_normal_one():
    x = np.random.default_rng(1).normal(5, 2, 400)
    e = st.bootstrap(lambda v: v.mean(axis=-1), x)
    half = 1.96 * x.std() / 20
    assert (e.low, e.high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.03)
    again = st.bootstrap(lambda v: v.mean(axis=-1), x)
    assert (e.low, e.high) == (again.low, again.high)


def test_replicates_missing_in_one_arm_are_left_out_of_all():
    e = st.ratio_of_means([1.0, 2, np.nan, 4], [1.0, np.nan, 3, 2])
    assert (e.value, e.n) == (5.0 / 3.0, 2)
    with pytest.raises(ValueError, match="same replicates"):
        st.pairs([1.0], [1.0, 2.0])


@pytest.mark.parametrize("n", [4, 6, 10])
def test_the_excess_of_few_unpaired_tumours_covers_its_share(n):
    rng = np.random.default_rng(10)
    means, truth = (100.0, 74.0, 82.0, 49.0), 0.74 * 0.82 - 0.49
    runs = [[rng.normal(m, 6, n) for m in means] for _ in range(1500)]
    found = [st.bliss_of_groups(*groups) for groups in runs]
    assert 0.93 < covered(found, truth) < 0.99


def test_the_paired_excess_is_zero_for_independent_treatments_and_positive_for_synergy():
    control = np.array([100.0, 120, 90, 110, 105])
    a, b = 0.5 * control, 0.4 * control
    assert st.bliss_of_pairs(control, a, b, 0.2 * control).value == pytest.approx(0.0, abs=1e-15)
    e = st.bliss_of_pairs(control, a, b, 0.05 * control)
    assert (e.value, e.low, e.n) == pytest.approx((0.15, 0.15, 5))
