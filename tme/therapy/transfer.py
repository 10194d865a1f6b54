"""Adoptive transfer: cells of a type are given, and enter through open vessels or appear in a region.

A cell's uid hashes (type, tick, number), so that the same cells come in every arm that gives them; each takes a
voxel drawn for it, or the next with room. Those that find none are counted as refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase, rows_of
from tme.kernels.rng import Stream, recruit_uid, uniforms
from tme.therapy.events import Occasion, of_kind
from tme.therapy.places import inside

GIVEN = np.uint64(1 << 31)  # tells those given from recruits, whose source is a voxel


def number(model: Any, o: Occasion) -> int:
    """How many cells are given: as stated, or per mm2 of the tumour at that time as histology counts them."""
    if o.item.count is not None:
        return o.item.count
    tumour = int((model.lattice.inside_um() > 0.0).sum())
    return round(o.item.per_mm2 * model.populations[o.item.cells].in_slab * tumour * model.grid.dx_um**2 * 1e-6)


def seats(candidates: np.ndarray, u: np.ndarray, occupancy: np.ndarray, capacity: int) -> np.ndarray:
    """A voxel (n,) for each newcomer in turn, -1 without; `occupancy` is updated.

    Newcomer i starts at candidate u_i m and goes on, round in a circle, to the next that has room.
    """
    m = len(candidates)
    out = np.full(len(u), -1, np.int64)
    ahead = np.arange(m)  # where to look on from a candidate; itself while it may have room
    room = int(np.maximum(capacity - occupancy[candidates].astype(np.int64), 0).sum())
    for i in range(min(len(u), room)):
        start = place = int(u[i] * m)
        while occupancy[candidates[place]] >= capacity:
            ahead[place] = (place + 1) % m if ahead[place] == place else ahead[place]
            place = int(ahead[place])
        while start != place:
            start, ahead[start] = int(ahead[start]), place
        out[i] = candidates[place]
        occupancy[out[i]] += 1
    return out


class CellTransfer(Mechanism):
    """Cells given from outside."""

    name = "cell_transfer"
    switchable = False
    phase = Phase.RESOLVE
    about = "cells given from outside enter the tissue"
    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms that transfer cells."""
        return bool(of_kind(model, "cell_transfer"))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.events = of_kind(model, "cell_transfer")
        kinds = [model.populations[name] for name in sorted({o.item.cells for o in self.events})]
        self.reads = ("vessels.voxels", "lattice.tissue_row")
        self.adds = (*(name for p in kinds for name in (*rows_of(p), f"uids.{p.kind}", f"counters.transferred_{p.kind}")),
                     "lattice.immune_count", "counters.refused")  # fmt: skip

    def step(self, model) -> None:
        """The transfers of this tick; those of one type number their cells on."""
        given: dict[str, int] = {}
        for o in self.events:
            if o.tick == model.tick:
                n = number(model, o)
                self.enter(model, o, n, given.get(o.item.cells, 0))
                given[o.item.cells] = given.get(o.item.cells, 0) + n

    def enter(self, model, o: Occasion, n: int, first: int) -> None:
        """Add the cells that find room."""
        population = model.populations[o.item.cells]
        source = (np.uint64(population.code) << np.uint64(32)) | GIVEN
        uid = np.array([recruit_uid(source, model.tick, first + k) for k in range(n)], np.uint64)
        u = np.empty(n)
        uniforms(model.seed64, int(Stream.TRANSFER), model.tick, uid, 0, u)
        where = model.vessels.voxels if o.item.place is None or o.item.place.kind == "vessels" else np.flatnonzero(inside(model, o.item.place))
        lattice = model.lattice
        voxels = seats(np.asarray(where, np.int64), u, lattice.immune_count, lattice.immune_capacity)
        placed = voxels >= 0
        model.counters["refused"] += int(n - placed.sum())
        model.counters[f"transferred_{population.kind}"] += int(placed.sum())
        if placed.any():
            model.check_new_uids(population, uid[placed])
            population.add(uid[placed], voxels[placed].astype(np.int32), model.tick)
