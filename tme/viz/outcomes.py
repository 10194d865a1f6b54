"""What `tme.statistics.outcomes` needs of a run directory: curves, the answered question, the table of doses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tme import statistics
from tme.statistics import Answered, Curves, DoseTable
from tme.statistics.common_hour import DIGITS
from tme.viz.load import Missing, Run

VOLUME, CELLS = "tumour_volume_mm3", "tumour_alive"


def recorded(run: Run) -> list[np.ndarray]:
    """Hours that each simulation recorded, sweep points included."""
    keys = [k for k in ("sweep", "arm", "replicate") if k in run.series]
    return [rows.to_numpy(float) for _, rows in run.series.groupby(keys)["hour"]] if len(run.series) else []


def at(run: Run, day: float) -> pd.DataFrame:
    """Rows of the series on a day."""
    return run.series[np.isclose(run.series["hour"], 24.0 * day, rtol=0.0, atol=10.0**-DIGITS)]


def values(rows: pd.DataFrame, column: str) -> dict[str, dict[int, float]]:
    """arm -> replicate -> value."""
    return {str(a): dict(zip(g["replicate"].astype(int), g[column].astype(float))) for a, g in rows.groupby("arm", sort=False)}


def answered(run: Run) -> tuple[Answered | None, dict[Any, Answered]]:
    """The answered question of a run, or by sweep point; `Missing` says why there is none."""
    question = statistics.question_of(run.config)
    if question is None:
        raise Missing("the config states no primary question (`primary:`)")
    if not run.has(question.readout):
        raise Missing(f"series.csv has no column {question.readout}")
    if not run.paired:
        raise Missing("the arms do not share their seeds, and the question is of pairs")
    read = statistics.day_to_read(recorded(run), question.day)
    if read is None:
        raise Missing("no day after treatment start was recorded by all simulations")
    late = statistics.asked_later(run.provenance, run.config.get("primary"))
    rows = at(run, read)
    if "sweep" not in rows:
        return statistics.marked(statistics.answer(question, values(rows, question.readout), read), late), {}
    configs = point_configs(run)
    if not set(rows["sweep"]) <= set(configs):
        raise Missing("not every sweep point has its config")
    each = {p: values(group, question.readout) for p, group in rows.groupby("sweep")}
    found = statistics.answer_points(question, each, read, configs, dose_table(run, rows, question.readout))
    return None, {p: statistics.marked(a, late) for p, a in found.items()}


def found_answer(run: Run) -> Answered | None:
    """The answered question of a run without sweep, None where there is none."""
    try:
        return answered(run)[0]
    except Missing:
        return None


def point_configs(run: Run) -> dict[Any, dict]:
    """Sweep point -> its config, of the points that have one."""
    if not {"sweep", "folder"} <= set(run.sweep):
        return {}
    found = {row.sweep: Run(run.folder / str(row.folder)).config for row in run.sweep.itertuples() if (run.folder / str(row.folder)).is_dir()}
    return {p: c for p, c in found.items() if c}


def dose_table(run: Run, rows: pd.DataFrame, column: str = CELLS) -> DoseTable | None:
    """Dose-response of a sweep from its rows on one day; None where it is none."""
    configs = point_configs(run)
    if column not in rows or not configs or not set(rows["sweep"]) <= set(configs):
        return None
    return statistics.doses_of_points(configs, rows["sweep"], rows["arm"], rows["replicate"], rows[column])


def curves(run: Run, column: str) -> Curves:
    """A readout's curves from day 0 to the last common day."""
    if not run.has(column):
        raise Missing(f"series.csv has no column {column}")
    c = statistics.curves(*(run.series[k].to_numpy() for k in ("arm", "replicate", "hour", column)))
    c = c.until(run.last_common_hour / 24.0)
    if c.days.size < 2:
        raise Missing("fewer than two records after treatment start")
    return c
