"""The other end of `Processes`: a spawned process that computes calls until it is told to end."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from typing import Any

from tme.experiments.executors import here
from tme.experiments.executors.contract import Failed
from tme.experiments.executors.serial import call

LEFT = 75  # exit code of a process whose parent is gone, or that was told to end


class _Process:
    """State of this worker process, which signals and threads reach."""

    busy = False
    terminated = False


def serve(pipe: Any, stop: Any, threads: int, prepare: Callable[[], Any]) -> None:
    """Compute what comes through the pipe: ("function", text), ("task", text), None for the end.

    Answers ("ready",) once and then ("event", event) and ("result", text); texts are pickled.
    """
    parent = os.getppid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent tells us
    signal.signal(signal.SIGTERM, _on_sigterm)
    here.set_threads(threads)
    call(lambda nothing: prepare(), None)  # a failure shows in every task by name
    pipe.send(("ready", None))

    def must_stop() -> bool:
        if os.getppid() != parent:
            os._exit(LEFT)  # the parent was killed: its successor owns what is written
        return _Process.terminated or bool(stop.value)

    function: Callable[[Any], Any] = _missing
    try:
        while (message := pipe.recv()) is not None:
            kind, text = message
            if kind == "function":
                function = _function(text)
                continue
            _Process.busy = True
            with here.connected(must_stop, lambda event: pipe.send(("event", event))):
                answer = _answer(function, text)
            _Process.busy = False
            if _Process.terminated:
                os._exit(LEFT)
            pipe.send(("result", answer))
    except (EOFError, OSError):
        os._exit(LEFT)


def _missing(task: Any) -> Any:
    raise RuntimeError("no function was sent")


def _function(text: bytes) -> Callable[[Any], Any]:
    """The function, or one that tells why it cannot be read here."""
    try:
        return pickle.loads(text)
    except Exception as error:
        failed = Failed(f"{type(error).__name__}: {error}")
        return lambda task: failed


def _answer(function: Callable[[Any], Any], text: bytes) -> bytes:
    """The pickled result of a pickled task; whatever cannot be read or pickled is a failure of the task."""
    result = call(lambda text: function(pickle.loads(text)), text)
    try:
        return pickle.dumps(result)
    except Exception as error:
        return pickle.dumps(Failed(f"its result cannot be sent ({type(error).__name__}: {error})"))


def _end_with_parent() -> None:
    """A process that waits for its next task would not notice in every case that its parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(LEFT)


def _on_sigterm(number: int, stack: Any) -> None:
    if not _Process.busy:
        os._exit(LEFT)
    _Process.terminated = True
