"""Comparing arms: paired differences and ratios, exact tests, Bliss excess, time courses.

Replicate r of every arm has the same seed, so everything is paired by replicate. Bootstrap intervals
resample replicates (percentiles, fixed seed). With the few replicates of a usual run they are too narrow,
so that means carry Student-t intervals as well; `n` stands in every row, and an exact test of n pairs
cannot give less than p = 2 / 2^n (0.125 at n = 4).

All arms are read at one hour: the last that every simulation recorded. A simulation that stopped early
(`Run.stopped`) moves that hour forward; asking for a later one is refused (`StoppedEarly`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from tme.statistics.common_hour import DIGITS, common_hours

LEVEL = 0.95
DRAWS = 10_000
SEED = 20240229
EXACT_UP_TO = 16


@dataclass(frozen=True)
class Estimate:
    """A value with its interval from `low` to `high`, and the number of pairs behind it."""

    value: float
    low: float
    high: float
    n: int


def pairs(*groups: Any) -> list[np.ndarray]:
    """The groups with every replicate left out that is not finite in all of them."""
    arrays = [np.asarray(g, float) for g in groups]
    if len({a.shape for a in arrays}) > 1:
        raise ValueError(f"paired groups need the same replicates, not {[a.size for a in arrays]}")
    keep = np.all([np.isfinite(a) for a in arrays], axis=0)
    return [a[keep] for a in arrays]


def bootstrap(
    statistic: Any, *groups: Any, level: float = LEVEL, draws: int = DRAWS, seed: int = SEED
) -> Estimate:
    """Percentile interval of `statistic(*groups)`, the same replicates drawn in every group.

    `statistic` takes arrays (..., n) and works along the last axis.
    """
    arrays = pairs(*groups)
    n = arrays[0].size
    if n == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    value = float(statistic(*arrays))
    if n == 1:
        return Estimate(value, np.nan, np.nan, 1)
    chosen = np.random.default_rng(seed).integers(0, n, (draws, n))
    drawn = statistic(*(a[chosen] for a in arrays))
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high), n)


def mean_interval(values: Any, level: float = LEVEL) -> Estimate:
    """Mean with the Student-t interval, mean ± t s / sqrt(n)."""
    (x,) = pairs(values)
    if x.size < 2:
        return Estimate(float(x.mean()) if x.size else np.nan, np.nan, np.nan, x.size)
    half = stats.t.ppf(0.5 + level / 2, x.size - 1) * x.std(ddof=1) / np.sqrt(x.size)
    return Estimate(float(x.mean()), float(x.mean() - half), float(x.mean() + half), x.size)


def paired_difference(a: Any, b: Any, **how: Any) -> Estimate:
    """Mean of a - b with its bootstrap interval."""
    return bootstrap(lambda x, y: (x - y).mean(axis=-1), a, b, **how)


def paired_ratio(a: Any, b: Any, **how: Any) -> Estimate:
    """Mean of a over mean of b with its bootstrap interval; NaN where b is all zero."""
    return bootstrap(_ratio, a, b, **how)


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    below = b.mean(axis=-1)
    return a.mean(axis=-1) / np.where(below == 0, np.nan, below)


def sign_test(a: Any, b: Any) -> float:
    """Two-sided exact sign test of paired values; ties are left out."""
    x, y = pairs(a, b)
    up, down = int((x > y).sum()), int((x < y).sum())
    return float(stats.binomtest(up, up + down, 0.5).pvalue) if up + down else 1.0


def wilcoxon(a: Any, b: Any) -> float:
    """Two-sided Wilcoxon signed-rank test, exact (over all sign patterns, ties in mid-ranks) up to n = 16."""
    x, y = pairs(a, b)
    d = (x - y)[x != y]
    if d.size == 0:
        return 1.0
    if d.size > EXACT_UP_TO:
        return float(stats.wilcoxon(d, method="asymptotic").pvalue)
    ranks = stats.rankdata(np.abs(d))
    signs = (np.arange(2**d.size)[:, None] >> np.arange(d.size)) & 1
    sums = signs @ ranks
    centre = ranks.sum() / 2
    return float(np.mean(np.abs(sums - centre) >= abs(ranks[d > 0].sum() - centre) - 1e-9))


def holm(p_values: Any) -> np.ndarray:
    """Holm's step-down adjustment; NaN stays NaN and does not count as a test."""
    p = np.asarray(p_values, float)
    out = np.full(p.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = np.minimum(1.0, (order.size - np.arange(order.size)) * p[order])
    out[order] = np.maximum.accumulate(scaled) if order.size else scaled
    return out


def bliss_excess(control: Any, a: Any, b: Any, combination: Any, **how: Any) -> Estimate:
    """Excess over Bliss independence, mean of (a/c)(b/c) - ab/c over replicates, with its bootstrap interval.

    Positive: the combination leaves fewer cells than two independent treatments would. Replicates without a
    living control tumour are left out. Source: Bliss 1939, doi 10.1111/j.1744-7348.1939.tb06990.x.
    """
    c = np.asarray(control, float)
    c = np.where(c > 0, c, np.nan)
    return bootstrap(lambda k, x, y, xy: (x / k * y / k - xy / k).mean(axis=-1), c, a, b, combination, **how)


# ---- tables of a run ------------------------------------------------------------------------------
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
    """Who is in the way of comparing at `day`, and the last day at which one can."""
    if not hours:
        return "there is no simulation to compare"
    reasons = {
        (*([name] if len(runs) > 1 else []), *key): reason
        for name, run in runs.items()
        for key, (_hour, reason) in getattr(run, "stopped", dict)().items()
    }
    late = np.inf if day is None else 24.0 * day
    short = {key: h.max() for key, h in hours.items() if h.max() < late - 10.0**-DIGITS}
    short = dict(sorted(short.items(), key=lambda item: item[0] not in reasons))  # who stopped comes first
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
    empty = [str(name) for name, therapy in arms.items() if not any((therapy or {}).values())]
    return next(iter(empty or [a for a in arms if str(a) == "control"] or list(arms)))


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
        a, c = pairs(both.iloc[:, 0], both.iloc[:, 1])
        t, difference, ratio = mean_interval(a - c), paired_difference(a, c), paired_ratio(a, c)
        rows.append({
            "column": column, "day": hour / 24.0, "arm": arm, "control": control, "n": a.size,
            "mean": a.mean() if a.size else np.nan, "control_mean": c.mean() if c.size else np.nan,
            "difference": difference.value,
            "difference_low": difference.low, "difference_high": difference.high,
            "difference_t_low": t.low, "difference_t_high": t.high,
            "ratio": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high,
            "p_sign": sign_test(a, c), "p_wilcoxon": wilcoxon(a, c),
        })  # fmt: skip
    table = pd.DataFrame(rows)
    if len(table):
        table["p_wilcoxon_holm"] = holm(table["p_wilcoxon"])
    return table


def bliss(run: Any, a: str, b: str, combination: str, control: str | None = None,
          column: str = "tumour_alive", hour: float | None = None) -> dict[str, Any]:  # fmt: skip
    """Bliss excess of a combination arm at one hour, replicates paired."""
    hour = compared_hour(run, hour)
    groups = values_at(run, column, hour)
    names = [control or control_of(run.config), a, b, combination]
    both = pd.concat([groups[name] for name in names], axis=1, join="inner")
    estimate = bliss_excess(*(both.iloc[:, k] for k in range(4)))
    return {
        "column": column,
        "day": hour / 24.0,
        "control": names[0],
        "a": a,
        "b": b,
        "combination": combination,
        **asdict(estimate),
    }


def time_course(run: Any, column: str, interval: str = "t") -> pd.DataFrame:
    """arm, hour, mean, low, high, n over replicates; `interval` is "t" or "bootstrap".

    Hours that not all replicates of an arm recorded are left out: after a simulation has stopped early, the
    mean of the others is that of other tumours.
    """
    if interval not in ("t", "bootstrap"):
        raise ValueError(f"interval must be 't' or 'bootstrap', not {interval!r}")
    estimate = mean_interval if interval == "t" else lambda v: bootstrap(lambda x: x.mean(axis=-1), v)
    rows, series = [], run.series()
    common = {arm: common_hours(h for _r, h in t.groupby("replicate")["hour"]) for arm, t in series.groupby("arm")}
    for (arm, hour), group in series.groupby(["arm", "hour"], sort=False):
        if round(hour, DIGITS) not in common[arm]:
            continue
        e = estimate(group[column])
        rows.append({"arm": arm, "hour": hour, "mean": e.value, "low": e.low, "high": e.high, "n": e.n})
    return pd.DataFrame(rows)
