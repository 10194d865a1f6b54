"""Cells secrete into fields, each type as its entry says.

    source += rate x (1 - m1)           a macrophage's M2 share
              rate x m1                 its M1 share
              rate x q                  a killer, by what its contacts have left it with (`killing`)
              rate                      a corpse that has not been cleared
              rate                      any other

`rate` is per cell and minute in the tissue of one (`kernels.exchange.per_cell`), or molecules per second of a stated weight. What cells of one
voxel add up to is counted in whole units, so that no order matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tme.core.mechanism import Mechanism, Phase
from tme.core.terms import Term
from tme.kernels.exchange import per_cell, tally
from tme.kernels.jit import serial
from tme.kernels.terms import factor
from tme.library.cells import CellEntry, Secretion

NG_ML_UM3 = 1694.0 / 17.0  # one molecule of 1 kDa per second into V um^3 is this over V, ng/mL/min


def terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """What rules may modulate: each field that some types secrete, in those types."""
    by_field: dict[str, list[str]] = {}
    for name, entry in cells.items():
        for item in entry.secretes:
            by_field.setdefault(item.field, []).append(name)
    return tuple(Term(f"secretion.{f}", "1", "multiplies", tuple(dict.fromkeys(n)), 0.0, 100.0, f"secretion of {f}") for f, n in by_field.items())


@serial
def secrete(n, voxel, rate, scale, counts, term):
    """Equal secretion of every cell into int64 counters, times `term` (n,) or empty."""
    for i in range(n):
        tally(counts, voxel[i], rate * factor(term, i), scale)


@serial
def secrete_by(n, voxel, level, rate, scale, counts, term):
    """Secretion in proportion to a level (n,) of the cell."""
    for i in range(n):
        tally(counts, voxel[i], rate * level[i] * factor(term, i), scale)


@serial
def secrete_m2(n, voxel, m1, rate, scale, counts, term):
    """Secretion in proportion to 1 - m1."""
    for i in range(n):
        tally(counts, voxel[i], rate * (1.0 - m1[i]) * factor(term, i), scale)


@serial
def secrete_living(n, voxel, state, rate, scale, counts, term):
    """Equal secretion of every living tissue cell."""
    for i in range(n):
        if state[i] == 0:
            tally(counts, voxel[i], rate * factor(term, i), scale)


@serial
def secrete_dead(n, voxel, state, rate, scale, counts, term):
    """Equal secretion of every corpse."""
    for i in range(n):
        if state[i] != 0:
            tally(counts, voxel[i], rate * factor(term, i), scale)


class CellSecretion(Mechanism):
    """What cells secrete, field by field."""

    name = "secretion"
    phase = Phase.SECRETE
    ids = ("M78", "M83")
    about = "CD8 secrete IFN-gamma, for hours after a contact; Tregs, M2 macrophages and MDSC secrete suppressive cytokines"

    def __init__(self, model) -> None:
        super().__init__(model)
        self.by_field: dict[str, list[tuple[Any, Secretion]]] = {}
        for population in model.populations:
            for item in population.entry.secretes:
                if item.field not in model.fields and model.config.library.fields[item.field].optional:
                    continue  # nobody hears it
                if item.field not in model.fields:
                    raise ValueError(f"{population.kind} secretes into {item.field}, which is no field of this experiment")
                self.by_field.setdefault(item.field, []).append((population, item))
        pairs = [pair for pairs in self.by_field.values() for pair in pairs]
        columns = {"m1": ("voxel", "m1"), "m2": ("voxel", "m1"), "engaged": ("voxel", "stimulus"), "corpse": ("voxel",), None: ("voxel",)}
        read = {f"{p.kind}.{c}" for p, item in pairs for c in columns[item.times]}
        read |= {f"{p.kind}.state" for p, _ in pairs if p.entry.place == "tissue"}
        read |= {f"{p.kind}.{t}" for p, item in pairs if (t := f"term_secretion_{item.field}") in p.declared}
        self.reads = tuple(sorted(read))
        self.adds = tuple(f"field.{name}.source" for name in self.by_field)

    def prepare(self, model) -> None:
        """What cells secrete whatever they do is there when an optional field (matrix) begins with its steady state."""
        for name, pairs in self.by_field.items():
            entry, always = model.config.library.fields[name], [(p, item) for p, item in pairs if item.times is None]
            if always and entry.optional and entry.steady_at_start:
                with model.fields[name].term_writer("source", model.scratch):
                    pass  # from 0: the start is prepared several times
                self.add(model, name, always)

    def step(self, model) -> None:
        """Add to the source of every field that is due."""
        for name in self.by_field:
            if model.due(name):
                self.add(model, name)

    def add(self, model, name: str, some: list[tuple[Any, Secretion]] | None = None) -> None:
        """Add to the source of one field: what all secrete into it, or some."""
        pairs = self.by_field[name] if some is None else some
        if not any(p.n for p, _ in pairs):
            return
        field = model.fields[name]
        voxels = [p.col.voxel[: p.n] for p, _ in pairs]
        with field.source_counter(model.scratch, 1.0 / model.fixed_scale, voxels) as counts:
            for population, item in pairs:
                release(population, item, model.grid.voxel_um3, model.fixed_scale, counts)
        if field.source_voxels is not None:
            field.source_voxels = None  # they were all voxels with a source


def release(population, item: Secretion, voxel_um3: float, scale: float, counts) -> None:
    """Count what one population secretes into one field."""
    n, c = population.n, population.col
    rate = item.rate * per_cell(voxel_um3) if item.weight_kda == 0.0 else NG_ML_UM3 * item.weight_kda * item.molecules_s / voxel_um3
    term = population.term(f"secretion.{item.field}")
    if item.times == "corpse":
        secrete_dead(n, c.voxel, c.state, rate, scale, counts, term)
    elif item.times == "m2":
        secrete_m2(n, c.voxel, c.m1, rate, scale, counts, term)
    elif item.times is not None:
        secrete_by(n, c.voxel, c.stimulus if item.times == "engaged" else c.m1, rate, scale, counts, term)
    elif population.entry.place == "tissue":
        secrete_living(n, c.voxel, c.state, rate, scale, counts, term)
    else:
        secrete(n, c.voxel, rate, scale, counts, term)
