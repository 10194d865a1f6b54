"""The mechanisms by id, as `mechanisms.yaml` names them, and which library entries carry an id.

    M39:
      name: "ACSL4 + LPCAT3 build PUFA-PL (all)"
      group: lipids
      sign: "+ U"
      tier: 1
      neutral: {traits.acsl4: 1}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

from tme.library.load import Library, LibraryError

ID = re.compile(r"[MDN]\d+")


class MechanismRow(BaseModel):
    """One id. `neutral`: group.parameter, traits.NAME, terms.TERM or arms.KEY -> the number at which the mechanism does nothing; `entries`: kind.name
    of entries that carry it beside those that name its id; `observable`: a marker, so that nothing switches it; `where`: its file where no law and no entry
    names the id."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=4)
    group: str
    sign: str
    tier: int = Field(ge=1, le=3)
    neutral: dict[str, float] = Field(default_factory=dict)
    entries: tuple[str, ...] = ()
    observable: bool = False
    where: str = ""


@cache
def load_mechanisms() -> Mapping[str, MechanismRow]:
    """Rows by id, in the order of the file; LibraryError lists every fault."""
    data = YAML(typ="safe", pure=True).load(Path(__file__).with_name("mechanisms.yaml"))
    rows, faults = {}, []
    for mid, raw in data.items():
        try:
            rows[str(mid)] = MechanismRow.model_validate(raw)
        except ValidationError as error:
            faults += [f"mechanisms.yaml: {mid}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    if faults:
        raise LibraryError("\n".join(faults))
    return rows


@cache
def file_of(kind: str, name: str) -> str:
    """The file of one of our entries, from the folder that holds the package: one file a kind, or a folder of files."""
    here = Path(__file__).parent
    files = [p for p in (here / f"{kind}.yaml", *sorted((here / kind).glob("*.yaml"))) if p.is_file()]
    mine = [p for p in files if re.search(rf"^{re.escape(name)}:", p.read_text(encoding="utf-8"), re.MULTILINE)]
    return f"tme/library/{(mine or files)[0].relative_to(here).as_posix()}"


def ids_of(name: str, entry: Any) -> tuple[str, ...]:
    """The ids that an entry carries: `ids`, `id`, or its name before the dot (of a rule)."""
    own = (*(getattr(entry, "ids", None) or ()), *filter(None, (getattr(entry, "id", None),)))
    first = name.split(".")[0]
    return tuple(dict.fromkeys((*own, *((first,) if ID.fullmatch(first) else ()))))


def carriers(library: Library) -> Iterator[tuple[str, str, str, str]]:
    """(id, kind, name, about) of every entry that carries an id, in the order of kinds and entries."""
    for kind, entries in library.entries.items():
        for name, entry in entries.items():
            for mid in ids_of(name, entry):
                yield mid, kind, name, getattr(entry, "about", "") or getattr(entry, "source", "")
    for mid, row in load_mechanisms().items():
        for place in row.entries:
            kind, _, name = place.partition(".")
            entry = library.entries.get(kind, {}).get(name)
            if entry is None:
                raise LibraryError(f"mechanisms.yaml: {mid}.entries: there is no {place}")
            if mid not in ids_of(name, entry):
                yield mid, kind, name, entry.about
