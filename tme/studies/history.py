"""History matching: which numbers could have given the data at all, by waves of few simulations.

A wave simulates a design in the region that is left, fits an emulator to each row of the data, and rules out the
points whose implausibility |data - emulated| / sd exceeds 3 in any row; the sd holds the data's noise, the discrepancy
allowed to the model, the scatter between seeds and the emulator's own error (Vernon, Goldstein & Bower 2010, Bayesian
Analysis 5:619, doi 10.1214/10-BA524). What is left is no posterior: it is where ABC-SMC begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tme.studies.abc_smc import Evaluate, Observed, Trial
from tme.studies.draws import Purpose, common_seeds, latin_hypercube, uniforms
from tme.studies.emulator import Emulator
from tme.studies.prior import Prior

CANDIDATES = 20_000  # points by which the share that is left is measured
LEAST_LEFT = 0.005  # a smaller share is not narrowed further
FEWEST_DESIGN = 12


@dataclass(frozen=True)
class HistorySettings:
    """`points` of a wave: 0 means ten per number; `waves` at most; implausible above `cut`; `discrepancy` (rows,): sd allowed to the model."""

    seed: int = 1
    waves: int = 3
    points: int = 0
    cut: float = 3.0
    discrepancy: np.ndarray | float = 0.0
    seeds: int = 32


@dataclass(frozen=True)
class Wave:
    """One wave: how much is left after it, its emulators, which row rules out most, how well the emulators do."""

    number: int
    left: float
    emulators: tuple[Emulator, ...]
    worst_row: int
    errors_beyond_3: float  # share of leave-one-out errors beyond 3 sd, over all rows
    simulated: int = 0
    kept: bool = True  # whether it counts: a wave that would leave next to nothing does not


@dataclass
class History:
    """The region that waves have left."""

    observed: Observed
    settings: HistorySettings
    waves: list[Wave] = field(default_factory=list)
    simulated: int = 0

    @property
    def left(self) -> float:
        """Share of the prior that is not ruled out."""
        kept = [w.left for w in self.waves if w.kept]
        return kept[-1] if kept else 1.0

    def implausibility(self, wave: Wave, u: np.ndarray) -> np.ndarray:
        """(n, rows) of the points u (n, d)."""
        own = np.asarray(self.observed.noise) ** 2 + np.broadcast_to(self.settings.discrepancy, self.observed.values.shape) ** 2
        out = np.empty((len(u), len(wave.emulators)))
        for row, emulator in enumerate(wave.emulators):
            mean, sd = emulator.predict(u)
            out[:, row] = np.abs(self.observed.values[row] - mean) / np.sqrt(own[row] + sd * sd)
        return out

    def allowed(self, u: np.ndarray) -> np.ndarray:
        """(n,) bool: points that no wave rules out."""
        good = np.ones(len(u), dtype=bool)
        for wave in self.waves:
            rows = np.flatnonzero(good)
            if wave.kept and len(rows):
                good[rows] = self.implausibility(wave, u[rows]).max(axis=1) <= self.settings.cut
        return good


def match(prior: Prior, observed: Observed, evaluate: Evaluate, settings: HistorySettings,
          told: Callable[[Wave], None] = lambda wave: None) -> History:  # fmt: skip
    """Run the waves, rounds 0, 1, …, until little more is ruled out."""
    history = History(observed, settings)
    n = max(FEWEST_DESIGN, settings.points or 10 * len(prior))
    candidates = uniforms(settings.seed, Purpose.CANDIDATE, 65_535, np.arange(CANDIDATES), len(prior))
    inside = np.ones(CANDIDATES, dtype=bool)
    for number in range(settings.waves):
        design = latin_hypercube(settings.seed, number, n, len(prior)) if number == 0 else _among(candidates[inside], number, n)
        wave, after = _wave(history, prior, evaluate, number, design, candidates, inside)
        history.waves.append(wave)
        told(wave)
        before, inside = inside.mean(), after if wave.kept else inside
        if not wave.kept or wave.left > 0.8 * before or wave.left < 4 * LEAST_LEFT:
            break
    return history


def _wave(history: History, prior: Prior, evaluate: Evaluate, number: int, design: np.ndarray,
          candidates: np.ndarray, inside: np.ndarray) -> tuple[Wave, np.ndarray]:  # fmt: skip
    """Simulate a design, fit, and mark the candidates that are left."""
    settings = history.settings
    values, seeds = prior.values(design), common_seeds(settings.seed, number, len(design), settings.seeds)
    points = [Trial(number, k, tuple(map(float, values[k])), int(seeds[k])) for k in range(len(design))]
    rows = np.asarray(evaluate(points), dtype=float)
    history.simulated += len(points)
    good = np.isfinite(rows).all(axis=1)
    if good.sum() < FEWEST_DESIGN // 2:
        return Wave(number, float(inside.mean()), (), -1, float("nan"), len(points), kept=False), inside
    emulators = tuple(Emulator.fit(design[good], rows[good, j]) for j in range(rows.shape[1]))
    wave = Wave(number, 0.0, emulators, -1, float(np.mean([np.abs(e.errors) > 3.0 for e in emulators])))
    at = np.flatnonzero(inside)
    found = history.implausibility(wave, candidates[at])
    after = np.zeros_like(inside)
    after[at] = found.max(axis=1) <= settings.cut
    worst = int((found > settings.cut).sum(axis=0).argmax())
    left = float(after.mean())
    return Wave(number, left, emulators, worst, wave.errors_beyond_3, len(points), kept=left >= LEAST_LEFT), after


def _among(points: np.ndarray, number: int, n: int) -> np.ndarray:
    """n of the points, others for each wave: from an offset on, so that waves share none while there are enough."""
    return points[(np.arange(n) + number * n) % len(points)]
