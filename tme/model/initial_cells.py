"""Start from a table of cells: map columns, types and units, put every cell on the lattice, say what moved.

Tissue cells want one voxel each; a cell whose voxel is taken goes to the nearest free one. Immune cells
share voxels up to the capacity. The report names unmapped types and the displacement this caused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.kernels.neighbours import search_order, shifted
from tme.model.initial import add_tissue, draw_traits, founders


class TableError(ValueError):
    """The table of cells does not fit the domain or its description."""

    exit_code = 2


UNITS_UM = {"um": 1.0, "mm": 1000.0, "nm": 0.001}


def read_table(path: str | Path) -> pd.DataFrame:
    """A CSV, or the `obs` and `obsm/spatial` of an .h5ad as columns (spatial_0, spatial_1, ...)."""
    path = Path(path)
    if path.suffix != ".h5ad":
        return pd.read_csv(path)
    import h5py

    with h5py.File(path, "r") as h:
        frame = {}
        for name, node in h["obs"].items():
            if isinstance(node, h5py.Group) and "categories" in node:
                categories = node["categories"].asstr()[:]
                frame[name] = categories[node["codes"][:]]
            elif isinstance(node, h5py.Dataset) and node.ndim == 1:
                frame[name] = node.asstr()[:] if node.dtype.kind == "O" else node[:]
        spatial = h["obsm/spatial"][:]
        for k in range(spatial.shape[1]):
            frame[f"spatial_{k}"] = spatial[:, k]
    return pd.DataFrame(frame)


def voxels_of(model: Any, table: pd.DataFrame, spec: Any) -> np.ndarray:
    """Voxel of each row: coordinates in um, the table's centre put on the domain's centre."""
    grid = model.grid
    scale = float(spec.unit_um)
    size = (grid.nx * grid.dx_um, grid.ny * grid.dx_um, grid.nz * grid.dx_um)
    index = []
    for axis, extent, n in zip("xyz", size, (grid.nx, grid.ny, grid.nz)):
        column = spec.columns.get(axis)
        if column is None:
            index.append(np.zeros(len(table), np.int64))
            continue
        value = table[column].to_numpy(float) * scale
        value = value - 0.5 * (value.min() + value.max()) + 0.5 * extent
        k = np.floor(value / grid.dx_um).astype(np.int64)
        if k.min() < 0 or k.max() >= n:
            raise TableError(f"the cells span {np.ptp(value):.0f} um along {axis}, more than the domain's {extent:.0f} um")
        index.append(k)
    x, y, z = index
    return (z * grid.ny + y) * grid.nx + x


def settle_tissue(model: Any, wanted: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """One voxel per tissue cell: its own if free, else the nearest free; first come, first served by row.

    `taken` (voxels,) bool, whether there is tissue, gains the places.
    """
    grid = model.grid
    order = search_order(12, grid.ndim)
    out = np.empty(len(wanted), np.int64)
    for i, v in enumerate(wanted):
        place = int(v)
        if taken[place]:
            for dz, dy, dx, _d2 in order:
                w = shifted(int(v), dz, dy, dx, model.lattice.geometry)
                if w >= 0 and not taken[w]:
                    place = int(w)
                    break
            else:
                raise TableError(f"cell in row {i}: no free voxel within 12 voxels; use a finer dx_um")
        taken[place] = True
        out[i] = place
    return out


def displacement_um(model: Any, wanted: np.ndarray, got: np.ndarray) -> np.ndarray:
    """Distance between the wanted and the given voxel of each cell, um."""
    a = np.stack(model.lattice.position_um(wanted))
    b = np.stack(model.lattice.position_um(got))
    return np.sqrt(((a - b) ** 2).sum(axis=0))


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


SHARES = ("ifng_response", "pdl1", "mhc1")  # lie between 0 and 1


def place_from_table(model: Any, spec: Any) -> Placement:
    """Fill the model from the table; the report has counts, unmapped types and displacement."""
    table = read_table(spec.file)
    types = table[spec.columns["type"]].astype(str)
    voxel = voxels_of(model, table, spec)
    unmapped = {t: int(n) for t, n in types.value_counts().items() if t not in spec.types}
    mapped = types.map(lambda t: spec.types.get(t, "ignore")).to_numpy()
    report: dict[str, Any] = {"rows": len(table), "unmapped_types": unmapped, "placed": {}}
    rows = np.flatnonzero(mapped == "tumour")
    if len(rows) == 0:
        raise TableError(f"{spec.file}: no row maps to 'tumour'; types found: {', '.join(sorted(set(types)))}")
    taken = np.zeros(model.grid.n_voxels, bool)
    places = settle_tissue(model, voxel[rows], taken)
    report["displacement_um"] = displacement_um(model, voxel[rows], places)
    tumour = model.tumour
    uid = founders(tumour.code, places, 2)
    model.check_new_uids(tumour, uid)
    tumour.add(uid, places.astype(np.int32), 0)
    model.lattice.rebuild_tissue(tumour.col.voxel, tumour.n)
    draw_traits(model, slice(0, tumour.n))
    placement = Placement(report)
    for column, rule in spec.traits.items():
        measure(model, placement, rule, measured(table, column, rows, spec.file))
    report["placed"]["tumour"] = len(rows)
    for tissue in model.lattice.others:
        others = settle_tissue(model, voxel[mapped == tissue.kind], taken)
        add_tissue(model, tissue, others)
        report["placed"][tissue.kind] = len(others)
    model.lattice.rebuild_tissue(tumour.col.voxel, tumour.n)
    for population in model.immune:
        report["placed"][population.kind] = place_immune_rows(model, population, voxel[mapped == population.kind])
    return placement


def measured(table: pd.DataFrame, column: str, rows: np.ndarray, file: str) -> np.ndarray:
    """A column's values (cells,) float64 of some rows; TableError where one is no number or below zero."""
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(float)[rows]
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0.0))
    if len(bad):
        raise TableError(f"{file}: column {column} holds {table[column].iloc[rows[bad[0]]]!r} in row {rows[bad[0]] + 1}; expected numbers from 0 on")
    return values


def measure(model: Any, placement: Placement, rule: Any, values: np.ndarray) -> None:
    """Scale a trait by a measured column, or set where a state starts."""
    n = model.tumour.n
    if rule.absolute:
        placement.states.append((rule.state, np.arange(n), values, True))
        return
    centre = np.median(values)
    factor = np.clip(values / centre, 1.0 / rule.max_fold, rule.max_fold) ** rule.power if centre > 0 else np.ones(n)
    if rule.trait is not None:
        getattr(model.tumour.col, rule.trait)[:n] *= factor
    else:
        placement.states.append((rule.state, np.arange(n), factor, False))


def place_immune_rows(model: Any, population: Any, wanted: np.ndarray) -> int:
    """Guest cells in their voxel or the nearest one with room."""
    lattice = model.lattice
    order = search_order(12, model.grid.ndim)
    got = []
    for v in wanted:
        place = int(v)
        if lattice.immune_count[place] >= lattice.immune_capacity:
            for dz, dy, dx, _d2 in order:
                w = shifted(int(v), dz, dy, dx, lattice.geometry)
                if w >= 0 and lattice.immune_count[w] < lattice.immune_capacity:
                    place = int(w)
                    break
            else:
                continue
        lattice.immune_count[place] += 1
        got.append(place)
    if got:
        places = np.array(got)
        # several may share a voxel: the slot tells them apart
        slot = np.array([int((places[:i] == places[i]).sum()) for i in range(len(places))])
        uid = np.array([founders(population.code, places[i : i + 1], 3 + int(slot[i]))[0] for i in range(len(places))], np.uint64)
        model.check_new_uids(population, uid)
        population.add(uid, places.astype(np.int32), 0)
    return len(got)
