"""A real dask scheduler and real workers, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
QUIET = ["--no-dashboard"]


class Site:
    """A scheduler with its folder; workers are started one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []
        file = folder / "scheduler.json"
        self.scheduler = self._start(["scheduler", "--port", "0", "--host", "127.0.0.1", "--scheduler-file", str(file), *QUIET])
        self.address = ""
        while not self.address:
            assert self.scheduler.poll() is None, (folder / "log").read_text()
            if file.exists() and file.read_text().endswith("}"):
                self.address = json.loads(file.read_text())["address"]
            time.sleep(0.05)

    def worker(self, path: tuple[Path, ...] = (), **env: str) -> subprocess.Popen:
        """One worker of one thread; `path` goes before the package's own folder."""
        scratch = self.folder / "scratch"
        words = ["worker", self.address, "--nthreads", "1", "--no-nanny", "--local-directory", str(scratch), *QUIET]
        return self._start(words, path, **env)

    def _start(self, words: list[str], path: tuple[Path, ...] = (), **env: str) -> subprocess.Popen:
        found = [str(p) for p in (*path, HERE, HERE.parents[1])]
        whole = {**os.environ, "PYTHONPATH": os.pathsep.join(found), "NUMBA_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", **env}
        with open(self.folder / "log", "a") as log:
            command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=whole, cwd=self.folder))
        return self.processes[-1]

    def end(self) -> None:
        """End them all, the scheduler last; a worker that waits for its scheduler is killed."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def site(folder: Path, workers: int = 0) -> Iterator[Site]:
    """A scheduler with so many workers."""
    made = Site(folder)
    try:
        for _ in range(workers):
            made.worker()
        yield made
    finally:
        made.end()
