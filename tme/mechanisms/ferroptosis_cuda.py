"""The ferroptosis chemistry on the device: the laws of `ferroptosis`, one thread a cell.

The rows to step are gathered into one matrix, which crosses to the device, is stepped there and comes back
with its ten states. The laws are the very functions of `ferroptosis`, compiled for the device.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from tme.kernels.cuda.launch import shape
from tme.kernels.cuda.share import device_law
from tme.mechanisms import ferroptosis

keep_half = device_law(ferroptosis.keep_half)
step_cell = device_law(ferroptosis.step_cell)

STATES, COLUMNS = 10, 29  # states, then traits and inputs, in the order of `ferroptosis.gather`
ALIVE, STEP = COLUMNS, COLUMNS + 1
ROWS = COLUMNS + 2


@cuda.jit
def step_cells(w, m, p):
    """Step cells 0 to m - 1; `w` (ROWS * m,) holds their columns one after another, then alive and minutes."""
    for i in range(cuda.grid(1), m, cuda.gridsize(1)):
        h = w[STEP * m + i]
        keep_z, keep_b, keep_d = keep_half(p, h)
        z, c, g, a, q, f, b, u, l, d = step_cell(
            p, h, keep_z, keep_b, keep_d,
            w[i], w[m + i], w[2 * m + i], w[3 * m + i], w[4 * m + i],
            w[5 * m + i], w[6 * m + i], w[7 * m + i], w[8 * m + i], w[9 * m + i],
            w[10 * m + i], w[11 * m + i], w[12 * m + i], w[13 * m + i], w[14 * m + i], w[15 * m + i], w[16 * m + i],
            w[17 * m + i], w[18 * m + i], w[19 * m + i], w[20 * m + i], w[21 * m + i], w[22 * m + i], w[23 * m + i],
            w[24 * m + i], w[25 * m + i], w[26 * m + i], w[27 * m + i], w[28 * m + i], w[ALIVE * m + i],
        )  # fmt: skip
        w[i] = z
        w[m + i] = c
        w[2 * m + i] = g
        w[3 * m + i] = a
        w[4 * m + i] = q
        w[5 * m + i] = f
        w[6 * m + i] = b
        w[7 * m + i] = u
        w[8 * m + i] = l
        w[9 * m + i] = d


class Buffers:
    """The matrix on both sides, grown as needed; about 250 bytes a cell each."""

    def __init__(self) -> None:
        self.host = np.empty(0)
        self.device: Any = None

    def grow(self, size: int) -> None:
        """Make room for `size` numbers."""
        if self.host.size < size:
            self.host = np.empty(size + size // 4)
            self.device = cuda.device_array(self.host.size)


def advance(buffers: Buffers, rows: np.ndarray, n_rows: int, tick: int, dt_min: float, p: Any, state: np.ndarray,
            chem_tick: np.ndarray, *columns: np.ndarray) -> None:  # fmt: skip
    """As `ferroptosis.advance`: step each listed row from its own `chem_tick` to `tick`, in place."""
    m, take = int(n_rows), rows[:n_rows]
    if m == 0:
        return
    buffers.grow(ROWS * m)
    host, there = buffers.host[: ROWS * m], buffers.device[: ROWS * m]
    w = host.reshape(ROWS, m)
    for k, column in enumerate(columns):
        np.take(column, take, out=w[k], mode="clip")
    w[ALIVE] = state[take] == 0
    w[STEP] = dt_min * (tick - chem_tick[take])
    there.copy_to_device(host)
    step_cells[shape(m)](there, m, p)
    there[: STATES * m].copy_to_host(host[: STATES * m])
    for k in range(STATES):
        columns[k][take] = w[k]
    chem_tick[take] = tick
