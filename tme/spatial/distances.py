"""How far the nearest cell of a type is, from cells of every type; corrected for what lies beyond the window.

A cell whose nearest partner lies further than the window's edge may have a nearer one outside: its distance is known to be at least that to
the edge (Kaplan-Meier estimate of the distribution G: Baddeley & Gill 1997, Ann Stat 25:263, doi 10.1214/aos/1034276629).
Of unrelated cells in the plane G(r) = 1 - exp(-density pi r^2) and the mean is 1/(2 sqrt(density)) (Clark & Evans 1954, Ecology 35:445).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gamma, log, pi, sqrt

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from tme.spatial.cell import Cells

NEAR_UM = 30.0  # who has a partner within it counts as having one beside it
CURVE_UM = np.arange(0.0, 301.0, 5.0)  # where G is told


@dataclass(frozen=True)
class Nearest:
    """Distances between two types: raw quantiles, share within 30 um, G on `CURVE_UM`, its median, and what unrelated cells would have (um)."""

    source: str
    target: str
    n: int
    mean_um: float
    quartiles_um: tuple[float, float, float]
    near_share: float
    curve: np.ndarray
    median_um: float
    random_mean_um: float
    random_median_um: float

    def row(self) -> dict[str, float | str]:
        """As a row of a table."""
        low, middle, high = self.quartiles_um
        return {"source": self.source, "target": self.target, "cells": self.n, "mean_um": self.mean_um, "p25_um": low, "median_um": middle, "p75_um": high,
                "within_30_um": self.near_share, "median_corrected_um": self.median_um, "random_mean_um": self.random_mean_um,
                "random_median_um": self.random_median_um}  # fmt: skip


def nearest_um(of: Cells, target: np.ndarray) -> np.ndarray:
    """Distance (n,) um of every cell to the nearest of the cells `target` (n,) bool other than itself; inf without one."""
    out = np.full(of.n, np.inf)
    if not target.any():
        return out
    tree = cKDTree(of.points[target], balanced_tree=False, compact_nodes=True)
    if not target.all():
        out[~target] = tree.query(of.points[~target])[0]
    if target.sum() > 1:
        out[target] = tree.query(of.points[target], 2)[0][:, 1]
    return out


def corrected(distance: np.ndarray, edge: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, float]:
    """Kaplan-Meier G on `at`, and the radius at which it first reaches one half (inf where it never does)."""
    seen = np.minimum(distance, edge)
    event = distance <= edge
    order = np.argsort(seen, kind="stable")
    time, hit = seen[order], event[order]
    first = np.flatnonzero(np.r_[True, np.diff(time) > 0])
    hits = np.add.reduceat(hit.astype(float), first)
    at_risk = len(time) - first
    g = 1.0 - np.cumprod(1.0 - hits / at_risk)
    place = np.searchsorted(time[first], at, side="right") - 1
    curve = np.where(place >= 0, g[np.maximum(place, 0)], 0.0)
    last = time[-1]  # beyond the largest distance that was followed nothing is known
    curve[at > last] = g[-1] if hit[-1] else np.nan
    half = np.flatnonzero(g >= 0.5 - 1e-12)
    return curve, float(time[first][half[0]]) if len(half) else float("inf")


def unrelated(density: float, ndim: int) -> tuple[float, float]:
    """Mean and median distance (um) to the nearest of cells of a density (per um^2, in 3D per um^3) that lie anywhere."""
    if not density > 0:
        return float("inf"), float("inf")
    if ndim == 2:
        return 0.5 / sqrt(density), sqrt(log(2.0) / (density * pi))
    ball = 4.0 / 3.0 * pi * density
    return gamma(4.0 / 3.0) * ball ** (-1.0 / 3.0), (log(2.0) / ball) ** (1.0 / 3.0)


def nearest(of: Cells) -> list[Nearest]:
    """Every ordered pair of types that have cells; a type's own cells from each other where it has two."""
    edge = of.window.to_edge(of.points)
    out = []
    for b, target in enumerate(of.types):
        if not of.counts[b]:
            continue
        distance = nearest_um(of, of.code == b)
        for a, source in enumerate(of.types):
            mine = of.code == a
            if of.counts[a] and not (a == b and of.counts[b] < 2):
                others = of.counts[b] - (a == b)
                out.append(_one(source, target, distance[mine], edge[mine], *unrelated(others / of.window.volume, of.ndim)))
    return out


def _one(source: str, target: str, distance: np.ndarray, edge: np.ndarray, mean: float, median: float) -> Nearest:
    curve, half = corrected(distance, edge, CURVE_UM)
    low, middle, high = np.quantile(distance, [0.25, 0.5, 0.75])
    near = float((distance <= NEAR_UM).mean())
    return Nearest(source, target, len(distance), float(distance.mean()), (float(low), float(middle), float(high)), near, curve, half, mean, median)


def curves(found: list[Nearest]) -> pd.DataFrame:
    """G of all pairs: one row for each and radius."""
    return pd.DataFrame([{"source": f.source, "target": f.target, "r_um": r, "g": v} for f in found for r, v in zip(CURVE_UM, f.curve)])
