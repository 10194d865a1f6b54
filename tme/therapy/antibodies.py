"""What antibodies, coats of particles and neutralisers take away: a receptor, a ligand, or a soluble factor.

Plasma, leak, diffusion. An agent names its target: any receptor or ligand of an axis, of which it covers c/(Kd + c); several
on one target compete, so that 1/(1 + sum of c/Kd) is left. In the lymph node c is the plasma level, elsewhere the
tissue's. `field:NAME` binds a soluble factor for good, at k_on c per minute, a loss in that field. By its Fc part an antibody
may deplete a cell type, in proportion to its occupancy in plasma.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.receptors import Binder, Ligand, left
from tme.kernels import threads
from tme.kernels.jit import serial
from tme.kernels.transfer import at


@serial
def cover(lo, hi, voxel, level, antibody, kd, free):
    """free = level Kd/(Kd + c) at each cell."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        free[i] = level[i] * (kd / (kd + at(antibody, voxel[i])))


def binders(therapy: Any) -> dict[str, list[Binder]]:
    """Receptor or ligand -> what the arm gives against it."""
    out: dict[str, list[Binder]] = {}
    for agent in therapy.antibodies:
        if not agent.entry.neutralises:
            out.setdefault(agent.entry.target, []).append(Binder(agent.name, agent.entry.kd_nM, agent.plasma))
    for agent in therapy.nanoparticles:
        if agent.entry.coat is not None:
            out.setdefault(agent.entry.coat.target, []).append(Binder(agent.name, agent.entry.coat.kd_uM, agent.plasma))
    return out


def neutralised(therapy: Any) -> dict[str, list[tuple[str, float]]]:
    """Field -> (antibody, k_on in 1/(nM min)) of what the arm gives against it."""
    out: dict[str, list[tuple[str, float]]] = {}
    for agent in therapy.antibodies:
        if agent.entry.neutralises:
            out.setdefault(agent.entry.neutralises, []).append((agent.name, agent.entry.k_on_per_nM_min))
    return out


class AntibodyDelivery(Mechanism):
    """Plasma level of each antibody at the vessels and in the node."""

    name = "antibody_delivery"
    switchable = False
    phase = Phase.DOSE
    about = "antibodies follow their plasma course, leak from vessels, are held in baths and deplete cells by their Fc part"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with an antibody."""
        return bool(model.therapy.antibodies)

    def __init__(self, model) -> None:
        super().__init__(model)
        # what acts in the node alone need not reach the tumour
        in_node = {n for axis in model.receptors.at("node") for n in axis.entry.names()}
        elsewhere = {n for axis in model.receptors.at("contact") for n in axis.entry.names()}
        self.leaking = [a for a in model.therapy.antibodies if a.entry.target not in in_node - elsewhere]
        baths = [a.name for a in model.therapy.antibodies if any(d.route == "bath" for d in a.doses)]
        self.writes = (*(f"field.{a.name}.vessel_value" for a in self.leaking), *(f"field.{name}.concentration" for name in baths),
                       *sorted({f"receptors.depletion.{a.entry.depletes}" for a in model.therapy.antibodies if a.entry.depletes}))  # fmt: skip

    def step(self, model) -> None:
        """Set vessel values and depletion."""
        minute = model.tick * model.dt_min
        for agent in self.leaking:
            if model.solved(agent.name):
                model.fields[agent.name].vessel_value = agent.plasma(minute)
        for agent in model.therapy.antibodies:
            level = agent.bath(minute)
            if level is not None:
                model.fields[agent.name].fill(level)
        model.receptors.depletion = depletion(model, minute)


def depletion(model, minute: float) -> dict[str, float]:
    """Cell type -> share of the full Fc effect: the antibodies' occupancies of their targets times their own strength."""
    out: dict[str, float] = {}
    for agent in model.therapy.antibodies:
        e = agent.entry
        if e.depletes:
            others = (a for a in model.therapy.antibodies if a is not agent and a.entry.target == e.target)
            rivals = sum(a.plasma(minute) / a.entry.kd_nM for a in others)
            plasma = agent.plasma(minute)
            out[e.depletes] = out.get(e.depletes, 0.0) + plasma / (e.kd_nM * (1.0 + rivals) + plasma) * e.depletion
    return out


class Checkpoint(Mechanism):
    """What agents leave of receptors and ligands."""

    name = "checkpoint"
    switchable = False
    phase = Phase.INTERACT
    ids = ("M80", "M81")
    about = "receptors and ligands that antibodies and coats leave free"
    clock_min = 2.0

    def __init__(self, model) -> None:
        super().__init__(model)
        axes = model.receptors.at("contact")
        self.apart = [li for a in axes for li in a.ligands if li.target is not None and li.target.free_column]
        self.shared = [m for m in model.receptors.molecules.values() if m.free.size]
        binders = {b.name for m in model.receptors.molecules.values() for b in m.binders}
        self.reads = ("tumour.voxel", "tumour.pdl1", *(f"field.{name}.concentration" for name in sorted(binders)))
        self.writes = ("tumour.pdl1_free", *(f"receptors.free.{m.name}" for m in self.shared))

    def step(self, model) -> None:
        """Refresh both; without antibodies everything is free."""
        if not self.apart:  # the axis is off: nothing reads it but the readouts
            model.tumour.pdl1_free[:] = model.tumour.pdl1
        for ligand in self.apart:
            self.cover_cells(model, ligand)
        for m in self.shared:
            if any(model.tick % model.clock[b.name] < self.every for b in m.binders):  # solved since the last time
                m.free[:] = left([(b.kd, model.fields[b.name].concentration) for b in m.binders], m.free.size)

    def cover_cells(self, model, ligand: Ligand) -> None:
        """Free share of a ligand on each tumour cell."""
        t, bound = model.tumour, ligand.molecule.binders
        level, free = getattr(t.col, ligand.target.column), getattr(t.col, ligand.target.free_column)
        if len(bound) == 1:
            threads.over_rows(cover, t.n, t.col.voxel, level, model.fields[bound[0].name].read_view, bound[0].kd, free)
        elif bound:
            free[: t.n] = level[: t.n] * ligand.molecule.share_at(model.fields, t.col.voxel[: t.n])
        else:
            free[: t.n] = level[: t.n]


class Neutralisation(Mechanism):
    """Antibodies that bind a soluble factor: a loss in its field."""

    name = "neutralisation"
    switchable = False
    phase = Phase.SECRETE
    ids = ("M78",)
    about = "antibodies against a soluble factor remove it from the tissue"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with such an antibody."""
        return bool(neutralised(model.therapy))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.against = {name: agents for name, agents in neutralised(model.therapy).items() if name in model.fields}
        self.reads = tuple(f"field.{agent}.concentration" for agents in self.against.values() for agent, _ in agents)
        self.adds = tuple(f"field.{name}.loss" for name in self.against)

    def step(self, model) -> None:
        """Add to the losses of fields that are due, after what cells take up."""
        for name, agents in self.against.items():
            if model.due(name):
                for agent, k_on in agents:
                    model.fields[name].add_to_term("loss", np.array(model.fields[agent].concentration), k_on)
