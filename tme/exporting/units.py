"""Units of the columns of snapshots: as the tables of cells and of pathways declare them."""

from __future__ import annotations

from functools import cache

from tme.pathways import PATHWAYS
from tme.populations.cells import KILLS, PRESENTS
from tme.populations.tumour import LOCAL, OTHER, TRAITS

_OWN = {"x_um": "um", "y_um": "um", "z_um": "um", "death_hour": "h", "iron_load": "uM/min", "m1": "1"}


@cache
def units() -> dict[str, str]:
    """Column -> unit."""
    declared = [c for group in (TRAITS, LOCAL, OTHER, KILLS, PRESENTS) for c in group]
    states = [c for pathway in PATHWAYS.values() for c in pathway.columns()]
    return {**{c.name: c.unit for c in (*states, *declared) if c.unit not in ("bool", "code", "tick", "direction")}, **_OWN}


def unit_of(column: str) -> str:
    """The unit of a column of cells; '' where it is not known or there is none."""
    return units().get(column, "")
