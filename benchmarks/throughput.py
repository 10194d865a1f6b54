"""Many small simulations: what they cost beyond their steps, beside one process and one config file per sample.

    python benchmarks/throughput.py --draws 250 --jobs 2            # 1,000 simulations: 250 draws, four arms each
    python benchmarks/throughput.py --draws 50 --apart 12           # 200, and 12 the other way
    python benchmarks/throughput.py --scheduler tcp://127.0.0.1:8786

A draw changes two numbers and the seed. `overhead` is what all processes spent, from the start of the first to the end of the last, over
what the steps alone took: by the clock (jobs x seconds) and by the processor, which a busy machine does not change. `--apart` is the way of
UQ-PhysiCell: a config file, a process and an output folder for each simulation, on the same draws.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SMALL = ["domain.size_um=[400, 400]", "initial={kind: nodule, n_cells: 120}", "start_day=-0.25", "horizon_day=0.25", "replicates=1"]
READOUTS, DAYS = ("tumour_alive", "tumour_area_mm2"), (0.0, 0.125, 0.25)
CHANGED = ("mechanisms.killing.k_hit", "mechanisms.division.k_div")
ONE = """
import sys, tme
from tme.model import load_config
run = tme.run(load_config(sys.argv[1]), sys.argv[2], jobs=1, progress=False, report=False)
print(run.series()["tumour_alive"].iloc[-1])
"""


def base() -> Any:
    """The experiment: four arms on a tumour of some 120 cells, half a day."""
    from tme.model import load_config

    return load_config(ROOT / "configs/four_arms_small.yaml", overrides=SMALL)


def draw(index: int, config: Any) -> tuple[dict[str, float], int]:
    """Numbers and seed of a draw."""
    from tme.experiments.plan import replicate_seed
    from tme.model.registry import parameter_registry

    registry, out = parameter_registry(), {}
    for k, key in enumerate(CHANGED):
        _, group, name = key.split(".")
        low, high = 0.8, 1.25
        out[key] = getattr(registry[group].build(config_of(config, group)), name) * (low + (high - low) * ((index * (k + 3) * 0.618) % 1.0))
    return out, replicate_seed(1, index)


def config_of(config: Any, group: str) -> dict[str, float]:
    """The config's own numbers of a mechanism."""
    from tme.model.registry import tumour_overrides

    return tumour_overrides(config).get(group, {})


def one(config: Any, task: tuple[dict[str, float], int]) -> dict[str, Any]:
    """All arms of a draw."""
    from tme.experiments.evaluation import evaluate

    values, seed = task
    return evaluate(config, list(config.arms), seed, READOUTS, DAYS, values=values)


def used() -> float:
    """Processor seconds of this process and of those that have ended."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def together(draws: int, jobs: int, scheduler: str | None) -> dict[str, Any]:
    """Through an executor."""
    from tme.experiments.executors import executor

    begun, cpu = time.perf_counter(), used()
    config = base()
    tasks = [draw(k, config) for k in range(draws)]
    how: dict[str, Any] = {"scheduler": scheduler} if scheduler else {"jobs": jobs}
    with executor("dask" if scheduler else "processes", **how) as workers:
        results = [r for _, r in workers.map(partial(one, config), tasks)]
        jobs = workers.jobs
    wall, cpu = time.perf_counter() - begun, used() - cpu
    records = [record for r in results for record in r.values()]
    stepped, steps_cpu, whole = (sum(r[k] for r in records) for k in ("stepped", "cpu", "seconds"))
    n = len(records)
    out = {"simulations": n, "jobs": jobs, "wall_s": wall, "s_per_simulation": stepped / n, "overhead_clock": jobs * wall / stepped - 1}
    out |= {"of_it_building_and_reading": (whole - stepped) / stepped, "per_hour": 3600 * n / wall}
    if not scheduler:  # workers of a scheduler are no children of this process
        out |= {"overhead_cpu": cpu / steps_cpu - 1, "per_cpu_hour": 3600 * n / cpu}
    return out


def apart(number: int) -> dict[str, Any]:
    """A config file, a process and an output folder for each simulation."""
    config = base()
    arms = list(config.arms)
    with tempfile.TemporaryDirectory() as folder:
        begun, cpu = time.perf_counter(), used()
        for k in range(number):
            values, _ = draw(k // len(arms), config)
            file = Path(folder) / f"sample-{k}.yaml"
            file.write_text(json.dumps(experiment(config, arms[k % len(arms)], k // len(arms), values)))  # JSON is YAML too
            words = [sys.executable, "-c", ONE, str(file), str(Path(folder) / f"out-{k}")]
            subprocess.run(words, check=True, capture_output=True)
        wall, cpu = time.perf_counter() - begun, used() - cpu
    return {"simulations": number, "wall_s": wall, "per_hour": 3600 * number / wall, "per_cpu_hour": 3600 * number / cpu}


def experiment(config: Any, arm: str, seed: int, values: dict[str, float]) -> dict[str, Any]:
    """The config file of one simulation: the same tumour, one arm."""
    small = dict(wrap.split("=", 1) for wrap in SMALL)
    given = {k: float(v) if k.endswith("_day") else int(v) for k, v in small.items() if k.endswith("_day") or k == "replicates"}
    therapy = config.therapy_of(arm).model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {"extends": str(ROOT / "configs/four_arms_small.yaml"), "seed": seed, "branch_at_day": None, **given, **nested(values),
            "domain": {"size_um": [400, 400]}, "initial": {"kind": "nodule", "n_cells": 120}, "arms": {"only": True, arm: therapy}}  # fmt: skip


def nested(values: dict[str, float]) -> dict[str, Any]:
    """Dotted keys as mappings."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        *above, last = key.split(".")
        place = out
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    return out


def main() -> None:
    """Measure and print one JSON line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=250)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--apart", type=int, default=0, metavar="N", help="simulations the other way, too")
    parser.add_argument("--scheduler", help="dask workers instead of processes")
    asked = parser.parse_args()
    found = together(asked.draws, asked.jobs, asked.scheduler)
    print(json.dumps({"way": "dask" if asked.scheduler else "processes", **rounded(found)}), flush=True)
    if asked.apart:
        other = apart(asked.apart)
        print(json.dumps({"way": "a process each", **rounded(other)}))
        if "per_cpu_hour" in found:
            print(json.dumps({"more_per_cpu_hour": round(found["per_cpu_hour"] / other["per_cpu_hour"], 1)}))


def rounded(found: dict[str, Any]) -> dict[str, Any]:
    """Three digits after the point."""
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in found.items()}


if __name__ == "__main__":
    main()
