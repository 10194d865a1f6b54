"""Deaths other than ferroptosis and CTL kills: necrosis without oxygen, background apoptosis, turnover of guests.

    necrosis hazard   k_nec * (o2_necrosis - O2)/(o2_necrosis - o2_full), between 0 and k_nec   tissue cells; numbers of the type's entry
    apoptosis hazard  k_apo, and what drugs add times the cell's sensitivity to it
    turnover          1/life, times `sooner` where a field is below a level (CD8: the chemokine)
    division          k_expand * f of guests that hold a target, at most n_max times
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import threads
from tme.kernels.elementary import exp
from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import n_directions, neighbour
from tme.kernels.rng import BLOCK, Stream, child_uid, draw, uniform, uniform_block
from tme.kernels.terms import factor
from tme.kernels.transfer import at
from tme.library.cells import CellEntry

PARAMETERS = ParameterSet(
    "death",
    par("k_nec", 2.8e-3, "1/min", 0.0, 1.0, "assumed: necrosis within 6 h without oxygen (PhysiCell default 0.00277 /min, doi 10.1371/journal.pcbi.1005991)"),
    par("o2_necrosis", 5.0, "mmHg", 0.0, 38.0, "chosen: PhysiCell's threshold (doi 10.1371/journal.pcbi.1005991)", "oxygen below which necrosis begins", range=(2.5, 7.5)),
    par("k_apo", 5.3e-5, "1/min", 0.0, 0.01, "chosen: PhysiCell's default apoptosis rate, 5.3e-5 /min (doi 10.1371/journal.pcbi.1005991)", "", range=(2e-5, 1.5e-4)),
    par("o2_full", 2.5, "mmHg", 0.0, 38.0, "chosen: PhysiCell's maximum (doi 10.1371/journal.pcbi.1005991)", "oxygen at and below which necrosis is as fast as it gets", range=(1.0, 4.0)),
)

T_CELL = ParameterSet(
    "cd8_turnover",
    par("life_d", 4.0, "d", 0.5, 100.0, "assumed: 4-10 d, as the parameter files of spqsp-hcc and SPQSP_IO have it (Gong et al. 2017, doi 10.1098/rsif.2017.0320)", "", range=(3.0, 10.0)),
    par("off_tumour", 3.0, "1", 1.0, 100.0, "assumed: effector cells die sooner, or leave, without chemokine"),
    par("c_min", 0.3, "a.u.", 0.0, 100.0, "calibrated: chemokine at which a T cell counts as in the tumour; a third of what an untreated tumour of 400 cells has (T19a: CD8 of the control hold)", "", range=(0.1, 4.0)),
    par("k_expand", 2e-4, "1/min", 0.0, 0.01, "assumed: well below the 8-12 h of optimal stimulation"),
    par("n_max", 4.0, "1", 0.0, 20.0, "assumed: 4 of 7-8 divisions are left after priming (SPQSP_IO has 7-8 in all)"),
    par("other_life_d", 10.0, "d", 0.5, 1000.0, "assumed: turnover of Tregs, macrophages and dendritic cells"),
    par("et_cap", 0.0, "1", 0.0, 100.0, "assumed: 0 is off; a cut that holds CD8 per living tumour cell down, to measure what debulking does", "CD8 above this many per living tumour cell leave"),
    par("ctla4_kill_d", 1.0, "d", 0.1, 100.0, "assumed: Tregs at a depleting anti-CTLA-4 die within a day"),
)
_DEATH = int(Stream.DEATH)
_CD8_DEATH = int(Stream.CD8_DEATH)
_CD8_DIVIDE = int(Stream.CD8_DIVIDE)
_TURNOVER = int(Stream.TURNOVER)
_NOBODY, _NO_FUNCTION, _NOWHERE = np.zeros(0, np.int8), np.zeros(0), np.zeros((1, 1, 1))


def terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """What rules may modulate in the death of tissue cells and the guest cells' life."""
    living = tuple(n for n, e in cells.items() if e.life is not None)
    dividing = tuple(n for n, e in cells.items() if e.division is not None)
    mortal = tuple(n for n, e in cells.items() if e.dies is not None)
    return (
        Term("death.apoptosis", "1", "multiplies", mortal, 0.0, 1e4, "background apoptosis"),
        Term("death.necrosis", "1", "multiplies", mortal, 0.0, 1e3, "necrosis without oxygen"),
        Term("death.drug", "1/min", "adds", mortal, 0.0, 1.0, "the hazard of apoptosis by drugs"),
        Term("death.drug_sensitivity", "1", "multiplies", mortal, 0.0, 100.0, "the apoptosis that drugs bring"),
        Term("turnover.rate", "1", "multiplies", living, 0.0, 100.0, "the rate of loss"),
        Term("division.rate", "1", "multiplies", dividing, 0.0, 10.0, "the rate of division"),
    )


@rule
def lack(oxygen, p):
    """Share of the full rate of necrosis: 0 from o2_necrosis up, 1 at and below o2_full."""
    if oxygen >= p.o2_necrosis:
        return 0.0
    return 1.0 if oxygen <= p.o2_full else (p.o2_necrosis - oxygen) / (p.o2_necrosis - p.o2_full)


@serial
def flag_deaths(lo, hi, uid, state, fate, oxygen, apoptosis, necrosis, drug, sensitivity, p, dt, seed, tick):
    """Raise fate 13 (necrosis) or 14 (apoptosis); the terms `apoptosis`, `necrosis`, `drug` and `sensitivity` (n,) or empty."""
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
                if drug.size > 0:
                    p_apo = 1.0 - exp(-(p.k_apo * factor(apoptosis, i) + drug[i] * factor(sensitivity, i)) * dt)
                k_nec = p.k_nec * factor(necrosis, i)
                if oxygen[i] < p.o2_necrosis and u[0, j] < 1.0 - exp(-k_nec * lack(oxygen[i], p) * dt):
                    fate[i] = 13
                elif u[1, j] < p_apo:
                    fate[i] = 14


@serial
def flag_guests(
    lo, hi, uid, voxel, fate, engaged, function, n_div, signal, surplus, mean_d, sooner, below, k_expand, n_max, dt, seed, tick,
    life_term, division_term,
):  # fmt: skip
    """Raise fate 30 (leave) or 1 (divide) in guests with a signal, a cap or a division; `surplus` is the share above the cap.

    `engaged` and `function` are empty for types that hold no targets; the terms are factors (n,), or empty.
    """
    for i in range(np.uint64(lo), np.uint64(hi)):
        if fate[i] >= 10:
            continue  # it dies of something else in this tick
        if surplus > 0.0 and uniform(seed, _CD8_DEATH, tick, uid[i], 1) < surplus:
            fate[i] = 30
            continue
        rate = 1.0 / (mean_d * 1440.0) * factor(life_term, i)
        if sooner > 1.0 and at(signal, voxel[i]) < below:
            rate *= sooner
        if uniform(seed, _CD8_DEATH, tick, uid[i], 0) < 1.0 - exp(-rate * dt):
            fate[i] = 30
        elif engaged.size > 0 and engaged[i] == 1 and n_div[i] < n_max:
            x = k_expand * function[i] * factor(division_term, i) * dt
            if uniform(seed, _CD8_DIVIDE, tick, uid[i], 0) < 1.0 - exp(-x):
                fate[i] = 1


@serial
def flag_turnover(n, uid, fate, rate, dt, seed, tick, term):
    """Raise fate 30 in cells that die of age, rate 1/min, times `term` (n,) or empty."""
    plain = 1.0 - exp(-rate * dt)
    for i in range(n):
        p = plain if term.size == 0 else 1.0 - exp(-rate * term[i] * dt)
        if fate[i] == 0 and uniform(seed, _TURNOVER, tick, uid[i], 0) < p:
            fate[i] = 30


@serial
def place_daughters(rows, m, uid, voxel, n_div, occupancy, capacity, seed, tick, geometry, mothers, places, uids):
    """Room for each dividing guest in its own voxel or a random free neighbour; returns how many got one."""
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
    """Necrosis and background apoptosis of tissue cells."""

    name = "death"
    phase = Phase.FATE
    about = "anoxic cells turn necrotic; a few die by apoptosis"
    parameters = PARAMETERS
    clock_min = 6.0
    reads: tuple[str, ...] = ("tumour.uid", "tumour.state", "tumour.oxygen")
    adds: tuple[str, ...] = ("tumour.fate",)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.dying = [(t, PARAMETERS.type(d.necrosis, d.below, d.apoptosis, d.fully_below)) for t in model.tissue if (d := t.entry.dies) is not None]
        touched = ("term_death_apoptosis", "term_death_necrosis", "term_death_drug", "term_death_drug_sensitivity")
        self.reads = (*self.reads, *(f"{t.kind}.{c}" for t, _ in self.dying for c in touched if c in t.declared))
        if len(model.tissue) > 1:
            others = (f"{t.kind}.{column}" for t in model.tissue[1:] for column in ("uid", "voxel", "state", "oxygen") if column in t.declared)
            self.reads = (*self.reads, "field.oxygen.concentration", *others)
            self.adds = (*self.adds, *(f"{t.kind}.fate" for t in model.tissue[1:]))

    def step(self, model) -> None:
        """One clock interval."""
        for population, p in self.dying:
            t, n = population.col, population.n
            oxygen = t.oxygen if "oxygen" in population.declared else model.fields["oxygen"].at(t.voxel[:n])
            threads.over_rows(flag_deaths, n, t.uid, t.state, t.fate, oxygen, population.term("death.apoptosis"),
                      population.term("death.necrosis"), population.term("death.drug"), population.term("death.drug_sensitivity"), p, self.dt, model.seed64, model.tick)  # fmt: skip


class Turnover(Mechanism):
    """Loss of guest cells, and expansion of those that hold a target."""

    name = "cd8_turnover"
    phase = Phase.FATE
    about = "CD8 expand while engaged and die, sooner off the tumour; others turn over"
    parameters = T_CELL
    clock_min = 10.0

    def __init__(self, model) -> None:
        super().__init__(model)
        self.living = [p for p in model.immune if p.entry.life is not None]
        fields = sorted({p.entry.life.where for p in self.living} - {None})
        columns = {p: ["uid"] for p in self.living}
        for p in self.living:
            columns[p] += ["engaged", "function", "n_div"] if p.entry.division is not None else []
            columns[p] += ["voxel"] if p.entry.life.where is not None else []
            columns[p] += [t for t in ("term_turnover_rate", "term_division_rate") if t in p.declared]
        self.reads = (*(f"field.{f}.concentration" for f in fields), *(f"{p.kind}.{c}" for p, names in columns.items() for c in names),
                      *(["tumour.state"] if any(p.entry.life.per_tumour_cell > 0.0 for p in self.living) else []))  # fmt: skip
        self.adds = tuple(f"{p.kind}.fate" for p in self.living)

    def step(self, model) -> None:
        """One clock interval."""
        for population in self.living:
            life = population.entry.life
            if population.entry.division is not None or life.where is not None or life.per_tumour_cell > 0.0:
                self.expand(model, population)
                continue
            rate = 1.0 / (life.mean_d * 1440.0)
            if life.depleted_within_d > 0.0:
                rate += model.receptors.depleted(population.kind) / (life.depleted_within_d * 1440.0)
            c = population.col
            flag_turnover(population.n, c.uid, c.fate, rate, self.dt, model.seed64, model.tick, population.term("turnover.rate"))

    def expand(self, model, population) -> None:
        """Types whose loss follows a signal or a cap, or that divide."""
        c, life, division = population.col, population.entry.life, population.entry.division
        surplus = 0.0
        if life.per_tumour_cell > 0.0 and population.n:
            alive = int((model.tumour.state == 0).sum())
            surplus = max(0.0, 1.0 - life.per_tumour_cell * alive / population.n)
        engaged, function = (c.engaged, c.function) if division is not None else (_NOBODY, _NO_FUNCTION)
        rate, most = (division.rate, division.at_most) if division is not None else (0.0, 0.0)
        signal, sooner = (model.fields[life.where].read_view, life.sooner) if life.where is not None else (_NOWHERE, 1.0)
        threads.over_rows(flag_guests, population.n, c.uid, c.voxel, c.fate, engaged, function, c.n_div, signal, surplus, life.mean_d, sooner,
                  life.below, rate, most, self.dt, model.seed64, model.tick, population.term("turnover.rate"),
                  population.term("division.rate"))  # fmt: skip
