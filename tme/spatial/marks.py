"""Weighted pair correlation: where cells of a continuous mark lie from cells of a type.

    g_a(r, m) = |W| / (n_a W_m A_r)  sum over a, j of w_m(mark_j) e_aj 1(r in the ring)

w_m is 1 at the level m and falls linearly to 0 at the next one on either side, W_m its sum over marked cells. `ratio` sets the pairs against
marks shuffled among the marked cells: 1 where the mark does not know where cells of the type are.
Source: Bull & Byrne 2023, PLoS Comput Biol 19:e1010994, doi 10.1371/journal.pcbi.1010994.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tme.kernels import pairs
from tme.spatial.cell import Cells, SpatialError
from tme.spatial.neighbourhood import grid
from tme.spatial.nulls import shuffled_sum
from tme.spatial.pair_correlation import FAR_UM, RING_UM, edge_terms, rings, shells

LEVELS = 5
ENDS = (0.02, 0.98)  # quantiles between which levels lie: single extreme cells do not stretch them


@dataclass(frozen=True)
class Weighted:
    """g and ratio (types, rings, levels), the standard deviation of the ratio under shuffled marks, the levels (levels,) in the mark's unit."""

    mark: str
    types: tuple[str, ...]
    edges_um: np.ndarray
    levels: np.ndarray
    g: np.ndarray
    ratio: np.ndarray
    null_sd: np.ndarray
    marked: int

    def table(self) -> pd.DataFrame:
        """One row for each type, ring and level."""
        rows = [
            {"mark": self.mark, "level": level, "target": a, "from_um": self.edges_um[r], "to_um": self.edges_um[r + 1], "g": self.g[i, r, m],
             "ratio": self.ratio[i, r, m], "null_low": 1 - 1.96 * self.null_sd[i, r, m], "null_high": 1 + 1.96 * self.null_sd[i, r, m]}
            for i, a in enumerate(self.types) for r in range(len(self.edges_um) - 1) for m, level in enumerate(self.levels)
        ]  # fmt: skip
        return pd.DataFrame(rows)


def weighted(of: Cells, mark: str, far_um: float = FAR_UM, ring_um: float = RING_UM, levels: np.ndarray | int = LEVELS) -> Weighted:
    """Weighted pair correlation of a mark with cells of every type.

    `levels`: how many, evenly between the 2nd and 98th percentile, or the levels themselves, rising evenly. Marks beyond the ends count as
    the ends. SpatialError where there is no such mark or it does not vary.
    """
    if mark not in of.marks:
        raise SpatialError(f"no mark '{mark}'; expected one of {', '.join(of.marks) or 'none: there are no marks'}")
    value = of.marks[mark]
    there = np.isfinite(value)
    if not there.any():
        raise SpatialError(f"no cell has a {mark}")
    low, high = np.quantile(value[there], ENDS)
    at = np.linspace(low, high, levels) if isinstance(levels, int) else np.asarray(levels, float)
    if len(at) < 2 or not (np.diff(at) > 0).all() or not np.allclose(np.diff(at), at[1] - at[0]):
        raise SpatialError(f"levels {', '.join(f'{v:g}' for v in at)} of {mark}; expected two and more that rise evenly: does {mark} vary?")
    place = np.clip((value - at[0]) / (at[1] - at[0]), 0.0, len(at) - 1.0)
    edges = rings(of.window, far_um, ring_um)
    sums, moments = np.zeros((len(of.types), len(edges) - 1, len(at))), np.zeros((2, len(of.types), len(edges) - 1))
    g = grid(of.points, float(edges[-1]))
    pairs.mark_sums(g.x, g.y, g.z, of.code[g.order], place[g.order], *g.given, float(ring_um), *edge_terms(of.window, float(edges[-1])), sums, moments)
    share = np.clip(1.0 - np.abs(place[there, None] - np.arange(len(at))), 0.0, 1.0)
    weight = np.stack([share.sum(axis=0), (share**2).sum(axis=0)])
    mean, variance = shuffled_sum(moments[0], moments[1], weight, int(there.sum()))
    with np.errstate(divide="ignore", invalid="ignore"):
        density = of.counts[:, None, None] * weight[0] * shells(edges, of.ndim)[:, None] / of.window.volume
        return Weighted(mark, of.types, edges, at, sums / density, sums / mean, np.sqrt(variance) / mean, int(there.sum()))
