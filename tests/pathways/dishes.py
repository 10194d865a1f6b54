"""Cells of any pathway in a dish: columns at their defaults, stepped by the kernels as the model does."""

from __future__ import annotations

import numpy as np

from tme.pathways import stepping

RESTING_EVERY = 6


class Cells:
    """n cells of a pathway; keywords set states, traits and inputs, `parameters` its numbers, `terms` terms by short name."""

    def __init__(self, pathway, n=1, parameters=None, terms=None, **values):
        self.pathway, self.n = pathway, n
        self.p = pathway.parameters.build(parameters or {})
        defaults = {s.name: s.start for s in pathway.states} | {g.name: g.default for g in pathway.given}
        self.col = {k: np.full(n, float(v)) for k, v in defaults.items()}
        for name, value in values.items():
            self.col[name][:] = value
        self.modulated = terms is not None
        self.terms = [np.full(n, float(terms[name])) if (name := t.name.split(".")[1]) in terms else np.zeros(0)
                      for t in pathway.terms] if self.modulated else []  # fmt: skip
        self.state, self.clock, self.rows = np.zeros(n, np.int8), np.zeros(n, np.int32), np.empty(n, np.int64)
        self.tick = 0
        self.death = np.full(n, np.nan)

    def columns(self):
        return [*self.col.values(), *self.terms]

    def settle(self):
        stepping.settle(self.pathway, self.n, self.p, self.state, *self.columns(), modulated=self.modulated)
        return self

    def run(self, hours, dt=1.0, resting_every=RESTING_EVERY):
        for _ in range(round(hours * 60 / dt)):
            self.tick += 1
            seen = [self.col[k] for k in stepping.seen_by(self.pathway)]
            m = stepping.select(
                self.pathway, self.rows, self.n, self.tick, resting_every, self.p, self.state, self.clock, seen
            )
            stepping.advance(
                self.pathway, self.rows, m, self.tick, dt, self.p, self.state, self.clock, *self.columns(), modulated=self.modulated
            )
            new = (self.col[self.pathway.damage] >= 1.0) & (self.state == 0)
            self.state[new], self.death[new] = self.pathway.cause, self.tick * dt
        return self
