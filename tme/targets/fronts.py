"""Arithmetic of fronts and of spread: speed of a wave from arrival times, spatial propagation index."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tme.statistics import fit_line


def arrival_by_column(times: np.ndarray) -> np.ndarray:
    """Median arrival time (nx,) of each column of `times` (ny, nx), NaN where fewer than half arrived."""
    share = np.isfinite(times).mean(axis=0)
    enough = share >= 0.5
    out = np.full(times.shape[1], np.nan)
    out[enough] = np.nanmedian(times[:, enough], axis=0)
    return out


def front_speed(arrival: np.ndarray, dx_um: float, start_um: float, stop_um: float) -> tuple[float, float]:
    """(speed um/min, R2) of arrival time between two distances; (0, NaN) if the front did not get there."""
    x = (np.arange(len(arrival)) + 0.5) * dx_um
    inside = (x >= start_um) & (x <= stop_um)
    there = inside & np.isfinite(arrival)
    if there.sum() < max(4, 0.8 * inside.sum()) or np.ptp(arrival[there]) == 0.0:
        return 0.0, float("nan")
    line = fit_line(x[there], arrival[there])
    return (1.0 / line.slope if line.slope > 0 else float("inf")), line.r2


def segments(arrival: np.ndarray, dx_um: float, edges_um: np.ndarray) -> np.ndarray:
    """Speed within each pair of successive edges, um/min."""
    return np.array([front_speed(arrival, dx_um, a, b)[0] for a, b in pairwise(edges_um)])


def propagation_index(times: np.ndarray, scrambles: int = 200, seed: int = 1, within: np.ndarray | None = None) -> float:
    """Spatial propagation index of death times (ny, nx): how much closer neighbours die than if scrambled.

    (5th percentile of scrambles - observed)/5th percentile of the mean absolute difference between
    four-neighbours (Riegman et al. 2020, doi 10.1038/s41556-020-0565-1): 1 a perfect wave, 0 or less
    independent deaths. `within` (ny, nx) bool: these cells alone, which are scrambled among themselves. NaN without two neighbours that died.
    """

    def mean_difference(t: np.ndarray) -> float:
        pairs = np.r_[np.abs(np.diff(t, axis=0)).ravel(), np.abs(np.diff(t, axis=1)).ravel()]
        return float(np.nanmean(pairs)) if np.isfinite(pairs).any() else float("nan")

    rng = np.random.default_rng(seed)
    inside = np.ones(times.shape, bool) if within is None else within
    own = times[inside]

    def scrambled() -> np.ndarray:
        out = np.full(times.shape, np.nan)
        out[inside] = rng.permutation(own)
        return out

    drawn = sorted(mean_difference(scrambled()) for _ in range(scrambles))
    low = drawn[int(0.05 * scrambles)]
    return (low - mean_difference(np.where(inside, times, np.nan))) / low
