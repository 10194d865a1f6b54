"""A pool of spawned processes that survives the death of any of them.

Each process has a pipe of its own, so it is known which task a dead one held: that task is tried again, the last time while nothing
else runs (the process that the system kills for want of memory may be an innocent one).
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any

from tme.experiments.executors.contract import (
    ATTEMPTS,
    STOPPED,
    Executor,
    Failed,
    Pace,
    Report,
    Stop,
    ignore,
    never,
)
from tme.experiments.executors.process_worker import serve
from tme.experiments.run_directory import RunBroken

LOOK_S = 0.2  # how often `stop` is asked
SMALL = 1 << 15  # bytes that a pipe takes in while nobody reads it
PATIENCE_S = 30.0  # what a call that is no longer needed has to end by itself
DIED = "its process died (out of memory, or killed)"


@dataclass
class _Job:
    """A task, pickled too, and how often a process died of it."""

    task: Any
    text: bytes
    deaths: int = 0

    @property
    def alone(self) -> bool:
        """Whether nothing else may run beside its last attempt."""
        return self.deaths == ATTEMPTS - 1


@dataclass
class _Worker:
    """One process and the jobs it holds, of which it computes the first."""

    process: Any
    pipe: Any
    jobs: deque[_Job] = field(default_factory=deque)
    knows: int = -1  # number of the function that it has
    ready: bool = False
    since: float = 0.0


class _Round:
    """One `map`: tasks that wait, and those that are tried again."""

    def __init__(self, function: Callable[[Any], Any], tasks: Iterable[Any], number: int) -> None:
        self.text, self.number = pickle.dumps(function), number
        self.tasks, self.again = iter(tasks), deque[_Job]()
        self.ended = False
        self.pace = Pace()

    def next(self) -> _Job | None:
        """The next job; None where there is none now."""
        if self.again:
            return self.again.popleft()
        if self.ended:
            return None
        try:
            task = next(self.tasks)
        except StopIteration:
            self.ended = True
            return None
        return None if task is None else _Job(task, pickle.dumps(task))


class Processes(Executor):
    """`jobs` processes with `threads` kernel threads each; they start with the first call and end with `close`.

    `prepare` is called in each before its first task (imports): a process that dies of that does not die of a task.
    """

    name = "processes"

    def __init__(self, jobs: int, threads: int = 1, prepare: Callable[[], Any] = never) -> None:
        self.jobs, self.threads, self.prepare = jobs, threads, prepare
        self._context = multiprocessing.get_context("spawn")
        self._stop = self._context.RawValue("b", 0)  # no lock that a killed process could keep
        self._workers: list[_Worker] = []
        self._rounds = 0
        self._unborn = 0  # processes in a row that died before they were ready
        self._hidden = True  # whether the processes know nothing of the caller's script

    # ---- calls --------------------------------------------------------------------------------------
    def map(
        self, function: Callable[[Any], Any], tasks: Iterable[Any], *, stop: Stop = never, report: Report = ignore
    ) -> Iterator[tuple[Any, Any]]:
        """As `Executor.map` says. A round that is left early ends the processes."""
        self._rounds += 1
        self._stop.value = 0
        this = _Round(function, tasks, self._rounds)
        try:
            while True:
                if stop():
                    self._stop.value, this.ended = 1, True
                    while this.again:
                        yield this.again.popleft().task, Failed(STOPPED, lost=True)
                else:
                    self._hand_out(this)
                if not self._held():
                    return
                yield from self._collect(this, report, stop)
        finally:
            if self._held():
                self.close()

    def _held(self) -> int:
        return sum(len(w.jobs) for w in self._workers)

    def _hand_out(self, this: _Round) -> None:
        """One job for each process, and one ahead where calls are short; a last attempt waits until it is alone."""
        for depth in range(this.pace.depth):
            for place in range(self.jobs):
                worker = self._workers[place] if place < len(self._workers) else None
                if worker is not None and len(worker.jobs) > depth:
                    continue
                if any(job.alone for w in self._workers for job in w.jobs):
                    return
                job = this.next()
                if job is None:
                    return
                if (job.alone and self._held()) or (depth and len(job.text) > SMALL):
                    this.again.appendleft(job)
                    return
                self._send(worker or self._start(this, job), job, this)

    def _send(self, worker: _Worker, job: _Job, this: _Round) -> None:
        worker.jobs.append(job)
        if len(worker.jobs) == 1:
            worker.since = time.perf_counter()
        with suppress(OSError):  # it is dead, which `_collect` will see
            if worker.knows != this.number:
                worker.pipe.send(("function", this.text))
                worker.knows = this.number
            worker.pipe.send(("task", job.text))

    def _collect(self, this: _Round, report: Report, stop: Stop) -> Iterator[tuple[Any, Any]]:
        """What processes have sent; waits a little for the first."""
        by_pipe: dict[Any, _Worker] = {w.pipe: w for w in self._workers}
        sent: list[Any] = connection.wait(list(by_pipe), LOOK_S)
        for pipe in sent:
            worker = by_pipe[pipe]
            try:
                kind, content = pipe.recv()
            except (EOFError, OSError):
                yield from self._died(worker, this, stop)
                continue
            if kind == "ready":
                worker.ready, self._unborn, worker.since = True, 0, time.perf_counter()
            elif kind == "event":
                report(content)
            else:
                job, now = worker.jobs.popleft(), time.perf_counter()
                this.pace.took(now - worker.since)
                worker.since = now
                yield job.task, pickle.loads(content)

    def _died(self, worker: _Worker, this: _Round, stop: Stop) -> Iterator[tuple[Any, Any]]:
        """A process is gone: what it computed is tried again, what waited behind that is handed out anew."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        jobs = list(worker.jobs)
        if not worker.ready:
            self._unborn += 1
            if self._unborn >= ATTEMPTS and not stop():  # a signal to the whole group ends those that have not begun
                raise RunBroken("worker processes die before they start: try --jobs 1 to see why")
        elif jobs:
            jobs[0].deaths += 1
            if jobs[0].deaths >= ATTEMPTS:
                yield jobs.pop(0).task, Failed(DIED, lost=True)
        this.again.extendleft(reversed(jobs))

    # ---- processes ----------------------------------------------------------------------------------
    def _start(self, this: _Round, job: _Job) -> _Worker:
        hidden = not any(b"__main__" in text for text in (this.text, job.text))
        if self._hidden and not hidden and self._workers and not self._held():
            self.close()  # none of them could read this
        self._hidden = hidden
        ours, theirs = self._context.Pipe()
        with _environment(self.threads, hidden), _no_interrupt():
            process = self._context.Process(target=serve, args=(theirs, self._stop, self.threads, self.prepare), daemon=True)
            process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]

    def close(self) -> None:
        """Ask the processes to end, wait for the steps they are in, and end by force what does not."""
        self._stop.value = 1
        for worker in self._workers:
            with suppress(OSError):
                worker.pipe.send(None)
        deadline = time.monotonic() + PATIENCE_S
        for worker in self._workers:
            _read_until_it_ends(worker, deadline)
            if worker.process.is_alive():
                worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()


def _read_until_it_ends(worker: _Worker, deadline: float) -> None:
    """A process that waits for its answer to be read would never end."""
    with suppress(EOFError, OSError):
        while time.monotonic() < deadline and worker.process.is_alive():
            if worker.pipe.poll(0.05):
                worker.pipe.recv_bytes()


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Processes that start here take no Ctrl-C, which reaches the whole group, also before `serve` can say so."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


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
