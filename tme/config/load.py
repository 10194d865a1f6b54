"""From a file to a `Config`: extends, --quick, --set, the library's preset, all faults at once."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from tme.config.checks import Context, Look, check_all
from tme.config.errors import ConfigError, Fault, listed, nearest
from tme.config.hashing import digest
from tme.config.schema import Config, Experiment
from tme.config.source import SET, Node, assign, merge, parse_value, read_yaml, relocated, wrap

OWN_KEYS = ("extends", "quick")


def load_config(
    path: str | Path,
    registry: Mapping[str, Any],
    *,
    overrides: Iterable[str] = (),
    quick: bool = False,
    library: Any = None,
    clocks: Mapping[str, float] | None = None,
    metrics: Iterable[str] = (),
) -> Config:
    """Read an experiment; `ConfigError` lists everything that is wrong with it.

    `registry`: parameter groups a config may set (name -> ParameterSet). `overrides`: "dotted.key=value".
    `quick`: apply the file's `quick:` section. `library`: a `tme.library.Library`. `clocks`: mechanism ->
    its clock in minutes; their names are what `on: false` may switch. `metrics`: known names.
    """
    if library is None:
        from tme.library import load_library

        library = load_library()
    parameters = {g: dict(getattr(s, "parameters", s)) for g, s in registry.items()}
    context = Context(parameters, library, dict(clocks or {}), frozenset(metrics))
    faults: list[Fault] = []
    tree = read_chain(Path(path), faults)
    if tree is None:
        raise ConfigError(faults)
    changes = [parse_override(text, faults) for text in overrides]
    tree, small = split_quick(set_values(tree, changes, faults))
    full: Node | None = tree
    if small is not None:
        quick_tree = set_values(merge(tree, small), [c for c in changes if c and not c[0].startswith("quick")], [])
        quick_tree = trimmed(quick_tree)
        if quick:
            full = quick_tree
        else:
            build(quick_tree, context, faults)
    elif quick:
        faults.append(Fault(tree.file, 0, "quick", "this experiment has no quick: section", "quick: {horizon_day: ..., ...}"))
    config = build(full, context, faults)
    if faults or config is None:
        raise ConfigError(faults)
    return config


def read_chain(path: Path, faults: list[Fault], above: tuple[Path, ...] = ()) -> Node | None:
    """The file on top of whatever it extends; the name is never inherited."""
    tree = read_yaml(path, faults)
    if tree is None:
        return None
    values = dict(tree.value)
    parent = values.pop("extends", None)
    if not above and "name" not in values:
        values["name"] = Node(path.stem, tree.file, 0)
    tree = Node(values, tree.file, tree.line)
    if parent is None or parent.value is None:
        return tree
    if not isinstance(parent.value, str):
        faults.append(Fault(parent.file, parent.line, "extends", f"is {parent.plain()!r}", "the name of a config beside this one, or a path"))
        return tree
    target = locate(path, parent.value)
    here = (*above, path.resolve())
    if target is None:
        beside = sorted(p.stem for p in path.parent.glob("*.y*ml") if p.resolve() != path.resolve())
        faults.append(Fault(parent.file, parent.line, "extends", f"no config '{parent.value}' beside this file or at that path",
                            listed(beside), nearest(Path(parent.value).stem, beside)))  # fmt: skip
        return tree
    if target.resolve() in here:
        circle = " -> ".join(p.stem for p in (*here[here.index(target.resolve()) :], target.resolve()))
        faults.append(Fault(parent.file, parent.line, "extends", f"configs extend each other in a circle: {circle}", "a config that does not lead back"))
        return tree
    base = read_chain(target, faults, here)
    if base is None:
        return tree
    kept = {k: v for k, v in base.value.items() if k != "name"}
    return merge(Node(kept, base.file, base.line), tree)


def locate(path: Path, name: str) -> Path | None:
    """The file `extends: name` means: beside `path`, with or without its ending."""
    for candidate in (path.parent / name, path.parent / f"{name}.yaml", path.parent / f"{name}.yml"):
        if candidate.is_file():
            return candidate
    return None


def parse_override(text: str, faults: list[Fault]) -> tuple[str, Node] | None:
    """`key=value` of --set."""
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key or any(part == "" for part in key.split(".")):
        faults.append(Fault(SET, 0, "", f"'{text}' is no assignment", "dotted.key=value, e.g. horizon_day=3"))
        return None
    return key, parse_value(value, faults, key)


def set_values(tree: Node, changes: Iterable[tuple[str, Node] | None], faults: list[Fault]) -> Node:
    """The tree with all --set values in place."""
    for change in changes:
        if change is not None:
            tree = assign(tree, change[0], change[1], faults)
    return tree


def split_quick(tree: Node) -> tuple[Node, Node | None]:
    """The experiment without its quick section, and that section."""
    values = dict(tree.value)
    small = values.pop("quick", None)
    return Node(values, tree.file, tree.line), small if small is not None and small.value is not None else None


def trimmed(tree: Node) -> Node:
    """Doses and snapshots beyond a quick run's horizon are left out."""
    horizon = tree.find(("horizon_day",)).value
    if not isinstance(horizon, (int, float)):
        return tree

    def keep(node: Node) -> bool:
        return not isinstance(node.value, (int, float)) or node.value < horizon

    def walk(node: Node, key: str = "") -> Node:
        if isinstance(node.value, dict):
            return Node({k: walk(v, k) for k, v in node.value.items()}, node.file, node.line)
        if isinstance(node.value, list):
            if key in ("day", "snapshot_days"):
                return Node([v for v in node.value if keep(v)], node.file, node.line)
            items = [walk(v) for v in node.value]
            emptied = [_without_days(old, new) for old, new in zip(node.value, items)]
            return Node([v for v, gone in zip(items, emptied) if not gone], node.file, node.line)
        return node

    values = dict(tree.value)
    for key in ("arms", "output"):
        if key in values:
            values[key] = walk(values[key])
    return Node(values, tree.file, tree.line)


def _without_days(old: Node, new: Node) -> bool:
    """Whether an agent lost all its days."""
    return isinstance(new.value, dict) and "day" in new.value and new.value["day"].value == [] != old.value["day"].value


def rebuild(config: Config, values: Mapping[str, Any]) -> Config:
    """`config` with dotted keys replaced; what the sweep does."""
    faults: list[Fault] = []
    changes = [(key, wrap(value, "--set", 0)) for key, value in values.items()]
    tree = set_values(config._tree, changes, faults)
    new = build(tree, config._context, faults)
    if faults or new is None:
        raise ConfigError(faults)
    return new


def build(tree: Node, context: Context, faults: list[Fault], sweep: bool = True) -> Config | None:
    """Validate a merged tree; None if anything is wrong with it."""
    known = len(faults)
    tree = with_file(tree)
    data = with_preset(tree.plain(), context.library)
    config = None
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        faults.extend(translate(e, tree, data) for e in error.errors())
    check_all(Look(data, tree, context, faults))
    if sweep:
        check_sweep(tree, context, faults)
    if config is None or len(faults) > known:
        return None
    finish(config, tree, context)
    return config


def finish(config: Config, tree: Node, context: Context) -> None:
    """Give a validated config its library, its memory of where values came from, and its digest."""
    changes = {n: c.model_dump(exclude_none=True) for n, c in config.fields.items()}
    config._context, config._tree = context, tree
    config._library = context.library.overridden(changes)
    config._digest = digest(config)


def with_file(tree: Node) -> Node:
    """`initial.file` made absolute, relative to the file that names it."""
    node = tree.find(("initial", "file"))
    initial = tree.value.get("initial")
    if initial is None or not isinstance(initial.value, dict) or "file" not in initial.value or not isinstance(node.value, str):
        return tree
    folder = Path.cwd() if node.line == 0 else Path(node.file).parent
    path = Path(node.value).expanduser()
    if path.is_absolute():
        return tree
    full = str((folder / path).resolve())
    return assign(tree, "initial.file", Node(full, node.file, node.line), [])


def with_preset(data: dict[str, Any], library: Any) -> dict[str, Any]:
    """Fill what `tumour` leaves out from its library entry; a clone set to null is dropped."""
    given = data.get("tumour")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        return data
    entry = library.tumours.get(given.get("preset", "b16_like")) if isinstance(given.get("preset", ""), str) else None
    filled: dict[str, Any] = {"preset": "b16_like"}
    if entry is not None:
        for key in ("cv", "drift_per_division", "antigenicity_mean", "antigenicity_cv", "mass_g", "mouse_g"):
            filled[key] = getattr(entry, key)
        filled["traits"] = {k: float(v.value) for k, v in entry.traits.items()}
        filled["clones"] = {
            name: {"share": c.share, **{k: float(v.value) for k, v in c.traits.items()}} for name, c in entry.clones.items()
        }
    for key, value in given.items():
        if key in ("traits", "clones") and isinstance(value, dict) and isinstance(filled.get(key), dict):
            inner = dict(filled[key])
            for name, v in value.items():
                both = isinstance(v, dict) and isinstance(inner.get(name), dict)
                inner[name] = {**inner[name], **v} if both else v
            filled[key] = {k: v for k, v in inner.items() if v is not None}
        elif value is not None:
            filled[key] = value
    return {**data, "tumour": filled}


def check_sweep(tree: Node, context: Context, faults: list[Fault]) -> None:
    """Every swept value, put in place alone, must give a sound config; faults are told at the sweep's line."""
    node = tree.value.get("sweep")
    if node is None or not isinstance(node.value, dict):
        return
    bare = Node({k: v for k, v in tree.value.items() if k != "sweep"}, tree.file, tree.line)
    before: list[Fault] = []
    build(bare, context, before, sweep=False)
    for key, entry in node.value.items():
        told: set[tuple[str, str]] = set()
        for value in swept(entry):
            new: list[Fault] = []
            build(assign(bare, key, relocated(value, entry.file, entry.line), new), context, new, sweep=False)
            for f in new:
                if f not in before and (f.key, f.problem) not in told:
                    told.add((f.key, f.problem))
                    where = "" if f.key == key else f"makes {f.key} wrong: "
                    faults.append(Fault(entry.file, entry.line, f"sweep.{key}", where + f.problem, f.expected, f.meant))


def swept(entry: Node) -> list[Node]:
    """Values of one swept key, a few of a long range; none if it is malformed (reported elsewhere)."""
    if isinstance(entry.value, list):
        return entry.value
    plain = entry.plain()
    if not isinstance(plain, dict) or not {"from", "to", "n"} <= set(plain):
        return []
    ends = [plain["from"], plain["to"]]
    if not all(isinstance(e, (int, float)) and not isinstance(e, bool) and math.isfinite(e) for e in ends):
        return []
    return [Node(float(e), entry.file, entry.line) for e in ends]


# ---- pydantic's errors in this program's words ----------------------------------------------------------


def translate(error: Mapping[str, Any], tree: Node, data: Any) -> Fault:
    """One pydantic error as a fault."""
    path = [str(x) for x in error["loc"]]
    if path[:1] == ["initial"] and len(path) > 1 and path[1] in ("nodule", "monolayer", "spheroid", "cells"):
        del path[1]  # the union's tag
    path = [p for p in path if p != "[key]"]
    place = tree.find(path)
    problem, expected, meant = describe(error, path, data)
    return Fault(place.file, place.line, ".".join(path), problem, expected, meant)


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
    "tuple_type": "a list, e.g. [0, 2, 4]",
    "list_type": "a list",
}


def describe(error: Mapping[str, Any], path: list[str], data: Any) -> tuple[str, str, str]:
    """What is wrong, what was expected, what may have been meant."""
    kind, value, ctx = error["type"], error.get("input"), error.get("ctx", {})
    shown = f"is {short(value)}"
    if kind == "extra_forbidden":
        known = sorted(keys_at(path[:-1], data))
        return "unknown key", listed(known, 40), nearest(path[-1], known)
    if kind == "missing":
        return "missing", needed(path, data), ""
    if kind in WORDS:
        return shown, WORDS[kind], ""
    bounds = {"greater_than": "more than {gt}", "greater_than_equal": "at least {ge}", "less_than": "less than {lt}",
              "less_than_equal": "at most {le}"}  # fmt: skip
    if kind in bounds:
        return shown, "a number " + bounds[kind].format(**{k: f"{v:g}" for k, v in ctx.items() if isinstance(v, (int, float))}), ""
    if kind == "literal_error":
        choices = literals(str(ctx.get("expected", "")))
        name = "unknown key" if error["loc"][-1:] == ("[key]",) else shown
        return name, listed(choices, 40), nearest(str(value), choices) if isinstance(value, str) else ""
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        choices = literals(str(ctx.get("expected_tags", ""))) or ["nodule", "monolayer", "spheroid", "cells"]
        tag = value.get("kind") if isinstance(value, dict) else None
        return ("kind is missing" if tag is None else f"unknown kind '{tag}'"), listed(choices), nearest(str(tag), choices)
    if kind in ("too_short", "too_long"):
        limits = [f"at least {ctx['min_length']}" if "min_length" in ctx else "", f"at most {ctx['max_length']}" if "max_length" in ctx else ""]
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
    text = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def literals(text: str) -> list[str]:
    """'a', 'b' or 'c' as a list."""
    return [part.strip(" '\"") for part in text.replace(" or ", ", ").split(",") if part.strip(" '\"")]


NEEDED = {
    "horizon_day": "the last day of the run, e.g. horizon_day: 14",
    "domain": "domain: {size_um: [x, y]}",
    "size_um": "size_um: [x, y] or [x, y, z]",
    "initial": "initial: {kind: nodule, n_cells: 1000}",
    "n_cells": "the number of tumour cells",
    "day": "day: [0, 3, 6]",
    "dose_mg_kg": "the dose, mg per kg",
    "name": "a name",
}


def needed(path: list[str], data: Any) -> str:
    """What belongs where a key is missing."""
    return NEEDED.get(path[-1], f"a value for {path[-1]}")


def keys_at(path: list[str], data: Any) -> set[str]:
    """Keys that the schema knows at a path."""
    model = model_at(path, data)
    if model is None:
        return set()
    return {*model.model_fields, *(OWN_KEYS if model is Experiment else ())}


def model_at(path: list[str], data: Any) -> type[BaseModel] | None:
    """The schema's model at a path; `data` tells which member of a union is meant."""
    kind: Any = Experiment
    for key in path:
        data = _child(data, key)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(key)
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


def bare(kind: Any, data: Any) -> Any:
    """An annotation without Annotated and Optional; a union of models by the data's `kind`."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        options = [bare(a, data) for a in typing.get_args(kind) if a is not type(None)]
        tag = data.get("kind") if isinstance(data, dict) else None
        for option in options:
            if isinstance(option, type) and issubclass(option, BaseModel) and "kind" in option.model_fields:
                if tag in typing.get_args(option.model_fields["kind"].annotation):
                    return option
        return options[0]
    return kind


def inside(kind: Any) -> Any:
    """What a mapping or list holds."""
    args = typing.get_args(kind)
    if typing.get_origin(kind) is dict:
        return args[1]
    return args[0] if typing.get_origin(kind) in (tuple, list) else None
