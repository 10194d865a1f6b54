"""Do the four arms' endpoints hold at half the tick, a finer voxel, one rate for all, tighter fields, in 3D?

    python benchmarks/convergence.py [--seeds 6] [--out runs/convergence] [--jobs 2] [--only NAME ...]

Small tumours (`configs/attribution.yaml`) on paired seeds. Per variant: living tumour cells at the end over the
same seed's control (mean and 95 % interval), and the excess over Bliss. A finer voxel holds one cell as
well, so cells are smaller and the tumour has as many cells on less area; in 3D a ball of as many cells grows in a cube.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

import tme
from tme.statistics import mean_interval

DAYS = ["horizon_day=4", "output.snapshot_days=[4]", "arms.anti_pdl1.antibodies.0.day=[0, 3]", "arms.rsl3_np.nanoparticles.0.day=[0, 3]"]
FAR = ("cystine", "cxcl", "atp", "hmgb1", "suppression", "rsl3", "anti_pdl1")
SLOW = ("oxygen", "ifng", *FAR)
EVERY_MINUTE = [f"fields.{name}.clock_min=1" for name in SLOW] + ["clocks.chemistry_resting_min=1"]
CUBE = ["domain.size_um=[640, 640, 640]", "initial.kind=spheroid", *DAYS]
VARIANTS: dict[str, list[str]] = {
    "as shipped": [],
    "base tick 0.5 min": ["clocks.dt_min=0.5"],
    "chemistry at every tick": ["clocks.chemistry_resting_min=1"],
    "fields to 1e-6": ["clocks.field_tol=1e-6"],
    "all fields on the lattice itself": [f"fields.{name}.coarsen=1" for name in FAR],
    "one rate: fields and chemistry every minute": EVERY_MINUTE,
    "voxel 15 um": ["domain={size_um: [1800, 1800], dx_um: 15, thickness_um: 15}"],
    "4 days only": DAYS,
    "3D, 4 days": CUBE,
}
ARMS = ("anti_pdl1", "rsl3_np", "combination")


def interval(values: np.ndarray) -> str:
    """Mean over seeds with its t interval."""
    e = mean_interval(values)
    return f"{e.value:.2f} ({e.low:.2f} to {e.high:.2f})"


def main() -> None:
    """Run the variants and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--out", default="runs/convergence")
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    a = parser.parse_args()
    folder = Path(a.out)
    lines = ["| variant | n | control, cells at the end | anti-PD-L1 | particles | both | excess over Bliss |", "|---|---|---|---|---|---|---|"]
    for k, (name, changes) in enumerate(VARIANTS.items()):
        if name not in a.only:
            continue
        config = tme.load_config("configs/attribution.yaml", overrides=[f"replicates={a.seeds}", *changes])
        run = tme.run(config, out=folder / f"variant-{k}", jobs=a.jobs, report=False)
        if run.exit_code:
            sys.exit(run.exit_code)
        alive = run.summary().set_index(["arm", "replicate"])["tumour_alive"].unstack("arm").astype(float)
        share = alive[list(ARMS)].div(alive["control"], axis=0).to_numpy()
        excess = share[:, 0] * share[:, 1] - share[:, 2]
        cells = " | ".join(interval(share[:, i]) for i in range(3))
        lines.append(f"| {name} | {len(alive)} | {alive['control'].mean():,.0f} | {cells} | {interval(excess)} |")
        print(lines[-1], flush=True)
    (folder / "convergence.md").write_text("\n".join(lines) + "\n")
    print(folder / "convergence.md")


if __name__ == "__main__":
    main()
