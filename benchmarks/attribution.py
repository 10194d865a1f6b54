"""Cut one route at a time and see what is left of the combination's excess over Bliss.

    python benchmarks/attribution.py [--config configs/attribution.yaml] [--out runs/attribution] [--jobs 2]

Every cut runs the same paired seeds with one parameter changed in all arms. The excess of a seed is
E = s_a s_b - s_ab, s the final living tumour cells of an arm over the control's. The share of a route is
1 - mean(E_cut)/mean(E_full); intervals are paired over seeds (`tme.statistics`).
CD8 per living tumour cell is reported beside it. Results: JSON and a Markdown table in the output folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import tme
from tme import statistics

CUTS = {
    "nothing cut": [],
    "IFN-gamma on SLC7A11 (f_x = 0)": ["mechanisms.ferroptosis.f_x=0"],
    "E:T after debulking (CD8 per tumour cell held)": ["mechanisms.cd8_turnover.et_cap=0.08"],
    "peroxide coupling (p_s = 0)": ["mechanisms.ferroptosis.p_s=0"],
    "IFN-gamma on ACSL4 (f_acsl = 0)": ["mechanisms.ferroptosis.f_acsl=0"],
    "DAMP priming (gain = 0)": ["mechanisms.priming.gain=0"],
    "PD-L1 relief (s_max = 0)": ["mechanisms.killing.s_max=0", "mechanisms.exhaustion.pd1_weight=0"],
}


def excess(run) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Excess over Bliss per seed, and CD8 per tumour cell per arm."""
    table = run.summary().set_index(["arm", "replicate"])
    alive = {arm: table.loc[arm]["tumour_alive"].to_numpy(float) for arm in table.index.levels[0]}
    share = {arm: a / alive["control"] for arm, a in alive.items()}
    ratio = {arm: table.loc[arm]["cd8_per_tumour_cell"].to_numpy(float) for arm in alive}
    return share["anti_pdl1"] * share["rsl3_np"] - share["combination"], {**{f"share_{k}": v for k, v in share.items()}, **{f"et_{k}": v for k, v in ratio.items()}}


def ends(estimate) -> tuple[float, float]:
    """The interval of an estimate."""
    return estimate.low, estimate.high


def row(name: str, e: np.ndarray, full: np.ndarray, other: dict[str, np.ndarray]) -> dict:
    """One line of the table."""
    low, high = ends(statistics.mean_interval(e))
    fall = ends(statistics.difference(full, e))
    left = ends(statistics.ratio_of_means(e, full))
    share = (1.0 - left[1], 1.0 - left[0])
    return {
        "cut": name, "n": len(e), "excess": float(e.mean()), "excess_ci": [low, high],
        "fall": float(full.mean() - e.mean()), "fall_ci": list(fall),
        "share": float(1.0 - e.mean() / full.mean()), "share_ci": list(share),
        **{k: float(np.median(v)) for k, v in other.items()},
    }  # fmt: skip


def main() -> None:
    """Run all cuts and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="configs/attribution.yaml")
    parser.add_argument("--out", default="runs/attribution")
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--set", action="append", default=[], dest="changes")
    a = parser.parse_args()
    rows, full = [], None
    for k, (name, cut) in enumerate(CUTS.items()):
        config = tme.load_config(a.config, overrides=[*a.changes, *cut], quick=a.quick)
        run = tme.run(config, out=Path(a.out) / f"cut-{k}", jobs=a.jobs, report=False)
        if run.exit_code:
            sys.exit(run.exit_code)
        e, other = excess(run)
        full = e if full is None else full
        rows.append(row(name, e, full, other))
        print(json.dumps(rows[-1]), flush=True)
    folder = Path(a.out)
    (folder / "attribution.json").write_text(json.dumps(rows, indent=2))
    (folder / "attribution.md").write_text(markdown(rows))
    print(folder / "attribution.md")


def markdown(rows: list[dict]) -> str:
    """The table for docs."""
    out = ["| cut | n | excess over Bliss (95 % CI) | share of the full excess (95 % CI) | anti-PD-L1, particles, both (share of control, median) | CD8 per tumour cell: control, both |", "|---|---|---|---|---|---|"]
    for r in rows:
        out.append(
            f"| {r['cut']} | {r['n']} | {r['excess']:.3f} ({r['excess_ci'][0]:.3f} to {r['excess_ci'][1]:.3f}) | "
            f"{100 * r['share']:.0f} % ({100 * r['share_ci'][0]:.0f} to {100 * r['share_ci'][1]:.0f}) | "
            f"{r['share_anti_pdl1']:.2f}, {r['share_rsl3_np']:.2f}, {r['share_combination']:.2f} | {r['et_control']:.3f}, {r['et_combination']:.3f} |"
        )
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    main()
