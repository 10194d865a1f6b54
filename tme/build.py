"""From a config to the parts of a model: grid, fields, therapy, plan; and what can be configured at all."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

from tme import mechanisms, pathways, therapy
from tme.core.field import Field
from tme.core.grid import Grid
from tme.core.guards import Guards
from tme.core.mechanism import Mechanism, check_plan
from tme.core.parameters import ParameterSet
from tme.core.plugins import PluginError, joined
from tme.core.population import COMMON, Column
from tme.core.receptors import Receptors
from tme.core.schedule import FieldDiffusion, StartSources
from tme.core.terms import Term
from tme.core.vessels import mean_weight
from tme.library import load_library
from tme.library.hits import rules_of
from tme.populations.cells import population_class
from tme.rules import evaluation, resolve
from tme.rules.signals import Known
from tme.rules.vessels import connect
from tme.therapy.agents import LN2, Agent, doses_of
from tme.therapy.events import occasions, uses_oxygen

PLAN = (*pathways.ENTRIES, *mechanisms.MECHANISMS, *therapy.THERAPIES)
# of a field's solve where the config states none; for those that multigrid solves it is the rough end of the
# error, 10 to 30 times the smooth one (against 1e-9, over 200 min: L2 errors of 1e-5 to 1e-3)
TOLERANCE = {"oxygen": 1e-4, "atp": 5e-3}
TOLERANCE_OF = {"drug": 5e-3, "other": 1e-3}


def parameter_registry() -> dict[str, ParameterSet]:
    """All parameter groups a config may name under `mechanisms:`."""
    return {**pathways.PARAMETER_SETS, **mechanisms.PARAMETER_SETS, **therapy.PARAMETER_SETS}


def term_registry(plugins: Any = (), library: Any = None) -> dict[str, Term]:
    """All terms that rules may modulate, by name, those of plugins too.

    A law declares them beside its parameters: TERMS, or `terms(cells)` where they follow from the cell types there are.
    """
    modules = dict.fromkeys(cls.__module__ for cls in PLAN)
    cells = (library or load_library()).cells
    found: list[Term] = []
    for name in modules:
        module = sys.modules[name]
        found += [*getattr(module, "TERMS", ()), *getattr(module, "terms", lambda cells: ())(cells)]
    out: dict[str, Term] = {}
    for term in (*found, *joined(plugins).terms):  # a term of several laws acts in the cells of all of them
        former = out.get(term.name)
        out[term.name] = term if former is None else replace(former, cells=tuple(dict.fromkeys((*former.cells, *term.cells))))
    return out


def known_to_rules(config: Any = None, library: Any = None) -> Known:
    """Terms, signals and their units that rules may name; with the plugins and the library of a config."""
    library = library or (config.library if config is not None else load_library())
    classes = {name: population_class(name, entry) for name, entry in library.cells.items()}
    laws = joined(config.plugins).laws if config is not None else []
    columns = {name: {c.name: c.unit for c in (*COMMON, *cls.columns, *pathways.all_columns(name, laws))} for name, cls in classes.items()}
    agents = {**library.drugs, **library.antibodies, **library.nanoparticles}
    return Known(
        terms=term_registry(() if config is None else config.plugins, library),
        columns=columns,
        fields={n: e.unit for n, e in library.fields.items()},
        drugs={n: e.field_unit for n, e in agents.items()},
        events={signal: unit for n, e in library.events.items() for signal, (unit, _half_life) in e.signals(n).items()},
    )


def rule_programs(config: Any, drugs: Any = (), events: Any = None) -> tuple[evaluation.Program, ...]:
    """The rules that a config has on (of those on events the ones that an arm's `events` wake) and what its `drugs` hit."""
    entries = resolve.chosen(config)
    if events is not None:
        entries = resolve.woken(entries, config.library, {o.name for o in events})
    for agent in drugs:
        entries |= rules_of(agent.name, agent.entry)
    return evaluation.programs(entries, term_registry(config.plugins, config.library))


def load_config(path: Any, *, overrides: Any = (), quick: bool = False, plugins: Any = (), allow_plugins: bool = False) -> Any:
    """Load, extend, override and validate an experiment; raises ConfigError listing all faults.

    `plugins`: laws and readouts handed over (files, modules, classes, functions); those that the file itself names
    under `plugins:` run only with `allow_plugins`.
    """
    from tme.config import ConfigError
    from tme.config import load_config as load

    clocks = {c.name: c.clock_min for c in PLAN}
    config = load(path, parameter_registry(), overrides=overrides, quick=quick, clocks=clocks, plugins=plugins, allow_plugins=allow_plugins)
    refuse_off(config)
    refuse_clash(config)
    refuse_axes(config)
    if faults := resolve.faults_of(config, known_to_rules(config)._replace(terms=terms_on(config))):
        raise ConfigError(faults)
    return config


def refuse_clash(config: Any) -> None:
    """PluginError for a law of the user's that plainly writes what another entry of its phase writes."""
    classes: list[Any] = [*mechanisms.MECHANISMS, *therapy.THERAPIES, *joined(config.plugins).laws]  # they say it as well as instances
    try:
        check_plan(classes)
    except ValueError as error:
        raise PluginError(f"{error}; expected `adds`, another phase, or a column of its own") from error


def refuse_off(config: Any) -> None:
    """ConfigError for a mechanism that is switched off although others need it."""
    from tme.config import ConfigError, Fault

    classes: list[Any] = [*PLAN, *joined(config.plugins).laws]
    plan = {c.name: c for c in classes}
    faults = []
    for name in sorted(config.switched_off()):
        if name in plan and not plan[name].switchable:
            key = f"mechanisms.{name}.on"
            file, line = config.origin.get(key, ("config", 0))
            faults.append(Fault(file, line, key, "cannot be switched off, other parts of the plan need it", "a parameter of it set to 0"))
    clock = therapy.nanoparticles.ParticleCargo.clock_min
    for name in sorted(carried(config)):
        own = config.library.drug(name).clock_min
        if own > clock or clock % own:
            key = f"fields.{name}.clock_min"
            file, line = config.origin.get(key, ("config", 0))
            faults.append(Fault(file, line, key, f"{own:g} min: particles release it every {clock:g} min, some would be lost", f"a divisor of {clock:g}"))
    for name in {item.name for arm in config.arms for item in config.therapy_of(arm).nanoparticles}:
        if config.library.nanoparticle(name).clock_min != clock:
            key = f"fields.{name}.clock_min"
            file, line = config.origin.get(key, ("config", 0))
            faults.append(Fault(file, line, key, "particles are taken up at another clock, payload would be lost", f"{clock:g}"))
    faults += faults_of_hits(config)
    if faults:
        raise ConfigError(faults)


def faults_of_hits(config: Any) -> list[Any]:
    """What drugs of some arm hit and cannot: terms that do not exist, or are of a pathway which the config has not on."""
    from tme.config import Fault

    off = {t.name: e.name for e in pathways.RUNS if not e.is_on(config) and e.cells == "tumour" for t in e.pathway.terms}
    off = {term: name for term, name in off.items() if not any(e.is_on(config) for e in pathways.RUNS if term in {t.name for t in e.pathway.terms})}
    known, faults = known_to_rules(config), []
    for name in sorted({item.name for arm in config.arms for item in config.therapy_of(arm).drugs} | carried(config)):
        rules = rules_of(name, config.library.drug(name))
        for key, entry in rules.items():
            if entry.term in off:
                said = f"{name} hits {key.partition('.')[2]}, which is of the pathway {off[entry.term]}, and that is off"
                faults.append(Fault("config", 0, f"mechanisms.{off[entry.term]}.on", said, "true"))
        sound = {key: entry for key, entry in rules.items() if entry.term not in off}
        file = config.library.origin.get("drugs", {}).get(name, "tme/library/drugs.yaml")
        faults += [Fault(file, 0, f"drugs.{name}.hits.{key.partition('.')[2]}", *said) for key, *said in resolve.check(sound, known)]
    return faults


def terms_on(config: Any) -> dict[str, Term]:
    """All terms, those of pathways for the cell types that run them in this config."""
    out, every = term_registry(config.plugins, config.library), pathways.runs(joined(config.plugins).laws)
    for name, term in out.items():
        runs = [e for e in every if any(t.name == name for t in e.pathway.terms)]
        if runs:
            out[name] = replace(term, cells=tuple(e.cells for e in runs if e.is_on(config)))
    return out


def carried(config: Any) -> set[str]:
    """Drugs that particles of some arm carry."""
    names = {item.name for arm in config.arms for item in config.therapy_of(arm).nanoparticles}
    return {p.drug for name in names for p in config.library.nanoparticle(name).payloads if p.drug is not None}


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
                file, line = config.origin.get(key, config.origin.get(f"receptors.{name}", ("receptors.yaml", 0)))
                wanted = {e.column, e.free_column, e.signal[1] if e.signal[0] == "own" else ""} - {""}
                if known is None:
                    faults.append(Fault(file, line, key, f"unknown cell type '{kind}'", listed(columns), nearest(kind, columns)))
                    continue
                for column in sorted(wanted - known):
                    faults.append(Fault(file, line, key, f"{kind} cells have no column '{column}'", listed(sorted(known), 40), nearest(column, known)))
    if faults:
        raise ConfigError(faults)


def build_grid(config: Any) -> Grid:
    """The lattice of a config; size is rounded to whole voxels."""
    d = config.domain
    size = tuple(d.size_um)
    n = [max(1, round(s / d.dx_um)) for s in size]
    shape = (1, n[1], n[0]) if len(n) == 2 else (n[2], n[1], n[0])
    axes = d.boundary if isinstance(d.boundary, dict) else dict.fromkeys("xyz", d.boundary)
    periodic = tuple(axes.get(a, "no_flux") == "periodic" for a in "zyx")
    return Grid(shape, d.dx_um, d.thickness_um, (periodic[0] and shape[0] > 1, *periodic[1:]))


def tumour_overrides(config: Any) -> dict[str, dict[str, float]]:
    """Parameter overrides per group: first the tumour preset's, then the config's own."""
    out: dict[str, dict[str, float]] = {}
    for source in (config.tumour_parameters(), config.mechanism_parameters()):
        for group, values in source.items():
            out.setdefault(group, {}).update(values)
    return out


def build_therapy(model: Any) -> SimpleNamespace:
    """Agents and events of the model's arm, amounts in field units; payload drugs join the drugs."""
    config, library, spec = model.config, model.config.library, model.config.tumour
    arm = config.therapy_of(model.arm_name)

    def agents(items: Any, entry_of: Any, half_life_min: Any, per_mg_kg: Any) -> dict[str, Agent]:
        """One agent a name: what it is given twice adds up."""
        out = {}
        for name in dict.fromkeys(item.name for item in items):
            e = entry_of(name)
            doses = doses_of([i for i in items if i.name == name], model.start_day, spec.mouse_g, partial(per_mg_kg, e))
            out[name] = Agent(name, e, doses, LN2 / half_life_min(e))
        return out

    def in_tumour(e: Any) -> float:
        """mM that 1 mg/kg makes if all of it is in the tumour."""
        return spec.mouse_g / (e.mw_g_mol * spec.mass_g)

    def of_drug(e: Any, route: str) -> float:  # mg/kg over g/mol and L/kg gives mM
        return 1e3 * e.unbound_fraction / (e.mw_g_mol * e.volume_l_kg) if route == "iv" else 1e3 * in_tumour(e)

    def of_antibody(e: Any, route: str) -> float:
        return 1e6 / (e.mw_g_mol * e.volume_l_kg) if route == "iv" else 1e6 * in_tumour(e)

    drugs = agents(arm.drugs, library.drug, lambda e: e.plasma_half_life_min, of_drug)
    antibodies = agents(arm.antibodies, library.antibody, lambda e: e.half_life_d * 1440.0, of_antibody)
    particles = agents(arm.nanoparticles, library.nanoparticle, lambda e: e.plasma_half_life_min, partial(particle_peak, model))
    for particle in particles.values():
        for payload in particle.entry.payloads:
            if payload.drug is not None and payload.drug not in drugs:
                d = library.drug(payload.drug)
                drugs[payload.drug] = Agent(payload.drug, d, (), LN2 / d.plasma_half_life_min)
    lists = {"drugs": list(drugs.values()), "antibodies": list(antibodies.values()), "nanoparticles": list(particles.values())}
    events = occasions(arm.events, library, model.start_day, model.dt_min)
    return SimpleNamespace(**lists, agents=[a for kind in lists.values() for a in kind], events=events)


def build_receptors(model: Any) -> Receptors:
    """The axes that are on, and what the arm's agents take away of them and of soluble factors."""
    arm = model.therapy
    return Receptors(model.config.axes(), therapy.antibodies.binders(arm), model.grid, therapy.antibodies.neutralised(arm))


def particle_peak(model: Any, entry: Any, route: str) -> float:
    """Plasma level (uM payload) per mg/kg such that the stated share of the dose reaches the tumour.

    Mean delivered M = (%ID/100) dose mass_mouse / MW / V_tumour. One-way leak from open vessels brings
    P f_v AUC, with f_v the mean weight of vessels at rim density, so peak = M k / (P f_v). A dose put into
    the tumour is delivered whole.
    """
    spec = model.config.tumour
    per_dose_mM = spec.mouse_g / (entry.mw_g_mol * spec.mass_g)
    if route != "iv":
        return 1e3 * per_dose_mM
    vessels = parameter_registry()["vessels"].build(model.config_for("vessels"))
    share = mean_weight(model.grid, vessels.per_mm2)
    if share == 0.0:
        return 0.0
    delivered = 1e3 * per_dose_mM * entry.percent_id / 100.0
    return delivered * (LN2 / entry.plasma_half_life_min) / (entry.vessel_exchange * share)


def build_fields(model: Any) -> None:
    """Fields of the config and of the arm's agents; their clocks; which vessels feed."""
    config, grid = model.config, model.grid
    model.fields, model.clock, model.vessel_exchange = {}, {}, {}
    model.held_fields, model.particle_fields, model.released = set(), set(), {}
    heard = {s.name for p in model.rule_programs for g in p.groups for s, _ in g.parts if s.kind == "field"}
    entries = {n: e for n, e in config.field_entries().items() if not e.optional or n in heard or n in config.fields}
    own = set(entries)
    for agent in model.therapy.drugs:
        entries[agent.name] = agent.entry.field_entry(agent.name)
    for agent in model.therapy.antibodies:
        entries[agent.name] = agent.entry.field_entry(agent.name)
    for agent in model.therapy.nanoparticles:
        entries[agent.name] = agent.entry.field_entry(agent.name)
        model.particle_fields.add(agent.name)
        model.released[agent.name] = grid.zeros()
    model.held_fields |= {agent.name for agent in model.therapy.agents if agent.gives("bath")}
    # what cells take up at a linear rate; the other fields do without the array
    lossy = {"ifng", *(a.name for a in model.therapy.nanoparticles), *(a.name for a in model.therapy.drugs if a.entry.cell_loss > 0.0)}
    if any(hit.target == "cystine_pool" for a in model.therapy.drugs for hit in a.entry.hits):
        lossy.add("cystine")
    if uses_oxygen(model.therapy.events):
        lossy.add("oxygen")
    lossy.update(model.receptors.neutralised, (u.field for n in config.cell_types() for u in config.library.cells[n].takes_up))
    # vessels alone bring these
    sourceless = {"oxygen", "cystine", *(a.name for a in model.therapy.antibodies if not a.gives("depot"))}
    for name, e in entries.items():
        faces = tuple(
            (e.initial, e.initial) if n > 1 and config.domain.boundary.get(a) == "fixed" else None for a, n in zip("zyx", grid.shape)
        )
        field = Field(name, e.unit, grid, e.diffusion, e.decay, model.ticks(e.clock_min), e.mode, initial=e.initial,
                      vessel_value=e.vessel_value, faces=faces if any(faces) and name in own else None,
                      tol=config.clocks.field_tol or tolerance(model, name), coarsen=1 if any(faces) else e.coarsen)  # fmt: skip
        if name not in sourceless:
            field.solved_on.use("source")
        if name in lossy:
            field.solved_on.use("loss")
        if e.vessel_exchange > 0.0 and name not in model.particle_fields:
            # the rates are per voxel of 8000 um^3 crossed by 20 um of vessel; what that passes does not depend on the voxel
            model.vessel_exchange[name] = e.vessel_exchange * 8000.0 / grid.voxel_um3
            field.solved_on.use("exchange")
        if e.held:
            model.held_fields.add(name)
        model.fields[name] = field
        model.clock[name] = model.ticks(e.clock_min)
    for name, k_m in (("oxygen", model_parameter(model, "uptake", "oxygen_k")), ("cystine", model_parameter(model, "ferroptosis", "k_cys"))):
        model.fields[name].solved_on.use("vmax")
        model.fields[name].k_m = k_m


def tolerance(model: Any, name: str) -> float:
    """Solver tolerance of a field where the config states none."""
    kind = "drug" if any(agent.name == name for agent in model.therapy.drugs) else "other"
    return TOLERANCE.get(name, TOLERANCE_OF[kind])


def model_parameter(model: Any, group: str, name: str) -> float:
    """One parameter as configured."""
    return getattr(parameter_registry()[group].build(model.config_for(group)), name)


def parameter_of(model: Any, name: str) -> float:
    """A parameter as configured, by its "group.name"; ValueError if there is none."""
    group, _, key = name.partition(".")
    if key not in parameter_registry().get(group, ()):
        raise ValueError(f"cells.yaml: there is no parameter '{name}'")
    return model_parameter(model, group, key)


def build_plan(model: Any) -> list[Mechanism]:
    """All entries of the tick; a mechanism may ask for another one built before it."""
    model._entries = []
    off = model.config.switched_off()
    for cls in (*PLAN, *model.own.laws):
        if cls.name not in off and cls.enabled(model):
            model._entries.append(cls(model))
        if cls.name == "sensing" and model.rule_programs:  # rules hear what is sensed, other laws what rules make of it
            model._entries.append(evaluation.Rules(model, model.rule_programs))
    connect(model, model._entries)
    solves = [FieldDiffusion(model, name) for name in model.fields]
    plan = ordered([StartSources(model), *model._entries, *solves, Guards(model)])
    if model.own.laws:
        try:
            check_plan(plan)
        except ValueError as error:
            raise PluginError(f"{error}; expected `adds`, another phase, or a column of its own") from error
    return plan


def ordered(entries: list[Mechanism]) -> list[Mechanism]:
    """Delivery before diffusion and so on is the phases' doing; within SECRETE, sources start anew first."""
    return sorted(entries, key=lambda m: (m.phase, m.name != "start_sources"))


def cell_columns(model: Any, kind: str, *extra: Column) -> tuple[Column, ...]:
    """Columns of a cell type beyond its own: of its pathways, of therapy and of rules."""
    own = population_class(kind, model.config.library.cells[kind]).columns
    return (*pathways.columns(model, kind, own), *extra, *rule_columns(model, kind))


def rule_columns(model: Any, kind: str) -> tuple[Column, ...]:
    """Columns of the terms and memories of the rules that act on a cell type."""
    return tuple(c for p in model.rule_programs if p.cells == kind for c in p.columns)


def cargo_columns(agents: Any) -> tuple[Column, ...]:
    """A column of internalised payload per platform of the arm."""
    return tuple(
        Column(f"np_{a.name}", "f8", "uM", 0.0, "half", "particles taken up, uM of payload in the cell") for a in agents.nanoparticles
    )
