"""The entries of the library: fields, drugs, antibodies, nanoparticles, tumours, each a `Part` (library.part)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from tme.library.part import Number, Part, address, quantity  # noqa: F401  # looked up here

Mode = Literal["quasi_steady", "backward_euler"]
Wall = Literal["x_min", "x_max", "y_min", "y_max", "z_min", "z_max"]
Coarsen = Literal[1, 2, 4]  # how many lattice voxels wide the voxels are on which a field is solved
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class FieldEntry(Part):
    """A diffusing substance: how it spreads and decays, how it is solved, what vessels hold of it.

    `walls` hold it at a value at some sides of the domain, whatever `domain.boundary` says of the others.
    """

    about: str
    unit: str
    mode: Mode
    clock_min: float = quantity("min", gt=0)
    diffusion: float = quantity("um^2/min", ge=0)
    decay: float = quantity("1/min", ge=0)
    initial: float = quantity("*", ge=0, default=0.0)
    vessel_value: float = quantity("*", ge=0, default=0.0)
    vessel_exchange: float = quantity("1/min", ge=0, default=0.0)
    held: bool = False
    coarsen: Coarsen = 1
    optional: bool = False  # solved only where a rule, a cell type or the config names it
    made: bool = True  # false: no cell makes it, vessels alone bring it
    uptake: Literal["none", "linear", "saturable"] = "none"  # by cells
    half_uptake: str = ""  # of saturable uptake: the parameter, "group.name", with the level of half the maximum
    tolerance: float | None = quantity("1", gt=0, le=0.1, default=None)  # of a solve, relative; else 1e-3
    steady_at_start: bool = False  # a run begins with its steady state
    walls: dict[Wall, Number] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _walls_in_its_unit(self) -> FieldEntry:
        for wall, number in self.walls.items():
            if number.unit != self.unit or number.value < 0.0:
                raise ValueError(f"walls.{wall} is {number.value:g} in '{number.unit}', expected 0 or more in '{self.unit}'")
        return self

    def content(self) -> dict[str, Any]:
        """As for any part; a field without such walls is what it was before there were any."""
        return {k: v for k, v in super().content().items() if k != "walls" or v}

    def row(self) -> dict[str, Any]:
        """What `tme list fields` shows."""
        return {"about": self.about, "unit": self.unit, "mode": self.mode, "diffusion_um2_min": self.diffusion,
                "decay_per_min": self.decay, "clock_min": self.clock_min, "initial": self.initial,
                "vessel_value": self.vessel_value}  # fmt: skip


FIELD_KEYS = ("mode", "clock_min", "diffusion", "decay", "initial", "vessel_value", "vessel_exchange", "held", "coarsen")


class CloneEntry(Part):
    """A clone: its share of the founders, its traits relative to the reference cell, the alterations it carries beside the tumour's, the drugs it resists."""

    refers: ClassVar[dict[str, str]] = {"alterations": "alterations"}
    share: float = quantity("1", ge=0, le=1)
    traits: dict[Name, Number] = Field(default_factory=dict)
    resists: dict[Name, Number] = Field(default_factory=dict)
    alterations: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _differs(self) -> CloneEntry:
        if not (self.traits or self.alterations or self.resists):
            raise ValueError("a clone has traits or alterations, or resists drugs; this has none")
        return self


class TumourEntry(Part):
    """A tumour type: heterogeneity, antigenicity, masses, alterations, and what differs in the mechanisms' parameters.

    `suspended` cells (of blood) are in no tissue: they start as a monolayer or from a table, never as a nodule.
    """

    refers: ClassVar[dict[str, str]] = {"alterations": "alterations"}
    words: ClassVar[frozenset[str]] = Part.words | {"ids"}
    about: str
    ids: tuple[str, ...] = ()
    suspended: bool = False
    alterations: tuple[Name, ...] = ()
    cv: float = quantity("1", ge=0, le=1.5)
    drift_per_division: float = quantity("1", ge=0, le=1)
    antigenicity_mean: float = quantity("1", ge=0)
    antigenicity_cv: float = quantity("1", ge=0, le=2)
    mass_g: float = quantity("g", gt=0)
    mouse_g: float = quantity("g", gt=0)
    traits: dict[Name, Number] = Field(default_factory=dict)
    clones: dict[Name, CloneEntry] = Field(default_factory=dict)
    parameters: dict[Name, dict[Name, Number]] = Field(default_factory=dict)

    def misfits(self, registry: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Iterable[str]]]:
        """Parameters that no mechanism has, in another unit, or out of bounds."""
        for group, values in self.parameters.items():
            if group not in registry:
                yield f"parameters.{group}", f"unknown mechanism '{group}'", "", registry
                continue
            for name, number in values.items():
                key, p = f"parameters.{group}.{name}", registry[group].get(name)
                if p is None:
                    yield key, f"unknown parameter '{name}'", "", registry[group]
                elif number.unit != p.unit:
                    yield key, f"is given in '{number.unit}'", f"'{p.unit}'", ()
                elif not p.low <= number.value <= p.high:
                    yield key, f"{number.value:g} is out of bounds", f"{p.low:g} to {p.high:g} {p.unit}", ()

    def row(self) -> dict[str, Any]:
        """What `tme list tumours` shows."""
        parameters = {f"{g}.{n}": v.value for g, s in self.parameters.items() for n, v in s.items()}
        return {"about": self.about, "alterations": list(self.alterations), "traits": {n: v.value for n, v in self.traits.items()}, "clones": {n: c.share for n, c in self.clones.items()}, "cv": self.cv,
                "antigenicity": self.antigenicity_mean, "parameters": parameters}  # fmt: skip
