"""Arms, times and clocks: agents that must exist, doses that must fall in time, clocks that must divide."""

from __future__ import annotations

import math
import re
from typing import Any

from tme.config.access import Access, divides, is_number
from tme.config.checks_events import check_event, check_point, check_sensitisers
from tme.config.errors import listed, nearest
from tme.config.schedules import MOST
from tme.config.schema import WORD

RESERVED = ("growth", "figures")
AGENT_KINDS = (("drugs", "drug"), ("antibodies", "antibody"), ("nanoparticles", "nanoparticle"), ("events", "event"))
BATH = {"drugs": "bath_uM", "antibodies": "bath_nM", "nanoparticles": "bath_uM"}


def check_arms(look: Access) -> None:
    """Agents and events exist, routes have their dose, used arms exist and do not go in circles."""
    arms = look.mapping("arms")
    for arm, spec in arms.items():
        if not re.match(WORD, arm) or arm in RESERVED or re.fullmatch(r"sweep-\d+", arm):
            look.fault(
                ("arms", arm), "is no usable name of an arm (it names a folder)", "letters, digits, _ or -"
            )
        if not isinstance(spec, dict):
            continue
        for kind, word in AGENT_KINDS:
            known = getattr(look.context.library, kind)
            for i, item in enumerate(look.items("arms", arm, kind)):
                name = item.get("name") if isinstance(item, dict) else None
                if isinstance(name, str):
                    if name not in known:
                        misplaced = next(
                            (k for k, _w in AGENT_KINDS if name in getattr(look.context.library, k)), None
                        )
                        hint = f"{misplaced}: [{{name: {name}, ...}}]" if misplaced else nearest(name, known)
                        look.fault(
                            ("arms", arm, kind, i, "name"), f"unknown {word} '{name}'", listed(known), hint
                        )
                    elif kind == "events":
                        check_event(look, ("arms", arm, kind, i), item, known[name])
                    else:
                        check_route(look, ("arms", arm, kind, i), item, known[name])
                    check_schedule(look, ("arms", arm, kind, i), item)
        for i, used in enumerate(look.items("arms", arm, "use")):
            if isinstance(used, str) and used not in arms:
                look.unknown(("arms", arm, "use", i), "arm", used, [a for a in arms if a != arm])
    check_use(look)


def check_route(look: Access, path: tuple[Any, ...], item: dict[str, Any], entry: Any) -> None:
    """A bath has a concentration and no dose, the other routes the reverse; a platform allows its route."""
    route, bath = item.get("route", "iv"), BATH[path[2]]
    need, bad = (bath, ("dose_mg_kg", "dose_mg")) if route == "bath" else ("dose_mg_kg", (bath,))
    if need not in item and (route == "bath" or "dose_mg" not in item):
        extra = "; a bath also needs route: bath" if route != "bath" and bath in item else ""
        look.fault((*path, need), "missing", f"{need} for route {route}{extra}")
    for key in bad:
        if key in item and need in item:
            look.fault((*path, key), f"does not go with route {route}", f"{need} only")
    if "dose_mg" in item and "dose_mg_kg" in item and route != "bath":
        look.fault((*path, "dose_mg"), "does not go with dose_mg_kg", "one of them")
    if route == "depot" and "release_per_h" not in item:
        look.fault((*path, "release_per_h"), "missing", "release_per_h for route depot")
    if route != "depot" and "release_per_h" in item:
        look.fault((*path, "release_per_h"), f"does not go with route {route}", "release_per_h for route depot only")
    for key in ("centre_um", "radius_um"):
        if key in item and route not in ("intratumoral", "depot"):
            look.fault((*path, key), f"does not go with route {route}", f"{key} for routes intratumoral and depot only")
    check_point(look, (*path, "centre_um"))
    routes = getattr(entry, "routes", None)
    if routes and isinstance(route, str) and route not in routes:
        look.fault((*path, "route"), f"{item['name']} is not given {route}", listed(routes))


def check_schedule(look: Access, path: tuple[Any, ...], item: dict[str, Any]) -> None:
    """Report why remaining `every_d` and `until_d` keys could not be expanded."""
    every, until, day = item.get("every_d"), item.get("until_d"), item.get("day", 0.0)
    if every is None:
        if until is not None:
            look.fault((*path, "until_d"), "goes with every_d only", "every_d: 3, or a list of days and no until_d")
        return
    first = day[0] if isinstance(day, list) and len(day) == 1 else day
    horizon = look.number("horizon_day")
    if isinstance(day, list) and len(day) > 1:
        look.fault((*path, "every_d"), "does not go with several days", "one day from which it is repeated")
    elif not all(is_number(x) for x in (first, every, horizon)) or every <= 0 or not is_number(until if until is not None else 0):
        return  # the schema's to report
    elif until is not None and until < first:
        look.fault((*path, "until_d"), f"day {until:g} is before the first, day {first:g}", f"a day from {first:g} on")
    elif horizon > first:
        look.fault((*path, "every_d"), f"{every:g} d makes more than {MOST} times", f"at most {MOST} times")


def check_use(look: Access) -> None:
    """Cycles of `use`, and agents given in ways that exclude each other in what an arm adds up to."""
    arms = look.mapping("arms")

    def flat(arm: str, above: tuple[str, ...]) -> list[tuple[str, str, int, dict[str, Any]]]:
        if arm in above:
            raise RecursionError(" -> ".join((*above[above.index(arm) :], arm)))
        out = []
        for used in look.items("arms", arm, "use"):
            if isinstance(used, str) and used in arms:
                out += flat(used, (*above, arm))
        for kind, _word in AGENT_KINDS:
            out += [
                (arm, kind, i, item)
                for i, item in enumerate(look.items("arms", arm, kind))
                if isinstance(item, dict)
            ]
        return out

    told: set[tuple[str, int]] = set()
    for arm in arms:
        try:
            agents = flat(arm, ())
        except RecursionError as cycle:
            look.fault(
                ("arms", arm, "use"),
                f"arms use each other in a circle: {cycle}",
                "arms that do not lead back",
            )
            continue
        check_baths(look, arm, agents)
        check_sensitisers(look, arm, agents, told)


def check_baths(look: Access, arm: str, agents: list[tuple[str, str, int, dict[str, Any]]]) -> None:
    """An agent that a bath holds everywhere is not given by another route too, in what an arm adds up to."""
    first: dict[tuple[str, Any], bool] = {}
    for origin, kind, i, item in agents:
        if not isinstance(item.get("name"), str) or kind == "events":
            continue  # a name that is none is the schema's to report
        bath = item.get("route") == "bath"
        if first.setdefault((kind, item["name"]), bath) != bath:
            path = ("arms", origin, kind, i) if origin == arm else ("arms", arm, "use")
            look.fault(
                path,
                f"{item['name']} comes as a bath, which holds its concentration, and by another route",
                "baths only, or none",
            )


def check_times(look: Access) -> None:
    """Start < branch < horizon; doses within, and not before the arms branch off."""
    start = look.number("start_day", default=0.0)
    horizon = look.number("horizon_day")
    branch = look.number("branch_at_day") if look.get("branch_at_day") is not None else None
    if start is None or horizon is None or start > 0 or horizon <= 0:
        return
    if branch is not None and not start < branch < horizon:
        look.fault(
            ("branch_at_day",),
            f"day {branch:g} is not between start_day {start:g} and horizon_day {horizon:g}",
            f"a day after {start:g} and before {horizon:g}",
        )
        branch = None
    for arm in look.mapping("arms"):
        for kind, _word in AGENT_KINDS:
            for i in range(len(look.items("arms", arm, kind))):
                early = kind == "events" and may_precede(look, look.get("arms", arm, kind, i, "name"))
                check_days(look, ("arms", arm, kind, i, "day"), -math.inf if early else start, horizon, branch)
    days = look.get("output", "snapshot_days", default=[])
    for i, day in enumerate(days if isinstance(days, list) else [days]):
        if is_number(day) and not start <= day <= horizon:
            look.fault(
                ("output", "snapshot_days", i), f"day {day:g} is outside the run", f"{start:g} to {horizon:g}"
            )


def may_precede(look: Access, name: Any) -> bool:
    """Whether an event of this name may lie before the run: what it did is then there at the start."""
    entry = look.context.library.events.get(name) if isinstance(name, str) else None
    return entry is not None and entry.before_start


def check_days(look: Access, path: tuple[Any, ...], start: float, horizon: float, branch: float | None) -> None:
    """The days of one agent."""
    days = look.get(*path, default=[])
    for day in days if isinstance(days, list) else [days]:
        if not is_number(day) or not math.isfinite(day):
            continue
        if day >= horizon:
            look.fault(
                path,
                f"a dose on day {day:g}, after the end (horizon_day {horizon:g})",
                f"days before {horizon:g}",
            )
        elif day < start:
            look.fault(
                path,
                f"a dose on day {day:g}, before the start (start_day {start:g})",
                f"days from {start:g} on",
            )
        elif branch is not None and day < branch:
            look.fault(
                path,
                f"a dose on day {day:g}, before the arms branch off (branch_at_day {branch:g})",
                f"days from {branch:g} on",
            )


def check_clocks(look: Access) -> None:
    """The base tick is whole minutes or 1/2, 1/4, ...; every other clock is a multiple of it."""
    dt = look.number("clocks", "dt_min", default=1.0)
    if dt is None or dt <= 0:
        return
    if not ((dt >= 1 and dt == int(dt)) or (dt < 1 and math.log2(dt).is_integer() and dt >= 1 / 64)):
        look.fault(
            ("clocks", "dt_min"), f"{dt:g} min is no base tick", "whole minutes, or 1/2, 1/4, ... 1/64"
        )
        return
    expected = f"a whole multiple of clocks.dt_min ({dt:g} min)"
    start, horizon = look.number("start_day", default=0.0), look.number("horizon_day")
    own: list[tuple[tuple[str, ...], float | None]] = [
        (("clocks", "chemistry_resting_min"), look.number("clocks", "chemistry_resting_min", default=6.0)),
        (("output", "record_every_h"), _scaled(look.number("output", "record_every_h", default=6.0), 60.0)),
        (("horizon_day",), _scaled(horizon, 1440.0)),
        (("start_day",), _scaled(-start if start else None, 1440.0)),
    ]
    branch = look.number("branch_at_day") if look.get("branch_at_day") is not None else None
    if branch is not None and start is not None and branch > start:
        own.append((("branch_at_day",), (branch - start) * 1440.0))
    for path, minutes in own:
        if minutes is not None and minutes > 0 and not divides(minutes, dt):
            look.fault(path, f"{minutes:g} min is no multiple of the base tick", expected)
    check_others(look, dt, expected)


def check_others(look: Access, dt: float, expected: str) -> None:
    """Clocks of fields, agents and mechanisms: the config's own one by one, the built-in ones together."""
    agents, fixed = given(look), []
    for name, entry in look.context.library.spreading().items():
        if name not in look.context.library.fields and name not in agents:
            continue
        clock = look.number("fields", name, "clock_min", default=entry.clock_min)
        if clock is None or clock <= 0 or divides(clock, dt):
            continue
        if "clock_min" in look.mapping("fields", name):
            look.fault(
                ("fields", name, "clock_min"), f"{clock:g} min is no multiple of the base tick", expected
            )
        else:
            fixed.append(f"{name} ({clock:g} min)")
    fixed += [f"{n} ({c:g} min)" for n, c in look.context.clocks.items() if c and not divides(c, dt)]
    if fixed:
        words = ", ".join(fixed[:6]) + (f" and {len(fixed) - 6} more" if len(fixed) > 6 else "")
        look.fault(
            ("clocks", "dt_min"),
            f"{dt:g} min does not divide the clock of {words}",
            "a divisor of all clocks",
        )


def given(look: Access) -> set[str]:
    """Agents that some arm gives, payload drugs included."""
    names = set()
    for arm in look.mapping("arms"):
        for kind, _word in AGENT_KINDS:
            names |= {str(i.get("name")) for i in look.items("arms", arm, kind) if isinstance(i, dict)}
    particles = look.context.library.nanoparticles
    return names | {p.drug for n in names if n in particles for p in particles[n].payloads if p.drug}


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
