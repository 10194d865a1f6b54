"""The other end of `Dask`: what runs in dask's worker processes."""

from __future__ import annotations

import pickle
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tme.experiments.executors import here
from tme.experiments.executors.contract import STOPPED, Failed
from tme.experiments.executors.likeness import differences, facts
from tme.experiments.executors.serial import call

LOOK_S = 0.5  # how often dask is asked whether the call is still wanted
_one_at_a_time = threading.Lock()  # kernels use the threads of the process, which no two simulations may share
_stopped: set[str] = set()
_functions: dict[str, Any] = {}  # of the newest round


@dataclass(frozen=True)
class Terms:
    """What a call goes with: the round it belongs to, threads, and whom the run admits."""

    round: str
    threads: int
    code: dict[str, str]
    processor: dict[str, str]
    mixed: bool


@dataclass(frozen=True)
class Unlike:
    """Answer of a worker that may not compute the run."""

    worker: str
    why: str


def about(dask_worker: Any = None) -> dict[str, str]:
    """Facts of this worker, and how many calls dask would give it at a time; dask hands itself over by that name."""
    return {**facts(), "threads": str(dask_worker.state.nthreads)}


def as_it_is(text: bytes) -> bytes:
    """A pickled function, unread: what carries it to the workers may run on one that the run does not admit, which must not read it."""
    return text


def _function_of(text: bytes, round: str) -> Any:
    """The function of a round, read once; `Failed` where it cannot be read here."""
    if _functions.get("round") != round:
        try:
            function = pickle.loads(text)
        except Exception as error:
            function = Failed(f"{type(error).__name__}: {error}")
        _functions.update(round=round, function=function)
    return _functions["function"]


def stop(round: str) -> None:
    """Calls of the round end early, and no other begins."""
    _stopped.add(round)


@dataclass(frozen=True)
class Answer:
    """A result, the seconds it took, and facts of its worker where that is unlike the run's processor and libraries."""

    result: Any
    seconds: float = 0.0
    unlike: tuple[str, ...] = ()
    worker: dict[str, str] = field(default_factory=dict)


def compute(function: bytes, text: bytes, terms: Terms) -> Answer | Unlike:
    """The result of a pickled function of a pickled task; `Unlike` where the run does not admit this worker."""
    from distributed import get_worker

    worker, begun = get_worker(), time.perf_counter()
    forbidden, unlike = differences(facts(), terms.code, terms.processor)
    if forbidden or (unlike and not terms.mixed):
        return Unlike(worker.address, "; ".join(forbidden or unlike))
    wanted = _Wanted(worker, worker.get_current_task(), terms.round)
    with _one_at_a_time, here.connected(wanted.stopping, lambda event: worker.log_event(topic(terms.round), event)):
        if wanted.stopping():
            return Answer(Failed(STOPPED, lost=True))
        call_of = _function_of(function, terms.round)
        if isinstance(call_of, Failed):
            return Answer(call_of)
        here.set_threads(terms.threads)
        result = call(lambda text: call_of(pickle.loads(text)), text)
    return Answer(result, time.perf_counter() - begun, tuple(unlike), facts() if unlike else {})


def topic(round: str) -> str:
    """Where events of a round go."""
    return f"tme-{round}"


class _Wanted:
    """Whether somebody still waits for the call in progress: dask marks it cancelled when its client is gone."""

    def __init__(self, worker: Any, key: Any, round: str) -> None:
        self.worker, self.key, self.round = worker, key, round
        self._look, self._gone = 0.0, False

    def stopping(self) -> bool:
        """For `here.stopping`."""
        if self.round in _stopped:
            return True
        if time.monotonic() > self._look:
            self._look = time.monotonic() + LOOK_S
            with suppress(RuntimeError, AttributeError):  # the table changes meanwhile, or dask has: the call goes on
                task = self.worker.state.tasks.get(self.key)
                self._gone = task is None or task.state == "cancelled"
        return self._gone
