"""Conjugate gradients on one colour of the lattice, for fields whose losses dominate diffusion.

The system is that of `multigrid`, without given voxels, fixed faces or periodic axes. Colour the voxels like
a chessboard: each colour touches only the other, so black is eliminated exactly and CG runs on red. With rho
the largest ratio of couplings to diagonal the condition number falls from (1 + rho)/(1 - rho) to
1/(1 - rho^2), which halves the iterations; each costs one pass.

Concentrations and residuals are float64; the correction is found in float32, normalised, in as many rounds
as the tolerance needs (iterative refinement: Higham 2002, Accuracy and Stability of Numerical Algorithms,
ch. 12). One fused pass makes an iteration: while a row gets its new direction, the row `lag` behind gets the
black values and the row 2 `lag` behind the product. Large lattices are cut into bands, which threads share; rows
near a cut are done after the bands beside it. Sums run in a fixed shape: one lane per x, then along x, then
over the bands and cuts. The bands depend on the lattice alone, so the bits do not depend on the number of threads.

Red voxels of row (z, y) are x = 2 j + parity, parity = (z + y) mod 2. Half lattices are stored flat: a row is
a zero, h = (nx + 1) // 2 entries and zeros up to `width`; zero rows (in 3D: planes) lie before, between and after the planes, so
that every neighbour is at a fixed distance and what is beyond a wall reads 0. Planes are an odd number of
rows apart, so parity is that of the flat row.
"""

from __future__ import annotations

import math

import numpy as np

from tme.kernels import threads
from tme.kernels.aligned import bytes_for_rows, row_array, rows_view
from tme.kernels.red_black.assemble import E, W, assemble, assemble_cuts, totals
from tme.kernels.red_black.iterate import apply_correction, black_cuts, black_values, iterate, iterate_cuts

ROUND = 1e-5  # how far one float32 round may reduce the residual
ROUNDS = 60
CHUNK = 640  # entries in flight per array, about: eight of them fill a first-level cache
VECTORS = 64  # entries of one iteration of an unrolled loop: four vectors of 16
BANDS = 8  # at most
BAND = 64  # chunks of a band, at least


class Scratch:
    """Half lattices for one lattice (nz, ny, nx); no state between solves but the zeros of the padding.

    They lie in `buffer`, bytes that other solvers use between solves, where it is large enough: call `clear` before a solve.
    """

    def __init__(self, shape: tuple[int, int, int], buffer: np.ndarray | None = None) -> None:
        nz, ny, nx = shape
        h = (nx + 1) // 2
        step = VECTORS // 4 if h < 256 else VECTORS // 2
        width = -(-(h + 1) // step) * step
        unit = math.lcm(2 * width, VECTORS)  # every loop over a chunk then ends with a whole vector
        plane = ny if nz == 1 else ny + 1 + ny % 2
        lead = 2 if nz == 1 else plane + plane % 2  # even, so that the parity of a flat row is its own
        chunk = unit * max(1, CHUNK // unit)
        last = (lead + nz * plane) * width
        span = (1 if nz == 1 else plane) * width
        n_chunks = -(-(last - lead * width) // chunk)
        lag = -(-(span + 1) // chunk)
        many = max(1, 1024 // nx)  # rows of the full lattice in flight
        size = lead * width + (n_chunks + 1) * chunk + 2 * span + 2
        # rows near a cut must not meet those near the next
        bands = max(1, min(BANDS, n_chunks // max(BAND, 8 * lag), nz * ny // (many + 4 * (1 if nz == 1 else ny))))
        self.layout = np.array([nz, ny, nx, width, plane, lead, chunk, n_chunks, lag, many, bands], np.int64)
        narrow, wide = bytes_for_rows(8, size, np.float32), bytes_for_rows(2, size)
        self.shares = buffer is not None and len(buffer) >= narrow + wide
        if buffer is not None and self.shares:
            self.half, self.half64 = rows_view(buffer, 8, size, np.float32), rows_view(buffer[narrow:], 2, size)
        else:
            self.half, self.half64 = row_array(8, size, np.float32), row_array(2, size)
        self.rows32 = row_array(3 * bands, chunk, np.float32)
        self.rows = row_array(8 * bands, many * nx)
        self.inv = row_array(bands, many * nx, np.float32)
        self.sums = np.zeros((2 * bands, 4))
        # 1 where the row of this place of a chunk is even
        self.even = np.repeat(np.arange(chunk // width) % 2 == 0, width).astype(np.float32)

    def clear(self) -> None:
        """Write zeros wherever a solve reads before it writes."""
        for row in (W, E):
            self.half[row] = 0.0
        self.half64[:] = 0.0
        width, lead, chunk, n_chunks = (int(self.layout[i]) for i in (3, 5, 6, 7))
        self.half[:, : lead * width] = 0.0
        self.half[:, lead * width + n_chunks * chunk :] = 0.0

    def arrays(self) -> tuple:
        """What `step` takes, in its order."""
        return self.layout, self.half, self.half64, self.rows32, self.rows, self.inv, self.even, self.sums


def _alone(kernel, n, *arguments):
    """`n` bands or cuts, one after another."""
    kernel(0, n, *arguments)


def step(c, per_dt, decay, k, tol, max_passes, loss, source, exchange, vessel, wrap, b,
         layout, half, half64, rows32, rows, inv, even, sums):  # fmt: skip
    """Advance `c` (n_voxels,) in place; returns the passes used.

    -1 if the first round failed, `c` as it was; -2 if a later one did. Arguments as in `diffusion.step`;
    `k` = D/dx^2 couples every pair of neighbours. Stops when the residual in the norm weighted by 1/diagonal
    is below `tol` times the right-hand side. A closed system (no exchange) is scaled so that its losses equal
    its gains. A Python loop over kernels, which compile sooner than one; threads share the bands of each.
    """
    base, used, gain, lost, floor, done = per_dt + decay, 0, 0.0, 0.0, ROUND * ROUND, False
    raw, bands = half64[0], int(layout[10])
    on = threads.over_blocks if bands > 1 and threads.count() > 1 else _alone
    at_cuts = on if layout[0] > 1 else _alone  # a few rows in a plane, a few planes in space
    for round_ in range(ROUNDS):
        on(assemble, bands, round_ == 0, c, b, k, per_dt, base, loss, source, exchange, vessel,
            layout, wrap, half, half64, rows, inv, sums)  # fmt: skip
        if bands > 1:
            at_cuts(assemble_cuts, bands - 1, k, layout, half64)
        rest, size, total, lost = totals(sums, bands)
        if round_ == 0:
            gain = total
        if size == 0.0:
            c[:] = 0.0
            return 0
        goal = tol * tol * size / rest if rest > 0.0 else 1.0
        done = goal >= 1.0
        if done:
            break
        scale, alpha, beta, left = rest**-0.5, 0.0, 0.0, 1.0
        for i in range(max_passes):
            on(iterate, bands, i == 0, scale, alpha, beta, layout, half, raw, rows32, even, sums)
            if bands > 1:
                at_cuts(iterate_cuts, bands - 1, layout, half, rows32, even, sums)
            rr, pq, qq, _ = totals(sums, 2 * bands - 1)
            used += 1
            alpha = rr / pq if pq > 0.0 else 0.0
            left = max(alpha * alpha * qq - rr, 0.0)  # |r - alpha q|^2, for r . q = p . q
            if left <= max(goal, floor) or alpha == 0.0:
                break
            beta = left / rr
        if round_ == 0 and not left <= max(goal, floor):
            return -1
        on(black_values, bands, alpha, layout, half, even)
        if bands > 1:
            at_cuts(black_cuts, bands - 1, layout, half, even)
        on(apply_correction, bands, c, k, scale, base, loss, layout, half, half64, rows, sums)
        lost = totals(sums, bands)[0]
        done = left <= goal and goal > floor
        if done:
            break
    if not done:
        return -2
    if exchange.size == 0 and lost > 0.0 and gain > 0.0 and gain != lost:
        c *= gain / lost
    return used
