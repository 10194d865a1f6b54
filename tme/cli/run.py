"""`tme run`: simulate every arm and replicate of an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tme.cli.shared import (
    AllowMixed,
    AllowPlugins,
    Cluster,
    ClusterOptions,
    ConfigPath,
    Device,
    ExecutorName,
    ExecutorOption,
    Jobs,
    Quick,
    Scheduler,
    Set,
    Threads,
    check_out,
    load,
    where,
)


def run(
    config: ConfigPath,
    out: Annotated[Path | None, typer.Option(help="Run directory [default: runs/<name>-<hash>].")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the config's seed.")] = None,
    set_: Set = None,
    quick: Quick = False,
    jobs: Jobs = None,
    threads: Threads = 1,
    executor: ExecutorOption = ExecutorName.processes,
    scheduler: Scheduler = None,
    cluster: Cluster = None,
    cluster_options: ClusterOptions = None,
    allow_mixed: AllowMixed = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of completing a run.")] = False,
    device: Annotated[Device, typer.Option(help="Where fields and chemistry are computed.")] = Device.cpu,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Run an experiment, or complete a part-done run."""
    resolved = load(config, set_, quick, seed, allow_plugins)
    import tme
    from tme.core.device import check as check_device
    from tme.experiments.run_directory import default_folder

    check_device(device.value)
    folder = out if out is not None else default_folder(resolved)
    check_out(folder)
    result = tme.run(
        resolved, out=folder, jobs=jobs, threads=threads, fresh=fresh, executor=executor.value, device=device.value,
        **where(scheduler, cluster, cluster_options, allow_mixed),
    )  # fmt: skip
    if result.exit_code:
        raise typer.Exit(result.exit_code)
