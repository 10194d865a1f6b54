"""Light views of cells: one row, or a selection with the vocabulary of a Mesa AgentSet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Cell:
    """A row seen as an object: `model.tumour[17].lip`, `.unique_id`, `.pos`. Valid until the next step."""

    __slots__ = ("_population", "row")

    def __init__(self, population: Any, row: int) -> None:
        object.__setattr__(self, "_population", population)
        object.__setattr__(self, "row", row)

    @property
    def unique_id(self) -> int:
        """The cell's uid, the same in every arm that holds this cell."""
        return int(self._population.col.uid[self.row])

    @property
    def pos(self) -> tuple[float, float, float]:
        """Centre of the cell's voxel in um: (x, y, z)."""
        x, y, z = self._population.model.lattice.position_um(self._population.col.voxel[self.row])
        return float(x), float(y), float(z)

    def __getattr__(self, name: str):
        if name in self._population.declared:
            return getattr(self._population.col, name)[self.row].item()
        raise AttributeError(f"{self._population.kind} cells have no {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._population.declared:
            raise AttributeError(f"{self._population.kind} cells have no {name!r}")
        getattr(self._population.col, name)[self.row] = value

    def __repr__(self) -> str:
        return f"<{self._population.kind} {self.unique_id:#018x} in voxel {self.voxel}>"


class CellSelection:
    """Rows of one population, chosen; reads and writes go straight to the columns."""

    def __init__(self, population: Any, rows: np.ndarray) -> None:
        self.population = population
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self):
        return (Cell(self.population, int(i)) for i in self.rows)

    def get(self, name: str) -> np.ndarray:
        """Values of a column for the chosen cells (a copy)."""
        return getattr(self.population.col, name)[self.rows]

    def set(self, name: str, value: Any) -> CellSelection:
        """Set a column for the chosen cells."""
        if name not in self.population.declared:
            raise AttributeError(f"{self.population.kind} cells have no {name!r}")
        getattr(self.population.col, name)[self.rows] = value
        return self

    def select(self, condition: Callable[[CellSelection], np.ndarray] | np.ndarray) -> CellSelection:
        """Narrow by a boolean array, or by a function of the selection that returns one."""
        mask = condition(self) if callable(condition) else condition
        return CellSelection(self.population, self.rows[np.asarray(mask, bool)])

    def do(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> CellSelection:
        """Call a function with each chosen cell, as AgentSet does."""
        for cell in self:
            method(cell, *args, **kwargs)
        return self

    def map(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """What a function returns for each chosen cell."""
        return [method(cell, *args, **kwargs) for cell in self]

    def sort(self, key: str | Callable[[Cell], Any], ascending: bool = False) -> CellSelection:
        """The same cells by a column, or by a function of the cell; the largest first unless `ascending`, as in AgentSet."""
        values = self.get(key) if isinstance(key, str) else np.array(self.map(key))
        order = np.argsort(values if ascending else -values, kind="stable")
        return CellSelection(self.population, self.rows[order])

    def to_list(self) -> list[Cell]:
        """The chosen cells."""
        return list(self)

    def agg(self, name: str, how: Callable[[np.ndarray], Any]) -> Any:
        """Apply a function to a column of the chosen cells."""
        return how(self.get(name))

    def groupby(self, name: str) -> dict[Any, CellSelection]:
        """Split by the values of a column."""
        values = self.get(name)
        return {v.item(): CellSelection(self.population, self.rows[values == v]) for v in np.unique(values)}

    def shuffle(self, rng: np.random.Generator) -> CellSelection:
        """The same cells in random order (the generator is the caller's, not the model's)."""
        return CellSelection(self.population, rng.permutation(self.rows))
