"""A pathway as ordinary differential equations in formulas, and the steady state they lead to.

Taken from the same table and laws as the kernels, so there is nothing to keep in step by hand. Caps are left out: they hold
the steps of the kernels within what the equations never leave.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from tme.exporting.trace import Formula, name, of, run, shared, text_of
from tme.pathways.contract import Pathway, argument

SETTLE_DAYS = 60.0


@dataclass
class Odes:
    """States by column name. `held` are the quantities that inputs determine, `parts` those that rates share; minutes, and the units of the table."""

    pathway: Pathway
    parameters: dict[str, float]
    given: dict[str, float]
    spelled: dict[str, str]  # parameter -> its name in formulas
    held: dict[str, Formula] = field(default_factory=dict)
    parts: dict[str, Formula] = field(default_factory=dict)
    rates: dict[str, Formula] = field(default_factory=dict)

    @classmethod
    def of(cls, pathway: Pathway, parameters: dict[str, float], given: dict[str, float] | None = None) -> Odes:
        """From the table; `given` are traits and inputs that differ from their defaults."""
        taken = {*(s.name for s in pathway.states), *(g.name for g in pathway.given), *pathway.frozen, *map(argument, pathway.terms), "alive", "time"}
        spelled = {p: p if p not in taken else f"p_{p}" for p in parameters}
        made = cls(pathway, parameters, {g.name: (given or {}).get(g.name, g.default) for g in pathway.given}, spelled)
        made.write()
        return made

    @property
    def terms(self) -> dict[str, float]:
        """What rules may act on, neutral."""
        return {argument(t): t.neutral for t in self.pathway.terms}

    def constants(self) -> dict[str, float]:
        """Everything with a value that does not change by itself: parameters, traits, inputs, terms, alive."""
        return {**{self.spelled[p]: v for p, v in self.parameters.items()}, **self.given, **self.terms, "alive": 1.0}

    def write(self) -> None:
        """Run the laws on symbols."""
        p = self.pathway
        values: dict[str, Any] = {word: name(word) for word in (*self.given, *self.terms, "alive")}
        values["p"] = Numbers({k: name(v) for k, v in self.spelled.items()})
        held = run(p.conditions, values)
        self.held = dict(zip(p.frozen, (_formula(x) for x in held)))
        values |= {word: name(word) for word in p.frozen}
        values |= {s.var: name(s.name) for s in p.states}
        rates: dict[str, Formula] = {}
        for state, found in zip(p.states, run(p.rates, values)):
            y = name(state.name)
            if state.loss is not None:
                rates[state.name] = run(state.loss, values) * (_formula(found) - y)
            else:
                production, other = map(_formula, found)
                rates[state.name] = production - other * y if state.kind == "decay" else production + other * y
        both = shared({**{f"rate of {k}": r for k, r in rates.items()}}, "part_")
        self.rates = {k: both.pop(f"rate of {k}") for k in rates}
        self.parts = both

    def function(self) -> Any:
        """dy/dt of (t, y), states in the order of the table, at the constants."""
        states = [s.name for s in self.pathway.states]
        lines = [f"    {', '.join(states)}, = y"]
        lines += [f"    {k} = {text_of(f)}" for k, f in (*self.held.items(), *self.parts.items())]
        lines += [f"    return [{', '.join(text_of(self.rates[s]) for s in states)}]"]
        words: dict[str, Any] = {"ln": math.log, "exp": math.exp, "sqrt": math.sqrt, "positive": lambda x: max(x, 0.0), **self.constants()}
        exec("def derivative(t, y):\n" + "\n".join(lines), words)
        return words["derivative"]

    def settled(self) -> dict[str, float]:
        """The steady state, 60 days from the table's start at the constants, with damage 0 as a cell of the model begins."""
        start = [s.start for s in self.pathway.states]
        found = solve_ivp(self.function(), (0.0, SETTLE_DAYS * 1440), start, method="LSODA", rtol=1e-9, atol=1e-12)
        values = {s.name: max(float(v), 0.0) for s, v in zip(self.pathway.states, found.y[:, -1])}
        if not found.success or not np.isfinite(list(values.values())).all():
            values = {s.name: s.start for s in self.pathway.states}
        if self.pathway.damage:
            values[self.pathway.damage] = 0.0
        return values


def _formula(value: Any) -> Formula:
    return of(value)


class Numbers:
    """Parameters as laws ask for them, by attribute."""

    def __init__(self, values: dict[str, Formula]) -> None:
        self.__dict__.update(values)
