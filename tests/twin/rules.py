"""Rules of the experiment and of its drugs that hear fields or a cell's own columns and act on terms, one by one in every cell.

    u = x/(1 + x), x = (s/half)^hill       a rule multiplies its term by 1 + (to - 1) u, or adds to u
"""

import math
from types import SimpleNamespace


class Rules:
    """Those that are on, by the terms that the twin knows."""

    FACTORS = ("division.rate", "secretion.ifng", "killing.hit_rate", "maturation.rate", "maturation.antigen", "priming.gain", "turnover.rate",
               "ferroptosis.initiation", "ferroptosis.h2o2")  # fmt: skip
    ADDED = ("death.drug", "ferroptosis.gsh_use")

    def __init__(self, model, entries):
        self.model = model
        terms = (*self.FACTORS, *self.ADDED)
        self.rules = {n: e for n, e in entries.items() if e.signal.partition(".")[0] in ("own", "field") and e.term in terms}
        for drug in model.therapy.drugs:
            for n, hit in enumerate(h for h in drug.entry.hits if h.target is None):
                rule = rule_of(drug.name, hit)
                if rule.term not in terms:
                    raise NotImplementedError(f"{drug.name} acts on {rule.term}, which the twin lacks")
                self.rules[f"{drug.name}.{n}"] = rule

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
                        u, adds = self.response(rule, cell, name, start), rule.term in self.ADDED
                        cell.shares[name] = (rule.term, rule.to * u if adds else 1.0 + (rule.to - 1.0) * u)
                        cell.terms = {}
                        for term, share in cell.shares.values():
                            added = term in self.ADDED
                            cell.terms[term] = cell.terms.get(term, 0.0) + share if added else cell.terms.get(term, 1.0) * share

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


def rule_of(drug, hit):
    """A hit without target as a rule, in tumour cells if it does not say in which; the drug's field is its signal."""
    return SimpleNamespace(
        signal=f"field.{drug}", term=hit.raises or hit.lowers or hit.adds_to, cells=hit.cells or ("tumour",),
        to=hit.to, half=hit.half, hill=hit.hill, lag_h=hit.lag_h,
    )  # fmt: skip
