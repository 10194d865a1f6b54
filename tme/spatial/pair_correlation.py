"""How many cells of one type lie at a distance from another: cross-K, cross pair correlation, their intervals and null.

    K_ab(r)  = |W| / (n_a n_b)  sum over a, b at most r apart of e_ab           um^2 (3D um^3); pi r^2 of unrelated cells
    g_ab(r)  = the part of K_ab of a ring / the ring's area                      1 of unrelated cells

e is the translation weight of `window`; n_a (n_a - 1) where a = b. Where cells lie in clumps, as tissue does, all types clump together and
g says so; `ratio` sets the same pairs against shuffled types, so that 1 means that types do not matter.
Sources: Ripley 1976, J Appl Probab 13:255, doi 10.2307/3212829; intervals: Loh 2008, Astrophys J 681:726, doi 10.1086/588631.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tme.kernels import pairs
from tme.spatial.cell import Cells, SpatialError
from tme.spatial.draws import Purpose, uniforms
from tme.spatial.neighbourhood import grid
from tme.spatial.nulls import mutual, shuffled_moments
from tme.spatial.window import MOST_WEIGHT, Window

FAR_UM, RING_UM = 150.0, 10.0
TILES = 6  # along each axis: what is drawn anew for intervals
DRAWS = 999
LEVEL = 0.95


@dataclass(frozen=True)
class Correlation:
    """Cross-K and cross pair correlation of all pairs of types (k, k, rings); `edges_um` (rings + 1,).

    `low`, `high`: 95 % interval of g from drawing tiles of the window anew, given the densities; NaN where too few tiles hold type a.
    `ratio`: pairs over their mean under shuffled types, `null_sd` the standard deviation of that.
    """

    types: tuple[str, ...]
    counts: np.ndarray
    edges_um: np.ndarray
    k: np.ndarray
    g: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ratio: np.ndarray
    null_sd: np.ndarray

    @property
    def middle_um(self) -> np.ndarray:
        """Middles (rings,) of the rings."""
        return (self.edges_um[:-1] + self.edges_um[1:]) / 2

    def table(self) -> pd.DataFrame:
        """One row for each ordered pair of types and ring; K at its outer edge."""
        rows = [
            {"source": a, "target": b, "from_um": self.edges_um[m], "to_um": self.edges_um[m + 1], "k": self.k[i, j, m], "g": self.g[i, j, m],
             "g_low": self.low[i, j, m], "g_high": self.high[i, j, m], "ratio": self.ratio[i, j, m],
             "null_low": 1 - 1.96 * self.null_sd[i, j, m], "null_high": 1 + 1.96 * self.null_sd[i, j, m]}
            for i, a in enumerate(self.types) for j, b in enumerate(self.types) for m in range(len(self.edges_um) - 1)
        ]  # fmt: skip
        return pd.DataFrame(rows)


def rings(window: Window, far_um: float, ring_um: float) -> np.ndarray:
    """Edges of the rings (m + 1,) um, as far as asked for and the window allows."""
    if not (ring_um > 0 and far_um > 0):
        raise SpatialError(f"rings of {ring_um:g} um up to {far_um:g} um; expected both above 0")
    n = int(min(far_um, window.reach_um) / ring_um + 1e-9)
    if n < 1:
        raise SpatialError(f"a window of {' x '.join(f'{s:.0f}' for s in window.size)} um holds no ring of {ring_um:g} um; expected rings below half its shorter side")
    return np.arange(n + 1) * float(ring_um)


def shells(edges_um: np.ndarray, ndim: int) -> np.ndarray:
    """Areas (um^2) or in 3D volumes (um^3) between successive radii."""
    return np.diff(np.pi * edges_um**2 if ndim == 2 else 4 / 3 * np.pi * edges_um**3)


def tiles_of(of: Cells, per_axis: int = TILES) -> np.ndarray:
    """The tile (n,) int64 of each cell: equal boxes, so many along each axis."""
    share = (of.points - of.window.low) / of.window.size
    index = np.clip((share * per_axis).astype(np.int64), 0, per_axis - 1)
    return index @ per_axis ** np.arange(of.ndim)


def edge_terms(window: Window, far_um: float) -> tuple:
    """What kernels need to weigh pairs: box, table of overlaps, its pixel, the largest weight."""
    size = np.ones(3)
    size[: window.ndim] = window.size
    return size, window.overlaps(far_um), float(window.pixel_um), MOST_WEIGHT


def correlation(of: Cells, far_um: float = FAR_UM, ring_um: float = RING_UM, draws: int = DRAWS, seed: int = 0) -> Correlation:
    """All cross-K and pair correlations of cells in their window, up to `far_um` in rings of `ring_um`."""
    edges = rings(of.window, far_um, ring_um)
    m, k = len(edges) - 1, len(of.types)
    tile = tiles_of(of)
    sums, moments = np.zeros((TILES**of.ndim, k, k, m)), np.zeros((3, m))
    g = grid(of.points, float(edges[-1]))
    order = g.order
    pairs.pair_sums(g.x, g.y, g.z, of.code[order], tile[order], *g.given, float(ring_um), *edge_terms(of.window, float(edges[-1])), sums, moments)
    found = sums.sum(axis=0)
    n = of.counts.astype(float)
    n_pairs = n[:, None] * n[None, :] - np.diag(n)
    shell = shells(edges, of.ndim)
    with np.errstate(divide="ignore", invalid="ignore"):
        k_ring = of.window.volume * found / n_pairs[:, :, None]
        mean, variance = shuffled_moments(mutual(*moments), of.counts)
        ratio, null_sd = found / mean, np.sqrt(variance) / mean
    low, high = _interval(of, tile, sums, shell, draws, seed)
    return Correlation(of.types, of.counts, edges, np.cumsum(k_ring, axis=2), k_ring / shell, low, high, ratio, null_sd)


def _interval(of: Cells, tile: np.ndarray, sums: np.ndarray, shell: np.ndarray, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles of g over tiles drawn anew; a tile brings its cells of type a with all that is around them."""
    tiles, k, m = sums.shape[0], sums.shape[1], sums.shape[3]
    own = np.zeros((tiles, k))
    np.add.at(own, (tile, of.code), 1.0)
    held = own.sum(axis=1) > 0
    there = int(held.sum())
    nothing = np.full((k, k, m), np.nan)
    if draws < 20 or there < 4:
        return nothing, nothing.copy()
    chosen = np.stack([(uniforms(there, seed, Purpose.TILES, turn) * there).astype(np.int64) for turn in range(draws)])
    times = np.stack([np.bincount(c, minlength=there) for c in chosen]).astype(float)
    n_b = of.counts[None, :] - np.eye(k)
    low, high = nothing, nothing.copy()
    for a in range(k):
        cells_drawn = times @ own[held, a]
        good = cells_drawn > 0
        if (own[held, a] > 0).sum() < 4 or good.sum() < 20:
            continue
        pairs_drawn = (times[good] @ sums[held, a].reshape(there, -1)).reshape(-1, k, m)
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = of.window.volume * pairs_drawn / (cells_drawn[good, None, None] * n_b[a][None, :, None] * shell)
        partners = n_b[a] > 0
        low[a, partners], high[a, partners] = np.quantile(drawn[:, partners], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
