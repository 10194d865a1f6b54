"""A pathway's cells on the CUDA device: the laws of its table, one thread a cell.

The rows to step are gathered into one matrix, which crosses to the device, is stepped there and comes back with
its states. Nothing here imports the device's package before a model asks for the device.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.device import DeviceError
from tme.pathways.contract import Pathway
from tme.pathways.store import device_kernel


def refuse(pathway: Pathway) -> None:
    """DeviceError where the pathway's laws do not run on the device."""
    if not pathway.device:
        raise DeviceError(f"--device cuda: the pathway {pathway.name} has no device kernel; --device cpu runs it, or switch it off")


class DeviceStepper:
    """Steps cells of one pathway; the matrix on both sides grows as needed, about 250 bytes a cell each."""

    def __init__(self, pathway: Pathway, modulated: bool) -> None:
        refuse(pathway)
        self.pathway, self.modulated = pathway, modulated
        self.neutral = tuple(t.neutral for t in pathway.terms) if modulated else ()
        self.host = np.empty(0)
        self.device: Any = None

    def grow(self, size: int) -> None:
        """Make room for `size` numbers."""
        from numba import cuda

        if self.host.size < size:
            self.host = np.empty(size + size // 4)
            self.device = cuda.device_array(self.host.size)

    def advance(self, rows: np.ndarray, n_rows: int, tick: int, dt_min: float, p: Any, state: np.ndarray, clock: np.ndarray,
                *columns: np.ndarray) -> None:  # fmt: skip
        """As `stepping.advance`."""
        from tme.kernels.cuda.launch import shape

        m, take = int(n_rows), rows[:n_rows]
        if m == 0:
            return
        n = len(columns)
        self.grow((n + 2) * m)
        host, there = self.host[: (n + 2) * m], self.device[: (n + 2) * m]
        w = host.reshape(n + 2, m)
        for k, column in enumerate(columns):
            if column.size:
                np.take(column, take, out=w[k], mode="clip")
            else:
                w[k] = self.neutral[k - n + len(self.neutral)]
        w[n] = state[take] == 0
        w[n + 1] = dt_min * (tick - clock[take])
        there.copy_to_device(host)
        device_kernel(self.pathway, self.modulated).step_cells[shape(m)](there, m, p)
        states = len(self.pathway.states)
        there[: states * m].copy_to_host(host[: states * m])
        for k in range(states):
            columns[k][take] = w[k]
        clock[take] = tick
