"""Resection: what lies in a place is taken out, living or dead, and what cells and tissue hold of particles with it.

The place is the tumour, a ball or a box; `margin_um` beyond its surface, or less than it where below 0; a `share` below 1
leaves each cell with the rest. What grows back grows from what was left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from tme.core.mechanism import Mechanism, Phase, rows_of
from tme.therapy.events import CUT, Occasion, drawn, of_kind
from tme.therapy.places import inside


def cut(model: Any, o: Occasion) -> np.ndarray:
    """Mask (n_voxels,) of what is cut out."""
    place, margin = o.item.place, o.item.margin_um or 0.0
    if place is None or place.kind == "tumour":
        return model.lattice.depth_um() > -margin
    mask = inside(model, place)
    if margin == 0.0:
        return mask
    shaped = mask.reshape(model.grid.shape)
    if margin > 0.0:
        return (distance_transform_edt(~shaped).ravel() * model.grid.dx_um <= margin) if mask.any() else mask
    return mask if mask.all() else distance_transform_edt(shaped).ravel() * model.grid.dx_um > -margin


class Resection(Mechanism):
    """Surgery."""

    name = "resection"
    given_by = "arms.*.events"
    switchable = False
    phase = Phase.RESOLVE
    ids = ("M126",)
    about = "tissue is cut out"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with surgery."""
        return bool(of_kind(model, "resection"))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.events = of_kind(model, "resection")
        self.adds = (*(name for p in model.populations for name in (*rows_of(p), counter(p, model))), "lattice.tissue_row", "lattice.immune_count",
                     *(f"field.{name}.concentration" for name in sorted(model.particle_fields)))  # fmt: skip

    def step(self, model) -> None:
        """The operations of this tick."""
        for o in self.events:
            if o.tick == model.tick:
                self.operate(model, o, cut(model, o))

    def operate(self, model, o: Occasion, mask: np.ndarray) -> None:
        """Take out all rows of a place, guests and tissue, and the particles in it."""
        share = 1.0 if o.item.share is None else o.item.share
        for population in model.populations:
            rows = np.flatnonzero(mask[population.voxel])
            if share < 1.0:
                rows = rows[drawn(model, population, rows, o.sub(CUT)) < share]
            if population.entry.place == "guest":
                np.subtract.at(model.lattice.immune_count, population.col.voxel[rows], 1)
            model.counters[counter(population, model).partition(".")[2]] += len(rows)
            population.remove(rows)
        model.lattice.rebuild_tissue(model.tumour.col.voxel, model.tumour.n)
        for name in model.particle_fields:
            model.fields[name].concentration[mask] *= 1.0 - share


def counter(population: Any, model: Any) -> str:
    """What counts the cells of a type that were cut out."""
    return "counters.resected" + ("" if population is model.tumour else f"_{population.kind}")
