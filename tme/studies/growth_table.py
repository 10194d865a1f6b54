"""Measured growth to lay over simulated growth: the columns of `data_table`, and what growth curves are usually noted with.

Needed are `day` and `value`. What the value is says `unit` (cells, mm2, mm3, or relative: a multiple of the size on
`relative_to_day`, else day 0) or `readout`, the column of series.csv that `tme calibrate` takes too. How sure it is say `sd` or
`error` (either way of the value), or `low` and `high`. `arm`, `replicate` and `relative_to_day` are those of `data_table`; `use` is of no consequence here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tme.config import ConfigError
from tme.config.errors import listed, nearest
from tme.studies.data_table import USES, Row, Table, averaged, faults_of, numbered_lines

NEEDED = ("day", "value")
OPTIONAL = ("unit", "readout", "arm", "sd", "error", "low", "high", "replicate", "relative_to_day", "use")
UNITS = {"cells": "tumour_alive", "mm2": "tumour_area_mm2", "mm3": "tumour_volume_mm3", "relative": ""}
SIZES = ("tumour_volume_mm3", "tumour_area_mm2", "tumour_alive")  # what a growth curve is of; the first that a run has is meant by `relative`


@dataclass(frozen=True)
class Measured:
    """One measured point: its value with what lies around it, and how many animals are behind it."""

    arm: str
    readout: str
    day: float
    value: float
    low: float
    high: float
    relative_to_day: float | None = None
    n: int = 1


def read(path: str | Path, arms: Collection[str], readouts: Collection[str]) -> list[Measured]:
    """The points of a table, replicates averaged. ConfigError tells all faults with their lines.

    `arms`, `readouts`: names that the run has; points of other sizes than these readouts are refused.
    """
    path = Path(path)
    header, lines = numbered_lines(path, NEEDED)
    faults = faults_of(path, lines[0][0], header, NEEDED, OPTIONAL)
    if faults:
        raise ConfigError(faults)
    table = _Growth(path, header, arms, [r for r in SIZES if r in readouts])
    found = [one for line, cells in lines[1:] if (one := table.point(line, cells)) is not None]
    if not table.faults and not found:
        table.wrong(lines[0][0], "", "has a header and no rows", "one measured value a line")
    if table.faults:
        raise ConfigError(table.faults)
    return _averaged(found, path)


class _Growth(Table):
    """Reads lines of one table and collects their faults."""

    def __init__(self, path: Path, header: list[str], arms: Collection[str], readouts: Collection[str]) -> None:
        super().__init__(path, header, arms, readouts, (float("-inf"), float("inf")), ())

    def point(self, line: int, cells: list[str]) -> tuple[Row, Measured] | None:
        """One line; None with a fault noted where it is wrong."""
        known, given = len(self.faults), self.named(line, cells)
        if given is None:
            return None
        for column in NEEDED:
            if not given[column]:
                self.wrong(line, column, "is empty", "a number")
        day, value = self.number(line, given, "day"), self.number(line, given, "value")
        relative = self.number(line, given, "relative_to_day")
        readout, relative = self._readout(line, given, relative)
        if relative is not None and relative == day and value is not None and value != 1:
            self.wrong(line, "value", f"is {value:g} on the day that it is relative to", "1 there")
        arm = self.arm(line, given)
        if given.get("use"):
            self.name(line, "use", given["use"], USES)
        low, high = self._around(line, given, value)
        if len(self.faults) > known or day is None or value is None:
            return None
        sd = (high - low) / 2 if high > low else None
        return Row(arm, readout, day, value, sd, relative, line=line), Measured(arm, readout, day, value, low, high, relative)

    def _readout(self, line: int, given: dict[str, str], relative: float | None) -> tuple[str, float | None]:
        """The series column that the value is of, and the day that it is relative to."""
        unit, readout = given.get("unit", ""), given.get("readout", "")
        if not unit and not readout:
            self.wrong(line, "unit", "is not given, and there is no readout", listed(UNITS))
            return "", relative
        if unit and unit not in UNITS:
            self.wrong(line, "unit", f"unknown unit '{unit}'", listed(UNITS), nearest(unit, UNITS))
            return "", relative
        if unit == "relative" and relative is None:
            relative = 0.0
        meant = UNITS.get(unit, "")
        if readout and meant and readout != meant:
            self.wrong(line, "readout", f"is {readout}, and the unit is {unit}", f"{meant}, or no unit")
        readout = readout or meant or (next(iter(self.readouts)) if self.readouts else "")
        self.name(line, "readout", readout, self.readouts)
        return readout, relative

    def _around(self, line: int, given: dict[str, str], value: float | None) -> tuple[float, float]:
        """Lower and upper end of what is stated around a value; the value itself where nothing is."""
        sd, error, low, high = (self.number(line, given, c) for c in ("sd", "error", "low", "high"))
        if sd is not None and error is not None:
            self.wrong(line, "error", "is given beside sd", "one of them")
        for column, number in (("sd", sd), ("error", error)):
            if number is not None and number < 0:
                self.wrong(line, column, f"is {number:g}", "0 or more")
        if (low is None) != (high is None):
            self.wrong(line, "low" if low is None else "high", "is empty", "low and high together")
        either = sd if sd is not None else error
        if low is not None and either is not None:
            self.wrong(line, "low", "is given beside sd or error", "one way of saying how sure the value is")
        if value is None:
            return 0.0, 0.0
        if low is not None and high is not None:
            if not low <= value <= high:
                self.wrong(line, "value", f"is {value:g}, which lies outside low to high ({low:g} to {high:g})", "low ≤ value ≤ high")
            return low, high
        return value - (either or 0.0), value + (either or 0.0)


def _averaged(found: list[tuple[Row, Measured]], path: Path) -> list[Measured]:
    """Points of one arm, readout and day as their mean with its standard error, as `data_table.averaged` says."""
    single = {(r.arm, r.readout, r.day, r.relative_to_day): m for r, m in found}
    out = []
    for row in averaged([r for r, _ in found], str(path)):
        if row.n == 1:
            out.append(single[row.arm, row.readout, row.day, row.relative_to_day])
        else:
            sd = row.sd or 0.0
            out.append(Measured(row.arm, row.readout, row.day, row.value, row.value - sd, row.value + sd, row.relative_to_day, row.n))
    return out
