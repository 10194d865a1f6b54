"""Distribution of the fields due in one tick over threads: one thread per field, or all threads on one field after another.

Fields do not depend on each other within a tick, and the result of a solve does not depend on the number of threads that
share it (`kernels.red_black`, `kernels.superpose`). Either way gives the bits of one thread; the choice depends on
measured durations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

from tme.kernels import threads
from tme.kernels.multigrid import Workspace

WORTH_VOXELS = 20_000  # smaller lattices are solved before a second thread has woken up


class Job(NamedTuple):
    """A pending solve, its expected duration, and whether it can be split among threads."""

    solve: Callable[[Any], None]
    seconds: float
    splits: bool


class Solvers:
    """The workspaces for the fields of one model; further ones are allocated when first needed."""

    def __init__(self, model: Any) -> None:
        self.shared = model.device == "cpu" and model.grid.n_voxels >= WORTH_VOXELS
        self._model = model
        self._free: SimpleQueue[Workspace] = SimpleQueue()
        self._made = 0

    @property
    def threads(self) -> int:
        """Threads that solve fields: one where the lattice is small or fields are on a device."""
        return threads.count() if self.shared else 1

    def run(self, jobs: Sequence[Job]) -> None:
        """Call every job with a workspace; an exception of one is raised after all have ended."""
        n_threads = self.threads
        if n_threads == 1:  # in the order given
            for job in jobs:
                job.solve(self._model.workspace)
            return
        rest = sorted(jobs, key=lambda job: -job.seconds)
        left = sum(job.seconds for job in jobs)
        while rest and (len(rest) == 1 or (rest[0].splits and rest[0].seconds * n_threads > 1.1 * left)):
            job = rest.pop(0)  # it takes as long as all others together: split it among all threads
            job.solve(self._model.workspace)
            left -= job.seconds
        if rest:
            while self._made < n_threads:
                grid = self._model.grid
                self._free.put(Workspace(grid.shape, grid.periodic) if self._made else self._model.workspace)
                self._made += 1
            threads.run_all([(self._call, (job.solve,)) for job in rest])

    def _call(self, job: Callable[[Any], None]) -> None:
        workspace = self._free.get()
        try:
            job(workspace)
        finally:
            self._free.put(workspace)
