"""What the two numbers of room do to the growth delay after one kill (target T47), one at a time.

    python benchmarks/room.py [--close-h 2 24] [--crowd-half 10 100] [--seeds 1]

As `tme targets T47` in 2D, with half and 0.7 of the cells killed: delay in doubling times (log2(1/(1 - share)) is 1 and 1.74), mean
of the seeds, and the doubling time of the control. The first line is as shipped.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from tme.targets.growth import NODULE_DAYS, NODULES, set_back, well_fed
from tme.targets.mutants import Mutant, under

SHARES = (0.5, 0.7)


def measured(change: dict[str, Any], seeds: Sequence[int]) -> tuple[list[float], float]:
    """Delay after each share, and doubling time of the control, h; means of the seeds."""
    with under(Mutant("room", change)):
        found = [set_back(well_fed(NODULES["2d"], 0.0, s), {f: well_fed(NODULES["2d"], f, s) for f in SHARES}, NODULE_DAYS) for s in seeds]
    return [float(np.mean([x["delay"][f] for x in found])) for f in SHARES], float(np.mean([x["doubling_h"] for x in found]))


def main() -> None:
    """Print the table of docs/calibration.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--close-h", type=float, nargs="*", default=[2.0, 24.0])
    parser.add_argument("--crowd-half", type=float, nargs="*", default=[10.0, 100.0], help="cells")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    asked = parser.parse_args()
    variants: dict[str, dict[str, Any]] = {"as shipped": {}}
    variants |= {f"`close_h` {v:g}": {"mechanisms": {"closing": {"close_h": v}}} for v in asked.close_h}
    variants |= {f"`crowd_half` {v:g}": {"mechanisms": {"division": {"crowd_half": v}}} for v in asked.crowd_half}
    print("| | delay | doubling |\n|---|---|---|")
    for name, change in variants.items():
        delay, doubling = measured(change, asked.seeds)
        print(f"| {name} | {', '.join(f'{d:.2f}' for d in delay)} | {doubling:.1f} |", flush=True)


if __name__ == "__main__":
    main()
