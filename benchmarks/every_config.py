"""Run configs at full size, one after the other, and print what came out of each: a paragraph for configs/README.md.

    python benchmarks/every_config.py [CONFIG ...] [--out runs/every] [--jobs 2] [--set KEY=VALUE]

By default every config of `configs/` and `configs/platforms/`. All arms are read on the last day that all
simulations recorded: living tumour cells (geometric mean, range), over the same seed's control, the immune panel
(how many pairs lie above the control), deaths by cause, and the excess over Bliss where an arm is the union of two others.
Completed runs are taken up, so a second call prints the table again. Results: `seen.md`, one section a config, and
`platforms.md`, one row for each config whose arms are control, checkpoint, particle and both.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import tme
from tme.experiments.compare import common_hour, control_of, rows_at
from tme.statistics import mean_interval

CAUSES = ("ferroptosis", "immune", "necrosis", "apoptosis")
# readout -> (column, or a function of the row's columns)
PANEL = {
    "mature DC": lambda r: r["dc_mature_share_with_node"],  # also those that have gone to the node, as in the targets
    "functional CD8": lambda r: r["cd8_functional_share"],
    "IFN-γ+ CD8": lambda r: r["cd8_ifng_share"],
    "CD8": lambda r: r["cd8"],
    "CD4": lambda r: r["cd4"],
    "Treg of T cells": lambda r: r["treg"] / (r["treg"] + r["cd8"] + r.get("cd4", 0.0)).clip(lower=1),
    "M1": lambda r: r["m1_share"],
    "NK": lambda r: r["nk"],
    "neutrophils": lambda r: r["neutrophil"],
}


def main() -> None:
    """Run the configs asked for and write the sections."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("configs", nargs="*")
    made.add_argument("--out", default="runs/every")
    made.add_argument("--jobs", type=int, default=None)
    made.add_argument("--set", action="append", default=[], dest="changes", metavar="KEY=VALUE")
    a = made.parse_args()
    files = [Path(c) for c in a.configs] or sorted([*Path("configs").glob("*.yaml"), *Path("configs/platforms").glob("n*.yaml")])
    folder = Path(a.out)
    folder.mkdir(parents=True, exist_ok=True)
    failed, platforms = [], []
    for file in files:
        begun = time.perf_counter()
        run = tme.run(tme.load_config(str(file), overrides=a.changes), out=folder / file.stem, jobs=a.jobs, report=False)
        if run.exit_code == 75:  # interrupted: the same command goes on
            sys.exit(75)
        if run.exit_code:
            failed.append(file.stem)
            continue
        text = section(file.stem, run, time.perf_counter() - begun)
        (folder / f"{file.stem}.md").write_text(text)
        print(text, flush=True)
        platforms += platform_row(file.stem, run)
    if platforms:
        (folder / "platforms.md").write_text("\n".join([*platform_head(), *platforms]) + "\n")
    texts = [(folder / f"{f.stem}.md").read_text() for f in files if (folder / f"{f.stem}.md").exists()]
    (folder / "seen.md").write_text("\n".join(texts))
    if failed:
        print("failed:", ", ".join(failed), file=sys.stderr)
        sys.exit(3)


def section(name: str, run: Any, seconds: float) -> str:
    """One config: a line per sweep point and arm."""
    hour = common_hour(run)
    rows = rows_at(run, hour)
    control = control_of(run.config)
    out = [f"### {name}: day {hour / 24:g}, {seconds:.0f} s"]
    stopped = run.stopped() if hasattr(run, "stopped") else {}
    if stopped:
        out.append(f"stopped early: {', '.join('/'.join(map(str, k)) for k in stopped)}")
    points = rows.groupby("sweep", sort=False) if "sweep" in rows else [("", rows)]
    for point, here in points:
        base = here[here["arm"] == control].set_index("replicate")
        for arm, group in here.groupby("arm", sort=False):
            out.append(line(f"{point} {arm}".strip(), group.set_index("replicate"), None if arm == control else base))
        out += bliss(here, run.config, control)
    return "\n".join(out) + "\n"


def line(name: str, rows: pd.DataFrame, base: pd.DataFrame | None) -> str:
    """Cells, over control, deaths, and the panel of one arm."""
    cells = rows["tumour_alive"].to_numpy(float)
    told = [f"- {name} (n {len(cells)}): {spread(cells)} cells"]
    if base is not None and len(base):
        share = cells / base["tumour_alive"].reindex(rows.index).to_numpy(float)
        told.append(f"{spread(share, 2)} of control")
    deaths = {c: rows[f"dead_{c}"].mean() for c in CAUSES if f"dead_{c}" in rows}
    told.append("dead " + ", ".join(f"{c} {v:,.0f}" for c, v in deaths.items() if v >= 0.5))
    if base is not None and len(base):
        told.append("; ".join(panel(rows, base.reindex(rows.index))))
    return "; ".join(t for t in told if t)


def platform_head() -> list[str]:
    """Head of the table of platforms: the panel compares the arm `both` with the control, pair by pair."""
    names = ["platform", "particle", "both", "excess over Bliss", "ferroptotic deaths", *PANEL]
    return ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]


def platform_row(name: str, run: Any) -> list[str]:
    """The row of a config with the arms control, checkpoint, particle and both, else nothing."""
    rows = rows_at(run, common_hour(run))
    if "sweep" in rows or set(rows["arm"]) != {"control", "checkpoint", "particle", "both"}:
        return []
    at = {arm: group.set_index("replicate") for arm, group in rows.groupby("arm")}
    share = {arm: here["tumour_alive"] / at["control"]["tumour_alive"] for arm, here in at.items()}
    e = mean_interval(share["checkpoint"] * share["particle"] - share["both"])
    told = [name, spread(share["particle"].to_numpy(), 2), spread(share["both"].to_numpy(), 2), f"{e.value:.2f} ({e.low:.2f} to {e.high:.2f})"]
    told.append(f"{at['both']['dead_ferroptosis'].mean():,.0f}")
    for read in PANEL.values():
        here, there = read(at["both"]), read(at["control"])
        told.append(f"{int((here > there).sum())} up, {int((here < there).sum())} down")
    return ["| " + " | ".join(told) + " |"]


def panel(rows: pd.DataFrame, base: pd.DataFrame) -> list[str]:
    """Each readout of the immune panel that the run has: mean, control's mean, pairs above and below the control."""
    out = []
    for name, read in PANEL.items():
        try:
            here, there = read(rows), read(base)
        except KeyError:
            continue
        up, down = int((here > there).sum()), int((here < there).sum())
        out.append(f"{name} {here.mean():.3g} against {there.mean():.3g} ({up} up, {down} down)")
    return out


def bliss(rows: pd.DataFrame, config: dict, control: str) -> list[str]:
    """The excess over Bliss of each arm that `use`s two others."""
    wide = rows.pivot(index="replicate", columns="arm", values="tumour_alive").astype(float)
    out = []
    for arm, therapy in (config.get("arms") or {}).items():
        used = (therapy or {}).get("use") or []
        if len(used) != 2 or not {arm, control, *used} <= set(wide):
            continue
        s = wide.div(wide[control], axis=0)
        excess = s[used[0]] * s[used[1]] - s[arm]
        e = mean_interval(excess)
        smaller = int(((wide[arm] < wide[used[0]]) & (wide[arm] < wide[used[1]])).sum())
        told = f"{e.value:.3f}" + (f" ({e.low:.3f} to {e.high:.3f})" if len(excess) > 1 else "")
        out.append(f"- {arm}: excess over Bliss {told}, smaller than each alone in {smaller} of {len(excess)}")
    return out


def spread(values: np.ndarray, digits: int = 0) -> str:
    """Geometric mean and range."""
    safe = np.maximum(values, 1e-9)
    mean = float(np.exp(np.log(safe).mean()))
    return f"{mean:,.{digits}f}" + (f" ({values.min():,.{digits}f}-{values.max():,.{digits}f})" if len(values) > 1 else "")


if __name__ == "__main__":
    main()
