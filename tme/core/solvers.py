"""Fields due in one tick are independent of each other: on several threads they are solved side by side.

Each solve runs on one thread, in a workspace of its own, so the bits are those of one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numba

from tme.kernels.multigrid import Workspace

WORTH_VOXELS = 20_000  # smaller lattices are solved before a second thread has woken up


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
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="tme-field")
            self._free.put(self._model.workspace)
            for _ in range(self.threads - 1):
                self._free.put(Workspace(self._model.grid.shape, self._model.grid.periodic))
        for future in [self._pool.submit(self._call, job) for job in jobs]:
            future.result()

    def _call(self, job: Callable[[Any], None]) -> None:
        workspace = self._free.get()
        try:
            job(workspace)
        finally:
            self._free.put(workspace)
