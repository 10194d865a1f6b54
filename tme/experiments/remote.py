"""Simulations on workers that do not see the run directory: the caller alone writes it.

A simulation is computed in parts. A worker is sent the newest checkpoint (or nothing, or the tumour to branch from), goes on from there in
memory, and returns the files that it would have written. The caller writes them, each atomically, DONE last. A part ends with the
simulation, when the caller wants to stop, or at the first checkpoint due after `PART_S`, which is kept in the run directory before
the next part is handed out. So whatever dies, no more is lost than one part, and workers leave nothing behind.
"""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tme.experiments import files
from tme.experiments.checkpoint import SLOTS, BadCheckpoint, newest, parse_checkpoint, read_checkpoint
from tme.experiments.executors import here
from tme.experiments.executors.contract import Failed
from tme.experiments.recorder import Recorder
from tme.experiments.run_directory import claim
from tme.experiments.worker import (
    BRANCH_STATE,
    LONG_S,
    Outcome,
    Task,
    anew,
    clear,
    close,
    follow,
    from_state,
    last_files,
    link_snapshots,
    new_model,
    taken_up,
)

PART_S = 10.0  # a part takes at least so long, unless the simulation ends: what a kill may cost beyond one checkpoint interval


@dataclass(frozen=True)
class Part:
    """What a worker is sent: the simulation, and where it goes on, as the bytes of a checkpoint file."""

    task: Task
    checkpoint: tuple[str, bytes] | None = None  # slot, bytes
    grown: bytes | None = None  # the tumour to branch from


@dataclass
class Piece:
    """What a worker sends back: files by name, how it ended (None: it goes on from `slot`), ticks, seconds."""

    files: dict[str, bytes]
    outcome: Outcome | None
    slot: str | None
    steps: int = 0
    wall_s: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)  # by entry of the plan


# ---- on the worker ----------------------------------------------------------------------------------
def advance(part: Part) -> Piece:
    """Compute a part; never raises for a failing model."""
    begun, folder = time.perf_counter(), files.MemoryFolder()
    try:
        piece = _advance(part, folder)
    except Exception as error:
        failed = Outcome(part.task.simulation, "failed", error=f"{type(error).__name__}: {error}")
        piece = Piece({"error.txt": traceback.format_exc().encode()}, failed, None)
    piece.wall_s = time.perf_counter() - begun
    if piece.wall_s > LONG_S:
        gc.collect()
    return piece


def _advance(part: Part, folder: files.MemoryFolder) -> Piece:
    task, begun = part.task, time.monotonic()
    recorder = Recorder(folder, task.config, task.identity)
    model = _taken_up(part, recorder)
    first = model.tick

    def kept() -> bool:
        return recorder.kept_tick == model.tick

    ended = follow(task, model, recorder, lambda: here.stopping() or (kept() and time.monotonic() - begun > PART_S), here.report)
    outcome: Outcome | None = None
    if ended:
        outcome = Outcome(task.simulation, "done", float(model.sim_hour), model.stop_reason)
        last_files(task, model, recorder, outcome)
    else:
        if here.stopping():
            outcome = Outcome(task.simulation, "interrupted", float(model.sim_hour))
        if not kept():
            recorder.checkpoint(model)
        recorder.write_series()
    for name in SLOTS:
        if ended or name != recorder.slot:
            folder.files.pop(name, None)
    seconds = {k: float(v) for k, v in dict(model.timing).items()}
    return Piece(folder.files, outcome, recorder.slot, model.tick - first, seconds=seconds)


def _taken_up(part: Part, recorder: Recorder) -> Any:
    """The model where the part begins."""
    task = part.task
    if part.checkpoint is not None:
        slot, raw = part.checkpoint
        state, meta = parse_checkpoint(raw, task.identity, task.folder / slot)
        recorder.recall(meta["memory"], slot)
        return taken_up(task, state, task.folder / slot)
    if part.grown is not None:
        state, meta = parse_checkpoint(part.grown, task.growth_identity, task.folder / BRANCH_STATE)
        recorder.inherit(meta["memory"])
        model = from_state(task, state)
    else:
        model = new_model(task)
    recorder.begin(model)
    return model


# ---- in the run directory -----------------------------------------------------------------------------
@dataclass
class _Sums:
    """Of the parts so far of one simulation."""

    begun: float
    resumed: float | None
    steps: int = 0
    wall_s: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, piece: Piece) -> None:
        """Take note of a part."""
        self.steps, self.wall_s = self.steps + piece.steps, self.wall_s + piece.wall_s
        self.seconds = {k: self.seconds.get(k, 0.0) + v for k, v in {**dict.fromkeys(self.seconds, 0.0), **piece.seconds}.items()}


class Writer:
    """Turns tasks into parts and pieces into files: the one process that writes the run directory.

    `settle` is called with the outcome of a simulation that cannot even begin.
    """

    def __init__(self, settle: Callable[[Outcome], Any]) -> None:
        self._settle = settle
        self._sums: dict[str, _Sums] = {}
        self._next: list[Part] = []
        self._under_way = 0

    def parts(self, tasks: Iterator[Task | None]) -> Iterator[Part | None]:
        """What to hand out: simulations under way first; None where there is nothing before the next piece."""
        while True:
            if self._next:
                yield self._next.pop()
                continue
            try:
                task = next(tasks)
            except StopIteration:
                if not self._under_way:
                    return
                yield None
                continue
            part = None if task is None else self._begin(task)
            if part is not None or task is None:
                yield part

    def _begin(self, task: Task) -> Part | None:
        """The first part of a simulation; None where it cannot begin."""
        try:
            files.make_folder(task.folder)
            with claim(task.folder):
                anew(task.folder)
                part, resumed = _first(task)
        except Exception as error:
            _leave(task, traceback.format_exc())
            self._settle(Outcome(task.simulation, "failed", error=f"{type(error).__name__}: {error}"))
            return None
        self._sums[task.simulation.folder] = _Sums(time.perf_counter(), resumed)
        self._under_way += 1
        return part

    def take(self, part: Part, piece: Piece | Failed) -> Outcome | Failed | None:
        """Write what a worker sent; the outcome, or None where the simulation goes on."""
        self._under_way -= 1
        if isinstance(piece, Failed):
            return piece
        task, sums = part.task, self._sums[part.task.simulation.folder]
        sums.add(piece)
        try:
            with claim(task.folder):
                outcome = self._write(task, piece, sums)
        except Exception as error:
            _leave(task, traceback.format_exc())
            outcome = Outcome(task.simulation, "failed", error=f"{type(error).__name__}: {error}")
        if outcome is None and piece.slot is not None:
            self._next.append(Part(task, (piece.slot, piece.files[piece.slot])))
            self._under_way += 1
        elif outcome is not None:
            outcome.wall_s = time.perf_counter() - sums.begun
        return outcome

    def _write(self, task: Task, piece: Piece, sums: _Sums) -> Outcome | None:
        for name, content in sorted(piece.files.items(), key=lambda f: f[0] in SLOTS):  # a checkpoint last: what is older than it is on the disk by then
            files.write_bytes(task.folder / name, content)
        outcome = piece.outcome
        if outcome is None:
            return None
        outcome.resumed_from_hour = sums.resumed
        if outcome.state == "done":
            if task.simulation.after is not None:
                link_snapshots(task)
            timing = {"wall_s": sums.wall_s, "steps": sums.steps, "resumed_from_hour": sums.resumed, "seconds": sums.seconds}
            close(task, outcome, timing, Recorder(task.folder, task.config, task.identity).keep_checkpoints)
        return outcome


def _first(task: Task) -> tuple[Part, float | None]:
    """Where a simulation begins: its newest valid checkpoint (and the hour of that), its growth, or nothing."""
    found = newest(task.folder, task.identity)
    if found is not None:
        slot, _, meta = found
        return Part(task, (slot, (task.folder / slot).read_bytes())), float(meta["hour"])
    clear(task)
    if task.simulation.after is None:
        return Part(task), None
    grown = Path(task.root) / task.simulation.after / BRANCH_STATE
    try:
        read_checkpoint(grown, task.growth_identity)
    except BadCheckpoint as error:
        raise RuntimeError(f"no grown tumour to branch from: {error}") from error
    return Part(task, grown=grown.read_bytes()), None


def _leave(task: Task, error: str) -> None:
    with suppress(OSError):  # a full disk must not hide the first error
        files.write_text(task.folder / "error.txt", error)
