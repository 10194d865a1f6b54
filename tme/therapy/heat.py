"""Heat: a thermal dose, the death that it brings, and more oxygen from warm vessels.

    T = what the arm states, or T_body + w I S           w I S: light on an absorber, its mean in the place, since heat spreads
    dC/dt = R^{43 - T}                                   C the signal event.NAME: equivalent minutes at 43 C, not yet repaired
    survival e^{-(C/C0)^n}                               hazard of a tick: what (C/C0)^n gains; necrosis where it is hot, else apoptosis
    P_vessel = P (1 + g e^{-k t})                        oxygen of vessels, t since the heat was last on (reoxygenation)

R is `r_above` above 43 C and `r_below` below it, the convention of thermal dose. Cells that died take no oxygen, so that hypoxia
lifts for that reason too. Heat spreads over a millimetre within a second or two: inside its place the temperature is one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.therapy.events import HEAT, Occasion, drawn, kill, living, of_kind, read_to_kill, signals_of
from tme.therapy.light import hazard
from tme.therapy.places import inside

REFERENCE_C = 43.0  # of thermal dose


def dose_rate(celsius: float, r_above: float, r_below: float) -> float:
    """Equivalent minutes at 43 C in a minute."""
    return (r_above if celsius >= REFERENCE_C else r_below) ** (REFERENCE_C - celsius)


def temperature(model: Any, o: Occasion, mask: np.ndarray) -> float:
    """C of an event that is on, in its place `mask`."""
    e = o.entry
    if o.item.celsius is not None:
        return o.item.celsius
    field = model.fields.get(o.item.sensitiser or e.sensitiser)
    absorber = float(field.concentration[mask].mean()) if field is not None and mask.any() else 0.0
    return min(e.body_c + e.warming_cm2_mw_uM * o.item.fluence_mw_cm2 * absorber, e.hottest_c)


class Heat(Mechanism):
    """The thermal dose of every tick of heat, and the oxygen of vessels while they are warm and after."""

    name = "heat"
    given_by = "arms.*.events"
    switchable = False
    phase = Phase.DOSE
    ids = ("M125",)
    about = "heat brings a thermal dose, and more oxygen from warm vessels"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with heat."""
        return bool(of_kind(model, "heat"))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.events = of_kind(model, "heat")
        self.dosed: list[tuple[tuple[Occasion, float], np.ndarray]] = []  # of this tick only, for `HeatDeaths`
        self.untreated = model.config.field_entries()["oxygen"].vessel_value
        absorbers = {o.item.sensitiser or o.entry.sensitiser for o in self.events if o.item.celsius is None} & set(model.fields)
        self.reads = ("lattice.tissue_row", *(f"field.{n}.concentration" for n in sorted(absorbers)))
        self.writes = ("field.oxygen.vessel_value", "heat.dosed", *signals_of(self.events))

    def step(self, model) -> None:
        """One tick."""
        tick, self.dosed = model.tick, []
        for o in self.events:
            if o.tick <= tick < o.tick + o.ticks:
                mask = inside(model, o.item.place)
                celsius = temperature(model, o, mask)
                added = dose_rate(celsius, o.entry.r_above, o.entry.r_below) * model.dt_min if celsius > o.entry.body_c else 0.0
                self.dosed.append(((o, celsius), added * mask))
                model.events.add(o.name, self.dosed[-1][1])
        model.fields["oxygen"].vessel_value = self.untreated * (1.0 + self.more_oxygen(model))

    def more_oxygen(self, model) -> float:
        """Share by which vessels hold more oxygen now: the most that any heat so far has left."""
        out = 0.0
        for o in self.events:
            if o.tick <= model.tick:
                since_h = max(model.tick - o.tick - o.ticks + 1, 0) * model.dt_min / 60.0
                out = max(out, o.entry.perfusion * math.exp(-math.log(2.0) * since_h / o.entry.perfusion_half_life_h))
        return out


class HeatDeaths(Mechanism):
    """Cells that the thermal dose kills."""

    name = "heat_deaths"
    given_by = "arms.*.events"
    switchable = False
    phase = Phase.FATE
    ids = ("M125",)
    about = "cells with more heat than they bear die: necrotic where it is hot, else by apoptosis"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with heat."""
        return bool(of_kind(model, "heat"))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.reads = ("heat.dosed", *signals_of(of_kind(model, "heat")), *read_to_kill(model.populations))
        self.adds = tuple(f"{p.kind}.fate" for p in model.populations)

    def step(self, model) -> None:
        """One tick of heat."""
        for (o, celsius), added in model.mechanism("heat").dosed:
            after = model.events.signal(o.name)
            p = -np.expm1(-hazard(np.maximum(after - added, 0.0), after, o.entry.lethal_min, o.entry.steepness))
            cause = "necrosis" if celsius >= o.entry.necrosis_c else "apoptosis"
            for population in model.populations:
                rows = living(population, p > 0.0)
                kill(population, rows[drawn(model, population, rows, o.sub(HEAT)) < p[population.col.voxel[rows]]], cause)
