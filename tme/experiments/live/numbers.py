"""What may be changed while a model runs, with unit, range and source; what may be given, and what that needs.

Sound are numbers of laws that are in the plan and read at each call: a new value acts from the next tick on and moves nothing
by itself (a test changes each of them and compares the whole state). Not offered: numbers that shaped the start
(where vessels lie, traits and states of the first cells), lengths of queues, numerical thresholds (`NOT_NOW`), and all that is no
number of a law: the domain, clocks, the seed, who is there at the start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tme.config.errors import nearest

NOT_NOW: Mapping[str, str] = {
    "vessels.per_mm2": "places the vessels at the start",
    "killing.start_output": "is the state of the first T cells",
    "exhaustion.start": "is the state of the first T cells",
    "ifng_response.pdl1_answering": "is drawn for each cell at the start and inherited",
    "ifng_response.pdl1_constitutive": "is drawn for each cell at the start and inherited",
    "priming.travel_min": "is the length of a queue of cells that are on their way",
    "priming.expansion_min": "is the length of a queue of cells that are on their way",
    "uptake.emit_floor": "says which cells are left out of a sum, to save time",
}
RESTING = "active_"  # thresholds that say which cells are stepped in full
KINDS = ("drugs", "antibodies", "nanoparticles", "events")
# key of a dose -> (what it is called, unit)
DOSE_KEYS: Mapping[str, tuple[str, str]] = {
    "dose_mg_kg": ("dose", "mg/kg"), "bath_uM": ("held at", "µM"), "bath_nM": ("held at", "nM"), "release_per_h": ("released", "1/h"),
    "dose_gy": ("dose", "Gy"), "fluence_mw_cm2": ("power", "mW/cm²"), "intensity_w_cm2": ("power", "W/cm²"), "celsius": ("temperature", "°C"),
    "minutes": ("for", "min"), "share": ("share", "0–1"), "count": ("cells", "cells"), "per_mm2": ("cells", "1/mm²"), "margin_um": ("margin", "µm"),
    "age_h": ("time since death", "h"),
}  # fmt: skip
LARGEST = 1e300  # no number, where it is larger
TIMES = ("day", "every_d", "until_d")


@dataclass(frozen=True)
class Number:
    """A number that may be changed: its key in a config, its value now, unit, the range it is believed to lie in
    (`low` to `high`) and the bounds that a value must keep (`least` to `most`)."""

    key: str
    law: str
    name: str
    value: float
    unit: str
    low: float
    high: float
    least: float
    most: float
    about: str
    source: str
    status: str


def numbers(config: Any, model: Any) -> dict[str, Number]:
    """Numbers of the laws in the model's plan that may be changed now, by their key."""
    out: dict[str, Number] = {}
    laws = {entry.parameters.group: entry.parameters for entry in model.plan.entries if entry.parameters is not None}
    for law in sorted(laws):
        given = model.config_for(law)
        for p in laws[law]:
            if why_not(f"{law}.{p.name}"):
                continue
            value = float(given.get(p.name, p.value))
            low, high = _slider(p, value)
            key = f"mechanisms.{law}.{p.name}"
            out[key] = Number(key, law, p.name, value, p.unit, low, high, p.low, p.high, p.about, p.source, p.status)
    return out


def why_not(name: str) -> str:
    """Why the number "law.name" of a law cannot be changed while the model runs; empty where it can."""
    if name.partition(".")[2].startswith(RESTING):
        return "says which cells are stepped in full, to save time"
    return NOT_NOW.get(name, "")


def _slider(p: Any, value: float) -> tuple[float, float]:
    """The stated range, widened to the value in force; bounds, or twice the value, where no range is stated."""
    low, high = p.range
    if not low < high:
        low, high = p.low, p.high
    if not math.isfinite(low):
        low = 0.0
    if not math.isfinite(high):
        high = 2.0 * abs(value) or 1.0
    return min(low, value), max(high, value)


def checked(known: Mapping[str, Number], key: Any, value: Any) -> tuple[Number, float]:
    """The number of that key and the value as a float; ValueError says what is wrong."""
    if not isinstance(key, str) or key not in known:
        bare = str(key).removeprefix("mechanisms.")
        if why_not(bare):
            raise ValueError(f"{key} cannot be changed while the model runs: it {why_not(bare)}")
        meant = nearest(str(key), known)
        raise ValueError(f"{key!r} is no number that can be changed while the model runs" + (f"; did you mean '{meant}'?" if meant else ""))
    number = known[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -LARGEST < value < LARGEST:
        raise ValueError(f"{key}: is {value!r}; expected a number from {number.least:g} to {number.most:g} {number.unit}")
    if not number.least <= value <= number.most:
        raise ValueError(f"{key}: {value:g} is out of bounds; expected {number.least:g} to {number.most:g} {number.unit}")
    return number, float(value)


def agents(config: Any) -> dict[str, list[dict[str, Any]]]:
    """What may be given, by kind: name, what it is, its routes or the keys that an event needs and takes."""
    library = config.library
    bath = {"drugs": "bath_uM", "antibodies": "bath_nM", "nanoparticles": "bath_uM"}
    out: dict[str, list[dict[str, Any]]] = {}
    for kind in KINDS[:3]:
        out[kind] = [
            {"name": n, "about": e.about, "routes": list(getattr(e, "routes", ("iv", "intratumoral", "depot", "bath"))), "bath": bath[kind],
             "dose": _usual(config, kind, n)}
            for n, e in getattr(library, kind).items()
        ]  # fmt: skip
    out["events"] = [_event(config, n, e) for n, e in library.events.items()]
    return out


def _event(config: Any, name: str, entry: Any) -> dict[str, Any]:
    library = config.library
    kinds = [n for n, e in library.cells.items() if e.place == "guest"]
    words = {"cells": kinds, "cause": sorted(getattr(entry, "quality", ())), "sensitiser": [], "enters": []}
    one_of = list(entry.one_of) or (["count", "per_mm2"] if entry.kind == "cell_transfer" else [])
    numbers_of = [k for k in (*entry.needs, *entry.takes) if k in DOSE_KEYS]
    return {
        "name": name, "about": entry.about, "needs": [k for k in entry.needs if k in DOSE_KEYS], "takes": [k for k in numbers_of if k not in entry.needs],
        "one_of": one_of, "words": {k: v for k, v in words.items() if k in entry.needs},
        "places": [p for p in entry.places if p not in ("ball", "box")] if "place" in entry.takes else [], "usual": _usual_event(config, name),
    }  # fmt: skip


def _usual(config: Any, kind: str, name: str) -> float:
    """The largest dose of an agent in the config's arms; 10 mg/kg where none gives it."""
    doses = [i.dose_mg_kg for arm in config.arms.values() for i in getattr(arm, kind) if i.name == name and i.dose_mg_kg is not None]
    return max(doses, default=10.0)


def _usual_event(config: Any, name: str) -> dict[str, float]:
    """Numbers with which an arm of the config has an event."""
    for arm in config.arms.values():
        for item in arm.events:
            if item.name == name:
                return {k: float(v) for k in DOSE_KEYS if (v := getattr(item, k, None)) is not None}
    return {}


def catalogue(config: Any, model: Any) -> dict[str, Any]:
    """What a page offers: numbers, agents, and the words and units of what a dose takes."""
    return {"numbers": [asdict(n) for n in numbers(config, model).values()], "agents": agents(config), "keys": {k: list(v) for k, v in DOSE_KEYS.items()}}
