"""Chronic antigen exhausts CD8, half of it through PD-1.

    de/dt = (1 - e) g / tau     while engaged, g = (1 - w) + w S / (k + S), S the PD-1 signal
"""

from __future__ import annotations

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels.elementary import exp
from tme.kernels.jit import serial

PARAMETERS = ParameterSet(
    "exhaustion",
    par("tau_d", 4.0, "d", 0.5, 30.0, "exhaustion starts in the first days and is set by day 10 (McLane et al.; JCI Insight 2018, PMC5135268); 3-7 d of contact", "time constant of contact with antigen"),
    par("pd1_weight", 0.5, "1", 0.0, 1.0, "assumed: half of the drive passes through PD-1"),
    par("k_p", 0.3, "1", 0.01, 10.0, "assumed: as in killing"),
    par("threshold", 0.5, "1", 0.0, 1.0, "assumed: a CD8 above this counts as exhausted in readouts"),
)


@serial
def exhaust(n, engaged, pd1_signal, exhaustion, p, dt):
    """Advance exhaustion (n,) of engaged CD8 by dt min."""
    for i in range(n):
        if engaged[i] == 1:
            s = pd1_signal[i] / (p.k_p + pd1_signal[i])
            g = (1.0 - p.pd1_weight) + p.pd1_weight * s
            exhaustion[i] = 1.0 - (1.0 - exhaustion[i]) * exp(-g * dt / (p.tau_d * 1440.0))


class Exhaustion(Mechanism):
    """Exhaustion of engaged CD8."""

    name = "exhaustion"
    switchable = False
    phase = Phase.INTERACT
    ids = ("M82",)
    about = "contact with antigen exhausts CD8, in part through PD-1"
    parameters = PARAMETERS
    reads = ("cd8.engaged", "cd8.pd1_signal")
    writes = ("cd8.exhaustion",)

    def step(self, model) -> None:
        """One tick."""
        if model.cd8.n:
            c = model.cd8.col
            exhaust(model.cd8.n, c.engaged, c.pd1_signal, c.exhaustion, self.p, self.dt)
