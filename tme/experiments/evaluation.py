"""One draw of a study: some arms of an experiment on one tumour, in memory, without any file.

What arms have in common is computed once and kept in the process: the grown tumour with `branch_at_day`, else the settled start. The bits
are those of `tme run`.
"""

from __future__ import annotations

import json
import math
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tme.experiments import files
from tme.experiments.executors import here
from tme.experiments.executors.contract import Stopped
from tme.experiments.worker import GROWTH, resolve

MODEL = "tme.model:TumourModel"
KEPT_BYTES = 64_000_000  # of starts that a process keeps
GONE = "fewer than"  # how the reason begins for which a simulation ends whose tumour is gone (`TumourModel.stop_reason`)
LATEST_H = 1.0  # a day that falls between two ticks is read at the second
LOOK_STEPS = 64  # steps between two looks at whether to stop


def evaluate(
    config: Any, arms: str | Sequence[str], seed: int, readouts: Sequence[str], days: Sequence[float], factory: Any = MODEL, *,
    replicate: int = 0, values: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Simulate arms of a config, with dotted keys replaced by `values`, up to the last of the days.

    `seed`: 63 bits (`plan.replicate_seed`). Returns arm -> {"values": {readout: [value on each day]}, "stopped": reason or None, "seconds": all
    that it took, "stepped": of these its steps, "cpu": processor seconds of its steps}; shared seconds are divided among the arms. A value is None where the
    simulation did not come so far or the arm has no such readout, unless it ended because its tumour was gone: then its last row stands
    for all later days. Raises ConfigError where values do not fit, Stopped where the executor ends.
    """
    begun = time.perf_counter()
    arms = [arms] if isinstance(arms, str) else list(arms)
    whole = config.with_values(dict(values)) if values else config
    ask = _Ask(tuple(readouts), tuple(float(d) for d in days))
    shared = [arm for arm in arms if _may_share(whole, arm)]
    start = _start(config, whole, dict(values or {}), seed, ask, resolve(factory), replicate) if shared else None
    common, paid = time.perf_counter() - begun, start.spent if start and start.fresh else _Spent()
    out = {}
    try:
        for arm in arms:
            begun = time.perf_counter()
            model, course = _begin(resolve(factory), whole, arm, seed, replicate, ask, start if arm in shared else None)
            try:
                spent = _follow(model, course, ask.end) if model is not None else _Spent()
                record = course.record(model)
            finally:
                _take_apart(model)
            part = 1 / len(shared) if arm in shared else 0.0
            record["stepped"], record["cpu"] = spent.wall_s + part * paid.wall_s, spent.cpu_s + part * paid.cpu_s
            record["seconds"] = time.perf_counter() - begun + common / len(arms)
            out[arm] = record
    finally:
        if start is not None:
            _take_apart(start.model)
            start.model = None
    return out


@dataclass(frozen=True)
class _Ask:
    """What is read, and on which days."""

    readouts: tuple[str, ...]
    days: tuple[float, ...]

    @property
    def end(self) -> float:
        """The last day."""
        return max(self.days)


@dataclass(frozen=True)
class _Spent:
    """Seconds that steps took."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


@dataclass
class _Start:
    """Where arms begin: a state, the rows before it, or the end of a growth that went no further."""

    state: dict[str, np.ndarray] | None
    rows: dict[float, dict[str, float]]
    stopped: str | None
    spent: _Spent
    fresh: bool = True
    model: Any = None  # that grew it, until an untreated arm goes on with it

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(a.nbytes for a in self.state.values()) if self.state else 0


_kept: OrderedDict[str, _Start] = OrderedDict()


def _may_share(config: Any, arm: str) -> bool:
    """Whether the arm begins as the growth does: with a branch it must; else events and a user's laws may act at the start."""
    if config.branch_at_day is not None:
        return True
    therapy = getattr(config, "therapy_of", None)
    return therapy is not None and not therapy(arm).events and not config.plugins


def _start(config: Any, whole: Any, values: dict[str, Any], seed: int, ask: _Ask, build: Any, replicate: int) -> _Start:
    """The start that arms share, from the process's memory or computed. Therapy does not change it, so arms that differ in it share one."""
    apart = {k: v for k, v in values.items() if not k.startswith("arms.")}
    types: tuple[str, ...] = getattr(whole, "cell_types", tuple)()
    about = [config.digest, apart, types, seed, replicate, ask.readouts, ask.days, f"{build.__module__}.{build.__qualname__}"]
    key = json.dumps(about, sort_keys=True, default=files.plain)
    if key in _kept:
        _kept.move_to_end(key)
        _kept[key].fresh = False
        return _kept[key]
    start = _grow(whole, seed, ask, build, replicate)
    _kept[key] = start
    while len(_kept) > 1 and sum(s.size for s in _kept.values()) > KEPT_BYTES:
        _kept.popitem(last=False)
    return start


def _grow(config: Any, seed: int, ask: _Ask, build: Any, replicate: int) -> _Start:
    model = build(config, seed=seed, arm=GROWTH, replicate=replicate)
    course, spent, start = _Course(ask), _Spent(), None
    try:
        if config.branch_at_day is not None:
            branch = float(config.branch_at_day)
            spent = _follow(model, course, min(branch, ask.end), before=branch)
            if model.stop_reason is not None or not model.running or branch > ask.end:
                return _Start(None, course.record_rows(model), model.stop_reason, spent)
        state = {name: np.array(value) for name, value in model.state_dict().items()}
        for array in state.values():
            array.flags.writeable = False  # several models begin from it
        start = _Start(state, course.rows, None, spent, model=model)
        return start
    finally:
        if start is None:
            _take_apart(model)


def _take_apart(model: Any) -> None:
    """A model that nobody else has: it and its cells refer to each other, and thousands would wait for the garbage collector."""
    if model is not None:
        vars(model).clear()


def _untreated(config: Any, arm: str) -> bool:
    """Whether the arm is the growth going on."""
    therapy = getattr(config, "therapy_of", None)
    return therapy is not None and therapy(arm) == therapy(GROWTH)


def _begin(build: Any, config: Any, arm: str, seed: int, replicate: int, ask: _Ask, start: _Start | None) -> tuple[Any, _Course]:
    """The model of an arm, None where its growth went no further, and its rows so far."""
    course = _Course(ask)
    if start is None:
        return build(config, seed=seed, arm=arm, replicate=replicate), course
    course.rows = dict(start.rows)
    if start.state is None:
        course.stopped = start.stopped
        return None, course
    if start.model is not None and _untreated(config, arm):
        model, start.model = start.model, None
        return model, course
    return build.from_state(config, start.state, arm=arm, seed=seed, replicate=replicate), course


def _follow(model: Any, course: _Course, until: float, before: float = math.inf) -> _Spent:
    """Step to a day and read on the way; the moment `before` is left to those that go on from it."""
    begun, cpu, steps = time.perf_counter(), time.process_time(), 0
    course.read(model, before)
    while model.running and model.stop_reason is None and model.tick < model.end_tick and model.sim_hour < 24 * until - 1e-9:
        if steps % LOOK_STEPS == 0 and here.stopping():
            raise Stopped
        model.step()
        steps += 1
        course.read(model, before)
    return _Spent(time.perf_counter() - begun, time.process_time() - cpu)


class _Course:
    """Rows of one simulation, by day asked for."""

    def __init__(self, ask: _Ask) -> None:
        self.ask = ask
        self.rows: dict[float, dict[str, float]] = {}
        self.stopped: str | None = None

    def read(self, model: Any, before: float = math.inf) -> None:
        """Take a row if a day asked for has come just now."""
        hour = float(model.sim_hour)
        if hour >= 24 * before - 1e-9:
            return
        due = [d for d in self.ask.days if d not in self.rows and -1e-9 <= hour - 24 * d < LATEST_H]
        if due:
            self.rows.update(dict.fromkeys(due, self._look(model)))

    def record_rows(self, model: Any) -> dict[float, dict[str, float]]:
        """The rows, the last one standing for all later days where the tumour is gone."""
        if model.stop_reason and model.stop_reason.startswith(GONE):
            return {**dict.fromkeys(self.ask.days, self._look(model)), **self.rows}
        return self.rows

    def _look(self, model: Any) -> dict[str, float]:
        """The model's readouts, and the spatial statistics that are asked for."""
        return {**model.observe(), **spatial_values(model, self.ask.readouts)}

    def record(self, model: Any) -> dict[str, Any]:
        """As it is kept: None for what is not known."""
        if model is not None:
            self.rows, self.stopped = self.record_rows(model), model.stop_reason
        columns = {name: [_known(self.rows.get(d, {}).get(name)) for d in self.ask.days] for name in self.ask.readouts}
        return {"values": columns, "stopped": self.stopped}


def spatial_values(model: Any, readouts: Sequence[str]) -> dict[str, float]:
    """Those of the readouts that are spatial statistics (`tme.spatial.names`), of the model as it is; nothing where it has no tumour."""
    asked = [r for r in readouts if r.startswith("spatial.")]
    if not asked:
        return {}
    from tme.readouts.tables import cells_table
    from tme.spatial.names import of_table, values

    of = of_table(cells_table(model), [n * model.grid.dx_um for n in model.grid.shape[::-1]][: model.grid.ndim])
    return {} if of is None else values(of, asked)


def _known(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
