"""Which names that a config may use are the user's, and the file each comes from: what `tme list --config` marks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tme.core.mechanism import Mechanism
from tme.core.plugins import Plugin, load
from tme.core.terms import Term
from tme.model.registry import PLAN, term_registry
from tme.pathways import PathwayEntry, all_columns


def laws(plugins: Iterable[Plugin]) -> list[type[Mechanism]]:
    """The laws of plugins, in order."""
    return [law for plugin in plugins for law in load(plugin).laws]


def files_of(kind: str, plugins: Iterable[Plugin], library: Any) -> dict[str, str]:
    """The file by name of what is the user's among mechanisms, pathways, rules, signals or terms; {} if nothing is."""
    found = {"mechanisms": mechanism_files, "pathways": pathway_files, "signals": signal_files, "terms": term_files}
    return found[kind](tuple(plugins), library) if kind in found else dict(library.origin.get(kind, {}))


def place_of(plugin: Plugin) -> str:
    """Where a plugin comes from: its file, or its name in Python."""
    return plugin.path or plugin.name


def mechanism_files(plugins: tuple[Plugin, ...], library: Any) -> dict[str, str]:
    """By id, or by name where there is none."""
    return {row["id"]: row["where"].partition(": ")[0] for row in mechanism_rows(plugins, library)}


def pathway_files(plugins: tuple[Plugin, ...], library: Any) -> dict[str, str]:
    """Pathways of plugins, and those that the user's cell types run."""
    cells = library.origin.get("cells", {})
    run = {f"{p}_{c}": file for c, file in cells.items() for p in library.cells[c].pathways}
    return run | {law.name: place_of(p) for p in plugins for law in load(p).laws if issubclass(law, PathwayEntry)}


def mechanism_rows(plugins: Iterable[Plugin], library: Any) -> list[dict[str, Any]]:
    """Rows of `tme list mechanisms` for laws of plugins and for the user's axes, particles and rules."""
    ours = {mid for cls in PLAN for mid in cls.ids}
    rows = []
    for plugin in plugins:
        for law in load(plugin).laws:
            switch = f"mechanisms.{law.name}.on" if law.switchable else ""
            rows += [(mid, place_of(plugin), switch, law.about) for mid in (*(i for i in law.ids if i not in ours), *(() if law.ids else (law.name,)))]
    whose = library.origin
    rows += [(name, f"{file}: {name}", f"receptors.{name}", library.receptors[name].about) for name, file in whose.get("receptors", {}).items()]
    for name, file in whose.get("nanoparticles", {}).items():
        entry = library.nanoparticles[name]
        rows.append((entry.id, f"{file}: {name}", f"arms.*.nanoparticles: {name}", entry.about))
    rows += [(name, f"{file}: {name}", f"rules.{name}", library.rules[name].source) for name, file in whose.get("rules", {}).items()]
    return [{"id": mid, "where": where, "switch": switch, "about": about, "test": ""} for mid, where, switch, about in rows]


def signal_files(plugins: tuple[Plugin, ...], library: Any) -> dict[str, str]:
    """Signals of the user's fields, agents, cell types, events and columns."""
    whose = library.origin
    out = {f"field.{n}": file for n, file in whose.get("fields", {}).items()}
    out |= {f"drug.{n}": file for kind in ("drugs", "antibodies", "nanoparticles") for n, file in whose.get(kind, {}).items()}
    out |= {f"{word}.{n}": file for word in ("near", "contact") for n, file in whose.get("cells", {}).items()}
    out |= {f"event.{signal}": file for n, file in whose.get("events", {}).items() for signal in library.events[n].signals(n)}
    for plugin in plugins:
        for law in load(plugin).laws:
            kept = [c for columns in law.cell_columns.values() for c in columns]
            if issubclass(law, PathwayEntry):
                ours = {c.name for c in all_columns(law.cells, library.cells)}
                kept += [c for c in law.pathway.columns() if c.name not in ours]
            out |= {f"own.{c.name}": place_of(plugin) for c in kept}
    return out


def term_files(plugins: tuple[Plugin, ...], library: Any) -> dict[str, str]:
    """Terms of plugins, and those that only the user's cell types have."""
    out = {t.name: place_of(plugin) for plugin in plugins for t in load(plugin).terms}
    ours, cells = term_registry(), library.origin.get("cells", {})
    for name, term in term_registry(plugins, library).items():
        if name not in ours and name not in out:
            out |= dict.fromkeys([name], next((file for kind, file in cells.items() if is_of(term, kind)), ""))
    return out


def is_of(term: Term, kind: str) -> bool:
    """Whether a term is there because of a cell type: only it has the term, or the term is called after it."""
    return term.cells == (kind,) or kind in term.name.split(".")
