"""Small molecules: from plasma through vessels (or from a bath) into tissue, and what they hit.

What a drug does to cells is told by rules (`library.hits`): its concentration at a cell is the signal, a term of a law the
target. Three targets are not in cells:

    cystine_pool    k c added to the loss of extracellular cystine [1/min]
    pool            the same of another substance, which the hit names
    vessel          what vessels bring of a substance, divided by 1 + sum c/Ki, c in plasma
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.kernels import threads
from tme.kernels.jit import serial

CYSTINE = "cystine"  # the field from which cyst(e)inase takes
POOLS = ("cystine_pool", "pool")


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
                field.vessel_value = dissolved(agent.entry, agent.plasma(minute))


def dissolved(entry: Any, level: float) -> float:
    """Free drug in plasma, uM: no more than is soluble."""
    return level if entry.solubility_uM is None else min(level, entry.solubility_uM)


class BloodEnzymes(Mechanism):
    """Enzymes that work in blood lower what vessels bring: value/(1 + sum c/Ki), c the level in plasma."""

    name = "blood_enzymes"
    given_by = "arms.*.drugs"
    switchable = False
    phase = Phase.DOSE
    ids = ("M02",)
    about = "enzymes in blood lower what vessels bring of a substance"

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
        self.writes = tuple(f"field.{name}.vessel_value" for name in self.hits)

    def step(self, model) -> None:
        """Set the boundary values that the next solve will use."""
        minute = model.tick * model.dt_min
        for name, hits in self.hits.items():
            if model.solved(name):
                effect = sum(strength * agent.plasma(minute) for agent, strength in hits)
                model.fields[name].vessel_value = self.untreated[name] / (1.0 + effect)


class IronSalts(Mechanism):
    """Iron from salts outside enters living cells; with particles about, their cargo adds it up instead."""

    name = "iron_salts"
    given_by = "arms.*.drugs"
    switchable = False
    phase = Phase.SENSE
    ids = ("M38",)
    about = "iron from salts outside enters the labile pool of living cells"
    reads = ("tumour.state", "tumour.j_drug")
    writes = ("tumour.j_fe",)

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with an iron salt and no particles."""
        salts = any(hit.target == "iron_supply" for agent in model.therapy.drugs for hit in agent.entry.hits)
        return salts and not model.therapy.nanoparticles

    def step(self, model) -> None:
        """After the salt's field was solved."""
        if any(model.solved(agent.name) for agent in model.therapy.drugs):
            t, n = model.tumour.col, model.tumour.n
            t.j_fe[:n] = np.where(t.state[:n] == 0, t.j_drug[:n], 0.0)


def eaten(drugs: Any) -> set[str]:
    """Fields whose substance enzyme drugs remove in the tissue."""
    return {hit.field or CYSTINE for a in drugs for hit in a.entry.hits if hit.target in POOLS}


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
        self.eaters: dict[str, list[tuple[str, float]]] = {}
        for a in model.therapy.drugs:
            for hit in a.entry.hits:
                if hit.target in POOLS:
                    self.eaters.setdefault(hit.field or CYSTINE, []).append((a.name, hit.strength))
        self.reads = ("tumour.state", "tumour.voxel", *(f"field.{n}.concentration" for eaters in self.eaters.values() for n, _ in eaters))
        self.writes = tuple(f"field.{a.name}.loss" for a in model.therapy.drugs if a.entry.cell_loss > 0.0)
        self.adds = tuple(f"field.{name}.loss" for name in self.eaters)

    def step(self, model) -> None:
        """Refresh the loss of every drug field that is due, and of cystine."""
        t = model.tumour
        for agent in model.therapy.drugs:
            if model.due(agent.name) and agent.entry.cell_loss > 0.0:
                with model.fields[agent.name].term_writer("loss", model.scratch) as loss:
                    threads.over_rows(set_cell_loss, t.n, t.col.state, t.col.voxel, agent.entry.cell_loss * model.per_cell, loss)
        for substance, eaters in self.eaters.items():
            if model.due(substance):
                for name, strength in eaters:
                    model.fields[substance].add_to_term("loss", np.array(model.fields[name].concentration), strength)
