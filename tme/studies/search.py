"""A search for the Pareto front that asks for points generation by generation.

The sampler is Optuna's (Akiba et al. 2019, doi 10.1145/3292500.3330701): a tree-structured Parzen estimator of several objectives
(Ozaki et al. 2022, doi 10.1613/jair.1.13188) under limits. It sees each range longer by a tenth at both ends, where all that lies beyond
an end is the end: no dose and the highest dose are often best, and a sampler of densities all but misses them. The first two generations are a Latin hypercube. A generation is asked for before any of its points is known and told in
order of its index, so that nothing depends on who finished first: a search that was killed asks the same questions again
and finds the answers among the records.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tme.studies.draws import latin_hypercube

DIGITS = 4  # of a value: what is told is what was simulated
START = 2  # generations of the Latin hypercube
BEYOND = 0.1  # of a range, at both ends


@dataclass(frozen=True)
class Variable:
    """What is varied: dotted key, ends, scale ("even" or "log"), and the step between values where there is one."""

    key: str
    low: float
    high: float
    scale: str = "even"
    step: float | None = None

    @property
    def count(self) -> int | None:
        """How many values it has; None: any."""
        return None if self.step is None else 1 + round((self.high - self.low) / self.step)

    def at(self, u: float) -> float:
        """The value at a share u of the range (0 to 1; beyond lie its ends)."""
        u = min(max(float(u), 0.0), 1.0)
        if self.scale == "log":
            return self.rounded(math.exp(math.log(self.low) + u * math.log(self.high / self.low)))
        if self.step is None:
            return self.rounded(self.low + u * (self.high - self.low))
        return self.rounded(self.low + self.step * round(u * (self.high - self.low) / self.step))

    def asked(self, u: float) -> float:
        """Where the sampler sees a share u of all that it sees: the number of a step, or a share of the range."""
        return min(int(u * self.count), self.count - 1) if self.count else (1 + 2 * BEYOND) * u - BEYOND

    def told(self, seen: float) -> float:
        """The value of what the sampler sees."""
        return self.at(seen / max(self.count - 1, 1) if self.count else seen)

    def rounded(self, value: float) -> float:
        """The value that is simulated."""
        value = float(f"{value:.12g}") if self.step is not None else float(f"{value:.{DIGITS}g}")
        return min(max(value, self.low), self.high)


@dataclass(frozen=True)
class Outcome:
    """What a point costs (smaller is better), and how far it lies above each limit, as a share of it (0 or less: kept)."""

    costs: tuple[float, ...]
    excess: tuple[float, ...] = ()

    @property
    def within(self) -> bool:
        """Whether all limits are kept."""
        return all(e <= 0 for e in self.excess)


@dataclass(frozen=True)
class Tried:
    """A point that was tried, in which generation, and what came out; None where that is not known."""

    values: dict[str, float]
    generation: int
    outcome: Outcome | None


Evaluate = Callable[[int, list[dict[str, float]]], list[Outcome | None]]  # generation, its points -> what came out of each


def search(variables: Sequence[Variable], objectives: int, n: int, generation: int, seed: int, evaluate: Evaluate) -> list[Tried]:
    """Ask for n points."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # limits are an experiment to Optuna
        sampler = optuna.samplers.TPESampler(n_startup_trials=1, constant_liar=True, seed=seed, constraints_func=lambda t: t.user_attrs["excess"])
        study = optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)
    of = optuna.distributions
    kinds: dict[str, of.BaseDistribution] = {v.key: of.IntDistribution(0, v.count - 1) if v.count else of.FloatDistribution(-BEYOND, 1 + BEYOND) for v in variables}
    first = latin_hypercube(seed, 0, min(n, START * generation), len(variables))
    out: list[Tried] = []
    while len(out) < n:
        k = out[-1].generation + 1 if out else 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for row in first if k == 0 else ():
                study.enqueue_trial({v.key: v.asked(u) for v, u in zip(variables, row)})
            trials = [study.ask(kinds) for _ in range(len(first) if k == 0 else min(generation, n - len(out)))]
        points = [{v.key: v.told(t.params[v.key]) for v in variables} for t in trials]
        for trial, values, found in zip(trials, points, evaluate(k, points)):
            out.append(Tried(values, k, found))
            _tell(study, trial, found)
    return out


def _tell(study: Any, trial: Any, found: Outcome | None) -> None:
    from optuna.trial import TrialState

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if found is None:
            study.tell(trial, state=TrialState.FAIL)
        else:
            trial.set_user_attr("excess", found.excess)
            study.tell(trial, found.costs)


def grid(variables: Sequence[Variable], counts: Sequence[int]) -> list[dict[str, float]]:
    """The full grid with so many levels of each variable, from end to end; one level stands in the middle."""
    axes = [[v.at(u) for u in (np.linspace(0, 1, c) if c > 1 else (0.5,))] for v, c in zip(variables, counts)]
    return [{v.key: float(x) for v, x in zip(variables, row)} for row in np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))]
