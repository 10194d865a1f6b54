"""Fields solved side by side, or one after another on all threads: the same bits, and no error lost."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from tme.core import solvers
from tme.core.field import Field
from tme.core.grid import Grid
from tme.core.solvers import Job
from tme.kernels import threads
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


def several_bands(monkeypatch):
    """A lattice as small as this is cut into bands and solved on several threads."""
    monkeypatch.setattr(solvers, "WORTH_VOXELS", 0)
    monkeypatch.setattr("tme.kernels.red_black.solve.BAND", 1)


@pytest.mark.parametrize("seconds", ["alike", "one is longest"])
def test_fields_solved_on_three_threads_keep_the_bits_of_one(monkeypatch, seconds):
    several_bands(monkeypatch)
    found = []
    for n_threads in (1, 3):
        monkeypatch.setattr(threads, "count", lambda n_threads=n_threads: n_threads)
        these, together = fields(), solvers.Solvers(model())
        likely = [1.0 if seconds == "alike" or k == 4 else 0.01 for k in range(10)]
        for _ in range(3):
            together.run([Job(lambda w, f=f: f.advance(2.0, w), s, True) for f, s in zip(these, likely)])
        found.append(b"".join(f.concentration.tobytes() for f in these))
    assert found[0] == found[1]


def test_the_longest_solve_is_shared_and_the_others_run_side_by_side(monkeypatch):
    several_bands(monkeypatch)
    monkeypatch.setattr(threads, "count", lambda: 2)
    seen = {}

    def job(name):
        def call(workspace):
            seen[name] = (threading.current_thread().name, threads._owner is not None, id(workspace))

        return call

    one = model()
    solvers.Solvers(one).run([Job(job("short"), 0.2, True), Job(job("long"), 1.0, True), Job(job("other"), 0.2, True)])
    assert seen["long"] == (threading.current_thread().name, False, id(one.workspace))  # the pool was free for it
    assert seen["short"][1] and seen["other"][1]
    assert {seen["short"][2], seen["other"][2]} != {id(one.workspace)}
    solvers.Solvers(one).run([Job(job("short"), 0.2, True), Job(job("long"), 1.0, False), Job(job("other"), 0.2, True)])
    assert seen["long"][1]  # it could not be split, so it ran beside the others


def test_what_fails_on_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(solvers, "WORTH_VOXELS", 0)
    monkeypatch.setattr(threads, "count", lambda: 2)

    def broken(workspace):
        raise FloatingPointError("field oxygen")

    fails, fine = Job(broken, 1.0, True), Job(lambda w: None, 1.0, True)
    for jobs in ([fails, fine], [fine, fails, fine]):
        with pytest.raises(FloatingPointError, match="field oxygen"):
            solvers.Solvers(model()).run(jobs)


def test_a_small_lattice_is_solved_on_one_thread(monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: 2)
    names = []
    jobs = [Job(lambda w: names.append(threading.current_thread().name), 1.0, True)] * 4
    solvers.Solvers(model()).run(jobs)
    assert set(names) == {threading.current_thread().name}
