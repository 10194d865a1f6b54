"""What a therapeutic agent is: drugs and what they hit, antibodies; particles: `particles`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError, model_validator

from tme.library.part import KeyFault
from tme.library.rule import Needy, RuleEntry
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


SMALL_HOST_G = 1000.0  # a mouse, not a patient
VERBS = ("raises", "lowers", "adds_to")
OUTSIDE = ("vessel", "pool", "cystine_pool")  # targets that are no term of a cell
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
    "pool": "k_per_uM_min",
}
PRIOR = {"raises": (2.0, (1.25, 4.0)), "lowers": (0.5, (0.25, 0.8))}  # factor and range of a direction known from a review only


class Hit(Needy):
    """What a drug hits: a target in short with its strength (Ki for reversible inhibitors, k for the rest), or a rule.

    A hit without `target` is a rule on any term (`library.hits`): raises, lowers or adds_to, with to and half, or slope;
    `in` says in which cell types; if nothing is said, in all that run the pathway of the term, else in tumour cells. The target `vessel` is a substance in blood, named by
    `field`: what vessels bring of it is divided by 1 + c/Ki, c the drug's level in plasma (an enzyme that works in blood).
    `pool` is a substance in tissue, named likewise, which an enzyme removes at k c. `lag_h` gives an effect a memory.
    `needs: {field: glucose, half: ...}`: the drug acts only as far as that substance is there (`library.rule.Need`).
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
    lag_h: float | None = quantity("h", ge=0, default=None)
    source: str = ""

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
            if self.response != "linear" and (self.to is None or self.half is None):
                raise ValueError("a hit that is a rule needs to and half; of the drug ec50_uM, and source where it raises or lowers, stand for them")
            return self._sound_as_rule()
        if verbs or self.to is not None or self.half is not None or self.slope is not None:
            raise ValueError("a hit on a target takes its strength alone; raises, lowers and adds_to make a rule without target")
        if strengths != [STRENGTH[self.target]]:
            raise ValueError(f"a hit on {self.target} needs {STRENGTH[self.target]} and no other strength")
        if self.hill != 1.0 and STRENGTH[self.target] != "ki_uM":
            raise ValueError(f"a hit on {self.target} is in proportion to the drug and takes no hill")
        if (self.field is not None) != (self.target in ("vessel", "pool")):
            raise ValueError("a hit on vessel or pool names the substance, `field: cystine`; hits on other targets have none")
        if self.needs is not None and self.target in OUTSIDE:
            raise KeyFault("needs", f"a hit on {self.target} takes a substance in proportion to what there is and needs no other")
        if self.lag_h:
            raise ValueError(f"a hit on {self.target} acts at once; a rule without target may have a lag_h")
        return self

    def _sound_as_rule(self) -> Hit:
        """The hit, if it is a sound rule: on the right side of 1, with a slope only where it is linear."""
        raw = {**self.rule, "in": self.cells or ("tumour",), "signal": "drug.any", "evidence": "supported", "source": "a hit"}
        try:
            RuleEntry.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            key, said = getattr(first.get("ctx", {}).get("error"), "key", ""), first["msg"].removeprefix("Value error, ")
            raise (KeyFault(key, said) if key else ValueError(said)) from None
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
        raw |= {k: self.numbers[k].model_dump(exclude_none=True) for k in ("to", "half", "hill", "slope", "lag_h") if k in self.numbers}
        return {**raw, "response": self.response, **self.needed}

    @property
    def needed(self) -> dict[str, Any]:
        """What it needs, as a rule is written."""
        return {} if self.needs is None else {"needs": self.needs.raw}


def _complete(hit: dict[str, Any], drug: dict[str, Any]) -> dict[str, Any]:
    """A hit as written, with the drug's EC50 and the common prior where it states neither."""
    verb = next((v for v in VERBS if v in hit), None)
    if verb is None or hit.get("response") == "linear" or "slope" in hit:
        return hit
    out = dict(hit)
    if "half" not in hit and isinstance(drug.get("ec50_uM"), dict):
        out["half"] = drug["ec50_uM"]
    review = hit.get("source") or drug.get("source")
    if "to" not in hit and verb in PRIOR and review:
        value, between = PRIOR[verb]
        out["to"] = {"value": value, "unit": "1", "range": list(between), "status": "assumed", "source": f"assumed: direction from {review} only"}
    return out


class DrugEntry(Agent):
    """A small molecule or enzyme in solution, uM. One without hits does nothing by itself (a photosensitiser in the dark).

    Cells that resist the drug's `family`, or pump out what is `effluxed`, hold less of it (`tumour.clones.NAME.resists`).
    Beyond `solubility_uM` free drug in plasma is not dissolved. A hit that states no `half` has the drug's `ec50_uM`, one
    that raises or lowers and states no `to` the factor of a direction that only a review tells; `source` names the review.
    """

    stage: str = "experimental"
    indication: str = ""
    family: Name | None = None
    effluxed: bool = False
    coarsen: Coarsen = 1
    cell_loss: float = quantity("1/min", ge=0)
    plasma_half_life_min: float = quantity("min", gt=0)
    unbound_fraction: float = quantity("1", gt=0, le=1)
    solubility_uM: float | None = quantity("uM", gt=0, default=None)
    ec50_uM: float | None = quantity("uM", gt=0, default=None)
    hits: tuple[Hit, ...] = ()
    source: str = ""

    field_tolerance: ClassVar[float | None] = 5e-3

    @classmethod
    def completed(cls, data: dict[str, Any]) -> dict[str, Any]:
        """With what its hits leave to the drug."""
        hits = data.get("hits")
        if not isinstance(hits, (list, tuple)):
            return data
        return {**data, "hits": [_complete(hit, data) if isinstance(hit, dict) else hit for hit in hits]}

    def resisted(self, resists: Mapping[str, float]) -> float:
        """By how much a clone's resistances lower the drug in its cells: c/(1 + r)."""
        return (resists.get("efflux", 0.0) if self.effluxed else 0.0) + resists.get(self.family or "", 0.0)

    @property
    def taken_up(self) -> bool:
        """Whether cells bind or lose it."""
        return self.cell_loss > 0.0

    def row(self) -> dict[str, Any]:
        """What `tme list drugs` shows."""
        hits = [h.said for h in self.hits]
        return {"about": self.about, "ids": self.ids, "stage": self.stage, "indication": self.indication, "hits": hits,
                "mw_g_mol": self.mw_g_mol, "plasma_half_life_min": self.plasma_half_life_min}  # fmt: skip


class Sink(Part):
    """How cells take in antibody that is bound to their ligand: ligands on a cell that shows all it can, uptake of the complex."""

    receptors: float = quantity("1", ge=0)
    internalised_per_min: float = quantity("1/min", ge=0)


class AntibodyEntry(Agent):
    """An antibody, nM. `target` is a receptor or ligand of an axis (`receptors.yaml`), or `field:NAME`, a soluble factor.

    By its Fc part it may deplete a cell type, `depletes`, in proportion to its occupancy. A mouse clears a human antibody
    faster: `half_life_mouse_d`, where given, holds in hosts below 1 kg. Cells take in what is bound to a ligand on them: `sink`.
    """

    refers: ClassVar[dict[str, str]] = {"depletes": "cells"}
    target: str = Field(pattern=r"^(field:)?[a-z][a-z0-9_]*$")
    coarsen: Coarsen = 1
    kd_nM: float = quantity("nM", gt=0, default=1.0)
    k_on_per_nM_min: float = quantity("1/(nM min)", gt=0, default=1.0)
    half_life_d: float = quantity("d", gt=0)
    half_life_mouse_d: float | None = quantity("d", gt=0, default=None)
    depletes: Name | None = None
    depletion: float = quantity("1", ge=0, le=1, default=0.0)
    sink: Sink | None = None
    field_unit: ClassVar[str] = "nM"

    def row(self) -> dict[str, Any]:
        """What `tme list antibodies` shows."""
        strength = "k_on_per_nM_min" if self.neutralises else "kd_nM"
        return {"about": self.about, "ids": self.ids, "target": self.target, strength: getattr(self, strength), "half_life_d": self.half_life_d,
                "half_life_mouse_d": self.half_life_mouse_d}  # fmt: skip

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
        if self.sink is not None and self.neutralises:
            raise ValueError("a sink needs a ligand on cells as target; a soluble factor takes no antibody in")
        return self

    @property
    def internalised(self) -> float:
        """Molecules per min that a cell takes in at most, which shows all it can of the ligand."""
        return self.sink.receptors * self.sink.internalised_per_min if self.sink is not None else 0.0

    def half_life_in(self, host_g: float) -> float:
        """Half-life in plasma of a host of that mass, d."""
        return self.half_life_mouse_d if self.half_life_mouse_d is not None and host_g < SMALL_HOST_G else self.half_life_d

    @property
    def neutralises(self) -> str:
        """The field it binds, "" if its target is on cells."""
        return self.target.partition("field:")[2]
