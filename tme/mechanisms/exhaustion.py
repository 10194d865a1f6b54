"""Chronic antigen exhausts T cells, in part through their checkpoint receptors.

    de/dt = (1 - e) g / tau     while engaged, g the product of the effects of all axes on exhaustion (`receptors`)

Under PD-1 alone g = 1/2 + 1/2 S / (k + S), S the PD-1 signal.
"""

from __future__ import annotations

from types import SimpleNamespace

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
    par("tau_d", 0.7, "d", 0.2, 30.0, "tuned: with M82.loss transferred CTL hold a tumour from day 3 to 7 and then fall (T42; docs/calibration.md); CD8 of tumours are in contact a third of their time, so exhaustion starts within days and is set by day 10; review: McLane, Abdel-Hakeem and Wherry 2019, Annu Rev Immunol 37:457", "time constant of contact with antigen"),
    par("start", 0.44, "1", 0.0, 0.95, "tuned: what the untreated tumour keeps (tests/mechanisms/test_steady_start.py)", "mean exhaustion of specific CD8 at the start"),
    par("threshold", 0.5, "1", 0.0, 1.0, "assumed: a CD8 above this counts as exhausted in readouts"),
)
_NONE, NO_EFFECT = np.zeros(0), SimpleNamespace(without=1.0, to=1.0, half=0.0)
TERMS = (Term("exhaustion.rate", "1", "multiplies", ("cd8",), 0.0, 10.0, "the rate of exhaustion"),)


@serial
def drive_through(n, engaged, signal, without, to, half, drive):
    """Multiply `drive` (n,) of engaged cells by the effect of a checkpoint signal."""
    for i in range(n):
        if engaged[i] == 1:
            drive[i] *= effect(signal[i], without, to, half)


@serial
def exhaust(n, engaged, signal, without, to, half, drive, term, exhaustion, p, dt):
    """Advance exhaustion (n,) of engaged cells by dt min.

    `signal` (n,) of one axis with its effect, `drive` (n,) the effects of the others; each of no size where there is none.
    """
    for i in range(n):
        if engaged[i] == 1:
            g = effect(signal[i], without, to, half) if signal.size > 0 else 1.0
            if drive.size > 0:
                g *= drive[i]
            exhaustion[i] = 1.0 - (1.0 - exhaustion[i]) * exp(-g * factor(term, i) * dt / (p.tau_d * 1440.0))


class Exhaustion(Mechanism):
    """Exhaustion of engaged T cells."""

    name = "exhaustion"
    switchable = False
    phase = Phase.INTERACT
    ids = ("M82",)
    about = "contact with antigen exhausts CD8, in part through PD-1 and the other axes that are on"
    parameters = PARAMETERS

    def __init__(self, model) -> None:
        super().__init__(model)
        tired = [k for k in model.killers if "exhaustion" in k.declared and not kept_off_by_self(k)]
        self.axes = []  # (killers, signal and effect of the first axis, those of the others)
        for k in tired:
            on = [(axis.signal, axis.entry.effects["exhaustion"]) for axis in model.receptors.on(k.kind, "exhaustion")]
            self.axes.append((k, *(on[0] if on else ("", NO_EFFECT)), on[1:]))
            self.reads = (*self.reads, f"{k.kind}.engaged", *(f"{k.kind}.{signal}" for signal, _ in on))
        self.writes = tuple(f"{k.kind}.exhaustion" for k in tired)

    def step(self, model) -> None:
        """One tick."""
        for killers, signal, e, others in self.axes:
            n, c, drive = killers.n, killers.col, _NONE
            if n == 0:
                continue
            if others:
                drive = np.ones(n)
                for name, other in others:
                    drive_through(n, c.engaged, getattr(c, name), other.without, other.to, other.half, drive)
            met = getattr(c, signal) if signal else _NONE
            exhaust(n, c.engaged, met, e.without, e.to, e.half, drive, killers.term("exhaustion.rate"), c.exhaustion, self.p, self.dt)


def kept_off_by_self(population) -> bool:
    """Whether a killer does not go by antigen, so that chronic antigen cannot exhaust it."""
    kills = getattr(getattr(population, "entry", None), "kills", None)
    return kills is not None and kills.recognises == "missing_self"
