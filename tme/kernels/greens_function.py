"""The Green's function of a steady field with uniform loss, and its short-range part where a coarse field carries the rest.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tme.kernels.multigrid import Workspace

SPAN = 2  # it is computed in a box this many times as wide, so that the walls of the box have no effect
MIN_LENGTH = 2.0  # voxels; a shorter decay length is not resolved by a coarse field
DEPOSIT_VARIANCE = 0.75  # voxel^2 along an axis, by which depositing on coarse voxels widens the response
CUBIC_WEIGHTS = (-10 / 256, 70 / 256, 210 / 256, -14 / 256)  # of the coarse voxels -2, -1, 0, 1 at 1/4 before the middle of 0


def radius(k: float, sink: float, tol: float) -> int:
    """Voxels after which the Green's function may be cut: a little over ln(1/tol) lengths."""
    return int(np.ceil(np.sqrt(k / sink) * (np.log(1.0 / tol) + 1.0)))


class GreensFunction:
    """Response to one source of 1 unit/min: `values` (entries,), rows of 2 rx + 1 in the order z, y, x.

    `k` = D/dx^2 and `sink` in 1/min; an axis of one voxel has no extent. Row i is used out to `half[i]` voxels to either
    side: all of it in 2D, in 3D those in a ball. `size` entries are used. `once` says whether walls mirror it once at most.
    """

    def __init__(self, shape: tuple[int, int, int], k: float, sink: float, tol: float) -> None:
        r = radius(k, sink, tol)
        self.radius = tuple(r if n > 1 else 0 for n in shape)
        rz, ry, rx = self.radius
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
                values = _solved_response(self.radius, *self._of)
            else:
                values = _in_ball(free_space(self.radius[0], *self._of).copy(), self.half)
                outer = values * (_distance(self.radius[0]) > 0.5 * self.radius[0])  # the outer half takes the amount that is cut off
                values += outer * ((1.0 / self._of[1] - values.sum()) / outer.sum())
            self._values = np.ascontiguousarray(values).ravel()
        return self._values


class ShortRangeCorrection:
    """A 3D Green's function minus the part that a field on voxels twice as wide carries: as `GreensFunction`, but of small radius.

    `values` (8 * entries,): one after another for each place of the source among the children of its coarse voxel, 4 (z & 1) + 2 (y & 1)
    + (x & 1). It ends where the rest is below 0.7 `tol` of the maximum of the Green's function, and sums to 0. `packed` (8, 8 * eights)
    holds the same rows without what is outside the ball, each filled up with zeros to whole eights.
    """

    def __init__(self, k: float, sink: float, tol: float) -> None:
        r = radius(k, sink, tol)
        whole, coarse = free_space(r, k, sink), _coarse_part(r, k, sink)
        left, inside = whole - coarse, _distance(r)
        out = next(n for n in range(1, r + 1) if n == r or np.abs(left[inside > n]).max() <= 0.7 * tol * whole.max())
        cut = (slice(r - out, r + out + 1),) * 3
        self.radius, self.half = (out, out, out), _ball(out, out)
        self.size = int((2 * self.half + 1).sum())
        left = _in_ball(left[cut].copy(), self.half)
        outer = _in_ball(coarse[cut] * (inside[cut] > 0.5 * out), self.half)
        left -= outer * (left.sum() / outer.sum())
        mirrored = np.stack([_mirrored(left, place).ravel() for place in range(8)])
        self.values = mirrored.ravel()
        lengths = 8 * ((2 * self.half + 8) // 8) * (self.half >= 0)  # of the rows in `packed`, whole eights
        self.rows = np.repeat(np.arange(len(self.half)), lengths // 8)  # of each eight
        self.x = np.concatenate([np.arange(0, m, 8) - h for m, h in zip(lengths, self.half)]).astype(np.int64)  # where it begins
        self.layers = np.searchsorted(self.rows, np.arange(2 * out + 2) * (2 * out + 1))  # first eight of each dz
        wide = np.pad(mirrored.reshape(8, len(self.half), -1), ((0, 0), (0, 0), (0, 8)))
        self.packed = np.ascontiguousarray(wide[:, self.rows[:, None], self.x[:, None] + np.arange(8) + out]).reshape(8, -1)

    def pane(self, nx: int) -> tuple[int, np.ndarray]:
        """Width of a plane's rows with all that eights reach beyond `nx` voxels, and (eights,) int64 where each begins there from the source's place."""
        width, out = nx + self.radius[2] + int(self.x.max()) + 8, self.radius[1]
        return width, self.rows % (2 * out + 1) * width + self.x + self.radius[2]


def coarse_coupling(k: float, sink: float) -> float:
    """D/dx^2 of the coarse field that carries the smooth part; 0 where its voxels are too wide for it."""
    return 0.25 * k - DEPOSIT_VARIANCE * sink / 8.0 if k >= MIN_LENGTH**2 * sink else 0.0


@lru_cache(maxsize=4)
def free_space(r: int, k: float, sink: float) -> np.ndarray:
    """(2 r + 1,) * 3 the steady field of a source of 1 in an infinite lattice; from a periodic box so large that its images have no effect."""
    n = 2 * SPAN * r
    loss = 2.0 * k * (1.0 - np.cos(2.0 * np.pi * np.arange(n) / n))
    spectrum = 1.0 / (sink + loss[:, None, None] + loss[:, None] + loss[: n // 2 + 1])
    box = np.roll(np.fft.irfftn(spectrum, (n, n, n), (0, 1, 2)), (r, r, r), (0, 1, 2))
    found = np.maximum(box[: 2 * r + 1, : 2 * r + 1, : 2 * r + 1], 0.0)
    found.flags.writeable = False
    return found


def _coarse_part(r: int, k: float, sink: float) -> np.ndarray:
    """(2 r + 1,) * 3 what the coarse field contributes for a source in the first child of its coarse voxel."""
    m = r // 2 + 4
    c = free_space(m, coarse_coupling(k, sink), sink) / 8.0
    for axis in range(3):
        c = 0.75 * c + 0.25 * np.roll(c, -1, axis)
    for axis in range(3):
        c = np.moveaxis(c, axis, 0)
        fine = np.empty((2 * len(c), *c.shape[1:]))
        fine[0::2] = sum(w * np.roll(c, -n, 0) for n, w in zip(range(-2, 2), CUBIC_WEIGHTS, strict=True))
        fine[1::2] = sum(w * np.roll(c, n, 0) for n, w in zip(range(-2, 2), CUBIC_WEIGHTS, strict=True))
        c = np.moveaxis(fine, 0, axis)
    cut = slice(2 * m - r, 2 * m + r + 1)
    return c[cut, cut, cut]


def _mirrored(values: np.ndarray, place: int) -> np.ndarray:
    """The correction for a source in the other half of its coarse voxel, along each axis with a bit set in `place`."""
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


def _solved_response(radii: tuple[int, ...], k: float, sink: float) -> np.ndarray:
    """Solve for one source in the middle of a box, cut out the middle, scale to a sum of 1/sink."""
    from tme.kernels.diffusion import step

    nz, ny, nx = (2 * SPAN * r + 1 for r in radii)
    shape, n = (nz, ny, nx), nz * ny * nx
    workspace, none = Workspace(shape), np.zeros(0)
    c, source = np.zeros(n), np.zeros(n)
    source[n // 2] = 1.0
    couplings = np.array([k if m > 1 else 0.0 for m in shape])
    step(c, 0.0, sink, couplings, 1e-12, 200, 1, none, source, none, 0.0, none, 1.0, none,
         np.zeros(0, np.int64), 0.0, np.full((3, 2), np.nan), False, *workspace.arrays())  # fmt: skip
    (rz, ry, rx), (mz, my, mx) = radii, (m // 2 for m in shape)
    cut = c.reshape(shape)[mz - rz : mz + rz + 1, my - ry : my + ry + 1, mx - rx : mx + rx + 1].copy()
    return cut / (cut.sum() * sink)
