"""Where simulations are computed: in this process, in processes of this machine, or by dask workers anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tme.experiments.executors.contract import Executor, Failed, never
from tme.experiments.run_directory import RunError

EXECUTORS = ("processes", "dask")
CLUSTERS = ("slurm", "pbs", "lsf")

__all__ = ["CLUSTERS", "EXECUTORS", "Executor", "Failed", "check", "executor"]


def executor(
    name: str = "processes", *, jobs: int | None = None, threads: int = 1, prepare: Callable[[], Any] = never, scheduler: str | None = None,
    cluster: str | None = None, cluster_options: str | Path | None = None, allow_mixed: bool = False,
) -> Executor:  # fmt: skip
    """An executor of that name, open; use it in a `with`.

    `processes`: `jobs` processes of this machine (default one per core; 1 computes in this process) with `threads` kernel threads each;
    `prepare` is called in each before its first task. `dask`: the workers of the `scheduler` at an address, or jobs of a queue: `cluster` slurm, pbs
    or lsf with a file of its options (`cluster.py`). Raises RunError (exit code 2) where options do not go together, the extra is not
    installed, the scheduler does not answer, or a worker is unlike the others and not `allow_mixed`.
    """
    check(name, scheduler=scheduler, cluster=cluster, cluster_options=cluster_options, allow_mixed=allow_mixed)
    if name == "dask":
        from tme.experiments.executors.dask_pool import Dask

        if cluster is None:
            return Dask(str(scheduler), threads=threads, mixed=allow_mixed)
        from tme.experiments.executors.cluster import start

        return Dask(cluster=start(cluster, Path(str(cluster_options))), threads=threads, mixed=allow_mixed)
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1:
        from tme.experiments.executors.serial import Serial

        return Serial(threads)
    from tme.experiments.executors.processes import Processes

    return Processes(jobs, threads, prepare)


def check(
    name: str, *, scheduler: str | None = None, cluster: str | None = None, cluster_options: Any = None, allow_mixed: bool = False, jobs: int | None = None
) -> None:
    """Refuse options that are unknown or do not go together; nothing is started."""
    if name not in EXECUTORS:
        raise RunError(f"unknown executor {name!r}; expected {' or '.join(EXECUTORS)}")
    if cluster is not None and cluster not in CLUSTERS:
        raise RunError(f"unknown cluster {cluster!r}; expected one of {', '.join(CLUSTERS)}")
    given = {"--scheduler": scheduler, "--cluster": cluster, "--cluster-options": cluster_options, "--allow-mixed": allow_mixed or None}
    if name != "dask":
        for option, value in given.items():
            if value is not None:
                raise RunError(f"{option} goes with --executor dask, not with --executor {name}")
        return
    if jobs is not None:
        raise RunError("--jobs goes with --executor processes: dask computes one simulation in each of its workers")
    if (scheduler is None) == (cluster is None):
        raise RunError("--executor dask needs either --scheduler ADDRESS or --cluster NAME with --cluster-options FILE")
    if (cluster is None) != (cluster_options is None):
        raise RunError("--cluster and --cluster-options go together")
    missing = [m for m, wanted in (("distributed", True), ("dask_jobqueue", cluster is not None)) if wanted and find_spec(m) is None]
    if missing:
        raise RunError(f"--executor dask needs {', '.join(missing)}: pip install 'tme[cluster]'")
