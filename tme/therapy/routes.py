"""Doses put into the tumour: at once (intratumoral), or from a depot that empties by first order.

An amount is stated as its mean over the tumour, M; over the N tumour voxels that is M N, spread evenly over the n
voxels of the spot: M N/n each. A depot holds A = M N/n per voxel of its spot and gives off A (e^{-k a} - e^{-k b})
between a and b minutes after it was placed, exact for any clock. Without a centre an injection fills the inner third
of the tumour's radius; what leaks out of the tumour is carried off by vessels as everything else is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.therapy.agents import Agent, Dose


def spot(model: Any, dose: Dose) -> np.ndarray:
    """Voxels (n,) that a local dose goes to, at least one."""
    depth = model.lattice.depth_um()
    deepest = max(depth.max(), 0.0)
    if dose.centre_um is None and dose.radius_um is None:
        return np.flatnonzero(depth >= (2.0 / 3.0) * deepest)
    position = model.lattice.position_um(np.arange(model.grid.n_voxels))[: model.grid.ndim]
    tumour = depth > 0.0
    centre = dose.centre_um or tuple(p[tumour].mean() if tumour.any() else p.mean() for p in position)
    radius = dose.radius_um or (deepest / 3.0 if math.isfinite(deepest) else math.inf)
    d2 = sum((p - c) ** 2 for p, c in zip(position, centre))
    return np.flatnonzero(d2 <= max(radius**2, d2.min()))


def per_voxel(model: Any, dose: Dose, voxels: np.ndarray) -> float:
    """What each voxel of the spot gets of a dose, in the unit of the field."""
    return dose.amount * (model.lattice.depth_um() > 0.0).sum() / max(len(voxels), 1)


def deposit(model: Any, field: Any, voxels: np.ndarray, each: float) -> None:
    """Add `each` to the concentration in the voxels, where the field is solved."""
    with model.scratch.borrow() as array:
        array[voxels] = each
        field.add(array)
        array[voxels] = 0.0


def given_off(each: float, per_min: float, since: float, start: float, stop: float) -> float:
    """What a depot placed at minute `since` gives off between two minutes, per voxel of its spot."""
    a, b = max(start, since) - since, stop - since
    return each * (math.exp(-per_min * a) - math.exp(-per_min * b)) if b > a else 0.0


class LocalDelivery(Mechanism):
    """Injections into the tumour and depots, each at the clock of the agent's field."""

    name = "local_delivery"
    given_by = "arms.*.*.route"
    switchable = False
    phase = Phase.DOSE
    ids = ("M123",)
    about = "agents are injected into the tumour, or leave a depot there"
    reads = ("tumour.voxel", "tumour.state", "lattice.tissue_row")

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with a local dose."""
        return any(any(agent.local()) for agent in model.therapy.agents)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.adds = tuple(f"field.{agent.name}.{part}" for agent in model.therapy.agents if any(agent.local()) for part in ("concentration", "source"))
        self.depots: dict[str, tuple[np.ndarray, float]] = {}  # "agent/number" -> (voxels, amount in each at first)

    def step(self, model) -> None:
        """What is due in the interval that the solve of this tick closes."""
        stop = model.tick * model.dt_min
        for agent in model.therapy.agents:
            if model.solved(agent.name):
                self.give(model, agent, stop - model.clock[agent.name] * model.dt_min, stop)

    def give(self, model, agent: Agent, start: float, stop: float) -> None:
        """The local doses of one agent between two minutes."""
        field = model.fields[agent.name]
        for number, dose in agent.local():
            if start <= dose.minute < stop:
                voxels = spot(model, dose)
                each = per_voxel(model, dose, voxels)
                if dose.route == "intratumoral":
                    deposit(model, field, voxels, each)
                else:
                    self.depots[f"{agent.name}/{number}"] = voxels, each
            if dose.route == "depot" and dose.minute < stop:
                voxels, each = self.depots[f"{agent.name}/{number}"]
                with model.scratch.borrow() as array:
                    array[voxels] = given_off(each, dose.per_min, dose.minute, start, stop) / (stop - start)
                    field.add_to_term("source", array, 1.0)
                    array[voxels] = 0.0

    def state_dict(self) -> dict[str, np.ndarray]:
        """Where depots lie and what they held at first."""
        places = {f"voxels/{key}": voxels for key, (voxels, _each) in self.depots.items()}
        return places | {f"each/{key}": np.array(each) for key, (_voxels, each) in self.depots.items()}

    def load_state(self, state) -> None:
        """Undo `state_dict`."""
        keys = [k.removeprefix("each/") for k in state if k.startswith("each/")]
        self.depots = {k: (np.array(state[f"voxels/{k}"]), float(state[f"each/{k}"])) for k in keys}
