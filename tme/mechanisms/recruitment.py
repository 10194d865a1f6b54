"""Immune cells enter through open vessels.

Per open vessel and minute, with c the CXCL9/10 and H the HMGB1 at the vessel, B the node's output:

    CD8         k_cd8 B [c/(k_c + c) + basal]
    Treg        k_treg [base + H/(k_h + H)] (1 - depletion)
    macrophage  k_mac [base + H/(k_h + H)]
    dendritic   k_dc  [1 + H/(k_h + H)]

The inflow of CD8 follows the tumour's chemokine, which fades with the tumour but keeps a basal share, so
that remnants are not abandoned. A newcomer whose voxel is full does not enter.
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase, rows_of
from tme.core.parameters import ParameterSet, par
from tme.kernels import team
from tme.kernels.elementary import exp
from tme.kernels.jit import serial
from tme.kernels.rng import BLOCK, Stream, recruit_uid, uniform_block
from tme.kernels.transfer import at

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


@serial
def draw_arrivals(lo, hi, vessels, code, rate, signal, k, basal, dt, seed, tick, uid, where):
    """Who wants to enter at the vessels from `lo` to `hi`: their `uid`, and number of the vessel, from `lo` on; returns the end.

    rate [1/min] times (signal/(k + signal) + basal) is the hazard of one entry per call.
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
            x = rate * (s / (k + s) + basal) * dt
            if u[0, j] < x and u[0, j] < 1.0 - exp(-x):  # the first bound spares most vessels the second
                where[count] = first + np.int64(j)
                count += 1
    return count


def arrivals(vessels, code, rate, signal, k, basal, dt, seed, tick, occupancy, capacity, uid, voxel):
    """Draw newcomers at each vessel; fills uid and voxel (vessels,), updates occupancy, returns (entered, refused)."""
    n = len(vessels)
    name, where = np.empty(n, np.uint64), np.empty(n, np.int64)
    wanting = where[: team.listed(where, draw_arrivals, n, vessels, code, rate, signal, k, basal, dt, seed, tick, name, where)]
    entering = wanting[occupancy[vessels[wanting]] < capacity]  # a voxel has one vessel
    count = len(entering)
    uid[:count], voxel[:count] = name[entering], vessels[entering]
    occupancy[voxel[:count]] += 1
    return count, len(wanting) - count


class Recruitment(Mechanism):
    """Entry of CD8, Tregs, macrophages and dendritic cells through vessels."""

    name = "recruitment"
    phase = Phase.RESOLVE
    ids = ("M73", "M77")
    about = "chemokine and primed CD8 set the inflow of CD8; DAMPs draw Tregs and macrophages"
    parameters = PARAMETERS
    clock_min = 30.0
    reads = ("field.cxcl.concentration", "field.hmgb1.concentration", "vessels.voxels", "model.primed_output", "model.treg_depletion")

    def __init__(self, model) -> None:
        super().__init__(model)
        entering = [p for p in model.immune if model.recruits(p.kind)]
        self.adds = (*(name for p in entering for name in (*rows_of(p), f"uids.{p.kind}", f"counters.recruited_{p.kind}")),
                     "lattice.immune_count", "counters.refused")  # fmt: skip

    def step(self, model) -> None:
        """One clock interval."""
        p, f = self.p, model.fields
        cxcl = f["cxcl"].seen
        hmgb1 = f["hmgb1"].seen
        treg = p.k_treg * (1.0 - model.treg_depletion)
        for population, rate, signal, k, basal in (
            (model.cd8, p.k_cd8 * model.primed_output, cxcl, p.k_c, p.basal),
            (model.treg, treg, hmgb1, p.k_h, p.base),
            (model.macrophage, p.k_mac, hmgb1, p.k_h, p.base),
            (model.dendritic, p.k_dc, hmgb1, p.k_h, 1.0),
        ):
            if model.recruits(population.kind):
                self.enter(model, population, rate, signal, k, basal)

    def enter(self, model, population, rate, signal, k, basal) -> None:
        """Draw and add the newcomers of one population."""
        vessels = model.vessels.voxels
        uid = np.empty(len(vessels), np.uint64)
        voxel = np.empty(len(vessels), np.int32)
        lattice = model.lattice
        count, refused = arrivals(vessels, population.code, rate, signal, k, basal, self.dt, model.seed64, model.tick,
                                  lattice.immune_count, lattice.immune_capacity, uid, voxel)  # fmt: skip
        model.counters["refused"] += int(refused)
        if count:
            model.check_new_uids(population, uid[:count])
            population.add(uid[:count], voxel[:count], model.tick)
            model.counters[f"recruited_{population.kind}"] += int(count)
