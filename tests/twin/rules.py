"""Rules of the experiment and of its drugs, one by one in every cell and at every vessel.

    x = (s/half)^hill of a signal s, or its inverse where the response falls, or slope s where it is linear
    u = X/(1 + X), X the sum over the rules of a group (mostly one); X itself where the response is linear
    a group multiplies its term by 1 + (to - 1) u, or adds to u (slope s where it is linear)

A memory lets u follow with a time constant. PhysiCell's grammar: `grammar`.
"""

import math
from itertools import groupby
from types import SimpleNamespace

from twin.neighbourhood import Neighbourhood

CHEMISTRY = (
    "xct", "p53", "cysteine_supply", "gcl", "gsh_loss", "gsh_use", "gssg_recycling", "gpx4_synthesis", "gpx4_loss", "gpx4_activity", "fsp1",
    "coq_reduction", "dhodh", "coq_trapping", "vitamin_e", "gch1", "trap", "plooh_clearance", "initiation", "h2o2", "repair", "tfr1",
    "iron_influx", "fpn", "iron_chelation", "ferritin_storage", "ncoa4", "acsl4", "lipid_supply", "mufa", "nrf2", "ifng_sensitivity",
)  # fmt: skip
GUEST = ("turnover.rate", "motility.speed", "motility.bias")
TAKEN = {  # terms that the twin's laws take, by cell type
    "tumour": ("division.rate", "death.apoptosis", "death.necrosis", "death.drug", "death.drug_sensitivity", "damp.atp", "damp.hmgb1",
               "surface.pdl1", "surface.mhc1", *(f"ferroptosis.{name}" for name in CHEMISTRY)),
    "cd8": (*GUEST, "division.rate", "killing.attach_rate", "killing.recognition", "killing.hit_rate", "exhaustion.rate", "secretion.ifng"),
    "dendritic": (*GUEST, "maturation.rate", "maturation.antigen", "priming.gain"),
    "treg": (*GUEST, "secretion.suppression"),
    "macrophage": (*GUEST, "phagocytosis.living", *(f"secretion.{f}" for f in ("suppression", "cxcl", "il6", "il12", "growth_factors"))),
    "vessel": ("entry.cd8", "entry.dendritic", "entry.treg", "entry.macrophage"),
}  # fmt: skip
DEFAULT_MIN, ALTERATION_MIN = 6, 1440
SILENCED = "pdl1_synthesis"  # a target in short of which no column keeps the effect


def factor(cell, term):
    """What rules make of a term that is a factor."""
    return cell.terms.get(term, 1.0)


def added(cell, term):
    """What rules add to a term that is an amount."""
    return cell.terms.get(term, 0.0)


class Program:
    """One term of one cell type, and the groups of rules that act on it: name -> rules."""

    def __init__(self, cells, term, low, high, adds, groups):
        self.cells, self.term, self.low, self.high, self.adds, self.groups = cells, term, low, high, adds, groups
        self.rules = [rule for group in groups.values() for rule in group]
        self.cbhg = self.rules[0].combine == "cbhg"

    def bounded(self, value):
        """A value of the term within its bounds."""
        return min(max(value, self.low), self.high)

    def joined(self, shares):
        """The term, of what each group makes of it."""
        return self.bounded(sum(shares) if self.adds else math.prod(shares))


class Rules:
    """Those of a model; `terms` maps a term to (whether it is an amount, low, high, the pool of drugs that compete for it)."""

    def __init__(self, model, entries, terms):
        self.model, self.near = model, Neighbourhood(model)
        rules = dict(entries)
        for drug in model.therapy.drugs:
            for rule in (rule_of(drug.name, hit) for hit in drug.entry.hits if hit.target in (None, SILENCED)):
                rules[f"{drug.name}.{rule.term.rpartition('.')[2]}"] = rule
        there = {*model.cells, "vessel"}
        keyed = [(cells, rule.term, rule.group or name, name) for name, rule in rules.items() if self.heard(rule) for cells in rule.cells if cells in there]
        self.programs = []
        for (cells, term), some in groupby(sorted(keyed), key=lambda k: k[:2]):
            if term not in TAKEN.get(cells, ()):
                raise NotImplementedError(f"a rule acts on {term} in {cells} cells, which the twin lacks")
            groups = {g: [rules[name] for *_, name in members] for g, members in groupby(some, key=lambda k: k[2])}
            adds, low, high, pool = terms[term]
            if pool in groups:
                raise NotImplementedError(f"rules of the pool {pool}, of which the twin has those of drugs alone")
            self.programs.append(Program(cells, term, low, high, adds, groups))

    def heard(self, rule):
        """Whether this model has the signal; refused where the model may have it and the twin does not."""
        kind, _, what = rule.signal.partition(".")
        if kind == "event":
            if self.model.therapy.events:
                raise NotImplementedError("the twin has no events")
            return False
        if kind == "drug":
            return what in [agent.name for agent in self.model.therapy.agents]
        if kind in ("near", "contact"):
            return what in self.model.cells
        return True if kind != "alteration" else what in self.model.config.carriers()

    def fields(self):
        """Names of the fields they hear or need."""
        heard = {r.signal.partition(".")[2] for p in self.programs for r in p.rules if r.signal.startswith("field.")}
        return heard | {r.needs.field for p in self.programs for r in p.rules if r.needs is not None}

    # ---- when ---------------------------------------------------------------------------------------------------
    def clock(self, rule):
        """Minutes between two evaluations: the rule's own, or of the field's solves, else 6; for good where an alteration is heard."""
        kind, _, what = rule.signal.partition(".")
        if rule.clock_min:
            return rule.clock_min
        own = self.model.fields[what].clock if kind in ("field", "drug") else ALTERATION_MIN if kind == "alteration" else DEFAULT_MIN
        return own if rule.needs is None else min(own, self.model.fields[rule.needs.field].clock)

    def due(self, rules):
        """Minutes since rules were evaluated for the last time, where they are due now; else 0."""
        minutes = min(self.clock(rule) for rule in rules)
        return minutes if self.model.tick * self.model.dt % minutes == 0 else 0.0

    # ---- what they make of terms ----------------------------------------------------------------------------------
    def evaluate(self, start=False):
        """All that are due now, in every cell of their types; a cell keeps what each group made of its term."""
        self.near.forget()
        for p in self.programs:
            due = {name: self.due(p.rules if p.cbhg else group) for name, group in p.groups.items()}
            if p.cells == "vessel" or not (start or any(due.values())):
                continue
            for cell in self.model.of(p.cells):
                if p.cbhg:
                    self.follow_grammar(p, cell)
                    continue
                for name, group in p.groups.items():
                    if start or due[name]:
                        cell.shares[name] = self.share(p, group, self.response(group, cell, name, math.inf if start else due[name]))
                cell.terms[p.term] = p.joined([cell.shares[name] for name in p.groups if name in cell.shares])

    def at_vessels(self, term, voxels):
        """Factor on a term at each of some voxels, as things are now."""
        self.near.forget()
        program = next((p for p in self.programs if p.cells == "vessel" and p.term == term), None)
        return dict.fromkeys(voxels, 1.0) if program is None else {v: self.at_vessel(program, v) for v in voxels}

    def at_vessel(self, p, voxel):
        """The factor at one voxel."""
        here = SimpleNamespace(kind="vessel", voxel=voxel, memories={}, terms={}, alive=True)
        if p.cbhg:
            self.follow_grammar(p, here)
            return here.terms[p.term]
        return p.joined([self.share(p, group, self.response(group, here, name, math.inf)) for name, group in p.groups.items()])

    @staticmethod
    def share(p, group, u):
        """What a group makes of its term at a response."""
        if group[0].response == "linear":
            return u
        return group[0].to * u if p.adds else 1.0 + (group[0].to - 1.0) * u

    def response(self, group, cell, name, minutes):
        """u of a group in a cell, or what a memory of it has come to in these minutes; without end it rests at u."""
        u, lag = self.total(group, cell), group[0].lag_h
        if group[0].response != "linear":
            u = u / (1.0 + u) if u < math.inf else 1.0
        if lag:
            before = cell.memories.get(name, 0.0)
            cell.memories[name] = u = u + (before - u) * math.exp(-minutes / (60.0 * lag))
        return u

    def total(self, group, cell):
        """Sum of x over rules."""
        return sum(self.power(rule, self.signal(rule, cell)) for rule in group)

    @staticmethod
    def power(rule, s):
        """x of a signal."""
        if rule.response == "linear":
            return max(rule.slope * s, 0.0)
        x = (max(s, 0.0) / rule.half) ** rule.hill
        if rule.response == "falling":
            return 1.0 / x if x > 0.0 else math.inf
        return x

    def follow_grammar(self, p, cell):
        """u = base + (most - base) HU, value = u + (least - u) HD: decreasing rules, HD, dominate. The dead hear rules for the dead only."""
        rules = p.rules if cell.alive else [rule for rule in p.rules if rule.dead]
        if not cell.alive and not rules:
            return
        base = p.rules[0].base
        aims = {verb: [rule.to for rule in p.rules if bool(rule.raises) == (verb == "raises")] for verb in ("raises", "lowers")}
        most = max([*aims["raises"], base]) if aims["lowers"] or not aims["raises"] else max(aims["raises"])
        least = min([*aims["lowers"], base]) if aims["raises"] or not aims["lowers"] else min(aims["lowers"])
        up = self.total([rule for rule in rules if rule.raises], cell)
        down = self.total([rule for rule in rules if rule.lowers], cell)
        u = base + (most - base) * up / (1.0 + up)
        value = u + (least - u) * down / (1.0 + down)
        cell.terms[p.term] = p.bounded(value if p.adds else value / (p.rules[0].reference or base))

    # ---- what a cell can know ---------------------------------------------------------------------------------------
    def signal(self, rule, cell):
        """What a rule hears in a cell, as far as what it needs is there."""
        s = self.heard_by(cell, *rule.signal.partition(".")[::2])
        if rule.needs is None:
            return s
        level = float(self.model.fields[rule.needs.field].c[cell.voxel])
        return s * level / (rule.needs.half + level)

    def heard_by(self, cell, kind, what):
        """A signal in a cell."""
        if kind == "own":
            return float(getattr(cell, what))
        if kind in ("field", "drug"):
            return float(self.model.fields[what].c[cell.voxel])
        if kind in ("near", "contact"):
            return float(self.near.count(kind, what, cell))
        if kind == "alteration":
            clones = self.model.config.carriers()[what]
            return float(clones[self.model.config.clone_names().index(cell.clone)])
        if kind == "time":
            return max(self.model.config.start_day + self.model.tick * self.model.dt / 1440.0, 0.0)
        raise NotImplementedError(f"the twin has no signal {kind}.{what}")


def rule_of(drug, hit):
    """A hit without target, or siRNA, as a rule, in tumour cells if it does not say in which; the drug's field is its signal."""
    if hit.target == SILENCED:  # all siRNA together leave 1/(1 + sum) of the PD-L1 that is made
        hit = SimpleNamespace(raises=None, lowers="surface.pdl1", adds_to=None, cells=(), to=0.0, half=1.0 / hit.strength, hill=hit.exponent, slope=None,
                              lag_h=None, response="hill", needs=hit.needs, group="pdl1_synthesis_inhibitors")  # fmt: skip
    return SimpleNamespace(
        signal=f"drug.{drug}", term=hit.raises or hit.lowers or hit.adds_to, cells=hit.cells or ("tumour",), to=hit.to, half=hit.half,
        hill=hit.hill, slope=hit.slope, lag_h=hit.lag_h, response=hit.response, needs=hit.needs, group=getattr(hit, "group", None), combine="product", clock_min=None,
    )  # fmt: skip
