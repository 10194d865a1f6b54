"""The entries of the library: fields, drugs, antibodies, nanoparticles, tumours, each a `Part` (library.part)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from tme.library.part import Number, Part, address, quantity  # noqa: F401  # looked up here

Mode = Literal["quasi_steady", "backward_euler"]
Coarsen = Literal[1, 2, 4]  # how many lattice voxels wide the voxels are on which a field is solved
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


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
}


class Hit(Part):
    """One target of a drug with its strength: Ki for reversible inhibitors, k for the rest."""

    target: Literal[tuple(STRENGTH)]  # type: ignore[valid-type]
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
    """A small molecule or enzyme in solution, uM."""

    stage: str = "experimental"
    coarsen: Coarsen = 1
    cell_loss: float = quantity("1/min", ge=0)
    plasma_half_life_min: float = quantity("min", gt=0)
    unbound_fraction: float = quantity("1", gt=0, le=1)
    hits: tuple[Hit, ...] = Field(min_length=1)

    def row(self) -> dict[str, Any]:
        """What `tme list drugs` shows."""
        hits = [f"{h.target} {h.numbers[h.key].value:g} {h.numbers[h.key].unit}" for h in self.hits]
        return {"about": self.about, "stage": self.stage, "hits": hits, "mw_g_mol": self.mw_g_mol,
                "plasma_half_life_min": self.plasma_half_life_min}  # fmt: skip


class AntibodyEntry(Agent):
    """A checkpoint antibody, nM."""

    target: Literal["pdl1", "pd1", "ctla4"]
    coarsen: Coarsen = 1
    kd_nM: float = quantity("nM", gt=0)
    half_life_d: float = quantity("d", gt=0)
    treg_depletion: float = quantity("1", ge=0, default=0.0)
    field_unit: ClassVar[str] = "nM"

    def row(self) -> dict[str, Any]:
        """What `tme list antibodies` shows."""
        return {"about": self.about, "target": self.target, "kd_nM": self.kd_nM, "half_life_d": self.half_life_d}


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


class NanoparticleEntry(Agent):
    """A particle platform; its field counts its payload (molar mass `mw_g_mol`), uM."""

    id: Annotated[str, Field(pattern=r"^N\d+$")]
    routes: tuple[Literal["iv", "intratumoral"], ...] = ("iv", "intratumoral")
    not_modelled: str = ""
    size_nm: float = quantity("nm", gt=0)
    plasma_half_life_min: float = quantity("min", gt=0)
    percent_id: float = quantity("%", gt=0, le=100)
    uptake_tumour: float = quantity("1/min", ge=0)
    uptake_macrophage: float = quantity("1/min", ge=0)
    releases_outside: bool = True
    release: Release
    payloads: tuple[Payload, ...] = Field(min_length=1)

    @property
    def iron_terms(self) -> tuple[float, float, float]:
        """(iron per unit of payload, labile fraction, cap uM/min); zeros without iron."""
        for p in self.payloads:
            if p.iron:
                return p.loading, p.labile_fraction, p.cap_uM_min
        return 0.0, 0.0, 0.0

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
