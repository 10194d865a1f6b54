"""Pareto fronts: which points are beaten by no other, how much they cover, and the grid that costs as much.

All coordinates are costs: smaller is better.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def on_front(costs: np.ndarray) -> np.ndarray:
    """(n,) whether no other of the points (n, k) is as good in all costs and better in one; of equal points all or none."""
    as_good = (costs[:, None, :] <= costs[None, :, :]).all(axis=2)
    better = (costs[:, None, :] < costs[None, :, :]).any(axis=2)
    beaten = np.asarray((as_good & better).any(axis=0))
    return ~beaten


def hypervolume(costs: np.ndarray, worst: Sequence[float] | np.ndarray) -> float:
    """Volume of what the points (n, k) are at least as good as, up to the corner `worst` (k,): exact, by slices along the last cost.

    >>> hypervolume(np.array([[0.0, 0.5], [0.5, 0.0]]), (1.0, 1.0))
    0.75
    """
    worst = np.asarray(worst, float)
    inside = costs[(costs < worst).all(axis=1)] if len(costs) else costs
    if not len(inside):
        return 0.0
    inside = inside[on_front(inside)]
    if len(worst) == 1:
        return float(worst[0] - inside.min())
    inside = inside[np.argsort(inside[:, -1], kind="stable")]
    ends = np.append(inside[1:, -1], worst[-1])
    return float(sum((end - p[-1]) * hypervolume(inside[: k + 1, :-1], worst[:-1]) for k, (p, end) in enumerate(zip(inside, ends)) if end > p[-1]))


def spread(costs: np.ndarray, worst: np.ndarray, most: int) -> np.ndarray:
    """Numbers of at most so many of the points (n, k): one after the other, the one that covers most beyond those before it; in order of the first cost."""
    left, taken = list(range(len(costs))), list[int]()
    while left and len(taken) < most:
        covered = [hypervolume(costs[[*taken, k]], worst) for k in left]
        taken.append(left.pop(int(np.argmax(covered))))
    return np.array(sorted(taken, key=lambda k: tuple(costs[k])), int)


def levels(most: Sequence[int | None], n: int) -> list[int]:
    """How many levels a full grid has of each variable: as even as can be, at most `most` of each (None: any number), all combinations together at most n."""
    out = [1] * len(most)
    while True:
        for k in sorted(range(len(out)), key=lambda j: (out[j], j)):
            more = [v + (j == k) for j, v in enumerate(out)]
            if more[k] <= (most[k] or n) and int(np.prod(more)) <= n:
                out = more
                break
        else:
            return out
