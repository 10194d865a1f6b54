"""`receptors:` of an experiment: which checkpoint axes are on, and what differs from the library.

    receptors:
      lag3: true                                          # or false
      pd1: {host: true, effects: {killing: {to: 0.3}}}    # any part of the entry; a plain number is in the entry's unit
      mine: {about: ..., place: contact, ...}             # an axis of the user's own: a whole entry
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tme.config.access import Access, is_number
from tme.config.errors import listed, nearest
from tme.library.axes import AxisEntry, Effect, Expression, Ligand, Receptor, raw
from tme.library.schema import Part

Problem = tuple[tuple[str, ...], str, str, str]  # path below `receptors`, what is wrong, what was expected, what was meant
IN_CONFIG = "assumed: set in the experiment"
PARTS: dict[tuple[type[Part], str], type[Part]] = {(AxisEntry, "receptor"): Receptor}
NAMED: dict[tuple[type[Part], str], type[Part]] = {
    (AxisEntry, "ligands"): Ligand,
    (AxisEntry, "effects"): Effect,
    (Receptor, "on"): Expression,
    (Ligand, "on"): Expression,
}


def resolved(given: Mapping[str, Any], library: Mapping[str, AxisEntry]) -> tuple[dict[str, AxisEntry], list[Problem]]:
    """All axes with what an experiment says of them, and what is wrong with it."""
    out, problems = dict(library), []
    for name, change in given.items():
        entry, found = changed(name, change, library)
        problems += found
        if entry is not None:
            out[name] = entry
    return out, problems


def changed(name: str, change: Any, library: Mapping[str, AxisEntry]) -> tuple[AxisEntry | None, list[Problem]]:
    """One axis; None if it is not sound."""
    old = library.get(name)
    if isinstance(change, bool):
        change = {"on": change}
    if not isinstance(change, Mapping):
        return None, [((name,), f"is {change!r}", "true, false, or parts of the entry", "")]
    if old is None and not {"place", "receptor", "ligands", "effects"} & set(change):
        return None, [((name,), f"unknown receptor axis '{name}'", listed(library) + ", or a whole entry", nearest(name, library))]
    problems: list[Problem] = []
    whole = merged(AxisEntry, raw(old) if old is not None else {"on": True}, change, (name,), problems)
    if problems:
        return None, problems
    try:
        return AxisEntry.model_validate(whole), []
    except ValidationError as error:
        return None, [((name, *(str(x) for x in e["loc"])), " ".join(e["msg"].split()), "", "") for e in error.errors()]


def merged(cls: type[Part], base: Mapping[str, Any], change: Mapping[str, Any], path: tuple[str, ...], problems: list[Problem]) -> dict[str, Any]:
    """Parts of an entry on top of it; plain numbers take the unit of what they replace."""
    out = dict(base)
    for key, value in change.items():
        at, inner = (*path, key), base.get(key, {})
        if key not in cls.model_fields:
            problems.append((at, "unknown key", listed(cls.model_fields), nearest(key, cls.model_fields)))
        elif cls.unit_of(key) is not None and not isinstance(value, Mapping) and not (is_number(value) and math.isfinite(value)):
            problems.append((at, f"is {value!r}", f"a finite number, in {inner.get('unit', cls.unit_of(key))}", ""))
        elif cls.unit_of(key) is not None and is_number(value):
            unit = inner.get("unit", cls.unit_of(key))
            out[key] = {"value": float(value), "unit": "1" if unit == "*" else unit, "source": IN_CONFIG}
        elif (cls, key) in PARTS and isinstance(value, Mapping):
            out[key] = merged(PARTS[cls, key], inner, value, at, problems)
        elif (cls, key) in NAMED and isinstance(value, Mapping):
            out[key] = dict(inner)
            for name, part in value.items():
                if isinstance(part, Mapping):
                    out[key][name] = merged(NAMED[cls, key], inner.get(name, {}), part, (*at, name), problems)
                elif part is None:
                    out[key].pop(name, None)
                else:
                    problems.append(((*at, name), f"is {part!r}", "key: value lines", ""))
        else:
            out[key] = value
    return out


def check_receptors(look: Access) -> None:
    """Axes exist and are sound; what they name exists; agents of an arm find the axis they act on."""
    given = look.mapping("receptors")
    library = look.context.library
    axes, problems = resolved(given, library.receptors)
    for path, problem, expected, meant in problems:
        look.fault(("receptors", *path), problem, expected, meant)
    on = {n: e for n, e in axes.items() if e.on}
    for name in given:
        if name in on:
            check_names(look, name, on[name], {n: a for n, a in on.items() if n != name})
    of = {n: axis for axis, e in axes.items() for n in e.names()}
    met = [n for e in axes.values() if e.place == "contact" for n in e.ligands]
    for arm in look.mapping("arms"):
        for kind in ("antibodies", "nanoparticles"):
            for i, item in enumerate(look.items("arms", arm, kind)):
                agent = getattr(library, kind).get(item.get("name")) if isinstance(item, dict) and isinstance(item.get("name"), str) else None
                target = getattr(agent, "target", None) or getattr(getattr(agent, "coat", None), "target", None)
                if target in of and of[target] not in on and not said_off(given.get(of[target])):
                    look.fault(("arms", arm, kind, i, "name"), f"{item['name']} takes away {target}, but the axis {of[target]} is off", f"receptors: {{{of[target]}: true}}, or false where that is meant")
                elif getattr(agent, "sink", None) is not None and target not in met:
                    look.fault(("arms", arm, kind, i, "name"), f"{item['name']} has a sink, but {target} is no ligand that is met in tissue", f"a sink of an antibody against {listed(met)}, or none")


def said_off(change: Any) -> bool:
    """Whether an experiment itself switches an axis off."""
    return change is False or (isinstance(change, Mapping) and change.get("on") is False)


def check_names(look: Access, name: str, entry: AxisEntry, others: Mapping[str, AxisEntry]) -> None:
    """Fields that induce ligands exist; no molecule is in two axes."""
    taken = {n: axis for axis, e in others.items() for n in e.names()}
    for molecule in entry.names():
        if molecule in taken:
            look.fault(("receptors", name), f"{molecule} is in the axis {taken[molecule]} too", "a name of its own")
    fields = look.context.library.fields
    for ligand, spec in entry.ligands.items():
        for kind, e in spec.on.items():
            path = ("receptors", name, "ligands", ligand, "on", kind, "induced_by")
            if e.signal[0] == "own":
                look.fault(path, f"is '{e.induced_by}'", "field.NAME: a ligand follows a field")
            elif e.signal[0] == "field" and e.signal[1] not in fields:
                look.fault(path, f"unknown field '{e.signal[1]}'", listed(f"field.{f}" for f in fields), nearest(e.signal[1], fields))
    for kind, e in entry.receptor.on.items():
        if e.signal[0] == "field" or e.column:
            look.fault(("receptors", name, "receptor", "on", kind), "is induced by a field or kept in a column", "level, or induced_by: own.COLUMN")
