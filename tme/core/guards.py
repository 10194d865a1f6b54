"""Guards: a concentration or a cell's quantity that is not finite, or below zero, stops the run by name.

Every field and every column of floats is scanned whole every `EVERY` ticks and before each checkpoint, so
that a checkpoint never keeps a broken state: what stands on disk when a guard strikes is good. Right after a
solve a few voxels are probed, which is enough where the solver has global sums: one NaN is everywhere then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.kernels import threads
from tme.kernels.jit import serial

EVERY = 60  # ticks between scans of everything
PROBES = 32  # voxels looked at after a solve
_LARGEST = np.finfo(np.float64).max
_TERMS = ("source", "loss", "exchange", "vmax")


class BrokenState(FloatingPointError):
    """A quantity left its range; the message names it, the tick, and the place or the cell."""


@serial
def count_broken(lo, hi, values):
    """How many of the float64 values from `lo` to `hi` are NaN, infinite or below zero."""
    bad = 0
    for i in range(np.uint64(lo), np.uint64(hi)):
        bad += not ((values[i] >= 0.0) & (values[i] <= _LARGEST))
    return bad


@serial
def any_broken(values, stride):
    """Whether one of every `stride`-th value is NaN, infinite or below zero."""
    for i in range(0, values.size, stride):  # noqa: SIM110 - compiled
        if not (values[i] >= 0.0 and values[i] <= _LARGEST):
            return True
    return False


class Guards(Mechanism):
    """Look at all fields and cells now and then."""

    name = "guards"
    phase = Phase.RECORD
    about = "stops the run where a value is not finite or below zero"

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.every = EVERY
        self.columns = [(p, [c for c, d in p.declared.items() if d.dtype == "f8"]) for p in model.populations]
        self.reads = (*(f"{p.kind}.{name}" for p, names in self.columns for name in names), *(f"field.{name}.concentration" for name in model.fields))

    def step(self, model: Any) -> None:
        """Scan; tell what is broken only if something is."""
        scans = [(count_broken, (0, f.grid.n_voxels, f.concentration)) for f in (field.on_solver_grid for field in model.fields.values())]
        scans += [(count_broken, (0, p.n, getattr(p.col, name))) for p, names in self.columns for name in names]
        if any(threads.run_all(scans)):
            inspect(model)


def probe(model: Any, field: Any) -> None:
    """Look at a few voxels of a field that was solved just now."""
    values = field.on_solver_grid.concentration
    if any_broken(values, 1 + values.size // PROBES):
        inspect(model, field)


def inspect(model: Any, field: Any = None) -> None:
    """Raise BrokenState with all that is broken, causes before what they spread to: cells, terms, fields.

    With `field` no other field is looked at: they may be in the middle of their solves.
    """
    among = model.fields.values() if field is None else (field,)
    found = [*_cells(model), *_terms(model, among), *_fields(model, among)]
    if found:
        raise BrokenState(f"tick {model.tick} (hour {model.sim_hour:g}): " + "; ".join(found))


def _cells(model: Any) -> list[str]:
    """One phrase per broken column."""
    out = []
    for population in model.populations:
        for name, declared in population.declared.items():
            values = getattr(population, name)
            if declared.dtype == "f8" and _broken(values).size:
                rows = _broken(values)
                row = rows[0]
                who = f"uid {population.uid[row]}, row {row}, voxel {population.voxel[row]}"
                out.append(f"{population.kind}.{name} is {values[row]:g} in the cell {who}{_more(rows, 'cells')}")
    return out


def _terms(model: Any, fields: Iterable[Any]) -> list[str]:
    """One phrase per term of a field's equation that is not finite (a source may be below zero)."""
    out = []
    for field in fields:
        for term in _TERMS:
            values = getattr(field, term)
            if values is not None and not np.isfinite(values).all():
                out.append(_at(model, f"field {field.name}, its {term}", values[~np.isfinite(values)][0], np.flatnonzero(~np.isfinite(values))))
    return out


def _fields(model: Any, fields: Iterable[Any]) -> list[str]:
    """One phrase per broken field."""
    out = []
    for field in fields:
        on = field.on_solver_grid
        broken = _broken(on.concentration)
        if broken.size:
            # of a wider voxel, its corner
            wide = [n // m for n, m in zip(field.grid.shape, on.grid.shape)]
            voxels = field.grid.voxel(*(w * i for w, i in zip(wide, on.grid.coordinates(broken))))
            out.append(_at(model, f"field {field.name}", on.concentration[broken[0]], voxels))
    return out


def _broken(values: np.ndarray) -> np.ndarray:
    return np.flatnonzero(~((values >= 0.0) & (values <= _LARGEST)))


def _at(model: Any, what: str, value: float, voxels: np.ndarray) -> str:
    z, y, x = np.unravel_index(voxels[0], model.grid.shape)
    return f"{what} is {value:g} in voxel {voxels[0]} (x {x}, y {y}, z {z}){_more(voxels, 'voxels')}"


def _more(found: np.ndarray, noun: str) -> str:
    return f", {found.size} {noun} in all" if found.size > 1 else ""
