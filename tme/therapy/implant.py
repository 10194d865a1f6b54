"""Implants: tumour cells put into the tissue while the model runs, to challenge a host that was vaccinated or cured.

The cells take the `count` free voxels nearest to the middle of the place, a ball's or the domain's; where there are fewer in a ball,
fewer come. Clones and traits are drawn as founders' are, by uid, so that the same cells come in every arm.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.lattice import FREE
from tme.core.mechanism import Mechanism, Phase, rows_of
from tme.therapy.events import Occasion, of_kind
from tme.therapy.places import inside

FIRST_SLOT = 1000  # beyond those of founders


def nearest(model: Any, o: Occasion) -> np.ndarray:
    """Free voxels for the cells, nearest to the middle first, ties by index."""
    place = o.item.place
    position = model.lattice.position_um(np.arange(model.grid.n_voxels))[: model.grid.ndim]
    size = (model.grid.nx, model.grid.ny, model.grid.nz)
    centre = place.centre_um if place is not None and place.kind == "ball" else tuple(n * model.grid.dx_um / 2 for n in size)
    d2 = np.round(sum((p - c) ** 2 for p, c in zip(position, centre)), 6)
    free = np.flatnonzero(inside(model, place) & (model.lattice.tissue_row == FREE))
    return free[np.argsort(d2[free], kind="stable")[: o.item.count]]


class Implant(Mechanism):
    """Tumour cells from outside."""

    name = "implant"
    given_by = "arms.*.events"
    switchable = False
    phase = Phase.RESOLVE
    ids = ("M119",)
    about = "tumour cells are put into the tissue"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with an implant."""
        return bool(of_kind(model, "implant"))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.events = of_kind(model, "implant")
        sensed = ("oxygen", "cystine", "ifng", "peroxide", "arachidonic")
        others = [f"{t.kind}.voxel" for t in model.tissue[1:]]  # the lattice is counted anew
        self.reads = ("lattice.tissue_row", *(f"field.{name}.concentration" for name in sensed), *others)
        self.adds = (*rows_of(model.tumour), "lattice.tissue_row", "uids.tumour", "counters.implanted")

    def step(self, model) -> None:
        """The implants of this tick."""
        for o in self.events:
            if o.tick == model.tick:
                model.counters["implanted"] += model.implant(nearest(model, o), FIRST_SLOT + 8 * model.tick + o.turn)
