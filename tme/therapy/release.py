"""What sets free the payload of a particle: triggers, alone or combined, in one stage or two.

    acid      h(pH) = 1/(1 + 10^(slope (pH - pKa)))      GSH      G/(K + G)
    hypoxia   K/(K + O2)                                 peroxide L/(K + L), L lipid peroxide of the cell, outside the signal S
    glucose   g/(K + g)                                  light    I/(K + I) while light is on, I its fluence rate
    sound     1 where and while sound is on

    any   k = k0 + sum of k_i x_i              all   k = k0 + (smallest k_i) product of x_i
    two stages: the open share s of the load grows, s' = k_opens (1 - s), and only what is open is set free, at k

Acid, GSH and hypoxia that add up are worked out by the kernel of the cargo; whatever has another trigger, needs all at once
or opens first gets its rate from here, one number a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tme.therapy.events import Occasion, of_kind
from tme.therapy.light import fluence
from tme.therapy.places import inside

Levels = Mapping[str, Callable[[], Any]]


# ---- laws ---------------------------------------------------------------------------------------------------------
def acid(ph: float, pka: float, slope: float) -> float:
    """h(pH), the share of acid-labile bonds that open."""
    return 1.0 / (1.0 + 10.0 ** (slope * (ph - pka)))


def saturating(level: Any, half: float) -> Any:
    """x/(K + x)."""
    return level / (half + level)


def effects(stage: Any, levels: Levels, k_o2: float) -> dict[str, Any]:
    """How far each trigger of a stage is pulled, 0-1."""
    laws: dict[str, Callable[[], Any]] = {
        "ph": lambda: acid(levels["ph"](), stage.pka, stage.slope),
        "gsh": lambda: saturating(levels["gsh"](), stage.gsh_half_uM),
        "hypoxia": lambda: k_o2 / (k_o2 + levels["hypoxia"]()),
        "ros": lambda: saturating(levels["ros"](), stage.ros_half_uM),
        "glucose": lambda: saturating(levels["glucose"](), stage.glucose_half_mM),
        "light": lambda: saturating(levels["light"](), stage.light_half_mw_cm2),
        "sound": lambda: levels["sound"](),
    }
    return {name: laws[name]() for name in stage.triggers}


def release_rate(stage: Any, levels: Levels, k_o2: float) -> Any:
    """k of a stage, 1/min: a number, or an array as its levels are."""
    pulled = effects(stage, levels, k_o2)
    rates = {name: getattr(stage, f"k_{name}") for name in pulled}
    total = stage.k0
    if stage.combine == "any":
        for name, x in pulled.items():
            total = total + rates[name] * x
        return total
    both: Any = 1.0
    for x in pulled.values():
        both = both * x
    return total + (min(rates.values()) if rates else 0.0) * both


def staged(share: np.ndarray, opening: Any, release: Any, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """(rate of release of the whole load, 1/min; open share after it) over dt min, from the open share before."""
    open_now = share + (1.0 - share) * -np.expm1(-opening * dt)
    gone = np.minimum(open_now * -np.expm1(-release * dt), 1.0 - 1e-12)
    return -np.log1p(-gone) / dt, (open_now - gone) / (1.0 - gone)


# ---- what a particle meets ------------------------------------------------------------------------------------------
def on_during(model: Any, o: Occasion, every: int) -> float:
    """Share of the last `every` ticks in which an event was on."""
    first, last = max(o.tick, model.tick - every + 1), min(o.tick + o.ticks - 1, model.tick)
    return max(last - first + 1, 0) / every


def light_on(model: Any, every: int) -> np.ndarray:
    """Mean fluence rate (n_voxels,) of the last `every` ticks, mW/cm^2."""
    return _sum(model, "light", every, fluence)


def sound_on(model: Any, every: int) -> np.ndarray:
    """Share (n_voxels,) of the last `every` ticks in which sound was on there."""
    return np.minimum(_sum(model, "sound", every, lambda model, o: inside(model, o.item.place)), 1.0)


def _sum(model: Any, kind: str, every: int, strength: Callable[[Any, Occasion], np.ndarray]) -> np.ndarray:
    total = np.zeros(model.grid.n_voxels)
    for o in of_kind(model, kind):
        share = on_during(model, o, every)
        if share > 0.0:
            total += share * strength(model, o)
    return total


def _at(model: Any, name: str, voxels: Any) -> Any:
    """A field in voxels, or everywhere; nothing of one that this model lacks."""
    if name not in model.fields:
        return 0.0
    return model.fields[name].concentration if voxels is None else model.fields[name].at(voxels)


def levels_in(model: Any, population: Any, ph: float, gsh_uM: float, every: int) -> Levels:
    """What particles in the cells of a type meet, (n,) each; `gsh_uM` where the type has no GSH of its own."""
    c, n = population.col, population.n
    voxels = c.voxel[:n]

    def own(column: str, else_: Callable[[], Any]) -> Callable[[], Any]:
        return (lambda: getattr(c, column)[:n]) if column in population.declared else else_

    return {
        "ph": lambda: ph,
        "gsh": own("gsh", lambda: gsh_uM),
        "hypoxia": own("oxygen", lambda: _at(model, "oxygen", voxels)),
        "ros": own("plooh", lambda: _at(model, "peroxide", voxels)),
        "glucose": lambda: _at(model, "glucose", voxels),
        "light": lambda: light_on(model, every)[voxels],
        "sound": lambda: sound_on(model, every)[voxels],
    }


def levels_outside(model: Any, ph: float, every: int) -> Levels:
    """What free particles in tissue meet, (n_voxels,) each; there is hardly any GSH."""
    return {
        "ph": lambda: ph,
        "gsh": lambda: 0.0,
        "hypoxia": lambda: _at(model, "oxygen", None),
        "ros": lambda: _at(model, "peroxide", None),
        "glucose": lambda: _at(model, "glucose", None),
        "light": lambda: light_on(model, every),
        "sound": lambda: sound_on(model, every),
    }


def heard(stages: Any) -> dict[str, tuple[str, ...]]:
    """What particles with these stages read: columns of cells, fields, and what tells where light and sound are."""
    triggers = {name for stage in stages for name in stage.triggers}
    columns = {"gsh": "gsh", "hypoxia": "oxygen", "ros": "plooh"}
    fields = {"hypoxia": "oxygen", "ros": "peroxide", "glucose": "glucose"}
    return {"columns": tuple(columns[t] for t in columns if t in triggers), "fields": tuple(fields[t] for t in fields if t in triggers),
            "places": ("lattice.tissue_row",) if triggers & {"light", "sound"} else ()}  # fmt: skip
