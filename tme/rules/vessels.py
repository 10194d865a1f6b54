"""Rules at vessels: what they make of the entry of a cell type, worked out when the type enters, and of the vessels' density.

They hear fields, agents, events and time at the vessel, and how many cells of a type are near it. Nothing is kept from
one time to the next, so a rule here has no memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from tme.rules.evaluation import Program, Rules, heard
from tme.rules.signals import VESSEL

OF_VESSELS = {"vessels.density": "factor", "vessels.passage": "passage"}  # terms of vessels themselves: where their law keeps the factor


class AtVessels:
    """The factor of one program at some voxels."""

    def __init__(self, model: Any, program: Program) -> None:
        self.model, self.program = model, program
        self.rules = Rules(model, ())  # evaluates; counts neighbours for itself, as cells have moved since others did
        self.reads = tuple(name for g in program.groups for s, _ in g.parts for name in s.touched(model, VESSEL))
        self.reads += tuple(f"field.{name}.concentration" for name in program.needed)

    def __call__(self, voxels: np.ndarray) -> np.ndarray:
        """Factor (n,) at voxels (n,)."""
        n = len(voxels)
        out = np.ones(n)
        groups = self.program.groups
        places = {name: np.empty(n) for name in self.program.shares} | {self.program.place: out}
        columns = SimpleNamespace(voxel=voxels.astype(np.int32), **places)
        here = SimpleNamespace(kind=VESSEL, n=n, capacity=n, col=columns, declared=())
        self.rules.work_out(self.model, here, [(self.program, [math.inf] * len(groups))])
        return out


def connect(model: Any, entries: list[Any]) -> None:
    """Hand the recruitment among `entries` the factors that the model's rules put on entry, and the vessels that on their density."""
    vessels = next((e for e in entries if e.name == "vessels"), None)
    entry = next((e for e in entries if e.name == "recruitment"), None)
    for wanted in model.rule_programs:
        program = heard(wanted, model, None) if wanted.cells == VESSEL else None
        if program is not None and program.term.name in OF_VESSELS and vessels is not None:
            at = AtVessels(model, program)
            setattr(vessels, OF_VESSELS[program.term.name], at)
            vessels.reads = tuple(dict.fromkeys((*vessels.reads, *at.reads)))
            continue
        if entry is None or program is None:
            continue
        kind = program.term.name.partition(".")[2]
        if any(p.kind == kind for p in entry.entering):
            factor: Callable[[np.ndarray], np.ndarray] = AtVessels(model, program)
            entry.factor[kind] = factor
            entry.reads = tuple(dict.fromkeys((*entry.reads, *factor.reads)))  # type: ignore[attr-defined]
