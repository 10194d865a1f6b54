"""Corpses: ATP and HMGB1 out, calreticulin on, oxidised lipid left behind, and clearance.

A corpse releases at a rate that rises and falls with its age a:

    r(a) = exp(-a/tau_fade) - exp(-a/tau_rise)  (ATP and calreticulin, fast)     tau_rise 30 min
    HMGB1 fades with the same tau_fade but starts after the membrane has gone (ferroptosis, necrosis)

scaled by the kind of death: ferroptosis 1, necrosis and killed or apoptotic cells less. Adjuvanticity so
fades with the corpse's age (Efimova et al. 2020, doi 10.1136/jitc-2020-001369); what an old ferroptotic
corpse leaves is oxidised lipid, which blunts dendritic cells (Wiernicki et al. 2022,
doi 10.1038/s41467-022-31218-2). Clearance is a hazard.
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import threads
from tme.kernels.elementary import exp
from tme.kernels.jit import rule, serial
from tme.kernels.rng import BLOCK, Stream, uniform_block
from tme.kernels.terms import factor

PARAMETERS = ParameterSet(
    "damp",
    par("atp_rate", 1.0, "uM/min", 0.0, 100.0, "assumed: sets the unit of the ATP field", "ATP from a fresh ferroptotic corpse"),
    par("hmgb1_rate", 0.1, "a.u./min", 0.0, 100.0, "assumed: sets the unit of the HMGB1 field"),
    par("tau_fade_min", 360.0, "min", 60.0, 1440.0, "assumed: 4-8 h; output peaks near 3 h after RSL3 and is nil at 24 h (Efimova et al. 2020, doi 10.1136/jitc-2020-001369)"),
    par("tau_rise_min", 30.0, "min", 1.0, 240.0, "assumed: release follows rupture within the hour"),
    par("necrosis_factor", 0.1, "1", 0.0, 1.0, "tuned: an untreated B16 does not prime CD8 that reject it (T42, its control; docs/calibration.md); necrosis releases less ATP, its store being spent", "", range=(0.03, 0.5)),
    par("cuproptosis_factor", 0.3, "1", 0.0, 1.0, "assumed: a lytic death without ferroptosis's burst, as necrosis (0.1-1)"),
    par("apoptosis_factor", 0.03, "1", 0.0, 1.0, "tuned: as necrosis_factor (T42); killed and apoptotic cells keep their membrane for hours", "", range=(0.0, 0.2)),
    par("tau_clear_min", 720.0, "min", 60.0, 4320.0, "assumed: 6-24 h", "mean time to clearance"),
    par("crt_min", 0.1, "1", 0.0, 1.0, "assumed: release level below which calreticulin no longer counts"),
    par("damp_growth", 0.1, "1", 0.0, 2.0, "assumed: HMGB1 feeds proliferation (Yin et al. 2025, doi 10.32604/or.2025.069049), small"),
    par("growth_k", 0.5, "a.u.", 0.01, 50.0, "assumed: HMGB1 of half effect on proliferation"),
)
TERMS = (
    Term("damp.atp", "1", "multiplies", ("tumour",), 0.0, 100.0, "release of ATP from corpses"),
    Term("damp.hmgb1", "1", "multiplies", ("tumour",), 0.0, 100.0, "release of HMGB1 from corpses"),
)
_CLEAR = int(Stream.CLEAR)


@rule
def release(age_min, p):
    """Release level of a corpse aged `age_min`, 0-1."""
    return exp(-age_min / p.tau_fade_min) - exp(-age_min / p.tau_rise_min)


@rule
def kind_factor(state, p):
    """How much a corpse of this kind releases, relative to ferroptosis."""
    if state == 1:
        return 1.0
    if state == 3:
        return p.necrosis_factor
    if state == 5:
        return p.cuproptosis_factor
    return p.apoptosis_factor


@serial
def secrete(lo, hi, state, voxel, death_tick, modulated, tick, dt_min, p, rate, source):
    """Source (voxels,) of corpses, `rate` at full release, `modulated` (n,) the factor of rules on it or empty; one corpse a voxel."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] != 0:
            r = release((tick - death_tick[i]) * dt_min, p) * kind_factor(state[i], p)
            source[voxel[i]] = rate * r * factor(modulated, i)


@serial
def clear(lo, hi, uid, state, fate, p_clear, seed, tick):
    """Flag corpses (fate 20) that are cleared now."""
    u = np.empty((2, BLOCK))
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        uniform_block(seed, _CLEAR, tick, uid, first, first + m, 0, u)
        for j in range(np.uint64(m)):
            i = np.uint64(first) + j
            if state[i] != 0 and u[0, j] < p_clear:
                fate[i] = 20


class DampRelease(Mechanism):
    """ATP and HMGB1 from corpses."""

    name = "damp"
    phase = Phase.SECRETE
    ids = ("M70", "M71")
    about = "corpses release ATP and HMGB1, fading with age"
    parameters = PARAMETERS
    adds = ("field.atp.source", "field.hmgb1.source")

    def __init__(self, model) -> None:
        super().__init__(model)
        self.reads = tuple(f"{t.kind}.{column}" for t in model.tissue for column in ("state", "voxel", "death_tick"))

    def step(self, model) -> None:
        """Write the source of a field that is due."""
        for name, rate in (("atp", self.p.atp_rate * model.per_cell), ("hmgb1", self.p.hmgb1_rate * model.per_cell)):
            if model.due(name):
                with model.fields[name].term_writer("source", model.scratch, overwrite=False) as source:
                    for tissue in model.tissue:
                        t = tissue.col
                        threads.over_rows(secrete, tissue.n, t.state, t.voxel, t.death_tick, tissue.term(f"damp.{name}"),
                                  model.tick, model.dt_min, self.p, rate, source)  # fmt: skip


class Clearance(Mechanism):
    """Corpses are cleared at a constant hazard."""

    name = "clearance"
    phase = Phase.FATE
    about = "corpses are cleared within about half a day"
    clock_min = 10.0

    def __init__(self, model) -> None:
        super().__init__(model)
        self.reads = tuple(f"{t.kind}.{column}" for t in model.tissue for column in ("uid", "state"))
        self.adds = tuple(f"{t.kind}.fate" for t in model.tissue)
        p = PARAMETERS.build(model.config_for("damp"))
        self.p_clear = 1.0 - exp(-self.dt / p.tau_clear_min)

    def step(self, model) -> None:
        """One clock interval."""
        for tissue in model.tissue:
            t = tissue.col
            threads.over_rows(clear, tissue.n, t.uid, t.state, t.fate, self.p_clear, model.seed64, model.tick)
