"""What an event is: something that happens at a time and a place and acts on cells or on terms of their laws.

An entry has a `kind`, which says what it does, and the numbers of that kind. `signals` are what it leaves behind
for rules to read as `event.NAME`: name -> (unit, half-life in minutes).
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from tme.library.schema import Name, Part, quantity


class Radiosensitivity(Part):
    """Linear-quadratic parameters of one cell type in full oxygen."""

    alpha_per_gy: float = quantity("1/Gy", ge=0)
    beta_per_gy2: float = quantity("1/Gy^2", ge=0)


class EventEntry(Part):
    """What all events share. `needs` and `takes` are keys of an event in an arm: those it must have, and others it may."""

    about: str
    kind: str
    needs: ClassVar[tuple[str, ...]] = ()
    takes: ClassVar[tuple[str, ...]] = ("place",)
    places: ClassVar[tuple[str, ...]] = ("everywhere", "tumour", "ball", "box")

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


class LightEntry(EventEntry):
    """Light on a photosensitiser: oxidants from light, drug and oxygen, and the death that many of them bring."""

    kind: Literal["light"]
    sensitiser: Name
    yield_cm2_mj: float = quantity("cm^2/mJ", gt=0)
    k_o2_mmHg: float = quantity("mmHg", gt=0)
    o2_uM_per_mmHg: float = quantity("uM/mmHg", gt=0)
    attenuation_um: float = quantity("um", gt=0)
    lethal_uM: float = quantity("uM", gt=0)
    steepness: float = quantity("1", gt=0)
    half_life_min: float = quantity("min", gt=0)
    refers: ClassVar[dict[str, str]] = {"sensitiser": "drugs"}
    needs: ClassVar[tuple[str, ...]] = ("fluence_mw_cm2", "minutes")
    takes: ClassVar[tuple[str, ...]] = ("place", "sensitiser", "enters")

    def signals(self, name: str) -> dict[str, tuple[str, float]]:
        """Oxidants that have reacted, uM of the voxel, as far as they are not yet repaired."""
        return {name: ("uM", self.half_life_min)}


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


EVENT_KINDS: dict[str, type[EventEntry]] = {
    "radiation": RadiationEntry,
    "light": LightEntry,
    "kill_share": KillShareEntry,
    "cell_transfer": CellTransferEntry,
}
