"""`tme.run`: make or complete a run directory."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from tme.core.device import check as check_device
from tme.experiments import executors, files, provenance
from tme.experiments.checkpoint import remove_slots
from tme.experiments.comparison import asked, question_lines
from tme.experiments.executor import Interrupt, execute
from tme.experiments.executors.contract import Executor
from tme.experiments.merge import merge
from tme.experiments.plan import Plan, plan, with_values
from tme.experiments.progress import Progress
from tme.experiments.recorder import option
from tme.experiments.results import Run
from tme.experiments.run_directory import CARD, RunBroken, RunError, default_folder, is_done, lock, prepare
from tme.experiments.worker import Outcome, Task, resolve

DONE, FAILED, INTERRUPTED = 0, 3, 75
MOST_TOLD = 12  # simulations named in the last lines
MODEL = "tme.model:TumourModel"


def run(
    config: Any,
    out: str | Path | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    threads: int = 1,
    quick: bool = False,
    fresh: bool = False,
    progress: bool | None = None,
    executor: str | Executor = "processes",
    report: Callable[[Path], Any] | None = None,
    model_factory: Any = MODEL,
    device: str = "cpu",
    allow_plugins: bool = False,
    **where: Any,
) -> Run:
    """Run an experiment, or complete a part-done one; finished simulations are not repeated.

    `config` a Config or a path; `out` the run directory (default runs/<name>-<hash8>); `jobs` processes
    (default one per core); `progress` None bars or lines, False silence; `report` is called with the folder at the
    end (`tme.run` draws the report so) and returns what it wrote; `executor` a name, with
    `where` what else `executors.executor` takes (`scheduler`, `cluster` ...), or an executor that is open. Returns a `Run` with `exit_code`
    0, 3 or 75; raises `RunError` (exit code 2) where it cannot start and `RunBroken` (3) where it cannot go
    on, the disk being full. `allow_plugins`: code that a config's file names may run. Neither jobs nor threads change a bit of the results; `device` ("cpu" or "cuda")
    changes their last digits, so a directory belongs to one.
    """
    if isinstance(executor, str):
        executors.check(executor, jobs=jobs, **where)
    gpu = check_device(device)
    if device != "cpu" and executor != "processes":
        raise RunError(f"--device {device} goes with --executor processes")
    config = settle(config, seed, quick, allow_plugins)
    whole = plan(config)
    folder = Path(out) if out is not None else default_folder(config)
    begun = False
    try:
        with ExitStack() as stack:
            if executor == "dask":  # before anything is written: it may not answer
                executor = stack.enter_context(executors.executor(executor, threads=threads, **where))
            files.make_folder(folder)
            stale = stack.enter_context(lock(folder))
            provenance.same_device(folder, device, fresh)
            prepare(folder, config, fresh)
            begun = True
            return _run(
                folder,
                config,
                whole,
                executor,
                jobs or os.cpu_count() or 1,
                threads,
                progress,
                report,
                model_factory,
                stale,
                (device, gpu),
            )
    except OSError as error:
        text = f"cannot write the run to {folder}: {error.strerror or error}"
        if begun:
            raise RunBroken(f"{text}; what is finished stands, run again to complete it") from error
        raise RunError(text) from error


def settle(config: Any, seed: int | None, quick: bool, allow_plugins: bool = False) -> Any:
    """The configuration that will run: loaded if it is a path, shortened if quick, its seed certain."""
    if isinstance(config, (str, os.PathLike)):
        from tme.model import load_config

        config, quick = load_config(config, quick=quick, allow_plugins=allow_plugins), False
    if quick:
        if not hasattr(config, "quick"):
            raise RunError("a configuration is made quick when it is loaded: load_config(path, quick=True)")
        config = config.quick()
    loose = [f.path for f in getattr(config, "own_files", list)() if not f.text]
    if loose:
        raise RunError("a run keeps copies of its plugins: hand them over as files, not as classes or functions")
    if seed is None and config.seed is None:
        seed = secrets.randbits(31)
    return config if seed is None else with_values(config, {"seed": int(seed)})


def _run(folder: Path, config: Any, whole: Plan, executor: str | Executor, jobs: int, threads: int, show: bool | None,
         report: Callable[[Path], Any] | None, factory: Any, stale: dict | None, device: tuple[str, str]) -> Run:  # fmt: skip
    begun = time.perf_counter()
    processors = executor.processors() if isinstance(executor, Executor) else provenance.processors()
    changed = provenance.changes(folder, processors, device[0])
    provenance.begin(folder, config, whole, jobs, threads, device, (executor if isinstance(executor, str) else executor.name, processors))
    if hasattr(config, "library"):  # a config of the model, not one of a test
        from tme.model.card import card

        files.write_text(folder / CARD, card(config))
    tasks, done, ready = outstanding(folder, whole, factory, device[0])
    exit_code, outcomes, unlike = FAILED, [], []
    try:
        with Progress(folder, len(whole.simulations), show) as tell, Interrupt() as interrupt:
            tell(
                {
                    "event": "run",
                    "folder": str(folder),
                    "simulations": len(whole.simulations),
                    "to_do": len(tasks),
                }
            )
            if stale:
                tell(
                    {
                        "event": "warning",
                        "message": f"took over from a run that was killed (process {stale.get('pid')})",
                    }
                )
            for note in getattr(config, "notes", ()):
                tell({"event": "note", "message": note})
            for change in changed:
                tell({"event": "warning", "message": f"part of this run was made {change}"})
            for one in ready:
                tell(
                    {
                        "event": "skipped",
                        "simulation": one.folder,
                        "arm": one.arm or "growth",
                        "replicate": one.replicate,
                    }
                )
            with _open(executor, min(jobs, len(tasks)), threads, factory) as workers:
                outcomes = execute(tasks, done, workers, interrupt, tell)
                processors, unlike = workers.processors(), workers.unlike
            merge(folder, whole)
            exit_code = verdict(outcomes, interrupt.wanted)
            tell({"event": "finished", "exit_code": exit_code, "failed": names_failed(outcomes)})
    finally:
        provenance.end(folder, exit_code, time.perf_counter() - begun, processors, unlike)
    if report and exit_code != INTERRUPTED:
        _report(report, folder, show)
    made = Run(folder, exit_code, tuple(names_failed(outcomes)))
    if show is not False:
        for line in (*told_of_stops(made), *told_of_question(made), *told_of_workers(unlike)):
            print(line, flush=True)
    return made


def _open(executor: str | Executor, jobs: int, threads: int, factory: Any) -> AbstractContextManager[Executor]:
    """The executor of that name, which ends with the run; one that the caller opened stays open."""
    if isinstance(executor, str):
        return executors.executor(executor, jobs=max(1, jobs), threads=threads, prepare=partial(resolve, factory))
    return nullcontext(executor)


def outstanding(folder: Path, whole: Plan, factory: Any, device: str = "cpu") -> tuple[list[Task], set[str], list]:
    """Tasks to do, folders that are done, simulations that are done. Growth that no task needs is skipped."""
    done = {s.folder for s in whole.simulations if is_done(folder / s.folder, verify=True)}
    for s in whole.simulations:  # checkpoints of an earlier version, or of a run killed right after DONE
        if s.folder in done and not option(whole.points[s.point].config.output, "keep_checkpoints", False):
            remove_slots(folder / s.folder)
    needed = {s.after for s in whole.arms if s.folder not in done}
    tasks = []
    for s in whole.simulations:
        if s.folder not in done and (s.arm is not None or s.folder in needed):
            tasks.append(Task(str(folder), s, whole.points[s.point].config, factory, device))
    return tasks, done, [s for s in whole.simulations if s.folder in done]


def verdict(outcomes: list[Outcome], interrupted: bool) -> int:
    """75 where something was left after a checkpoint, 3 where something failed, else 0."""
    states = {o.state for o in outcomes}
    if "interrupted" in states or interrupted:
        return INTERRUPTED
    return FAILED if "failed" in states else DONE


def names_failed(outcomes: list[Outcome]) -> list[str]:
    """Folders of the failed simulations."""
    return [o.simulation.folder for o in outcomes if o.state == "failed"]


def told_of_stops(made: Run) -> list[str]:
    """Which simulations stopped early, for the last lines of a run, and on which day arms are compared."""
    stopped = made.stopped()
    if not stopped:
        return []
    lines = [f"stopped early: {len(stopped)} of {len(made.summary_rows())} simulations"]
    for key, (hour, why) in list(stopped.items())[:MOST_TOLD]:
        point, arm, replicate = (f"sweep-{key[0]:03d}/" if len(key) == 3 else ""), key[-2], key[-1]
        said = re.sub(r" at day [-\d.]+$", "", why)
        lines.append(f"  {point}{arm}/rep-{replicate:03d} on day {hour / 24:.2f}: {said}")
    if len(stopped) > MOST_TOLD:
        lines.append(f"  and {len(stopped) - MOST_TOLD} more: stop_reason in summary.csv")
    with suppress(ValueError):
        day = made.last_common_hour() / 24
        lines.append(
            f"  all simulations are compared on day {day:g}, the last that all recorded"
            if day > 0
            else f"  arms cannot be compared: the last day that all recorded is {day:g}, before treatment starts"
        )
    return lines


def told_of_question(made: Run) -> list[str]:
    """The primary question and its answers, for the last lines of a run; nothing where none is stated or can be answered."""
    question, points = asked(made)
    return question_lines(question, points) if question is not None or points else []


def told_of_workers(unlike: list[str]) -> list[str]:
    """What the last lines say of workers that were admitted though they are unlike the others."""
    return [f"bits may differ between simulations: workers were unlike one another ({'; '.join(unlike)})"] if unlike else []


def _report(draw: Callable[[Path], Any], folder: Path, show: bool | None) -> None:
    """Draw the report; whatever goes wrong with a figure, the results stand."""
    try:
        path = draw(folder)
        if show is not False:
            print(f"report: {path or folder / 'report.html'}", flush=True)
    except Exception as error:
        files.write_text(folder / "report_error.txt", f"{type(error).__name__}: {error}\n")
        if show is not False:
            print(f"no report ({type(error).__name__}: {error}); the results are in {folder}", flush=True)
