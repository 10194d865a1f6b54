"""One evaluation: a point and a seed, all its arms on the same tumour, without files."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tme.config import ConfigError
from tme.experiments.plan import replicate_seed
from tme.experiments.worker import GROWTH, resolve
from tme.studies.design import Ask

MODEL = "tme.model:TumourModel"


@dataclass(frozen=True)
class Task:
    """What a worker is handed besides the experiment: dotted keys replaced, number of the replicate, arms."""

    index: int  # of the task, by which its result is known again
    values: dict[str, Any]
    seed: int
    arms: tuple[str, ...]


def work(config: Any, ask: Ask, factory: Any, task: Task) -> dict[str, dict[str, Any]]:
    """Arm -> record of it. A draw that the config refuses is no failure: its records say `refused`."""
    try:
        changed = config.with_values(task.values) if task.values else config
    except ConfigError as error:
        return {arm: {"refused": str(error.faults[0])} for arm in task.arms}
    seed = replicate_seed(changed.seed or 0, task.seed)
    return evaluate(changed, task.arms, seed, ask.readouts, ask.days, factory, replicate=task.seed)


def evaluate(
    config: Any, arms: Sequence[str], seed: int, readouts: Sequence[str], days: Sequence[float], factory: Any = MODEL, *, replicate: int = 0
) -> dict[str, dict[str, Any]]:
    """Simulate some arms of a config with one 63-bit seed up to the last of the days.

    Returns arm -> {"values": {readout: [value on each day]}, "stopped": reason or None, "seconds": float}. With `branch_at_day` the
    tumour grows once and all arms go on from it, as in `tme run`, with the same bits. What a simulation did not reach is None,
    unless it ended because its tumour was gone: then its last row stands for all later days.
    """
    build: Any = resolve(factory)
    begun = time.perf_counter()
    branch = config.branch_at_day
    early = _Course(readouts, days)
    state = None
    if branch is not None:
        model = build(config, seed=seed, arm=GROWTH, replicate=replicate)
        early.follow(model, min(float(branch), max(days)), before=branch < max(days))
        state = model.state_dict() if branch < max(days) and model.running else None
        if state is None:
            early.end(model)
            return {arm: early.record((time.perf_counter() - begun) / len(arms)) for arm in arms}
    grown = (time.perf_counter() - begun) / len(arms)
    out = {}
    for arm in arms:
        begun = time.perf_counter()
        course = early.copy()
        if state is None:
            model = build(config, seed=seed, arm=arm, replicate=replicate)
        else:
            model = build.from_state(config, state, arm=arm, seed=seed, replicate=replicate)
        course.follow(model, max(days))
        course.end(model)
        out[arm] = course.record(grown + time.perf_counter() - begun)
    return out


class _Course:
    """Readouts of one simulation on the days asked for."""

    def __init__(self, readouts: Sequence[str], days: Sequence[float]) -> None:
        self.readouts, self.days = tuple(readouts), tuple(days)
        self.rows: dict[int, dict[str, float]] = {}
        self.stopped: str | None = None

    def copy(self) -> _Course:
        """The rows so far, for an arm that goes on from them."""
        out = _Course(self.readouts, self.days)
        out.rows = dict(self.rows)
        return out

    def follow(self, model: Any, until: float, before: bool = False) -> None:
        """Run to a day and read on the way; with `before`, the last moment is left to those that go on from it."""
        self.read(model, until, before)
        while model.running and model.stop_reason is None and model.tick < model.end_tick and model.sim_hour < 24 * until - 1e-9:
            model.step()
            self.read(model, until, before)

    def read(self, model: Any, until: float, before: bool) -> None:
        """Take a row for every day that has come and has none."""
        hour = float(model.sim_hour)
        if before and hour >= 24 * until - 1e-9:
            return
        due = [k for k, day in enumerate(self.days) if k not in self.rows and hour >= 24 * day - 1e-9 and hour < 24 * day + 12]
        if due:
            row = model.observe()
            self.rows.update({k: {name: float(row.get(name, math.nan)) for name in self.readouts} for k in due})

    def end(self, model: Any) -> None:
        """Why it ended; where its tumour was gone, that holds for good."""
        self.stopped = model.stop_reason
        if self.stopped and self.stopped.startswith("fewer than"):
            row = model.observe()
            last = {name: float(row.get(name, math.nan)) for name in self.readouts}
            self.rows = {k: self.rows.get(k, last) for k in range(len(self.days))}

    def record(self, seconds: float) -> dict[str, Any]:
        """As it is kept: None for what is not known."""
        columns = {name: [_known(self.rows.get(k, {}).get(name)) for k in range(len(self.days))] for name in self.readouts}
        return {"values": columns, "stopped": self.stopped, "seconds": round(seconds, 3)}


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


@cache
def readouts_of(config: Any, arms: tuple[str, ...]) -> tuple[str, ...]:
    """Names that simulations of these arms can be asked for."""
    build: Any = resolve(MODEL)
    names: dict[str, None] = {}
    for arm in arms:
        names.update(dict.fromkeys(build(config, arm=arm, empty=True).observe()))
    return tuple(sorted(names))
