"""Ferroptotic deaths in space: clusters, whether neighbours die together, and how fast a front runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme.kernels import pairs
from tme.spatial.cell import Cells, SpatialError
from tme.spatial.draws import Purpose, shuffled
from tme.spatial.neighbourhood import Graph, within
from tme.statistics import fit_line

CLUSTER_UM = 30.0  # corpses so near to each other belong together
SPREAD_UM = 22.0  # neighbours of the propagation index: on a lattice of 15 um those that touch
SHUFFLES = 199
LOW = 0.05  # of the shuffled differences: what the index is measured from
EARLIEST = 0.02  # share of deaths a wave begins with
STEP_UM, LEAST_STEPS = 25.0, 4


@dataclass(frozen=True)
class Clusters:
    """Sizes of clusters of dead cells, largest first; the mean size of the cluster of a dead cell, and what shuffled fates give."""

    sizes: np.ndarray
    typical: float
    shuffled_mean: float
    shuffled_low: float
    shuffled_high: float
    p: float
    dead: int
    of: int


def cluster_sizes(graph: Graph, chosen: np.ndarray) -> np.ndarray:
    """Sizes, largest first, of the parts of the chosen cells (n,) bool that edges connect."""
    parent = np.empty(graph.n, np.int64)
    pairs.connect(graph.at, graph.neighbour, chosen, parent)
    sizes = np.bincount(parent[parent >= 0]) if (parent >= 0).any() else np.zeros(0, np.int64)
    return np.sort(sizes[sizes > 0])[::-1]


def typical_size(sizes: np.ndarray) -> float:
    """Mean size of the cluster that a dead cell is in; NaN without any."""
    return float((sizes.astype(float) ** 2).sum() / sizes.sum()) if len(sizes) else float("nan")


def clusters(of: Cells, radius_um: float = CLUSTER_UM, shuffles: int = SHUFFLES, seed: int = 0) -> Clusters:
    """Clusters of the ferroptotic among cells that could be (give the tumour's cells, dead and alive, alone); fates shuffled for the null."""
    dead = of.dead
    graph = within(of.points, radius_um)
    sizes = cluster_sizes(graph, dead)
    typical = typical_size(sizes)
    drawn = np.array([typical_size(cluster_sizes(graph, shuffled(dead, seed, Purpose.FATES, turn))) for turn in range(shuffles if dead.any() else 0)])
    if not len(drawn):
        unknown = float("nan")
        return Clusters(sizes, typical, unknown, unknown, unknown, unknown, int(dead.sum()), of.n)
    low, high = np.quantile(drawn, [0.025, 0.975])
    p = ((drawn >= typical).sum() + 1) / (len(drawn) + 1)
    return Clusters(sizes, typical, float(drawn.mean()), float(low), float(high), float(p), int(dead.sum()), of.n)


def propagation_index(of: Cells, radius_um: float = SPREAD_UM, shuffles: int = SHUFFLES, seed: int = 0) -> tuple[float, int]:
    """How much closer in time neighbours die than with their hours shuffled, and of how many deaths; NaN where no two neighbours died.

    (5th percentile of shuffled - observed)/5th percentile of the mean absolute difference between neighbours: 1 a perfect wave, 0 or less
    independent deaths (Riegman et al. 2020, Nat Cell Biol 22:1042, doi 10.1038/s41556-020-0565-1).
    """
    mine = of.where(np.isfinite(of.death_hour))
    if mine.n < 2:
        return float("nan"), mine.n
    graph = within(mine.points, radius_um)
    observed = pairs.mean_gap(graph.at, graph.neighbour, mine.death_hour)
    if not np.isfinite(observed):
        return float("nan"), mine.n
    drawn = sorted(pairs.mean_gap(graph.at, graph.neighbour, shuffled(mine.death_hour, seed, Purpose.TIMES, turn)) for turn in range(shuffles))
    low = drawn[int(LOW * shuffles)]
    return (low - observed) / low if low > 0 else float("nan"), mine.n


@dataclass(frozen=True)
class Front:
    """Median hour of death by distance from where it began; speed (um/min) with its 95 % interval and how straight the line is (R^2)."""

    origin_um: tuple[float, ...] | None
    distance_um: np.ndarray
    hour: np.ndarray
    share: np.ndarray
    speed: float
    low: float
    high: float
    r2: float


def front(of: Cells, along: str | None = None, step_um: float = STEP_UM) -> Front:
    """A front through cells, dead and alive: when half of the cells at each distance had died.

    Distance from the middle of the earliest deaths (2 % of them, five at least), or `along` x, y or z from the window's low side. Steps where less
    than half have died have no hour. No speed, NaN, below four steps with one, or where hours do not surely rise with distance (95 %).
    """
    dead = np.isfinite(of.death_hour)
    if along is not None and along not in "xyz"[: of.ndim]:
        raise SpatialError(f"a front along '{along}'; expected one of {', '.join('xyz'[: of.ndim])}")
    nothing = np.zeros(0)
    if dead.sum() < 5:
        return Front(None, nothing, nothing, nothing, *[float("nan")] * 4)
    origin = None
    if along is None:
        early = np.argsort(np.where(dead, of.death_hour, np.inf), kind="stable")[: max(int(np.ceil(EARLIEST * dead.sum())), 5)]
        origin = np.median(of.points[early], axis=0)
        distance = np.sqrt(((of.points - origin) ** 2).sum(axis=1))
    else:
        distance = of.points[:, "xyz".index(along)] - of.window.low["xyz".index(along)]
    step = (distance / step_um).astype(np.int64)
    n = int(step.max()) + 1
    whole = np.bincount(step, minlength=n)
    share = np.divide(np.bincount(step[dead], minlength=n), whole, out=np.full(n, np.nan), where=whole > 0)
    hours = np.where(dead, of.death_hour, np.inf)
    hour = np.full(n, np.nan)
    for k in np.flatnonzero(np.nan_to_num(share) >= 0.5):
        hour[k] = np.median(hours[step == k])
    hour[~np.isfinite(hour)] = np.nan
    middle = (np.arange(n) + 0.5) * step_um
    return Front(None if origin is None else tuple(map(float, origin)), middle, hour, share, *_speed(middle, hour))


def _speed(distance: np.ndarray, hour: np.ndarray) -> tuple[float, float, float, float]:
    """Speed um/min, its interval, R^2 of hours over distance."""
    there = np.isfinite(hour)
    if there.sum() < LEAST_STEPS or np.ptp(hour[there]) == 0.0:
        return (float("nan"),) * 4
    line = fit_line(distance[there], 60.0 * hour[there])
    if not line.low > 0:
        return float("nan"), float("nan"), float("nan"), line.r2
    return 1 / line.slope, 1 / line.high, 1 / line.low, line.r2
