"""What was tried, sorted: which points count, which are on the front, how much of the box of all costs they cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tme.studies.pareto import hypervolume, on_front, spread
from tme.studies.search import Tried


def distinct(tried: Sequence[Tried]) -> list[Tried]:
    """Each point once, where it came first: a repetition costs nothing."""
    return list({tuple(t.values.items()): t for t in reversed(tried)}.values())[::-1]


def allowed_of(tried: Sequence[Tried]) -> list[Tried]:
    """Those that keep the limits."""
    return [t for t in tried if t.outcome is not None and t.outcome.within]


def costs_of(tried: Sequence[Tried], k: int) -> np.ndarray:
    """(n, k) costs."""
    return np.array([t.outcome.costs for t in tried if t.outcome is not None], float).reshape(-1, k)


def front_of(tried: Sequence[Tried]) -> list[Tried]:
    """Those of the front, in order of the first cost; of points with equal costs the first."""
    allowed = allowed_of(tried)
    if not allowed:
        return []
    costs = costs_of(allowed, len(allowed[0].outcome.costs))  # type: ignore[union-attr]
    first = {tuple(c): t for c, t, ok in reversed(list(zip(costs, allowed, on_front(costs)))) if ok}
    return [first[c] for c in sorted(first)]


@dataclass(frozen=True)
class Box:
    """Between which corners hypervolumes are counted: each (objectives,) as costs."""

    best: np.ndarray
    worst: np.ndarray

    def share(self, costs: np.ndarray) -> float:
        """Share of the box that points (n, objectives) are at least as good as."""
        return hypervolume((costs - self.best) / (self.worst - self.best), np.ones(len(self.best)))

    def holding(self, costs: np.ndarray, free: np.ndarray) -> Box:
        """The box made so large that points (n, objectives) lie within; its worst corner moves where `free` (objectives,)."""
        both = np.vstack([self.best, self.worst, costs])
        return Box(both.min(axis=0), np.where(free, both.max(axis=0), self.worst))


def box_of(tried: Sequence[Tried], stated: Sequence[float | None]) -> Box | None:
    """From the best cost that any point within the limits has of each objective to the worst, or to what is stated; None where they are the same."""
    costs = costs_of(allowed_of(tried), len(stated))
    if not len(costs):
        return None
    worst = np.where([w is not None for w in stated], np.array(stated, float), costs.max(axis=0))
    best = costs.min(axis=0)
    return Box(best, worst) if (best < worst).all() else None


def chosen(tried: Sequence[Tried], box: Box | None, most: int) -> list[Tried]:
    """At most so many of the front, those that cover most."""
    front = front_of(tried)
    if box is None or len(front) <= most:
        return front[:most]
    beyond = box.worst + 0.01 * (box.worst - box.best)  # the ends of the front count too
    return [front[k] for k in spread(costs_of(front, len(box.best)), beyond, most)]


def trace(found: Sequence[Tried], box: Box, k: int) -> list[float]:
    """Share of the box after each point of the search."""
    out, front, share = [], np.empty((0, k)), 0.0
    for t in found:
        if t.outcome is not None and t.outcome.within:
            front = np.vstack([front, t.outcome.costs])
            front = front[on_front(front)]
            share = box.share(front)
        out.append(share)
    return out
