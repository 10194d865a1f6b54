"""series.csv and summary.csv of a whole run: finished simulations in the plan's order, digits repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tme.experiments import files
from tme.experiments.plan import Plan, Simulation
from tme.experiments.run_directory import is_done, prepare_point


def merge(root: Path, plan: Plan) -> None:
    """Write the merged tables; with a sweep also those of each point, and sweep.csv."""
    series: list[dict[str, Any]] = []
    summary: list[dict[str, Any]] = []
    swept = len(plan.points) > 1 or bool(plan.points[0].values)
    for point in plan.points:
        mine = [s for s in plan.arms if s.point == point.index and is_done(root / s.folder)]
        rows: list[dict[str, Any]] = []
        for s in mine:
            rows += files.read_csv(root / s.folder / "series.csv")
        ends = [summary_row(root, s) for s in mine]
        if swept:
            folder = files.make_folder(root / point.folder)
            prepare_point(folder, point.config)
            _write(folder, rows, ends)
            rows = [{"sweep": point.index, **row} for row in rows]
            ends = [{"sweep": point.index, **point.values, **row} for row in ends]
        series += rows
        summary += ends
    _write(root, series, summary)
    if swept:
        files.write_csv(
            root / "sweep.csv", [{"sweep": p.index, "folder": p.folder, **p.values} for p in plan.points]
        )


def _write(folder: Path, series: list[dict], summary: list[dict]) -> None:
    files.write_csv(folder / "series.csv", series, None if series else ["arm", "replicate", "hour"])
    files.write_csv(folder / "summary.csv", summary, None if summary else ["arm", "replicate", "seed"])


def summary_row(root: Path, simulation: Simulation) -> dict[str, Any]:
    """arm, replicate, seed, where and why it ended, and the endpoints kept in DONE.

    The endpoints are of the simulation's own last moment: `final_hour`, and `stop_reason` where that is early.
    Arms are compared in series.csv, at the last hour that all recorded (`Run.endpoints`).
    """
    done = files.read_json(root / simulation.folder / "DONE")
    hour = float(done["hour"])
    row = {"arm": simulation.arm, "replicate": simulation.replicate, "seed": simulation.seed,
           "final_hour": hour, "final_day": hour / 24.0,
           "stop_reason": done.get("stop_reason") or ""}  # fmt: skip
    ends = done.get("endpoints") or {}
    if "tumour_alive" in ends:
        row["final_tumour_alive"] = ends["tumour_alive"]
    return {**row, **{k: v for k, v in ends.items() if k not in row and k not in ("hour", "day")}}
