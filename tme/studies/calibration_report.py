"""What a calibration says: table of weighted samples, tables of numbers and of data, curves for the figures, sentences that follow from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tme.studies.abc_smc import Population
from tme.studies.calibration_plan import Plan, relative
from tme.studies.data_table import Row
from tme.studies.history import History
from tme.studies.posterior import Posterior
from tme.studies.study import Results

LEVEL = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_POINTS = 400  # of a pairs figure
FEWEST = 40  # effective particles
UNLEARNT, LEARNT = 0.8, 0.5  # widths of an interval as a share of the prior's


def report(plan: Plan, history: History, populations: Sequence[Population], posterior: Posterior,
           predicted: tuple[np.ndarray, np.ndarray], results: Sequence[Results]) -> tuple[list[dict[str, Any]], dict[str, Any]]:  # fmt: skip
    """Rows of table.csv and the content of summary.json."""
    numbers = numbers_table(posterior)
    data = data_table(plan.rows, *predicted)
    ended = counts(results)
    summary = {
        "lead": lead(data),
        "sentences": sentences(plan, history, populations, numbers, data, ended),
        "tables": {"numbers": numbers, "data and prediction": data, "rounds": rounds_table(history, populations)},
        "numbers": [{"key": r.key, "low": r.low, "high": r.high, "scale": r.scale, "unit": r.unit, "value": _known(r.value)} for r in plan.prior.ranges],
        "samples": samples(posterior),
        "curves": curves(plan, results[-1]),
        "simulations": ended,
    }
    table = [{"sample": k, "weight": float(w), **dict(zip(plan.prior.names, map(float, v)))} for k, (w, v) in enumerate(zip(posterior.weights, posterior.values)) if w > 0]
    return table, summary


def numbers_table(posterior: Posterior) -> list[dict[str, Any]]:
    """A row for each number: prior range, posterior median and 90 % interval, how much narrower than the prior."""
    low, median, high = posterior.quantiles()
    return [
        {"number": r.key, "unit": r.unit, "prior low": r.low, "prior high": r.high, "in force": _known(r.value), "5 %": float(low[j]), "median": float(median[j]), "95 %": float(high[j]),
         "width over prior": float(posterior.narrowing()[j])}
        for j, r in enumerate(posterior.prior.ranges)
    ]  # fmt: skip


def data_table(rows: Sequence[Row], simulated: np.ndarray, noisy: np.ndarray) -> list[dict[str, Any]]:
    """A row for each datum: measured, predicted with its 90 % band (noise of the measurement included), whether it lies within."""
    out = []
    for j, r in enumerate(rows):
        good = np.isfinite(noisy[:, j])
        ends = np.quantile(noisy[good, j], (0.05, 0.95)) if good.any() else (math.nan, math.nan)
        middle = float(np.median(simulated[good, j])) if good.any() else math.nan
        inside = bool(ends[0] <= r.scaled(r.value) <= ends[1])
        out.append({"arm": r.arm, "readout": r.readout, "day": r.day, "relative to day": r.relative_to_day, "use": "fit" if r.fit else "check", "measured": r.value,
                    "predicted": _known(r.unscaled(middle)), "5 %": _known(r.unscaled(float(ends[0]))), "95 %": _known(r.unscaled(float(ends[1]))), "within": inside})  # fmt: skip
    return out


def rounds_table(history: History, populations: Sequence[Population]) -> list[dict[str, Any]]:
    """A row for each wave and generation."""
    rows: list[dict[str, Any]] = [
        {"round": f"wave {w.number}", "simulations": w.simulated, "prior left": w.left if w.kept else None, "threshold": None, "accepted": None, "effective": None}
        for w in history.waves
    ]
    before = 0
    for p in populations:
        rows.append({"round": f"generation {p.generation}", "simulations": p.simulated - before, "prior left": None, "threshold": _known(p.threshold), "accepted": _known(p.accepted), "effective": p.effective})
        before = p.simulated
    return rows


def samples(posterior: Posterior) -> dict[str, Any]:
    """Places in the unit cube and weights of the samples with the largest weights, for figures."""
    heavy = np.argsort(-posterior.weights, kind="stable")[:MOST_POINTS]
    return {"places": np.round(posterior.u[heavy], 6).tolist(), "weights": posterior.weights[heavy].tolist(), "correlation": posterior.correlation().tolist()}


def curves(plan: Plan, results: Results) -> list[dict[str, Any]]:
    """For each arm, readout and day of reference: quantiles of the predicted course, and the data that belong to it."""
    out, noise = [], plan.noise
    groups: dict[tuple, list[int]] = {}
    for j, r in enumerate(plan.rows):
        groups.setdefault((r.arm, r.readout, r.relative_to_day), []).append(j)
    days = list(plan.ask.days)
    for (arm, readout, day), members in groups.items():
        first = plan.rows[members[0]]
        found = np.array([relative(results.course(p, s, arm, readout), days, first) for p in results.points for s in p.seeds])
        bands = [np.quantile(c[np.isfinite(c)], LEVEL).tolist() if np.isfinite(c).any() else [None] * len(LEVEL) for c in found.T]
        data = [{"day": r.day, "value": r.value, "fit": r.fit, "low": r.unscaled(r.scaled(r.value) - 1.645 * noise[j]), "high": r.unscaled(r.scaled(r.value) + 1.645 * noise[j])}
                for j in members for r in (plan.rows[j],)]  # fmt: skip
        out.append({"arm": arm, "readout": readout, "relative_to_day": day, "log": first.log, "days": days, "bands": bands, "data": data})
    return out


def counts(results: Sequence[Results]) -> dict[str, int]:
    """Totals of `Results.ended`."""
    totals: dict[str, int] = {}
    for found in results:
        for what, n in found.ended().items():
            totals[what] = totals.get(what, 0) + n
    return totals


def lead(data: Sequence[dict[str, Any]]) -> str:
    """The result in one sentence."""
    checked = [d for d in data if d["use"] == "check"]
    fitted = [d for d in data if d["use"] == "fit"]
    text = f"The 90 % predictive band holds {sum(d['within'] for d in fitted)} of {len(fitted)} fitted values"
    return text + (f" and {sum(d['within'] for d in checked)} of {len(checked)} values kept out of the fit." if checked else "; none was kept out of the fit to check it.")


def sentences(plan: Plan, history: History, populations: Sequence[Population], numbers: Sequence[dict[str, Any]],
              data: Sequence[dict[str, Any]], ended: dict[str, int]) -> list[str]:  # fmt: skip
    """What follows from the tables."""
    out = [_number_sentence(n) for n in numbers] + [f"Data of target {source}." for source in plan.sources]
    waves = [w for w in history.waves if w.kept]
    if waves:
        out.append(f"History matching by {len(waves)} wave{'s' if len(waves) > 1 else ''} left {100 * history.left:.3g} % of the prior.")
    if any(not w.kept for w in history.waves):
        w = next(w for w in history.waves if not w.kept)
        what = f"; {_named(plan, w.worst_row)} rules out most" if w.worst_row >= 0 else ""
        if np.isnan(w.errors_beyond_3):
            out.append(f"Wave {w.number} does not count: too few of its {w.simulated} simulations gave all the numbers that the data ask for.")
        else:
            out.append(f"Wave {w.number} would have left next to nothing and does not count{what}: the ranges or the model may not reach the data.")
    last = populations[-1]
    out.append(f"ABC-SMC ended after {last.generation + 1} generations and {last.simulated} particles at a threshold of {last.threshold:.3g} sd; {last.effective:.0f} effective particles.")
    if last.effective < FEWEST:
        out.append(f"So few particles give rough quantiles: at least {FEWEST} are worth believing (study.draws).")
    missed = [f"{d['readout']} of {d['arm']} on day {d['day']:g}" for d in data if not d["within"]]
    if missed:
        out.append(f"Outside the predictive band: {', '.join(missed)}.")
    unstated = sum(r.sd is None for r in plan.rows)
    if unstated:
        out.append(f"{unstated} of {len(plan.rows)} values state no uncertainty; {100 * plan.effort.noise:g} % of the value stands for it (study.noise, assumed).")
    lost = {k: v for k, v in ended.items() if k != "simulations" and v}
    if lost:
        out.append(f"Of {ended['simulations']} simulations " + ", ".join(f"{v} {_ENDS[k]}" for k, v in lost.items()) + "; those without a value on a day of the data were not accepted.")
    return out + [f"Not represented: {note}." for note in plan.notes]


_ENDS = {"failed": "failed", "refused": "were refused by the config", "stopped": "stopped early"}


def _number_sentence(n: dict[str, Any]) -> str:
    width = n["width over prior"]
    how = "the data say little about it" if width > UNLEARNT else "the data narrow it" if width > LEARNT else "the data determine it well"
    unit = "" if n["unit"] in ("", "1") else f" {n['unit']}"
    return f"{n['number']}: {n['median']:.3g}{unit} (90 % {n['5 %']:.3g} to {n['95 %']:.3g}); {how}, its interval is {100 * width:.0f} % as wide as the prior's."


def _named(plan: Plan, fitted_row: int) -> str:
    row = [r for r in plan.rows if r.fit][fitted_row]
    return f"{row.readout} of {row.arm} on day {row.day:g}"


def _known(value: float) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
