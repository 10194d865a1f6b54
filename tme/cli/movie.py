"""`tme movie`: the cells of each arm as a movie."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tme.cli.shared import InputError, RunPath, check_out, check_run


class Kind(StrEnum):
    """Formats of a movie."""

    mp4 = "mp4"
    gif = "gif"


def movie(
    run_dir: RunPath,
    to: Annotated[Kind, typer.Option(help="mp4 needs the extra `movie`.")] = Kind.mp4,
    per_s: Annotated[float, typer.Option("--per-s", min=0.2, max=25.0, help="Snapshots a second.")] = 2.0,
) -> None:
    """Write a movie per arm, and one of all arms side by side, into the run's figures/."""
    check_run(run_dir)
    check_out(run_dir, "RUN")
    from tme.viz import movie as movies
    from tme.viz.load import Missing

    try:
        written = movies.write(run_dir, to.value, per_s)
    except Missing as reason:
        raise InputError(f"{run_dir}: no movie can be made: {reason}") from reason
    for path in written:
        typer.echo(path)
