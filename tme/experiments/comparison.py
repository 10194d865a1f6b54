"""A run compared as a whole: the primary question first, then everything exploratory (`tme.load(folder).compare()`).

>>> print(tme.load("runs/four_arms-0123abcd").compare())      # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from tme import statistics
from tme.experiments.compare import StoppedEarly, by_simulation, control_of, rows_at
from tme.statistics import Answered, Curves, DoseTable, Estimate

BOTH = ("tumour_volume_mm3", "tumour_alive")  # growth by volume and by cells
EXPLORATORY = "exploratory: p adjusted for false discovery (Benjamini-Hochberg) within its table; not a test of the experiment's question"


@dataclass(frozen=True)
class Comparison:
    """What a run says, tables as data frames; `print` shows all of it, the primary question first.

    `question`: the answered question of a run without sweep; `points`: of each sweep point, by number. `primary`: their
    rows. The rest is exploratory: `readouts` (every readout against control), `growth` (TGI, area under the curve), `times`
    (until `fold` times the size on day 0), `response` (classes after volume), `synergy` (Bliss, HSA), and from a sweep over doses
    `doses` (EC50) and `excess` (Bliss, HSA, Loewe at every combination). Empty where the run has not what a table needs.
    """

    day: float
    control: str
    fold: float
    question: Answered | None
    points: dict[int, Answered]
    primary: pd.DataFrame
    readouts: pd.DataFrame
    growth: pd.DataFrame
    times: pd.DataFrame
    response: pd.DataFrame
    synergy: pd.DataFrame
    doses: pd.DataFrame
    excess: pd.DataFrame

    def _tables(self) -> dict[str, pd.DataFrame]:
        """Exploratory tables that have rows, by what they are."""
        named = {
            "readouts against control": self.readouts, "growth": self.growth, f"time to {self.fold:g} times the size on day 0": self.times,
            "response classes": self.response, "synergy": self.synergy, "dose-response": self.doses, "excess over the dose grid": self.excess,
        }  # fmt: skip
        return {title: table for title, table in named.items() if len(table)}

    def _below(self) -> str:
        return f"Read on day {self.day:g} against {self.control}."

    def __str__(self) -> str:
        """All tables as text."""
        out = [*question_lines(self.question, self.points), "", f"Everything below is {EXPLORATORY}.", self._below()]
        for title, table in self._tables().items():
            out += ["", f"{title}:", table.to_string(index=False, float_format=_short)]
        return "\n".join(out)

    def _repr_html_(self) -> str:
        """The same in a notebook, the exploratory tables folded."""
        question = "".join(f"<p>{escape(line)}</p>" for line in question_lines(self.question, self.points))
        tables = "".join(
            f"<details><summary>{escape(title)}</summary>{table.to_html(index=False, border=0, float_format=_short)}</details>" for title, table in self._tables().items()
        )
        return f"<div>{question}<p>Everything below is {escape(EXPLORATORY)}. {escape(self._below())}</p>{tables}</div>"


def _short(x: float) -> str:
    return f"{x:.4g}"


def question_lines(question: Answered | None, points: dict[int, Answered]) -> list[str]:
    """The answered question as text, for a run or for all points of a sweep."""
    if question is not None:
        return question.lines()
    if points:
        return [line for p, found in points.items() for line in (f"sweep-{p:03d}: {found.title()}", *found.lines()[1:])]
    return ["No primary question is stated (`primary:` in the config): every comparison of this run is exploratory."]


def compare(run: Any, day: float | None = None, fold: float = statistics.FOLD) -> Comparison:
    """The comparison of a run at the last day that all simulations recorded, or on `day` (the question has its own).

    `StoppedEarly` where no day after treatment start, or not the one asked for, was recorded by all simulations.
    """
    series, config = run.series(), run.config
    simulations = by_simulation(series) if len(series) else {}
    hours = [rows["hour"].to_numpy(float) for rows in simulations.values()]
    read = statistics.day_to_read(hours, day)
    if read is None or (day is not None and abs(read - day) > 1e-6):
        raise StoppedEarly(f"{'no day after treatment start' if day is None else f'day {day:g}'} was recorded by all simulations of {run.path}")
    control = control_of(config)
    question, points = asked(run, series, hours)
    empty = pd.DataFrame()
    rows = [{**({"sweep": p} if points else {}), **row} for p, a in (points or ({0: question} if question else {})).items() for row in a.rows()]
    tables = {"doses": empty, "excess": empty} | dict.fromkeys(("readouts", "growth", "times", "response", "synergy"), empty)
    if "sweep" in series:
        tables |= dose_tables(run, series, read)
    else:
        tables |= arm_tables(series, config, control, read, fold, question)
    return Comparison(read, control, fold, question, points, pd.DataFrame(rows), **tables)


def asked(run: Any, series: pd.DataFrame | None = None, hours: list[np.ndarray] | None = None) -> tuple[Answered | None, dict[int, Answered]]:
    """The answered question of a run, or by sweep point; (None, {}) where none is stated or nothing can be read yet."""
    config = run.config
    question = statistics.question_of(config)
    series = run.series() if series is None else series
    if question is None or not len(series) or question.readout not in series:
        return None, {}
    hours = [rows["hour"].to_numpy(float) for rows in by_simulation(series).values()] if hours is None else hours
    read = statistics.day_to_read(hours, question.day)
    if read is None:
        return None, {}
    late = statistics.asked_later(run.provenance, config.get("primary"))
    ends = rows_at(series, 24.0 * read)
    if "sweep" not in series:
        return statistics.marked(statistics.answer(question, values_of(ends, question.readout), read), late), {}
    configs = {number_of(p): p.config for p in run.points}
    values = {int(p): values_of(group, question.readout) for p, group in ends.groupby("sweep")}
    found = statistics.answer_points(question, values, read, configs, dose_table_of(run, ends, question.readout))
    return None, {p: statistics.marked(a, late) for p, a in found.items()}


def number_of(point: Any) -> int:
    """The number of a sweep point, from its folder."""
    return int(point.path.name.removeprefix("sweep-"))


def values_of(rows: pd.DataFrame, column: str) -> dict[str, dict[int, float]]:
    """arm -> replicate -> value."""
    return {str(a): dict(zip(g["replicate"].astype(int), g[column].astype(float))) for a, g in rows.groupby("arm", sort=False)}


def curves_of(series: pd.DataFrame, column: str, day: float) -> Curves:
    """A readout's curves up to a day."""
    return statistics.curves(*(series[k].to_numpy() for k in ("arm", "replicate", "hour", column))).until(day)


# ---- tables of arms -------------------------------------------------------------------------------------
def arm_tables(series: pd.DataFrame, config: dict, control: str, day: float, fold: float, question: Answered | None) -> dict[str, pd.DataFrame]:
    """All exploratory tables of a run without sweep."""
    here = {c: curves_of(series, c, day) for c in BOTH if c in series}
    volume = next(iter(here.values()), None)
    ends = rows_at(series, 24.0 * day)
    return {
        "readouts": readout_table(ends, control, question, day),
        "growth": growth_table(here, control),
        "times": times_table(volume, control, fold),
        "response": pd.DataFrame() if volume is None else pd.DataFrame([{"arm": a, **n} for a, n in statistics.responses(volume).items()]),
        "synergy": synergy_table(ends, config, control),
    }


def readout_table(ends: pd.DataFrame, control: str, question: Answered | None, day: float) -> pd.DataFrame:
    """Each readout and arm against control on a day; what the primary question asks is in no family and carries its p after Holm."""
    rows = []
    for column in (c for c in statistics.COLUMNS if c in ends):
        values = values_of(ends, column)
        for arm in (a for a in values if a != control):
            both = statistics.question.paired(values, (arm, control))
            a, c = statistics.pairs(both[arm], both[control])
            d = statistics.difference(a, c)
            p = statistics.in_question(question, column, arm, control, day)
            rows.append({
                "readout": column, "arm": arm, "n": d.n, "mean": a.mean() if a.size else np.nan, "control_mean": c.mean() if c.size else np.nan,
                "difference": d.value, "low": d.low, "high": d.high, "p": d.p, "p_bh": np.nan, "p_holm_primary": np.nan if p is None else p,
            })  # fmt: skip
    table = pd.DataFrame(rows)
    if len(table):
        secondary = ~_asked_cells(table, question, control, day)
        table.loc[secondary, "p_bh"] = statistics.false_discovery(list(table.loc[secondary, "p"]), list(table.loc[secondary, "n"]))
    return table


def _asked_cells(table: pd.DataFrame, question: Answered | None, control: str, day: float) -> np.ndarray:
    """Rows that the primary question asks of, also where it has no p."""
    return np.array([statistics.in_question(question, r.readout, r.arm, control, day) is not None for r in table.itertuples()], bool)


def spread(name: str, e: Estimate) -> dict[str, Any]:
    """An estimate as columns."""
    return {name: e.value, f"{name}_low": e.low, f"{name}_high": e.high}


def growth_table(here: dict[str, Curves], control: str) -> pd.DataFrame:
    """Growth inhibition and area under the curve, by volume and by cells."""
    rows = statistics.growth_rows(here, control)
    p = statistics.false_discovery([r["auc_ratio"].p for r in rows], [r["auc_ratio"].n for r in rows])
    return pd.DataFrame([
        {"readout": r["readout"], "arm": r["arm"], "n": r["tgi"].n, **spread("tgi", r["tgi"]), **spread("auc_ratio", r["auc_ratio"]), "auc_p_bh": q}
        for r, q in zip(rows, p)
    ])  # fmt: skip


def times_table(c: Curves | None, control: str, fold: float) -> pd.DataFrame:
    """Median day on which tumours reached the size, and the log-rank test against control."""
    found = [] if c is None else statistics.times_to_size(c, control, fold)
    return pd.DataFrame([{"arm": t.arm, "n": t.curve.n, "reached": t.reached, "median_day": t.curve.median, "p_logrank": t.p, "p_bh": t.p_bh} for t in found])


def synergy_table(ends: pd.DataFrame, config: dict, control: str) -> pd.DataFrame:
    """Excess over Bliss and over the better single agent, of every arm that uses two others."""
    values, rows = values_of(ends, "tumour_alive") if "tumour_alive" in ends else {}, []
    for arm, therapy in (config.get("arms") or {}).items():
        used = [str(u) for u in (therapy or {}).get("use") or () if str(u) != control]
        if len(used) != 2 or not {arm, *used, control} <= set(values):
            continue
        both = statistics.question.paired(values, (control, *used, arm))
        for name, of_pairs in (("bliss", statistics.bliss_of_pairs), ("hsa", statistics.hsa_of_pairs)):
            e = of_pairs(both[control], both[used[0]], both[used[1]], both[arm])
            rows.append({"combination": arm, "a": used[0], "b": used[1], "index": name, "n": e.n, "excess": e.value, "low": e.low, "high": e.high, "p": e.p})
    table = pd.DataFrame(rows)
    if len(table):
        table["p_bh"] = statistics.false_discovery(list(table["p"]), list(table["n"]))
    return table


# ---- tables of doses ----------------------------------------------------------------------------------------
def dose_table_of(run: Any, ends: pd.DataFrame, column: str) -> DoseTable | None:
    """Dose-response of a sweep, None where it is none."""
    configs = {number_of(p): p.config for p in run.points}
    if not set(ends["sweep"].astype(int)) <= set(configs):
        return None
    return statistics.doses_of_points(configs, ends["sweep"].astype(int), ends["arm"], ends["replicate"], ends[column])


def dose_tables(run: Any, series: pd.DataFrame, day: float) -> dict[str, pd.DataFrame]:
    """EC50 of each agent given alone at three doses or more, and the excess at every combination of two."""
    ends = rows_at(series, 24.0 * day)
    table = dose_table_of(run, ends, "tumour_alive") if "tumour_alive" in ends else None
    if table is None:
        return {}
    doses = []
    for agent in table.single():
        found = table.fit(agent)
        h, e_max = (found.curve.h, found.curve.e_max) if found.curve else (np.nan, np.nan)
        unit = table.units.get(agent, "")
        doses.append({"agent": agent, "unit": unit, "n": found.ec50.n, **spread("ec50", found.ec50), "slope": h, "e_max": e_max, "note": found.note})
    excess = []
    for a, b in table.pairs():
        for row in table.excesses(a, b):
            flat: dict[str, Any] = {"a": a, "b": b, **{k: row[k] for k in ("dose_a", "dose_b", "n", "share")}}
            for index in statistics.contrasts.INDICES:
                flat |= spread(index, row[index]) if row[index] is not None else dict.fromkeys((index, f"{index}_low", f"{index}_high"), np.nan)
            excess.append(flat)
    return {"doses": pd.DataFrame(doses), "excess": pd.DataFrame(excess)}
