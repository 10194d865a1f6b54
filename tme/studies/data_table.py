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
    header, lines = numbered_lines(path, NEEDED)
    faults = faults_of(path, lines[0][0], header, NEEDED, OPTIONAL)
    if faults:
        raise ConfigError(faults)
    table = Table(path, header, arms, readouts, days, check_days)
    rows = [row for n, cells in lines[1:] if (row := table.row(n, cells)) is not None]
    if not table.faults and not rows:
        table.wrong(lines[0][0], "", "has a header and no rows", "one measured value a line")
    if table.faults:
        raise ConfigError(table.faults)
    return averaged(rows, str(path))


def numbered_lines(path: Path, needed: Sequence[str]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header of a CSV table, and its lines that are no comments, the header's first, as fields with their number."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Fault(str(path), 0, "", f"cannot be read: {getattr(error, 'strerror', None) or error}", "a CSV table")]) from error
    found = [(n, next(csv.reader([line]))) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not found:
        raise ConfigError([Fault(str(path), 0, "", "is empty", f"a header with {', '.join(needed)}, and rows")])
    return [name.strip() for name in found[0][1]], found


def faults_of(path: Path, line: int, header: Sequence[str], needed: Sequence[str], optional: Sequence[str]) -> list[Fault]:
    """Columns that are unknown, missing or there twice."""
    every = (*needed, *optional)
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    unknown = [name for name in header if name not in every]
    out = [Fault(str(path), line, name, "there are two columns of this name", "each once") for name in twice]
    out += [Fault(str(path), line, name, "unknown column", listed(every), nearest(name, every)) for name in unknown]
    return out + [Fault(str(path), line, name, "missing column", f"the columns {', '.join(needed)}") for name in needed if name not in header]


class Table:
    """Reads lines of one table and collects their faults."""

    def __init__(self, path: Path, header: list[str], arms: Collection[str], readouts: Collection[str], days: tuple[float, float], check_days: Collection[float]) -> None:
        self.path, self.header, self.arms, self.readouts, self.days = path, header, arms, readouts, days
        self.check_days = {float(d) for d in check_days}
        self.faults: list[Fault] = []

    def row(self, line: int, cells: list[str]) -> Row | None:
        """One line as a row; None with a fault noted where it is wrong."""
        known, given = len(self.faults), self.named(line, cells)
        if given is None:
            return None
        day, relative = self._day(line, given, "day"), self._day(line, given, "relative_to_day")
        value, sd = self.number(line, given, "value"), self.number(line, given, "sd")
        for column in NEEDED:
            if not given[column]:
                self.wrong(line, column, "is empty", "a readout's name" if column == "readout" else "a number")
        if sd is not None and sd < 0:
            self.wrong(line, "sd", f"is {sd:g}", "0 or more")
        if relative is not None and relative == day:
            self.wrong(line, "relative_to_day", "is the day of the value itself", "another day")
        arm = self.arm(line, given)
        if given["readout"]:
            self.name(line, "readout", given["readout"], self.readouts)
        use = given.get("use") or ("check" if day in self.check_days else "fit")
        self.name(line, "use", use, USES)
        if len(self.faults) > known or day is None or value is None:
            return None
        return Row(arm, given["readout"], day, value, sd, relative, use == "fit", line=line)

    def named(self, line: int, cells: list[str]) -> dict[str, str] | None:
        """The fields of a line by their column; None with a fault noted where there are more or fewer."""
        if len(cells) != len(self.header):
            self.wrong(line, "", f"has {len(cells)} fields", f"{len(self.header)}, as the header")
            return None
        return dict(zip(self.header, (c.strip() for c in cells)))

    def arm(self, line: int, given: dict[str, str]) -> str:
        """The arm of a line, where none is given control or the first."""
        arm = given.get("arm") or ("control" if "control" in self.arms else next(iter(self.arms)))
        self.name(line, "arm", arm, self.arms)
        return arm

    def wrong(self, line: int, column: str, problem: str, expected: str, meant: str = "") -> None:
        """Note a fault."""
        self.faults.append(Fault(str(self.path), line, column, problem, expected, meant))

    def name(self, line: int, column: str, name: str, known: Collection[str]) -> None:
        """Note a fault where a name is not known."""
        if name not in known:
            self.wrong(line, column, f"unknown {column} '{name}'", listed(known), nearest(name, known))

    def number(self, line: int, given: dict[str, str], column: str) -> float | None:
        """A number, None where there is none; what is no finite number is a fault."""
        text = given.get(column, "")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.wrong(line, column, f"is '{text}'", "a finite number")
            return None
        return value

    def _day(self, line: int, given: dict[str, str], column: str) -> float | None:
        day = self.number(line, given, column)
        if day is not None and not self.days[0] <= day <= self.days[1]:
            where = "beyond the horizon" if day > self.days[1] else "before the start"
            self.wrong(line, column, f"day {day:g} lies {where}", f"days from {self.days[0]:g} to {self.days[1]:g} (start_day to horizon_day)")
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
