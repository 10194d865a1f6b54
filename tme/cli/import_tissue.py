"""`tme import tissue`: propose how a table of cells becomes the start of an experiment, and draw it."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tme.cli.shared import InputError


class Unit(StrEnum):
    """What coordinates may count."""

    um = "um"
    mm = "mm"
    nm = "nm"
    px = "px"


class Faulty(StrEnum):
    """Rows that no cell can be."""

    missing = "missing"
    duplicates = "duplicates"


def pair(text: str, option: str) -> tuple[str, str]:
    """NAME=VALUE of an option that may be repeated; the last = divides, since names may have some."""
    name, _sign, value = text.rpartition("=")
    if not name or not value:
        raise InputError(f"{option} {text!r}: expected NAME=VALUE")
    return name, value


def tissue(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A table of cells: .csv, .tsv, .txt (also .gz) or .h5ad.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="CONFIG", help="Write the config here and the picture beside it; else print it.")] = None,
    picture: Annotated[Path | None, typer.Option("--picture", metavar="PNG", help="Draw the cells before and after here.")] = None,
    x: Annotated[str | None, typer.Option("--x", metavar="COLUMN", help="The column that holds x.")] = None,
    y: Annotated[str | None, typer.Option("--y", metavar="COLUMN", help="The column that holds y.")] = None,
    z: Annotated[str | None, typer.Option("--z", metavar="COLUMN", help="The column that holds z.")] = None,
    type_: Annotated[str | None, typer.Option("--type", metavar="COLUMN", help="The column that holds the cell type.")] = None,
    unit: Annotated[Unit | None, typer.Option("--unit", help="What the coordinates count.")] = None,
    um_per_px: Annotated[float | None, typer.Option("--um-per-px", min=1e-6, help="With --unit px: micrometres per pixel.")] = None,
    map_: Annotated[list[str] | None, typer.Option("--map", metavar="NAME=TYPE", help="What a type of the table is here; may be repeated.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="COLUMN=VALUE", help="Take only rows with this value; may be repeated.")] = None,
    leave_out: Annotated[list[Faulty] | None, typer.Option("--leave-out", help="Rows to leave out instead of refusing the table; may be repeated.")] = None,
    dx: Annotated[float | None, typer.Option("--dx", min=5, max=60, help="Voxel, um [default: the widest that suits the cells].")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Take the whole table, however large.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files of an earlier import.")] = False,
) -> None:
    """Propose a config that starts from the cells of a table, say what is unsure, and draw the cells before and after."""
    from tme.importing.tissue import Asked, propose
    from tme.importing.tissue_text import config_text, told, write

    if picture is None and out is not None:
        picture = out.with_suffix(".png")
    for path in (out, picture):
        refuse_target(path, overwrite)
    if out is not None and picture is not None and out.resolve() == picture.resolve():
        raise InputError(f"--picture: {picture} is the config's own name; expected another")
    asked = Asked(x=x, y=y, z=z, type=type_, unit=None if unit is None else unit.value, um_per_px=um_per_px, dx_um=dx, whole=whole,
                  types=dict(pair(t, "--map") for t in map_ or ()), only=dict(pair(t, "--only") for t in only or ()),
                  leave_out=tuple(f.value for f in leave_out or ()))  # fmt: skip
    proposal = propose(file, asked)
    for line in told(proposal):
        typer.echo(line)
    written = write(proposal, out, picture)
    if out is None:
        typer.echo("\n" + config_text(proposal, None), nl=False)
    for path in written:
        typer.echo(path)


def refuse_target(path: Path | None, overwrite: bool) -> None:
    """Nothing that exists is lost, and nothing is begun that cannot be ended."""
    if path is None:
        return
    if path.is_dir() or (path.exists() and not overwrite):
        raise InputError(f"{path} exists; expected {'a file name' if path.is_dir() else 'another name, or --overwrite'}")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is no folder; expected one that exists")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path.parent} cannot be written; expected a folder with write permission")
