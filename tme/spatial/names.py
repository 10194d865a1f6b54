"""Spatial statistics by name, so that a measured field can stand in a data table and a simulation be asked for the same.

    spatial.contacts.A.B          neighbours of type B of cells A within 30 um, over what shuffled types give
    spatial.pcf.A.B.LOW_HIGH      pairs LOW to HIGH um apart over what shuffled types give
    spatial.nearest_um.A.B        median distance from cells A to the nearest B
    spatial.near_share.A.B        share of cells A that have a B within 30 um
    spatial.assortativity         1 each type among its own, 0 well mixed
    spatial.cluster_size          mean size of the cluster that a ferroptotic cell is in
    spatial.propagation_index     how much closer in time neighbours die by ferroptosis than with their hours shuffled, of the corpses there

All but the distances and the last two are relative to the same cells with shuffled types, so that the field's size and the density of cells
do not enter. A simulation is seen in its tumour with 100 um around it, a table in the box of its cells. Dead cells are the types
`dead_ferroptosis` and `dead_other`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tme.config.errors import listed, nearest
from tme.spatial import deaths, distances, margin
from tme.spatial.cell import Cells, SpatialError
from tme.spatial.contact import contacts, weights
from tme.spatial.mixing_score import assortativity
from tme.spatial.neighbourhood import NEIGHBOUR_UM, within
from tme.spatial.nulls import shuffled_moments
from tme.spatial.pair_correlation import correlation
from tme.spatial.tables import DEAD, DEAD_OTHER, assemble
from tme.spatial.window import box

PREFIX = "spatial."
OF_PAIRS = ("contacts", "nearest_um", "near_share")
RANGES = ("0_30", "30_60", "60_90", "90_120")  # of `pcf`, um
ALONE = ("assortativity", "cluster_size", "propagation_index")


def is_spatial(name: str) -> bool:
    """Whether a readout's name is one of these."""
    return name.startswith(PREFIX)


def names(types: Iterable[str]) -> list[str]:
    """All names for cells of these types, corpses among them; types whose names hold a dot have none."""
    known = [t for t in dict.fromkeys([*types, DEAD, DEAD_OTHER]) if "." not in t]
    both = [(a, b) for a in known for b in known]
    return [
        *(f"{PREFIX}{what}.{a}.{b}" for what in OF_PAIRS for a, b in both),
        *(f"{PREFIX}pcf.{a}.{b}.{r}" for a, b in both for r in RANGES),
        *(PREFIX + what for what in ALONE),
    ]


def check(asked: Sequence[str], types: Iterable[str]) -> None:
    """SpatialError for a name that cells of these types do not have."""
    known = names(types)
    for name in asked:
        if name not in known:
            near = nearest(name, known)
            raise SpatialError(f"unknown spatial statistic '{name}'; expected {listed(known)}" + (f"; did you mean '{near}'?" if near else ""))


def values(of: Cells, asked: Sequence[str]) -> dict[str, float]:
    """The named statistics of cells; NaN where a type has no cells, or where nothing can be told. SpatialError for a name that is none."""
    out: dict[str, float] = {}
    kept: dict[str, Any] = {}
    for name in asked:
        what, *rest = name.removeprefix(PREFIX).split(".")
        if what in ALONE and not rest:
            out[name] = _alone(of, what, kept)
        elif what in OF_PAIRS and len(rest) == 2:
            out[name] = _of_pair(of, what, rest[0], rest[1], kept)
        elif what == "pcf" and len(rest) == 3 and rest[2] in RANGES:
            out[name] = _pcf(of, rest[0], rest[1], rest[2])
        else:
            raise SpatialError(f"unknown spatial statistic '{name}'; expected {PREFIX}STATISTIC.TYPE.TYPE, STATISTIC one of {', '.join((*OF_PAIRS, 'pcf'))}, or one of {', '.join(ALONE)}")
    return out


def _place(of: Cells, name: str) -> int | None:
    return of.types.index(name) if name in of.types and of.counts[of.types.index(name)] else None


def _contacts(of: Cells, kept: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Contacts and their mean under shuffled types."""
    if "contacts" not in kept:
        graph = within(of.points, NEIGHBOUR_UM)
        kept["contacts"] = contacts(graph, of.code, len(of.types)), shuffled_moments(weights(graph), of.counts)[0]
    return kept["contacts"]


def _alone(of: Cells, what: str, kept: dict[str, Any]) -> float:
    if what == "assortativity":
        return assortativity(_contacts(of, kept)[0])
    if what == "propagation_index":
        return deaths.propagation_index(of)[0]
    return deaths.typical_size(deaths.cluster_sizes(within(of.points, deaths.CLUSTER_UM), of.dead))


def _of_pair(of: Cells, what: str, source: str, target: str, kept: dict[str, Any]) -> float:
    a, b = _place(of, source), _place(of, target)
    if a is None or b is None:
        return float("nan")
    if what == "contacts":
        found, mean = _contacts(of, kept)
        return float(found[a, b] / mean[a, b]) if mean[a, b] > 0 else float("nan")
    if target not in kept:
        kept[target] = distances.nearest_um(of, of.code == b)
    distance = kept[target][of.code == a]
    value = np.median(distance) if what == "nearest_um" else (distance <= distances.NEAR_UM).mean()
    return float(value) if np.isfinite(value) else float("nan")


def _pcf(of: Cells, source: str, target: str, um: str) -> float:
    a, b = _place(of, source), _place(of, target)
    low, high = map(float, um.split("_"))
    if a is None or b is None or of.window.reach_um < high:
        return float("nan")
    width = high - low
    return float(correlation(of, high, width, draws=0).ratio[a, b, round(low / width)])


def of_table(columns: dict[str, np.ndarray], size_um: Sequence[float]) -> Cells | None:
    """A simulation's cells (`tme.readouts.tables`) in its tumour with 100 um around it; None without a tumour, or with fewer than two cells in it."""
    axes = ("x_um", "y_um", "z_um")[: len(size_um)]
    if len(columns["x_um"]) < 2:
        return None
    whole = assemble(np.column_stack([columns[a] for a in axes]), columns["cell_type"], columns["fate"], columns["death_hour"], {}, box(np.zeros(len(axes)), np.asarray(size_um, float)))
    tumour = [t for t in ("tumour", DEAD, DEAD_OTHER) if t in whole.types]
    if not tumour:
        return None
    seen = whole.within(margin.region(whole, tumour).rimmed())
    return seen if seen.n > 1 else None
