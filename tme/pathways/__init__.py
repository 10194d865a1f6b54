"""Chemistry inside a cell. A pathway: its file, and its entries below, in the order in which those of one phase act.

Those below are the tumour's; other cell types run pathways as their entries in the library say (`cell_types`). These
come first: CD8 may begin to walk while the tumour's chemistry is at work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tme.core.plugins import joined
from tme.core.population import COMMON, Column
from tme.library.cells import CellEntry
from tme.pathways.cell_types import deaths_in, runs_in
from tme.pathways.contract import Pathway
from tme.pathways.cuproptosis import Cuproptosis, CuproptoticDeath
from tme.pathways.disulfidptosis import Disulfidptosis, DisulfidptoticDeath
from tme.pathways.entries import PathwayDeath, PathwayEntry
from tme.pathways.ferroptosis_tissue import CystineUptake, Ferroptosis, PeroxideEmission, Rupture

RUNS: tuple[type[PathwayEntry], ...] = (Ferroptosis, Cuproptosis, Disulfidptosis)
DEATHS: tuple[type[PathwayDeath], ...] = (Rupture, CuproptoticDeath, DisulfidptoticDeath)
EXCHANGES = (CystineUptake, PeroxideEmission)
PATHWAYS = {e.pathway.name: e.pathway for e in RUNS}
PARAMETER_SETS = {e.parameters.group: e.parameters for e in RUNS if e.parameters is not None}

Cells = Mapping[str, CellEntry]


def known(laws: Iterable[type] = ()) -> dict[str, Pathway]:
    """Our pathways by name, and those of plugins' laws."""
    return {**PATHWAYS, **{law.pathway.name: law.pathway for law in laws if issubclass(law, PathwayEntry)}}


def entries(cells: Cells, laws: Iterable[type] = ()) -> tuple[Any, ...]:
    """Entries of the plan, on or off: those of other cell types, then the tumour's. Laws of plugins have their own place."""
    laws = tuple(laws)
    others = runs_in(cells, known(laws))
    deaths = {d.of.pathway.name: d for d in (*DEATHS, *(law for law in laws if issubclass(law, PathwayDeath)))}
    return (*others, *RUNS, *deaths_in(others, deaths), *DEATHS, *EXCHANGES)


def runs(cells: Cells, laws: Iterable[type] = ()) -> tuple[type[PathwayEntry], ...]:
    """Every pathway in every cell type that may run it: those of entries, the tumour's, and those among the laws of plugins."""
    laws = tuple(laws)
    return (*runs_in(cells, known(laws)), *RUNS, *(law for law in laws if issubclass(law, PathwayEntry)))


def runs_of(config: Any) -> tuple[type[PathwayEntry], ...]:
    """The same of a config's library and plugins."""
    return runs(config.library.cells, joined(config.plugins).laws)


def cells_by_term(entries: Iterable[type[PathwayEntry]]) -> dict[str, tuple[str, ...]]:
    """The cell types in which these entries run it, by term of a pathway."""
    out: dict[str, tuple[str, ...]] = {}
    for e in entries:
        out |= {t.name: (*out.get(t.name, ()), e.cells) for t in e.pathway.terms}
    return out


def terms_run(config: Any) -> dict[str, tuple[str, ...]]:
    """The cell types that run it in this config, by term of a pathway, those of plugins too; () where none does."""
    every = runs_of(config)
    return {**dict.fromkeys(cells_by_term(every), ()), **cells_by_term(e for e in every if e.is_on(config))}


def columns(model: Any, kind: str, have: tuple[Column, ...]) -> tuple[Column, ...]:
    """Columns of the pathways that a cell type runs in this model, beyond those it has."""
    names = {c.name for c in (*COMMON, *have)}
    out: list[Column] = []
    for entry in runs_of(model.config):
        if entry.cells == kind and entry.is_on(model.config):
            out += entry.columns(model.config_for(entry.name), (*names, *(c.name for c in out)))
    return tuple(out)


def all_columns(kind: str, cells: Cells, laws: Iterable[type] = ()) -> tuple[Column, ...]:
    """Columns of every pathway that a cell type may run."""
    return tuple(c for entry in runs(cells, laws) if entry.cells == kind for c in entry.pathway.columns())


def table(entries: Iterable[type[PathwayEntry]]) -> list[dict[str, Any]]:
    """One row per pathway and cell type: what switches it, its states and how many terms rules may act on."""
    return [
        {"name": e.name, "about": e.about, "in": e.cells, "default": "on" if e.starts_on else "off", "switch": f"mechanisms.{e.name}.on" if e.switchable else "",
         "states": [f"{s.symbol} {s.name} [{s.unit}]" for s in e.pathway.states], "terms": len(e.pathway.terms)}
        for e in entries
    ]  # fmt: skip


__all__ = ["PARAMETER_SETS", "PATHWAYS", "RUNS", "PathwayEntry", "all_columns", "cells_by_term", "columns", "entries", "known", "runs", "runs_of", "table", "terms_run"]
