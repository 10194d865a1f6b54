"""Signals: what a cell can know.

    field.NAME    the concentration of a field in its voxel          drug.NAME     of a drug, antibody or particle
    own.NAME      a column of its own                                event.NAME    the course of an event
    near.NAME     living cells of a type within 3 voxels             contact.NAME  in its own and the adjacent voxels
    time          days since day 0 (0 before it)                     always        1: what the cells have as they are

Counts leave the cell itself out. A signal that this model lacks (a drug of another arm, a cell type that is not there)
is nothing, and the rule that hears it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tme.kernels.neighbours import search_order
from tme.kernels.rules import count_around

VESSEL = "vessel"  # where entry through vessels is evaluated: at open vessels, not in cells
AT_VESSELS = ("field", "drug", "near", "event")  # kinds of signal there, and time
EVERYWHERE = ("time", "always")  # the same in all cells
NEAR_VOXELS = 3
DEFAULT_CLOCK_MIN = 6.0
NO_STATE = np.zeros(0, np.int8)


class Known(NamedTuple):
    """What exists: terms by name, columns and their units by cell type, and units of fields, agents and events by name."""

    terms: Mapping[str, Any]
    columns: Mapping[str, Mapping[str, str]]
    fields: Mapping[str, str]
    drugs: Mapping[str, str]
    events: Mapping[str, str]

    def signals(self, cells: str) -> dict[str, str]:
        """Signal -> unit, of all that cells of this type can know, or that is known at vessels."""
        if cells == VESSEL:
            every = self.signals(next(iter(self.columns)))
            return {s: u for s, u in every.items() if s.partition(".")[0] in AT_VESSELS} | {"time": every["time"], "always": every["always"]}
        out = {f"field.{n}": u for n, u in self.fields.items()}
        out |= {f"drug.{n}": u for n, u in self.drugs.items()}
        out |= {f"own.{n}": u for n, u in self.columns[cells].items()}
        out |= {f"{word}.{n}": "cells" for word in ("near", "contact") for n in self.columns}
        out |= {f"event.{n}": u for n, u in self.events.items()}
        return out | {"time": "d", "always": "1"}


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
        return self.kind in EVERYWHERE or self.name in population.declared

    def clock(self, model: Any) -> int:
        """Ticks between two looks: the clock of its field, else 6 min."""
        if self.kind in ("field", "drug"):
            return model.clock[self.name]
        return max(1, round(DEFAULT_CLOCK_MIN / model.dt_min))

    def touched(self, model: Any, cells: str) -> tuple[str, ...]:
        """What reading it in cells of a type reads, as a plan entry declares it."""
        if self.kind in ("field", "drug"):
            return (f"field.{self.name}.concentration",)
        if self.kind == "own":
            return (f"{cells}.{self.name}",)
        if self.kind in ("near", "contact"):
            return tuple(f"{self.name}.{c}" for c in ("voxel", "state") if c in model.populations[self.name].declared)
        return (f"events.kept/{self.name}", f"events.since/{self.name}") if self.kind == "event" else ()


class Neighbourhoods:
    """Counts (voxels,) of cells of a type near every voxel, made once a tick."""

    def __init__(self) -> None:
        self._counts: dict[Signal, np.ndarray] = {}
        self._ticks: dict[Signal, int] = {}
        self._offsets: dict[str, np.ndarray] = {}

    def counts(self, model: Any, signal: Signal) -> np.ndarray:
        """How many living cells of type `signal.name` are around each voxel, the voxel itself included."""
        if self._ticks.get(signal) == model.tick:
            return self._counts[signal]
        counts = self._counts.setdefault(signal, model.grid.zeros())
        counts[:] = 0.0
        population = next(p for p in model.populations if p.kind == signal.name)
        state = getattr(population.col, "state", NO_STATE)
        offsets = self.offsets(model, signal.kind)
        margin = int(np.abs(offsets[:, :3]).max())
        count_around(population.n, population.col.voxel, state, offsets, margin, model.lattice.geometry, counts)
        self._ticks[signal] = model.tick
        return counts

    def offsets(self, model: Any, word: str) -> np.ndarray:
        """Offsets of a neighbourhood: a disc or ball of 3 voxels, or the Moore neighbourhood."""
        if word not in self._offsets:
            around = search_order(NEAR_VOXELS, model.grid.ndim)
            moore = np.abs(around[:, :3]).max(axis=1) <= 1
            self._offsets[word] = around if word == "near" else around[moore]
        return self._offsets[word]
