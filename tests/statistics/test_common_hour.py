"""Which hour of several simulations may be compared."""

import numpy as np

from tme.statistics.common_hour import common_hours, last_common_hour


def test_the_last_common_hour_is_the_last_that_every_simulation_recorded():
    whole, stopped = np.arange(0.0, 49, 12), np.array([0.0, 12, 24, 33.3])
    assert last_common_hour([whole, stopped, whole]) == 24
    assert common_hours([stopped, whole]).tolist() == [0, 12, 24]


def test_an_hour_that_only_those_who_stopped_recorded_is_no_common_hour():
    assert last_common_hour([[0, 24, 33.3], [0, 24, 48]]) == 24


def test_hours_added_up_from_other_ticks_are_the_same_hour():
    assert last_common_hour([[0.1 + 0.2], [0.3]]) == 0.3


def test_simulations_that_share_no_hour_have_none():
    assert last_common_hour([[1.0], [2.0]]) is None
    assert last_common_hour([]) is None
    assert last_common_hour([[], [2.0]]) is None
