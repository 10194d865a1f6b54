"""Particles and checkpoint blockade together against each alone, on paired tumours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.experiments.compare import common_hour, rows_at
from tme.model import TumourModel
from tme.targets.base import Outcome, Target
from tme.targets.setups import minutes, nodule

RUN_VARIABLE = "TME_PAIRED_RUN"
# doses of the four-arm experiment (a test compares them)
ARMS: dict[str, dict[str, Any]] = {
    "control": {},
    "anti_pdl1": {"antibodies": [{"name": "anti_pdl1", "dose_mg_kg": 10, "day": [0, 3]}]},
    "rsl3_np": {"nanoparticles": [{"name": "peg_pdpa_rsl3", "dose_mg_kg": 9, "day": [0, 3]}]},
    "combination": {"use": ["anti_pdl1", "rsl3_np"]},
}
SEEDS, DAYS, N_CELLS = 3, 4, 800
ALIKE = 0.9


def reduced() -> pd.DataFrame:
    """Series of the four arms on three small tumours: grown for half a day once, then branched."""
    rows = []
    for seed in range(1, SEEDS + 1):
        grown = nodule("b16_like", N_CELLS, 1600.0, DAYS, seed, "growth", start_day=-0.5, arms=ARMS)
        minutes(grown, 720.0)
        state = grown.state_dict()
        for arm in ARMS:
            model = TumourModel.from_state(grown.config, state, arm=arm, seed=seed)
            for _ in range(2 * DAYS):
                minutes(model, 720.0)
                rows.append({"arm": arm, "replicate": seed, **model.observe()})
    return pd.DataFrame(rows)


def finished(folder: Path) -> pd.DataFrame:
    """Series of a run directory of the four arms; ValueError if an arm is missing."""
    table = pd.read_csv(folder / "series.csv")
    lacking = set(ARMS) - set(table["arm"])
    if lacking:
        raise ValueError(f"{folder} lacks the arms {', '.join(sorted(lacking))}")
    return table


def paired(table: pd.DataFrame) -> pd.DataFrame:
    """Per arm and replicate that all arms have: volume at the last common hour, mean readouts."""
    table = table.assign(
        treg_share=table["treg"] / (table["treg"] + table["cd8"]),
        ifng_cd8_per_tumour_cell=table["cd8"] * table["cd8_ifng_share"] / table["tumour_alive"].clip(lower=1),
    )
    sizes = table.groupby("replicate")["arm"].nunique()
    table = table[table["replicate"].isin(sizes.index[sizes == len(ARMS)])]
    last = common_hour(table)
    end = rows_at(table, last).set_index(["arm", "replicate"])
    during = table[(table["hour"] > 0) & (table["hour"] <= last + 1e-6)].groupby(["arm", "replicate"])
    names = ["cd8_ifng_share", "ifng_cd8_per_tumour_cell", "treg_share", "treg_per_mm2"]
    out = during[names].mean()
    out["volume"] = end["tumour_volume_mm3"]
    out["dc_matured"] = end["dc_mature_cumulative"]
    out.attrs["day"] = last / 24.0
    return out


def combination(run_dir: str | Path | None = None) -> Outcome:
    """Four arms on paired tumours: control, anti-PD-L1, RSL3 particles, both.

    With a run directory (argument, or TME_PAIRED_RUN) of the paired-seeds experiment its series are read.
    Else a reduced version runs: 3 tumours of 800 cells, 4 days, doses on days 0 and 3; the CD8 that its
    damage primes (after 5.5 days) never arrive. The combination must end smaller than each alone, and the
    immune readouts (IFN-gamma+ share of CD8 and Treg share of T cells, means after day 0; dendritic cells
    matured so far) must have their sign against control, each in at least 9 of 10 pairs.
    """
    given = run_dir or os.environ.get(RUN_VARIABLE)
    table = paired(finished(Path(given)) if given else reduced())
    arm = {name: table.loc[name] for name in ARMS}
    n = len(arm["control"])
    where = (
        f"series of a finished run, {n} tumours"
        if given
        else f"reduced run: {n} tumours of {N_CELLS} cells, {DAYS} days"
    )
    both, control = arm["combination"], arm["control"]
    shares = {
        "smaller than anti-PD-L1": (both["volume"] < arm["anti_pdl1"]["volume"]).mean(),
        "smaller than particles": (both["volume"] < arm["rsl3_np"]["volume"]).mean(),
        "mature DC up": (both["dc_matured"] > control["dc_matured"]).mean(),
        "IFN-gamma+ CD8 up": (both["cd8_ifng_share"] > control["cd8_ifng_share"]).mean(),
        "Treg down": (both["treg_share"] < control["treg_share"]).mean(),
    }
    values: dict[str, Any] = {"pairs": n, "day": table.attrs["day"], "share_of_pairs": shares}
    for column in table.columns:
        values[column] = {name: float(np.mean(a[column])) for name, a in arm.items()}
    return Outcome(values, {k: bool(v >= ALIKE) for k, v in shares.items()}, [where])


TARGETS = (
    Target(
        "T19",
        "PEG-PDPA RSL3 particles + anti-PD-L1",
        "mature DC up, IFN-gamma+ CD8 up, Treg down; combination smaller than each alone; >= 9 of 10 pairs",
        "Song et al. 2021, doi 10.1002/adma.202101155; Zhang et al. 2025, doi 10.3389/fimmu.2025.1611299",
        "calibration",
        combination,
    ),
)
