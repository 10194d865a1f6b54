"""A run with swept settings: endpoints against the swept values, one line per arm."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tme import statistics
from tme.statistics.common_hour import DIGITS, last_common_hour
from tme.viz import style
from tme.viz.load import Missing, Run
from tme.viz.style import Drawn, arm_name

PANELS = (
    ("tumour_alive", "living tumour cells"),
    ("cd8_per_tumour_cell", "CD8 per tumour cell"),
    ("dead_ferroptosis", "ferroptotic deaths"),
    ("dead_immune", "killed by CD8"),
)
LONGEST_LABEL = 32  # letters of values below an axis


def swept_keys(run: Run) -> list[str]:
    """Settings that sweep.csv varies."""
    fixed = ("sweep", "folder")
    return [c for c in run.sweep.columns if c not in fixed and run.sweep[c].nunique(dropna=False) > 1]


def sweep_hour(run: Run) -> float:
    """The last hour (h) that every simulation of every sweep point recorded; without a sweep, of the run."""
    if run.sweep.empty or "sweep" not in run.series:
        return run.last_common_hour
    found = last_common_hour(rows["hour"] for _k, rows in run.series.groupby(["sweep", "arm", "replicate"]))
    return 0.0 if found is None else found


def endpoints(run: Run) -> pd.DataFrame:
    """One row of the series per simulation, all points and arms at `sweep_hour`."""
    if "sweep" not in run.series:
        return run.series.iloc[:0]
    at = np.isclose(run.series["hour"], sweep_hour(run), rtol=0.0, atol=10.0**-DIGITS)
    return run.series[at]


def sweep(run: Run) -> list[Drawn]:
    """Endpoints at the last common hour with 95 % intervals over replicates, per arm and sweep point."""
    keys, ends = swept_keys(run), endpoints(run)
    if not keys or ends.empty:
        raise Missing("no finished sweep (sweep.csv, series.csv)")
    panels = [p for p in PANELS if p[0] in ends and ends[p[0]].notna().any()]
    if not panels:
        raise Missing("series.csv has none of the endpoints drawn against a sweep")
    points = list(run.sweep["sweep"])
    at, labels = _positions(run, keys)
    numbers = [str(p) for p in points]
    rows = -(-len(panels) // 2)
    figure = style.new_figure(style.PAGE_IN, 0.6 + 2.4 * rows)
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    arms = [a for a in run.arms if a in set(ends["arm"].astype(str))]
    colours, dashes = style.arm_colours(run.arms, run.control), style.arm_dashes(run.arms, run.control)
    for axis, (column, label) in zip(axes, panels):
        for arm in arms:
            found = [statistics.mean_interval(_values(ends, arm, p, column)) for p in points]
            mean, low, high = (np.array([getattr(e, k) for e in found]) for k in ("value", "low", "high"))
            axis.plot(at, mean, "o", ms=3, color=colours[arm], ls=dashes[arm])
            if min(e.n for e in found) >= 3:
                axis.fill_between(at, np.maximum(low, 0), high, color=colours[arm], alpha=0.16, lw=0)
        axis.set(ylabel=label, xlabel=keys[0] if len(keys) == 1 and labels != numbers else "sweep point")
        if labels is not None:
            axis.set_xticks(at, labels, rotation=0 if max(map(len, labels)) < 8 else 90)
        style.from_zero(axis)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    style.legend_of_arms(figure, arms, run.control, among=run.arms)
    n = ends.groupby(["sweep", "arm"]).size()
    text = (
        f"Endpoints of {len(points)} sweep points ({', '.join(keys)}) on day {sweep_hour(run) / 24:.3g}, the last "
        f"that every simulation recorded: means of "
        f"{n.min()} to {n.max()} simulations per arm and point; bands, from three on: 95 % intervals. "
        "Each point's folder is a run of its own, with its own report on request."
    )
    return [Drawn("sweep", "Endpoints against the swept settings", figure, text)]


def _values(ends: pd.DataFrame, arm: str, point, column: str) -> pd.Series:
    """Values by replicate."""
    mine = (ends["arm"].astype(str) == arm) & (ends["sweep"] == point)
    return ends.loc[mine].set_index("replicate")[column].astype(float).sort_index()


def _positions(run: Run, keys: list[str]) -> tuple[np.ndarray, list[str] | None]:
    """Where points stand on the axis: at the value of a single numeric key, else side by side with their values, or where these are long their numbers."""
    table = run.sweep
    if len(keys) == 1 and pd.api.types.is_numeric_dtype(table[keys[0]]):
        return table[keys[0]].to_numpy(float), None
    labels = [
        ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in row) for row in table[keys].to_numpy()
    ]
    if max(map(len, labels)) > LONGEST_LABEL:
        labels = [str(p) for p in table["sweep"]]
    return np.arange(len(table), dtype=float), labels


def words_of_points(run: Run) -> list[str]:
    """One line per point: its values and each treated arm's share of the control's tumour."""
    out, ends = [], endpoints(run)
    for row in run.sweep.to_dict("records"):
        values = ", ".join(f"{k} = {row[k]}" for k in swept_keys(run))
        parts = []
        for arm in run.arms:
            if run.control is None or arm == run.control or "tumour_alive" not in ends:
                continue
            here, there = (
                _values(ends, a, row["sweep"], "tumour_alive") for a in (arm, run.control)
            )
            both = here.index.intersection(there.index)
            if run.paired:
                here, there = here.loc[both], there.loc[both]
            if here.size and there.size:
                e = statistics.share_of_control(here.to_numpy(), there.to_numpy(), paired=run.paired)
                within = f" ({100 * e.low:.0f} to {100 * e.high:.0f})" if e.has_interval else ""
                parts.append(f"{arm_name(arm)} {100 * e.value:.0f} %{within}")
        told = f": {'; '.join(parts)} of control's tumour cells" if parts else ""
        out.append(f"{row.get('folder', row['sweep'])}, {values}{told}")
    return out
