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
