"""Columns of series.csv that a config will have, known before anything is simulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tme import pathways
from tme.core.plugins import joined
from tme.readouts import columns
from tme.readouts.counts import CAUSES, SWITCHED


def possible_columns(cells: Mapping[str, Any], clones: Iterable[str]) -> list[str]:
    """Names that the series of some config with these cell types and clones has: what a config that is at fault elsewhere may mean."""
    found = [*columns.ALWAYS, *columns.SPREAD, *columns.OTHER_DEATHS, *(f"dead_{cause}" for cause in SWITCHED), *(f"clone_{n}_share" for n in clones)]
    for kind in (k for k in cells if k != "tumour"):
        found += [kind, f"displaced_{kind}", f"{kind}_ferroptosis", *(f"dead_{cause}_{kind}" for cause in CAUSES + SWITCHED)]
    return found


def series_columns(config: Any) -> list[str] | None:
    """Names of the columns of a config's series; None where a plugin's readouts bring names of their own.

    Deaths by name (`died_by_MODE`) that only a rule or drug switches on are among them wherever that is possible.
    """
    if joined(config.plugins).readouts:
        return None
    cells = config.library.cells
    kinds = [n for n, e in cells.items() if e.in_every_model or n in config.cell_types()]
    on = {run.name for run in pathways.runs_of(config) if run.is_on(config) and run.cells in kinds}
    found = [*columns.ALWAYS, *(f"dead_{cause}" for cause in SWITCHED if cause in on), *(f"clone_{n}_share" for n in config.clone_names())]
    for kind in (k for k in kinds if k != "tumour"):
        found += [kind, *(f"dead_{cause}_{kind}" for cause in CAUSES + SWITCHED if f"{cause}_{kind}" in on)]
        if cells[kind].yields:
            found += [f"displaced_{kind}", *([f"{kind}_ferroptosis"] if f"ferroptosis_{kind}" in on else [])]
    if "metastasis" in config.switched_on():
        found += columns.SPREAD
    return list(dict.fromkeys([*found, *columns.OTHER_DEATHS]))
