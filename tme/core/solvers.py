"""Who solves the fields due in one tick: each on a thread of its own, or the whole team on one after another.

Fields do not depend on each other within a tick, and what a team shares within a solve does not depend on how
many share it (`kernels.red_black`, `kernels.superpose`). So the bits are those of one thread, whichever way is
chosen; it is chosen by the time that solves have taken so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

from tme.kernels import team
from tme.kernels.multigrid import Workspace

WORTH_VOXELS = 20_000  # smaller lattices are solved before a second thread has woken up


class Job(NamedTuple):
    """A solve to come, the seconds it is likely to take, and whether a team can split it."""

    solve: Callable[[Any], None]
    seconds: float
    splits: bool


class Solvers:
    """The workspaces for the fields of one model; more than one are made when first needed."""

    def __init__(self, model: Any) -> None:
        self.shared = model.device == "cpu" and model.grid.n_voxels >= WORTH_VOXELS
        self._model = model
        self._free: SimpleQueue[Workspace] = SimpleQueue()
        self._made = 0

    def run(self, jobs: Sequence[Job]) -> None:
        """Call every job with a workspace; an exception of one is raised after all have ended."""
        threads = team.size() if self.shared else 1
        if threads == 1:  # in the plan's order, which no clock changes
            for job in jobs:
                job.solve(self._model.workspace)
            return
        rest = sorted(jobs, key=lambda job: -job.seconds)
        left = sum(job.seconds for job in jobs)
        while rest and (len(rest) == 1 or (rest[0].splits and rest[0].seconds * threads > 1.1 * left)):
            job = rest.pop(0)  # as long as all others together: the team shares it
            job.solve(self._model.workspace)
            left -= job.seconds
        if rest:
            while self._made < threads:
                grid = self._model.grid
                self._free.put(Workspace(grid.shape, grid.periodic) if self._made else self._model.workspace)
                self._made += 1
            team.each([(self._call, (job.solve,)) for job in rest])

    def _call(self, job: Callable[[Any], None]) -> None:
        workspace = self._free.get()
        try:
            job(workspace)
        finally:
            self._free.put(workspace)
