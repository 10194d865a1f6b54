"""`tme bench`: what a tick costs, by phase, and what the kernels cost alone. Measured, never asserted.

Every case is warm (its compile time is reported apart), runs on one thread unless said, takes the median
of several repeats, and checks that the state it worked on has changed.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

REPEATS = 5
WHOLE = """
name: bench
start_day: 0
horizon_day: 30
domain: {{size_um: [{size}, {size}], at_edge: continue}}
initial: {{kind: nodule, n_cells: {n}}}
tumour: {{preset: b16_like}}
populations: {{cd8: {{per_mm2: 125}}, macrophage: {{share: 0.1}}, dendritic: {{share: 0.01}}, treg: {{per_mm2: 30}}}}
arms:
  combination:
    antibodies: [{{name: anti_pdl1, dose_mg_kg: 10, day: 0}}]
    nanoparticles: [{{name: peg_pdpa_rsl3, dose_mg_kg: 9, day: 0}}]
clocks: {{field_tol: 1e-3}}
"""


def row(case: str, metric: str, value: float, unit: str, n: int, threads: int = 1) -> dict[str, Any]:
    """One measurement."""
    return {"case": case, "metric": metric, "value": float(value), "unit": unit, "n": int(n), "threads": threads}


def median_ns(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median CPU time of a call in ns, after one call that warms up."""
    times = []
    for _ in range(repeats):
        start = time.process_time_ns()
        work()
        times.append(time.process_time_ns() - start)
    return statistics.median(times)


def stream_limit(case: str) -> list[dict[str, Any]]:
    """Reading and writing one value: the memory bus's floor for every kernel."""
    a = np.ones(20_000_000)
    b = np.empty_like(a)
    np.copyto(b, a)
    return [row(case, "read and write one float64", median_ns(lambda: np.copyto(b, a)) / a.size, "ns", a.size)]


def diffusion(case: str, uptake: bool) -> list[dict[str, Any]]:
    """One implicit step of a slow field on 1000 x 1000 voxels, warm started, sources changed a little each time."""
    from tme.core.field import Field
    from tme.core.grid import Grid
    from tme.kernels.multigrid import Workspace

    grid = Grid((1, 1000, 1000))
    field = Field("c", "uM", grid, 2000.0, 0.005, tol=1e-3)
    rng = np.random.default_rng(1)
    field.use("source")[:] = rng.random(grid.n_voxels)
    if uptake:
        field.use("loss")[:] = rng.random(grid.n_voxels)
    workspace = Workspace(grid.shape, grid.periodic)
    return timed_field(case, field, workspace, rng)


def timed_field(case: str, field: Any, workspace: Any, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Compile, warm up, time `advance` with half a per cent of the sources changed before each step."""
    start = time.perf_counter()
    field.advance(10.0, workspace)
    compile_s = time.perf_counter() - start
    before = field.concentration.copy()
    changed = rng.integers(0, field.grid.n_voxels, field.grid.n_voxels // 200)

    def work() -> None:
        field.source[changed] = rng.random(len(changed))
        field.advance(10.0, workspace)

    value = median_ns(work) / field.grid.n_voxels
    if np.array_equal(before, field.concentration):
        raise AssertionError("the field did not change")
    n = field.grid.n_voxels
    return [row(case, "implicit step, unsplit", value, "ns/voxel", n), row(case, "first call, compiling", compile_s, "s", n)]


def oxygen(case: str) -> list[dict[str, Any]]:
    """Steady oxygen with saturating uptake and scattered vessels, 1000 x 1000, a few uptakes moved each time."""
    from tme.core.field import Field
    from tme.core.grid import Grid
    from tme.kernels.multigrid import Workspace

    grid = Grid((1, 1000, 1000))
    field = Field("oxygen", "mmHg", grid, 1e5, 0.0, mode="quasi_steady", initial=20.0, k_m=1.0, vessel_value=38.0, tol=1e-3)
    rng = np.random.default_rng(1)
    field.use("source")
    field.use("vmax")[:] = np.where(rng.random(grid.n_voxels) < 0.7, 300.0, 90.0)
    field.use("exchange")[rng.random(grid.n_voxels) < 0.03] = 2000.0
    workspace = Workspace(grid.shape, grid.periodic)
    rows = timed_field(case, field, workspace, rng)
    rows[0]["metric"] = "steady solve (divide by the 5 min clock for ns per simulated minute)"
    return rows


def chemistry(case: str) -> list[dict[str, Any]]:
    """One second-order step of the ten-state chemistry for 100,000 cells."""
    from tme.mechanisms.chemistry import INPUTS, STATES, TRAITS
    from tme.mechanisms.ferroptosis import PARAMETERS, advance

    n = 100_000
    rng = np.random.default_rng(1)
    p = PARAMETERS.build()
    start_values = (0.1, 50.0, 1500.0, 1.0, 0.5, 1.0, 220.0, 2000.0, 0.03, 0.0)
    states = [np.full(n, v) * rng.uniform(0.8, 1.2, n) for v in start_values]
    traits = [np.ones(n) for _ in TRAITS[:-1]] + [np.zeros(n)]
    inputs = {k: np.zeros(n) for k in INPUTS}
    inputs["oxygen"][:], inputs["cystine"][:] = 38.0, 40.0
    rows, state, clock = np.arange(n, dtype=np.int64), np.zeros(n, np.int8), np.zeros(n, np.int32)
    tick = 0

    def work() -> None:
        nonlocal tick
        tick += 1
        advance(rows, n, tick, 1.0, p, state, clock, *states, *traits, *inputs.values())

    start = time.perf_counter()
    work()
    compile_s = time.perf_counter() - start
    before = states[STATES.index("gsh")].copy()
    value = median_ns(work) / n
    if np.array_equal(before, states[STATES.index("gsh")]):
        raise AssertionError("the chemistry did not change")
    return [row(case, "second-order step", value, "ns/cell", n), row(case, "first call, compiling", compile_s, "s", n)]


def move(case: str) -> list[dict[str, Any]]:
    """Propose and grant on a half-full lattice: everybody tries a random Moore neighbour."""
    from tme.kernels.movement import grant, propose

    n, side = 100_000, 447
    rng = np.random.default_rng(1)
    voxel = np.sort(rng.choice(side * side, n, replace=False)).astype(np.int32)
    uid = np.arange(1, n + 1, dtype=np.uint64)
    heading, direction, held = np.full(n, -1, np.int8), np.zeros(n, np.int8), np.zeros(n, np.int8)
    proposal, speed, field = np.full(n, -1, np.int32), np.full(n, 1e6), np.zeros(side * side)
    occupancy = np.bincount(voxel, minlength=side * side).astype(np.int8)
    best, best_row = np.full(side * side, -1, np.int64), np.full(side * side, -1, np.int32)
    geometry = (1, side, side, 0, 0, 0)
    seed, tick, moved = np.uint64(1), 0, 0

    def work() -> None:
        nonlocal tick, moved
        tick += 1
        propose(n, uid, voxel, heading, speed, held, field, 0.0, 0.0, 1.0, seed, tick, geometry, proposal, direction)
        moved = grant(n, uid, voxel, heading, proposal, direction, occupancy, 1, seed, tick, best, best_row)

    work()
    value = median_ns(work)
    if moved == 0:
        raise AssertionError("nobody moved")
    return [row(case, "attempts", 1e9 * n / value, "1/s", n), row(case, "granted share", moved / n, "1", n)]


def whole(case: str, n: int) -> list[dict[str, Any]]:
    """The combination arm of the four-arm experiment in its second day, phase by phase."""
    import tme.core.schedule as schedule
    from tme.model import TumourModel, load_config

    size = 20 * (int(1.7 * np.sqrt(n / np.pi) * 2) // 16 + 1) * 16
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.yaml"
        path.write_text(WHOLE.format(n=n, size=size))
        config = load_config(path)
    start = time.perf_counter()
    model = TumourModel(config, arm="combination")
    model.step()
    first = time.perf_counter() - start
    for _ in range(1440):
        model.step()
    schedule.perf_counter, keep = time.process_time, schedule.perf_counter
    ticks, before = 360, model.tumour.plooh.copy()
    model.plan.seconds = dict.fromkeys(model.plan.seconds, 0.0)
    begin = time.process_time()
    for _ in range(ticks):
        model.step()
    seconds = time.process_time() - begin
    schedule.perf_counter = keep
    if np.array_equal(before, model.tumour.plooh):
        raise AssertionError("the model did not change")
    cells = int((model.tumour.state == 0).sum()) + sum(p.n for p in model.immune)
    rows = [row(case, "cell-hours per CPU second", cells * ticks / 60.0 / seconds, "1", cells),
            row(case, "whole tick", 1e9 * seconds / ticks / cells, "ns/cell/tick", cells),
            row(case, "construction and first tick", first, "s", cells)]  # fmt: skip
    for entry, spent in sorted(model.timing.items(), key=lambda item: -item[1]):
        per_voxel = entry.startswith("diffuse_")
        size_n = model.grid.n_voxels if per_voxel else cells
        rows.append(row(case, entry, 1e9 * spent / ticks / size_n, "ns/voxel/tick" if per_voxel else "ns/cell/tick", size_n))
    return rows


CASES: dict[str, Callable[[str], list[dict[str, Any]]]] = {
    "stream-limit": stream_limit,
    "diffusion-2d-1000-uniform": lambda c: diffusion(c, uptake=False),
    "diffusion-2d-1000-uptake": lambda c: diffusion(c, uptake=True),
    "oxygen-steady-1000": oxygen,
    "chemistry-100k": chemistry,
    "move-100k": move,
    "whole-10k": lambda c: whole(c, 10_000),
}


class UnknownCase(Exception):
    """A case that does not exist."""

    exit_code = 2


def main(cases: list[str], as_json: bool = False) -> int:
    """Run the named cases, or all, and print them as a table or JSON."""
    import numba

    unknown = [c for c in cases if c not in CASES]
    if unknown:
        from tme.config.errors import nearest

        meant = nearest(unknown[0], CASES)
        raise UnknownCase(f"bench: unknown case '{unknown[0]}'; expected one of {', '.join(CASES)}" + (f"; did you mean '{meant}'?" if meant else ""))
    numba.set_num_threads(1)
    rows = [r for case in (cases or CASES) for r in CASES[case](case)]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        from tme.cli_text import table

        table(rows, "speed, CPU time, one thread")
    return 0
