"""A full disk, a directory that cannot be written, two writers, an impatient user, SIGKILL: told, and no damage."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_model import FakeConfig, FakeModel

from tme.experiments import files, load, progress, run, status
from tme.experiments.checkpoint import newest, read_checkpoint
from tme.experiments.executor import Interrupt
from tme.experiments.plan import plan
from tme.experiments.progress import EventLog, read_events
from tme.experiments.run_directory import RunBroken, RunError, RunLocked, is_claimed
from tme.experiments.worker import BRANCH_STATE, Task, simulate

ROOT = Path(__file__).parents[2]
QUIET = {"progress": False, "report": False, "model_factory": FakeModel}
CONFIG = FakeConfig(branch_at_day=0.0, replicates=1)


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file whose bits must not depend on how a run went."""
    names = [p for p in folder.rglob("*") if p.suffix in (".csv", ".h5ad", ".npz") or p.name == "frame.bin"]
    return {p.relative_to(folder).as_posix(): files.sha256(p) for p in names}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The run in one piece."""
    return fingerprint(run(CONFIG, tmp_path_factory.mktemp("reference") / "run", jobs=1, **QUIET).path)


# ---- a full disk --------------------------------------------------------------------------------------
@contextmanager
def small_disk(size: str):
    """A file system of a few kilobytes, where this user may mount one."""
    folder = Path(tempfile.mkdtemp())
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("this user cannot mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def whole(folder: Path) -> None:
    """Every checkpoint opens and no half file is left."""
    for path in (*folder.rglob("checkpoint_?"), *folder.rglob(BRANCH_STATE)):
        read_checkpoint(path)
    assert not list(folder.rglob(".*.tmp"))


@pytest.mark.parametrize(("kb", "jobs"), [(32, 1), (80, 1), (160, 1), (240, 1), (80, 2)])
def test_a_full_disk_is_told_and_a_rerun_with_room_completes(reference, kb, jobs, capfd):
    with small_disk(f"{kb}k") as disk:
        try:
            made = run(CONFIG, disk / "run", jobs=jobs, **QUIET)
            code, text = made.exit_code, "".join(e.get("error", "") for e in read_events(made.path))
        except RunError as error:
            code, text = error.exit_code, str(error)
        told = capfd.readouterr().err
        assert code == 3, text + told
        assert "No space left" in text + told and "Traceback" not in told
        whole(disk)
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        made = run(CONFIG, disk / "run", jobs=1, **QUIET)
        assert (made.exit_code, made.failed) == (0, ())
        assert fingerprint(made.path) == reference
        assert not list(made.path.rglob("error.txt"))


@pytest.mark.parametrize("name", ["series.csv", "checkpoint_a", "checkpoint_b", "cells_48.h5ad", "fields_0.npz", "DONE", "frame.bin", "timing.json"])
def test_a_write_that_finds_no_room_fails_one_simulation_and_a_rerun_mends_it(reference, tmp_path, monkeypatch, name):
    whole_write, room = files.atomic_write, []

    def write(path, fill):
        if path.name == name and "drug" in path.parts and not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole_write(path, fill)

    for module in ("files", "h5ad.files", "recorder.files"):
        monkeypatch.setattr(f"tme.experiments.{module}.atomic_write", write)
    made = run(CONFIG, tmp_path / "run", jobs=1, **QUIET)
    assert (made.exit_code, made.failed) == (3, ("drug/rep-000",))
    assert "No space left on device" in (made.path / "drug/rep-000/error.txt").read_text()
    assert set(made.summary()["arm"]) == {"control"}
    whole(made.path)
    room.append(True)
    assert run(CONFIG, made.path, jobs=1, **QUIET).exit_code == 0
    assert fingerprint(made.path) == reference


def test_tables_that_find_no_room_leave_the_simulations_done(reference, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("tme.experiments.runner.merge", full)
        with pytest.raises(RunBroken, match=r"No space left.*run again to complete it") as caught:
            run(CONFIG, tmp_path / "run", jobs=1, **QUIET)
    assert caught.value.exit_code == 3
    assert status(tmp_path / "run")["counts"] == {"done": 2}
    made = run(CONFIG, tmp_path / "run", jobs=1, **QUIET)
    assert [e["event"] for e in read_events(made.path)].count("start") == 3
    assert fingerprint(made.path) == reference


def test_a_log_without_room_is_told_once_and_stops_nothing(tmp_path, monkeypatch, capsys):
    log = EventLog(tmp_path / "events.jsonl")
    log.write({"event": "a"})
    with monkeypatch.context() as patch:
        patch.setattr(progress.os, "write", lambda handle, data: write(handle, data[:9]))
        log.write({"event": "b"})
        patch.setattr(progress.os, "write", lambda handle, data: 1 / 0 if handle == 1 else full())
        log.write({"event": "c"})
    log.write({"event": "d"})
    log.close()
    assert [e["event"] for e in read_events(tmp_path)] == ["a", "d"]
    assert capsys.readouterr().err.count("cannot be written") == 1


write = os.write


def full():
    """What a full disk answers."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# ---- no permission, and company -----------------------------------------------------------------------
@contextmanager
def unprivileged():
    """Without the rights of root, who writes everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_directory_that_cannot_be_written_is_refused_and_stays_readable(reference):
    above = Path(tempfile.mkdtemp())
    try:
        made = run(CONFIG, above / "run", jobs=1, **QUIET)
        for path in (above, *above.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        with unprivileged():
            for folder in (made.path, above / "another"):
                with pytest.raises(RunError, match=r"cannot write the run to .*Permission denied") as caught:
                    run(CONFIG, folder, jobs=1, **QUIET)
                assert caught.value.exit_code == 2
            assert load(made.path).exit_code == 0
            assert status(made.path, verify=True)["counts"] == {"done": 2}
        assert fingerprint(made.path) == reference
        assert sorted(p.name for p in above.iterdir()) == ["run"]
    finally:
        for path in (above, *(p for p in above.rglob("*") if p.is_dir())):
            path.chmod(0o755)
        shutil.rmtree(above)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from fake_model import FakeConfig, MarkedModel
import tme
config = FakeConfig(branch_at_day=0.0, replicates=1, sleep_s=float(sys.argv[4]))
run = tme.run(config, sys.argv[2], jobs=int(sys.argv[3]), report=False, model_factory=MarkedModel)
sys.exit(run.exit_code)
"""


def started(folder: Path, jobs: int, sleep_s: float) -> subprocess.Popen:
    """A run in a process of its own, in the middle of a step."""
    mark = folder.with_name("stepping")
    words = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(folder), str(jobs), str(sleep_s)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                               env={**os.environ, "STEPPING": str(mark)})  # fmt: skip
    while not mark.exists():
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.02)
    return process


@pytest.mark.slow
def test_a_second_process_is_refused_and_the_first_finishes_unharmed(reference, tmp_path):
    process = started(tmp_path / "run", 1, 0.02)
    with pytest.raises(RunLocked, match=f"being written by process {process.pid}") as caught:
        run(CONFIG, tmp_path / "run", jobs=1, **QUIET)
    with pytest.raises(RunLocked):
        run(CONFIG, tmp_path / "run", jobs=1, fresh=True, **QUIET)
    assert caught.value.exit_code == 2
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    assert fingerprint(tmp_path / "run") == reference


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_second_interrupt_stops_at_once_and_a_rerun_completes(reference, tmp_path, jobs):
    """Steps of a minute: the first Ctrl-C waits for the step in progress, the second does not."""
    process = started(tmp_path / "run", jobs, 60.0)
    os.killpg(process.pid, signal.SIGINT)
    assert b"Ctrl-C again stops at once" in process.stderr.readline()
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=50)  # ends with the last worker, which holds the pipe too
    assert process.returncode == 130
    assert not is_claimed(tmp_path / "run/growth/branch-000")
    made = run(CONFIG, tmp_path / "run", jobs=1, **QUIET)
    assert made.exit_code == 0
    assert fingerprint(made.path) == reference


def test_a_second_interrupt_that_falls_into_the_first_ones_message_counts(monkeypatch):
    exits = []
    interrupt = Interrupt()

    class Stream:
        """The next signal arrives as soon as the message is seen."""

        def write(self, text):
            if "Ctrl-C again" in text:
                interrupt._take(signal.SIGINT, None)

        def flush(self):
            pass

    monkeypatch.setattr(os, "_exit", exits.append)
    monkeypatch.setattr(sys, "stderr", Stream())
    interrupt._take(signal.SIGINT, None)
    assert exits == [130]
    assert interrupt.wanted


# ---- checkpoints of others ----------------------------------------------------------------------------
def part_done(folder: Path, config: FakeConfig) -> Task:
    """A simulation stopped in the middle, two checkpoints behind it."""
    task = Task(str(folder), plan(config).simulations[0], config, FakeModel)
    for n in (20, 5):
        steps = iter(range(n))
        assert simulate(task, lambda steps=steps: next(steps, None) is None).state == "interrupted"
    return task


def test_a_checkpoint_of_another_configuration_is_refused_and_kept(tmp_path):
    theirs = part_done(tmp_path / "theirs", CONFIG)
    mine = FakeConfig(branch_at_day=0.0, replicates=1, rate=0.5)
    task = Task(str(tmp_path / "mine"), plan(mine).simulations[0], mine, FakeModel)
    shutil.copytree(theirs.folder, task.folder)
    before = fingerprint(task.folder), files.sha256(task.folder / "checkpoint_a")
    outcome = simulate(task, lambda: False)
    assert outcome.state == "failed"
    assert f"config {CONFIG.digest} instead of {mine.digest}" in outcome.error and "--fresh" in outcome.error
    assert before == (fingerprint(task.folder), files.sha256(task.folder / "checkpoint_a"))


class Newer(FakeModel):
    """A model whose states are of another format."""

    @classmethod
    def from_state(cls, *args, **kwargs):
        raise ValueError("checkpoint format 1 is not 2")


def test_a_state_of_another_format_is_refused_and_kept(tmp_path):
    task = part_done(tmp_path, CONFIG)
    before = files.sha256(task.folder / "checkpoint_a")
    outcome = simulate(Task(task.root, task.simulation, CONFIG, Newer), lambda: False)
    assert outcome.state == "failed"
    assert "cannot take it up (ValueError: checkpoint format 1 is not 2)" in outcome.error
    assert files.sha256(task.folder / "checkpoint_a") == before
    assert simulate(task, lambda: False).state == "done"


def test_a_damaged_newest_checkpoint_costs_the_way_back_to_the_other(reference, tmp_path):
    task = part_done(tmp_path, CONFIG)
    slot, _, meta = newest(task.folder, task.identity)
    raw = bytearray((task.folder / slot).read_bytes())
    raw[len(raw) // 2] ^= 1
    (task.folder / slot).write_bytes(raw)
    older = newest(task.folder, task.identity)
    assert older[0] != slot and older[2]["tick"] < meta["tick"]
    outcome = simulate(task, lambda: False)
    assert (outcome.state, outcome.resumed_from_hour) == ("done", older[2]["hour"])
    expected = {n: bits for n, bits in reference.items() if n.startswith("growth/")}
    assert {f"growth/branch-000/{n}": bits for n, bits in fingerprint(task.folder).items()} == expected


@pytest.mark.slow
def test_a_run_killed_at_random_instants_loses_and_repeats_nothing(tmp_path):
    words = [sys.executable, str(ROOT / "benchmarks/faults/kill.py"), "--kills", "6", "--folder", str(tmp_path / "k")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 kills in" in done.stdout and done.stdout.splitlines()[-1] == "0 faults"
