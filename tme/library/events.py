"""What an event is: something that happens at a time and a place and acts on cells or on terms of their laws.

An entry has a `kind`, which says what it does, and the numbers of that kind. `signals` are what it leaves behind
for rules to read as `event.NAME`: name -> (unit, half-life in minutes).
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from tme.library.part import KeyFault
from tme.library.schema import Name, Number, Part, quantity


class Radiosensitivity(Part):
    """Linear-quadratic parameters of one cell type in full oxygen."""

    alpha_per_gy: float = quantity("1/Gy", ge=0)
    beta_per_gy2: float = quantity("1/Gy^2", ge=0)


class EventEntry(Part):
    """What all events share. `needs` and `takes` are keys of an event in an arm: those it must have, and others it may."""

    about: str
    kind: str
    ids: tuple[str, ...] = ()  # of mechanisms that it stands for
    needs: ClassVar[tuple[str, ...]] = ()
    takes: ClassVar[tuple[str, ...]] = ("place",)
    places: ClassVar[tuple[str, ...]] = ("everywhere", "tumour", "ball", "box")
    one_of: ClassVar[tuple[str, ...]] = ()  # keys of which an event has just one
    before_start: ClassVar[bool] = False  # whether it may lie before the run

    @model_validator(mode="wrap")
    @classmethod
    def _by_kind(cls, data: Any, handler: Any) -> Any:
        """The entry of the kind that the data names."""
        if cls is not EventEntry or not isinstance(data, dict):
            return handler(data)
        kind = str(data.get("kind"))
        if kind not in EVENT_KINDS:
            near = get_close_matches(kind, EVENT_KINDS, 1)
            raise ValueError(f"kind is '{kind}', not one of {', '.join(EVENT_KINDS)}" + "".join(f"; did you mean '{n}'?" for n in near))
        return EVENT_KINDS[kind].model_validate(data)

    @classmethod
    def model_of(cls, raw: Any) -> type[Part]:
        """The model of the entry's `kind`; this one where there is no such kind."""
        return EVENT_KINDS.get(str(raw.get("kind")), cls)

    def row(self) -> dict[str, Any]:
        """What `tme list events` shows."""
        return {"about": self.about, "kind": self.kind, "an arm gives": [*self.needs, *self.takes, "day"], "places": self.places}

    def signals(self, name: str) -> dict[str, tuple[str, float]]:
        """Signals of the entry of this name; none unless the kind says so."""
        return {}


class RadiationEntry(EventEntry):
    """One fraction of ionising radiation: linear-quadratic kill with the oxygen effect, and what it leaves in cells."""

    kind: Literal["radiation"]
    oer_max: float = quantity("1", ge=1)
    oer_k_mmHg: float = quantity("mmHg", gt=0)
    cells: dict[Name, Radiosensitivity] = Field(min_length=1)
    death_half_life_h: float = quantity("h", gt=0)
    memory_half_life_h: float = quantity("h", gt=0)
    ros_half_life_h: float = quantity("h", gt=0)
    needs: ClassVar[tuple[str, ...]] = ("dose_gy",)

    def signals(self, name: str) -> dict[str, tuple[str, float]]:
        """The dose that transcription remembers, and the oxidants left of it, both after the oxygen effect."""
        return {name: ("Gy", self.memory_half_life_h * 60.0), f"{name}_ros": ("Gy", self.ros_half_life_h * 60.0)}


class OxidantEntry(EventEntry):
    """Light or sound on a sensitiser: oxidants from power, drug and oxygen, and the death that many of them bring."""

    sensitiser: Name
    k_o2_mmHg: float = quantity("mmHg", gt=0)
    o2_uM_per_mmHg: float = quantity("uM/mmHg", gt=0)
    lethal_uM: float = quantity("uM", gt=0)
    steepness: float = quantity("1", gt=0)
    half_life_min: float = quantity("min", gt=0)
    refers: ClassVar[dict[str, str]] = {"sensitiser": "drugs"}

    def signals(self, name: str) -> dict[str, tuple[str, float]]:
        """Oxidants that have reacted, uM of the voxel, as far as they are not yet repaired."""
        return {name: ("uM", self.half_life_min)}

    def power(self, item: Any) -> float:
        """What an event of an arm brings: a fluence rate, or an intensity."""
        raise NotImplementedError(self.kind)

    @property
    def oxidants_per_power(self) -> float:
        """Share of the sensitiser that reacts in a second of full oxygen, per unit of power."""
        raise NotImplementedError(self.kind)


class LightEntry(OxidantEntry):
    """Light: it fades with depth."""

    kind: Literal["light"]
    yield_cm2_mj: float = quantity("cm^2/mJ", gt=0)
    attenuation_um: float = quantity("um", gt=0)
    needs: ClassVar[tuple[str, ...]] = ("fluence_mw_cm2", "minutes")
    takes: ClassVar[tuple[str, ...]] = ("place", "sensitiser", "enters")

    def power(self, item: Any) -> float:
        """Fluence rate."""
        return item.fluence_mw_cm2

    @property
    def oxidants_per_power(self) -> float:
        """`yield_cm2_mj`."""
        return self.yield_cm2_mj


class SoundEntry(OxidantEntry):
    """Ultrasound: it reaches all of a tumour alike."""

    kind: Literal["sound"]
    yield_cm2_j: float = quantity("cm^2/J", gt=0)
    needs: ClassVar[tuple[str, ...]] = ("intensity_w_cm2", "minutes")
    takes: ClassVar[tuple[str, ...]] = ("place", "sensitiser")

    def power(self, item: Any) -> float:
        """Intensity."""
        return item.intensity_w_cm2

    @property
    def oxidants_per_power(self) -> float:
        """`yield_cm2_j`."""
        return self.yield_cm2_j


class HeatEntry(EventEntry):
    """Heat: a thermal dose in minutes at 43 C, the death that it brings, and more blood in warm vessels.

    An arm states the temperature, or light that an absorber (a drug, or what particles have let go) turns into heat.
    """

    kind: Literal["heat"]
    sensitiser: Name
    warming_cm2_mw_uM: float = quantity("K cm^2/(mW uM)", gt=0)
    hottest_c: float = quantity("C", gt=43, le=100)
    body_c: float = quantity("C", gt=30, lt=43)
    r_above: float = quantity("1", gt=0, lt=1)
    r_below: float = quantity("1", gt=0, lt=1)
    lethal_min: float = quantity("min", gt=0)
    steepness: float = quantity("1", gt=0)
    necrosis_c: float = quantity("C", gt=40)
    half_life_h: float = quantity("h", gt=0)
    perfusion: float = quantity("1", ge=0)
    perfusion_half_life_h: float = quantity("h", gt=0)
    refers: ClassVar[dict[str, str]] = {"sensitiser": "drugs"}
    needs: ClassVar[tuple[str, ...]] = ("minutes",)
    takes: ClassVar[tuple[str, ...]] = ("place", "celsius", "fluence_mw_cm2", "sensitiser")
    one_of: ClassVar[tuple[str, ...]] = ("celsius", "fluence_mw_cm2")

    def signals(self, name: str) -> dict[str, tuple[str, float]]:
        """The thermal dose, as far as it is not yet repaired."""
        return {name: ("min", self.half_life_h * 60.0)}


class KillShareEntry(EventEntry):
    """A stated share of the living tumour cells dies at once and leaves ordinary corpses."""

    kind: Literal["kill_share"]
    cause: Literal["apoptosis", "necrosis", "immune", "ferroptosis"] = "apoptosis"
    needs: ClassVar[tuple[str, ...]] = ("share",)


class CellTransferEntry(EventEntry):
    """Cells of a type are given and enter the tissue."""

    kind: Literal["cell_transfer"]
    needs: ClassVar[tuple[str, ...]] = ("cells",)
    takes: ClassVar[tuple[str, ...]] = ("place", "count", "per_mm2")
    places: ClassVar[tuple[str, ...]] = ("vessels", "everywhere", "tumour", "ball", "box")


class ResectionEntry(EventEntry):
    """Surgery: what lies in a place is taken out, corpses and particles too; a margin widens or narrows the place."""

    kind: Literal["resection"]
    takes: ClassVar[tuple[str, ...]] = ("place", "margin_um", "share")
    places: ClassVar[tuple[str, ...]] = ("tumour", "ball", "box")


class ImplantEntry(EventEntry):
    """Tumour cells of the founders' kind are put into a place: a challenge, or a challenge again after a cure."""

    kind: Literal["implant"]
    needs: ClassVar[tuple[str, ...]] = ("count",)
    takes: ClassVar[tuple[str, ...]] = ("place",)
    places: ClassVar[tuple[str, ...]] = ("everywhere", "ball")


class VaccinationEntry(EventEntry):
    """Dying tumour cells are injected elsewhere and prime T cells in a lymph node, of which some stay as memory.

    How well they prime depends on the death (`quality`) and on how long ago it was: 1/(1 + (age/half)^steepness).
    """

    kind: Literal["vaccination"]
    quality: dict[Name, Number] = Field(min_length=1)
    half_age_h: float = quantity("h", gt=0)
    steepness: float = quantity("1", gt=0)
    delay_d: float = quantity("d", gt=0)
    gain: float = quantity("1", ge=0)
    memory: float = quantity("1", ge=0)
    needs: ClassVar[tuple[str, ...]] = ("cause", "age_h")
    takes: ClassVar[tuple[str, ...]] = ("share",)
    places: ClassVar[tuple[str, ...]] = ()
    before_start: ClassVar[bool] = True

    @model_validator(mode="after")
    def _qualities(self) -> VaccinationEntry:
        for death, number in self.quality.items():
            if number.value < 0.0 or number.unit != "1":
                raise KeyFault(f"quality.{death}", f"is {number.value:g} {number.unit}; expected 0 or more, unit: 1")
        return self

    def immunity(self, item: Any) -> float:
        """What a dose of cells primes, 1 for fresh cells of quality 1."""
        age = (item.age_h / self.half_age_h) ** self.steepness
        return (1.0 if item.share is None else item.share) * float(self.quality[item.cause].value) / (1.0 + age)


EVENT_KINDS: dict[str, type[EventEntry]] = {
    "radiation": RadiationEntry,
    "light": LightEntry,
    "sound": SoundEntry,
    "heat": HeatEntry,
    "resection": ResectionEntry,
    "implant": ImplantEntry,
    "vaccination": VaccinationEntry,
    "kill_share": KillShareEntry,
    "cell_transfer": CellTransferEntry,
}
