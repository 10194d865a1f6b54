"""An open study: points go in, finished simulations come out, and a directory remembers them.

    with Study(config, "robust", ask, settings, out, jobs=2) as study:
        results = study.evaluate(points)          # as often as the study needs
        study.finish(rows, summary)

Every kind of study works so: a design (points), `evaluate` (resumable, any executor), an analysis of `Results` that
depends on the design and the records alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.experiments import files, provenance
from tme.experiments.evaluation import GONE
from tme.experiments.executor import Interrupt
from tme.experiments.executors import Failed
from tme.experiments.executors import check as check_executor
from tme.experiments.executors import executor as open_executor
from tme.experiments.executors.contract import STOPPED
from tme.experiments.plan import Plan
from tme.experiments.progress import Progress
from tme.experiments.run_directory import lock
from tme.precompile import start_compiling
from tme.studies import directory
from tme.studies.design import Ask, Point, Simulation, rows, simulations
from tme.studies.evaluate import MODEL, Task, work
from tme.studies.records import Records

DONE, FAILED, INTERRUPTED = 0, 3, 75


class Interrupted(Exception):
    """The study was asked to stop; what is finished is on the disk, and the same command goes on."""

    exit_code = INTERRUPTED


class Results:
    """Records of the simulations of some points: values by point, seed, arm, readout and day."""

    def __init__(self, points: Sequence[Point], arms: tuple[str, ...], ask: Ask, records: dict[str, dict[str, Any]]) -> None:
        self.points, self.arms, self.ask, self.records = tuple(points), arms, ask, records

    def record(self, point: Point, seed: int, arm: str) -> dict[str, Any]:
        """The record of one simulation."""
        return self.records[Simulation(point.values, arm, seed).key]

    def course(self, point: Point, seed: int, arm: str, readout: str) -> np.ndarray:
        """A readout on all days (days,), NaN where it is not known."""
        found = self.record(point, seed, arm).get("values", {}).get(readout) or [None] * len(self.ask.days)
        return np.array([np.nan if v is None else v for v in found], float)

    def table(self, readout: str, day: float, points: Iterable[Point] | None = None) -> pd.DataFrame:
        """A readout on a day: a row per point and seed (index), a column per arm."""
        at = self.ask.days.index(float(day))
        index, data = [], []
        for p in self.points if points is None else points:
            for seed in p.seeds:
                index.append((p.id, seed))
                data.append({arm: self.course(p, seed, arm, readout)[at] for arm in p.arms or self.arms})
        return pd.DataFrame(data, index=pd.MultiIndex.from_tuples(index, names=["point", "seed"]), columns=list(self.arms))

    def ended(self) -> dict[str, int]:
        """As `ends_of`, of all simulations asked for."""
        return ends_of(self.record(p, s, a) for p in self.points for s in p.seeds for a in p.arms or self.arms)


def ends_of(records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many simulations there are, failed, were refused by the config, and stopped early with their later days unknown.

    One that ended because its tumour was gone did not stop early: its last row stands for all later days (`experiments.evaluation`).
    """
    found = list(records)
    early = sum(bool(r.get("stopped")) and not str(r["stopped"]).startswith(GONE) for r in found)
    return {"simulations": len(found), **{what: sum(bool(r.get(what)) for r in found) for what in ("failed", "refused")}, "stopped": early}


class Study:
    """A study directory, open for writing; a context manager. What it computes with changes no bit of what it writes."""

    def __init__(
        self, config: Any, kind: str, ask: Ask, settings: dict[str, Any], out: str | Path | None = None, *, executor: str = "processes", jobs: int | None = None,
        threads: int = 1, fresh: bool = False, progress: bool | None = None, model_factory: Any = MODEL, **where: Any,
    ) -> None:  # fmt: skip
        """`where`: what `experiments.executors.executor` takes besides (scheduler, cluster, cluster_options, allow_mixed)."""
        check_executor(executor, **where, jobs=jobs)
        self.config, self.kind, self.ask, self.settings = config, kind, ask, settings
        self.described = directory.description(config, kind, ask, settings)
        self.folder = Path(out) if out is not None else directory.default_folder(config, kind, directory.digest_of(self.described))
        self._how: dict[str, Any] = {"name": executor, "jobs": jobs, "threads": threads, **where}
        self._fresh, self._show, self._factory = fresh, progress, model_factory
        self._points: dict[str, Point] = {}
        self._failed: set[str] = set()  # of all evaluations so far, until one succeeds
        self._open = ExitStack()
        self.exit_code = FAILED

    def __enter__(self) -> Study:
        with ExitStack() as stack:
            self._workers = stack.enter_context(open_executor(**self._how))  # first: what cannot compute writes nothing
            files.make_folder(self.folder)
            stack.enter_context(lock(self.folder))
            directory.prepare(self.folder, self.config, self.described, self._fresh)
            self._begun = time.perf_counter()
            changed = provenance.changes(self.folder, self._workers.processors())
            provenance.begin(
                self.folder, self.config, Plan((), ()), self._workers.jobs, self._how["threads"], where=(self._workers.name, self._workers.processors())
            )
            stack.callback(self._end)
            self.records = Records(self.folder)
            stack.callback(self.records.close)
            self.tell = stack.enter_context(Progress(self.folder, 0, self._show))
            self._interrupt = stack.enter_context(Interrupt())
            self._open = stack.pop_all()
        self.tell({"event": "study", "kind": self.kind, "folder": str(self.folder), "records": len(self.records.by_key)})
        for change in changed:
            self.tell({"event": "warning", "message": f"part of this study was made {change}"})
        return self

    def _end(self) -> None:
        """Close the entry of this invocation in provenance.json."""
        provenance.end(self.folder, self.exit_code, time.perf_counter() - self._begun, self._workers.processors(), self._workers.unlike)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, Interrupted):
            self.exit_code = INTERRUPTED
        self.tell({"event": "finished", "exit_code": self.exit_code})
        self._open.__exit__(kind, error, trace)

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms of the experiment, in its order."""
        return tuple(self.config.arms)

    @property
    def jobs(self) -> int:
        """How many simulations run at a time."""
        return self._workers.jobs

    def evaluate(self, points: Iterable[Point]) -> Results:
        """All simulations of the points, those that are not finished yet being computed.

        Raises `Interrupted` after SIGINT or SIGTERM. A simulation that fails has a record with `failed`; a rerun tries it again.
        """
        points = list(points)
        self._points.update({p.id: p for p in points})
        files.write_csv(self.folder / directory.DESIGN, rows(self._points.values()))
        wanted = simulations(points, self.arms)
        known = self.records.by_key
        missing = [s for s in wanted if s.key not in known or "failed" in known[s.key]]
        groups: dict[str, list[Simulation]] = {}
        for s in missing:  # all arms of a point and seed are one task: they share the grown tumour
            groups.setdefault(Simulation(s.values, "", s.seed).key, []).append(s)
        shared = list(groups.values())
        tasks = [Task(k, dict(g[0].values), g[0].seed, tuple(s.arm for s in g)) for k, g in enumerate(shared)]
        self.tell({"event": "evaluate", "simulations": len(wanted), "to_do": len(missing), "lines": self.records.lines})
        if tasks and self._factory == MODEL:
            start_compiling(lambda: self._interrupt.wanted)
        function = partial(work, self.config, self.ask, self._factory)
        for task, found in self._workers.map(function, tasks, stop=lambda: self._interrupt.wanted):
            self._keep(shared[task.index], found)
        if self._interrupt.wanted:
            raise Interrupted(f"stopped; what is finished is in {self.folder}, the same command goes on")
        return Results(points, self.arms, self.ask, dict(known))

    def _keep(self, group: list[Simulation], found: Any) -> None:
        """Write the records of one task; none if it was given up because the study stops."""
        error = found.error if isinstance(found, Failed) else None
        if error == STOPPED:
            return
        about = [{"key": s.key, "arm": s.arm, "seed": s.seed, **({"failed": error} if error else found[s.arm])} for s in group]
        self.records.append(about)
        for s, record in zip(group, about):
            (self._failed.add if error else self._failed.discard)(s.key)
            event = {"event": "failed" if error else "done", "simulation": f"{s.key}/{s.arm}", "arm": s.arm, "replicate": s.seed}
            self.tell({**event, **({"error": error} if error else {"stop_reason": record.get("stopped"), "wall_s": record.get("seconds")})})

    def finish(self, table: Sequence[dict[str, Any]], summary: dict[str, Any]) -> None:
        """Write table.csv and summary.json; the study is complete."""
        files.write_csv(self.folder / directory.TABLE, list(table))
        files.write_json(self.folder / directory.SUMMARY, {"kind": self.kind, "name": self.config.name, **summary})
        self.exit_code = FAILED if self._failed else DONE
