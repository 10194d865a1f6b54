"""Where simulations are computed: in this process, in processes of this machine, or by dask workers anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tme.experiments.executors.contract import Executor, Failed, never
from tme.experiments.run_directory import RunError

EXECUTORS = ("processes",)

__all__ = ["EXECUTORS", "Executor", "Failed", "check", "executor"]


def check(name: str) -> None:
    """Refuse an executor that there is not."""
    if name not in EXECUTORS:
        raise RunError(f"unknown executor {name!r}; expected {' or '.join(EXECUTORS)}")


def executor(
    name: str = "processes", *, jobs: int | None = None, threads: int = 1, prepare: Callable[[], Any] = never
) -> Executor:
    """An executor of that name, open; use it in a `with`.

    `processes`: `jobs` processes of this machine (default one per core; 1 computes in this process) with `threads` kernel threads each;
    `prepare` is called in each before its first task.
    """
    check(name)
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1:
        from tme.experiments.executors.serial import Serial

        return Serial(threads)
    from tme.experiments.executors.processes import Processes

    return Processes(jobs, threads, prepare)
