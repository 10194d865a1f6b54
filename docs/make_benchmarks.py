"""Write docs/benchmarks.md and its figures: `python docs/make_benchmarks.py [--small | --redraw | --references]`.

Without an option everything is measured first (`benchmarks/record.py`, some twenty minutes on a quiet machine), with `--small` a minute or two's worth.
`--redraw` measures nothing: page and figures from what is kept in benchmarks/history. `--references` measures nothing either and also writes the bands of
`tme/bench/references.yaml` anew from the last five measurements of each kind of machine and size: look at what changes before you commit it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HISTORY = ROOT / "benchmarks" / "history"
PAGE = ROOT / "docs" / "benchmarks.md"
FIGURES = ROOT / "docs" / "figures"
BANDS = ROOT / "tme" / "bench" / "references.yaml"
LATEST = 5  # measurements of a kind and size that a band spans
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
# followed over time: (case, metric, what it is called in the figure); of whole tumours the small measurement has its own
FOLLOWED = (
    ("chemistry-100k", "second-order step", "chemistry, ns/cell"),
    ("oxygen-steady-1000", "per simulated minute at its clock of 20 min", "oxygen, ns/voxel/min"),
    ("move-100k", "attempts", "moves, 1/s"),
    ("rules", "ten rules, share of a tick", "ten rules, share of a tick"),
    ("scaling-2d", "time after a dose", "2D, 10⁴ cells, ns/cell/tick"),
    ("scaling-3d", "time after a dose", "3D, 10⁴ cells, ns/cell/tick"),
    ("mesa", "plain Mesa over arrays", "plain Mesa over arrays"),
    ("memory", "resident memory per extra cell", "memory, B/cell"),
)
HEAD = """<!-- written by `python docs/make_benchmarks.py`; `--redraw` writes it anew from benchmarks/history -->
# Benchmarks

Measured by `python docs/make_benchmarks.py`, some twenty minutes on a quiet machine, or with `--small` in a minute or two; kept in `benchmarks/history` with commit and machine, and
drawn by `python docs/make_benchmarks.py --redraw`.
"""
Record = dict[str, Any]


def load(name: str) -> Any:
    """benchmarks/NAME.py as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def records(folder: Path = HISTORY) -> list[Record]:
    """All kept measurements, oldest first."""
    found = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda r: (r["date"], r.get("time", "")))


def newest(found: Sequence[Record]) -> Record:
    """What the page shows: the newest full measurement, or the newest of all where there is none."""
    return ([r for r in found if r["size"] == "full"] or list(found))[-1]


def value(record: Record, case: str, metric: str, threads: int = 1, near: int | None = None) -> float | None:
    """One figure of a record; cases of one name in several sizes (`whole-10k`, `memory-...`) by their beginning, `near` picks the size."""
    rows = [r for r in record["rows"] if r["case"].startswith(case) and r["metric"] == metric and r["threads"] == threads]
    if near is not None:
        rows = [r for r in rows if 0.3 * near < r["n"] < 3.0 * near]
    return None if not rows else float(min(rows, key=lambda r: abs(r["n"] - (near or r["n"])))["value"])


def short(v: float) -> str:
    """Three digits; large numbers with commas."""
    return f"{float(f'{v:.3g}'):,.0f}" if abs(v) >= 100 else f"{v:.3g}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns), *("| " + " | ".join(r) + " |" for r in rows)]) + "\n"


def banded(record: Record, rows: Iterable[dict[str, Any]]) -> str:
    """Measurements as a table with the band of this kind of machine."""
    from tme.bench.references import known, named

    bands = known().get(record["kind"], {})
    out = []
    for r in rows:
        band = bands.get(named(r))
        inside = band is None or band[0] <= r["value"] <= band[1]
        mark = "" if inside else " **outside**"
        out.append((f"`{r['case']}`", r["metric"].replace("_", " "), short(r["value"]) + mark, r["unit"], f"{r['n']:,}", "–" if band is None else f"{short(band[0])} to {short(band[1])}"))
    return table(("case", "what", "value", "unit", "cells or voxels", "seen before"), out)


def kernels(record: Record) -> str:
    """Single kernels, rules and pathways."""
    whole = ("whole-", "scaling-", "memory", "threads", "mesa", "first-tick")
    rows = [r for r in record["rows"] if not r["case"].startswith(whole) and "compiling" not in r["metric"]]
    return banded(record, rows)


def sizes(record: Record) -> str:
    """Whole tumours by size, dimension and threads, half a day after a dose."""
    rows = [r for r in record["rows"] if r["case"].startswith("scaling-")]
    share = {(r["case"], r["n"], r["threads"], r["metric"]): r["value"] for r in rows}
    out = [(r["case"].removeprefix("scaling-").upper(), str(r["threads"]), f"{r['n']:,}", short(r["value"]), f"{1e9 / 60 / r['value']:,.0f}",
            *(f"{100 * share[r['case'], r['n'], r['threads'], m]:.0f} %" for m in ("share of fields", "share of chemistry")))
           for r in sorted((r for r in rows if r["metric"] == "time after a dose"), key=lambda r: (r["case"], r["threads"], r["n"]))]  # fmt: skip
    return table(("", "threads", "living cells", "ns per cell and tick", "cell-hours per s", "fields", "chemistry"), out)


def phases(record: Record) -> str:
    """The stretches of `whole-*`: while a dose kills, and after."""
    rows = [r for r in record["rows"] if r["case"].startswith("whole-")]
    wanted = ("cell-hours per second", "cell-hours per second, after dose", "ns_per_cell_tick", "ns_per_cell_tick_after_dose", "tumour cells that had died", "voxels per living cell")
    return banded(record, [r for r in rows if r["metric"] in wanted])


def others(record: Record) -> str:
    """Memory, threads, the plain-Mesa twin, time to the first tick."""
    return banded(record, [r for r in record["rows"] if r["case"].startswith(("memory", "threads", "mesa", "first-tick"))])


def about(record: Record) -> str:
    """Date, commit and machine of a record."""
    machine, lib = record["machine"], record["versions"]
    return (f"{record['date']}, commit `{(record['commit'] or 'none')[:8]}`{' with changes' if (record['commit'] or '').endswith('+') else ''}, {record['size']} measurement: {machine['cpu']}, "
            f"{machine['cores']} cores (kind `{record['kind']}`), Python {lib['python']}, numba {lib['numba']}, numpy {lib['numpy']}")  # fmt: skip


def render(found: Sequence[Record]) -> str:
    """The page."""
    from tme.bench.references import known, outside

    if not found:
        return f"{HEAD}\nNothing has been kept yet: run one of the two.\n"
    record = newest(found)
    warned = outside(record["rows"], known().get(record["kind"]))
    state = ("Nothing lies outside the bands of this kind of machine." if record["kind"] in known() and not warned
             else "\n".join(f"- {w}" for w in warned) if warned else "There are no bands for this kind of machine yet.")  # fmt: skip
    return f"""{HEAD}
**Shown here**: {about(record)}. Processor time on one thread, wall time on more; compile time is not in it. Compare ratios
of one measurement, not these numbers with those of another machine; to compare two commits, `tme bench CASE --vs COMMIT` measures both by turns
([where the time goes](performance.md)). No test asserts a time.

## Kernels, rules and pathways

`tme bench`; `tme bench rules`; `tme bench pathways`. A pathway's step is that of one tick in cells that have settled and were then disturbed by 20 %.

{kernels(record)}
## Whole tumours, from small to large

The combination arm of the four-arm experiment half a day after its first dose, when many cells peroxidise at once and are stepped at every tick: the dearest hours of a run
(`python benchmarks/scaling.py`). A cell and tick of 100 ns is 167,000 cell-hours a second.

![Time per living cell and tick against the number of living cells, in 2D and 3D, on one and two threads](figures/benchmarks_scaling.png)

{sizes(record)}
## While a dose kills, and after

`tme bench whole-10k whole-100k whole-1m`: hours 12 to 36 after the dose ("after dose") and 48 to 54; above 100,000 cells shorter stretches. By entry of the plan:

![Time per living cell and tick by entry of the plan, while the dose kills and when that is over](figures/benchmarks_phases.png)

{phases(record)}
## Memory, threads, and plain Mesa beside it

`tme bench mesa` runs the same rules on the same random numbers with one Python object a cell (`tests/twin`); `tme bench memory-100k-1m` and
`threads-100k` are a size and a speed-up; `tme bench first-tick` starts a process with an empty compile cache and one with a filled one.

{others(record)}
## Bands

What a kind of machine has measured before lies in `tme/bench/references.yaml` (`python docs/make_benchmarks.py --references`): the last {LATEST} measurements, 20 % below the least to
30 % above the largest. `tme bench` warns of what lies outside, and so does this page; no test fails by it.

{state}

## Over time

`python docs/make_benchmarks.py --redraw`: every measurement in `benchmarks/history`.

![Eight figures over the kept measurements, one line for each kind of machine and size of measurement](figures/benchmarks_history.png)

{table(("date", "commit", "size", "kind of machine", "read and write a number, ns"), [(r["date"], f"`{(r['commit'] or 'none')[:8]}`" + "+" * (r["commit"] or "").endswith("+"), r["size"], f"`{r['kind']}`", short(value(r, "stream-limit", "read and write one float64") or 0.0)) for r in found])}
"""


def axes_of(count: int, columns: int, size: tuple[float, float]) -> Any:
    """A figure in the style of all, and its axes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(-(-count // columns), columns, figsize=size, layout="constrained", squeeze=False)
    return figure, axes.ravel()


def draw_scaling(record: Record, path: Path) -> None:
    """Cost against size, by benchmarks/scaling.py."""
    by = {(r["case"], r["n"], r["threads"], r["metric"]): r["value"] for r in record["rows"]}
    rows = [{"ndim": int(case[-2]), "threads": threads, "cells": n, "ns_per_cell_tick": v, "field_share": by[case, n, threads, "share of fields"], "chemistry_share": by[case, n, threads, "share of chemistry"]}
            for (case, n, threads, metric), v in by.items() if metric == "time after a dose"]  # fmt: skip
    load("scaling").draw(rows, path)


def draw_phases(record: Record, path: Path) -> None:
    """What a tick is made of in the whole models, in two stretches: bars of the largest entries, each in one colour throughout, and the rest."""
    cases = sorted({r["case"] for r in record["rows"] if r["case"].startswith("whole-")}, key=lambda c: max(r["n"] for r in record["rows"] if r["case"] == c))
    costs = {case: entry_costs(record, case) for case in cases}
    share: dict[str, float] = {}
    for cost, whole in costs.values():
        for metric, ns in cost.items():
            name = metric.removesuffix("_after_dose")
            share[name] = max(share.get(name, 0.0), ns / whole[metric == name])
    names = sorted(share, key=lambda name: -share[name])[: len(COLOURS) - 1]
    figure, axes = axes_of(len(cases), len(cases), (max(3.4, 2.4 * len(cases)), 3.4))
    for a, case in zip(axes, cases):
        (cost, whole), bottom = costs[case], [0.0, 0.0]
        for name, colour in zip([*names, "all else"], [*COLOURS[: len(names)], COLOURS[-1]]):
            parts = [max(0.0, whole[k] - bottom[k]) for k in (0, 1)] if name == "all else" else [cost.get(name + "_after_dose", 0.0), cost.get(name, 0.0)]
            a.bar((0, 1), parts, 0.6, bottom=bottom, color=colour, label=name.replace("diffuse_", "field ").replace("_", " "))
            bottom = [b + p for b, p in zip(bottom, parts)]
        a.set(xticks=(0, 1), xticklabels=("while the\ndose kills", "after"), title=case, ylabel="time per cell and tick, ns" if case == cases[0] else None)
    figure.legend(*axes[0].get_legend_handles_labels(), frameon=False, fontsize=7, loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=200)


def entry_costs(record: Record, case: str) -> tuple[dict[str, float], tuple[float, float]]:
    """Nanoseconds per cell and tick of each entry of the plan by metric, and of a whole tick while the dose kills and after."""
    rows = [r for r in record["rows"] if r["case"] == case and r["unit"] in ("ns/cell/tick", "ns/voxel/tick")]
    voxels = {r["metric"]: r["value"] for r in record["rows"] if r["case"] == case}["voxels per living cell"]
    cost = {r["metric"]: r["value"] * (voxels if r["unit"] == "ns/voxel/tick" else 1.0) for r in rows}
    return cost, (cost.pop("ns_per_cell_tick_after_dose"), cost.pop("ns_per_cell_tick"))


def draw_history(found: Sequence[Record], path: Path) -> None:
    """Followed figures over the measurements, a line for each kind of machine and size."""
    figure, axes = axes_of(len(FOLLOWED), 4, (7.0, 3.6))
    kinds = list(dict.fromkeys(r["kind"] for r in found))
    for a, (case, metric, label) in zip(axes, FOLLOWED):
        near = 10_000 if case.startswith("scaling") else None
        for kind, colour in zip(kinds, COLOURS):
            for size, fill in (("full", colour), ("small", "white")):
                own = [(k, v) for k, r in enumerate(found) if (r["kind"], r["size"]) == (kind, size) and (v := value(r, case, metric, near=near)) is not None]
                if own:
                    a.plot(*zip(*own), "o-", lw=1, ms=4, color=colour, mfc=fill, label=f"{kind}, {size}")
        if not a.lines:
            a.text(0.5, 0.5, "not measured", transform=a.transAxes, ha="center", color="#777777")
        a.set_title(label, fontsize=8)
        a.set(ylim=(0, None), xlim=(-0.5, len(found) - 0.5), xticks=range(len(found)))
        a.set_xticklabels([r["date"][5:] for r in found] if len(found) < 9 else [r["date"][5:] if k % (len(found) // 4) == 0 else "" for k, r in enumerate(found)], rotation=45 if len(found) > 2 else 0)
        a.margins(y=0.3)
        a.set_ylim(0, 1.25 * a.get_ylim()[1])
    handles = {text: handle for a in axes for handle, text in zip(*a.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), frameon=False, loc="outside lower center", ncols=2)
    figure.savefig(path, dpi=200)


def bands(found: Sequence[Record]) -> str:
    """references.yaml from the kept measurements."""
    from tme.bench.references import band_of, named

    if not found:
        return "{}\n"

    lines = ["# kind of machine -> case and metric -> lowest and highest; written by `python docs/make_benchmarks.py --references` from benchmarks/history"]
    for kind in sorted({r["kind"] for r in found}):
        values: dict[str, list[float]] = {}
        for size in ("small", "full"):
            for record in [r for r in found if (r["kind"], r["size"]) == (kind, size)][-LATEST:]:
                for r in record["rows"]:
                    if not r["case"].startswith("scaling-") and "compiling" not in r["metric"] and r["value"] > 0:
                        values.setdefault(named(r), []).append(r["value"])
        lines += [f"{kind}:", *(f"  {json.dumps(name)}: [{low:.3g}, {high:.3g}]" for name, (low, high) in ((n, band_of(v)) for n, v in sorted(values.items())))]
    return "\n".join(lines) + "\n"


def main(words: Sequence[str]) -> int:
    """Measure unless told not to, then write."""
    from tme.bench.references import known, outside

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for option, said in (("--small", "measure a minute or two's worth"), ("--redraw", "measure nothing"), ("--references", "write the bands anew too")):
        parser.add_argument(option, action="store_true", help=said)
    a = parser.parse_args(words)
    if not a.redraw and not a.references:
        benchmark = load("record")
        fresh = benchmark.record(benchmark.SMALL if a.small else benchmark.FULL, "small" if a.small else "full")
        print(benchmark.keep(fresh))
        for sentence in outside(fresh["rows"], known().get(fresh["kind"])):
            print(f"warning: {sentence}", file=sys.stderr)
    found = records()
    if a.references:
        BANDS.write_text(bands(found), encoding="utf-8")
        known.cache_clear()
    text = render(found)
    FIGURES.mkdir(exist_ok=True)
    if found:
        draw_all(found)
    PAGE.write_text(text, encoding="utf-8")
    return 0


def draw_all(found: Sequence[Record]) -> None:
    """The figures of the page."""
    draw_scaling(newest(found), FIGURES / "benchmarks_scaling.png")
    draw_phases(newest(found), FIGURES / "benchmarks_phases.png")
    draw_history(found, FIGURES / "benchmarks_history.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
