"""Isolated cells through the compiled chemistry alone. Drug strengths are the library's."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tme.library import load_library
from tme.library.hits import TARGETS
from tme.mechanisms.division import VARIED
from tme.pathways.ferroptosis import PARAMETERS, PATHWAY
from tme.pathways.stepping import advance, settle
from tme.targets import mutants

STATES, TRAITS, INPUTS = PATHWAY.state_names, PATHWAY.trait_names, PATHWAY.input_names
POOLS = {term.name: {"j_drug": "j_fe"}.get(term.pool_column, term.pool_column) for term in PATHWAY.terms}  # no tissue, no particles
MEDIUM = {"cystine": 200.0, "oxygen": 38.0}


@cache
def library() -> Any:
    """The library, read once."""
    return load_library()


def effects(drug: str, dose_uM: float | np.ndarray) -> dict[str, Any]:
    """Input columns that a free concentration sets."""
    out: dict[str, Any] = {}
    for hit in library().drug(drug).hits:
        column = POOLS.get(TARGETS[hit.target].term, "") if hit.target in TARGETS else ""
        if column:
            out[column] = out.get(column, 0.0) + (np.asarray(dose_uM, float) * hit.strength) ** hit.exponent
    return out


class Cells:
    """n isolated cells with their chemistry columns; settled at their own untreated steady state.

    `traits` are values or arrays relative to the reference cell; `cv` adds lognormal variation of mean 1.
    `parameters` changes the chemistry's. Inputs keep what `run` last set.
    """

    def __init__(
        self,
        n: int = 1,
        *,
        cv: float = 0.0,
        seed: int = 1,
        traits: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        parameters: dict[str, float] | None = None,
    ) -> None:
        self.n = n
        self.p = PARAMETERS.build({**(parameters or {}), **mutants.parameters("ferroptosis")})
        self.col = {name: np.zeros(n) for name in (*STATES, *TRAITS, *INPUTS)}
        for name in TRAITS:
            self.col[name][:] = 0.0 if name == "mufa" else 1.0
        rng = np.random.default_rng(seed)
        sd = np.sqrt(np.log1p(cv**2))
        for name in VARIED:
            self.col[name] *= np.exp(sd * rng.standard_normal(n) - 0.5 * sd * sd)
        for name, value in (traits or {}).items():
            self.col[name] *= value
        self.state = np.zeros(n, np.int8)
        self.tick = 0
        self.set({**MEDIUM, **(inputs or {})})
        settle(PATHWAY, n, self.p, self.state, *(self.col[c] for c in (*STATES, *TRAITS, *INPUTS)))
        self.death_h = np.full(n, np.nan)

    def set(self, inputs: dict[str, Any]) -> None:
        """Set input columns to a value or to an array (n,)."""
        for name, value in inputs.items():
            self.col[name][:] = value

    def repeat(self, times: int) -> Cells:
        """A copy with every cell `times` over: cells of one dose stand together."""
        out = object.__new__(Cells)
        out.n, out.p, out.tick = self.n * times, self.p, self.tick
        out.col = {k: np.tile(v, times) for k, v in self.col.items()}
        out.state, out.death_h = np.tile(self.state, times), np.tile(self.death_h, times)
        return out

    def run(self, hours: float, dt_min: float = 1.0, **inputs: Any) -> Cells:
        """Step for some hours; `death_h` counts from the start of this call. Ruptured cells are stopped."""
        self.set(inputs)
        clock = np.zeros(self.n, np.int32)
        self.death_h[:] = np.where(self.state == 0, np.nan, self.death_h)
        columns = [self.col[c] for c in (*STATES, *TRAITS, *INPUTS)]
        for tick in range(1, round(hours * 60 / dt_min) + 1):
            rows = np.flatnonzero(self.state == 0).astype(np.int64)
            if len(rows) == 0:
                break
            clock[rows] = tick - 1
            advance(PATHWAY, rows, len(rows), tick, dt_min, self.p, self.state, clock, *columns)
            new = (self.col["damage"] >= 1.0) & (self.state == 0)
            self.state[new] = 1
            self.death_h[new] = tick * dt_min / 60.0
        return self

    @property
    def dead(self) -> float:
        """Share of cells that ruptured."""
        return float((self.state == 1).mean())


def ec50(cells: Cells, drug: str, doses: np.ndarray, hours: float = 24.0, **inputs: Any) -> float:
    """Dose that kills half of the cells within `hours`, log-interpolated; inf if none tried does."""
    n = cells.n
    many = cells.repeat(len(doses))
    many.run(hours, 2.0, **effects(drug, np.repeat(doses, n)), **inputs)
    killed = (many.state == 1).reshape(len(doses), n).mean(axis=1)
    return crossing(doses, killed)


def crossing(doses: np.ndarray, killed: np.ndarray) -> float:
    """Where a dose response first passes one half, interpolated in log dose; inf if it does not."""
    above = np.flatnonzero(killed >= 0.5)
    if len(above) == 0:
        return float("inf")
    i = int(above[0])
    if i == 0:
        return float(doses[0])
    w = (0.5 - killed[i - 1]) / (killed[i] - killed[i - 1])
    return float(np.exp(np.log(doses[i - 1]) * (1 - w) + np.log(doses[i]) * w))
