"""Cases of one kernel each: fields, chemistry, movement, and the memory bus they are measured against."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

REPEATS = 5
def row(case: str, metric: str, value: float, unit: str, n: int, threads: int = 1) -> dict[str, Any]:
    """One measurement."""
    return {"case": case, "metric": metric, "value": float(value), "unit": unit, "n": int(n), "threads": threads}


def median_ns(work: Callable[[], Any], clock: Callable[[], int] = time.process_time_ns) -> float:
    """Median time of a call in ns, CPU time unless another clock is given; the caller has warmed up."""
    times = []
    for _ in range(REPEATS):
        start = clock()
        work()
        times.append(clock() - start)
    return statistics.median(times)


def stream_limit(case: str) -> list[dict[str, Any]]:
    """Reading and writing one value: the memory bus's floor for every kernel."""
    a = np.ones(20_000_000)
    b = np.empty_like(a)
    np.copyto(b, a)
    return [row(case, "read and write one float64", median_ns(lambda: np.copyto(b, a)) / a.size, "ns", a.size)]


def diffusion(case: str, kind: str, shape: tuple[int, int, int] = (1, 1000, 1000)) -> list[dict[str, Any]]:
    """A slow field: the line-split step, and the unsplit implicit step that the model takes.

    `kind`: "uniform" loss, "uptake" per voxel with kept pivots, or "moving", the uptake new at every step.
    Both are warm, with half a per cent of the voxels changed before each step; the split one takes two steps.
    """
    from tme.core.field import Field
    from tme.core.grid import Grid
    from tme.kernels.lod import LodSolver
    from tme.kernels.multigrid import Workspace

    grid, rng = Grid(shape), np.random.default_rng(1)
    n = grid.n_voxels
    c, loss = grid.zeros(), np.asarray(0.005)  # arrays as a field holds them
    c[:] = rng.random(n)
    if kind != "uniform":
        loss = grid.zeros()
        loss[:] = 0.01 * rng.random(n)
    start = time.perf_counter()
    solver = LodSolver(shape, 20.0, 2000.0, loss, 10.0, keep=kind != "moving")
    solver.advance(c, 2)
    compile_s = time.perf_counter() - start
    before, steps, changed = c.copy(), 1 if kind == "moving" else 2, rng.integers(0, n, n // 200)

    def split() -> None:
        if kind == "moving":
            loss[changed] = 0.01 * rng.random(len(changed))
            solver.factor(loss)
        solver.advance(c, steps)

    value = median_ns(split) / n / steps
    if np.array_equal(before, c):
        raise AssertionError("the field did not change")
    rows = [row(case, "implicit step, line-split", value, "ns/voxel", n), row(case, "first call, compiling", compile_s, "s", n)]
    field = Field("c", "uM", grid, 2000.0, 0.005 if kind == "uniform" else 0.0, tol=1e-3)
    field.use("source")[:] = rng.random(n)
    if kind != "uniform":
        field.use("loss")[:] = loss
    unsplit = timed_field(case, field, Workspace(grid.shape, grid.periodic), rng)
    unsplit[0]["metric"] = "implicit step, unsplit, residual 1e-3"
    return rows + unsplit[:1]


def timed_field(case: str, field: Any, workspace: Any, rng: np.random.Generator, term: str = "source", most: float = 1.0) -> list[dict[str, Any]]:
    """Compile, warm up, time `advance` with half a per cent of a term's values changed before each step."""
    start = time.perf_counter()
    field.advance(10.0, workspace)
    compile_s = time.perf_counter() - start
    before = field.concentration.copy()
    changed = rng.integers(0, field.grid.n_voxels, field.grid.n_voxels // 200)

    def work() -> None:
        getattr(field, term)[changed] = most * rng.random(len(changed))
        field.advance(10.0, workspace)

    value = median_ns(work) / field.grid.n_voxels
    if np.array_equal(before, field.concentration):
        raise AssertionError("the field did not change")
    n = field.grid.n_voxels
    return [row(case, "implicit step, unsplit", value, "ns/voxel", n), row(case, "first call, compiling", compile_s, "s", n)]


def oxygen(case: str) -> list[dict[str, Any]]:
    """Steady oxygen, saturating uptake, Robin and Dirichlet vessels scattered, 1000 x 1000; uptakes move each time."""
    from tme.core.field import Field
    from tme.core.grid import Grid
    from tme.kernels.multigrid import Workspace
    from tme.library import load_library

    grid = Grid((1, 1000, 1000))
    field = Field("oxygen", "mmHg", grid, 1e5, 0.0, mode="quasi_steady", initial=20.0, k_m=1.0, vessel_value=38.0, tol=1e-3)
    rng = np.random.default_rng(1)
    field.use("source")
    field.use("vmax")[:] = np.where(rng.random(grid.n_voxels) < 0.7, 300.0, 90.0)
    field.use("exchange")[rng.random(grid.n_voxels) < 0.02] = 2000.0
    held = rng.random(grid.n_voxels) < 0.01
    field.fix(held, 38.0)
    workspace = Workspace(grid.shape, grid.periodic)
    rows = timed_field(case, field, workspace, rng, "vmax", 300.0)
    clock = load_library().fields["oxygen"].clock_min
    fine = Field("oxygen", "mmHg", grid, 1e5, 0.0, mode="quasi_steady", initial=20.0, k_m=1.0, vessel_value=38.0, tol=1e-9)
    for term in ("source", "vmax", "exchange"):
        fine.use(term)[:] = getattr(field, term)
    fine.fix(held, 38.0)
    fine.advance(10.0, workspace)
    error = float(np.abs(field.concentration - fine.concentration).max() / fine.concentration.max())
    rows[0]["metric"] = "steady solve"
    per_minute = row(case, f"per simulated minute at its clock of {clock:g} min", rows[0]["value"] / clock, "ns/voxel/min", grid.n_voxels)
    return [per_minute, *rows, row(case, "largest error against a solve to 1e-9", error, "of the maximum", grid.n_voxels)]


def peroxide(case: str, shape: tuple[int, int, int]) -> list[dict[str, Any]]:
    """The peroxide signal of scattered cells whose emission changes by 5 % between solves, at four densities of them."""
    from tme.core.field import Field
    from tme.core.grid import Grid
    from tme.kernels.multigrid import Workspace
    from tme.library import load_library

    entry, grid, rng, rows = load_library().fields["peroxide"], Grid(shape), np.random.default_rng(1), []
    for share in (0.001, 0.003, 0.01, 0.03):
        field = Field("peroxide", "uM", grid, entry.diffusion, entry.decay, mode=entry.mode, tol=1e-3)
        source, workspace = field.use("source"), Workspace(shape)
        points = np.sort(rng.choice(grid.n_voxels, round(share * grid.n_voxels), replace=False))
        strength, times = rng.random(len(points)), []
        for _ in range(REPEATS + 2):
            strength *= np.exp(0.05 * rng.standard_normal(len(points)))
            source[points] = strength
            field.source_voxels = points
            start = time.process_time_ns()
            field.advance(1.0, workspace)
            times.append(time.process_time_ns() - start)
        value = statistics.median(times[2:]) / grid.n_voxels
        rows.append(row(case, f"solve, {100 * share:g} % of the voxels emit", value, "ns/voxel", grid.n_voxels))
    return rows


def chemistry(case: str) -> list[dict[str, Any]]:
    """One second-order step of the ten-state chemistry for 100,000 cells."""
    from tme.kernels.aligned import filled
    from tme.pathways.ferroptosis import PARAMETERS, PATHWAY
    from tme.pathways.stepping import advance

    n = 100_000
    rng = np.random.default_rng(1)
    p = PARAMETERS.build()
    start_values = (0.1, 50.0, 1500.0, 1.0, 0.5, 1.0, 220.0, 2000.0, 0.03, 0.0)
    names = PATHWAY.state_names
    states = [filled(n, v) for v in start_values]  # columns as a population holds them
    for column in states:
        column *= rng.uniform(0.8, 1.2, n)
    traits = [filled(n, 1.0) for _ in PATHWAY.trait_names[:-1]] + [filled(n, 0.0)]
    inputs = {k: filled(n, 0.0) for k in PATHWAY.input_names}
    inputs["oxygen"][:], inputs["cystine"][:] = 38.0, 40.0
    rows, state, clock = np.arange(n, dtype=np.int64), np.zeros(n, np.int8), np.zeros(n, np.int32)
    tick = 0

    def work() -> None:
        nonlocal tick
        tick += 1
        advance(PATHWAY, rows, n, tick, 1.0, p, state, clock, *states, *traits, *inputs.values())

    start = time.perf_counter()
    work()
    compile_s = time.perf_counter() - start
    before = states[names.index("gsh")].copy()
    value = median_ns(work) / n
    if np.array_equal(before, states[names.index("gsh")]):
        raise AssertionError("the chemistry did not change")
    return [row(case, "second-order step", value, "ns/cell", n), row(case, "first call, compiling", compile_s, "s", n)]


def move(case: str, n: int) -> list[dict[str, Any]]:
    """Propose and grant on a half-full lattice: everybody tries a random Moore neighbour."""
    from tme.kernels.movement import grant, propose

    side = round(np.sqrt(2 * n))
    rng = np.random.default_rng(1)
    voxel = np.sort(rng.choice(side * side, n, replace=False)).astype(np.int32)
    uid = np.arange(1, n + 1, dtype=np.uint64)
    heading, direction, held = np.full(n, -1, np.int8), np.zeros(n, np.int8), np.zeros(n, np.int8)
    proposal, speed, field = np.full(n, -1, np.int32), np.full(n, 1e6), np.zeros(side * side)
    occupancy = np.bincount(voxel, minlength=side * side).astype(np.int8)
    claim = np.zeros(side * side, np.int64)
    geometry = (1, side, side, 0, 0, 0)
    seed, tick, moved, no_term = np.uint64(1), 0, 0, np.zeros(0)

    def work() -> None:
        nonlocal tick, moved
        tick += 1
        propose(0, n, uid, voxel, heading, speed, held, field, 0.0, 0.0, 1.0, seed, tick, geometry, proposal, direction, no_term, no_term)
        moved = grant(n, uid, voxel, heading, proposal, direction, occupancy, 1, seed, tick, claim)

    work()
    value = median_ns(work)
    if moved == 0:
        raise AssertionError("nobody moved")
    return [row(case, "attempts", 1e9 * n / value, "1/s", n), row(case, "granted share", moved / n, "1", n)]
