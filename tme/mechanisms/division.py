"""Tumour cells divide when fed, push neighbours aside, and hand on their traits with small errors.

    rate = k_div * clip((O2 - o2_low)/(o2_high - o2_low), 0, 1) * (1 + damp_growth H/(growth_k + H)) / (1 + n/crowd_half)

n is the crowding, the cells that a daughter would have to push (`room`). A daughter takes the place of a neighbour on the way to the
nearest room, and the cells on that way, however many, move one step along it (`kernels.room`). No way to any room, no
division. Other tissue that yields counts as no tissue: the cell there is removed, displaced but not killed; other
tissue that does not yield stays where it is. Divisions of one tick are settled in the order of a random priority, ties to the smaller uid.

A daughter inherits her clone's mean wholly and her mother's deviation from it in part. With x the log of
a trait, m and s its mean and sd in the clone, z a standard normal:

    x' = m + memory (x - m) + sqrt((1 - memory^2) s^2 + drift^2) z

for the expression levels that vary within a clone (VARIED); NRF2 activity and antigenicity, set by
genotype, only drift, x' = x + drift z - drift^2/2.
"""

from __future__ import annotations

import numpy as np

from tme.core.lattice import YIELDING
from tme.core.mechanism import Mechanism, Phase, rows_of
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import threads
from tme.kernels.elementary import exp
from tme.kernels.jit import rule, serial
from tme.kernels.rng import BLOCK, Stream, child_uid, normals, priorities, uniform_block
from tme.kernels.room import push
from tme.kernels.terms import factor
from tme.kernels.transfer import at
from tme.mechanisms.damp import PARAMETERS as DAMP_PARAMETERS

PARAMETERS = ParameterSet(
    "division",
    par("k_div", 7.2e-4, "1/min", 0.0, 0.01, "chosen: 23 h between divisions at 38 mmHg, as in PhysiCell's cancer-immune sample (Ghaffarizadeh et al. 2018, doi 10.1371/journal.pcbi.1005991); presets have their own", "", range=(4e-4, 1e-3)),
    par("o2_low", 3.0, "mmHg", 0.0, 38.0, "assumed: no division below (PhysiCell uses 5 mmHg)"),
    par("o2_high", 15.0, "mmHg", 0.1, 160.0, "assumed: full rate above"),
    par("crowd_half", 30.0, "cells", 0.1, 1e6, "tuned: untreated growth of B16 (docs/calibration.md)", "crowding at which division is at half its rate"),
    par("drift", 0.05, "1", 0.0, 1.0, "assumed: lognormal sd of each heritable trait per division"),
    par("memory", 0.7, "1", 0.0, 1.0, "protein levels mix within about two generations (Sigal et al. 2006, doi 10.1038/nature05316)", "how much of a cell's deviation from its clone a daughter inherits; 1 is all of it"),
)
TERMS = (Term("division.rate", "1", "multiplies", ("tumour",), 0.0, 10.0, "the rate of division"),)
_DIVIDE = int(Stream.DIVIDE)
_PUSH = int(Stream.PUSH)
VARIED = ("xct", "gpx4_trait", "fsp1", "acsl4", "tfr1")
DRIFTING = ("nrf2", "antigenicity")


@rule
def division_rate(oxygen, hmgb1, crowding, p, d):
    """Rate of the module docstring, 1/min."""
    fed = (oxygen - p.o2_low) / (p.o2_high - p.o2_low)
    fed = min(max(fed, 0.0), 1.0)
    return p.k_div * fed * (1.0 + d.damp_growth * hmgb1 / (d.growth_k + hmgb1)) * p.crowd_half / (p.crowd_half + crowding)


@serial
def flag_divisions(lo, hi, uid, state, fate, voxel, oxygen, crowding, hmgb1, modulated, p, d, dt, seed, tick):
    """Raise fate 1 in living cells that divide now; `modulated` (n,) the factor of rules on the rate, or empty."""
    u = np.empty((2, BLOCK))
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        uniform_block(seed, _DIVIDE, tick, uid, first, first + m, 0, u)
        for j in range(np.uint64(m)):
            i = np.uint64(first) + j
            if state[i] == 0 and fate[i] == 0:
                x = division_rate(oxygen[i], at(hmgb1, voxel[i]), crowding[i], p, d) * factor(modulated, i) * dt
                if u[0, j] < x and u[0, j] < 1.0 - exp(-x):  # the first bound spares most cells the second
                    fate[i] = 1


@serial
def name_daughters(mothers, m, uid, n_div, out):
    """uid of each daughter (m,), and count the mother's division."""
    for j in range(m):
        row = mothers[j]
        n_div[row] += 1
        out[j] = child_uid(uid[row], n_div[row])


def displace(model) -> None:
    """Remove cells of other tissue from whose voxels tumour cells have pushed them."""
    for tissue in model.lattice.others:
        rows = np.flatnonzero(model.lattice.tissue_row[tissue.voxel] != YIELDING) if tissue.entry.yields else ()
        if len(rows):
            model.return_cargo(tissue, rows)
            model.counters[f"displaced_{tissue.kind}"] += len(rows)
            tissue.remove(rows)


class DivisionHazard(Mechanism):
    """Which cells divide now."""

    name = "division"
    phase = Phase.FATE
    about = "fed cells divide, the less the more crowded they are; HMGB1 adds a little"
    parameters = PARAMETERS
    ids = ("M77",)
    clock_min = 10.0
    reads = ("tumour.uid", "tumour.state", "tumour.voxel", "tumour.oxygen", "tumour.crowding", "field.hmgb1.concentration")
    adds = ("tumour.fate",)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.damp = DAMP_PARAMETERS.build(model.config_for("damp"))

    def step(self, model) -> None:
        """One clock interval."""
        t = model.tumour.col
        threads.over_rows(flag_divisions, model.tumour.n, t.uid, t.state, t.fate, t.voxel, t.oxygen, t.crowding, model.fields["hmgb1"].read_view,
                  model.tumour.term("division.rate"), self.p, self.damp, self.dt, model.seed64, model.tick)  # fmt: skip


class Division(Mechanism):
    """Make room and add the daughters."""

    name = "divide"
    phase = Phase.RESOLVE
    ids = ("M58",)
    about = "daughters inherit traits with small errors; neighbours are pushed aside"
    clock_min = 10.0

    def __init__(self, model) -> None:
        super().__init__(model)
        self.adds: tuple[str, ...] = (*rows_of(model.tumour), "lattice.tissue_row", "lattice.surface", "lattice.hole", "uids.tumour", "counters.births", "model.stop_reason")
        for tissue in model.lattice.others:
            if tissue.entry.yields:
                self.adds += (*rows_of(tissue), f"counters.displaced_{tissue.kind}")
        self.p = PARAMETERS.build(model.config_for("division"))
        kept = model.config.kept_traits()  # where the start says what daughters keep
        self.memory = np.array([[kept.get(name, self.p.memory)] for name in VARIED]) if kept else self.p.memory

    def step(self, model) -> None:
        """Settle the divisions flagged this tick."""
        t = model.tumour.col
        rows = np.flatnonzero(t.fate[: model.tumour.n] == 1)
        if len(rows) == 0:
            return
        t.fate[rows] = 0
        priority = np.empty(len(rows), np.int64)
        priorities(rows, len(rows), t.uid, model.seed64, _PUSH, model.tick, 1, priority)
        order = rows[np.lexsort((t.uid[rows], -priority))]
        mothers = np.empty(len(rows), np.int64)
        places = np.empty(len(rows), np.int64)
        m = self.push(model, order, mothers, places)
        if m:
            displace(model)
            self.add_daughters(model, mothers[:m], places[:m])

    def push(self, model, order: np.ndarray, mothers: np.ndarray, places: np.ndarray) -> int:
        """Make room for the rows of `order`; fills `mothers` and `places`, returns how many divide."""
        t, lattice = model.tumour.col, model.lattice
        done, m, fresh = 0, 0, False
        while done < len(order):
            done, m, edge = push(order, done, len(order), t.uid, t.voxel, lattice.tissue_row, lattice.surface, model.seed64, model.tick,
                                 lattice.geometry, m, mothers, places, lattice.path)  # fmt: skip
            if edge:
                model.reached_edge()
            if done < len(order) and fresh:
                done += 1  # there is no room
            elif done < len(order):  # perhaps the surface has moved on
                lattice.measure_surface()
                fresh = True
        return m

    def add_daughters(self, model, mothers: np.ndarray, places: np.ndarray) -> None:
        """Copy mothers to new rows, name them, let traits drift."""
        tumour = model.tumour
        uid = np.empty(len(mothers), np.uint64)
        name_daughters(mothers, len(mothers), tumour.col.uid, tumour.col.n_div, uid)
        model.check_new_uids(tumour, uid)
        new = tumour.copy_from(mothers)
        t = tumour.col
        t.uid[new] = uid
        t.voxel[new] = places
        t.n_div[new] = 0
        t.born_tick[new] = model.tick
        model.lattice.tissue_row[places] = np.arange(new.start, new.stop)
        model.counters["births"] += len(mothers)
        self.mutate(model, new, uid)

    def mutate(self, model, new: slice, uid: np.ndarray) -> None:
        """Traits of newborns, `new` rows with their `uid`s, by the law of the module docstring."""
        t, p = model.tumour.col, self.p
        spread = np.log1p(model.config.tumour.cv**2)
        noise = np.sqrt((1.0 - self.memory**2) * spread + p.drift**2)
        z = np.empty((len(VARIED) + len(DRIFTING), len(uid)))
        for k, row in enumerate(z):
            normals(model.seed64, int(Stream.MUTATE), model.tick, uid, k, row)
        mean = np.take(model.clone_log_mean, t.clone[new], axis=1)
        x = np.log(np.maximum([getattr(t, name)[new] for name in VARIED], 1e-300))
        for name, values in zip(VARIED, np.exp(mean + self.memory * (x - mean) + noise * z[: len(VARIED)])):
            getattr(t, name)[new] = values
        for name, factors in zip(DRIFTING, np.exp(p.drift * z[len(VARIED) :] - 0.5 * p.drift**2)):
            getattr(t, name)[new] *= factors
