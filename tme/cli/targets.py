"""`tme targets`: published results as checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tme.cli.shared import AsJson, check_run


def targets(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Targets [default: all].")
    ] = None,
    as_json: AsJson = False,
    run_dir: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="A finished run of configs/paired_seeds.yaml, for T19.")
    ] = None,
) -> None:
    """Reproduce published results and score them."""
    from tme.targets import main as score

    if run_dir is not None:
        check_run(run_dir)
    code = score(ids or [], as_json, run_dir=run_dir)
    if code:
        raise typer.Exit(code)
