"""Tumour cells walk: single cells leave the tumour's surface for free voxels beside it (migration, invasion).

    p = 1 - exp(-speed/dx f dt)       f what rules make of it

A living cell that steps picks one of the voxels around it and goes there if there is no tissue; a cell amid others stays.
Steps of one clock interval are settled in the order of a random priority, ties to the smaller uid.
"""

from __future__ import annotations

import numpy as np

from tme.core.lattice import FREE
from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels.elementary import exp
from tme.kernels.jit import serial
from tme.kernels.neighbours import at_margin, n_directions, neighbour
from tme.kernels.rng import Stream, draw, priorities, uniform
from tme.kernels.terms import factor

PARAMETERS = ParameterSet(
    "invasion",
    par("speed_um_h", 0.0, "um/h", 0.0, 60.0, "assumed: 0 is off; carcinoma cells migrate at 5-30 um/h", "speed of single tumour cells at the tumour's surface"),
)
TERMS = (Term("invasion.speed", "1", "multiplies", ("tumour",), 0.0, 20.0, "the speed of tumour cells that invade"),)
_INVADE = int(Stream.INVADE)


@serial
def walking(n, uid, state, term, rate, seed, tick, rows):
    """Rows of living cells that step now, into `rows` (n,); how many. `rate` steps in this interval, `term` (n,) or empty."""
    count = 0
    for i in range(n):
        if state[i] == 0 and uniform(seed, _INVADE, tick, uid[i], 0) < 1.0 - exp(-rate * factor(term, i)):
            rows[count] = i
            count += 1
    return count


@serial
def walk(order, m, uid, voxel, tissue_row, seed, tick, geometry):
    """Each row of `order` (m,) goes to a random voxel beside its own if that is free; returns (steps, at the edge)."""
    steps, edge = 0, 0
    for q in range(m):
        row = order[q]
        a, _b, _c, _d = draw(seed, _INVADE, tick, uid[row], 1)
        here = np.int64(voxel[row])
        there = neighbour(here, np.int64(a) % n_directions(geometry), geometry)
        if there >= 0 and tissue_row[there] == FREE:
            tissue_row[there] = row
            tissue_row[here] = FREE
            voxel[row] = there
            steps += 1
            if at_margin(there, 2, geometry):
                edge = 1
    return steps, edge


class Invasion(Mechanism):
    """Tumour cells at the surface walk into free tissue."""

    name = "invasion"
    phase = Phase.RESOLVE
    ids = ("M109",)
    about = "single tumour cells leave the surface, where mechanisms.invasion.speed_um_h is above 0"
    parameters = PARAMETERS
    clock_min = 10.0
    reads = ("tumour.uid", "tumour.state")
    adds = ("tumour.voxel", "lattice.tissue_row", "counters.tumour_steps", "model.stop_reason")

    @classmethod
    def enabled(cls, model) -> bool:
        """Where cells have a speed."""
        return model.config_for(cls.name).get("speed_um_h", 0.0) > 0.0

    def step(self, model) -> None:
        """One clock interval."""
        tumour, t = model.tumour, model.tumour.col
        rows = np.empty(tumour.n, np.int64)
        rate = self.p.speed_um_h / 60.0 / model.grid.dx_um * self.dt
        m = walking(tumour.n, t.uid, t.state, tumour.term("invasion.speed"), rate, model.seed64, model.tick, rows)
        if m == 0:
            return
        rows, priority = rows[:m], np.empty(m, np.int64)
        priorities(rows, m, t.uid, model.seed64, _INVADE, model.tick, 2, priority)
        order = rows[np.lexsort((t.uid[rows], -priority))]
        steps, edge = walk(order, m, t.uid, t.voxel, model.lattice.tissue_row, model.seed64, model.tick, model.lattice.geometry)
        model.counters["tumour_steps"] += int(steps)
        if edge:
            model.reached_edge()
