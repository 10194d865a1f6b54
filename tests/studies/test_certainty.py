"""Certainty on planted linear models: known probabilities, known shares of variance, known flips, without any simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tme.statistics import proportion
from tme.studies.certainty import Explained, codes, flips_at, loss_of_cut, variance_shares

NUMBERS = 40


def planted(seed, n=500, m=100, seeds=3, slope=2.0, shift=1.0, luck=0.5):
    """effect = slope (u0 - 1/2) + shift (option of the first switch) + luck; 40 numbers and three switches, of which one each acts."""
    rng = np.random.default_rng(seed)
    u, options = rng.random((n + m, NUMBERS)), np.stack([rng.integers(0, k, n + m) for k in (2, 2, 3)], axis=1)
    mean = slope * (u[:, 0] - 0.5) + shift * options[:, 0]
    one = mean + luck * rng.standard_normal(n + m)
    many = mean[n:, None] + luck * rng.standard_normal((m, seeds))
    one[n:] = many[:, 0]
    parts = {"numbers": slope**2 / 12, "structure": shift**2 / 4, "seeds": luck**2}
    total = sum(parts.values())
    return u, options, one, many, {k: v / total for k, v in parts.items()}


def test_shares_of_variance_are_those_that_were_planted():
    found = []
    for seed in range(12):
        _u, options, one, many, truth = planted(seed)
        shares = variance_shares(one, options, many)
        assert sum(s.value for s in shares.values()) == pytest.approx(1)
        found.append([(shares[k].value, shares[k].low <= truth[k] <= shares[k].high) for k in truth])
    values, held = np.array(found)[:, :, 0], np.array(found)[:, :, 1]
    assert values.mean(axis=0) == pytest.approx(list(truth.values()), abs=0.03)
    assert held.sum() >= 30  # of 36; at 95 % the chance of fewer is 1 in 550


def test_without_structure_or_luck_their_shares_vanish():
    rng = np.random.default_rng(3)
    u, options = rng.random(400), rng.integers(0, 2, (400, 3))
    shares = variance_shares(u, options, np.repeat(u[:80, None], 3, axis=1))
    assert shares["seeds"].value < 1e-12 and shares["structure"].value < 0.02 and shares["numbers"].value > 0.98
    assert math.isnan(variance_shares(np.ones(50), options[:50], np.ones((10, 3)))["seeds"].value)


def test_interactions_of_switches_count_as_structure():
    rng = np.random.default_rng(4)
    options = rng.integers(0, 2, (600, 2))
    effect = (options[:, 0] ^ options[:, 1]) + 0.0
    shares = variance_shares(effect, options, np.repeat(effect[:50, None], 3, axis=1))
    assert shares["structure"].value > 0.98


def test_the_number_that_matters_is_told_from_forty_that_do_not():
    u, options, one, _many, truth = planted(5)
    e = Explained(u, options, one)
    order = np.argsort(-e.shares)
    assert set(order[:2]) == {0, NUMBERS}
    assert e.shares[0] == pytest.approx(truth["numbers"], abs=0.08) and e.shares[NUMBERS] == pytest.approx(truth["structure"], abs=0.08)
    assert (e.shares > e.chance).sum() == 2 and np.median(e.shares) == pytest.approx(0, abs=0.01)
    found = e.interval(0)
    assert found.low <= truth["numbers"] <= found.high


def test_where_nothing_matters_nothing_is_told_beyond_chance():
    false = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        e = Explained(rng.random((200, NUMBERS)), rng.integers(0, 2, (200, 2)), rng.standard_normal(200))
        false += bool((e.shares > e.chance).any())
    assert false <= 4  # at 5 % the chance of more is 3 in 1000


def test_too_few_draws_or_one_answer_bear_no_ranking():
    rng = np.random.default_rng(1)
    assert not Explained(rng.random((20, 3)), np.zeros((20, 0), int), rng.random(20)).ok
    assert not Explained(rng.random((200, 3)), np.zeros((200, 0), int), np.ones(200)).ok


def test_bins_hold_equally_many_draws_in_order():
    column = np.random.default_rng(1).random((103, 1))
    code = codes(column, 5)[:, 0]
    assert np.ptp(np.bincount(code)) <= 1
    assert all(column[code == k].max() < column[code == k + 1].min() for k in range(4))


def test_a_conclusion_flips_where_its_number_was_planted():
    rng = np.random.default_rng(2)
    u = rng.random(500)
    at, slope = flips_at(u, (u + 0.15 * rng.logistic(size=500) > 0.3).astype(float))
    assert at == pytest.approx(0.3, abs=0.05) and slope > 0
    at, slope = flips_at(u, (u < 0.7).astype(float))
    assert at == pytest.approx(0.7, abs=0.03) and slope < 0
    assert flips_at(u, (rng.random(500) < 0.95).astype(float))[0] is None


@pytest.mark.parametrize(("held", "n"), [(0, 20), (20, 20), (7, 20), (450, 500)])
def test_wilsons_interval_is_the_score_tests(held, n):
    e = proportion(held, n)
    for end in (e.low, e.high):
        if 0 < end < 1:
            assert abs(held / n - end) / math.sqrt(end * (1 - end) / n) == pytest.approx(stats.norm.ppf(0.975))
    assert e.low <= held / n <= e.high
    assert (e.low == 0) == (held == 0) and (e.high == 1) == (held == n)


def test_wilsons_interval_covers():
    for p, n in ((0.5, 40), (0.9, 100), (0.98, 100)):
        k = np.arange(n + 1)
        inside = np.array([proportion(int(x), n).low <= p <= proportion(int(x), n).high for x in k])
        assert stats.binom.pmf(k, n, p)[inside].sum() > 0.92


def test_a_cut_takes_its_planted_part_and_the_share_is_told_of_sure_draws_only():
    rng = np.random.default_rng(6)
    full = rng.normal(0.1, 0.1, 400)
    lost = loss_of_cut(full, 0.7 * full + rng.normal(0, 0.01, 400), 0.05)
    assert lost["n"] == 400 and lost["sure"] == (full > 0.1).sum()
    assert lost["loss"].low <= 0.3 * full.mean() + 0.002 and lost["loss"].value == pytest.approx(0.03, abs=0.01)
    assert lost["share"].low <= 0.3 <= lost["share"].high
    none = loss_of_cut(np.full(10, 0.01), np.zeros(10), 0.05)
    assert none["sure"] == 0 and math.isnan(none["share"].value)
