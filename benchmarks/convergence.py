"""Do the four arms' endpoints hold at half the tick, a finer voxel, one rate for all, tighter fields, in 3D?

    python benchmarks/convergence.py [--seeds 6] [--out runs/convergence] [--jobs 2] [--day D] [--only NAME ...]

Small tumours (`configs/attribution.yaml`) on paired seeds. Per variant: living tumour cells over the same seed's
control, all arms on one day (`paired_arms.py`; a variant with a simulation that stopped before it is refused), mean
and 95 % t interval, and the excess over Bliss. A finer voxel holds one cell as well, so cells are smaller and the
tumour has as many cells on less area; in 3D a ball of as many cells grows in a cube.
"""

from __future__ import annotations

from pathlib import Path

from paired_arms import ARMS, guarded, interval, parser, read, run, shares

DAYS = ["horizon_day=4"]
FAR = ("cystine", "cxcl", "atp", "hmgb1", "suppression", "rsl3", "anti_pdl1")
SLOW = ("oxygen", "ifng", *FAR)
EVERY_MINUTE = [f"fields.{name}.clock_min=1" for name in SLOW] + ["clocks.chemistry_resting_min=1"]
CUBE = ["domain.size_um=[960, 960, 960]", "initial.kind=spheroid", *DAYS]
VARIANTS: dict[str, list[str]] = {
    "as shipped": [],
    "base tick 0.5 min": ["clocks.dt_min=0.5"],
    "chemistry at every tick": ["clocks.chemistry_resting_min=1"],
    "fields to 1e-6": ["clocks.field_tol=1e-6"],
    "all fields on the lattice itself": [f"fields.{name}.coarsen=1" for name in FAR],
    "one rate: fields and chemistry every minute": EVERY_MINUTE,
    "voxel 15 um": ["domain={size_um: [3000, 3000], dx_um: 15, thickness_um: 15}"],
    "4 days only": DAYS,
    "3D, 4 days": CUBE,
}


def main() -> None:
    """Run the variants and write the table."""
    options = parser(__doc__.splitlines()[0], "runs/convergence")
    options.add_argument("--seeds", type=int, default=6)
    options.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    a = options.parse_args()
    folder = Path(a.out)
    lines = ["| variant | n | day | control, cells | anti-PD-L1 | particles | both | excess over Bliss |", "|---|---|---|---|---|---|---|---|"]
    for k, (name, changes) in enumerate(VARIANTS.items()):
        if name not in a.only:
            continue
        made = run(a.config, [f"replicates={a.seeds}", *changes, *a.changes], folder / f"variant-{k}", a.jobs)
        day, rows = read({name: made}, a.day)
        s = shares(rows[name])
        cells = " | ".join(interval(s[arm]) for arm in ARMS)
        lines.append(f"| {name} | {len(s)} | {day:g} | {s['control_cells'].mean():,.0f} | {cells} | {interval(s['excess'])} |")
        print(lines[-1], flush=True)
    (folder / "convergence.md").write_text("\n".join(lines) + "\n")
    print(folder / "convergence.md")


if __name__ == "__main__":
    guarded(main)
