"""Published results as executable checks: `tme targets`, or `tme.targets.run(["T1"])`.

Each target measures something on real runs of the model and says whether it falls into the published band.
Missing a band is a result, printed like any other. A new target: a check with its `Target` in a file of its
theme, and that file's `TARGETS` below.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tme.targets import (
    arms,
    chemistry,
    copper,
    data,
    field,
    growth,
    immune,
    immunity,
    mice,
    particles,
    resistance,
    slices,
    tissue,
    wave,
)
from tme.targets.base import Outcome, Target
from tme.targets.mutants import under
from tme.targets.page import counts, html, spelled

__all__ = ["TARGETS", "ablate", "main", "run", "table"]

TARGETS: tuple[Target, ...] = (
    *wave.TARGETS,
    *chemistry.TARGETS,
    *copper.TARGETS,
    *immune.TARGETS,
    *immunity.TARGETS,
    *arms.TARGETS,
    *particles.TARGETS,
    *mice.TARGETS,
    *resistance.TARGETS,
    *tissue.TARGETS,
    *growth.TARGETS,
    *slices.TARGETS,
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
    """Targets of these ids, or all, in order of number; T19 is T19a and T19b. KeyError names unknown ids."""
    by_id = {t.id: t for t in TARGETS}
    wanted: list[str] = []
    unknown = []
    for given in ids:
        found = [i for i in by_id if given.lower() in (i.lower(), i.lower().rstrip("ab"))]
        wanted += found
        unknown += [] if found else [given]
    if unknown:
        raise KeyError(f"no target {', '.join(unknown)}; there are {', '.join(sorted(by_id, key=number))}")
    return sorted((by_id[i] for i in dict.fromkeys(wanted or by_id)), key=lambda t: number(t.id))


def number(target_id: str) -> tuple[int, str]:
    """(19, "a") of T19a."""
    digits = re.match(r"[A-Z](\d+)", target_id)
    return (int(digits[1]), target_id[digits.end() :]) if digits else (0, target_id)


def outcome_of(target: Target, run_dir: str | Path | None = None) -> Outcome:
    """What a check finds; one that breaks is an outcome too."""
    try:
        return target.check(run_dir) if run_dir is not None and target.id.startswith("T19") else target.check()
    except Exception as error:
        # one broken check must not keep the others from being scored
        return Outcome({"error": f"{type(error).__name__}: {error}"}, {"the check runs": False})


def measure(target: Target, run_dir: str | Path | None = None) -> dict[str, Any]:
    """One row: id, value (a mapping of measured numbers), band, source, use, passed (null: not measured)."""
    outcome = outcome_of(target, run_dir)
    row = {"id": target.id, "value": outcome.value(), "band": target.band, "source": target.source}
    return {**row, "use": target.use, "passed": outcome.passed}


def run(ids: Iterable[str] = (), run_dir: str | Path | None = None) -> list[dict[str, Any]]:
    """Measure the targets of these ids, or all; `run_dir`: a finished paired-seeds run for T19a and T19b."""
    return [measure(t, run_dir) for t in chosen(ids)]


def ablated(target: Target) -> dict[str, Any]:
    """A target as it is and with its mutant: id, mutant, change, the claims that held and hold no more, whether it broke.

    `breaks` is null for a target without a mutant (of geometry or of numbers), and where no claim held to begin with.
    """
    row: dict[str, Any] = {"id": target.id, "mutant": "", "change": {}, "lost": [], "breaks": None}
    if target.mutant is None:
        return row
    before = outcome_of(target)
    with under(target.mutant):
        after = outcome_of(target)
    held = [claim for claim, holds in before.claims.items() if holds]
    lost = [claim for claim in held if after.claims.get(claim) is False]
    row |= {"mutant": target.mutant.name, "change": dict(target.mutant.change), "lost": lost, "breaks": bool(lost) if held else None}
    return row | ({"error": after.values["error"]} if "error" in after.values else {})


def ablate(ids: Iterable[str] = ()) -> list[dict[str, Any]]:
    """`ablated` of the targets of these ids, or of all that have a mutant."""
    return [ablated(t) for t in chosen(ids) if t.mutant is not None or tuple(ids)]


def main(
    ids: Iterable[str] = (),
    as_json: bool = False,
    run_dir: str | Path | None = None,
    page: Path | None = None,
    mutants: bool = False,
) -> int:
    """Print the scores, or with `mutants` whether each breaks; 0 whatever they are, 2 for an unknown id, 3 if a check broke.

    `page` is a file for the scores as one HTML page.
    """
    try:
        targets = chosen(ids)
    except KeyError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    if mutants:
        rows = gathered([t for t in targets if t.mutant is not None or tuple(ids)], ablated, as_json)
        print(json.dumps(rows, indent=2)) if as_json else show_mutants(rows)
        return 3 if any("error" in r for r in rows) else 0
    rows = gathered(targets, lambda t: measure(t, run_dir), as_json)
    if page is not None:
        page.write_text(html(rows, {t.id: t.title for t in targets}, {t.id: t.about() for t in targets}), encoding="utf-8")
    print(json.dumps(rows, indent=2)) if as_json else show(rows)
    return 3 if any("error" in r["value"] for r in rows) else 0


def gathered(targets: list[Target], of: Callable[[Target], dict[str, Any]], quiet: bool) -> list[dict[str, Any]]:
    """A row of each target; a terminal is told which is at work."""
    rows = []
    for target in targets:
        if not quiet and sys.stderr.isatty():
            print(f"{target.id} {target.title} ...", file=sys.stderr)
        rows.append(of(target))
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """The scores as a table."""
    lines = [[r["id"], "\n".join(f"{k}: {spelled(v)}" for k, v in r["value"].items()), r["band"], r["source"], r["use"], VERDICT[r["passed"]]] for r in rows]
    printed(("id", "measured", "band", "source", "use", "passed"), lines)
    for group, held, missed, left in counts(rows):
        if held + missed + left:
            tell(f"{group}: {held} of {held + missed} measured targets pass" + f"; {left} could not be measured in full" * bool(left))


def show_mutants(rows: list[dict[str, Any]]) -> None:
    """Which targets break without what they rest on."""
    lines = [[r["id"], r["mutant"] or "none: nothing of biology to take away", "\n".join(r["lost"]) or r.get("error", "-"), VERDICT[r["breaks"]]] for r in rows]
    printed(("id", "mutant", "claims lost", "breaks"), lines)
    tell(f"{sum(r['breaks'] is True for r in rows)} of {sum(bool(r['mutant']) for r in rows)} targets break without what they rest on")


def printed(columns: tuple[str, ...], lines: list[list[str]]) -> None:
    """A table on the terminal; 160 columns into a file."""
    from rich.console import Console
    from rich.table import Table

    out = Table(show_lines=True)
    for name in columns:
        out.add_column(name, no_wrap=name in ("id", "passed", "breaks"))
    for row in lines:
        out.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160, markup=False).print(out)


def tell(words: str) -> None:
    """A line below a table."""
    from rich.console import Console

    Console(markup=False).print(words)
