"""Rules in the plan: at the clock of their signals, every term that some rule touches is worked out anew.

A program is one term of one cell type with the rules that act on it there. All programs of a cell type that are due are
evaluated in one round over its rows, in which each signal is read once (`readings`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.population import Column
from tme.core.terms import Term
from tme.kernels import rules as kernels
from tme.kernels import threads
from tme.library.rule import RuleEntry
from tme.rules.readings import Needed, Neighbourhoods, Readings, Scratch, Step
from tme.rules.signals import Signal

Power = tuple[Signal, float, float, "str | None", "Needed | None"]


NO_TIME = 1e-12  # min: an evaluation in which no memory moves


@dataclass(frozen=True)
class Group:
    """Rules that sum before they saturate (mostly one): (s/half)^hill each, the gain on the term, the memory's column."""

    name: str
    parts: tuple[tuple[Signal, RuleEntry], ...]

    @cached_property
    def leader(self) -> RuleEntry:
        """The rule whose direction, target and memory all share."""
        return self.parts[0][1]

    @cached_property
    def memory(self) -> str:
        """Column of its memory; empty without one."""
        return "memory_" + self.word if self.leader.lag_h else ""

    @cached_property
    def powers(self) -> tuple[Power, ...]:
        """Those of every rule (`powers_of`)."""
        return powers_of(self.parts)

    @cached_property
    def aim(self) -> float:
        """What the term tends to, or the amount."""
        return float(self.leader.aim)

    @cached_property
    def linear(self) -> bool:
        """Whether its sum is not saturated."""
        return self.leader.response == "linear"

    @cached_property
    def lag_min(self) -> float:
        """Time constant of its memory, min; 0 without one."""
        return 60.0 * (self.leader.lag_h or 0.0)

    @cached_property
    def word(self) -> str:
        """Its name as part of the name of a column."""
        return self.name.replace(".", "_").lower()

    @cached_property
    def place(self) -> str:
        """Column of its share of the term, where groups of several clocks act on one term; groups of one clock use that of their first."""
        return "rule_" + self.word


@dataclass(frozen=True)
class Program:
    """One term of one cell type and the groups that act on it; `pooled`: the one group whose sum the law itself takes.

    `clocks` are the ticks between two evaluations of each group, in a model (`heard`).
    """

    cells: str
    term: Term
    groups: tuple[Group, ...]
    pooled: bool = False
    clocks: tuple[int, ...] = ()

    @cached_property
    def place(self) -> str:
        """The column it writes: the term's, or that of the sum of its pool."""
        return self.term.pool_column if self.pooled else self.term.place

    def columns(self, one_clock: bool) -> tuple[Column, ...]:
        """The columns it needs beyond those the cell type has; `one_clock`: its groups are always due together."""
        own = [] if self.term.column or self.pooled else [self.term.declared()]
        own += [Column(g.memory, "f8", "1", 0.0, "copy", f"memory of rule {g.name}") for g in self.groups if g.memory]
        if self.several and not one_clock:
            own += [Column(g.place, "f8", self.term.unit, self.term.neutral, "copy", f"what rule {g.name} makes of it") for g in self.groups]
        return tuple(own)

    @cached_property
    def several(self) -> bool:
        """Whether groups, maybe of different clocks, meet in the term."""
        return len(self.groups) > 1 and not self.grammar

    @cached_property
    def shares(self) -> tuple[str, ...]:
        """The column into which each group multiplies or adds: one for each clock, that of the term itself where there is one clock."""
        if len(set(self.clocks)) <= 1 or self.grammar:
            return (self.place,) * len(self.groups)
        return tuple(self.groups[self.clocks.index(c)].place for c in self.clocks)

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """Fields that agents of its rules need (`library.rule.Need`)."""
        return tuple(dict.fromkeys(e.needs.field for g in self.groups for _, e in g.parts if e.needs is not None))

    @cached_property
    def grammar(self) -> bool:
        """Whether PhysiCell's grammar combines its rules."""
        return self.groups[0].leader.combine == "cbhg"

    @cached_property
    def within(self) -> bool:
        """Whether no signal can take the term out of its bounds."""
        if self.grammar or any(g.linear for g in self.groups):
            return False
        aims = [g.aim for g in self.groups]
        if self.term.effect == "adds":
            low, high = sum(min(a, 0.0) for a in aims), sum(max(a, 0.0) for a in aims)
        else:
            low, high = math.prod(min(a, 1.0) for a in aims), math.prod(max(a, 1.0) for a in aims)
        return self.term.low <= low and high <= self.term.high


def programs(entries: Mapping[str, RuleEntry], terms: Mapping[str, Term]) -> tuple[Program, ...]:
    """Rules by cell type and term; the order is that of names, whatever the order of the files."""
    keyed = sorted((cells, entry.term, entry.group or name, name) for name, entry in entries.items() for cells in entry.cells)
    out: list[Program] = []
    for (cells, term), rows in groupby(keyed, key=lambda k: k[:2]):
        groups = [
            Group(group, tuple((Signal.of(entries[name].signal), entries[name]) for *_, name in members))
            for group, members in groupby(rows, key=lambda k: k[2])
        ]
        pooled = [g for g in groups if g.name == terms[term].pool]
        others = [g for g in groups if g not in pooled]
        out += [Program(cells, terms[term], (g,), pooled=True) for g in pooled]
        out += [Program(cells, terms[term], tuple(others))] if others else []
    return tuple(out)


def heard(program: Program, model: Any, population: Any) -> Program | None:
    """The program without the signals that this model lacks; None if nothing is left."""
    groups = []
    for g in program.groups:
        parts = tuple((s, e) for s, e in g.parts if s.present(model, population))
        if parts:
            groups.append(Group(g.name, parts))
    if program.pooled and program.term.pool_column not in population.declared:
        return None
    return replace(program, groups=tuple(groups), clocks=clocks(model, groups)) if groups else None


def on_one_clock(program: Program, model: Any) -> bool:
    """Whether all signals that a model may have are of one clock: asked before there are cells, so that some may turn out to be absent."""
    parts = [(s, e) for g in program.groups for s, e in g.parts if s.kind not in ("field", "drug") or s.name in model.fields]
    return len({clock(model, s, e) for s, e in parts}) <= 1


def clock(model: Any, signal: Signal, entry: RuleEntry) -> int:
    """Ticks between two looks at a signal: the rule's own clock, or the signal's."""
    if entry.clock_min:
        return int(model.ticks(entry.clock_min))
    return signal.clock(model) if entry.needs is None else min(signal.clock(model), Signal("field", entry.needs.field).clock(model))


def clocks(model: Any, groups: Iterable[Group]) -> tuple[int, ...]:
    """Ticks between two evaluations of each group: the shortest clock of its signals; of the grammar's, of all."""
    each = [min(clock(model, s, e) for s, e in g.parts) for g in groups]
    grammar = any(g.leader.combine == "cbhg" for g in groups)
    return (min(each),) * len(each) if grammar else tuple(each)


class Rules(Mechanism):
    """All rules of a model."""

    name = "rules"
    switchable = False
    phase = Phase.SENSE
    about = "signals raise, lower or add to the terms of laws"

    def __init__(self, model: Any, wanted: Iterable[Program]) -> None:
        super().__init__(model)
        self.populations = {p.kind: p for p in model.populations}
        self.programs = [h for p in wanted if p.cells in self.populations and (h := heard(p, model, self.populations[p.cells])) is not None]
        self.every = math.gcd(*(c for p in self.programs for c in p.clocks)) if self.programs else 1
        self.clocks = sorted({c for p in self.programs for c in p.clocks})
        self.due: dict[tuple[bool, ...], list[tuple[Program, list[float]]]] = {}  # by which clocks strike, as asked for
        self.neighbourhoods = Neighbourhoods()
        self.scratch: dict[str, Scratch] = {}
        self.resisted = resisted(model)
        self.writes = tuple(dict.fromkeys(f"{p.cells}.{name}" for p in self.programs for name in self._written(p)))
        self.reads = tuple(dict.fromkeys(
            name for p in self.programs for g in p.groups for s, _ in g.parts
            for name in (f"{p.cells}.voxel", *s.touched(model, p.cells), *(["tumour.clone"] if self._held_off(p.cells, s) else []))
        ))  # fmt: skip
        self.reads = tuple(dict.fromkeys((*self.reads, *(f"field.{name}.concentration" for p in self.programs for name in p.needed))))

    def _held_off(self, cells: str, signal: Signal) -> bool:
        """Whether clones of this type hold less of a drug than is around them."""
        return cells == "tumour" and signal.kind == "drug" and signal.name in self.resisted

    @staticmethod
    def _written(program: Program) -> list[str]:
        return [*dict.fromkeys((program.place, *program.shares)), *(g.memory for g in program.groups if g.memory)]

    def step(self, model: Any) -> None:
        """Evaluate the groups that are due, and the terms on which they act."""
        tick = model.tick
        striking = tuple([tick % c == 0 for c in self.clocks])
        due = self.due.get(striking)
        if due is None:
            due = self.due[striking] = [d for p in self.programs if any((d := (p, [c * model.dt_min if tick % c == 0 else 0.0 for c in p.clocks]))[1])]
        self.evaluate(model, due)

    def hears_cells(self, pathways: Iterable[str]) -> bool:
        """Whether a rule on one of the pathways hears what the chemistry makes: the start is then found in several rounds."""
        acting = [p for p in self.programs if p.term.name.partition(".")[0] in pathways]
        return any(s.kind == "own" for p in acting for g in p.groups for s, _ in g.parts)

    def settle(self, model: Any) -> None:
        """Evaluate all, with memories at what they would come to rest at."""
        self.evaluate(model, [(p, [math.inf] * len(p.groups)) for p in self.programs])

    def complete(self, model: Any, stored: Mapping[str, Mapping[str, Any]]) -> None:
        """Work out what a checkpoint does not hold: the shares of groups that had one clock where it was made and have several here,
        as an alteration on whose term a drug of this arm acts too. Memories stay as they are."""
        lacking = [(p, [NO_TIME if s not in stored.get(p.cells, {}) else 0.0 for s in p.shares]) for p in self.programs if p.place not in p.shares]
        if due := [(p, minutes) for p, minutes in lacking if any(minutes) and p.cells in stored]:
            self.evaluate(model, due)

    def at_once(self, model: Any, cells: str) -> None:
        """What alterations do to cells of a type that have just come, before their clock strikes; the others stay as they are."""
        due = []
        for p in self.programs:
            fixed = dict.fromkeys(p.shares, True)
            for g, share in zip(p.groups, p.shares):
                fixed[share] &= not g.memory and all(s.kind == "alteration" for s, _ in g.parts)
            if p.cells == cells and not p.pooled and any(fixed.values()):
                due.append((p, [NO_TIME if fixed[share] else 0.0 for share in p.shares]))
        if due:
            self.evaluate(model, due)

    def evaluate(self, model: Any, due: list[tuple[Program, list[float]]]) -> None:
        """Work out the terms of `due`: (program, minutes since the last time of each of its groups, 0 where it is not due)."""
        for cells, some in groupby(due, key=lambda d: d[0].cells):
            self.work_out(model, self.populations[cells], some)

    def work_out(self, model: Any, population: Any, due: Iterable[tuple[Program, list[float]]]) -> None:
        """The same for programs of one cell type."""
        if population.n:
            readings = Readings(model, population, self.neighbourhoods, self.scratch.setdefault(population.kind, Scratch()), self.resisted)
            total, other = readings.row(), readings.row()
            steps = [s for program, minutes in due for s in self.steps(readings, program, minutes, total, other)]
            threads.over_rows(threads.in_sequence, population.n, *readings.steps, *steps)

    def steps(self, readings: Readings, program: Program, minutes: list[float], total: np.ndarray, other: np.ndarray) -> list[Step]:
        """Kernels and their arguments, in order; `total` and `other` (capacity,) are scratch that all programs use in turn."""
        columns = readings.population.col
        out = getattr(columns, program.place)
        if program.pooled:
            return self._sum(readings, program.groups[0].powers, out)
        if program.grammar:
            steps = self._by_grammar(readings, program, total, other, out)
        else:
            steps, begun = [], set()
            for group, dt, place in zip(program.groups, minutes, program.shares):
                if dt > 0.0:
                    steps += self._of_group(readings, program.term, group, dt, place not in begun, total, getattr(columns, place))
                    begun.add(place)
            if program.place not in program.shares:
                join = kernels.times if program.term.effect == "multiplies" else kernels.plus
                steps += [(join, (getattr(columns, share), k == 0, out)) for k, share in enumerate(dict.fromkeys(program.shares))]
        if not program.within:
            steps.append((kernels.bound, (program.term.low, program.term.high, out)))
        return steps

    def _of_group(self, readings: Readings, term: Term, group: Group, dt: float, first: bool, total: np.ndarray, out: np.ndarray) -> list[Step]:
        """The steps of one group: one for a single rule on a factor without memory, else sum, saturate, remember, apply."""
        multiplies = term.effect == "multiplies"
        gain = 1.0 if group.linear else group.aim - 1.0 if multiplies else group.aim
        if multiplies and len(group.powers) == 1 and not group.memory:
            signal, scale, hill, family, needs = group.powers[0]
            array = readings.hear(signal, family, needs)
            if not isinstance(array, float):
                return [(kernels.multiply_by_response, (array, readings.itself(signal), scale, hill, gain, first, out))]
        steps = self._sum(readings, group.powers, total)
        if not group.linear:
            steps.append((kernels.saturate, (total,)))
        if group.memory:
            steps.append((kernels.remember, (total, getattr(readings.population.col, group.memory), math.exp(-dt / group.lag_min))))
        return [*steps, (kernels.multiply if multiplies else kernels.add, (total, gain, first, out))]

    def _sum(self, readings: Readings, powers: Iterable[Power], total: np.ndarray) -> list[Step]:
        """Sum of (s/half)^hill, or of slope s, into `total`."""
        steps: list[Step] = []
        for signal, scale, hill, family, needs in powers:
            array = readings.hear(signal, family, needs)
            if isinstance(array, float):
                x = np.array([max(array * scale, 0.0)])
                kernels.raise_to(x, np.uint64(1), hill)
                steps.append((kernels.sum_everywhere, (float(x[0]), not steps, total)))
            else:
                steps.append((kernels.sum_powers, (array, readings.itself(signal), scale, hill, not steps, total)))
        return steps

    def _by_grammar(self, readings: Readings, program: Program, up: np.ndarray, down: np.ndarray, out: np.ndarray) -> list[Step]:
        """PhysiCell's grammar: increasing rules into `up`, decreasing ones into `down`, then the value over the base."""
        parts = [part for g in program.groups for part in g.parts]
        raising, lowering = ([p for p in parts if p[1].verb == verb] for verb in ("raises", "lowers"))
        base, most, least = saturations([e for _, e in raising], [e for _, e in lowering])
        state = getattr(readings.population.col, "state", None)
        deaf = state is not None and not any(e.dead for _, e in parts)
        steps: list[Step] = []
        for some, total in ((raising, up), (lowering, down)):
            steps += self._alive_first(readings, some, total, None if deaf else state) if some else [(kernels.sum_everywhere, (0.0, True, total))]
        unit = (parts[0][1].reference or base) if program.term.effect == "multiplies" else 1.0
        rest = (up, down, base, most, least, unit, out)
        return [*steps, (kernels.grammar_alive, (state, *rest)) if deaf else (kernels.grammar, rest)]

    def _alive_first(self, readings: Readings, parts: list[tuple[Signal, RuleEntry]], total: np.ndarray, state: Any) -> list[Step]:
        """Sum in which rules that do not apply to the dead come first and are then silenced there (`state` None: in nobody)."""
        living, both = ([p for p in parts if p[1].dead is dead] for dead in (False, True))
        steps = self._sum(readings, powers_of(living), total)
        if living and state is not None:
            steps.append((kernels.hush, (state, total)))
        if both:
            more = self._sum(readings, powers_of(both), total)
            if living:
                more[0] = (more[0][0], (*more[0][1][:-2], False, total))
            steps += more
        return steps


def resisted(model: Any) -> dict[str, np.ndarray]:
    """Drug -> r by clone code: cells of a clone hold c/(1 + r) of it. Only drugs of the arm that some clone resists."""
    clones = [{}, *(c.resists for c in model.config.tumour.clones.values())]
    if not any(clones):
        return {}
    by_drug = {agent.name: np.array([agent.entry.resisted(c) for c in clones]) for agent in model.therapy.drugs}
    return {name: r for name, r in by_drug.items() if r.any()}


def powers_of(parts: Iterable[tuple[Signal, RuleEntry]]) -> tuple[Power, ...]:
    """Signal, what it is multiplied by, what that is raised to, the group of the rule, and what it needs."""
    return tuple((signal, entry.scale, entry.power, entry.group, needed_by(entry)) for signal, entry in parts)


def needed_by(entry: RuleEntry) -> Needed | None:
    """The substance without which a rule's signal does nothing, and its level of half the effect."""
    return None if entry.needs is None else (entry.needs.field, entry.needs.half)


def saturations(raising: list[RuleEntry], lowering: list[RuleEntry]) -> tuple[float, float, float]:
    """Base, greatest and least value of a behaviour; each joins the other side where rules of both kinds exist."""
    base = (raising or lowering)[0].base or 0.0
    most = max([e.aim for e in raising] + ([base] if lowering or not raising else []))
    least = min([e.aim for e in lowering] + ([base] if raising or not lowering else []))
    return base, most, least
