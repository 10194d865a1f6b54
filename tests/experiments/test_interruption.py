"""Simulations that fail, processes that die, runs that are interrupted: what is kept, told, resumed and completed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fake_model import BRANCHED, QUIET, FakeConfig, FakeModel, fingerprint

from tme.experiments import load, run, status
from tme.experiments.executor import Interrupt
from tme.experiments.plan import plan
from tme.experiments.progress import read_events
from tme.experiments.worker import Task, simulate


@pytest.mark.parametrize("every", [5, 37])
def test_an_often_interrupted_simulation_is_identical(reference, tmp_path, every):
    """Stop after every few steps, many times; the files equal those of the run in one piece."""
    whole = plan(BRANCHED)
    for s in (x for x in whole.simulations if x.replicate == 0):
        for _ in range(100):
            steps = iter(range(every))
            outcome = simulate(
                Task(str(tmp_path), s, BRANCHED, FakeModel), lambda steps=steps: next(steps, None) is None
            )
            if outcome.state == "done":
                break
        assert outcome.state == "done"
        assert fingerprint(tmp_path / s.folder) == fingerprint(reference.path / s.folder)
    assert outcome.resumed_from_hour is not None


def test_a_lost_checkpoint_costs_time_not_truth(reference, tmp_path):
    s = plan(BRANCHED).simulations[0]
    task = Task(str(tmp_path), s, BRANCHED, FakeModel)
    steps = iter(range(20))
    assert simulate(task, lambda: next(steps, None) is None).state == "interrupted"
    for path in task.folder.glob("checkpoint_?"):
        path.write_bytes(b"rubbish")
    assert simulate(task, lambda: False).state == "done"
    assert fingerprint(task.folder) == fingerprint(reference.path / s.folder)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failed_simulation_is_named_and_the_others_finish(tmp_path, jobs):
    config = FakeConfig(fail_arm="drug", branch_at_day=0.0)
    made = run(config, tmp_path / "run", jobs=jobs, **QUIET)
    assert made.exit_code == 3
    assert sorted(made.failed) == ["drug/rep-000", "drug/rep-001"]
    assert "fails on purpose" in (made.path / "drug/rep-000/error.txt").read_text()
    assert set(made.summary()["arm"]) == {"control"}
    assert status(made.path)["counts"] == {"done": 2, "failed": 2}
    assert load(made.path).exit_code == 3
    mended = run(replace(config, fail_arm=""), made.path, jobs=1, **QUIET)
    assert (mended.exit_code, mended.failed) == (0, ())
    assert not list(made.path.rglob("error.txt"))


def test_a_failed_growth_fails_its_arms_by_name(tmp_path):
    made = run(
        FakeConfig(fail_arm="growth", branch_at_day=1.0, replicates=1), tmp_path / "run", jobs=1, **QUIET
    )
    assert made.exit_code == 3
    assert sorted(made.failed) == ["control/rep-000", "drug/rep-000", "growth/branch-000"]


def test_a_dying_process_does_not_take_the_others_with_it(tmp_path):
    config = FakeConfig(die_arm="drug", replicates=1)
    made = run(config, tmp_path / "run", jobs=2, **QUIET)
    assert made.exit_code == 3
    assert made.failed == ("drug/rep-000",)
    assert "process died" in (made.path / "drug/rep-000/error.txt").read_text()
    assert set(made.summary()["arm"]) == {"control"}


class Unreadable(FakeConfig):
    """A configuration that a worker process cannot take in."""

    def __reduce__(self):
        return int, ("no number",)


def test_workers_that_die_over_their_task_end_in_a_named_failure(tmp_path):
    made = run(Unreadable(replicates=1), tmp_path / "run", jobs=2, **QUIET)
    assert made.exit_code == 3
    assert sorted(made.failed) == ["control/rep-000", "drug/rep-000"]


def test_handlers_are_given_back_after_a_run():
    former = signal.getsignal(signal.SIGTERM)
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.wanted
    assert signal.getsignal(signal.SIGTERM) is former

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from fake_model import FakeConfig, FakeModel
import tme
run = tme.run(FakeConfig(branch_at_day=0.0, sleep_s=0.01), sys.argv[2], jobs=int(sys.argv[3]), report=False,
              model_factory=FakeModel)
sys.exit(run.exit_code)
"""


def started(folder: Path, jobs: int) -> subprocess.Popen:
    """A run in a process of its own, well under way."""
    words = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(folder), str(jobs)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not list(folder.glob("*/rep-*/series.csv")):
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.02)
    return process


@pytest.mark.parametrize(("number", "jobs"), [pytest.param(signal.SIGTERM, 1, marks=pytest.mark.slow), (signal.SIGTERM, 2), pytest.param(signal.SIGINT, 2, marks=pytest.mark.slow)])
def test_an_interrupted_run_exits_75_and_is_completed_by_a_rerun(reference, tmp_path, jobs, number):
    process = started(tmp_path / "run", jobs)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: parent and workers alike
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 75, errors.decode()
    assert status(tmp_path / "run")["counts"].get("part-done", 0) >= 1
    assert not list((tmp_path / "run").rglob("*.lock"))
    made = run(BRANCHED, tmp_path / "run", jobs=1, **QUIET)
    assert made.exit_code == 0
    assert fingerprint(made.path) == fingerprint(reference.path)
    assert any(
        e["event"] == "done" and e.get("resumed_from_hour") is not None for e in read_events(made.path)
    )

IDLE = """
import sys
sys.path.insert(0, sys.argv[1])
import os, time
from fake_model import FakeConfig, FakeModel
import tme

class Uneven(FakeModel):
    def step(self):
        time.sleep(0.5 if self.arm == "drug" else 0.0)
        super().step()

tme.run(FakeConfig(replicates=1), sys.argv[2], jobs=2, report=False, model_factory=Uneven)
"""


def test_processes_that_wait_for_work_end_with_their_killed_parent(tmp_path):
    script = tmp_path / "idle.py"
    script.write_text(IDLE.replace("tme.run", 'if __name__ == "__main__":\n    tme.run'))
    words = [sys.executable, str(script), str(Path(__file__).parent), str(tmp_path / "run")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while not (tmp_path / "run/control/rep-000/DONE").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=60)  # ends when the last process that holds the pipe does


def test_a_killed_parent_leaves_a_directory_that_a_rerun_completes(reference, tmp_path):
    process = started(tmp_path / "run", 2)
    process.kill()
    process.communicate(timeout=300)
    made = run(BRANCHED, tmp_path / "run", jobs=1, **QUIET)
    assert made.exit_code == 0
    assert fingerprint(made.path) == fingerprint(reference.path)
    assert any("took over" in str(e.get("message")) for e in read_events(made.path))
