"""Workers that do not see the run directory: the same files, written by the caller alone."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_model import FakeConfig, FakeModel

from tme.experiments import files, remote, run, status
from tme.experiments.executor import Interrupt
from tme.experiments.executors.processes import Processes
from tme.experiments.executors.serial import Serial
from tme.experiments.progress import read_events

QUIET = {"progress": False, "report": False, "model_factory": FakeModel}
CONFIG = FakeConfig(branch_at_day=0.0)


class Apart(Serial):
    """Calls in this process, by functions that are not to write."""

    sees_files = False


class ProcessesApart(Processes):
    """Processes that are not to write."""

    sees_files = False


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file whose bits must not depend on how a run went."""
    names = [p for p in folder.rglob("*") if p.suffix in (".csv", ".h5ad", ".npz") or p.name in ("frame.bin", "branch_state")]
    return {p.relative_to(folder).as_posix(): files.sha256(p) for p in names}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The run whose workers write for themselves."""
    return run(CONFIG, tmp_path_factory.mktemp("reference") / "run", jobs=1, **QUIET).path


@pytest.mark.parametrize("part_s", [10.0, -1.0], ids=["in one part", "a part for each checkpoint"])
def test_the_directory_is_the_same_file_for_file(reference, tmp_path, monkeypatch, part_s):
    monkeypatch.setattr(remote, "PART_S", part_s)
    made = run(CONFIG, tmp_path / "run", executor=Apart(), **QUIET)
    assert made.exit_code == 0
    assert fingerprint(made.path) == fingerprint(reference)
    inside = {p.relative_to(made.path).as_posix() for p in made.path.rglob("*")}
    assert inside == {p.relative_to(reference).as_posix() for p in reference.rglob("*")}
    assert status(made.path, verify=True)["counts"] == {"done": 4}


def test_workers_write_nothing(reference, tmp_path):
    """Their run folder is a place that only the caller can reach."""
    written = []

    class Watched(FakeModel):
        def step(self):
            super().step()
            written.extend(p for p in tmp_path.rglob("*.csv"))

    config = replace(CONFIG, branch_at_day=None, arms={"control": {}}, replicates=1)
    made = run(config, tmp_path / "run", executor=Apart(), **{**QUIET, "model_factory": Watched})
    assert made.exit_code == 0 and not written


@pytest.mark.parametrize("executor", [Apart, pytest.param(lambda: ProcessesApart(2), marks=pytest.mark.slow)], ids=["one", "two"])
def test_an_interrupted_run_keeps_checkpoints_and_a_rerun_goes_on_from_them(reference, tmp_path, monkeypatch, executor):
    slow = replace(CONFIG, sleep_s=0.02)
    timer = threading.Timer(3.0 if executor is not Apart else 1.5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    enter = Interrupt.__enter__
    with monkeypatch.context() as patch:
        patch.setattr(Interrupt, "__enter__", lambda self: (enter(self), timer.start())[0])  # not before somebody listens
        with executor() as workers:
            made = run(slow, tmp_path / "run", executor=workers, **QUIET)
    timer.join()
    assert made.exit_code == 75
    assert status(made.path)["counts"].get("done", 0) < 4 and list(made.path.rglob("checkpoint_?"))
    with executor() as workers:
        made = run(CONFIG, made.path, executor=workers, **QUIET)
    assert made.exit_code == 0
    assert fingerprint(made.path) == fingerprint(reference)
    assert any(e["event"] == "done" and e.get("resumed_from_hour") is not None for e in read_events(made.path))


def test_a_failing_simulation_is_named_and_the_others_finish(tmp_path):
    made = run(replace(CONFIG, fail_arm="drug"), tmp_path / "run", executor=Apart(), **QUIET)
    assert (made.exit_code, sorted(made.failed)) == (3, ["drug/rep-000", "drug/rep-001"])
    assert "fails on purpose" in (made.path / "drug/rep-000/error.txt").read_text()
    assert status(made.path)["counts"] == {"done": 2, "failed": 2}


def test_a_growth_that_cannot_begin_fails_its_arms_by_name(tmp_path):
    made = run(replace(CONFIG, replicates=1), tmp_path / "run", jobs=1, **QUIET)
    for path in (made.path / "growth/branch-000/branch_state", made.path / "growth/branch-000/DONE", made.path / "drug/rep-000/DONE"):
        path.unlink()
    (made.path / "growth/branch-000/checkpoint_a").write_bytes(b"TMECKPT9" + bytes(100))
    again = run(replace(CONFIG, replicates=1), made.path, executor=Apart(), **QUIET)
    assert again.exit_code == 3 and "growth/branch-000" in again.failed and "drug/rep-000" in again.failed


def test_a_simulation_that_kills_its_workers_is_given_up_by_name(tmp_path):
    with ProcessesApart(2) as workers:
        made = run(replace(CONFIG, die_arm="drug", replicates=1), tmp_path / "run", executor=workers, **QUIET)
    assert made.failed == ("drug/rep-000",) and "process died" in (made.path / "drug/rep-000/error.txt").read_text()
    assert set(made.summary()["arm"]) == {"control"}


def test_the_handlers_of_a_run_see_a_stop_while_parts_wait(reference, tmp_path, monkeypatch):
    """Stopped between two parts: the checkpoint of the first is kept, and the run says 75."""
    monkeypatch.setattr(remote, "PART_S", -1.0)
    taken, interrupts = remote.Writer.take, []
    enter = Interrupt.__enter__
    monkeypatch.setattr(Interrupt, "__enter__", lambda self: interrupts.append(self) or enter(self))

    def take(self, part, piece):
        interrupts[-1].wanted = True
        return taken(self, part, piece)

    with monkeypatch.context() as patch:
        patch.setattr(remote.Writer, "take", take)
        made = run(CONFIG, tmp_path / "run", executor=Apart(), **QUIET)
    assert made.exit_code == 75 and len(list(made.path.rglob("checkpoint_?"))) == 1
    assert run(CONFIG, made.path, executor=Apart(), **QUIET).exit_code == 0
    assert fingerprint(made.path) == fingerprint(reference)


@pytest.mark.parametrize("part_s", [-1.0, 0.05])
def test_parts_end_at_checkpoints_so_that_no_step_is_done_twice(tmp_path, monkeypatch, part_s):
    monkeypatch.setattr(remote, "PART_S", part_s)
    config = replace(CONFIG, branch_at_day=None, replicates=1, sleep_s=0.004, output={**CONFIG.output, "checkpoint_every_h": 7})
    made = run(config, tmp_path / "run", executor=Apart(), **QUIET)
    for timing in made.path.rglob("timing.json"):
        assert json.loads(timing.read_text())["steps"] == 144


def test_a_checkpoint_is_written_after_the_snapshots_that_are_older(reference, tmp_path, monkeypatch):
    """Whatever ends the caller between two files: it would go on from the checkpoint, and what is older would never be made again."""
    written, write = [], files.write_bytes
    monkeypatch.setattr(files, "write_bytes", lambda path, content: (written.append(path.name), write(path, content)))
    task = SimpleNamespace(folder=tmp_path)
    remote.Writer(lambda outcome: None)._write(task, remote.Piece({"checkpoint_a": b"72 h", "cells_60.h5ad": b"60 h", "series.csv": b""}, None, "checkpoint_a"), None)
    assert written == ["cells_60.h5ad", "series.csv", "checkpoint_a"]
