"""Dose-response of a sweep: which doses each arm of each point got, and what share of the control's tumour was left.

Every simulation stands at a vector of doses, one number per agent; an arm without an agent has dose 0 of it. All points share their
seeds, so the share of replicate r is taken of the untreated tumour of replicate r, and curves and surfaces are paired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tme.statistics.estimate import LEVEL, Estimate
from tme.statistics.hill import FEWEST_DOSES, DoseResponse, dose_response
from tme.statistics.intervals import mean_interval
from tme.statistics.loewe import loewe_excess
from tme.statistics.synergy import hsa_of_pairs


@dataclass(frozen=True)
class DoseTable:
    """Shares of the control by dose: `agents` (k) with their `units`, `doses` (m, k), `shares` (n, m) by replicate."""

    agents: tuple[str, ...]
    units: Mapping[str, str]
    doses: np.ndarray
    shares: np.ndarray
    _curves: dict[str, DoseResponse] = field(default_factory=dict, repr=False, compare=False)

    def only(self, *agents: str) -> np.ndarray:
        """Columns (m,) at which nothing but these agents, and all of them, are given."""
        given = np.array([a in agents for a in self.agents])
        return np.all((self.doses > 0) == given, axis=1)

    def curve(self, agent: str) -> tuple[np.ndarray, np.ndarray]:
        """Doses (p,) ascending and shares (n, p) of the agent alone."""
        at = np.flatnonzero(self.only(agent))
        d = self.doses[at, self.agents.index(agent)]
        order = np.argsort(d, kind="stable")
        return d[order], self.shares[:, at[order]]

    def fit(self, agent: str) -> DoseResponse:
        """The agent's fitted curve (kept after the first call)."""
        if agent not in self._curves:
            self._curves[agent] = dose_response(*self.curve(agent))
        return self._curves[agent]

    def single(self) -> list[str]:
        """Agents given alone at three or more doses."""
        return [a for a in self.agents if self.only(a).sum() >= FEWEST_DOSES]

    def pairs(self) -> list[tuple[str, str]]:
        """Agents that are given together somewhere, two by two."""
        k = range(len(self.agents))
        return [(self.agents[i], self.agents[j]) for i in k for j in k if i < j and self.only(self.agents[i], self.agents[j]).any()]

    def combined(self, a: str, b: str) -> list[tuple[float, float, np.ndarray]]:
        """Dose of a, dose of b, shares (n,) of each combination of just these two."""
        i, j = self.agents.index(a), self.agents.index(b)
        return [(float(self.doses[m, i]), float(self.doses[m, j]), self.shares[:, m]) for m in np.flatnonzero(self.only(a, b))]

    def surface(self, a: str, b: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Doses (p,) and (q,), zero included where it was given, and mean shares (p, q); NaN where nothing was simulated."""
        i, j = self.agents.index(a), self.agents.index(b)
        others = [k for k in range(len(self.agents)) if k not in (i, j)]
        mine = ~np.any(self.doses[:, others] > 0, axis=1)
        da, db = np.unique(self.doses[mine, i]), np.unique(self.doses[mine, j])
        out = np.full((da.size, db.size), np.nan)
        for m in np.flatnonzero(mine):
            out[np.searchsorted(da, self.doses[m, i]), np.searchsorted(db, self.doses[m, j])] = self.shares[:, m].mean()
        return da, db, out

    def excesses(self, a: str, b: str, level: float = LEVEL) -> list[dict[str, Any]]:
        """Excess over Bliss, HSA and Loewe at every combination of the two: rows with dose_a, dose_b, n, and estimates.

        Bliss and HSA need each single agent at the very dose, Loewe the two curves; what cannot be had is None.
        """
        (da, sa), (db, sb) = self.curve(a), self.curve(b)
        rows = []
        for dose_a, dose_b, ab in self.combined(a, b):
            at_a, at_b = np.flatnonzero(da == dose_a), np.flatnonzero(db == dose_b)
            row: dict[str, Any] = {"dose_a": dose_a, "dose_b": dose_b, "n": ab.size, "share": float(ab.mean())}
            row |= {"bliss": None, "hsa": None, "loewe": self.loewe(a, b, dose_a, dose_b, level)[0]}
            if at_a.size and at_b.size:
                alone = sa[:, at_a[0]], sb[:, at_b[0]]
                row["bliss"] = mean_interval(alone[0] * alone[1] - ab, level=level)
                row["hsa"] = hsa_of_pairs(np.ones(ab.size), *alone, ab, level=level)
            rows.append(row)
        return rows

    def loewe(self, a: str, b: str, dose_a: float, dose_b: float, level: float = LEVEL) -> tuple[Estimate | None, np.ndarray]:
        """Loewe excess at one combination, and its pseudovalues (n,); None where the curves or the combination are not there."""
        found = [s for x, y, s in self.combined(a, b) if (x, y) == (dose_a, dose_b)]
        (da, sa), (db, sb) = self.curve(a), self.curve(b)
        if not found or da.size < FEWEST_DOSES or db.size < FEWEST_DOSES:
            return None, np.zeros(0)
        estimate, effects = loewe_excess(da, sa, db, sb, dose_a, dose_b, found[0], level)
        return (estimate, effects) if np.isfinite(estimate.value) else (None, effects)


def dose_table(rows: Iterable[tuple[Mapping[str, float], int, float]], units: Mapping[str, str]) -> DoseTable | None:
    """The table of (doses by agent, replicate, value) rows; None without an untreated tumour to take shares of.

    Replicates are those that have a value at every dose; the same doses given twice in one replicate are averaged.
    """
    rows = [(dict(d), int(r), float(v)) for d, r, v in rows]
    agents = tuple(sorted({a for d, _, _ in rows for a, x in d.items() if x > 0}))
    cells: dict[tuple[float, ...], dict[int, list[float]]] = {}
    for given, replicate, value in rows:
        if np.isfinite(value):
            cells.setdefault(tuple(given.get(a, 0.0) for a in agents), {}).setdefault(replicate, []).append(value)
    none = (0.0,) * len(agents)
    if not agents or none not in cells:
        return None
    common = sorted(set.intersection(*(set(by) for by in cells.values())))
    vectors = sorted(cells)
    values = np.array([[np.mean(cells[v][r]) for v in vectors] for r in common]).reshape(len(common), len(vectors))
    control = values[:, vectors.index(none)]
    keep = control > 0
    if not keep.any():
        return None
    return DoseTable(agents, dict(units), np.array(vectors), values[keep] / control[keep, None])
