"""Snapshots: every cell as a row of one table."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.causes import CAUSES

TUMOUR = ("oxygen", "cystine", "ifng", "peroxide", "ifng_response", "gsh", "cysteine", "gpx4", "coq10h2", "lip", "ferritin", "pufa", "plooh", "damage",
          "xct", "gpx4_trait", "fsp1", "acsl4", "tfr1", "nrf2", "antigenicity", "pdl1", "pdl1_free", "mhc1")  # fmt: skip
SHOWN = {
    "kills": ("engaged", "function", "exhaustion", "kills"),
    "polarises": ("m1", "iron_load"),
    "presents": ("mature", "antigen", "blunting"),
}  # by what a cell type does
FATES = np.array(CAUSES)


def cells_table(model: Any) -> dict[str, np.ndarray]:
    """Columns of equal length over all populations; NaN where a type lacks a quantity."""
    n = sum(p.n for p in model.populations)
    out: dict[str, np.ndarray] = {
        "cell_type": np.concatenate([np.full(p.n, p.kind) for p in model.populations]),
        "uid": np.concatenate([p.uid for p in model.populations]),
        "fate": np.full(n, "alive", dtype="<U14"),
    }
    voxel = np.concatenate([p.voxel for p in model.populations])
    out["x_um"], out["y_um"], out["z_um"] = model.lattice.position_um(voxel)
    for tissue in model.tissue:
        at = start_of(model, tissue)
        out["fate"][at : at + tissue.n] = FATES[tissue.state]
    t = model.tumour
    clones = np.array(model.config.clone_names())
    out["clone"] = np.full(n, "", dtype=clones.dtype)
    out["clone"][: t.n] = clones[t.clone]
    for name in TUMOUR:
        out[name] = np.full(n, np.nan)
        out[name][: t.n] = getattr(t, name)
    hours = model.start_day * 24.0 + t.death_tick * model.dt_min / 60.0
    out["death_hour"] = np.full(n, np.nan)
    out["death_hour"][: t.n] = np.where(t.state > 0, hours, np.nan)
    for agent in model.therapy.nanoparticles:
        out[f"np_{agent.name}"] = np.full(n, np.nan)
        out[f"np_{agent.name}"][: t.n] = getattr(t, f"np_{agent.name}")
    for population in model.populations:
        offset = start_of(model, population)
        for does, names in SHOWN.items():
            for name in names if getattr(population.entry, does) else ():
                out.setdefault(name, np.full(n, np.nan))[offset : offset + population.n] = getattr(population, name)
        for name in kept_by_plugins(model, population):
            out.setdefault(name, np.full(n, np.nan))[offset : offset + population.n] = getattr(population, name)
    return out


def kept_by_plugins(model: Any, population: Any) -> list[str]:
    """Columns that laws of plugins keep in a cell type of this model."""
    kept = [c.name for law in model.own.laws for c in law.cell_columns.get(population.kind, ())]
    return [name for name in kept if name in population.declared]


def start_of(model: Any, population: Any) -> int:
    """Row of the table at which a population begins."""
    offset = 0
    for p in model.populations:
        if p is population:
            return offset
        offset += p.n
    raise ValueError(population)
