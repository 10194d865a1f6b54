"""What a checkpoint axis is: a receptor, its ligands, the place where they meet, and what the signal does.

    S = R r sum over ligands of (background + x)        x = 1 - (1 - target) (1 - host)
    factor on a term = without + (to - without) S / (half + S)          without `half`: S instead of the share

R is what the receiving cell carries of the receptor, r the share that nothing covers; x what it meets of a ligand on the
cell it holds and, where `host` is on, on the host cells within a voxel of it. `background` stands for host cells while
they are not reckoned. Levels are relative, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from tme.library.schema import Name, Part, quantity

TERM_OF = {"killing": "killing.function", "exhaustion": "exhaustion.rate", "priming": "priming.gain"}
PLACES = {"contact": ("killing", "exhaustion"), "node": ("priming",)}


class Expression(Part):
    """What a cell type carries of a receptor or ligand.

    Constant at `level`; or induced, level + (to - level) s/(half + s), where s is `field.NAME` at the cell, followed with
    the time constant `tau_min`, or `own.COLUMN`, without delay; or held in a `column` of the cell type that another law
    keeps, `free_column` being what antibodies leave of it.
    """

    level: float = quantity("1", ge=0, le=1, default=1.0)
    to: float = quantity("1", ge=0, le=1, default=1.0)
    half: float = quantity("*", gt=0, default=1.0)
    tau_min: float = quantity("min", ge=0, default=0.0)
    induced_by: str = Field("", pattern=r"^((field|own)\.[a-z][a-z0-9_]*)?$")
    column: str = Field("", pattern=r"^([a-z][a-z0-9_]*)?$")
    free_column: str = Field("", pattern=r"^([a-z][a-z0-9_]*)?$")

    @model_validator(mode="after")
    def _one_way(self) -> Expression:
        if self.column and (self.induced_by or "level" in self.numbers):
            raise ValueError("a level held in a column takes no level and is induced by the law that keeps it")
        if not self.column and "level" not in self.numbers:
            raise ValueError("a level is needed, or a column that holds it")
        if self.induced_by and not {"to", "half"} <= set(self.numbers):
            raise ValueError("what is induced needs `to` and `half`")
        return self

    @property
    def signal(self) -> tuple[str, str]:
        """("field" or "own", name) of what induces it; ("", "") if nothing does."""
        kind, _, name = self.induced_by.partition(".")
        return kind, name


class Receptor(Part):
    """The receptor: what antibodies call it, and which cell types carry how much of it."""

    name: Name
    on: dict[Name, Expression] = Field(min_length=1)


class Ligand(Part):
    """A ligand: where it sits, and how much is met of it where host cells are not reckoned one by one.

    Killers hold cells of the type `held`; all other cell types are met as host cells.
    """

    held: ClassVar[str] = "tumour"
    background: float = quantity("1", ge=0, le=1, default=0.0)
    on: dict[Name, Expression] = Field(default_factory=dict)


class Effect(Part):
    """A factor on a term: `without` where there is no signal, `to` at saturation, half of the way at `half`.

    Without `half` it follows the signal in proportion.
    """

    without: float = quantity("1", ge=0, le=10, default=1.0)
    to: float = quantity("1", ge=0, le=10)
    half: float = quantity("1", ge=0, default=0.0)

    def factor(self, signal: float) -> float:
        """The factor at a signal."""
        share = signal if self.half == 0.0 else signal / (self.half + signal)
        return self.without + (self.to - self.without) * share


class AxisEntry(Part):
    """One checkpoint axis."""

    about: str
    on: bool = False
    host: bool = False
    place: Literal[tuple(PLACES)]  # type: ignore[valid-type]
    receptor: Receptor
    ligands: dict[Name, Ligand] = Field(min_length=1)
    effects: dict[Literal[tuple(TERM_OF)], Effect] = Field(min_length=1)  # type: ignore[valid-type]
    ids: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _acts_where_it_is(self) -> AxisEntry:
        wrong = [e for e in self.effects if e not in PLACES[self.place]]
        if wrong:
            raise ValueError(f"an axis at the {self.place} acts on {' and '.join(PLACES[self.place])}, not on {wrong[0]}")
        return self

    def row(self) -> dict[str, Any]:
        """What `tme list receptors` shows."""
        return {
            "about": self.about, "on": self.on, "host": self.host, "place": self.place, "receptor": self.receptor.name,
            "on_cells": sorted(self.receptor.on), "ligands": {n: sorted(ligand.on) for n, ligand in self.ligands.items()},
            "acts_on": sorted(self.effects),
        }  # fmt: skip

    def named(self) -> Iterator[tuple[str, str, str]]:
        """(dotted key, kind, name) of the cell types that carry its molecules and of the fields that induce them."""
        parts = {"receptor": self.receptor.on, **{f"ligands.{n}": ligand.on for n, ligand in self.ligands.items()}}
        for part, on in parts.items():
            for cells, expression in on.items():
                yield f"{part}.on.{cells}", "cells", cells
                if expression.signal[0] == "field":
                    yield f"{part}.on.{cells}.induced_by", "fields", expression.signal[1]

    def names(self) -> tuple[str, ...]:
        """What an antibody may take away: the receptor and every ligand."""
        return (self.receptor.name, *self.ligands)


def raw(part: Part) -> dict[str, Any]:
    """An entry as its file has it: numbers with unit and source, parts as mappings; defaults left out."""
    out: dict[str, Any] = {}
    for key in part.model_fields_set:
        value = getattr(part, key)
        if type(part).unit_of(key) is not None:
            out[key] = part._numbers[key].model_dump(exclude_none=True)
        elif isinstance(value, Part):
            out[key] = raw(value)
        elif isinstance(value, Mapping):
            out[key] = {n: raw(v) if isinstance(v, Part) else v for n, v in value.items()}
        else:
            out[key] = list(value) if isinstance(value, tuple) else value
    return out
