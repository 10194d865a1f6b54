"""`tme targets`: published results as checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tme.cli.shared import AsJson, InputError, check_run


def targets(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Targets [default: all].")
    ] = None,
    as_json: AsJson = False,
    run_dir: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="A finished run of configs/paired_seeds.yaml, for T19a and T19b.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the scores as one page.")] = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Show that each target of biology breaks under its mutant, instead of scoring.")
    ] = False,
) -> None:
    """Reproduce published results and score them."""
    from tme.targets import main as score

    if run_dir is not None:
        check_run(run_dir)
    if html is not None and not html.resolve().parent.is_dir():
        raise InputError(f"--html {html}: there is no folder {html.parent}; expected a file in a folder that exists")
    if ablate and (html is not None or run_dir is not None):
        raise InputError("--ablate runs every target anew; expected no --html and no --run beside it")
    code = score(ids or [], as_json, run_dir=run_dir, page=html, mutants=ablate)
    if code:
        raise typer.Exit(code)
