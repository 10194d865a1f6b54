"""Tables of comparisons of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tme.experiments import compare

CONTROL = np.array([100.0, 120, 90, 110, 105])


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
    np.testing.assert_allclose(table["p_least"], 2 * 0.5**5)
    low, high = stats.t.interval(0.95, 4, -0.5 * CONTROL.mean(), stats.sem(0.5 * CONTROL))
    assert (table.loc["a", "difference_low"], table.loc["a", "difference_high"]) == pytest.approx((low, high))
    np.testing.assert_allclose(table["p_wilcoxon_holm"], 6 * 0.5**5)
    assert compare.bliss(MadeUpRun(), "a", "b", "ab")["value"] == pytest.approx(0.1)


def test_time_courses_say_their_n():
    course = compare.time_course(MadeUpRun(), "tumour_alive")
    assert (course["n"] == 5).all()
    few = compare.time_course(MadeUpRun(), "tumour_alive", "bootstrap")
    np.testing.assert_allclose(few[["mean", "low", "high"]], course[["mean", "low", "high"]])  # five are not resampled
    x = np.arange(8.0)
    e = compare.resampled(x)
    assert e.value == x.mean() and e.low < e.value < e.high and e.high - e.low < np.ptp(x)
    with pytest.raises(ValueError, match="interval"):
        compare.time_course(MadeUpRun(), "tumour_alive", "sd")


class StoppedRun(MadeUpRun):
    """The control's tumour of seed 1 reached the edge after 33 hours; records are daily, up to day 2."""

    def series(self):
        table = pd.concat([super().series(), super().series().query("hour == 24").assign(hour=48, tumour_alive=1e6)])
        one = (table["arm"] == "control") & (table["replicate"] == 1) & (table["hour"] == 48)
        return table.assign(hour=table["hour"].where(~one, 33.0))

    def stopped(self):
        return {("control", 1): (33.0, "the tumour reached the edge")}


def test_arms_are_read_on_one_day_where_a_simulation_stopped_early():
    """Each at its own last row, the control would be compared at 33 h with arms at 48 h."""
    table = compare.compare_arms(StoppedRun()).set_index("arm")
    np.testing.assert_allclose(table["ratio"], [0.5, 0.4, 0.1])
    assert (table["day"] == 1.0).all() and (table["n"] == 5).all()
    assert compare.bliss(StoppedRun(), "a", "b", "ab")["value"] == pytest.approx(0.1)
    assert compare.bliss(StoppedRun(), "a", "b", "ab")["day"] == 1.0


def test_a_day_after_a_simulation_stopped_is_refused_with_its_name_and_reason():
    with pytest.raises(compare.StoppedEarly, match=r"day 2 .*control/1 ended on day 1.38 \(the tumour reached the edge\).* is 1") as told:
        compare.compare_arms(StoppedRun(), hour=48)
    assert told.value.exit_code == 2


def test_runs_that_are_compared_share_one_hour():
    both = {"full": MadeUpRun(), "cut": StoppedRun()}
    assert compare.common_hour(both) == 24
    with pytest.raises(compare.StoppedEarly, match="cut/control/1 ended"):
        compare.common_hour(both, day=2)
    assert compare.common_hour(both, day=1) == 24


def test_sweep_points_are_compared_at_an_hour_that_all_reached():
    swept = pd.concat([MadeUpRun().series().assign(sweep=0), StoppedRun().series().assign(sweep=1)])
    assert compare.common_hour(swept) == 24


def test_a_time_course_ends_where_replicates_are_missing():
    course = compare.time_course(StoppedRun(), "tumour_alive").set_index("arm")
    assert course.loc["control", "hour"].tolist() == [0, 24]
    assert course.loc["a", "hour"].tolist() == [0, 24, 48]


def test_arms_are_not_compared_before_treatment_starts():
    class Grown(MadeUpRun):
        def series(self):
            return super().series().assign(hour=lambda t: t["hour"] - 24)

    with pytest.raises(compare.StoppedEarly, match="no treatment to compare yet"):
        compare.compare_arms(Grown())
    assert len(compare.compare_arms(Grown(), hour=-24)) == 3
