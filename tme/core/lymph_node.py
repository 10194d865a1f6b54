"""The draining lymph node as laws share it: its output of primed CD8, and what is on its way there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class DelayLine:
    """Amounts (int64 counts) that come out a number of steps after they went in; none at once where that is 0."""

    def __init__(self, steps: int) -> None:
        self.amounts = np.zeros(steps + 1, np.int64)
        self.slot = 0

    def step(self, amount: int) -> int:
        """Put an amount in; returns what is due."""
        n = len(self.amounts)
        self.amounts[(self.slot + n - 1) % n] += amount
        due = int(self.amounts[self.slot])
        self.amounts[self.slot] = 0
        self.slot = (self.slot + 1) % n
        return due


class LymphNode:
    """`output` B, in units of what holds the CD8 present at the start; `travelling` dendritic cells, `expanding` CD8; `memory`.

    `travelling` holds their priming quality, `on_the_way` their number, `dendritic` the number in the node, `tumour_cells`
    that of tumour cells at the start. The delay lines are made by the law that knows their lengths.
    """

    def __init__(self) -> None:
        self.output, self.memory, self.dendritic, self.tumour_cells = 1.0, 0.0, 0.0, 1
        self.travelling, self.expanding, self.on_the_way = DelayLine(0), DelayLine(0), DelayLine(0)

    @property
    def _lines(self) -> tuple[tuple[str, DelayLine], ...]:
        return (("travelling", self.travelling), ("expanding", self.expanding), ("on_the_way", self.on_the_way))

    def state_dict(self) -> dict[str, np.ndarray]:
        """Output, memory, numbers and the delay lines."""
        out = {"output": np.array(self.output), "memory": np.array(self.memory), "dendritic": np.array(self.dendritic), "tumour_cells": np.array(self.tumour_cells)}
        for name, line in self._lines:
            out[name], out[f"{name}_slot"] = line.amounts.copy(), np.array(line.slot)
        return out

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Undo `state_dict`."""
        self.output, self.memory, self.dendritic = (float(state[k]) for k in ("output", "memory", "dendritic"))
        self.tumour_cells = int(state["tumour_cells"])
        for name, line in self._lines:
            line.amounts[:], line.slot = state[name], int(state[f"{name}_slot"])
