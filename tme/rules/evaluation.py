"""Rules in the plan: at the clock of their signals, every term that some rule touches is worked out anew.

A program is one term of one cell type with the rules that act on it there. All programs of a cell type that are due are
evaluated in one round over its rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.population import Column
from tme.core.terms import Term
from tme.kernels import rules as kernels
from tme.kernels import threads
from tme.library.rule import RuleEntry
from tme.rules.signals import Neighbourhoods, Signal

Step = tuple[Callable[..., Any], tuple[Any, ...]]


@dataclass(frozen=True)
class Group:
    """Rules that sum before they saturate (mostly one): (s/half)^hill each, the gain on the term, the memory's column."""

    name: str
    parts: tuple[tuple[Signal, RuleEntry], ...]

    @property
    def leader(self) -> RuleEntry:
        """The rule whose direction, target and memory all share."""
        return self.parts[0][1]

    @property
    def memory(self) -> str:
        """Column of its memory; empty without one."""
        return "memory_" + self.word if self.leader.lag_h else ""

    @property
    def word(self) -> str:
        """Its name as part of the name of a column."""
        return self.name.replace(".", "_").lower()

    @property
    def place(self) -> str:
        """Column of its own share of the term, where several groups act on one term, each at its own clock."""
        return "rule_" + self.word


@dataclass(frozen=True)
class Program:
    """One term of one cell type and the groups that act on it; `pooled`: the one group whose sum the law itself takes."""

    cells: str
    term: Term
    groups: tuple[Group, ...]
    pooled: bool = False

    @property
    def place(self) -> str:
        """The column it writes: the term's, or that of the sum of its pool."""
        return self.term.pool_column if self.pooled else self.term.place

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns it needs beyond those the cell type has."""
        own = [] if self.term.column or self.pooled else [self.term.declared()]
        own += [Column(g.memory, "f8", "1", 0.0, "copy", f"memory of rule {g.name}") for g in self.groups if g.memory]
        if self.several:
            own += [Column(g.place, "f8", self.term.unit, self.term.neutral, "copy", f"what rule {g.name} makes of it") for g in self.groups]
        return tuple(own)

    @property
    def several(self) -> bool:
        """Whether groups of different clocks meet in the term."""
        return len(self.groups) > 1 and not self.grammar

    @property
    def grammar(self) -> bool:
        """Whether PhysiCell's grammar combines its rules."""
        return self.groups[0].leader.combine == "cbhg"


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
    return replace(program, groups=tuple(groups)) if groups else None


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
        self.clocks = [self._clocks(model, p) for p in self.programs]
        self.every = math.gcd(*(c for clocks in self.clocks for c in clocks)) if self.clocks else 1
        self.neighbourhoods = Neighbourhoods()
        self.scratch: dict[str, np.ndarray] = {}
        self.writes = tuple(dict.fromkeys(f"{p.cells}.{name}" for p in self.programs for name in self._written(p)))
        self.reads = tuple(dict.fromkeys(
            name for p in self.programs for g in p.groups for s, _ in g.parts for name in (f"{p.cells}.voxel", *s.touched(model, p.cells))
        ))  # fmt: skip

    @staticmethod
    def _written(program: Program) -> list[str]:
        shares = [g.place for g in program.groups] if program.several else []
        return [program.place, *shares, *(g.memory for g in program.groups if g.memory)]

    @staticmethod
    def _clocks(model: Any, program: Program) -> list[int]:
        """Ticks between two evaluations of each group: the shortest clock of its signals; of the grammar's, of all."""
        each = [min(model.ticks(e.clock_min) if e.clock_min else s.clock(model) for s, e in g.parts) for g in program.groups]
        return [min(each)] * len(each) if program.grammar else each

    def step(self, model: Any) -> None:
        """Evaluate the groups that are due, and the terms on which they act."""
        tick, due = model.tick, []
        for program, clocks in zip(self.programs, self.clocks):
            minutes = [c * model.dt_min if tick % c == 0 else 0.0 for c in clocks]
            if any(minutes):
                due.append((program, minutes))
        self.evaluate(model, due)

    def hears_cells(self, pathways: Iterable[str]) -> bool:
        """Whether a rule on one of the pathways hears what the chemistry makes: the start is then found in several rounds."""
        acting = [p for p in self.programs if p.term.name.partition(".")[0] in pathways]
        return any(s.kind == "own" for p in acting for g in p.groups for s, _ in g.parts)

    def settle(self, model: Any) -> None:
        """Evaluate all, with memories at what they would come to rest at."""
        self.evaluate(model, [(p, [math.inf] * len(p.groups)) for p in self.programs])

    def evaluate(self, model: Any, due: list[tuple[Program, list[float]]]) -> None:
        """Work out the terms of `due`: (program, minutes since the last time of each of its groups, 0 where it is not due)."""
        for cells, some in groupby(due, key=lambda d: d[0].cells):
            population = self.populations[cells]
            if population.n:
                total, other = self._scratch(population)
                steps = [s for p, minutes in some for s in self.steps(model, population, p, minutes, total, other)]
                threads.over_rows(threads.in_sequence, population.n, *steps)

    def _scratch(self, population: Any) -> np.ndarray:
        """Two arrays (2, capacity) that every program uses in turn."""
        scratch = self.scratch.get(population.kind)
        if scratch is None or scratch.shape[1] < population.capacity:
            scratch = self.scratch[population.kind] = np.empty((2, population.capacity))
        return scratch

    def steps(self, model: Any, population: Any, program: Program, minutes: list[float], total: np.ndarray, other: np.ndarray) -> list[Step]:
        """Kernels and their arguments, in order."""
        out = getattr(population.col, program.place)
        if program.pooled:
            return self._sum(model, population, program.groups[0].parts, out)
        if program.grammar:
            steps = self._by_grammar(model, population, program, total, other, out)
        else:
            steps = []
            for group, dt in zip(program.groups, minutes):
                if dt > 0.0:
                    place = getattr(population.col, group.place) if program.several else out
                    steps += self._of_group(model, population, program.term, group, dt, True, total, place)
            if program.several:
                join = kernels.times if program.term.effect == "multiplies" else kernels.plus
                steps += [(join, (getattr(population.col, g.place), k == 0, out)) for k, g in enumerate(program.groups)]
        if not within(program):
            steps.append((kernels.bound, (program.term.low, program.term.high, out)))
        return steps

    def _of_group(self, model, population, term: Term, group: Group, dt: float, first: bool, total, out) -> list[Step]:
        """The steps of one group: one for a single rule on a factor without memory, else sum, saturate, remember, apply."""
        leader = group.leader
        multiplies = term.effect == "multiplies"
        gain = leader.aim - 1.0 if multiplies else leader.aim
        if multiplies and len(group.parts) == 1 and not group.memory and group.parts[0][0].kind not in ("time", "event"):
            return [self._read(model, population, *group.parts[0], (kernels.multiply_on_voxels, kernels.multiply_on_rows), (gain, first, out))]
        steps = self._sum(model, population, group.parts, total)
        if leader.response != "linear":
            steps.append((kernels.saturate, (total,)))
        if group.memory:
            keep = math.exp(-dt / (60.0 * (leader.lag_h or 1.0)))
            steps.append((kernels.remember, (total, getattr(population.col, group.memory), keep)))
        return [*steps, (kernels.multiply if multiplies else kernels.add, (total, 1.0 if leader.response == "linear" else gain, first, out))]

    def _sum(self, model: Any, population: Any, parts: Iterable[tuple[Signal, RuleEntry]], total: np.ndarray) -> list[Step]:
        """Sum of (s/half)^hill, or of slope s, into `total`."""
        return [
            self._read(model, population, signal, entry, (kernels.sum_on_voxels, kernels.sum_on_rows), (k == 0, total))
            for k, (signal, entry) in enumerate(parts)
        ]

    def _read(self, model: Any, population: Any, signal: Signal, entry: RuleEntry, pair: tuple[Callable, Callable], rest: tuple) -> Step:
        """The step that reads a signal where it lies; `pair`: the kernels for voxels and for rows."""
        scale, hill = entry.scale, entry.power
        if signal.kind == "own":
            column = getattr(population.col, signal.name)
            if column.dtype != np.float64:
                column = column.astype(np.float64)
            return pair[1], (column, scale, hill, *rest)
        voxel, less = population.col.voxel, 0.0
        if signal.kind in ("near", "contact"):
            array, less = self.neighbourhoods.counts(model, signal), float(signal.name == population.kind)
        elif signal.kind in ("field", "drug"):
            array = model.fields[signal.name].read_view
        else:
            value = max(model.sim_day, 0.0) if signal.kind == "time" else model.events.signal(signal.name)
            if np.ndim(value) == 0:
                return kernels.sum_everywhere, (float(kernels.hill_power(max(float(value) * scale, 0.0), hill)), *rest)
            array = value
        return pair[0], (voxel, array, less, scale, hill, *rest)

    def _by_grammar(self, model: Any, population: Any, program: Program, up: np.ndarray, down: np.ndarray, out: np.ndarray) -> list[Step]:
        """PhysiCell's grammar: increasing rules into `up`, decreasing ones into `down`, then the value over the base."""
        parts = [part for g in program.groups for part in g.parts]
        raising, lowering = ([p for p in parts if p[1].verb == verb] for verb in ("raises", "lowers"))
        base, most, least = saturations([e for _, e in raising], [e for _, e in lowering])
        state = getattr(population.col, "state", None)
        deaf = state is not None and not any(e.dead for _, e in parts)
        steps: list[Step] = []
        for some, total in ((raising, up), (lowering, down)):
            steps += self._alive_first(model, population, some, total, state) if some else [(kernels.sum_everywhere, (0.0, True, total))]
        unit = base if program.term.effect == "multiplies" else 1.0
        rest = (up, down, base, most, least, unit, out)
        return [*steps, (kernels.grammar_alive, (state, *rest)) if deaf else (kernels.grammar, rest)]

    def _alive_first(self, model: Any, population: Any, parts: list[tuple[Signal, RuleEntry]], total: np.ndarray, state: Any) -> list[Step]:
        """Sum in which rules that do not apply to the dead come first and are then silenced there."""
        living, both = ([p for p in parts if p[1].dead is dead] for dead in (False, True))
        steps = self._sum(model, population, living, total)
        if both:
            if living and state is not None:
                steps.append((kernels.hush, (state, total)))
            more = self._sum(model, population, both, total)
            if living:
                more[0] = (more[0][0], (*more[0][1][:-2], False, total))
            steps += more
        return steps


def saturations(raising: list[RuleEntry], lowering: list[RuleEntry]) -> tuple[float, float, float]:
    """Base, greatest and least value of a behaviour; each joins the other side where rules of both kinds exist."""
    base = (raising or lowering)[0].base or 0.0
    most = max([e.aim for e in raising] + ([base] if lowering or not raising else []))
    least = min([e.aim for e in lowering] + ([base] if raising or not lowering else []))
    return base, most, least


def within(program: Program) -> bool:
    """Whether no signal can take the term out of its bounds."""
    term = program.term
    if program.grammar or any(g.leader.response == "linear" for g in program.groups):
        return False
    aims = [g.leader.aim for g in program.groups]
    if term.effect == "adds":
        low, high = sum(min(a, 0.0) for a in aims), sum(max(a, 0.0) for a in aims)
    else:
        low, high = math.prod(min(a, 1.0) for a in aims), math.prod(max(a, 1.0) for a in aims)
    return term.low <= low and high <= term.high
