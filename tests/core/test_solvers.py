"""Fields solved side by side: the same bits, whatever the number of threads, and no error lost."""

from __future__ import annotations

from types import SimpleNamespace

import numba
import numpy as np
import pytest

from tme.core import solvers
from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels.multigrid import Workspace

GRID = Grid((1, 60, 70))


def fields():
    """Ten fields that take different paths of the solver."""
    rng, out = np.random.default_rng(0), []
    for k in range(10):
        mode = "quasi_steady" if k % 3 == 0 else "backward_euler"
        field = Field(f"f{k}", "uM", GRID, 10.0 ** (2 + k / 3), 0.05 * k + 0.01, mode=mode, tol=1e-4)
        field.use("source")[:] = rng.random(GRID.n_voxels)
        if k % 2:
            field.use("vmax")[:] = rng.random(GRID.n_voxels)
        out.append(field)
    return out


def model():
    return SimpleNamespace(device="cpu", grid=GRID, workspace=Workspace(GRID.shape))


def test_fields_solved_on_three_threads_keep_the_bits_of_one(monkeypatch):
    monkeypatch.setattr(solvers, "WORTH_VOXELS", 0)
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(numba, "get_num_threads", lambda threads=threads: threads)
        these, together = fields(), solvers.Solvers(model())
        assert together.threads == threads
        for _ in range(3):
            together.run([lambda w, f=f: f.advance(2.0, w) for f in these])
        found.append(b"".join(f.concentration.tobytes() for f in these))
    assert found[0] == found[1]


def test_what_fails_on_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(solvers, "WORTH_VOXELS", 0)
    monkeypatch.setattr(numba, "get_num_threads", lambda: 2)

    def broken(workspace):
        raise FloatingPointError("field oxygen")

    with pytest.raises(FloatingPointError, match="field oxygen"):
        solvers.Solvers(model()).run([broken, lambda w: None])


def test_a_small_lattice_is_solved_on_one_thread(monkeypatch):
    monkeypatch.setattr(numba, "get_num_threads", lambda: 2)
    assert solvers.Solvers(model()).threads == 1
