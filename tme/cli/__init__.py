"""The `tme` command, a file a command. Everything heavy is imported inside the command that needs it.

Exit codes: 0 done, 2 bad input, 3 some simulations failed, 75 interrupted after a checkpoint.
"""

from __future__ import annotations

import os
import sys

import typer

from tme.cli import (
    bench,
    calibrate,
    check,
    cohort,
    describe,
    export,
    import_,
    listing,
    live,
    movie,
    optimise,
    report,
    robust,
    run,
    schema,
    sensitivity,
    spatial,
    status,
    targets,
    view,
)

app = typer.Typer(
    name="tme",
    help="Ferroptosis immunotherapy in silico: simulate tumours under therapy arms, report, compare.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        import tme

        typer.echo(f"tme {tme.__version__}")
        raise typer.Exit


@app.callback()
def _common(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version and exit.")) -> None:
    """Ferroptosis immunotherapy in silico: simulate tumours under therapy arms, report, compare."""


for _name, _command in (
    ("run", run.run),
    ("check", check.check),
    ("describe", describe.describe),
    ("report", report.report),
    ("status", status.status),
    ("movie", movie.movie),
    ("export", export.export),
    ("view", view.view),
    ("live", live.live),
    ("list", listing.list_),
    ("targets", targets.targets),
    ("bench", bench.bench),
    ("sensitivity", sensitivity.sensitivity),
    ("robust", robust.robust),
    ("calibrate", calibrate.calibrate),
    ("cohort", cohort.cohort),
    ("optimise", optimise.optimise),
    ("spatial", spatial.spatial),
    ("schema", schema.schema),
):
    app.command(_name)(_command)
app.add_typer(import_.app, name="import")


def main(args: list[str] | None = None) -> None:
    """Entry point: bad input ends with its message and exit code 2, never a traceback."""
    try:
        app(args=args, prog_name="tme")
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None and isinstance(error, OSError) and error.filename is not None:  # a full disk, a folder that lost its permission meanwhile
            typer.echo(f"{os.fsdecode(error.filename)}: {error.strerror}", err=True)
            sys.exit(2)
        if not isinstance(code, int):
            raise
        typer.echo(str(error), err=True)
        faults = getattr(error, "faults", None)
        if faults is not None and len(faults) > 1:
            typer.echo(f"{len(faults)} faults; nothing was written", err=True)
        sys.exit(code)
