"""Memory of T cells in the lymph node: it comes of strong priming, stays for months and answers at once.

    dM/dt = f max(B - 1 - a M, 0) - M/life      B the node's output, in units of the output at rest
    dB/dt gets + a M/tau_b                      so that B rests at 1 + a M instead of 1

tau_b is the time within which the output falls back (`priming`). Off unless the config says `mechanisms.t_cell_memory.on: true` or an
arm vaccinates.
"""

from __future__ import annotations

import math

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.mechanisms.priming import PARAMETERS as PRIMING_PARAMETERS

PARAMETERS = ParameterSet(
    "t_cell_memory",
    par("k_form", 0.02, "1/d", 0.0, 10.0, "assumed: some per cent of what is primed stays, the rest dies after the response"),
    par("life_d", 60.0, "d", 1.0, 10000.0, "assumed: central memory of mice lasts months"),
    par("answer", 2.0, "1", 0.0, 100.0, "assumed: memory answers with twice its number before anything is primed anew"),
)


class TCellMemory(Mechanism):
    """The memory pool of the lymph node."""

    name = "t_cell_memory"
    phase = Phase.FATE
    ids = ("M119",)
    about = "a part of the T cells that were primed stays as memory and answers at once"
    parameters = PARAMETERS
    clock_min = 10.0
    writes = ("node.memory",)
    adds = ("node.output",)

    @classmethod
    def enabled(cls, model) -> bool:
        """Where the config asks for it, or an arm vaccinates."""
        return cls.asked_for(model.config) or any(o.entry.kind == "vaccination" for o in model.therapy.events)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.tau_b_min = PRIMING_PARAMETERS.build(model.config_for("priming")).tau_b_min
        self.reads = ("node.output",)

    def step(self, model) -> None:
        """One clock interval."""
        node, p, days = model.node, self.p, self.dt / 1440.0
        formed = p.k_form * max(node.output - 1.0 - p.answer * node.memory, 0.0) * days
        node.output += p.answer * node.memory * -math.expm1(-self.dt / self.tau_b_min)
        node.memory = node.memory * math.exp(-days / p.life_d) + formed
