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
    writes = ("field.antibody.vessel_value", "therapy.ctla4")

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with an antibody."""
        return bool(model.therapy.antibodies)

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
            level = agent.bath(minute)
            if level is not None:
                model.fields[agent.name].fill(level)


class Checkpoint(Mechanism):
    """Which PD-L1 and PD-1 molecules are left uncovered."""

    name = "checkpoint"
    switchable = False
    phase = Phase.INTERACT
    ids = ("M80",)
    about = "receptor occupancy by checkpoint antibodies"
    clock_min = 2.0
    reads = ("tumour.pdl1", "field.antibody")
    writes = ("tumour.pdl1_free", "therapy.pd1_free")

    def __init__(self, model) -> None:
        super().__init__(model)
        by_target = {a.entry.target: a for a in model.therapy.antibodies}
        self.pdl1 = by_target.get("pdl1")
        self.pd1 = by_target.get("pd1")

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
