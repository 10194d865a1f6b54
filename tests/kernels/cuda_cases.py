"""What `test_cuda_simulator` asserts on, computed under numba's CUDA simulator; prints one JSON object.

Run by that test with NUMBA_ENABLE_CUDASIM=1, which numba reads when it is imported.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import numpy as np

from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels.cuda import launch
from tme.kernels.cuda.solver import CudaWorkspace
from tme.kernels.multigrid import Workspace
from tme.pathways import PATHWAYS, stepping
from tme.pathways.device import DeviceStepper
from tme.pathways.ferroptosis import PARAMETERS, PATHWAY

LATTICES = [
    ((1, 9, 7), (False, False, False)),
    ((3, 5, 4), (False, False, False)),
    ((1, 6, 5), (False, True, True)),
    ((2, 3, 4), (True, True, False)),
    ((1, 1, 10), (False, False, False)),
]
EQUATIONS = ["linear", "given voxels", "saturating", "saturating, given voxels, one fixed wall", "closed"]
CONFIG = """
horizon_day: 0.025
domain: {size_um: [160, 160], at_edge: continue}
initial: {kind: nodule, n_cells: 12}
arms: {a: {nanoparticles: [{name: peg_pdpa_rsl3, dose_mg_kg: 9, day: 0}]}}
clocks: {field_tol: 1e-8}
"""


def field_of(lattice, mode: str, equation: str, tol: float) -> Field:
    """A field with scattered sources, losses and vessels, and what `equation` adds."""
    shape, periodic = lattice
    rng = np.random.default_rng(1)
    grid = Grid(shape, 20.0, 20.0, periodic)
    wall = (None, None, (2.0, None)) if "wall" in equation and not periodic[2] else None
    field = Field("x", "uM", grid, 1e5, 0.01, mode=mode, tol=tol, vessel_value=60.0, faces=wall)
    field.use("source")[:] = rng.random(grid.n_voxels) * (rng.random(grid.n_voxels) < 0.2)
    field.use("loss")[:] = rng.random(grid.n_voxels) ** 4 * 50.0
    field.concentration[:] = rng.random(grid.n_voxels)
    if equation != "closed":
        field.use("exchange")[rng.integers(0, grid.n_voxels, 3)] = 1000.0
    if "saturating" in equation:
        field.use("vmax")[:] = rng.random(grid.n_voxels) * 90.0
    if "given" in equation:
        given = np.zeros(grid.n_voxels, bool)
        given[rng.integers(0, grid.n_voxels, 2)] = True
        field.fix(given, 5.0)
    return field


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference over the largest value."""
    size = np.abs(a).max(initial=0.0)
    return float(np.abs(a - b).max(initial=0.0) / (size or 1.0))


def fields() -> list[dict]:
    """Both devices on every lattice and equation solved tightly, and on some solved loosely."""
    out = []
    tight = [(*case, 1e-9) for case in itertools.product(LATTICES, EQUATIONS)]
    loose = [(*case, 1e-3) for case in itertools.product(LATTICES, (EQUATIONS[0], EQUATIONS[3]))]
    for i, (lattice, equation, tol) in enumerate(tight + loose):
        mode = "quasi_steady" if i % 2 else "backward_euler"
        here, there = (field_of(lattice, mode, equation, tol) for _ in range(2))
        here.advance(0.5, Workspace(*lattice))
        cycles = there.advance(0.5, CudaWorkspace(*lattice))
        largest = float(np.abs(there.concentration / here.concentration - 1.0).max())
        out.append({"case": f"{lattice[0]} {equation} {mode}", "tol": tol, "cycles": cycles, "apart": largest,
                    "lowest": float(there.concentration.min())})  # fmt: skip
    return out


def gains_and_losses() -> float:
    """How far losses are from gains in a closed steady field."""
    field = field_of(LATTICES[0], "quasi_steady", "closed", 1e-3)
    field.advance(1.0, CudaWorkspace(*LATTICES[0]))
    lost = ((0.01 + field.loss) * field.concentration).sum()
    return float(abs(lost / field.source.sum() - 1.0))


def launch_shapes() -> bool:
    """Whether fields and cells come out with the same bits whatever the launch shape."""
    found = []
    for blocks in ((1, 1), (2, 3), (5, 1)):
        launch.SIMULATED_SHAPE = blocks
        field = field_of(LATTICES[1], "backward_euler", "saturating", 1e-9)
        field.advance(0.5, CudaWorkspace(*LATTICES[1]))
        states, _ = cells(ferroptosis_cuda_step)
        found.append(field.concentration.tobytes() + b"".join(c.tobytes() for c in states))
    launch.SIMULATED_SHAPE = (2, 2)
    return len(set(found)) == 1


def refusals() -> dict[str, str]:
    """What a field says that has no solution, or a source that is no number."""
    out = {}
    endless = Field("endless", "uM", Grid((1, 4, 4), 20.0), 100.0, mode="quasi_steady")
    broken = field_of(LATTICES[0], "backward_euler", "linear", 1e-6)
    broken.source[3] = np.nan
    for name, field in (("endless", endless), ("broken", broken)):
        try:
            field.advance(1.0, CudaWorkspace(field.grid.shape, field.grid.periodic))
        except (ValueError, RuntimeError) as error:
            out[name] = f"{type(error).__name__}: {error}"
    return out


def cells(step) -> tuple[list[np.ndarray], np.ndarray]:
    """Columns and clocks of 20 cells, 13 of them stepped three times; one is a corpse."""
    rng, n = np.random.default_rng(1), 20
    usual = (0.1, 50.0, 1500.0, 1.0, 0.5, 1.0, 220.0, 2000.0, 0.03, 0.0)
    columns = [np.full(n, v) * rng.uniform(0.5, 1.5, n) for v in usual]
    columns += [rng.uniform(0.5, 1.5, n) for _ in range(7)] + [rng.uniform(0.0, 1.0, n) for _ in range(12)]
    columns[18] *= 50.0
    columns[19] *= 40.0
    rows, clock, state = rng.permutation(n)[:13].astype(np.int64), np.zeros(n, np.int32), np.zeros(n, np.int8)
    state[rows[2]] = 1
    clock[rows[5]] = -4
    for tick in (1, 2, 8):
        step(rows, 13, tick, 1.0, PARAMETERS.build(), state, clock, *columns)
    return columns, clock


def ferroptosis_cuda_step(*arguments) -> None:
    """The device's step with fresh buffers."""
    DeviceStepper(PATHWAY, modulated=False).advance(*arguments)


def cpu_step(*arguments) -> None:
    """The processor's."""
    stepping.advance(PATHWAY, *arguments)


def chemistry() -> dict:
    """Both devices on the same cells."""
    (here, clock), (there, other) = cells(cpu_step), cells(ferroptosis_cuda_step)
    return {"apart": max(apart(a, b) for a, b in zip(here, there)), "clocks": bool((clock == other).all()),
            "stepped": sorted(set(other.tolist()))}  # fmt: skip


def pathways() -> dict[str, float]:
    """How far the devices are apart in every pathway, without terms and with half of them at work."""
    out, rng, n = {}, np.random.default_rng(2), 20
    for pathway, modulated in itertools.product(PATHWAYS.values(), (False, True)):
        values = [s.start + 0.01 for s in pathway.states] + [g.default + 0.01 for g in pathway.given]
        columns = [v * rng.uniform(0.5, 1.5, n) for v in values]
        terms = [np.full(n, t.neutral + 0.01) if k % 2 else np.zeros(0) for k, t in enumerate(pathway.terms)] if modulated else []
        there = [c.copy() for c in columns]
        rows, state, p = np.arange(n), np.zeros(n, np.int8), pathway.parameters.build()
        clocks = [np.zeros(n, np.int32) for _ in range(2)]
        stepper = DeviceStepper(pathway, modulated)
        for tick in (1, 2, 8):
            stepping.advance(pathway, rows, n, tick, 1.0, p, state, clocks[0], *columns, *terms, modulated=modulated)
            stepper.advance(rows, n, tick, 1.0, p, state, clocks[1], *there, *terms)
        out[f"{pathway.name}{' modulated' * modulated}"] = max(apart(a, b) for a, b in zip(columns, there))
    return out


def model(folder: Path) -> dict:
    """A small tumour with peroxidising cells under a therapy, 20 ticks on both devices."""
    from tme.model import TumourModel, load_config

    (folder / "tiny.yaml").write_text(CONFIG)
    config = load_config(folder / "tiny.yaml")
    states = []
    for device in ("cpu", "cuda"):
        one = TumourModel(config, arm="a", device=device)
        one.tumour.col.plooh[:4] = 200.0
        for _ in range(20):
            one.step()
        states.append(one.state_dict())
        peroxide = float(one.fields["peroxide"].concentration.max())
    here, there = states
    floats = [k for k in here if here[k].dtype.kind == "f" and here[k].size]
    worst = max(floats, key=lambda k: apart(here[k], there[k]))
    return {"worst": worst, "apart": apart(here[worst], there[worst]), "peroxide": peroxide,
            "unequal": [k for k in here if k not in floats and not np.array_equal(here[k], there[k])]}  # fmt: skip


def runs(folder: Path) -> dict:
    """A run through the runner on the simulated device, and what a processor says to completing it."""
    from tme.experiments import run
    from tme.experiments.run_directory import RunError
    from tme.model import load_config

    (folder / "run.yaml").write_text(CONFIG)
    config = load_config(folder / "run.yaml", overrides=["horizon_day=0.00625"])
    done = run(config, out=folder / "run", jobs=1, progress=False, report=False, device="cuda")
    record = json.loads((folder / "run" / "provenance.json").read_text())
    out = {
        "exit_code": done.exit_code,
        "device": record["device"],
        "where": record["invocations"][0]["device"],
    }
    try:
        run(config, out=folder / "run", jobs=1, progress=False, report=False)
    except RunError as error:
        out["refused"] = str(error)
    out["again"] = run(
        config, out=folder / "run", jobs=1, progress=False, report=False, device="cuda"
    ).exit_code
    return out


if __name__ == "__main__":
    here = Path(sys.argv[1])
    figures = {
        "fields": fields(), "balance": gains_and_losses(), "same bits": launch_shapes(), "refusals": refusals(),
        "chemistry": chemistry(), "pathways": pathways(), "model": model(here), "runs": runs(here),
    }  # fmt: skip
    print(json.dumps(figures))
