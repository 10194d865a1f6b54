"""Approximate Bayesian computation by populations of particles with a threshold that adapts (ABC-SMC).

Each generation simulates a number of particles that is known beforehand, keeps the `keep` share with the smallest distance
among them and those kept before, and lets the largest distance kept be the next threshold; it ends when few of the new
particles come below the threshold of before (Lenormand, Jabot & Deffuant 2013, Computational Statistics 28:2777,
doi 10.1007/s00180-013-0428-3). A particle weighs the prior over the mixture of all proposals so far, each by how many it drew
(Cornuet et al. 2012, Scand J Stat, doi 10.1111/j.1467-9469.2011.00756.x): those that an early, wide proposal drew would outweigh
the others a hundredfold otherwise. A generation is therefore a plain list of points: any executor may evaluate it in any order,
and a run that was killed repeats its draws and finds the points it has already evaluated.

Measurement noise of the data is added to what is simulated, with which the kept particles are a sample of the posterior under
that noise (Wilkinson 2013, doi 10.1515/sagmb-2013-0010). Seeds of simulations come from a small pool that all generations
share: particles of one seed differ by their numbers alone. One single seed would be no pool: the posterior would be
that of one tumour and too narrow (a test shows it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tme.studies.draws import Purpose, common_seeds, normals, uniforms
from tme.studies.prior import Prior
from tme.studies.proposal import Proposal

FEWEST_ATTEMPTS = 4096  # draws from which the share of a restricted prior is estimated
MOST_ATTEMPTS = 2_000_000


@dataclass(frozen=True)
class Trial:
    """One simulation that is asked for: its place in the study, its numbers, the number of its seed in the pool."""

    round: int
    index: int
    values: tuple[float, ...]
    seed: int


Evaluate = Callable[[list[Trial]], np.ndarray]  # -> (n, rows) simulated rows of the data, NaN where a simulation failed
Allowed = Callable[[np.ndarray], np.ndarray]  # points (n, d) of the unit cube -> (n,) bool


@dataclass(frozen=True)
class Observed:
    """The data: values (rows,) on the scale they are compared on, and the sd of their noise (rows,), 0 for none."""

    values: np.ndarray
    noise: np.ndarray


@dataclass(frozen=True)
class Settings:
    """How an ABC-SMC runs. `seeds` is the size of the pool of common seeds; 0 gives each particle its own."""

    seed: int = 1
    particles: int = 400
    keep: float = 0.5
    least_accepted: float = 0.1
    generations: int = 20
    seeds: int = 32


@dataclass(frozen=True)
class Population:
    """Particles kept by a generation: points u (n, d), weights (n,), distances (n,), noisy simulated rows (n, rows)."""

    generation: int
    u: np.ndarray
    weights: np.ndarray
    distances: np.ndarray
    rows: np.ndarray
    threshold: float
    accepted: float  # share of the new particles below the threshold of before; NaN in generation 0
    simulated: int  # simulations so far

    @property
    def effective(self) -> float:
        """Effective number of particles: (sum w)² / sum w²."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())


class CalibrationError(ValueError):
    """The data and the model do not meet at all; the message says how."""

    exit_code = 2


@dataclass(frozen=True)
class _Drawn:
    """What one generation drew from: n points of a proposal (None: the prior), of whose mass `share` is allowed."""

    n: int
    proposal: Proposal | None
    share: float

    def density(self, u: np.ndarray) -> np.ndarray:
        """(m,) n times the density at the points u (m, d)."""
        return self.n / self.share * (np.ones(len(u)) if self.proposal is None else self.proposal.density(u))


@dataclass(frozen=True)
class _Particles:
    """Points u (n, d), noisy rows (n, rows), distances (n,), and the density of the mixture of all proposals (n,), NaN where it is not known yet."""

    u: np.ndarray
    rows: np.ndarray
    distances: np.ndarray
    mixture: np.ndarray

    def best(self, n: int) -> _Particles:
        """The n nearest that did not fail, in order of distance; of equal ones the earlier."""
        order = np.argsort(self.distances, kind="stable")[: min(n, int(np.isfinite(self.distances).sum()))]
        return _Particles(self.u[order], self.rows[order], self.distances[order], self.mixture[order])

    def population(self, generation: int, accepted: float, simulated: int) -> Population:
        return Population(generation, self.u, 1.0 / self.mixture, self.distances, self.rows, float(self.distances[-1]), accepted, simulated)


def sample(prior: Prior, observed: Observed, evaluate: Evaluate, settings: Settings, allowed: Allowed | None = None,
           told: Callable[[Population], None] = lambda population: None, first_round: int = 0) -> list[Population]:  # fmt: skip
    """Run the generations; the last population is the posterior. Rounds are numbered from `first_round`."""
    keep = max(2, round(settings.keep * settings.particles))
    u, share = _from_prior(prior, settings, allowed, first_round)
    rows = _simulate(prior, observed, evaluate, settings, first_round, u)
    scale = _scale(rows, observed)
    history = [_Drawn(len(u), None, share)]
    kept = _Particles(u, rows, _distances(rows, observed, scale), history[0].density(u)).best(keep)
    out = [kept.population(0, float("nan"), len(u))]
    told(out[0])
    while len(out) < settings.generations:
        before, round_ = out[-1], first_round + len(out)
        proposal = Proposal.near(before.u, before.weights)
        u, share = _candidates(partial(_propose, proposal, settings.seed, round_), settings.particles - keep, allowed)
        rows = _simulate(prior, observed, evaluate, settings, round_, u)
        history.append(_Drawn(len(u), proposal, share))
        distances = _distances(rows, observed, scale)
        kept = _with(kept, _Particles(u, rows, distances, np.full(len(u), np.nan)), keep, history)
        out.append(kept.population(len(out), float((distances < before.threshold).mean()), before.simulated + len(u)))
        told(out[-1])
        if out[-1].accepted <= settings.least_accepted:
            break
    return out


def _propose(proposal: Proposal, seed: int, round_: int, indices: np.ndarray) -> np.ndarray:
    return proposal.draw(uniforms(seed, Purpose.PROPOSE, round_, indices, proposal.u.shape[1] + 1))


def _with(kept: _Particles, new: _Particles, keep: int, history: list[_Drawn]) -> _Particles:
    """The best of those kept before and the new ones, their mixture brought up to date."""
    best = _Particles(*(np.concatenate(pair) for pair in zip(vars(kept).values(), vars(new).values()))).best(keep)
    fresh = np.isnan(best.mixture)
    best.mixture[~fresh] += history[-1].density(best.u[~fresh])
    if fresh.any():
        best.mixture[fresh] = np.sum([drawn.density(best.u[fresh]) for drawn in history], axis=0)
    return best


def _from_prior(prior: Prior, settings: Settings, allowed: Allowed | None, round_: int) -> tuple[np.ndarray, float]:
    def draw(indices: np.ndarray) -> np.ndarray:
        return uniforms(settings.seed, Purpose.CANDIDATE, round_, indices, len(prior))

    return _candidates(draw, settings.particles, allowed)


def _candidates(draw: Callable[[np.ndarray], np.ndarray], n: int, allowed: Allowed | None) -> tuple[np.ndarray, float]:
    """The first n allowed draws, and the share of all draws that is allowed."""
    if allowed is None:
        return draw(np.arange(n)), 1.0
    found: list[np.ndarray] = []
    tried = inside = 0
    while tried < FEWEST_ATTEMPTS or inside < n:
        if tried >= MOST_ATTEMPTS:
            raise CalibrationError(f"history matching left too little: {inside} of {tried} draws are allowed; expected a wider range or more noise")
        u = draw(np.arange(tried, tried + FEWEST_ATTEMPTS))
        good = u[allowed(u)]
        found.append(good)
        tried, inside = tried + len(u), inside + len(good)
    return np.concatenate(found)[:n], inside / tried


def _simulate(prior: Prior, observed: Observed, evaluate: Evaluate, settings: Settings, round_: int, u: np.ndarray) -> np.ndarray:
    """(n, rows): what is simulated at the points u, measurement noise added."""
    values = prior.values(u)
    seeds = common_seeds(settings.seed, round_, len(u), settings.seeds)
    points = [Trial(round_, k, tuple(map(float, values[k])), int(seeds[k])) for k in range(len(u))]
    rows = np.asarray(evaluate(points), dtype=float)
    return rows + observed.noise * normals(settings.seed, Purpose.NOISE, round_, np.arange(len(u)), rows.shape[1])


def _scale(rows: np.ndarray, observed: Observed) -> np.ndarray:
    """(rows,) what a deviation is measured by: the noise where there is one, else the median absolute deviation of generation 0."""
    good = rows[np.isfinite(rows).all(axis=1)]
    if not len(good):
        raise CalibrationError("no simulation of the first generation gave numbers to compare with the data")
    spread = 1.4826 * np.median(np.abs(good - np.median(good, axis=0)), axis=0)
    scale = np.where(observed.noise > 0.0, observed.noise, spread)
    return np.where(scale > 0.0, scale, 1.0)


def _distances(rows: np.ndarray, observed: Observed, scale: np.ndarray) -> np.ndarray:
    """(n,) root mean square of the scaled deviations; infinite where a simulation failed."""
    with np.errstate(invalid="ignore", over="ignore"):
        d = np.sqrt((((rows - observed.values) / scale) ** 2).mean(axis=1))
    return np.where(np.isfinite(d), d, np.inf)
