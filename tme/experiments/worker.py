"""Run one simulation in its own folder, from the start, from its growth, or from its newest checkpoint."""

from __future__ import annotations

import gc
import re
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from tme.experiments import files
from tme.experiments.checkpoint import BadCheckpoint, ForeignCheckpoint, newest, read_checkpoint, remove_slots
from tme.experiments.executors import here
from tme.experiments.executors.packed import pack, unpack
from tme.experiments.plan import Simulation
from tme.experiments.recorder import Recorder, scalar
from tme.experiments.run_directory import claim, seal

BRANCH_STATE = "branch_state"
GROWTH = "growth"
REPORT_EVERY_S = 0.5
LONG_S = 2.0  # seconds of a simulation beside which collecting garbage costs little
_SNAPSHOT = re.compile(r"^(cells|fields)_.*\.(h5ad|npz)$")
_SERIES_OF_ONE = re.compile(
    r"^(series\.csv|timing\.json|frame\.bin|error\.txt|branch_state|DONE|(cells|fields)_.*)$"
)


@dataclass(frozen=True)
class Task:
    """All a worker process needs: run folder, simulation, configuration, and the function that builds the model.

    `factory` is a class with the interface of TumourModel, or its name "module:attribute"; `device` is told
    to it where it is not the processor.
    """

    root: str
    simulation: Simulation
    config: Any
    factory: Any = "tme.model:TumourModel"
    device: str = "cpu"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with the configuration packed: a process reads it once, whatever the number of its simulations."""
        return _unpacked, (self.root, self.simulation, pack(self.config), self.factory, self.device)

    @property
    def folder(self) -> Path:
        """The simulation's folder."""
        return Path(self.root) / self.simulation.folder

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must match to be taken up."""
        s = self.simulation
        return {
            "arm": s.arm or GROWTH,
            "replicate": s.replicate,
            "seed": s.seed,
            "config": self.config.digest,
            **self.elsewhere,
        }

    @property
    def elsewhere(self) -> dict[str, str]:
        """The device, unless it is the processor: its bits are its own."""
        return {} if self.device == "cpu" else {"device": self.device}

    @property
    def growth_identity(self) -> dict[str, Any]:
        """What the grown tumour to branch from must match."""
        return {**self.identity, "arm": GROWTH}


def _unpacked(root: str, simulation: Simulation, config: bytes, factory: Any, device: str) -> Task:
    return Task(root, simulation, unpack(config), factory, device)


@dataclass
class Outcome:
    """How a simulation ended: done, interrupted (checkpoint written) or failed (message in `error`)."""

    simulation: Simulation
    state: str
    hour: float = float("nan")
    stop_reason: str | None = None
    error: str = ""
    wall_s: float = 0.0
    resumed_from_hour: float | None = None
    final: dict[str, Any] = field(default_factory=dict)


def resolve(factory: Any) -> Callable[..., Any]:
    """The model class behind a name "module:attribute"."""
    if isinstance(factory, str):
        module, _, attribute = factory.partition(":")
        return getattr(import_module(module), attribute)
    return factory


def simulate(
    task: Task, stop: Callable[[], bool], report: Callable[[dict], None] = lambda event: None
) -> Outcome:
    """Run one simulation to its end, to `stop()`, or to its failure; never raises for a failing model."""
    files.make_folder(task.folder)
    begun = time.perf_counter()
    try:
        with claim(task.folder):
            outcome = _guarded(task, stop, report)
    except Exception as error:  # another process computes here: its folder is not touched
        outcome = Outcome(task.simulation, "failed", error=f"{type(error).__name__}: {error}")
    outcome.wall_s = time.perf_counter() - begun
    if outcome.wall_s > LONG_S:
        gc.collect()  # a model and its cells refer to each other; a large one should not wait for its turn
    return outcome


def _guarded(task: Task, stop: Callable[[], bool], report: Callable[[dict], None]) -> Outcome:
    try:
        return _simulate(task, stop, report)
    except Exception as error:
        with suppress(OSError):  # a full disk must not hide the first error
            files.write_text(task.folder / "error.txt", traceback.format_exc())
        return Outcome(task.simulation, "failed", error=f"{type(error).__name__}: {error}")


def _simulate(task: Task, stop: Callable[[], bool], report: Callable[[dict], None]) -> Outcome:
    anew(task.folder)
    begun = time.perf_counter()
    model, recorder, resumed = _resume(task) or _start(task)
    first_tick = model.tick
    if not follow(task, model, recorder, stop, report):
        recorder.checkpoint(model)
        recorder.write_series()
        return Outcome(task.simulation, "interrupted", float(model.sim_hour), resumed_from_hour=resumed)
    outcome = Outcome(
        task.simulation, "done", float(model.sim_hour), model.stop_reason, resumed_from_hour=resumed
    )
    _finish(task, model, recorder, outcome, model.tick - first_tick, time.perf_counter() - begun)
    return outcome


def anew(folder: Path) -> None:
    """Make ready a folder whose simulation is not done. One that was done and lost a file begins from the start: kept checkpoints
    are of later than what is lost."""
    if (folder / "DONE").exists():
        remove_slots(folder)
    for name in ("error.txt", "DONE"):
        (folder / name).unlink(missing_ok=True)
    files.clear_temporary(folder)


def follow(task: Task, model: Any, recorder: Recorder, stop: Callable[[], bool], report: Callable[[dict], None]) -> bool:
    """Step to the simulation's end and record on the way; False where `stop()` ended it before."""
    end_hour, reported = _end_hour(task), 0.0
    while goes_on(task, model):
        if stop():
            return False
        model.step()
        recorder.after_step(model)
        if time.monotonic() - reported > REPORT_EVERY_S:
            report(_progress(task, model, recorder, end_hour))
            reported = time.monotonic()
    return True


def goes_on(task: Task, model: Any) -> bool:
    """Whether the simulation is not at its end yet."""
    return (
        bool(model.running)
        and model.stop_reason is None
        and model.tick < model.end_tick
        and (model.sim_hour < _end_hour(task) - 1e-9)
    )


def _end_hour(task: Task) -> float:
    day = task.config.branch_at_day if task.simulation.arm is None else task.config.horizon_day
    return 24.0 * float(day)


def _resume(task: Task) -> tuple[Any, Recorder, float] | None:
    """Take up the newest valid checkpoint; None where there is none. One that is not ours is refused."""
    found = newest(task.folder, task.identity)
    if found is None:
        return None
    slot, state, meta = found
    recorder = Recorder(task.folder, task.config, task.identity)
    recorder.recall(meta["memory"], slot)
    return taken_up(task, state, task.folder / slot), recorder, float(meta["hour"])


def taken_up(task: Task, state: dict, path: Path) -> Any:
    """The model of a checkpoint; ForeignCheckpoint where this version cannot read its state."""
    try:
        return from_state(task, state)
    except Exception as error:
        raise ForeignCheckpoint(path, f"this version cannot take it up ({type(error).__name__}: {error})") from error


def _start(task: Task) -> tuple[Any, Recorder, None]:
    """Begin: build the model, or branch it off its growth. What an abandoned attempt left is removed."""
    clear(task)
    recorder = Recorder(task.folder, task.config, task.identity)
    s = task.simulation
    if s.after is None:
        model = new_model(task)
    else:
        grown = Path(task.root) / s.after
        try:
            state, meta = read_checkpoint(grown / BRANCH_STATE, task.growth_identity)
        except BadCheckpoint as error:
            raise RuntimeError(f"no grown tumour to branch from: {error}") from error
        model = from_state(task, state)
        recorder.inherit(meta["memory"])
        link_snapshots(task)
    recorder.begin(model)
    return model, recorder, None


def clear(task: Task) -> None:
    """Remove what an abandoned attempt left."""
    for path in task.folder.iterdir():
        if _SERIES_OF_ONE.match(path.name) or path.name.startswith("checkpoint_"):
            path.unlink()


def link_snapshots(task: Task) -> None:
    """Give an arm the snapshots of the growth it branches from."""
    grown = Path(task.root) / str(task.simulation.after)
    for path in grown.iterdir():
        if _SNAPSHOT.match(path.name):
            files.link_or_copy(path, task.folder / path.name)


def new_model(task: Task) -> Any:
    """The model of a task at its start."""
    s = task.simulation
    return resolve(task.factory)(task.config, seed=s.seed, arm=s.arm or GROWTH, replicate=s.replicate, **task.elsewhere)


def from_state(task: Task, state: dict) -> Any:
    """The model of a task from a state of its own or of its growth."""
    s = task.simulation
    model: Any = resolve(task.factory)
    return model.from_state(task.config, state, arm=s.arm or GROWTH, seed=s.seed, replicate=s.replicate, **task.elsewhere)


def _finish(task: Task, model: Any, recorder: Recorder, outcome: Outcome, steps: int, wall_s: float) -> None:
    """Last files, DONE; then its checkpoints go."""
    last_files(task, model, recorder, outcome)
    timing: dict[str, Any] = {"wall_s": wall_s, "steps": steps}
    timing["resumed_from_hour"] = outcome.resumed_from_hour
    timing["seconds"] = {k: float(v) for k, v in dict(model.timing).items()}
    close(task, outcome, timing, recorder.keep_checkpoints)


def last_files(task: Task, model: Any, recorder: Recorder, outcome: Outcome) -> None:
    """What is written of the last moment, and the endpoints into `outcome`. A growth leaves its last moment to the arms,
    which record it, and keeps the tumour they start from."""
    if task.simulation.arm is None:
        now = float(model.sim_hour)
        recorder.rows = [row for row in recorder.rows if row["hour"] < now]
        for path in recorder.folder.glob(f"*_{now:g}.*"):
            path.unlink()
        recorder.checkpoint(model, recorder.folder / BRANCH_STATE)
    else:
        recorder.record(model)
        if outcome.stop_reason:
            recorder.last_snapshot(model)
        outcome.final = {name: scalar(value) for name, value in model.endpoints().items()}
    recorder.write_series()
    recorder.write_frame(model)


def close(task: Task, outcome: Outcome, timing: dict[str, Any], keep_checkpoints: bool) -> None:
    """Seal the folder of a finished simulation: DONE is its last file, and its checkpoints go after it."""
    files.write_json(task.folder / "timing.json", timing)
    about = {**task.identity, "hour": outcome.hour, "stop_reason": outcome.stop_reason, "endpoints": outcome.final}
    seal(task.folder, about)
    if not keep_checkpoints:
        remove_slots(task.folder)


def _progress(task: Task, model: Any, recorder: Recorder, end_hour: float) -> dict[str, Any]:
    """Where the simulation is: hour and living tumour cells of this moment, not of the last recorded one."""
    return {
        "event": "progress", "simulation": task.simulation.folder, "hour": float(model.sim_hour),
        "start_hour": recorder.rows[0]["hour"] if recorder.rows else 0.0, "end_hour": end_hour,
        "tumour_alive": scalar(model.n_alive),
    }  # fmt: skip


def work(task: Task) -> Outcome:
    """Run one task where an executor calls it."""
    return simulate(task, here.stopping, here.report)
