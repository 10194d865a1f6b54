"""What a study needs before anything is written: readouts that exist, days within the experiment, no sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tme.config import ConfigError, Fault
from tme.config.errors import listed, nearest
from tme.statistics.question import READOUT
from tme.studies.design import Ask
from tme.studies.evaluate import readouts_of
from tme.studies.ranges import fault_at


class Missing(Exception):
    """A library that this study needs is not installed."""

    exit_code = 2


def need(*modules: str) -> None:
    """Refuse, in one line, to begin without the libraries of the extra `study`."""
    from importlib.util import find_spec

    for module in modules:
        if find_spec(module) is None:
            raise Missing(f"this study needs {module}, which is not installed: pip install 'tme[study]'")


def ask_of(config: Any, kind: str, readouts: Sequence[str] = (), days: Sequence[float] = ()) -> Ask:
    """What is kept of each simulation: what `study` says and what the command needs; where neither says anything, living
    tumour cells at the end. ConfigError where that cannot be."""
    study, faults = config.study, []
    if study is not None and study.kind not in (None, kind):
        faults.append(fault_at(config, "study.kind", f"is {study.kind}, and this is tme {kind}", f"tme {study.kind}, or kind: {kind}"))
    if config.sweep:
        faults.append(fault_at(config, "sweep", "a study takes its points from its own design", "no sweep; numbers to vary under study.ranges"))
    names = dict.fromkeys([*((study.readouts if study is not None else ()) or (() if readouts else (READOUT,))), *readouts])
    asked = dict.fromkeys(float(d) for d in [*((study.days if study is not None else None) or (() if days else (config.horizon_day,))), *days])
    faults += [*faults_of_readouts(config, tuple(names)), *faults_of_days(config, tuple(asked))]
    if faults:
        raise ConfigError(faults)
    return Ask(tuple(names), tuple(sorted(float(d) for d in asked)))


def faults_of_readouts(config: Any, names: Sequence[str]) -> list[Fault]:
    """Readouts that no simulation of this config has."""
    known = readouts_of(config, tuple(config.arms))
    return [fault_at(config, "study.readouts", f"unknown readout '{n}'", listed(known), nearest(n, known)) for n in names if n not in known]


def faults_of_days(config: Any, days: Sequence[float]) -> list[Fault]:
    """Days that lie outside the experiment."""
    ends = f"{config.start_day:g} to {config.horizon_day:g}"
    return [
        fault_at(config, "study.days", f"day {day:g} lies {'beyond the horizon' if day > config.horizon_day else 'before the start'}", f"days from {ends} (start_day to horizon_day)")
        for day in days
        if not config.start_day <= day <= config.horizon_day
    ]
