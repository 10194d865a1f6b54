"""How far a study is: what of it is done, running, failed or waiting, from its directory alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from tme.experiments import files
from tme.experiments.progress import read_events
from tme.experiments.run_directory import holder, now
from tme.studies import directory
from tme.studies.records import NAME, parsed

MOST_FAILED = 20  # that are told one by one


def is_study(folder: str | Path) -> bool:
    """Whether a folder holds a study."""
    return (Path(folder) / directory.STUDY).is_file()


def status(folder: str | Path) -> dict[str, Any]:
    """State, counts of simulations and failures of a study.

    `state`: running (a process writes), finished (its tables are written and nothing failed), incomplete (they are written, and a rerun
    tries what failed again), stopped. `waiting` counts what the stage last begun still wants, those at work included; a study that
    chooses its points as it goes may want more.
    """
    root = Path(folder)
    about, stage, writer = directory.read_study(root), latest_stage(root), holder(root)
    try:
        lines = list(parsed((root / NAME).read_bytes()))
    except OSError:
        lines = []
    records = {r["key"]: r for r in lines}
    ended = max(0, len(lines) - int(stage.get("lines", 0)))  # since the stage began
    waiting = max(0, int(stage.get("to_do", 0)) - ended)
    failed = {k: r for k, r in records.items() if "failed" in r}
    counts = {
        "done": sum("failed" not in r and "refused" not in r for r in records.values()), "failed": len(failed),
        "refused": sum("refused" in r for r in records.values()), "stopped early": sum(bool(r.get("stopped")) for r in records.values()), "waiting": waiting,
    }  # fmt: skip
    tables = all((root / name).is_file() for name in (directory.TABLE, directory.SUMMARY))
    whole = "incomplete" if failed else "finished"
    state = "running" if writer else whole if tables and not waiting else "stopped"
    return {
        "path": str(root), "kind": about.get("kind"), "name": about.get("name"), "state": state, "writer": writer, "counts": counts,
        "lead": files.read_json(root / directory.SUMMARY).get("lead", "") if tables else "", **left(stage, ended, waiting if writer else 0),
        "failed": [{"simulation": f"{k}/{r['arm']}", "seed": r["seed"], "error": str(r["failed"]).strip().splitlines()[-1]} for k, r in list(failed.items())[:MOST_FAILED]],
    }  # fmt: skip


def latest_stage(root: Path) -> dict[str, Any]:
    """The event with which the last evaluation began: how many simulations it wanted, and how many lines of results there were."""
    return next((e for e in reversed(read_events(root)) if e.get("event") == "evaluate"), {})


def left(stage: dict[str, Any], ended: int, waiting: int) -> dict[str, Any]:
    """Seconds that what waits will take, at the pace of this stage so far; nothing where that is not known."""
    if not (waiting and ended and stage.get("time")):
        return {}
    spent = (datetime.fromisoformat(now()) - datetime.fromisoformat(str(stage["time"]))).total_seconds()
    return {"seconds_left": round(spent / ended * waiting)}
