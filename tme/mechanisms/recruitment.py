"""Guest cells enter through open vessels, each type as its entry says.

Per open vessel (20 um of it) and minute, where tumour cells are within some 100 um, with s the type's signal at the vessel:

    rate x [m + basal] x node output (if it is primed in the node) x (1 - depletion by antibody)
    m = s/(half + s), or what is left of an earlier one, which fades with the time constant `memory`

A type that `holds` has the rate, times that number, at which these vessels replace what is lost at the start. So numbers do not
hang on the size of voxel, section, domain or vessel bed: what passes through tissue far from the tumour is not simulated.

The inflow of CD8 follows the tumour's chemokine. Endothelium that it has activated stays so for days, so that a remnant is
not abandoned when the chemokine fades with the tumour; DAMPs draw suppressive and myeloid cells. A newcomer whose voxel
is full does not enter. What the node primes beyond the start is specific for the tumour, of the others the share is that of
the start. Types claim room in the order of their entry's priority, then by name.
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
from tme.kernels.rng import BLOCK, Stream, recruit_uid, uniform_block, uniforms
from tme.kernels.terms import factor
from tme.library.cells import CellEntry
from tme.mechanisms.killing import PARAMETERS as KILLING

PARAMETERS = ParameterSet(
    "recruitment",
    par("k_cd8", 1.5, "1", 0.0, 1e3, "tuned: with it the untreated tumour holds the starting number of CD8 (tests/mechanisms/test_steady_start.py)", "inflow at the start relative to the loss", range=(1.05, 2.1)),
    par("k_c", 1.0, "a.u.", 0.01, 1000.0, "calibrated: about the chemokine at the vessels of an untreated tumour of 400 cells and half of that of 3,000, so that inflow doubles at most (T19a: CD8 of the control hold)", "", range=(0.3, 10.0)),
    par("memory_d", 3.0, "d", 0.0, 30.0, "assumed: adhesion molecules of endothelium once activated stay for days; 0 is none"),
    par("basal", 0.02, "1", 0.0, 1.0, "assumed: inflow without chemokine"),
    par("k_treg", 2.2, "1", 0.0, 1e3, "tuned: with it the untreated tumour holds the starting number of Tregs", "inflow at the start relative to the loss", range=(1.54, 3.08)),
    par("k_mac", 1.5, "1", 0.0, 1e3, "tuned: with it the untreated tumour holds the starting number of macrophages", "inflow at the start relative to the loss", range=(1.05, 2.1)),
    par("k_dc", 3.0, "1", 0.0, 1e3, "tuned: with it the untreated tumour holds the starting number of dendritic cells", "inflow at the start relative to the loss", range=(2.1, 4.2)),
    par("base", 1.0, "1", 0.0, 4.0, "calibrated: inflow of Tregs and macrophages without DAMPs; with them it doubles at most (T19a, T21: Tregs among T cells down)", "", range=(0.3, 3.0)),
    par("k_h", 0.5, "a.u.", 0.001, 100.0, "assumed: HMGB1 of half effect (DAMPs recruit Treg and TAM: Yin et al. 2025, doi 10.32604/or.2025.069049)"),
)
_RECRUIT = int(Stream.RECRUIT)
SPECIFIC = 2  # draw of Stream.TYPE: whether a T cell is specific
_NO_FACTOR = np.zeros(0)
READS = {"node_output": "node.output"}  # by what is in TIMES
TIMES = {"node_output": lambda model, kind: model.node.output, "not_depleted": lambda model, kind: 1.0 - model.receptors.depleted(kind)}


def terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """What rules may modulate: the entry of each type, evaluated at the vessels."""
    entering = tuple(n for n, e in cells.items() if e.entry is not None)
    return tuple(Term(f"entry.{n}", "1", "multiplies", ("vessel",), 0.0, 100.0, f"the entry of {n} cells") for n in entering)


@serial
def draw_arrivals(lo, hi, vessels, weight, code, rate, response, basal, dt, seed, tick, uid, where, term):
    """Cells that attempt to enter at the vessels from `lo` to `hi`: their `uid`, and number of the vessel, from `lo` on; returns the end.

    rate [1/min] times the vessel's weight times (response + basal), times `term` (vessels,) or empty, is the hazard of an entry.
    """
    count, u = lo, np.empty((2, BLOCK))
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        for j in range(np.uint64(first), np.uint64(first + m)):
            uid[j] = recruit_uid((np.uint64(code) << np.uint64(32)) | np.uint64(vessels[j]), tick, 0)
        uniform_block(seed, _RECRUIT, tick, uid, first, first + m, 0, u)
        for j in range(np.uint64(m)):
            x = rate * weight[np.uint64(first) + j] * (response[np.uint64(first) + j] + basal) * dt * factor(term, np.uint64(first) + j)
            if u[0, j] < x and u[0, j] < 1.0 - exp(-x):  # the first bound spares most vessels the second
                where[count] = first + np.int64(j)
                count += 1
    return count


def arrivals(vessels, weight, code, rate, response, basal, dt, seed, tick, occupancy, capacity, uid, voxel, term=_NO_FACTOR):
    """Draw newcomers at each vessel, `response` (vessels,) 0-1 to the signal there, their hazard times `term` (vessels,) if there is one; fills uid and voxel (vessels,), updates occupancy, returns (entered, refused)."""
    n = len(vessels)
    name, where = np.empty(n, np.uint64), np.empty(n, np.int64)
    wanting = where[: threads.gather_rows(where, draw_arrivals, n, vessels, weight, code, rate, response, basal, dt, seed, tick, name, where, term)]
    entering = wanting[occupancy[vessels[wanting]] < capacity]  # vessels are voxels, all different
    count = len(entering)
    uid[:count], voxel[:count] = name[entering], vessels[entering]
    occupancy[voxel[:count]] += 1
    return count, len(wanting) - count


class Recruitment(Mechanism):
    """Entry of guest cells through vessels; `factor[kind]` gives a factor (n,) on the hazard at some voxels (n,).

    `scale[kind]` 1/min is the rate of a type that holds its number, `memory[kind]` (places,) float64 what endothelium keeps
    of its response in each voxel that a vessel, open or closed, crosses.
    """

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
        self.places = np.unique(model.vessels.sites)
        self.scale = {p.kind: 0.0 for p in self.entering if p.entry.entry.holds > 0.0}
        self.memory = {p.kind: np.zeros(len(self.places)) for p in self.entering if p.entry.entry.memory_d > 0.0}
        self.specific = KILLING.build(model.config_for("killing")).specific
        read = {f"field.{p.entry.entry.signal}.concentration" for p in entering} | {READS[t] for p in entering for t in p.entry.entry.times if t in READS}
        self.reads = ("vessels.voxels", "vessels.weight", "tumour.voxel", *sorted(read), *(f"receptors.depletion.{p.kind}" for p in entering))
        self.adds = (*(name for p in entering for name in (*rows_of(p), f"uids.{p.kind}", f"counters.recruited_{p.kind}")),
                     "lattice.immune_count", "counters.refused")  # fmt: skip

    def begin(self, model) -> None:
        """The rates that replace what is lost at the start; endothelium as the start activates it."""
        vessels, near = model.vessels, self.near(model)
        for p in self.entering:
            e, life = p.entry.entry, p.entry.life
            m = response(model, e)
            if p.kind in self.memory:
                self.memory[p.kind][np.searchsorted(self.places, vessels.voxels)] = m
            if p.kind in self.scale:
                lost = p.n / (life.mean_d * 1440.0) if life is not None else 0.0
                if life is not None and life.where is not None:
                    off = model.fields[life.where].at(p.col.voxel[: p.n]) < life.below
                    lost += (life.sooner - 1.0) * int(off.sum()) / (life.mean_d * 1440.0)
                supply = float((vessels.weight * (m + e.basal))[near].sum())
                self.scale[p.kind] = lost / supply if supply > 0.0 else 0.0

    def step(self, model) -> None:
        """One clock interval."""
        weight = model.vessels.weight * self.near(model)
        for population in self.entering:
            self.enter(model, population, weight)

    def near(self, model) -> np.ndarray:
        """Which open vessels lie near tumour cells, (vessels,) bool."""
        return model.vessels.near(model.lattice, model.tumour.col.voxel[: model.tumour.n])

    def remembered(self, model, population, m: np.ndarray) -> np.ndarray:
        """The response (vessels,) of open vessels, with what endothelium kept of earlier ones; remembers it."""
        if population.kind not in self.memory:
            return m
        kept, here = self.memory[population.kind], np.searchsorted(self.places, model.vessels.voxels)
        kept *= exp(-self.dt / (population.entry.entry.memory_d * 1440.0))
        kept[here] = np.maximum(kept[here], m)
        return kept[here]

    def state_dict(self) -> dict[str, Any]:
        """Rates that hold numbers, and the memory of endothelium."""
        return {**{f"scale.{k}": np.array(v) for k, v in self.scale.items()}, **{f"memory.{k}": v.copy() for k, v in self.memory.items()}}

    def load_state(self, state: dict[str, Any]) -> None:
        """Undo `state_dict`."""
        for kind in self.scale:
            self.scale[kind] = float(state.get(f"scale.{kind}", 0.0))
        for kind, kept in self.memory.items():
            kept[:] = state.get(f"memory.{kind}", 0.0)

    def enter(self, model, population, weight: np.ndarray) -> None:
        """Draw and add the newcomers of one population through vessels of `weight` (vessels,)."""
        e, vessels, lattice = population.entry.entry, model.vessels.voxels, model.lattice
        rate = e.holds * self.scale[population.kind] if population.kind in self.scale else e.rate
        for name in e.times:
            rate *= TIMES[name](model, population.kind)
        term = self.factor[population.kind](vessels) if population.kind in self.factor else _NO_FACTOR
        uid = np.empty(len(vessels), np.uint64)
        voxel = np.empty(len(vessels), np.int32)
        m = self.remembered(model, population, response(model, e))
        count, refused = arrivals(vessels, weight, population.code, rate, m, e.basal, self.dt, model.seed64, model.tick, lattice.immune_count, lattice.immune_capacity, uid, voxel, term)  # fmt: skip
        model.counters["refused"] += int(refused)
        if count:
            model.check_new_uids(population, uid[:count])
            new = population.add(uid[:count], voxel[:count], model.tick)
            if "specific" in population.declared:
                primed = model.node.output if "node_output" in e.times else 1.0
                population.col.specific[new] = specific(model, uid[:count], 1.0 - (1.0 - self.specific) / max(primed, 1.0))
            model.counters[f"recruited_{population.kind}"] += int(count)


def response(model: Any, e: Any) -> np.ndarray:
    """Response (vessels,) 0-1 of an entry's open vessels to its signal."""
    s = model.fields[e.signal].at(model.vessels.voxels)
    return s / (e.half + s)


def specific(model: Any, uid: np.ndarray, share: float) -> np.ndarray:
    """Which of some new T cells (n,) are specific for the tumour, (n,) int8: a share of them, by their own dice."""
    u = np.empty(len(uid))
    uniforms(model.seed64, int(Stream.TYPE), 0, uid, SPECIFIC, u)
    return (u < share).astype(np.int8)


def order_of(population: Any) -> tuple[int, str]:
    """The order in which types claim room at a vessel."""
    own = population.entry.entry.priority
    return (population.entry.priority if own is None else own, population.kind)
