"""Phagocytes clear corpses near them sooner; M1 macrophages eat living tumour cells too.

    hazard of a corpse         1/tau_clear (`damp`) + sum over phagocytes within one voxel of their rate
    hazard of a living cell    sum over macrophages within one voxel of living x m1

Signs: macrophages and neutrophils take up dead cells; iron oxide turns macrophages to M1, and tumours grow less (Zanganeh
et al. 2016, doi 10.1038/nnano.2016.168). The rates are those of the cell type's entry.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.terms import Term
from tme.kernels.elementary import exp
from tme.kernels.exchange import tally
from tme.kernels.jit import serial
from tme.kernels.neighbours import n_directions, neighbour
from tme.kernels.rng import Stream, uniform
from tme.kernels.terms import factor
from tme.library.cells import CellEntry

_CLEAR = int(Stream.CLEAR)
_EATEN, _EATEN_ALIVE = 1, 2  # draw 0 of the stream is the corpse's own clearance
KILLED, CLEARED = 12, 20  # fates: of a cell that immune cells kill, of a corpse that vanishes


def terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """What rules may modulate in phagocytes."""
    eating = tuple(n for n, e in cells.items() if e.phagocytoses is not None)
    killing = tuple(n for n in eating if cells[n].polarises is not None)
    return (
        Term("phagocytosis.rate", "1", "multiplies", eating, 0.0, 100.0, "the rate at which corpses are cleared"),
        Term("phagocytosis.living", "1", "multiplies", killing, 0.0, 100.0, "the rate at which M1 macrophages eat living tumour cells"),
    )


@serial
def rate_per_voxel(n, voxel, rate, scale, counts, term):
    """Add up the rates of phagocytes (1/min, in units of 1/scale) voxel by voxel."""
    for i in range(n):
        tally(counts, voxel[i], rate * factor(term, i), scale)


@serial
def rate_of_m1(n, voxel, m1, rate, scale, counts, term):
    """The same in proportion to m1."""
    for i in range(n):
        tally(counts, voxel[i], rate * m1[i] * factor(term, i), scale)


@serial
def flag_eaten(n, uid, voxel, state, fate, of_corpses, set_to, draw, counts, scale, dt, seed, tick, geometry):
    """Set the fate of corpses, or of living cells, that phagocytes of the neighbourhood eat now; returns how many.

    Corpses that nothing else has happened to, or living cells that do not die already. `draw` of the stream. A rate is that of one cell of
    the nine places in reach in a plane; in space it is shared out among 27, so that a phagocyte eats as much.
    """
    eaten = 0
    per = scale * ((n_directions(geometry) + 1) / 9.0)
    for i in range(n):
        if (state[i] != 0 and fate[i] == 0) if of_corpses else (state[i] == 0 and fate[i] < 10):
            v = np.int64(voxel[i])
            total = counts[v]
            for k in range(n_directions(geometry)):
                w = neighbour(v, k, geometry)
                if w >= 0:
                    total += counts[w]
            if total > 0 and uniform(seed, _CLEAR, tick, uid[i], draw) < 1.0 - exp(-total / per * dt):
                fate[i] = set_to
                eaten += 1
    return eaten


@serial
def forget(n, voxel, counts):
    """Set the counts in the voxels of `n` cells back to 0."""
    for i in range(n):
        counts[voxel[i]] = 0


class Phagocytosis(Mechanism):
    """Corpses near phagocytes are cleared sooner."""

    name = "phagocytosis"
    phase = Phase.FATE
    ids = ("M74",)
    about = "phagocytes clear the corpses around them; M1 macrophages eat living tumour cells"
    clock_min = 10.0

    @classmethod
    def enabled(cls, model) -> bool:
        """Only where some cell type does it at all."""
        return any(max(p.entry.phagocytoses.rate, p.entry.phagocytoses.living) > 0.0 for p in model.populations.that("phagocytoses"))

    def __init__(self, model) -> None:
        super().__init__(model)
        every = model.populations.that("phagocytoses")
        self.eaters = tuple(p for p in every if p.entry.phagocytoses.rate > 0.0)
        self.predators = tuple(p for p in every if p.entry.phagocytoses.living > 0.0)
        terms = [f"{p.kind}.{t}" for p in every for t in ("term_phagocytosis_rate", "term_phagocytosis_living") if t in p.declared]
        self.reads = (*(f"{p.kind}.voxel" for p in every), *(f"{p.kind}.m1" for p in self.predators), *terms,
                      *(f"{t.kind}.{c}" for t in model.tissue for c in ("uid", "voxel", "state")))  # fmt: skip
        self.adds = (*(f"{t.kind}.fate" for t in model.tissue), *(["counters.eaten_alive"] if self.predators else []))

    def step(self, model) -> None:
        """One clock interval."""
        if any(p.n for p in self.eaters):
            self.clear(model)
        if any(p.n for p in self.predators):
            self.eat_living(model)

    def eat_living(self, model) -> None:
        """Living tumour cells near M1 macrophages."""
        c, scale = model.tumour.col, model.fixed_scale
        with model.scratch.borrow() as borrowed:
            counts = borrowed.view(np.int64)
            for p in self.predators:
                rate_of_m1(p.n, p.col.voxel, p.col.m1, p.entry.phagocytoses.living, scale, counts, p.term("phagocytosis.living"))
            model.counters["eaten_alive"] += flag_eaten(
                model.tumour.n, c.uid, c.voxel, c.state, c.fate, False, KILLED, _EATEN_ALIVE, counts, scale, self.dt, model.seed64, model.tick,
                model.lattice.geometry,
            )  # fmt: skip
            for p in self.predators:
                forget(p.n, p.col.voxel, counts)

    def clear(self, model) -> None:
        """Corpses near phagocytes."""
        with model.scratch.borrow() as borrowed:
            counts = borrowed.view(np.int64)
            for p in self.eaters:
                rate_per_voxel(p.n, p.col.voxel, p.entry.phagocytoses.rate, model.fixed_scale, counts, p.term("phagocytosis.rate"))
            for t in model.tissue:
                c = t.col
                flag_eaten(t.n, c.uid, c.voxel, c.state, c.fate, True, CLEARED, _EATEN, counts, model.fixed_scale, self.dt, model.seed64,
                           model.tick, model.lattice.geometry)  # fmt: skip
            for p in self.eaters:
                forget(p.n, p.col.voxel, counts)
