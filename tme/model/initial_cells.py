"""Start from a table of cells: put every cell of it on the lattice, say what moved, set what was measured.

Tissue cells want one voxel each; a cell whose voxel is taken goes to the nearest free one. Immune cells
share voxels up to the capacity. The report names unmapped types and the displacement this caused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tme.config.start import Cells
from tme.config.tissue import TableError, TableFault, Tissue, rows_text, tissue_of
from tme.config.tissue_table import printable
from tme.core.grid import Grid
from tme.kernels.cells.places import nearest_places
from tme.kernels.neighbours import search_order
from tme.library.cells import in_order
from tme.model.initial import add_tissue, draw_traits, founders
from tme.model.space import build_grid

__all__ = ["Arrangement", "Placement", "TableError", "arrange", "arrangement", "place_from_table", "report_lines"]

REACH_VOXELS = 12  # a cell that finds no room so near would be somewhere else
SHARES = ("ifng_response", "pdl1", "mhc1")  # lie between 0 and 1


@dataclass
class Placement:
    """What a start did beyond placing cells: a report, and where states begin off their steady level.

    `states` are (column, rows, values, absolute): the level after settling is multiplied by the values, or set to them.
    """

    report: dict[str, Any] = field(default_factory=dict)
    states: list[tuple[str, np.ndarray, np.ndarray, bool]] = field(default_factory=list)

    def set_states(self, model: Any) -> None:
        """Put the states off their steady level; the chemistry goes on from there."""
        t = model.tumour.col
        for name, rows, values, absolute in self.states:
            column = getattr(t, name)
            column[rows] = values if absolute else column[rows] * values
            if name in SHARES:
                column[rows] = np.clip(column[rows], 0.0, 1.0)
            if name == "pdl1":
                t.pdl1_free[rows] = column[rows]


@dataclass(frozen=True)
class Arrangement:
    """A tissue on a lattice: `voxel` (n,) int64 of each of its cells, and the report."""

    tissue: Tissue
    voxel: np.ndarray
    report: dict[str, Any]

    def of(self, kind: str) -> np.ndarray:
        """Voxels (m,) of one type, in the order of the table."""
        return self.voxel[self.tissue.kind == kind]


def own_voxels(place_um: np.ndarray, grid: Grid) -> np.ndarray:
    """Voxel (n,) int64 in which each of `place_um` (n, 3) lies; the far edge belongs to the last one."""
    index = [np.clip(np.floor(place_um[:, a] / grid.dx_um).astype(np.int64), 0, n - 1) for a, n in enumerate((grid.nx, grid.ny, grid.nz))]
    return (index[2] * grid.ny + index[1]) * grid.nx + index[0]


def arrange(spec: Cells, grid: Grid, tissue_kinds: list[str], guest_kinds: list[str], capacity: int) -> Arrangement:
    """Places for all cells of a table, types in the order given, within a type by row. TableError where there is no room.

    Tissue is one cell a voxel; guests share a voxel with it and with each other up to `capacity`.
    """
    tissue = tissue_of(spec, tuple(n * grid.dx_um for n in (grid.nx, grid.ny, grid.nz)[: grid.ndim]))
    own = own_voxels(tissue.place_um, grid)
    got = np.full(len(own), -1, np.int64)
    order = search_order(REACH_VOXELS, grid.ndim)
    geometry = (*grid.shape, *(int(p) for p in grid.periodic))
    for kinds, most in ((tissue_kinds, 1), (guest_kinds, capacity)):
        room = np.full(grid.n_voxels, most, np.int64)
        for kind in kinds:
            mine = np.flatnonzero(tissue.kind == kind)
            places = np.full(len(mine), -1, np.int64)
            crowded = nearest_places(own[mine], order, geometry, room, places)
            if crowded >= 0:
                row = rows_text(tissue.row[mine[crowded : crowded + 1]])
                raise TableError(spec.file, [TableFault(("file",), f"the {kind} cell of {row} finds no room within {REACH_VOXELS} voxels", "a smaller domain.dx_um, or fewer cells by roi or only")])
            got[mine] = places
    return Arrangement(tissue, got, {**tissue.report, **displacement(tissue, own, got, grid)})


def arrangement(config: Any) -> Arrangement | None:
    """Places for the cells of a config's table, as every arm will have them; None for a start of another kind."""
    start = getattr(config.initial, "base", config.initial)
    if start.kind != "cells":
        return None
    cells = config.library.cells
    kinds = in_order({n for n, e in cells.items() if e.in_every_model} | set(config.cell_types()), cells)
    tissue, guests = ([k for k in kinds if cells[k].place == place] for place in ("tissue", "guest"))
    return arrange(start, build_grid(config), tissue, guests, config.domain.immune_per_voxel)


def displacement(tissue: Tissue, own: np.ndarray, got: np.ndarray, grid: Grid) -> dict[str, Any]:
    """How many cells of each type were placed, which share not in its own voxel, and how far (um) its centre is from the cell."""
    centre = np.stack(grid.centres_um(got), axis=1)[:, : grid.ndim]
    far = np.sqrt(((centre - tissue.place_um[:, : grid.ndim]) ** 2).sum(axis=1))
    out: dict[str, Any] = {"placed": {}, "moved": {}, "displacement_um": {}}
    for kind in dict.fromkeys(tissue.kind.tolist()):
        mine = tissue.kind == kind
        out["placed"][kind] = int(mine.sum())
        out["moved"][kind] = round(float((own[mine] != got[mine]).mean()), 4)
        out["displacement_um"][kind] = {k: round(float(v), 2) for k, v in zip(("median", "p95", "most"), np.percentile(far[mine], (50, 95, 100)))}
    return out


def report_lines(report: dict[str, Any]) -> list[str]:
    """The report in words, a line each."""
    total = sum(report["placed"].values())
    lines = [f"{printable(report['file'])}: {report['rows']} rows, {total} cells placed"]
    for kind, n in report["placed"].items():
        if n:
            far = report["displacement_um"][kind]
            lines.append(f"  {kind}: {n}, {report['moved'][kind]:.1%} not in their own voxel; from cell to voxel centre {far['median']:.1f} um (median), {far['p95']:.1f} (95 %), {far['most']:.1f} (most)")
    if report["left_out"]:
        lines.append("  left out: " + ", ".join(f"{n} {what}" for what, n in report["left_out"].items()))
    if report["ignored"]:
        lines.append(f"  ignored by types: {report['ignored']}")
    if report["unmapped_types"]:
        lines.append("  types without a meaning here: " + ", ".join(f"{t!r} ({n})" for t, n in report["unmapped_types"].items()))
    for name, near in report["absent_types"].items():
        lines.append(f"  types: no row has {name!r}" + (f"; did you mean {near!r}?" if near else ""))
    if report["spacing_um"] is not None:
        lines.append(f"  nearest neighbours {report['spacing_um']:.1f} um apart (median), with {report['unit_um']:g} um per unit of the table")
    return lines


def place_from_table(model: Any, spec: Cells) -> Placement:
    """Fill the model from the table; the report has counts, unmapped types and displacement."""
    others, guests = [t.kind for t in model.lattice.others], [p.kind for p in model.immune]
    cells = arrange(spec, model.grid, ["tumour", *others], guests, model.lattice.immune_capacity)
    tumour, places = model.tumour, cells.of("tumour")
    uid = founders(tumour.code, places, 2)
    model.check_new_uids(tumour, uid)
    tumour.add(uid, places.astype(np.int32), 0)
    model.lattice.rebuild_tissue(tumour.col.voxel, tumour.n)
    draw_traits(model, slice(0, tumour.n))
    for tissue in model.lattice.others:
        add_tissue(model, tissue, cells.of(tissue.kind))
    model.lattice.rebuild_tissue(tumour.col.voxel, tumour.n)
    for population in model.immune:
        place_guests(model, population, cells.of(population.kind))
    placed = {kind: int((cells.tissue.kind == kind).sum()) for kind in ("tumour", *others, *guests)}
    placement = Placement({**cells.report, "placed": placed})
    for column, rule in spec.traits.items():
        measure(model, placement, rule, cells.tissue.factors[column])
    return placement


def measure(model: Any, placement: Placement, rule: Any, factors: np.ndarray) -> None:
    """Scale a trait by what a column says of each cell, or set where a state starts."""
    n = model.tumour.n
    if rule.trait is not None:
        getattr(model.tumour.col, rule.trait)[:n] *= factors
    else:
        placement.states.append((rule.state, np.arange(n), factors, rule.absolute))


def place_guests(model: Any, population: Any, places: np.ndarray) -> None:
    """Guest cells in their voxels (n,), of which several may be the same."""
    if not len(places):
        return
    slot = slots(places)
    uid = np.zeros(len(places), np.uint64)
    for k in np.unique(slot):
        uid[slot == k] = founders(population.code, places[slot == k], 3 + int(k))
    model.check_new_uids(population, uid)
    population.add(uid, places.astype(np.int32), 0)
    np.add.at(model.lattice.immune_count, places, 1)


def slots(places: np.ndarray) -> np.ndarray:
    """How many earlier cells share each cell's voxel, (n,) int64: it tells them apart."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(places)), 0))
    out = np.empty(len(places), np.int64)
    out[order] = np.arange(len(places)) - start
    return out
