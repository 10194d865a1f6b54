"""A 3D tumour's middle slice against the 2D section: the same vessels per volume must give the same oxygen."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from tme.core.field import Field
from tme.core.grid import Grid
from tme.core.vessels import VesselBed
from tme.kernels.exchange import per_vessel
from tme.kernels.multigrid import Workspace
from tme.library import load_library
from tme.mechanisms import PARAMETER_SETS
from tme.targets.base import Outcome, Target

RADIUS_UM, MARGIN_UM, DX_UM, BIN_UM = 330.0, 300.0, 20.0, 50.0
HYPOXIC_MMHG = 5.0
SECTIONS, TUMOURS = 96, 24


def oxygen(grid: Grid, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Steady oxygen (mmHg) and depth in the tumour (um), of the grid's shape: a ball or disc of cells in normal tissue, vessels by zone."""
    entry = load_library().fields["oxygen"]
    zones, uptake = PARAMETER_SETS["vessels"].build({}), PARAMETER_SETS["uptake"].build({})
    middle = 0.5 * np.array(grid.shape[::-1]) * grid.dx_um
    at = np.stack(grid.centres_um(np.arange(grid.n_voxels)), axis=1) - middle
    depth = RADIUS_UM - np.sqrt((at**2).sum(axis=1))
    bed = VesselBed(grid, zones.per_mm2, seed)
    bed.update(depth, zones.rim_um, zones.normal_factor, 1.0, zones.core_factor)
    field = Field("oxygen", "mmHg", grid, entry.diffusion, entry.decay, mode="quasi_steady", initial=20.0, k_m=uptake.oxygen_k,
                  vessel_value=entry.vessel_value, tol=1e-4)  # fmt: skip
    field.use("exchange")[bed.voxels] = bed.rate(entry.vessel_exchange * per_vessel(grid.voxel_um3), entry.diffusion) * bed.weight
    field.use("vmax")[:] = uptake.oxygen_vmax * np.where(depth > 0.0, 1.0, uptake.normal_oxygen)
    field.advance(1.0, Workspace(grid.shape))
    return field.concentration.reshape(grid.shape), depth.reshape(grid.shape)


def sections(three: bool, seeds: range) -> list[tuple[np.ndarray, np.ndarray]]:
    """Oxygen and depth of the tumour's voxels: of the section of each 2D tumour, of the three middle slices of each 3D one."""
    n = int(np.ceil((RADIUS_UM + MARGIN_UM) / DX_UM)) * 2 + 1
    grid, out = Grid((n if three else 1, n, n), DX_UM, DX_UM), []
    for seed in seeds:
        c, depth = oxygen(grid, seed)
        for axis in range(3) if three else (0,):
            plane, d = c.take(n // 2 if three else 0, axis), depth.take(n // 2 if three else 0, axis)
            out.append((plane[d > 0.0], d[d > 0.0]))
    return out


def summary(found: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float, list[float]]:
    """(hypoxic share, its standard error, mean oxygen in steps of 50 um of depth)."""
    shares = np.array([(c < HYPOXIC_MMHG).mean() for c, _ in found])
    c, d = (np.concatenate(part) for part in zip(*found, strict=True))
    edges = np.arange(0.0, RADIUS_UM + BIN_UM, BIN_UM)
    profile = [float(c[(d >= a) & (d < b)].mean()) for a, b in pairwise(edges) if ((d >= a) & (d < b)).any()]
    return float(shares.mean()), float(shares.std(ddof=1) / np.sqrt(len(shares))), profile


def alike() -> Outcome:
    """96 discs and 24 balls of cells, 330 um in radius, in tissue with the default vessels; nothing grows, oxygen at its steady state.

    Share below 5 mmHg of the three middle slices of each ball against the discs: within 20 % or 0.05, whichever is larger. Mean oxygen in
    steps of 50 um of depth within 20 %. What cells divide at is reported as the share that division has of its full rate there.
    """
    flat, flat_error, flat_profile = summary(sections(False, range(SECTIONS)))
    ball, ball_error, ball_profile = summary(sections(True, range(TUMOURS)))
    off = [b / a - 1.0 for a, b in zip(flat_profile, ball_profile, strict=True)]
    p = PARAMETER_SETS["division"].build({})
    rate = [[float(np.clip((c - p.o2_low) / (p.o2_high - p.o2_low), 0.0, 1.0)) for c in profile] for profile in (flat_profile, ball_profile)]
    values: dict[str, Any] = {
        "hypoxic_share_2d_3d": [flat, ball], "standard_errors": [flat_error, ball_error], "oxygen_by_depth_2d_mmHg": flat_profile,
        "oxygen_by_depth_3d_mmHg": ball_profile, "division_by_depth_2d": rate[0], "division_by_depth_3d": rate[1],
    }  # fmt: skip
    claims = {
        "hypoxic share within 20 % or 0.05": abs(ball - flat) <= max(0.2 * flat, 0.05),
        "oxygen by depth within 20 %": max(map(abs, off)) <= 0.2,
    }
    return Outcome(values, claims)


TARGETS = (
    Target(
        "T48",
        "3D is the same tumour",
        "middle slice of a 3D tumour against the 2D section at equal radius and length density of vessels: hypoxic share within 20 % "
        "or 0.05, oxygen against depth within 20 %; division against depth reported",
        "stereology (Baddeley and Jensen 2005, Stereology for Statisticians)",
        "calibration",
        alike,
    ),
)
