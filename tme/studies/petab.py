"""PEtab problems (format version 1) in and out: tables of measurements, observables, conditions and parameters, joined by one YAML file.

What a problem must be here: each condition is an arm of the experiment, each observable formula one readout, time is in days, and a
parameter is called by its dotted key, in `parameterName` or in `parameterId` with two underscores for each dot (identifiers hold
no dots). What cannot be represented is not used and listed, never guessed. Two columns beyond the standard carry what it lacks:
`relativeToDay` and `use` (as in a data table). Format: Schmiester et al. 2021, PLoS Comput Biol, doi 10.1371/journal.pcbi.1008646.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML, YAMLError

from tme.config import ConfigError, Fault
from tme.config.errors import listed, nearest
from tme.experiments import files
from tme.studies.data_table import USES, Row
from tme.studies.directory import as_yaml
from tme.studies.ranges import Range

KINDS = ("condition", "observable", "measurement")
NEEDED = {
    "parameter": ("parameterId", "parameterScale", "lowerBound", "upperBound", "estimate"),
    "condition": ("conditionId",),
    "observable": ("observableId", "observableFormula", "noiseFormula"),
    "measurement": ("observableId", "simulationConditionId", "measurement", "time"),
}
UNIFORM = ("", "uniform", "parameterScaleUniform")  # priors that are even between the bounds


@dataclass(frozen=True)
class Line:
    """One line of a table: its cells by column, and where it stands."""

    file: str
    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def wrong(self, column: str, problem: str, expected: str, meant: str = "") -> Fault:
        """A fault of one cell."""
        return Fault(self.file, self.number, column, problem, expected, meant)


@dataclass
class Problem:
    """A problem as far as it can be represented: data rows, ranges of numbers, numbers held fixed; and what was left out, in words."""

    rows: list[Row] = field(default_factory=list)
    parameters: list[Range] = field(default_factory=list)
    fixed: dict[str, float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    places: dict[str, Line] = field(default_factory=dict)  # where each parameter stands


def read(path: Path, arms: Collection[str], readouts: Collection[str], days: tuple[float, float], check_days: Collection[float] = ()) -> Problem:
    """Read a problem; ConfigError with file and line for what is wrong, `left_out` for what is sound but not representable."""
    tables = tables_of(path)
    problem = Problem()
    faults: list[Fault] = []
    observables = {o["observableId"]: o for o in tables["observable"]}
    conditions = {c["conditionId"]: c for c in tables["condition"]}
    for line in tables["parameter"]:
        _parameter(line, problem, faults)
    found = [_measurement(m, observables, conditions, arms, readouts, days, check_days, problem, faults) for m in tables["measurement"]]
    problem.rows = merged([r for r in found if r is not None])
    if not faults and not problem.rows:
        faults.append(Fault(str(path), 0, "", "nothing of its data can be represented: " + "; ".join(problem.left_out[:3]), "measurements of readouts in arms"))
    if faults:
        raise ConfigError(faults)
    problem.left_out = list(dict.fromkeys(problem.left_out))
    return problem


def tables_of(path: Path) -> dict[str, list[Line]]:
    """The lines of the four tables that a problem's YAML file names."""
    try:
        about = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ConfigError([Fault(str(path), 0, "", f"cannot be read as YAML: {str(error).splitlines()[0]}", "a PEtab problem")]) from error
    if not isinstance(about, dict) or str(about.get("format_version", "")).split(".")[0] != "1":
        raise ConfigError([Fault(str(path), 1, "format_version", "is not 1", "a PEtab problem of format version 1")])
    problems = about.get("problems")
    if not isinstance(problems, list) or not problems or not isinstance(problems[0], dict):
        raise ConfigError([Fault(str(path), 1, "problems", "missing", "a list with measurement_files, observable_files and condition_files")])
    named: dict[str, list[str]] = {"parameter": _files(about.get("parameter_file"))}
    named |= {kind: [f for p in problems for f in _files(p.get(f"{kind}_files"))] for kind in KINDS}
    faults = [Fault(str(path), 1, f"{kind}_file" + ("s" if kind in KINDS else ""), "missing", "the name of a table") for kind, given in named.items() if not given]
    if faults:
        raise ConfigError(faults)
    out = {kind: [line for name in given for line in _lines(path.parent / name, kind, faults)] for kind, given in named.items()}
    if faults:
        raise ConfigError(faults)
    return out


def _files(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else [str(g) for g in given or ()]


def _lines(path: Path, kind: str, faults: list[Fault]) -> list[Line]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(str(path), 0, "", f"cannot be read: {getattr(error, 'strerror', None) or error}", f"the {kind} table"))
        return []
    header = next(csv.reader(lines[:1], delimiter="\t"), [])
    missing = [c for c in NEEDED[kind] if c not in header]
    faults += [Fault(str(path), 1, c, "missing column", f"a {kind} table with {', '.join(NEEDED[kind])}", nearest(c, header)) for c in missing]
    if missing:
        return []
    cells = (next(csv.reader([text], delimiter="\t")) for text in lines[1:] if text.strip())
    numbers = [n for n, text in enumerate(lines[1:], 2) if text.strip()]
    return [Line(str(path), n, {k: v.strip() for k, v in zip(header, row)}) for n, row in zip(numbers, cells)]


def _number(line: Line, column: str, faults: list[Fault]) -> float:
    try:
        value = float(line[column])
    except ValueError:
        value = math.nan
    if math.isnan(value):
        faults.append(line.wrong(column, f"is '{line[column]}'", "a number"))
    return value


def _parameter(line: Line, problem: Problem, faults: list[Fault]) -> None:
    """Take up one parameter: calibrated, or held at its nominal value."""
    name = line["parameterName"] if "." in line["parameterName"] else line["parameterId"].replace("__", ".")
    if "." not in name:
        problem.left_out.append(f"parameter {line['parameterId']}: is no dotted key of an experiment")
        return
    problem.places[name] = line
    if line["estimate"] in ("0", "0.0"):
        problem.fixed[name] = _number(line, "nominalValue", faults)
        return
    low, high = _number(line, "lowerBound", faults), _number(line, "upperBound", faults)
    if not low < high:
        faults.append(line.wrong("lowerBound", f"{name}: the range [{low:g}, {high:g}] is empty or turned round", "lowerBound below upperBound"))
        return
    scale = line["parameterScale"]
    if scale not in ("lin", "log", "log10") or (scale != "lin" and low <= 0):
        faults.append(line.wrong("parameterScale", f"is '{scale}'", "lin, or log or log10 with bounds above 0"))
        return
    prior = line["objectivePriorType"]
    if prior not in UNIFORM or (prior == "uniform" and scale != "lin"):
        problem.left_out.append(f"parameter {name}: its prior {prior} is taken as even on the {scale} scale between its bounds")
    problem.parameters.append(Range(name, low, high, math.nan, "even" if scale == "lin" else "log", name))


def _measurement(m: Line, observables: dict[str, Line], conditions: dict[str, Line], arms: Collection[str], readouts: Collection[str],
                 days: tuple[float, float], check_days: Collection[float], problem: Problem, faults: list[Fault]) -> Row | None:  # fmt: skip
    """One measurement as a row; None where it is wrong or cannot be represented."""
    observable, condition = observables.get(m["observableId"]), conditions.get(m["simulationConditionId"])
    if observable is None:
        faults.append(m.wrong("observableId", f"unknown observable '{m['observableId']}'", listed(observables), nearest(m["observableId"], observables)))
    if condition is None:
        faults.append(m.wrong("simulationConditionId", f"unknown condition '{m['simulationConditionId']}'", listed(conditions), nearest(m["simulationConditionId"], conditions)))
    if observable is None or condition is None:
        return None
    arm, readout = condition["conditionId"], observable["observableFormula"]
    if arm not in arms:
        faults.append(condition.wrong("conditionId", f"'{arm}' is no arm of the experiment", listed(arms), nearest(arm, arms)))
        return None
    why = unrepresentable(m, observable, condition, readouts)
    if why:
        problem.left_out.append(why)
        return None
    day, value = _number(m, "time", faults), _number(m, "measurement", faults)
    if not days[0] <= day <= days[1]:
        where = "beyond the horizon" if day > days[1] else "before the start"
        faults.append(m.wrong("time", f"day {day:g} lies {where}", f"days from {days[0]:g} to {days[1]:g}"))
        return None
    scale = observable["observableTransformation"] or "lin"
    if scale != "lin" and value <= 0:
        faults.append(m.wrong("measurement", f"is {value:g}, and its observable is compared on the {scale} scale", "a number above 0"))
        return None
    sd = noise_of(m, observable)
    if sd is None:
        problem.left_out.append(f"observable {m['observableId']}: its noise '{observable['noiseFormula']}' is no number; study.noise stands for it")
    else:
        sd *= {"lin": 1.0, "log": value, "log10": value * math.log(10.0)}[scale]
    relative = float(m["relativeToDay"]) if m["relativeToDay"] else None
    use = m["use"] if m["use"] in USES else "check" if day in {float(d) for d in check_days} else "fit"
    return Row(arm, readout, day, value, sd, relative, use == "fit", scale != "lin", line=m.number)


def unrepresentable(m: Line, observable: Line, condition: Line, readouts: Collection[str]) -> str:
    """Why a measurement cannot be used; empty where it can."""
    changes = [c for c in condition.cells if c not in ("conditionId", "conditionName") and condition[c]]
    if changes:
        return f"condition {condition['conditionId']}: changes {', '.join(changes)}; an arm of the experiment says what differs"
    if observable["observableFormula"] not in readouts:
        return f"observable {m['observableId']}: its formula '{observable['observableFormula']}' is no readout"
    if observable["observableTransformation"] not in ("", "lin", "log", "log10"):
        return f"observable {m['observableId']}: its scale {observable['observableTransformation']} is unknown"
    if observable["noiseDistribution"] not in ("", "normal"):
        return f"observable {m['observableId']}: its noise is {observable['noiseDistribution']}, not normal"
    if m["preequilibrationConditionId"]:
        return f"measurements after pre-equilibration in {m['preequilibrationConditionId']}: the experiment says how a tumour starts"
    return "measurements at time inf: no simulation is that long" if m["time"].lower() in ("inf", "+inf", "infinity") else ""


def noise_of(m: Line, observable: Line) -> float | None:
    """Sd on the observable's scale: a number in its formula, or the measurement's first noise parameter; None for anything else."""
    formula = observable["noiseFormula"]
    text = m["noiseParameters"].split(";")[0] if formula == f"noiseParameter1_{m['observableId']}" else formula
    try:
        sd = float(text)
    except ValueError:
        return None
    return sd if sd >= 0 and math.isfinite(sd) else None


def merged(rows: Sequence[Row]) -> list[Row]:
    """Measurements of one value as their mean, each with its own noise (or, where none is stated, with the standard error among them)."""
    groups: dict[tuple, list[Row]] = {}
    for r in rows:
        groups.setdefault((r.arm, r.readout, r.day, r.relative_to_day, r.log, r.fit), []).append(r)
    out = []
    for members in groups.values():
        if len(members) == 1:
            out.append(members[0])
            continue
        scaled = np.array([m.scaled(m.value) for m in members])
        value, noises = members[0].unscaled(float(scaled.mean())), [m.sd / m.value if m.log else m.sd for m in members if m.sd is not None]
        error = math.sqrt(sum(s * s for s in noises)) / len(members) if len(noises) == len(members) else float(scaled.std(ddof=1)) / math.sqrt(len(members))
        out.append(replace(members[0], value=value, sd=error * value if members[0].log else error, n=len(members)))
    return out


def write(folder: Path, name: str, rows: Sequence[Row], ranges: Sequence[Range], noise: float, nominal: Sequence[float]) -> None:
    """Write the problem: five files and left_out.txt. `noise`: sd of rows that state none, as a share; `nominal`: a value for each range."""
    files.make_folder(Path(folder))
    observables = {(r.readout, r.log): identifier(f"{r.readout}_log" if r.log else r.readout) for r in rows}
    _table(folder, "parameters", [
        {"parameterId": identifier(r.key), "parameterName": r.key, "parameterScale": "log10" if r.scale == "log" else "lin", "lowerBound": r.low, "upperBound": r.high,
         "nominalValue": float(v), "estimate": 1, "objectivePriorType": "parameterScaleUniform"} for r, v in zip(ranges, nominal)])  # fmt: skip
    _table(folder, "conditions", [{"conditionId": arm} for arm in dict.fromkeys(r.arm for r in rows)])
    _table(folder, "observables", [
        {"observableId": key, "observableFormula": readout, "observableTransformation": "log" if log else "lin", "noiseFormula": f"noiseParameter1_{key}", "noiseDistribution": "normal"}
        for (readout, log), key in observables.items()])  # fmt: skip
    _table(folder, "measurements", [
        {"observableId": observables[r.readout, r.log], "simulationConditionId": r.arm, "measurement": r.value, "time": r.day, "noiseParameters": r.noise(noise),
         "relativeToDay": r.relative_to_day, "use": "fit" if r.fit else "check"} for r in rows])  # fmt: skip
    one = {"sbml_files": [], **{f"{kind}_files": [f"{kind}s.tsv"] for kind in KINDS}}
    files.write_text(folder / f"{name}.yaml", as_yaml({"format_version": 1, "parameter_file": "parameters.tsv", "problems": [one]}))
    files.write_text(folder / "left_out.txt", "\n".join(left_out(rows)) + "\n")


def left_out(rows: Sequence[Row]) -> list[str]:
    """What PEtab has no place for, in words."""
    out = ["the model: it is no SBML; conditions are arms of the experiment, observables its readouts, time is in days"]
    if any(r.relative_to_day is not None for r in rows):
        out.append("values relative to a day: the standard has no such observable; the column relativeToDay says which day")
    if any(not r.fit for r in rows):
        out.append("which values are kept out of the fit: the column use says it")
    return out


def identifier(name: str) -> str:
    """A dotted key as an identifier."""
    return re.sub(r"\W", "_", name.replace(".", "__"))


def _table(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    columns = files.columns_of(rows)
    lines = ["\t".join(columns)] + ["\t".join(files.number(row.get(c)) for c in columns) for row in rows]
    files.write_text(folder / f"{name}.tsv", "\n".join(lines) + "\n")
