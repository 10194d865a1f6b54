"""`tme run`: simulate every arm and replicate of an experiment."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tme.cli.shared import AllowPlugins, ConfigPath, Device, Quick, Set, check_out, load


class Executor(StrEnum):
    """Where simulations run."""

    processes = "processes"


def run(
    config: ConfigPath,
    out: Annotated[Path | None, typer.Option(help="Run directory [default: runs/<name>-<hash>].")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the config's seed.")] = None,
    set_: Set = None,
    quick: Quick = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Simulations at a time [default: one per core].")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads per simulation.")] = 1,
    executor: Annotated[
        Executor, typer.Option(help="Where simulations run: processes of this machine.")
    ] = Executor.processes,
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
        resolved, out=folder, jobs=jobs, threads=threads, fresh=fresh, executor=executor.value, device=device.value
    )
    if result.exit_code:
        raise typer.Exit(result.exit_code)
