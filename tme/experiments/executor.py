"""The simulations of a run, in order, through an executor; interruptions by signals."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tme.experiments import files
from tme.experiments.executors.contract import Executor, Failed, Report, ignore
from tme.experiments.remote import Writer, advance
from tme.experiments.worker import Outcome, Task, work
from tme.precompile import start_compiling


class Interrupt:
    """SIGINT and SIGTERM, turned into a flag; the second one stops at once (exit 130)."""

    def __init__(self, report: Report = ignore) -> None:
        self.wanted = False
        self._report = report
        self._former: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._former[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *exception: Any) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _take(self, number: int, stack: Any) -> None:
        if self.wanted and number == signal.SIGINT:
            for child in multiprocessing.active_children():
                child.kill()
            os._exit(130)
        first, self.wanted = not self.wanted, True  # before the message: a quick second signal may interrupt it
        if first:
            print("stopping after a checkpoint; Ctrl-C again stops at once", file=sys.stderr, flush=True)


class Queue:
    """Tasks in order, growth before the arms that wait for it."""

    def __init__(self, tasks: list[Task], done: set[str]) -> None:
        waits = [t.simulation.after is not None and t.simulation.after not in done for t in tasks]
        self._waiting = [t for t, wait in zip(tasks, waits) if wait]
        self.ready = deque(t for t, wait in zip(tasks, waits) if not wait)

    def tasks(self, report: Report) -> Iterator[Task | None]:
        """Tasks as an executor takes them: None where all that is left waits for a growth under way."""
        while self.ready or self._waiting:
            if self.ready:
                task = self.ready.popleft()
                report({"event": "start", "simulation": task.simulation.folder})
                yield task
            else:
                yield None

    def settle(self, outcome: Outcome) -> list[Outcome]:
        """Take note of an outcome; returns the failures that follow from it."""
        name = outcome.simulation.folder
        mine = [t for t in self._waiting if t.simulation.after == name]
        self._waiting = [t for t in self._waiting if t.simulation.after != name]
        if outcome.state == "failed":
            return [_follows(t, outcome) for t in mine]
        if outcome.state == "done":
            self.ready.extend(mine)
        return []


def _follows(task: Task, cause: Outcome) -> Outcome:
    error = f"the tumour it branches from ({cause.simulation.folder}) failed: {cause.error}"
    _leave_error(task, error)
    return Outcome(task.simulation, "failed", error=error)


def _leave_error(task: Task, error: str) -> None:
    with suppress(OSError):  # the outcome names it anyway
        files.make_folder(task.folder)
        files.write_text(task.folder / "error.txt", error + "\n")


def execute(tasks: list[Task], done: set[str], executor: Executor, interrupt: Interrupt, report: Report) -> list[Outcome]:
    """Run all tasks; `done` names growth folders that are finished already. Returns outcomes as they came."""
    if not tasks:
        return []
    plan = Queue(tasks, done)
    if tasks[0].factory == Task.factory and tasks[0].device == "cpu":
        start_compiling(lambda: interrupt.wanted)
    outcomes: list[Outcome] = []

    def settle(outcome: Outcome) -> None:
        for one in (outcome, *plan.settle(outcome)):
            outcomes.append(one)
            report(event_of(one))

    how: dict[str, Any] = {"stop": lambda: interrupt.wanted, "report": report}
    if executor.sees_files:
        for task, result in executor.map(work, plan.tasks(report), **how):
            settle(result if isinstance(result, Outcome) else lost(task, result, interrupt.wanted))
        return outcomes
    writer = Writer(settle)
    for part, piece in executor.map(advance, writer.parts(plan.tasks(report)), **how):
        outcome = writer.take(part, piece)
        if outcome is not None:
            settle(outcome if isinstance(outcome, Outcome) else lost(part.task, outcome, interrupt.wanted))
    return outcomes


def lost(task: Task, failed: Failed, stopped: bool) -> Outcome:
    """The outcome of a simulation that gave none: its process died, or could not read its task."""
    if failed.lost and stopped:
        return Outcome(task.simulation, "interrupted")
    _leave_error(task, failed.trace or failed.error)
    return Outcome(task.simulation, "failed", error=failed.error)


def event_of(outcome: Outcome) -> dict[str, Any]:
    """The event that tells of an outcome."""
    s = outcome.simulation
    event = {"event": outcome.state, "simulation": s.folder, "arm": s.arm or "growth",
             "replicate": s.replicate, "seed": s.seed, "hour": outcome.hour,
             "wall_s": round(outcome.wall_s, 3), "resumed_from_hour": outcome.resumed_from_hour}  # fmt: skip
    if outcome.state == "failed":
        return {**event, "hour": None, "error": outcome.error}
    return {**event, "stop_reason": outcome.stop_reason}
