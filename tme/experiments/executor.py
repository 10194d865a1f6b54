"""Execution of simulations: one after the other, or in a pool of processes, with the same results."""

from __future__ import annotations

import concurrent.futures as futures
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any

from tme.experiments import files
from tme.experiments.run_directory import RunError
from tme.experiments.worker import Outcome, Task, get_ready, initialise, set_threads, simulate, work
from tme.precompile import start_compiling

EXECUTORS = ("processes",)
ATTEMPTS = 3
Report = Callable[[dict[str, Any]], None]


def check_executor(name: str) -> None:
    """Refuse an executor that there is not."""
    if name not in EXECUTORS:
        raise RunError(f"unknown executor {name!r}; expected {' or '.join(EXECUTORS)}")


class Interrupt:
    """SIGINT and SIGTERM, turned into a flag; the second one stops at once (exit 130)."""

    def __init__(self, report: Report = lambda event: None) -> None:
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


def execute(
    tasks: list[Task], done: set[str], jobs: int, threads: int, interrupt: Interrupt, report: Report
) -> list[Outcome]:
    """Run all tasks; `done` names growth folders that are finished already. Returns outcomes as they came."""
    if not tasks:
        return []
    plan = Queue(tasks, done)
    if tasks[0].factory == Task.factory and tasks[0].device == "cpu":
        start_compiling(lambda: interrupt.wanted)
    if jobs <= 1 or len(tasks) == 1:
        return _serial(plan, threads, interrupt, report)
    return _Pool(plan, min(jobs, len(tasks)), threads, interrupt, report).run()


def _serial(plan: Queue, threads: int, interrupt: Interrupt, report: Report) -> list[Outcome]:
    set_threads(threads)
    outcomes: list[Outcome] = []
    while plan.ready and not interrupt.wanted:
        task = plan.ready.popleft()
        report({"event": "start", "simulation": task.simulation.folder})
        outcome = simulate(task, lambda: interrupt.wanted, report)
        for one in (outcome, *plan.settle(outcome)):
            outcomes.append(one)
            report(event_of(one))
    return outcomes


def event_of(outcome: Outcome) -> dict[str, Any]:
    """The event that tells of an outcome."""
    s = outcome.simulation
    event = {"event": outcome.state, "simulation": s.folder, "arm": s.arm or "growth",
             "replicate": s.replicate, "seed": s.seed, "hour": outcome.hour,
             "wall_s": round(outcome.wall_s, 3), "resumed_from_hour": outcome.resumed_from_hour}  # fmt: skip
    if outcome.state == "failed":
        return {**event, "hour": None, "error": outcome.error}
    return {**event, "stop_reason": outcome.stop_reason}


class _Pool:
    """A pool of spawned processes that survives the death of one of them.

    After the death of a process it is unknown which task killed it: the tasks that ran are suspects, and each is tried again
    alone, so that an innocent one finishes and the culprit is named after its last attempt.
    """

    def __init__(self, plan: Queue, jobs: int, threads: int, interrupt: Interrupt, report: Report) -> None:
        self.plan, self.jobs, self.threads, self.interrupt, self.report = (
            plan,
            jobs,
            threads,
            interrupt,
            report,
        )
        self.outcomes: list[Outcome] = []
        self.attempts: dict[str, int] = {}
        self.running: dict[futures.Future, Task] = {}

    def run(self) -> list[Outcome]:
        """Work until nothing is left, opening a new pool after each death."""
        idle_deaths = 0
        while self.plan.ready and not self.interrupt.wanted:
            if idle_deaths >= ATTEMPTS:
                raise RuntimeError("worker processes die before they start: try --jobs 1 to see why")
            context = multiprocessing.get_context("spawn")
            stop, events = (
                context.RawValue("b", 0),
                context.Queue(),
            )  # no lock that a killed process could keep
            with _environment(self.threads, hide_main=not _needs_main(self.plan.ready[0])):
                pool = futures.ProcessPoolExecutor(
                    self.jobs, context, initialise, (stop, events, self.threads)
                )
                try:
                    self._drive(pool, stop, events)
                except BrokenProcessPool:
                    idle_deaths += not self.running
                    self._after_death()
                finally:
                    stop.value = 1  # whatever the reason, these results are no longer needed
                    pool.shutdown(wait=True, cancel_futures=True)
                    self._drain(events)
                    events.close()
        return self.outcomes

    def _drive(self, pool: futures.ProcessPoolExecutor, stop: Any, events: Any) -> None:
        self._get_ready(pool)
        while self.running or (self.plan.ready and not self.interrupt.wanted):
            if self.interrupt.wanted:
                stop.value = 1
            else:
                self._submit(pool)
            ended = futures.wait(self.running, timeout=0.2, return_when=futures.FIRST_COMPLETED).done
            self._drain(events)
            for future in ended:
                outcome = future.result()  # raises BrokenProcessPool with the task still under `running`
                del self.running[future]
                self._settle(outcome)

    def _get_ready(self, pool: futures.ProcessPoolExecutor) -> None:
        """Let the first process import the model; a failure here shows in every simulation by name."""
        first = pool.submit(get_ready, self.plan.ready[0].factory)
        while not self.interrupt.wanted and not futures.wait([first], timeout=0.2).done:
            pass
        if first.done() and isinstance(first.exception(), BrokenProcessPool):
            raise BrokenProcessPool("before its first task")

    def _submit(self, pool: futures.ProcessPoolExecutor) -> None:
        """Keep every process busy; a suspect runs alone."""
        while self.plan.ready and len(self.running) < self.jobs:
            suspect = self._is_suspect(self.plan.ready[0])
            if self.running and (suspect or any(self._is_suspect(t) for t in self.running.values())):
                return
            task = self.plan.ready.popleft()
            self.report({"event": "start", "simulation": task.simulation.folder})
            self.running[pool.submit(work, task)] = task

    def _is_suspect(self, task: Task) -> bool:
        return self.attempts.get(task.simulation.folder, 0) > 0

    def _settle(self, outcome: Outcome) -> None:
        for one in (outcome, *self.plan.settle(outcome)):
            self.outcomes.append(one)
            self.report(event_of(one))

    def _after_death(self) -> None:
        """A process died: keep what finished, suspect the rest."""
        for future, task in self.running.items():
            if future.done() and not future.exception():
                self._settle(future.result())
                continue
            name = task.simulation.folder
            self.attempts[name] = self.attempts.get(name, 0) + 1
            if self.interrupt.wanted:
                self._settle(Outcome(task.simulation, "interrupted"))
            elif self.attempts[name] >= ATTEMPTS:
                error = "its process died (out of memory, or killed)"
                _leave_error(task, error)
                self._settle(Outcome(task.simulation, "failed", error=error))
            else:
                self.plan.ready.appendleft(task)
        self.running.clear()

    def _drain(self, events: Any) -> None:
        while True:
            try:
                self.report(events.get_nowait())
            except (queue.Empty, OSError, EOFError):
                return


def _needs_main(task: Task) -> bool:
    """Whether the model or the configuration is a class of the caller's own script."""
    owners = (task.factory if not isinstance(task.factory, str) else None, type(task.config))
    return any(getattr(o, "__module__", "") == "__main__" for o in owners)


@contextmanager
def _environment(threads: int, hide_main: bool) -> Iterator[None]:
    """What spawned processes read at their start: kernel threads, and not the caller's script.

    A script that calls `tme.run` without `if __name__ == "__main__"` would be run again by each process.
    """
    former = os.environ.get("NUMBA_NUM_THREADS")
    os.environ["NUMBA_NUM_THREADS"] = str(threads)
    main = sys.modules.get("__main__")
    names = ("__file__", "__spec__") if hide_main else ()
    hidden = {name: getattr(main, name) for name in names if hasattr(main, name)}
    try:
        for name in hidden:
            setattr(main, name, None)
        yield
    finally:
        for name, value in hidden.items():
            setattr(main, name, value)
        if former is None:
            os.environ.pop("NUMBA_NUM_THREADS", None)
        else:
            os.environ["NUMBA_NUM_THREADS"] = former
