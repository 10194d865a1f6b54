"""Vaccination: dying tumour cells injected elsewhere prime T cells, and some of these stay as memory.

    q = dose x quality of the death / (1 + (age/half)^steepness)
    node output B += gain q,  memory += memory q         `delay_d` after the injection

Early ferroptotic cells vaccinate, late ones do not (Efimova et al. 2020, doi 10.1136/jitc-2020-001369). A vaccination may lie
before the run: what it left is there at the start. What memory does: `mechanisms.t_cell_memory`.
"""

from __future__ import annotations

import math
from typing import Any

from tme.core.mechanism import Mechanism, Phase
from tme.therapy.events import Occasion, of_kind


def arrival(o: Occasion, dt_min: float) -> int:
    """The tick at which what a vaccination primed has left the node; 0 or less before the run."""
    return o.tick + max(1, round(o.entry.delay_d * 1440.0 / dt_min))


class Vaccination(Mechanism):
    """What vaccinations bring to the lymph node."""

    name = "vaccination"
    given_by = "arms.*.events"
    switchable = False
    phase = Phase.FATE
    ids = ("M119",)
    about = "injected dying cells prime T cells and leave memory"
    adds = ("node.output", "node.memory")

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with a vaccination."""
        return bool(of_kind(model, "vaccination"))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.events = of_kind(model, "vaccination")

    def begin(self, model) -> None:
        """Before the first tick, once: what earlier vaccinations left; without the law of memory no memory, without that of the node all of the output."""
        laws = {m.name: m for m in model.plan.entries}
        memory, node = laws.get("t_cell_memory"), laws.get("lymph_node")
        for o in self.events:
            age_d = -arrival(o, model.dt_min) * model.dt_min / 1440.0
            if age_d >= 0.0:
                q = o.entry.immunity(o.item)
                if memory is not None:
                    model.node.memory += o.entry.memory * q * math.exp(-age_d / memory.p.life_d)
                model.node.output += o.entry.gain * q * (math.exp(-age_d * 1440.0 / node.p.tau_b_min) if node is not None else 1.0)

    def step(self, model: Any) -> None:
        """One tick."""
        for o in self.events:
            if arrival(o, model.dt_min) == model.tick:
                q = o.entry.immunity(o.item)
                model.node.output += o.entry.gain * q
                model.node.memory += o.entry.memory * q
