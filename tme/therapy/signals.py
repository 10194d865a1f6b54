"""What events leave behind for rules to read: signals per voxel that fade by first order.

    s(t + h) = s(t) e^{-k h},  k = ln 2/half-life

A signal is kept as it was when something was last added, with the minute of that; reading it costs one product, and
nothing is done in between.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class Signals:
    """Signals of all events of the library, by name; a name not yet written is 0 everywhere."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.declared: dict[str, tuple[str, float]] = {}  # name -> (unit, half-life in minutes)
        for name, entry in model.config.library.events.items():
            self.declared |= entry.signals(name)
        self._kept: dict[str, np.ndarray] = {}
        self._since: dict[str, float] = {}

    def signal(self, name: str) -> float | np.ndarray:
        """The signal now: 0.0, or (n_voxels,) float64. KeyError for a name that no event writes."""
        if name not in self._kept:
            _unit, _half_life = self.declared[name]
            return 0.0
        return self._kept[name] * self._left(name)

    def at(self, name: str, voxels: np.ndarray) -> np.ndarray:
        """The signal in `voxels` (n,) now, a new array."""
        kept = self._kept.get(name)
        return np.zeros(len(voxels)) if kept is None else kept[voxels] * self._left(name)

    def add(self, name: str, values: np.ndarray) -> None:
        """Add `values` (n_voxels,) to the remaining signal."""
        self._kept[name] = self.signal(name) + values
        self._since[name] = self._minute

    @property
    def _minute(self) -> float:
        return self._model.tick * self._model.dt_min

    def _left(self, name: str) -> float:
        return math.exp(-math.log(2.0) / self.declared[name][1] * (self._minute - self._since[name]))

    def state_dict(self) -> dict[str, np.ndarray]:
        """Values as kept, and since when."""
        return {f"kept/{n}": a for n, a in self._kept.items()} | {f"since/{n}": np.array(m) for n, m in self._since.items()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Undo `state_dict`."""
        self._kept = {k.removeprefix("kept/"): np.array(v) for k, v in state.items() if k.startswith("kept/")}
        self._since = {k.removeprefix("since/"): float(v) for k, v in state.items() if k.startswith("since/")}
