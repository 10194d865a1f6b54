"""Read the library files, strictly; `load_library()` is cached, entries are frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tme.library.cells import CellEntry, faults_of
from tme.library.schema import (
    FIELD_KEYS,
    AntibodyEntry,
    DrugEntry,
    FieldEntry,
    NanoparticleEntry,
    TumourEntry,
)

KINDS: dict[str, type[BaseModel]] = {
    "fields": FieldEntry,
    "drugs": DrugEntry,
    "antibodies": AntibodyEntry,
    "nanoparticles": NanoparticleEntry,
    "tumours": TumourEntry,
    "cells": CellEntry,
}


class LibraryError(ValueError):
    """A library file is wrong; the message has one line per fault."""

    exit_code = 2


@dataclass(frozen=True)
class Library:
    """All entries by kind and name."""

    fields: Mapping[str, FieldEntry]
    drugs: Mapping[str, DrugEntry]
    antibodies: Mapping[str, AntibodyEntry]
    nanoparticles: Mapping[str, NanoparticleEntry]
    tumours: Mapping[str, TumourEntry]
    cells: Mapping[str, CellEntry]

    def field(self, name: str) -> FieldEntry:
        """A field by name; KeyError if there is none. Likewise the others."""
        return self.fields[name]

    def drug(self, name: str) -> DrugEntry:
        return self.drugs[name]

    def antibody(self, name: str) -> AntibodyEntry:
        return self.antibodies[name]

    def nanoparticle(self, name: str) -> NanoparticleEntry:
        return self.nanoparticles[name]

    def tumour(self, name: str) -> TumourEntry:
        return self.tumours[name]

    def cell(self, name: str) -> CellEntry:
        return self.cells[name]

    def spreading(self) -> dict[str, Any]:
        """Everything that is a field or becomes one: fields, drugs, antibodies, nanoparticles."""
        return {**self.fields, **self.drugs, **self.antibodies, **self.nanoparticles}

    def overridden(self, changes: Mapping[str, Mapping[str, Any]]) -> Library:
        """A copy with entries changed: name -> {key: value}, keys as in `changeable`."""
        out: dict[str, Any] = {}
        for kind in ("fields", "drugs", "antibodies", "nanoparticles"):
            entries = getattr(self, kind)
            out[kind] = {
                n: e.model_copy(update=dict(changes[n])) if n in changes else e for n, e in entries.items()
            }
        return replace(self, **out)


def changeable(entry: Any) -> tuple[str, ...]:
    """Keys of an entry that a config may override under `fields:`."""
    return tuple(k for k in FIELD_KEYS if k in type(entry).model_fields)


@cache
def load_library(folder: str | None = None) -> Library:
    """The library beside this file (or in `folder`); LibraryError lists every fault."""
    root = Path(folder) if folder else Path(__file__).parent
    faults: list[str] = []
    parts = {kind: _read(root / f"{kind}.yaml", model, faults) for kind, model in KINDS.items()}
    if not faults:
        faults += _dangling(parts)
    if faults:
        raise LibraryError("\n".join(faults))
    return Library(**parts)


def _read(path: Path, model: type[BaseModel], faults: list[str]) -> dict[str, Any]:
    """Entries of one file; faults as `file:line: key: what`."""
    yaml = YAML(typ="rt", pure=True)
    try:
        with open(path, encoding="utf-8") as file:
            data = yaml.load(file) or {}
    except (OSError, YAMLError, ValueError) as error:
        faults.append(f"{path.name}: {' '.join(str(error).split())}")
        return {}
    if not isinstance(data, dict):
        faults.append(f"{path.name}: is not a mapping of names to entries")
        return {}
    out = {}
    for name, raw in data.items():
        try:
            out[str(name)] = model.model_validate(_plain(raw))
        except ValidationError as error:
            for e in error.errors():
                where = [str(x) for x in (name, *e["loc"]) if x != ""]
                faults.append(
                    f"{path.name}:{_line(data, where)}: {'.'.join(where)}: {' '.join(e['msg'].split())}"
                )
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def _line(data: Any, path: Iterable[str]) -> int:
    """Line of the deepest key of `path` that exists."""
    line = 1
    for key in path:
        try:
            step = int(key) if isinstance(data, list) else key
            line = data.lc.data[step][0] + 1
            data = data[step]
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            break
    return line


def _dangling(parts: dict[str, dict[str, Any]]) -> list[str]:
    """Payload drugs that do not exist, and names used twice among what becomes a field."""
    faults = []
    for name, entry in parts["nanoparticles"].items():
        for p in entry.payloads:
            if p.drug is not None and p.drug not in parts["drugs"]:
                faults.append(f"nanoparticles.yaml: {name}: payload drug '{p.drug}' is not in drugs.yaml")
    faults += [f"cells.yaml: {fault}" for fault in faults_of(parts["cells"], parts["fields"])]
    seen: dict[str, str] = {}
    for kind in ("fields", "drugs", "antibodies", "nanoparticles"):
        for name in parts[kind]:
            if name in seen:
                faults.append(f"{kind}.yaml: {name}: the name is taken by {seen[name]}.yaml")
            seen[name] = kind
    return faults
