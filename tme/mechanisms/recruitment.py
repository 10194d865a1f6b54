"""Guest cells enter through open vessels, each type as its entry says.

Per open vessel (20 um of it) and minute, with s the type's signal at the vessel:

    rate x [s/(half + s) + basal] x node output (if it is primed in the node) x (1 - depletion by antibody)

The inflow of CD8 follows the tumour's chemokine, which fades with the tumour but keeps a basal share, so
that remnants are not abandoned; DAMPs draw suppressive and myeloid cells. A newcomer whose voxel is full does not
enter. Types claim room in the order of their entry's priority, then by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase, rows_of
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import threads
from tme.kernels.elementary import exp
from tme.kernels.jit import serial
from tme.kernels.rng import BLOCK, Stream, recruit_uid, uniform_block
from tme.kernels.terms import factor
from tme.kernels.transfer import at
from tme.library.cells import CellEntry

PARAMETERS = ParameterSet(
    "recruitment",
    par("k_cd8", 4.2e-4, "1/min", 0.0, 0.1, "assumed: holds the starting number of CD8"),
    par("k_c", 30.0, "ng/mL", 0.01, 1000.0, "assumed: above the chemokine of an inflamed tumour (10-20), so that inflow follows it"),
    par("basal", 0.02, "1", 0.0, 1.0, "assumed: inflow without chemokine"),
    par("k_treg", 5e-6, "1/min", 0.0, 0.1, "assumed: holds the starting number of Tregs"),
    par("k_mac", 1.5e-5, "1/min", 0.0, 0.1, "assumed: holds the starting number of macrophages"),
    par("k_dc", 1.5e-5, "1/min", 0.0, 0.1, "assumed: replaces dendritic cells that left"),
    par("base", 0.3, "1", 0.0, 1.0, "assumed: inflow of suppressive and myeloid cells without DAMPs"),
    par("k_h", 0.5, "ng/mL", 0.001, 100.0, "assumed: HMGB1 of half effect (DAMPs recruit Treg and TAM: Yin et al. 2025, doi 10.32604/or.2025.069049)"),
)
_RECRUIT = int(Stream.RECRUIT)
_NO_FACTOR = np.zeros(0)
READS = {"node_output": "node.output"}  # by what is in TIMES
TIMES = {"node_output": lambda model, kind: model.node.output, "not_depleted": lambda model, kind: 1.0 - model.receptors.depleted(kind)}


def terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """What rules may modulate: the entry of each type, evaluated at the vessels."""
    entering = tuple(n for n, e in cells.items() if e.entry is not None)
    return tuple(Term(f"entry.{n}", "1", "multiplies", ("vessel",), 0.0, 100.0, f"the entry of {n} cells") for n in entering)


@serial
def draw_arrivals(lo, hi, vessels, weight, code, rate, signal, k, basal, dt, seed, tick, uid, where, term):
    """Cells that attempt to enter at the vessels from `lo` to `hi`: their `uid`, and number of the vessel, from `lo` on; returns the end.

    rate [1/min] times the vessel's weight times (signal/(k + signal) + basal), times `term` (vessels,) or empty, is the hazard of an entry.
    """
    count, u = lo, np.empty((2, BLOCK))
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        for j in range(np.uint64(first), np.uint64(first + m)):
            uid[j] = recruit_uid((np.uint64(code) << np.uint64(32)) | np.uint64(vessels[j]), tick, 0)
        uniform_block(seed, _RECRUIT, tick, uid, first, first + m, 0, u)
        for j in range(np.uint64(m)):
            v = np.int64(vessels[np.uint64(first) + j])
            s = at(signal, v)
            x = rate * weight[np.uint64(first) + j] * (s / (k + s) + basal) * dt * factor(term, np.uint64(first) + j)
            if u[0, j] < x and u[0, j] < 1.0 - exp(-x):  # the first bound spares most vessels the second
                where[count] = first + np.int64(j)
                count += 1
    return count


def arrivals(vessels, weight, code, rate, signal, k, basal, dt, seed, tick, occupancy, capacity, uid, voxel, term=_NO_FACTOR):
    """Draw newcomers at each vessel, their hazard times `term` (vessels,) if there is one; fills uid and voxel (vessels,), updates occupancy, returns (entered, refused)."""
    n = len(vessels)
    name, where = np.empty(n, np.uint64), np.empty(n, np.int64)
    wanting = where[: threads.gather_rows(where, draw_arrivals, n, vessels, weight, code, rate, signal, k, basal, dt, seed, tick, name, where, term)]
    entering = wanting[occupancy[vessels[wanting]] < capacity]  # vessels are voxels, all different
    count = len(entering)
    uid[:count], voxel[:count] = name[entering], vessels[entering]
    occupancy[voxel[:count]] += 1
    return count, len(wanting) - count


class Recruitment(Mechanism):
    """Entry of guest cells through vessels; `factor[kind]` gives a factor (n,) on the hazard at some voxels (n,)."""

    name = "recruitment"
    phase = Phase.RESOLVE
    ids = ("M73", "M77")
    about = "chemokine and primed CD8 set the inflow of CD8; DAMPs draw Tregs, macrophages and MDSC"
    parameters = PARAMETERS
    clock_min = 30.0
    def __init__(self, model) -> None:
        super().__init__(model)
        entering = [p for p in model.immune if p.entry.entry is not None and model.recruits(p.kind)]
        self.entering = sorted(entering, key=order_of)
        self.factor: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
        read = {f"field.{p.entry.entry.signal}.concentration" for p in entering} | {READS[t] for p in entering for t in p.entry.entry.times if t in READS}
        self.reads = ("vessels.voxels", "vessels.weight", *sorted(read), *(f"receptors.depletion.{p.kind}" for p in entering))
        self.adds = (*(name for p in entering for name in (*rows_of(p), f"uids.{p.kind}", f"counters.recruited_{p.kind}")),
                     "lattice.immune_count", "counters.refused")  # fmt: skip

    def step(self, model) -> None:
        """One clock interval."""
        for population in self.entering:
            self.enter(model, population)

    def enter(self, model, population) -> None:
        """Draw and add the newcomers of one population."""
        e, vessels, lattice = population.entry.entry, model.vessels.voxels, model.lattice
        rate = e.rate
        for name in e.times:
            rate *= TIMES[name](model, population.kind)
        term = self.factor[population.kind](vessels) if population.kind in self.factor else _NO_FACTOR
        uid = np.empty(len(vessels), np.uint64)
        voxel = np.empty(len(vessels), np.int32)
        count, refused = arrivals(vessels, model.vessels.weight, population.code, rate, model.fields[e.signal].read_view, e.half, e.basal, self.dt, model.seed64,
                                  model.tick, lattice.immune_count, lattice.immune_capacity, uid, voxel, term)  # fmt: skip
        model.counters["refused"] += int(refused)
        if count:
            model.check_new_uids(population, uid[:count])
            population.add(uid[:count], voxel[:count], model.tick)
            model.counters[f"recruited_{population.kind}"] += int(count)


def order_of(population: Any) -> tuple[int, str]:
    """The order in which types claim room at a vessel."""
    own = population.entry.entry.priority
    return (population.entry.priority if own is None else own, population.kind)
