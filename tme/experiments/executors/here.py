"""What a function may ask and tell while an executor calls it: whether to stop, and events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tme.experiments.executors.contract import Report, Stop, ignore, never


class _Now:
    """What the call in progress in this process reaches."""

    stop: Callable[[], bool] = staticmethod(never)
    report: Callable[[dict[str, Any]], None] = staticmethod(ignore)


def stopping() -> bool:
    """Whether the caller wants to end: a long function keeps where it is and returns."""
    return _Now.stop()


def report(event: dict[str, Any]) -> None:
    """Send a small event to the caller."""
    _Now.report(event)


@contextmanager
def connected(stop: Stop, report: Report) -> Iterator[None]:
    """For the length of a call; used by executors."""
    former = _Now.stop, _Now.report
    _Now.stop, _Now.report = stop, report  # type: ignore[assignment]
    try:
        yield
    finally:
        _Now.stop, _Now.report = former  # type: ignore[assignment]


def set_threads(threads: int) -> None:
    """Threads for the kernels; the results do not depend on it."""
    try:
        import numba

        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    except ImportError:
        pass
