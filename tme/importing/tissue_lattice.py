"""The lattice that suits the cells of a table, and the part of a large table that is worth a first look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tme.config.base import CELL_UM3
from tme.config.start import BoxOfInterest, Cells
from tme.config.tissue import TableError, tissue_of
from tme.core.grid import Grid
from tme.library.cells import in_order
from tme.model.initial_cells import Arrangement, arrange

MARGIN_UM = 60.0  # of free domain around the cells
VOXELS_UM = (15.0, 12.0, 10.0, 8.0)  # the usual voxel first
MOST_MOVED = 0.35  # of tissue cells not in their own voxel; above it a finer lattice is tried
CAPACITY = 2  # guests a voxel, as `domain.immune_per_voxel`
STEPS = 6  # of a square's side, by which it is moved


@dataclass(frozen=True)
class Suited:
    """A lattice with the cells on it. `tried`: voxel um, share of tissue cells not in their own voxel; None: no room for all."""

    dx_um: float
    thickness_um: float
    size_um: tuple[float, ...]
    moved: float
    arrangement: Arrangement
    tried: list[tuple[float, float | None]]


def suited(spec: Cells, kinds: Mapping[str, Any], widths_um: Sequence[float]) -> Suited | None:
    """The first of some voxels that leaves most tissue cells in their own, else the best of them; the domain has a margin around the cells.

    None where no voxel holds a cell; TableError where the cells find no room in any.
    """
    cells = tissue_of(spec, None)
    axes = 3 if "z" in spec.columns else 2
    span = np.ptp(cells.table_um, axis=0)[:axes]
    if isinstance(spec.roi, BoxOfInterest):
        corner = len(spec.roi.from_um)
        span[:corner] = np.subtract(spec.roi.to_um, spec.roi.from_um)
    order = in_order({n for n, e in kinds.items() if e.in_every_model} | set(cells.kind), kinds)
    tissue, guests = ([k for k in order if kinds[k].place == where] for where in ("tissue", "guest"))
    best: Suited | None = None
    tried: list[tuple[float, float | None]] = []
    refused: TableError | None = None
    for dx in widths_um:
        if axes == 3 and dx**3 < CELL_UM3:
            continue
        shape = [voxels(float(s), dx) for s in span]
        thickness = 15.0 if 15.0 * dx * dx >= CELL_UM3 else float(math.ceil(CELL_UM3 / dx**2))
        grid = Grid((shape[2] if axes == 3 else 1, shape[1], shape[0]), dx, thickness)
        try:
            found = arrange(spec, grid, tissue, guests, CAPACITY)
        except TableError as error:
            refused = error
            tried.append((dx, None))
            continue
        placed = {k: n for k, n in found.report["placed"].items() if k in tissue}
        moved = float(sum(n * found.report["moved"][k] for k, n in placed.items()) / sum(placed.values()))
        tried.append((dx, moved))
        if best is None or moved < best.moved:
            best = Suited(dx, thickness, tuple(n * dx for n in shape), moved, found, tried)
        if moved <= MOST_MOVED:
            break
    if best is None and refused is not None:
        raise refused
    return best


def voxels(span_um: float, dx_um: float) -> int:
    """Voxels for cells that span so much and a margin; places that lie on a lattice of this width get centres of voxels."""
    n, apart = max(3, math.ceil((span_um + 2.0 * MARGIN_UM) / dx_um)), span_um / dx_um
    on_lattice = abs(apart - round(apart)) < 1e-6
    return n + (on_lattice and (n - round(apart)) % 2 == 0)


def fullest_square(place: np.ndarray, side_um: float) -> np.ndarray:
    """Lower corner (2,) of the square with most of the cells at `place` (n, 2), found in steps of a part of its side."""
    step = side_um / STEPS
    low = place.min(axis=0)
    index = ((place - low) // step).astype(int)
    counts = np.zeros(index.max(axis=0) + 1)
    np.add.at(counts, tuple(index.T), 1)
    wide = np.pad(counts, ((0, STEPS - 1), (0, STEPS - 1)))
    sums = np.sum([wide[i : i + counts.shape[0], j : j + counts.shape[1]] for i in range(STEPS) for j in range(STEPS)], axis=0)
    return low + step * np.array(np.unravel_index(int(np.argmax(sums)), sums.shape))
