"""Line-split (LOD) diffusion: one tridiagonal solve per axis and step, in cache-sized panels.

For each axis in turn: (1 + dt lambda / d - dt D d2/dx2) c* = c, no-flux ends; d is the number of axes longer
than one voxel. Unconditionally positive, conserves mass where lambda = 0, first order in time. The splitting
error grows with lambda dt, so use it only where lambda dt <= 0.1 (`LodSolver` refuses more); sources added
before the step keep their mass exactly.

A sweep runs along the slow axis of a panel of a few dozen lines, which vectorises over the lines and stays
in cache; the panel is written back turned (x and y exchanged) where the other axis comes next, so that a step
reads and writes the lattice once per axis. Every other step takes the axes in reverse order: the sweep that
ends one step and the one that begins the next share a panel.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial
from tme.kernels.stencil import part

MAX_LAMBDA_DT = 0.1
PANEL = 64  # lines swept together, a constant so that the loops over them unroll into vectors
TILE = 64  # entries of a line turned at a time
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
        nz, ny, nx = shape
        self.shape = (int(nz), int(ny), int(nx))
        self.r = diffusion * dt_min / dx_um**2
        self.dt_min, self.keep = float(dt_min), keep
        n = int(np.prod(self.shape))
        self.turned = np.zeros(n)
        self.axes = [a for a in range(3) if self.shape[a] > 1]
        self.scratch = np.zeros((2, max(self.shape) * PANEL))
        self.factor(loss)

    def factor(self, loss) -> None:
        """Take a loss (number or (n_voxels,) array), 1/min."""
        if float(np.max(loss)) * self.dt_min > MAX_LAMBDA_DT:
            raise ValueError(f"line splitting needs loss * dt <= {MAX_LAMBDA_DT}; solve this field unsplit")
        loss = np.asarray(loss, np.float64)
        self.scale = self.dt_min / max(len(self.axes), 1)
        self.inverse: dict[int, np.ndarray] = {}
        self.loss: dict[int, np.ndarray] = {}
        for axis in self.axes:
            if loss.ndim == 0:
                line = np.zeros(self.shape[axis])
                pivots(np.full(line.size, float(loss)), self.scale, 1, line.size, 1, self.r, line)
                self.inverse[axis], self.loss[axis] = line, _NOTHING
                continue
            along = loss
            if self._turns(axis):
                along = np.empty(loss.size)
                turn(loss, *self.shape, along)
            if self.keep:
                kept = np.empty(loss.size)
                pivots(along, self.scale, *self._lines(axis), self.r, kept)
                self.inverse[axis], self.loss[axis] = kept, _NOTHING
            else:
                self.inverse[axis], self.loss[axis] = _NOTHING, along

    def advance(self, c: np.ndarray, steps: int = 1) -> None:
        """`steps` steps, in place."""
        here, there = c, self.turned
        for axis, times, turns in self._plan(steps):
            outer, n, inner = self._lines(axis)
            sweep_lines(here, there if turns else here, outer, n, inner, self.r, self.inverse[axis],
                        self.loss[axis], self.scale, times, turns, self.scratch[0], self.scratch[1])  # fmt: skip
            if turns:
                here, there = there, here

    def _turns(self, axis: int) -> bool:
        """Whether lines along this axis are swept with x and y exchanged."""
        return axis == 2 and self.shape[1] > 1

    def _lines(self, axis: int) -> tuple[int, int, int]:
        """(outer, along the line, inner) of the lattice as it lies when this axis is swept."""
        nz, ny, nx = self.shape
        if axis == 0:
            return 1, nz, ny * nx
        return (nz, ny, nx) if axis == 1 else (nz, nx, ny)

    def _plan(self, steps: int) -> list[tuple[int, int, bool]]:
        """(axis, how often in a row, turn after) for the sweeps of `steps` steps."""
        order = [a for k in range(steps) for a in (self.axes if k % 2 == 0 else self.axes[::-1])]
        runs: list[list[int]] = []
        for a in order:
            if runs and runs[-1][0] == a:
                runs[-1][1] += 1
            else:
                runs.append([a, 1])
        plan, both = [], 1 in self.axes and 2 in self.axes
        for i, (a, times) in enumerate(runs):
            after = next((b for b, _ in runs[i + 1 :] if b != 0), 1)
            plan.append((a, times, both and a != 0 and (after == 2) == (a == 1)))
        return plan


@part
def _pivots_from(d, loss, scale, at, inner, n, m, r):
    """1/pivot of the m lines of a panel."""
    for i in range(n):
        o, v, ends = np.uint64(i * PANEL), np.uint64(at + i * inner), 1.0 + r * (int(i > 0) + int(i < n - 1))
        for j in range(np.uint64(m)):
            d[o + j] = ends + scale * loss[v + j]
        if i == 0:
            for j in range(_WIDE):
                d[o + j] = 1.0 / d[o + j]
        else:
            before = np.uint64((i - 1) * PANEL)
            for j in range(_WIDE):
                d[o + j] = 1.0 / (d[o + j] - r * r * d[before + j])


@part
def _own(s, d, n, r):
    """Both ways for lines with pivots of their own."""
    for j in range(_WIDE):
        s[j] *= d[j]
    for i in range(1, n):
        o, before = np.uint64(i * PANEL), np.uint64((i - 1) * PANEL)
        for j in range(_WIDE):
            s[o + j] = (s[o + j] + r * s[before + j]) * d[o + j]
    for i in range(n - 2, -1, -1):
        o, ahead = np.uint64(i * PANEL), np.uint64((i + 1) * PANEL)
        for j in range(_WIDE):
            s[o + j] += (r * d[o + j]) * s[ahead + j]


@part
def _shared(s, inverse, n, r):
    """Both ways for lines that share their pivots."""
    for j in range(_WIDE):
        s[j] *= inverse[0]
    for i in range(1, n):
        o, before, scale = np.uint64(i * PANEL), np.uint64((i - 1) * PANEL), inverse[i]
        for j in range(_WIDE):
            s[o + j] = (s[o + j] + r * s[before + j]) * scale
    for i in range(n - 2, -1, -1):
        o, ahead, weight = np.uint64(i * PANEL), np.uint64((i + 1) * PANEL), r * inverse[i]
        for j in range(_WIDE):
            s[o + j] += weight * s[ahead + j]


@part
def _copy(source, i, out, j, m):
    """out[j : j + m] = source[i : i + m]."""
    of, to = np.uint64(i), np.uint64(j)
    for k in range(np.uint64(m)):
        out[to + k] = source[of + k]


@part
def _write_turned(s, out, at, n, m):
    """Line j of the panel to out[at + j n : at + (j + 1) n], in tiles."""
    for lo in range(0, n, TILE):
        count = np.uint64(min(TILE, n - lo))
        for j in range(m):
            to, of = np.uint64(at + j * n + lo), np.uint64(lo * PANEL + j)
            for i in range(count):
                out[to + i] = s[of + i * _WIDE]


@serial
def sweep_lines(c, out, outer, n, inner, r, inverse, loss, scale, times, turns, s, d):
    """Solve all lines along the middle axis of `c` (outer, n, inner) `times` times, into `out`.

    `turns`: `out` is (outer, inner, n). Pivots: `inverse` (n,) shared or (outer * n * inner,), or from
    `loss` times `scale` = dt/d. `s` and `d` are scratch of n * PANEL entries.
    """
    shared = loss.size == 0 and inverse.size < outer * n * inner
    for o in range(outer):
        for first in range(0, inner, PANEL):
            m, at = min(PANEL, inner - first), o * n * inner + first
            for i in range(n):
                _copy(c, at + i * inner, s, i * PANEL, m)
            if loss.size > 0:
                _pivots_from(d, loss, scale, at, inner, n, m, r)
            elif not shared:
                for i in range(n):
                    _copy(inverse, at + i * inner, d, i * PANEL, m)
            for _ in range(times):
                if shared:
                    _shared(s, inverse, n, r)
                else:
                    _own(s, d, n, r)
            if turns:
                _write_turned(s, out, (o * inner + first) * n, n, m)
            else:
                for i in range(n):
                    _copy(s, i * PANEL, out, at + i * inner, m)


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
def turn(source, nz, ny, nx, out):
    """out (nz, nx, ny) = source (nz, ny, nx) with x and y exchanged, in blocks that fit the cache."""
    block = 16
    for z in range(nz):
        plane = z * ny * nx
        for a in range(0, ny, block):
            for b in range(0, nx, block):
                for j in range(b, min(b + block, nx)):
                    for i in range(a, min(a + block, ny)):
                        out[plane + j * ny + i] = source[plane + i * nx + j]
