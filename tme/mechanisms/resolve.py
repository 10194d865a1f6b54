"""The one place where tissue cells die and guests leave or divide: flags become rows.

Order: deaths of tissue cells (they become corpses), removal of cleared corpses, loss of guests, their
divisions, types by priority. What a removed cell still held of particles goes back to its voxel.
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase, rows_of
from tme.kernels.jit import serial
from tme.kernels.rng import Stream, priorities
from tme.kernels.row_moves import flags
from tme.mechanisms.death import place_daughters

CLEARED = 16  # the bit that flag 20 has and most causes of death, 11-15, do not
_DEAD = ("", "dead_ferroptosis", "dead_immune", "dead_necrosis", "dead_apoptosis", "dead_cuproptosis", "dead_disulfidptosis")  # by state


@serial
def bury(n, fate, state, death_tick, tick, counts):
    """Flags 11-16 become states 1-6, dead since `tick`; `counts` (7,) int64 gains the deaths per cause."""
    for i in range(n):
        if 10 < fate[i] < 20:
            cause = fate[i] - 10
            state[i] = cause
            death_tick[i] = tick
            fate[i] = 0
            counts[cause] += 1


class Resolve(Mechanism):
    """Turn fate flags into corpses, removals and births of guests."""

    name = "resolve"
    switchable = False
    phase = Phase.RESOLVE
    about = "deaths, clearance, departures and CD8 births take effect"
    def __init__(self, model) -> None:
        super().__init__(model)
        self.dividing = model.populations.that("division")
        self.closing = not model.on_a_dish and "closing" not in model.config.switched_off()
        self.writes = (*(name for p in model.populations for name in rows_of(p)), "lattice.tissue_row", "lattice.immune_count", *(["lattice.hole"] if self.closing else []))
        others = [f"{name}_{t.kind}" for t in model.tissue[1:] for name in (*_DEAD[1:], "cleared")]
        counted = (*_DEAD[1:], "cleared", *others, *(f"births_{p.kind}" for p in self.dividing), *(f"lost_{p.kind}" for p in model.immune))
        self.adds = (*(f"uids.{p.kind}" for p in self.dividing), *(f"counters.{name}" for name in counted),
                     *(f"field.{name}.concentration" for name in model.particle_fields))  # fmt: skip

    def step(self, model) -> None:
        """Settle everything flagged this tick."""
        for tissue in model.tissue:
            flagged = flags(tissue.col.fate, tissue.n)
            if flagged:
                self.bury(model, tissue)
            if flagged & CLEARED:
                self.clear(model, tissue)
        for population in model.immune:
            if flags(population.col.fate, population.n):
                self.leave(model, population)
        for population in self.dividing:
            if flags(population.col.fate, population.n):
                self.expand(model, population)

    def bury(self, model, tissue) -> None:
        """Living cells with a cause of death become corpses where they are."""
        t = tissue.col
        counts = np.zeros(len(_DEAD), np.int64)
        bury(tissue.n, t.fate, t.state, t.death_tick, model.tick, counts)
        of = "" if tissue is model.tumour else f"_{tissue.kind}"
        for code, count in enumerate(counts.tolist()):
            if count:
                model.counters[_DEAD[code] + of] += count

    def clear(self, model, tissue) -> None:
        """Cleared corpses vanish; their particles return to the voxel."""
        rows = np.flatnonzero(tissue.col.fate[: tissue.n] == 20)
        if len(rows) == 0:
            return
        model.return_cargo(tissue, rows)
        if self.closing:
            model.lattice.leave_holes(tissue.col.voxel[rows])
        model.counters["cleared" if tissue is model.tumour else f"cleared_{tissue.kind}"] += len(rows)
        tissue.remove(rows)
        model.lattice.rebuild_tissue(model.tumour.col.voxel, model.tumour.n)

    def leave(self, model, population) -> None:
        """Guests flagged 30 leave the tissue or die."""
        rows = np.flatnonzero(population.col.fate[: population.n] == 30)
        if len(rows) == 0:
            return
        model.return_cargo(population, rows)
        np.subtract.at(model.lattice.immune_count, population.col.voxel[rows], 1)
        model.counters[f"lost_{population.kind}"] += len(rows)
        population.remove(rows)

    def expand(self, model, population) -> None:
        """Guests flagged 1 divide if there is room, in the order of a random priority, ties to the smaller uid."""
        rows = np.flatnonzero(population.col.fate[: population.n] == 1)
        if len(rows) == 0:
            return
        population.col.fate[rows] = 0
        priority = np.empty(len(rows), np.int64)
        priorities(rows, len(rows), population.col.uid, model.seed64, int(Stream.CD8_DIVIDE), model.tick, 2, priority)
        rows = rows[np.lexsort((population.col.uid[rows], -priority))]
        mothers, places = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
        uids = np.empty(len(rows), np.uint64)
        lattice, c = model.lattice, population.col
        m = place_daughters(rows, len(rows), c.uid, c.voxel, c.n_div, lattice.immune_count, lattice.immune_capacity,
                            model.seed64, model.tick, lattice.geometry, mothers, places, uids)  # fmt: skip
        if m == 0:
            return
        model.check_new_uids(population, uids[:m])
        new = population.copy_from(mothers[:m])
        population.col.uid[new] = uids[:m]
        population.col.voxel[new] = places[:m]
        population.col.born_tick[new] = model.tick
        model.counters[f"births_{population.kind}"] += int(m)
