"""What entries of cell types say of others: fields that must exist and be taken up their way, codes and names used once."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from tme.library.cells import CellEntry, Uptake, code_of

TAKEN = ("ignore", "empty", "other", "hour", "day", "births", "cleared", "corpses", "kills", "vessels",  # tables and series use them
         "none", "vessel", "meta", "uids", "released", "receptors", "node")  # so do regions, rules and checkpoints
MASS = "ng/mL"


def per_min(unit: str) -> tuple[str, str]:
    """How a unit per minute may be written, as the library writes it first: ng/(mL min), or ng/mL/min."""
    top, _, under = unit.partition("/")
    return (f"{top}/({under} min)" if under else f"{unit}/min"), f"{unit}/min"


def fault_of_uptake(item: Uptake, field: Any, cells: Mapping[str, CellEntry]) -> str:
    """What is wrong with an uptake of this field, as "key: words"; '' if nothing is."""
    numbers = item.numbers
    for key, units in (("most", per_min(field.unit)), ("half", (field.unit,))):
        if key in numbers and numbers[key].unit not in units:
            return f"{key}: is given in '{numbers[key].unit}', expected '{units[0]}'"
    if field.uptake == "saturable":
        if not item.saturates and item.linear:
            return ""
        if not item.saturates:
            return f"rate: {item.field} is taken up at a rate that saturates; expected most, in {per_min(field.unit)[0]}, or linear: true"
        return f"half: {item.field} has its own, {field.half_uptake}; leave it out" if "half" in item.given else ""
    if item.saturates and "half" not in item.given:
        return f"half: is missing; {item.field} states none"
    halves = {u.half_text for e in cells.values() for u in e.takes_up if u.field == item.field and u.saturates}
    return f"half: cell types that take up {item.field} say {' and '.join(sorted(halves))}; expected one" if item.saturates and len(halves) > 1 else ""


def faults_of_units(entry: CellEntry, fields: Mapping[str, Any]) -> list[str]:
    """Numbers of an entry that are in another unit than their field's, as "key: words"."""
    out = []
    levels = [("entry.half", entry.entry.signal)] if entry.entry is not None else []
    levels += [("life.below", entry.life.where)] if entry.life is not None and entry.life.where is not None else []
    for key, name in levels:
        if name in fields and key in entry.numbers and entry.numbers[key].unit != fields[name].unit:
            out.append(f"{key}: is given in '{entry.numbers[key].unit}', {name} in '{fields[name].unit}'")
    for k, item in enumerate(entry.secretes):
        if item.field not in fields:
            continue
        unit, units = fields[item.field].unit, per_min(fields[item.field].unit)
        if "rate" in item.numbers and item.numbers["rate"].unit not in units:
            out.append(f"secretes.{k}.rate: is given in '{item.numbers['rate'].unit}', expected '{units[0]}'")
        if item.weight_kda > 0.0 and unit != MASS:
            out.append(f"secretes.{k}.molecules_s: {item.field} is in '{unit}', and molecules are weighed for a field in '{MASS}'; expected rate, in {units[0]}")
    return out


def faults_of(cells: Mapping[str, CellEntry], fields: Mapping[str, Any]) -> list[str]:
    """What hangs in the air: fields that do not exist, codes used twice, types whose names are taken."""
    known, out = set(fields), []
    seen: dict[int, str] = {}
    for name, entry in cells.items():
        for key, f in entry.named_fields:
            if f not in known:
                near = get_close_matches(f, known, 1)
                out.append(f"{name}.{key}: field '{f}' is not in fields.yaml" + (f"; did you mean '{near[0]}'?" if near else ""))
        out += [f"{name}.takes_up.{k}.{said}" for k, u in enumerate(entry.takes_up) if u.field in known and (said := fault_of_uptake(u, fields[u.field], cells))]
        out += [f"{name}.{said}" for said in faults_of_units(entry, fields)]
        code = code_of(name, entry)
        if code in seen:
            out.append(f"{name}: has the code of {seen[code]}")
        seen[code] = name
        if name in TAKEN:
            out.append(f"{name}: the name has another meaning in tables, rules or checkpoints")
    return out
