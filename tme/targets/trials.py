"""Paired arms on small tumours: one experiment file, run by the machinery of experiments on two processes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.experiments import run
from tme.experiments.compare import common_hour, rows_at
from tme.targets.mutants import mutated
from tme.targets.setups import TISSUE

PROCESSES = 2


def trial(
    arms: dict[str, Any],
    *,
    seeds: int,
    days: float,
    preset: str = "b16_like",
    n_cells: int = 400,
    size_um: float = 1200.0,
    seed: int = 1,
    populations: dict[str, Any] | None = None,
    record_every_h: float = 24.0,
    **sections: Any,
) -> pd.DataFrame:
    """Series (arm, replicate, hour, day, readouts) of arms on tumours that grow for half a day and then branch.

    `populations` changes the tissue of the base experiment, None takes a type out. A tumour that reaches the edge goes on.
    """
    own = {kind: density for kind, density in {**TISSUE, **(populations or {})}.items() if density is not None}
    given = {
        "start_day": -0.5, "horizon_day": days, "branch_at_day": 0, "replicates": seeds, "seed": seed,
        "domain": {"size_um": [size_um, size_um], "at_edge": "continue"},
        "initial": {"kind": "nodule", "n_cells": n_cells},
        "tumour": {"preset": preset}, "populations": own, "clocks": {"field_tol": 1e-3}, "arms": arms,
        "output": {"record_every_h": record_every_h, "snapshot_days": []},
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "target.yaml"
        path.write_text(json.dumps(mutated({**given, **sections})))
        done = run(path, out=Path(folder) / "run", jobs=PROCESSES, progress=False)
        if done.exit_code:
            raise RuntimeError(f"{len(done.failed)} simulations failed: {', '.join(done.failed)}")
        return pd.read_csv(done.path / "series.csv")


def with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """The series with the share of Treg among T cells, and of CD8 that work: within the tumour and not exhausted."""
    t_cells = table["treg"] + table["cd8"] + table.get("cd4", 0)
    shares = {"treg_share": table["treg"] / t_cells, "cd8_functional_share": 1.0 - table["cd8_exhausted_share"]}
    return table.assign(**{name: share for name, share in shares.items() if name not in table})


def at_day(table: pd.DataFrame, day: float | None = None, name: str = "tumour_volume_mm3") -> pd.DataFrame:
    """A readout (replicates x arms) at a day, or at the last that all share; replicates that lack an arm are left out."""
    rows = rows_at(table, common_hour(table, day))
    return rows.pivot(index="replicate", columns="arm", values=name).dropna()


def mean_between(table: pd.DataFrame, name: str, first_day: float, last_day: float) -> pd.DataFrame:
    """Mean of a readout (replicates x arms) over the records of these days."""
    span = table[(table["day"] >= first_day - 1e-9) & (table["day"] <= last_day + 1e-9)]
    return span.groupby(["replicate", "arm"])[name].mean().unstack("arm").dropna()


def geometric_ratio(table: pd.DataFrame, arm: str, control: str = "control") -> float:
    """Paired geometric mean of arm over control; a tumour that is gone counts as a hundredth of the smallest there is."""
    values = table.to_numpy(float)
    least = 0.01 * values[values > 0].min()
    ratio = np.maximum(table[arm], least) / np.maximum(table[control], least)
    return float(np.exp(np.log(ratio).mean()))
