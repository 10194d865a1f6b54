"""What came of the arms of a run, from its series as arrays: growth, time to a size, response, the primary question, doses.

A series is four arrays (n_rows,): arm, replicate, hour and a readout's value; `curves` turns it into one curve per simulation.
Everything here beyond the primary question is exploratory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tme.statistics.arms import DOSES, control_arm, dose_units, doses_given
from tme.statistics.common_hour import DIGITS, common_hours
from tme.statistics.contrasts import adjusted, told
from tme.statistics.doses import DoseTable, dose_table
from tme.statistics.estimate import FEWEST_FOR_P, Estimate, t_quantile, t_tail
from tme.statistics.growth import FOLD, area_under_curve, growth_inhibition, time_to_reach
from tme.statistics.intervals import mean_interval
from tme.statistics.paired_tests import benjamini_hochberg
from tme.statistics.question import Answered, Question, answer, paired
from tme.statistics.response import response_class, response_counts
from tme.statistics.survival import SurvivalCurve, kaplan_meier, logrank

CELLS, VOLUME = "tumour_alive", "tumour_volume_mm3"
COLUMNS = (
    "tumour_alive", "tumour_area_mm2", "tumour_volume_mm3", "dead_ferroptosis", "dead_immune", "dc_mature_cumulative", "dc_mature_share",
    "cd8_per_mm2", "cd8_per_tumour_cell", "cd8_ifng_share", "cd8_exhausted_share", "kills_per_cd8_day", "treg_per_mm2", "m1_m2_ratio",
    "ifng_median", "slc7a11_factor", "hypoxic_share",
)  # fmt: skip  # readouts that the exploratory comparison with control goes through


@dataclass(frozen=True)
class Curves:
    """A readout from day 0 on: `days` (k,), arm -> replicate -> values (k,), NaN where a simulation has no row."""

    days: np.ndarray
    values: Mapping[str, Mapping[int, np.ndarray]]

    def until(self, day: float) -> Curves:
        """The curves up to a day, that day included."""
        keep = self.days <= day + 1e-9
        return Curves(self.days[keep], {a: {r: v[keep] for r, v in by.items()} for a, by in self.values.items()})

    def ends(self) -> tuple[dict[str, dict[int, float]], dict[str, dict[int, float]]]:
        """First and last value of each simulation: arm -> replicate -> value."""
        first, last = ({a: {r: float(v[i]) for r, v in by.items()} for a, by in self.values.items()} for i in (0, -1))
        return first, last


def curves(arms: Any, replicates: Any, hours: Any, values: Any) -> Curves:
    """The curves of a series from day 0 on."""
    arm, replicate = np.asarray(arms, object), np.asarray(replicates, int)
    hour, value = np.round(np.asarray(hours, float), DIGITS), np.asarray(values, float)
    times = np.unique(hour[hour >= 0])
    out: dict[str, dict[int, np.ndarray]] = {}
    for a in dict.fromkeys(arm):
        for r in np.unique(replicate[arm == a]):
            mine = (arm == a) & (replicate == r) & (hour >= 0)
            row = np.full(times.size, np.nan)
            row[np.searchsorted(times, hour[mine])] = value[mine]
            out.setdefault(str(a), {})[int(r)] = row
    return Curves(times / 24.0, out)


def day_to_read(hours: Iterable[Iterable[float]], asked: float | None) -> float | None:
    """The day on which simulations that recorded these hours are read: the one asked for, or the last common one before it."""
    common = common_hours(hours)
    good = common[(common > 0) & (common <= (np.inf if asked is None else 24.0 * asked + 1e-6))]
    return float(good[-1]) / 24.0 if good.size else None


# ---- growth -------------------------------------------------------------------------------------
def growth_rows(found: Mapping[str, Curves], control: str) -> list[dict[str, Any]]:
    """Growth inhibition (TGI) and area under the curve against control, by arm and readout (volume, cells), replicates paired."""
    rows = []
    for column, c in found.items():
        first, last = c.ends()
        for arm in (a for a in c.values if a != control):
            start, end = paired(first, (arm, control)), paired(last, (arm, control))
            tgi = growth_inhibition(start[arm], end[arm], start[control], end[control])
            areas = {a: dict(zip(c.values[a], area_under_curve(c.days, list(c.values[a].values())))) for a in (arm, control)}
            both = paired(areas, (arm, control))
            with np.errstate(all="ignore"):
                logs = mean_interval(np.log(both[arm] / both[control]))
            ratio = Estimate(float(np.exp(logs.value)), float(np.exp(logs.low)), float(np.exp(logs.high)), logs.n, logs.p, 1.0)
            rows.append({"readout": column, "arm": arm, "tgi": tgi, "auc_ratio": ratio})
    return rows


# ---- time to a size -------------------------------------------------------------------------------
@dataclass(frozen=True)
class TimeToSize:
    """When an arm's tumours reached `fold` times their size on day 0: Kaplan-Meier curve, log-rank p against control, p after
    Benjamini-Hochberg among the arms."""

    arm: str
    curve: SurvivalCurve
    reached: int
    p: float
    p_bh: float


def times_to_size(c: Curves, control: str | None, fold: float = FOLD) -> list[TimeToSize]:
    """One entry per arm; the size is a multiple of each tumour's own on day 0."""
    times = {arm: time_to_reach(c.days, list(by.values()), fold * np.array([v[0] for v in by.values()])) for arm, by in c.values.items() if by}
    testable = {arm for arm, t in times.items() if np.isfinite(t[0]).sum() >= FEWEST_FOR_P}
    p = {arm: logrank(*t, *times[str(control)]) if {arm, control} <= testable and arm != control else float("nan") for arm, t in times.items()}
    after = dict(zip(p, benjamini_hochberg(list(p.values()))))
    return [TimeToSize(arm, kaplan_meier(*t), int(t[1].sum()), p[arm], float(after[arm])) for arm, t in times.items()]


def responses(c: Curves) -> dict[str, dict[str, int]]:
    """Arm -> response class of volumes on the last day -> number of tumours."""
    return {arm: response_counts(response_class(v) for v in by.values()) for arm, by in c.values.items()}


# ---- exploratory comparison with control ------------------------------------------------------------
def in_question(answered: Answered | None, column: str, arm: str, control: str | None, day: float) -> float | None:
    """p after Holm where the primary question asks already whether arm and control are alike in this readout on this day; else None."""
    if answered is None or answered.question.readout != column or abs(answered.day - day) > 1e-6:
        return None
    alike = [a for a in answered.answers if a.contrast.kind in ("ratio", "difference") and a.contrast.null == 0]
    return next((a.p_adjusted for a in alike if set(a.contrast.arms) == {arm, control}), None)


def false_discovery(p_values: Sequence[float], n: Sequence[int]) -> np.ndarray:
    """p after Benjamini-Hochberg over a family of exploratory comparisons; NaN below three replicates."""
    return benjamini_hochberg([p if k >= FEWEST_FOR_P else np.nan for p, k in zip(p_values, n)])


# ---- sweeps over doses ---------------------------------------------------------------------------------
def doses_of_points(configs: Mapping[Any, Mapping[str, Any]], points: Any, arms: Any, replicates: Any, values: Any) -> DoseTable | None:
    """Dose-response of a sweep: `configs` point -> its config; arrays (n_rows,) of point, arm, replicate, value on one day.

    None where the points differ in more than doses, or no arm is untreated.
    """
    whole = [{k: v for k, v in c.items() if k not in ("arms", "sweep", "name", "primary")} for c in configs.values()]
    if not whole or any(w != whole[0] for w in whole[1:]) or len({_undosed(c) for c in configs.values()}) > 1:
        return None
    units = {k: v for c in configs.values() for k, v in dose_units(c.get("arms") or {}).items()}
    rows = [(doses_given(configs[p].get("arms") or {}, str(a)), int(r), float(v)) for p, a, r, v in zip(points, arms, replicates, values)]
    if any(not given and str(a) != control_arm(configs[p].get("arms") or {}) for (given, _, _), p, a in zip(rows, points, arms)):
        return None
    return dose_table(rows, units)


def _undosed(config: Mapping[str, Any]) -> str:
    """The arms of a config with their doses taken out, as text."""
    def bare(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: bare(v) for k, v in value.items() if k not in DOSES}
        return [bare(v) for v in value] if isinstance(value, (list, tuple)) else value

    return repr(bare(config.get("arms") or {}))


def answer_points(question: Question, values: Mapping[Any, Mapping[str, Mapping[int, float]]], day: float,
                  configs: Mapping[Any, Mapping[str, Any]], table: DoseTable | None) -> dict[Any, Answered]:  # fmt: skip
    """The question answered at every point of a sweep, Holm running over the contrasts of all points together."""
    size = len(question.contrasts)
    family = size * len(values)
    each = {p: answer(question, v, day, loewe_given(question, configs[p].get("arms") or {}, table), family=family) for p, v in values.items()}
    every = adjusted([a for found in each.values() for a in found.answers])
    return {p: replace(found, answers=tuple(every[i * size : (i + 1) * size])) for i, (p, found) in enumerate(each.items())}


def loewe_given(question: Question, arms: Mapping[str, Any], table: DoseTable | None) -> dict[str, tuple[Estimate, np.ndarray]]:
    """Contrast text -> estimate and pseudovalues of the Loewe contrasts that the dose table can answer for these arms."""
    out: dict[str, tuple[Estimate, np.ndarray]] = {}
    for c in question.contrasts:
        parts = [doses_given(arms, arm) for arm in c.arms[1:]]
        if table is None or not c.needs_doses or any(len(p) != 1 for p in parts):
            continue
        (a, dose_a), (b, dose_b) = (next(iter(p.items())) for p in parts)
        if a in table.agents and b in table.agents and doses_given(arms, c.arms[0]) == {a: dose_a, b: dose_b}:
            found, effects = table.loewe(a, b, dose_a, dose_b)
            if found is not None:
                out[c.text] = (told(c, against(found, c.bound)), effects)
    return out


def against(found: Estimate, null: float) -> Estimate:
    """An estimate with its p against another null value, by the same t."""
    if not found.has_interval or found.n < 2 or found.high == found.low:
        return replace(found, null=null)
    error = (found.high - found.low) / 2 / t_quantile(0.975, found.n - 1)
    return replace(found, null=null, p=float(2 * t_tail(abs(found.value - null) / error, found.n - 1)))
