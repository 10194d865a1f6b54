"""Events of an arm: keys that their kind needs and takes, places that lie in the domain, cell types that exist."""

from __future__ import annotations

from typing import Any

from tme.config.access import Access, divides, is_number
from tme.config.errors import listed, nearest

PLACED = {"ball": ("centre_um", "radius_um"), "box": ("from_um", "to_um")}
ALWAYS = ("name", "day", "every_d", "until_d")


def check_event(look: Access, path: tuple[Any, ...], item: dict[str, Any], entry: Any) -> None:
    """One event against its entry: nothing missing, nothing that its kind does not read."""
    for key in entry.needs:
        if item.get(key) is None:
            look.fault((*path, key), "missing", f"{key} for an event of kind {entry.kind}")
    if item.get("day") is None:
        look.fault((*path, "day"), "missing", "day: [0, 3, 6]")
    known = (*ALWAYS, *entry.needs, *entry.takes)
    for key in item:
        if key not in known and key in EVENT_KEYS:
            look.fault((*path, key), f"does not go with an event of kind {entry.kind}", listed(known))
    if entry.one_of:
        check_one_of(look, path, item, entry)
    if "minutes" in entry.needs:
        check_exposure(look, path, item)
    if entry.kind == "heat":
        check_heat(look, path, item, entry)
    if entry.kind == "vaccination":
        check_cause(look, path, item, entry)
    if entry.kind == "cell_transfer":
        check_transfer(look, path, item)
    if isinstance(item.get("place"), (dict, str)) and "place" in entry.takes:
        check_place(look, (*path, "place"), item["place"], entry)


EVENT_KEYS = (
    "dose_gy", "fluence_mw_cm2", "intensity_w_cm2", "celsius", "minutes", "sensitiser", "enters", "share", "cells", "count", "per_mm2",
    "margin_um", "cause", "age_h", "place",
)  # fmt: skip


def check_one_of(look: Access, path: tuple[Any, ...], item: dict[str, Any], entry: Any) -> None:
    """Of some keys an event has just one."""
    given = [k for k in entry.one_of if item.get(k) is not None]
    if not given:
        look.fault((*path, entry.one_of[0]), "missing", " or ".join(entry.one_of))
    for key in given[1:]:
        look.fault((*path, key), f"does not go with {given[0]}", "one of them")


def check_heat(look: Access, path: tuple[Any, ...], item: dict[str, Any], entry: Any) -> None:
    """A temperature above the body's, and no absorber where it is stated."""
    celsius = item.get("celsius")
    if is_number(celsius) and not entry.body_c < celsius <= entry.hottest_c:
        look.fault((*path, "celsius"), f"{celsius:g} C is no heat that tissue is given", f"above {entry.body_c:g}, at most {entry.hottest_c:g}")
    if celsius is not None and item.get("sensitiser") is not None:
        look.fault((*path, "sensitiser"), "does not go with celsius", "fluence_mw_cm2 and sensitiser, or celsius")


def check_cause(look: Access, path: tuple[Any, ...], item: dict[str, Any], entry: Any) -> None:
    """The death of a vaccine's cells is one that the entry has a quality of."""
    cause = item.get("cause")
    if isinstance(cause, str) and cause not in entry.quality:
        look.unknown((*path, "cause"), "death of vaccine cells", cause, sorted(entry.quality))


def check_exposure(look: Access, path: tuple[Any, ...], item: dict[str, Any]) -> None:
    """The sensitiser is a drug; it is on for whole ticks; light enters through a face there is."""
    drugs, name, minutes = look.context.library.drugs, item.get("sensitiser"), item.get("minutes")
    if isinstance(name, str) and name not in drugs:
        look.unknown((*path, "sensitiser"), "drug", name, drugs)
    dt = look.number("clocks", "dt_min", default=1.0)
    if isinstance(minutes, (int, float)) and is_number(minutes) and minutes > 0 and dt and dt > 0 and not divides(minutes, dt):
        look.fault((*path, "minutes"), f"{minutes:g} min is no multiple of the base tick", f"a whole multiple of {dt:g} min")
    if str(item.get("enters", "")).startswith("z") and len(look.items("domain", "size_um")) == 2:
        look.fault((*path, "enters"), "the domain has no depth", "x_low, x_high, y_low or y_high")


def check_sensitisers(look: Access, arm: str, agents: list[tuple[str, str, int, dict[str, Any]]], told: set[tuple[str, int]]) -> None:
    """Light or sound that would meet no sensitiser, in what an arm adds up to, though the arm gives one of another name. `told`: arm and place of events that were faulted."""
    library = look.context.library
    given = {name for _origin, kind, _i, item in agents for name in drugs_of(library, kind, item.get("name"))}
    inert = sorted(name for name in given if not library.drugs[name].hits)
    for origin, kind, i, item in agents:
        entry = library.events.get(item.get("name")) if kind == "events" and isinstance(item.get("name"), str) else None
        meant = getattr(entry, "sensitiser", None)
        if meant is None or item.get("sensitiser") is not None or item.get("celsius") is not None or meant in given or not inert:
            continue
        if (origin, i) in told:
            continue
        told.add((origin, i))
        path = ("arms", arm, kind, i, "sensitiser") if origin == arm else ("arms", arm, "use")
        look.fault(path, f"{item['name']} acts on {meant}, which this arm does not give", f"sensitiser: {' or '.join(inert)}, which it gives ({meant} if so meant)")


def drugs_of(library: Any, kind: str, name: Any) -> list[str]:
    """Drugs that an agent brings: itself, or what a particle carries."""
    if kind == "drugs" and isinstance(name, str) and name in library.drugs:
        return [name]
    if kind == "nanoparticles" and isinstance(name, str) and name in library.nanoparticles:
        return [p.drug for p in library.nanoparticles[name].payloads if p.drug in library.drugs]
    return []


def check_transfer(look: Access, path: tuple[Any, ...], item: dict[str, Any]) -> None:
    """One number of cells, of a type that enters tissue."""
    given, guests = [k for k in ("count", "per_mm2") if item.get(k) is not None], [n for n, e in look.context.library.cells.items() if e.place == "guest"]
    if not given:
        look.fault((*path, "count"), "missing", "count, or per_mm2 of the tumour")
    elif len(given) == 2:
        look.fault((*path, "per_mm2"), "does not go with count", "one of them")
    if isinstance(item.get("cells"), str) and item["cells"] not in guests:
        look.fault((*path, "cells"), f"unknown type of cells that enter tissue '{item['cells']}'", listed(guests), nearest(item["cells"], guests))


def check_place(look: Access, path: tuple[Any, ...], place: Any, entry: Any) -> None:
    """A place of a kind that goes with the event, with what the kind needs and nothing else."""
    place = {"kind": place} if isinstance(place, str) else place
    kind = place.get("kind")
    if isinstance(kind, str) and kind not in entry.places:
        look.fault(path, f"unknown place '{kind}' of an event of kind {entry.kind}", listed(entry.places), nearest(kind, entry.places))
        return
    need = PLACED.get(str(kind), ())
    for key in need:
        if place.get(key) is None:
            look.fault((*path, key), "missing", f"{key} for a {kind}")
    for key in ("centre_um", "radius_um", "from_um", "to_um"):
        if place.get(key) is not None and key not in need:
            look.fault((*path, key), f"does not go with {kind}", listed(need) if need else f"no {key}")
        if key != "radius_um":
            check_point(look, (*path, key))
    low, high = look.items(*path, "from_um"), look.items(*path, "to_um")
    if len(low) == len(high) and all(is_number(x) for x in (*low, *high)) and any(a >= b for a, b in zip(low, high)):
        look.fault((*path, "to_um"), "is not beyond from_um", "a corner beyond from_um on every axis")


def check_point(look: Access, path: tuple[Any, ...]) -> None:
    """A point has the domain's dimensions and lies in it."""
    point, size = look.items(*path), look.items("domain", "size_um")
    if not point or not all(is_number(x) for x in (*point, *size)):
        return
    if len(point) != len(size):
        look.fault(path, f"has {len(point)} numbers", f"{len(size)}, as domain.size_um")
    elif any(x > s for x, s in zip(point, size)):
        look.fault(path, "lies outside the domain", "at most " + " x ".join(f"{s:g}" for s in size) + " um")
