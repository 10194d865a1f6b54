"""The entries of a tick in order, and the columns that they need of cells."""

from __future__ import annotations

from typing import Any

from tme import pathways
from tme.core.guards import Guards
from tme.core.mechanism import Mechanism, check_plan
from tme.core.plugins import PluginError
from tme.core.population import COMMON, Column
from tme.core.schedule import FieldDiffusion, StartSources
from tme.mechanisms import MECHANISMS
from tme.model.registry import plan_of, terms_of
from tme.populations.cells import population_class
from tme.rules import evaluation
from tme.rules.vessels import connect


def build_plan(model: Any) -> list[Mechanism]:
    """All entries of the tick; a mechanism may ask for another one built before it."""
    model._entries = []
    off = model.config.switched_off()
    for cls in (*plan_of(model.config.library.cells, model.own.laws), *model.own.laws):
        if cls.name not in off and cls.enabled(model):
            model._entries.append(cls(model))
        if cls.name == "sensing" and model.rule_programs:  # rules hear what is sensed, other laws what rules make of it
            model._entries.append(evaluation.Rules(model, model.rule_programs))
    connect(model, model._entries)
    heard = {module: terms_heard(model, module) for module in {type(entry).__module__ for entry in model._entries}}
    for entry in model._entries:
        entry.reads = (*entry.reads, *(name for name in heard[type(entry).__module__] if name not in entry.reads))
    solves = [FieldDiffusion(model, name) for name in model.fields]
    plan = ordered([StartSources(model), *model._entries, *solves, Guards(model)])
    if model.own.laws:
        try:
            check_plan(plan)
        except ValueError as error:
            raise PluginError(f"{error}; expected `adds`, another phase, or a column of its own") from error
    return plan


def terms_heard(model: Any, module: str) -> list[str]:
    """Columns of the terms that rules of this model set and the laws of a module may read."""
    terms = [t for t in terms_of(module, model.config.library.cells) if not t.column]
    return [f"{p.kind}.{t.place}" for p in model.populations for t in terms if t.place in p.declared]


def ordered(entries: list[Mechanism]) -> list[Mechanism]:
    """Delivery before diffusion and so on is the phases' doing; within SECRETE, sources start anew first."""
    return sorted(entries, key=lambda m: (m.phase, m.name != "start_sources"))


def cell_columns(model: Any, kind: str, *extra: Column) -> tuple[Column, ...]:
    """Columns of a cell type beyond its own: of its pathways, of therapy and of rules."""
    own = population_class(kind, model.config.library.cells[kind]).columns
    found = (*pathways.columns(model, kind, own), *extra, *rule_columns(model, kind))
    found = (*found, *(c for law in MECHANISMS if law.cell_columns and law.enabled(model) for c in law.cell_columns.get(kind, ())))
    return (*found, *plugin_columns(model, kind, {c.name for c in (*COMMON, *own, *found)}))


def plugin_columns(model: Any, kind: str, taken: set[str]) -> tuple[Column, ...]:
    """Columns that laws of plugins keep in a cell type, where they are on. PluginError for one that is there already."""
    out = []
    for law in model.own.laws:
        for column in law.cell_columns.get(kind, ()) if law.name not in model.config.switched_off() else ():
            if column.name in taken:
                raise PluginError(f"{law.name}: {kind} cells have a column '{column.name}' already; expected another name")
            taken.add(column.name)
            out.append(column)
    return tuple(out)


def rule_columns(model: Any, kind: str) -> tuple[Column, ...]:
    """Columns of the terms and memories of the rules that act on a cell type."""
    return tuple(c for p in model.rule_programs if p.cells == kind for c in p.columns(evaluation.on_one_clock(p, model)))


def cargo_columns(agents: Any) -> tuple[Column, ...]:
    """A column of internalised payload per platform of the arm, and of the share that is open where it opens first."""
    held = (Column(f"np_{a.name}", "f8", "uM", 0.0, "half", "particles taken up, uM of payload in the cell") for a in agents.nanoparticles)
    staged = (a.name for a in agents.nanoparticles if a.entry.release.opens is not None)
    return (*held, *(Column(f"np_open_{name}", "f8", "1", 0.0, "copy", "share of the particles taken up that is open") for name in staged))
