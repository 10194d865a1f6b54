"""Killers meet tumour cells, hold them for some minutes, hit them; enough hits within the hour kill.

A free killer picks one living tumour cell among its own voxel and the Moore neighbourhood, and attaches with

    rate = k_attach * recognition * antigenicity * (mhc_floor + (1 - mhc_floor) M)        T cells
    rate = k_attach * recognition * (1 - (1 - mhc_floor) M)                               NK cells, which miss self

M the cell's MHC-I. T cells that are not specific for the tumour (bystanders) never attach. One that holds a cell hits at
rate k_hit * f and lets go at rate 1/hold:

    f = (1 - e) I / (1 + k_sup T)

e exhaustion, T suppressive cytokines, I what the checkpoint signals of the contact leave (`receptors`). Hits add up while
each comes within `hit_window` of the one before, and fade after that (Weigelin et al. 2021, doi
10.1038/s41467-021-25282-3: additive cytotoxicity; Halle et al. 2016, doi 10.1016/j.immuni.2016.01.010); `n_hits` kill.

IFN-gamma goes out in proportion to q, which follows the contact and falls off for hours after it:

    dq/dt = (f - q)/rise      holding a cell, as long as q < f
            (f - q)/fall      otherwise, f = 0 without a cell
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import threads
from tme.kernels.cells import contacts
from tme.kernels.elementary import exp
from tme.kernels.inline_laws import with_laws
from tme.kernels.jit import rule, serial
from tme.library.cells import CellEntry
from tme.mechanisms.receptors import Signals

PARAMETERS = ParameterSet(
    "killing",
    par("k_attach", 0.2, "1/min", 0.0, 2.0, "chosen: that of PhysiCell's cancer-immune sample, a demonstration and no measurement (Ghaffarizadeh et al. 2018, doi 10.1371/journal.pcbi.1005991)", "", range=(0.05, 0.5)),
    par("recognition", 0.25, "1", 0.0, 1.0, "assumed: share of contacts in which the receptor finds its antigen"),
    par("mhc_floor", 0.4, "1", 0.0, 1.0, "assumed: recognition left without MHC-I induction"),
    par("specific", 0.3, "1", 0.0, 1.0, "assumed: the rest of the CD8 in a tumour are bystanders; those that the node primes beyond the start are all specific", "share of CD8 specific for the tumour at the start"),
    par("hold_min", 20.0, "min", 2.0, 600.0, "assumed: contacts in tumours are short, median some 15 min"),
    par("k_hit", 0.08, "1/min", 0.0, 1.0, "calibrated: 1.2-16 kills per specific CTL per day (T30; Halle et al. 2016, doi 10.1016/j.immuni.2016.01.010)"),
    par("n_hits", 3.0, "1", 1.0, 20.0, "measured: three hits within about 50 min of each other kill (Weigelin et al. 2021, doi 10.1038/s41467-021-25282-3)"),
    par("hit_window_min", 50.0, "min", 0.0, 600.0, "measured: three hits within about 50 min of each other kill (Weigelin et al. 2021, doi 10.1038/s41467-021-25282-3)", "time for which a hit counts in full"),
    par("hit_decay_min", 60.0, "min", 10.0, 1440.0, "assumed: sublethal damage is repaired within hours (sign: Weigelin et al. 2021, doi 10.1038/s41467-021-25282-3)"),
    par("k_sup", 1.0, "1/a.u.", 0.0, 50.0, "assumed: unit of the suppression field"),
    par("ifng_molecules_s", 60.0, "1/s", 0.0, 5000.0, "tuned: PD-L1+ cells around T cells (T39; docs/calibration.md); SPQSP_IO has 27 /s ten hours after a stimulus (Gong et al. 2021, doi 10.3390/cancers13153751), tumor-tcell 4.5 /s", "IFN-gamma molecules per second of a stimulated CD8 at full function", range=(5.0, 200.0)),
    par("ifng_rise_min", 60.0, "min", 1.0, 600.0, "assumed: secretion begins within the hour of a contact"),
    par("ifng_fall_min", 360.0, "min", 10.0, 2880.0, "assumed: falls off within hours of the last contact (4-12 h)"),
    par("start_output", 0.4, "1", 0.0, 1.0, "assumed: q of specific CD8 in an untreated tumour", "IFN-gamma secretion of specific CD8 at the start, relative to full"),
)
TERMS = (Term("secretion.ifng", "1", "multiplies", ("cd8",), 0.0, 10.0, "secretion of IFN-gamma"),)


def terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """What rules may modulate in the cell types that kill."""
    killing = tuple(n for n, e in cells.items() if e.kills is not None)
    return (
        Term("killing.attach_rate", "1", "multiplies", killing, 0.0, 10.0, "the rate of attachment to targets"),
        Term("killing.recognition", "1", "multiplies", killing, 0.0, 4.0, "the share of contacts that find their antigen"),
        Term("killing.hit_rate", "1", "multiplies", killing, 0.0, 10.0, "the rate of hits"),
    )


NO_HITS = EVERY_ONE = np.zeros(0, np.int8)


class Kills(NamedTuple):
    """How one type of killer works, as in PARAMETERS; `missing_self` 1 for those that MHC-I keeps off, else 0."""

    k_attach: float
    recognition: float
    mhc_floor: float
    hold_min: float
    k_hit: float
    k_sup: float
    missing_self: float


# ---- laws -------------------------------------------------------------------------------------------------------------
@rule
def attach_rate(antigenicity, mhc1, attach_factor, recognition_factor, p):
    """Rate of attachment to a cell, 1/min."""
    rate = p.k_attach * attach_factor * min(p.recognition * recognition_factor, 1.0)
    if p.missing_self == 1.0:
        return rate * (1.0 - (1.0 - p.mhc_floor) * mhc1)
    return rate * antigenicity * (p.mhc_floor + (1.0 - p.mhc_floor) * mhc1)


@rule
def effector_function(exhaustion, inhibition, suppression, p):
    """f of the module docstring, 0-1."""
    return (1.0 - exhaustion) * inhibition / (1.0 + p.k_sup * suppression)


@serial
def stimulate(lo, hi, engaged, function, stimulus, rise, fall):
    """Let q, `stimulus` (n,), of rows `lo` to `hi` follow the function of those that hold a cell; rise = exp(-dt/rise_min)."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        goal = function[i] if engaged[i] == 1 else 0.0
        stimulus[i] = goal + (stimulus[i] - goal) * (rise if goal > stimulus[i] else fall)


meet = serial(with_laws(contacts.meet, __file__, attach_rate=attach_rate))
strike = serial(with_laws(contacts.strike, __file__, effector_function=effector_function))


# ---- when -------------------------------------------------------------------------------------------------------------
def kills_of(population: Any, p: Any) -> Kills:
    """How a population kills: the `kills` part of its entry, or, without an entry, the parameters of this file."""
    kills = getattr(getattr(population, "entry", None), "kills", None)
    if kills is None:
        return Kills(p.k_attach, p.recognition, p.mhc_floor, p.hold_min, p.k_hit, p.k_sup, 0.0)
    missing_self = float(kills.recognises == "missing_self")
    return Kills(kills.attach, kills.recognition, kills.floor, kills.hold_min, kills.hit, p.k_sup, missing_self)


SET_HERE = ("engaged", "target_uid", "target_voxel", "function", "stimulus", "pd1_signal", "kills")  # of killers


class Killing(Mechanism):
    """Contacts, hits, kills."""

    name = "killing"
    phase = Phase.INTERACT
    ids = ("M80", "M81", "M84")
    about = "CD8 attach, hit additively and kill; checkpoint signals, exhaustion and suppression weaken them"
    parameters = PARAMETERS
    reads: tuple[str, ...] = ("tumour.uid", "tumour.voxel", "tumour.state", "tumour.pdl1_free", "tumour.mhc1", "tumour.antigenicity",
                              "lattice.tissue_row", "field.suppression.concentration")  # fmt: skip
    writes: tuple[str, ...] = ("tumour.hits", "tumour.hit_tick", "tumour.new_hits")
    adds: tuple[str, ...] = ("tumour.fate", "counters.kills")

    def __init__(self, model) -> None:
        super().__init__(model)
        free = (f"receptors.free.{name}" for name, m in model.receptors.molecules.items() if m.free.size)
        host = (f"receptors.{part}.{li.name}" for li in model.receptors.hosts() for part in ("host_sum", "host_count"))
        shown = [f"tumour.{c}" for c in model.tumour.declared if c.startswith("ligand_")]
        own = [(k.kind, c) for k in model.killers for c in ("uid", "voxel", "exhaustion", "specific") if c in k.declared or c in ("uid", "voxel")]
        own += [(k.kind, c) for k in model.killers for t in ("attach_rate", "recognition", "hit_rate") if (c := f"term_killing_{t}") in k.declared]
        signals = [axis.signal for k in model.killers for axis in model.receptors.on(k.kind)]
        set_here = [(k.kind, c) for k in model.killers for c in dict.fromkeys((*SET_HERE, *signals)) if c in k.declared]
        self.reads = (*self.reads, *(f"{kind}.{c}" for kind, c in own), *shown, *free, *host)
        self.writes = (*self.writes, *(f"{kind}.{c}" for kind, c in set_here))
        self.adds = (*self.adds, *(f"counters.{k.kind}_ticks" for k in model.killers))
        self.kills = [(k, kills_of(k, self.p), Signals(model, k), np.zeros(0) if "exhaustion" not in k.declared else None) for k in model.killers]
        self.rise, self.fall = exp(-self.dt / self.p.ifng_rise_min), exp(-self.dt / self.p.ifng_fall_min)

    def step(self, model) -> None:
        """One tick of contacts; counts kills and killers for the readouts."""
        p, t = self.p, model.tumour.col
        held = [(of[0], *self.hold_and_hit(model, *of)) for of in self.kills if of[0].n]
        for _, holders, held_row, hit in held[1:]:
            contacts.count_hits(len(holders), holders, held_row, hit, t.new_hits)
        for k, (killers, holders, held_row, hit) in enumerate(held):
            model.counters["kills"] += contacts.judge(
                len(holders), holders, held_row, hit if k == 0 else NO_HITS, killers.col.kills, t.fate, t.hits, t.hit_tick, t.new_hits,
                p.n_hits, p.hit_window_min, p.hit_decay_min, model.dt_min, model.tick,
            )  # fmt: skip
            c = killers.col
            threads.over_rows(stimulate, killers.n, c.engaged, c.function, c.stimulus, self.rise, self.fall)
            model.counters[f"{killers.kind}_ticks"] += killers.n

    def hold_and_hit(self, model, killers, p, signals, ageless) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Contacts of this tick: rows of holders, by row of a killer the row it holds, by holder whether it hits.

        `p` how they kill, `ageless` None or, for killers that know no exhaustion, an array of no size.
        """
        n, c, t = killers.n, killers.col, model.tumour.col
        held_row, found = np.empty(n, np.int64), np.empty(n, np.int64)
        m = threads.gather_rows(
            found, meet, n, c.uid, c.voxel, c.engaged, c.specific if "specific" in killers.declared else EVERY_ONE, c.target_uid, c.target_voxel, c.function,
            killers.term("killing.attach_rate"), killers.term("killing.recognition"),
            t.uid, t.voxel, t.state, t.mhc1, t.antigenicity, model.lattice.tissue_row, p, self.dt,
            model.seed64, model.tick, model.lattice.geometry, held_row, found,
        )  # fmt: skip
        holders, hit = found[:m], np.empty(m, np.int8)
        inhibition = signals.receive(model, holders, held_row)
        threads.over_rows(
            strike, m, holders, c.uid, c.voxel, c.exhaustion if ageless is None else ageless, inhibition,
            model.fields["suppression"].read_view, killers.term("killing.hit_rate"), p, self.dt, model.seed64, model.tick, c.function, hit,
        )  # fmt: skip
        return holders, held_row, hit
