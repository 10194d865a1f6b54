"""Comparing arms of a run: paired differences and ratios, exact tests, Bliss excess, time courses.

Replicate r of every arm has the same seed, so everything is paired by replicate. Intervals are Student's t; those of
time courses may be resampled, from six replicates on. `n` stands in every row, and
`p_least`, the least p that an exact test of so many pairs can give (0.125 at n = 4).

All arms are read at one hour: the last that every simulation recorded. A simulation that stopped early
(`Run.stopped`) moves that hour forward; asking for a later one is refused (`StoppedEarly`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tme import statistics
from tme.statistics import Estimate
from tme.statistics.common_hour import DIGITS, common_hours


class StoppedEarly(ValueError):
    """Simulations cannot be compared at the hour asked for; the message says which stopped, and why."""

    exit_code = 2


def by_simulation(series: pd.DataFrame) -> dict[tuple, pd.DataFrame]:
    """Rows of each simulation, by (sweep point where there is one, arm, replicate)."""
    keys = [k for k in ("sweep", "arm", "replicate") if k in series]
    return dict(list(series.groupby(keys, sort=False)))


def common_hour(runs: Any, day: float | None = None) -> float:
    """The last hour (h) that every simulation of a run, or of several, recorded, or `day` if all reached it.

    `runs` is one run, a sequence or a mapping of runs, or a series table. `StoppedEarly` where they share no
    hour, or not the one asked for.
    """
    each = _listed(runs)
    hours = {
        (*([name] if len(each) > 1 else []), *key): rows["hour"].to_numpy(float)
        for name, run in each.items()
        for key, rows in by_simulation(_series(run)).items()
    }
    common = common_hours(hours.values())
    if day is None and common.size:
        return float(common[-1])
    wanted = None if day is None else round(24.0 * float(day), DIGITS)
    if wanted is not None and wanted in common:
        return wanted
    raise StoppedEarly(_why_not(each, hours, common, day))


def compared_hour(runs: Any, hour: float | None = None) -> float:
    """The hour (h) at which arms are compared: the one asked for, else the last common one after treatment starts."""
    if hour is not None:
        return common_hour(runs, hour / 24.0)
    found = common_hour(runs)
    if not found > 0:
        raise StoppedEarly(f"the last day that all simulations recorded is {found / 24:g}: no treatment to compare yet")
    return found


def _why_not(runs: Mapping[Any, Any], hours: dict[tuple, np.ndarray], common: np.ndarray, day: float | None) -> str:
    """Simulations that prevent a comparison at `day`, and the last day at which all can be compared."""
    if not hours:
        return "there is no simulation to compare"
    reasons = {
        (*([name] if len(runs) > 1 else []), *key): reason
        for name, run in runs.items()
        for key, (_hour, reason) in getattr(run, "stopped", dict)().items()
    }
    late = np.inf if day is None else 24.0 * day
    short = {key: h.max() for key, h in hours.items() if h.max() < late - 10.0**-DIGITS}
    short = dict(sorted(short.items(), key=lambda item: item[0] not in reasons))  # stopped simulations first
    told = [
        f"{'/'.join(map(str, key))} ended on day {hour / 24:.2f}" + (f" ({reasons[key]})" if key in reasons else "")
        for key, hour in list(short.items())[:6]
    ]
    more = f" and {len(short) - 6} more" if len(short) > 6 else ""
    where = "no hour was recorded by all simulations" if day is None else f"day {day:g} was not recorded by all simulations"
    last = f"the last day that all recorded is {common[-1] / 24:g}" if common.size and day is not None else ""
    return "; ".join(part for part in (where, ", ".join(told) + more if told else "", last) if part)


def _listed(runs: Any) -> dict[Any, Any]:
    if isinstance(runs, Mapping):
        return dict(runs)
    return dict(enumerate(runs)) if isinstance(runs, (list, tuple)) else {"": runs}


def _series(run: Any) -> pd.DataFrame:
    return run if isinstance(run, pd.DataFrame) else run.series()


def rows_at(run: Any, hour: float) -> pd.DataFrame:
    """One row per simulation: the series of a run (or a series table) at one hour (h)."""
    series = _series(run)
    return series[np.isclose(series["hour"], hour, rtol=0.0, atol=10.0**-DIGITS)].reset_index(drop=True)


def values_at(run: Any, column: str, hour: float | None = None) -> dict[str, pd.Series]:
    """Values of a column by arm, indexed by replicate, at an hour (h; default the last that all recorded).

    `run` is a run or a series table. `StoppedEarly` at an hour that not all recorded.
    """
    hour = common_hour(run, None if hour is None else hour / 24.0)
    return {
        str(arm): group.set_index("replicate")[column].astype(float)
        for arm, group in rows_at(run, hour).groupby("arm", sort=False)
    }


def control_of(config: dict) -> str:
    """The arm without any treatment: the first empty one, else one called control, else the first."""
    arms = config.get("arms") or {}
    return statistics.control_arm(arms) or next(iter([a for a in arms if str(a) == "control"] or list(arms)))


def compare_arms(
    run: Any, column: str = "tumour_alive", hour: float | None = None, control: str | None = None
) -> pd.DataFrame:
    """Every arm against the control at one hour: difference, ratio, intervals, exact and Holm-adjusted p.

    `hour` (h) is by default the last that every simulation recorded; the table says which, as `day`.
    """
    hour = compared_hour(run, hour)
    groups = values_at(run, column, hour)
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
            "column": column, "day": hour / 24.0, "arm": arm, "control": control, "n": a.size,
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
    hour = compared_hour(run, hour)
    groups = values_at(run, column, hour)
    names = [control or control_of(run.config), a, b, combination]
    both = pd.concat([groups[name] for name in names], axis=1, join="inner")
    estimate = statistics.bliss_of_pairs(*(both.iloc[:, k] for k in range(4)))
    return {
        "column": column,
        "day": hour / 24.0,
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
    """arm, hour, mean, low, high, n over replicates; `interval` is "t" or "bootstrap" (from six replicates on).

    Hours that not all replicates of an arm recorded are left out: after a simulation has stopped early, the
    mean of the others is that of other tumours.
    """
    if interval not in ("t", "bootstrap"):
        raise ValueError(f"interval must be 't' or 'bootstrap', not {interval!r}")
    estimate = statistics.mean_interval if interval == "t" else resampled
    rows, series = [], run.series()
    common = {arm: common_hours(h for _r, h in t.groupby("replicate")["hour"]) for arm, t in series.groupby("arm")}
    for (arm, hour), group in series.groupby(["arm", "hour"], sort=False):
        if round(hour, DIGITS) not in common[arm]:
            continue
        e = estimate(group[column])
        rows.append({"arm": arm, "hour": hour, "mean": e.value, "low": e.low, "high": e.high, "n": e.n})
    return pd.DataFrame(rows)
