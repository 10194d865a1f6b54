"""The user's data: one measured value a line, as CSV with the columns day, readout, value, [sd], [arm], [replicate], [relative_to_day], [use].

`sd` is the uncertainty of the value as it stands (of a mean its standard error). Lines that differ in `replicate` alone are animals
or fields of one group: they become their mean with its standard error. `relative_to_day` says that the value is a multiple
of the readout on that day, as growth curves of tumours larger than simulated ones must be. `use` is `fit` (the default) or `check`:
kept out of the fit and compared with the prediction. A line that begins with # is a comment.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tme.config import ConfigError, Fault
from tme.config.errors import listed, nearest

NEEDED = ("day", "readout", "value")
OPTIONAL = ("sd", "arm", "replicate", "relative_to_day", "use")
USES = ("fit", "check")
FLOOR = 1e-3  # of the smallest value measured: what a simulated 0 counts as on the logarithm


@dataclass(frozen=True)
class Row:
    """One datum: arm, readout, day, value and its sd (None: not stated), day it is relative to, whether it is fitted; `log`: compared as logarithm."""

    arm: str
    readout: str
    day: float
    value: float
    sd: float | None = None
    relative_to_day: float | None = None
    fit: bool = True
    log: bool = False
    n: int = 1
    line: int = field(default=0, compare=False)

    @property
    def floor(self) -> float:
        """The least simulated value that has a logarithm here."""
        return FLOOR * self.value

    def scaled(self, value: float) -> float:
        """A value as it is compared."""
        return math.log(max(value, self.floor)) if self.log and not math.isnan(value) else value

    def unscaled(self, value: float) -> float:
        """The inverse of `scaled`."""
        return math.exp(value) if self.log else value

    def noise(self, relative: float) -> float:
        """Sd on the scale it is compared on; where none is stated, that share of the value."""
        sd = relative * abs(self.value) if self.sd is None else self.sd
        return sd / self.value if self.log else sd


def read(path: str | Path, arms: Collection[str], readouts: Collection[str], days: tuple[float, float], check_days: Collection[float] = ()) -> list[Row]:
    """The rows of a table, replicates averaged. ConfigError tells all faults with their lines.

    `arms`, `readouts`: names that simulations have; `days`: first and last day of the experiment; `check_days`: kept out of the fit.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Fault(str(path), 0, "", f"cannot be read: {getattr(error, 'strerror', None) or error}", "a CSV table")]) from error
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise ConfigError([Fault(str(path), 0, "", "is empty", f"a header with {', '.join(NEEDED)}, and rows")])
    header = [name.strip() for name in next(csv.reader([numbered[0][1]]))]
    faults = faults_of_header(path, numbered[0][0], header)
    if faults:
        raise ConfigError(faults)
    table = _Table(path, header, arms, readouts, days, check_days)
    rows = [row for n, line in numbered[1:] if (row := table.row(n, next(csv.reader([line])))) is not None]
    if not table.faults and not rows:
        table.faults.append(Fault(str(path), numbered[0][0], "", "has a header and no rows", "one measured value a line"))
    if table.faults:
        raise ConfigError(table.faults)
    return averaged(rows, str(path))


def faults_of_header(path: Path, line: int, header: Sequence[str]) -> list[Fault]:
    """Columns that are unknown, missing or there twice."""
    every = (*NEEDED, *OPTIONAL)
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    unknown = [name for name in header if name not in every]
    out = [Fault(str(path), line, name, "there are two columns of this name", "each once") for name in twice]
    out += [Fault(str(path), line, name, "unknown column", listed(every), nearest(name, every)) for name in unknown]
    return out + [Fault(str(path), line, name, "missing column", f"the columns {', '.join(NEEDED)}") for name in NEEDED if name not in header]


class _Table:
    """Reads lines of one table and collects their faults."""

    def __init__(self, path: Path, header: list[str], arms: Collection[str], readouts: Collection[str], days: tuple[float, float], check_days: Collection[float]) -> None:
        self.path, self.header, self.arms, self.readouts, self.days = path, header, arms, readouts, days
        self.check_days = {float(d) for d in check_days}
        self.faults: list[Fault] = []

    def row(self, line: int, cells: list[str]) -> Row | None:
        """One line as a row; None with a fault noted where it is wrong."""
        known = len(self.faults)
        if len(cells) != len(self.header):
            self._wrong(line, "", f"has {len(cells)} fields", f"{len(self.header)}, as the header")
            return None
        given = dict(zip(self.header, (c.strip() for c in cells)))
        day, relative = self._day(line, given, "day"), self._day(line, given, "relative_to_day")
        value, sd = self._number(line, given, "value"), self._number(line, given, "sd")
        for column in NEEDED:
            if not given[column]:
                self._wrong(line, column, "is empty", "a readout's name" if column == "readout" else "a number")
        if sd is not None and sd < 0:
            self._wrong(line, "sd", f"is {sd:g}", "0 or more")
        if relative is not None and relative == day:
            self._wrong(line, "relative_to_day", "is the day of the value itself", "another day")
        arm = given.get("arm") or ("control" if "control" in self.arms else next(iter(self.arms)))
        self._name(line, "arm", arm, self.arms)
        if given["readout"]:
            self._name(line, "readout", given["readout"], self.readouts)
        use = given.get("use") or ("check" if day in self.check_days else "fit")
        self._name(line, "use", use, USES)
        if len(self.faults) > known or day is None or value is None:
            return None
        return Row(arm, given["readout"], day, value, sd, relative, use == "fit", line=line)

    def _wrong(self, line: int, column: str, problem: str, expected: str, meant: str = "") -> None:
        self.faults.append(Fault(str(self.path), line, column, problem, expected, meant))

    def _name(self, line: int, column: str, name: str, known: Collection[str]) -> None:
        if name not in known:
            self._wrong(line, column, f"unknown {column} '{name}'", listed(known), nearest(name, known))

    def _number(self, line: int, given: dict[str, str], column: str) -> float | None:
        text = given.get(column, "")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self._wrong(line, column, f"is '{text}'", "a finite number")
            return None
        return value

    def _day(self, line: int, given: dict[str, str], column: str) -> float | None:
        day = self._number(line, given, column)
        if day is not None and not self.days[0] <= day <= self.days[1]:
            where = "beyond the horizon" if day > self.days[1] else "before the start"
            self._wrong(line, column, f"day {day:g} lies {where}", f"days from {self.days[0]:g} to {self.days[1]:g} (start_day to horizon_day)")
        return day


def averaged(rows: Sequence[Row], file: str = "") -> list[Row]:
    """Replicates as one row with the standard error of their mean; readouts whose values are all above 0 compared as logarithms."""
    positive = {r.readout: all(o.value > 0 for o in rows if o.readout == r.readout) for r in rows}
    groups: dict[tuple, list[Row]] = {}
    for r in rows:
        groups.setdefault((r.arm, r.readout, r.day, r.relative_to_day), []).append(r)
    out, faults = [], []
    for members in groups.values():
        first, log = members[0], positive[members[0].readout]
        if len({m.fit for m in members}) > 1:
            faults.append(Fault(file, members[-1].line, "use", "replicates of one value are fitted and checked at once", "the same use for all of them"))
        values = np.array([math.log(m.value) if log else m.value for m in members])
        mean = float(values.mean())
        value, sd = math.exp(mean) if log else mean, first.sd
        if len(members) > 1:
            error = float(values.std(ddof=1) / math.sqrt(len(values)))
            sd = error * value if log else error
        out.append(Row(first.arm, first.readout, first.day, value if len(members) > 1 else first.value, sd, first.relative_to_day, first.fit, log, len(members), first.line))
    if faults:
        raise ConfigError(faults)
    return out
