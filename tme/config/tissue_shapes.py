"""Parts of a table of cells: regions of interest and tiles, in the table's own coordinates in um."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SLACK = 1e-9  # of a tile's width, so that a table of exactly two widths has two tiles


def inside(roi: Any, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which cells (n,) bool of `place` (n, 3) lie in a region, and the box (2, 3) around the region."""
    window = np.array([place.min(axis=0), place.max(axis=0)])
    if roi.shape == "box":
        k = len(roi.from_um)
        window[0, :k], window[1, :k] = roi.from_um, roi.to_um
        return np.all((place[:, :k] >= window[0, :k]) & (place[:, :k] <= window[1, :k]), axis=1), window
    if roi.shape == "disc":
        centre = np.array(roi.centre_um)
        k = len(centre)
        window[0, :k], window[1, :k] = centre - roi.radius_um, centre + roi.radius_um
        return np.asarray(((place[:, :k] - centre) ** 2).sum(axis=1) <= roi.radius_um**2), window
    points = np.array(roi.points_um)
    window[0, :2], window[1, :2] = points.min(axis=0), points.max(axis=0)
    return within_outline(place[:, 0], place[:, 1], points), window


def within_outline(x: np.ndarray, y: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Which of the points (n,) lie in a closed outline (m, 2): those from which a ray to the right crosses it an odd number of times."""
    odd = np.zeros(len(x), bool)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0)):
        if y0 == y1:
            continue
        crosses = (y >= min(y0, y1)) & (y < max(y0, y1))
        odd ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return odd


def tiles_in(size_um: tuple[float, ...], window: np.ndarray) -> tuple[int, int]:
    """How many tiles along x and y cover a window (2, 3)."""
    nx, ny = (max(1, math.ceil((window[1, a] - window[0, a]) / size_um[a] - SLACK)) for a in (0, 1))
    return nx, ny


def tile_of(tile: Any, window: np.ndarray) -> np.ndarray:
    """The box (2, 3) of one tile of a window."""
    out = window.copy()
    for a in (0, 1):
        out[0, a] = window[0, a] + tile.index[a] * tile.size_um[a]
        out[1, a] = out[0, a] + tile.size_um[a]
    return out
