"""The schema of an experiment: frozen, strict, no unknown keys. Units are in the key names.

`Config` is what the rest of the package sees. It is made by `load_config` only, which checks what types
cannot say (`checks`) and hands over the library and the parameter registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

CELL_UM3 = 2494.0  # volume of a tumour cell (Ghaffarizadeh et al. 2018, doi 10.1371/journal.pcbi.1005991)
TRAITS = ("xct", "gpx4_trait", "fsp1", "acsl4", "tfr1", "nrf2", "mufa")
CLONES = ("fsp1_high", "nrf2_high", "acsl4_low")
CloneName = Literal[CLONES]  # type: ignore[valid-type]
TraitName = Literal[TRAITS]  # type: ignore[valid-type]
WORD = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _one_or_more(value: Any) -> Any:
    """A single number where a list is meant, as in `day: 0`."""
    return (value,) if isinstance(value, (int, float)) and not isinstance(value, bool) else _listed(value)


def _whole(value: Any) -> Any:
    """4e3 is a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _empty(value: Any) -> Any:
    """A key without a value is an empty mapping."""
    return {} if value is None else value


def _present(value: Any) -> Any:
    """A mapping without the keys that are set to null."""
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else _empty(value)


def _axes(value: Any) -> Any:
    """One word for all axes."""
    return dict.fromkeys("xyz", value) if isinstance(value, str) else value


def _closed() -> dict[Literal["x", "y", "z"], Literal["no_flux", "periodic", "fixed"]]:
    return {"x": "no_flux", "y": "no_flux", "z": "no_flux"}


Num = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Whole = BeforeValidator(_whole)
Count = Annotated[int, Whole, Field(ge=1)]
Days = Annotated[tuple[Num, ...], BeforeValidator(_one_or_more), Field(min_length=1)]


class Model(BaseModel):
    """Base of every section."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Domain(Model):
    """The lattice: extent, voxel, slab thickness in 2D, edges."""

    size_um: Annotated[tuple[Positive, ...], BeforeValidator(_listed), Field(min_length=2, max_length=3)]
    dx_um: Annotated[float, Field(ge=5, le=60, allow_inf_nan=False)] = 20.0
    thickness_um: Positive = 20.0
    boundary: Annotated[
        dict[Literal["x", "y", "z"], Literal["no_flux", "periodic", "fixed"]], BeforeValidator(_axes)
    ] = Field(default_factory=_closed)
    at_edge: Literal["stop", "continue"] = "stop"
    immune_per_voxel: Annotated[int, Whole, Field(ge=1, le=8)] = 2


class Nodule(Model):
    """A compact disc (2D) or ball (3D) of tumour cells."""

    kind: Literal["nodule"]
    n_cells: Count
    centre_um: (
        Annotated[tuple[NotNegative, ...], BeforeValidator(_listed), Field(min_length=2, max_length=3)] | None
    ) = None


class Spheroid(Model):
    """A ball of tumour cells in culture, without vessels or immune cells unless the config says so."""

    kind: Literal["spheroid"]
    n_cells: Count
    centre_um: (
        Annotated[tuple[NotNegative, ...], BeforeValidator(_listed), Field(min_length=2, max_length=3)] | None
    ) = None


class Monolayer(Model):
    """Tumour cells all over the domain, a share of the voxels."""

    kind: Literal["monolayer"]
    occupancy: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0


class TraitRule(Model):
    """How a measured column scales a trait: (value / median)^power, at most `max_fold` either way."""

    trait: TraitName  # type: ignore[valid-type]
    power: Num = 1.0
    max_fold: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 4.0


class Cells(Model):
    """A table of cells: which columns hold what, what its types mean, in which unit it measures."""

    kind: Literal["cells"]
    file: Annotated[str, Field(min_length=1)]
    columns: dict[Literal["x", "y", "z", "type"], str]
    types: Annotated[dict[str, str], Field(min_length=1)]
    unit_um: Positive = 1.0
    traits: Annotated[dict[str, TraitRule], BeforeValidator(_empty)] = Field(default_factory=dict)


Initial = Annotated[Nodule | Monolayer | Spheroid | Cells, Field(discriminator="kind")]


class Clone(Model):
    """A resistant clone: share of the founders; traits as factors on the reference (mufa: level)."""

    share: Share
    xct: NotNegative | None = None
    gpx4_trait: NotNegative | None = None
    fsp1: NotNegative | None = None
    acsl4: NotNegative | None = None
    tfr1: NotNegative | None = None
    nrf2: NotNegative | None = None
    mufa: NotNegative | None = None

    def traits(self) -> dict[str, float]:
        """Traits this clone changes."""
        return {t: getattr(self, t) for t in TRAITS if getattr(self, t) is not None}


class Tumour(Model):
    """Tumour type. What a config leaves out comes from the library's preset."""

    preset: str = "b16_like"
    cv: Annotated[float, Field(ge=0, le=1.5, allow_inf_nan=False)] = 0.2
    drift_per_division: Share = 0.05
    antigenicity_mean: NotNegative = 1.0
    antigenicity_cv: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 0.4
    mass_g: Positive = 0.5
    mouse_g: Positive = 20.0
    traits: Annotated[dict[TraitName, NotNegative], BeforeValidator(_empty)] = Field(default_factory=dict)  # type: ignore[valid-type]
    clones: Annotated[dict[CloneName, Clone], BeforeValidator(_empty)] = Field(default_factory=dict)  # type: ignore[valid-type]


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


class DrugDose(Model):
    """A drug, injected (`dose_mg_kg`) or as a bath that holds its concentration (`bath_uM`) from a day on."""

    name: str
    dose_mg_kg: Positive | None = None
    bath_uM: NotNegative | None = None
    day: Days = (0.0,)
    route: Literal["iv", "bath"] = "iv"


class AntibodyDose(Model):
    """A checkpoint antibody."""

    name: str
    dose_mg_kg: Positive
    day: Days
    route: Literal["iv"] = "iv"


class ParticleDose(Model):
    """A nanoparticle platform; the dose counts its payload."""

    name: str
    dose_mg_kg: Positive
    day: Days
    route: Literal["iv", "intratumoral"] = "iv"


def _many(item: Any) -> Any:
    return Annotated[tuple[item, ...], BeforeValidator(lambda v: () if v is None else _listed(v))]


class Arm(Model):
    """A therapy: agents with their schedules, and other arms it includes. Empty is the control."""

    drugs: _many(DrugDose) = ()  # type: ignore[valid-type]
    antibodies: _many(AntibodyDose) = ()  # type: ignore[valid-type]
    nanoparticles: _many(ParticleDose) = ()  # type: ignore[valid-type]
    radiation: _many(Any) = ()  # type: ignore[valid-type]
    use: _many(str) = ()  # type: ignore[valid-type]


class Output(Model):
    """What a simulation writes, and how often."""

    record_every_h: Positive = 6.0
    snapshot_days: Annotated[tuple[Num, ...], BeforeValidator(_one_or_more)] = ()
    checkpoint_every_h: Positive = 24.0


class Clocks(Model):
    """Base tick, the clock of resting cells' chemistry, and the fields' solver tolerance."""

    dt_min: Positive = 1.0
    chemistry_resting_min: Positive = 6.0
    field_tol: Annotated[float, Field(gt=0, le=1e-2, allow_inf_nan=False)] | None = None


class Experiment(Model):
    """All keys of an experiment file, `extends` and `quick` aside."""

    name: Annotated[str, Field(pattern=WORD, max_length=80)]
    seed: Annotated[int, Whole, Field(ge=0, lt=2**63)] = 1
    start_day: Annotated[float, Field(le=0, allow_inf_nan=False)] = 0.0
    horizon_day: Positive
    domain: Domain
    initial: Initial
    tumour: Annotated[Tumour, BeforeValidator(_empty)] = Tumour()
    populations: Annotated[dict[str, Density], BeforeValidator(_present)] = Field(default_factory=dict)
    fields: Annotated[dict[str, Annotated[FieldChange, BeforeValidator(_empty)]], BeforeValidator(_empty)] = (
        Field(default_factory=dict)
    )
    mechanisms: Annotated[
        dict[str, Annotated[dict[str, Any], BeforeValidator(_empty)]], BeforeValidator(_empty)
    ] = Field(default_factory=dict)
    modifiers: Annotated[dict[str, Any], BeforeValidator(_empty)] = Field(default_factory=dict)
    arms: dict[str, Annotated[Arm, BeforeValidator(_empty)]] = Field(
        default_factory=lambda: {"control": Arm()}, min_length=1
    )
    replicates: Annotated[int, Whole, Field(ge=1, le=10_000)] = 1
    branch_at_day: Num | None = None
    sweep: Annotated[dict[str, Any], BeforeValidator(_empty)] = Field(default_factory=dict)
    metrics: Annotated[tuple[str, ...] | None, BeforeValidator(_listed)] = None
    stop_when: Annotated[dict[Literal["tumour_alive_below"], NotNegative], BeforeValidator(_empty)] = Field(
        default_factory=dict
    )
    output: Annotated[Output, BeforeValidator(_empty)] = Output()
    clocks: Annotated[Clocks, BeforeValidator(_empty)] = Clocks()


class Config(Experiment):
    """A resolved experiment. Attributes are the sections; methods give what the model asks.

    Made by `load_config`; frozen, comparable, picklable. `origin` says which file and line set what.
    """

    _context: Any = PrivateAttr(default=None)
    _tree: Any = PrivateAttr(default=None)
    _digest: str = PrivateAttr(default="")
    _library: Any = PrivateAttr(default=None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self.to_dict() == other.to_dict() and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def library(self) -> Any:
        """The library with this config's `fields:` changes applied."""
        return self._library

    @property
    def registry(self) -> Mapping[str, Mapping[str, Any]]:
        """All parameters there are: group -> name -> Parameter (defaults, bounds, sources)."""
        return self._context.registry

    @property
    def digest(self) -> str:
        """First eight hexadecimal digits of the SHA-256 of everything that can change a result."""
        return self._digest

    @property
    def origin(self) -> dict[str, tuple[str, int]]:
        """Dotted key -> (file, line) for every value that a file or `--set` gave; the rest are defaults."""
        return self._tree.places()

    def to_dict(self) -> dict[str, Any]:
        """The resolved experiment as plain mappings and lists; loading it again gives the same config."""
        return self.model_dump(mode="json", exclude_none=True)

    def with_values(self, values: Mapping[str, Any]) -> Config:
        """A copy with dotted keys replaced, checked anew; ConfigError if they do not fit."""
        from tme.config.load import rebuild

        return rebuild(self, values)

    def therapy_of(self, arm: str) -> Arm:
        """The arm with everything it uses folded in; "growth" is no therapy at all."""
        from tme.config.arms import resolve

        return Arm() if arm == "growth" and arm not in self.arms else resolve(self.arms, arm)

    def cell_types(self) -> tuple[str, ...]:
        """Cell types this experiment may have besides those of every model."""
        return (*self.populations, *(self.initial.types.values() if self.initial.kind == "cells" else ()))

    def field_entries(self) -> dict[str, Any]:
        """The tissue's own fields (agents' fields come with the arm), as configured."""
        return dict(self._library.fields)

    def tumour_traits(self) -> dict[str, float]:
        """Traits of the reference cell of this tumour type."""
        return dict(self.tumour.traits)

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
