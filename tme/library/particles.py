"""What a particle platform is: size, coat, ligand, carrier, release law and payloads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from tme.library.agents import Agent
from tme.library.schema import Name, Part, quantity


class Payload(Part):
    """What a particle carries per unit of its field: a drug, or iron.

    `free_fraction` is the share of the released drug that acts; left out, it is the drug's unbound fraction, since a
    drug whose volume of distribution is that of body water is bound in tissue as it is in plasma.
    """

    refers: ClassVar[dict[str, str]] = {"drug": "drugs"}
    drug: Name | None = None
    iron: bool = False
    loading: float = quantity("1", gt=0)
    free_fraction: float | None = quantity("1", ge=0, le=1, default=None)
    labile_fraction: float = quantity("1", ge=0, le=1, default=0.0)
    cap_uM_min: float = quantity("uM/min", ge=0, default=0.0)

    @model_validator(mode="after")
    def _drug_or_iron(self) -> Payload:
        if (self.drug is not None) == self.iron:
            raise ValueError("a payload is either `drug: name` or `iron: true`")
        if self.iron and (self.labile_fraction == 0.0 or self.cap_uM_min == 0.0):
            raise ValueError("an iron payload needs labile_fraction and cap_uM_min")
        return self


class Stage(Part):
    """Triggers of release and how they combine (`therapy.release`). Each has a rate k and a level at which it is half on.

    acid, GSH, lipid peroxide, lack of oxygen and glucose act where the particle is; light and sound while an event of
    that kind is on. `combine: any` adds the rates up, `all` needs every trigger at once.
    """

    combine: Literal["any", "all"] = "any"
    k0: float = quantity("1/min", ge=0, default=0.0)
    k_ph: float = quantity("1/min", ge=0, default=0.0)
    pka: float = quantity("pH", ge=0, le=14, default=6.3)
    slope: float = quantity("1/pH", gt=0, default=1.2)
    k_gsh: float = quantity("1/min", ge=0, default=0.0)
    gsh_half_uM: float = quantity("uM", gt=0, default=1000.0)
    k_hypoxia: float = quantity("1/min", ge=0, default=0.0)
    k_ros: float = quantity("1/min", ge=0, default=0.0)
    ros_half_uM: float = quantity("uM", gt=0, default=0.5)
    k_glucose: float = quantity("1/min", ge=0, default=0.0)
    glucose_half_mM: float = quantity("mM", gt=0, default=1.0)
    k_light: float = quantity("1/min", ge=0, default=0.0)
    light_half_mw_cm2: float = quantity("mW/cm^2", gt=0, default=50.0)
    k_sound: float = quantity("1/min", ge=0, default=0.0)

    @property
    def triggers(self) -> tuple[str, ...]:
        """What sets the payload free, by short name."""
        return tuple(name for name in TRIGGERS if getattr(self, f"k_{name}") > 0.0)

    @property
    def plain(self) -> bool:
        """Whether the compiled law of acid, GSH and hypoxia, which add up, says it all."""
        return self.combine == "any" and not set(self.triggers) & set(TRIGGERS[3:])


TRIGGERS = ("ph", "gsh", "hypoxia", "ros", "glucose", "light", "sound")


class Release(Stage):
    """The release law. With `opens` it has two stages: what opens the particle, and what then sets the payload free."""

    opens: Stage | None = None


class Coat(Part):
    """A protein on a particle's surface that covers a receptor or ligand; Kd in units of the particle's field."""

    target: Name
    kd_uM: float = quantity("uM", gt=0)


class Ligand(Part):
    """What a particle's surface binds, and how many times more of it tumour cells then take up."""

    binds: str
    fold: float = quantity("1", ge=1)


class NanoparticleEntry(Agent):
    """A particle platform; its field counts its payload (molar mass `mw_g_mol`), uM.

    `carried_by` is a cell type that brings it: what would leak from vessels comes where such cells are. `normal_leak` is the share of
    what a vessel in or near the tumour lets through that a vessel of normal tissue does; unless given, the same.
    """

    refers: ClassVar[dict[str, str]] = {"carried_by": "cells"}
    words: ClassVar[frozenset[str]] = Part.words | {"id"}

    id: Annotated[str, Field(pattern=r"^N\d+$")]
    routes: tuple[Literal["iv", "intratumoral", "depot", "bath"], ...] = ("iv", "intratumoral", "depot", "bath")
    not_modelled: str = ""
    size_nm: float = quantity("nm", gt=0)
    plasma_half_life_min: float = quantity("min", gt=0)
    percent_id: float = quantity("%", gt=0, le=100)
    normal_leak: float | None = quantity("1", ge=0, le=1, default=None)
    uptake_tumour: float = quantity("1/min", ge=0)
    uptake_macrophage: float = quantity("1/min", ge=0)
    releases_outside: bool = True
    release: Release
    payloads: tuple[Payload, ...] = Field(min_length=1)
    coat: Coat | None = None
    ligand: Ligand | None = None
    carried_by: Name | None = None

    @model_validator(mode="after")
    def _stages(self) -> NanoparticleEntry:
        if self.release.opens is not None and self.releases_outside:
            raise ValueError("a particle of two stages opens in cells: it needs `releases_outside: false`")
        return self

    @property
    def tumour_uptake(self) -> float:
        """Uptake by a tumour cell, 1/min, with its ligand."""
        return self.uptake_tumour * (self.ligand.fold if self.ligand is not None else 1.0)

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
        staged = f"{' '.join(self.release.opens.triggers)}, then " if self.release.opens is not None else ""
        return {"about": self.about, "id": self.id, "ids": self.stands_for, "payload": [p.drug or "iron" for p in self.payloads],
                "release": staged + f" {'+' if self.release.combine == 'all' else 'or'} ".join(self.release.triggers), "routes": self.routes,
                "size_nm": self.size_nm, "percent_id": self.percent_id, "not_modelled": self.not_modelled}  # fmt: skip
