"""Library entries in a config: changes of ours (`entries:`, `fields:`) and files of the user's own (`library:`).

A change is a partial entry. A bare number replaces a value and keeps its unit; a mapping with `value` replaces the
whole number; a mapping without it changes range, status or source. Items of a list are addressed by name, id, target
or drug. Everything is checked as the library's own files are, with the place where it was written.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tme.config.access import Context, is_number
from tme.config.annotations import bare, inside
from tme.config.errors import ConfigError, Fault, listed, nearest, tidy
from tme.config.source import SET, Node, parse, read_text, shown_path
from tme.config.translation import short, worded
from tme.library import Library, Number
from tme.library.kinds import BY_NAME
from tme.library.load import by_name
from tme.library.schema import FIELD_KEYS, Part, address

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
NUMBER = "a number, or {value, unit, range, status, source}"
FAULTS = list[Fault]


def library_for(tree: Node, context: Context, faults: FAULTS, schemas: FAULTS) -> Library:
    """The library of one config: ours, the user's files over it, then the changes of `fields:` and `entries:`.

    Faults under `fields:`, which the schema tells as well, go to `schemas`.
    """
    library = context.library
    node = tree.value.get("library")
    for item in node.value if node is not None and isinstance(node.value, list) else ():
        if isinstance(item.value, str):
            library = with_file(library, item, context, faults)
    for place, kind, name, change in changes(tree, library, faults):
        told = schemas if place.startswith("fields.") else faults
        library = changed(library, kind, name, change, place, context, told)
    return library


def user_library(library: Library, files: Iterable[Path]) -> Library:
    """A library with files of the user's own over it, without a config. ConfigError lists what is wrong."""
    faults: FAULTS = []
    context = Context({}, library, {})
    for path in files:
        library = with_file(library, Node(str(path.expanduser().resolve()), SET, 0), context, faults)
    if faults:
        raise ConfigError(tidy(faults))
    return library


# ---- changes of entries -----------------------------------------------------------------------------------
def changes(tree: Node, library: Library, faults: FAULTS) -> Iterable[tuple[str, str, str, Node]]:
    """(place, kind, name, partial entry) of `fields:`, whose names may be those of agents, and of `entries:`."""
    fields, entries = tree.value.get("fields"), tree.value.get("entries")
    for name, change in children(fields):
        if kind := library.kind_of(name):  # the schema tells what else stands there
            known = {k: v for k, v in children(change) if k in FIELD_KEYS and v.value is not None}
            yield f"fields.{name}", kind, name, Node(known, change.file, change.line)
    for kind, named in children(entries):
        path = f"entries.{kind}"
        if kind not in library.entries:
            faults.append(unknown(named, path, "kind of entries", kind, library.entries))
        elif not isinstance(named.value, dict):
            if named.value is not None:
                faults.append(Fault(named.file, named.line, path, f"is {short(named.plain())}", "name: {key: value} lines"))
        else:
            for name, change in named.value.items():
                if name in library.entries[kind]:
                    yield f"{path}.{name}", kind, name, change
                else:
                    where = next((k for k, e in library.entries.items() if name in e), "")
                    meant = f"entries.{where}.{name}" if where else nearest(name, library.entries[kind])
                    faults.append(Fault(change.file, change.line, f"{path}.{name}", f"there is no {name} among the {kind}",
                                        listed(library.entries[kind], 40), meant))  # fmt: skip


def children(node: Node | None) -> Iterable[tuple[str, Node]]:
    """What a mapping holds; nothing of anything else."""
    return node.value.items() if node is not None and isinstance(node.value, dict) else ()


def changed(library: Library, kind: str, name: str, change: Node, place: str, context: Context, faults: FAULTS) -> Library:
    """The library with one entry changed; unchanged where the change is at fault."""
    if change.value is None:
        return library
    merging = Merging(library.entries[kind][name], place, faults)
    raw = merging.part(type(library.entries[kind][name]), library.raw[kind][name], change, ())
    if merging.failed:
        return library
    former = library.entries[kind][name]
    entry = checked(type(former), raw, former, change, place, context, faults)
    if entry is None:
        return library
    for key, other, wanted in entry.referred():
        if wanted not in library.entries[other] and (key, other, wanted) not in former.referred():
            path = addressed(raw, key.split("."))
            faults.append(unknown(change.find(path), ".".join((place, *path)), BY_NAME[other].one, wanted, library.entries[other]))
    return library.with_entry(kind, name, entry, raw)


@dataclass
class Merging:
    """A partial entry put over an entry as it was written; faults are told with their places."""

    entry: Any
    place: str
    faults: FAULTS
    failed: bool = False

    def fault(self, node: Node, path: tuple[str, ...], problem: str, expected: str = "", meant: str = "") -> None:
        """Add a fault; the entry cannot be made."""
        self.failed = True
        self.faults.append(Fault(node.file, node.line, ".".join((self.place, *path)), problem, expected, meant))

    def part(self, model: type[Part], raw: Any, change: Node, path: tuple[str, ...]) -> Any:
        """Key by key over a part of an entry."""
        if not isinstance(change.value, dict):
            self.fault(change, path, f"is {short(change.plain())}", "key: value lines")
            return raw
        out = dict(raw or {})
        for key, value in change.value.items():
            here = (*path, key)
            if key not in model.model_fields:
                self.fault(value, here, "unknown key", listed(model.model_fields, 40), nearest(key, model.model_fields))
                continue
            unit = model.unit_of(key)
            if value.value is None:
                out.pop(key, None)
            elif unit is None:
                out[key] = self.merged(model.model_fields[key].annotation, out.get(key), value, here)
            else:
                unit = (raw or {}).get("unit", "1") if unit == "*" else unit
                out[key] = self.number(out.get(key), value, here, unit, model.model_fields[key].default)
        return out

    def merged(self, annotation: Any, raw: Any, change: Node, path: tuple[str, ...]) -> Any:
        """A value of any annotation: parts and mappings key by key, lists item by item, the rest replaced."""
        kind = bare(annotation, raw)
        if kind is Number:
            return self.number(raw, change, path)
        if isinstance(kind, type) and issubclass(kind, Part):
            return self.part(kind, raw, change, path)
        if not isinstance(change.value, dict):
            return change.plain()
        if typing.get_origin(kind) is dict:
            out = dict(raw or {})
            for key, value in change.value.items():
                if value.value is None:
                    out.pop(key, None)
                else:
                    out[key] = self.merged(inside(kind), out.get(key), value, (*path, key))
            return out
        item = bare(inside(kind), None)
        if isinstance(item, type) and issubclass(item, Part):
            return self.items(item, list(raw or ()), change, path)
        return change.plain()

    def items(self, model: type[Part], raw: list[Any], change: Node, path: tuple[str, ...]) -> list[Any]:
        """Items of a list by their address."""
        names = [address(item) for item in raw]
        for key, value in change.value.items():
            if names.count(key) == 1:
                raw[names.index(key)] = self.part(model, raw[names.index(key)], value, (*path, key))
            else:
                many = f"{names.count(key)} items are called '{key}'" if key in names else f"there is no '{key}'"
                self.fault(value, (*path, key), many, f"{listed(names)}, or the whole list anew", nearest(key, names))
        return raw

    def number(self, raw: Any, change: Node, path: tuple[str, ...], unit: str = "", default: Any = None) -> Any:
        """One number: a bare one keeps unit and, where it lies within, range."""
        given = change.plain()
        if raw is None and self.entry is not None and (made := self.entry.numbers.get(".".join(path))) is not None:
            raw = made.model_dump(exclude_none=True)  # what the entry makes of another of its keys
        if is_number(given):
            if raw is None and not unit:
                self.fault(change, path, "is new here, so its unit is not known", "{value, unit, source}")
                return raw
            former = raw["value"] if raw is not None else default
            known = isinstance(former, (int, float)) and not isinstance(former, bool)
            out = {**(raw or {"unit": unit}), "value": given, "status": "chosen"}
            out["source"] = f"set by the user; the library says {former:g}" if known else "set by the user"
            low, high = out.get("range") or (given, given)
            return out if low <= given <= high else {k: v for k, v in out.items() if k != "range"}
        if not isinstance(given, dict):
            self.fault(change, path, f"is {short(given)}", NUMBER)
            return raw
        if "value" in given:
            former = raw["unit"] if raw is not None and "unit" in raw else unit  # none: the number was a parameter of a mechanism
            return {"unit": former, **given} if former else given
        if raw is None:
            self.fault(change, path, "has no value", NUMBER)
            return raw
        stated = {} if "status" in given or "source" not in given else {"status": None}
        return {**raw, **stated, **given}


# ---- checking ---------------------------------------------------------------------------------------------
def checked(model: type[Part], raw: Any, base: Any, node: Node, place: str, context: Context, faults: FAULTS) -> Any:
    """The entry, or None with a fault for everything that is wrong with it and was not with its base."""
    try:
        entry = model.model_validate(raw)
    except ValidationError as error:
        for e in error.errors():
            if e["type"] == "too_short" and e["ctx"]["actual_length"] == 0 and e["input"]:
                continue  # its items are at fault, each by itself
            inner = getattr(e.get("ctx", {}).get("error"), "key", "")
            path = addressed(raw, [str(x) for x in (*e["loc"], inner) if x != ""])
            part = part_at(model, path[:-1], raw)
            problem, expected, meant = worded(e, path, sorted(part.model_fields) if part else [])
            at = node.find(path)
            faults.append(Fault(at.file, at.line, ".".join((place, *path)), problem, expected, meant))
        return None
    before = len(faults)
    former = {m[:2] for m in base.misfits(context.registry)} if base is not None else set()
    for key, problem, expected, known in entry.misfits(context.registry) if context.registry else ():
        if (key, problem) in former:
            continue
        at, name = node.find(key.split(".")), key.rpartition(".")[2]
        faults.append(Fault(at.file, at.line, f"{place}.{key}", problem, expected or listed(known, 40), nearest(name, known)))
    return entry if len(faults) == before else None


def addressed(raw: Any, path: list[str]) -> list[str]:
    """A path with items of lists by their address where they have one."""
    out = []
    for key in path:
        item = None
        if isinstance(raw, list) and key.isdigit() and int(key) < len(raw):
            item = raw[int(key)]
            key = address(item) or key
        elif isinstance(raw, dict):
            item = raw.get(key)
        out.append(key)
        raw = item
    return out


def part_at(model: type[Part], path: list[str], raw: Any) -> type[Part] | None:
    """The part's model at a path within an entry."""
    kind: Any = model
    for key in path:
        is_part = isinstance(kind, type) and issubclass(kind, Part)
        if is_part and key not in kind.model_fields:
            return None
        kind = bare(kind.model_fields[key].annotation if is_part else inside(kind), None)
    return kind if isinstance(kind, type) and issubclass(kind, Part) else None


def unknown(node: Node, path: str, what: str, name: str, known: Iterable[str]) -> Fault:
    """A name that does not exist."""
    known = list(known)
    return Fault(node.file, node.line, path, f"unknown {what} '{name}'", listed(known, 40), nearest(name, known))


# ---- files of the user's own ------------------------------------------------------------------------------
def with_file(library: Library, item: Node, context: Context, faults: FAULTS) -> Library:
    """The library with the entries of one file of the user's."""
    path = Path(item.value)
    tree = parsed(path, item, context, faults)
    if tree is None:
        return library
    before, places = library, {}
    for kind, named in tree.value.items():
        if kind not in BY_NAME:
            faults.append(unknown(named, kind, "kind of entries", kind, BY_NAME))
            continue
        for name, node in entries_of(named, kind, faults):
            places[kind, name] = node
            library = with_own(library, before, kind, name, node, str(path), context, faults)
    broken = set(before.dangling())
    for kind, name, key, what in library.dangling():
        if (kind, name) in places and (kind, name, key, what) not in broken:
            keys = addressed(library.raw[kind][name], key.split("."))
            file, line = library.place(".".join((kind, name, key))) or (places[kind, name].file, places[kind, name].line)
            said, _, near = what.partition("; did you mean '")
            expected = "a name that exists" if " is not in " in said or " is no receptor " in said else ""
            faults.append(Fault(file, line, ".".join((kind, name, *keys)).rstrip("."), said, expected, near.rstrip("'?")))
    return library


def failed(faults: FAULTS, library: Library, tree: Node) -> set[str]:
    """Names of the user's entries that could not be made: that they are unknown elsewhere only follows."""
    node = tree.value.get("library")
    files = {shown_path(Path(i.value)) for i in (node.value if node is not None and isinstance(node.value, list) else ()) if isinstance(i.value, str)}
    told = [f.key.split(".") for f in faults if f.file in files]
    return {keys[1] for keys in told if len(keys) > 1 and keys[1] not in library.entries.get(keys[0], {})}


def parsed(path: Path, item: Node, context: Context, faults: FAULTS) -> Node | None:
    """The file as a tree, read once for a config and all that is derived from it."""
    if str(path) not in context.texts:
        found: FAULTS = []
        text = read_text(path, shown_path(path), found)
        faults.extend(Fault(item.file, item.line, "library", f"{f.file} {f.problem}", f.expected, f.meant) for f in found)
        if text is None:
            return None
        context.texts[str(path)] = text
    return parse(context.texts[str(path)], shown_path(path), faults)


def entries_of(named: Node, kind: str, faults: FAULTS) -> Iterable[tuple[str, Node]]:
    """Entries of one kind in a user's file: a mapping by name, or a list of entries with an id."""
    if isinstance(named.value, dict):
        return list(named.value.items())
    names = by_name(named.plain())
    if names is None or len(names) != len(named.value):
        what = f"is {short(named.plain())}" if names is None else "holds an id twice"
        faults.append(Fault(named.file, named.line, kind, what, "names of entries, each with its key: value lines"))
        return []
    if "id" in BY_NAME[kind].entry.model_fields:
        return list(zip(names, named.value))
    return [(name, Node({k: v for k, v in item.value.items() if k != "id"}, item.file, item.line)) for name, item in zip(names, named.value)]


def with_own(library: Library, before: Library, kind: str, name: str, node: Node, file: str, context: Context,
             faults: FAULTS) -> Library:  # fmt: skip
    """The library with one entry of the user's: whole, or one that `extends` another of its kind."""
    place = f"{kind}.{name}"
    model = BY_NAME[kind].entry
    if not NAME.fullmatch(name):
        faults.append(Fault(node.file, node.line, place, "is no usable name", "letters, digits and _, a letter first"))
        return library
    if not isinstance(node.value, dict):
        faults.append(Fault(node.file, node.line, place, f"is {short(node.plain())}", "key: value lines"))
        return library
    keys = dict(node.value)
    replace, parent = keys.pop("replace", None), keys.pop("extends", None)
    if replace is not None and not isinstance(replace.value, bool):
        faults.append(Fault(replace.file, replace.line, f"{place}.replace", f"is {short(replace.plain())}", "true or false"))
    if name in before.entries[kind] and not (replace is not None and replace.value is True):
        whose = before.origin.get(kind, {}).get(name, "")
        where = f"in {shown_path(Path(whose))}" if whose else "in the library"
        faults.append(Fault(node.file, node.line, place, f"{name} is {where} already", "another name, or replace: true"))
        return library
    taken = library.kind_of(name) if BY_NAME[kind].spreads else ""
    if taken not in ("", kind):
        faults.append(Fault(node.file, node.line, place, f"the name is taken by {taken}", "another name"))
        return library
    bare_node = Node(keys, node.file, node.line)
    merging = Merging(None, place, faults)
    base = library.entries[kind].get(parent.value) if parent is not None and isinstance(parent.value, str) else None
    if parent is not None:
        if base is None:
            faults.append(unknown(parent, f"{place}.extends", f"entry of {kind}", str(parent.plain()), library.raw[kind]))
            return library
        model = model.model_of({**library.raw[kind][parent.value], **bare_node.plain()})
        raw = merging.part(model, library.raw[kind][parent.value], bare_node, ())
    else:
        raw = bare_node.plain()
        model = model.model_of(raw)
    entry = None if merging.failed else checked(model, raw, base, node, place, context, faults)
    return library if entry is None else library.with_entry(kind, name, entry, raw, file, dict(lines_of(node, place)))


def lines_of(node: Node, place: str) -> Iterable[tuple[str, tuple[str, int]]]:
    """Where each key of a part stands; items of lists by number."""
    yield place, (node.file, node.line)
    items = node.value.items() if isinstance(node.value, dict) else enumerate(node.value) if isinstance(node.value, list) else ()
    for key, child in items:
        yield from lines_of(child, f"{place}.{key}")
