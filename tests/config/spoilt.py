"""Broken experiments: `broken(rng)` makes one fault in a sound generated experiment and says where."""

from __future__ import annotations

import copy
import math
from random import Random
from typing import Any

from generated import valid

from tme.library import load_library
from tme.model import parameter_registry

Path = tuple[Any, ...]
REQUIRED = ("horizon_day", "domain", "initial", "size_um", "kind", "n_cells", "share", "name", "dose_mg_kg", "file",
            "columns", "types", "cause", "age_h", "minutes", "intensity_w_cm2")  # fmt: skip
OWN_REQUIRED = {  # in entries of a user's own that extend none
    "cells": ("about", "place", "volume_um3", "speed", "signal", "mean_d", "recognises", "attach", "floor", "hold_min", "hit"),
    "fields": ("about", "unit", "mode", "clock_min", "diffusion", "decay"),
    "receptors": ("about", "place", "receptor", "ligands", "effects"),
    "alterations": ("about", "source"),
    "rules": ("evidence", "source", "signal", "in"),
}
SIGNED = ("start_day", "day", "until_d", "snapshot_days", "branch_at_day", "power", "gate", "margin_um", "roi", "range", "priority",
          "to", "slope", "base", "tumours")  # fmt: skip
UNITS = ("um^3", "um/min", "1/min", "d", "min", "um^2/min", "h", "nM", "kDa", "g/mol", "1/mm^2", "1/Gy", "uM/min")


def broken(rng: Random) -> tuple[dict[str, Any], Path, str]:
    """An experiment with one fault: the data, where it is, and what was done."""
    while True:
        data = valid(rng)
        way = rng.choice(WAYS)
        found = way(rng, data)
        if found is not None:
            return data, found, way.__name__


def parts(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """Every part below, leaves and sections, with its path."""
    out = [(path, value)] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        out += parts(child, (*path, key))
    return out


def at(data: Any, path: Path) -> Any:
    """The part at a path."""
    for key in path:
        data = data[key]
    return data


def put(data: Any, path: Path, value: Any) -> Path:
    """Replace the part at a path; the path."""
    at(data, path[:-1])[path[-1]] = value
    return path


def free(path: Path) -> bool:
    """Whether keys at this path are the user's own words."""
    start = path[2:] if path[:2] == ("initial", "base") else path[1:]
    return path == ("arms",) or (path[:1] == ("initial",) and start[:1] in (("types",), ("traits",), ("columns",), ("only",))) or path[-1:] == ("ligands",)


def is_number(value: Any) -> bool:
    """Whether it is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_quantity(value: Any) -> bool:
    """Whether it is a number as entries write it."""
    return isinstance(value, dict) and {"value", "unit"} <= set(value)


def unknown_key(rng: Random, data: dict[str, Any]) -> Path | None:
    """A misspelt or invented key in some section."""
    sections = [((), data), *((p, v) for p, v in parts(data) if isinstance(v, dict))]
    path, section = rng.choice([(p, s) for p, s in sections if not free(p)])
    word = rng.choice(["colour", "dose", "x", "Seed", "n-cells", "öl", "on_", "mechanism"])
    if section and rng.random() < 0.7:
        key = rng.choice(sorted(section))
        i = rng.randrange(len(key))
        word = rng.choice([key[:i] + key[i + 1 :], key + "s", key[:i] + key[i] + key[i:], key.upper(), key + "_um"])
    if not word or word in section or (path[:1] == ("fields",) and word in load_library().spreading()):
        return None
    section[word] = rng.choice([1, "abc", {}, {"x": 1}, True])
    return (*path, word)


def wrong_type(rng: Random, data: dict[str, Any]) -> Path | None:
    """A number where a word or section belongs, and so on."""
    chosen = [(p, v) for p, v in parts(data) if v is not None and not free(p[:-1]) and not (len(p) == 2 and p[0] == "arms")]
    path, value = rng.choice(chosen)
    if isinstance(value, (dict, list)):
        new = rng.choice(["abc", 3.5, True])
        words = ("day", "snapshot_days", "boundary", "only", "type")
        if path[-1] in words or path[:-1] == ("receptors",) or path[-2:-1] == ("boundary",) or path[0] == "rules" or is_quantity(value):
            new = "abc"
    elif isinstance(value, str):
        new = rng.choice([12, 3.5, True, [1], {"a": 1}])
        if value in ("on", "off") or path[-1] in ("type", "gate") or path[-2:-1] == ("type",):
            new = {"a": 1}
    elif isinstance(value, bool):
        new = rng.choice(["abc", 12, [True]])
        if path[-1] == "daughters_keep":
            new = "abc"
    else:
        new = rng.choice(["abc", "1.5 um", {"a": 1}, [["x"]], True])
        if path[-1] in ("daughters_keep", "day") or path[-2:-1] == ("unit",):
            new = {"a": 1}
    return put(data, path, new)


def not_a_number(rng: Random, data: dict[str, Any]) -> Path | None:
    """NaN or infinity where a number is."""
    path = rng.choice([p for p, v in parts(data) if is_number(v)])
    return put(data, path, rng.choice([math.nan, math.inf, -math.inf]))


def out_of_range(rng: Random, data: dict[str, Any]) -> Path | None:
    """A number below what is allowed; days may be negative and are another matter."""
    numbers = [p for p, v in parts(data) if is_number(v) and not set(p) & set(SIGNED)]
    path = rng.choice(numbers)
    if path[0] == "mechanisms":
        p = parameter_registry()[path[1]].parameters[path[2]]
        wide = p.high - p.low + abs(p.high)
        return put(data, path, rng.choice([p.low - 0.01 * wide - 1e-9, p.high + 0.01 * wide + 1e-9]))
    return put(data, path, -1 if isinstance(at(data, path), int) else -0.5)


def too_much(rng: Random, data: dict[str, Any]) -> Path | None:
    """A number above its bound, for those that have one."""
    bound = {"dx_um": 61, "immune_per_voxel": 9, "occupancy": 1.01, "cv": 1.6, "drift_per_division": 1.1, "antigenicity_cv": 2.1,
             "share": 1.2, "seed": 2**63, "replicates": 10_001, "field_tol": 0.1, "n_cells": 10**7, "start_day": 0.5}  # fmt: skip
    found = [p for p, v in parts(data) if p[-1] in bound and is_number(v) and p[0] != "library"]
    found += [(*p, "value") for p, v in parts(data) if is_quantity(v) and p[-1] in ("bias", "persistence", "recognition", "floor", "level", "depletion", "hill")]
    if not found:
        return None
    path = rng.choice(found)
    return put(data, path, bound.get(path[-1], 21))


def unknown_name(rng: Random, data: dict[str, Any]) -> Path | None:
    """A drug, tumour, arm, route, signal, term, field, cell type ... that does not exist."""
    words = ("name", "preset", "kind", "mode", "route", "at_edge", "boundary", "trait", "signal", "target", "field", "follows", "where", "extends", "cells", "raises", "lowers",
             "adds_to", "in", "sensitiser", "carried_by", "depletes", "drug", "lies", "recognises", "response", "combine", "induced_by", "evidence", "cause", "shape")  # fmt: skip
    lists = ("use", "types", "columns", "in", "alterations", "factorial", "times")
    found = [p for p, v in parts(data) if isinstance(v, str) and (p[-1] in words or (p[-2:-1] and p[-2] in lists)) and p != ("name",) and p[-2:-1] != ("receptor",)]
    found = [p for p in found if p[:1] != ("initial",) or p[-2:-1] != ("only",)]
    if not found:
        return None
    path = rng.choice(found)
    return put(data, path, rng.choice([at(data, path) + "x", "nothing", "", "RSL-3!"]))


def something_missing(rng: Random, data: dict[str, Any]) -> Path | None:
    """A key left out that nobody can guess."""
    found = [p for p, _ in parts(data) if p[-1] in REQUIRED and p != ("name",) and p[0] in ("horizon_day", "domain", "initial", "arms")]
    found = [p for p in found if not ("regions" in p and p[-1] == "share")]  # a region may do without
    found = [p for p in found if not (p[-1] == "share" and kind_of(data, at(data, p[:-1]).get("name")) in ("resection", "vaccination"))]  # and so may these
    for kind, named in data.get("library", {}).items():
        whole = [name for name, entry in named.items() if "extends" not in entry]
        found += 3 * [("library", kind, name, *p) for name in whole for p, _ in parts(named[name]) if p[-1] in OWN_REQUIRED.get(kind, ())]
    path = rng.choice(found)
    del at(data, path[:-1])[path[-1]]
    return path


def kind_of(data: dict[str, Any], name: Any) -> str:
    """The kind of an event, ours or the user's own."""
    own = data.get("library", {}).get("events", {}).get(name)
    return str(own["extends"] if own else name)


def wrong_unit(rng: Random, data: dict[str, Any]) -> Path | None:
    """A number of an entry or a rule in another unit."""
    found = [p for p, v in parts(data) if is_quantity(v) and (v["unit"] in UNITS or p[-1] in ("rate", "below", "half")) and "tumours" not in p and "slope" not in p]
    if not found:
        return None
    path = (*rng.choice(found), "unit")
    return put(data, path, rng.choice(["furlong", at(data, path) + "x"]))


def wrong_side(rng: Random, data: dict[str, Any]) -> Path | None:
    """A rule, hit or effect that raises to less than before, or lowers to more."""
    found = [p for p, v in parts(data) if isinstance(v, dict) and "to" in v and {"raises", "lowers"} & set(v)]
    if not found:
        return None
    path = rng.choice(found)
    part = at(data, path)
    part["to"]["value"] = (part["base"]["value"] if "base" in part else 1.0) * (0.9 if "raises" in part else 1.1)
    part["to"].pop("range", None)
    return (*path, "to")


def twice(rng: Random, data: dict[str, Any]) -> Path | None:
    """An entry of the user's own under a name of ours."""
    own = data.get("library")
    if not own:
        return None
    kind = rng.choice(sorted(own))
    taken = sorted(load_library().entries[kind])
    name, new = rng.choice(sorted(own[kind])), rng.choice(taken)
    own[kind][new] = copy.deepcopy(own[kind][name])
    return ("library", kind, new)


def clock_that_does_not_divide(rng: Random, data: dict[str, Any]) -> Path | None:
    """A base tick or a clock off the grid of ticks."""
    key, value = rng.choice([("dt_min", 0.3), ("dt_min", 7), ("dt_min", 2), ("chemistry_resting_min", 1.003), ("chemistry_resting_min", 1e-3)])
    data.setdefault("clocks", {})[key] = value
    return ("clocks", key)


def outside_the_run(rng: Random, data: dict[str, Any]) -> Path | None:
    """A dose, branch or snapshot before the start or after the end."""
    when = rng.choice([data["horizon_day"] + 1, data.get("start_day", 0) - 1])
    found = [p for p, _ in parts(data) if p[0] == "arms" and p[-1] == "day" and kind_of(data, at(data, p[:-1]).get("name")) != "vaccination"]  # which may lie before
    if found and rng.random() < 0.7:
        path = rng.choice(found)
        for key in ("every_d", "until_d"):
            at(data, path[:-1]).pop(key, None)
        return put(data, path, rng.choice([when, [when]]))
    if rng.random() < 0.5:
        data["branch_at_day"] = when
        return ("branch_at_day",)
    data["output"] = {"snapshot_days": [when]}
    return ("output", "snapshot_days", 0)


def wrong_shape(rng: Random, data: dict[str, Any]) -> Path | None:
    """A domain of one or four axes, too small, or with a centre of other dimensions."""
    size = data["domain"]["size_um"]
    turn = rng.randrange(4)
    if turn == 0 and data["initial"].get("n_cells"):
        data["initial"]["centre_um"] = [10.0] * (5 - len(size))
        return ("initial", "centre_um")
    data["domain"]["size_um"] = [size[:1], [*size, *size], [20.0, *size[1:]]][turn % 3]
    return ("domain", "size_um")


def circle(rng: Random, data: dict[str, Any]) -> Path | None:
    """Arms that use each other, or one that cannot name a folder."""
    arms = copy.deepcopy(data.get("arms") or {})
    turn = rng.randrange(3)
    if turn == 0:
        data["arms"] = {**arms, "p": {"use": ["q"]}, "q": {"use": ["p"]}}
        return ("arms", "p", "use")
    name = rng.choice(["growth", "figures", "sweep-1", "a/b", "..", " ", "-x"])
    data["arms"] = {**arms, name: {}}
    return ("arms", name)


WAYS = (unknown_key, unknown_key, wrong_type, wrong_type, not_a_number, out_of_range, out_of_range, too_much, unknown_name, unknown_name,
        something_missing, wrong_unit, wrong_side, twice, clock_that_does_not_divide, outside_the_run, wrong_shape, circle)  # fmt: skip
