"""`tme report`: figures and one self-contained page, or the figures alone in vector form."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from tme.cli.shared import InputError, RunPath, check_out, check_run


class Vector(StrEnum):
    """Formats of figures in vector form."""

    svg = "svg"
    pdf = "pdf"


def report(
    run_dir: RunPath,
    data: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="Measured points for the growth figure: CSV with day, value, unit (cells, mm2, mm3, relative) ...")
    ] = None,
    figures: Annotated[Vector | None, typer.Option(help="Write the figures alone, a file each, in this vector form.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where --figures go [default: the run's figures/].")] = None,
) -> None:
    """Draw the figures of a run or a study and write one self-contained report.html; or, with --figures, files of the figures alone."""
    check_run(run_dir)
    if out is not None and figures is None:
        raise InputError("--out is where --figures go: add --figures svg or --figures pdf")
    if out is not None:
        check_out(out)
    else:
        check_out(run_dir, "RUN")
    from tme.viz import study

    of_study = study.is_study(run_dir)
    if of_study and data is not None:
        raise InputError(f"--data: {run_dir} is a study; points are laid over the growth of a run")
    found = None if data is None else _measured(run_dir, data)
    began = time.perf_counter()
    if figures is None:
        typer.echo(study.write(run_dir, so_far=_so_far) if of_study else _page().write(run_dir, data=found))
        typer.echo(f"drawn in {time.perf_counter() - began:.1f} s", err=True)
        return
    written, left_out = study.write_figures(run_dir, figures.value, out, _so_far) if of_study else _page().write_figures(run_dir, figures.value, out, found)
    for path in written:
        typer.echo(path)
    for title, reason in left_out:
        typer.echo(f"left out: {title}: {reason}", err=True)


def _so_far(folder: Path) -> Any:
    """What a study says before it is finished, of kinds that can."""
    from tme.studies.robust_so_far import so_far

    return so_far(folder)


def _page() -> Any:
    from tme.viz import report as page

    return page


def _measured(run_dir: Path, table: Path) -> Any:
    """The table's points as the figure takes them; ConfigError tells what is wrong with it, line by line."""
    from dataclasses import asdict

    from tme.studies import growth_table
    from tme.viz.load import Run
    from tme.viz.measured import Measured, Point

    run = Run(run_dir)
    if not run.sweep.empty or not run.measured:
        raise InputError(f"--data: {run_dir} has no growth figure to lay points over ({'a sweep' if not run.sweep.empty else 'nothing recorded'})")
    points = growth_table.read(table, run.measured, [c for c in growth_table.SIZES if run.has(c)])
    return Measured(tuple(Point(**asdict(p)) for p in points), table.name)
