"""What a law of the user's says that it touches: every name must be one of this config."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tme import pathways
from tme.config.errors import ConfigError, Fault, listed, nearest
from tme.config.source import shown_path
from tme.core.field import TERMS
from tme.core.plugins import line_of, load
from tme.core.population import COMMON
from tme.model.registry import term_registry
from tme.populations.cells import population_class

PARTS = ("concentration", "vessel_value", *TERMS)  # of a field
ELSEWHERE = ("counters", "events", "lattice", "model", "node", "receptors", "uids", "vessels")


def refuse_unknown(config: Any) -> None:
    """ConfigError for names in `reads`, `writes` or `adds` of plugins that are no column, field or other part of the model."""
    faults, known = [], None
    for plugin in config.plugins:
        for law in load(plugin).laws:
            for key in ("reads", "writes", "adds"):
                for name in getattr(law, key):
                    known = known or known_names(config)
                    if name.partition(".")[0] not in ELSEWHERE and name not in known:
                        line = line_of(plugin, f'"{name}"') or line_of(plugin, f"'{name}'")
                        file = shown_path(Path(plugin.path)) if plugin.path else plugin.name
                        alike = get_close_matches(name, known, 5, 0.3)
                        faults.append(Fault(file, line, f"{law.name}.{key}", f"unknown name '{name}'", listed(sorted(alike)), nearest(name, known)))
    if faults:
        raise ConfigError(faults)


def known_names(config: Any) -> set[str]:
    """Columns of all cell types and parts of all fields that a model of this config may have."""
    laws = [law for plugin in config.plugins for law in load(plugin).laws]
    out = {f"field.{name}.{part}" for name in config.library.spreading() for part in PARTS}
    terms = term_registry(config.plugins, config.library).values()
    for kind, entry in config.library.cells.items():
        columns = {c.name for c in (*COMMON, *population_class(kind, entry).columns, *pathways.all_columns(kind, laws))}
        columns |= {t.place for t in terms} | {t.pool_column for t in terms if t.pool_column}
        columns |= {f"np_{name}" for name in config.library.nanoparticles}
        columns |= {axis.signal for axis in config.axes().values() if hasattr(axis, "signal")} | {f"{name}_signal" for name in config.axes()}
        columns |= {f"ligand_{ligand}" for axis in config.axes().values() for ligand in axis.ligands}
        out |= {f"{kind}.{name}" for name in (*columns, "n", "doom_tick")}
    return out
