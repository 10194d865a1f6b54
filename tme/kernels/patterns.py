"""Patterns of `superpose`: what one source makes around it, and what of that a field on wider voxels leaves to add."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tme.kernels.multigrid import Workspace

SPAN = 2  # the pattern is computed in a box this many times as wide, so that the box's walls do not show
LENGTH = 2.0  # voxels from which on wide voxels can bring the smooth part
APART = 0.75  # voxel^2, by how much handing over to wide voxels widens a pattern along an axis
CUBIC = (-10 / 256, 70 / 256, 210 / 256, -14 / 256)  # of the wide voxels -2, -1, 0, 1 at 1/4 before the middle of 0


def reach(k: float, sink: float, tol: float) -> int:
    """Voxels after which the pattern may be cut: a little over ln(1/tol) lengths."""
    return int(np.ceil(np.sqrt(k / sink) * (np.log(1.0 / tol) + 1.0)))


class Pattern:
    """What one source of 1 unit/min makes around it: `values` (entries,), rows of 2 rx + 1 in the order z, y, x.

    `k` = D/dx^2 and `sink` in 1/min; an axis of one voxel has no extent. Row i is used out to `half[i]` voxels to either
    side: all of it in 2D, in 3D those in a ball. `size` entries are used. `once` says whether walls mirror it once at most.
    """

    def __init__(self, shape: tuple[int, int, int], k: float, sink: float, tol: float) -> None:
        r = reach(k, sink, tol)
        self.reach = tuple(r if n > 1 else 0 for n in shape)
        rz, ry, rx = self.reach
        self.flat = min(shape) == 1
        self.half = np.full((2 * rz + 1) * (2 * ry + 1), rx, np.int64) if self.flat else _ball(r, r)
        self.size = int((2 * self.half + 1).sum())
        self.once = self.flat and all(n == 1 or r <= n for n in shape)
        self._of = (k, sink)
        self._values: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray:
        """Computed at first use."""
        if self._values is None:
            if self.flat:
                values = _pattern(self.reach, *self._of)
            else:
                values = _in_ball(green(self.reach[0], *self._of).copy(), self.half)
                outer = values * (_distance(self.reach[0]) > 0.5 * self.reach[0])  # takes what is cut off
                values += outer * ((1.0 / self._of[1] - values.sum()) / outer.sum())
            self._values = np.ascontiguousarray(values).ravel()
        return self._values


class Near:
    """What is left of a 3D pattern when a field on voxels twice as wide brings the rest: as `Pattern`, but short.

    `values` (8 * entries,): one after another for each place of the source among the children of its wide voxel, 4 (z & 1) + 2 (y & 1)
    + (x & 1). It ends where the rest is below 0.7 `tol` of the pattern's greatest value, and sums to 0.
    """

    def __init__(self, k: float, sink: float, tol: float) -> None:
        r = reach(k, sink, tol)
        whole, wide = green(r, k, sink), _by_wide_voxels(r, k, sink)
        left, inside = whole - wide, _distance(r)
        out = next(n for n in range(1, r + 1) if n == r or np.abs(left[inside > n]).max() <= 0.7 * tol * whole.max())
        cut = (slice(r - out, r + out + 1),) * 3
        self.reach, self.half = (out, out, out), _ball(out, out)
        self.size = int((2 * self.half + 1).sum())
        left = _in_ball(left[cut].copy(), self.half)
        outer = _in_ball(wide[cut] * (inside[cut] > 0.5 * out), self.half)
        left -= outer * (left.sum() / outer.sum())
        turned = np.stack([_turned(left, place).ravel() for place in range(8)])
        self.values = turned.ravel()
        self.used = np.flatnonzero(_distance(out).ravel() <= out + 1e-9)
        self.packed = np.ascontiguousarray(turned[:, self.used])

    def steps(self, shape: tuple[int, int, int]) -> np.ndarray:
        """(entries,) int64 how far in a lattice's arrays each used entry is from the source."""
        z, y, x = (i - self.reach[0] for i in np.unravel_index(self.used, (2 * self.reach[0] + 1,) * 3))
        return ((z * shape[1] + y) * shape[2] + x).astype(np.int64)


def wide_coupling(k: float, sink: float) -> float:
    """D/dx^2 of the field on voxels twice as wide that brings the smooth part of a pattern; 0 where they are too wide for it."""
    return 0.25 * k - APART * sink / 8.0 if k >= LENGTH**2 * sink else 0.0


@lru_cache(maxsize=4)
def green(r: int, k: float, sink: float) -> np.ndarray:
    """(2 r + 1,) * 3 the steady field of a source of 1 in an endless lattice; from a periodic box whose images do not show."""
    n = 2 * SPAN * r
    loss = 2.0 * k * (1.0 - np.cos(2.0 * np.pi * np.arange(n) / n))
    there = 1.0 / (sink + loss[:, None, None] + loss[:, None] + loss[: n // 2 + 1])
    box = np.roll(np.fft.irfftn(there, (n, n, n), (0, 1, 2)), (r, r, r), (0, 1, 2))
    found = np.maximum(box[: 2 * r + 1, : 2 * r + 1, : 2 * r + 1], 0.0)
    found.flags.writeable = False
    return found


def _by_wide_voxels(r: int, k: float, sink: float) -> np.ndarray:
    """(2 r + 1,) * 3 what the wide field brings of a source that is the first child of its wide voxel."""
    m = r // 2 + 4
    c = green(m, wide_coupling(k, sink), sink) / 8.0
    for axis in range(3):
        c = 0.75 * c + 0.25 * np.roll(c, -1, axis)
    for axis in range(3):
        c = np.moveaxis(c, axis, 0)
        fine = np.empty((2 * len(c), *c.shape[1:]))
        fine[0::2] = sum(w * np.roll(c, -n, 0) for n, w in zip(range(-2, 2), CUBIC, strict=True))
        fine[1::2] = sum(w * np.roll(c, n, 0) for n, w in zip(range(-2, 2), CUBIC, strict=True))
        c = np.moveaxis(fine, 0, axis)
    cut = slice(2 * m - r, 2 * m + r + 1)
    return c[cut, cut, cut]


def _turned(values: np.ndarray, place: int) -> np.ndarray:
    """The pattern of a source in the other half of its wide voxel, along each axis with a bit set in `place`."""
    return np.flip(values, tuple(axis for axis in range(3) if place >> (2 - axis) & 1)).copy()


def _distance(r: int) -> np.ndarray:
    """(2 r + 1,) * 3 distance from the middle, voxels."""
    square = np.arange(-r, r + 1) ** 2
    return np.sqrt(square[:, None, None] + square[:, None] + square)


def _ball(r: int, radius: int) -> np.ndarray:
    """Half-widths (rows,) int64 of the rows of a box of 2 r + 1 in a ball; -1 for rows outside it."""
    square = np.arange(-r, r + 1) ** 2
    left = radius**2 - (square[:, None] + square).ravel()
    return np.where(left < 0, -1, np.floor(np.sqrt(np.maximum(left, 0)) + 1e-9)).astype(np.int64)


def _in_ball(values: np.ndarray, half: np.ndarray) -> np.ndarray:
    """The same, 0 beyond the half-widths of its rows."""
    r = values.shape[2] // 2
    values.reshape(len(half), -1)[np.abs(np.arange(-r, r + 1)) > half[:, None]] = 0.0
    return values


def _pattern(reach_: tuple[int, ...], k: float, sink: float) -> np.ndarray:
    """Solve for one source in the middle of a box, cut out the middle, scale to a sum of 1/sink."""
    from tme.kernels.diffusion import step

    nz, ny, nx = (2 * SPAN * r + 1 for r in reach_)
    shape, n = (nz, ny, nx), nz * ny * nx
    workspace, none = Workspace(shape), np.zeros(0)
    c, source = np.zeros(n), np.zeros(n)
    source[n // 2] = 1.0
    couplings = np.array([k if m > 1 else 0.0 for m in shape])
    step(c, 0.0, sink, couplings, 1e-12, 200, 1, none, source, none, 0.0, none, 1.0, none,
         np.zeros(0, np.int64), 0.0, np.full((3, 2), np.nan), False, *workspace.arrays())  # fmt: skip
    (rz, ry, rx), (mz, my, mx) = reach_, (m // 2 for m in shape)
    cut = c.reshape(shape)[mz - rz : mz + rz + 1, my - ry : my + ry + 1, mx - rx : mx + rx + 1].copy()
    return cut / (cut.sum() * sink)
