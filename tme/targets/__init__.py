"""Published results as executable checks: `tme targets`, or `tme.targets.run(["T1"])`.

Each target measures something on real runs of the model and says whether it falls into the published band.
Missing a band is a result, printed like any other. A new target: a check with its `Target` in a file of its
theme, and that file's `TARGETS` below.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tme.targets import arms, chemistry, data, field, immune, immunity, tissue, wave
from tme.targets.base import Outcome, Target

__all__ = ["TARGETS", "main", "run", "table"]

TARGETS: tuple[Target, ...] = (
    *wave.TARGETS,
    *chemistry.TARGETS,
    *immune.TARGETS,
    *immunity.TARGETS,
    *arms.TARGETS,
    *tissue.TARGETS,
    *data.TARGETS,
    *field.TARGETS,
)
VERDICT = {True: "yes", False: "NO", None: "-"}


def table() -> list[dict[str, str]]:
    """What there is, without running anything: one row per target, in order of id."""
    return [
        {"id": t.id, "target": t.title, "band": t.band, "source": t.source, "use": t.use, "about": t.about()}
        for t in chosen(())
    ]


def chosen(ids: Iterable[str]) -> list[Target]:
    """Targets of these ids, or all, in order of number; KeyError names unknown ids."""
    by_id = {t.id: t for t in TARGETS}
    wanted = [i.upper() for i in ids] or list(by_id)
    unknown = [i for i in wanted if i not in by_id]
    if unknown:
        raise KeyError(f"no target {', '.join(unknown)}; there are {', '.join(sorted(by_id, key=number))}")
    return sorted((by_id[i] for i in dict.fromkeys(wanted)), key=lambda t: number(t.id))


def number(target_id: str) -> int:
    """7 of T7."""
    return int(target_id[1:])


def measure(target: Target, run_dir: str | Path | None = None) -> dict[str, Any]:
    """One row: id, value (a mapping of measured numbers), band, source, use, passed (null: not measured)."""
    try:
        outcome = target.check(run_dir) if run_dir is not None and target.id == "T19" else target.check()
    except Exception as error:
        # one broken check must not keep the others from being scored
        outcome = Outcome({"error": f"{type(error).__name__}: {error}"}, {"the check runs": False})
    row = {"id": target.id, "value": outcome.value(), "band": target.band, "source": target.source}
    return {**row, "use": target.use, "passed": outcome.passed}


def run(ids: Iterable[str] = (), run_dir: str | Path | None = None) -> list[dict[str, Any]]:
    """Measure the targets of these ids, or all; `run_dir`: a finished paired-seeds run for T19."""
    return [measure(t, run_dir) for t in chosen(ids)]


def main(ids: Iterable[str] = (), as_json: bool = False, run_dir: str | Path | None = None) -> int:
    """Print the scores; 0 whatever they are, 2 for an unknown id, 3 if a check broke."""
    try:
        targets = chosen(ids)
    except KeyError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    rows = []
    for target in targets:
        if not as_json and sys.stderr.isatty():
            print(f"{target.id} {target.title} ...", file=sys.stderr)
        rows.append(measure(target, run_dir))
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows)
    return 3 if any("error" in r["value"] for r in rows) else 0


def show(rows: list[dict[str, Any]]) -> None:
    """The scores as a table."""
    from rich.console import Console
    from rich.table import Table

    out = Table(show_lines=True)
    for name in ("id", "measured", "band", "source", "use", "passed"):
        out.add_column(name, no_wrap=name in ("id", "passed"))
    for r in rows:
        lines = [f"{k}: {spelled(v)}" for k, v in r["value"].items()]
        out.add_row(r["id"], "\n".join(lines), r["band"], r["source"], r["use"], VERDICT[r["passed"]])
    Console(width=None if sys.stdout.isatty() else 160, markup=False).print(out)
    held = sum(r["passed"] is True for r in rows)
    measured = sum(r["passed"] is not None for r in rows)
    Console(markup=False).print(
        f"{held} of {measured} measured targets pass; {len(rows) - measured} could not be measured in full"
    )


def spelled(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {spelled(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return ", ".join(spelled(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
