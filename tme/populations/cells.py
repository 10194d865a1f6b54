"""Populations of a model from the cell types of the library: their columns follow from what a type does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from tme.core.population import Column, Population
from tme.kernels.exchange import in_slab
from tme.library.cells import CellEntry, code_of, in_order
from tme.populations.tumour import Tumour

CORPSE = (
    Column("state", "i1", "code", 0, "reset", about="0 alive, else the cause of death, as in tumour cells"),
    Column("death_tick", "i4", "tick", -1, "reset"),
)
KILLS = (
    Column("engaged", "i1", "bool", 0, "reset"),
    Column("target_uid", "u8", "1", 0, "reset"),
    Column("target_voxel", "i4", "1", -1, "reset"),
    Column("function", "f8", "1", 1.0, about="effector function left by exhaustion, PD-1 and suppression"),
    Column("pd1_signal", "f8", "1", 0.0, "reset", about="ligand met times PD-1 left free, 0 to about 1"),
    Column("exhaustion", "f8", "1", 0.0, about="0 naive to 1 terminally exhausted"),
    Column("stimulus", "f8", "1", 0.0, about="q, secretion of IFN-gamma relative to full: follows contacts, falls off for hours"),
    Column("kills", "i4", "1", 0, "reset"),
)
SPECIFIC = Column("specific", "i1", "bool", 1, about="whether it finds its antigen on the tumour; others are bystanders")
PRESENTS = (
    Column("mature", "i1", "bool", 0, "reset"),
    Column("mature_tick", "i4", "tick", -1, "reset"),
    Column("antigen", "f8", "1", 0.0, "reset", about="tumour antigen taken up, 0-1"),
    Column("blunting", "f8", "1", 0.0, "reset", about="oxidised lipid met, lowers cross-presentation"),
    Column("early_corpses", "f8", "1", 0.0, "reset", about="early ferroptotic corpses within reach, for rules"),
)


def columns_of(entry: CellEntry) -> tuple[Column, ...]:
    """Columns that the parts of an entry need."""
    out: list[Column] = [*CORPSE] if entry.place == "tissue" else []
    if entry.motion is not None:
        out += [
            Column("heading", "i1", "direction", -1, "reset"),
            Column("speed", "f8", "um/min", entry.motion.speed, about="present speed"),
        ]
    if entry.kills is not None:
        out += KILLS if entry.kills.recognises == "missing_self" else (*KILLS, SPECIFIC)
    elif entry.motion is not None:
        out.append(Column("held", "i1", "bool", 0, "reset"))
    if entry.presents:
        out += PRESENTS
    if entry.polarises is not None:
        out.append(Column("m1", "f8", "1", entry.polarises.arrival, about="polarisation, 0 M2 to 1 M1"))
    if entry.takes_up_particles or entry.polarises is not None:
        out.append(Column("iron_load", "f8", "uM/min", 0.0, about="labile iron released inside by particles"))
    return tuple(out)


@cache
def _class_of(kind: str, code: int, columns: tuple[Column, ...], about: str) -> type[Population]:
    name = "".join(word.capitalize() for word in kind.split("_"))
    return type(name, (Population,), {"kind": kind, "code": code, "columns": columns, "__doc__": about, "__module__": __name__})


def population_class(kind: str, entry: CellEntry) -> type[Population]:
    """The Mesa agent class of a cell type."""
    return Tumour if kind == Tumour.kind else _class_of(kind, code_of(kind, entry), columns_of(entry), entry.about)


class Populations:
    """The populations of a model: iterates over them in order, gives one by name.

    The tumour comes first, then the others by the priority their entries declare and by name.
    """

    def __init__(self, populations: Iterable[Population]) -> None:
        self._by_name = {p.kind: p for p in populations}

    def __iter__(self) -> Iterator[Population]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Population:
        return self._by_name[name]

    def names(self) -> tuple[str, ...]:
        """Names of the cell types, in order."""
        return tuple(self._by_name)

    def items(self) -> Iterable[tuple[str, Population]]:
        """(name, population) in order."""
        return self._by_name.items()

    def that(self, does: str) -> tuple[Population, ...]:
        """Those whose entry has a part: `populations.that("kills")`."""
        return tuple(p for p in self if getattr(p.entry, does))


def build_populations(
    model: Any,
    cells: Mapping[str, CellEntry],
    used: Iterable[str],
    cargo: tuple[Column, ...] = (),
    extra: Callable[[str], tuple[Column, ...]] = lambda kind: (),
    value_of: Callable[[str], float] | None = None,
) -> Populations:
    """Empty populations of the types in `used` and of those that every model has.

    `cargo`: columns of cells that take particles up; `extra("cd8")`: further columns of a type; `value_of("group.name")`
    gives a mechanism's parameter. The entry of each, with these values, is its attribute `entry`.
    """
    names = {n for n, e in cells.items() if e.in_every_model} | set(used)
    made = []
    for kind in in_order(names, cells):
        entry = cells[kind].resolved(value_of) if value_of is not None else cells[kind]
        carries = cargo if entry.takes_up_particles or kind == Tumour.kind else ()
        size = 1024 if kind == Tumour.kind else 256
        population = population_class(kind, entry)(model, size, (*carries, *extra(kind)))
        population.entry = entry
        population.in_slab = in_slab(entry.volume_um3, model.grid.voxel_um3 / model.grid.dx_um**2)
        made.append(population)
    return Populations(made)
