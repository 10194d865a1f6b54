"""One simulation that takes interventions between its ticks, in an ordinary run directory.

An intervention makes a new configuration: a dose given now is one more item of the arm with this moment as its day, a number
changed is `mechanisms.LAW.NAME`. The configuration is checked as any other, then the model goes on from its own state with
it, as arms do that branch off. So whatever a config may say at the start may be said later, and the same log gives the same bits.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from tme.config.errors import ConfigError, nearest
from tme.experiments import files, provenance
from tme.experiments.live.log import FORMAT, LOG, START, Log, digest_of
from tme.experiments.live.numbers import KINDS, TIMES, Number, checked, numbers
from tme.experiments.merge import merge
from tme.experiments.plan import Plan, Point, Simulation, replicate_seed
from tme.experiments.recorder import LIVE_EVERY_S, Recorder, dx_um
from tme.experiments.run_directory import PROVENANCE, RunError, lock, prepare, write_config
from tme.experiments.runner import settle
from tme.experiments.worker import Outcome, Task, close, from_state, goes_on, last_files, new_model

RECORD_H = 1.0  # a row of the series at least so often, or curves would lag behind the picture
MOST_FRAMES = 120  # kept of a run at regular hours
LOOSE = 3  # pictures between those, of the last moments, that stay
SHARE = 0.15  # of the run time at most goes into pictures between those
Encode = Callable[..., bytes]  # (cells, fields, units, dx_um, about) -> a picture of this moment


def one_arm(config: Any, arm: str | None = None, replicate: int = 0) -> Any:
    """The configuration of one arm alone, from the start on: without branching, sweep and question; RunError where there is none of that name."""
    names = list(config.arms)
    if arm is None:
        arm = "control" if "control" in names else names[0]
    if arm not in names:
        meant = nearest(arm, names)
        raise RunError(f"--arm: no arm '{arm}'; expected one of {', '.join(names)}" + (f"; did you mean '{meant}'?" if meant else ""))
    therapy = config.therapy_of(arm).model_dump(mode="json", exclude_none=True)
    every = min(RECORD_H, float(config.output.record_every_h))
    return config.with_values({"primary": None, "sweep": {}, "branch_at_day": None, "arms": {arm: therapy}, "replicates": replicate + 1,
                               "output.record_every_h": every})  # fmt: skip


def free_folder(config: Any, base: Path = Path("runs")) -> Path:
    """runs/<name>-live-<hash8>, or the next name that is free: a session never goes on in the folder of another."""
    first = Path(base) / f"{config.name}-live-{config.digest[:8]}"
    return next(p for k in itertools.count(1) if not (p := first if k == 1 else first.with_name(f"{first.name}-{k}")).exists())


def start(config: Any, arm: str | None = None, replicate: int = 0, folder: str | Path | None = None, encode: Encode | None = None,
          seed: int | None = None, quick: bool = False, allow_plugins: bool = False) -> LiveModel:  # fmt: skip
    """A live model of one arm of an experiment (a Config or a path), at its first moment."""
    alone = one_arm(settle(config, seed, quick, allow_plugins), arm, replicate)
    return LiveModel(alone, Path(folder) if folder is not None else free_folder(alone), replicate, encode)


class LiveRecorder(Recorder):
    """What a simulation writes, but for the small live picture: pictures of a live model are whole."""

    def live(self, model: Any) -> None:
        """Every two seconds series.csv, for the curves."""
        if time.monotonic() >= self._next_live:
            self.write_series()
            self._next_live = time.monotonic() + LIVE_EVERY_S


class LiveModel:
    """A simulation of one arm that writes its run directory, takes interventions, and keeps their log.

    `config` of `one_arm`; `encode` makes pictures of a moment, which the viewer shows (None: none are kept).
    """

    def __init__(self, config: Any, folder: Path, replicate: int = 0, encode: Encode | None = None, factory: Any = Task.factory) -> None:
        self.config, self.folder, self.encode = config, Path(folder), encode
        (self.arm,) = config.arms
        simulation = Simulation(self.arm, replicate, replicate_seed(config.seed, replicate), f"{self.arm}/rep-{replicate:03d}")
        self.task = Task(str(folder), simulation, config, factory)
        self.begun, self.ended = time.perf_counter(), False
        self.fault = self.trace = ""
        self._stack, self._next_picture = ExitStack(), 0.0
        self._loose: list[Path] = []  # pictures that give way to later ones
        self._known: dict[str, Number] | None = None
        self._seconds: dict[str, float] = {}
        with self._stack as stack:  # what was opened is closed where the start fails
            self._open(stack)
            self._stack = stack.pop_all()

    def _open(self, stack: ExitStack) -> None:
        fresh = not self.folder.exists() or not any(self.folder.iterdir())
        if not fresh:
            raise RunError(f"{self.folder} is not empty; expected a new folder for a live run")
        self.model = new_model(self.task)
        files.make_folder(self.folder)
        stack.enter_context(lock(self.folder))
        prepare(self.folder, self.config)
        write_config(self.folder, self.config, START)
        provenance.begin(self.folder, self.config, self.plan, 1, 1)
        files.make_folder(self.task.folder)
        self.recorder = LiveRecorder(self.task.folder, self.config, self.task.identity)
        self.recorder.begin(self.model)
        self.frame_every = _frame_every(self.config)
        self.log = Log(self.folder / LOG)
        about = {"tme": provenance.versions()["tme"], "config": self.config.digest, "arm": self.arm, "replicate": self.task.simulation.replicate}
        self.log.write({"event": "start", "format": FORMAT, **about, "seed": self.model.seed_used, "tick": 0, "day": self.day})
        self.picture(kept=True)

    # ---- what it is ---------------------------------------------------------------------------------
    @property
    def tick(self) -> int:
        """Ticks done."""
        return int(self.model.tick)

    @property
    def day(self) -> float:
        """Days since day 0."""
        return float(self.model.sim_day)

    @property
    def plan(self) -> Plan:
        """The run's plan: this simulation."""
        return Plan((Point(0, "", {}, self.config),), (self.task.simulation,))

    @property
    def goes_on(self) -> bool:
        """Whether there is a tick left to do."""
        return not self.ended and not self.fault and goes_on(self.task, self.model)

    def numbers(self) -> dict[str, Number]:
        """Numbers that may be changed, with what they are now."""
        if self._known is None:
            self._known = numbers(self.config, self.model)
        return self._known

    # ---- time ---------------------------------------------------------------------------------------
    def step(self) -> None:
        """One tick, and what is recorded of it."""
        before = self.model.sim_hour
        self.model.step()
        self.recorder.after_step(self.model)
        if math.floor(self.model.sim_hour / self.frame_every + 1e-9) > math.floor(before / self.frame_every + 1e-9):
            self.picture(kept=True)
        elif time.monotonic() >= self._next_picture:
            self.picture()

    def picture(self, kept: bool = False) -> None:
        """A picture of this moment; one that is not to be kept gives way to the next."""
        if self.encode is None:
            return
        begun, model = time.monotonic(), self.model
        hour = round(float(model.sim_hour), 6) + 0.0
        path = files.make_folder(self.task.folder / "frames") / f"{hour:.10g}.frame"
        if kept or not path.exists() or path in self._loose:
            about = {"arm": self.arm, "replicate": self.task.simulation.replicate, "hour": float(f"{hour:.10g}")}
            files.write_bytes(path, self.encode(model.cells_table(), model.fields_table(), model.field_units(), dx_um(model), about))
            self._loose = [p for p in self._loose if p != path] + [path] * (not kept)
            while len(self._loose) > LOOSE:  # a page may still ask for the one before
                self._loose.pop(0).unlink(missing_ok=True)
        now = time.monotonic()
        self._next_picture = now + max(0.7, (now - begun) / SHARE)

    def show(self) -> None:
        """The picture and the series of this very moment, for whoever looks while the model waits."""
        self.recorder.write_series()
        self.picture()

    # ---- interventions ------------------------------------------------------------------------------
    def give(self, kind: Any, item: Any) -> dict[str, Any]:
        """Give an agent or an event now; `item` as an arm has it, without a day. The line of the log; ValueError if it cannot be."""
        self._check_open()
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise ValueError(f"{kind}: expected an item as in an arm, with its name and dose")
        timed = [k for k in TIMES if k in item]
        if timed:
            raise ValueError(f"{kind}: {timed[0]} does not go with what is given now")
        return self._give(kind, {**item, "day": [self._now()]})

    def _give(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        place, therapy = f"arms.{self.arm}", self.config.arms[self.arm].model_dump(mode="json", exclude_none=True)
        therapy[kind] = [*therapy.get(kind, ()), item]
        new = self._configured({place: therapy}, f"{place}.{kind}.{len(therapy[kind]) - 1}.", item["name"])
        return self._go_on_with(new, {"event": "give", "kind": kind, "item": item})

    def change(self, key: Any, value: Any) -> dict[str, Any]:
        """Give a number of a law another value from the next tick on. The line of the log; ValueError if it cannot be."""
        self._check_open()
        number, value = checked(self.numbers(), key, value)
        new = self._configured({number.key: value}, "", number.key)
        return self._go_on_with(new, {"event": "set", "key": number.key, "value": value, "was": number.value, "unit": number.unit})

    def _now(self) -> float:
        """This moment as a day of a schedule: the least number whose minute comes after the tick that was done last, which then is not given it."""
        minute, start = self.tick * self.model.dt_min, float(self.config.start_day)
        day = start + minute / 1440.0
        while (day - start) * 1440.0 <= minute:
            day = math.nextafter(day, math.inf)
        return day

    def _check_open(self) -> None:
        if self.ended or self.fault or not self.goes_on:
            raise ValueError("the run is at its end and takes no more interventions")

    def _configured(self, values: dict[str, Any], place: str, name: str) -> Any:
        try:
            return self.config.with_values(values)
        except ConfigError as error:
            raise ValueError("; ".join(_said(f, place, name) for f in error.faults)) from error

    def _go_on_with(self, config: Any, line: dict[str, Any]) -> dict[str, Any]:
        state = self.model.state_dict()
        task = replace(self.task, config=config)
        try:
            model = from_state(task, state)
        except (ValueError, KeyError, RuntimeError) as fault:
            raise ValueError(f"the model cannot go on so: {fault}") from fault
        line = {"event": line["event"], "tick": self.tick, "day": self.day, "state": digest_of(state), **line}
        for name, seconds in self.model.timing.items():
            self._seconds[name] = self._seconds.get(name, 0.0) + seconds
        self.config, self.task, self.model, self._known = config, task, model, None
        self.recorder.about = task.identity
        line = self.log.write(line)
        write_config(self.folder, config)
        return line

    # ---- end ----------------------------------------------------------------------------------------
    def digest(self) -> str:
        """Digest of the whole state now."""
        return digest_of(self.model.state_dict())

    def end(self) -> None:
        """Close the run directory: it is complete, as that of a run that stopped here."""
        if self.ended:
            return
        self.ended = True
        try:
            if self.fault:
                files.write_text(self.task.folder / "error.txt", (self.trace or self.fault) + "\n")
                return
            digest, early = self.digest(), goes_on(self.task, self.model)
            if early:
                self.model.stop_reason = f"ended by hand at day {self.day:.2f}"
            self.log.write({"event": "end", "tick": self.tick, "day": self.day, "state": digest, "why": self.model.stop_reason or "horizon"})
            outcome = Outcome(self.task.simulation, "done", float(self.model.sim_hour), self.model.stop_reason)
            last_files(self.task, self.model, self.recorder, outcome)
            snapshot = (self.task.folder / f"cells_{float(self.model.sim_hour) + 0.0:g}.h5ad").exists()
            for path in self._loose if snapshot else self._loose[:-1]:  # one picture of the last moment is enough
                path.unlink(missing_ok=True)
            close(self.task, outcome, self._timing(), self.recorder.keep_checkpoints)
            merge(self.folder, self.plan)
        finally:
            record = files.read_json(self.folder / PROVENANCE)
            files.write_json(self.folder / PROVENANCE, {**record, "config_digest": self.config.digest, "live": LOG})
            provenance.end(self.folder, 3 if self.fault else 0, time.perf_counter() - self.begun)
            self._stack.close()

    def _timing(self) -> dict[str, Any]:
        seconds = {n: self._seconds.get(n, 0.0) + float(s) for n, s in self.model.timing.items()}
        return {"wall_s": time.perf_counter() - self.begun, "steps": self.tick, "resumed_from_hour": None, "seconds": {**self._seconds, **seconds}}


def _frame_every(config: Any) -> float:
    """Hours between pictures that are kept: whole, and no more than `MOST_FRAMES` of a run."""
    return float(max(1, math.ceil(24.0 * (config.horizon_day - config.start_day) / MOST_FRAMES)))


def _said(fault: Any, place: str, name: str) -> str:
    """A fault of a configuration as that of an intervention: the item's own key, without the place in the arm."""
    inner = fault.key.startswith(place)
    key = fault.key.removeprefix(place) if place and inner else fault.key
    text = f"{name}: " if place and inner else ""
    text += f"{key}: {fault.problem}"
    text += f"; expected {fault.expected}" if fault.expected else ""
    return text + (f"; did you mean '{fault.meant}'?" if fault.meant else "")

