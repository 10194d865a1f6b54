"""The schema of an experiment: frozen, strict, no unknown keys. Units are in the key names.

`Config` is what the rest of the package sees. It is made by `load_config` only, which checks what types
cannot say (`checks`) and hands over the library and the parameter registry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from tme.config.arms import resolve
from tme.config.base import (  # noqa: F401  # the names and types of the schema are looked up here
    CELL_TRAITS,
    CELL_UM3,
    REFERENCE,
    RELAXING,
    STATES,
    TRAITS,
    WORD,
    CloneName,
    Count,
    Days,
    Model,
    NotNegative,
    Num,
    Positive,
    Share,
    TraitName,
    Whole,
    as_tuple,
    closed,
    empty,
    many,
    one_or_more,
    per_axis,
    present,
)
from tme.config.doses import Arm
from tme.config.start import Initial
from tme.config.study import Study
from tme.library.alterations import ADDED, altered


class Domain(Model):
    """The lattice: extent, voxel, slab thickness in 2D, edges."""

    size_um: Annotated[tuple[Positive, ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=3)]
    dx_um: Annotated[float, Field(ge=5, le=60, allow_inf_nan=False)] = 15.0
    thickness_um: Positive = 15.0
    boundary: Annotated[
        dict[Literal["x", "y", "z"], Literal["no_flux", "periodic", "fixed"]], BeforeValidator(per_axis)
    ] = Field(default_factory=closed)
    at_edge: Literal["stop", "continue"] = "stop"
    immune_per_voxel: Annotated[int, Whole, Field(ge=1, le=8)] = 2


Alterations = Annotated[tuple[str, ...] | None, BeforeValidator(as_tuple)]


class Clone(Model):
    """A clone: share of the founders; traits as factors on the reference (mufa: level); alterations beside the tumour's; what it resists.

    `resists` maps a drug family of the library, or `efflux`, to r: cells hold c/(1 + r) of such drugs.
    """

    share: Share
    alterations: Alterations = None
    xct: NotNegative | None = None
    gpx4_trait: NotNegative | None = None
    fsp1: NotNegative | None = None
    acsl4: NotNegative | None = None
    tfr1: NotNegative | None = None
    nrf2: NotNegative | None = None
    mufa: NotNegative | None = None
    antigenicity: NotNegative | None = None
    resists: Annotated[dict[str, NotNegative], BeforeValidator(empty)] = Field(default_factory=dict)

    def traits(self) -> dict[str, float]:
        """Traits this clone changes."""
        return {t: getattr(self, t) for t in CELL_TRAITS if getattr(self, t) is not None}


class Tumour(Model):
    """Tumour type. What a config leaves out comes from the library's preset."""

    preset: str = "b16_like"
    cv: Annotated[float, Field(ge=0, le=1.5, allow_inf_nan=False)] = 0.2
    drift_per_division: Share = 0.05
    antigenicity_mean: NotNegative = 1.0
    antigenicity_cv: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 0.4
    mass_g: Positive = 0.5
    mouse_g: Positive = 20.0
    traits: Annotated[dict[TraitName, NotNegative], BeforeValidator(empty)] = Field(default_factory=dict)  # type: ignore[valid-type]
    alterations: Alterations = None
    clones: Annotated[dict[CloneName, Clone], BeforeValidator(empty)] = Field(default_factory=dict)


class Density(Model):
    """How many of a type there are at the start: per mm2 of its place, or per tumour cell; else as its entry says."""

    per_mm2: NotNegative | None = None
    share: Share | None = None


class FieldChange(Model):
    """What a config may change of a field (or of an agent's field); the rest is the library's."""

    mode: Literal["quasi_steady", "backward_euler"] | None = None
    clock_min: Positive | None = None
    diffusion: NotNegative | None = None
    decay: NotNegative | None = None
    initial: NotNegative | None = None
    vessel_value: NotNegative | None = None
    vessel_exchange: NotNegative | None = None
    held: bool | None = None
    coarsen: Literal[1, 2, 4] | None = None


class Primary(Model):
    """The question the experiment asks: a readout on a day (the last unless given) with its contrasts, as `tme.statistics` reads them."""

    readout: Annotated[str, Field(min_length=1)] = "tumour_alive"
    day: Positive | None = None
    contrasts: Annotated[tuple[str, ...], BeforeValidator(as_tuple), Field(min_length=1, max_length=50)]


class Output(Model):
    """What a simulation writes, and how often."""

    record_every_h: Positive = 6.0
    snapshot_days: Annotated[tuple[Num, ...], BeforeValidator(one_or_more)] = ()
    checkpoint_every_h: Positive = 24.0
    keep_checkpoints: bool = False


class Clocks(Model):
    """Base tick, the clock of resting cells' chemistry, and the fields' solver tolerance."""

    dt_min: Positive = 1.0
    chemistry_resting_min: Positive = 6.0
    field_tol: Annotated[float, Field(gt=0, le=1e-2, allow_inf_nan=False)] | None = None


@dataclass(frozen=True)
class OwnFile:
    """A file of the user's: the key that names it, where it lay, and its text; '' for code that is in no file."""

    key: str
    path: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Experiment(Model):
    """All keys of an experiment file, `extends` and `quick` aside."""

    schema_: Annotated[Literal[2], Whole] = Field(2, alias="schema")
    name: Annotated[str, Field(pattern=WORD, max_length=80)]
    seed: Annotated[int, Whole, Field(ge=0, lt=2**63)] = 1
    start_day: Annotated[float, Field(le=0, allow_inf_nan=False)] = 0.0
    horizon_day: Positive
    domain: Domain
    initial: Initial
    tumour: Annotated[Tumour, BeforeValidator(empty)] = Tumour()
    populations: Annotated[dict[str, Density], BeforeValidator(present)] = Field(default_factory=dict)
    fields: Annotated[dict[str, Annotated[FieldChange, BeforeValidator(empty)]], BeforeValidator(empty)] = (
        Field(default_factory=dict)
    )
    mechanisms: Annotated[
        dict[str, Annotated[dict[str, Any], BeforeValidator(empty)]], BeforeValidator(empty)
    ] = Field(default_factory=dict)
    rules: Annotated[dict[str, Any], BeforeValidator(empty)] = Field(default_factory=dict)
    entries: Annotated[dict[str, Any], BeforeValidator(empty)] = Field(default_factory=dict)
    library_files: many(Annotated[str, Field(min_length=1)]) = Field((), alias="library")  # type: ignore[valid-type]
    plugin_files: many(Annotated[str, Field(min_length=1)]) = Field((), alias="plugins")  # type: ignore[valid-type]
    receptors: Annotated[dict[str, Any], BeforeValidator(empty)] = Field(default_factory=dict)
    arms: dict[str, Annotated[Arm, BeforeValidator(empty)]] = Field(
        default_factory=lambda: {"control": Arm()}, min_length=1
    )
    replicates: Annotated[int, Whole, Field(ge=1, le=10_000)] = 1
    branch_at_day: Num | None = None
    sweep: Annotated[dict[str, Any], BeforeValidator(empty)] = Field(default_factory=dict)
    primary: Primary | None = None
    study: Study | None = None
    metrics: Annotated[tuple[str, ...] | None, BeforeValidator(as_tuple)] = None
    stop_when: Annotated[dict[Literal["tumour_alive_below"], NotNegative], BeforeValidator(empty)] = Field(
        default_factory=dict
    )
    output: Annotated[Output, BeforeValidator(empty)] = Output()
    clocks: Annotated[Clocks, BeforeValidator(empty)] = Clocks()


class Config(Experiment):
    """A resolved experiment. Attributes are the sections; methods give what the model asks.

    Made by `load_config`; frozen, comparable, picklable. `origin` says which file and line set what.
    """

    _context: Any = PrivateAttr(default=None)
    _tree: Any = PrivateAttr(default=None)
    _digest: str = PrivateAttr(default="")
    _library: Any = PrivateAttr(default=None)
    _rebuild: Any = PrivateAttr(default=None)  # given by the loader, which imports this file
    _notes: tuple[str, ...] = PrivateAttr(default=())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self.to_dict() == other.to_dict() and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def library(self) -> Any:
        """The library with the user's own files and this config's `entries:` and `fields:` applied."""
        return self._library

    @property
    def registry(self) -> Mapping[str, Mapping[str, Any]]:
        """All parameters there are: group -> name -> Parameter (defaults, bounds, sources)."""
        return self._context.registry

    @property
    def plugins(self) -> tuple[Any, ...]:
        """The laws and readouts of the user's own (`core.plugins.Plugin`)."""
        return self._context.plugins

    def own_files(self) -> list[OwnFile]:
        """The user's files that the config stands on, as they were read: library files, then plugins."""
        texts = self._context.texts
        own = [OwnFile("library", path, texts[path]) for path in self.library_files]
        return own + [OwnFile("plugins", p.path, p.text) for p in self.plugins]

    @property
    def digest(self) -> str:
        """First eight hexadecimal digits of the SHA-256 of everything that can change a result."""
        return self._digest

    @property
    def notes(self) -> tuple[str, ...]:
        """What a shorter horizon (`--quick`, `--set horizon_day=...`) left out, in words."""
        return self._notes

    @property
    def origin(self) -> dict[str, tuple[str, int]]:
        """Dotted key -> (file, line) for every value that a file or `--set` gave; the rest are defaults."""
        return self._tree.places()

    def to_dict(self) -> dict[str, Any]:
        """The resolved experiment as plain mappings and lists; loading it again gives the same config."""
        return self.model_dump(mode="json", exclude_none=True, by_alias=True)

    def with_values(self, values: Mapping[str, Any]) -> Config:
        """A copy with dotted keys replaced, checked anew; ConfigError if they do not fit."""
        return self._rebuild(self, values)

    def therapy_of(self, arm: str) -> Arm:
        """The arm with everything it uses folded in; "growth" is no therapy at all."""
        return Arm() if arm == "growth" and arm not in self.arms else resolve(self.arms, arm)

    def cell_types(self) -> tuple[str, ...]:
        """Cell types this experiment may have besides those of every model: at the start, or given in an arm."""
        start = self.initial
        base = start.base if start.kind == "regions" else start
        table = base.types.values() if base.kind == "cells" else ()
        regions = [r.cells for r in start.regions if r.cells] if start.kind == "regions" else []
        given = [e.cells for arm in self.arms for e in self.therapy_of(arm).events if e.cells]
        named = dict.fromkeys((*self.populations, *table, *regions, *given))
        return tuple(n for n in named if n not in ("ignore", "none"))

    def felt(self) -> dict[str, tuple[float, ...]]:
        """Drug, or group of drugs -> the share of its concentration that acts in each clone, by code; 1 where nothing is said."""
        out: dict[str, tuple[float, ...]] = {}
        for name, clones in self.carriers().items():
            for drug, share in self._library.alterations[name].feels.items():
                before = out.get(drug, (1.0,) * len(clones))
                out[drug] = tuple(b * share.value if carries else b for b, carries in zip(before, clones))
        return out

    def field_entries(self) -> dict[str, Any]:
        """The tissue's own fields (agents' fields come with the arm), as configured."""
        return dict(self._library.fields)

    def axes(self) -> dict[str, Any]:
        """Checkpoint axes that are on, as this config has them: name -> entry."""
        from tme.config.receptors import resolved

        return {n: e for n, e in resolved(self.receptors, self._library.receptors)[0].items() if e.on}
    def clone_names(self) -> tuple[str, ...]:
        """Clones by their code: 0 is the reference cell, then those of the config in its order."""
        return (REFERENCE, *self.tumour.clones)

    def kept_traits(self) -> dict[str, float]:
        """Trait -> how much of a cell's deviation from its clone a daughter keeps, where the start says so."""
        start = self.initial
        rules: list[tuple[str, Any]] = [(r.trait, r.daughters_keep) for r in getattr(getattr(start, "base", start), "traits", {}).values()]
        rules += [(t, region.daughters_keep) for region in getattr(start, "regions", ()) for t in region.traits]
        return {trait: float(kept) for trait, kept in rules if trait in RELAXING and kept not in (None, False)}

    def tumour_traits(self) -> dict[str, float]:
        """Traits of the reference cell of this tumour type, what its alterations do to them included."""
        return altered(self.tumour.traits, self.tumour.alterations or (), self._library.alterations)

    def clone_traits(self) -> dict[str, dict[str, float]]:
        """Traits that each clone changes: factors on the reference cell's (mufa: its level), alterations included."""
        level = self.tumour_traits().get(ADDED, 0.0)
        return {n: altered(c.traits(), c.alterations or (), self._library.alterations, level) for n, c in self.tumour.clones.items()}

    def carriers(self) -> dict[str, tuple[bool, ...]]:
        """Alteration -> which clones carry it, by their code: the tumour's are in all of them."""
        whole = dict.fromkeys(self.tumour.alterations or (), tuple(True for _ in self.clone_names()))
        own = [(), *(c.alterations or () for c in self.tumour.clones.values())]
        return {name: tuple(name in names for names in own) for names in own for name in names} | whole

    def tumour_parameters(self) -> dict[str, dict[str, float]]:
        """Mechanism parameters that the tumour type sets: group -> name -> value."""
        preset = self._library.tumour(self.tumour.preset).parameters
        out = {group: {n: float(v.value) for n, v in values.items()} for group, values in preset.items()}
        if "drift" in self._context.registry.get("division", {}):
            out.setdefault("division", {})["drift"] = self.tumour.drift_per_division
        return out

    def mechanism_parameters(self) -> dict[str, dict[str, float]]:
        """Mechanism parameters that the config sets: group -> name -> value."""
        out = {
            g: {n: float(v) for n, v in values.items() if n != "on"} for g, values in self.mechanisms.items()
        }
        return {g: v for g, v in out.items() if v}

    def switched_off(self) -> frozenset[str]:
        """Mechanisms with `on: false`."""
        return frozenset(g for g, values in self.mechanisms.items() if values.get("on") is False)

    def switched_on(self) -> frozenset[str]:
        """Mechanisms with `on: true`, and pathways that entries of cell types have on unless the config says `on: false`."""
        said = {g: values["on"] for g, values in self.mechanisms.items() if "on" in values}
        own = {f"{p}_{c}": run.on for c, entry in self.library.cells.items() for p, run in entry.pathways.items()}
        return frozenset(name for name, on in {**own, **said}.items() if on is True)
