"""YAML with its line numbers: a tree of nodes that remember where they were written.

YAML 1.2 (`no` is a string, 1e-3 a number). Duplicate keys, merge keys and language tags are refused.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from tme.config.errors import Fault, listed, nearest
from tme.library.schema import address

MOST_BYTES = 4_000_000
MOST_NODES = 50_000
SET = "--set"
# keys of a rule: what follows a rule's id, which may hold a dot itself (M53.hif1)
RULE_KEYS = frozenset([
    "id", "in", "on", "signal", "raises", "lowers", "adds_to", "to", "half", "hill", "response", "slope", "combine", "base", "reference", "lag_h", "clock_min",
    "group", "dead", "needs", "evidence", "source", "default", "about", "comes_with",
])


@dataclass(frozen=True)
class Node:
    """A value (scalar, dict of Nodes or list of Nodes) and the place where its key stands."""

    value: Any
    file: str
    line: int

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {k: v.plain() for k, v in self.value.items()}
        if isinstance(self.value, list):
            return [v.plain() for v in self.value]
        return self.value

    def places(self, path: tuple[str, ...] = ()) -> dict[str, tuple[str, int]]:
        """Dotted key -> (file, line) of every leaf below."""
        if isinstance(self.value, dict) and self.value:
            parts: Iterable[tuple[str, Node]] = self.value.items()
        elif isinstance(self.value, list) and any(isinstance(v.value, dict) for v in self.value):
            parts = ((str(i), v) for i, v in enumerate(self.value))
        else:
            return {".".join(path): (self.file, self.line)}
        out: dict[str, tuple[str, int]] = {}
        for key, child in parts:
            out.update(child.places((*path, key)))
        return out

    def find(self, path: Iterable[Any]) -> Node:
        """The node at a path, or the nearest one above it."""
        node = self
        for key in path:
            try:
                if isinstance(node.value, list) and not str(key).isdigit():
                    key = node.addresses().index(str(key))
                node = node.value[int(key) if isinstance(node.value, list) else key]
            except (KeyError, IndexError, TypeError, ValueError):
                return node
        return node

    def addresses(self) -> list[str]:
        """What each item of a list is called (its name, id, target or drug), '' without such a word."""
        return [address(item.plain()) for item in self.value]


class _Builder:
    """Turns composed YAML nodes into `Node`s, gathering faults."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self.file, self.faults = file, faults
        self.count = 0
        self.open: set[int] = set()

    def fault(self, line: int, path: tuple[str, ...], problem: str, expected: str = "") -> None:
        self.faults.append(Fault(self.file, line, ".".join(path), problem, expected))

    def build(self, node: Any, line: int, path: tuple[str, ...] = ()) -> Node:
        """One node; a list item or root stands on its own line, a value on that of its key."""
        self.count += 1
        if self.count > MOST_NODES or id(node) in self.open:
            if self.count <= MOST_NODES + 1:
                self.fault(line, path, "an alias contains itself or multiplies without end", "plain values")
                self.count = MOST_NODES + 2
            return Node(None, self.file, line)
        if isinstance(node, ScalarNode):
            return Node(self.scalar(node, path), self.file, line)
        self.open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                items = [
                    self.build(v, v.start_mark.line + 1, (*path, str(i))) for i, v in enumerate(node.value)
                ]
                return Node(items, self.file, line)
            return Node(self.mapping(node, path), self.file, line)
        finally:
            self.open.discard(id(node))

    def mapping(self, node: MappingNode, path: tuple[str, ...]) -> dict[str, Node]:
        out: dict[str, Node] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or str(key.value) == "":
                self.fault(line, path, "a key is no plain word", "key: value")
                continue
            name = str(key.value)
            child = self.build(value, line, (*path, name))
            if name in out:
                self.fault(
                    line,
                    (*path, name),
                    f"duplicate key, first given in line {out[name].line}",
                    "each key once",
                )
                continue
            out[name] = child
        return out

    def scalar(self, node: ScalarNode, path: tuple[str, ...]) -> Any:
        tag = str(node.tag).rpartition(":")[2]
        text = node.value
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        try:
            if tag == "int":
                digits = text.replace("_", "")
                base = {"0x": 16, "0o": 8, "0b": 2}.get(digits.lstrip("+-")[:2].lower(), 10)
                return int(digits, base)
            if tag == "float":
                return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            return text
        if tag not in ("str", "timestamp", "int", "float"):
            self.fault(node.start_mark.line + 1, path, f"tag {node.tag} is not allowed", "a plain value")
        return text


def read_text(path: Path, shown: str, faults: list[Fault]) -> str | None:
    """The file as text, or None with a fault."""
    try:
        if path.is_dir():
            faults.append(Fault(shown, 0, "", "is a directory", "a YAML file"))
            return None
        if path.stat().st_size > MOST_BYTES:
            faults.append(
                Fault(shown, 0, "", f"is larger than {MOST_BYTES // 1_000_000} MB", "a YAML file of a few kB")
            )
            return None
        raw = path.read_bytes()
    except FileNotFoundError:
        faults.append(Fault(shown, 0, "", "no such file", "a YAML file", _neighbour(path)))
        return None
    except (OSError, ValueError) as error:
        faults.append(
            Fault(
                shown,
                0,
                "",
                f"cannot be read ({getattr(error, 'strerror', None) or error})",
                "a readable YAML file",
            )
        )
        return None
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        faults.append(
            Fault(shown, line, "", "is not text (invalid UTF-8): a binary file?", "a YAML file in UTF-8")
        )
        return None
    if "\0" in text:
        faults.append(
            Fault(
                shown,
                text[: text.index("\0")].count("\n") + 1,
                "",
                "holds zero bytes: a binary file?",
                "a YAML file",
            )
        )
        return None
    return text


def _neighbour(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")]
    except OSError:
        return ""
    found = nearest(path.name, names, 0.75)
    return str(path.with_name(found)) if found else ""


def read_yaml(path: Path, faults: list[Fault]) -> Node | None:
    """The file's mapping as Nodes; None (and faults) if it is no readable YAML mapping."""
    shown = shown_path(path)
    text = read_text(path, shown, faults)
    if text is None:
        return None
    return parse(text, shown, faults)


def shown_path(path: Path) -> str:
    """A path as messages show it: from here, unless that is the longer way."""
    shown = os.path.relpath(path) if not str(path).startswith("..") else str(path)
    return str(path) if len(shown) > len(str(path)) else shown


def parse(text: str, shown: str, faults: list[Fault]) -> Node | None:
    """YAML text with a mapping at its root."""
    root = compose(text, shown, faults)
    if root is None:
        return None
    if not isinstance(root, MappingNode):
        faults.append(
            Fault(shown, root.start_mark.line + 1, "", "is not a mapping", "lines of the form key: value")
        )
        return None
    return _Builder(shown, faults).build(root, 1)


def compose(text: str, shown: str, faults: list[Fault]) -> Any:
    """The composed root node, or None with a fault."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(x) for x in (error.context, error.problem) if x)
        line = mark.line + 1 if mark is not None else 0
        last = text.count("\n") + 1
        cut = " (the file ends here: cut short?)" if line >= last and last > 1 else ""
        faults.append(Fault(shown, line, "", f"is not valid YAML: {problem}{cut}", "key: value"))
        return None
    except (YAMLError, ValueError, RecursionError) as error:
        reason = str(error).strip().splitlines()
        faults.append(
            Fault(
                shown,
                0,
                "",
                f"is not valid YAML: {reason[0] if reason else type(error).__name__}",
                "a YAML file",
            )
        )
        return None
    if root is None:
        faults.append(
            Fault(shown, 1, "", "is empty", "a YAML mapping with at least name, horizon_day and initial")
        )
    return root


def merge(base: Node, over: Node, key: str = "") -> Node:
    """`over` on top of `base`: mappings merge key by key, anything else replaces.

    A mapping that changes its `kind` (another sort of `initial`) replaces as a whole, and so do `quick` and a number
    with its `value`. An arm set to null is dropped, unless it was empty anyway.
    """
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)) or key == "quick" or "value" in over.value:
        return over
    a, b = base.value.get("kind"), over.value.get("kind")
    if a is not None and b is not None and a.value != b.value:
        return over
    out = dict(base.value)
    for name, child in over.value.items():
        if key == "arms" and child.value is None and name in out and out[name].value:
            del out[name]
        else:
            out[name] = merge(out[name], child, name) if name in out else child
    return Node(out, over.file, over.line)


def assign(root: Node, dotted: str, value: Node, faults: list[Fault]) -> Node:
    """`root` with the value at a dotted key replaced; list items by their index, name, id or target."""
    return _assign(root, keys_of(dotted), (), value, faults)


def keys_of(dotted: str) -> list[str]:
    """The keys of a dotted path; the id of a rule is one key although it may hold a dot."""
    keys = dotted.split(".")
    start = 1 if keys[0] == "rules" else 2 if keys[:2] == ["entries", "rules"] else len(keys)
    if len(keys) > start + 1 and keys[start + 1] not in RULE_KEYS:
        keys[start : start + 2] = [".".join(keys[start : start + 2])]
    return keys


def _assign(node: Node, keys: list[str], done: tuple[str, ...], value: Node, faults: list[Fault]) -> Node:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    path = ".".join((*done, *keys))
    if isinstance(node.value, list):
        names = node.addresses()
        if names.count(key) == 1:
            key = str(names.index(key))
        if not key.isdigit() or int(key) >= len(node.value):
            known, n = [x for x in names if x], len(node.value)
            many = f" ({names.count(key)} items are called so)" if key in names else ""
            expected = f"an index from 0 to {n - 1}" + (f", or {listed(set(known))}" if known and not many else "")
            problem = f"'{key}' is no item of {'.'.join(done)}{many}"
            faults.append(Fault(value.file, value.line, path, problem, expected, nearest(key, known) if not many else ""))
            return node
        items = list(node.value)
        items[int(key)] = _assign(items[int(key)], rest, (*done, key), value, faults)
        return Node(items, node.file, node.line)
    if node.value is not None and not isinstance(node.value, dict):
        faults.append(
            Fault(
                value.file,
                value.line,
                path,
                f"{'.'.join(done)} is a plain value and has no '{key}'",
                f"--set {'.'.join(done)}=...",
            )
        )
        return node
    out = dict(node.value or {})
    child = out.get(key, Node(None, value.file, value.line))
    out[key] = _assign(child, rest, (*done, key), value, faults)
    return Node(out, node.file, node.line)


def wrap(value: Any, file: str, line: int) -> Node:
    """Plain Python data as Nodes of one place."""
    if isinstance(value, dict):
        return Node({str(k): wrap(v, file, line) for k, v in value.items()}, file, line)
    if isinstance(value, (list, tuple)):
        return Node([wrap(v, file, line) for v in value], file, line)
    return Node(value, file, line)


def parse_value(text: str, faults: list[Fault], key: str) -> Node:
    """The value of `--set key=value`, read as YAML."""
    if text.strip() == "":
        return Node(None, SET, 0)
    found: list[Fault] = []
    root = compose(text, SET, found)
    if root is None:
        faults.append(Fault(SET, 0, key, f"'{text}' is not a YAML value", "a number, a word or [a, list]"))
        return Node(None, SET, 0)
    node = _Builder(SET, faults).build(root, 0)
    return relocated(node, SET, 0)


def relocated(node: Node, file: str, line: int) -> Node:
    """The same values, all said to stand in one place."""
    if isinstance(node.value, dict):
        return Node({k: relocated(v, file, line) for k, v in node.value.items()}, file, line)
    if isinstance(node.value, list):
        return Node([relocated(v, file, line) for v in node.value], file, line)
    return Node(node.value, file, line)
