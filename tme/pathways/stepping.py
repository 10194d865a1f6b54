"""Cells stepped by a pathway's kernels: the same calls for every pathway, from Python.

`columns` are always states, traits and inputs in the order of the table (`Pathway.column_names`), then, for the modulated
kernel, an array for every term, empty where no rule acts on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.kernels import threads
from tme.pathways.contract import Pathway, arguments
from tme.pathways.store import kernels

SETTLE_STEPS = 120
SETTLE_STEP_MIN = 60.0


def advance(pathway: Pathway, rows: np.ndarray, n_rows: int, *rest: Any, modulated: bool = False) -> None:
    """Step each listed row from its own clock to `tick`; states and clocks change in place.

    `rows` (capacity,) int64, the first `n_rows` distinct; `rest` is tick, dt_min, the parameters, `state` int8 (0
    alive), the clock int32 and the columns, (capacity,) float64.
    """
    threads.over_rows(kernels(pathway, modulated).advance_rows, n_rows, rows, *rest)


def select(pathway: Pathway, out: np.ndarray, n: int, tick: int, resting_every: int, p: Any, state: np.ndarray, clock: np.ndarray,
           seen: list[np.ndarray]) -> int:  # fmt: skip
    """List in `out` the rows that are due; `seen` are the columns that `awake` reads. Returns how many."""
    return threads.gather_rows(out, kernels(pathway).select, n, tick, resting_every, p, state, clock, out, *seen)


def seen_by(pathway: Pathway) -> list[str]:
    """Names of the columns that `awake` reads."""
    names = {**{s.var: s.name for s in pathway.states}, **{g.name: g.name for g in pathway.given}}
    return [name for var, name in names.items() if var in arguments(pathway.awake)]


def settle(pathway: Pathway, n: int, p: Any, state: np.ndarray, *columns: np.ndarray, modulated: bool = False) -> None:
    """Bring the first `n` cells to their own steady state in what they sense now; damage ends at 0.

    From the pathway's `resting` law, 120 steps of 60 min through the same kernel (ferroptosis: within 1e-6 of the exact
    steady state, LSODA, 60 days). The clocks of the cells are left alone.
    """
    kernels(pathway, modulated).begin(n, p, *columns)
    rows, clock = np.arange(n, dtype=np.int64), np.zeros(n, np.int32)
    for k in range(SETTLE_STEPS):
        advance(pathway, rows, n, k + 1, SETTLE_STEP_MIN, p, state, clock, *columns, modulated=modulated)
    if pathway.damage:
        columns[pathway.state_names.index(pathway.damage)][:n] = 0.0
