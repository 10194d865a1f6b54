"""Does a sensitivity study say the same with another seed? Sobol's indices twice, with other points and other tumours.

    python benchmarks/sobol_again.py CONFIG [--seeds 1 2] [--out runs/sobol_again] [--jobs 2] [--quick]

Two estimates of an index agree where they differ by no more than their 95 % intervals together, sqrt(a^2 + b^2). Prints each
index that does not, and the share that do; exit code 1 below 90 %.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
from pathlib import Path

from tme import load_config
from tme.studies import sensitivity

WANTED = 0.9


def indices(folder: Path) -> dict[tuple[str, str, str], tuple[float, float]]:
    """(outcome, group, first or total) -> index and half-width of its interval, of a study's directory."""
    shares = json.loads((folder / "summary.json").read_text())["shares"]
    return {(o, g["group"], k): (g[k], g[f"{k}_interval"]) for o, found in shares.items() for g in found["groups"] for k in ("first", "total")}


def apart(a: dict, b: dict) -> tuple[list[str], int]:
    """Indices on which two studies disagree, in words, and how many both have."""
    both = [k for k in a if k in b]
    told = [f"{' | '.join(k)}: {a[k][0]:.3f} ± {a[k][1]:.3f} and {b[k][0]:.3f} ± {b[k][1]:.3f}" for k in both if abs(a[k][0] - b[k][0]) > math.hypot(a[k][1], b[k][1])]
    return told, len(both)


def main(args: list[str] | None = None) -> int:
    """Run both studies, or complete them, and compare."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("config")
    options.add_argument("--seeds", nargs=2, type=int, default=[1, 2])
    options.add_argument("--out", default="runs/sobol_again")
    options.add_argument("--jobs", type=int, default=None)
    options.add_argument("--quick", action="store_true")
    a = options.parse_args(args)
    folders = [Path(a.out) / f"seed-{seed}" for seed in a.seeds]
    for seed, folder in zip(a.seeds, folders):
        config = load_config(a.config, overrides=[f"seed={seed}", "study.method=sobol"], quick=a.quick)
        sensitivity.run(config, out=folder, jobs=a.jobs, progress=False)
    for first, second in itertools.pairwise(folders):
        told, n = apart(indices(first), indices(second))
        print(*told, f"{n - len(told)} of {n} indices agree within their intervals", sep="\n")
    return int(n == 0 or len(told) > (1 - WANTED) * n)


if __name__ == "__main__":
    sys.exit(main())
