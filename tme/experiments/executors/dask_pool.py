"""Calls by dask workers, on this machine or on many.

dask moves tasks and results and begins a task again elsewhere when its worker dies. This file hands tasks out as workers are free, keeps
workers away that would give other bits, and notices when the scheduler is gone.
"""

from __future__ import annotations

import logging
import pickle
import queue
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from tme.experiments.executors import dask_worker
from tme.experiments.executors.contract import Executor, Failed, Pace, Report, Stop, ignore, never
from tme.experiments.executors.likeness import differences, facts
from tme.experiments.run_directory import RunBroken, RunError

CONNECT_S = 10.0  # what a scheduler has to answer
WORKERS_S = 30.0  # what the first worker has to come, where nobody starts workers
TELL_S = 600.0  # between words to who waits for a queue
LOOK_S = 0.2
WORKERS_EVERY_S = 2.0  # how often workers are counted
DIED = "its workers died (out of memory, or killed)"


class Dask(Executor):
    """Workers of a dask scheduler. `sees_files` is False: they may be on other machines, and their results are sent back.

    `address` as `dask scheduler` prints it; `cluster` a dask-jobqueue cluster instead, which `close` ends. With `mixed` workers of other processors or
    libraries are admitted, and `unlike` says which differences there were.
    """

    name = "dask"
    sees_files = False

    def __init__(self, address: str = "", *, cluster: Any = None, threads: int = 1, mixed: bool = False) -> None:
        self.threads, self.mixed, self._cluster = threads, mixed, cluster
        self.jobs = 1
        self._unlike: list[str] = []
        self._processors: dict[str, str] = {}  # features by model, of the workers seen
        self._code = facts()
        self._processor: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._wide: list[str] = []  # workers with several threads
        self.address = address or str(cluster.scheduler_address)
        self._client = _connect(self.address)
        try:
            self._meet(self._wait_for_workers())
        except BaseException:
            self.close()
            raise

    # ---- workers ------------------------------------------------------------------------------------
    def _wait_for_workers(self) -> dict[str, Any]:
        """Facts of the workers that are there, by address; a queue's jobs may start in hours, others have half a minute."""
        begun = time.monotonic()
        deadline, told = begun + WORKERS_S, begun
        if self._cluster is not None:
            print("waiting for the first job of the cluster to start", file=sys.stderr, flush=True)
        while not (there := self._client.run(dask_worker.about, on_error="return")):
            if self._cluster is None and time.monotonic() > deadline:
                raise RunError(f"the dask scheduler at {self.address} has no workers; start some with: dask worker {self.address} --nthreads 1")
            if refused := getattr(self._cluster, "answers", ()):
                raise RunError(f"the queue refuses the job: {refused[0]}")
            if self._cluster is not None and time.monotonic() > told + TELL_S:
                told = time.monotonic()
                print(f"no job has brought a worker in {(told - begun) / 60:.0f} min: look at the queue, and at the logs of jobs that have ended", file=sys.stderr, flush=True)
            time.sleep(LOOK_S)
        return there

    def _meet(self, there: dict[str, Any]) -> None:
        """Refuse the run where a worker cannot be admitted; the first one (by address) says which processor it is for."""
        broken = {a: f for a, f in there.items() if isinstance(f, BaseException)}
        for address, error in sorted(broken.items()):
            raise RunError(f"dask worker {address} cannot import this tme ({type(error).__name__}: {error}); expected tme {self._code['tme']}")
        self._processor = dict(there[min(there)])
        bad = {}
        for address, found in sorted(there.items()):
            forbidden, unlike = differences(found, self._code, self._processor)
            self._note(found, unlike)
            if forbidden:
                bad[address] = "; ".join(forbidden)
            elif unlike and not self.mixed:
                bad[address] = "; ".join(unlike) + " (--allow-mixed admits it: last digits may then differ)"
        if bad:
            raise RunError("\n".join(f"dask worker {a}: {why}" for a, why in bad.items()))
        self.jobs = len(there)
        self._wide = [a for a, found in sorted(there.items()) if found.get("threads", "1") != "1"]

    def _note(self, found: Mapping[str, str], unlike: Iterable[str]) -> None:
        self._processors.setdefault(found["processor"], found["features"])
        self._unlike += [u for u in unlike if u not in self._unlike]

    @property
    def unlike(self) -> list[str]:
        """As `Executor.unlike` says."""
        return self._unlike

    def processors(self) -> dict[str, str]:
        """Of the workers seen."""
        return dict(self._processors)

    # ---- calls --------------------------------------------------------------------------------------
    def map(
        self, function: Callable[[Any], Any], tasks: Iterable[Any], *, stop: Stop = never, report: Report = ignore
    ) -> Iterator[tuple[Any, Any]]:
        """As `Executor.map` says. Raises RunBroken where the scheduler goes away."""
        if self._wide:
            said = f"computes one simulation at a time: start workers with --nthreads 1, as many as cores ({len(self._wide)} have more threads)"
            report({"event": "warning", "message": f"dask worker {self._wide[0]} {said}"})
            self._wide.clear()
        if self._client.status not in ("running", "connecting"):
            raise RunBroken(self._gone())
        this = _Round(self, function, tasks, report)
        try:
            yield from this.run(stop)
        finally:
            this.end()

    def _gone(self) -> str:
        return f"the dask scheduler at {self.address} went away; what is finished stands, run again to complete it"

    def close(self) -> None:
        """Leave the scheduler; a cluster that was started for this executor ends."""
        with suppress(Exception):  # whatever is wrong with the connection, it is over
            self._client.close()
        if self._cluster is not None:
            with suppress(Exception):  # jobs end by their own time limit where the queue does not answer
                self._cluster.scale(0)
                self._cluster.close(timeout=CONNECT_S)
            if self._cluster.status.name != "closed":  # jobs that never were one: dask would warn at the end of this process
                self._cluster.status = type(self._cluster.status).closed


class _Round:
    """One `map`."""

    def __init__(self, pool: Dask, function: Callable[[Any], Any], tasks: Iterable[Any], report: Report) -> None:
        self.pool, self.client, self.report = pool, pool._client, report
        self.tasks, self.ended = iter(tasks), False
        self.number = uuid.uuid4().hex
        self.terms = dask_worker.Terms(self.number, pool.threads, pool._code, pool._processor, pool.mixed)
        self.arrived: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.running: dict[Any, Any] = {}  # future -> task
        self.again: list[Any] = []
        self.suspects: list[Any] = []  # tasks whose workers died: of one of them, or beside it
        self.alone: tuple[Any, str] | None = None  # the last try of a suspect, while nothing else runs: its future, and the one worker that has it
        self.pace = Pace()
        self.told_alone = False
        self.counted = self.stop_sent = 0.0
        self.client.subscribe_topic(dask_worker.topic(self.number), lambda event: self.arrived.put(("event", event[1])))
        self.function = self.client.submit(dask_worker.as_it_is, pickle.dumps(function), pure=False, key=f"function-{self.number}")

    def run(self, stop: Stop) -> Iterator[tuple[Any, Any]]:
        """Hand out, collect."""
        while True:
            if stop():
                self._stop()
            else:
                self._hand_out()
            if not self.running and not self.again:
                if not self.suspects:
                    return
                self._try_alone()
            yield from self._collect()
            yield from self._given_up()
            self._count()

    def end(self) -> None:
        """What is left is no longer needed."""
        with suppress(Exception):  # the connection may be gone
            self.client.unsubscribe_topic(dask_worker.topic(self.number))
            if self.running:
                self.client.cancel(list(self.running), force=True)

    def _hand_out(self) -> None:
        """A task for each worker, and one ahead where calls are short."""
        if self.alone or (self.pool._refused and not self._admitted()):
            return
        while len(self.running) < self.pace.depth * self.pool.jobs:
            task = self.again.pop() if self.again else self._next()
            if task is None:
                return
            self._submit(task)

    def _admitted(self) -> list[str] | None:
        """Workers that are there and were not refused; None where the scheduler does not say."""
        try:
            return [a for a in self.client.nthreads() if a not in self.pool._refused]
        except (OSError, RuntimeError):
            return None

    def _next(self) -> Any:
        if self.ended:
            return None
        try:
            return next(self.tasks)
        except StopIteration:
            self.ended = True
            return None

    def _try_alone(self) -> None:
        """Begin a suspect on one worker: if that dies, it is of this task and of no other."""
        if there := self._admitted():
            self.alone = (self._submit(self.suspects.pop(0), there[0]), there[0])

    def _given_up(self) -> Iterator[tuple[Any, Any]]:
        """The suspect whose only worker is gone."""
        if self.alone and (there := self._admitted()) is not None and self.alone[1] not in there:
            future, self.alone = self.alone[0], None
            if future in self.running:
                self.client.cancel([future], force=True)
                yield self.running.pop(future), Failed(DIED, lost=True)

    def _submit(self, task: Any, only: str = "") -> Any:
        where: dict[str, Any] = {"workers": [only], "allow_other_workers": False} if only else {}
        if self.pool._refused and not only:
            where = {"workers": self._admitted() or [], "allow_other_workers": True}  # where all of these die, another will say what it is
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph")  # a checkpoint
            # dask's mean duration goes by the first word, and it moves no task that it takes for shorter than 5 ms: a word for each round
            key = f"tme{self.number}-{uuid.uuid4().hex}"
            future = self.client.submit(dask_worker.compute, self.function, pickle.dumps(task), self.terms, pure=False, key=key, **where)
        self.running[future] = task
        future.add_done_callback(lambda done: self.arrived.put(("done", done)))
        return future

    def _stop(self) -> None:
        """Tell workers, again and again for those that come later; a busy one must not hold the others up."""
        self.ended = True
        self.again.clear()
        self.suspects.clear()
        if time.monotonic() - self.stop_sent > WORKERS_EVERY_S:
            self.stop_sent = time.monotonic()
            if self._admitted() == []:  # nobody is left to end what was handed out
                self.client.cancel(list(self.running), force=True)
                self.running.clear()
                return
            threading.Thread(target=self._tell_stop, daemon=True).start()

    def _tell_stop(self) -> None:
        with suppress(Exception):  # a worker that died meanwhile
            self.client.run(dask_worker.stop, self.number, on_error="ignore")

    def _collect(self) -> Iterator[tuple[Any, Any]]:
        """What has arrived; waits a little for the first."""
        try:
            kind, what = self.arrived.get(timeout=LOOK_S)
            while True:
                if kind == "event":
                    self.report(what)
                elif what in self.running:
                    yield from self._take(what)
                kind, what = self.arrived.get_nowait()
        except queue.Empty:
            return

    def _take(self, future: Any) -> Iterator[tuple[Any, Any]]:
        task = self.running.pop(future)
        last = self.alone is not None and self.alone[0] is future
        self.alone = None if last else self.alone
        answer = self._answer(future)
        if answer is None and not last:
            self.suspects.append(task)
            return
        answer = answer or dask_worker.Answer(Failed(DIED, lost=True))
        if isinstance(answer, dask_worker.Unlike):
            self._refuse(answer)
            self.again.append(task)
            return
        if not isinstance(answer.result, Failed):
            self.pace.took(answer.seconds)
        if answer.unlike:
            self.pool._note(answer.worker, answer.unlike)
        yield task, answer.result

    def _answer(self, future: Any) -> dask_worker.Answer | dask_worker.Unlike | None:
        """What a worker says; None where workers died over it, or over what was beside it."""
        from distributed import CancelledError, KilledWorker

        try:
            return future.result()
        except (CancelledError, OSError) as error:
            raise RunBroken(self.pool._gone()) from error
        except KilledWorker:
            return None
        except Exception as error:
            return dask_worker.Answer(Failed(f"{type(error).__name__}: {error}"))
        finally:
            future.release()

    def _refuse(self, unlike: dask_worker.Unlike) -> None:
        if unlike.worker not in self.pool._refused:
            self.pool._refused[unlike.worker] = unlike.why
            self.report({"event": "warning", "message": f"dask worker {unlike.worker} is left out: {unlike.why}"})

    def _count(self) -> None:
        """Count workers now and then; waiting without any is told once."""
        now = time.monotonic()
        if now - self.counted < WORKERS_EVERY_S:
            return
        self.counted = now
        if self.client.status not in ("running", "connecting"):
            raise RunBroken(self.pool._gone())
        there = self._admitted() if self.client.status == "running" else None
        if there is None:
            return
        self.pool.jobs = max(1, len(there))
        if not there and not self.told_alone:
            self.report({"event": "warning", "message": f"the dask scheduler at {self.pool.address} has no workers left: waiting for one"})
        self.told_alone = not there


def _connect(address: str) -> Any:
    """A client of the scheduler; RunError where nothing answers there."""
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is told as an event
    try:
        return Client(address, timeout=CONNECT_S, set_as_default=False, name="tme")
    except (OSError, TimeoutError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(
            f"no dask scheduler answers at {address!r} within {CONNECT_S:g} s ({said}); expected an address as `dask scheduler` prints it, "
            "such as tcp://10.0.0.1:8786"
        ) from error
