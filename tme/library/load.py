"""Read the library files, strictly; `load_library()` is cached, entries are frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from ruamel.yaml.error import YAMLError

from tme.library.cell_checks import faults_of
from tme.library.hits import TARGETS
from tme.library.kinds import BY_NAME, KINDS
from tme.library.parsed import parse, plain_of
from tme.library.schema import FIELD_KEYS, Part


class LibraryError(ValueError):
    """A library file is wrong; the message has one line per fault."""

    exit_code = 2


@dataclass(frozen=True)
class Library:
    """All entries by kind and name: `library.drugs["rsl3"]`, `library.drug("rsl3")`, `library.entries["drugs"]`.

    `raw` keeps each entry as it was written (numbers with unit, range, status and source), `origin` the file of each
    entry that is not ours, as kind -> name -> file, and `lines` where each key of those stands, as "kind.name.key" -> (file, line).
    """

    entries: Mapping[str, Mapping[str, Any]]
    raw: Mapping[str, Mapping[str, Any]]
    origin: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lines: Mapping[str, tuple[str, int]] = field(default_factory=dict, compare=False)

    def place(self, key: str) -> tuple[str, int] | None:
        """File and line of "kind.name.key", or of the part around it that the user wrote; None in our own entries."""
        parts = key.split(".")
        return next((self.lines[k] for n in range(len(parts), 1, -1) if (k := ".".join(parts[:n])) in self.lines), None)

    def __getattr__(self, name: str) -> Any:
        """Entries of a kind by its name, or a look-up by the word for one of it (KeyError if there is none)."""
        entries = self.__dict__.get("entries", {})
        if name in entries:
            return entries[name]
        kind = next((k.name for k in KINDS if k.one == name and k.name in entries), None)
        if kind is None:
            raise AttributeError(f"the library has no {name!r}; kinds: {', '.join(entries)}")
        return entries[kind].__getitem__

    def spreading(self) -> dict[str, Any]:
        """Everything that is a field or becomes one: fields, drugs, antibodies, nanoparticles."""
        return {n: e for kind in KINDS if kind.spreads for n, e in self.entries[kind.name].items()}

    def kind_of(self, name: str) -> str:
        """The kind under which a field or agent stands; '' if there is none of that name."""
        return next((k.name for k in KINDS if k.spreads and name in self.entries[k.name]), "")

    def with_entry(
        self, kind: str, name: str, entry: Part, raw: Any, origin: str = "", lines: Mapping[str, tuple[str, int]] = MappingProxyType({})
    ) -> Library:
        """A copy with one entry added or replaced; `origin` is the file it comes from, '' to leave that as it is."""

        def put(whole: Mapping[str, Any], value: Any) -> dict[str, Any]:
            return {**whole, kind: {**whole.get(kind, {}), name: value}}

        return replace(self, entries=put(self.entries, entry), raw=put(self.raw, raw),
                       origin=put(self.origin, origin) if origin else self.origin, lines={**self.lines, **lines})  # fmt: skip

    def dangling(self) -> Iterator[tuple[str, str, str, str]]:
        """(kind, name, key, fault) of every reference that leads nowhere and every name of a field used twice."""
        seen: dict[str, str] = {}
        molecules = [n for axis in self.entries["receptors"].values() for n in axis.names()]
        targets = [*molecules, *(f"field:{f}" for f in self.entries["fields"])]
        met = {n for axis in self.entries["receptors"].values() if axis.place == "contact" for n in axis.ligands}
        for name, antibody in self.entries["antibodies"].items():
            if antibody.sink is not None and not antibody.neutralises and antibody.target not in met:
                yield "antibodies", name, "sink", f"{antibody.target} is no ligand that is met in tissue; expected one of {', '.join(sorted(met))}, or no sink"
        for axis, entry in self.entries["receptors"].items():
            for name in entry.names():
                if molecules.count(name) > 1:
                    yield "receptors", axis, "", f"{name} is in two axes; give each its own name"
            for key, kind, wanted in entry.named():
                if wanted not in self.entries[kind]:
                    yield "receptors", axis, key, f"{_word(kind)} '{wanted}' is not in {kind}{meant(wanted, self.entries[kind])}"
        agents = {*self.entries["drugs"], *(t.group for t in TARGETS.values()), *(r.group for r in self.entries["rules"].values() if r.group)}
        for name, alteration in self.entries["alterations"].items():
            for drug in alteration.feels:
                if drug not in agents:
                    yield "alterations", name, f"feels.{drug}", f"'{drug}' is not in drugs, nor a group of them{meant(drug, agents)}"
        for fault in faults_of(self.entries["cells"], self.entries["fields"]):
            place, _, said = fault.partition(": ")
            name, _, key = place.partition(".")
            yield "cells", name, key, said
        for name, event in self.entries["events"].items():
            for cells in getattr(event, "cells", ()):
                if cells not in self.entries["cells"]:
                    yield "events", name, f"cells.{cells}", f"cell type '{cells}' is not in cells{meant(cells, self.entries['cells'])}"
        for name, drug in self.entries["drugs"].items():
            for k, hit in enumerate(drug.hits):
                if hit.target == "vessel" and hit.field in self.entries["fields"] and self.entries["fields"][hit.field].vessel_exchange == 0.0:
                    yield "drugs", name, f"hits.{k}.field", f"vessels bring no '{hit.field}'"
        for kind, entries in self.entries.items():
            for name, entry in entries.items():
                for key, target in entry.taken_away():
                    if target not in targets:
                        yield kind, name, key, f"target '{target}' is no receptor or ligand of receptors.yaml and no field:NAME{meant(target, targets)}"
                for key, other, wanted in entry.referred():
                    if wanted not in self.entries.get(other, {}):
                        yield kind, name, key, f"{_word(other)} '{wanted}' is not in {other}{meant(wanted, self.entries.get(other, {}))}"
                if BY_NAME[kind].spreads:
                    if name in seen:
                        yield kind, name, "", f"the name is taken by {seen[name]}"
                    seen[name] = kind


def meant(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, as the end of a message."""
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _word(kind: str) -> str:
    return BY_NAME[kind].one if kind in BY_NAME else kind


def changeable(entry: Any) -> tuple[str, ...]:
    """Keys of an entry that a config may override under `fields:`."""
    return tuple(k for k in FIELD_KEYS if k in type(entry).model_fields)


@cache
def load_library(folder: str | None = None) -> Library:
    """The library beside this file (or in `folder`); LibraryError lists every fault."""
    root = Path(folder) if folder else Path(__file__).parent
    faults: list[str] = []
    entries: dict[str, dict[str, Any]] = {}
    raw: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        entries[kind.name], raw[kind.name] = _read(root, kind.name, kind.entry, faults)
    library = Library(entries, raw)
    if not faults:
        faults += [f"{kind}.yaml: {name}{'.' * bool(key)}{key}: {what}" for kind, name, key, what in library.dangling()]
    if faults:
        raise LibraryError("\n".join(faults))
    return library


def _read(root: Path, kind: str, model: type[Part], faults: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Entries of one kind, checked and as written, from `KIND.yaml` and the files of a folder `KIND/`; faults as `file:line: key: what`."""
    written: dict[str, Any] = {}
    places: dict[str, tuple[Path, str, int]] = {}  # name -> file, its text, number of the entry there
    for path in (root / f"{kind}.yaml", *sorted((root / kind).glob("*.yaml"))):
        try:
            text = path.read_text(encoding="utf-8")
            named = by_name(plain_of(text))
        except (OSError, YAMLError, ValueError) as error:
            faults.append(f"{path.name}: {' '.join(str(error).split())}")
            continue
        if named is None:
            faults.append(f"{path.name}: is not a mapping of names to entries")
            continue
        for index, (name, entry) in enumerate(named.items()):
            if name in written:
                faults.append(f"{_place(path, text, index, name)}: {name} is in {places[name][0].name} already")
            written[name], places[name] = entry, (path, text, index)
    out, raw = {}, {}
    for name in written:
        try:
            raw[name] = inherited(name, written)
            out[name] = model.model_validate(raw[name])
        except UnknownBase as error:
            faults.append(f"{_place(*places[name], name, 'extends')}: {name}.extends: {error}")
        except ValidationError as error:
            for e in error.errors():
                inner = [str(x) for x in e["loc"] if x != ""]
                faults.append(f"{_place(*places[name], name, *inner)}: {'.'.join([name, *inner])}: {' '.join(e['msg'].split())}")
    return out, raw


def _place(path: Path, text: str, index: int, name: str, *inner: str) -> str:
    """File and line of a key of an entry; the text is parsed once more for it."""
    data = parse(text)
    return f"{path.name}:{_line(data, [name if isinstance(data, dict) else str(index), *inner])}"


class UnknownBase(ValueError):
    """An entry extends one that does not exist, or itself."""


def inherited(name: str, written: Mapping[str, Any], below: tuple[str, ...] = ()) -> Any:
    """An entry as written, over the one of its kind that it `extends`."""
    entry = written[name]
    if not isinstance(entry, dict) or "extends" not in entry:
        return entry
    base = entry["extends"]
    if base not in written:
        raise UnknownBase(f"there is no '{base}'{meant(str(base), written)}")
    if base == name or base in below:
        raise UnknownBase(f"'{base}' extends '{name}'")
    return over(inherited(base, written, (*below, name)), {k: v for k, v in entry.items() if k != "extends"})


def over(base: Any, change: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with another over it: numbers and lists are replaced, parts merged, what is null taken away."""
    out = dict(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict) and "value" not in value
        out[key] = over(out[key], value) if both else value
        if value is None:
            del out[key]
    return out


def by_name(data: Any) -> dict[str, Any] | None:
    """Entries by name: a mapping as it stands, or a list of entries that state their `id` (or name)."""
    if isinstance(data, dict):
        return {str(k): v for k, v in data.items()}
    if not isinstance(data, list) or not all(isinstance(e, dict) and ("id" in e or "name" in e) for e in data):
        return None
    return {str(e.get("id", e.get("name"))): e for e in data}


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
