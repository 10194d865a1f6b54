"""Line-split (LOD) diffusion with prefactored lines: one tridiagonal solve per axis and step.

For each axis in turn: (1 + dt lambda / d - dt D d2/dx2) c* = c, no-flux ends; d is the number of axes longer
than one voxel. Unconditionally positive, conserves mass where lambda = 0, first order in time. The splitting
error grows with lambda dt, so use it only where lambda dt <= 0.1 (`LodSolver` refuses more); sources added
before the step keep their mass exactly.

The sweep along a slow axis vectorises over the contiguous one; the x axis is swept on a blocked transpose.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial

MAX_LAMBDA_DT = 0.1
BLOCK = 16


class LodSolver:
    """Prefactored solver for one diffusion coefficient, step and loss.

    `shape` (nz, ny, nx), `dx_um`, `diffusion` um^2/min, `loss` 1/min (a number, or (n_voxels,) float64),
    `dt_min`. `advance(c)` takes (n_voxels,) float64 one step on, in place; the loss of every voxel is counted
    in the factors, so build a new solver (or call `factor`) when it changes.
    """

    def __init__(
        self, shape: tuple[int, int, int], dx_um: float, diffusion: float, loss, dt_min: float
    ) -> None:
        nz, ny, nx = shape
        self.shape = (int(nz), int(ny), int(nx))
        self.r = diffusion * dt_min / dx_um**2
        self.dt_min = float(dt_min)
        n = int(np.prod(self.shape))
        self.scratch = np.zeros(n)
        self.axes = [a for a in range(3) if self.shape[a] > 1]
        self.factor(loss)

    def factor(self, loss) -> None:
        """Compute the line factors for a loss (number or (n_voxels,) array), 1/min."""
        if float(np.max(loss)) * self.dt_min > MAX_LAMBDA_DT:
            raise ValueError(f"line splitting needs loss * dt <= {MAX_LAMBDA_DT}; solve this field unsplit")
        share: np.ndarray = np.asarray(loss, np.float64) * self.dt_min / max(len(self.axes), 1)
        self.factors = {}
        lam: np.ndarray
        for axis in self.axes:
            n = self.shape[axis]
            if share.ndim == 0:
                lam = np.full((1, n, 1), float(share))
            elif axis == 2:
                lam = share.reshape(1, -1, n).transpose(0, 2, 1)
            else:
                lam = share.reshape(_lines(self.shape, axis))
            self.factors[axis] = _factor(self.r, lam)

    def advance(self, c: np.ndarray) -> None:
        """One step, in place."""
        for axis in self.axes:
            upper, inverse = self.factors[axis]
            if axis < 2:
                line_sweep(c.reshape(_lines(self.shape, axis)), self.r, upper, inverse)
            else:
                nx = self.shape[2]
                turned = self.scratch.reshape(nx, -1)
                transpose(c.reshape(-1, nx), turned)
                line_sweep(turned.reshape(1, nx, -1), self.r, upper, inverse)
                transpose(turned, c.reshape(-1, nx))


def _lines(shape: tuple[int, int, int], axis: int) -> tuple[int, int, int]:
    """(outer, along the line, inner) view of the lattice for a line along `axis`."""
    return int(np.prod(shape[:axis])), shape[axis], int(np.prod(shape[axis + 1 :]))


def _factor(r: float, lam: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thomas factors of the lines along axis 1 of `lam` (outer, n, inner): upper / pivot and 1 / pivot."""
    n = lam.shape[1]
    upper, inverse = np.zeros(lam.shape), np.zeros(lam.shape)
    for i in range(n):
        neighbours = (i > 0) + (i < n - 1)
        pivot = 1.0 + lam[:, i] + r * neighbours
        if i > 0:
            pivot = pivot - r * upper[:, i - 1]
        inverse[:, i] = 1.0 / pivot
        upper[:, i] = r * inverse[:, i]
    return upper, inverse


@serial
def line_sweep(c, r, upper, inverse):
    """Solve all lines along axis 1 of `c` (outer, n, inner) in place; factors (outer or 1, n, inner or 1)."""
    outer, n, inner = c.shape
    uniform = upper.shape[2] == 1 and inner > 1
    for o in range(outer):
        f = o if upper.shape[0] > 1 else 0
        for i in range(n):
            here = c[o, i]
            back = c[o, i - 1] if i > 0 else here
            couple = r if i > 0 else 0.0
            if uniform:
                scale = inverse[f, i, 0]
                for j in range(inner):
                    here[j] = (here[j] + couple * back[j]) * scale
            else:
                scales = inverse[f, i]
                for j in range(inner):
                    here[j] = (here[j] + couple * back[j]) * scales[j]
        for i in range(n - 2, -1, -1):
            here, ahead = c[o, i], c[o, i + 1]
            if uniform:
                weight = upper[f, i, 0]
                for j in range(inner):
                    here[j] += weight * ahead[j]
            else:
                weights = upper[f, i]
                for j in range(inner):
                    here[j] += weights[j] * ahead[j]


@serial
def transpose(source, out):
    """out (m, n) = transpose of source (n, m), in blocks that fit the cache."""
    n, m = source.shape
    for a in range(0, n, BLOCK):
        for b in range(0, m, BLOCK):
            for j in range(b, min(b + BLOCK, m)):
                for i in range(a, min(a + BLOCK, n)):
                    out[j, i] = source[i, j]
