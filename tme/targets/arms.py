"""Particles and checkpoint blockade together against each alone, on paired tumours."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.experiments.compare import common_hour
from tme.targets.base import Outcome, Target
from tme.targets.mutants import Mutant
from tme.targets.trials import at_day, mean_between, trial, with_shares

RUN_VARIABLE = "TME_PAIRED_RUN"
# doses of the four-arm experiment (a test compares them)
ARMS: dict[str, dict[str, Any]] = {
    "control": {},
    "anti_pdl1": {"antibodies": [{"name": "anti_pdl1", "dose_mg_kg": 10, "day": [0, 3]}]},
    "rsl3_np": {"nanoparticles": [{"name": "peg_pdpa_rsl3", "dose_mg_kg": 9, "day": [0, 3]}]},
    "combination": {"use": ["anti_pdl1", "rsl3_np"]},
}
SEEDS, DAYS, N_CELLS = 10, 6, 400
LAST_DOSE = 3.0
ALIKE = 0.9
SONG = "Song et al. 2021, doi 10.1002/adma.202101155; Zhang et al. 2025, doi 10.3389/fimmu.2025.1611299, table 1"


@cache
def reduced() -> pd.DataFrame:
    """Series of the four arms on ten small tumours: grown for half a day once, then branched."""
    return trial(ARMS, seeds=SEEDS, days=DAYS, n_cells=N_CELLS)


def finished(folder: Path) -> pd.DataFrame:
    """Series of a run directory of the four arms; ValueError if an arm is missing."""
    table = pd.read_csv(folder / "series.csv")
    lacking = set(ARMS) - set(table["arm"])
    if lacking:
        raise ValueError(f"{folder} lacks the arms {', '.join(sorted(lacking))}")
    return table


def series(run_dir: str | Path | None) -> tuple[pd.DataFrame, str]:
    """The four arms, with shares, of the run that is given (argument, or TME_PAIRED_RUN), else reduced; and which."""
    given = run_dir or os.environ.get(RUN_VARIABLE)
    table = with_shares(finished(Path(given)) if given else reduced())
    sizes = table.groupby("replicate")["arm"].nunique()
    table = table[table["replicate"].isin(sizes.index[sizes == len(ARMS)])]
    n = table["replicate"].nunique()
    where = "series of a finished run" if given else f"reduced run: {N_CELLS} cells, {DAYS} days, doses on days 0 and {LAST_DOSE:g}"
    return table, f"{where}, {n} tumours"


def panel_days(table: pd.DataFrame, finished_run: bool) -> tuple[float, float]:
    """1 to 3 days after the last dose, as far as all tumours go; a run stopped early is read at its last common two days."""
    last = common_hour(table) / 24.0
    dose = 12.0 if finished_run else LAST_DOSE
    first = dose + 1.0 if dose + 1.0 <= last else max(last - 2.0, 0.0)
    return first, min(first + 2.0, last)


PANEL = {  # readout -> (sign of the combination against control, what it stands for)
    "dc_mature_share_with_node": (+1, "mature DC up"),
    "cd8_functional_share": (+1, "functional CD8 up"),
    "treg_share": (-1, "Treg among T cells down"),
}


def immune_signs(run_dir: str | Path | None = None) -> Outcome:
    """Combination against control 1 to 3 days after the last dose: mature among DC of tumour and node, CD8 that are not exhausted, Treg among T cells.

    RSL3 particles without light and anti-PD-L1, doses of the four-arm experiment. With a run directory (argument, or
    TME_PAIRED_RUN) of the paired-seeds experiment its series are read; else ten tumours of 400 cells, 6 days, doses on
    days 0 and 3: all of the three days after the last dose, in which the first CD8 that the damage primes (after 4 days) come. Means over the records
    of those days; each sign in at least 9 of 10 pairs.
    """
    table, where = series(run_dir)
    span = panel_days(table, not where.startswith("reduced"))
    values: dict[str, Any] = {"pairs": int(table["replicate"].nunique()), "days": list(span)}
    claims: dict[str, bool | None] = {}
    for name, (sign, words) in PANEL.items():
        means = mean_between(table, name, *span)
        share = float((sign * (means["combination"] - means["control"]) > 0).mean()) if len(means) else float("nan")
        values[name] = {arm: float(means[arm].mean()) for arm in ARMS}
        values[f"{words}: share of pairs"] = share
        claims[words] = None if np.isnan(share) else share >= ALIKE
    return Outcome(values, claims, [where])


def burden(run_dir: str | Path | None = None) -> Outcome:
    """Volume of the combination against anti-PD-L1 alone and particles alone at the last common day, on the tumours of T19a.

    Smaller than each alone in at least 9 of 10 pairs.
    """
    table, where = series(run_dir)
    volume = at_day(table)
    shares = {
        "smaller than anti-PD-L1": float((volume["combination"] < volume["anti_pdl1"]).mean()),
        "smaller than particles": float((volume["combination"] < volume["rsl3_np"]).mean()),
    }
    values = {"pairs": len(volume), "day": common_hour(table) / 24.0, "share_of_pairs": shares, "volume_mm3": {a: float(volume[a].mean()) for a in ARMS}}
    return Outcome(values, {k: v >= ALIKE for k, v in shares.items()}, [where])


TARGETS = (
    Target(
        "T19a",
        "PEG-PDPA RSL3 particles + anti-PD-L1: immune signs",
        "without light, 1-3 d after the last dose: mature among DC up, functional CD8 up, Treg among T cells down; >= 9 of 10 pairs",
        SONG,
        "calibration",
        immune_signs,
        Mutant("corpses release no ATP and no HMGB1, axes without effect", {
            "mechanisms": {"damp": {"atp_rate": 0, "hmgb1_rate": 0}, "nanoparticles": {"release_scale": 0}},
            "receptors": {"pd1": {"effects": {"killing": {"to": 1}, "exhaustion": {"without": 1}}}},
        }),
    ),
    Target(
        "T19b",
        "PEG-PDPA RSL3 particles + anti-PD-L1: burden",
        "combination smaller than each alone in >= 9 of 10 pairs; no number in force was set on it, the first version was (docs/decisions.md)",
        SONG,
        "check",
        burden,
        Mutant("particles keep their RSL3", {"mechanisms": {"nanoparticles": {"release_scale": 0}}}),
    ),
)  # fmt: skip
