"""A checkpoint is a flat dict of arrays: columns, fields, counters, what mechanisms keep."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tme.core.guards import inspect

FORMAT = 6


def collect(model: Any) -> dict[str, np.ndarray]:
    """Everything a bit-identical continuation needs, as arrays keyed "group/name".

    Raises BrokenState where a value is not finite or below zero: no checkpoint keeps such a state.
    """
    inspect(model)
    state: dict[str, np.ndarray] = {"meta/format": np.array(FORMAT)}
    scalars = {
        "tick": model.tick, "seed": model.seed_used, "stop_reason": model.stop_reason,
        "counters": dict(model.counters), "running": bool(model.running),
    }  # fmt: skip
    state["meta/scalars"] = np.frombuffer(json.dumps(scalars, sort_keys=True).encode(), np.uint8).copy()
    for population in model.populations:
        for name, column in population.state_dict().items():
            state[f"{population.kind}/{name}"] = column
        state[f"uids/{population.kind}"] = model._uids[population.kind]
    for name, field in model.fields.items():
        for term, array in field.state_arrays().items():
            state[f"field.{name}/{term}"] = np.array(array)
    for name, array in model.released.items():
        state[f"released/{name}"] = array.copy()
    for place in ("receptors", "node"):
        for name, array in getattr(model, place).state_dict().items():
            state[f"{place}/{name}"] = array
    state["vessels/open"] = model.vessels.open.copy()
    for m in model.plan.entries:
        for name, value in m.state_dict().items():
            state[f"mechanism.{m.name}/{name}"] = np.asarray(value)
    return state


def _groups(state: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """The arrays by the first part of their name, each by the rest of it."""
    out: dict[str, dict[str, np.ndarray]] = {}
    for key, array in state.items():
        group, _, name = key.partition("/")
        out.setdefault(group, {})[name] = array
    return out


def restore(model: Any, state: dict[str, np.ndarray]) -> None:
    """Put a checkpoint into a freshly built, empty model.

    Fields and columns the checkpoint lacks (those of a therapy that begins at a branch) keep their
    defaults; those it has and this arm does not use are dropped. Raises ValueError for another format.
    """
    if int(state.get("meta/format", -1)) != FORMAT:
        raise ValueError(f"checkpoint format {state.get('meta/format')} is not {FORMAT}")
    scalars = json.loads(bytes(state["meta/scalars"]).decode())
    groups = _groups(state)
    model.tick = int(scalars["tick"])
    model.stop_reason = scalars["stop_reason"]
    model.counters.update(scalars["counters"])
    for population in model.populations:
        if population.kind in groups:  # else a cell type that comes with a therapy: there is none yet
            population.load_state(groups[population.kind])
            model._uids[population.kind] = np.array(state[f"uids/{population.kind}"], np.uint64)
    for name, field in model.fields.items():
        saved = groups.get(f"field.{name}")
        if saved:
            field.load_state(saved)
    for name in model.released:
        if f"released/{name}" in state:
            model.released[name][:] = state[f"released/{name}"]
    for place in ("receptors", "node"):
        getattr(model, place).load_state(groups.get(place, {}))
    model.vessels.set_open(state["vessels/open"])
    model.mechanism("vessels").connect(model)
    for m in model.plan.entries:
        saved = groups.get(f"mechanism.{m.name}")
        if saved:
            m.load_state(saved)
    model.lattice.rebuild_tissue(model.tumour.col.voxel, model.tumour.n)
    model.lattice.rebuild_immune([p.voxel for p in model.immune])
    if model.rule_programs:
        model.mechanism("rules").complete(model, groups)
    model.running = bool(scalars["running"]) and model.tick < model.end_tick
