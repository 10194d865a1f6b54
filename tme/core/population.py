"""A population is the Mesa agent; a cell is a row of its columns.

Columns are plain arrays of full capacity in `population.col`; only the first `population.n` entries are
live. `population.gsh` is the live slice. `row` is the present place of a cell, `uid` its identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

import mesa
import numpy as np

from tme.core.cells import Cell, CellSelection
from tme.kernels.aligned import row_blocks
from tme.kernels.row_moves import copy_rows, plan_removal

_DTYPES = ("f8", "u8", "i4", "i1")
_NO_TERM = np.zeros(0)
_BY_WIDTH = {8: np.int64, 4: np.int32, 1: np.int8}  # bits are moved as they are


class AgentCounts(WeakKeyDictionary):
    """Numbers of agents by model, as Mesa before 3.4 counts them, that do not keep a model alive."""

    def __getitem__(self, model: Any) -> Any:
        if model not in self:
            self[model] = count(1)
        return super().__getitem__(model)


if isinstance(getattr(mesa.Agent, "_ids", None), dict):  # there every model with an agent would stay in memory for good
    mesa.Agent._ids = AgentCounts(mesa.Agent._ids)


@dataclass(frozen=True)
class Column:
    """One declared quantity of a cell type.

    `at_division` says what the daughter gets: "copy" of the mother's value, "reset" to the default, or
    "half" (mother and daughter share it).
    """

    name: str
    dtype: str
    unit: str
    default: float = 0
    at_division: str = "copy"
    about: str = ""

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise ValueError(f"column {self.name}: dtype {self.dtype} is not one of {_DTYPES}")
        if self.at_division not in ("copy", "reset", "half"):
            raise ValueError(f"column {self.name}: at_division {self.at_division!r}")


COMMON = (
    Column("uid", "u8", "1", about="identity of the cell; never reused"),
    Column("voxel", "i4", "1", about="flat lattice index"),
    Column("n_div", "i4", "1", about="divisions so far, part of the daughter's uid"),
    Column("born_tick", "i4", "tick", about="tick of birth or arrival"),
    Column("fate", "i1", "code", 0, "reset", "what resolve does: 0 nothing, 1 divide, > 10 die of a cause"),
)


class Population(mesa.Agent):
    """Columns of one cell type and the operations that keep them together."""

    kind = "cell"
    code = 0
    columns: tuple[Column, ...] = ()
    entry: Any = None  # of the cell type in the library
    in_slab: float = 1.0  # cells per mm^2 of the lattice for one per mm^2 of a histological section

    def __init__(self, model: Any, capacity: int = 256, extra: Iterable[Column] = ()) -> None:
        super().__init__(model)
        self.declared = {c.name: c for c in (*COMMON, *self.columns, *extra)}
        self._changed = [c for c in self.declared.values() if c.at_division != "copy"]
        self._places: dict[str, str] = {}  # term -> its column, as asked for
        self.n = 0
        self.capacity = 0
        self.col = SimpleNamespace()
        self._allocate(max(16, capacity))

    def _allocate(self, capacity: int) -> None:
        """Grow every column to `capacity`; live rows keep their values."""
        groups = [[c for c in self.declared.values() if np.dtype(c.dtype).itemsize == width] for width in _BY_WIDTH]
        self._blocks = row_blocks(capacity, [(len(group), kind) for group, kind in zip(groups, _BY_WIDTH.values())])
        for group, block in zip(groups, self._blocks):
            for c, row in zip(group, block):
                column = row[:capacity].view(c.dtype)
                if self.capacity:
                    column[: self.n] = getattr(self.col, c.name)[: self.n]
                setattr(self.col, c.name, column)
        self.capacity = capacity
        self._scratch = np.zeros(capacity, np.uint8)
        self.proposal = np.empty(capacity, np.int32)
        self.direction = np.zeros(capacity, np.int8)

    def add(self, uid: np.ndarray, voxel: np.ndarray, tick: int, **values: Any) -> slice:
        """Append cells; columns not named take their default. Returns the slice of new rows."""
        m = len(uid)
        if self.n + m > self.capacity:
            self._allocate(max(self.n + m, int(self.capacity * 1.5)))
        new = slice(self.n, self.n + m)
        for c in self.declared.values():
            getattr(self.col, c.name)[new] = values.pop(c.name, c.default)
        if values:
            raise KeyError(f"{self.kind} has no column {sorted(values)}")
        self.col.uid[new] = uid
        self.col.voxel[new] = voxel
        self.col.born_tick[new] = tick
        self.n += m
        return new

    def copy_from(self, mothers: np.ndarray) -> slice:
        """Append one daughter per mother row by each column's division rule; returns the new rows."""
        m = len(mothers)
        if self.n + m > self.capacity:
            self._allocate(max(self.n + m, int(self.capacity * 1.5)))
        new = slice(self.n, self.n + m)
        target = np.arange(self.n, self.n + m)
        for block in self._blocks:
            copy_rows(block, mothers, target, m)
        for c in self._changed:
            column = getattr(self.col, c.name)
            if c.at_division == "reset":
                column[new] = c.default
            else:
                column[mothers] *= 0.5
                column[new] = column[mothers]
        self.n += m
        return new

    def remove(self, doomed: np.ndarray) -> None:
        """Remove rows (distinct); the tail fills the holes in every column."""
        m = len(doomed)
        if m == 0:
            return
        source = np.empty(m, np.int64)
        target = np.empty(m, np.int64)
        moves, left = plan_removal(doomed, m, self.n, self._scratch, source, target)
        for block in self._blocks:
            copy_rows(block, source, target, moves)
        self.n = left

    def permute(self, order: np.ndarray) -> None:
        """Reorder the live rows (a test of row-order independence uses it)."""
        for name in self.declared:
            column = getattr(self.col, name)
            column[: self.n] = column[: self.n][order]

    def term(self, name: str, column: str = "") -> np.ndarray:
        """The column (capacity,) of a term (`core.terms`), empty where this population has none."""
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = column or "term_" + name.replace(".", "_")
        return getattr(self.col, place, _NO_TERM)

    # ---- how users see it -----------------------------------------------------------------------
    def __getattr__(self, name: str):
        declared = self.__dict__.get("declared", {})
        if name in declared:
            return getattr(self.col, name)[: self.n]
        raise AttributeError(f"{type(self).__name__} has no column or attribute {name!r}")

    def __len__(self) -> int:
        return self.n

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, row: int) -> Cell:
        if not -self.n <= row < self.n:
            raise IndexError(f"row {row} of a population of {self.n}")
        return Cell(self, row % self.n if self.n else row)

    def __iter__(self):
        return (Cell(self, i) for i in range(self.n))

    def select(self, mask: np.ndarray | Callable[[CellSelection], np.ndarray] | None = None) -> CellSelection:
        """A selection of cells by a boolean array, or a function of all of them that returns one, with AgentSet's vocabulary (select, get, set, do, map, agg, groupby, sort, shuffle, to_list)."""
        everyone = CellSelection(self, np.arange(self.n))
        if callable(mask):
            return everyone.select(mask)
        return everyone if mask is None else CellSelection(self, np.flatnonzero(np.asarray(mask)[: self.n]))

    def step(self) -> None:
        """Mesa calls agents; here the model's plan does the work, so a population has nothing to do."""

    # ---- checkpoints ----------------------------------------------------------------------------
    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of the live part of every column."""
        return {name: getattr(self.col, name)[: self.n].copy() for name in self.declared}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Set columns from a checkpoint; columns the checkpoint lacks keep their default."""
        m = len(state["uid"])
        if m > self.capacity:
            self._allocate(int(m * 1.2))
        for name, c in self.declared.items():
            column = getattr(self.col, name)
            column[:m] = state.get(name, c.default)
        self.n = m
