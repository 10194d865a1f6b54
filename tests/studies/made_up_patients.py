"""Made-up patients: `immune` works where PD-L1 is high, `drug` where it is low, both hold what either does; luck by seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from made_up import Config, Model

FEATURES = ("pdl1_positive_share", "cd8_per_mm2", "infiltration")
ARMS = {"control": {}, "immune": {"antibodies": [{"name": "x"}]}, "drug": {"drugs": [{"name": "y"}]}}


@dataclass(frozen=True)
class Cohort(Config):
    """As much of a config as `tme cohort` asks for."""

    horizon_day: float = 4.0
    planted: bool = True

    def to_dict(self):
        return {**super().to_dict(), "arms": ARMS}


def config(planted=True):
    """The experiment, its biomarker planted or not."""
    return Cohort(arms={key: {} for key in ARMS}, planted=planted)


def people(n, seed=1):
    """Numbers of the patients: what PD-L1 and CD8 will be seen."""
    rng = np.random.default_rng(seed)
    return [{"pdl1": float(p), "cd8": float(c)} for p, c in zip(rng.random(n), rng.random(n) * 400)]


class Patient(Model):
    """Doubles daily untreated; from day 0 an arm that works takes half of each day's growth factor."""

    def observe(self):
        luck = np.random.default_rng(self.seed).standard_normal(3)
        n, day = self.config.numbers, max(0.0, self.sim_hour / 24)
        high = (n["pdl1"] if self.config.planted else 0.5 + luck[2]) > 0.5
        works = {"immune": high, "drug": not high}.get(self.arm, False)
        size = 100 * np.exp(0.02 * luck[0]) * (0.9 if works else 2.0) ** day
        if n.get("cured", 0) and self.arm == "immune" and day > 1:
            self.stop_reason, size = "fewer than 5 tumour cells left", 2.0
        cd8 = n["cd8"]
        return {"tumour_alive": size, "tumour_volume_mm3": size**1.5 / 1e6, "pdl1_positive_share": n["pdl1"], "cd8_per_mm2": cd8, "cd8_inside_per_mm2": cd8 * (0.2 + n["pdl1"]),
                "cd8_rim_per_mm2": cd8, "hour": self.sim_hour}  # fmt: skip

    def step(self):
        super().step()
        self.observe()  # a cure ends the simulation
        self.running = self.running and self.stop_reason is None
