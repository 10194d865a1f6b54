"""Patches of the tissue at the start: regions whose cells have other traits, states or clones, or are of another type.

Regions act in order on what is there: tumour cells are cleared or added first, then changed; immune cells enter after
the residents have their places. A voxel belongs to a region by its centre.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.lattice import FREE, YIELDING
from tme.kernels.rng import Stream, uniforms
from tme.model.initial import add_tissue, place_immune, place_residents, place_tissue, place_tumour
from tme.model.initial_cells import Placement, place_from_table

REGION = 100  # draw of Stream.TYPE by which the first region takes its share of cells; lower ones are those of `initial` and of guests
SLOT = 20  # of cells that the first region adds; the next one's is one more


def place(model: Any, start: Any) -> Placement:
    """The cells of any start, with immune cells at their densities where the start has none of its own."""
    regions = getattr(start, "regions", ())
    base = getattr(start, "base", start)
    if base.kind == "cells":
        placement = place_from_table(model, base)
    else:
        placement = Placement()
        place_tissue(model, base)
    for k, region in enumerate(regions):
        change_tumour(model, placement, region, k)
    if base.kind != "cells":
        place_residents(model)
    for k, region in enumerate(regions):
        fill_with_immune(model, region, k)
        fill_with_tissue(model, region, k)
    return placement


def voxels_inside(model: Any, region: Any) -> np.ndarray:
    """Which voxels belong to a region, (voxels,) bool."""
    place = dict(zip("xyz", model.lattice.position_um(np.arange(model.grid.n_voxels))))
    if region.shape == "band":
        return (place[region.axis] >= region.from_um) & (place[region.axis] < region.to_um)
    offset = [place[a] - c for a, c in zip("xyz", region.centre_um)]
    if region.shape == "disc":
        return sum(d * d for d in offset) <= region.radius_um**2
    inside = np.ones(model.grid.n_voxels, bool)
    for d, size in zip(offset, region.size_um):
        inside &= (d >= -size / 2) & (d < size / 2)
    return inside


def drawn(model: Any, stream: Stream, keys: np.ndarray, share: float, sub: int) -> np.ndarray:
    """A random share of some cells or voxels by their keys, (n,) bool; all of them without a draw if it is 1."""
    u = np.zeros(len(keys))
    if share < 1.0:
        uniforms(model.seed64, int(stream), 0, keys.astype(np.uint64), sub, u)
    return u < share


def change_tumour(model: Any, placement: Placement, region: Any, k: int) -> None:
    """Clear or add tumour cells of region number k, then change those that are concerned."""
    tumour, inside = model.tumour, voxels_inside(model, region)
    if region.cells == "none":
        rows = np.flatnonzero(inside[tumour.voxel])
        gone = rows[drawn(model, Stream.TYPE, tumour.uid[rows], region.share, REGION + k)]
        remove(model, placement, gone)
        return
    if region.cells == "tumour":
        free = np.flatnonzero(inside & np.isin(model.lattice.tissue_row, (FREE, YIELDING)))
        places = free[drawn(model, Stream.PLACE, free, region.share, 1000 + k)]
        make_room(model, places)
        place_tumour(model, places, SLOT + k)
        rows = np.flatnonzero(inside[tumour.voxel])
    else:
        rows = np.flatnonzero(inside[tumour.voxel])
        rows = rows[drawn(model, Stream.TYPE, tumour.uid[rows], region.share, REGION + k)]
    if region.clone is not None:
        make_clone(model, rows, region.clone)
    for trait, factor in region.traits.items():
        column = getattr(tumour.col, trait)
        column[rows] = factor if trait == "mufa" else column[rows] * factor
    for state, factor in region.states.items():
        placement.states.append((state, rows, np.full(len(rows), factor), False))


def remove(model: Any, placement: Placement, gone: np.ndarray) -> None:
    """Take tumour cells away, and their part in what earlier regions or measured columns set."""
    tumour = model.tumour
    uid = tumour.uid.copy()
    left = np.setdiff1d(uid, uid[gone])
    tumour.remove(gone)
    row_of = dict(zip(tumour.uid.tolist(), range(tumour.n)))
    for j, (name, rows, values, absolute) in enumerate(placement.states):
        keep = np.isin(uid[rows], left)
        placement.states[j] = (name, np.array([row_of[u] for u in uid[rows[keep]].tolist()], np.int64), values[keep], absolute)
    model.lattice.rebuild_tissue(tumour.col.voxel, tumour.n)


def make_clone(model: Any, rows: np.ndarray, name: str) -> None:
    """Make cells members of a clone: its factors instead of their own clone's, their deviation from it kept."""
    t, factors = model.tumour.col, [{}, *model.config.clone_traits().values()]
    code = model.config.clone_names().index(name)
    for trait in sorted({trait for f in factors for trait in f}):
        column, new = getattr(t, trait), factors[code].get(trait)
        usual = model.tumour_traits.get(trait, 0.0 if trait == "mufa" else 1.0)
        if trait == "mufa":
            column[rows] = usual if new is None else new
            continue
        old = np.array([f.get(trait, 1.0) for f in factors])[t.clone[rows]]
        new = 1.0 if new is None else new
        # a trait that was lost leaves no deviation to keep
        column[rows] = np.where(old > 0.0, column[rows] * (new / np.where(old > 0.0, old, 1.0)), usual * new)
    t.clone[rows] = code


def fill_with_immune(model: Any, region: Any, k: int) -> None:
    """Immune cells of a region, at a share of its voxels, one a voxel while there is room."""
    for population in model.immune:
        if population.kind == region.cells:
            inside = voxels_inside(model, region)
            place_immune(model, population, round(region.share * int(inside.sum())), inside, SLOT + k)


def fill_with_tissue(model: Any, region: Any, k: int) -> None:
    """Tissue other than the tumour at a share of a region's voxels that have no tissue, or some that yields to it."""
    for tissue in model.lattice.others:
        if tissue.kind == region.cells:
            room = (FREE,) if tissue.entry.yields else (FREE, YIELDING)
            free = np.flatnonzero(voxels_inside(model, region) & np.isin(model.lattice.tissue_row, room))
            places = free[drawn(model, Stream.PLACE, free, region.share, 1000 + k)]
            make_room(model, places)
            add_tissue(model, tissue, places, SLOT + k)
            model.lattice.rebuild_tissue(model.tumour.col.voxel, model.tumour.n)


def make_room(model: Any, voxels: np.ndarray) -> None:
    """Take tissue that yields out of some voxels."""
    for tissue in model.lattice.others:
        if tissue.entry.yields:
            tissue.remove(np.flatnonzero(np.isin(tissue.voxel, voxels)))
