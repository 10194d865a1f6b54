"""Which cells are neighbours: within a radius, the k nearest, or by Delaunay's triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import Delaunay, QhullError, cKDTree

from tme.kernels import pairs
from tme.spatial.cell import Cells, SpatialError

KINDS = ("radius", "nearest", "delaunay")
NEIGHBOUR_UM = 30.0  # two cell widths: on a lattice of 15 um the twelve places around a cell


@dataclass(frozen=True)
class Grid:
    """Points sorted into cubes: coordinates in that order, the rows they come from, where each cube begins."""

    order: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    low: np.ndarray
    side: float
    shape: tuple[int, int, int]
    start: np.ndarray

    @property
    def given(self) -> tuple:
        """What kernels take after the coordinates."""
        return self.low, self.side, self.shape, self.start


def grid(points: np.ndarray, reach_um: float) -> Grid:
    """Cubes at least `reach_um` wide around points (n, d), and not many more of them than points."""
    n, d = points.shape
    low, extent = np.zeros(3), np.zeros(3)
    low[:d], extent[:d] = points.min(axis=0), np.ptp(points, axis=0)
    side = float(reach_um)
    while np.prod(np.floor(extent[:d] / side) + 1) > 4 * n + 64:
        side *= 2.0
    nx, ny, nz = (int(e // side) + 1 for e in extent)
    at = [np.minimum(((points[:, k] - low[k]) / side).astype(np.int64), m - 1) for k, m in zip(range(d), (nx, ny, nz))]
    cube = at[1] * nx + at[0] + (at[2] * ny * nx if d == 3 else 0)
    order = np.argsort(cube, kind="stable")
    start = np.zeros(nx * ny * nz + 1, np.int64)
    np.cumsum(np.bincount(cube, minlength=nx * ny * nz), out=start[1:])
    x, y, z = (np.ascontiguousarray(points[order, k]) if k < d else np.zeros(n) for k in range(3))
    return Grid(order, x, y, z, low, side, (nz, ny, nx), start)


@dataclass(frozen=True)
class Graph:
    """Neighbours of cell i: `neighbour[at[i]:at[i + 1]]`. `mutual`: whoever has a neighbour is its neighbour."""

    at: np.ndarray
    neighbour: np.ndarray
    mutual: bool
    about: str

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.at) - 1

    @property
    def edges(self) -> int:
        """Directed edges."""
        return int(self.at[-1])

    @property
    def degree(self) -> np.ndarray:
        """Neighbours of each cell (n,)."""
        return np.diff(self.at)


def neighbours(of: Cells, kind: str = "radius", radius_um: float = NEIGHBOUR_UM, k: int = 6) -> Graph:
    """The graph of neighbours; `k` for the nearest, which need not have each other."""
    if kind == "radius":
        return within(of.points, radius_um)
    if kind == "nearest":
        return nearest(of.points, k)
    if kind == "delaunay":
        return delaunay(of.points)
    raise SpatialError(f"neighbours by '{kind}'; expected one of {', '.join(KINDS)}")


def within(points: np.ndarray, radius_um: float) -> Graph:
    """Cells at most `radius_um` apart."""
    if not radius_um > 0:
        raise SpatialError(f"a radius of {radius_um:g} um; expected more than 0")
    g = grid(points, radius_um)
    at = np.zeros(len(points) + 1, np.int64)
    empty = np.empty(0, np.int32)
    pairs.neighbours(g.x, g.y, g.z, *g.given, float(radius_um), at, empty)
    found = np.empty(at[-1], np.int32)
    if len(found):
        pairs.neighbours(g.x, g.y, g.z, *g.given, float(radius_um), at, found)
    about = f"cells within {radius_um:g} um"
    if np.array_equal(g.order, np.arange(len(points))):
        return Graph(at, found, True, about)
    return _by_row(at, found, g.order, about)


def _by_row(at: np.ndarray, found: np.ndarray, order: np.ndarray, about: str) -> Graph:
    """A graph of points in the order of a grid, told for their rows; neighbours in rising order."""
    degree = np.empty(len(order), np.int64)
    degree[order] = np.diff(at)
    to = np.concatenate([[0], np.cumsum(degree)])
    out = np.empty_like(found)
    pairs.renumber(at, found, order, to, out)
    return Graph(to, out, True, about)


def nearest(points: np.ndarray, k: int) -> Graph:
    """The k nearest cells of each; of cells equally far those that come first in the tree."""
    n = len(points)
    if not 0 < k < n:
        raise SpatialError(f"the {k} nearest of {n} cells; expected 1 to {n - 1}")
    _d, found = cKDTree(points).query(points, k + 1)
    own = found == np.arange(n)[:, None]
    own[~own.any(axis=1), k] = True  # several at one place: the last is left out instead of itself
    return Graph(np.arange(n + 1) * k, found[~own].astype(np.int32), False, f"the {k} nearest cells")


def delaunay(points: np.ndarray) -> Graph:
    """Cells whose Voronoi regions touch. SpatialError where cells share a place or lie on a line."""
    try:
        made = Delaunay(points)
    except (QhullError, ValueError) as error:
        raise SpatialError(f"no triangles between these cells: {str(error).splitlines()[0]}") from error
    if len(made.coplanar):
        raise SpatialError(f"{len(made.coplanar)} cells share their place with another, so triangles leave them out; expected neighbours by radius")
    at, found = made.vertex_neighbor_vertices
    return Graph(at.astype(np.int64), found.astype(np.int32), True, "cells whose Voronoi regions touch")
