"""The one place where tumour cells die and immune cells leave or divide: flags become rows.

Order: deaths of tumour cells (they become corpses), removal of cleared corpses, loss of immune cells,
CD8 divisions. What a removed cell still held of particles goes back to its voxel.
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.kernels.jit import serial
from tme.kernels.rng import Stream, priorities
from tme.kernels.rows import flags
from tme.mechanisms.death import place_daughters

CLEARED = 16  # the bit that flag 20 has and causes of death, 11-15, do not
_DEAD = ("", "dead_ferroptosis", "dead_immune", "dead_necrosis", "dead_apoptosis", "dead_cuproptosis")  # by state


@serial
def bury(n, fate, state, death_tick, tick, counts):
    """Flags 11-15 become states 1-5, dead since `tick`; `counts` (6,) int64 gains the deaths per cause."""
    for i in range(n):
        if 10 < fate[i] < 20:
            cause = fate[i] - 10
            state[i] = cause
            death_tick[i] = tick
            fate[i] = 0
            counts[cause] += 1


class Resolve(Mechanism):
    """Turn fate flags into corpses, removals and births of CD8."""

    name = "resolve"
    switchable = False
    phase = Phase.RESOLVE
    about = "deaths, clearance, departures and CD8 births take effect"
    reads = ("tumour.fate", "cd8.fate")
    writes = ("population.rows",)

    def step(self, model) -> None:
        """Settle everything flagged this tick."""
        flagged = flags(model.tumour.col.fate, model.tumour.n)
        if flagged:
            self.bury(model)
        if flagged & CLEARED:
            self.clear(model)
        for population in model.immune:
            if flags(population.col.fate, population.n):
                self.leave(model, population)
        if flags(model.cd8.col.fate, model.cd8.n):
            self.expand(model)

    def bury(self, model) -> None:
        """Living cells with a cause of death become corpses where they are."""
        t = model.tumour.col
        counts = np.zeros(len(_DEAD), np.int64)
        bury(model.tumour.n, t.fate, t.state, t.death_tick, model.tick, counts)
        for code, count in enumerate(counts.tolist()):
            if count:
                model.counters[_DEAD[code]] += count

    def clear(self, model) -> None:
        """Cleared corpses vanish; their particles return to the voxel."""
        tumour = model.tumour
        rows = np.flatnonzero(tumour.col.fate[: tumour.n] == 20)
        if len(rows) == 0:
            return
        model.return_cargo(tumour, rows)
        model.counters["cleared"] += len(rows)
        tumour.remove(rows)
        model.lattice.rebuild_tissue(tumour.col.voxel, tumour.n)

    def leave(self, model, population) -> None:
        """Immune cells flagged 30 leave the tissue or die."""
        rows = np.flatnonzero(population.col.fate[: population.n] == 30)
        if len(rows) == 0:
            return
        model.return_cargo(population, rows)
        np.subtract.at(model.lattice.immune_count, population.col.voxel[rows], 1)
        model.counters[f"lost_{population.kind}"] += len(rows)
        population.remove(rows)

    def expand(self, model) -> None:
        """Engaged CD8 flagged 1 divide if there is room, in the order of a random priority, ties to the smaller uid."""
        cd8 = model.cd8
        rows = np.flatnonzero(cd8.col.fate[: cd8.n] == 1)
        if len(rows) == 0:
            return
        cd8.col.fate[rows] = 0
        priority = np.empty(len(rows), np.int64)
        priorities(rows, len(rows), cd8.col.uid, model.seed64, int(Stream.CD8_DIVIDE), model.tick, 2, priority)
        rows = rows[np.lexsort((cd8.col.uid[rows], -priority))]
        mothers, places = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
        uids = np.empty(len(rows), np.uint64)
        lattice, c = model.lattice, cd8.col
        m = place_daughters(rows, len(rows), c.uid, c.voxel, c.n_div, lattice.immune_count, lattice.immune_capacity,
                            model.seed64, model.tick, lattice.geometry, mothers, places, uids)  # fmt: skip
        if m == 0:
            return
        model.check_new_uids(cd8, uids[:m])
        new = cd8.copy_from(mothers[:m])
        cd8.col.uid[new] = uids[:m]
        cd8.col.voxel[new] = places[:m]
        cd8.col.born_tick[new] = model.tick
        model.counters["births_cd8"] += int(m)
