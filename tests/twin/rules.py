"""Rules of the experiment that hear fields or a cell's own columns and act on terms, one by one in every cell.

    u = x/(1 + x), x = (s/half)^hill       a rule multiplies its term by 1 + (to - 1) u
"""

import math


class Rules:
    """Those that are on, by the terms that the twin knows."""

    TERMS = ("division.rate", "secretion.ifng", "killing.hit_rate", "maturation.rate", "maturation.antigen", "priming.gain")

    def __init__(self, model, entries):
        self.model = model
        self.rules = {n: e for n, e in entries.items() if e.signal.partition(".")[0] in ("own", "field") and e.term in self.TERMS}

    def fields(self):
        """Names of the fields they hear."""
        return {e.signal.partition(".")[2] for e in self.rules.values() if e.signal.startswith("field.")}

    def clock(self, rule):
        """Minutes between two evaluations: of the field's solves, else 6."""
        kind, _, name = rule.signal.partition(".")
        return self.model.fields[name].clock if kind == "field" else 6

    def evaluate(self, start=False):
        """All that are due now, in every cell of their types; a cell keeps what each rule made of its term."""
        for name, rule in sorted(self.rules.items()):
            if start or self.model.tick * self.model.dt % self.clock(rule) == 0:
                for kind in rule.cells:
                    for cell in self.model.cells.get(kind, {}).values():
                        cell.shares[name] = (rule.term, 1.0 + (rule.to - 1.0) * self.response(rule, cell, name, start))
                        cell.terms = {}
                        for term, share in cell.shares.values():
                            cell.terms[term] = cell.terms.get(term, 1.0) * share

    def response(self, rule, cell, name, start):
        """u of the signal, or what a memory of it has come to."""
        kind, _, what = rule.signal.partition(".")
        s = float(getattr(cell, what) if kind == "own" else self.model.fields[what].c[cell.voxel])
        x = (s / rule.half) ** rule.hill
        u = x / (1.0 + x)
        if rule.lag_h and not start:
            before = cell.memories.get(name, 0.0)
            u += (before - u) * math.exp(-self.clock(rule) / (60.0 * rule.lag_h))
        cell.memories[name] = u
        return u
