"""From a config to the parts of a model: grid, fields, therapy, plan; and what can be configured at all."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from tme import mechanisms, therapy
from tme.core.field import Field
from tme.core.grid import Grid
from tme.core.guards import Guards
from tme.core.mechanism import Mechanism
from tme.core.parameters import ParameterSet
from tme.core.population import Column
from tme.core.receptors import Receptors
from tme.core.schedule import FieldDiffusion, StartSources
from tme.populations import POPULATIONS
from tme.therapy.agents import Agent, Dose

LN2 = math.log(2.0)
# of a field's solve where the config states none; for those that multigrid solves it is the rough end of the
# error, 10 to 30 times the smooth one (against 1e-9, over 200 min: L2 errors of 1e-5 to 1e-3)
TOLERANCE = {"oxygen": 1e-4, "atp": 5e-3}
TOLERANCE_OF = {"drug": 5e-3, "other": 1e-3}


def parameter_registry() -> dict[str, ParameterSet]:
    """All parameter groups a config may name under `mechanisms:`."""
    return {**mechanisms.PARAMETER_SETS, **therapy.PARAMETER_SETS}


def load_config(path: Any, *, overrides: Any = (), quick: bool = False) -> Any:
    """Load, extend, override and validate an experiment; raises ConfigError listing all faults."""
    from tme.config import load_config as load

    clocks = {c.name: c.clock_min for c in (*mechanisms.MECHANISMS, *therapy.THERAPIES)}
    config = load(path, parameter_registry(), overrides=overrides, quick=quick, clocks=clocks)
    refuse_off(config)
    refuse_axes(config)
    return config


def refuse_off(config: Any) -> None:
    """ConfigError for a mechanism that is switched off although others need it."""
    from tme.config import ConfigError, Fault

    plan = {c.name: c for c in (*mechanisms.MECHANISMS, *therapy.THERAPIES)}
    faults = []
    for name in sorted(config.switched_off()):
        if name in plan and not plan[name].switchable:
            key = f"mechanisms.{name}.on"
            file, line = config.origin.get(key, ("config", 0))
            faults.append(Fault(file, line, key, "cannot be switched off, other parts of the plan need it", "a parameter of it set to 0"))
    clock = therapy.nanoparticles.ParticleCargo.clock_min
    for name in {item.name for arm in config.arms for item in config.therapy_of(arm).nanoparticles}:
        if config.library.nanoparticle(name).clock_min != clock:
            key = f"fields.{name}.clock_min"
            file, line = config.origin.get(key, ("config", 0))
            faults.append(Fault(file, line, key, "particles are taken up at another clock, payload would be lost", f"{clock:g}"))
    if faults:
        raise ConfigError(faults)


def refuse_axes(config: Any) -> None:
    """ConfigError for a checkpoint axis on a cell type, or read from a column, that does not exist."""
    from tme.config import ConfigError, Fault
    from tme.config.errors import listed, nearest

    faults = []
    columns = {cls.kind: {c.name for c in cls.columns} for cls in POPULATIONS}
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
    """Agents of the model's arm, with plasma peaks in field units; payload drugs join the drugs."""
    config, start = model.config, model.start_day
    arm = config.therapy_of(model.arm_name)

    def doses(item: Any, size: float, route: str) -> tuple[Dose, ...]:
        return tuple(Dose((day - start) * 1440.0, size, route) for day in item.day)

    drugs, antibodies, particles = {}, [], []
    for item in arm.drugs:
        e = config.library.drug(item.name)
        size = item.bath_uM if item.route == "bath" else item.dose_mg_kg
        # mg/kg over g/mol and L/kg gives mM
        peak = 1e3 * e.unbound_fraction / (e.mw_g_mol * e.volume_l_kg)
        drugs[item.name] = Agent(item.name, e, doses(item, size, item.route), peak, LN2 / e.plasma_half_life_min)
    for item in arm.antibodies:
        e = config.library.antibody(item.name)
        peak = 1e6 / (e.mw_g_mol * e.volume_l_kg)
        antibodies.append(Agent(item.name, e, doses(item, item.dose_mg_kg, "iv"), peak, LN2 / (e.half_life_d * 1440.0)))
    for item in arm.nanoparticles:
        e = config.library.nanoparticle(item.name)
        particles.append(Agent(item.name, e, doses(item, item.dose_mg_kg, item.route), particle_peak(model, e, item.route), LN2 / e.plasma_half_life_min))
        for payload in e.payloads:
            if payload.drug is not None and payload.drug not in drugs:
                d = config.library.drug(payload.drug)
                drugs[payload.drug] = Agent(payload.drug, d, (), 0.0, LN2 / d.plasma_half_life_min)
    return SimpleNamespace(drugs=list(drugs.values()), antibodies=antibodies, nanoparticles=particles)


def build_receptors(model: Any) -> Receptors:
    """The axes that are on, and what the arm's agents take away of them and of soluble factors."""
    arm = model.therapy
    return Receptors(model.config.axes(), therapy.antibodies.binders(arm), model.grid, therapy.antibodies.neutralised(arm))


def particle_peak(model: Any, entry: Any, route: str) -> float:
    """Plasma level (uM payload) per mg/kg such that the stated share of the dose reaches the tumour.

    Mean delivered M = (%ID/100) dose mass_mouse / MW / V_tumour. One-way leak from open vessels brings
    P f_v AUC, with f_v the voxel share of vessels at rim density, so peak = M k / (P f_v). An
    intratumoral dose is delivered whole.
    """
    spec = model.config.tumour
    per_dose_mM = spec.mouse_g / (entry.mw_g_mol * spec.mass_g)
    if route == "intratumoral":
        return 1e3 * per_dose_mM
    vessels = parameter_registry()["vessels"].build(model.config_for("vessels"))
    share = vessels.per_mm2 * model.grid.dx_um**2 * 1e-6
    if share == 0.0:
        return 0.0
    delivered = 1e3 * per_dose_mM * entry.percent_id / 100.0
    return delivered * (LN2 / entry.plasma_half_life_min) / (entry.vessel_exchange * share)


def build_fields(model: Any) -> None:
    """Fields of the config and of the arm's agents; their clocks; which vessels feed."""
    config, grid = model.config, model.grid
    model.fields, model.clock, model.vessel_exchange = {}, {}, {}
    model.held_fields, model.particle_fields, model.released = set(), set(), {}
    entries = dict(config.field_entries())
    own = set(entries)
    for agent in model.therapy.drugs:
        entries[agent.name] = agent.entry.field_entry(agent.name)
        if any(d.route == "bath" for d in agent.doses):
            model.held_fields.add(agent.name)
    for agent in model.therapy.antibodies:
        entries[agent.name] = agent.entry.field_entry(agent.name)
    for agent in model.therapy.nanoparticles:
        entries[agent.name] = agent.entry.field_entry(agent.name)
        model.particle_fields.add(agent.name)
        model.released[agent.name] = grid.zeros()
    # what cells take up at a linear rate; the other fields do without the array
    lossy = {"ifng", *(a.name for a in model.therapy.nanoparticles), *(a.name for a in model.therapy.drugs if a.entry.cell_loss > 0.0)}
    if any(hit.target == "cystine_pool" for a in model.therapy.drugs for hit in a.entry.hits):
        lossy.add("cystine")
    lossy.update(model.receptors.neutralised)
    # vessels alone bring these
    sourceless = {"oxygen", "cystine", *(a.name for a in model.therapy.antibodies)}
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
            # the rates are per voxel of 8000 um^3; what one vessel passes per minute does not depend on the voxel
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


def build_plan(model: Any) -> list[Mechanism]:
    """All entries of the tick; a mechanism may ask for another one built before it."""
    model._entries = []
    off = model.config.switched_off()
    for cls in (*mechanisms.MECHANISMS, *therapy.THERAPIES):
        if cls.name not in off and cls.enabled(model):
            model._entries.append(cls(model))
    solves = [FieldDiffusion(model, name) for name in model.fields]
    return ordered([StartSources(model), *model._entries, *solves, Guards(model)])


def ordered(entries: list[Mechanism]) -> list[Mechanism]:
    """Delivery before diffusion and so on is the phases' doing; within SECRETE, sources start anew first."""
    return sorted(entries, key=lambda m: (m.phase, m.name != "start_sources"))


def cargo_columns(agents: Any) -> tuple[Column, ...]:
    """A column of internalised payload per platform of the arm."""
    return tuple(
        Column(f"np_{a.name}", "f8", "uM", 0.0, "half", "particles taken up, uM of payload in the cell") for a in agents.nanoparticles
    )
