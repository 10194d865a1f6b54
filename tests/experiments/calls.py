"""Functions that executors call in tests; workers import them by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tme.experiments.executors import here


def square(x):
    return x * x


def pid(x):
    return os.getpid()


def odd_fails(x):
    if x % 2:
        raise ValueError(f"{x} is odd")
    return x


def dies_once(folder, x):
    """The first call for 3 kills its process; every call leaves a line."""
    mark = Path(folder) / f"{x}"
    first = not mark.exists()
    with open(mark, "a") as file:
        file.write("called\n")
    if x == 3 and first:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def three_kills(x):
    if x == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def until_stopped(x):
    """Tell that it began, and go on until it is told to stop."""
    here.report({"event": "began", "task": x})
    deadline = time.monotonic() + 60
    while not here.stopping() and time.monotonic() < deadline:
        time.sleep(0.01)
    return "stopped" if here.stopping() else "timed out"


def die():
    """As what prepares a process: it never begins."""
    os._exit(1)
