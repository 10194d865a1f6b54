"""`tme calibrate`: numbers from data. History matching narrows the ranges, ABC-SMC samples the posterior, new simulations predict.

Every simulation is a point of the study with a number of a replicate as its seed; what is drawn depends on the config's seed,
the round and the index alone. So the records of a killed study are found again, and the executor changes no bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tme.studies import petab
from tme.studies.abc_smc import Population, Settings, Trial, sample
from tme.studies.calibration_plan import Plan, plan_of, relative
from tme.studies.calibration_report import report
from tme.studies.data_table import Row
from tme.studies.design import Point
from tme.studies.draws import Purpose, normals
from tme.studies.history import History, HistorySettings, match
from tme.studies.posterior import Posterior, adjusted
from tme.studies.study import Results, Study

FIRST_GENERATION, PREDICTION = 100, 60_000  # numbers of rounds; waves of history matching have those below
PREDICTION_SEED = 1_000_000  # numbers of replicates no particle has


class Simulator:
    """Trials of the algorithms as points of the study."""

    def __init__(self, study: Study, plan: Plan) -> None:
        self.study, self.plan = study, plan
        self.results: list[Results] = []

    def points(self, trials: Sequence[Trial]) -> list[Point]:
        """One point for each trial; its seeds are numbers of replicates."""
        n = self.plan.effort.seeds
        whole = [r.whole for r in self.plan.prior.ranges]
        out = []
        for t in trials:
            values = {key: int(v) if w else v for key, v, w in zip(self.plan.prior.names, t.values, whole)}
            seeds = tuple(range(t.seed * n, t.seed * n + n))
            out.append(Point(f"{label(t.round)}-{t.index:03d}", {**self.plan.fixed, **values}, self.plan.arms, seeds, {"round": t.round}))
        return out

    def rows(self, trials: Sequence[Trial]) -> np.ndarray:
        """(n, rows) simulated values of all data, on the scale they are compared on; the mean over seeds."""
        points = self.points(trials)
        found = self.study.evaluate(points)
        self.results.append(found)
        return np.array([[self._mean(found, point, row) for row in self.plan.rows] for point in points])

    def fitted(self, trials: Sequence[Trial]) -> np.ndarray:
        """The same of the fitted data alone."""
        return self.rows(trials)[:, self.plan.fitted]

    def _mean(self, found: Results, point: Point, row: Row) -> float:
        days = list(self.plan.ask.days)
        values = []
        for seed in point.seeds:
            value = relative(found.course(point, seed, row.arm, row.readout), days, row)[days.index(float(row.day))]
            values.append(row.scaled(float(value)))
        return float(np.mean(values))


def label(round_: int) -> str:
    """Name of a round in the names of points."""
    return "prediction" if round_ == PREDICTION else f"generation-{round_ - FIRST_GENERATION}" if round_ >= FIRST_GENERATION else f"wave-{round_}"


def predict(plan: Plan, seed: int, posterior: Posterior, simulate: Simulator) -> tuple[np.ndarray, np.ndarray]:
    """Simulate draws of the posterior with new seeds: simulated rows (n, rows), and with measurement noise on them."""
    values = plan.prior.values(posterior.draw(seed, plan.effort.predictions))
    first = PREDICTION_SEED // plan.effort.seeds
    trials = [Trial(PREDICTION, k, tuple(map(float, v)), first + k) for k, v in enumerate(values)]
    rows = simulate.rows(trials)
    return rows, rows + plan.noise * normals(seed, Purpose.NOISE, PREDICTION, np.arange(len(rows)), rows.shape[1])


def run(config: Any, out: Path | None = None, quick: bool = False, **how: Any) -> tuple[Path, int]:
    """Calibrate as the config's `study` asks; returns the study directory and the exit code. ConfigError before anything is written."""
    return calibrate(config, plan_of(config, quick), out, **how)


def calibrate(config: Any, plan: Plan, out: Path | None = None, **how: Any) -> tuple[Path, int]:
    """Narrow, sample, predict, write; `how` goes to `Study`."""
    with Study(config, "calibrate", plan.ask, plan.settings(), out, **how) as study:
        simulate = Simulator(study, plan)
        observed, seed, effort = plan.observed(), int(config.seed or 0), plan.effort
        history = narrowed(plan, seed, simulate, lambda w: study.tell({"event": "wave", "number": w.number, "left": w.left}))
        settings = Settings(seed, effort.particles, 0.5, effort.least_accepted, effort.generations, effort.pool)
        allowed = history.allowed if any(w.kept for w in history.waves) else None
        populations = sample(plan.prior, observed, simulate.fitted, settings, allowed, lambda p: study.tell(event_of(p)), FIRST_GENERATION)
        posterior = adjusted(plan.prior, populations[-1], observed)
        predicted = predict(plan, seed, posterior, simulate)
        table, summary = report(plan, history, populations, posterior, predicted, simulate.results)
        petab.write(study.folder / "petab", config.name, plan.rows, plan.prior.ranges, effort.noise, posterior.quantiles()[1])
        study.finish(table, summary)
    return study.folder, study.exit_code


def narrowed(plan: Plan, seed: int, simulate: Simulator, told: Any) -> History:
    """The waves of history matching; none where the effort says so."""
    effort = plan.effort
    settings = HistorySettings(seed, effort.waves, effort.points, 3.0, plan.discrepancy(), effort.pool)
    return match(plan.prior, plan.observed(), simulate.fitted, settings, told)


def event_of(population: Population) -> dict[str, Any]:
    """A generation as a line of events.jsonl."""
    return {"event": "generation", "number": population.generation, "threshold": population.threshold, "effective": population.effective, "simulated": population.simulated}
