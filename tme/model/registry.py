"""What can be configured at all: the laws of a plan, their parameters, the terms and signals of rules."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from tme import mechanisms, pathways, therapy
from tme.core.parameters import ParameterSet
from tme.core.plugins import joined
from tme.core.population import COMMON
from tme.core.terms import Term
from tme.library import alterations, load_library
from tme.library.hits import rules_of
from tme.populations.cells import population_class
from tme.rules import evaluation, resolve
from tme.rules.signals import Known


def plan_of(cells: Any, laws: Any = ()) -> tuple[Any, ...]:
    """Entries of a plan, on or off, with these entries of cell types; the laws of plugins come after them."""
    return (*pathways.entries(cells, laws), *mechanisms.MECHANISMS, *therapy.THERAPIES)


PLAN = plan_of(load_library().cells)


def parameter_registry() -> dict[str, ParameterSet]:
    """All parameter groups a config may name under `mechanisms:`."""
    return {**pathways.PARAMETER_SETS, **mechanisms.PARAMETER_SETS, **therapy.PARAMETER_SETS}


def tumour_overrides(config: Any) -> dict[str, dict[str, float]]:
    """Parameter overrides per group: first the tumour preset's, then the config's own."""
    out: dict[str, dict[str, float]] = {}
    for source in (config.tumour_parameters(), config.mechanism_parameters()):
        for group, values in source.items():
            out.setdefault(group, {}).update(values)
    return out


def parameter_of(model: Any, name: str) -> float:
    """A parameter as configured, by its "group.name"; ValueError if there is none."""
    group, _, key = name.partition(".")
    if key not in parameter_registry().get(group, ()):
        raise ValueError(f"library: there is no parameter '{name}'")
    return getattr(parameter_registry()[group].build(model.config_for(group)), key)


def terms_of(module: str, cells: Any) -> tuple[Term, ...]:
    """The terms that a module of laws declares."""
    law = sys.modules.get(module)  # a law handed over in Python may come from none
    return (*getattr(law, "TERMS", ()), *getattr(law, "terms", lambda cells: ())(cells))


def term_registry(plugins: Any = (), library: Any = None) -> dict[str, Term]:
    """All terms that rules may modulate, by name, those of plugins too.

    A law declares them beside its parameters: TERMS, or `terms(cells)` where they follow from the cell types there are.
    """
    modules = dict.fromkeys(cls.__module__ for cls in PLAN)
    cells = (library or load_library()).cells
    found = [term for name in modules for term in terms_of(name, cells)]
    out: dict[str, Term] = {}
    for term in (*found, *joined(plugins).terms):  # a term of several laws acts in the cells of all of them
        former = out.get(term.name)
        out[term.name] = term if former is None else replace(former, cells=tuple(dict.fromkeys((*former.cells, *term.cells))))
    for name, run in pathways.cells_by_term(pathways.runs(cells, joined(plugins).laws)).items():
        out[name] = replace(out[name], cells=run)
    return out


def terms_on(config: Any) -> dict[str, Term]:
    """All terms, those of pathways for the cell types that run them in this config."""
    run = pathways.terms_run(config)
    return {n: replace(t, cells=run.get(n, t.cells)) for n, t in term_registry(config.plugins, config.library).items()}


def known_to_rules(config: Any = None, library: Any = None) -> Known:
    """Terms, signals and their units that rules may name; with the plugins and the library of a config."""
    library = library or (config.library if config is not None else load_library())
    classes = {name: population_class(name, entry) for name, entry in library.cells.items()}
    laws = joined(config.plugins).laws if config is not None else []
    every: list[Any] = [*mechanisms.MECHANISMS, *laws]
    kept = {name: [c for law in every for c in law.cell_columns.get(name, ())] for name in classes}
    columns = {
        name: {c.name: c.unit for c in (*COMMON, *cls.columns, *pathways.all_columns(name, library.cells, laws), *kept[name])} for name, cls in classes.items()
    }
    agents = {**library.drugs, **library.antibodies, **library.nanoparticles}
    return Known(
        terms=term_registry(() if config is None else config.plugins, library),
        columns=columns,
        fields={n: e.unit for n, e in library.fields.items()},
        drugs={n: e.field_unit for n, e in agents.items()},
        alterations=tuple(library.alterations),
        events={signal: unit for n, e in library.events.items() for signal, (unit, _half_life) in e.signals(n).items()},
    )


def alteration_rules(config: Any) -> dict[str, Any]:
    """The effects of all alterations that some cells of a config carry, as rules."""
    known = config.library.alterations
    return {key: rule for name in config.carriers() for key, rule in alterations.rules_of(name, known[name]).items()}


def rule_programs(config: Any, drugs: Any = (), events: Any = None) -> tuple[evaluation.Program, ...]:
    """The rules that a config has on (of those on events the ones that an arm's `events` wake), what its tumour's alterations
    do to terms, and what its `drugs` hit."""
    entries = resolve.chosen(config) | alteration_rules(config)
    if events is not None:
        entries = resolve.woken(entries, config.library, {o.name for o in events})
    run = pathways.terms_run(config)
    for agent in drugs:
        entries |= rules_of(agent.name, agent.entry, run)
    return evaluation.programs(entries, term_registry(config.plugins, config.library))
