"""What several threads do in one tick: fields due together, and blocks of rows of one kernel.

Each solve runs on one thread, in a workspace of its own; a kernel's rows do not look at each other. So the
bits are those of one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from queue import SimpleQueue
from typing import Any

import numba

from tme.kernels.multigrid import Workspace

WORTH_VOXELS = 20_000  # smaller lattices are solved before a second thread has woken up
WORTH_ROWS = 8_192  # as many rows are stepped


class Solvers:
    """Threads and workspaces for the fields of one model; made when first needed."""

    def __init__(self, model: Any) -> None:
        self.threads = 1
        if model.device == "cpu" and model.grid.n_voxels >= WORTH_VOXELS:
            self.threads = numba.get_num_threads()
        self._model = model
        self._pool: ThreadPoolExecutor | None = None
        self._free: SimpleQueue[Workspace] = SimpleQueue()

    def run(self, jobs: Sequence[Callable[[Any], None]]) -> None:
        """Call every job with a workspace; an exception of one is raised after all have ended."""
        if self.threads == 1 or len(jobs) == 1:
            for job in jobs:
                job(self._model.workspace)
            return
        if self._free.empty():
            self._free.put(self._model.workspace)
            for _ in range(self.threads - 1):
                self._free.put(Workspace(self._model.grid.shape, self._model.grid.periodic))
        for future in [self._threads().submit(self._call, job) for job in jobs]:
            future.result()

    def share(self, kernel: Callable[..., Any], n: int, *arguments: Any) -> None:
        """Call `kernel(lo, hi, *arguments)` over rows 0 to n in blocks, one a thread; it releases the GIL."""
        if self.threads == 1 or n < WORTH_ROWS:
            kernel(0, n, *arguments)
            return
        ends = [n * i // self.threads for i in range(self.threads + 1)]
        others = [self._threads().submit(kernel, lo, hi, *arguments) for lo, hi in pairwise(ends[1:])]
        kernel(0, ends[1], *arguments)
        for future in others:
            future.result()

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="tme")
        return self._pool

    def _call(self, job: Callable[[Any], None]) -> None:
        workspace = self._free.get()
        try:
            job(workspace)
        finally:
            self._free.put(workspace)
