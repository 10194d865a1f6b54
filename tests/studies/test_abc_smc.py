"""ABC-SMC: right where the posterior is known, and the same bits whatever the order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import LINE, LINE_DATA, MEAN, MEASURED, line_of, line_posterior, mean_of, moments

from tme.studies.abc_smc import CalibrationError, Observed, Settings, sample
from tme.studies.draws import Purpose, common_seeds, latin_hypercube, normals, uniforms
from tme.studies.posterior import adjusted, raw, weighted_quantile
from tme.studies.prior import prior
from tme.studies.proposal import Proposal

SETTINGS = Settings(seed=3, particles=800)


def posterior(of, observed, evaluate, settings=SETTINGS, **how):
    return adjusted(of, sample(of, observed, evaluate, settings, **how)[-1], observed)


def test_the_posterior_of_a_normal_mean_is_that_of_theory():
    found = [moments(posterior(MEAN, MEASURED, mean_of, replace(SETTINGS, seed=seed))) for seed in range(8)]
    assert np.mean([mean[0] for mean, _ in found]) == pytest.approx(1.0, abs=0.05)
    assert np.mean([np.sqrt(covariance[0, 0]) for _, covariance in found]) == pytest.approx(0.5, rel=0.06)


def test_the_posterior_of_a_line_is_that_of_least_squares():
    mean, covariance = moments(posterior(LINE, LINE_DATA, line_of))
    right, spread = line_posterior()
    assert np.abs(mean - right) / np.sqrt(np.diag(spread)) == pytest.approx(0.0, abs=0.25)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(np.sqrt(np.diag(spread)), rel=0.15)
    assert covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]) == pytest.approx(spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1]), abs=0.12)


def test_a_number_the_data_say_nothing_of_keeps_its_prior():
    both = prior(("mean", -5.0, 5.0), ("idle", 1.0, 100.0, "log"))
    found = posterior(both, MEASURED, mean_of)
    assert found.below(np.array([9.0, 10.0]))[1] == pytest.approx(0.5, abs=0.08)
    assert found.narrowing()[1] == pytest.approx(1.0, abs=0.08) and found.narrowing()[0] < 0.3


def test_thresholds_fall_and_the_run_ends_when_few_are_accepted():
    populations = sample(MEAN, MEASURED, mean_of, SETTINGS)
    thresholds = [p.threshold for p in populations]
    assert thresholds == sorted(thresholds, reverse=True) and len(populations) > 4
    assert all(p.effective > 0.8 * len(p.u) for p in populations)
    assert all(p.accepted > SETTINGS.least_accepted for p in populations[1:-1])
    assert [p.simulated for p in populations] == [800 + 400 * k for k in range(len(populations))]


def test_neither_the_order_of_evaluation_nor_a_repetition_changes_a_bit():
    def backwards(trials):
        return line_of(trials[::-1])[::-1]

    one, two = (sample(LINE, LINE_DATA, f, SETTINGS)[-1] for f in (line_of, backwards))
    assert np.array_equal(one.u, two.u) and np.array_equal(one.weights, two.weights)
    other = sample(LINE, LINE_DATA, line_of, replace(SETTINGS, seed=4))[-1]
    assert not np.array_equal(one.u, other.u)


def test_what_failed_is_not_accepted():
    def half(trials):
        rows = mean_of(trials)
        return np.where(rows > 1.0, np.nan, rows)

    found = raw(MEAN, sample(MEAN, MEASURED, half, SETTINGS)[-1])
    assert found.values.max() <= 1.0 and (found.weights > 0).all()
    with pytest.raises(CalibrationError, match="no simulation"):
        sample(MEAN, MEASURED, lambda trials: np.full((len(trials), 1), np.nan), SETTINGS)


def test_a_narrowed_prior_gives_the_posterior_cut_off():
    found = posterior(MEAN, MEASURED, mean_of, allowed=lambda u: u[:, 0] >= 0.6)  # mean of 1 and more
    mean, _ = moments(found)
    half_normal = 1.0 + 0.5 * np.sqrt(2.0 / np.pi)
    assert mean[0] == pytest.approx(half_normal, abs=0.06)
    with pytest.raises(CalibrationError, match="history matching left too little"):
        sample(MEAN, MEASURED, mean_of, SETTINGS, lambda u: np.zeros(len(u), dtype=bool))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_density_of_proposals_is_that_of_their_draws_and_ends_at_the_walls(d):
    u = uniforms(7, Purpose.DESIGN, 0, np.arange(40), d) * 0.5  # near one wall
    proposal = Proposal.near(u, 1.0 + np.arange(40.0))
    drawn = proposal.draw(uniforms(7, Purpose.PROPOSE, 0, np.arange(20_000), d + 1))
    assert drawn.min() >= 0.0 and drawn.max() <= 1.0
    corner = uniforms(7, Purpose.CANDIDATE, 0, np.arange(20_000), d) * 0.3
    inside = float((drawn < 0.3).all(axis=1).mean())
    assert proposal.density(corner).mean() * 0.3**d == pytest.approx(inside, abs=4 * np.sqrt(inside / 20_000) + 0.004)
    everywhere = uniforms(7, Purpose.CANDIDATE, 1, np.arange(20_000), d)
    assert proposal.density(everywhere).mean() == pytest.approx(1.0, abs=0.05)


def test_draws_depend_on_their_key_alone():
    rows = uniforms(1, Purpose.PROPOSE, 5, np.arange(10), 3)
    assert np.array_equal(rows[4:6], uniforms(1, Purpose.PROPOSE, 5, np.array([4, 5]), 3))
    for changed in ((2, Purpose.PROPOSE, 5), (1, Purpose.NOISE, 5), (1, Purpose.PROPOSE, 6)):
        assert not np.isclose(rows, uniforms(*changed, np.arange(10), 3)).any()
    assert abs(normals(1, Purpose.NOISE, 0, np.arange(4000), 2).std() - 1.0) < 0.05


def test_a_design_fills_every_strip_and_seeds_serve_equally_often():
    design = latin_hypercube(1, 0, 20, 3)
    assert (np.sort((design * 20).astype(int), axis=0) == np.arange(20)[:, None]).all()
    seeds = common_seeds(1, 0, 96, 32)
    assert (np.bincount(seeds) == 3).all() and not np.array_equal(seeds, common_seeds(1, 1, 96, 32))
    own = [common_seeds(1, r, 50, 0) for r in range(3)]
    assert len(np.unique(np.concatenate(own))) == 150


def test_quantiles_of_equal_weights_are_the_usual_ones():
    values = np.arange(1001.0)
    assert weighted_quantile(values[::-1], np.ones(1001), (0.05, 0.5, 0.95)) == pytest.approx([50, 500, 950], abs=0.6)


def test_too_few_particles_are_not_moved():
    few = sample(LINE, Observed(LINE_DATA.values, LINE_DATA.noise), line_of, Settings(particles=8, generations=2))[-1]
    assert np.array_equal(adjusted(LINE, few, LINE_DATA).u, few.u)
