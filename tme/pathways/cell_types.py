"""Pathways in other cells than the tumour's, as the entries of cell types say (`pathways` in `library/cells.yaml`).

For each pair of a cell type and a pathway there is an entry of the plan, PATHWAY_CELLS, and one for the deaths it causes;
`mechanisms.PATHWAY_CELLS.on` switches both. The equations are the pathway's own. Its numbers are the pathway's defaults
and, over them, the preset of the cell type: what a config says of the tumour's numbers does not reach other cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from tme.core.parameters import Parameter, ParameterSet, par
from tme.library.cells import CellEntry, CellPathway, in_order
from tme.pathways.contract import Pathway
from tme.pathways.entries import PathwayDeath, PathwayEntry


def runs_in(cells: Mapping[str, CellEntry], pathways: Mapping[str, Pathway]) -> tuple[type[PathwayEntry], ...]:
    """The plan's entries of these pathways in other cell types, on or off: by the order of types, then of pathways."""
    pairs = ((kind, pathway, cells[kind].pathways[name]) for kind in in_order(cells, cells) for name, pathway in pathways.items() if name in cells[kind].pathways)
    return tuple(_run(kind, pathway, run.on, run.emits, run.ids, run.about, _preset(pathway, run)) for kind, pathway, run in pairs)


def deaths_in(runs: Iterable[type[PathwayEntry]], deaths: Mapping[str, type[PathwayDeath]]) -> tuple[type[PathwayDeath], ...]:
    """The deaths of these entries; `deaths`: that of the tumour's cells, by pathway."""
    return tuple(_death(run, deaths[run.pathway.name].name) for run in runs if run.pathway.name in deaths)  # type: ignore[arg-type]  # classes hash


def _preset(pathway: Pathway, run: CellPathway) -> tuple[Parameter, ...]:
    """The numbers of a preset, with the bounds of the pathway's table."""
    bounds = {g.name: g for g in pathway.traits} | {p.name: p for p in pathway.parameters}
    return tuple(
        par(n, float(v.value), v.unit, bounds[n].low, bounds[n].high, v.source, bounds[n].about, v.status) for n, v in run.preset.items() if n in bounds
    )


@cache
def _run(kind: str, pathway: Pathway, on: bool, emits: bool, ids: tuple[str, ...], about: str, preset: tuple[Parameter, ...]) -> type[PathwayEntry]:
    name = f"{pathway.name}_{kind}"
    own = {"name": name, "pathway": pathway, "cells": kind, "preset": ParameterSet(name, *preset), "ids": ids, "starts_on": on, "emits": emits,
           "about": about or f"{pathway.name} chemistry inside {kind} cells", "__doc__": f"{pathway.name} in {kind} cells.", "__module__": __name__}  # fmt: skip
    return type("".join(word.capitalize() for word in name.split("_")), (PathwayEntry,), own)


@cache
def _death(run: type[PathwayEntry], name: str) -> type[PathwayDeath]:
    name = f"{name}_{run.cells}"
    own = {"name": name, "of": run, "ids": run.ids, "about": f"{run.cells} cells die of {run.pathway.name}", "__doc__": f"Deaths by {run.name}.", "__module__": __name__}
    return type("".join(word.capitalize() for word in name.split("_")), (PathwayDeath,), own)


def faults_of(cells: Mapping[str, CellEntry], pathways: Mapping[str, Pathway], own: str) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    """(key, problem, expected, known names) of what entries of cell types say of pathways and cannot; `own` is the tumour."""
    for kind, entry in cells.items():
        for name, run in entry.pathways.items():
            key = f"{kind}.pathways.{name}"
            if name not in pathways:
                yield key, f"unknown pathway '{name}'", "", pathways
            elif kind == own:
                yield key, f"pathways of {own} cells are laws of their own", f"mechanisms.{name}", ()
            else:
                if run.emits and not pathways[name].emits:
                    yield f"{key}.emits", f"cells with {name} emit nothing", "no such key", ()
                yield from _faults_of_preset(key, pathways[name], run)


def _faults_of_preset(key: str, pathway: Pathway, run: CellPathway) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    units = {g.name: (g.unit, g.low, g.high) for g in pathway.traits} | {p.name: (p.unit, p.low, p.high) for p in pathway.parameters}
    for name, number in run.preset.items():
        place = f"{key}.preset.{name}"
        if name not in units:
            yield place, f"{pathway.name} has no trait and no parameter '{name}'", "", units
            continue
        unit, low, high = units[name]
        if number.unit != unit:
            yield place, f"is given in '{number.unit}'", f"'{unit}'", ()
        elif not low <= number.value <= high:
            yield place, f"{number.value:g} is out of bounds", f"{low:g} to {high:g} {unit}", ()
