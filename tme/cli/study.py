"""What the study commands share: their options, and how they begin and end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from tme.cli.shared import (
    AllowMixed,
    AllowPlugins,
    Cluster,
    ClusterOptions,
    ConfigPath,
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

Out = Annotated[Path | None, typer.Option(help="Study directory [default: runs/<name>-<study>-<hash>].")]
Seed = Annotated[int | None, typer.Option(min=0, help="Replaces the config's seed.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start over instead of completing a study.")]


def carry_out(kind: str, config: Path, changes: list[str] | None, seed: int | None, quick: bool, out: Path | None, allow_plugins: bool, **how: Any) -> None:
    """Load, study, draw the report, and leave with the study's exit code; `how` goes to `tme.studies.study.Study`."""
    from importlib import import_module

    resolved = load(config, changes, quick, seed, allow_plugins)
    if out is not None:
        check_out(out)
    from tme.experiments.run_directory import RunBroken

    try:
        folder, code = import_module(f"tme.studies.{kind}").run(resolved, out=out, quick=quick, **how)
    except OSError as error:
        raise RunBroken(f"cannot write the study: {error.strerror or error}; what is finished stands, run again to complete it") from error
    from tme.viz import study as page

    typer.echo(f"report: {page.write(folder)}")
    if code:
        raise typer.Exit(code)


def command(kind: str, about: str) -> Callable[..., None]:
    """The command of a kind of study: all take the same options; `about` is its help."""

    def study(
        config: ConfigPath, out: Out = None, seed: Seed = None, set_: Set = None, quick: Quick = False, jobs: Jobs = None, threads: Threads = 1,
        executor: ExecutorOption = ExecutorName.processes, scheduler: Scheduler = None, cluster: Cluster = None, cluster_options: ClusterOptions = None,
        allow_mixed: AllowMixed = False, fresh: Fresh = False, allow_plugins: AllowPlugins = False,
    ) -> None:  # fmt: skip
        how = where(scheduler, cluster, cluster_options, allow_mixed)
        carry_out(kind, config, set_, seed, quick, out, allow_plugins, jobs=jobs, threads=threads, executor=executor.value, fresh=fresh, **how)

    study.__name__, study.__doc__ = kind, about
    return study
