"""`tme import physicell`: a PhysiCell project as a config of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def physicell(
    project: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a PhysiCell project (config/PhysiCell_settings.xml, its rules and cells).")],
    out: Annotated[Path | None, typer.Option("--out", metavar="CONFIG", help="Config to write [default: NAME.yaml here, NAME the folder's].")] = None,
    tumour: Annotated[str, typer.Option("--tumour", metavar="TYPE", help="The cell type that is the tumour, where names do not tell.")] = "",
    settings: Annotated[str, typer.Option("--settings", metavar="FILE", help="Settings file within DIR, if it has another name.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files of an earlier import.")] = False,
) -> None:
    """Write a PhysiCell project as a config with library, cells and a report of what was left out; print the report."""
    from tme.importing.physicell import report, translate

    imported = translate(project, tumour, settings)
    files = imported.write(out or Path(f"{imported.name}.yaml"), overwrite)
    for line in report(imported.notes):
        typer.echo(line)
    typer.echo("written: " + ", ".join(map(str, files)))
