"""What types cannot say: names that must exist, clocks that must divide, doses that must fall in time.

Every check reads the plain data defensively, so that one fault does not hide the others: a value of the
wrong type is the schema's to report and is passed over here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tme.config.errors import Fault, listed, nearest
from tme.config.schema import CELL_UM3, WORD
from tme.config.source import Node

RESERVED = ("growth", "figures")
AGENT_KINDS = (("drugs", "drug"), ("antibodies", "antibody"), ("nanoparticles", "nanoparticle"))


@dataclass(frozen=True)
class Context:
    """What the rest of the package tells the loader: parameters, library, clocks of mechanisms, metrics.

    `registry` group -> name -> Parameter; `clocks` mechanism -> its clock in min (0: every tick), empty if
    unknown; `metrics` known names, empty if unknown.
    """

    registry: Mapping[str, Mapping[str, Any]]
    library: Any
    clocks: Mapping[str, float]
    metrics: frozenset[str]


class Look:
    """The data under check, where its parts stand, and the list of faults."""

    def __init__(self, data: dict[str, Any], tree: Node, context: Context, faults: list[Fault]) -> None:
        self.data, self.tree, self.context, self.faults = data, tree, context, faults

    def get(self, *path: Any, default: Any = None) -> Any:
        """The value at a path, or the default."""
        value: Any = self.data
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return default
        return value if value is not None else default

    def mapping(self, *path: Any) -> dict[str, Any]:
        """The mapping at a path; empty if it is none."""
        value = self.get(*path)
        return value if isinstance(value, dict) else {}

    def items(self, *path: Any) -> list[Any]:
        """The list at a path; empty if it is none."""
        value = self.get(*path)
        return value if isinstance(value, list) else []

    def number(self, *path: Any, default: float | None = None) -> float | None:
        """The finite number at a path, the default if absent, None if it is something else."""
        value = self.get(*path, default=default)
        return float(value) if is_number(value) and math.isfinite(value) else None

    def fault(self, path: Iterable[Any], problem: str, expected: str = "", meant: str = "") -> None:
        """Add a fault at a path."""
        path = tuple(str(p) for p in path)
        place = self.tree.find(path)
        self.faults.append(Fault(place.file, place.line, ".".join(path), problem, expected, meant))

    def unknown(self, path: Iterable[Any], what: str, name: Any, known: Iterable[str]) -> None:
        """Add the fault of a name that does not exist."""
        known = list(known)
        self.fault(path, f"unknown {what} '{name}'", listed(known), nearest(str(name), known))


def is_number(value: Any) -> bool:
    """Whether it is a number (True and False are not)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def divides(clock: float, dt: float) -> bool:
    """Whether the clock is a whole multiple of dt."""
    n = round(clock / dt)
    return n >= 1 and abs(n * dt - clock) <= 1e-9 * max(1.0, clock)


def check_all(look: Look) -> None:
    """Run every check."""
    for check in (
        check_domain, check_initial, check_tumour, check_populations, check_fields, check_mechanisms, check_arms,
        check_times, check_clocks, check_rest,
    ):  # fmt: skip
        check(look)


def shape(look: Look) -> tuple[int, ...] | None:
    """Voxels per axis, or None if the domain is not sound."""
    size, dx = look.items("domain", "size_um"), look.number("domain", "dx_um", default=20.0)
    if not dx or dx <= 0 or len(size) not in (2, 3) or not all(is_number(s) and math.isfinite(s) for s in size):
        return None
    return tuple(max(1, round(s / dx)) for s in size)


def check_domain(look: Look) -> None:
    """A voxel holds a cell; the lattice is neither tiny nor beyond memory."""
    dx = look.number("domain", "dx_um", default=20.0)
    thickness = look.number("domain", "thickness_um", default=20.0)
    n = shape(look)
    if n is None or dx is None or thickness is None or dx <= 0 or thickness <= 0:
        return
    flat = len(n) == 2
    volume = dx * dx * (thickness if flat else dx)
    if volume < CELL_UM3:
        least = f"thickness_um >= {CELL_UM3 / dx**2:.3g} at this dx_um, or " if flat else ""
        low = math.sqrt(CELL_UM3 / thickness) if flat else CELL_UM3 ** (1 / 3)
        look.fault(("domain", "dx_um"), f"a voxel of {volume:.4g} um^3 is smaller than a cell of {CELL_UM3:.0f} um^3",
                   f"{least}dx_um >= {math.ceil(10 * low) / 10:g}")  # fmt: skip
    if min(n) < 3 or math.prod(n) > 400_000_000:
        words = " x ".join(map(str, n))
        look.fault(("domain", "size_um"), f"is a lattice of {words} voxels", "at least 3 voxels an axis and at most 4e8 in all")


def check_initial(look: Look) -> None:
    """The cells fit into the domain, the table exists and has its columns."""
    n, cells, kind = shape(look), look.number("initial", "n_cells"), look.get("initial", "kind")
    if kind in ("nodule", "spheroid") and n and cells is not None and cells > math.prod(n):
        look.fault(("initial", "n_cells"), f"{cells:.0f} cells do not fit into a domain of {math.prod(n)} voxels",
                   "fewer cells or a larger domain.size_um")  # fmt: skip
    centre = look.items("initial", "centre_um")
    if centre and n and len(centre) != len(n):
        look.fault(("initial", "centre_um"), f"has {len(centre)} coordinates", f"{len(n)}, as domain.size_um")
    if kind == "spheroid" and n and len(n) == 2:
        look.fault(("initial", "kind"), "a spheroid needs three dimensions", "domain.size_um: [x, y, z], or kind: nodule")
    if kind == "cells" and isinstance(look.get("initial", "file"), str):
        check_table(look)


def check_table(look: Look) -> None:
    """The file of `initial: {kind: cells}`."""
    from pathlib import Path

    file = Path(look.get("initial", "file"))
    if not file.is_file():
        near = nearest(file.name, [p.name for p in file.parent.iterdir()]) if file.parent.is_dir() else ""
        look.fault(("initial", "file"), f"no such file: {file.name}", "a .csv or .h5ad table of cells, beside the config", near)
        return
    if file.suffix not in (".csv", ".h5ad"):
        look.fault(("initial", "file"), f"'{file.suffix}' is no table this program reads", "a .csv or .h5ad file")
    columns = look.mapping("initial", "columns")
    for key in ("x", "y", "type"):
        if key not in columns:
            look.fault(("initial", "columns", key), "missing", f"the table's column that holds {key}")
    if file.suffix == ".csv":
        import csv

        try:
            with open(file, encoding="utf-8-sig", newline="") as stream:
                header = next(csv.reader(stream), [])
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            look.fault(("initial", "file"), f"cannot be read as CSV: {error}", "a .csv table in UTF-8")
            return
        named = [(("initial", "columns", k), v) for k, v in columns.items()]
        named += [(("initial", "traits", k), k) for k in look.mapping("initial", "traits")]
        for path, name in named:
            if isinstance(name, str) and name not in header:
                look.unknown(path, f"column of {file.name}", name, header)


def check_tumour(look: Look) -> None:
    """The preset exists; the clones' shares leave room for the reference cell."""
    preset, known = look.get("tumour", "preset", default="b16_like"), look.context.library.tumours
    if isinstance(preset, str) and preset not in known:
        look.unknown(("tumour", "preset"), "tumour", preset, known)
    clones = look.mapping("tumour", "clones")
    shares = [look.number("tumour", "clones", c, "share", default=0.0) or 0.0 for c in clones]
    if sum(shares) > 1.0 + 1e-12:
        look.fault(("tumour", "clones"), f"the shares add up to {sum(shares):g}", "at most 1 in all")


def check_populations(look: Look) -> None:
    """Each kind has exactly one density."""
    for kind, density in look.mapping("populations").items():
        if isinstance(density, dict) and ("per_mm2" in density) == ("share" in density):
            look.fault(("populations", kind), "has both densities" if density else "has no density", "either per_mm2 or share")


def check_fields(look: Look) -> None:
    """Names exist among fields and agents; an agent takes only the changes that make sense for it."""
    known = look.context.library.spreading()
    for name, change in look.mapping("fields").items():
        if name not in known:
            look.unknown(("fields", name), "field", name, known)
        elif isinstance(change, dict):
            for key in change:
                if key in ("initial", "vessel_value", "held") and name not in look.context.library.fields:
                    look.fault(("fields", name, key), f"{name} is a therapy: its arm sets what is outside", "another key")


def check_mechanisms(look: Look) -> None:
    """Groups, parameters and bounds, from the registry."""
    registry, switches = look.context.registry, look.context.clocks
    names = {*registry, *switches}
    for group, values in look.mapping("mechanisms").items():
        if group not in names:
            owners = [g for g, s in registry.items() if group in s]
            hint = f"{owners[0]}.{group}" if owners else nearest(group, names)
            look.fault(("mechanisms", group), f"unknown mechanism '{group}'", listed(names, 40), hint)
            continue
        if not isinstance(values, dict):
            continue
        for name, value in values.items():
            check_parameter(look, group, name, value)


def check_parameter(look: Look, group: str, name: str, value: Any) -> None:
    """One entry under a mechanism."""
    path, known = ("mechanisms", group, name), look.context.registry.get(group, {})
    switches = look.context.clocks
    if name == "on":
        if not isinstance(value, bool):
            look.fault(path, f"is {value!r}", "true or false")
        elif switches and group not in switches:
            look.fault(path, f"{group} only holds parameters and is no switch", listed(switches, 40))
        return
    if name not in known:
        look.fault(path, f"unknown parameter '{name}'", listed([*known, *(["on"] if group in switches or not switches else [])], 60),
                   nearest(name, [*known, "on"]))  # fmt: skip
        return
    p = known[name]
    if not is_number(value) or not math.isfinite(value):
        look.fault(path, f"is {value!r}", f"a number from {p.low:g} to {p.high:g} {unit_text(p.unit)}".rstrip())
    elif not p.low <= value <= p.high:
        look.fault(path, f"{value:g} is out of bounds", f"{p.low:g} to {p.high:g} {unit_text(p.unit)}".rstrip())


def unit_text(unit: str) -> str:
    """A unit for a message; pure numbers have none."""
    return "" if unit == "1" else unit


def check_arms(look: Look) -> None:
    """Agents exist, routes have their dose, used arms exist and do not go in circles."""
    arms = look.mapping("arms")
    for arm, spec in arms.items():
        if not re.match(WORD, arm) or arm in RESERVED or re.fullmatch(r"sweep-\d+", arm):
            look.fault(("arms", arm), "is no usable name of an arm (it names a folder)", "letters, digits, _ or -")
        if not isinstance(spec, dict):
            continue
        if spec.get("radiation"):
            look.fault(("arms", arm, "radiation"), "radiation is not in this version", "no radiation")
        for kind, word in AGENT_KINDS:
            known = getattr(look.context.library, kind)
            for i, item in enumerate(look.items("arms", arm, kind)):
                name = item.get("name") if isinstance(item, dict) else None
                if isinstance(name, str):
                    if name not in known:
                        misplaced = next((k for k, _w in AGENT_KINDS if name in getattr(look.context.library, k)), None)
                        hint = f"{misplaced}: [{{name: {name}, ...}}]" if misplaced else nearest(name, known)
                        look.fault(("arms", arm, kind, i, "name"), f"unknown {word} '{name}'", listed(known), hint)
                    else:
                        check_route(look, ("arms", arm, kind, i), item, known[name])
        for i, used in enumerate(look.items("arms", arm, "use")):
            if isinstance(used, str) and used not in arms:
                look.unknown(("arms", arm, "use", i), "arm", used, [a for a in arms if a != arm])
    check_use(look)


def check_route(look: Look, path: tuple[Any, ...], item: dict[str, Any], entry: Any) -> None:
    """A bath has a concentration and no dose, an injection the reverse; a platform allows its route."""
    if path[2] == "drugs":
        bath = item.get("route") == "bath"
        need, bad = ("bath_uM", "dose_mg_kg") if bath else ("dose_mg_kg", "bath_uM")
        if need not in item:
            extra = "; a bath also needs route: bath" if not bath and bad in item else ""
            look.fault((*path, need), "missing", f"{need} for route {item.get('route', 'iv')}{extra}")
        if bad in item and need in item:
            look.fault((*path, bad), f"does not go with route {item.get('route', 'iv')}", f"{need} only")
    routes = getattr(entry, "routes", None)
    route = item.get("route", "iv")
    if routes and isinstance(route, str) and route not in routes:
        look.fault((*path, "route"), f"{item['name']} is not given {route}", listed(routes))


def check_use(look: Look) -> None:
    """Cycles of `use`, and agents given at two doses in what an arm adds up to."""
    arms = look.mapping("arms")

    def flat(arm: str, above: tuple[str, ...]) -> list[tuple[str, str, int, dict[str, Any]]]:
        if arm in above:
            raise RecursionError(" -> ".join((*above[above.index(arm) :], arm)))
        out = []
        for used in look.items("arms", arm, "use"):
            if isinstance(used, str) and used in arms:
                out += flat(used, (*above, arm))
        for kind, _word in AGENT_KINDS:
            out += [(arm, kind, i, item) for i, item in enumerate(look.items("arms", arm, kind)) if isinstance(item, dict)]
        return out

    for arm in arms:
        try:
            agents = flat(arm, ())
        except RecursionError as cycle:
            look.fault(("arms", arm, "use"), f"arms use each other in a circle: {cycle}", "arms that do not lead back")
            continue
        first: dict[tuple[str, Any], tuple[str, dict[str, Any]]] = {}
        for origin, kind, i, item in agents:
            key = (kind, item.get("name"))
            former = first.setdefault(key, (origin, item))[1]
            if former is not item and any(former.get(k) != item.get(k) for k in ("dose_mg_kg", "bath_uM", "route")):
                path = ("arms", origin, kind, i) if origin == arm else ("arms", arm, "use")
                look.fault(path, f"{item.get('name')} comes twice at different doses", "one dose and route per agent and arm")


def check_times(look: Look) -> None:
    """Start < branch < horizon; doses within, and not before the arms branch off."""
    start = look.number("start_day", default=0.0)
    horizon = look.number("horizon_day")
    branch = look.number("branch_at_day") if look.get("branch_at_day") is not None else None
    if start is None or horizon is None or start > 0 or horizon <= 0:
        return
    if branch is not None and not start < branch < horizon:
        look.fault(("branch_at_day",), f"day {branch:g} is not between start_day {start:g} and horizon_day {horizon:g}",
                   f"a day after {start:g} and before {horizon:g}")  # fmt: skip
        branch = None
    for arm in look.mapping("arms"):
        for kind, _word in AGENT_KINDS:
            for i in range(len(look.items("arms", arm, kind))):
                check_days(look, ("arms", arm, kind, i, "day"), start, horizon, branch)
    days = look.get("output", "snapshot_days", default=[])
    for i, day in enumerate(days if isinstance(days, list) else [days]):
        if is_number(day) and not start <= day <= horizon:
            look.fault(("output", "snapshot_days", i), f"day {day:g} is outside the run", f"{start:g} to {horizon:g}")


def check_days(look: Look, path: tuple[Any, ...], start: float, horizon: float, branch: float | None) -> None:
    """The days of one agent."""
    days = look.get(*path, default=[])
    for day in days if isinstance(days, list) else [days]:
        if not is_number(day) or not math.isfinite(day):
            continue
        if day >= horizon:
            look.fault(path, f"a dose on day {day:g}, after the end (horizon_day {horizon:g})", f"days before {horizon:g}")
        elif day < start:
            look.fault(path, f"a dose on day {day:g}, before the start (start_day {start:g})", f"days from {start:g} on")
        elif branch is not None and day < branch:
            look.fault(path, f"a dose on day {day:g}, before the arms branch off (branch_at_day {branch:g})", f"days from {branch:g} on")


def check_clocks(look: Look) -> None:
    """The base tick is whole minutes or 1/2, 1/4, ...; every other clock is a multiple of it."""
    dt = look.number("clocks", "dt_min", default=1.0)
    if dt is None or dt <= 0:
        return
    if not ((dt >= 1 and dt == int(dt)) or (dt < 1 and math.log2(dt).is_integer() and dt >= 1 / 64)):
        look.fault(("clocks", "dt_min"), f"{dt:g} min is no base tick", "whole minutes, or 1/2, 1/4, ... 1/64")
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
    for name, entry in look.context.library.spreading().items():
        clock = look.number("fields", name, "clock_min", default=entry.clock_min)
        used = name in look.context.library.fields or name in given(look)
        if used and clock is not None and clock > 0 and not divides(clock, dt):
            path = ("fields", name, "clock_min") if "clock_min" in look.mapping("fields", name) else ("clocks", "dt_min")
            look.fault(path, f"the clock of {name}, {clock:g} min, is no multiple of the base tick", expected)
    for name, clock in look.context.clocks.items():
        if clock and not divides(clock, dt):
            look.fault(("clocks", "dt_min"), f"{dt:g} min does not divide the clock of {name}, {clock:g} min", "a divisor of all clocks")


def given(look: Look) -> set[str]:
    """Agents that some arm gives, payload drugs included."""
    names = set()
    for arm in look.mapping("arms"):
        for kind, _word in AGENT_KINDS:
            names |= {str(i.get("name")) for i in look.items("arms", arm, kind) if isinstance(i, dict)}
    particles = look.context.library.nanoparticles
    return names | {p.drug for n in names if n in particles for p in particles[n].payloads if p.drug}


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def check_rest(look: Look) -> None:
    """Modifiers (none exist yet), metrics, and sweep entries' form."""
    for name in look.mapping("modifiers"):
        look.unknown(("modifiers", name), "modifier", name, ())
    known = look.context.metrics
    for i, name in enumerate(look.items("metrics")):
        if known and isinstance(name, str) and name not in known:
            look.unknown(("metrics", i), "metric", name, known)
    for key, entry in look.mapping("sweep").items():
        if isinstance(entry, dict):
            good = set(entry) == {"from", "to", "n"} and all(is_number(v) and math.isfinite(v) for v in entry.values())
            good = good and entry["n"] == int(entry["n"]) and entry["n"] >= 1
        else:
            good = isinstance(entry, list) and len(entry) > 0
        if not good:
            look.fault(("sweep", key), "is no range of values", "a list of values, or {from: a, to: b, n: steps}")
