"""Coverage of `tme calibrate` by simulation-based calibration, on growth curves that cost nothing to simulate.

A tumour grows logistically; each has its own rate (its seed), measured on six days with noise. 500 truths are drawn from the
prior, each is calibrated as real data are, and the posterior share below the truth is recorded: uniform if the posterior is right,
and 90 % intervals then hold 90 % of the truths. Seeds and settings were fixed before the first run.

    python benchmarks/calibration_coverage.py [--truths N] [--pool N] [--seed N] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from tme.studies.abc_smc import Settings, Trial
from tme.studies.coverage import Coverage, measure
from tme.studies.draws import Purpose, normals
from tme.studies.prior import prior

SEED = 20_261_127
TRUTHS = 500
DAYS = np.array([1.0, 2.0, 4.0, 6.0, 8.0, 10.0])
NOISE = np.full(len(DAYS), 0.1)  # sd of log volume as measured
TUMOURS_DIFFER = 0.05  # sd of log rate between tumours of equal numbers
PRIOR = prior(("rate", 0.2, 0.8, "log"), ("capacity", 5.0, 200.0, "log"))
SETTINGS = Settings(seed=SEED, particles=400, seeds=400)


def growth(points: list[Trial], seed: int = SEED) -> np.ndarray:
    """(n, days) log of the volume relative to day 0, of tumours that grow logistically to `capacity` times their size."""
    values = np.array([p.values for p in points])
    own = normals(seed, Purpose.SEED, 0, np.array([p.seed for p in points]), 1)[:, 0]
    rate, capacity = values[:, 0] * np.exp(TUMOURS_DIFFER * own), values[:, 1]
    grown = np.exp(rate[:, None] * DAYS)
    return np.log(grown / (1.0 + (grown - 1.0) / capacity[:, None]))


def coverage(truths: int = TRUTHS, pool: int = SETTINGS.seeds, seed: int = SEED) -> Coverage:
    """The coverage of 90 % intervals for rate and capacity; `pool` is the number of common seeds, 0 for none; `seed` gives truths, noise and tumours."""
    return measure(PRIOR, NOISE, partial(growth, seed=seed), replace(SETTINGS, seeds=pool, seed=seed), truths, seed)


def main() -> None:
    """Measure, print, draw."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--truths", type=int, default=TRUTHS)
    ask.add_argument("--pool", type=int, default=SETTINGS.seeds)
    ask.add_argument("--seed", type=int, default=SEED, help="of truths, noise and tumours; another one repeats the whole with fresh ones")
    ask.add_argument("--out", type=Path, default=None, help="folder for coverage.csv and coverage.png")
    given = ask.parse_args()
    begun = time.perf_counter()
    found = coverage(given.truths, given.pool, given.seed)
    low, high = found.band()
    print(f"{given.truths} truths, pool of {given.pool} seeds, seed {given.seed}, {time.perf_counter() - begun:.0f} s; right coverage falls into {low:.3f}-{high:.3f}")
    for name, share, p in zip(found.names, found.covered(), found.p_uniform()):
        print(f"{name:>10}: 90 % intervals hold the truth in {share:.3f} of cases; ranks uniform: p = {p:.3f}")
    if given.out is not None:
        from tme.viz import calibrate

        given.out.mkdir(parents=True, exist_ok=True)
        np.savetxt(given.out / "coverage.csv", found.below, delimiter=",", header=",".join(found.names), comments="")
        calibrate.ranks(given.out / "coverage.png", found.names, found.histogram(), found.covered(), found.band())


if __name__ == "__main__":
    main()
