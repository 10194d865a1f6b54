"""Chemistry inside a cell. A pathway: its file, and its entries below, in the order in which those of one phase act.

Pathways of other cells than the tumour's come first: CD8 may begin to walk while the tumour's chemistry is at work.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tme.core.plugins import joined
from tme.core.population import COMMON, Column
from tme.pathways.cuproptosis import Cuproptosis, CuproptoticDeath
from tme.pathways.entries import PathwayEntry
from tme.pathways.ferroptosis_cd8 import FerroptosisCd8, RuptureCd8
from tme.pathways.ferroptosis_normal import FerroptosisNormal, RuptureNormal
from tme.pathways.ferroptosis_tissue import CystineUptake, Ferroptosis, PeroxideEmission, Rupture

ENTRIES = (
    FerroptosisCd8, FerroptosisNormal, Ferroptosis, Cuproptosis, RuptureCd8, RuptureNormal, Rupture, CuproptoticDeath, CystineUptake, PeroxideEmission,
)  # fmt: skip
RUNS: tuple[type[PathwayEntry], ...] = (FerroptosisCd8, FerroptosisNormal, Ferroptosis, Cuproptosis)
PATHWAYS = {e.pathway.name: e.pathway for e in RUNS}
PARAMETER_SETS = {e.parameters.group: e.parameters for e in RUNS if e.parameters is not None}


def runs(laws: Iterable[type] = ()) -> tuple[type[PathwayEntry], ...]:
    """Our entries, and those among the laws of plugins."""
    return (*RUNS, *(law for law in laws if issubclass(law, PathwayEntry)))


def cells_by_term(entries: Iterable[type[PathwayEntry]]) -> dict[str, tuple[str, ...]]:
    """The cell types in which these entries run it, by term of a pathway."""
    out: dict[str, tuple[str, ...]] = {}
    for e in entries:
        out |= {t.name: (*out.get(t.name, ()), e.cells) for t in e.pathway.terms}
    return out


def terms_run(config: Any) -> dict[str, tuple[str, ...]]:
    """The cell types that run it in this config, by term of a pathway, those of plugins too; () where none does."""
    every = runs(joined(config.plugins).laws)
    return {**dict.fromkeys(cells_by_term(every), ()), **cells_by_term(e for e in every if e.is_on(config))}


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


def table(entries: Iterable[type[PathwayEntry]] = RUNS) -> list[dict[str, Any]]:
    """One row per pathway and cell type: what switches it, its states and how many terms rules may act on."""
    return [
        {"name": e.name, "about": e.about, "in": e.cells, "default": "on" if e.starts_on else "off", "switch": f"mechanisms.{e.name}.on" if e.switchable else "",
         "states": [f"{s.symbol} {s.name} [{s.unit}]" for s in e.pathway.states], "terms": len(e.pathway.terms)}
        for e in entries
    ]  # fmt: skip


__all__ = ["ENTRIES", "PARAMETER_SETS", "PATHWAYS", "RUNS", "PathwayEntry", "all_columns", "cells_by_term", "columns", "runs", "table", "terms_run"]
