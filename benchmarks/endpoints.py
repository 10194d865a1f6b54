"""The table of endpoints of docs/model.md, from a finished run of the four arms.

    python benchmarks/endpoints.py RUN

Arms on the last day that all simulations recorded. First column: living tumour cells over the same replicate's control, median and range.
The others are means over the days from treatment start, median over replicates; ferroptotic deaths are a count on the last day.
"""

from __future__ import annotations

import argparse

import pandas as pd

import tme
from tme.experiments.compare import common_hour, control_of

COLUMNS = {
    "IFN-γ at the median tumour cell, ng/mL": ("ifng_median", ".2f"),
    "CD8 per mm²": ("cd8_per_mm2", ".0f"),
    "CD8 per tumour cell": ("cd8_per_tumour_cell", ".3f"),
    "kills per CD8 and day": ("kills_per_cd8_day", ".1f"),
    "share of cells below 5 mmHg": ("hypoxic_share", ".2f"),
    "SLC7A11 left": ("slc7a11_factor", ".2f"),
}


def table(series: pd.DataFrame, control: str, hour: float) -> list[str]:
    """Markdown lines, one an arm."""
    shown = series[(series["hour"] >= 0) & (series["hour"] <= hour)]
    last = shown[shown["hour"] == hour].pivot(index="replicate", columns="arm", values="tumour_alive")
    dead = shown[shown["hour"] == hour].groupby("arm")["dead_ferroptosis"].median()
    means = shown.groupby(["arm", "replicate"])[[c for c, _form in COLUMNS.values()]].mean().groupby("arm").median()
    out = [f"| arm | share of control | {' | '.join(COLUMNS)} | ferroptotic deaths |", "|---" * (len(COLUMNS) + 3) + "|"]
    for arm in shown["arm"].unique():
        share = last[arm] / last[control]
        told = [arm, f"{share.median():.2f} ({share.min():.3g}–{share.max():.2f})"]
        told += [format(means.loc[arm, c], form) for c, form in COLUMNS.values()]
        out.append(f"| {' | '.join(told)} | {dead[arm]:,.0f} |")
    return out


def main() -> None:
    """Print the table of a run."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("run")
    run = tme.load(made.parse_args().run)
    hour = common_hour(run)
    print(f"day {hour / 24:g}, {run.series()['replicate'].nunique()} replicates\n")
    print("\n".join(table(run.series(), control_of(run.config), hour)))


if __name__ == "__main__":
    main()
