"""The contract of a mechanism: where in the tick it acts, what it reads and writes, what it is called.

A mechanism is one law or pathway. It names the ids of the mechanisms it stands for (`ids`), its
parameters, what it reads and writes, and the phase and clock at which the plan calls it.

What an entry touches is named by its real name: "tumour.gsh" a column, "tumour.n" the number of rows,
"field.ifng.source" a part of a field (concentration, source, loss, exchange, vmax, vessel_value),
"lattice.tissue_row", "counters.kills", "uids.tumour", "model.x" an attribute of the model. A test compares
everything before and after each entry, and spoils what an entry does not declare.

    reads    what its result depends on
    writes   what it may replace, whatever was there; it may depend on what was there
    adds     what it contributes to, as others of its phase may: amounts to a sum, rows to a population, and to `fate`
             a flag where no stronger one is (a cause of death, above 10, over a division, 1; among causes the first)

The number of rows of a population is known to every entry. In one phase a thing has one writer at most, and
those that add to it act after the writer; among them the order of the plan decides. An entry that `begins_with`
an earlier one may be at work beside all entries from there to its own place, unless one of them writes what it
touches, or touches what it writes: then it keeps its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from tme.core.parameters import ParameterSet
from tme.core.population import Column


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
    cell_columns: Mapping[str, tuple[Column, ...]] = MappingProxyType({})  # what it keeps in cells where it is on, by cell type
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

    @classmethod
    def asked_for(cls, config: Any) -> bool:
        """Whether the config switches it on; for a mechanism that is off by default."""
        return config.mechanisms.get(cls.name, {}).get("on", False) is True

    def prepare(self, model: Any) -> None:
        """Before the first tick: set what fields need to find their steady state."""

    def begin(self, model: Any) -> None:
        """Before the first tick, once fields and chemistry are settled: put what follows them where it comes to rest."""

    def step(self, model: Any) -> None:
        """Do one call's worth; called on ticks divisible by `every`."""
        raise NotImplementedError(self.name)  # the base class: every entry of a plan says what it does

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep beyond columns and fields."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Undo `state_dict`."""


def rows_of(population: Any) -> tuple[str, ...]:
    """All columns of a population and the number of its rows: what adding, removing or moving rows touches."""
    return (f"{population.kind}.n", *(f"{population.kind}.{name}" for name in population.declared))


def check_plan(plan: list[Mechanism]) -> None:
    """Refuse a plan in which two entries of one phase write the same thing, or one writes over what another has added."""
    for phase in Phase:
        writer: dict[str, str] = {}
        adder: dict[str, str] = {}
        for m in (m for m in plan if m.phase == phase):
            for target in m.writes:
                if target in writer:
                    raise ValueError(f"{m.name} and {writer[target]} both write {target} in phase {phase.name}")
                if target in adder:
                    raise ValueError(f"{m.name} writes {target}, to which {adder[target]} has added before it in phase {phase.name}")
                writer[target] = m.name
            for target in m.adds:
                adder.setdefault(target, m.name)
