"""What entries of cell types say of others: fields that must exist and be taken up their way, codes and names used once."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from tme.library.cells import CellEntry, Uptake, code_of

TAKEN = ("ignore", "empty", "other", "hour", "day", "births", "cleared", "corpses", "kills", "vessels")  # tables and series use them


def fault_of_uptake(item: Uptake, field: Any, cells: Mapping[str, CellEntry]) -> str:
    """What is wrong with an uptake of this field, as "key: words"; '' if nothing is."""
    numbers = item.numbers
    for key, unit in (("most", f"{field.unit}/min"), ("half", field.unit)):
        if key in numbers and numbers[key].unit != unit:
            return f"{key}: is given in '{numbers[key].unit}', expected '{unit}'"
    if field.uptake == "saturable":
        if not item.saturates and item.linear:
            return ""
        if not item.saturates:
            return f"rate: {item.field} is taken up at a rate that saturates; expected most, in {field.unit}/min, or linear: true"
        return f"half: {item.field} has its own, {field.half_uptake}; leave it out" if "half" in item.given else ""
    if item.saturates and "half" not in item.given:
        return f"half: is missing; {item.field} states none"
    halves = {u.half_text for e in cells.values() for u in e.takes_up if u.field == item.field and u.saturates}
    return f"half: cell types that take up {item.field} say {' and '.join(sorted(halves))}; expected one" if item.saturates and len(halves) > 1 else ""


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
        code = code_of(name, entry)
        if code in seen:
            out.append(f"{name}: has the code of {seen[code]}")
        seen[code] = name
        if name in TAKEN:
            out.append(f"{name}: the name has another meaning in tables and series")
    return out
