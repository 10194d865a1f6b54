"""Cells take in antibody that is bound to a ligand on them: a saturable sink of the antibody in tissue.

    loss of a voxel   sum over its cells of  k_int R x c/(Kd + c)        nM/min

R ligands of a cell that shows all it can (x = 1), in nM of the voxel: R/(0.6022 V_voxel) for V in um^3; k_int 1/min the
uptake of the complex; x the ligand's level on tumour cells, and on host cells where the axis reckons them. Several agents
on one ligand compete: Kd is then Kd (1 + sum of c/Kd of the others), as of the antibody's last solve. What cells take in
is made anew, so the ligand does not run out. Dead cells take nothing in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.receptors import Ligand, left, ligand_column
from tme.kernels.jit import serial

MOLECULES = 0.6022  # of 1 nM in 1 um^3
_NONE = np.zeros(0)
_NOBODY_DEAD = np.zeros(0, np.int8)


@serial
def take_in(n, voxel, state, column, level, most, sink):
    """Add most x of every living cell to its voxel; `column` (cells,) has x, of no size where it is `level` on all; `state` of no size where none is dead."""
    for i in range(n):
        if state.size == 0 or state[i] == 0:
            sink[voxel[i]] += most * (column[i] if column.size > 0 else level)


def sinks(model: Any) -> dict[str, tuple[Any, Ligand]]:
    """Antibody -> (its agent, the ligand with which cells take it in), of the arm's antibodies that are not held by a bath."""
    ligands = {li.name: li for axis in model.receptors.at("contact") for li in axis.ligands}
    return {
        a.name: (a, ligands[a.entry.target])
        for a in model.therapy.antibodies
        if a.entry.internalised > 0.0 and a.entry.target in ligands and a.name not in model.held_fields
    }


class Internalisation(Mechanism):
    """What cells take in of antibodies on their ligands."""

    name = "internalisation"
    switchable = False
    phase = Phase.SECRETE
    ids = ("M80",)
    about = "cells take in antibody bound to a ligand on them"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with such an antibody."""
        return bool(sinks(model))

    def __init__(self, model) -> None:
        super().__init__(model)
        there = {p.kind: p for p in model.populations}
        reads: list[str] = []
        self.of: dict[str, Any] = {}
        for name, (agent, ligand) in sinks(model).items():
            shown = {ligand.target_kind: ligand.target, **ligand.hosts}
            cells = [(there[k], level_column(ligand.name, e), e.level) for k, e in shown.items() if e is not None and k in there]
            rivals = ligand.molecule.binders if len(ligand.molecule.binders) > 1 else ()
            own = next(b for b in ligand.molecule.binders if b.name == name)
            self.of[name] = cells, agent.entry.internalised / (MOLECULES * model.grid.voxel_um3), own, rivals
            reads += [f"{p.kind}.{c}" for p, column, _ in cells for c in ("voxel", column, "state" if p.entry.place == "tissue" else "") if c]
            reads += [f"field.{b.name}.concentration" for b in rivals]
        self.reads = tuple(dict.fromkeys(reads))
        self.writes = tuple(f"field.{name}.vmax" for name in self.of)

    def step(self, model) -> None:
        """Reckon the sinks of antibodies that are due."""
        for name, (cells, most, own, rivals) in self.of.items():
            if model.due(name):
                with model.fields[name].term_writer("vmax", model.scratch) as sink:
                    for p, column, level in cells:
                        state = p.col.state if p.entry.place == "tissue" else _NOBODY_DEAD
                        take_in(p.n, p.col.voxel, state, getattr(p.col, column) if column else _NONE, level, most, sink)
                    if rivals:
                        bound = {b.name: (b.kd, np.array(model.fields[b.name].concentration)) for b in rivals}
                        sink *= left(list(bound.values()), sink.size) / left([bound[own.name]])


def level_column(name: str, expression: Any) -> str:
    """Column with the level of a ligand on cells, '' where it is the same on all."""
    return expression.column or (ligand_column(name) if expression.induced_by else "")
