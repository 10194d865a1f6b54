"""A twin beside a `TumourModel`: same configuration values, same state at the start, and how they compare.

Only this file reads the package: parameter values, library entries, and the columns and fields of a model
that has just been built.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from tme.config import load_config
from tme.library import load_library
from tme.library.agents import STRENGTH, DrugEntry
from tme.model import TumourModel, parameter_registry
from tme.model.registry import alteration_rules, term_registry
from tme.rules.resolve import chosen
from twin.dosing import update_vessels
from twin.immune_cells import IMMUNE
from twin.model import TwinModel
from twin.secretion import take_up
from twin.tumour_cell import CAUSES, FLOATS, INTEGERS, TumourCell

EVERY_EVENT = Path(__file__).with_name("every_event.yaml")
TIGHT = "clocks.field_tol=1e-10"


def probe_drug():
    """A drug that hits every target and brings apoptosis; strengths as a drug that hits one of them weakly."""
    strengths = {
        "xct": 2.0,
        "gcl": 20.0,
        "fsp1": 5.0,
        "pdl1_synthesis": 2.0,
        "gpx4": 0.02,
        "iron_chelation": 0.002,
        "cystine_pool": 0.05,
        "radical_trap": 0.05,
        "iron_supply": 0.02,
    }
    units = {"ki_uM": "uM", "k_per_uM_min": "1/(uM min)", "k_per_uM": "1/uM", "k_per_min": "1/min"}
    hits = [{"target": t, STRENGTH[t]: number(s, units[STRENGTH[t]])} for t, s in strengths.items()]
    hits[0]["hill"] = number(1.5, "1")
    hits.append({"adds_to": "death.drug", "to": number(2e-3, "1/min"), "half": number(1.0, "uM")})
    return DrugEntry.model_validate(
        {
            "about": "a probe of all targets",
            "clock_min": number(5.0, "min"),
            "mw_g_mol": number(500.0, "g/mol"),
            "diffusion": number(5000.0, "um^2/min"),
            "decay": number(0.01, "1/min"),
            "cell_loss": number(0.03, "1/min"),
            "plasma_half_life_min": number(60.0, "min"),
            "volume_l_kg": number(0.7, "L/kg"),
            "vessel_exchange": number(0.5, "1/min"),
            "unbound_fraction": number(0.2, "1"),
            "hits": tuple(hits),
        }
    )


def number(value, unit):
    """A library number."""
    return {"value": value, "unit": unit, "source": "assumed: test"}


def load(*overrides):
    """The experiment `every_event.yaml` with a tight field solver, the probe added to the library.

    Particles keep the payloads whose effects the twin knows: iron, RSL3.
    """
    library = load_library().with_entry("drugs", "probe", probe_drug(), raw=None)
    for name in ("azo_hypoxia_fe", "cnsi_fe"):
        particle = library.nanoparticle(name)
        iron = tuple(payload for payload in particle.payloads if payload.iron)
        library = library.with_entry("nanoparticles", name, particle.model_copy(update={"payloads": iron}), raw=None)
    return load_config(EVERY_EVENT, parameter_registry(), overrides=[TIGHT, *overrides], library=library)


def parameters(model):
    """Parameter values of every group, as the model has them."""
    return SimpleNamespace(**{g: s.build(model.config_for(g)) for g, s in parameter_registry().items()})


def terms(config):
    """Of each term whether it is an amount, its bounds, and the pool of drugs that compete for it."""
    return {name: (t.effect == "adds", t.low, t.high, t.pool) for name, t in term_registry(config.plugins, config.library).items()}


def rows(population):
    """The live rows of a population as dicts of Python numbers."""
    names = list(population.declared)
    columns = [getattr(population.col, n)[: population.n].tolist() for n in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def twin_of(model):
    """A twin in the state of a model that was just built."""
    rules = chosen(model.config) | alteration_rules(model.config)
    twin = TwinModel(model.config, parameters(model), model.seed_used, model.arm_name, rules, terms(model.config))
    for row in rows(model.tumour):
        columns = {name: row[name] for name in (*FLOATS, *twin.checkpoints.columns("tumour"), *INTEGERS)}
        twin.add(
            TumourCell(twin, row["uid"], state=CAUSES[row["state"]], clone=model.config.clone_names()[row["clone"]], **columns)
        )
    for population in model.immune:
        cls = IMMUNE[population.kind]
        for row in rows(population):
            columns = {
                name: row[name] for name in (*cls.FLOATS, *cls.INTEGERS) if name not in ("voxel", "born_tick")
            }
            columns |= {name: row[name] for name in twin.checkpoints.columns(population.kind)}
            twin.add(cls(twin, row["uid"], row["voxel"], row["born_tick"], **columns))
    for name, field in twin.fields.items():
        field.start(model.fields[name].concentration)
        if model.fields[name].inner is not None:
            field.wide = model.fields[name].on_solver_grid.concentration.copy()
    twin.measure_crowding()
    update_vessels(twin)
    take_up(twin)
    twin.node.tumour_cells = model.node.tumour_cells
    recruitment = model.mechanism("recruitment")
    twin.replaces = dict(recruitment.scale)
    twin.activation = {k: dict(zip(recruitment.places.tolist(), m.tolist(), strict=True)) for k, m in recruitment.memory.items()}
    twin.rules.evaluate(start=True)
    return twin


def build(arm, *overrides, seed=None):
    """A model and its twin."""
    model = TumourModel(load(*overrides), seed=seed, arm=arm)
    return model, twin_of(model)


def check_equal(model, twin, rtol=1e-5):
    """AssertionError naming the first column that differs; integers exactly, floats to `rtol`."""
    where = f"tick {model.tick}"
    for population in model.populations:
        cells = twin.cells[population.kind]
        extra = tuple(twin.checkpoints.columns(population.kind))
        assert {*extra} == {c.name for c in model.receptors.columns(population.kind)}, population.kind
        check_cells(where, population, [cells[uid] for uid in sorted(cells)], extra, rtol)
    for name, field in twin.fields.items():
        check_floats(f"{where}, field {name}", model.fields[name].concentration, field.c, rtol)
    for name, released in twin.released.items():
        check_floats(f"{where}, released {name}", model.released[name], released, rtol)
    assert (model.stop_reason is not None) == twin.touched_edge, f"{where}: edge"
    assert model.vessels.voxels.tolist() == sorted(twin.open_vessels), f"{where}: open vessels"
    weights = np.array([twin.open_vessels[v] for v in sorted(twin.open_vessels)])
    check_floats(f"{where}, length of vessels", model.vessels.weight, weights, 1e-9)
    assert set(np.flatnonzero(model.lattice.hole).tolist()) == twin.lattice.holes, f"{where}: holes"
    assert np.array_equal(model.lattice.surface, twin.lattice.surface), f"{where}: distance from the surface"
    assert model.lattice.immune_count.tolist() == twin.lattice.immune, f"{where}: immune cells per voxel"
    check_floats(f"{where}, node output", np.array([model.node.output]), np.array([twin.node.output]), rtol)
    for name, molecule in model.receptors.molecules.items():
        if len(molecule.free):  # kept only where an agent covers it
            check_floats(f"{where}, {name} left", molecule.free, twin.checkpoints.left(name), rtol)


def check_cells(where, population, cells, extra, rtol):
    """The rows of a population, sorted by uid, against the twin's cells; `extra` columns are those of checkpoint axes."""
    where = f"{where}, {population.kind}"
    order = np.argsort(population.uid)
    uids = population.uid[order].tolist()
    assert uids == [c.uid for c in cells], f"{where}: cells differ: {set(uids) ^ {c.uid for c in cells}}"
    tumour = population.kind == "tumour"
    if tumour:
        for code, names in (("state", CAUSES), ("clone", population.model.config.clone_names())):
            same(
                f"{where}.{code}",
                uids,
                getattr(population, code)[order],
                [names.index(getattr(c, code)) for c in cells],
            )
    for name in INTEGERS if tumour else IMMUNE[population.kind].INTEGERS:
        same(f"{where}.{name}", uids, getattr(population, name)[order], [getattr(c, name) for c in cells])
    for name in (*(FLOATS if tumour else IMMUNE[population.kind].FLOATS), *extra):
        check_floats(
            f"{where}.{name}",
            getattr(population, name)[order],
            np.array([getattr(c, name) for c in cells]),
            rtol,
            uids,
        )
    check_rules(where, population, order, cells, rtol)
    for name in [n for n in population.declared if n.startswith("np_")]:
        held = np.array([c.held.get(name[3:], 0.0) for c in cells])
        check_floats(f"{where}.{name}", getattr(population, name)[order], held, rtol, uids)


def check_rules(where, population, order, cells, rtol):
    """What rules make of terms, and their memories; the twin has every program that acts in these cells."""
    model, twin, uids = population.model, cells[0].model if cells else None, population.uid[order].tolist()
    acting = next((m.programs for m in model.plan.entries if m.name == "rules"), ())
    acting = {p.term.name: p for p in acting if p.cells == population.kind and not p.pooled}
    if twin is None:
        return
    ours = {p.term: p for p in twin.rules.programs if p.cells == population.kind}
    assert set(acting) == set(ours), f"{where}: terms that rules act on"
    for name, p in acting.items():
        theirs = np.array([c.terms.get(name, p.term.neutral) for c in cells])
        check_floats(f"{where}.{name}", getattr(population, p.place)[order], theirs, rtol, uids)
        for g in p.groups:
            if g.memory:
                kept = np.array([c.memories.get(g.name, 0.0) for c in cells])
                check_floats(f"{where}, memory of {g.name}", getattr(population, g.memory)[order], kept, rtol, uids)


def same(where, uids, ours, theirs):
    """Integers are equal."""
    wrong = [f"{uid:#x}: {a} != {b}" for uid, a, b in zip(uids, ours.tolist(), theirs, strict=True) if a != b]
    assert not wrong, f"{where}: {len(wrong)} differ, first {wrong[:3]}"


def check_floats(where, ours, theirs, rtol, uids=None):
    """Floats agree to `rtol`, or to 1e-9 of the largest where they are next to nothing."""
    if len(ours) == 0:
        return
    off = np.abs(ours - theirs) - rtol * np.abs(theirs) - 1e-9 * np.abs(theirs).max()
    i = int(np.argmax(off))
    who = f" of {uids[i]:#x}" if uids else f" at {i}"
    assert off[i] <= 0.0, (
        f"{where}{who}: {ours[i]!r} != {theirs[i]!r} ({int((off > 0).sum())} of {len(ours)} differ)"
    )
