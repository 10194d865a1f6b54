"""`tme report`: figures and one self-contained page."""

from __future__ import annotations

import typer

from tme.cli.shared import RunPath, check_run


def report(run_dir: RunPath) -> None:
    """Draw the figures of a run or a study and write one self-contained report.html."""
    check_run(run_dir)
    from tme.viz import study

    if study.is_study(run_dir):
        typer.echo(study.write(run_dir))
        return
    from tme.viz import report as page

    typer.echo(page.write(run_dir))
