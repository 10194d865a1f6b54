"""Generated therapies: one to four arms of agents and events, some of which use others."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from chance import maybe, number, some

from tme.library.hits import rules_of

IDLE = ("gambogenic_acid",)  # acts on GCH1 alone: refused while kap_b is 0
ROUTES = ("iv", "intratumoral", "depot", "bath")
CLOCK_MIN = 10.0  # of particles, a multiple of which is the clock of what they carry


def of_copper(library: Any) -> set[str]:
    """Drugs that act on the chemistry of copper, and particles that carry one."""
    drugs = {n for n, d in library.drugs.items() if any(h.target == "cu_influx" or "cuproptosis." in f"{h.raises}{h.lowers}{h.adds_to}" for h in d.hits)}
    return drugs | {n for n, e in library.nanoparticles.items() if drugs & {p.drug for p in e.payloads}}


def hit_by(library: Any, arms: dict[str, Any]) -> set[tuple[str, str]]:
    """(cells, term) on which drugs of the arms may act."""
    named = {i["name"] for arm in arms.values() for k in ("drugs", "nanoparticles") for i in (arm or {}).get(k) or ()}
    drugs = {d for n in named for d in ([n] if n in library.drugs else [p.drug for p in library.nanoparticles[n].payloads if p.drug])}
    return {(c, rule.term) for d in drugs for rule in rules_of(d, library.drugs[d]).values() for c in library.cells}


class Arms:
    """The arms of one experiment: first and last day, the middle of the domain."""

    def __init__(self, rng: Random, library: Any, first: float, horizon: float, centre: list[float], early: bool, dt: float) -> None:
        self.rng, self.library, self.first, self.horizon, self.centre, self.dt = rng, library, first, horizon, centre, dt
        self.early = early  # events may lie before the run

    def all(self) -> dict[str, Any]:
        """A later arm may use earlier ones if no agent comes twice (as a bath and by another route)."""
        rng, out, used = self.rng, {}, {}
        for name in rng.sample(["control", "a", "b2", "c-3", "d.4"], rng.randint(1, 4)):
            arm: dict[str, Any] = {}
            agents: set[str] = set()
            if rng.random() < 0.4:
                arm["events"] = [self.event(n) for n in some(rng, self.library.events, 2)]
            if rng.random() < 0.7:
                arm["drugs"] = [self.drug(n) for n in self.likely("drugs", 3) if n not in IDLE] or None
                arm["antibodies"] = [self.antibody(n) for n in self.likely("antibodies", 2)]
                arm["nanoparticles"] = [self.particle(n) for n in self.likely("nanoparticles", 2)]
                arm = {k: v for k, v in arm.items() if v or rng.random() < 0.3}
                agents = {i["name"] for k, v in arm.items() for i in v or () if k != "events"}
            friends = [f for f in out if not used[f] & agents]
            if friends and rng.random() < 0.4:
                friend = rng.choice(friends)
                arm["use"] = [friend]
                agents |= used[friend]
            out[name], used[name] = arm or rng.choice([{}, None]), agents
        crossed = [n for n in out if n != "control" and out[n]]
        if len(crossed) > 1 and not out.get("control") and not used[crossed[0]] & used[crossed[1]] and rng.random() < 0.2:
            out["factorial"] = crossed[:2]
        return out

    def likely(self, kind: str, most: int) -> list[str]:
        """Up to `most` agents of a kind, those of the user's own as likely as ours."""
        known = getattr(self.library, kind)
        own = [n for n in known if n.startswith("own_")]
        return list(dict.fromkeys([*some(self.rng, known, most), *(some(self.rng, own, 1) if own else [])]))[:most]

    def days(self) -> Any:
        """One day, or several."""
        rng = self.rng
        many = sorted(round(rng.uniform(self.first, self.first + 0.9 * (self.horizon - self.first)), 4) for _ in range(rng.randint(1, 3)))
        return rng.choice([self.first, [self.first, *many]])

    def scheduled(self, name: str) -> dict[str, Any]:
        """What comes on some days, or again and again."""
        rng, out = self.rng, {"name": name, "day": self.days()}
        if not isinstance(out["day"], list) and rng.random() < 0.25:
            out["every_d"] = rng.choice([0.5, 1, 3.25])
            maybe(rng, out, 0.4, until_d=lambda: rng.choice([self.first, self.horizon, 0.5 * (self.first + self.horizon)]))
        return out

    # ---- agents ----------------------------------------------------------------------------------------------------
    def drug(self, name: str) -> dict[str, Any]:
        """By some route."""
        return self.given(name, self.rng.choice(["iv", "bath", *ROUTES]), "bath_uM")

    def antibody(self, name: str) -> dict[str, Any]:
        """An antibody, mostly into blood."""
        return self.given(name, self.rng.choice(["iv", "iv", *ROUTES]), "bath_nM")

    def particle(self, name: str) -> dict[str, Any]:
        """A platform by a route it allows."""
        return self.given(name, self.rng.choice(self.library.nanoparticle(name).routes), "bath_uM")

    def given(self, name: str, route: str, bath: str) -> dict[str, Any]:
        """A dose or a bath, and what goes with the route; sometimes repeated."""
        rng, out = self.rng, {**self.scheduled(name), "route": route}
        out[bath if route == "bath" else rng.choice(["dose_mg_kg", "dose_mg_kg", "dose_mg"])] = max(0.01, number(rng, 0.01, 50))
        if route == "depot":
            out["release_per_h"] = number(rng, 0.01, 5)
        if route in ("intratumoral", "depot"):
            maybe(rng, out, 0.3, radius_um=lambda: number(rng, 1, 300), centre_um=lambda: [number(rng, 0, 2 * c) for c in self.centre])
        return out

    # ---- events ----------------------------------------------------------------------------------------------------
    def event(self, name: str) -> dict[str, Any]:
        """An event with all it needs and some of what it takes; it may lie before the run if its kind may."""
        rng, entry, out = self.rng, self.library.event(name), self.scheduled(name)
        centre = self.centre
        shapes = {"ball": {"centre_um": centre, "radius_um": number(rng, 1, 200)}, "box": {"from_um": [0] * len(centre), "to_um": centre}}
        places = [{"kind": w, **shapes[w]} if w in shapes else w for w in entry.places]
        if entry.kind in EVENTS:
            out |= EVENTS[entry.kind](rng, self.library, entry)
        if "sensitiser" in entry.takes and "celsius" not in out:
            out["sensitiser"] = rng.choice(sorted(self.library.drugs))
        if "enters" in entry.takes:
            maybe(rng, out, 0.4, enters=lambda: rng.choice(["x_low", "y_high", *(["z_low"] if len(centre) == 3 else [])]))
        if entry.before_start and not isinstance(out["day"], list) and "every_d" not in out and rng.random() < 0.3 and self.early:
            out["day"] = out["day"] - number(rng, 0, 30)
        if places:
            maybe(rng, out, 0.5, place=lambda: rng.choice(places))
        return out


EVENTS: dict[str, Callable[[Random, Any, Any], dict[str, Any]]] = {
    "radiation": lambda rng, library, entry: {"dose_gy": number(rng, 0.01, 30)},
    "light": lambda rng, library, entry: {"fluence_mw_cm2": number(rng, 0.01, 300), "minutes": rng.choice([7, 14, 21])},
    "sound": lambda rng, library, entry: {"intensity_w_cm2": number(rng, 0.01, 5), "minutes": rng.choice([7, 14, 21])},
    "heat": lambda rng, library, entry: {**rng.choice([{"celsius": number(rng, 37.5, 60)}, {"fluence_mw_cm2": number(rng, 0.01, 2000)}]), "minutes": rng.choice([7, 14, 21])},
    "kill_share": lambda rng, library, entry: {"share": number(rng, 0, 1)},
    "resection": lambda rng, library, entry: {"share": number(rng, 0, 1), "margin_um": number(rng, -100, 100)},
    "implant": lambda rng, library, entry: {"count": rng.randint(1, 60)},
    "vaccination": lambda rng, library, entry: {"cause": rng.choice(sorted(entry.quality)), "age_h": number(rng, 0, 48), "share": number(rng, 0, 1)},
    "cell_transfer": lambda rng, library, entry: {"cells": rng.choice([n for n, e in library.cells.items() if e.place == "guest"]), rng.choice(["count", "per_mm2"]): rng.randint(1, 60)},
}  # fmt: skip
