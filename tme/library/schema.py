"""What a library entry is: every number with its unit, source and, where known, range.

In the files a number is written `{value: 5000, unit: um^2/min, range: [2000, 20000], source: "..."}`; an
entry's attributes are plain floats, and `entry.numbers["diffusion"]` keeps unit, range and source. A key
that no attribute reads is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from tme.core.parameters import STATUSES, status_of

Mode = Literal["quasi_steady", "backward_euler"]
Coarsen = Literal[1, 2, 4]  # how many lattice voxels wide the voxels are on which a field is solved
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
ADDRESSES = ("name", "id", "target", "drug")  # keys whose text names an item of a list


class Number(BaseModel):
    """One number of the library; `source` is a DOI, author and year, or "assumed: why".

    `range` is its prior, `status` what stands behind it (`core.parameters.STATUSES`); left out, the source's first
    word tells.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    value: float = Field(allow_inf_nan=False)
    unit: str = Field(min_length=1)
    range: tuple[float, float] | None = None
    status: Literal[STATUSES]  # type: ignore[valid-type]
    source: str = Field(min_length=4)

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if isinstance(data.get("range"), list):
            data["range"] = tuple(data["range"])
        if data.get("unit") == 1:  # `unit: 1`, a pure number, reads as an integer
            data["unit"] = "1"
        if data.get("status") is None:
            data["status"] = status_of(str(data.get("source", "assumed")))
        return data

    @model_validator(mode="after")
    def _inside(self) -> Number:
        if self.range is not None and not self.range[0] <= self.value <= self.range[1]:
            raise ValueError(
                f"value {self.value:g} lies outside its own range [{self.range[0]:g}, {self.range[1]:g}]"
            )
        return self

    @property
    def assumed(self) -> bool:
        """Whether nothing but plausibility stands behind the value."""
        return self.status == "assumed"


def _at(key: str, text: str, value: Any) -> ValidationError:
    """An error of one key of a part."""
    problem = PydanticCustomError("value_error", "{text}", {"text": text})
    return ValidationError.from_exception_data("part", [{"type": problem, "loc": (key,), "input": value}])


def quantity(unit: str, **limits: Any) -> Any:
    """Declare an attribute that is a number with a unit in the file and a float here."""
    default = limits.pop("default", ...)
    return Field(default, allow_inf_nan=False, json_schema_extra={"unit": unit}, **limits)


def address(item: Any) -> str:
    """What an item of a list is called: its name, id, target or drug, or a word that is true of it (`iron: true`)."""
    get = item.get if isinstance(item, dict) else lambda key: getattr(item, key, None)
    for word in map(get, ADDRESSES):
        if isinstance(word, str):
            return word
    keys = item if isinstance(item, dict) else type(item).model_fields if isinstance(item, BaseModel) else ()
    return next((str(key) for key in keys if get(key) is True), "")


class Part(BaseModel):
    """Base of entries and their parts: numbers unpacked, units checked, unread keys refused.

    `refers` says which keys name an entry of which kind, `words` which keys tell and change no result.
    """

    refers: ClassVar[dict[str, str]] = {}
    words: ClassVar[frozenset[str]] = frozenset({"about", "stage", "not_modelled", "source", "evidence"})
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    _numbers: dict[str, Number] = PrivateAttr(default_factory=dict)

    @classmethod
    def unit_of(cls, key: str) -> str | None:
        """The declared unit of an attribute; None if it is no quantity."""
        extra = cls.model_fields[key].json_schema_extra if key in cls.model_fields else None
        unit = extra.get("unit") if isinstance(extra, dict) else None
        return unit if isinstance(unit, str) else None

    @model_validator(mode="wrap")
    @classmethod
    def _unpack(cls, data: Any, handler: Any) -> Any:
        if not isinstance(data, dict):
            return handler(data)
        numbers: dict[str, Number] = {}
        plain: dict[str, Any] = {}
        for key, value in data.items():
            unit = cls.unit_of(key)
            if unit is None:
                plain[key] = tuple(value) if isinstance(value, list) else value
                continue
            if not isinstance(value, dict):
                raise _at(key, f"must be written {{value, unit: {unit}, source}}, not {value!r}", value)
            try:
                number = Number.model_validate(value)
            except ValidationError as error:
                inner: list[Any] = [{**e, "loc": (key, *e["loc"])} for e in error.errors(include_url=False)]
                raise ValidationError.from_exception_data(cls.__name__, inner) from None
            if unit != "*" and number.unit != unit:
                raise _at(key, f"is given in '{number.unit}', expected '{unit}'", value)
            numbers[key] = number
            plain[key] = float(number.value)
        entry = handler(plain)
        entry._numbers.update(numbers)
        return entry

    @property
    def numbers(self) -> dict[str, Number]:
        """Number (value as in the file, unit, range, source) of each attribute, parts dotted."""
        out = dict(self._numbers)
        for key in type(self).model_fields:
            value = getattr(self, key)
            parts = (
                enumerate(value)
                if isinstance(value, tuple)
                else value.items()
                if isinstance(value, dict)
                else ()
            )
            if isinstance(value, Part):
                out.update({f"{key}.{k}": n for k, n in value.numbers.items()})
            for name, part in parts:
                if isinstance(part, Part):
                    out.update({f"{key}.{name}.{k}": n for k, n in part.numbers.items()})
                elif isinstance(part, Number):
                    out[f"{key}.{name}"] = part
                elif isinstance(part, dict):
                    out.update({f"{key}.{name}.{k}": n for k, n in part.items() if isinstance(n, Number)})
        return out


    def row(self) -> dict[str, Any]:
        """What `tme list` shows of an entry: everything that is a number or a word."""
        shown = {k: getattr(self, k) for k in type(self).model_fields}
        return {k: v for k, v in shown.items() if isinstance(v, (str, int, float)) and v != ""}

    def referred(self) -> Iterator[tuple[str, str, str]]:
        """(dotted key, kind, name) of every entry this one or a part of it names."""
        for key in type(self).model_fields:
            value = getattr(self, key)
            if key in self.refers:
                for name in (value,) if isinstance(value, str) else value or ():
                    yield key, self.refers[key], name
            parts = enumerate(value) if isinstance(value, tuple) else value.items() if isinstance(value, dict) else (("", value),)
            for place, part in parts:
                if isinstance(part, Part):
                    for k, kind, name in part.referred():
                        yield ".".join(str(x) for x in (key, place, k) if x != ""), kind, name

    def taken_away(self) -> Iterator[tuple[str, str]]:
        """(key, target) of every receptor, ligand or factor that this agent takes away."""
        yield from ()

    def misfits(self, registry: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Iterable[str]]]:
        """(dotted key, problem, expected, known names) of what does not fit the parameters that mechanisms have
        (group -> name -> Parameter)."""
        yield from ()

    def content(self) -> dict[str, Any]:
        """What can change a result, as plain data: no descriptions, no sources."""
        return {k: _content(getattr(self, k)) for k in type(self).model_fields if k not in self.words}


def _content(value: Any) -> Any:
    if isinstance(value, Number):
        return value.value
    if isinstance(value, Part):
        return value.content()
    if isinstance(value, dict):
        return {k: _content(v) for k, v in value.items()}
    return [_content(v) for v in value] if isinstance(value, (tuple, list)) else value


class FieldEntry(Part):
    """A diffusing substance: how it spreads and decays, how it is solved, what vessels hold of it."""

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
    optional: bool = False  # solved only where a rule or the config names it

    def row(self) -> dict[str, Any]:
        """What `tme list fields` shows."""
        return {"about": self.about, "unit": self.unit, "mode": self.mode, "diffusion_um2_min": self.diffusion,
                "decay_per_min": self.decay, "clock_min": self.clock_min, "initial": self.initial,
                "vessel_value": self.vessel_value}  # fmt: skip


FIELD_KEYS = ("mode", "clock_min", "diffusion", "decay", "initial", "vessel_value", "vessel_exchange", "held", "coarsen")


class Agent(Part):
    """What all therapeutic agents share: who they are, how they spread, how long plasma keeps them."""

    about: str
    mode: Mode = "backward_euler"
    clock_min: float = quantity("min", gt=0)
    diffusion: float = quantity("um^2/min", ge=0)
    decay: float = quantity("1/min", ge=0)
    mw_g_mol: float = quantity("g/mol", gt=0)
    volume_l_kg: float = quantity("L/kg", gt=0)
    vessel_exchange: float = quantity("1/min", ge=0)

    field_unit: ClassVar[str] = "uM"

    def field_entry(self, name: str) -> FieldEntry:
        """The agent as a field: empty at the start, fed by vessels at its plasma level."""
        return FieldEntry.model_construct(
            about=f"{name}: {self.about}",
            unit=self.field_unit,
            mode=self.mode,
            clock_min=self.clock_min,
            diffusion=self.diffusion,
            decay=self.decay,
            initial=0.0,
            vessel_value=0.0,
            vessel_exchange=self.vessel_exchange,
            held=False,
            coarsen=getattr(self, "coarsen", 1),
        )


STRENGTH = {
    "xct": "ki_uM",
    "fsp1": "ki_uM",
    "gcl": "ki_uM",
    "pdl1_synthesis": "ki_uM",
    "gpx4": "k_per_uM_min",
    "iron_chelation": "k_per_uM_min",
    "cystine_pool": "k_per_uM_min",
    "radical_trap": "k_per_uM",
    "iron_supply": "k_per_min",
    "cu_influx": "k_per_min",
    "vessel": "ki_uM",
}


class Hit(Part):
    """One target of a drug with its strength: Ki for reversible inhibitors, k for the rest.

    The target `vessel` is a substance in blood, named by `field`: what vessels bring of it is divided by 1 + c/Ki, c
    the drug's level in plasma (an enzyme that works in blood).
    """

    refers: ClassVar[dict[str, str]] = {"field": "fields"}
    target: Literal[tuple(STRENGTH)]  # type: ignore[valid-type]
    field: Name | None = None
    ki_uM: float | None = quantity("uM", gt=0, default=None)
    k_per_uM_min: float | None = quantity("1/(uM min)", ge=0, default=None)
    k_per_uM: float | None = quantity("1/uM", ge=0, default=None)
    k_per_min: float | None = quantity("1/min", ge=0, default=None)
    hill: float = quantity("1", gt=0, default=1.0)

    @model_validator(mode="after")
    def _one_strength(self) -> Hit:
        given = [
            k for k in ("ki_uM", "k_per_uM_min", "k_per_uM", "k_per_min") if getattr(self, k) is not None
        ]
        if given != [STRENGTH[self.target]]:
            raise ValueError(f"a hit on {self.target} needs {STRENGTH[self.target]} and no other strength")
        if (self.field is not None) != (self.target == "vessel"):
            raise ValueError("a hit on vessel names the substance, `field: cystine`; hits on other targets have none")
        return self

    @property
    def key(self) -> str:
        """Name of the strength this target takes."""
        return STRENGTH[self.target]

    @property
    def strength(self) -> float:
        """1/Ki, or k: what a concentration is multiplied by."""
        value = getattr(self, self.key)
        return 1.0 / value if self.key == "ki_uM" else value

    @property
    def exponent(self) -> float:
        """Hill exponent of the effect."""
        return self.hill


class DrugEntry(Agent):
    """A small molecule or enzyme in solution, uM. One without hits does nothing by itself (a photosensitiser in the dark)."""

    stage: str = "experimental"
    coarsen: Coarsen = 1
    cell_loss: float = quantity("1/min", ge=0)
    plasma_half_life_min: float = quantity("min", gt=0)
    unbound_fraction: float = quantity("1", gt=0, le=1)
    hits: tuple[Hit, ...] = ()

    def row(self) -> dict[str, Any]:
        """What `tme list drugs` shows."""
        hits = [f"{h.target} {h.numbers[h.key].value:g} {h.numbers[h.key].unit}" for h in self.hits]
        return {"about": self.about, "stage": self.stage, "hits": hits, "mw_g_mol": self.mw_g_mol,
                "plasma_half_life_min": self.plasma_half_life_min}  # fmt: skip


class AntibodyEntry(Agent):
    """An antibody, nM. `target` is a receptor or ligand of an axis (`receptors.yaml`), or `field:NAME`, a soluble factor.

    By its Fc part it may deplete a cell type, `depletes`, in proportion to its occupancy.
    """

    target: str = Field(pattern=r"^(field:)?[a-z][a-z0-9_]*$")
    coarsen: Coarsen = 1
    kd_nM: float = quantity("nM", gt=0, default=1.0)
    k_on_per_nM_min: float = quantity("1/(nM min)", gt=0, default=1.0)
    half_life_d: float = quantity("d", gt=0)
    depletes: Name | None = None
    depletion: float = quantity("1", ge=0, le=1, default=0.0)
    field_unit: ClassVar[str] = "nM"

    def row(self) -> dict[str, Any]:
        """What `tme list antibodies` shows."""
        strength = "k_on_per_nM_min" if self.neutralises else "kd_nM"
        return {"about": self.about, "target": self.target, strength: getattr(self, strength), "half_life_d": self.half_life_d}

    def taken_away(self) -> Iterator[tuple[str, str]]:
        """Its target."""
        yield "target", self.target

    @model_validator(mode="after")
    def _one_strength(self) -> AntibodyEntry:
        need, other = ("k_on_per_nM_min", "kd_nM") if self.neutralises else ("kd_nM", "k_on_per_nM_min")
        if need not in self.numbers or other in self.numbers:
            raise ValueError(f"an antibody against {self.target} needs {need} and no {other}")
        if (self.depletes is not None) != ("depletion" in self.numbers) or (self.depletes and self.neutralises):
            raise ValueError("depletion of cells needs `depletes: cell type`, `depletion`, and a receptor or ligand as target")
        return self

    @property
    def neutralises(self) -> str:
        """The field it binds, "" if its target is on cells."""
        return self.target.partition("field:")[2]


class Payload(Part):
    """What a particle carries per unit of its field: a drug, or iron."""

    refers: ClassVar[dict[str, str]] = {"drug": "drugs"}
    drug: Name | None = None
    iron: bool = False
    loading: float = quantity("1", gt=0)
    free_fraction: float = quantity("1", ge=0, le=1, default=1.0)
    labile_fraction: float = quantity("1", ge=0, le=1, default=0.0)
    cap_uM_min: float = quantity("uM/min", ge=0, default=0.0)

    @model_validator(mode="after")
    def _drug_or_iron(self) -> Payload:
        if (self.drug is not None) == self.iron:
            raise ValueError("a payload is either `drug: name` or `iron: true`")
        if self.iron and (self.labile_fraction == 0.0 or self.cap_uM_min == 0.0):
            raise ValueError("an iron payload needs labile_fraction and cap_uM_min")
        return self


class Release(Part):
    """k = k0 + k_ph h(pH) + k_gsh G/(K + G) + k_hypoxia K/(K + O2), h = 1/(1 + 10^(slope (pH - pka)))."""

    k0: float = quantity("1/min", ge=0, default=0.0)
    k_ph: float = quantity("1/min", ge=0, default=0.0)
    pka: float = quantity("pH", ge=0, le=14, default=6.3)
    slope: float = quantity("1/pH", gt=0, default=1.2)
    k_gsh: float = quantity("1/min", ge=0, default=0.0)
    gsh_half_uM: float = quantity("uM", gt=0, default=1000.0)
    k_hypoxia: float = quantity("1/min", ge=0, default=0.0)


class Coat(Part):
    """A protein on a particle's surface that covers a receptor or ligand; Kd in units of the particle's field."""

    target: Name
    kd_uM: float = quantity("uM", gt=0)


class NanoparticleEntry(Agent):
    """A particle platform; its field counts its payload (molar mass `mw_g_mol`), uM."""

    id: Annotated[str, Field(pattern=r"^N\d+$")]
    routes: tuple[Literal["iv", "intratumoral", "depot", "bath"], ...] = ("iv", "intratumoral", "depot", "bath")
    not_modelled: str = ""
    size_nm: float = quantity("nm", gt=0)
    plasma_half_life_min: float = quantity("min", gt=0)
    percent_id: float = quantity("%", gt=0, le=100)
    uptake_tumour: float = quantity("1/min", ge=0)
    uptake_macrophage: float = quantity("1/min", ge=0)
    releases_outside: bool = True
    release: Release
    payloads: tuple[Payload, ...] = Field(min_length=1)
    coat: Coat | None = None

    def taken_away(self) -> Iterator[tuple[str, str]]:
        """What its coat covers."""
        if self.coat is not None:
            yield "coat.target", self.coat.target

    @property
    def iron_terms(self) -> tuple[float, float, float]:
        """(iron per unit of payload, labile fraction, cap uM/min), summed over iron payloads; zeros without iron."""
        iron = [p for p in self.payloads if p.iron]
        if len(iron) == 1:
            return iron[0].loading, iron[0].labile_fraction, iron[0].cap_uM_min
        if not iron:
            return 0.0, 0.0, 0.0
        total, labile = sum(p.loading for p in iron), sum(p.loading * p.labile_fraction for p in iron)
        return total, labile / total, sum(p.cap_uM_min for p in iron)

    def row(self) -> dict[str, Any]:
        """What `tme list nanoparticles` shows."""
        return {"about": self.about, "id": self.id, "payload": [p.drug or "iron" for p in self.payloads], "routes": self.routes,
                "size_nm": self.size_nm, "percent_id": self.percent_id, "not_modelled": self.not_modelled}  # fmt: skip


class CloneEntry(Part):
    """A resistant clone: its share of the founders and its traits relative to the reference cell."""

    share: float = quantity("1", ge=0, le=1)
    traits: dict[Name, Number] = Field(min_length=1)


class TumourEntry(Part):
    """A tumour type: heterogeneity, antigenicity, masses, and what differs in the mechanisms' parameters."""

    about: str
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
        return {"about": self.about, "clones": {n: c.share for n, c in self.clones.items()}, "cv": self.cv,
                "antigenicity": self.antigenicity_mean, "parameters": parameters}  # fmt: skip
