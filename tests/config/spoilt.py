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
    return path == ("arms",) or path[:2] in (("initial", "types"), ("initial", "traits"), ("initial", "columns"))


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
        if path[-1] in ("day", "snapshot_days", "boundary") or path[:-1] == ("receptors",) or path[-2:-1] == ("boundary",):
            new = "abc"
    elif isinstance(value, str):
        new = rng.choice([12, 3.5, True, [1], {"a": 1}])
    elif isinstance(value, bool):
        new = rng.choice(["abc", 12, [True]])
    else:
        new = rng.choice(["abc", "1.5 um", {"a": 1}, [["x"]], True])
    return put(data, path, new)


def not_a_number(rng: Random, data: dict[str, Any]) -> Path | None:
    """NaN or infinity where a number is."""
    path = rng.choice([p for p, v in parts(data) if isinstance(v, (int, float)) and not isinstance(v, bool)])
    return put(data, path, rng.choice([math.nan, math.inf, -math.inf]))


def out_of_range(rng: Random, data: dict[str, Any]) -> Path | None:
    """A number below what is allowed; days may be negative and are another matter."""
    signed = ("start_day", "day", "snapshot_days", "branch_at_day", "power", "margin_um")
    numbers = [p for p, v in parts(data) if isinstance(v, (int, float)) and not isinstance(v, bool) and not set(p) & set(signed)]
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
    found = [p for p, v in parts(data) if p[-1] in bound and isinstance(v, (int, float))]
    if not found:
        return None
    path = rng.choice(found)
    return put(data, path, bound[path[-1]])


def unknown_name(rng: Random, data: dict[str, Any]) -> Path | None:
    """A drug, tumour, arm, route ... that does not exist."""
    words = ("name", "preset", "kind", "mode", "route", "at_edge", "boundary", "trait")
    found = [p for p, v in parts(data) if isinstance(v, str) and (p[-1] in words or p[-2:-1] in (("use",), ("types",), ("columns",))) and p != ("name",)]
    if not found:
        return None
    path = rng.choice(found)
    return put(data, path, rng.choice([at(data, path) + "x", "nothing", "", "RSL-3!"]))


def something_missing(rng: Random, data: dict[str, Any]) -> Path | None:
    """A key left out that nobody can guess."""
    found = [p for p, _ in parts(data) if p[-1] in REQUIRED and p != ("name",) and p[0] in ("horizon_day", "domain", "initial", "arms")]
    found = [p for p in found if not ("regions" in p and p[-1] == "share")]  # a region may do without
    found = [p for p in found if not (p[-1] == "share" and at(data, p[:-1]).get("name") in ("resection", "vaccination"))]  # and so may these
    path = rng.choice(found)
    del at(data, path[:-1])[path[-1]]
    return path


def clock_that_does_not_divide(rng: Random, data: dict[str, Any]) -> Path | None:
    """A base tick or a clock off the grid of ticks."""
    key, value = rng.choice([("dt_min", 0.3), ("dt_min", 7), ("dt_min", 2), ("chemistry_resting_min", 1.003), ("chemistry_resting_min", 1e-3)])
    data.setdefault("clocks", {})[key] = value
    return ("clocks", key)


def outside_the_run(rng: Random, data: dict[str, Any]) -> Path | None:
    """A dose, branch or snapshot before the start or after the end."""
    when = rng.choice([data["horizon_day"] + 1, data.get("start_day", 0) - 1])
    found = [p for p, _ in parts(data) if p[-1] == "day" and at(data, p[:-1]).get("name") != "vaccination"]  # which may lie before
    if found and rng.random() < 0.7:
        return put(data, rng.choice(found), rng.choice([when, [when]]))
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


WAYS = (unknown_key, unknown_key, wrong_type, wrong_type, not_a_number, out_of_range, out_of_range, too_much, unknown_name,
        something_missing, clock_that_does_not_divide, outside_the_run, wrong_shape, circle)  # fmt: skip
