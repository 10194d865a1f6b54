"""Fill an empty compile cache in two processes at once: what every run needs is compiled before it starts.

    python -m tme.precompile fields    # the solvers
    python -m tme.precompile cells     # everything else, with fields that stand still

Both take a small tumour with an antibody and particles, as `tme bench` does; what only other configs use is compiled
when it is first called. Each half says when it has what a first tick needs, and goes on with the rest while the run
begins. A half that fails is no loss: the run compiles what is missing and tells what is wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tme.kernels.source_digest import digest

HALVES = ("fields", "cells")
LANDMARK = "advance_rows"
LOOK_S = 0.05
_running: list[subprocess.Popen] = []  # they outlast the call that started them


def is_cold() -> bool:
    """Whether the chemistry, which every run needs, is not in numba's cache yet; a few laws are as soon as they are imported."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    if folder is None or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return False
    return not any(compiled_chemistry(Path(folder)).glob(f"*.{LANDMARK}*.nbi"))


def compiled_chemistry(folder: Path) -> Path:
    """Where the compiled kernels of the ferroptosis pathway lie in numba's cache."""
    from tme.pathways.ferroptosis import PATHWAY
    from tme.pathways.store import kept
    from tme.pathways.write import source

    file = kept(PATHWAY.name, source(PATHWAY))
    return folder / f"{file.stem}-{digest(file)}"


def start_compiling(stop: Callable[[], bool] = lambda: False) -> None:
    """Start both halves if nothing is compiled and a second processor is there; returns when a first tick can be taken.

    `stop` ends them early.
    """
    if (os.cpu_count() or 1) < 2 or not is_cold():
        return
    env = {**os.environ, "NUMBA_NUM_THREADS": "2"}  # a team of two compiles what waits
    command = [sys.executable, "-m", "tme.precompile"]
    halves = [subprocess.Popen([*command, half], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for half in HALVES]
    _running.extend(halves)
    ready = [threading.Thread(target=half.stdout.readline, daemon=True) for half in halves if half.stdout]
    for waiter in ready:
        waiter.start()
    while any(waiter.is_alive() for waiter in ready):
        if stop():
            for half in halves:
                half.kill()
        for waiter in ready:
            waiter.join(LOOK_S)


def finish() -> None:
    """Wait until the halves that `start_compiling` started have compiled all they know."""
    while _running:
        _running.pop().wait()


def fields() -> None:
    """Solve every field of a model without cells, with something in each of its terms."""
    from tme.config.typical import config_of
    from tme.core.field import TERMS
    from tme.model import TumourModel

    model = TumourModel(config_of(5000), arm="combination", empty=True)

    def solve(name: str, mode: str, there: int) -> None:
        field = model.fields[name]
        for term in TERMS:
            array = getattr(field.on_solver_grid, term)
            if array is not None:
                array[:there] = 1.0
        before, field.mode = field.mode, mode
        with suppress(RuntimeError, ValueError):  # not every field has a steady state
            field.advance(10.0, model.workspace)
        field.mode = before

    for name in ("oxygen", "cystine", "peroxide"):
        solve(name, "quasi_steady", 1)
    say_ready()
    for name, field in model.fields.items():
        for mode in dict.fromkeys((field.mode, "quasi_steady")):
            solve(name, mode, 100)


def cells() -> None:
    """Build a tumour and take a tick, with fields that nothing solves; then more, until every clock has struck."""
    from tme.config.typical import config_of
    from tme.core.field import Field
    from tme.kernels import threads
    from tme.model import TumourModel

    threads.run_all([(int, ()), (int, ())])
    Field.advance = lambda self, dt_min, workspace: 0  # type: ignore[method-assign]
    model = TumourModel(config_of(500), arm="combination")
    model.step()
    say_ready()
    for _ in range(60):
        model.step()


def say_ready() -> None:
    """Tell the waiting process, if it still waits."""
    with suppress(OSError):
        print("ready", flush=True)


if __name__ == "__main__":
    {"fields": fields, "cells": cells}[sys.argv[1]]()
