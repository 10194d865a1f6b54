"""What the cells of one type hear: each signal is read once in a round, whatever the number of rules that hear it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tme.kernels import counts as kernels
from tme.kernels.aligned import filled, zeros
from tme.kernels.neighbours import search_order
from tme.kernels.rules import saturate, sum_powers, times
from tme.kernels.transfer import find_corners, read, read_corners
from tme.rules.signals import Signal

Needed = tuple[str, float]  # a field, and its level at which an agent does half of what it does in excess
Step = tuple[Callable[..., Any], tuple[Any, ...]]
NEAR_VOXELS = 3
NO_STATE = np.zeros(0, np.int8)


class Neighbourhoods:
    """Counts (voxels,) int16 of cells of a type near every voxel, made once a tick."""

    def __init__(self) -> None:
        self._counts: dict[Signal, np.ndarray] = {}
        self._ticks: dict[Signal, int] = {}
        self._shapes: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._cells: np.ndarray | None = None

    def counts(self, model: Any, signal: Signal) -> np.ndarray:
        """How many living cells of type `signal.name` are around each voxel, the voxel itself included."""
        if self._ticks.get(signal) == model.tick:
            return self._counts[signal]
        n_voxels = model.grid.n_voxels
        if signal not in self._counts:
            self._counts[signal] = zeros(n_voxels, np.int16)
        counts = self._counts[signal]
        counts[:] = 0
        population = next(p for p in model.populations if p.kind == signal.name)
        offsets, rows = self.shape(model, signal.kind)
        voxel = population.col.voxel[: population.n]
        cells = (len(voxel), voxel, getattr(population.col, "state", NO_STATE))
        span = int(voxel.max()) - int(voxel.min()) if len(voxel) else 0  # voxels of the rows in which cells are
        if len(voxel) * len(offsets) <= span:
            kernels.by_cells(*cells, offsets, rows[:, 2].max(), model.lattice.geometry, counts)
        else:
            self._cells = zeros(n_voxels, np.int16) if self._cells is None else self._cells
            kernels.by_rows(*cells, rows, model.lattice.geometry, self._cells, counts)
        self._ticks[signal] = model.tick
        return counts

    def shape(self, model: Any, word: str) -> tuple[np.ndarray, np.ndarray]:
        """A disc or ball of 3 voxels, or the adjacent voxels: as offsets, and as rows of lattice voxels (`kernels.counts`)."""
        if word not in self._shapes:
            around = search_order(NEAR_VOXELS, model.grid.ndim)
            offsets = around if word == "near" else around[np.abs(around[:, :3]).max(axis=1) <= 1]
            self._shapes[word] = offsets, row_widths(offsets)
        return self._shapes[word]


def row_widths(offsets: np.ndarray) -> np.ndarray:
    """(rows, 3) int64: dz, dy, and voxels to either side that `offsets` (m, 3+) and the voxel itself cover in that row."""
    widths: dict[tuple[int, int], int] = {(0, 0): 0}
    for dz, dy, dx in offsets[:, :3].tolist():
        widths[dz, dy] = max(widths.get((dz, dy), 0), abs(dx))
    return np.array([(*row, width) for row, width in sorted(widths.items())], np.int64)


class Scratch:
    """Arrays (capacity,) for one cell type, used anew in every round."""

    def __init__(self) -> None:
        self.capacity = 0
        self._rows: list[np.ndarray] = []
        self._corners: list[np.ndarray] = []

    def grow(self, capacity: int) -> None:
        """Let arrays go that have become too short."""
        if capacity > self.capacity:
            self.capacity, self._rows, self._corners = capacity, [], []

    def row(self, k: int) -> np.ndarray:
        """The k-th array (capacity,) float64."""
        while len(self._rows) <= k:
            self._rows.append(filled(self.capacity, 0.0))
        return self._rows[k]

    def corners(self, k: int) -> np.ndarray:
        """The k-th array (4, capacity) int32."""
        while len(self._corners) <= k:
            self._corners.append(np.zeros((4, self.capacity), np.int32))
        return self._corners[k]


class Readings:
    """The signals of one round; `steps` are the kernels, with their arguments, that read them."""

    def __init__(self, model: Any, population: Any, neighbourhoods: Neighbourhoods, scratch: Scratch, resisted: Mapping[str, np.ndarray]) -> None:
        self.model, self.population, self.resisted = model, population, resisted
        self.steps: list[Step] = []
        self._neighbourhoods, self._scratch, self._used = neighbourhoods, scratch, 0
        self._heard: dict[tuple[Signal, str | None, Needed | None], Any] = {}
        self._corners: dict[tuple[int, ...], np.ndarray] = {}
        scratch.grow(population.capacity)

    def row(self) -> np.ndarray:
        """An array (capacity,) of the round's own."""
        self._used += 1
        return self._scratch.row(self._used - 1)

    def hear(self, signal: Signal, family: str | None = None, needs: Needed | None = None) -> Any:
        """The signal at every cell, (n,) or longer, once `steps` are done; a number where it is the same in all.

        `family`: the group of rules that hears it, since cells may feel less of a drug at one target than at another.
        `needs`: the signal counts times g/(half + g) of that field, which makes it an array.
        """
        key = signal, family if signal.kind == "drug" else None, needs
        if key not in self._heard:
            self._heard[key] = self._of(signal, key[1]) if needs is None else self._as_far_as(self.hear(signal, family), *needs)
        return self._heard[key]

    def _as_far_as(self, agent: np.ndarray, field: str, half: float) -> np.ndarray:
        """The level of an agent (n,) times g/(half + g), g of a field."""
        out = self.row()
        level = self.hear(Signal("field", field))
        self.steps += [(sum_powers, (level, 0.0, 1.0 / half, 1.0, True, out)), (saturate, (out,)), (times, (agent, False, out))]
        return out

    def itself(self, signal: Signal) -> float:
        """What to take off: the cell, where it is one of those that are counted and that leave no corpse, which is not."""
        return float(self._counted(signal) and "state" not in self.population.declared)

    def _counted(self, signal: Signal) -> bool:
        """Whether the signal counts cells of this type."""
        return signal.kind in ("near", "contact") and signal.name == self.population.kind

    def _of(self, signal: Signal, family: str | None) -> Any:
        if signal.kind == "own":
            column = getattr(self.population.col, signal.name)
            return column if column.dtype == np.float64 else column.astype(np.float64)
        if signal.kind in ("near", "contact"):
            counts, state = self._neighbourhoods.counts(self.model, signal), getattr(self.population.col, "state", None)
            if state is None or not self._counted(signal):
                return self._at_voxels(counts)
            out = self.row()
            self.steps.append((kernels.read_others, (self.population.col.voxel, state, counts, out)))
            return out
        if signal.kind == "alteration":
            cells = carried(self.model, self.population, signal.name)
            return 1.0 if cells is None else cells
        if signal.kind == "drug" and (less := felt(self.model, self.population, signal.name, family, self.resisted)) is not None:
            return less
        if signal.kind in ("field", "drug"):
            return self._at_voxels(self.model.fields[signal.name].read_view)
        value = max(self.model.sim_day, 0.0) if signal.kind == "time" else self.model.events.signal(signal.name)
        return float(value) if np.ndim(value) == 0 else self._at_voxels(value)

    def _at_voxels(self, array: np.ndarray) -> np.ndarray:
        """`array` as kernels read it with `transfer.at`, at the voxel of every cell."""
        out, voxel = self.row(), self.population.col.voxel
        if array.ndim == 1:
            self.steps.append((read, (voxel, array, out)))
            return out
        if array.shape not in self._corners:
            corners = self._corners[array.shape] = self._scratch.corners(len(self._corners))
            self.steps.append((find_corners, (voxel, array.shape, corners)))
        self.steps.append((read_corners, (self._corners[array.shape], array.reshape(-1), array.shape[0] == 1, out)))
        return out


def carried(model: Any, population: Any, name: str) -> np.ndarray | None:
    """1 in cells that carry an alteration, 0 in others, (n,) float64; None where all do."""
    clones = np.array(model.config.carriers()[name], float)
    return None if clones.all() else clones[population.col.clone]


def felt(model: Any, population: Any, drug: str, group: str | None, resisted: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """What of a drug's concentration acts in tumour cells that feel less (or more) of it, (n,) float64; None where all feel it whole.

    Two reasons multiply: what alterations say of the drug or its group, and `resisted` r of clones, of which 1/(1 + r) is left inside.
    """
    shares = model.config.felt() if "clone" in population.declared else {}
    found = [np.array(shares[key]) for key in dict.fromkeys((drug, group)) if key in shares]
    if population.kind == "tumour" and drug in resisted:
        found.append(1.0 / (1.0 + resisted[drug]))
    if not found:
        return None
    return model.fields[drug].at(population.col.voxel[: population.n]) * np.prod(found, axis=0)[population.col.clone[: population.n]]
