"""Tissue: oxygen around vessels, necrosis beyond, and growth of untreated tumours."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels.multigrid import Workspace
from tme.model import TumourModel
from tme.statistics import fit_line
from tme.targets.base import Outcome, Target, within
from tme.targets.mutants import Mutant
from tme.targets.setups import dish, minutes, nodule

MOUSE = ("b16_like", "ct26_like", "mc38_like", "breast_4t1_like")


def decay_length(value: np.ndarray, dx_um: float) -> float:
    """Length (um) over which a profile falls by e: from a straight line through its logarithm."""
    x = np.arange(len(value)) * dx_um
    return -1.0 / fit_line(x, np.log(value)).slope


def penetration(diffusion: float = 1e5, loss: float = 10.0, dx_um: float = 20.0) -> float:
    """Measured oxygen length (um) beside a line of vessels held at 38 mmHg, first-order uptake everywhere."""
    grid = Grid((1, 16, 121), dx_um)
    field = Field("oxygen", "mmHg", grid, diffusion, mode="quasi_steady", tol=1e-10)
    field.use("loss")[:] = loss
    field.fix(np.arange(grid.n_voxels) % grid.nx == 0, 38.0)
    field.advance(1.0, Workspace(grid.shape, grid.periodic))
    profile = field.concentration.reshape(grid.shape)[0].mean(axis=0)
    return decay_length(profile[2:26], dx_um)


def vessel_line() -> TumourModel:
    """Confluent tumour tissue, 700 x 200 um, fed by a line of vessels at its left edge only."""
    model = dish((700.0, 200.0), 3.0, fields={"oxygen": {"initial": 38, "held": False}})
    x, _y, _z = model.lattice.position_um(np.arange(model.grid.n_voxels))
    sites = np.flatnonzero(x < model.grid.dx_um)
    model.vessels.place(sites, np.zeros(len(sites)))
    model.mechanism("vessels").prepare(model)
    minutes(model, 20.0)  # until oxygen has been solved
    return model


def distance_below(profile: np.ndarray, level: float, dx_um: float) -> float:
    """Distance (um) from the first voxel at which a falling profile passes a level; inf if it does not."""
    below = np.flatnonzero(profile < level)
    if len(below) == 0:
        return float("inf")
    i = int(below[0])
    if i == 0:
        return 0.0
    return float((i - (level - profile[i]) / (profile[i - 1] - profile[i])) * dx_um)


def necrotic_share(model: TumourModel) -> np.ndarray:
    """Share (nx,) of each column's cells that live no more (cleared ones included)."""
    nx, ny = model.grid.nx, model.grid.ny
    t = model.tumour
    alive = np.bincount(t.voxel[t.state == 0] % nx, minlength=nx)
    return 1.0 - alive / ny


def oxygen_and_necrosis() -> Outcome:
    """First-order uptake of 10/min beside a vessel line against sqrt(D/lambda); then the model's own uptake.

    The tissue is confluent and fed by one line of vessels: distance at which oxygen falls below 10, 5 and
    2.5 mmHg at the start, and after 2 days the distance beyond which half of the cells are necrotic. Hypoxia
    is counted from 5 mmHg, as in the readouts.
    """
    measured, theory = penetration(), np.sqrt(1e5 / 10.0)
    model = vessel_line()
    profile = model.fields["oxygen"].concentration.reshape(model.grid.shape)[0].mean(axis=0)
    at = {level: distance_below(profile, level, 20.0) for level in (10.0, 5.0, 2.5)}
    minutes(model, 2 * 1440.0)
    later = model.fields["oxygen"].concentration.reshape(model.grid.shape)[0].mean(axis=0)
    necrosis = distance_below(1.0 - necrotic_share(model), 0.5, 20.0)
    values = {
        "length_um": measured,
        "theory_um": theory,
        "below_10_5_2.5_mmHg_um": list(at.values()),
        "below_5_mmHg_after_2_d_um": distance_below(later, 5.0, 20.0),
        "half_necrotic_um": necrosis,
    }
    claims = {
        "length within 1 %": bool(abs(measured / theory - 1.0) < 0.01),
        "hypoxic beyond 100-200 um": within(at[5.0], 100.0, 200.0),
        "necrosis farther out": bool(at[5.0] < necrosis < np.inf),
    }
    return Outcome(values, claims)


def growth_of(preset: str, n_cells: int, size_um: float, days: int, seed: int = 1) -> dict[str, Any]:
    """Doubling times (d) of volume and of cell number, and of volume in the first and second half."""
    model = nodule(preset, n_cells, size_um, days, seed)
    cells, volume = [], []
    for k in range(2 * days + 1):
        if k:
            minutes(model, 720.0)
        row = model.observe()
        cells.append(row["tumour_alive"])
        volume.append(row["tumour_volume_mm3"])
    log = np.log2(volume)
    half = 0.5 * days
    return {
        "volume_doubling_d": float(days / (log[-1] - log[0])),
        "cells_doubling_d": float(days / np.log2(cells[-1] / cells[0])),
        "volume_doubling_by_half_d": [
            float(half / (log[days] - log[0])),
            float(half / (log[-1] - log[days])),
        ],
    }


def untreated_growth() -> Outcome:
    """Untreated nodules of every mouse preset with their immune cells: 4,700 cells, 4 days.

    That is the size of the base experiment. Volume is that of a ball with the section's area, as callipers
    would give; the doubling of the cell number is reported too. A nodule starts fed throughout and first
    loses its core, so slowing with size is judged against a nodule of 1,000 cells over 2 days, which must
    double faster.
    """
    values: dict[str, Any] = {}
    claims: dict[str, bool | None] = {}
    for preset in MOUSE:
        large, small = growth_of(preset, 4700, 3400.0, 4), growth_of(preset, 1000, 1400.0, 2)
        values[preset] = {**large, "small_volume_doubling_d": small["volume_doubling_d"]}
        claims[f"{preset} doubles in 1.5-4 d"] = within(large["volume_doubling_d"], 1.5, 4.0)
        claims[f"{preset} slows with size"] = large["volume_doubling_d"] > small["volume_doubling_d"]
    return Outcome(values, claims)


TARGETS = (
    Target(
        "T28",
        "Oxygen and necrosis",
        "length within 1 % of sqrt(D/lambda); hypoxic beyond 100-200 um from a vessel, necrosis beyond",
        "Thomlinson and Gray 1955, doi 10.1038/bjc.1955.55; Vaupel et al. 1989, Cancer Res 49:6449",
        "calibration",
        oxygen_and_necrosis,
        Mutant("cells use no oxygen", {"mechanisms": {"uptake": {"oxygen_vmax": 0}}}),
    ),
    Target(
        "T32",
        "Untreated growth",
        "volume doubles in 1.5-4 d over the first 4 d for every mouse preset, slowing with size",
        "tumour growth of B16, CT26, MC38 and 4T1 in mice, literature ranges (no single source)",
        "calibration",
        untreated_growth,
        Mutant("cells do not divide", {"mechanisms": {"division": {"k_div": 0}}}),
    ),
)
