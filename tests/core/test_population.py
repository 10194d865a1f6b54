"""Columns of cells: room, copies, removals."""

from __future__ import annotations

import mesa
import numpy as np
import pytest

from tme.core.population import Population


@pytest.mark.parametrize("asked, room", [(0, 16), (16, 16), (100, 100)])
def test_a_population_has_the_room_it_was_made_for(asked, room):
    assert Population(mesa.Model(), capacity=asked).capacity == room


def test_a_population_grows_when_it_is_full_and_keeps_its_rows():
    population = Population(mesa.Model(), capacity=16)
    for first in (1, 15, 40):
        uid = np.arange(first, first + 14, dtype=np.uint64)
        population.add(uid, np.arange(first, first + 14, dtype=np.int32), 7)
    assert population.n == 42 and population.capacity >= 42
    assert population.uid.tolist() == [*range(1, 29), *range(40, 54)]
    assert np.array_equal(population.uid, population.voxel) and (population.born_tick == 7).all()


def test_removal_keeps_the_others_whatever_rows_go():
    rng = np.random.default_rng(3)
    for _ in range(50):
        population = Population(mesa.Model(), capacity=16)
        population.add(np.arange(1, 31, dtype=np.uint64), np.arange(101, 131, dtype=np.int32), 0)
        rows = rng.choice(30, rng.integers(1, 31), replace=False)  # in any order
        left = set(range(1, 31)) - set((rows + 1).tolist())
        population.remove(rows)
        assert set(population.uid.tolist()) == left
        assert np.array_equal(population.voxel, population.uid + np.uint64(100))

