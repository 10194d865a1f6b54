"""Comparing arms of a run: paired differences and ratios, exact tests, Bliss excess, time courses.

Replicate r of every arm has the same seed, so everything is paired by replicate. Intervals are Student's t; those of
ratios, and of time courses where asked for, are resampled from six replicates on. `n` stands in every row, and
`p_least`, the least p that an exact test of so many pairs can give (0.125 at n = 4).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tme import statistics
from tme.statistics import Estimate


def values_at(series: pd.DataFrame, column: str, hour: float | None = None) -> dict[str, pd.Series]:
    """Values of a column by arm, indexed by replicate, at an hour (default the last that all reached).

    A simulation that stopped before `hour` counts as missing.
    """
    ends = series.groupby(["arm", "replicate"], sort=False)["hour"].max()
    hour = float(ends.min()) if hour is None else float(hour)
    part = series[np.isclose(series["hour"], hour)]
    return {
        str(arm): group.set_index("replicate")[column].astype(float)
        for arm, group in part.groupby("arm", sort=False)
    }


def control_of(config: dict) -> str:
    """The arm without any treatment: the first empty one, else one called control, else the first."""
    arms = config.get("arms") or {}
    empty = [str(name) for name, therapy in arms.items() if not any((therapy or {}).values())]
    return next(iter(empty or [a for a in arms if str(a) == "control"] or list(arms)))


def compare_arms(
    run: Any, column: str = "tumour_alive", hour: float | None = None, control: str | None = None
) -> pd.DataFrame:
    """Every arm against the control at one hour: difference, ratio, intervals, exact and Holm-adjusted p."""
    groups = values_at(run.series(), column, hour)
    control = control or control_of(run.config)
    rows = []
    for arm in groups:
        if arm == control:
            continue
        both = pd.concat([groups[arm], groups[control]], axis=1, join="inner")
        a, c = statistics.pairs(both.iloc[:, 0], both.iloc[:, 1])
        difference, ratio = statistics.difference(a, c), statistics.ratio_of_means(a, c)
        sign, ranks = statistics.sign_test(a, c), statistics.wilcoxon(a, c)
        rows.append({
            "column": column, "arm": arm, "control": control, "n": a.size,
            "mean": a.mean() if a.size else np.nan, "control_mean": c.mean() if c.size else np.nan,
            "difference": difference.value,
            "difference_low": difference.low, "difference_high": difference.high,
            "ratio": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high,
            "p_sign": sign.p, "p_wilcoxon": ranks.p, "p_least": ranks.least,
        })  # fmt: skip
    table = pd.DataFrame(rows)
    if len(table):
        table["p_wilcoxon_holm"] = statistics.holm(table["p_wilcoxon"])
    return table


def bliss(run: Any, a: str, b: str, combination: str, control: str | None = None,
          column: str = "tumour_alive", hour: float | None = None) -> dict[str, Any]:  # fmt: skip
    """Bliss excess of a combination arm at one hour, replicates paired."""
    groups = values_at(run.series(), column, hour)
    names = [control or control_of(run.config), a, b, combination]
    both = pd.concat([groups[name] for name in names], axis=1, join="inner")
    estimate = statistics.bliss_of_pairs(*(both.iloc[:, k] for k in range(4)))
    return {
        "column": column,
        "control": names[0],
        "a": a,
        "b": b,
        "combination": combination,
        **asdict(estimate),
    }


def resampled(values: Any) -> Estimate:
    """Mean with its percentile interval; of fewer than six values the t interval."""
    few = np.isfinite(np.asarray(values, float)).sum() < statistics.FEWEST_TO_RESAMPLE
    return statistics.mean_interval(values) if few else statistics.bootstrap(lambda x: x.mean(axis=-1), values)


def time_course(run: Any, column: str, interval: str = "t") -> pd.DataFrame:
    """arm, hour, mean, low, high, n over replicates; `interval` is "t" or "bootstrap" (from six replicates on)."""
    if interval not in ("t", "bootstrap"):
        raise ValueError(f"interval must be 't' or 'bootstrap', not {interval!r}")
    estimate = statistics.mean_interval if interval == "t" else resampled
    rows = []
    for (arm, hour), group in run.series().groupby(["arm", "hour"], sort=False):
        e = estimate(group[column])
        rows.append({"arm": arm, "hour": hour, "mean": e.value, "low": e.low, "high": e.high, "n": e.n})
    return pd.DataFrame(rows)
