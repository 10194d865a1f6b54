"""What solving fields on wider voxels than the lattice's costs in accuracy, and saves in time.

    python benchmarks/wider_voxels.py [--cells 5000] [--day 1.5]

Takes the combination arm of the four-arm experiment as it is on that day and solves each field, from its own
sources, losses and vessels held still, on the lattice itself and on voxels twice and four times as wide, to
1e-7. Prints the difference at living tumour cells (median and 95th percentile, relative to the field there)
and anywhere (relative to the field's maximum). The library's `coarsen` keeps the median at 1 % or less.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from tme.bench.whole import build
from tme.core.field import Field

TERMS = ("loss", "source", "exchange", "vmax")


def solved(model, field: Field, coarsen: int) -> tuple[np.ndarray, float]:
    """The field with its terms held still, and the seconds of its last step at the model's own tolerance."""
    copy = Field(field.name, field.unit, model.grid, field.diffusion, field.decay, field.clock_ticks, field.mode,
                 k_m=field.k_m, vessel_value=field.vessel_value, tol=1e-7, coarsen=coarsen)  # fmt: skip
    for term in TERMS:
        if getattr(field, term) is not None:
            copy.use(term)[:] = getattr(field, term)
    copy.fill(field.concentration)
    dt = field.clock_ticks * model.dt_min
    for _ in range(1 if field.mode == "quasi_steady" else 30):
        copy.advance(dt, model.workspace)
    values = copy.concentration.copy()
    copy.fill(0.99 * values)
    copy.tol, begin = field.tol, time.perf_counter()
    copy.advance(dt, model.workspace)
    return values, time.perf_counter() - begin


def main() -> None:
    """Print one row per field and width."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("--cells", type=int, default=5000)
    words.add_argument("--day", type=float, default=1.5)
    asked = words.parse_args()
    model, _ = build(asked.cells)
    while model.sim_day < asked.day:
        model.step()
    tumour = model.tumour.col
    at = tumour.voxel[: model.tumour.n][tumour.state[: model.tumour.n] == 0]
    print(f"{len(at)} living tumour cells, lattice {model.grid.shape}, voxels of {model.grid.dx_um:g} um, day {model.sim_day:.2f}")
    print("| field | voxels wide | used | median at cells | 95th percentile | most, of the maximum | us |")
    print("|---|---|---|---|---|---|---|")
    for name, field in model.fields.items():
        if not field.concentration.any():
            continue
        used = 1 if field.inner is None else (2 if field.inner.inner is None else 4)
        fine, seconds = solved(model, field, 1)
        print(f"| {name} | 1 | {'yes' if used == 1 else ''} | | | | {1e6 * seconds:.0f} |")
        for width in (2, 4):
            wide, seconds = solved(model, field, width)
            off = np.abs(wide - fine)
            near = off[at] / np.maximum(fine[at], 1e-3 * fine.max())
            print(f"| {name} | {width} | {'yes' if used == width else ''} | {np.median(near):.2%} | {np.quantile(near, 0.95):.2%} |"
                  f" {off.max() / fine.max():.2%} | {1e6 * seconds:.0f} |")  # fmt: skip


if __name__ == "__main__":
    main()
