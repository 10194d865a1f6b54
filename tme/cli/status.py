"""`tme status`: how far a run is."""

from __future__ import annotations

from tme.cli.shared import AsJson, RunPath, check_run, echo_json


def status(run_dir: RunPath, as_json: AsJson = False) -> None:
    """Say what of a run is done, running, failed or waiting."""
    check_run(run_dir)
    from tme.experiments import status as look

    found = look(run_dir)
    if as_json:
        echo_json(found)
        return
    from tme.cli import text

    text.show_status(found)
