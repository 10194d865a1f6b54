"""Queues: options are checked against dask-jobqueue's classes; a queue of two shell scripts computes a run."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from fake_model import FakeConfig, FakeModel

from tme.experiments import files, run
from tme.experiments.executors import CLUSTERS, cluster, dask_pool
from tme.experiments.run_directory import RunError

dask_jobqueue = pytest.importorskip("dask_jobqueue", reason="needs the extra cluster")
pytestmark = pytest.mark.filterwarnings("ignore")
QUIET = {"progress": False, "report": False, "model_factory": FakeModel}
GOOD = "jobs: 1\ncores: 1\nprocesses: 1\nmemory: 1GB\nwalltime: '01:00:00'\n"


def options(tmp_path: Path, text: str) -> Path:
    """A file of options."""
    (tmp_path / "options.yaml").write_text(text)
    return tmp_path / "options.yaml"


@pytest.mark.parametrize("kind", CLUSTERS)
def test_sound_options_become_a_job_script_with_one_thread_per_worker(tmp_path, kind):
    cls = getattr(dask_jobqueue, cluster.CLASSES[kind])
    found = cluster.read(options(tmp_path, GOOD.replace("cores: 1\nprocesses: 1", "cores: 4\nprocesses: 4") + "queue: short\n"), kind, cls)
    assert found.pop("jobs") == 1
    with cls(**found) as made:
        script = made.job_script()
    assert "short" in script and "--nthreads 1" in script and "--nworkers 4" in script and "1:00" in script


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "qeueu: short\n", r"options\.yaml:6: qeueu: unknown option of the slurm cluster; expected one of .*did you mean 'queue'\?"),
        (GOOD.replace("cores: 1", "cores: many"), r"options\.yaml:2: cores: expected a whole number from 1, found 'many'"),
        (GOOD.replace("1GB", "lots"), r"options\.yaml:4: memory: expected an amount such as 64GB, found 'lots'"),
        ("jobs: 0\nmemory: 1GB\n", r"(?s)options\.yaml:1: jobs: expected a whole number from 1, found 0.*options\.yaml:1: cores: missing"),
        ("- a\n", r"expected keys such as jobs, cores, memory"),
        ("a: [\n", r"options\.yaml: no YAML"),
        (GOOD + "n_workers: 3\n", r"n_workers: unknown option"),
    ],
)
def test_options_that_do_not_fit_are_told_with_their_line(tmp_path, text, said):
    with pytest.raises(RunError, match=said) as caught:
        run(FakeConfig(), tmp_path / "run", executor="dask", cluster="slurm", cluster_options=options(tmp_path, text), **QUIET)
    assert caught.value.exit_code == 2 and not (tmp_path / "run").exists()


def test_a_queue_that_is_not_there_is_bad_input(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    with pytest.raises(RunError, match="there is no command sbatch here"):
        run(FakeConfig(), tmp_path / "run", executor="dask", cluster="slurm", cluster_options=options(tmp_path, GOOD), **QUIET)
    (tmp_path / "sbatch").write_text("#!/bin/bash\necho invalid partition >&2\nexit 1\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(RunError, match=r"(?s)the queue refuses the job: .*invalid partition"):
        run(FakeConfig(), tmp_path / "run", executor="dask", cluster="slurm", cluster_options=options(tmp_path, GOOD), **QUIET)
    assert not (tmp_path / "run").exists()


@pytest.fixture
def bounded():
    """Fails instead of waiting for ever: whoever waits for a queue may wait long."""

    def late(*_):
        raise RuntimeError("nothing came of the queue in five minutes")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(300)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def queue_of(tools: Path, job: str, monkeypatch) -> None:
    """A queue of two shell scripts; `job` starts what it is given."""
    tools.mkdir()
    (tools / "sbatch").write_text(f'#!/bin/bash\n{job}\necho $! >> "$JOBS"\necho "Submitted batch job $!"\n')
    (tools / "scancel").write_text('#!/bin/bash\nkill -- "-$1"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JOBS", str(tools.parent / "jobs"))


@pytest.mark.slow
def test_who_waits_for_a_queue_whose_jobs_end_at_once_is_told_where_to_look(tmp_path, monkeypatch, bounded):
    queue_of(tmp_path / "tools", "true &", monkeypatch)
    monkeypatch.setattr(dask_pool, "TELL_S", 1.0)

    def said(text, **_):
        if "first job" not in text:
            raise RuntimeError(text)

    monkeypatch.setattr(dask_pool, "print", said, raising=False)
    with pytest.raises(RuntimeError, match="no job has brought a worker in 0 min: look at the queue, and at the logs of jobs that have ended"):
        run(FakeConfig(), tmp_path / "run", executor="dask", cluster="slurm", cluster_options=options(tmp_path, GOOD), **QUIET)


@pytest.mark.slow
def test_a_queue_computes_the_bits_of_processes_and_its_jobs_end_with_the_run(tmp_path, monkeypatch, bounded):
    queue_of(tmp_path / "tools", 'cp "$1" "$JOBS.$$"\nsetsid bash "$JOBS.$$" >/dev/null 2>&1 &', monkeypatch)  # the script is removed when sbatch returns
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(p) for p in (Path(__file__).parent, Path(__file__).parents[2])))
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    config = FakeConfig(branch_at_day=0.0)
    file = options(tmp_path, GOOD.replace("jobs: 1", "jobs: 2") + f"local_directory: {tmp_path / 'scratch'}\n")
    made = run(config, tmp_path / "run", executor="dask", cluster="slurm", cluster_options=file, **QUIET)
    other = run(config, tmp_path / "other", jobs=1, **QUIET)
    names = [p.relative_to(other.path) for p in other.path.rglob("*") if p.suffix in (".csv", ".h5ad", ".npz")]
    assert made.exit_code == 0 and all(files.sha256(made.path / n) == files.sha256(other.path / n) for n in names)
    jobs = [int(n) for n in (tmp_path / "jobs").read_text().split()]
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{n}/cmdline").exists() and Path(f"/proc/{n}/cmdline").read_bytes() for n in jobs) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(jobs) == 2 and time.monotonic() < deadline
