"""Chemistry inside a cell. A pathway: its file, and its entries below, in the order in which those of one phase act.

Pathways of immune cells come first: CD8 may begin to walk while the tumour's chemistry is at work.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tme.core.population import COMMON, Column
from tme.pathways.cuproptosis import Cuproptosis, CuproptoticDeath
from tme.pathways.entries import PathwayEntry
from tme.pathways.ferroptosis_cd8 import FerroptosisCd8, RuptureCd8
from tme.pathways.ferroptosis_tissue import CystineUptake, Ferroptosis, PeroxideEmission, Rupture

ENTRIES = (FerroptosisCd8, Ferroptosis, Cuproptosis, RuptureCd8, Rupture, CuproptoticDeath, CystineUptake, PeroxideEmission)
RUNS: tuple[type[PathwayEntry], ...] = (FerroptosisCd8, Ferroptosis, Cuproptosis)
PATHWAYS = {e.pathway.name: e.pathway for e in RUNS}
PARAMETER_SETS = {e.parameters.group: e.parameters for e in RUNS if e.parameters is not None}


def runs(laws: Iterable[type] = ()) -> tuple[type[PathwayEntry], ...]:
    """Our entries, and those among the laws of plugins."""
    return (*RUNS, *(law for law in laws if issubclass(law, PathwayEntry)))


def columns(model: Any, kind: str, have: tuple[Column, ...]) -> tuple[Column, ...]:
    """Columns of the pathways that a cell type runs in this model, beyond those it has."""
    names = {c.name for c in (*COMMON, *have)}
    out: list[Column] = []
    for entry in runs(model.own.laws):
        if entry.cells == kind and entry.is_on(model.config):
            out += entry.columns(model.config_for(entry.name), (*names, *(c.name for c in out)))
    return tuple(out)


def all_columns(kind: str, laws: Iterable[type] = ()) -> tuple[Column, ...]:
    """Columns of every pathway that a cell type may run."""
    return tuple(c for entry in runs(laws) if entry.cells == kind for c in entry.pathway.columns())


def table() -> list[dict[str, Any]]:
    """One row per pathway and cell type: what switches it, its states and how many terms rules may act on."""
    return [
        {"name": e.name, "about": e.about, "in": e.cells, "default": "on" if e.starts_on else "off", "switch": f"mechanisms.{e.name}.on" if e.switchable else "",
         "states": [f"{s.symbol} {s.name} [{s.unit}]" for s in e.pathway.states], "terms": len(e.pathway.terms)}
        for e in RUNS
    ]  # fmt: skip


__all__ = ["ENTRIES", "PARAMETER_SETS", "PATHWAYS", "RUNS", "PathwayEntry", "all_columns", "columns", "runs", "table"]
