"""What an arm gives: agents and events with their schedules, routes, doses and places."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from tme.config.base import Count, Days, Model, NotNegative, Num, Point, Positive, Share, many


class Scheduled(Model):
    """On which days: `day`, or from `day` on every `every_d` days until `until_d` (or the end)."""

    name: str
    day: Days
    every_d: Positive | None = None
    until_d: Num | None = None


class Given(Scheduled):
    """How much of an agent, and by which way.

    iv: into blood. intratumoral: at once into the tumour, `radius_um` around `centre_um` (default the tumour's
    middle, a third of its radius). depot: there too, released by first order with `release_per_h`. bath: the
    concentration held everywhere from that day on. `dose_mg` is `dose_mg_kg` of the stated mouse.
    """

    route: Literal["iv", "intratumoral", "depot", "bath"] = "iv"
    dose_mg_kg: NotNegative | None = None
    dose_mg: NotNegative | None = None
    release_per_h: Positive | None = None
    centre_um: Point | None = None
    radius_um: Positive | None = None


class DrugDose(Given):
    """A drug; a bath holds `bath_uM`."""

    day: Days = (0.0,)
    bath_uM: NotNegative | None = None


class AntibodyDose(Given):
    """A checkpoint antibody; a bath holds `bath_nM`."""

    bath_nM: NotNegative | None = None


class ParticleDose(Given):
    """A nanoparticle platform; dose and bath count its payload."""

    bath_uM: NotNegative | None = None


class Place(Model):
    """Where an event happens: `ball` (a disc in 2D) around a centre, `box` between two corners, or a word."""

    kind: Literal["everywhere", "tumour", "vessels", "ball", "box"]
    centre_um: Point | None = None
    radius_um: Positive | None = None
    from_um: Point | None = None
    to_um: Point | None = None


def _place(value: Any) -> Any:
    """A word is a kind of place."""
    return {"kind": value} if isinstance(value, str) else value


class EventDose(Scheduled):
    """An event of the library; which keys it needs and takes depends on its kind (`library.events`)."""

    dose_gy: NotNegative | None = None
    fluence_mw_cm2: Positive | None = None
    intensity_w_cm2: Positive | None = None
    celsius: Positive | None = None
    minutes: Positive | None = None
    sensitiser: str | None = None
    enters: Literal["x_low", "x_high", "y_low", "y_high", "z_low", "z_high"] | None = None
    share: Share | None = None
    cells: str | None = None
    count: Count | None = None
    per_mm2: Positive | None = None
    margin_um: Num | None = None
    cause: str | None = None
    age_h: NotNegative | None = None
    place: Annotated[Place | None, BeforeValidator(_place)] = None


class Arm(Model):
    """A therapy: agents and events with their schedules, and other arms it includes. Empty is the control."""

    drugs: many(DrugDose) = ()  # type: ignore[valid-type]
    antibodies: many(AntibodyDose) = ()  # type: ignore[valid-type]
    nanoparticles: many(ParticleDose) = ()  # type: ignore[valid-type]
    events: many(EventDose) = ()  # type: ignore[valid-type]
    use: many(str) = ()  # type: ignore[valid-type]
