"""What the benchmarks of paired small tumours share: run the four arms, and read all of them on one day.

Every simulation is read on the same day: the horizon, or `--day`. Where one stopped before it (its tumour
reached the edge of the domain), nothing is read and the script ends with exit code 2, naming it and the last
day that all recorded. Intervals are Student t over the paired seeds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import tme
from tme.experiments.compare import StoppedEarly, common_hour, rows_at
from tme.statistics import Estimate, mean_interval

SINGLE, BOTH = ("anti_pdl1", "rsl3_np"), "combination"
ARMS = (*SINGLE, BOTH)


def parser(about: str, out: str) -> argparse.ArgumentParser:
    """The options they share."""
    made = argparse.ArgumentParser(description=about)
    made.add_argument("--config", default="configs/attribution.yaml")
    made.add_argument("--out", default=out)
    made.add_argument("--jobs", type=int, default=None)
    made.add_argument("--day", type=float, default=None, help="read the arms on this day [default: the horizon]")
    made.add_argument("--set", action="append", default=[], dest="changes", metavar="KEY=VALUE")
    return made


def run(config: str, changes: list[str], folder: Path, jobs: int | None, quick: bool = False) -> Any:
    """One run directory, made or completed; ends the script where simulations fail."""
    made = tme.run(tme.load_config(config, overrides=changes, quick=quick), out=folder, jobs=jobs, report=False)
    if made.exit_code:
        sys.exit(made.exit_code)
    return made


def read(runs: Mapping[str, Any], day: float | None = None) -> tuple[float, dict[str, pd.DataFrame]]:
    """The day, and the rows of every run on it; by default the horizon that the runs have in common.

    `StoppedEarly` where a simulation did not get there, or where the day is not after the start of treatment.
    """
    wanted = min(float(r.config["horizon_day"]) for r in runs.values()) if day is None else day
    if not wanted > 0:
        raise StoppedEarly(f"day {wanted:g} is not after the start of treatment: nothing to compare")
    hour = common_hour(runs, wanted)
    return hour / 24.0, {name: rows_at(r, hour) for name, r in runs.items()}


def shares(rows: pd.DataFrame, column: str = "tumour_alive") -> pd.DataFrame:
    """Per replicate: each arm's living tumour cells over the same seed's control, and the excess over Bliss.

    Excess = s_a s_b - s_ab; positive: the combination leaves fewer cells than independent treatments would.
    """
    wide = rows.pivot(index="replicate", columns="arm", values=column).astype(float)
    out = wide[list(ARMS)].div(wide["control"], axis=0)
    out["excess"] = out[SINGLE[0]] * out[SINGLE[1]] - out[BOTH]
    out["control_cells"] = wide["control"]
    return out


def words(e: Estimate, digits: int = 2) -> str:
    """`0.12 (0.04 to 0.20)`."""
    return f"{e.value:.{digits}f} ({e.low:.{digits}f} to {e.high:.{digits}f})"


def interval(values: Any, digits: int = 2) -> str:
    """Mean with its t interval."""
    return words(mean_interval(values), digits)


def guarded(main: Any) -> None:
    """Run a script; a comparison that is refused ends with its message and exit code 2."""
    try:
        main()
    except StoppedEarly as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        sys.exit(refusal.exit_code)
