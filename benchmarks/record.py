"""Measure the cases of docs/benchmarks.md and keep the result in benchmarks/history, with commit and machine.

    python benchmarks/record.py [--small] [--out benchmarks/history]

Every step is a process of its own, so that sizes do not share memory, and is told with its time. `--small` takes a minute or two on a free core;
all of it takes some twenty minutes and 4 GB, and should have the machine to itself. `docs/make_benchmarks.py` calls this and writes page and figures.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HISTORY = ROOT / "benchmarks" / "history"
Rows = list[dict[str, Any]]
# what a step runs: words of `tme bench`, or (cells, dimensions, threads) of benchmarks/scaling.py, or a line of Python that gives rows
KERNELS = ("stream-limit", "diffusion-2d-1000-uniform", "diffusion-2d-1000-uptake", "diffusion-2d-1000-moving", "diffusion-3d-100-uniform",
           "oxygen-steady-1000", "peroxide-2d-500", "peroxide-3d-64", "chemistry-100k", "move-100k", "move-1m")  # fmt: skip
SMALL: tuple[Any, ...] = (
    ("stream-limit", "chemistry-100k", "move-100k", "oxygen-steady-1000", "pathways", "rules", "mesa"),
    "whole.whole('whole-3k', 3_000)", (1_000, 2, 1), (10_000, 2, 1), (1_000, 3, 1), (10_000, 3, 1), "whole.memory('memory-3k-30k', 3_000, 30_000)",
)  # fmt: skip
FULL: tuple[Any, ...] = (
    KERNELS, ("pathways",), ("rules",), ("whole-10k",), ("whole-100k",), ("whole-1m",),
    *((n, ndim, threads) for ndim in (2, 3) for threads in (1, 2) for n in (10_000, 30_000, 100_000, 300_000, 1_000_000)),
    ("threads-100k",), ("memory-100k-1m",), ("mesa",), ("first-tick",),
)  # fmt: skip


def scaling() -> Any:
    """benchmarks/scaling.py as a module."""
    spec = importlib.util.spec_from_file_location("scaling", ROOT / "benchmarks" / "scaling.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def step(what: Any) -> Rows:
    """Rows of one step, measured in a process of its own."""
    if isinstance(what, tuple) and isinstance(what[0], int):
        found = scaling().measure(*what)
        case = f"scaling-{found['ndim']}d"
        rows = [{"case": case, "metric": m, "value": float(found[k]), "unit": u, "n": found["cells"], "threads": found["threads"]}
                for m, k, u in (("time after a dose", "ns_per_cell_tick", "ns/cell/tick"), ("share of fields", "field_share", "1"), ("share of chemistry", "chemistry_share", "1"))]  # fmt: skip
        return rows
    if isinstance(what, str):
        command = [sys.executable, "-c", f"import json; from tme.bench import whole; print(json.dumps({what}))"]
    else:
        command = [sys.executable, "-m", "tme", "bench", *what, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{told(what)}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def told(what: Any) -> str:
    """A step in words."""
    if isinstance(what, str):
        return what
    if isinstance(what[0], int):
        return f"{what[0]:,} cells in {what[1]}D on {what[2]} thread{'s' * (what[2] > 1)}"
    return "tme bench " + " ".join(what)


def record(plan: Sequence[Any], size: str, measured: Callable[[Any], Rows] = step, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure a plan: date, commit, machine, and the rows of all steps; `of_stream` relates times to reading and writing one number in the same session."""
    from tme.bench.references import kind_of
    from tme.experiments.provenance import git_commit, machine, versions

    rows: Rows = []
    for k, what in enumerate(plan):
        begun = time.perf_counter()
        found = measured(what)
        rows += [{key: r[key] for key in ("case", "metric", "value", "unit", "n", "threads")} for r in found]
        say(f"{k + 1} of {len(plan)}: {told(what)}, {time.perf_counter() - begun:.0f} s")
    here = machine()
    now = datetime.datetime.now(datetime.UTC)
    return {"date": now.strftime("%Y-%m-%d"), "time": now.strftime("%H:%M"), "size": size, "commit": git_commit(), "kind": kind_of(here), "machine": here, "versions": versions("cpu"), "rows": rows}


def keep(found: dict[str, Any], folder: Path = HISTORY) -> Path:
    """Write a record; its name has date, size, kind and commit, so that another of the same four takes its place."""
    commit = found["commit"] or "none"
    path = folder / f"{found['date']}-{found['size']}-{found['kind']}-{commit[:8]}{'-changed' * commit.endswith('+')}.json"
    folder.mkdir(parents=True, exist_ok=True)
    head = {k: v for k, v in found.items() if k != "rows"}
    lines = ",\n".join("  " + json.dumps({**r, "value": float(f"{r['value']:.5g}")}) for r in found["rows"])
    path.write_text(json.dumps(head, indent=1)[:-2] + ',\n "rows": [\n' + lines + "\n ]\n}\n", encoding="utf-8")
    return path


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a minute or two instead of twenty")
    parser.add_argument("--out", type=Path, default=HISTORY)
    a = parser.parse_args()
    print(keep(record(SMALL if a.small else FULL, "small" if a.small else "full"), a.out))


if __name__ == "__main__":
    main()
