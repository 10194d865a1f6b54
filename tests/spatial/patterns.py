"""Point patterns whose statistics are known in closed form."""

from __future__ import annotations

import numpy as np

from tme.spatial import Cells, box, cells

SIZE = (900.0, 700.0)


def poisson(rng: np.random.Generator, density: float, size: tuple[float, ...] = SIZE) -> np.ndarray:
    """Points (n, d) anywhere in a box, `density` per um^d on average."""
    n = rng.poisson(density * np.prod(size))
    return rng.random((n, len(size))) * size


def thomas(rng: np.random.Generator, parents: float, children: float, sd: float, size: tuple[float, ...] = SIZE) -> np.ndarray:
    """Thomas clusters seen in a box: parents per um^2, mean number of children, their normal spread (um).

    g(r) = 1 + exp(-r^2/(4 sd^2))/(4 pi parents sd^2) and K(r) = pi r^2 + (1 - exp(-r^2/(4 sd^2)))/parents.
    """
    margin = 5 * sd
    wide = np.array(size) + 2 * margin
    centres = rng.random((rng.poisson(parents * np.prod(wide)), 2)) * wide - margin
    at = np.repeat(centres, rng.poisson(children, len(centres)), axis=0)
    at = at + rng.normal(0, sd, at.shape)
    return at[((at >= 0) & (at <= size)).all(axis=1)]


def two_types(rng: np.random.Generator, points: np.ndarray, share: float = 0.3, size: tuple[float, ...] = SIZE, **columns) -> Cells:
    """The points in their box, that share of them of type a, the others b."""
    names = np.where(rng.random(len(points)) < share, "a", "b")
    return cells(points, names, box(np.zeros(len(size)), np.array(size)), **columns)
