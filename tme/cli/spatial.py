"""`tme spatial`: spatial statistics of measured or simulated tissue."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from tme.cli.shared import AsJson, InputError, check_out, echo_json

Many = list[str] | None
# of a run: rings of a voxel's width (narrower ones hold no distance or many), intervals from its simulations instead of tiles
RUN: dict[str, Any] = {"ring_um": 15.0, "shuffles": 99, "draws": 0, "marks": ("pdl1",), "window": "tumour"}


def spatial(
    tables: Annotated[list[Path], typer.Argument(metavar="TABLE|RUN...", help="Tables of cells (.csv, .h5ad), or one run directory.")],
    columns: Annotated[Many, typer.Option("--columns", metavar="MEANING=NAME", help="Column of x, y, z, type, fate or death_hour; may be repeated.")] = None,
    types: Annotated[Many, typer.Option("--types", metavar="OLD=NEW", help="Rename a type; NEW ignore leaves it out; may be repeated.")] = None,
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="Of coordinates: um, mm, nm, or um per pixel.")] = "um",
    by: Annotated[str | None, typer.Option("--by", metavar="COLUMN", help="Take the table apart by this column, e.g. of fields.")] = None,
    marks: Annotated[Many, typer.Option("--mark", metavar="COLUMN", help="Continuous mark for the weighted pair correlation; may be repeated.")] = None,
    tumour: Annotated[Many, typer.Option("--tumour", metavar="TYPE", help="Types that make the tumour [default: tumour].")] = None,
    cd8: Annotated[Many, typer.Option("--cd8", metavar="TYPE", help="Types whose infiltration is judged [default: cd8].")] = None,
    arm: Annotated[Many, typer.Option("--arm", help="Arms of a run [default: all]; of a table the arm that --target rows are of.")] = None,
    hour: Annotated[list[float] | None, typer.Option("--hour", help="Snapshots of a run [default: all]; may be repeated.")] = None,
    neighbours: Annotated[str, typer.Option("--neighbours", help="radius, nearest or delaunay.")] = "radius",
    radius: Annotated[float, typer.Option("--radius", metavar="UM", help="Within which cells are neighbours.")] = 30.0,
    k: Annotated[int, typer.Option("--k", help="Neighbours with --neighbours nearest.", min=1)] = 6,
    far: Annotated[float, typer.Option("--far", metavar="UM", help="Largest distance of pair correlations.")] = 150.0,
    ring: Annotated[float | None, typer.Option("--ring", metavar="UM", help="Width of their rings [default: 10; of a run a voxel of 15].")] = None,
    shuffles: Annotated[int | None, typer.Option("--shuffles", min=0, help="Times that types are shuffled [default: 999; of a run, or above 50,000 cells, 99].")] = None,
    niches: Annotated[int, typer.Option("--niches", min=0, help="Number of niches; 0 for none.")] = 5,
    window: Annotated[str | None, typer.Option("--window", help="box, tumour (with 100 um around it) or tissue [default: box; of a run tumour].")] = None,
    target: Annotated[Many, typer.Option("--target", metavar="STATISTIC", help="spatial.NAME as a row of a data table for tme calibrate; may be repeated.")] = None,
    day: Annotated[float | None, typer.Option("--day", help="Day of the --target rows.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of shuffles, intervals and niches.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="For tables and the figure page [default: runs/spatial-NAME].")] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Spatial statistics of measured or simulated tissue: who lies beside whom, how near, in which niches."""
    from tme.spatial import analysis, gather, report
    from tme.spatial.tables import Reading, unit_um

    simulated = check_given(tables, {"--columns": columns, "--types": types, "--by": by, "--unit": unit != "um", "--target": target, "--day": day is not None}, arm, hour)
    named = tables[0].resolve().name if simulated else tables[0].resolve().stem
    folder = out if out is not None else Path("runs") / f"spatial-{named}"
    check_out(folder)
    usual = RUN if simulated else {}
    asked = {
        "neighbours": neighbours, "radius_um": radius, "k": k, "far_um": far, "ring_um": ring, "shuffles": shuffles, "marks": marks and tuple(marks),
        "tumour": tumour and tuple(tumour), "cd8": cd8 and tuple(cd8), "niches": niches, "window": window, "seed": seed,
    }  # fmt: skip
    ask = analysis.Ask(**{**usual, **{name: value for name, value in asked.items() if value is not None}})
    if simulated:
        gathered = gather.from_run(tables[0], arm or (), hour or (), ask.marks, marks or ())
    else:
        how = Reading(pairs("--columns", columns), pairs("--types", types), unit_um(unit), tuple(marks or ()), by)
        gathered = gather.from_tables(tables, how)
    rows = report.data_rows(gathered.samples, target or (), day, (arm or ["control"])[0]) if target else []
    found = analysis.analyse(gathered.samples, ask)
    written = write(folder, found, gathered, rows)
    if as_json:
        echo_json(report.as_data(found, gathered, written))
    else:
        typer.echo(report.words(found, gathered, written))


def check_given(tables: list[Path], given: dict[str, Any], arm: Many, hour: list[float] | None) -> bool:
    """Whether a run is meant; InputError where options and what they are given for do not go together."""
    from tme.spatial import runs

    are_runs = [runs.is_run(p) for p in tables]
    if any(are_runs) and len(tables) > 1:
        raise InputError("one run directory at a time, or tables")
    if any(are_runs):
        if wrong := next((name for name, value in given.items() if value), None):
            raise InputError(f"{wrong} is for tables; a run directory says itself what its cells are")
        return True
    if hour:
        raise InputError("--hour is for run directories")
    if bool(given["--target"]) != given["--day"] or (arm and (len(arm) > 1 or not given["--target"])):
        raise InputError("--target, --day and of a table --arm go together: rows of a data table need a statistic, a day and may name one arm")
    if folder := next((p for p in tables if p.is_dir()), None):
        raise InputError(f"{folder} is no run directory (holds no {runs.CONFIG}); expected one, or a .csv or .h5ad table")
    return False


def pairs(option: str, given: Many) -> dict[str, str]:
    """`A=B` of a repeated option as a mapping; the last = parts, so that a name may hold one."""
    out = {}
    for text in given or ():
        left, equal, right = text.partition("=") if option == "--columns" else text.rpartition("=")
        if not (left and equal and right):
            raise InputError(f"{option}: '{text}' is no pair; expected e.g. {option} {'x=AbsoluteX' if option == '--columns' else 'PDL1p=tumour'}")
        if left in out:
            raise InputError(f"{option}: '{left}' is there twice")
        out[left] = right
    return out


def write(folder: Path, found: Any, gathered: Any, rows: list[dict[str, Any]]) -> list[Path]:
    """The tidy tables, the rows for a data table and the figure page; returns what was written."""
    from tme.experiments import files
    from tme.spatial.analysis import TABLES
    from tme.viz import spatial as page
    from tme.viz import style

    folder.mkdir(parents=True, exist_ok=True)
    for name in (*TABLES, "data"):  # what an earlier call with other options left would pass for a part of this one
        (folder / f"{name}.csv").unlink(missing_ok=True)
    written = []
    for name, table in found.tables.items():
        files.write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
        written.append(folder / f"{name}.csv")
    if rows:
        files.write_csv(folder / "data.csv", rows)
        written.append(folder / "data.csv")
    with style.use(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a name in a script that the font lacks
        written.append(style.save(page.draw(found, gathered.simulated), folder / "spatial.png"))
    return written
