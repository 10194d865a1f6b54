"""What the checks compute with: fronts, propagation index, dose response, pairing, decay length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tme.model import load_config
from tme.targets.arms import ARMS
from tme.targets.data import FOLDER_VARIABLE, pdl1_near_t_cells
from tme.targets.fronts import arrival_by_column, front_speed, propagation_index, segments
from tme.targets.setups import TISSUE
from tme.targets.single_cells import crossing
from tme.targets.tissue import decay_length, distance_below

X = (np.arange(100) + 0.5) * 10.0


def test_the_speed_of_an_even_front_is_its_distance_over_its_time():
    speed, r2 = front_speed(X / 5.5, 10.0, 100.0, 900.0)
    assert speed == pytest.approx(5.5) and r2 == pytest.approx(1.0)
    assert segments(X / 5.5, 10.0, np.array([100.0, 500.0, 900.0])) == pytest.approx([5.5, 5.5])


def test_a_front_that_stops_has_no_speed():
    times = np.where(X < 400.0, X / 5.5, np.nan)
    assert front_speed(times, 10.0, 100.0, 900.0)[0] == 0.0


def test_a_column_counts_as_reached_when_half_of_its_cells_are():
    times = np.array([[1.0, 2.0, np.nan], [3.0, np.nan, np.nan]])
    assert arrival_by_column(times)[:2] == pytest.approx([2.0, 2.0])
    assert np.isnan(arrival_by_column(times)[2])


def test_the_propagation_index_is_high_for_a_wave_and_about_zero_for_independent_deaths():
    wave = np.tile(np.arange(30.0), (30, 1))
    chance = np.random.default_rng(2).random((30, 30))
    assert propagation_index(wave) > 0.9
    assert abs(propagation_index(chance)) < 0.1


def test_the_median_dose_is_interpolated_in_log_dose_and_infinite_beyond_the_range():
    doses = np.array([0.1, 1.0, 10.0])
    assert crossing(doses, np.array([0.0, 0.25, 0.75])) == pytest.approx(np.sqrt(10.0))
    assert crossing(doses, np.array([0.0, 0.1, 0.2])) == np.inf


def test_decay_length_and_crossing_distance_are_those_of_an_exponential():
    profile = 38.0 * np.exp(-np.arange(30) * 20.0 / 100.0)
    assert decay_length(profile, 20.0) == pytest.approx(100.0)
    assert distance_below(profile, 5.0, 20.0) == pytest.approx(100.0 * np.log(38.0 / 5.0), rel=0.01)
    assert distance_below(profile, 0.0, 20.0) == np.inf


def test_the_propagation_index_of_a_part_scrambles_that_part_alone():
    wave, chance = np.tile(np.arange(30.0), (30, 1)), np.random.default_rng(2).random((30, 30))
    left = np.arange(30)[None, :] < 15
    left = np.broadcast_to(left, (30, 30))
    mixed = np.where(left, wave, 100.0 * chance)
    assert propagation_index(mixed, within=left) > 0.8
    assert abs(propagation_index(mixed, within=~left)) < 0.15
    assert np.isnan(propagation_index(np.full((4, 4), np.nan)))


def test_without_the_imaged_cells_the_target_is_not_measured_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    outcome = pdl1_near_t_cells()
    assert outcome.passed is None
    assert "data not available" in outcome.notes[0]


def test_the_tissue_and_the_arms_are_those_of_the_experiments():
    configs = Path(__file__).parents[2] / "configs"
    base = load_config(configs / "base.yaml")
    given = base.to_dict()["populations"]
    assert {k: v for k, v in given.items() if v} == TISSUE
    assert base.clocks.field_tol == 1e-3
    arms = load_config(configs / "four_arms.yaml").arms
    for name, kind in (("anti_pdl1", "antibodies"), ("rsl3_np", "nanoparticles")):
        (theirs,) = getattr(arms[name], kind)
        (ours,) = ARMS[name][kind]
        assert (theirs.name, theirs.dose_mg_kg) == (ours["name"], ours["dose_mg_kg"])
        assert list(theirs.day)[:2] == ours["day"]
