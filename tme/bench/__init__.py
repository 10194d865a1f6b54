"""`tme bench`: what a tick costs, by phase, and what the kernels cost alone. Measured, never asserted.

Every case is warm (its compile time is reported apart), runs on one thread unless said, takes the median
of several repeats, and checks that the state it worked on has changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tme.bench import kernels, pathways, rules, spatial, versus, whole

Case = Callable[[str], list[dict[str, Any]]]
CASES: dict[str, Case] = {
    "stream-limit": kernels.stream_limit,
    "diffusion-2d-1000-uniform": lambda c: kernels.diffusion(c, "uniform"),
    "diffusion-2d-1000-uptake": lambda c: kernels.diffusion(c, "uptake"),
    "diffusion-2d-1000-moving": lambda c: kernels.diffusion(c, "moving"),
    "diffusion-3d-100-uniform": lambda c: kernels.diffusion(c, "uniform", (100, 100, 100)),
    "oxygen-steady-1000": kernels.oxygen,
    "peroxide-2d-500": lambda c: kernels.peroxide(c, (1, 500, 500)),
    "peroxide-3d-64": lambda c: kernels.peroxide(c, (64, 64, 64)),
    "chemistry-100k": kernels.chemistry,
    "move-100k": lambda c: kernels.move(c, 100_000),
    "move-1m": lambda c: kernels.move(c, 1_000_000),
    "pathways": pathways.pathways,
    "rules": rules.rules,
    "whole-10k": lambda c: whole.whole(c, 10_000),
    "first-tick": whole.first_tick,
}
# minutes each: only when named
LONG: dict[str, Case] = {
    "mesa": whole.mesa,
    "whole-100k": lambda c: whole.whole(c, 100_000),
    "whole-1m": lambda c: whole.whole(c, 1_000_000),
    "spatial-1m": spatial.spatial,
    "threads-100k": lambda c: whole.threads_two(c, 100_000),
    "memory-100k-1m": lambda c: whole.memory(c, 100_000, 1_000_000),
}


class UnknownCase(Exception):
    """A case that does not exist, or a file that is no result."""

    exit_code = 2


def measure(
    cases: list[str], against: str | Path | None = None, device: str = "cpu", told: Callable[[str], None] | None = None
) -> list[dict[str, Any]]:
    """Rows of the named cases, or of all short ones: case, metric, value, unit, n, threads.

    `against` adds `before` and `ratio` (now / before): of an earlier JSON if it is a file, else of a commit, measured by
    turns, with `ratio_low` and `ratio_high` over the pairs; `told` hears of every turn.
    """
    import numba

    short, every = CASES, {**CASES, **LONG}
    if device != "cpu":
        from tme.core.device import check

        check(device)
        from tme.bench import device as there

        short, every = there.CASES, {**there.CASES, **there.LONG}
    unknown = [c for c in cases if c not in every]
    if unknown:
        from tme.config.errors import nearest

        meant = nearest(unknown[0], every)
        raise UnknownCase(f"bench: unknown case '{unknown[0]}'; expected one of {', '.join(every)}" + (f"; did you mean '{meant}'?" if meant else ""))
    if against is not None and not Path(against).exists():
        return versus.by_turns(str(against), cases, device, told=told)
    before = None if against is None else _earlier(Path(against))
    numba.set_num_threads(1)
    rows = [r for case in (cases or short) for r in every[case](case)]
    _relate(rows)
    if before is not None:
        _compare(rows, before)
    return rows


def _relate(rows: list[dict[str, Any]]) -> None:
    """Give every time per voxel or cell its ratio to reading and writing one value, measured in this run."""
    limit = next((r["value"] for r in rows if r["case"] == "stream-limit"), None)
    if limit:
        for r in rows:
            r["of_stream"] = round(r["value"] / limit, 2) if r["unit"].startswith("ns") else ""


def _earlier(path: Path) -> dict[tuple[str, str], float]:
    """Values of an earlier `--json` by case and metric."""
    try:
        return {(r["case"], r["metric"]): float(r["value"]) for r in _rows(json.loads(Path(path).read_text()))}
    except (OSError, json.JSONDecodeError, KeyError, TypeError, ValueError):
        raise UnknownCase(f"bench --vs: {path} is not the output of `tme bench --json`") from None


def _rows(read: Any) -> list[dict[str, Any]]:
    if not isinstance(read, list):
        raise TypeError("a list of rows is expected")
    return read


def _compare(rows: list[dict[str, Any]], before: dict[tuple[str, str], float]) -> None:
    """Add the earlier value and the ratio now / earlier."""
    for r in rows:
        old = before.get((r["case"], r["metric"]))
        r["before"] = "" if old is None else old
        r["ratio"] = "" if not old else round(r["value"] / old, 3)
