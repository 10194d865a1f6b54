"""From a file to a config: loaded, and refused where its parts do not fit each other."""

from __future__ import annotations

from typing import Any

from tme import mechanisms, pathways, therapy
from tme.core.mechanism import check_plan
from tme.core.plugins import PluginError, joined
from tme.library import alterations, cell_checks
from tme.library.hits import as_rule, rules_of
from tme.model.declared import refuse_unknown
from tme.model.initial_cells import TableError, arrangement
from tme.model.question import faults_of_question
from tme.model.registry import (
    PLAN,
    alteration_rules,
    known_to_rules,
    parameter_registry,
    plan_of,
    terms_on,
    tumour_overrides,
)
from tme.model.series_columns import possible_columns
from tme.pathways import cell_types
from tme.populations.cells import population_class
from tme.populations.tumour import Tumour
from tme.rules import resolve
from tme.statistics import faults_of


def load_config(path: Any, *, overrides: Any = (), quick: bool = False, plugins: Any = (), allow_plugins: bool = False) -> Any:
    """Load, extend, override and validate an experiment; raises ConfigError listing all faults.

    `plugins`: laws and readouts handed over (files, modules, classes, functions); those that the file itself names
    under `plugins:` run only with `allow_plugins`.
    """
    from tme.config import ConfigError
    from tme.config import load_config as load

    clocks = {c.name: c.clock_min for c in PLAN}
    config = load(
        path, parameter_registry(), overrides=overrides, quick=quick, clocks=clocks, plugins=plugins, allow_plugins=allow_plugins, contrasts=faults_of,
        readouts=possible_columns,
    )  # fmt: skip
    faults: list[Any] = []
    for refuse in (refuse_cells, refuse_crowded, refuse_off, refuse_clash, refuse_unknown, refuse_axes, refuse_rules):
        try:
            refuse(config)
        except ConfigError as error:
            faults += [f for f in error.faults if f not in faults]
            if refuse is refuse_cells:  # what builds on entries of cells would fail of them
                raise ConfigError([*faults, *faults_of_question(config, sound=False)]) from error
        except Exception:  # with a fault that is reported already: it may be of that
            if not faults:
                raise
    if faults := [*faults, *faults_of_question(config)]:
        raise ConfigError(faults)
    return config


def refuse_rules(config: Any) -> None:
    """ConfigError for rules whose signals, terms or cells are none of this config."""
    from tme.config import ConfigError

    terms, known = terms_on(config), known_to_rules(config)
    given = {item.name for arm in config.arms for item in config.therapy_of(arm).drugs} | carried(config)
    run = pathways.terms_run(config)
    others = alteration_rules(config) | {key: e for name in sorted(given) for key, e in rules_of(name, config.library.drug(name), run).items()}
    faults = resolve.faults_of(config, known._replace(terms=terms), others) + resolve.faults_of_waiting(config, known)
    for key, entry in resolve.chosen(config).items():
        if why := idle(config, [entry], terms):
            faults.append(fault_of(config, f"rules.{key}", *why))
    if faults:
        raise ConfigError(faults)


def idle(config: Any, effects: Any, terms: Any) -> tuple[str, str] | None:
    """What is wrong with effects (rules) of which each acts on a term that does nothing at this config's numbers, and what would mend it."""
    used = [(terms[e.term], cells) for e in effects if e.term in terms for cells in e.cells]
    if not used or not all(t.acts_with and parameter(config, t.acts_with, cells)[0] == 0.0 for t, cells in used):
        return None
    term, cells = used[0]
    return f"acts on {term.name} alone, which does nothing while {term.acts_with} is 0", f"{parameter(config, term.acts_with, cells)[1]} above 0"


def parameter(config: Any, name: str, cells: str) -> tuple[float, str]:
    """A law's number, "group.name", as these cells have it in this config, and the key that sets it."""
    group, _, key = name.partition(".")
    run = next((e for e in pathways.runs_of(config) if e.pathway.name == group and e.cells == cells and e.preset is not None), None)
    if run is not None:
        return getattr(run.numbers({}), key), f"entries.cells.{cells}.pathways.{group}.preset.{key}"
    return getattr(parameter_registry()[group].build(tumour_overrides(config).get(group, {})), key), f"mechanisms.{name}"


def given_at(config: Any, key: str) -> Any:
    """The value under a dotted key of the config as it was written."""
    value: Any = config.to_dict()
    for word in key.split("."):
        value = value[int(word)] if isinstance(value, list) and word.isdigit() and int(word) < len(value) else value.get(word) if isinstance(value, dict) else None
    return value


def fault_of(config: Any, key: str, problem: str, expected: str) -> Any:
    """A fault at a key of the config."""
    from tme.config import Fault

    return Fault(*written_at(config, key), key, problem, expected)


def written_at(config: Any, key: str) -> tuple[str, int]:
    """File and line of a key of the config, of the first below it, or of the section around it that is written."""
    origin, parts = config.origin, key.split(".")
    for n in range(len(parts), 0, -1):
        part = ".".join(parts[:n])
        found = [origin[part]] if part in origin else [at for k, at in origin.items() if k.startswith(f"{part}.")]
        if found:
            return min(found, key=lambda at: at[1])
    return "config", 0


def fault_of_clock(config: Any, kind: str, name: str, problem: str, expected: str) -> Any:
    """A fault of an agent's clock, where the config or a file of the user's sets it, else where the agent is given."""
    from tme.config import Fault

    key = f"fields.{name}.clock_min"
    at = config.library.place(f"{kind}.{name}.clock_min") if key not in config.origin else None
    file, line = at or written_at(config, key if key in config.origin else given_in(config, name))
    return Fault(file, line, key, problem, expected)


def given_in(config: Any, name: str) -> str:
    """The key under which some arm names an agent, or a particle that carries it; "" where none does."""
    library = config.library
    bringing = {name, *(n for n, p in library.nanoparticles.items() if any(load.drug == name for load in p.payloads))}
    return next((k for k in config.origin if k.startswith("arms.") and k.endswith(".name") and given_at(config, k) in bringing), "")


def refuse_crowded(config: Any) -> None:
    """ConfigError for a table of cells that finds no room on the lattice."""
    from tme.config import ConfigError

    try:
        arrangement(config)
    except TableError as error:
        base = "initial.base" if config.initial.kind == "regions" else "initial"
        faults = []
        for fault in error.table_faults:
            key = ".".join((base, *fault.key))
            faults.append(fault_of(config, key, fault.problem, fault.expected))
        raise ConfigError(faults) from error


def refuse_clash(config: Any) -> None:
    """PluginError for a law of the user's that plainly writes what another entry of its phase writes."""
    classes: list[Any] = [*mechanisms.MECHANISMS, *therapy.THERAPIES, *joined(config.plugins).laws]  # they say it as well as instances
    try:
        check_plan(classes)
    except ValueError as error:
        raise PluginError(f"{error}; expected `adds`, another phase, or a column of its own") from error


def refuse_off(config: Any) -> None:
    """ConfigError for a mechanism that is switched off although others need it."""
    from tme.config import ConfigError

    laws = joined(config.plugins).laws
    classes: list[Any] = [*plan_of(config.library.cells, laws), *laws]
    plan = {c.name: c for c in classes}
    faults = []
    for name in sorted(config.switched_off()):
        if name in plan and not plan[name].switchable:
            key = f"mechanisms.{name}.on"
            faults.append(fault_of(config, key, "cannot be switched off, other parts of the plan need it", "a parameter of it set to 0"))
    clock = therapy.nanoparticles.ParticleCargo.clock_min
    for name in sorted(carried(config)):
        own = config.library.drug(name).clock_min
        if own > clock or clock % own:
            said = f"{own:g} min: particles release it every {clock:g} min, some would be lost"
            faults.append(fault_of_clock(config, "drugs", name, said, f"a divisor of {clock:g}"))
    for name in {item.name for arm in config.arms for item in config.therapy_of(arm).nanoparticles}:
        if config.library.nanoparticle(name).clock_min != clock:
            faults.append(fault_of_clock(config, "nanoparticles", name, "particles are taken up at another clock, payload would be lost", f"{clock:g}"))
    faults += faults_of_hits(config)
    faults += faults_of_alterations(config)
    if faults:
        raise ConfigError(faults)


def faults_of_hits(config: Any) -> list[Any]:
    """What drugs of some arm, or of the user's own file, hit and cannot: terms that do not exist, or are of a pathway which the config has not on."""
    from tme.config import Fault

    runs = pathways.runs_of(config)
    off = {t.name: e.name for e in runs if not e.is_on(config) and e.cells == "tumour" for t in e.pathway.terms}
    off = {term: name for term, name in off.items() if not any(e.is_on(config) for e in runs if term in {t.name for t in e.pathway.terms})}
    known, faults = known_to_rules(config), []
    given = {item.name for arm in config.arms for item in config.therapy_of(arm).drugs} | carried(config)
    for name in sorted(given | set(config.library.origin.get("drugs", ()))):
        rules = rules_of(name, config.library.drug(name))
        for key, entry in rules.items():
            if entry.term in off and name in given:
                said = f"{name} hits {key.partition('.')[2]}, which is of the pathway {off[entry.term]}, and that is off"
                faults.append(Fault(*written_at(config, given_in(config, name)), f"mechanisms.{off[entry.term]}.on", said, "true"))
        sound = {key: entry for key, entry in rules.items() if entry.term not in off}
        if name in given and len(rules) == len(config.library.drug(name).hits) and (why := idle(config, rules.values(), known.terms)):
            faults.append(fault_of(config, given_in(config, name) or f"drugs.{name}", f"{name} {why[0]}", why[1]))
        for key, *what in resolve.check(sound, known):
            file, line = config.library.place(f"drugs.{name}.hits.{position(config.library.drug(name), key)}") or ("tme/library/drugs.yaml", 0)
            faults.append(Fault(file, line, f"drugs.{name}.hits.{key.partition('.')[2]}", *what))
    return faults


def faults_of_alterations(config: Any) -> list[Any]:
    """What alterations that cells carry, or of the user's own file, do to terms and cannot: terms that do not exist, or of another kind."""
    from tme.config import Fault

    known, faults = known_to_rules(config), []
    for name in sorted({*config.carriers(), *config.library.origin.get("alterations", ())}):
        rules = alterations.rules_of(name, config.library.alterations[name])
        for key, *what in resolve.check(rules, known):
            effect = key.partition(".")[2]
            place = place_of(config, f"alterations.{name}.effects.{list(rules).index(key)}")
            faults.append(Fault(place[0] if place[1] else f"tme/library/{place[0]}", place[1], f"alterations.{name}.effects.{effect}", *what))
    return faults


def position(drug: Any, key: str) -> int:
    """Which of a drug's hits is the rule of that id."""
    rules = [k for k, hit in enumerate(drug.hits) if as_rule("", hit) is not None]
    return rules[list(rules_of(key.partition(".")[0], drug)).index(key)]


def carried(config: Any) -> set[str]:
    """Drugs that particles of some arm carry."""
    names = {item.name for arm in config.arms for item in config.therapy_of(arm).nanoparticles}
    return {p.drug for name in names for p in config.library.nanoparticle(name).payloads if p.drug is not None}


def refuse_cells(config: Any) -> None:
    """ConfigError for what entries of cell types say of fields and pathways that do not exist, or not so."""
    from tme.config import ConfigError, Fault
    from tme.config.errors import listed, nearest

    library, faults = config.library, []
    for fault in cell_checks.faults_of(library.cells, library.fields):
        key, _, said = fault.partition(": ")
        problem, _, near = said.partition("; did you mean '")
        faults.append(Fault(*place_of(config, f"cells.{key}"), problem, "", near.rstrip("'?")))
    for key, problem, expected, known in cell_types.faults_of(library.cells, pathways.known(joined(config.plugins).laws), Tumour.kind):
        faults.append(Fault(*place_of(config, f"cells.{key}"), problem, expected or listed(known, 40), nearest(key.rpartition(".")[2], known)))
    if faults:
        raise ConfigError(faults)


def place_of(config: Any, key: str) -> tuple[str, int, str]:
    """File, line and key at which the user wrote this part of the library: under `entries:`, or in a file of their own."""
    parts = key.split(".")
    for n in range(len(parts), 1, -1):
        part = ".".join(("entries", *parts[:n]))
        within = [at for k, at in config.origin.items() if k == part or k.startswith(f"{part}.")]
        if within:
            return *within[0], f"entries.{key}"
    return *(config.library.place(key) or (f"{parts[0]}.yaml", 0)), key


def refuse_axes(config: Any) -> None:
    """ConfigError for a checkpoint axis on a cell type, or read from a column, that does not exist."""
    from tme.config import ConfigError, Fault
    from tme.config.errors import listed, nearest

    faults = []
    columns = {name: {c.name for c in population_class(name, e).columns} for name, e in config.library.cells.items()}
    for name, axis in config.axes().items():
        parts = {"receptor": axis.receptor.on, **{f"ligands.{n}": li.on for n, li in axis.ligands.items()}}
        for part, on in parts.items():
            for kind, e in on.items():
                key, known = f"receptors.{name}.{part}.on.{kind}", columns.get(kind)
                at = config.origin.get(key) or config.library.place(key) or config.origin.get(f"receptors.{name}")
                file, line = at or ("receptors.yaml", 0)
                wanted = {e.column, e.free_column, e.signal[1] if e.signal[0] == "own" else ""} - {""}
                if known is None:
                    faults.append(Fault(file, line, key, f"unknown cell type '{kind}'", listed(columns), nearest(kind, columns)))
                    continue
                for column in sorted(wanted - known):
                    faults.append(Fault(file, line, key, f"{kind} cells have no column '{column}'", listed(sorted(known), 40), nearest(column, known)))
    if faults:
        raise ConfigError(faults)
