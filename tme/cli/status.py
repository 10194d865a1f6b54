"""`tme status`: how far a run or a study is."""

from __future__ import annotations

from tme.cli.shared import AsJson, RunPath, check_run, echo_json


def status(run_dir: RunPath, as_json: AsJson = False) -> None:
    """Say what of a run or study is done, running, failed or waiting."""
    check_run(run_dir)
    from tme import experiments
    from tme.studies import status as studies

    whole = studies.is_study(run_dir)
    found = studies.status(run_dir) if whole else experiments.status(run_dir)
    if as_json:
        echo_json(found)
        return
    from tme.cli import text

    (text.show_study if whole else text.show_status)(found)
