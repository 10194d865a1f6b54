"""Cost of a whole model against its size, in 2D and 3D, and against threads: a table and a figure.

    python benchmarks/scaling.py [--sizes 1000 3000 10000 30000 100000] [--out runs/scaling] [--threads 1 2]

The model is the combination arm of the four-arm experiment (`tme.bench.whole`), at its own cells per area;
in 3D a ball in a cube of 6.4 voxels per cell. After 12 hours of treatment three times 60 ticks are timed and the median kept: CPU time
on one thread, wall time on more. Each measurement runs in a process of its own, so that sizes do not share
memory. Writes scaling.json, scaling.md and scaling.png.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

PROBE = """
import json, sys, time
import numba
from tme.bench import whole
n, ndim, threads = map(int, sys.argv[1:])
numba.set_num_threads(threads)
model, first = whole.build(n, ndim)
while model.sim_day < 0.5:
    model.step()
clock = time.process_time if threads == 1 else time.perf_counter
model.plan.seconds = dict.fromkeys(model.plan.seconds, 0.0)
took = []  # every field clock divides 60 ticks; a median, since a kernel loaded late costs a tenth of a second
for _ in range(3):
    start = clock()
    for _ in range(60):
        model.step()
    took.append(clock() - start)
seconds = 2.0 * sorted(took)[1]
fields = sum(v for k, v in model.timing.items() if k.startswith("diffuse_"))
cells = whole.living(model)
print(json.dumps({"n": n, "ndim": ndim, "threads": threads, "cells": cells, "voxels": model.grid.n_voxels,
                  "ns_per_cell_tick": 1e9 * seconds / 120 / cells, "field_share": fields / sum(model.timing.values()),
                  "chemistry_share": model.timing["ferroptosis"] / sum(model.timing.values()),
                  "cell_hours_per_s": cells * 2.0 / seconds}))
"""


def measure(n: int, ndim: int, threads: int) -> dict:
    """One size in a fresh process."""
    import os

    env = {**os.environ, "NUMBA_NUM_THREADS": str(threads)}
    done = subprocess.run([sys.executable, "-c", PROBE, str(n), str(ndim), str(threads)], capture_output=True, text=True, env=env)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def draw(rows: list[dict], path: Path) -> None:
    """Cost per cell and tick against cells, and what fields and chemistry take of it."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.8, 2.8), layout="constrained")
    styles = {(2, 1): ("#0072B2", "o", "2D, 1 thread"), (2, 2): ("#56B4E9", "s", "2D, 2 threads"), (3, 1): ("#D55E00", "^", "3D, 1 thread"), (3, 2): ("#E69F00", "v", "3D, 2 threads")}
    for (ndim, threads), (colour, marker, label) in styles.items():
        own = sorted((r for r in rows if (r["ndim"], r["threads"]) == (ndim, threads)), key=lambda r: r["cells"])
        if own:
            left.loglog([r["cells"] for r in own], [r["ns_per_cell_tick"] for r in own], color=colour, marker=marker, ms=4, lw=1, label=label)
    left.set(xlabel="living cells", ylabel="time per cell and tick, ns")
    left.set_ylim(bottom=50)
    left.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    left.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())
    left.legend(frameon=False)
    for ndim, colour in ((2, "#0072B2"), (3, "#D55E00")):
        own = sorted((r for r in rows if (r["ndim"], r["threads"]) == (ndim, 1)), key=lambda r: r["cells"])
        if own:
            cells = [r["cells"] for r in own]
            right.semilogx(cells, [100 * r["field_share"] for r in own], color=colour, marker="o", ms=4, lw=1, label=f"fields, {ndim}D")
            right.semilogx(cells, [100 * r["chemistry_share"] for r in own], color=colour, marker="o", ms=4, lw=1, ls="--", mfc="w", label=f"chemistry, {ndim}D")
    right.set(xlabel="living cells", ylabel="share of the tick, %", ylim=(0, 100))
    right.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2, fontsize=7)
    for axis in (left.xaxis, right.xaxis):
        axis.set_minor_formatter(NullFormatter())  # labels of 2 to 9 would lie upon each other
    figure.savefig(path, dpi=200)


def main() -> None:
    """Measure all sizes and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 3000, 10_000, 30_000, 100_000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", default="runs/scaling")
    parser.add_argument("--redraw", action="store_true", help="draw scaling.json again without measuring")
    a = parser.parse_args()
    folder = Path(a.out)
    folder.mkdir(parents=True, exist_ok=True)
    if a.redraw:
        rows = json.loads((folder / "scaling.json").read_text())
    else:
        rows = []
        for ndim in (2, 3):
            for threads in a.threads:
                for n in a.sizes:
                    rows.append(measure(n, ndim, threads))
                    print(json.dumps(rows[-1]), flush=True)
    (folder / "scaling.json").write_text(json.dumps(rows, indent=2))
    lines = ["| dimensions | threads | living cells | voxels | ns per cell and tick | cell-hours per second | fields | chemistry |", "|---|---|---|---|---|---|---|---|"]
    lines += [f"| {r['ndim']}D | {r['threads']} | {r['cells']:,} | {r['voxels']:,} | {r['ns_per_cell_tick']:.0f} | {r['cell_hours_per_s']:,.0f} | {100 * r['field_share']:.0f} % | {100 * r['chemistry_share']:.0f} % |" for r in rows]
    (folder / "scaling.md").write_text("\n".join(lines) + "\n")
    draw(rows, folder / "scaling.png")
    print(folder / "scaling.png")


if __name__ == "__main__":
    main()
