"""Oxygen in the middle slice of a 3D tumour and in a 2D section of equal radius and length density of vessels (target T48).

    python benchmarks/middle_slice.py [--radius 400] [--per-mm2 75 60 50] [--seeds 16]

Nothing grows: a ball (a disc) of living cells that fill every voxel, in normal tissue, with vessels by zone as the base
experiment has them, oxygen at its steady state. Several seeds of vessels, and in 3D the middle slice along each axis.
Printed per density: shares of the tumour below 10, 5 and 2.5 mmHg, and mean oxygen against depth.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from typing import Any

import numpy as np

from tme.core.field import Field
from tme.core.grid import Grid
from tme.core.vessels import VesselBed
from tme.kernels.exchange import per_vessel
from tme.kernels.multigrid import Workspace
from tme.mechanisms import PARAMETER_SETS
from tme.model import load_config

MARGIN_UM = 300.0  # normal tissue around the tumour
BIN_UM = 50.0
LEVELS = (10.0, 5.0, 2.5)


def oxygen(grid: Grid, radius_um: float, per_mm2: float, seed: int, changes: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Steady oxygen, mmHg, and depth in the tumour, um, both of the grid's shape."""
    entry = dict(load_config("configs/base.yaml").field_entries())["oxygen"]
    zones, uptake = PARAMETER_SETS["vessels"].build({}), PARAMETER_SETS["uptake"].build({})
    middle = 0.5 * np.array(grid.shape[::-1]) * grid.dx_um
    at = np.stack(grid.centres_um(np.arange(grid.n_voxels)), axis=1) - middle
    depth = radius_um - np.sqrt((at**2).sum(axis=1))
    bed = VesselBed(grid, per_mm2, seed)
    bed.update(depth, zones.rim_um, zones.normal_factor, 1.0, changes.get("core_factor", zones.core_factor))
    field = Field("oxygen", "mmHg", grid, entry.diffusion, entry.decay, mode="quasi_steady", initial=20.0, k_m=uptake.oxygen_k,
                  vessel_value=entry.vessel_value, tol=1e-4)  # fmt: skip
    rate = changes.get("exchange", entry.vessel_exchange) * per_vessel(grid.voxel_um3)
    field.use("exchange")[bed.voxels] = bed.rate(rate, entry.diffusion) * bed.weight
    field.use("vmax")[:] = uptake.oxygen_vmax * np.where(depth > 0.0, 1.0, uptake.normal_oxygen)
    field.advance(1.0, Workspace(grid.shape))
    return field.concentration.reshape(grid.shape), depth.reshape(grid.shape)


def slices(three: bool, radius_um: float, per_mm2: float, seeds: range, dx_um: float, changes: dict[str, float]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Oxygen and depth of the tumour's voxels in every section."""
    n = int(np.ceil((radius_um + MARGIN_UM) / dx_um)) * 2 + 1
    grid, out = Grid((n if three else 1, n, n), dx_um, dx_um), []
    for seed in seeds:
        c, depth = oxygen(grid, radius_um, per_mm2, seed, changes)
        for axis in range(3) if three else (0,):
            section, d = c.take(n // 2 if three else 0, axis), depth.take(n // 2 if three else 0, axis)
            out.append((section[d > 0.0], d[d > 0.0]))
    return out


def summary(sections: list[tuple[np.ndarray, np.ndarray]], radius_um: float) -> dict[str, Any]:
    """Means over sections: shares below each level with their standard errors, and oxygen by depth."""
    shares = np.array([[(c < level).mean() for level in LEVELS] for c, _ in sections])
    c, d = (np.concatenate(part) for part in zip(*sections, strict=True))
    edges = np.arange(0.0, radius_um + BIN_UM, BIN_UM)
    profile = [float(c[(d >= a) & (d < b)].mean()) for a, b in pairwise(edges) if ((d >= a) & (d < b)).any()]
    return {"shares": shares.mean(axis=0), "errors": shares.std(axis=0) / np.sqrt(len(shares)), "profile": profile}


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--radius", type=float, default=400.0, help="um")
    parser.add_argument("--per-mm2", type=float, nargs="+", default=[75.0], help="length densities, mm/mm^3")
    parser.add_argument("--seeds", type=int, default=16, help="of vessels, in 2D; a quarter of them in 3D")
    parser.add_argument("--dx", type=float, default=20.0, help="um")
    parser.add_argument("--set", nargs="*", default=[], metavar="core_factor|exchange=VALUE")
    given = parser.parse_args()
    changes = {key: float(value) for key, value in (item.split("=") for item in given.set)}
    for per_mm2 in given.per_mm2:
        for name, three, seeds in (("2D", False, range(given.seeds)), ("3D", True, range(max(1, given.seeds // 4)))):
            found = summary(slices(three, given.radius, per_mm2, seeds, given.dx, changes), given.radius)
            below = ", ".join(f"{s:.3f} ({e:.3f})" for s, e in zip(found["shares"], found["errors"], strict=True))
            print(f"{name}  L_V {per_mm2:5.1f}  below 10, 5, 2.5 mmHg: {below}   mmHg by depth: {' '.join(f'{p:.1f}' for p in found['profile'])}", flush=True)


if __name__ == "__main__":
    main()
