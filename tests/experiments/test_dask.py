"""Dask workers: real processes, of which some die, some are unlike, and some never come."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from calls import dies_once, odd_fails, square, three_kills, until_stopped
from dask_processes import site
from fake_model import FakeConfig, FakeModel

from tme.experiments import files, run, status
from tme.experiments.executors import Failed, dask_pool, executor
from tme.experiments.progress import read_events
from tme.experiments.run_directory import RunBroken, RunError

pytest.importorskip("distributed", reason="needs the extra cluster")
pytestmark = pytest.mark.filterwarnings("ignore")
QUIET = {"progress": False, "report": False, "model_factory": FakeModel}
CONFIG = FakeConfig(branch_at_day=0.0)


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file whose bits must not depend on how a run went."""
    names = [p for p in folder.rglob("*") if p.suffix in (".csv", ".h5ad", ".npz") or p.name in ("frame.bin", "branch_state")]
    return {p.relative_to(folder).as_posix(): files.sha256(p) for p in names}


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A scheduler with two workers that stay for all tests."""
    with site(tmp_path_factory.mktemp("two"), workers=2) as made:
        yield made


@pytest.fixture(scope="module")
def workers(two):
    """The executor on them."""
    with executor("dask", scheduler=two.address) as found:
        deadline = time.monotonic() + 60
        while len(found._client.nthreads()) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        yield found


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The run by processes."""
    return run(CONFIG, tmp_path_factory.mktemp("reference") / "run", jobs=2, **QUIET).path


def test_every_task_is_answered_once_and_failures_are_told(workers):
    assert sorted(workers.map(square, range(20))) == [(x, x * x) for x in range(20)]
    found = dict(workers.map(odd_fails, range(4)))
    assert (found[0], found[1].error, found[2]) == (0, "ValueError: 1 is odd", 2) and "odd_fails" in found[3].trace


def test_both_workers_are_used_by_long_calls_after_short_ones_and_stop_ends_them_early(workers):
    for _ in workers.map(square, range(100)):
        pass
    events = []
    pairs = list(workers.map(until_stopped, range(100), stop=lambda: len(events) >= 2, report=events.append))
    assert {r for _, r in pairs} <= {"stopped", Failed("stopped before its end", lost=True)}
    assert len(pairs) < 10 and sum(r == "stopped" for _, r in pairs) == len(events)


def test_a_run_has_the_bits_of_processes_and_says_on_what_it_was_computed(workers, reference, tmp_path):
    made = run(CONFIG, tmp_path / "run", executor=workers, **QUIET)
    assert made.exit_code == 0 and fingerprint(made.path) == fingerprint(reference)
    (entry,) = made.provenance["invocations"]
    (features,) = entry["processors"].values()
    assert entry["executor"] == "dask" and len(features.split()) > 5 and "bits_may_differ" not in entry


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from fake_model import FakeConfig, FakeModel
import tme
run = tme.run(FakeConfig(branch_at_day=0.0, sleep_s=0.02), sys.argv[2], executor="dask", scheduler=sys.argv[3], report=False,
              model_factory=FakeModel)
sys.exit(run.exit_code)
"""


@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL])
def test_a_run_whose_caller_is_stopped_or_killed_is_completed_by_a_rerun(two, reference, tmp_path, number):
    words = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(Path(__file__).parent), str(tmp_path / "run"), two.address]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not list((tmp_path / "run").glob("growth/*/DONE")):
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (75 if number == signal.SIGTERM else -number), errors.decode()
    if number == signal.SIGTERM:
        assert not list((tmp_path / "run").rglob(".*.tmp"))
        assert list((tmp_path / "run").rglob("checkpoint_?"))
    with executor("dask", scheduler=two.address) as again:
        made = run(CONFIG, tmp_path / "run", executor=again, **QUIET)
    assert made.exit_code == 0 and fingerprint(made.path) == fingerprint(reference) and not list(made.path.rglob(".*.tmp"))
    resumed = [e for e in read_events(made.path) if e["event"] == "done" and e.get("resumed_from_hour") is not None]
    assert bool(resumed) == (number == signal.SIGTERM)


@pytest.mark.slow
def test_with_a_worker_killed_in_the_middle_the_bits_are_those_of_processes(reference, tmp_path):
    (tmp_path / "site").mkdir()
    with site(tmp_path / "site", workers=2) as made:
        slow = replace(CONFIG, sleep_s=0.02)
        with executor("dask", scheduler=made.address) as workers:
            deadline = time.monotonic() + 60
            while len(workers._client.nthreads()) < 2 and time.monotonic() < deadline:
                time.sleep(0.1)
            found, killed = [], []

            def kill(event):
                found.append(event)
                if event["event"] == "done" and event["simulation"].startswith("growth") and not killed:
                    killed.append(made.processes[1])
                    killed[0].kill()

            from tme.experiments import runner

            tell = runner.Progress.__call__
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(runner.Progress, "__call__", lambda self, event: (tell(self, event), kill(event))[0])
                done = run(slow, tmp_path / "run", executor=workers, **QUIET)
        assert killed and done.exit_code == 0
        assert fingerprint(done.path) == fingerprint(reference)
        assert status(done.path, verify=True)["counts"] == {"done": 4}
    left = [p for p in (tmp_path / "site/scratch").rglob("*") if p.is_file() and "lock" not in p.name]
    assert left == [] and not list(tmp_path.rglob("*.tmp"))


@pytest.mark.slow
def test_a_task_whose_worker_died_is_tried_again_and_one_that_kills_all_is_given_up(tmp_path):
    with site(tmp_path, workers=8) as made, executor("dask", scheduler=made.address) as workers:
        (tmp_path / "marks").mkdir()
        found = dict(workers.map(partial(dies_once, str(tmp_path / "marks")), range(8)))
        assert found == {x: x for x in range(8)}
        found = dict(workers.map(three_kills, range(8)))
        assert found.pop(3) == Failed(dask_pool.DIED, lost=True)
        assert found == {x: x for x in range(8) if x != 3}


# ---- bad input ----------------------------------------------------------------------------------------
def test_a_stop_ends_the_round_though_no_worker_is_left(tmp_path):
    with site(tmp_path, workers=1) as made, executor("dask", scheduler=made.address) as workers:
        begun = []

        def report(event):
            if event.get("event") == "began":
                begun.append(event)
                made.processes[-1].kill()

        started = time.monotonic()
        assert list(workers.map(until_stopped, range(5), stop=lambda: bool(begun), report=report)) == []
        assert time.monotonic() - started < 50  # a call takes 60 s


def test_a_scheduler_that_has_gone_between_two_rounds_breaks_the_run(tmp_path):
    with site(tmp_path, workers=1) as made, executor("dask", scheduler=made.address) as workers:
        assert list(workers.map(square, [2])) == [(2, 4)]
        workers._client.close()
        with pytest.raises(RunBroken, match="went away"):
            list(workers.map(square, [2]))


def test_a_scheduler_that_does_not_answer_is_bad_input_after_a_short_time(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_pool, "CONNECT_S", 1.0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    begun = time.monotonic()
    for wrong in (address, "tcp://127.0.0.1:notaport", "nowhere"):
        with pytest.raises(RunError, match=r"no dask scheduler answers at .* expected an address") as caught:
            run(CONFIG, tmp_path / "run", executor="dask", scheduler=wrong, **QUIET)
        assert caught.value.exit_code == 2
    assert time.monotonic() - begun < 20 and not (tmp_path / "run").exists()


def test_a_scheduler_without_workers_is_bad_input(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_pool, "WORKERS_S", 0.5)
    with site(tmp_path) as made, pytest.raises(RunError, match=rf"has no workers; start some with: dask worker {made.address}"):
        executor("dask", scheduler=made.address)


def other_tme(folder: Path) -> Path:
    """A copy of the package that calls itself another version."""
    shutil.copytree(Path(dask_pool.__file__).parents[2], folder / "tme", ignore=shutil.ignore_patterns("__pycache__"))
    init = folder / "tme/__init__.py"
    init.write_text(init.read_text().replace('__version__ = "', '__version__ = "99.'))
    return folder


@pytest.mark.slow
def test_a_worker_with_another_tme_is_always_refused(tmp_path):
    path = other_tme(tmp_path / "other")
    with site(tmp_path) as made:
        made.worker(path=(path,))
        for mixed in (False, True):
            with pytest.raises(RunError, match=r"dask worker tcp://.*: tme 99\..* instead of .*; sources of tme") as caught:
                executor("dask", scheduler=made.address, allow_mixed=mixed)
            assert caught.value.exit_code == 2


def elsewhere(monkeypatch):
    """As if the run had been begun on another processor than that of the workers."""
    meet = dask_pool.Dask._meet

    def patched(self, there):
        mine = min(there)
        meet(self, {**there, "tcp://0": {**there[mine], "processor": "Another 9000", "features": "sse2"}})

    monkeypatch.setattr(dask_pool.Dask, "_meet", patched)


def test_workers_of_another_processor_are_refused_unless_mixed_are_allowed(two, reference, tmp_path, monkeypatch, capsys):
    elsewhere(monkeypatch)
    with pytest.raises(RunError, match=r"processor .* instead of Another 9000 \(--allow-mixed admits it: last digits may then differ"):
        executor("dask", scheduler=two.address)
    made = run(CONFIG, tmp_path / "run", executor="dask", scheduler=two.address, allow_mixed=True, report=False, model_factory=FakeModel)
    assert made.exit_code == 0 and fingerprint(made.path) == fingerprint(reference)
    (entry,) = made.provenance["invocations"]
    assert "instead of Another 9000" in entry["bits_may_differ"][0] and len(entry["processors"]) == 2
    assert capsys.readouterr().out.splitlines()[-1].startswith("bits may differ between simulations: workers were unlike one another (processor ")


@pytest.mark.slow
def test_a_worker_that_comes_later_and_is_unlike_gets_nothing_to_do(tmp_path):
    path = other_tme(tmp_path / "other")
    with site(tmp_path, workers=1) as made, executor("dask", scheduler=made.address) as workers:
        made.worker(path=(path,))
        deadline = time.monotonic() + 60
        while len(workers._client.nthreads()) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        workers.jobs, events = 2, []
        assert sorted(workers.map(square, range(20), report=events.append)) == [(x, x * x) for x in range(20)]
    assert any("is left out: tme 99." in e["message"] for e in events)


@pytest.mark.slow
def test_a_scheduler_that_goes_away_breaks_the_run_and_loses_nothing(reference, tmp_path):
    (tmp_path / "site").mkdir()
    with site(tmp_path / "site", workers=1) as made:
        words = [sys.executable, "-W", "ignore", "-c", SCRIPT.replace("run = ", "from tme.cli import main\nrun = "), str(Path(__file__).parent),
                 str(tmp_path / "run"), made.address]  # fmt: skip
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while not list((tmp_path / "run").glob("growth/*/DONE")):
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.02)
        made.scheduler.kill()
        _, errors = process.communicate(timeout=120)
        assert RunBroken.__name__ in errors.decode() and "went away; what is finished stands" in errors.decode()
    done = run(CONFIG, tmp_path / "run", jobs=1, **QUIET)
    assert done.exit_code == 0 and fingerprint(done.path) == fingerprint(reference)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("processes", {"scheduler": "tcp://x:1"}, "--scheduler goes with --executor dask"),
        ("processes", {"allow_mixed": True}, "--allow-mixed goes with --executor dask"),
        ("dask", {}, "needs either --scheduler ADDRESS or --cluster NAME"),
        ("dask", {"scheduler": "tcp://x:1", "cluster": "slurm"}, "needs either"),
        ("dask", {"cluster": "slurm"}, "--cluster and --cluster-options go together"),
        ("dask", {"cluster": "slrum", "cluster_options": "x"}, "expected one of slurm, pbs, lsf"),
        ("dask", {"scheduler": "tcp://x:1", "jobs": 3}, "--jobs goes with --executor processes"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, name, options, said):
    with pytest.raises(RunError, match=said) as caught:
        run(CONFIG, tmp_path / "run", executor=name, **options, **QUIET)
    assert caught.value.exit_code == 2 and not list(tmp_path.iterdir())


def test_without_the_extra_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("tme.experiments.executors.find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"--executor dask needs distributed: pip install 'tme\[cluster\]'"):
        run(CONFIG, tmp_path / "run", executor="dask", scheduler="tcp://127.0.0.1:1", **QUIET)

