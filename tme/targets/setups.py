"""Models the checks run: from sections given in code, through the same loader as any experiment file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tme.model import TumourModel, load_config
from tme.targets.mutants import mutated

# a dish: medium with air and cystine, no vessels, no division, no death but ferroptosis
DISH_FIELDS = {"oxygen": {"initial": 140, "held": True}, "cystine": {"initial": 200, "held": True}}
DISH_MECHANISMS = {"vessels": {"per_mm2": 0}, "division": {"k_div": 0}, "death": {"k_apo": 0}}
NO_CLONES = {"fsp1_high": None, "nrf2_high": None, "acsl4_low": None}
# densities of the base experiment (a test compares them)
TISSUE = {
    "cd8": {"per_mm2": 125},
    "macrophage": {"share": 0.10},
    "dendritic": {"share": 0.01},
    "treg": {"per_mm2": 30},
}


def build(sections: dict[str, Any], seed: int = 1, arm: str = "control", **how: Any) -> TumourModel:
    """A model from the sections of an experiment file, with the mutant in force."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "target.yaml"
        path.write_text(json.dumps(mutated(sections)))
        config = load_config(path)
    return TumourModel(config, seed=seed, arm=arm, **how)


def dish(
    size_um: tuple[float, float],
    days: float,
    *,
    dx_um: float = 20.0,
    thickness_um: float | None = None,
    dt_min: float = 1.0,
    cv: float = 0.0,
    occupancy: float = 1.0,
    drugs: list[tuple[str, float, float]] | tuple = (),
    fields: dict[str, Any] | None = None,
    mechanisms: dict[str, Any] | None = None,
    populations: dict[str, Any] | None = None,
    initial: dict[str, Any] | None = None,
    seed: int = 1,
) -> TumourModel:
    """A monolayer of HT-1080 in medium; `drugs` are baths (name, uM, from day). Voxels below 13 um get a slab
    of 25 um so that a cell fits."""
    baths = [{"name": n, "bath_uM": c, "day": day, "route": "bath"} for n, c, day in drugs]
    thickness = thickness_um or (20.0 if dx_um >= 13.0 else 25.0)
    sections = {
        "start_day": 0,
        "horizon_day": days,
        "domain": {
            "size_um": list(size_um),
            "dx_um": dx_um,
            "thickness_um": thickness,
            "at_edge": "continue",
        },
        "initial": initial or {"kind": "monolayer", "occupancy": occupancy},
        "tumour": {"preset": "ht1080", "cv": cv},
        "populations": populations or {},
        "fields": merged({**DISH_FIELDS, "peroxide": {"clock_min": dt_min}}, fields),
        "mechanisms": merged(DISH_MECHANISMS, mechanisms),
        "arms": {"control": {"drugs": baths}},
        "clocks": {"dt_min": dt_min},
    }
    return build(sections, seed)


def merged(base: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
    """Two levels of mappings, the changes on top."""
    out = {k: dict(v) for k, v in base.items()}
    for key, values in (changes or {}).items():
        out[key] = {**out.get(key, {}), **values}
    return out


def nodule(
    preset: str,
    n_cells: int,
    size_um: float,
    days: float,
    seed: int = 1,
    arm: str = "control",
    **sections: Any,
) -> TumourModel:
    """A nodule in tissue with the immune cells and field tolerance of the base experiment."""
    given = {
        "start_day": 0,
        "horizon_day": days,
        "domain": {"size_um": [size_um, size_um], "at_edge": "continue"},
        "initial": {"kind": "nodule", "n_cells": n_cells},
        "tumour": {"preset": preset},
        "populations": TISSUE,
        "clocks": {"field_tol": 1e-3},
    }
    return build({**given, **sections}, seed, arm)


def minutes(model: TumourModel, span: float, each: Callable[[TumourModel], Any] | None = None) -> None:
    """Run for `span` minutes; call `each` after every tick, and stop early when it returns True."""
    for _ in range(round(span / model.dt_min)):
        model.step()
        if each is not None and each(model):
            return


class Arrivals:
    """Per voxel (n_voxels,), min: when PLOOH first passes a threshold, when the cell ruptures; NaN never.

    Call it after every tick; corpses may be cleared meanwhile.
    """

    def __init__(self, model: TumourModel, plooh_uM: float = 60.0) -> None:
        self.level = plooh_uM
        self.start = model.tick
        self.fired = np.full(model.grid.n_voxels, np.nan)
        self.dead = np.full(model.grid.n_voxels, np.nan)
        self.shape = model.grid.shape[1:]
        self.dx_um = model.grid.dx_um

    def __call__(self, model: TumourModel) -> bool:
        """Note what is new; True once every cell has died."""
        t = model.tumour
        now = (model.tick - self.start) * model.dt_min
        hot = t.voxel[t.plooh > self.level]
        self.fired[hot[np.isnan(self.fired[hot])]] = now
        gone = t.voxel[t.state == 1]
        self.dead[gone[np.isnan(self.dead[gone])]] = now
        return not (t.state == 0).any()


def ignite(model: TumourModel, width_um: float, plooh_uM: float = 400.0) -> int:
    """Set PLOOH of the cells within `width_um` of the left edge; returns how many."""
    x, _y, _z = model.lattice.position_um(model.tumour.voxel)
    rows = np.flatnonzero(x < width_um)
    model.tumour.col.plooh[rows] = plooh_uM
    return len(rows)
