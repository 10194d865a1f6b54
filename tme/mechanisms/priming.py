"""Dendritic cells take up antigen, mature on DAMPs, leave for the lymph node and prime CD8.

Maturation hazard (immature cells):

    rate = k_mature D / (1 + X/k_x)     D = (ATP/(k_atp + ATP) + HMGB1/(k_hmgb1 + HMGB1)) / 2

Antigen rises by k_eat per fresh corpse with calreticulin in the neighbourhood; X, oxidised lipid, by k_ox
per old ferroptotic corpse. What early ferroptotic corpses do beyond their DAMPs is in dispute, and in rules that hear
`own.early_corpses`, their number within reach: they mature dendritic cells (M71.efimova; Efimova et al. 2020), or hold back
maturation, engulfment and cross-presentation (M72.wiernicki and its two companions; Wiernicki et al. 2022).

A mature cell leaves after `residence`, arrives in the node after `travel`, primes there

    (q0 + (1 - q0) antigen) / (1 + X/k_x) * effect of CTLA-4 (and of other axes that act in the node)

CD8, with what antibodies leave of the receptor at that moment, and `expansion` later these add `gain` each, per 1000 living
tumour cells (of the start, where fewer are left), to the node's output B of primed CD8, which otherwise decays to 1, the
output that holds the CD8 present at the start: dB/dt = (1 - B)/tau_b. So a section of a tumour and one twice as large prime
alike, be it twice as large from the start or by growth: B acts on the inflow of each vessel.
"""

from __future__ import annotations

import numpy as np

from tme.core.lymph_node import DelayLine
from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import threads
from tme.kernels.elementary import exp
from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import n_directions, neighbour
from tme.kernels.rng import Stream, uniform
from tme.kernels.terms import factor
from tme.kernels.transfer import at
from tme.mechanisms.damp import PARAMETERS as DAMP_PARAMETERS
from tme.mechanisms.damp import kind_factor, release

PARAMETERS = ParameterSet(
    "priming",
    par("k_mature", 1.4e-3, "1/min", 0.0, 0.1, "assumed: 12 h to mature under full DAMP (6-24 h)"),
    par("k_atp", 0.1, "uM", 0.001, 100.0, "assumed: ATP of half effect"),
    par("k_hmgb1", 0.5, "a.u.", 0.001, 100.0, "assumed: HMGB1 of half effect"),
    par("k_eat", 2e-3, "1/min", 0.0, 1.0, "assumed: antigen of one fresh corpse within 8 h"),
    par("k_ox", 1e-3, "1/min", 0.0, 1.0, "assumed: oxidised lipid of one old corpse within 16 h"),
    par("k_x", 1.0, "1", 0.01, 100.0, "assumed: oxidised lipid of half effect (sign: Wiernicki et al. 2022, doi 10.1038/s41467-022-31218-2)"),
    par("late_min", 720.0, "min", 60.0, 2880.0, "assumed: 12 h; late ferroptotic cells fail to mature DCs (Efimova et al. 2020, doi 10.1136/jitc-2020-001369)"),
    par("q0", 0.2, "1", 0.0, 1.0, "assumed: priming quality without antigen from corpses"),
    par("residence_min", 360.0, "min", 0.0, 4320.0, "calibrated: 6 h between maturation and departure, so that they are in the node within a day (T19a)", "", range=(0.0, 2880.0)),
    par("travel_min", 1080.0, "min", 0.0, 4320.0, "calibrated: 18 h to the node (12-48 h; T19a)", "", range=(720.0, 2880.0)),
    par("expansion_min", 4320.0, "min", 0.0, 14400.0, "calibrated: 3 d (3-7 d), since the node of a mouse with a tumour holds CD8 that have met its antigen (T19a)", "", range=(4320.0, 10080.0)),
    par("gain", 1.0, "1", 0.0, 50.0, "calibrated: output added per mature DC and 1000 living tumour cells, in units of the starting output (T19a, T21)", "", range=(0.1, 5.0)),
    par("node_life_d", 3.0, "d", 0.2, 14.0, "assumed: mature dendritic cells live a few days in the node"),
    par("tau_b_min", 2880.0, "min", 60.0, 14400.0, "assumed: node output falls back within 2 d"),
)
TERMS = (
    Term("maturation.rate", "1", "multiplies", ("dendritic",), 0.0, 10.0, "the rate of maturation"),
    Term("maturation.antigen", "1", "multiplies", ("dendritic",), 0.0, 10.0, "the uptake of antigen from corpses"),
    Term("priming.gain", "1", "multiplies", ("dendritic",), 0.0, 10.0, "what a mature dendritic cell primes"),
)
_MATURE = int(Stream.MATURE)
QUALITY_SCALE = 2.0**30


@rule
def danger(atp, hmgb1, p):
    """D of the module docstring, 0-1."""
    return 0.5 * atp / (p.k_atp + atp) + 0.5 * hmgb1 / (p.k_hmgb1 + hmgb1)


@rule
def corpse_content(voxel, tissue_row, state, death_tick, tick, dt_min, late_min, d):
    """(fresh calreticulin, old oxidised lipid, whether early ferroptotic) of the corpse in a voxel, each 0-1."""
    if voxel < 0:
        return 0.0, 0.0, 0.0
    row = tissue_row[voxel]
    if row < 0 or state[row] == 0:
        return 0.0, 0.0, 0.0
    age = (tick - death_tick[row]) * dt_min
    fresh = release(age, d) * kind_factor(state[row], d)
    old = 1.0 if state[row] == 1 and age >= late_min else 0.0
    return (fresh if fresh >= d.crt_min * kind_factor(state[row], d) else 0.0), old, (1.0 - old if state[row] == 1 else 0.0)


@serial
def mature_cells(
    lo, hi, uid, voxel, mature, mature_tick, antigen, blunting, early, held, atp, hmgb1,
    tissue_row, state, death_tick, term, antigen_term, p, d, dt, dt_min, seed, tick, geometry,
):  # fmt: skip
    """Feed and mature dendritic cells; rows `lo` to `hi`; returns how many matured."""
    count = 0
    reach = 9.0 / (n_directions(geometry) + 1)  # rates are of nine places in a plane; a cell that has 27 in reach eats no faster
    for i in range(np.uint64(lo), np.uint64(hi)):
        if mature[i] == 1:
            continue
        fresh, old, young = corpse_content(voxel[i], tissue_row, state, death_tick, tick, dt_min, p.late_min, d)
        for k in range(n_directions(geometry)):
            a, b, c = corpse_content(neighbour(voxel[i], k, geometry), tissue_row, state, death_tick, tick, dt_min, p.late_min, d)
            fresh += a
            old += b
            young += c
        fresh *= reach
        old *= reach
        early[i] = young
        antigen[i] = 1.0 - (1.0 - antigen[i]) * exp(-p.k_eat * fresh * factor(antigen_term, i) * dt)
        blunting[i] += p.k_ox * old * dt
        rate = p.k_mature * factor(term, i) * danger(at(atp, voxel[i]), at(hmgb1, voxel[i]), p) / (1.0 + blunting[i] / p.k_x)
        if uniform(seed, _MATURE, tick, uid[i], 0) < 1.0 - exp(-rate * dt):
            mature[i] = 1
            mature_tick[i] = tick
            count += 1
    return count


@serial
def quality_leaving(n, mature, mature_tick, antigen, blunting, fate, term, residence_ticks, tick, p, scale):
    """Flag mature cells that leave (fate 30); returns their summed priming quality in fixed point, and their number."""
    total, count = np.int64(0), 0
    for i in range(n):
        if mature[i] == 1 and fate[i] == 0 and tick - mature_tick[i] >= residence_ticks:
            fate[i] = 30
            q = (p.q0 + (1.0 - p.q0) * antigen[i]) / (1.0 + blunting[i] / p.k_x)
            total += np.int64(np.rint(q * factor(term, i) * scale))
            count += 1
    return total, count


class Maturation(Mechanism):
    """Feeding and maturation of dendritic cells in the tumour."""

    name = "priming"
    phase = Phase.INTERACT
    ids = ("M71", "M72")
    about = "DAMPs and antigen mature dendritic cells; oxidised lipid blunts them"
    parameters = PARAMETERS
    clock_min = 10.0
    reads = ("dendritic.uid", "dendritic.voxel", "field.atp.concentration", "field.hmgb1.concentration",
             "lattice.tissue_row", "tumour.state", "tumour.death_tick")  # fmt: skip
    writes = ("dendritic.mature", "dendritic.mature_tick", "dendritic.antigen", "dendritic.blunting", "dendritic.early_corpses")
    adds = ("counters.dc_matured",)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.damp = DAMP_PARAMETERS.build(model.config_for("damp"))

    def step(self, model) -> None:
        """One clock interval."""
        for d in model.presenters:
            if d.n:
                model.counters["dc_matured"] += self.mature(model, d)

    def mature(self, model, d) -> int:
        """One population; how many of it matured."""
        c, t, f = d.col, model.tumour.col, model.fields
        return sum(threads.over_rows(
            mature_cells, d.n, c.uid, c.voxel, c.mature, c.mature_tick, c.antigen, c.blunting, c.early_corpses, c.held,
            f["atp"].read_view, f["hmgb1"].read_view, model.lattice.tissue_row, t.state, t.death_tick,
            d.term("maturation.rate"), d.term("maturation.antigen"), self.p, self.damp, self.dt, model.dt_min, model.seed64, model.tick, model.lattice.geometry,
        ))  # fmt: skip


class LymphNode(Mechanism):
    """The draining lymph node: dendritic cells travel, prime under the axes that act there, and CD8 expand."""

    name = "lymph_node"
    phase = Phase.FATE
    ids = ("M73", "M79", "M118")
    about = "mature dendritic cells prime CD8 in the node, and these come after a delay; CTLA-4 blockade primes more"
    clock_min = 10.0
    reads = ("dendritic.mature", "dendritic.mature_tick", "dendritic.antigen", "dendritic.blunting", "node.tumour_cells", "tumour.state")
    writes = ("node.output", "node.travelling", "node.travelling_slot", "node.expanding", "node.expanding_slot",
              "node.dendritic", "node.on_the_way", "node.on_the_way_slot")  # fmt: skip
    adds = ("dendritic.fate",)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.p = PARAMETERS.build(model.config_for("priming"))
        self.residence = round(self.p.residence_min / model.dt_min)  # delays, not clocks: they need not divide
        travel = round(self.p.travel_min / self.dt)
        both = round((self.p.travel_min + self.p.expansion_min) / self.dt)
        model.node.travelling, model.node.expanding = DelayLine(travel), DelayLine(both - travel)
        model.node.on_the_way = DelayLine(travel)

    def prepare(self, model) -> None:
        """Priming is reckoned per tumour cell, at least those of the start."""
        model.node.tumour_cells = max(model.tumour.n, 1)

    def step(self, model) -> None:
        """Emigration, priming by arriving cells, arrival of due cells, decay of the output."""
        node, leaving, count = model.node, 0, 0
        for d in model.presenters:
            c = d.col
            quality, number = quality_leaving(d.n, c.mature, c.mature_tick, c.antigen, c.blunting, c.fate, d.term("priming.gain"),
                                              self.residence, model.tick, self.p, QUALITY_SCALE)  # fmt: skip
            leaving, count = leaving + quality, count + number
        node.dendritic = node.dendritic * exp(-self.dt / (self.p.node_life_d * 1440.0)) + node.on_the_way.step(count)
        arriving = node.travelling.step(leaving)
        due = node.expanding.step(round(arriving * self.primed(model)) if arriving else 0)
        node.output = 1.0 + (node.output - 1.0) * exp(-self.dt / self.p.tau_b_min)
        if due:
            t = model.tumour
            living = int(np.count_nonzero(t.col.state[: t.n] == 0))
            node.output += self.p.gain * float(due) / QUALITY_SCALE * 1000.0 / max(living, node.tumour_cells)

    def primed(self, model) -> float:
        """Factor of the axes in the lymph node on the priming of cells that arrive now; antibodies are as in plasma."""
        out, minute = 1.0, model.tick * model.dt_min
        for axis in model.receptors.at("node"):
            carried = max(e.level for e in axis.entry.receptor.on.values())
            met = sum(li.background + shown(li) * li.molecule.share_in_plasma(minute) for li in axis.ligands)
            signal = carried * axis.receptor.share_in_plasma(minute) * met
            out *= axis.entry.effects["priming"].factor(signal)
        return out


def shown(ligand) -> float:
    """Level of a ligand on a dendritic cell that arrives."""
    return ligand.hosts["dendritic"].level if "dendritic" in ligand.hosts else 0.0
