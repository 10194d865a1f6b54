"""Coverage: 90 % intervals hold 90 % of truths, and the check notices when they do not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from problems import MEAN

from tme.studies import coverage
from tme.studies.abc_smc import Settings
from tme.studies.draws import Purpose, normals

SMALL = Settings(seed=11, particles=200, seeds=0)


@pytest.fixture(scope="module")
def script():
    path = Path(__file__).parents[2] / "benchmarks" / "calibration_coverage.py"
    spec = importlib.util.spec_from_file_location("calibration_coverage", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_luck(scatter):
    """The mean itself, with luck by seed."""

    def simulate(trials):
        luck = normals(1, Purpose.SEED, 0, np.array([t.seed for t in trials]), 1)
        return np.array([[t.values[0]] for t in trials]) + scatter * luck

    return simulate


def measured(settings, truths=60, scatter=1.0):
    return coverage.measure(MEAN, np.array([0.2]), with_luck(scatter), settings, truths, 5)


def test_growth_curves_are_calibrated_with_the_right_coverage(script):
    """A small version of benchmarks/calibration_coverage.py: 60 truths hold 90 % within .80 and .98 (all but 1 in 100 times)."""
    settings = Settings(seed=script.SEED, particles=200, seeds=200)
    found = coverage.measure(script.PRIOR, script.NOISE, script.growth, settings, 60, script.SEED)
    assert ((found.covered() >= 0.8) & (found.covered() <= 0.98)).all()
    assert (found.p_uniform() > 1e-3).all()


@pytest.mark.slow
def test_ninety_percent_intervals_hold_87_to_93_percent_of_500_truths(script):
    found = script.coverage()
    assert len(found.below) >= 400
    assert ((found.covered() >= 0.87) & (found.covered() <= 0.93)).all()
    assert (found.p_uniform() > 1e-3).all()


def test_luck_between_tumours_counts():
    assert 0.8 <= measured(SMALL).covered()[0] <= 0.98


def test_one_single_seed_for_all_would_be_too_sure():
    """The reason for a pool of common seeds: with one, all simulations share the luck of one tumour."""
    alone = Settings(seed=11, particles=200, seeds=1)
    found = measured(alone, truths=40)
    assert found.covered()[0] < 0.5
    assert found.p_uniform()[0] < 1e-3


def test_ranks_band_and_histogram_are_those_of_their_definitions():
    even = coverage.Coverage(["a"], (np.arange(200)[:, None] + 0.5) / 200)
    assert even.covered()[0] == pytest.approx(0.9) and even.histogram().tolist() == [[10] * 20]
    assert even.p_uniform()[0] == pytest.approx(1.0)
    low, high = coverage.Coverage(["a"], np.zeros((400, 1))).band()
    assert (low, high) == pytest.approx((0.87, 0.93), abs=0.005)
    assert coverage.Coverage(["a"], np.full((50, 1), 0.01)).covered()[0] == 0.0
