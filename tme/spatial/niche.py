"""Niches: kinds of neighbourhood, found by who is in them.

Each cell's neighbourhood is the share of every type among the cells within a radius, itself among them; k-means puts alike ones together
(as Schürch et al. 2020, Cell 182:1341, doi 10.1016/j.cell.2020.07.005, and Goltsev et al. 2018). Niches are numbered by size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tme.kernels import pairs
from tme.spatial.cell import Cells, SpatialError
from tme.spatial.draws import Purpose, uniforms
from tme.spatial.neighbourhood import within

NICHES, RADIUS_UM = 5, 50.0
STARTS, ROUNDS = 4, 100
SAMPLE = 50_000  # cells that niches are found with; all are then assigned


@dataclass(frozen=True)
class Niches:
    """Shares of types (niches, k) in each niche, cells in it (niches,), and the niche of each cell of each set (list of (n,) int64)."""

    types: tuple[str, ...]
    composition: np.ndarray
    sizes: np.ndarray
    of: tuple[np.ndarray, ...]


def composition(of: Cells, radius_um: float = RADIUS_UM) -> np.ndarray:
    """Share of every type (n, k) float32 among the cells within the radius of each cell, itself among them."""
    graph = within(of.points, radius_um)
    out = np.zeros((of.n, len(of.types)), np.float32)
    pairs.compositions(graph.at, graph.neighbour, of.code, out)
    out /= out.sum(axis=1, keepdims=True)
    return out


def niches(sets: Sequence[Cells], number: int = NICHES, radius_um: float = RADIUS_UM, seed: int = 0) -> Niches:
    """Niches common to all sets of cells (snapshots, fields), whose types must be the same."""
    if number < 1:
        raise SpatialError(f"{number} niches; expected 1 and more")
    types = sets[0].types
    if any(s.types != types for s in sets):
        raise SpatialError("sets of cells with different types have no niches in common")
    rows = [composition(s, radius_um) for s in sets]
    whole = np.concatenate(rows) if len(rows) > 1 else rows[0]
    fit = whole
    if len(whole) > SAMPLE:
        fit = whole[np.sort((uniforms(SAMPLE, seed, Purpose.SAMPLE, 0) * len(whole)).astype(np.int64))]
    centres = k_means(np.ascontiguousarray(fit), number, seed)
    label, change = np.empty(len(whole), np.int64), np.zeros((len(centres), whole.shape[1] + 1))
    pairs.nearest_centre(whole, centres, label, change)
    sizes = change[:, -1].astype(np.int64)
    order = np.lexsort([*centres.T, -sizes])
    order = order[sizes[order] > 0]
    place = np.full(len(centres), -1)
    place[order] = np.arange(len(order))
    label = place[label]
    ends = np.cumsum([len(r) for r in rows])[:-1]
    shares = change[order, :-1] / change[order, -1:]
    return Niches(types, shares, sizes[order], tuple(np.split(label, ends)))


def k_means(rows: np.ndarray, number: int, seed: int) -> np.ndarray:
    """Centres (at most number, k) float64 of rows (n, k): the best of four starts by k-means++, each followed by Lloyd's rounds."""
    best, least = None, np.inf
    for start in range(STARTS):
        centres, spread = _lloyd(rows, _first_centres(rows, number, seed, start))
        if spread < least - 1e-12:
            best, least = centres, spread
    assert best is not None
    return best


def _first_centres(rows: np.ndarray, number: int, seed: int, start: int) -> np.ndarray:
    """Rows drawn by squared distance from those drawn before (Arthur & Vassilvitskii 2007); fewer where rows are alike."""
    u = uniforms(number, seed, Purpose.CENTRES, start)
    centres = [rows[min(int(u[0] * len(rows)), len(rows) - 1)].astype(float)]
    left = ((rows - centres[0]) ** 2).sum(axis=1, dtype=np.float64)
    for draw in u[1:]:
        total = np.cumsum(left)
        if not total[-1] > 1e-9:
            break
        centres.append(rows[min(int(np.searchsorted(total, draw * total[-1])), len(rows) - 1)].astype(float))
        left = np.minimum(left, ((rows - centres[-1]) ** 2).sum(axis=1, dtype=np.float64))
    return np.array(centres)


def _lloyd(rows: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, float]:
    """Centres moved to the middle of their rows until none moves; the sum of squared distances."""
    label, change = np.empty(len(rows), np.int64), np.zeros((len(centres), rows.shape[1] + 1))
    spread = np.inf
    for _ in range(ROUNDS):
        spread = pairs.nearest_centre(rows, centres, label, change)
        held = change[:, -1] > 0
        moved = centres.copy()
        moved[held] = change[held, :-1] / change[held, -1:]
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres, float(spread)
