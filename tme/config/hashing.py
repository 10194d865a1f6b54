"""The digest of a configuration: equal for equal science, whatever file it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tme.library import KINDS, Kind


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file; of nothing if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError:
        pass
    return digest.hexdigest()


def canonical(data: Any) -> str:
    """JSON with sorted keys; floats that are whole are written as integers."""

    def even(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(k): even(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [even(v) for v in value]
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    return json.dumps(even(data), sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(config: Any) -> str:
    """Eight hexadecimal digits over the resolved config, the library entries it uses and its plugins.

    Left out: the name, the question that is asked of the results, what studies ask, how often checkpoints are written and whether they are kept, and where files lie. A table of cells and a plugin count by
    their content, library entries by what is in force, the user's and ours alike.
    """
    data = config.to_dict()
    for key in ("schema", "name", "library", "entries", "fields", "plugins", "primary", "study"):
        data.pop(key, None)
    for key in ("checkpoint_every_h", "keep_checkpoints"):
        data.get("output", {}).pop(key, None)
    for start in (data["initial"], data["initial"].get("base")):
        if isinstance(start, dict) and start["kind"] == "cells":
            start["file"] = file_sha256(start["file"])
    whole = {"config": data, "library": used_entries(config), "plugins": [p.sha256 for p in config.plugins]}
    return hashlib.sha256(canonical(whole).encode()).hexdigest()[:8]


def used_entries(config: Any) -> dict[str, dict[str, Any]]:
    """Content of every library entry that the config uses, kind -> name -> numbers, with all those they name."""
    library = config.library
    data = config.to_dict()
    wanted = [(kind.name, name) for kind in KINDS for name in chosen(config, data, kind) if name in library.entries[kind.name]]
    used: dict[str, dict[str, Any]] = {}
    while wanted:
        kind, name = wanted.pop()
        if name not in used.setdefault(kind, {}):
            entry = library.entries[kind][name]
            used[kind][name] = entry.content()
            wanted += [(k, n) for _key, k, n in entry.referred() if n in library.entries.get(k, {})]
    return used


def chosen(config: Any, data: Any, kind: Kind) -> Iterable[str]:
    """Names that a config gives of a kind: in its arms, at a key of its own, or all there are."""
    if kind.chosen_by == "arms":
        items = [i for arm in config.arms for i in getattr(config.therapy_of(arm), kind.name, ())]
        return dict.fromkeys(i.name for i in items)
    if kind.chosen_by.endswith("()"):
        named = set(getattr(config, kind.chosen_by[:-2])())
        return [n for n, e in config.library.entries[kind.name].items() if n in named or e.in_every_model]
    if not kind.chosen_by:
        return config.library.entries[kind.name]
    on = config.switched_on()
    named = {name for key in kind.chosen_by.split() for name in names_at(data, key.split("."))}
    # a key before the dot names all parts of it; what is on by itself counts too
    return [n for n, e in config.library.entries[kind.name].items() if n in named or n.split(".")[0] in named or getattr(e, "default", False)
            or getattr(e, "comes_with", "") in on]


def names_at(data: Any, keys: list[str]) -> Iterable[str]:
    """Names at a path of plain data, * for any key: a text, the items of a list, the keys of a mapping."""
    if not keys:
        return (data,) if isinstance(data, str) else data or ()
    if not isinstance(data, dict):
        return ()
    inner = data.values() if keys[0] == "*" else [data[keys[0]]] if keys[0] in data else []
    return [name for part in inner for name in names_at(part, keys[1:])]
