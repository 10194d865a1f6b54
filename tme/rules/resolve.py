"""Which rules a config asks for, and whether they can be: terms, signals, units, directions, names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from tme.config.errors import ConfigError, Fault, listed, nearest
from tme.library.rule import Need, RuleEntry
from tme.rules.signals import VESSEL, Known

SWITCH = {"on": True, "off": False, True: True, False: False}


def chosen(config: Any) -> dict[str, RuleEntry]:
    """Rules that are on: the library's with the config's changes, and the config's own. ConfigError if one cannot be read."""
    library = config.library.rules
    on = config.switched_on()
    brought = {r for name in config.carriers() for r in config.library.alterations[name].rules}
    out = {name: entry for name, entry in library.items() if entry.default or entry.comes_with in on or name in brought}
    faults: list[Fault] = []
    for name, change in requested(config):
        if isinstance(change, (bool, str)):
            if change not in SWITCH:
                faults.append(_fault(config, name, f"'{change}' is no switch", "on, off, or an entry"))
            elif name not in library:
                faults.append(_unknown(config, name, library))
            elif SWITCH[change]:
                out[name] = library[name]
            else:
                out.pop(name, None)
            continue
        if not isinstance(change, Mapping):
            faults.append(_fault(config, name, f"{change!r} is no rule", "on, off, or an entry"))
            continue
        change = dict(change)
        on = change.pop("on", True)
        entry = _entry(config, name, library.get(name), change, faults)
        out.pop(name, None)
        if entry is not None and on is not False:
            out[name] = entry
    if faults:
        raise ConfigError(faults)
    return out


def woken(entries: Mapping[str, RuleEntry], library: Any, events: Iterable[str]) -> dict[str, RuleEntry]:
    """Without the rules that hear an event which is none of these, `events` being names of the library."""
    heard = {f"event.{signal}" for name in events for signal in library.event(name).signals(name)}
    return {name: e for name, e in entries.items() if not e.signal.startswith("event.") or e.signal in heard}


def requested(config: Any) -> Iterator[tuple[str, Any]]:
    """(id, what the config says) of every rule it names; `M53: {hif1: on}` is `M53.hif1: on`."""
    known = set(config.library.rules)
    for name, change in config.rules.items():
        nested = isinstance(change, Mapping) and name not in known and any(f"{name}.{part}" in known for part in change)
        if nested:
            yield from ((f"{name}.{part}", value) for part, value in change.items())
        else:
            yield name, change


def _entry(config: Any, name: str, entry: RuleEntry | None, change: dict[str, Any], faults: list[Fault]) -> RuleEntry | None:
    """A changed or new entry; a bare number keeps unit and range of the one it replaces."""
    raw = {} if entry is None else raw_of(entry)
    for key, value in change.items():
        former = raw.get(key)
        if key == "needs" and isinstance(former, dict) and isinstance(value, Mapping):
            raw[key] = {**former, **{k: _number(former.get(k), v) for k, v in value.items()}}
        else:
            raw[key] = _number(former if former is not None or entry is None else _absent(key), value)
    try:
        return RuleEntry.model_validate(_plain(raw))
    except ValidationError as error:
        for e in error.errors():
            place = ["in" if x == "cells" else str(x) for x in (*e["loc"], getattr(e.get("ctx", {}).get("error"), "key", "")) if x != ""]
            keys = [*(k for k in RuleEntry.model_fields if k != "cells"), "in"]
            meant = nearest(place[0], keys) if e["type"] == "extra_forbidden" else ""
            said = "is no cell type, nor a list of them" if place[:1] == ["in"] else " ".join(e["msg"].split())
            faults.append(_fault(config, ".".join([name, *place]), said, meant=meant))
        return None


def _absent(key: str) -> dict[str, Any] | None:
    """What stands for a number that a rule of the library does not state; None where its unit is not known."""
    unit = RuleEntry.unit_of(key)
    return None if unit in (None, "*") else {"unit": unit, "source": "the library states none"}


def _number(former: Any, value: Any) -> Any:
    """A bare number with the unit of the one it replaces; anything else as it is."""
    if not isinstance(former, dict) or "source" not in former or not isinstance(value, (int, float)) or isinstance(value, bool):
        return value
    former = {k: v for k, v in former.items() if k != "range"}
    return {**former, "value": float(value), "source": f"set by the config; before: {former['source']}"}


def raw_of(entry: RuleEntry) -> dict[str, Any]:
    """The entry as it is written in a file."""
    raw: dict[str, Any] = {}
    for key in type(entry).model_fields:
        value = getattr(entry, key)
        if isinstance(value, Need):
            raw[key] = value.raw
        elif key in entry.numbers:
            raw[key] = entry.numbers[key].model_dump(exclude_none=True)
        elif value is not None and type(entry).unit_of(key) is None:
            raw["in" if key == "cells" else key] = list(value) if isinstance(value, tuple) else value
    return raw


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def check(entries: Mapping[str, RuleEntry], known: Known) -> list[tuple[str, str, str, str]]:
    """(rule, problem, expected, meant) of every rule that cannot be, and of rules that do not go together."""
    found: list[tuple[str, str, str, str]] = []
    for name, entry in entries.items():
        found += [(name, *rest) for rest in _wrong(entry, known)]
    for cells, term in sorted({(c, e.term) for e in entries.values() for c in e.cells}):
        mine = {n: e for n, e in entries.items() if e.term == term and cells in e.cells}
        found += _together(mine)
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for name, entry in entries.items():
        for cells in entry.cells if entry.group is not None else ():
            other, term = first.setdefault((cells, str(entry.group)), (name, entry.term))
            if term != entry.term:
                found.append((name, f"group {entry.group} is that of {other} on {term}; memory and share of a group are of one term", "another name of the group", ""))
    return found


def _wrong(entry: RuleEntry, known: Known) -> Iterator[tuple[str, str, str]]:
    term = known.terms.get(entry.term)
    if term is None:
        yield f"unknown term '{entry.term}'", listed(sorted(known.terms)), nearest(entry.term, known.terms)
    for cells in entry.cells:
        if cells not in known.columns and cells != VESSEL:
            places = [*sorted(known.columns), VESSEL]
            yield f"unknown cell type '{cells}'", listed(places), nearest(cells, places)
            continue
        if term is not None and cells not in term.cells:
            where = "vessels" if cells == VESSEL else f"{cells} cells"
            yield f"{where} have no term {term.name}", f"in: {listed(term.cells)}", ""
        if cells == VESSEL and entry.lag_h:
            yield "a rule at vessels has no memory", "no lag_h", ""
        signals = known.signals(cells)
        unit = signals.get(entry.signal)
        if unit is None:
            alike = [s for s in signals if s.split(".")[0] == entry.signal.split(".")[0]] or list(signals)
            yield f"unknown signal '{entry.signal}'", listed(sorted(alike)), nearest(entry.signal, signals)
        elif entry.half is not None and entry.numbers["half"].unit != unit:
            yield f"half is in '{entry.numbers['half'].unit}', {entry.signal} in '{unit}'", f"unit: {unit}", ""
    if entry.needs is not None:
        unit = known.fields.get(entry.needs.field)
        if unit is None:
            yield f"needs unknown field '{entry.needs.field}'", listed(sorted(known.fields)), nearest(entry.needs.field, known.fields)
        elif entry.needs.numbers["half"].unit != unit:
            yield f"needs.half is in '{entry.needs.numbers['half'].unit}', {entry.needs.field} in '{unit}'", f"unit: {unit}", ""
    if term is None:
        return
    if entry.combine == "product" and (term.effect == "adds") != (entry.verb == "adds_to"):
        say = "adds_to" if term.effect == "adds" else "raises or lowers"
        yield f"{term.name} {'is an amount' if term.effect == 'adds' else 'is a factor'}: it cannot be what a rule {entry.verb}", say, ""
    if term.pool and entry.group == term.pool and not (not entry.lag_h and (entry.response == "linear" or (entry.verb == "lowers" and entry.to == 0.0))):
        whole = "to: 0" if term.effect == "multiplies" else "response: linear"
        yield f"group {term.pool} is that of what competes for {term.name}: its law takes their sum", f"{whole} and no lag_h, or another group", ""
    number, base = entry.numbers.get("to"), entry.numbers.get("base")
    if number is not None and (term.effect == "adds" or entry.combine == "product") and number.unit != term.unit:
        yield f"to is in '{number.unit}', {term.name} in '{term.unit}'", f"unit: {term.unit}", ""
    if number is not None and base is not None and base.unit != number.unit:
        yield f"to is in '{number.unit}', the base in '{base.unit}'", f"unit: {base.unit}", ""


def _together(mine: Mapping[str, RuleEntry]) -> Iterator[tuple[str, str, str, str]]:
    """Rules of one term in one cell type: all by one grammar, groups that agree."""
    first = next(iter(mine))
    for name, entry in mine.items():
        if entry.combine != mine[first].combine:
            yield name, f"{entry.term} is combined as {mine[first].combine} by {first}", f"combine: {mine[first].combine}", ""
        if entry.combine == "cbhg" and mine[first].combine == "cbhg" and entry.base != mine[first].base:
            yield name, f"base {entry.base:g}, but {first} has {mine[first].base:g}", "one base for a term", ""
        if entry.combine == "cbhg" and mine[first].combine == "cbhg" and entry.reference != mine[first].reference:
            yield name, f"reference {entry.reference}, but {first} has {mine[first].reference}", "one reference for a term", ""
    groups: dict[str, tuple[str, RuleEntry]] = {}
    for name, entry in mine.items():
        if entry.group is None:
            continue
        other, leader = groups.setdefault(entry.group, (name, entry))
        for key in ("verb", "to", "lag_h", "response"):
            if getattr(entry, key) != getattr(leader, key):
                yield name, f"{key} differs from that of {other}, which is of the same group {entry.group}", "rules of a group share it", ""


def clashes(rules: Mapping[str, RuleEntry], others: Mapping[str, RuleEntry]) -> Iterator[tuple[str, str, str, str]]:
    """The same of rules beside what drugs and alterations do (`others`), as far as the rules are at fault."""
    for name, entry in rules.items():
        for key, other in others.items():
            if entry.term != other.term or not set(entry.cells) & set(other.cells):
                continue
            if entry.combine == "cbhg":
                yield name, f"{entry.term} is combined as cbhg, and {key} acts on it too", f"combine: {other.combine}", ""
            elif entry.group is not None and entry.group == other.group:
                yield from (found for found in _together({key: other, name: entry}) if found[0] == name)


def faults_of(config: Any, known: Known, others: Mapping[str, RuleEntry] = MappingProxyType({})) -> list[Fault]:
    """Everything that is wrong with the rules of a config; `others`: what its drugs and alterations do, as rules."""
    try:
        entries = chosen(config)
    except ConfigError as error:
        return list(error.faults)
    found = [*check(entries, known), *clashes(entries, others)]
    return [_fault(config, name, problem, expected, meant, part_of(entries[name], problem)) for name, problem, expected, meant in found]


def faults_of_waiting(config: Any, known: Known) -> list[Fault]:
    """What is wrong with rules of the user's own file that are off: terms, signals and cell types that do not exist."""
    try:
        on = chosen(config)
    except ConfigError:
        return []
    entries = {name: config.library.rules[name] for name in config.library.origin.get("rules", {}) if name not in on}
    return [_fault(config, name, *what, part_of(entry, what[0])) for name, entry in entries.items() for what in _wrong(entry, known)]


def part_of(entry: RuleEntry, problem: str) -> str:
    """The key of a rule that a problem is about; "" for the rule as a whole."""
    keys = {"unknown signal": "signal", "unknown term": entry.verb, "unknown cell": "in", "half is": "half", "to is": "to", "needs": "needs"}
    return next((key for start, key in keys.items() if problem.startswith(start)), "")


def _fault(config: Any, name: str, problem: str, expected: str = "", meant: str = "", part: str = "") -> Fault:
    key = f"rules.{name}"
    origin, exact = config.origin, f"{key}.{part}" if part else key
    place = origin.get(exact) or config.library.place(exact) or next((origin[k] for k in _outward(key) if k in origin), None)
    if place is None:
        inner = sorted(k for k in origin if k.startswith(f"rules.{name.split('.')[0]}"))
        place = origin[inner[0]] if inner else ("tme/library/rules.yaml", 0)
    return Fault(place[0], place[1], key, problem, expected, meant)


def _outward(key: str) -> Iterator[str]:
    """The key, its parent, and so on."""
    parts = key.split(".")
    for n in range(len(parts), 1, -1):
        yield ".".join(parts[:n])


def _unknown(config: Any, name: str, library: Mapping[str, Any]) -> Fault:
    return _fault(config, name, f"unknown rule '{name}'", listed(sorted(library)), nearest(name, library))
