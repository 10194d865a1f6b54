"""`tme export`: a run in the formats of others."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tme.cli.shared import AllowPlugins, RunPath, check_run


class FormatName(StrEnum):
    """What there is (`tme.exporting.FORMATS`)."""

    h5ad = "h5ad"
    csv = "csv"
    zarr = "zarr"
    vtk = "vtk"
    sbml = "sbml"
    openvt = "openvt"
    ro_crate = "ro-crate"


def export(
    run_dir: RunPath,
    to: Annotated[FormatName, typer.Option("--to", help="Format.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="PATH", help="What to write; a name that is not taken [default: the run's name with the format's ending, here].")] = None,
    arm: Annotated[str | None, typer.Option(metavar="ARM", help="Only this arm [default: all].")] = None,
    replicate: Annotated[int | None, typer.Option(min=0, metavar="N", help="Only this replicate [default: all].")] = None,
    hour: Annotated[float | None, typer.Option(metavar="H", help="Only the snapshot at this hour since day 0 [default: all].")] = None,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Write a run's cells, fields, pathways or provenance in the formats of other tools."""
    check_run(run_dir)
    from tme.exporting import Choice
    from tme.exporting import export as write

    path, notes = write(run_dir, to.value, out, Choice(arm, replicate, hour, allow_plugins))
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(path)
