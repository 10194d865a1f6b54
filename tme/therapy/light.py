"""Photodynamic and sonodynamic therapy: light or sound, a sensitiser and oxygen make oxidants, which use the oxygen up and kill.

    v = 60 xi I S O2/(K + O2)      uM/min of the voxel; xi the yield, I the fluence rate or intensity, S the sensitiser
    R' = v - k R                   the signal event.NAME: oxidants that have reacted and are not yet mended
    V P/(K_m + P) + v/o            mmHg/min, what cells and light take of oxygen P; o uM of oxygen per mmHg
    survival e^{-(R/R0)^n}         hazard of a tick: what (R/R0)^n gained while the light was on; necrosis

Light falls as e^{-x/length} with the distance x from the face through which it enters, if the arm names one; sound reaches
all of a tumour.
S is the drug's field, whether it was given free or let go by particles; what a closed carrier still holds does nothing.
Sources: Zhu and colleagues' explicit dosimetry (PMC4435602; doi 10.3390/cancers8120109).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.therapy.events import LIGHT, Occasion, drawn, kill, living, read_to_kill, signals_of
from tme.therapy.places import beyond, inside

KINDS = ("light", "sound")
ROUNDS = 4  # solves in the first tick of light, as the loss is linear in oxygen around what it was


def oxidation(yield_: float, power: Any, sensitiser: Any, oxygen: Any, k: float) -> Any:
    """v/O2 of the module docstring, uM/min per mmHg."""
    return 60.0 * yield_ * power * sensitiser / (k + oxygen)


def hazard(before: Any, after: Any, lethal: float, steepness: float) -> Any:
    """What (R/R0)^n gains between two levels of oxidants."""
    return np.maximum((after / lethal) ** steepness - (before / lethal) ** steepness, 0.0)


def fluence(model: Any, o: Occasion) -> np.ndarray:
    """Fluence rate of light, mW/cm^2, or intensity of sound, W/cm^2, (n_voxels,) of an event that is on."""
    rate = o.entry.power(o.item) * inside(model, o.item.place)
    return rate * np.exp(-beyond(model, o.item.enters) / o.entry.attenuation_um) if o.item.enters else rate


def sensitiser(model: Any, o: Occasion) -> np.ndarray | float:
    """Sensitiser (n_voxels,) uM; 0 in an arm that does not give it."""
    field = model.fields.get(o.item.sensitiser or o.entry.sensitiser)
    return 0.0 if field is None else field.concentration


def oxidising(model: Any) -> tuple[Occasion, ...]:
    """The arm's events of light and sound."""
    return tuple(o for o in model.therapy.events if o.entry.kind in KINDS)


class Light(Mechanism):
    """Oxidants that light and sound make while they are on, and the oxygen that takes.

    Oxygen settles within seconds, so that it is solved in every tick of it and in the first one after, whatever its
    clock; what they take enters the solve as a loss, linear in oxygen as it was before.
    """

    name = "light"
    given_by = "arms.*.events"
    switchable = False
    phase = Phase.DOSE
    ids = ("M125",)
    about = "light or sound on a sensitiser turns oxygen into oxidants"
    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with light or sound."""
        return bool(oxidising(model))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.events = oxidising(model)
        self.made: list[tuple[Occasion, np.ndarray]] = []  # of this tick only, for `LightDeaths`
        given = {o.item.sensitiser or o.entry.sensitiser for o in self.events} & set(model.fields)
        solved = ("vmax", "exchange", "vessel_value")
        self.reads = ("tumour.voxel", "lattice.tissue_row", *(f"field.{n}.concentration" for n in sorted(given)), *(f"field.oxygen.{part}" for part in solved))
        self.writes = ("field.oxygen.concentration", "field.oxygen.loss", "tumour.oxygen", "light.made", *signals_of(self.events))

    def step(self, model) -> None:
        """One tick of light or sound, or the end of it."""
        tick, self.made = model.tick, []
        on = [o for o in self.events if o.tick <= tick < o.tick + o.ticks]
        if on or any(o.tick + o.ticks == tick for o in self.events):
            begins = any(o.tick == tick for o in on)
            per_oxygen = self.shine(model, on, ROUNDS if begins else 1)
            oxygen = model.fields["oxygen"].concentration
            for o, rate in zip(on, per_oxygen):
                self.made.append((o, rate * oxygen * model.dt_min))
                model.events.add(o.name, self.made[-1][1])

    def shine(self, model, on: list[Occasion], rounds: int) -> list[np.ndarray]:
        """Solve oxygen under what is on; oxidants per event, uM/min per mmHg."""
        field, powers = model.fields["oxygen"], [fluence(model, o) for o in on]
        for _ in range(rounds):
            oxygen = field.concentration
            rates = [
                oxidation(o.entry.oxidants_per_power, x, sensitiser(model, o), oxygen, o.entry.k_o2_mmHg) for o, x in zip(on, powers)
            ]
            if "oxygen" in model.held_fields:
                return rates
            with field.term_writer("loss", model.scratch) as loss:
                for o, rate in zip(on, rates):
                    loss += rate / o.entry.o2_uM_per_mmHg
            mode, field.mode = field.mode, "quasi_steady"
            field.advance(model.dt_min, model.workspace)
            field.mode = mode
        t = model.tumour
        t.col.oxygen[: t.n] = field.at(t.col.voxel[: t.n])
        return rates


class LightDeaths(Mechanism):
    """Cells that too many oxidants kill outright."""

    name = "light_deaths"
    given_by = "arms.*.events"
    switchable = False
    phase = Phase.FATE
    ids = ("M125",)
    about = "cells with more oxidants than they bear turn necrotic while light or sound is on"
    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with light or sound."""
        return bool(oxidising(model))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.reads = ("light.made", *signals_of(oxidising(model)), *read_to_kill(model.populations))
        self.adds = tuple(f"{p.kind}.fate" for p in model.populations)

    def step(self, model) -> None:
        """One tick of light."""
        for o, made in model.mechanism("light").made:
            after = model.events.signal(o.name)
            p = -np.expm1(-hazard(np.maximum(after - made, 0.0), after, o.entry.lethal_uM, o.entry.steepness))
            for population in model.populations:
                rows = living(population, p > 0.0)
                kill(population, rows[drawn(model, population, rows, o.sub(LIGHT)) < p[population.col.voxel[rows]]], "necrosis")
