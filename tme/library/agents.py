"""What a therapeutic agent is: drugs and what they hit, antibodies, particles and their payloads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from tme.library.schema import Coarsen, FieldEntry, Mode, Name, Part, quantity

MechanismId = Annotated[str, Field(pattern=r"^[MDN]\d+$")]


class Agent(Part):
    """Common to all therapeutic agents: identity, transport, plasma half-life.

    `ids` are the rows of the inventory of mechanisms that it stands for.
    """

    about: str
    ids: tuple[MechanismId, ...] = ()
    mode: Mode = "backward_euler"
    clock_min: float = quantity("min", gt=0)
    diffusion: float = quantity("um^2/min", ge=0)
    decay: float = quantity("1/min", ge=0)
    mw_g_mol: float = quantity("g/mol", gt=0)
    volume_l_kg: float = quantity("L/kg", gt=0)
    vessel_exchange: float = quantity("1/min", ge=0)

    field_unit: ClassVar[str] = "uM"
    field_tolerance: ClassVar[float | None] = None  # of a solve

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
            uptake="linear" if self.taken_up else "none",
            tolerance=self.field_tolerance,
        )

    @property
    def taken_up(self) -> bool:
        """Whether cells take it up."""
        return False

    @property
    def stands_for(self) -> tuple[str, ...]:
        """Rows of the inventory of mechanisms."""
        return self.ids


VERBS = ("raises", "lowers", "adds_to")
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
    """What a drug hits: a target in short with its strength (Ki for reversible inhibitors, k for the rest), or a rule.

    A hit without `target` is a rule on any term (`library.hits`): raises, lowers or adds_to, with to and half, or slope;
    `in` says in which cell types; if nothing is said, in all that run the pathway of the term, else in tumour cells. The target `vessel` is a substance in blood, named by
    `field`: what vessels bring of it is divided by 1 + c/Ki, c the drug's level in plasma (an enzyme that works in blood).
    """

    refers: ClassVar[dict[str, str]] = {"field": "fields"}
    target: Literal[tuple(STRENGTH)] | None = None  # type: ignore[valid-type]
    cells: tuple[Name, ...] = ()
    field: Name | None = None
    ki_uM: float | None = quantity("uM", gt=0, default=None)
    k_per_uM_min: float | None = quantity("1/(uM min)", ge=0, default=None)
    k_per_uM: float | None = quantity("1/uM", ge=0, default=None)
    k_per_min: float | None = quantity("1/min", ge=0, default=None)
    hill: float = quantity("1", gt=0, default=1.0)
    raises: str | None = None
    lowers: str | None = None
    adds_to: str | None = None
    response: Literal["hill", "falling", "linear"] = "hill"
    to: float | None = quantity("*", default=None)
    half: float | None = quantity("uM", gt=0, default=None)
    slope: float | None = quantity("*", default=None)

    @model_validator(mode="before")
    @classmethod
    def _in(cls, data: Any) -> Any:
        """`in` is a word of Python; here it is `cells`."""
        if isinstance(data, dict) and "in" in data:
            data = dict(data)
            named = data.pop("in")
            data["cells"] = (named,) if isinstance(named, str) else tuple(named)
        return data

    @model_validator(mode="after")
    def _one_strength(self) -> Hit:
        strengths = [k for k in ("ki_uM", "k_per_uM_min", "k_per_uM", "k_per_min") if getattr(self, k) is not None]
        verbs = [k for k in VERBS if getattr(self, k) is not None]
        if self.target is None:
            if len(verbs) != 1 or strengths:
                raise ValueError("a hit has a target with its strength, or one of raises, lowers, adds_to")
            return self
        if verbs or self.to is not None or self.half is not None or self.slope is not None:
            raise ValueError("a hit on a target takes its strength alone; raises, lowers and adds_to make a rule without target")
        if strengths != [STRENGTH[self.target]]:
            raise ValueError(f"a hit on {self.target} needs {STRENGTH[self.target]} and no other strength")
        if self.hill != 1.0 and STRENGTH[self.target] != "ki_uM":
            raise ValueError(f"a hit on {self.target} is in proportion to the drug and takes no hill")
        if (self.field is not None) != (self.target == "vessel"):
            raise ValueError("a hit on vessel names the substance, `field: cystine`; hits on other targets have none")
        return self

    @property
    def key(self) -> str:
        """Name of the strength this target takes."""
        return STRENGTH[self.target or ""]

    @property
    def strength(self) -> float:
        """1/Ki, or k: what a concentration is multiplied by."""
        value = getattr(self, self.key)
        return 1.0 / value if self.key == "ki_uM" else value

    @property
    def exponent(self) -> float:
        """Hill exponent of the effect."""
        return self.hill

    @property
    def said(self) -> str:
        """The hit in a few words."""
        if self.target is not None:
            number = self.numbers[self.key]
            return f"{self.target} {number.value:g} {number.unit}"
        return " ".join(f"{verb} {getattr(self, verb)}" for verb in VERBS if getattr(self, verb))

    @property
    def rule(self) -> dict[str, Any]:
        """What a hit without target says, as a rule is written."""
        raw: dict[str, Any] = {k: getattr(self, k) for k in VERBS if getattr(self, k) is not None}
        raw |= {k: self.numbers[k].model_dump(exclude_none=True) for k in ("to", "half", "hill", "slope") if k in self.numbers}
        return {**raw, "response": self.response}


class DrugEntry(Agent):
    """A small molecule or enzyme in solution, uM. One without hits does nothing by itself (a photosensitiser in the dark)."""

    stage: str = "experimental"
    indication: str = ""
    coarsen: Coarsen = 1
    cell_loss: float = quantity("1/min", ge=0)
    plasma_half_life_min: float = quantity("min", gt=0)
    unbound_fraction: float = quantity("1", gt=0, le=1)
    hits: tuple[Hit, ...] = ()

    field_tolerance: ClassVar[float | None] = 5e-3

    @property
    def taken_up(self) -> bool:
        """Whether cells bind or lose it."""
        return self.cell_loss > 0.0

    def row(self) -> dict[str, Any]:
        """What `tme list drugs` shows."""
        hits = [h.said for h in self.hits]
        return {"about": self.about, "ids": self.ids, "stage": self.stage, "indication": self.indication, "hits": hits,
                "mw_g_mol": self.mw_g_mol, "plasma_half_life_min": self.plasma_half_life_min}  # fmt: skip


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
        return {"about": self.about, "ids": self.ids, "target": self.target, strength: getattr(self, strength), "half_life_d": self.half_life_d}

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

    @property
    def taken_up(self) -> bool:
        """Cells take particles up."""
        return True

    @property
    def stands_for(self) -> tuple[str, ...]:
        """Its own id, then the others."""
        return (self.id, *(mid for mid in self.ids if mid != self.id))

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
        return {"about": self.about, "id": self.id, "ids": self.stands_for, "payload": [p.drug or "iron" for p in self.payloads], "routes": self.routes,
                "size_nm": self.size_nm, "percent_id": self.percent_id, "not_modelled": self.not_modelled}  # fmt: skip
