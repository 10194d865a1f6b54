"""Small molecules: from plasma through vessels (or from a bath) into tissue, and what they hit.

A hit is data: a target and a strength. Targets are the terms of the cell's chemistry:

    xct             (c/Ki)^n added to e_xct            gcl             c/Ki added to e_bso
    fsp1            c/Ki added to e_fsp1               gpx4            k c added to e_gpx4 [1/min]
    radical_trap    k c added to e_trap                iron_chelation  k c added to e_chel [1/min]
    iron_supply     k c added to j_drug [uM/min]       pdl1_synthesis  c/Ki, knock-down e/(1+e)
    cu_influx       k c added to j_cu [uM/min], a column of cuproptosis
    cystine_pool    k c added to the loss of extracellular cystine [1/min]
    vessel          what vessels bring of a substance, divided by 1 + sum c/Ki, c in plasma
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.kernels import team
from tme.kernels.elementary import power
from tme.kernels.jit import serial
from tme.kernels.transfer import at

EFFECT_COLUMN = {
    "xct": "e_xct",
    "gcl": "e_bso",
    "fsp1": "e_fsp1",
    "gpx4": "e_gpx4",
    "radical_trap": "e_trap",
    "iron_chelation": "e_chel",
    "iron_supply": "j_drug",
    "cu_influx": "j_cu",
    "pdl1_synthesis": "sipdl1",
}


@serial
def add_effect(lo, hi, voxel, concentration, strength, hill, out):
    """out[i] += (strength c)^hill, c the concentration at the cell's voxel."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        x = at(concentration, voxel[i]) * strength
        if x > 0.0:
            out[i] += x if hill == 1.0 else power(x, hill)


@serial
def saturate(n, column):
    """x -> x/(1 + x)."""
    for i in range(n):
        column[i] = column[i] / (1.0 + column[i])


@serial
def set_cell_loss(lo, hi, state, voxel, per_cell, loss):
    """Loss (voxels,) 1/min where living tumour cells sit."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] == 0:
            loss[voxel[i]] = per_cell


class DrugDelivery(Mechanism):
    """Plasma concentration of each drug at the vessels; baths hold their level everywhere."""

    name = "drug_delivery"
    switchable = False
    phase = Phase.DOSE
    ids = ("M123", "M129")
    about = "drugs follow their plasma course and leak from vessels; baths are held"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with a drug, free or as payload."""
        return bool(model.therapy.drugs)

    def __init__(self, model) -> None:
        super().__init__(model)
        baths = [a.name for a in model.therapy.drugs if any(d.route == "bath" for d in a.doses)]
        self.writes = (*(f"field.{a.name}.vessel_value" for a in model.therapy.drugs), *(f"field.{name}.concentration" for name in baths))

    def step(self, model) -> None:
        """Set the boundary values that the next solve will use."""
        minute = model.tick * model.dt_min
        for agent in model.therapy.drugs:
            field = model.fields[agent.name]
            level = agent.bath(minute)
            if level is not None:
                field.fill(level)
            elif model.solved(agent.name):
                field.vessel_value = agent.plasma(minute)


class BloodEnzymes(Mechanism):
    """Enzymes that work in blood lower what vessels bring: value/(1 + sum c/Ki), c the level in plasma."""

    name = "blood_enzymes"
    given_by = "arms.*.drugs"
    switchable = False
    phase = Phase.DOSE
    ids = ("M02",)
    about = "enzymes in blood lower what vessels bring of a substance"
    writes = ("field.vessel_value",)

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with such a drug."""
        return any(hit.target == "vessel" for agent in model.therapy.drugs for hit in agent.entry.hits)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.hits: dict[str, list[tuple[Any, float]]] = {}
        for agent in model.therapy.drugs:
            for hit in agent.entry.hits:
                if hit.target == "vessel" and hit.field in model.fields:
                    self.hits.setdefault(hit.field, []).append((agent, hit.strength))
        entries = model.config.field_entries()
        self.untreated = {name: entries[name].vessel_value for name in self.hits}

    def step(self, model) -> None:
        """Set the boundary values that the next solve will use."""
        minute = model.tick * model.dt_min
        for name, hits in self.hits.items():
            if model.solved(name):
                effect = sum(strength * agent.plasma(minute) for agent, strength in hits)
                model.fields[name].vessel_value = self.untreated[name] / (1.0 + effect)


class DrugEffects(Mechanism):
    """What the drugs at each cell do to its chemistry."""

    name = "drug_effects"
    switchable = False
    phase = Phase.SENSE
    ids = ("M38", "M89")
    about = "drugs hit their targets in proportion to their local concentration"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with a drug."""
        return bool(model.therapy.drugs)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.hits = [
            (agent.name, hit.target, hit.strength, hit.exponent)
            for agent in model.therapy.drugs
            for hit in agent.entry.hits
            if EFFECT_COLUMN.get(hit.target) in model.tumour.declared
        ]
        self.columns = sorted({EFFECT_COLUMN[target] for _d, target, _s, _h in self.hits})
        self.names = {agent.name for agent in model.therapy.drugs}
        self.reads = ("tumour.voxel", "tumour.state", *(f"field.{name}.concentration" for name in sorted({h[0] for h in self.hits})))
        iron = ("tumour.j_fe",) if "j_drug" in self.columns and not model.therapy.nanoparticles else ()
        self.writes = (*(f"tumour.{column}" for column in self.columns), *iron)

    def step(self, model) -> None:
        """Recompute all effects when any drug field was solved."""
        if not any(model.solved(name) for name in self.names):
            return
        t = model.tumour
        for column in self.columns:
            getattr(t.col, column)[: t.n] = 0.0
        for name, target, strength, hill in self.hits:
            team.rows(add_effect, t.n, t.col.voxel, model.fields[name].seen, strength, hill, getattr(t.col, EFFECT_COLUMN[target]))
        if "sipdl1" in self.columns:
            saturate(t.n, t.col.sipdl1)
        if "j_drug" in self.columns and not model.therapy.nanoparticles:
            # with particles, their cargo step adds up iron from salts and from particles
            t.col.j_fe[: t.n] = np.where(t.col.state[: t.n] == 0, t.col.j_drug[: t.n], 0.0)


class DrugLoss(Mechanism):
    """Drugs are lost in living cells (thiols, metabolism); an enzyme drug eats extracellular cystine."""

    name = "drug_loss"
    switchable = False
    phase = Phase.SECRETE
    about = "drugs are bound and lost in living cells; cyst(e)inase removes cystine"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with a drug."""
        return bool(model.therapy.drugs)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.eaters = [(a.name, hit.strength) for a in model.therapy.drugs for hit in a.entry.hits if hit.target == "cystine_pool"]
        self.reads = ("tumour.state", "tumour.voxel", *(f"field.{name}.concentration" for name, _ in self.eaters))
        lost = [a.name for a in model.therapy.drugs if a.entry.cell_loss > 0.0] + ["cystine"] * bool(self.eaters)
        self.writes = tuple(f"field.{name}.loss" for name in lost)

    def step(self, model) -> None:
        """Refresh the loss of every drug field that is due, and of cystine."""
        t = model.tumour
        for agent in model.therapy.drugs:
            if model.due(agent.name) and agent.entry.cell_loss > 0.0:
                with model.fields[agent.name].writing("loss", model.spares) as loss:
                    team.rows(set_cell_loss, t.n, t.col.state, t.col.voxel, agent.entry.cell_loss, loss)
        if self.eaters and model.due("cystine"):
            with model.fields["cystine"].writing("loss", model.spares) as loss:
                for name, strength in self.eaters:
                    loss += strength * model.fields[name].concentration
