"""Measured points laid over simulated growth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tme.viz import style
from tme.viz.load import Run
from tme.viz.style import arm_name

NAMES = {"tumour_alive": "living tumour cells", "tumour_area_mm2": "tumour area", "tumour_volume_mm3": "equivalent volume"}


@dataclass(frozen=True)
class Point:
    """A measured value of an arm with what lies around it, in the unit of a series column; `relative_to_day`: a multiple of the size on that day."""

    arm: str
    readout: str
    day: float
    value: float
    low: float
    high: float
    relative_to_day: float | None = None
    n: int = 1


@dataclass(frozen=True)
class Measured:
    """Points of a table and what the table is called."""

    points: tuple[Point, ...]
    source: str

    @property
    def readouts(self) -> list[str]:
        """The series columns that they are of."""
        return list(dict.fromkeys(p.readout for p in self.points))


def factor(run: Run, point: Point) -> float:
    """What turns the point's value into the column's unit: 1, or the mean of the simulated arm on the day it is relative to; NaN where it has none."""
    if point.relative_to_day is None:
        return 1.0
    days, values = run.matrix(point.arm, point.readout)
    if days.size == 0 or not days[0] - 1e-9 <= point.relative_to_day <= days[-1] + 1e-9:
        return float("nan")
    mean = values.mean(axis=0)
    known = np.isfinite(mean)
    return float(np.interp(point.relative_to_day, days[known], mean[known])) if known.any() else float("nan")


def draw(axis: Axes, run: Run, found: Measured, readout: str) -> None:
    """The points of a readout as open circles in their arm's colour, with bars from low to high."""
    colours = style.arm_colours(run.arms, run.control)
    for point in shown(run, found, readout):
        scale, colour = factor(run, point), colours.get(point.arm, style.GREY)
        value, low, high = (scale * v for v in (point.value, max(point.low, 0.0), point.high))
        if high > low:
            axis.plot([point.day, point.day], [low, high], color=colour, lw=0.9, zorder=5)
        axis.plot([point.day], [value], "o", ms=4.2, mfc="white", mec=colour, mew=1.1, zorder=6)


def shown(run: Run, found: Measured, readout: str) -> list[Point]:
    """Points of a readout within the days that were simulated and with something to be relative to."""
    first, last = float(run.series["day"].min()), run.last_common_hour / 24
    return [p for p in found.points if p.readout == readout and first - 1e-9 <= p.day <= last + 1e-9 and np.isfinite(factor(run, p))]


def handle() -> Line2D:
    """The points in a legend."""
    return Line2D([], [], marker="o", ls="", ms=4.2, mfc="white", mec="black", mew=1.1, label="measured")


def words(run: Run, found: Measured, readouts: Sequence[str]) -> str:
    """What the caption says of the points."""
    drawn = [p for r in readouts for p in shown(run, found, r)]
    bars = ", bars: as stated in the table" if any(p.high > p.low for p in drawn) else ""
    text = f" Circles: measured ({found.source}){bars}; {_per_arm(drawn)}." if drawn else f" None of the points of {found.source} lies within the days simulated."
    if any(p.n > 1 for p in drawn):
        text += " Replicates of one day are shown as their mean with its standard error."
    days = sorted({p.relative_to_day for p in drawn if p.relative_to_day is not None})
    if days:
        text += f" Multiples are drawn from the mean of the simulated arm on day {', '.join(f'{d:g}'.replace('-', '−') for d in days)}."
    left = len([p for p in found.points if p.readout in readouts]) - len(drawn)
    if left and drawn:
        text += f" {left} point{'s' * (left > 1)} beyond the days simulated {'are' if left > 1 else 'is'} not shown."
    return text


def _per_arm(drawn: list[Point]) -> str:
    counts: dict[str, int] = {}
    for p in drawn:
        counts[p.arm] = counts.get(p.arm, 0) + 1
    return ", ".join(f"{arm_name(a)} {n} point{'s' * (n > 1)}" for a, n in counts.items())
