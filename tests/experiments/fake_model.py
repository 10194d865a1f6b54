"""A made-up model and configuration with the interface that experiments use; a step costs microseconds."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tme.experiments import files

N = 12


@dataclass(frozen=True)
class FakeConfig:
    """As much of a configuration as the experiments layer asks for."""

    name: str = "fake"
    seed: int = 1
    start_day: float = -1.0
    horizon_day: float = 2.0
    replicates: int = 2
    arms: dict[str, dict] = field(default_factory=lambda: {"control": {}, "drug": {"drugs": [{"name": "x"}]}})
    branch_at_day: float | None = None
    sweep: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(
        default_factory=lambda: {"record_every_h": 2, "snapshot_days": [-1, 0, 2], "checkpoint_every_h": 6}
    )
    rate: float = 0.01
    sleep_s: float = 0.0
    fail_arm: str = ""
    edge_at: float = 0.0
    die_arm: str = ""

    def to_dict(self) -> dict[str, Any]:
        return json.loads(json.dumps(self.__dict__))

    @property
    def digest(self) -> str:
        matter = {k: v for k, v in self.to_dict().items() if k not in ("sleep_s", "fail_arm", "die_arm")}
        return hashlib.sha256(json.dumps(matter, sort_keys=True).encode()).hexdigest()

    def with_values(self, values: dict[str, Any]) -> FakeConfig:
        return replace(self, **values)

    def quick(self) -> FakeConfig:
        return replace(self, horizon_day=self.start_day + 0.5, replicates=1)


class FakeModel:
    """Growth with noise that depends on (seed, tick) alone; the drug slows it. One tick is 30 min."""

    dt_h = 0.5

    def __init__(self, config, seed=None, arm="control", *, replicate=0):
        self.config, self.seed, self.arm, self.replicate = config, seed, arm, replicate
        self.tick, self.running, self.stop_reason = 0, True, None
        self.end_tick = round((config.horizon_day - config.start_day) * 24 / self.dt_h)
        self.alive = 1000.0
        self.births = 0
        self.noise = np.random.default_rng(seed).random((1, N, N))
        self.grid = SimpleNamespace(dx_um=20.0)
        self.timing = {"grow": 0.0}

    @classmethod
    def from_state(cls, config, state, *, arm="control", seed=None, replicate=0):
        model = cls(config, seed, arm, replicate=replicate)
        model.tick, model.births = int(state["tick"]), int(state["births"])
        model.alive, model.noise = float(state["alive"]), state["noise"].copy()
        return model

    def state_dict(self):
        return {"tick": np.int64(self.tick), "births": self.births, "alive": self.alive, "noise": self.noise}

    @property
    def sim_hour(self):
        return self.config.start_day * 24 + self.tick * self.dt_h

    @property
    def n_alive(self):
        return self.alive

    def step(self):
        self.tick += 1
        if self.config.sleep_s:
            time.sleep(self.config.sleep_s)
        if self.arm == self.config.fail_arm and self.sim_hour > 0:
            raise ValueError("the made-up model fails on purpose")
        if self.arm == self.config.die_arm and self.sim_hour > 0:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGKILL)
        draw = np.random.default_rng([self.seed, self.tick]).random()
        self.alive *= 1 + self.config.rate * draw * (0.3 if self.arm == "drug" and self.sim_hour > 0 else 1.0)
        self.births += int(draw * 10)
        self.noise = np.sqrt(self.noise * draw + 0.1)
        if self.config.edge_at and self.alive > self.config.edge_at:
            self.stop_reason = "the tumour reached the edge"
        if self.tick >= self.end_tick or self.stop_reason:
            self.running = False

    def observe(self):
        row = {
            "tumour_alive": self.alive,
            "births": np.int64(self.births),
            "ifng_median": np.float64(self.noise.mean()),
        }
        if self.arm == "drug":
            row["drug_median"] = float("nan") if self.sim_hour < 1 else 1 / 3
        return row

    def endpoints(self):
        return {"tumour_alive": self.alive, "births_total": self.births}

    def cells_table(self):
        n = 100
        at = np.arange(n)
        kinds = np.array(["tumour", "cd8", "macrophage", "dendritic", "treg"])
        return {
            "x_um": (at % N + 0.5) * 20.0, "y_um": (at // N + 0.5) * 20.0, "z_um": np.full(n, 10.0),
            "cell_type": kinds[np.minimum(at // 60, 4)], "fate": np.where(at == 3, "ferroptosis", "alive"),
            "uid": at.astype(np.uint64) + np.uint64(2**63), "gsh": np.where(at < 60, self.alive, np.nan),
            "n_div": at.astype(np.int32),
        }  # fmt: skip

    def fields_table(self):
        return {"oxygen": self.noise.astype(np.float32), "ifng": (self.noise * 2).astype(np.float32)}

    def field_units(self):
        return {"oxygen": "mmHg", "ifng": "ng/mL"}


class MarkedModel(FakeModel):
    """Tells by a file that a step is in progress."""

    def step(self):
        Path(os.environ["STEPPING"]).touch()
        super().step()


QUIET = {"progress": False, "report": False, "model_factory": FakeModel}
BRANCHED = FakeConfig(branch_at_day=0.0, sweep={})


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file whose bits must not depend on how a run went."""
    names = [p for p in folder.rglob("*") if p.suffix in (".csv", ".h5ad", ".npz") or p.name == "frame.bin"]
    return {p.relative_to(folder).as_posix(): files.sha256(p) for p in names}
