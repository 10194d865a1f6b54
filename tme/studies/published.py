"""Courses of published targets as data of a calibration: `study.targets` names them by id, published.yaml holds them.

A course is a readout over days. Its values are multiples of the one on `relative_to_day`, which is itself no datum. Days that
an experiment does not reach are left out, and that is told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tme.config import ConfigError, Fault
from tme.config.errors import listed
from tme.studies.data_table import Row, averaged
from tme.studies.ranges import fault_at


@cache
def courses() -> dict[str, dict[str, Any]]:
    """Target id -> about, source, arm and courses, as published.yaml has them."""
    return YAML(typ="safe", pure=True).load(Path(__file__).with_name("published.yaml").read_text(encoding="utf-8"))


def rows_of(config: Any) -> tuple[list[Row], list[str], list[str]]:
    """Data of the targets that `study.targets` names, what each is with its source, and what of them is not used; ConfigError tells all faults."""
    asked: dict[str, str | None] = config.study.targets
    rows: list[Row] = []
    sources: list[str] = []
    left_out: list[str] = []
    faults: list[Fault] = []
    for k, (target, given) in enumerate(asked.items()):
        named = f"study.targets.{target}"
        place = fault_at(config, named if named in config.origin else f"study.targets.{k}", "")
        if target not in courses():
            expected = f"{listed(courses())}: calibration rows with values by day; no number is tuned on a check row"
            faults.append(replace(place, problem=f"there is no published course of {target}", expected=expected))
            continue
        arm = given or courses()[target]["arm"]
        if arm not in config.arms:
            expected = f"{listed(config.arms)}, said as targets: {{{target}: ARM}}"
            faults.append(replace(place, problem=f"{target} is of an arm '{arm}', and the experiment has none", expected=expected))
            continue
        found, beyond = data_of(target, arm, (config.start_day, config.horizon_day), config.study.check_days or ())
        if not found:
            faults.append(replace(place, problem=f"no day of {target} can be used", expected=f"an experiment that reaches them ({'; '.join(beyond)})"))
        rows, left_out = rows + found, left_out + beyond
        sources.append(f"{target}: {courses()[target]['about']} ({courses()[target]['source']}), arm {arm}")
    if faults:
        raise ConfigError(faults)
    return averaged(rows), sources, left_out


def data_of(target: str, arm: str, ends: tuple[float, float], check_days: Collection[float] = ()) -> tuple[list[Row], list[str]]:
    """The data of one target from the first to the last day of an experiment, and what lies beyond them in words."""
    rows, left_out = [], []
    for course in courses()[target]["courses"]:
        values, base, readout = course["values"], course["relative_to_day"], course["readout"]
        kept_out = {float(d) for d in (*course["check_days"], *check_days)}
        days = [d for d in values if d != base]
        within = [d for d in days if ends[0] <= d <= ends[1]] if ends[0] <= base <= ends[1] else []
        if within != days:
            beyond = ", ".join(f"{d}" for d in days if d not in within)
            why = f"the experiment goes from day {ends[0]:g} to day {ends[1]:g}" if ends[0] <= base <= ends[1] else f"they are multiples of day {base}, which the experiment does not have"
            left_out.append(f"{target}, {readout} on day{'s' if ',' in beyond else ''} {beyond}: {why}")
        rows += [Row(arm, readout, float(d), values[d] / values[base], None, float(base), float(d) not in kept_out) for d in within]
    return rows, left_out
