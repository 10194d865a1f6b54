"""A made-up experiment whose outcome is a formula: linear in its numbers, with luck by seed. A tick is half a day and costs nothing."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Config:
    """As much of a configuration as studies ask for."""

    name: str = "made_up"
    seed: int = 1
    start_day: float = -1.0
    horizon_day: float = 2.0
    replicates: int = 1
    arms: dict[str, dict] = field(default_factory=lambda: {"control": {}, "drug": {}})
    branch_at_day: float | None = 0.0
    sweep: dict[str, Any] = field(default_factory=dict)
    study: Any = None
    numbers: dict[str, float] = field(default_factory=dict)
    sleep_s: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return json.loads(json.dumps({k: v for k, v in self.__dict__.items() if k != "study"}))

    @property
    def digest(self) -> str:
        matter = {k: v for k, v in self.to_dict().items() if k != "sleep_s"}
        return hashlib.sha256(json.dumps(matter, sort_keys=True).encode()).hexdigest()[:8]

    def therapy_of(self, arm: str) -> SimpleNamespace:
        dose = (SimpleNamespace(day=(0.0,)),)
        kinds = {"drugs": dose if arm in ("drug", "both") else (), "antibodies": dose if arm in ("immune", "both") else ()}
        return SimpleNamespace(**{"nanoparticles": (), "events": (), **kinds})

    def with_values(self, values: dict[str, Any]) -> Config:
        return replace(self, numbers={**self.numbers, **values})


class Model:
    """size = 100 + a + 10 luck; the drug takes b of it, the immune arm i, both what is left of both less s + 0.03 luck; `fail` above 0 raises."""

    def __init__(self, config, seed=None, arm="control", *, replicate=0):
        self.config, self.seed, self.arm = config, seed, arm
        self.tick, self.running, self.stop_reason = 0, True, None
        self.end_tick = round((config.horizon_day - config.start_day) * 2)

    @classmethod
    def from_state(cls, config, state, *, arm="control", seed=None, replicate=0):
        model = cls(config, seed, arm, replicate=replicate)
        model.tick = int(state["tick"])
        return model

    def state_dict(self):
        return {"tick": self.tick}

    @property
    def sim_hour(self):
        return 24 * self.config.start_day + 12 * self.tick

    def step(self):
        self.tick += 1
        time.sleep(self.config.sleep_s)
        if self.config.numbers.get("fail", 0) > 0:
            raise ValueError("fails on purpose")
        if self.arm == "drug" and self.config.numbers.get("edge", 0) > 0:
            self.stop_reason = "the tumour reached the edge"
        if self.arm == "drug" and self.config.numbers.get("gone", 0) > 0:
            self.stop_reason = "fewer than 5 tumour cells left"
        self.running = self.tick < self.end_tick and self.stop_reason is None

    def observe(self):
        luck, more = np.random.default_rng(self.seed).standard_normal(2)
        n = self.config.numbers
        of_drug, of_immune = 1 - n.get("b", 0.0), 1 - n.get("i", 0.0)
        share = {"drug": of_drug, "immune": of_immune, "both": of_drug * of_immune - n.get("s", 0.0) - 0.03 * more}.get(self.arm, 1.0)
        return {"tumour_alive": (100 + n.get("a", 0.0) + 10 * luck) * (share if self.tick > 2 else 1.0), "hour": self.sim_hour, "nothing": float("nan")}
