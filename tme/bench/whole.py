"""Cases of a whole model: the combination arm of the four-arm experiment, phase by phase, and its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tme.bench.kernels import row
from tme.config.typical import config_of

WARM_DAYS = 2.0
# hours after the dose of day 0: while it kills, when cells are stepped every tick, and when that is over
AFTER_DOSE, QUIET = (12, 36), (48, 54)
LARGE = 100_000  # cells above which a stretch is shorter
AFTER_DOSE_LARGE, QUIET_LARGE = (24, 25), (48, 50)
KEEP_IN = "TME_BENCH_STATES"  # names a folder where states are kept from one call to the next; `versus` sets it


def build(n: int, ndim: int = 2, device: str = "cpu") -> tuple[Any, float]:
    """The model with `n` tumour cells at the start of treatment, and the seconds to its first tick.

    In 3D: a ball in a cube three times its radius wide (6.4 voxels a cell), CD8 at a tenth of the tumour cells.
    """
    from tme.model import TumourModel

    config = config_of(n, ndim)
    start = time.perf_counter()
    model = TumourModel(config, arm="combination", device=device)
    model.step()
    return model, time.perf_counter() - start


def living(model: Any) -> int:
    """Living tumour cells and immune cells."""
    return int((model.tumour.state == 0).sum()) + sum(p.n for p in model.immune)


def whole(case: str, n: int, threads: int = 1, device: str = "cpu") -> list[dict[str, Any]]:
    """Two stretches after a dose, while it kills and when that is over: cost per cell and tick, in all and by entry.

    Hours 12 to 36 and 48 to 54 after the dose; above 100,000 cells hours 24 to 25 and 48 to 50.
    """
    import numba

    numba.set_num_threads(threads)
    model, first = build(n, device=device)
    rows = [row(case, "construction and first tick", first, "s", living(model), threads)]
    large = n > LARGE
    for hours, suffix in ((AFTER_DOSE_LARGE if large else AFTER_DOSE, "_after_dose"), (QUIET_LARGE if large else QUIET, "")):
        model = advanced(model, n, hours[0])
        rows += stretch(case, model, hours, suffix, threads)
    died = sum(model.counters[k] for k in ("dead_ferroptosis", "dead_immune", "dead_necrosis", "dead_apoptosis"))
    cells = living(model)
    rows += [row(case, "tumour cells that had died", died / (died + int((model.tumour.state == 0).sum())), "share", cells, threads),
             row(case, "voxels per living cell", model.grid.n_voxels / cells, "1", cells, threads)]  # fmt: skip
    return rows


def advanced(model: Any, n: int, hour: float) -> Any:
    """The model at an hour after the dose: stepped there, or from a state that an earlier call has kept an hour before."""
    folder = os.environ.get(KEEP_IN)
    path = None if folder is None else Path(folder) / f"{n}-{hour:g}.npz"
    if path is not None and path.exists():
        with np.load(path) as kept:
            model = type(model).from_state(model.config, dict(kept), arm="combination", device=model.device)
    while model.sim_hour < hour - 1:
        model.step()
    if path is not None and not path.exists():
        np.savez(path, **model.state_dict())
    while model.sim_hour < hour:  # warm: every clock but the vessels' strikes within an hour
        model.step()
    return model


def stretch(case: str, model: Any, hours: tuple[int, int], suffix: str, threads: int) -> list[dict[str, Any]]:
    """Cell-hours per second, and cost per living cell and tick from one hour to another; `suffix` goes on the metrics' names."""
    alone = threads == 1 and model.device == "cpu"
    clock, unit = (time.process_time, "1/CPU s") if alone else (time.perf_counter, "1/s")
    before, ticks, cell_ticks = model.tumour.plooh.copy(), 0, 0
    model.plan.seconds = dict.fromkeys(model.plan.seconds, 0.0)
    seconds = wall = 0.0
    while model.sim_hour < hours[1]:
        every = round(60 / model.dt_min)
        begin, wall_begin = clock(), time.perf_counter()
        for _ in range(every):
            model.step()
        seconds, wall = seconds + clock() - begin, wall + time.perf_counter() - wall_begin
        ticks, cell_ticks = ticks + every, cell_ticks + every * living(model)
    if np.array_equal(before, model.tumour.plooh):
        raise AssertionError("the model did not change")
    cells = cell_ticks // ticks
    rows = [row(case, "cell-hours per second" + ", after dose" * bool(suffix), cell_ticks * model.dt_min / 60.0 / seconds, unit, cells, threads),
            row(case, f"ns_per_cell_tick{suffix}", 1e9 * seconds / cell_ticks, "ns/cell/tick", cells, threads)]  # fmt: skip
    for entry, spent in sorted(model.timing.items(), key=lambda item: -item[1]):
        spent *= 1e9 * seconds / wall  # the plan's clock is the wall's, since asking for processor time takes as long as a short entry
        if entry.startswith("diffuse_"):
            rows.append(row(case, entry + suffix, spent / ticks / model.grid.n_voxels, "ns/voxel/tick", model.grid.n_voxels, threads))
        else:
            rows.append(row(case, entry + suffix, spent / cell_ticks, "ns/cell/tick", cells, threads))
    return rows


def threads_two(case: str, n: int) -> list[dict[str, Any]]:
    """One model, stretches of an hour on one thread and on two by turns, wall time: ratio of the medians."""
    one, two, cells = (float(x) for x in _in_process(f"from tme.bench.whole import by_turns; print(*by_turns({n}))", 2).split())
    return [row(case, "speed on two threads over one", one / two, "1", int(cells), 2)]


def by_turns(n: int, stretches: int = 7) -> tuple[float, float, int]:
    """Median wall seconds of 60 ticks from day 2 on one thread, the same on two, and the cells."""
    import numba

    model, _ = build(n)
    while model.sim_day < WARM_DAYS:
        model.step()
    took: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(2 * stretches):
        numba.set_num_threads(1 + turn % 2)
        start = time.perf_counter()
        for _ in range(60):  # every clock of the model divides an hour
            model.step()
        took[1 + turn % 2].append(time.perf_counter() - start)
    return float(np.median(took[1])), float(np.median(took[2])), living(model)


def memory(case: str, small: int, large: int) -> list[dict[str, Any]]:
    """Resident memory per extra cell between two sizes, each in a process of its own, after 30 ticks."""
    rss, cells = [], []
    for n in (small, large):
        text = _in_process(f"from tme.bench.whole import resident; print(resident({n}))", 1)
        rss.append(float(text.split()[0]))
        cells.append(float(text.split()[1]))
    return [row(case, "resident memory per extra cell", (rss[1] - rss[0]) / (cells[1] - cells[0]), "B", int(cells[1]))]


def resident(n: int) -> str:
    """Resident bytes of a model of `n` tumour cells after 30 ticks, and its cells."""
    model, _ = build(n)
    for _ in range(30):
        model.step()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return f"{pages * os.sysconf('SC_PAGE_SIZE')} {living(model)}"


def first_tick(case: str) -> list[dict[str, Any]]:
    """From the shell prompt to the first tick of the four-arm combination: with an empty cache, then again."""
    import tempfile

    rows = []
    # as a run does it: what is not compiled yet is compiled in two processes first, which outlast the first tick
    child = """
import time
try:
    from tme.precompile import finish, start_compiling
except ImportError:  # a commit in which it had another name
    from tme.warm import finish, warm_up as start_compiling
start_compiling()
from tme.bench.whole import build
build(5000)
print(time.time())
finish()
"""
    with tempfile.TemporaryDirectory() as cache:
        for metric in ("compiling", "compiled before"):
            start = time.time()  # the wall clock, which the child shares
            rows.append(row(case, metric, float(_in_process(child, 1, cache)) - start, "s", 5000))
    return rows


def _in_process(code: str, threads: int, cache: str | None = None) -> str:
    """What a fresh interpreter prints."""
    env = {**os.environ, "NUMBA_NUM_THREADS": str(threads)}
    env.pop("NUMBA_CACHE_DIR", None)
    if cache is not None:
        env["XDG_CACHE_HOME"] = cache
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return done.stdout


def mesa(case: str) -> list[dict[str, Any]]:
    """The plain-Mesa twin and the arrays, same rules, same config, side by side in one run."""
    import tme

    root = Path(tme.__file__).parents[1]
    if not (root / "tests" / "twin" / "setup.py").exists():
        raise FileNotFoundError("bench mesa: the plain-Mesa twin is in tests/twin of a source checkout, which this is not")
    sys.path.insert(0, str(root / "tests"))
    from twin import setup  # type: ignore[import-not-found]

    # the arrays solve their fields to the experiments' own tolerance; the twin's sparse solver is exact
    model, _ = build(2000)
    twin = setup.twin_of(model)
    ticks = 30  # every clock strikes once
    for each in (model, twin):
        for _ in range(ticks):
            each.step()
    seconds = []
    for each in (model, twin):
        begin = time.process_time()
        for _ in range(ticks):
            each.step()
        seconds.append(time.process_time() - begin)
    cells = living(model)
    per_cell = [1e9 * s / ticks / cells for s in seconds]
    return [row(case, "arrays (tme)", per_cell[0], "ns/cell/tick", cells), row(case, "plain Mesa", per_cell[1], "ns/cell/tick", cells),
            row(case, "plain Mesa over arrays", per_cell[1] / per_cell[0], "1", cells)]  # fmt: skip

