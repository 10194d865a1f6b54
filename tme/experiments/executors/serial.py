"""Calls one after the other, in this process."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tme.experiments.executors import here
from tme.experiments.executors.contract import STOPPED, Executor, Failed, Report, Stop, Stopped, ignore, never


class Serial(Executor):
    """One call at a time; nothing to start or to end."""

    name = "processes"
    jobs = 1

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def map(
        self, function: Callable[[Any], Any], tasks: Iterable[Any], *, stop: Stop = never, report: Report = ignore
    ) -> Iterator[tuple[Any, Any]]:
        """Pairs in the order of the tasks."""
        here.set_threads(self.threads)
        waiting = iter(tasks)
        while not stop():
            task = next(waiting, None)
            if task is None:  # at its end, or waiting for a result that nothing is left to give
                return
            with here.connected(stop, report):
                result = call(function, task)
            yield task, result

    def close(self) -> None:
        """Nothing to end."""


def call(function: Callable[[Any], Any], task: Any) -> Any:
    """The result, or `Failed` where the function raised."""
    try:
        return function(task)
    except Stopped:
        return Failed(STOPPED, lost=True)
    except Exception as error:
        return Failed(f"{type(error).__name__}: {error}", trace=traceback.format_exc())
