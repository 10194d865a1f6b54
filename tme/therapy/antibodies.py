"""Checkpoint antibodies: plasma, leak, diffusion, binding by occupancy c/(Kd + c).

anti-PD-L1 covers PD-L1 on tumour cells, anti-PD-1 covers PD-1 on CD8 where they are (and so blocks PD-L2
too), anti-CTLA-4 acts in the lymph node at its plasma level and, by its Fc part, depletes Tregs.
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.kernels import team
from tme.kernels.jit import serial
from tme.kernels.transfer import at


@serial
def cover_pdl1(lo, hi, voxel, pdl1, antibody, kd, pdl1_free):
    """pdl1_free = pdl1 Kd/(Kd + c) at each cell."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        pdl1_free[i] = pdl1[i] * (kd / (kd + at(antibody, voxel[i])))


class AntibodyDelivery(Mechanism):
    """Plasma level of each antibody at the vessels and in the node."""

    name = "antibody_delivery"
    switchable = False
    phase = Phase.DOSE
    about = "antibodies follow their plasma course and leak from vessels"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with an antibody."""
        return bool(model.therapy.antibodies)

    def __init__(self, model) -> None:
        super().__init__(model)
        leaking = [a.name for a in model.therapy.antibodies if a.entry.target != "ctla4"]
        node = ("model.ctla4_occupancy", "model.treg_depletion") if len(leaking) < len(model.therapy.antibodies) else ()
        self.writes = (*(f"field.{name}.vessel_value" for name in leaking), *node)

    def step(self, model) -> None:
        """Set vessel values, CTLA-4 occupancy and Treg depletion."""
        minute = model.tick * model.dt_min
        for agent in model.therapy.antibodies:
            plasma = agent.plasma(minute)
            if agent.entry.target == "ctla4":
                model.ctla4_occupancy = plasma / (agent.entry.kd_nM + plasma)
                model.treg_depletion = model.ctla4_occupancy * agent.entry.treg_depletion
            elif model.solved(agent.name):
                model.fields[agent.name].vessel_value = plasma


class Checkpoint(Mechanism):
    """Which PD-L1 and PD-1 molecules are left uncovered."""

    name = "checkpoint"
    switchable = False
    phase = Phase.INTERACT
    ids = ("M80",)
    about = "receptor occupancy by checkpoint antibodies"
    clock_min = 2.0

    def __init__(self, model) -> None:
        super().__init__(model)
        by_target = {a.entry.target: a for a in model.therapy.antibodies}
        self.pdl1 = by_target.get("pdl1")
        self.pd1 = by_target.get("pd1")
        self.reads = ("tumour.voxel", "tumour.pdl1", *(f"field.{a.name}.concentration" for a in (self.pdl1, self.pd1) if a))
        self.writes = ("tumour.pdl1_free", *(("model.pd1_free",) if self.pd1 else ()))

    def step(self, model) -> None:
        """Refresh both; without antibodies everything is free."""
        t = model.tumour
        if self.pdl1:
            antibody, kd = model.fields[self.pdl1.name].seen, self.pdl1.entry.kd_nM
            team.rows(cover_pdl1, t.n, t.col.voxel, t.col.pdl1, antibody, kd, t.col.pdl1_free)
        else:
            t.col.pdl1_free[: t.n] = t.col.pdl1[: t.n]
        if self.pd1 and model.tick % model.clock[self.pd1.name] < self.every:  # its field was solved since the last time
            kd = self.pd1.entry.kd_nM
            model.pd1_free[:] = kd / (kd + model.fields[self.pd1.name].concentration)
