"""Locally one-dimensional (LOD, line-split) diffusion: one tridiagonal solve per axis and step, in cache-sized panels.

For each axis in turn: (1 + dt lambda / d - dt D d2/dx2) c* = c, no-flux ends; d is the number of axes longer
than one voxel. Unconditionally positive, conserves mass where lambda = 0, first order in time. The splitting
error grows with lambda dt, so use it only where lambda dt <= 0.1 (`LodSolver` refuses more); sources added
before the step keep their mass exactly.

Lines are swept side by side in panels of 64: a panel's loops run over its lines, which are vectors, and a panel
fits the second-level cache. Lines along x have their neighbours side by side in memory, so they are swept in a copy
in which x and y are exchanged, cut into panels (`transposed`); the backward sweep of one axis transposes its result, a few rows
at a time, while they are in the first-level cache. Every other step takes the axes in reverse order, so that a
step reads and writes the lattice about once per axis.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.aligned import zeros
from tme.kernels.jit import serial
from tme.kernels.simd import prefetch, transpose_block
from tme.kernels.stencil import part

MAX_LAMBDA_DT = 0.1
PANEL = 64  # lines swept together, a constant so that the loops over them unroll into vectors
ROWS = 64  # rows of a panel solved before they are written transposed; divides PANEL
AHEAD = 6  # rows that are prefetched before they are needed
_NOTHING = np.zeros(0)
_WIDE = np.uint64(PANEL)


class LodSolver:
    """Solver for one diffusion coefficient, step and loss.

    `shape` (nz, ny, nx), `dx_um`, `diffusion` um^2/min, `loss` 1/min (a number, or (n_voxels,) float64),
    `dt_min`. `advance(c)` takes (n_voxels,) float64 on, in place. The loss of every voxel is counted in the
    pivots, which are kept (`keep`, two more arrays) or computed anew in every sweep; call `factor` when it
    changes.
    """

    def __init__(
        self, shape: tuple[int, int, int], dx_um: float, diffusion: float, loss, dt_min: float, *, keep: bool = True
    ) -> None:  # fmt: skip
        long = [int(s) for s in shape if s > 1]
        # an axis of one voxel carries nothing, and leaving it out moves no number in memory
        nz, ny, nx = {0: (1, 1, 1), 1: (1, *long, 1), 2: (1, *long), 3: long}[len(long)]
        self.shape = (nz, ny, nx)
        self.axes = {0: [], 1: [1], 2: [1, 2], 3: [0, 1, 2]}[len(long)]
        self.r = diffusion * dt_min / dx_um**2
        self.dt_min, self.keep = float(dt_min), keep
        self.transposed = zeros(nz * -(-ny // PANEL) * nx * PANEL if 2 in self.axes else 0)
        self.scratch = [zeros(max(self.shape) * PANEL) for _ in range(2)]
        self.rows = zeros((ROWS + 1) * PANEL)
        self.loss_transposed: np.ndarray | None = None
        self.factor(loss)

    def factor(self, loss) -> None:
        """Take a loss (number or (n_voxels,) array), 1/min."""
        if float(np.max(loss)) * self.dt_min > MAX_LAMBDA_DT:
            raise ValueError(f"line splitting needs loss * dt <= {MAX_LAMBDA_DT}; solve this field unsplit")
        loss = np.asarray(loss, np.float64)
        self.scale = self.dt_min / max(len(self.axes), 1)
        self.inverse: dict[int, np.ndarray] = {}
        self.loss: dict[int, np.ndarray] = {}
        nz, ny, nx = self.shape
        for axis in self.axes:
            if loss.ndim == 0:
                line = np.zeros(self.shape[axis])
                pivots(np.full(line.size, float(loss)), self.scale, 1, line.size, 1, self.r, line)
                self.inverse[axis], self.loss[axis] = line, _NOTHING
                continue
            along, lines = loss, (1, nz, ny * nx) if axis == 0 else (nz, ny, nx)
            if axis == 2:
                self.loss_transposed = zeros(self.transposed.size) if self.loss_transposed is None else self.loss_transposed
                along, lines = self.loss_transposed, (self.transposed.size // (nx * PANEL), nx, PANEL)
                transpose_panels(loss, nz, ny, nx, along)
            if self.keep:
                kept = zeros(along.size)
                pivots(along, self.scale, *lines, self.r, kept)
                self.inverse[axis], self.loss[axis] = kept, _NOTHING
            else:
                self.inverse[axis], self.loss[axis] = _NOTHING, along

    def advance(self, c: np.ndarray, steps: int = 1) -> None:
        """`steps` steps, in place."""
        for axis, times, transposes in self._plan(steps):
            source, out = (self.transposed, c) if axis == 2 else (c, self.transposed if transposes else c)
            sweep_lines(source, out, *self.shape, axis, times, transposes, self.r, self.inverse[axis], self.loss[axis], self.scale,
                        self.scratch[0], self.scratch[1], self.rows)  # fmt: skip

    def _plan(self, steps: int) -> list[tuple[int, int, bool]]:
        """(axis, sweeps in a row, whether to transpose the result) for `steps` steps."""
        order = [a for k in range(steps) for a in (self.axes if k % 2 == 0 else self.axes[::-1])]
        runs: list[list[int]] = []
        for a in order:
            if runs and runs[-1][0] == a:
                runs[-1][1] += 1
            else:
                runs.append([a, 1])
        return [(a, times, a == 2 or [b for b, _ in runs[i + 1 : i + 2]] == [2]) for i, (a, times) in enumerate(runs)]


# ---- a panel: row i of its lines lies at s[i * PANEL]; lanes past the last line hold numbers that are never read -----
@part
def _copy(source, i, out, j, m):
    """out[j : j + m] = source[i : i + m]."""
    of, to = np.uint64(i), np.uint64(j)
    for k in range(np.uint64(m)):
        out[to + k] = source[of + k]


@part
def _prefetch_row(array, at):
    """Prefetch a row of a panel: rows lie pages apart, where no hardware prefetches."""
    for k in range(PANEL // 8 + 1):
        prefetch(array, np.uint64(at + 8 * k))


@part
def _forward_sweep(c, at, apart, s, n, inverse, loss, scale, d, shared, r):
    """Forward elimination sweep, reading rows from the lattice: s_i = (c_i + r s_(i-1)) / pivot_i; pivots of voxels go to `d`."""
    for j in range(_WIDE):
        s[j] = d[j] = 0.0
    for i in range(n):
        o, before = np.uint64(i * PANEL), np.uint64(max(i - 1, 0) * PANEL)
        f, ends = np.uint64(at + i * apart), 1.0 + r * (int(i > 0) + int(i < n - 1))
        later = at + min(i + AHEAD, n - 1) * apart
        _prefetch_row(c, later)
        if not shared:
            _prefetch_row(loss if loss.size > 0 else inverse, later)
        if shared:
            w = inverse[i]
            for j in range(_WIDE):
                s[o + j] = (c[f + j] + r * s[before + j]) * w
        elif loss.size == 0:
            for j in range(_WIDE):
                w = inverse[f + j]
                d[o + j] = w
                s[o + j] = (c[f + j] + r * s[before + j]) * w
        else:
            for j in range(_WIDE):
                w = 1.0 / (ends + scale * loss[f + j] - r * r * d[before + j])
                d[o + j] = w
                s[o + j] = (c[f + j] + r * s[before + j]) * w


@part
def _to_pivots(d, i, n, scale, r):
    """1/pivot of row i in place of its losses."""
    o, before, ends = np.uint64(i * PANEL), np.uint64(max(i - 1, 0) * PANEL), 1.0 + r * (int(i > 0) + int(i < n - 1))
    for j in range(_WIDE):
        d[o + j] = 1.0 / (ends + scale * d[o + j] - (r * r * d[before + j] if i > 0 else 0.0))


@part
def _forward_in_place(s, n, p, shared, r):
    """Forward elimination sweep in place, with pivots in `p`."""
    for j in range(_WIDE):
        s[j] *= p[0] if shared else p[j]
    for i in range(1, n):
        o, before = np.uint64(i * PANEL), np.uint64((i - 1) * PANEL)
        if shared:
            w = p[i]
            for j in range(_WIDE):
                s[o + j] = (s[o + j] + r * s[before + j]) * w
        else:
            for j in range(_WIDE):
                s[o + j] = (s[o + j] + r * s[before + j]) * p[o + j]


@part
def _backward_sweep(s, n, p, shared, r, out, at, apart, write):
    """Backward substitution sweep in place, from the last row to the first: s_i += r s_(i+1) / pivot_i; `write`: also to the lattice."""
    if write:
        for j in range(_WIDE):
            out[np.uint64(at + (n - 1) * apart) + j] = s[np.uint64((n - 1) * PANEL) + j]
    for i in range(n - 2, -1, -1):
        o, ahead, f = np.uint64(i * PANEL), np.uint64((i + 1) * PANEL), np.uint64(at + i * apart)
        w = r * p[i] if shared else 0.0
        if shared and write:
            for j in range(_WIDE):
                v = s[o + j] + w * s[ahead + j]
                s[o + j] = v
                out[f + j] = v
        elif write:
            for j in range(_WIDE):
                v = s[o + j] + (r * p[o + j]) * s[ahead + j]
                s[o + j] = v
                out[f + j] = v
        elif shared:
            for j in range(_WIDE):
                s[o + j] += w * s[ahead + j]
        else:
            for j in range(_WIDE):
                s[o + j] += (r * p[o + j]) * s[ahead + j]


@part
def _backward_rows(s, lo, hi, n, p, shared, r, rows):
    """Backward sweep of rows lo to hi - 1 into `rows`, whose row hi - lo is the row solved before."""
    for i in range(hi - 1, lo - 1, -1):
        o, t, ahead = np.uint64(i * PANEL), np.uint64((i - lo) * PANEL), np.uint64((i - lo + 1) * PANEL)
        if i == n - 1:
            for j in range(_WIDE):
                rows[t + j] = s[o + j]
        elif shared:
            w = r * p[i]
            for j in range(_WIDE):
                rows[t + j] = s[o + j] + w * rows[ahead + j]
        else:
            for j in range(_WIDE):
                rows[t + j] = s[o + j] + (r * p[o + j]) * rows[ahead + j]


@part
def _write_transposed(rows, count, m, out, to, apart):
    """out[to + j * apart + i] = row i of line j."""
    if count == ROWS and m == PANEL:
        for j in range(0, PANEL, 8):
            for i in range(0, ROWS, 8):
                transpose_block(rows, np.uint64(i * PANEL + j), _WIDE, out, np.uint64(to + j * apart + i), np.uint64(apart))
    else:
        for j in range(m):
            of, at = np.uint64(j), np.uint64(to + j * apart)
            for i in range(np.uint64(count)):
                out[at + i] = rows[of + i * _WIDE]


@serial
def sweep_lines(source, out, nz, ny, nx, axis, times, transposes, r, inverse, loss, scale, s, d, rows):
    """Solve all lines along an axis (0 z, 1 y, 2 x) of the lattice (nz, ny, nx) `times` times.

    Along x `source` is the transposed lattice (nz, ceil(ny / PANEL), nx, PANEL) and `out` the lattice; else `source`
    is the lattice and `out` the transposed one if `transposes` (only along y), or the lattice. Pivots: `inverse`, (n,) or
    of every voxel as they lie in `source`, or from `loss` times `scale` = dt/d. `s`, `d`: scratch, n * PANEL.
    """
    panels, shared = (ny + PANEL - 1) // PANEL, loss.size == 0 and inverse.size < source.size
    if axis == 0:
        outer, n, inner = 1, nz, ny * nx
    elif axis == 1:
        outer, n, inner = nz, ny, nx
    else:
        outer, n, inner = nz, nx, ny
    p = inverse if shared else d
    for z in range(outer):
        for first in range(0, inner, PANEL):
            m, at, apart = min(PANEL, inner - first), z * n * inner + first, inner
            if axis == 2:
                at, apart = (z * panels + first // PANEL) * n * PANEL, PANEL
            if m == PANEL or axis == 2:
                _forward_sweep(source, at, apart, s, n, inverse, loss, scale, d, shared, r)
            else:
                for i in range(n):
                    _copy(source, at + i * apart, s, i * PANEL, m)
                    if loss.size > 0:
                        _copy(loss, at + i * apart, d, i * PANEL, m)
                        _to_pivots(d, i, n, scale, r)
                    elif not shared:
                        _copy(inverse, at + i * apart, d, i * PANEL, m)
                _forward_in_place(s, n, p, shared, r)
            for _ in range(times - 1):
                _backward_sweep(s, n, p, shared, r, s, 0, PANEL, False)
                _forward_in_place(s, n, p, shared, r)
            if axis < 2 and not transposes:
                _backward_sweep(s, n, p, shared, r, out, at, apart, m == PANEL)
                for i in range(n if m < PANEL else 0):
                    _copy(s, i * PANEL, out, at + i * apart, m)
                continue
            hi = n
            while hi > 0:
                lo = (hi - 1) // ROWS * ROWS
                _backward_rows(s, lo, hi, n, p, shared, r, rows)
                to, lane = (z * ny + first) * nx + lo, nx
                if axis < 2:
                    to, lane = ((z * panels + lo // PANEL) * nx + first) * PANEL + lo % PANEL, PANEL
                _write_transposed(rows, hi - lo, m, out, to, lane)
                _copy(rows, 0, rows, ROWS * PANEL, PANEL)
                hi = lo


@serial
def pivots(loss, scale, outer, n, inner, r, out):
    """1/pivot of every row of the lines along the middle axis of (outer, n, inner)."""
    for o in range(outer):
        for i in range(n):
            at, ends = (o * n + i) * inner, 1.0 + r * (int(i > 0) + int(i < n - 1))
            if i == 0:
                for j in range(np.uint64(inner)):
                    out[at + j] = 1.0 / (ends + scale * loss[at + j])
            else:
                for j in range(np.uint64(inner)):
                    out[at + j] = 1.0 / (ends + scale * loss[at + j] - r * r * out[at - inner + j])


@serial
def transpose_panels(source, nz, ny, nx, out):
    """out (nz, ceil(ny / PANEL), nx, PANEL) = source (nz, ny, nx) with x and y exchanged, in panels of lines."""
    panels = (ny + PANEL - 1) // PANEL
    for z in range(nz):
        for y in range(0, ny, 8):
            base = (z * panels + y // PANEL) * nx * PANEL + y % PANEL
            for x in range(0, nx, 8):
                at, to = (z * ny + y) * nx + x, base + x * PANEL
                if y + 8 <= ny and x + 8 <= nx:
                    transpose_block(source, np.uint64(at), np.uint64(nx), out, np.uint64(to), _WIDE)
                else:
                    for j in range(min(8, ny - y)):
                        for i in range(min(8, nx - x)):
                            out[to + i * PANEL + j] = source[at + j * nx + i]
