"""Cut one route at a time and see what is left of the combination's excess over Bliss.

    python benchmarks/attribution.py [--config configs/attribution.yaml] [--out runs/attribution] [--jobs 2] [--day D]
    python benchmarks/attribution.py --set seed=1001 --set replicates=20      # seeds that no pilot has seen

Every cut runs the same paired seeds with one parameter changed in all arms. The excess of a seed is
E = s_a s_b - s_ab, s the living tumour cells of an arm over the control's, all arms of all cuts on the same day
(`paired_arms.py`; a simulation that stopped before it is refused). The share of a route is
1 - mean(E_cut)/mean(E_full). Means have t intervals; that of a share is a paired bootstrap over seeds (2,000
draws, fixed seed), given from 6 seeds on. CD8 per living tumour cell stands beside. Results: JSON and Markdown.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from paired_arms import ARMS, guarded, mean_interval, parser, read, run, shares

FEWEST = 6  # a percentile bootstrap of fewer seeds is too narrow
CUTS = {
    "nothing cut": [],
    "IFN-gamma on SLC7A11 (f_x = 0)": ["mechanisms.ferroptosis.f_x=0"],
    "E:T after debulking (CD8 per tumour cell held)": ["mechanisms.cd8_turnover.et_cap=0.08"],
    "peroxide coupling (p_s = 0)": ["mechanisms.ferroptosis.p_s=0"],
    "IFN-gamma on ACSL4 (f_acsl = 0)": ["mechanisms.ferroptosis.f_acsl=0"],
    "DAMP priming (gain = 0)": ["mechanisms.priming.gain=0"],
    "PD-L1 relief (PD-1 off)": ["receptors.pd1.on=false"],
    "IFN-gamma on division (arrest off)": ["rules.M69.arrest=off"],
    "PD-L1 of host cells (weight = 0)": ["mechanisms.host_ligands.weight=0"],
    "closing of holes (off)": ["mechanisms.closing.on=false"],
    "early ferroptotic cells mature DCs (Efimova, off)": ["rules.M71.efimova=off"],
    "they hold DCs back instead (Wiernicki for Efimova)": [
        "rules.M71.efimova=off", "rules.M72.wiernicki=on",
        "rules.M72.wiernicki_antigen=on", "rules.M72.wiernicki_presentation=on",
    ],
}  # fmt: skip


def bootstrap(values, statistic, n=2000) -> tuple[float, float]:
    """Paired percentile interval over seeds; `values` is a list of arrays of one length."""
    rng = np.random.default_rng(20261121)
    m = len(values[0])
    draws = [statistic(*(v[i] for v in values)) for i in (rng.integers(0, m, m) for _ in range(n))]
    return tuple(float(x) for x in np.percentile(draws, (2.5, 97.5)))


def row(name: str, table: pd.DataFrame, full: np.ndarray) -> dict:
    """One line of the table; `table` holds the rows of one run on the day, `full` the uncut excess per seed."""
    of = shares(table)
    e = of["excess"].to_numpy()
    mean, fall = mean_interval(e), mean_interval(full - e)
    share = bootstrap([full, e], lambda a, b: 1.0 - np.mean(b) / np.mean(a)) if len(e) >= FEWEST else (None, None)
    ratio = table.groupby("arm")["cd8_per_tumour_cell"].median()
    return {
        "cut": name, "n": len(e), "day": float(table["day"].iloc[0]),
        "excess": mean.value, "excess_ci": [mean.low, mean.high],
        "fall": fall.value, "fall_ci": [fall.low, fall.high],
        "share": float(1.0 - e.mean() / full.mean()), "share_ci": list(share),
        **{f"share_{arm}": float(of[arm].median()) for arm in ARMS},
        **{f"et_{arm}": float(ratio[arm]) for arm in ratio.index},
    }  # fmt: skip


def main() -> None:
    """Run all cuts, read them on one day and write the table."""
    options = parser(__doc__.splitlines()[0], "runs/attribution")
    options.add_argument("--quick", action="store_true")
    a = options.parse_args()
    folder = Path(a.out)
    runs = {
        name: run(a.config, [*a.changes, *cut], folder / f"cut-{k}", a.jobs, a.quick)
        for k, (name, cut) in enumerate(CUTS.items())
    }
    _day, tables = read(runs, a.day)
    full = shares(tables["nothing cut"])["excess"].to_numpy()
    rows = [row(name, table, full) for name, table in tables.items()]
    (folder / "attribution.json").write_text(json.dumps(rows, indent=2))
    (folder / "attribution.md").write_text(markdown(rows))
    print(markdown(rows))


def markdown(rows: list[dict]) -> str:
    """The table for docs."""
    out = [f"Day {rows[0]['day']:g}.", "", "| cut | n | excess over Bliss (95 % CI) | share of the full excess (95 % CI) | anti-PD-L1, particles, both (share of control, median) | CD8 per tumour cell: control, both |", "|---|---|---|---|---|---|"]
    for r in rows:
        low, high = r["share_ci"]
        within = "" if low is None else f" ({100 * low:.0f} to {100 * high:.0f})"
        out.append(
            f"| {r['cut']} | {r['n']} | {r['excess']:.3f} ({r['excess_ci'][0]:.3f} to {r['excess_ci'][1]:.3f}) | "
            f"{100 * r['share']:.0f} %{within} | "
            f"{r['share_anti_pdl1']:.2f}, {r['share_rsl3_np']:.2f}, {r['share_combination']:.2f} | {r['et_control']:.3f}, {r['et_combination']:.3f} |"
        )
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    guarded(main)
