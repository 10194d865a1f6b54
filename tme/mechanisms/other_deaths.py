"""Deaths that have a name but no chemistry of their own here: pyroptosis, necroptosis, PANoptosis and their like.

    hazard of a mode = MODE + what drugs and rules add (`death.MODE`)

The corpse is lytic or apoptotic (`core.death_modes`), releases DAMPs as such, and is counted by its mode. A cell that
several modes would kill in one tick dies of the first in the order of the list.
"""

from __future__ import annotations

import numpy as np

from tme.core.death_modes import FATES, LABELS
from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels.rng import Stream, uniforms

PARAMETERS = ParameterSet(
    "other_deaths",
    *(par(name, 0.0, "1/min", 0.0, 1.0, "assumed: none unless a config says so", f"{mode.about}; {mode.corpse}") for name, mode in LABELS.items()),
)
TERMS = tuple(Term(f"death.{name}", "1/min", "adds", ("tumour",), 0.0, 1.0, f"death by {name.replace('_', ' ')}") for name in LABELS)
FIRST_SUB = 8  # of the stream of deaths


class OtherDeaths(Mechanism):
    """Deaths by name."""

    name = "other_deaths"
    phase = Phase.FATE
    ids = ("M95",)
    about = "deaths without a law of their own: lytic or apoptotic, by name"
    parameters = PARAMETERS
    clock_min = 6.0

    @classmethod
    def enabled(cls, model) -> bool:
        """Where a config gives one a rate, or a drug or rule adds to one."""
        rates = PARAMETERS.build(model.config_for("other_deaths"))
        touched = {p.term.name for p in model.rule_programs}
        return any(rates) or any(t.name in touched for t in TERMS)

    def __init__(self, model) -> None:
        super().__init__(model)
        rates = zip(LABELS, self.p)
        self.modes = [(k, name, rate) for k, (name, rate) in enumerate(rates) if rate > 0.0 or model.tumour.term(f"death.{name}").size]
        self.reads = ("tumour.uid", "tumour.state", *(f"tumour.{t.place}" for t in TERMS if t.place in model.tumour.declared))
        self.adds = ("tumour.fate", *(f"counters.died_by_{name}" for _, name, _ in self.modes))

    def step(self, model) -> None:
        """One clock interval."""
        t, n = model.tumour.col, model.tumour.n
        u = np.empty(n)
        for k, name, rate in self.modes:
            term = model.tumour.term(f"death.{name}")
            hazard = rate + (term[:n] if term.size else 0.0)
            uniforms(model.seed64, int(Stream.DEATH), model.tick, t.uid[:n], FIRST_SUB + k, u)
            dying = (t.state[:n] == 0) & (t.fate[:n] < 10) & (u < -np.expm1(-hazard * self.dt))
            t.fate[:n][dying] = FATES[LABELS[name].corpse]
            model.counters[f"died_by_{name}"] += int(dying.sum())
