"""Chronic antigen exhausts T cells, in part through their checkpoint receptors.

    de/dt = (1 - e) g / tau     while engaged, g the product of the effects of all axes on exhaustion (`receptors`)

Under PD-1 alone g = 1/2 + 1/2 S / (k + S), S the PD-1 signal.
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels.elementary import exp
from tme.kernels.jit import serial
from tme.kernels.terms import factor
from tme.mechanisms.receptors import effect

PARAMETERS = ParameterSet(
    "exhaustion",
    par("tau_d", 4.0, "d", 0.5, 30.0, "exhaustion starts in the first days and is set by day 10 (McLane et al.; JCI Insight 2018, PMC5135268); 3-7 d of contact", "time constant of contact with antigen"),
    par("threshold", 0.5, "1", 0.0, 1.0, "assumed: a CD8 above this counts as exhausted in readouts"),
)
TERMS = (Term("exhaustion.rate", "1", "multiplies", ("cd8",), 0.0, 10.0, "factor on the rate of exhaustion"),)


@serial
def drive_through(n, engaged, signal, without, to, half, drive):
    """Multiply `drive` (n,) of engaged cells by the effect of a checkpoint signal."""
    for i in range(n):
        if engaged[i] == 1:
            drive[i] *= effect(signal[i], without, to, half)


@serial
def exhaust(n, engaged, drive, term, exhaustion, p, dt):
    """Advance exhaustion (n,) of engaged cells by dt min, g = `drive` (n,)."""
    for i in range(n):
        if engaged[i] == 1:
            exhaustion[i] = 1.0 - (1.0 - exhaustion[i]) * exp(-drive[i] * factor(term, i) * dt / (p.tau_d * 1440.0))


class Exhaustion(Mechanism):
    """Exhaustion of engaged T cells."""

    name = "exhaustion"
    switchable = False
    phase = Phase.INTERACT
    ids = ("M82", "M81")
    about = "contact with antigen exhausts CD8, in part through PD-1 and the other axes that are on"
    parameters = PARAMETERS
    reads = ("cd8.engaged", "cd8.pd1_signal")
    writes = ("cd8.exhaustion",)

    def step(self, model) -> None:
        """One tick."""
        for killers in model.killers:
            n, c = killers.n, killers.col
            if n == 0 or "exhaustion" not in killers.declared or kept_off_by_self(killers):
                continue
            drive = np.ones(n)
            for axis in model.receptors.on(killers.kind, "exhaustion"):
                e = axis.entry.effects["exhaustion"]
                drive_through(n, c.engaged, getattr(c, axis.signal), e.without, e.to, e.half, drive)
            exhaust(n, c.engaged, drive, killers.term("exhaustion.rate"), c.exhaustion, self.p, self.dt)


def kept_off_by_self(population) -> bool:
    """Whether a killer does not go by antigen, so that chronic antigen cannot exhaust it."""
    kills = getattr(getattr(population, "entry", None), "kills", None)
    return kills is not None and kills.recognises == "missing_self"
