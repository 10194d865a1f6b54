"""Where the daughter of a CD8 goes."""

from __future__ import annotations

import numpy as np
import pytest

from tme.mechanisms.death import place_daughters

GEOMETRY = (1, 3, 3, 0, 0, 0)


def place(mother, full, capacity=1):
    """(voxel of the daughter or None) of a CD8 in `mother` with the voxels of `full` taken."""
    occupancy = np.zeros(9, np.int8)
    occupancy[list(full)] = capacity
    n_div, mothers, places, uids = np.zeros(1, np.int32), np.empty(1, np.int64), np.empty(1, np.int64), np.empty(1, np.uint64)
    before = occupancy.copy()
    m = place_daughters(np.zeros(1, np.int64), 1, np.array([11], np.uint64), np.array([mother], np.int32), n_div, occupancy,
                        capacity, np.uint64(1), 5, GEOMETRY, mothers, places, uids)  # fmt: skip
    assert n_div[0] == m and occupancy.sum() == before.sum() + m
    return int(places[0]) if m else None


def test_a_daughter_stays_with_her_mother_where_there_is_room():
    assert place(4, {0, 1, 2, 3, 5, 6, 7, 8}) == 4


@pytest.mark.parametrize("free", [0, 1, 2, 3, 5, 6, 7, 8])
def test_else_she_takes_the_free_place_beside_also_the_first_voxel(free):
    assert place(4, set(range(9)) - {free}) == free


def test_nobody_is_born_where_all_is_full_or_the_free_place_is_far():
    assert place(4, set(range(9))) is None
    assert place(0, set(range(9)) - {8}) is None
