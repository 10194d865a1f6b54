"""Compile what every run needs in two processes at once, where nothing is compiled yet.

    python -m tme.warm fields    # the solvers
    python -m tme.warm cells     # everything else, with fields that stand still

Compiling takes one processor some 25 s; the halves side by side take about 15. Both build a small tumour with an
antibody and particles, as `tme bench` does; what only other configs use is compiled when it is first called.
A half that fails is no loss: the run compiles what is missing and tells what is wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HALVES = ("fields", "cells")
LOOK_S = 0.05


def is_cold() -> bool:
    """Whether numba's cache is still empty."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    if folder is None or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return False
    return not any(Path(folder).rglob("*.nbi"))


def warm_up(stop: Callable[[], bool] = lambda: False) -> None:
    """Run both halves if nothing is compiled and a second processor is there; `stop` ends them early."""
    if len(os.sched_getaffinity(0)) < 2 or not is_cold():
        return
    env = {**os.environ, "NUMBA_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tme.warm"]
    halves = [subprocess.Popen([*command, half], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for half in HALVES]
    try:
        while not stop() and any(half.poll() is None for half in halves):
            for half in halves:
                try:
                    half.wait(LOOK_S)
                except subprocess.TimeoutExpired:
                    continue
    finally:
        for half in halves:
            half.kill()
            half.wait()


def fields() -> None:
    """Solve every field of a model without cells, with something in each of its terms."""
    from tme.bench.whole import config_of
    from tme.core.field import TERMS
    from tme.model import TumourModel

    model = TumourModel(config_of(500), arm="combination", empty=True)
    for field in model.fields.values():
        mode = field.mode
        for field.mode in dict.fromkeys((mode, "quasi_steady")):
            for term in TERMS:
                array = getattr(field.solved_on, term)
                if array is not None:
                    array[: len(array) // 20 : 3] = 1.0
            try:
                field.advance(10.0, model.workspace)
            except (RuntimeError, ValueError):  # not every field has a steady state
                continue


def cells() -> None:
    """Build a tumour and take a tick, with fields that nothing solves."""
    from tme.bench.whole import config_of
    from tme.core.field import Field
    from tme.model import TumourModel

    Field.advance = lambda self, dt_min, workspace: 0  # type: ignore[method-assign]
    model = TumourModel(config_of(500), arm="combination")
    for _ in range(60):  # so that every clock strikes
        model.step()


if __name__ == "__main__":
    {"fields": fields, "cells": cells}[sys.argv[1]]()
