"""The contract of a mechanism: where in the tick it acts, what it reads and writes, what it is called.

A mechanism is one law or pathway. It names the ids of the mechanisms it stands for (`ids`), its
parameters, the columns and fields it reads and writes ("tumour.gsh", "field.ifng"), and the phase and
clock at which the plan calls it. Two mechanisms that plainly write one column in one phase are an error
unless both declare that they add to it. One that `begins_with` an earlier one may be at work beside all entries from
there to its own place, so none of them may write what it touches, nor touch what it writes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from tme.core.parameters import ParameterSet


class Phase(IntEnum):
    """The nine phases of a tick, in order."""

    DOSE = 1
    DIFFUSE = 2
    SENSE = 3
    INTRACELLULAR = 4
    INTERACT = 5
    FATE = 6
    RESOLVE = 7
    SECRETE = 8
    RECORD = 9


class Mechanism:
    """Base of all mechanisms; one level of inheritance."""

    name: str = ""
    phase: Phase = Phase.INTERACT
    ids: tuple[str, ...] = ()
    about: str = ""
    parameters: ParameterSet | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    clock_min: float = 0.0
    switchable: bool = True
    given_by: str = ""  # the config key that brings an entry which is no switch
    begins_with: str = ""  # the entry with which it may begin, before its own place in the plan

    def __init__(self, model: Any) -> None:
        self.p: Any = self.parameters.build(model.config_for(self.name)) if self.parameters is not None else None
        self.every = model.ticks(self.clock_min) if self.clock_min else 1
        self.dt = self.every * model.dt_min

    @classmethod
    def enabled(cls, model: Any) -> bool:
        """Whether this configuration needs the mechanism at all."""
        return True

    def step(self, model: Any) -> None:
        """Do one call's worth; called on ticks divisible by `every`."""
        raise NotImplementedError(self.name)  # the base class: every entry of a plan says what it does

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep beyond columns and fields."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Undo `state_dict`."""


def check_plan(plan: list[Mechanism]) -> None:
    """Refuse a plan in which two mechanisms of one phase write the same thing without adding."""
    for phase in Phase:
        owner: dict[str, str] = {}
        for m in (m for m in plan if m.phase == phase):
            for target in m.writes:
                if target in owner:
                    raise ValueError(f"{m.name} and {owner[target]} both write {target} in phase {phase.name}")
                owner[target] = m.name
