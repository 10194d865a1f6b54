"""An agent of an arm: a library entry with all it is given, in field units, and its course in plasma.

Plasma follows one compartment, c(t) = sum over doses of c0 exp(-k (t - t_dose)), a pure function of time:
nothing to integrate, nothing to checkpoint. What is injected into the tumour never enters it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LN2 = math.log(2.0)
LOCAL = ("intratumoral", "depot")


@dataclass(frozen=True)
class Dose:
    """One administration: minute (since the run's start), route, and how much in the unit of the agent's field.

    `amount` of an iv dose is what it adds to plasma, of a bath the concentration held, of a local dose its mean over
    the tumour. A local dose goes `radius_um` around `centre_um` (None: see `routes`), a depot leaves at `per_min`.
    """

    minute: float
    route: str
    amount: float
    centre_um: tuple[float, ...] | None = None
    radius_um: float | None = None
    per_min: float = 0.0


@dataclass(frozen=True)
class Agent:
    """A drug, antibody or nanoparticle platform in one arm; `doses` by time, `rate_per_min` its loss from plasma."""

    name: str
    entry: Any
    doses: tuple[Dose, ...]
    rate_per_min: float

    def plasma(self, minute: float) -> float:
        """Plasma concentration at a minute."""
        total = 0.0
        for d in self.doses:
            if d.route == "iv" and minute >= d.minute:
                total += d.amount * math.exp(-self.rate_per_min * (minute - d.minute))
        return total

    def plasma_mean(self, start: float, stop: float) -> float:
        """Mean plasma concentration between two minutes, exact."""
        total = 0.0
        for d in self.doses:
            if d.route == "iv" and stop > d.minute:
                a = max(start, d.minute) - d.minute
                b = stop - d.minute
                k = self.rate_per_min
                total += d.amount * (math.exp(-k * a) - math.exp(-k * b)) / k
        return total / (stop - start)

    def bath(self, minute: float) -> float | None:
        """Concentration a bath holds everywhere from its (last) dose on; None without one."""
        level = None
        for d in self.doses:
            if d.route == "bath" and minute >= d.minute:
                level = d.amount
        return level

    def gives(self, *routes: str) -> bool:
        """Whether any dose takes one of these routes."""
        return any(d.route in routes for d in self.doses)

    def local(self) -> Iterator[tuple[int, Dose]]:
        """Numbers and doses of what is put into the tumour."""
        return ((i, d) for i, d in enumerate(self.doses) if d.route in LOCAL)


def doses_of(items: Any, start_day: float, mouse_g: float, per_mg_kg: Any) -> tuple[Dose, ...]:
    """The doses of all items of one agent, by time; `per_mg_kg(route)` is the amount that 1 mg/kg makes."""
    doses: list[Dose] = []
    for item in items:
        if item.route == "bath":
            amount = float(item.bath_nM if hasattr(item, "bath_nM") else item.bath_uM)
        else:
            amount = (item.dose_mg_kg if item.dose_mg is None else item.dose_mg * 1e3 / mouse_g) * per_mg_kg(item.route)
        leaves = (item.release_per_h or 0.0) / 60.0
        doses += [Dose((day - start_day) * 1440.0, item.route, amount, item.centre_um, item.radius_um, leaves) for day in item.day]
    return tuple(sorted(doses, key=lambda d: d.minute))
