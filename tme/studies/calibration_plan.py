"""What a calibration does, decided before anything is written: data, numbers and their priors, effort."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tme.config import ConfigError, Fault
from tme.config.hashing import canonical
from tme.studies import petab, published
from tme.studies.abc_smc import Observed
from tme.studies.checks import faults_of_readouts
from tme.studies.data_table import Row, read
from tme.studies.design import Ask
from tme.studies.evaluate import readouts_of
from tme.studies.prior import Prior
from tme.studies.ranges import fault_at, ranges_of

MOST_NUMBERS = 12
MOST_CURVE_DAYS = 60


@dataclass(frozen=True)
class Effort:
    """How much is simulated: `particles` of a generation, `seeds` tumours averaged for each, the pool of common tumours."""

    particles: int = 200
    seeds: int = 1
    pool: int = 200
    waves: int = 2
    points: int = 0
    generations: int = 12
    predictions: int = 100
    noise: float = 0.2
    discrepancy: float = 0.1
    least_accepted: float = 0.1


QUICK = Effort(particles=16, pool=16, waves=1, points=12, generations=2, predictions=10)


@dataclass(frozen=True)
class Plan:
    """All that is decided before anything is written."""

    rows: tuple[Row, ...]
    prior: Prior
    fixed: dict[str, Any]
    effort: Effort
    ask: Ask
    arms: tuple[str, ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...] = ()  # of published targets

    @property
    def fitted(self) -> np.ndarray:
        """(rows,) bool."""
        return np.array([r.fit for r in self.rows])

    @property
    def values(self) -> np.ndarray:
        """(rows,) data on the scale they are compared on."""
        return np.array([r.scaled(r.value) for r in self.rows])

    @property
    def noise(self) -> np.ndarray:
        """(rows,) their sd."""
        return np.array([r.noise(self.effort.noise) for r in self.rows])

    def observed(self) -> Observed:
        """The fitted data."""
        return Observed(self.values[self.fitted], self.noise[self.fitted])

    def discrepancy(self) -> np.ndarray:
        """(fitted rows,) sd allowed to the model."""
        share = self.effort.discrepancy
        return np.array([share if r.log else share * abs(r.value) for r in self.rows if r.fit])

    def settings(self) -> dict[str, Any]:
        """What makes it another study."""
        data = hashlib.sha256(canonical([asdict(r) for r in self.rows]).encode()).hexdigest()
        return {"effort": asdict(self.effort), "data_sha256": data, "numbers": self.prior.names, "ranges": [[r.low, r.high, r.scale] for r in self.prior.ranges], "fixed": self.fixed}


def effort_of(config: Any, quick: bool) -> Effort:
    """The defaults with what the config says; `quick` keeps the sizes small whatever it says."""
    asked = config.study
    said = {"particles": asked.draws, "seeds": asked.seeds, "waves": asked.waves, "generations": asked.generations, "predictions": asked.predictions}
    if not quick and asked.draws:
        said["pool"] = asked.draws
    if quick:
        said = {"waves": None if asked.waves is None else min(asked.waves, QUICK.waves)}
    said |= {"noise": asked.noise, "discrepancy": asked.discrepancy}
    return replace(QUICK if quick else Effort(), **{k: v for k, v in said.items() if v is not None})


def plan_of(config: Any, quick: bool = False) -> Plan:
    """Read data and ranges; ConfigError where they do not fit the experiment."""
    asked = config.study
    if asked is None or not (asked.data or asked.targets):
        expected = "a CSV table, or the .yaml of a PEtab problem, or ids of published targets as study.targets; see docs/calibrate.md"
        raise ConfigError([fault_at(config, "study.data", "missing", expected)])
    faults = []
    if asked.kind not in (None, "calibrate"):
        faults.append(fault_at(config, "study.kind", f"is {asked.kind}, and this is tme calibrate", f"tme {asked.kind}, or kind: calibrate"))
    if config.sweep:
        faults.append(fault_at(config, "sweep", "a study takes its points from its own design", "no sweep; numbers to calibrate under study.ranges"))
    if faults:
        raise ConfigError(faults)
    rows, problems, notes = data_of(config)
    known, sources, left_out = published.rows_of(config)
    rows, notes = rows + known, notes + left_out
    prior, fixed = prior_of(config, problems)
    if not any(r.fit for r in rows):
        raise ConfigError([fault_at(config, "study.check_days", "leaves nothing to fit", "days that are fitted, besides those that are checked")])
    effort = effort_of(config, quick)
    arms = tuple(a for a in config.arms if any(r.arm == a for r in rows))
    return Plan(tuple(rows), prior, fixed, effort, ask_of(config, rows), arms, tuple(notes), tuple(sources))


def data_of(config: Any) -> tuple[list[Row], list[petab.Problem], list[str]]:
    """The rows of all data files, the PEtab problems among them, and what they hold that cannot be represented."""
    asked = config.study
    known, ends = readouts_of(config, tuple(config.arms)), (config.start_day, config.horizon_day)
    rows: list[Row] = []
    problems: list[petab.Problem] = []
    faults: list[Fault] = []
    for k, name in enumerate(asked.data):
        place = fault_at(config, f"study.data.{k}", "")
        path = Path(name).expanduser()
        if not path.is_absolute() and place.line:
            path = Path(place.file).parent / path
        if not path.is_file():
            faults.append(replace(place, problem=f"there is no file {path}", expected="a path relative to the config that names it"))
            continue
        try:
            if path.suffix in (".yaml", ".yml"):
                problems.append(petab.read(path, tuple(config.arms), known, ends, asked.check_days or ()))
                rows += problems[-1].rows
            else:
                rows += read(path, tuple(config.arms), known, ends, asked.check_days or ())
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(faults)
    return rows, problems, [note for p in problems for note in p.left_out]


def prior_of(config: Any, problems: Sequence[petab.Problem]) -> tuple[Prior, dict[str, Any]]:
    """The numbers to calibrate: those under study.ranges, else those of PEtab problems; and the numbers that PEtab holds fixed."""
    said = config.study.ranges
    given = [p for problem in problems for p in problem.parameters]
    fixed = {key: value for problem in problems for key, value in problem.fixed.items()}
    if "*" not in said or not given:
        ranges = ranges_of(config)
        if len(ranges) > MOST_NUMBERS:
            expected = f"at most {MOST_NUMBERS} under study.ranges; `tme sensitivity` tells which matter"
            raise ConfigError([fault_at(config, "study.ranges", f"{len(ranges)} numbers are too many to calibrate at once", expected)])
    else:
        ranges = given
    tried = {r.key: (float(r.low), float(r.high)) for r in given if r in ranges} | {key: (value,) for key, value in fixed.items()}
    faults = [f for key, values in tried.items() for f in refused(config, key, values, problems)]
    if faults:
        raise ConfigError(faults)
    return Prior(tuple(ranges)), {k: v for k, v in fixed.items() if k not in {r.key for r in ranges}}


def refused(config: Any, key: str, values: Sequence[float], problems: Sequence[petab.Problem]) -> list[Fault]:
    """What the experiment says to values of a PEtab parameter, told at its line."""
    line = next(p.places[key] for p in problems if key in p.places)
    for value in values:
        try:
            config.with_values({key: value})
        except ConfigError as error:
            first = error.faults[0]
            return [line.wrong("parameterId", f"{key}: {first.problem}", first.expected, first.meant)]
    return []


def ask_of(config: Any, rows: Sequence[Row]) -> Ask:
    """The readouts of the data on their days, and on days between for the curves of the prediction."""
    readouts = tuple(dict.fromkeys(r.readout for r in rows))
    wrong = faults_of_readouts(config, readouts)
    if wrong:
        raise ConfigError(wrong)
    days = {float(r.day) for r in rows} | {float(r.relative_to_day) for r in rows if r.relative_to_day is not None}
    between = np.arange(np.ceil(config.start_day), max(days))
    if len(between) <= MOST_CURVE_DAYS:
        days |= {float(d) for d in between}
    return Ask(readouts, tuple(sorted(days)))


def relative(course: np.ndarray, days: Sequence[float], row: Row) -> np.ndarray:
    """A course over the days, as a multiple of the day that the row is relative to."""
    if row.relative_to_day is None:
        return course
    base = course[days.index(float(row.relative_to_day))]
    return course / base if base != 0 else np.full_like(course, np.nan)
