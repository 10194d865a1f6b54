"""Steady fields of few sources and short reach, by adding up the Green's function of each source.

For uniform loss and no-flux walls the steady state of

    0 = D lap c - sink c + source

is a sum over sources of one fixed pattern, that of a source of 1 in an endless lattice; walls act as
mirrors half a voxel away. The pattern falls as exp(-r/length), length = sqrt(D/sink), and is cut where the
rest is below the tolerance; it is scaled so that losses still equal gains. A team shares the rows that receive: each
voxel gets its sources' shares in the order of the sources, whoever adds them.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial
from tme.kernels.multigrid import Workspace
from tme.kernels.stencil import part

SPAN = 2  # the pattern is computed in a box this many times as wide, so that the box's walls do not show
WORTH = 16  # pattern entries per voxel of the lattice up to which adding up beats solving


def reach(k: float, sink: float, tol: float) -> int:
    """Voxels after which the pattern may be cut: a little over ln(1/tol) lengths."""
    return int(np.ceil(np.sqrt(k / sink) * (np.log(1.0 / tol) + 1.0)))


class Pattern:
    """What one source of 1 unit/min makes around it: `values` (2 rz + 1, 2 ry + 1, 2 rx + 1).

    `k` = D/dx^2 and `sink` in 1/min; an axis of one voxel has no extent. `fits` says whether the lattice is
    wide enough: each source is then mirrored at most once per wall.
    """

    def __init__(self, shape: tuple[int, int, int], k: float, sink: float, tol: float) -> None:
        r = reach(k, sink, tol)
        self.reach = tuple(r if n > 1 else 0 for n in shape)
        self.size = int(np.prod([2 * r + 1 for r in self.reach]))
        self.fits = all(n == 1 or 4 * r < n for n in shape)
        self.values = _pattern(self.reach, k, sink) if self.fits else np.zeros((1, 1, 1))


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


# the powers of two up to 2^63 all leave different remainders by 67
_EXPONENT = np.zeros(67, np.int64)
for _i in range(64):
    _EXPONENT[2**_i % 67] = _i


@serial
def ascending(points, marks):
    """Put `points` (m,) int64, all different, in order; `marks` (largest // 64 + 1,) uint64 is scratch, 0 on entry and exit."""
    one, six, last = np.uint64(1), np.uint64(6), np.uint64(63)
    for i in range(points.size):
        v = np.uint64(points[i])
        marks[v >> six] |= one << (v & last)
    count = 0
    for w in range(marks.size):
        word = marks[w]
        marks[w] = np.uint64(0)
        while word != np.uint64(0):
            lowest = word & (~word + one)
            points[count] = 64 * w + _EXPONENT[lowest % np.uint64(67)]
            count += 1
            word ^= lowest


@part
def _far(row, reach, row_lo, row_hi):
    """Whether a pattern around a row has none in the block."""
    return row + reach < row_lo or row - reach >= row_hi


@serial
def darken(row_lo, row_hi, voxels, reach, shape, c):
    """c = 0 wherever patterns around `voxels` (m,) int64 reach, in rows z * ny + y from `row_lo` to `row_hi`."""
    nz, ny, nx = shape
    rz, ry, rx = reach
    for i in range(voxels.size):
        v = voxels[i]
        if _far(v // nx, rz * ny + ry, row_lo, row_hi):
            continue
        x, y, z = v % nx, v // nx % ny, v // (nx * ny)
        first, last = max(0, x - rx), min(nx, x + rx + 1)
        for pz in range(max(0, z - rz), min(nz, z + rz + 1)):
            for py in range(max(0, y - ry), min(ny, y + ry + 1)):
                row = (pz * ny + py) * nx
                if row_lo * nx <= row < row_hi * nx:
                    c[row + first : row + last] = 0.0


@part
def _add_row(s, pattern, at, c, o, n):
    """c[o : o + n] += s * pattern[at : at + n]; unsigned, so that it vectorises."""
    to, of = np.uint64(o), np.uint64(at)
    for j in range(np.uint64(n)):
        c[to + j] += s * pattern[of + j]


@serial
def add_up(row_lo, row_hi, voxels, source, pattern, reach, shape, c):
    """c (n_voxels,) += sum over `voxels` (m,) int64 of source[v] * pattern (flat), mirrored at the walls.

    Only in rows z * ny + y from `row_lo` to `row_hi`.
    """
    nz, ny, nx = shape
    rz, ry, rx = reach
    wide = 2 * rx + 1
    for i in range(voxels.size):
        v = voxels[i]
        if _far(v // nx, rz * ny + ry, row_lo, row_hi):
            continue
        s = source[v]
        x, y, z = v % nx, v // nx % ny, v // (nx * ny)
        first, last = max(0, x - rx), min(nx, x + rx + 1)
        at = first - (x - rx)
        for dz in range(-rz, rz + 1):
            pz = z + dz
            pz = -1 - pz if pz < 0 else (2 * nz - 1 - pz if pz >= nz else pz)
            for dy in range(-ry, ry + 1):
                py = y + dy
                py = -1 - py if py < 0 else (2 * ny - 1 - py if py >= ny else py)
                row = (pz * ny + py) * nx
                if row < row_lo * nx or row >= row_hi * nx:
                    continue
                line = ((dz + rz) * (2 * ry + 1) + dy + ry) * wide
                _add_row(s, pattern, line + at, c, row + first, last - first)
                for j in range(at):
                    c[row + at - 1 - j] += s * pattern[line + j]
                for j in range(last - x + rx, wide):
                    c[row + 2 * nx - 1 - (x - rx + j)] += s * pattern[line + j]
