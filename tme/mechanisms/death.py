"""Deaths other than ferroptosis and CTL kills: necrosis without oxygen, background apoptosis, T cell loss.

    necrosis hazard   k_nec * max(0, 1 - O2/o2_necrosis)
    apoptosis hazard  k_apo
    CD8               1/life, times `off_tumour` where chemokine is below `c_min`
    CD8 division      k_expand * f while engaged, at most n_max times
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import team
from tme.kernels.elementary import exp
from tme.kernels.jit import serial
from tme.kernels.neighbours import n_directions, neighbour
from tme.kernels.rng import BLOCK, Stream, child_uid, draw, uniform, uniform_block
from tme.kernels.terms import factor
from tme.kernels.transfer import at

PARAMETERS = ParameterSet(
    "death",
    par("k_nec", 2.8e-3, "1/min", 0.0, 1.0, "assumed: necrosis within 6 h without oxygen (PhysiCell default 0.00277 /min, doi 10.1371/journal.pcbi.1005991)"),
    par("o2_necrosis", 2.5, "mmHg", 0.0, 38.0, "necrosis threshold 5 mmHg, maximum at 2.5 (PhysiCell, doi 10.1371/journal.pcbi.1005991)"),
    par("k_apo", 5.3e-5, "1/min", 0.0, 0.01, "PhysiCell's default apoptosis rate 5.3e-5 /min (doi 10.1371/journal.pcbi.1005991)"),
)

T_CELL = ParameterSet(
    "cd8_turnover",
    par("life_d", 4.0, "d", 0.5, 100.0, "4-10 d (spqsp-hcc and SPQSP_IO parameter files; Gong et al. 2017, doi 10.1098/rsif.2017.0320)"),
    par("off_tumour", 3.0, "1", 1.0, 100.0, "assumed: effector cells die sooner, or leave, without chemokine"),
    par("c_min", 4.0, "ng/mL", 0.0, 100.0, "assumed: chemokine at which a T cell counts as in the tumour"),
    par("k_expand", 2e-4, "1/min", 0.0, 0.01, "assumed: well below the 8-12 h of optimal stimulation"),
    par("n_max", 4.0, "1", 0.0, 20.0, "7-8 at most (SPQSP_IO); 4 left after priming assumed"),
    par("other_life_d", 10.0, "d", 0.5, 1000.0, "assumed: turnover of Tregs, macrophages and dendritic cells"),
    par("et_cap", 0.0, "1", 0.0, 100.0, "assumed: 0 is off; a cut that holds CD8 per living tumour cell down, to measure what debulking does", "CD8 above this many per living tumour cell leave"),
    par("ctla4_kill_d", 1.0, "d", 0.1, 100.0, "assumed: Tregs at a depleting anti-CTLA-4 die within a day"),
)
TERMS = (
    Term("death.apoptosis", "1", "multiplies", ("tumour",), 0.0, 1e4, "background apoptosis"),
    Term("death.necrosis", "1", "multiplies", ("tumour",), 0.0, 1e3, "necrosis without oxygen"),
)
_DEATH = int(Stream.DEATH)
_CD8_DEATH = int(Stream.CD8_DEATH)
_CD8_DIVIDE = int(Stream.CD8_DIVIDE)
_TURNOVER = int(Stream.TURNOVER)


@serial
def flag_deaths(lo, hi, uid, state, fate, oxygen, apoptosis, necrosis, p, dt, seed, tick):
    """Raise fate 13 (necrosis) or 14 (apoptosis); the terms `apoptosis` and `necrosis` (n,) or empty."""
    p_apo = 1.0 - exp(-p.k_apo * dt)
    u = np.empty((2, BLOCK))
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        uniform_block(seed, _DEATH, tick, uid, first, first + m, 0, u)
        for j in range(np.uint64(m)):
            i = np.uint64(first) + j
            if state[i] == 0 and fate[i] < 10:
                if apoptosis.size > 0:
                    p_apo = 1.0 - exp(-p.k_apo * apoptosis[i] * dt)
                k_nec = p.k_nec * factor(necrosis, i)
                if oxygen[i] < p.o2_necrosis and u[0, j] < 1.0 - exp(-k_nec * (1.0 - oxygen[i] / p.o2_necrosis) * dt):
                    fate[i] = 13
                elif u[1, j] < p_apo:
                    fate[i] = 14


@serial
def flag_cd8(lo, hi, uid, voxel, fate, engaged, function, n_div, cxcl, surplus, p, dt, seed, tick):
    """Raise fate 30 (leave) or 1 (divide) in CD8; `surplus` is the share above the cap, which leaves too."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        if fate[i] >= 10:
            continue  # it dies of something else in this tick
        if surplus > 0.0 and uniform(seed, _CD8_DEATH, tick, uid[i], 1) < surplus:
            fate[i] = 30
            continue
        rate = 1.0 / (p.life_d * 1440.0)
        if at(cxcl, voxel[i]) < p.c_min:
            rate *= p.off_tumour
        if uniform(seed, _CD8_DEATH, tick, uid[i], 0) < 1.0 - exp(-rate * dt):
            fate[i] = 30
        elif engaged[i] == 1 and n_div[i] < p.n_max and uniform(seed, _CD8_DIVIDE, tick, uid[i], 0) < 1.0 - exp(-p.k_expand * function[i] * dt):
            fate[i] = 1


@serial
def flag_turnover(n, uid, fate, rate, dt, seed, tick):
    """Raise fate 30 in cells that die of age, rate 1/min."""
    p = 1.0 - exp(-rate * dt)
    for i in range(n):
        if fate[i] == 0 and uniform(seed, _TURNOVER, tick, uid[i], 0) < p:
            fate[i] = 30


@serial
def place_daughters(rows, m, uid, voxel, n_div, occupancy, capacity, seed, tick, geometry, mothers, places, uids):
    """Room for each dividing CD8 in its own voxel or a random free neighbour; returns how many got one."""
    count = 0
    for j in range(m):
        row = rows[j]
        v = np.int64(voxel[row])
        found = -1
        if occupancy[v] < capacity:
            found = v
        else:
            a, _b, _c, _d = draw(seed, _CD8_DIVIDE, tick, uid[row], 1)
            first = np.int64(a) % n_directions(geometry)
            for k in range(n_directions(geometry)):
                w = neighbour(v, (first + k) % n_directions(geometry), geometry)
                if w >= 0 and occupancy[w] < capacity:
                    found = w
                    break
        if found >= 0:
            occupancy[found] += 1
            n_div[row] += 1
            mothers[count] = row
            places[count] = found
            uids[count] = child_uid(uid[row], n_div[row])
            count += 1
    return count


class Death(Mechanism):
    """Necrosis and background apoptosis of tumour cells."""

    name = "death"
    phase = Phase.FATE
    about = "anoxic cells turn necrotic; a few die by apoptosis"
    parameters = PARAMETERS
    clock_min = 6.0
    reads = ("tumour.oxygen",)
    writes = ("tumour.fate",)

    def step(self, model) -> None:
        """One clock interval."""
        tumour, t = model.tumour, model.tumour.col
        team.rows(flag_deaths, tumour.n, t.uid, t.state, t.fate, t.oxygen, tumour.term("death.apoptosis"), tumour.term("death.necrosis"),
                  self.p, self.dt, model.seed64, model.tick)  # fmt: skip


class ImmuneTurnover(Mechanism):
    """Loss of immune cells and expansion of engaged CD8."""

    name = "cd8_turnover"
    phase = Phase.FATE
    about = "CD8 expand while engaged and die, sooner off the tumour; others turn over"
    parameters = T_CELL
    clock_min = 10.0
    reads = ("field.cxcl", "cd8.engaged", "cd8.function")
    writes = ("cd8.fate", "treg.fate", "macrophage.fate", "dendritic.turnover")

    def step(self, model) -> None:
        """One clock interval."""
        p = self.p
        c = model.cd8.col
        surplus = 0.0
        if p.et_cap > 0.0 and model.cd8.n:
            alive = int((model.tumour.state == 0).sum())
            surplus = max(0.0, 1.0 - p.et_cap * alive / model.cd8.n)
        team.rows(flag_cd8, model.cd8.n, c.uid, c.voxel, c.fate, c.engaged, c.function, c.n_div, model.fields["cxcl"].seen,
                 surplus, p, self.dt, model.seed64, model.tick)  # fmt: skip
        life = 1.0 / (p.other_life_d * 1440.0)
        treg = life + model.treg_depletion / (p.ctla4_kill_d * 1440.0)
        for population, rate in ((model.treg, treg), (model.macrophage, life), (model.dendritic, life)):
            flag_turnover(population.n, population.col.uid, population.col.fate, rate, self.dt, model.seed64, model.tick)
