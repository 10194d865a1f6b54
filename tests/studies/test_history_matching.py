"""History matching: the emulator knows what it does not know, and what is left holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from problems import LINE, LINE_DATA, MEAN, line_of

from tme.studies.abc_smc import Observed
from tme.studies.draws import Purpose, latin_hypercube, normals, uniforms
from tme.studies.emulator import Emulator
from tme.studies.history import HistorySettings, match


def curve(u):
    """A surface that is no quadratic."""
    return np.sin(5.0 * u[:, 0]) + u[:, 1] ** 2 * u[:, 0]


def test_an_emulator_follows_a_smooth_surface():
    design = latin_hypercube(1, 0, 60, 2)
    there = uniforms(1, Purpose.CANDIDATE, 0, np.arange(400), 2)
    mean, sd = Emulator.fit(design, curve(design)).predict(there)
    error = np.abs(mean - curve(there))
    assert np.sqrt((error**2).mean()) < 0.02 * curve(there).std()
    assert (error < 4.0 * sd).mean() > 0.97


def test_its_sd_holds_the_scatter_between_seeds():
    design = latin_hypercube(1, 0, 120, 2)
    luck = 0.3 * normals(1, Purpose.NOISE, 0, np.arange(120), 1)[:, 0]
    emulator = Emulator.fit(design, curve(design) + luck)
    there = uniforms(1, Purpose.CANDIDATE, 0, np.arange(200), 2)
    assert emulator.predict(there)[1].mean() == pytest.approx(0.32, rel=0.25)
    assert (np.abs(emulator.errors) > 3.0).mean() < 0.03


def test_a_row_that_never_changes_is_emulated_as_such():
    design = latin_hypercube(1, 0, 20, 1)
    mean, sd = Emulator.fit(design, np.full(20, 7.0)).predict(design)
    assert mean == pytest.approx(np.full(20, 7.0)) and sd.max() < 0.1


def test_waves_rule_out_most_of_the_prior_and_keep_what_could_be_the_truth():
    history = match(LINE, LINE_DATA, line_of, HistorySettings(seed=2))
    assert history.left < 0.15 and history.simulated <= 3 * 20
    lost = 0
    for k, truth in enumerate(uniforms(5, Purpose.TRUTH, 0, np.arange(30), 2)):
        rows = LINE.values(truth[None])[0, 0] + LINE.values(truth[None])[0, 1] * np.arange(4.0)
        seen = Observed(rows + LINE_DATA.noise * normals(5, Purpose.NOISE, 0, np.array([k]), 4)[0], LINE_DATA.noise)
        lost += not match(LINE, seen, line_of, HistorySettings(seed=k, waves=1)).allowed(truth[None])[0]
    assert lost <= 2  # each of four rows leaves its 3 sd in .3 % of cases


def test_a_discrepancy_allowed_to_the_model_leaves_more():
    strict, lenient = (match(LINE, LINE_DATA, line_of, HistorySettings(discrepancy=np.full(4, d))).left for d in (0.0, 2.0))
    assert lenient > 2 * strict


def test_a_wave_that_would_leave_nothing_does_not_count():
    far = Observed(np.array([50.0]), np.array([0.1]))
    history = match(MEAN, far, lambda trials: np.array([[t.values[0]] for t in trials]), HistorySettings())
    assert not history.waves[-1].kept and history.left == 1.0 and history.waves[-1].worst_row == 0
    assert history.allowed(np.array([[0.1], [0.9]])).all()


def test_designs_whose_simulations_fail_are_no_wave():
    history = match(MEAN, Observed(np.zeros(1), np.ones(1)), lambda trials: np.full((len(trials), 1), np.nan), HistorySettings())
    assert [w.kept for w in history.waves] == [False] and history.allowed(np.array([[0.5]])).all()
