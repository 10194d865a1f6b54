"""What executors have in common: many calls of one function, wherever they are computed.

    with executor("processes", jobs=2) as workers:
        for task, result in workers.map(function, tasks):
            ...

Studies and `tme run` use the same objects. A function that is called by workers must be importable by name, or a
`functools.partial` of one; it goes to each worker once, so what all tasks share (a configuration) belongs into the
partial and what differs (numbers, arm, seed) into the task.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ATTEMPTS = 3  # so often a task is begun before it counts as what kills its workers
SHORT_S = 2.0  # calls that take less are handed out one ahead, so that no worker waits for the next one
STOPPED = "stopped before its end"
Report = Callable[[dict[str, Any]], None]
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Failed:
    """Stands for the result of a call that raised, or (`lost`) that was given up without an answer: its workers
    died each time it was tried, or it was stopped."""

    error: str
    lost: bool = False
    trace: str = ""


class Stopped(Exception):
    """Raised by a function that ends early because `here.stopping()`; its task counts as given up."""


def never() -> bool:
    """The default for `stop`."""
    return False


def ignore(event: dict[str, Any]) -> None:
    """The default for `report`."""


class Pace:
    """How long calls take, the latest weighing most, and so how many to hand to each worker at a time."""

    def __init__(self) -> None:
        self._mean_s: float | None = None

    def took(self, seconds: float) -> None:
        """Take note of a call."""
        self._mean_s = seconds if self._mean_s is None else 0.7 * self._mean_s + 0.3 * seconds

    @property
    def depth(self) -> int:
        """One, or two where calls are short: a long one that waited behind another could have run elsewhere."""
        return 2 if self._mean_s is not None and self._mean_s < SHORT_S else 1


class Executor(ABC):
    """Where calls are computed; a context manager, since workers have to end.

    `map` may be called many times, one after the other: workers, and what they have read and compiled, stay.
    """

    name: str
    jobs: int  # calls computed at a time, as far as is known
    sees_files = True  # whether functions may write where the caller does; else results are sent back, and the caller writes

    @abstractmethod
    def map(
        self, function: Callable[[Any], Any], tasks: Iterable[Any], *, stop: Stop = never, report: Report = ignore
    ) -> Iterator[tuple[Any, Any]]:
        """Pairs (task, function(task)) in the order in which they are completed, which is any.

        `tasks` is read as workers become free, so it may be a generator that learns from the results so far; it yields None
        where it has nothing before the next result. A function that raises gives a `Failed`, and the others go on; so does a
        task whose worker died `ATTEMPTS` times. After `stop()` no task is begun, and functions that ask `here.stopping()`
        end early; what was under way is still given out. `report` is called with the events that functions send
        by `here.report(event)`.
        """

    @property
    def unlike(self) -> list[str]:
        """In what workers differ that were admitted though bits may depend on it."""
        return []

    def processors(self) -> dict[str, str]:
        """Features by model of the processors that compute."""
        from tme.experiments import provenance

        return provenance.processors()

    @abstractmethod
    def close(self) -> None:
        """End the workers."""

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()
