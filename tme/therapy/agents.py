"""An agent of an arm: a library entry with its schedule, and its course in plasma.

Plasma follows one compartment, c(t) = sum over doses of c0 exp(-k (t - t_dose)), a pure function of time:
nothing to integrate, nothing to checkpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Dose:
    """One administration: minute (since the run's start), size and unit, route."""

    minute: float
    size: float
    route: str


@dataclass(frozen=True)
class Agent:
    """A drug, antibody or nanoparticle platform in one arm.

    `peak` converts a dose of size 1 to plasma concentration at once after it (uM, nM, or uM of payload).
    """

    name: str
    entry: Any
    doses: tuple[Dose, ...]
    peak: float
    rate_per_min: float

    def plasma(self, minute: float) -> float:
        """Plasma concentration at a minute."""
        total = 0.0
        for d in self.doses:
            if d.route == "iv" and minute >= d.minute:
                total += d.size * self.peak * math.exp(-self.rate_per_min * (minute - d.minute))
        return total

    def plasma_mean(self, start: float, stop: float) -> float:
        """Mean plasma concentration between two minutes, exact."""
        total = 0.0
        for d in self.doses:
            if d.route == "iv" and stop > d.minute:
                a = max(start, d.minute) - d.minute
                b = stop - d.minute
                k = self.rate_per_min
                total += d.size * self.peak * (math.exp(-k * a) - math.exp(-k * b)) / k
        return total / (stop - start)

    def bath(self, minute: float) -> float | None:
        """Concentration a bath holds everywhere from its (last) dose on; None without one."""
        level = None
        for d in self.doses:
            if d.route == "bath" and minute >= d.minute:
                level = d.size
        return level

    def injected(self, start: float, stop: float) -> float:
        """Dose injected into the tumour in [start, stop)."""
        return sum(d.size for d in self.doses if d.route == "intratumoral" and start <= d.minute < stop)
