"""CD8 meet tumour cells, hold them, hit them; enough hits within hours kill.

A free CD8 picks one living tumour cell among its own voxel and the Moore neighbourhood, and attaches with

    rate = k_attach * recognition * antigenicity * (mhc_floor + (1 - mhc_floor) M)

An engaged CD8 hits at rate k_hit * f, lets go at rate 1/hold, and secretes IFN-gamma in proportion to f:

    f = (1 - e) (1 - s_max S) / (1 + k_sup T)        S = P_free / (k_p + P_free)

e exhaustion, T suppressive cytokines, P_free PD-L1 (plus PD-L2 where the antibody spares it) not covered
by antibody. Hits add up and fade (Halle et al. 2016, doi 10.1016/j.immuni.2016.01.010; Weigelin et al.
2021, doi 10.1038/s41467-021-25282-3: additive cytotoxicity); `n_hits` kill.
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels import team
from tme.kernels.elementary import exp
from tme.kernels.exchange import tally
from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import beside, has_all, n_directions, neighbour, next_to, place_of
from tme.kernels.rng import BLOCK, Stream, uniform_block
from tme.kernels.transfer import ask_for, at
from tme.kernels.turn import fetch

PARAMETERS = ParameterSet(
    "killing",
    par("k_attach", 0.2, "1/min", 0.0, 2.0, "PhysiCell cancer-immune sample (Ghaffarizadeh et al. 2018, doi 10.1371/journal.pcbi.1005991)"),
    par("recognition", 0.25, "1", 0.0, 1.0, "assumed: share of contacts in which the receptor finds its antigen"),
    par("mhc_floor", 0.4, "1", 0.0, 1.0, "assumed: recognition left without MHC-I induction"),
    par("hold_min", 60.0, "min", 5.0, 600.0, "attachment lifetime, PhysiCell cancer-immune sample (doi 10.1371/journal.pcbi.1005991)"),
    par("k_hit", 0.045, "1/min", 0.0, 1.0, "calibrated: 2-16 kills per CTL per day (Halle et al. 2016, doi 10.1016/j.immuni.2016.01.010)"),
    par("n_hits", 3.0, "1", 1.0, 20.0, "more than two contacts raise the death probability (Halle et al. 2016, doi 10.1016/j.immuni.2016.01.010)"),
    par("hit_decay_min", 120.0, "min", 10.0, 1440.0, "assumed: 1-3 h (Weigelin et al. 2021, doi 10.1038/s41467-021-25282-3, show recovery within hours)"),
    par("s_max", 0.55, "1", 0.0, 1.0, "assumed: share of function PD-1 can suppress"),
    par("k_p", 0.3, "1", 0.01, 10.0, "assumed: PD-L1 level of half suppression"),
    par("pdl2_share", 0.1, "1", 0.0, 1.0, "assumed: PD-1 signal through PD-L2 on antigen-presenting cells, which anti-PD-L1 spares"),
    par("k_sup", 1.0, "1", 0.0, 50.0, "assumed: unit of the suppression field"),
    par("ifng_molecules_s", 200.0, "1/s", 0.0, 5000.0, "assumed: order of magnitude of single-cell secretion assays, 1e2-2e3", "IFN-gamma molecules per second of an engaged CD8 at full function"),
)
_ATTACH = int(Stream.ATTACH)
_HIT = int(Stream.HIT)
_DETACH = int(Stream.DETACH)
SOON, NEXT = 16, 8  # cells ahead whose surroundings, and then whose targets, are asked for: both lie far apart in memory


@rule
def effector_function(exhaustion, pd1_signal, suppression, p):
    """f of the module docstring, 0-1."""
    return (1.0 - exhaustion) * (1.0 - p.s_max * pd1_signal / (p.k_p + pd1_signal)) / (1.0 + p.k_sup * suppression)


@rule
def find_target(target_voxel, target_uid, cd8_voxel, tissue_row, uid, state, geometry):
    """Row of the cell being held, looked for where it was and around the CD8; -1 if gone or dead."""
    row = tissue_row[target_voxel]
    if row >= 0 and uid[row] == target_uid:
        return row if state[row] == 0 else -1
    row = tissue_row[cd8_voxel]
    if row >= 0 and uid[row] == target_uid and state[row] == 0:
        return row
    place = place_of(np.int64(cd8_voxel), geometry)
    whole = has_all(place, geometry)
    for k in range(n_directions(geometry)):
        v = next_to(np.int64(cd8_voxel), place, whole, k, geometry)
        if v >= 0:
            row = tissue_row[v]
            if row >= 0 and uid[row] == target_uid and state[row] == 0:
                return row
    return -1


@rule
def living_around(voxel, tissue_row, state, geometry):
    """Living tumour cells as bits: 0 the own voxel, k + 1 the neighbour in direction k. Without branches, which nobody could foresee."""
    v = np.int64(voxel)
    place = place_of(v, geometry)
    row = tissue_row[v]
    bits = np.int64(row >= 0) & np.int64(state[max(row, 0)] == 0)
    if has_all(place, geometry):
        for k in range(n_directions(geometry)):
            row = tissue_row[next_to(v, place, True, k, geometry)]
            bits |= (np.int64(row >= 0) & np.int64(state[max(row, 0)] == 0)) << (k + 1)
    else:
        for k in range(n_directions(geometry)):
            w = beside(place, k, geometry)
            row = tissue_row[w] if w >= 0 else -1
            bits |= (np.int64(row >= 0) & np.int64(state[max(row, 0)] == 0)) << (k + 1)
    return bits


@rule
def how_many(bits):
    """Bits that are 1."""
    count = 0
    while bits != 0:
        bits &= bits - 1
        count += 1
    return count


@rule
def cell_of(voxel, bits, chosen, tissue_row, geometry):
    """Row of living tumour cell number `chosen` of those that `living_around` found."""
    for _ in range(chosen):
        bits &= bits - 1
    k = how_many((bits & -bits) - 1)
    return tissue_row[voxel] if k == 0 else tissue_row[neighbour(voxel, k - 1, geometry)]


@rule
def ask_early(i, hi, voxel, engaged, target_voxel, t_uid, t_voxel, state, pdl1_free, tissue_row, suppression, geometry):
    """Ask for what CD8 number i + SOON has around it, and for the tumour cell that number i + NEXT holds or sits on."""
    j, line = min(i + SOON, hi - 1), geometry[2]
    v = np.int64(target_voxel[j] if engaged[j] == 1 else voxel[j])
    fetch(tissue_row, np.uint64(v))
    fetch(tissue_row, np.uint64(v - line))
    fetch(tissue_row, np.uint64(v + line))
    ask_for(suppression, np.uint64(v))
    j = min(i + NEXT, hi - 1)
    r = np.uint64(max(tissue_row[target_voxel[j] if engaged[j] == 1 else voxel[j]], 0))
    fetch(t_uid, r)
    fetch(t_voxel, r)
    fetch(state, r)
    fetch(pdl1_free, r)


@serial
def contact(
    lo, hi, uid, voxel, engaged, target_uid, target_voxel, function, pd1_signal, exhaustion,
    t_uid, t_voxel, state, pdl1_free, mhc1, antigenicity,
    tissue_row, suppression, pd1_free, p, dt, seed, tick, geometry, held_row, hit,
):  # fmt: skip
    """One minute of contacts of the CD8 from `lo` to `hi`, each on the state before.

    `pd1_free` (voxels,) share of PD-1 not covered by antibody, empty where there is none. Fills `held_row`, the row of the target (-1: none), and
    `hit`, whether it was hit.
    """
    p_detach = 1.0 - exp(-dt / p.hold_min)
    leaves, meets, hits = np.empty((2, BLOCK)), np.empty((2, BLOCK)), np.empty((2, BLOCK))
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        uniform_block(seed, _DETACH, tick, uid, first, first + m, 0, leaves)
        uniform_block(seed, _ATTACH, tick, uid, first, first + m, 0, meets)
        uniform_block(seed, _HIT, tick, uid, first, first + m, 0, hits)
        for b in range(np.uint64(m)):
            i = np.uint64(first) + b
            ask_early(np.int64(i), hi, voxel, engaged, target_voxel, t_uid, t_voxel, state, pdl1_free, tissue_row, suppression, geometry)
            held_row[i] = -1
            hit[i] = 0
            row = -1
            if engaged[i] == 1:
                row = find_target(target_voxel[i], target_uid[i], voxel[i], tissue_row, t_uid, state, geometry)
                if row >= 0 and leaves[0, b] < p_detach:
                    row = -1
                if row < 0:
                    engaged[i] = 0
                    function[i] = 0.0
                    pd1_signal[i] = 0.0
                    continue
            else:
                around = living_around(voxel[i], tissue_row, state, geometry)
                if around == 0:
                    continue
                row = cell_of(voxel[i], around, np.int64(meets[0, b] * how_many(around)), tissue_row, geometry)
                rate = p.k_attach * p.recognition * antigenicity[row] * (p.mhc_floor + (1.0 - p.mhc_floor) * mhc1[row])
                if meets[1, b] >= 1.0 - exp(-rate * dt):
                    continue
                engaged[i] = 1
                target_uid[i] = t_uid[row]
            target_voxel[i] = t_voxel[row]
            v = voxel[i]
            pd1_signal[i] = (p.pdl2_share * p.k_p + pdl1_free[row]) * (pd1_free[v] if pd1_free.size > 0 else 1.0)
            f = effector_function(exhaustion[i], pd1_signal[i], at(suppression, v), p)
            function[i] = f
            held_row[i] = row
            hit[i] = hits[0, b] < 1.0 - exp(-p.k_hit * f * dt)


@serial
def judge(n, held_row, hit, kills, fate, hits, hit_tick, new_hits, p, dt_min, tick):
    """Add up this minute's hits (integers) on every cell held, and judge it; returns kills."""
    n_kills = 0
    for i in range(n):
        if hit[i]:
            new_hits[held_row[i]] += 1
    for i in range(n):
        row = held_row[i]
        if row >= 0 and new_hits[row] > 0:
            fade = exp(-(tick - hit_tick[row]) * dt_min / p.hit_decay_min)
            hits[row] = hits[row] * fade + new_hits[row]
            hit_tick[row] = tick
            new_hits[row] = 0
            if hits[row] >= p.n_hits and fate[row] < 10:
                fate[row] = 12
                n_kills += 1
        if row >= 0 and fate[row] == 12:
            kills[i] += 1
    return n_kills


@serial
def secrete(n, voxel, engaged, function, rate, scale, counts):
    """IFN-gamma from engaged CD8 into int64 counters: order-free."""
    for i in range(n):
        if engaged[i] == 1:
            tally(counts, voxel[i], rate * function[i], scale)


class Killing(Mechanism):
    """Contacts, hits, kills."""

    name = "killing"
    phase = Phase.INTERACT
    ids = ("M80", "M84")
    about = "CD8 attach, hit additively and kill; PD-1, exhaustion and suppression weaken them"
    parameters = PARAMETERS
    reads = ("cd8.uid", "cd8.voxel", "cd8.exhaustion", "tumour.uid", "tumour.voxel", "tumour.state", "tumour.pdl1_free", "tumour.mhc1",
             "tumour.antigenicity", "lattice.tissue_row", "field.suppression.concentration", "model.pd1_free")  # fmt: skip
    writes = ("cd8.engaged", "cd8.target_uid", "cd8.target_voxel", "cd8.function", "cd8.pd1_signal", "cd8.kills",
              "tumour.hits", "tumour.hit_tick", "tumour.new_hits")  # fmt: skip
    adds = ("tumour.fate", "counters.kills", "counters.cd8_ticks")

    def __init__(self, model) -> None:
        super().__init__(model)
        self.held_row, self.hit = np.empty(0, np.int64), np.empty(0, np.int8)

    def step(self, model) -> None:
        """One tick of contacts; counts kills and engaged CD8 for the readouts."""
        n = model.cd8.n
        if n == 0:
            model.counters["engaged_ticks"] += 0
            return
        if len(self.held_row) < model.cd8.capacity:
            self.held_row = np.empty(model.cd8.capacity, np.int64)
            self.hit = np.empty(model.cd8.capacity, np.int8)
        c, t = model.cd8.col, model.tumour.col
        team.rows(
            contact, n, c.uid, c.voxel, c.engaged, c.target_uid, c.target_voxel, c.function, c.pd1_signal, c.exhaustion,
            t.uid, t.voxel, t.state, t.pdl1_free, t.mhc1, t.antigenicity,
            model.lattice.tissue_row, model.fields["suppression"].seen, model.pd1_free, self.p, self.dt,
            model.seed64, model.tick, model.lattice.geometry, self.held_row, self.hit,
        )  # fmt: skip
        kills = judge(n, self.held_row, self.hit, c.kills, t.fate, t.hits, t.hit_tick, t.new_hits, self.p, model.dt_min, model.tick)
        model.counters["kills"] += int(kills)
        model.counters["cd8_ticks"] += n


class IfngSecretion(Mechanism):
    """IFN-gamma from engaged CD8."""

    name = "ifng_secretion"
    phase = Phase.SECRETE
    about = "engaged CD8 secrete IFN-gamma"
    reads = ("cd8.voxel", "cd8.engaged", "cd8.function")
    adds = ("field.ifng.source",)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.p = PARAMETERS.build(model.config_for("killing"))
        # one 17 kDa molecule is 2.82e-11 ng; q per second into V um^3 is 1694 q / V ng/mL/min
        self.rate = 1694.0 * self.p.ifng_molecules_s / model.grid.voxel_um3

    def step(self, model) -> None:
        """Add to the IFN-gamma source when its field is due."""
        if model.due("ifng") and model.cd8.n:
            n, c = model.cd8.n, model.cd8.col
            with model.fields["ifng"].counting(model.spares, 1.0 / model.fixed_scale, [c.voxel[:n]]) as counts:
                secrete(n, c.voxel, c.engaged, c.function, self.rate, model.fixed_scale, counts)
