"""Signals: what a cell can know.

    field.NAME    the concentration of a field in its voxel          drug.NAME     of a drug, antibody or particle
    own.NAME      a column of its own                                event.NAME    the course of an event
    near.NAME     living cells of a type within 3 voxels             contact.NAME  in its own and the adjacent voxels
    alteration.NAME  1 in tumour cells that carry it, else 0         time          days since day 0 (0 before it)

Counts leave the cell itself out. A signal that this model lacks (a drug of another arm, a cell type that is not there)
is nothing, and the rule that hears it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

VESSEL = "vessel"  # where entry through vessels is evaluated: at open vessels, not in cells
AT_VESSELS = ("field", "drug", "near", "event")  # kinds of signal there, and time
DEFAULT_CLOCK_MIN = 6.0
CONSTANT_CLOCK_MIN = 1440.0


class Known(NamedTuple):
    """What exists: terms by name, columns and their units by cell type, units of fields, agents and events by name, alterations."""

    terms: Mapping[str, Any]
    columns: Mapping[str, Mapping[str, str]]
    fields: Mapping[str, str]
    drugs: Mapping[str, str]
    events: Mapping[str, str]
    alterations: tuple[str, ...] = ()

    def signals(self, cells: str) -> dict[str, str]:
        """Signal -> unit, of all that cells of this type can know, or that is known at vessels."""
        if cells == VESSEL:
            every = self.signals(next(iter(self.columns)))
            return {s: u for s, u in every.items() if s.partition(".")[0] in AT_VESSELS} | {"time": every["time"]}
        out = {f"field.{n}": u for n, u in self.fields.items()}
        out |= {f"drug.{n}": u for n, u in self.drugs.items()}
        out |= {f"own.{n}": u for n, u in self.columns[cells].items()}
        out |= {f"{word}.{n}": "cells" for word in ("near", "contact") for n in self.columns}
        out |= {f"event.{n}": u for n, u in self.events.items()}
        if "clone" in self.columns[cells]:
            out |= {f"alteration.{n}": "1" for n in self.alterations}
        return out | {"time": "d"}


@dataclass(frozen=True)
class Signal:
    """One signal, read from a model."""

    kind: str
    name: str

    @classmethod
    def of(cls, text: str) -> Signal:
        """From `field.lactate` and the like."""
        kind, _, name = text.partition(".")
        return cls(kind, name)

    def present(self, model: Any, population: Any) -> bool:
        """Whether this model has it."""
        if self.kind in ("field", "drug"):
            return self.name in model.fields
        if self.kind in ("near", "contact"):
            return any(p.kind == self.name for p in model.populations)
        if self.kind == "event":
            return any(self.name in o.entry.signals(o.name) for o in model.therapy.events)
        if self.kind == "alteration":
            return self.name in model.config.carriers()
        return self.kind == "time" or self.name in population.declared

    def clock(self, model: Any) -> int:
        """Ticks between two looks: the clock of its field, else 6 min."""
        if self.kind in ("field", "drug"):
            return model.clock[self.name]
        if self.kind == "alteration":  # for good: daughters keep it
            return max(1, round(CONSTANT_CLOCK_MIN / model.dt_min))
        return max(1, round(DEFAULT_CLOCK_MIN / model.dt_min))

    def touched(self, model: Any, cells: str) -> tuple[str, ...]:
        """What reading it in cells of a type reads, as a plan entry declares it."""
        if self.kind in ("field", "drug"):
            clone = ("tumour.clone",) if cells == "tumour" and self.kind == "drug" and model.config.felt() else ()
            return (f"field.{self.name}.concentration", *clone)
        if self.kind in ("own", "alteration"):
            return (f"{cells}.{self.name if self.kind == 'own' else 'clone'}",)
        if self.kind in ("near", "contact"):
            return tuple(f"{self.name}.{c}" for c in ("voxel", "state") if c in model.populations[self.name].declared)
        return (f"events.kept/{self.name}", f"events.since/{self.name}") if self.kind == "event" else ()
