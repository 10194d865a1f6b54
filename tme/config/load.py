"""From a file to a `Config`: extends, --quick, --set, the library's preset, all faults at once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tme.config.access import Access, Context
from tme.config.arms import expanded, without_arm, without_inherited, without_lost_contrasts
from tme.config.checks import check_all
from tme.config.checks_primary import check_readout
from tme.config.entries import failed, library_for
from tme.config.errors import ConfigError, Fault, listed, nearest, tidy
from tme.config.hashing import digest
from tme.config.own import plugins_of, with_paths, with_plugins
from tme.config.schedules import with_schedules
from tme.config.schema import Config
from tme.config.shorten import shortened, trimmed
from tme.config.source import SET, Node, assign, merge, parse_value, read_yaml, relocated, wrap
from tme.config.translation import translate
from tme.core.plugins import PluginError, plugin_of
from tme.library import Library

RENAMED = {"modifiers": "rules"}  # keys of schema 1


def load_config(
    path: str | Path,
    registry: Mapping[str, Any],
    *,
    overrides: Iterable[str] = (),
    quick: bool = False,
    library: Any = None,
    clocks: Mapping[str, float] | None = None,
    plugins: Iterable[Any] = (),
    allow_plugins: bool = False,
    contrasts: Callable[[Any, Any], list[tuple[int, str, str, str]]] | None = None,
    readouts: Callable[[Any, Any], list[str]] | None = None,
) -> Config:
    """Read an experiment; `ConfigError` lists everything that is wrong with it.

    `registry`: parameter groups a config may set (name -> ParameterSet). `overrides`: "dotted.key=value".
    `quick`: apply the file's `quick:` section. `library`: a `tme.library.Library`. `clocks`: mechanism ->
    its clock in minutes; their names are what `on: false` may switch. `plugins`: files,
    modules or objects with laws of the user's own; those that the file names run only with `allow_plugins`. `contrasts`:
    what reads the contrasts of `primary:` (`tme.statistics.faults_of`); `readouts`: which columns a series may have, of cell types and clones.
    """
    if library is None:
        from tme.library import load_library

        library = load_library()
    parameters = {g: dict(getattr(s, "parameters", s)) for g, s in registry.items()}
    context = Context(parameters, library, dict(clocks or {}), contrasts=contrasts, readouts=readouts)
    faults: list[Fault] = []
    notes: list[str] = []
    tree = read_chain(Path(path), faults, notes)
    if tree is None:
        raise ConfigError(tidy(faults))
    changes = [parse_override(text, faults) for text in overrides]
    full, small = split_quick(expanded(set_values(tree, changes, faults, notes), faults), faults)
    given = [plugin_of(p) for p in plugins]
    named = plugins_of(full, allow_plugins, given, faults)
    try:
        context = with_plugins(context, [*named, *(p for p in given if p not in named)])
    except PluginError as error:
        node = full.find(("plugins",))
        raise ConfigError(tidy([*faults, Fault(node.file, node.line, "plugins", str(error))])) from error
    if quick and small is not None:
        again = [c for c in changes if c is not None and c[0].split(".")[0] != "quick"]
        full, late = trimmed(set_values(with_quick(full, small, faults, notes), again, []))
        notes += late
    elif not quick and shortened(tree, full):
        full, late = trimmed(full, spare=SET)
        notes += late
    elif quick:
        faults.append(Fault(full.file, 0, "quick", "there is no quick: section", "quick: {horizon_day: ...}"))
    else:
        check_quick(tree, context, faults)
    config = build(full, context, faults)
    faults = [nothing_to_set(f, changes) for f in faults]
    if faults or config is None:
        raise ConfigError(tidy(faults))
    config._notes = tuple(notes)
    return config


def add_plugins(config: Config, given: Iterable[Any]) -> Config:
    """`config` with plugins handed over in Python; PluginError or ConfigError where they do not fit."""
    faults: list[Fault] = []
    new = build(config._tree, with_plugins(config._context, given), faults)
    if new is None:
        raise ConfigError(tidy(faults))
    return new


def read_chain(path: Path, faults: list[Fault], notes: list[str], above: tuple[Path, ...] = ()) -> Node | None:
    """The file on top of whatever it extends; the name is never inherited. `notes` takes what was left out, in words."""
    tree = read_yaml(path, faults)
    if tree is None:
        return None
    values = dict(tree.value)
    parent = values.pop("extends", None)
    if not above and "name" not in values:
        values["name"] = Node(path.stem, tree.file, 0)
    tree = Node(values, tree.file, tree.line)
    if parent is None or parent.value is None:
        return expanded(tree, faults)
    if not isinstance(parent.value, str):
        faults.append(
            Fault(
                parent.file,
                parent.line,
                "extends",
                f"is {parent.plain()!r}",
                "the name of a config beside this one, or a path",
            )
        )
        return tree
    target = locate(path, parent.value)
    here = (*above, path.resolve())
    if target is None:
        beside = sorted(p.stem for p in path.parent.glob("*.y*ml") if p.resolve() != path.resolve())
        faults.append(
            Fault(
                parent.file,
                parent.line,
                "extends",
                f"no config '{parent.value}' beside this file or at that path",
                listed(beside),
                nearest(Path(parent.value).stem, beside),
            )
        )
        return tree
    if target.resolve() in here:
        circle = " -> ".join(p.stem for p in (*here[here.index(target.resolve()) :], target.resolve()))
        faults.append(
            Fault(
                parent.file,
                parent.line,
                "extends",
                f"configs extend each other in a circle: {circle}",
                "a config that does not lead back",
            )
        )
        return tree
    base = read_chain(target, faults, notes, here)
    if base is None:
        return tree
    kept = {k: v for k, v in base.value.items() if k != "name"}
    former = Node(kept, base.file, base.line)
    merged = expanded(merge(without_inherited(former, tree), tree), faults)
    return without_lost_contrasts(merged, former, notes)


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


def nothing_to_set(fault: Fault, changes: Iterable[tuple[str, Node] | None]) -> Fault:
    """Say it better when --set reached into something that is not there."""
    if fault.file != SET or fault.problem != "is a mapping":
        return fault
    for key, _value in (c for c in changes if c is not None):
        if key.startswith(fault.key + "."):
            inner = key[len(fault.key) + 1 :].split(".")[0]
            return Fault(
                SET, 0, key, f"{fault.key} has no '{inner}' to set", f"{fault.key}: {fault.expected}"
            )
    return fault


def set_values(tree: Node, changes: Iterable[tuple[str, Node] | None], faults: list[Fault], notes: list[str] | None = None) -> Node:
    """The tree with all --set values in place."""
    before = tree
    for change in changes:
        if change is not None:
            dropped = without_arm(tree, *change)
            tree = assign(tree, change[0], change[1], faults) if dropped is None else dropped
    return without_lost_contrasts(tree, before, notes)


def check_quick(tree: Node, context: Context, faults: list[Fault]) -> None:
    """Tell the faults of a file's own quick section even when it is not used."""
    full, small = split_quick(tree)
    if small is not None and small.file == tree.file:
        build(trimmed(with_quick(full, small, faults))[0], context, faults)


def with_quick(full: Node, small: Node, faults: list[Fault], notes: list[str] | None = None) -> Node:
    """The experiment with its quick section on top."""
    base = without_inherited(full, small) if isinstance(small.value, dict) else full
    return without_lost_contrasts(expanded(merge(base, small), faults), full, notes)


def split_quick(tree: Node, faults: list[Fault] | None = None) -> tuple[Node, Node | None]:
    """The experiment without its quick section, and that section, which must be a mapping."""
    values = dict(tree.value)
    small = values.pop("quick", None)
    if faults is not None and small is not None and not isinstance(small.value, (dict, type(None))):
        faults.append(Fault(small.file, small.line, "quick", "is no mapping", "keys to change, quick: {horizon_day: ...}"))
    return Node(values, tree.file, tree.line), small if small is not None and isinstance(small.value, dict) else None


def rebuild(config: Config, values: Mapping[str, Any]) -> Config:
    """`config` with dotted keys replaced; what the sweep does."""
    faults: list[Fault] = []
    changes = [(key, wrap(value, "--set", 0)) for key, value in values.items()]
    tree = expanded(set_values(config._tree, changes, faults), faults)
    new = build(tree, config._context, faults)
    if faults or new is None:
        raise ConfigError(tidy(faults))
    new._notes = config._notes
    return new


def build(tree: Node, context: Context, faults: list[Fault], sweep: bool = True) -> Config | None:
    """Validate a merged tree; None if anything is wrong with it."""
    known = len(faults)
    tree = with_paths(tree)
    again: list[Fault] = []
    library = library_for(tree, context, faults, again)
    data = with_schedules(with_preset(tree.plain(), library))
    config = None
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        faults.extend(in_preset(pointed(translate(e, tree, data), library), tree, library) for e in error.errors())
    look = Access(data, tree, replace(context, library=library), faults)
    check_all(look)
    faults.extend(f for f in again if f.key not in {g.key for g in faults})
    broken = failed(faults, library, tree)
    faults[known:] = [f for f in faults[known:] if not only_follows(f, broken)]
    if sweep:
        check_sweep(tree, context, faults)
    if config is None or len(faults) > known:
        check_readout(look)
        return None
    finish(config, tree, context, library)
    return config


def finish(config: Config, tree: Node, context: Context, library: Library) -> None:
    """Give a validated config its library, its memory of where values came from, and its digest."""
    config._context, config._tree, config._library, config._rebuild = context, tree, library, rebuild
    config._digest = digest(config)


def pointed(fault: Fault, library: Library) -> Fault:
    """An unknown key under `fields:` that the entry does have belongs under `entries:`; a key of schema 1 has a new name."""
    keys = fault.key.split(".")
    if fault.problem != "unknown key":
        return fault
    if fault.key in RENAMED:
        return replace(fault, problem="is a key of schema 1", expected="its name in schema 2", meant=RENAMED[fault.key])
    kind = library.kind_of(keys[1]) if len(keys) == 3 and keys[0] == "fields" else ""
    if not kind:
        return fault
    place = f"entries.{kind}.{keys[1]}"
    known = type(library.entries[kind][keys[1]]).model_fields
    meant = keys[2] if keys[2] in known else nearest(keys[2], known)
    return replace(fault, expected=f"{fault.expected}; other keys go under {place}", meant=f"{place}.{meant}" if meant else "")


def in_preset(fault: Fault, tree: Node, library: Library) -> Fault:
    """A fault of what a tumour of the user's brings, told where that is written."""
    keys = fault.key.split(".")
    node: Node | None = tree
    for key in keys:
        node = node.value.get(key) if node is not None and isinstance(node.value, dict) else None
    preset = tree.find(["tumour", "preset"]).value
    if keys[0] != "tumour" or len(keys) < 3 or node is not None or not isinstance(preset, str):
        return fault
    place = library.place(f"tumours.{preset}.{'.'.join(keys[1:])}")
    return fault if place is None else replace(fault, file=place[0], line=place[1], key=f"tumours.{preset}.{'.'.join(keys[1:])}")


def only_follows(fault: Fault, broken: set[str]) -> bool:
    """Whether a name is missed only because its entry, in the user's file, is at fault itself."""
    missed = re.match(r"unknown .*'(\w+)'$|\w+ '(\w+)' is not in|there is no (\w+) among", fault.problem)
    return missed is not None and any(name in broken for name in missed.groups() if name)


def with_preset(data: dict[str, Any], library: Any) -> dict[str, Any]:
    """Fill what `tumour` leaves out from its library entry; a clone set to null is dropped."""
    given = data.get("tumour")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        return data
    entry = (
        library.tumours.get(given.get("preset", "b16_like"))
        if isinstance(given.get("preset", ""), str)
        else None
    )
    filled: dict[str, Any] = {"preset": "b16_like"}
    if entry is not None:
        for key in ("cv", "drift_per_division", "antigenicity_mean", "antigenicity_cv", "mass_g", "mouse_g"):
            filled[key] = getattr(entry, key)
        filled["traits"] = {k: float(v.value) for k, v in entry.traits.items()}
        filled["clones"] = {
            name: {"share": c.share, **{k: float(v.value) for k, v in c.traits.items()}, **resisted(c), **carried(c)}
            for name, c in entry.clones.items()
        }
        filled |= carried(entry)
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


def resisted(clone: Any) -> dict[str, Any]:
    """What a clone of a preset resists, as a config writes it."""
    return {"resists": {k: float(v.value) for k, v in clone.resists.items()}} if clone.resists else {}


def carried(entry: Any) -> dict[str, list[str]]:
    """The alterations of a tumour or clone, as a config writes them."""
    return {"alterations": list(entry.alterations)} if entry.alterations else {}


def check_sweep(tree: Node, context: Context, faults: list[Fault]) -> None:
    """Every swept value, put in place alone, must give a sound config; faults stand at the sweep's line."""
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
                    faults.append(
                        Fault(entry.file, entry.line, f"sweep.{key}", where + f.problem, f.expected, f.meant)
                    )


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
