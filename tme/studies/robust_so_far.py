"""What a robustness study says before it is finished: the draws of which everything is on the disk, as if no more had been asked for.

Reads a directory and writes nothing, so it may be asked while the study runs.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tme.experiments.files import plain
from tme.studies import directory, robust
from tme.studies.design import Point, simulations
from tme.studies.records import NAME, parsed
from tme.studies.robust_analysis import analysed
from tme.studies.robust_design import draw_by_draw
from tme.studies.study import Results

FEWEST = 10  # draws with one tumour, below which nothing is said


def so_far(folder: str | Path, config: Any = None) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """Rows of table.csv and summary.json of the draws that are finished; None where they are too few.

    `config`: the experiment, unless it is to be read from the directory.
    """
    root = Path(folder)
    about = directory.read_study(root)
    if about.get("kind") != "robust" or not (root / NAME).is_file():
        return None
    if config is None:
        from tme.model import load_config

        config = load_config(root / "config.resolved.yaml")
    size = about["settings"]
    asked = replace(robust.asked_of(config, False), draws=size["draws"], repeated=size["repeated"], seeds=size["seeds"])
    records = {r["key"]: r for r in parsed((root / NAME).read_bytes())}
    arms = tuple(config.arms)

    def known(point: Point) -> bool:
        return all("failed" not in records.get(s.key, {"failed": ""}) for s in simulations([point], arms))

    def evaluate(points: list[Point]) -> Results:
        return Results([p for p in points if known(p)], arms, asked.ask, records)

    plan = asked.plan(evaluate, int(config.seed or 0), robust.MOST_PARTS, whole=known)
    if plan.draws < FEWEST:
        return None
    table, summary = analysed(config, plan, asked.outcomes, evaluate(draw_by_draw(plan)), asked.given, asked.sampled)
    summary["so_far"] = {"draws": asked.draws, "repeated": asked.repeated}
    summary["lead"] = f"Not finished: {plan.draws} of {asked.draws} draws and {len(plan.u) - plan.draws} of {asked.repeated} repeated ones. {summary['lead']}"
    return table, json.loads(json.dumps(summary, default=plain))
