"""Calls of one function over many tasks: in this process, or in spawned processes of which any may die."""

from __future__ import annotations

import concurrent.futures as futures
import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from tme.experiments.executor import _environment
from tme.experiments.worker import set_threads

ATTEMPTS = 3


@dataclass(frozen=True)
class Failed:
    """Stands for the result of a call that raised, or (`lost`) whose worker died each time it was tried."""

    error: str
    lost: bool = False
    trace: str = ""


def call(function: Callable[[Any], Any], task: Any) -> Any:
    """The result, or `Failed` where the function raised."""
    try:
        return function(task)
    except Exception as error:
        return Failed(f"{type(error).__name__}: {error}", trace=traceback.format_exc())


def begin(threads: int) -> None:
    """First call in a worker: one that outlives its parent ends."""

    def end_with_parent() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(75)

    threading.Thread(target=end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_threads(threads)


class Workers:
    """`jobs` processes; 1 computes here. A context manager; `map` may be called many times."""

    def __init__(self, jobs: int, threads: int = 1) -> None:
        self.jobs, self.threads = jobs, threads

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: Any) -> None:
        return None

    def map(self, function: Callable[[Any], Any], tasks: Iterable[Any], *, stop: Callable[[], bool] = lambda: False) -> Iterator[tuple[Any, Any]]:
        """Pairs (task, result) in the order in which they are completed; after `stop()` no task is begun."""
        waiting = deque((task, 0) for task in tasks)
        if self.jobs <= 1:
            set_threads(self.threads)
            while waiting and not stop():
                task, _ = waiting.popleft()
                yield task, call(function, task)
            return
        while waiting and not stop():
            yield from self._pool(function, waiting, stop)

    def _pool(self, function: Callable[[Any], Any], waiting: deque, stop: Callable[[], bool]) -> Iterator[tuple[Any, Any]]:
        running: dict[futures.Future, tuple[Any, int]] = {}
        alone = any(tried for _, tried in waiting)  # after a death one at a time, so that the culprit is known
        with _environment(self.threads, hide_main=True):
            pool = futures.ProcessPoolExecutor(1 if alone else self.jobs, multiprocessing.get_context("spawn"), begin, (self.threads,))
            try:
                while running or (waiting and not stop()):
                    while waiting and not stop() and len(running) < (1 if alone else self.jobs):
                        task, tried = waiting.popleft()
                        running[pool.submit(call, function, task)] = (task, tried)
                    for future in futures.wait(running, timeout=0.2, return_when=futures.FIRST_COMPLETED).done:
                        result = future.result()
                        task, tried = running.pop(future)
                        yield task, result
                    if alone and not any(tried for _, tried in [*waiting, *running.values()]):
                        return
                    if stop():
                        return  # what is under way is simulated again
            except BrokenProcessPool:
                for task, tried in running.values():
                    if tried + 1 >= ATTEMPTS:
                        yield task, Failed("its process died (out of memory, or killed)", lost=True)
                    else:
                        waiting.appendleft((task, tried + 1))
            finally:
                for process in list((pool._processes or {}).values()) if stop() else ():
                    process.kill()
                pool.shutdown(wait=True, cancel_futures=True)


def workers(executor: str = "processes", *, jobs: int | None = None, threads: int = 1) -> Workers:
    """Workers of an executor of that name."""
    return Workers(jobs or os.cpu_count() or 1, threads)
