"""Fronts, hypervolumes and grids against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tme.studies.fronts import box_of, distinct, front_of, trace
from tme.studies.pareto import hypervolume, levels, on_front, spread
from tme.studies.search import Outcome, Tried, Variable, grid, search


def test_a_point_is_on_the_front_unless_another_is_as_good_in_all_and_better_in_one():
    costs = np.array([[0, 3], [1, 1], [1, 1], [1, 2], [3, 0], [3, 3.0]])
    assert on_front(costs).tolist() == [True, True, True, False, True, False]


def test_hypervolume_of_two_and_three_costs_is_the_volume_of_the_union():
    assert hypervolume(np.array([[0.0, 0.5], [0.5, 0.0], [0.6, 0.6], [2.0, 0.0]]), (1, 1)) == pytest.approx(0.75)
    assert hypervolume(np.empty((0, 2)), (1, 1)) == 0.0
    points = np.random.default_rng(3).random((12, 3))
    sample = np.random.default_rng(4).random((200_000, 3))
    covered = (points[None] <= sample[:, None]).all(axis=2).any(axis=1).mean()
    assert hypervolume(points, np.ones(3)) == pytest.approx(covered, abs=0.005)


def test_the_points_taken_from_a_front_cover_most():
    costs = np.array([[0.0, 1.0], [0.5, 0.5], [0.52, 0.49], [1.0, 0.0]])
    assert list(spread(costs, np.array([1.1, 1.1]), 1)) in ([1], [2])
    assert list(spread(costs, np.array([1.1, 1.1]), 3)) in ([0, 1, 3], [0, 2, 3])
    assert list(spread(costs, np.array([1.1, 1.1]), 9)) == [0, 1, 2, 3]


@pytest.mark.parametrize(("most", "n", "expected"), [([None] * 3, 30, [3, 3, 3]), ([None, 2, None], 40, [5, 2, 4]), ([2, 2], 100, [2, 2]), ([None, None], 1, [1, 1])])
def test_a_grid_is_as_even_as_can_be_at_no_higher_cost(most, n, expected):
    assert levels(most, n) == expected


def test_a_grid_goes_from_end_to_end_in_steps_and_in_the_logarithm():
    points = grid([Variable("a", 1, 100, "log"), Variable("d", 0, 4, step=1.0), Variable("m", 2, 4)], [3, 2, 1])
    assert [p["a"] for p in points[::2]] == [1, 10, 100] and {p["d"] for p in points} == {0, 4} and {p["m"] for p in points} == {3}


def test_steps_are_whole_and_values_are_what_is_told():
    v = Variable("d", 0.5, 2.0, step=0.5)
    assert v.count == 4 and [v.told(v.asked(u)) for u in (0.0, 0.26, 0.6, 0.999, 1.0)] == [0.5, 1.0, 1.5, 2.0, 2.0]
    w = Variable("x", 0.0, 3.0)
    assert w.told(w.asked(0.01)) == 0.0 and w.told(w.asked(0.99)) == 3.0 and w.at(1 / 3.7) == 0.8108


def tried(*costs):
    return [Tried({"x": float(k)}, 0, None if c is None else Outcome(c[:2], c[2:])) for k, c in enumerate(costs)]


def test_points_that_break_a_limit_or_are_not_known_are_on_no_front_and_in_no_box():
    found = tried((0.0, 0.0, 0.5), None, (1.0, 3.0, -0.1), (3.0, 1.0, 0.0), (3.0, 3.0, -0.2))
    assert [t.values["x"] for t in front_of(found)] == [2, 3]
    box = box_of(found, [None, None])
    assert box.best.tolist() == [1, 1] and box.worst.tolist() == [3, 3]
    wide = box.holding(np.array([[0.0, 2.0], [2.0, 9.0]]), np.array([True, False]))
    assert wide.best.tolist() == [0, 1] and wide.worst.tolist() == [3, 3] and box.holding(np.array([[0.0, 9.0]]), np.ones(2, bool)).worst.tolist() == [3, 9]
    assert box_of(found, [None, 5.0]).worst.tolist() == [3, 5]
    assert box_of(tried((1.0, 2.0), (1.0, 1.0)), [None, None]) is None and box_of([], [None, None]) is None
    assert trace(found, box_of(found, [5.0, 5.0]), 2) == pytest.approx([0, 0, 0.5, 0.75, 0.75])


def test_a_point_asked_for_again_counts_once():
    again = [*tried((1.0, 2.0), (2.0, 1.0)), Tried({"x": 0.0}, 4, Outcome((1.0, 2.0)))]
    assert [t.generation for t in distinct(again)] == [0, 0]


def asked(n, generation, seed=1, fail=()):
    told = []

    def evaluate(k, points):
        told.append((k, len(points)))
        return [None if (k, j) in fail else Outcome((p["x"], (1 - p["x"]) ** 2 + p["d"]), (p["x"] - 0.7,)) for j, p in enumerate(points)]

    return search([Variable("x", 0, 1), Variable("d", 0, 3, step=1.0)], 2, n, generation, seed, evaluate), told


def test_a_search_asks_in_generations_and_the_same_again():
    found, told = asked(25, 6)
    assert told == [(0, 12), (1, 6), (2, 6), (3, 1)] and len(found) == 25
    assert [t.values for t in asked(25, 6)[0]] == [t.values for t in found] != [t.values for t in asked(25, 6, seed=2)[0]]


def test_a_search_goes_on_where_nothing_is_known_and_turns_away_from_limits():
    assert len(asked(20, 5, fail={(0, j) for j in range(10)})[0]) == 20
    late = [t.values for t in asked(60, 6)[0][30:]]
    assert np.mean([v["d"] == 0 for v in late]) > 0.5 and np.mean([v["x"] <= 0.7 for v in late]) > 0.7
