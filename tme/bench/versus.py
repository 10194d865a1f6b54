"""`tme bench --vs COMMIT`: this tree and a commit by turns in one session, each turn a process of its own.

The commit's files are laid out in a temporary folder. They get this tree's `CARRIED` files, so that both sides measure
the same of a whole model; cases of single kernels are each side's own, since they call what is inside. Ratios are of
the two turns of a pair, which lie next to each other in time: the machine's swings, often 30 %, mostly cancel.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tme
from tme.bench.whole import KEEP_IN

ROOT = Path(tme.__file__).parents[1]
CARRIED = ("tme/bench/whole.py", "tme/config/typical.py")
PAIRS = 3
Rows = list[dict[str, Any]]


class NoComparison(Exception):
    """Neither a result nor a commit, or a commit that cannot run these cases; bad input."""

    exit_code = 2


def by_turns(reference: str, cases: list[str], device: str = "cpu", pairs: int = PAIRS,
             turn: Callable[..., Rows] | None = None, told: Callable[[str], None] | None = None) -> Rows:  # fmt: skip
    """Rows of this tree (medians over the turns) with `before`, the commit's, and `ratio`, `ratio_low`, `ratio_high` over the pairs.

    `turn` measures one side once (default: a process, `measured`); `told` hears of every turn.
    """
    turn, told = turn or measured, told or (lambda text: None)
    with tempfile.TemporaryDirectory(prefix="tme-bench-") as place:
        old = lay_out(reference, Path(place) / "tree")
        sides = {"now": ROOT, "before": old}
        for side in sides:
            (Path(place) / side).mkdir()
        taken: dict[str, list[Rows]] = {side: [] for side in sides}
        for k in range(pairs):
            for side in ("before", "now") if k % 2 == 0 else ("now", "before"):
                told(f"pair {k + 1} of {pairs}: {'this tree' if side == 'now' else reference}")
                taken[side].append(turn(sides[side], cases, device, Path(place) / side))
    return paired(taken["now"], taken["before"])


def paired(now: list[Rows], before: list[Rows]) -> Rows:
    """Rows of `now` with medians over the turns, and what the pairs' ratios say."""
    value = [{(r["case"], r["metric"]): float(r["value"]) for r in rows} for rows in now]
    old = [{(r["case"], r["metric"]): float(r["value"]) for r in rows} for rows in before]
    out = []
    for r in now[0]:
        key = (r["case"], r["metric"])
        both = [(a[key], b[key]) for a, b in zip(value, old) if key in a and key in b]
        ratios = sorted(a / b for a, b in both if b)
        row = {**r, "value": statistics.median(v[key] for v in value if key in v)}
        row["before"] = statistics.median(b for _, b in both) if both else ""
        for name, of in (("ratio", statistics.median), ("ratio_low", min), ("ratio_high", max)):
            row[name] = round(of(ratios), 3) if ratios else ""
        out.append(row)
    return out


def lay_out(reference: str, folder: Path) -> Path:
    """The files of a commit in a new folder, with this tree's `CARRIED`; NoComparison where there is no such commit."""
    commit = _git("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}").stdout.decode().strip()
    if not commit:
        raise NoComparison(f"bench --vs: no such file or commit: {reference}; expected the output of `tme bench --json`, or a commit of {ROOT}")
    folder.mkdir(parents=True)
    files = _git("archive", "--format=tar", commit).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=files, check=True)
    for name in CARRIED:
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True)
    except FileNotFoundError:
        raise NoComparison("bench --vs: git is not there; without it only a file can be compared with") from None


def measured(tree: Path, cases: list[str], device: str, states: Path) -> Rows:
    """What `tme bench` of a tree prints; states of whole models are kept in `states` for its next turns."""
    env = {**os.environ, "PYTHONPATH": str(tree), KEEP_IN: str(states)}
    command = [sys.executable, "-m", "tme", "bench", *cases, "--json", *(["--device", device] if device != "cpu" else [])]
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        where = "this tree" if tree == ROOT else "the commit"
        raise NoComparison(f"bench --vs: {where} cannot run {' '.join(cases) or 'its cases'}: {why}")
    return json.loads(done.stdout)
