"""A pathway in the plan: which cells are stepped this tick, the sweep over them, and the deaths it causes.

Cells that are awake by the pathway's own criterion, a pure function of their state, are stepped at every base tick,
resting ones at the resting clock; each pathway has its own clock column. Any cell type may run any pathway: an entry
names both, and a preset where its numbers differ from the pathway's (`cell_types`). Columns exist only where the entry is on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet
from tme.core.population import Column
from tme.kernels import threads
from tme.kernels.chemistry import dying
from tme.kernels.jit import serial
from tme.kernels.transfer import at
from tme.pathways import stepping
from tme.pathways.contract import Pathway
from tme.pathways.device import DeviceStepper

LEAVES = 30  # the fate of an immune cell that dies or leaves


@serial
def sense(lo, hi, voxel, field, out):
    """out[i] = what the field is at the cell's voxel."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] = at(field, voxel[i])


class PathwayEntry(Mechanism):
    """One pathway in one cell type. `preset` holds traits of the cell type and numbers of the pathway that differ there."""

    phase = Phase.INTRACELLULAR
    pathway: ClassVar[Pathway]
    cells: ClassVar[str] = "tumour"
    preset: ClassVar[ParameterSet | None] = None
    starts_on: ClassVar[bool] = True
    emits: ClassVar[bool] = False  # whether its cells add to the field of `pathway.emits`; the tumour's do so anyway

    @classmethod
    def is_on(cls, config: Any) -> bool:
        """Whether the config has it: by `mechanisms.NAME.on`, else by its own default."""
        return bool(config.mechanisms.get(cls.name, {}).get("on", cls.starts_on))

    @classmethod
    def enabled(cls, model: Any) -> bool:
        """Where the config has it on, and the cell type."""
        return cls.is_on(model.config) and cls.cells in model.populations

    @classmethod
    def numbers(cls, overrides: dict[str, float]) -> Any:
        """The pathway's parameters in this cell type; `overrides` are those of the entry's group."""
        if cls.preset is None:
            return cls.pathway.parameters.build(overrides)
        preset = cls.preset.build(overrides)._asdict()
        return cls.pathway.parameters.build({n: v for n, v in preset.items() if n in cls.pathway.parameters})

    @classmethod
    def columns(cls, overrides: dict[str, float], have: Iterable[str]) -> tuple[Column, ...]:
        """The columns that the cell type lacks; a new cell begins with the preset's traits, at rest."""
        traits = {} if cls.preset is None else cls.start_of(overrides)
        return tuple(
            Column(c.name, c.dtype, c.unit, traits.get(c.name, c.default), c.at_division, c.about)
            for c in cls.pathway.columns()
            if c.name not in set(have)
        )

    @classmethod
    def start_of(cls, overrides: dict[str, float]) -> dict[str, float]:
        """Traits of the preset and the steady state of a cell that has them, in what its inputs are by default."""
        preset = cls.preset.build(overrides)._asdict() if cls.preset is not None else {}
        given = {g.name: preset.get(g.name, g.default) for g in cls.pathway.given}
        columns = [np.zeros(1) for _ in cls.pathway.states] + [np.full(1, v) for v in given.values()]
        stepping.settle(cls.pathway, 1, cls.numbers(overrides), np.zeros(1, np.int8), *columns)
        return {name: float(c[0]) for name, c in zip(cls.pathway.column_names, columns)}

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        pathway = self.pathway
        self.p = self.numbers(model.config_for(self.name))
        self.resting_every = model.ticks(model.config.clocks.chemistry_resting_min)
        self.rows = np.empty(0, np.int64)
        self.alive = np.empty(0, np.int8)  # for cell types without corpses
        self.stepped = 0
        self._given: list[np.ndarray] = []
        self.seen = stepping.seen_by(pathway)
        population = model.populations[self.cells]
        self.modulated = any(t.place in population.declared for t in pathway.terms)
        self.device = DeviceStepper(pathway, self.modulated) if model.device != "cpu" else None
        before = [e for e in model._entries if isinstance(e, PathwayEntry) and e.cells == self.cells]
        sensed = {c.name for c in population.columns} | {name for e in before for name, _ in e.fields}  # by other parts of the plan
        self.fields: list[tuple[str, str]] = [(g.name, g.field) for g in pathway.inputs if g.field in model.fields and g.name not in sensed]
        terms = tuple(t.place for t in pathway.terms if t.place in population.declared)
        given = tuple(g.name for g in pathway.given if g.name not in [name for name, _ in self.fields])
        own = tuple(c for c in ("state", "born_tick") if c in population.declared)
        own += ("voxel",) if self.fields else ()
        self.reads = (*(f"{self.cells}.{c}" for c in (*given, *terms, *own)), *(f"field.{f}.concentration" for _, f in self.fields))
        self.writes = tuple(f"{self.cells}.{c}" for c in (*pathway.state_names, pathway.ticker, *(n for n, _ in self.fields)))

    def step(self, model: Any) -> None:
        """Step the cells that are due."""
        population = model.populations[self.cells]
        if len(self.rows) < population.capacity:
            self.rows = np.empty(population.capacity, np.int64)
        t = population.col
        self.sense(model, population)
        seen = [getattr(t, c) for c in self.seen]
        state, clock = self.states(population), getattr(t, self.pathway.ticker)
        m = stepping.select(self.pathway, self.rows, population.n, model.tick, self.resting_every, self.p, state, clock, seen)
        self.stepped += m
        if m:
            self.advance(population, m, model.tick, model.dt_min)

    def sense(self, model: Any, population: Any) -> None:
        """Inputs that nothing else senses, where their field was solved; cells that came lately begin at their arrival."""
        t = population.col
        for name, field in self.fields:
            threads.over_rows(sense, population.n, t.voxel, model.fields[field].read_view, getattr(t, name))
        if self.cells == "tumour":
            return  # a daughter has her mother's clock, and no cell arrives
        clock = getattr(t, self.pathway.ticker)[: population.n]
        np.maximum(clock, t.born_tick[: population.n], out=clock)

    def states(self, population: Any) -> np.ndarray:
        """0 in living cells; a cell type without corpses is alive."""
        if hasattr(population.col, "state"):
            return population.col.state
        if len(self.alive) < population.capacity:
            self.alive = np.zeros(population.capacity, np.int8)
        return self.alive

    def given_columns(self, population: Any) -> list[np.ndarray]:
        """What the kernel takes: states, traits, inputs, and terms where a rule acts on one; found anew when the cells got more room."""
        first = getattr(population.col, self.pathway.column_names[0])
        if not self._given or self._given[0] is not first:
            self._given = [getattr(population.col, c) for c in self.pathway.column_names]
            self._given += [population.term(t.name, t.column) for t in self.pathway.terms] if self.modulated else []
        return self._given

    def advance(self, population: Any, m: int, tick: int, dt_min: float) -> None:
        """Call the sweep on the first `m` of `self.rows`."""
        state, clock = self.states(population), getattr(population.col, self.pathway.ticker)
        arguments = (self.rows, m, tick, dt_min, self.p, state, clock, *self.given_columns(population))
        if self.device is not None:
            self.device.advance(*arguments)
        else:
            stepping.advance(self.pathway, *arguments, modulated=self.modulated)

    def settle(self, model: Any) -> None:
        """Bring every living cell to its own steady state at what it senses now; damage starts at 0."""
        population = model.populations[self.cells]
        self.sense(model, population)
        stepping.settle(self.pathway, population.n, self.p, self.states(population), *self.given_columns(population), modulated=self.modulated)
        getattr(population.col, self.pathway.ticker)[: population.n] = model.tick

    def settle_rows(self, model: Any, rows: np.ndarray) -> None:
        """The same for some rows, which have come while the model runs."""
        population = model.populations[self.cells]
        columns = self.given_columns(population)
        some = [c[rows] if len(c) else c for c in columns]
        stepping.settle(self.pathway, len(rows), self.p, np.zeros(len(rows), np.int8), *some, modulated=self.modulated)
        for column, values in zip(columns, some):
            if len(column):
                column[rows] = values
        getattr(population.col, self.pathway.ticker)[rows] = model.tick

    def apart(self, model: Any, rows: np.ndarray, minutes: float, step_min: float, conditions: dict[str, float]) -> np.ndarray:
        """Greatest damage (n,) of copies of some cells in some time elsewhere, in `conditions`: traits and inputs by name. The cells stay as they are."""
        population = model.populations[self.cells]
        columns = [c[rows] if len(c) else c for c in self.given_columns(population)]
        names = self.pathway.column_names
        for name, value in conditions.items():
            columns[names.index(name)][:] = value
        n, clock = np.arange(len(rows), dtype=np.int64), np.zeros(len(rows), np.int32)
        damage = columns[self.pathway.state_names.index(self.pathway.damage)]
        worst = damage.copy()
        for k in range(max(1, round(minutes / step_min))):
            stepping.advance(self.pathway, n, len(rows), k + 1, step_min, self.p, np.zeros(len(rows), np.int8), clock, *columns, modulated=self.modulated)
            np.maximum(worst, damage, out=worst)  # a cell that has ruptured does not come back
        return worst

    def state_dict(self) -> dict[str, np.ndarray]:
        """How many cell steps were taken (a readout, not dynamics)."""
        return {"stepped": np.array(self.stepped)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Undo `state_dict`."""
        self.stepped = int(state["stepped"])


class PathwayDeath(Mechanism):
    """Cells of an entry whose damage has reached 1 die: tumour cells become corpses, others leave the tissue."""

    phase = Phase.FATE
    of: ClassVar[type[PathwayEntry]]

    @classmethod
    def enabled(cls, model: Any) -> bool:
        """Where the pathway is on."""
        return cls.of.enabled(model)

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        has_state = "state" in model.populations[self.of.cells].declared
        self.counter = f"dead_{self.of.pathway.name}_{self.of.cells}"  # of guests; corpses are counted by cause where they are buried
        self.reads = tuple(f"{self.of.cells}.{c}" for c in (self.of.pathway.damage, "fate", *(("state",) if has_state else ())))
        self.adds = (f"{self.of.cells}.fate", *(() if has_state else (f"counters.{self.counter}",)))

    def step(self, model: Any) -> None:
        """One tick."""
        population = model.populations[self.of.cells]
        t, damage = population.col, getattr(population.col, self.of.pathway.damage)
        if hasattr(t, "state"):
            threads.over_rows(dying, population.n, t.state, damage, t.fate, 10 + self.of.pathway.cause)
            return
        count = sum(threads.over_rows(dying, population.n, model.mechanism(self.of.name).states(population), damage, t.fate, LEAVES))
        model.counters[self.counter] += count
