"""Small models for tests: a dish of cells in medium, and a small tumour with its immune cells.

    model = dish()                                          # 12 x 12 cells, air, 40 uM cystine, nothing else
    model = tissue(arm="rsl3", arms={"rsl3": bath("rsl3", 1.0)}, mechanisms__killing__k_hit=0)

Keywords are dotted config keys with two underscores for a dot; a mapping as value is merged key by key.
"""

import importlib.util
import itertools
import json
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path

import numpy as np

from tme.kernels import threads
from tme.library import load_library
from tme.model import TumourModel, load_config

CELLS = 144  # in the dish
QUIET = {name: "off" for name, r in load_library().rules.items() if r.default and not r.signal.startswith("event.")}  # for tests of a term
UNBREAKABLE = {"d_leth": 5000}  # for tests of the chemistry at loads that would kill
# voxels of 20 um on a side that hold one cell's tissue, 3,375 um^3
DISH = {
    "name": "dish",
    "start_day": 0,
    "horizon_day": 4,
    "domain": {"size_um": [240, 240], "dx_um": 20, "thickness_um": 8.4375, "at_edge": "continue"},
    "initial": {"kind": "monolayer", "occupancy": 1.0},
    "tumour": {"preset": "ht1080", "cv": 0, "drift_per_division": 0, "antigenicity_cv": 0},
    "fields": {
        "oxygen": {"initial": 140, "held": True},
        "cystine": {"initial": 40, "held": True},
        "ifng": {"held": True},
        "arachidonic": {"held": True},
    },
    "mechanisms": {"vessels": {"per_mm2": 0}, "division": {"k_div": 0}, "death": {"k_apo": 0, "k_nec": 0}},
    "arms": {"control": {}},
}
TISSUE = {
    "name": "tissue",
    "start_day": 0,
    "horizon_day": 4,
    "domain": {"size_um": [520, 520], "dx_um": 20, "thickness_um": 8.4375, "at_edge": "continue", "immune_per_voxel": 3},
    "initial": {"kind": "nodule", "n_cells": 250},
    "tumour": {"preset": "b16_like", "cv": 0.2},
    "populations": {
        "cd8": {"per_mm2": 300},
        "macrophage": {"share": 0.12},
        "dendritic": {"share": 0.12},
        "treg": {"per_mm2": 100},
    },
    "entries": {"cells": {"macrophage": {"phagocytoses": {"living": 0}}}},  # nor do M1 eat, but where a test asks for it
    "mechanisms": {
        "vessels": {"per_mm2": 150, "core_factor": 1},
        "division": {"k_div": 0},
        "death": {"k_apo": 0},
        # fresh CD8 that all see the tumour and have met nobody yet, so that hours show what a law does
        "killing": {"specific": 1, "start_output": 0, "hold_min": 60},
        "exhaustion": {"start": 0},
    },
    "receptors": {"pd1": {"host": False}},
    "arms": {"control": {}},
}


def merged(base, change):
    """`base` with `change` on top, mapping by mapping; None takes a key away."""
    out = dict(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = merged(out[key], value) if both else value
        if value is None:
            del out[key]
    return out


def nested(key, value):
    """{"a": {"b": value}} of the key "a__b"."""
    head, _, tail = key.partition("__")
    return {head: nested(tail, value) if tail else value}


@cache
def _config(text):
    """The config of a JSON text, which is YAML too."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.yaml"
        path.write_text(text)
        return load_config(path)


def config_of(base, **changes):
    """The resolved config of a base mapping with dotted changes."""
    data = base
    for key, value in changes.items():
        data = merged(data, nested(key, value))
    return _config(json.dumps(data))


def small_model(base=TISSUE, arm="control", seed=1, **changes):
    """A model of a base mapping with dotted changes."""
    return TumourModel(config_of(base, **changes), seed=seed, arm=arm)


def dish(arm="control", seed=1, **changes):
    """144 equal cells in medium: chemistry only."""
    return small_model(DISH, arm, seed, **changes)


def tissue(arm="control", seed=1, **changes):
    """A nodule of 250 cells with vessels and immune cells."""
    return small_model(TISSUE, arm, seed, **changes)


def bath(*pairs, day=0):
    """An arm of drugs held at a concentration: bath("rsl3", 1.0, "bso", 50)."""
    names, levels = pairs[::2], pairs[1::2]
    return {"drugs": [{"name": n, "bath_uM": c, "route": "bath", "day": day} for n, c in zip(names, levels)]}


def particles(name, dose, day=0, route="iv"):
    """An arm of one nanoparticle platform."""
    return {"nanoparticles": [{"name": name, "dose_mg_kg": dose, "day": day, "route": route}]}


def hours(model, n):
    """Step the model n hours on; the model."""
    for _ in range(round(n * 60 / model.dt_min)):
        model.step()
    return model


def kill(model, rows, cause=1, age_min=0):
    """Make these tumour rows corpses of a cause, dead for some minutes."""
    t = model.tumour.col
    t.state[rows] = cause
    t.death_tick[rows] = model.tick - round(age_min / model.dt_min)
    return model


def flood(model, field, level):
    """Hold a field at one level everywhere from now on."""
    model.held_fields.add(field)
    model.fields[field].fill(level)
    return model


def level(model, field):
    """Mean of a field over the domain."""
    return float(model.fields[field].concentration.mean())


def mean(model, name):
    """Mean of a tumour column over living cells."""
    t = model.tumour
    return float(getattr(t, name)[t.state == 0].mean())


def by_uid_of(model):
    """Every column of every population in the order of uid, and every field: what must agree bit for bit."""
    out = {}
    for population in model.populations:
        order = np.argsort(population.uid)
        out |= {f"{population.kind}.{c}": getattr(population, c)[order] for c in population.declared}
    return out | {f"field.{name}": field.concentration.copy() for name, field in model.fields.items()}


def alive(model):
    """Living tumour cells."""
    return int((model.tumour.state == 0).sum())


def died(model, cause="ferroptosis"):
    """Deaths of one cause so far."""
    return model.counters[f"dead_{cause}"]


def levels(model, trait, values):
    """Give every fourth (third, ...) cell each of these values of a column; `clone` remembers which."""
    t, n = model.tumour.col, model.tumour.n
    t.clone[:n] = np.arange(n) % len(values)
    getattr(t, trait)[:n] = np.asarray(values, float)[t.clone[:n]]
    return model


def by_level(model, name):
    """Mean of a column over the cells of each level, corpses included."""
    column, clone = getattr(model.tumour, name), model.tumour.clone
    return np.array([column[clone == g].mean() for g in range(clone.max() + 1)])


def alive_by_level(model, n=4):
    """Living cells of each level."""
    t = model.tumour
    return np.bincount(t.clone[t.state == 0], minlength=n)


def rises(values, by=1.0):
    """Whether each value exceeds the one before it by a factor."""
    values = list(values)
    return all(b > a * by for a, b in itertools.pairwise(values))


def falls(values, by=1.0):
    """Whether each value stays below the one before it by a factor."""
    return rises(list(values)[::-1], by)


def tasks_by_workers(monkeypatch) -> list[str]:
    """Entries of a plan that may begin early do, however short, and a helper makes them; the names of the threads that did."""
    made, task = [], threads.Task

    def send(function, *arguments):
        begun = threading.Event()

        def run(*given):
            made.append(threading.current_thread().name)
            begun.set()
            return function(*given)

        out = task(run, *arguments)
        assert begun.wait(20.0)
        return out

    monkeypatch.setattr("tme.core.schedule.WORTH_S", -1.0)
    monkeypatch.setattr(threads, "Task", send)
    return made


def module(path: Path):
    """A script outside the packages, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = found  # dataclasses look their module up
    spec.loader.exec_module(found)
    return found
