"""Cases on a CUDA device: wall time, what crosses to the device and back included. Not yet run on hardware."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tme.bench import whole
from tme.bench.kernels import median_ns, row


def timed_field(case: str, field: Any, term: str, most: float) -> list[dict[str, Any]]:
    """Time `advance`, half a per cent of a term's values changed before each step."""
    from tme.core.device import workspace

    there, rng, n = workspace("cuda", field.grid.shape, field.grid.periodic), np.random.default_rng(1), field.grid.n_voxels
    start = time.perf_counter()
    field.advance(10.0, there)
    compile_s = time.perf_counter() - start
    before, changed = field.concentration.copy(), rng.integers(0, n, max(1, n // 200))

    def work() -> None:
        getattr(field, term)[changed] = most * rng.random(len(changed))
        field.advance(10.0, there)

    value = median_ns(work, time.perf_counter_ns) / n
    if np.array_equal(before, field.concentration):
        raise AssertionError("the field did not change")
    return [row(case, "implicit step, unsplit", value, "ns/voxel", n), row(case, "first call, compiling", compile_s, "s", n)]


def diffusion(case: str, uptake: bool, shape: tuple[int, int, int] = (1, 1000, 1000)) -> list[dict[str, Any]]:
    """One unsplit implicit step of a slow field."""
    from tme.core.field import Field
    from tme.core.grid import Grid

    rng = np.random.default_rng(1)
    field = Field("c", "uM", Grid(shape), 2000.0, 0.0 if uptake else 0.005, tol=1e-3)
    field.use("source")[:] = rng.random(field.grid.n_voxels)
    if uptake:
        field.use("loss")[:] = 0.01 * rng.random(field.grid.n_voxels)
    return timed_field(case, field, "source", 1.0)


def oxygen(case: str, shape: tuple[int, int, int] = (1, 1000, 1000)) -> list[dict[str, Any]]:
    """Steady oxygen with saturating uptake and scattered vessels."""
    from tme.core.field import Field
    from tme.core.grid import Grid

    grid, rng = Grid(shape), np.random.default_rng(1)
    field = Field("oxygen", "mmHg", grid, 1e5, 0.0, mode="quasi_steady", initial=20.0, k_m=1.0, vessel_value=38.0, tol=1e-3)
    field.use("vmax")[:] = np.where(rng.random(grid.n_voxels) < 0.7, 300.0, 90.0)
    field.use("exchange")[rng.random(grid.n_voxels) < 0.03] = 2000.0
    return timed_field(case, field, "vmax", 300.0)


def chemistry(case: str, n: int) -> list[dict[str, Any]]:
    """One second-order step of n cells: gathered, copied, stepped, copied back, scattered."""
    from tme.pathways.device import DeviceStepper
    from tme.pathways.ferroptosis import PARAMETERS, PATHWAY

    rng, p, stepper = np.random.default_rng(1), PARAMETERS.build(), DeviceStepper(PATHWAY, modulated=False)
    usual = (0.1, 50.0, 1500.0, 1.0, 0.5, 1.0, 220.0, 2000.0, 0.03, 0.0)
    columns = [v * rng.uniform(0.8, 1.2, n) for v in usual] + [np.ones(n) for _ in PATHWAY.trait_names[:-1]] + [np.zeros(n)]
    columns += [np.full(n, {"oxygen": 38.0, "cystine": 40.0}.get(name, 0.0)) for name in PATHWAY.input_names]
    rows, state, clock, tick = np.arange(n, dtype=np.int64), np.zeros(n, np.int8), np.zeros(n, np.int32), 0

    def work() -> None:
        nonlocal tick
        tick += 1
        stepper.advance(rows, n, tick, 1.0, p, state, clock, *columns)

    start = time.perf_counter()
    work()
    compile_s = time.perf_counter() - start
    gsh = columns[PATHWAY.state_names.index("gsh")]
    before = gsh.copy()
    value = median_ns(work, time.perf_counter_ns) / n
    if np.array_equal(before, gsh):
        raise AssertionError("the chemistry did not change")
    return [row(case, "second-order step", value, "ns/cell", n), row(case, "first call, compiling", compile_s, "s", n)]


def model(case: str, n: int) -> list[dict[str, Any]]:
    """The whole model, fields and chemistry on the device: the rows of `whole.whole`, wall time."""
    return whole.whole(case, n, device="cuda")


CASES: dict[str, Callable[[str], list[dict[str, Any]]]] = {
    "diffusion-2d-1000-uniform": lambda c: diffusion(c, uptake=False),
    "diffusion-2d-1000-uptake": lambda c: diffusion(c, uptake=True),
    "diffusion-3d-100-uniform": lambda c: diffusion(c, False, (100, 100, 100)),
    "oxygen-steady-1000": oxygen,
    "oxygen-steady-4000": lambda c: oxygen(c, (1, 4000, 4000)),
    "chemistry-100k": lambda c: chemistry(c, 100_000),
    "chemistry-1m": lambda c: chemistry(c, 1_000_000),
    "whole-10k": lambda c: model(c, 10_000),
}
LONG = {
    "whole-100k": lambda c: model(c, 100_000),
    "whole-1m": lambda c: model(c, 1_000_000),
    "whole-10m": lambda c: model(c, 10_000_000),
}
