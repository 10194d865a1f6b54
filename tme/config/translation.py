"""pydantic's errors in this program's words: what is wrong, what was expected, what may have been meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from tme.config.annotations import TAGS, bare, inside
from tme.config.errors import Fault, listed, nearest
from tme.config.schema import Experiment
from tme.config.source import Node

OWN_KEYS = ("extends", "quick")


def translate(error: Mapping[str, Any], tree: Node, data: Any) -> Fault:
    """One pydantic error as a fault."""
    path = [p for p in untagged([str(x) for x in error["loc"]], data) if p != "[key]"]
    if error["type"] != "missing":
        path = given(path, data)
    place = tree.find(path)
    problem, expected, meant = describe(error, path, data)
    return Fault(place.file, place.line, ".".join(path), problem, expected, meant)


def untagged(path: list[str], data: Any) -> list[str]:
    """A path without the tags that unions of models put into it, and without the members of Optional values."""
    out: list[str] = []
    fresh = True  # the tag comes once, first of all below the mapping it tells of
    for key in path:
        tags = [data.get(t) for t in TAGS] if isinstance(data, dict) and fresh else []
        if key in tags or (out and not isinstance(data, (dict, list)) and data is not None):
            fresh = False
            continue
        out.append(key)
        data, fresh = _child(data, key), True
    return out


def given(path: list[str], data: Any) -> list[str]:
    """The part of a path that the data has (one word may have been spread over axes or a list)."""
    for k, key in enumerate(path):
        if not isinstance(data, (dict, list)):
            return path[:k]
        data = _child(data, key)
    return path


SORTS = {"kind": ["nodule", "monolayer", "spheroid", "cells", "regions"], "shape": ["disc", "box", "band"]}

WORDS = {
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "string_type": "a word or text",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "dict_type": "key: value lines",
    "model_type": "key: value lines",
    "model_attributes_type": "key: value lines",
    "list_type": "a list",
}


def describe(error: Mapping[str, Any], path: list[str], data: Any) -> tuple[str, str, str]:
    """What is wrong in a config, what was expected, what may have been meant."""
    return worded(error, path, keys_at(path[:-1], data) if error["type"] == "extra_forbidden" else ())


def worded(error: Mapping[str, Any], path: list[str], known: Iterable[str]) -> tuple[str, str, str]:
    """The same, with the keys that are known where the fault is."""
    kind, value, ctx = error["type"], error.get("input"), error.get("ctx", {})
    shown = f"is {short(value)}"
    if kind == "extra_forbidden" and path[-1] in MOVED:
        return "unknown key", MOVED[path[-1]], ""
    if kind == "extra_forbidden":
        known = sorted(known)
        return "unknown key", listed(known, 40), nearest(path[-1], known)
    if kind == "value_error":
        return " ".join(str(error["msg"]).removeprefix("Value error, ").split()), "", ""
    if kind == "missing":
        return "missing", needed(path), ""
    if kind == "tuple_type":
        return shown, LISTS.get(path[-1], "a list, e.g. [0, 2, 4]"), ""
    if kind in WORDS:
        return shown, WORDS[kind], ""
    bounds = {
        "greater_than": "more than {gt}",
        "greater_than_equal": "at least {ge}",
        "less_than": "less than {lt}",
        "less_than_equal": "at most {le}",
    }
    if kind in bounds:
        return (
            shown,
            "a number "
            + bounds[kind].format(**{k: f"{v:g}" for k, v in ctx.items() if isinstance(v, (int, float))}),
            "",
        )
    if kind == "literal_error":
        choices = literals(str(ctx.get("expected", "")))
        name = "unknown key" if error["loc"][-1:] == ("[key]",) else shown
        return name, listed(choices, 40), nearest(str(value), choices) if isinstance(value, str) else ""
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        key = str(ctx.get("discriminator", "kind")).strip("'")
        choices = literals(str(ctx.get("expected_tags", ""))) or SORTS.get(key, [])
        tag = value.get(key) if isinstance(value, dict) else None
        return (
            (f"{key} is missing" if tag is None else f"unknown {key} '{tag}'"),
            listed(choices),
            nearest(str(tag), choices),
        )
    if kind in ("too_short", "too_long"):
        limits = [
            f"at least {ctx['min_length']}" if "min_length" in ctx else "",
            f"at most {ctx['max_length']}" if "max_length" in ctx else "",
        ]
        return f"has {ctx.get('actual_length', 0)} entries", " ".join(x for x in limits if x), ""
    if kind == "string_pattern_mismatch":
        return shown, "letters, digits, '_', '-' or '.', starting with a letter or digit", ""
    return f"{shown}: {error['msg']}", "", ""


def short(value: Any) -> str:
    """A value for a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "empty"
    text = (
        repr(value)
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
    return text if len(text) <= 60 else text[:57] + "..."


def literals(text: str) -> list[str]:
    """'a', 'b' or 'c' as a list."""
    return [part.strip(" '\"") for part in text.replace(" or ", ", ").split(",") if part.strip(" '\"")]


LISTS = {
    "size_um": "[x, y] or [x, y, z]",
    "centre_um": "[x, y] or [x, y, z]",
    "use": "a list of arms, e.g. [anti_pdl1, rsl3_np]",
    "metrics": "a list of names",
    "contrasts": "a list, e.g. [combination < control]",
    "library": "a list of files, e.g. [mine.yaml]",
    "plugins": "a list of files, e.g. [my_law.py]",
    "regions": "a list: [{shape: disc, ...}]",
    **dict.fromkeys(("drugs", "antibodies", "nanoparticles", "events"), "a list: [{name: ..., ...}]"),
}

MOVED = {"radiation": "events: [{name: radiation, dose_gy: 2, day: 0}]"}  # keys of the first version

NEEDED = {
    "horizon_day": "the last day of the run, e.g. horizon_day: 14",
    "domain": "domain: {size_um: [x, y]}",
    "size_um": "size_um: [x, y] or [x, y, z]",
    "initial": "initial: {kind: nodule, n_cells: 1000}",
    "n_cells": "the number of tumour cells",
    "base": "base: {kind: nodule, n_cells: 1000}",
    "regions": "regions: [{shape: disc, centre_um: [x, y], radius_um: r, traits: {acsl4: 0.3}}]",
    "source": "a DOI, author and year, or 'assumed: why'",
    "day": "day: [0, 3, 6]",
    "contrasts": "contrasts: [\"combination < control\"]",
    "dose_mg_kg": "the dose, mg per kg",
    "name": "a name",
}


def needed(path: list[str]) -> str:
    """What belongs where a key is missing."""
    return NEEDED.get(path[-1], f"a value for {path[-1]}")


def keys_at(path: list[str], data: Any) -> set[str]:
    """Keys that the schema knows at a path."""
    model = model_at(path, data)
    if model is None:
        return set()
    return {*by_key(model), *(OWN_KEYS if model is Experiment else ())}


def by_key(model: type[BaseModel]) -> dict[str, Any]:
    """Fields of a model by the key that files use."""
    return {f.alias or name: f for name, f in model.model_fields.items()}


def model_at(path: list[str], data: Any) -> type[BaseModel] | None:
    """The schema's model at a path; `data` tells which member of a union is meant."""
    kind: Any = Experiment
    for key in path:
        data = _child(data, key)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = by_key(kind).get(key)
            kind = field.annotation if field is not None else None
        else:
            kind = inside(kind)
        kind = bare(kind, data)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _child(data: Any, key: str) -> Any:
    try:
        return data[int(key)] if isinstance(data, list) else data[key]
    except (KeyError, IndexError, TypeError, ValueError):
        return None
