"""Phagocytes clear corpses near them sooner.

    hazard of a corpse = 1/tau_clear (`damp`) + sum over phagocytes within one voxel of their rate

Sign: macrophages and neutrophils take up dead cells; the rate is that of the cell type's entry.
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
_EATEN = 1  # draw 0 of the stream is the corpse's own clearance


def terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """What rules may modulate in phagocytes."""
    eating = tuple(n for n, e in cells.items() if e.phagocytoses is not None)
    return (Term("phagocytosis.rate", "1", "multiplies", eating, 0.0, 100.0, "the rate at which corpses are cleared"),)


@serial
def rate_per_voxel(n, voxel, rate, scale, counts, term):
    """Add up the rates of phagocytes (1/min, in units of 1/scale) voxel by voxel."""
    for i in range(n):
        tally(counts, voxel[i], rate * factor(term, i), scale)


@serial
def flag_eaten(n, uid, voxel, state, fate, counts, scale, dt, seed, tick, geometry):
    """Raise fate 20 in corpses that phagocytes of the neighbourhood clear now."""
    for i in range(n):
        if state[i] != 0 and fate[i] == 0:
            v = np.int64(voxel[i])
            total = counts[v]
            for k in range(n_directions(geometry)):
                w = neighbour(v, k, geometry)
                if w >= 0:
                    total += counts[w]
            if total > 0 and uniform(seed, _CLEAR, tick, uid[i], _EATEN) < 1.0 - exp(-total / scale * dt):
                fate[i] = 20


@serial
def forget(n, voxel, counts):
    """Set the counts in the voxels of `n` cells back to 0."""
    for i in range(n):
        counts[voxel[i]] = 0


class Phagocytosis(Mechanism):
    """Corpses near phagocytes are cleared sooner."""

    name = "phagocytosis"
    phase = Phase.FATE
    about = "phagocytes clear the corpses around them"
    clock_min = 10.0

    @classmethod
    def enabled(cls, model) -> bool:
        """Only where some cell type does it at all."""
        return any(p.entry.phagocytoses.rate > 0.0 for p in model.populations.that("phagocytoses"))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.eaters = model.populations.that("phagocytoses")
        terms = [f"{p.kind}.term_phagocytosis_rate" for p in self.eaters if "term_phagocytosis_rate" in p.declared]
        self.reads = (*(f"{p.kind}.voxel" for p in self.eaters), *terms,
                      *(f"{t.kind}.{c}" for t in model.tissue for c in ("uid", "voxel", "state")))  # fmt: skip
        self.adds = tuple(f"{t.kind}.fate" for t in model.tissue)

    def step(self, model) -> None:
        """One clock interval."""
        if not any(p.n for p in self.eaters):
            return
        with model.scratch.borrow() as borrowed:
            counts = borrowed.view(np.int64)
            for p in self.eaters:
                rate_per_voxel(p.n, p.col.voxel, p.entry.phagocytoses.rate, model.fixed_scale, counts, p.term("phagocytosis.rate"))
            for t in model.tissue:
                c = t.col
                flag_eaten(t.n, c.uid, c.voxel, c.state, c.fate, counts, model.fixed_scale, self.dt, model.seed64, model.tick,
                           model.lattice.geometry)  # fmt: skip
            for p in self.eaters:
                forget(p.n, p.col.voxel, counts)
