"""Growth inhibition, area under the curve, time to a size, Kaplan-Meier, log-rank and response classes against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tme import statistics as st


def test_growth_inhibition_is_one_minus_growth_over_the_controls_growth():
    start, control = np.full(5, 100.0), np.array([300.0, 310, 290, 305, 295])
    e = st.growth_inhibition(start, start + (control - start) / 4, start, control)
    assert (e.value, e.low, e.high) == pytest.approx((0.75, 0.75, 0.75)) and e.null == 0


def test_stasis_is_full_inhibition_and_shrinkage_is_more():
    start, control = [100.0] * 3, [200.0, 210, 190]
    assert st.growth_inhibition(start, start, start, control).value == pytest.approx(1)
    assert st.growth_inhibition(start, [50.0] * 3, start, control).value > 1


def test_inhibition_of_a_control_that_does_not_grow_is_unknown():
    assert not np.isfinite(st.growth_inhibition([1.0, 1], [1, 1], [1, 1], [1, 0.5]).value)


def test_the_area_under_a_straight_line_is_its_mean_times_its_length():
    assert st.area_under_curve([0, 1, 4], [[0.0, 2, 8], [3, 3, 3]]) == pytest.approx([16, 12])


def test_exponential_growth_reaches_its_double_after_the_doubling_time_between_any_records():
    days = np.array([0.0, 1.0, 2.5, 6.0])
    rates = np.array([0.2, 0.35, 0.9])
    times, reached = st.time_to_reach(days, 100 * np.exp(rates[:, None] * days), 200.0)
    assert reached.all() and times == pytest.approx(np.log(2) / rates)


def test_a_tumour_that_stays_small_is_censored_where_its_record_ends():
    times, reached = st.time_to_reach([0.0, 1, 2, 3], [[1, 1.1, 1.2, np.nan], [1, 3, 1, 1], [np.nan] * 4], 2.0)
    assert list(reached) == [False, True, False]
    assert times[0] == 2 and times[1] == pytest.approx(np.log(2) / np.log(3)) and np.isnan(times[2])


def test_every_tumour_may_have_a_size_of_its_own_to_reach():
    times, reached = st.time_to_reach([0.0, 2], [[10.0, 40], [20, 80]], np.array([20.0, 40]))
    assert reached.all() and times == pytest.approx([1, 1])


def test_without_censoring_kaplan_meier_is_the_share_that_is_left():
    curve = st.kaplan_meier([3.0, 1, 2, 4], [True] * 4)
    assert list(curve.times) == [1, 2, 3, 4] and curve.share == pytest.approx([0.75, 0.5, 0.25, 0]) and curve.median == 2


def test_kaplan_meier_equals_the_product_by_hand():
    curve = st.kaplan_meier([6.0, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16], [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1])
    by_hand = np.cumprod([8 / 11, 6 / 7, 4 / 5, 1 / 2, 0])
    assert list(curve.times) == [6, 7, 10, 13, 16] and curve.share == pytest.approx(by_hand)
    assert list(curve.censored) == [6, 9, 10, 11] and curve.n == 11
    inside = curve.share > 0
    assert (curve.low[inside] <= curve.share[inside]).all() and (curve.high[inside] >= curve.share[inside]).all()


def test_a_median_that_was_not_reached_is_infinite():
    assert st.kaplan_meier([1.0, 5, 5, 5], [True, False, False, False]).median == np.inf
    assert st.kaplan_meier([5.0, 5], [False, False]).median == np.inf


def test_the_log_rank_test_is_the_score_test_by_hand():
    """One event each at days 1 to 4: observed minus expected and its hypergeometric variance, summed by hand."""
    p = st.logrank([1.0, 2], [True, True], [3.0, 4], [True, True])
    expected, variance = 2 / 4 + 1 / 3, 2 / 4 * 2 / 4 + 1 / 3 * 2 / 3
    z = (2 - expected) / np.sqrt(variance)
    assert p == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_groups_without_events_cannot_be_told_apart():
    assert np.isnan(st.logrank([5.0, 5], [False, False], [5.0, 5], [False, False]))
    assert np.isnan(st.logrank([], [], [5.0], [True]))


@pytest.mark.parametrize(
    ("volumes", "expected"),
    [
        ([10, 5, 0], "complete"),
        ([10, 5, 3.42], "partial"),
        ([10, 5, 3.44], "stable"),
        ([10, 12, 17.27], "stable"),
        ([10, 12, 17.29], "progressive"),
        ([10, 1, 2], "progressive"),  # above 1.728 times the least: progress outweighs the earlier fall
        ([10, 0, 0.5], "progressive"),
        ([10, 9, np.nan], ""),
        ([10], ""),
    ],
)
def test_response_classes_follow_the_volumes_of_balls_whose_diameters_recist_limits(volumes, expected):
    assert st.response_class(np.array(volumes, float)) == expected


def test_the_limits_are_cubes_of_recists_limits_of_diameters():
    assert pytest.approx(0.7**3) == st.PARTIAL and pytest.approx(1.2**3) == st.PROGRESSIVE


def test_classes_are_counted_in_one_order():
    assert st.response_counts(["stable", "progressive", "stable", ""]) == {"complete": 0, "partial": 0, "stable": 2, "progressive": 1}


def test_false_discoveries_are_adjusted_as_scipy_does_and_gaps_stay():
    p = np.array([0.01, np.nan, 0.04, 0.03])
    out = st.benjamini_hochberg(p)
    assert out[[0, 2, 3]] == pytest.approx([0.03, 0.04, 0.04]) and np.isnan(out[1])
    assert np.isnan(st.benjamini_hochberg([np.nan])).all()


def test_a_tumour_that_was_gone_at_the_start_has_no_time():
    times, reached = st.time_to_reach([0.0, 1, 2], [[0.0, 0, 0], [1, 2, 4]], [0.0, 2.0])
    assert np.isnan(times[0]) and list(reached) == [False, True] and times[1] == 1
