"""What a reader must know of a run that was steered by hand (`tme live`): its log, in sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOG = "live.jsonl"
MOST_TOLD = 12


def lines_of(folder: Path) -> list[dict[str, Any]]:
    """The lines of the log that changed something; none where there is no log, and without those that cannot be read."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    out = []
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("event") in ("give", "set"):
            out.append(found)
    return out


def steered(folder: Path) -> list[str]:
    """Sentences on interventions; empty for a run that ran by its config alone."""
    lines = lines_of(folder)
    if not lines:
        return []
    given, changed = ([x for x in lines if x["event"] == event] for event in ("give", "set"))
    out = [f"This run was steered by hand: {len(given)} doses or events given and {len(changed)} numbers changed while it ran. {LOG} has each with its tick, "
           f"and tme live --replay does the session again."]  # fmt: skip
    if changed:
        told = "; ".join(_change(x) for x in changed[:MOST_TOLD]) + (f"; and {len(changed) - MOST_TOLD} more" if len(changed) > MOST_TOLD else "")
        out.append(f"Numbers changed during the run, so that the configuration below has their last values: {told}.")
    return out


def _change(line: dict[str, Any]) -> str:
    day = line.get("day")
    when = f" on day {day:.2f}" if isinstance(day, (int, float)) else ""
    unit = line.get("unit") if line.get("unit") not in (None, "1") else ""
    return f"{str(line.get('key')).removeprefix('mechanisms.')} from {_few(line.get('was'))} to {_few(line.get('value'))} {unit}".rstrip() + when


def _few(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float)) else str(value)
