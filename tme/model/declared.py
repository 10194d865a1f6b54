"""What a law of the user's says that it touches: every name must be one of this config."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tme import pathways
from tme.config.errors import ConfigError, Fault, listed, nearest
from tme.config.source import shown_path
from tme.core.field import TERMS
from tme.core.mechanism import Mechanism
from tme.core.plugins import Plugin, line_of, load
from tme.core.population import COMMON
from tme.mechanisms import MECHANISMS
from tme.model.registry import term_registry
from tme.populations.cells import population_class

PARTS = ("concentration", "vessel_value", *TERMS)  # of a field
ELSEWHERE = ("counters", "events", "lattice", "model", "node", "receptors", "uids", "vessels")


def refuse_unknown(config: Any) -> None:
    """ConfigError for what laws of plugins say wrongly: columns in no cell type or already there, and names in `reads`,
    `writes` or `adds` that are no column, field or other part of the model.
    """
    laws = [(plugin, law) for plugin in config.plugins for law in load(plugin).laws]
    if not any(law.cell_columns or law.reads or law.writes or law.adds for _, law in laws):
        return
    known, faults = known_names(config), []
    for plugin, law in laws:
        faults += [fault_of_column(plugin, law, kind, c.name, config.library.cells, known) for kind, own in law.cell_columns.items() for c in own]
        known |= {f"{kind}.{c.name}" for kind, own in law.cell_columns.items() for c in own}
    for plugin, law in laws:
        for key in ("reads", "writes", "adds"):
            for name in getattr(law, key):
                if name.partition(".")[0] not in ELSEWHERE and name not in known:
                    alike = get_close_matches(name, known, 5, 0.3)
                    faults.append(told(plugin, name, f"{law.name}.{key}", f"unknown name '{name}'", listed(sorted(alike)), nearest(name, known)))
    if faults := [fault for fault in faults if fault is not None]:
        raise ConfigError(faults)


def fault_of_column(plugin: Plugin, law: type[Mechanism], kind: str, name: str, cells: Collection[str], known: set[str]) -> Fault | None:
    """What is wrong with a column that a law keeps; None if it can be."""
    if kind not in cells:
        return told(plugin, kind, f"{law.name}.cell_columns", f"unknown cell type '{kind}'", listed(sorted(cells)), nearest(kind, cells))
    if f"{kind}.{name}" in known:
        return told(plugin, name, f"{law.name}.cell_columns", f"{kind} cells have a column '{name}' already", "another name", "")
    return None


def told(plugin: Plugin, word: str, key: str, problem: str, expected: str, meant: str) -> Fault:
    """A fault at the line of a plugin's file where a word stands in quotes."""
    line = line_of(plugin, f'"{word}"') or line_of(plugin, f"'{word}'")
    return Fault(shown_path(Path(plugin.path)) if plugin.path else plugin.name, line, key, problem, expected, meant)


def known_names(config: Any) -> set[str]:
    """Columns of all cell types and parts of all fields that a model of this config may have."""
    laws = [law for plugin in config.plugins for law in load(plugin).laws]
    out = {f"field.{name}.{part}" for name in config.library.spreading() for part in PARTS}
    terms = term_registry(config.plugins, config.library).values()
    for kind, entry in config.library.cells.items():
        columns = {c.name for c in (*COMMON, *population_class(kind, entry).columns, *pathways.all_columns(kind, config.library.cells, laws))}
        columns |= {c.name for law in MECHANISMS for c in law.cell_columns.get(kind, ())}
        columns |= {t.place for t in terms} | {t.pool_column for t in terms if t.pool_column}
        columns |= {f"{word}_{name}" for name in config.library.nanoparticles for word in ("np", "np_open")}
        columns |= {axis.signal for axis in config.axes().values() if hasattr(axis, "signal")} | {f"{name}_signal" for name in config.axes()}
        columns |= {f"ligand_{ligand}" for axis in config.axes().values() for ligand in axis.ligands}
        out |= {f"{kind}.{name}" for name in (*columns, "n", "doom_tick")}
    return out
