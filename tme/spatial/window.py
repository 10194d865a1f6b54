"""Where cells could have been seen: a box, or a region of pixels; how large it is, and how far a place lies from its edge.

Every statistic with distances needs it. A pair that lies h apart can only be seen where both ends fit into the window W, so it counts
|W|/|W ∩ (W + h)| times (translation correction: Ohser 1983, Math Operationsforsch Stat 14:63; as `translate` in spatstat).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

import numpy as np
from scipy import fft
from scipy.ndimage import distance_transform_edt

MOST_WEIGHT = 100.0  # of a pair: beyond it one pair would speak for the window


@dataclass(frozen=True)
class Window:
    """A box from `low` to `high` (d,) um, or in it the pixels of `mask` (nz, ny, nx) bool, `pixel_um` wide."""

    low: np.ndarray
    high: np.ndarray
    mask: np.ndarray | None = None
    pixel_um: float = 0.0
    about: str = "box"
    _tables: dict = field(default_factory=dict, repr=False, compare=False)

    @property
    def ndim(self) -> int:
        """Dimensions."""
        return len(self.low)

    @property
    def size(self) -> np.ndarray:
        """Edges (d,) of the box, um."""
        return self.high - self.low

    @property
    def volume(self) -> float:
        """Area um^2, or in 3D volume um^3."""
        if self.mask is None:
            return float(np.prod(self.size))
        return float(self.mask.sum()) * self.pixel_um**self.ndim

    @property
    def reach_um(self) -> float:
        """The largest distance that is looked at: half the shorter side."""
        return float(self.size.min()) / 2.0

    def pixel_of(self, points: np.ndarray) -> tuple[np.ndarray, ...]:
        """Pixels (iz, iy, ix) of points (n, d), those outside in the nearest one."""
        assert self.mask is not None
        index = [np.zeros(len(points), np.int64)] * (3 - self.ndim)
        for axis in reversed(range(self.ndim)):
            k = np.floor((points[:, axis] - self.low[axis]) / self.pixel_um).astype(np.int64)
            index.append(np.clip(k, 0, self.mask.shape[2 - axis] - 1))
        return tuple(index)

    def holds(self, points: np.ndarray) -> np.ndarray:
        """Which points (n, d) lie in the window, (n,) bool."""
        inside = np.asarray(((points >= self.low) & (points <= self.high)).all(axis=1))
        return inside if self.mask is None else inside & self.mask[self.pixel_of(points)]

    def to_edge(self, points: np.ndarray) -> np.ndarray:
        """Distance (n,) of points within the window to its edge, um; of a mask that of their pixels."""
        if self.mask is None:
            return np.minimum(points - self.low, self.high - points).min(axis=1)
        if "edge" not in self._tables:
            pad = [(1, 1) if n > 1 else (0, 0) for n in self.mask.shape]
            inner = tuple(slice(1, -1) if n > 1 else slice(None) for n in self.mask.shape)
            self._tables["edge"] = (distance_transform_edt(np.pad(self.mask, pad))[inner] - 0.5).clip(0.0) * self.pixel_um
        return self._tables["edge"][self.pixel_of(points)]

    def overlaps(self, far_um: float) -> np.ndarray:
        """|W ∩ (W + h)|/|W| for h of whole pixels up to `far_um`, as `kernels.pairs.overlap` reads it; empty for a box."""
        if self.mask is None:
            return np.empty((0, 0, 0))
        if far_um not in self._tables:
            self._tables[far_um] = _covariance(self.mask, ceil(far_um / self.pixel_um) + 1)
        return self._tables[far_um]


def _covariance(mask: np.ndarray, far: int) -> np.ndarray:
    """Pixels that a mask shares with itself moved by up to `far` pixels, as a share: (2 far + 1 or 1, 2 far + 1, far + 1)."""
    moves = [np.arange(-far, far + 1) if n > 1 else np.zeros(1, int) for n in mask.shape[:2]] + [np.arange(far + 1)]
    shape = [fft.next_fast_len(n + far, real=True) if n > 1 else 1 for n in mask.shape]
    spectrum = fft.rfftn(mask.astype(np.float64), shape)
    shared = fft.irfftn(spectrum * np.conj(spectrum), shape)
    picked = shared[np.ix_(*(m % n for m, n in zip(moves, shape)))]
    return np.ascontiguousarray(np.rint(picked).clip(0.0) / mask.sum())


def box(low: np.ndarray, high: np.ndarray) -> Window:
    """The box between two corners (d,), um."""
    return Window(np.asarray(low, float), np.asarray(high, float))


def around(points: np.ndarray) -> Window:
    """The box that most likely held points (n, d) drawn evenly: their bounding box, (n + 1)/(n - 1) times as wide.

    Source: Ripley & Rasson 1977, J Appl Probab 14:483, doi 10.2307/3213451.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    half = np.where(half > 0, half * (len(points) + 1) / max(len(points) - 1, 1), 0.5)
    return box(middle - half, middle + half)
