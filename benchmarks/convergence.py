"""Do the four arms' endpoints hold at half the tick, other voxels, one clock for all, tighter fields, in 3D?

    python benchmarks/convergence.py [--seeds 20] [--cells N] [--days D] [--out runs/convergence] [--jobs 2] [--day D] [--only NAME ...]

Small tumours (`configs/attribution.yaml`; `--cells` and `--days` for smaller and shorter ones) on paired seeds. Per variant: living tumour
cells over the same seed's control, all arms on one day (`paired_arms.py`; a variant with a simulation that stopped before it is
refused), the excess over Bliss, and the excess less that of the same seeds as shipped; mean and 95 % t interval. A narrower or wider
voxel holds one cell as well, so cells lie closer or farther apart and the tumour has as many cells on less or more area; in 3D a ball of as
many cells grows in a cube, for 4 days at most. The excess there is set against the flat tumours on that day.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pandas as pd
from paired_arms import ARMS, guarded, interval, parser, read, run, shares

FAR = ("cystine", "cxcl", "atp", "hmgb1", "suppression", "il12", "growth_factors", "rsl3", "anti_pdl1")
SLOW = ("oxygen", "ifng", "arachidonic", *FAR)
EVERY_MINUTE = [f"fields.{name}.clock_min=1" for name in SLOW] + ["clocks.chemistry_resting_min=1"]
SHIPPED, FLAT, BALL = "as shipped", "4 days only", "3D, 4 days"
DAYS_3D = 4.0
CELLS, SIDE, SIDE_3D = 300, 132, 52  # of the config: cells at the start, voxels on a side
DX_UM = {"voxel 14 um": 14, "voxel 20 um": 20}  # 15 in all others
VARIANTS: dict[str, list[str]] = {
    SHIPPED: [],
    "base tick 0.5 min": ["clocks.dt_min=0.5"],
    "chemistry at every tick": ["clocks.chemistry_resting_min=1"],
    "fields to 1e-6": ["clocks.field_tol=1e-6"],
    "all fields on the lattice itself": [f"fields.{name}.coarsen=1" for name in FAR],
    "one clock: fields and chemistry every minute": EVERY_MINUTE,
    "voxel 14 um": ["domain={size_um: [1848, 1848], dx_um: 14, thickness_um: 14}"],
    "voxel 20 um": ["domain={size_um: [2640, 2640], dx_um: 20, thickness_um: 20}"],
    FLAT: [f"horizon_day={DAYS_3D:g}"],
    BALL: ["domain.size_um=[780, 780, 780]", "initial.kind=spheroid", f"horizon_day={DAYS_3D:g}"],
}
HEAD = ("variant", "n", "day", "control, cells", "anti-PD-L1", "particles", "both", "excess over Bliss", "less that as shipped")


def size(name: str, cells: int | None, days: float | None) -> list[str]:
    """Changes that make a variant's tumours smaller and its simulations shorter; the domain shrinks with the tumour's diameter."""
    changes = [] if days is None else [f"horizon_day={min(days, DAYS_3D) if name in (FLAT, BALL) else days:g}"]
    if cells is None:
        return changes
    side, axes = (SIDE_3D, 3) if name == BALL else (SIDE, 2)
    voxels = max(4 * ceil(0.25 * side * (cells / CELLS) ** (1.0 / axes)), 40)  # by fours: the widest voxels that a field is solved on
    return [*changes, f"initial.n_cells={cells}", f"domain.size_um={[voxels * DX_UM.get(name, 15)] * axes}"]


def row(name: str, day: float, s: pd.DataFrame, base: pd.DataFrame | None) -> str:
    """One line of the table; `base` is what the excess is set against, replicate by replicate."""
    cells = [interval(s[arm]) for arm in ARMS]
    less = "–" if base is None else interval((s["excess"] - base["excess"]).dropna(), 3)
    return f"| {name} | {len(s)} | {day:g} | {s['control_cells'].mean():,.0f} | {' | '.join(cells)} | {interval(s['excess'], 3)} | {less} |"


def main() -> None:
    """Run the variants and write the table."""
    options = parser(__doc__.splitlines()[0], "runs/convergence")
    options.add_argument("--seeds", type=int, default=6)
    options.add_argument("--cells", type=int, default=None, help="living tumour cells at the start [default: the config's]")
    options.add_argument("--days", type=float, default=None, help="horizon, day [default: the config's, 4 in 3D]")
    options.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    a = options.parse_args()
    folder = Path(a.out)
    lines = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    found: dict[str, pd.DataFrame] = {}
    for k, (name, changes) in enumerate(VARIANTS.items()):
        if name not in a.only:
            continue
        given = [f"replicates={a.seeds}", *changes, *size(name, a.cells, a.days), *a.changes]
        day, rows = read({name: run(a.config, given, folder / f"variant-{k}", a.jobs)}, a.day)
        found[name] = shares(rows[name])
        lines.append(row(name, day, found[name], None if name in (SHIPPED, FLAT) else found.get(FLAT if name == BALL else SHIPPED)))
        print(lines[-1], flush=True)
    (folder / "convergence.md").write_text("\n".join(lines) + "\n")
    print(folder / "convergence.md")


if __name__ == "__main__":
    guarded(main)
