"""Cells at places: what every spatial statistic takes, measured or simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from tme.spatial.window import Window, around

MOST_TYPES = 64
ORDER_UM = 50.0  # side of the squares by which cells are sorted: neighbours then lie near each other in memory


class SpatialError(ValueError):
    """A table or a question that no statistic can answer; the message says what and why."""

    exit_code = 2


@dataclass(frozen=True)
class Cells:
    """Points (n, d) um with types, and further columns by name.

    `code` (n,) int64 is each cell's place in `types`. `marks` are numbers (n,) float64, NaN where a cell has none. `dead` (n,) bool: died by
    ferroptosis, at `death_hour` (n,), NaN where that is not known. Rows are in an order of their own, which depends on the cells alone: the same
    table in any order gives the same bits.
    """

    points: np.ndarray
    code: np.ndarray
    types: tuple[str, ...]
    window: Window
    marks: Mapping[str, np.ndarray] = field(default_factory=dict)
    dead: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    death_hour: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.points)

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return self.points.shape[1]

    @cached_property
    def counts(self) -> np.ndarray:
        """Cells of each type (k,) int64."""
        return np.bincount(self.code, minlength=len(self.types))

    def of(self, *names: str) -> np.ndarray:
        """Which cells are of these types, (n,) bool. SpatialError for a name that no type has."""
        unknown = [n for n in names if n not in self.types]
        if unknown:
            raise SpatialError(f"no cells of type '{unknown[0]}'; expected one of {', '.join(self.types)}")
        return np.isin(self.code, [self.types.index(n) for n in names])

    def where(self, keep: np.ndarray) -> Cells:
        """The cells that `keep` (n,) bool names, all types kept."""
        marks = {k: v[keep] for k, v in self.marks.items()}
        return replace(self, points=self.points[keep], code=self.code[keep], marks=marks, dead=self.dead[keep], death_hour=self.death_hour[keep])

    def within(self, window: Window) -> Cells:
        """The cells of a window, seen in it."""
        return replace(self.where(window.holds(self.points)), window=window)


def cells(
    points: Any, types: Sequence[str] | np.ndarray, window: Window | None = None, marks: Mapping[str, Any] | None = None,
    death_hour: Any = None, dead: Any = None,
) -> Cells:  # fmt: skip
    """Cells from points (n, 2 or 3) um and the names of their types (n,); the window is the box around them unless one is given.

    Without `dead`, the cells with a death hour are. Raises SpatialError for points that are no numbers, for fewer than two, for cells outside
    the window, and for more than 64 types.
    """
    at = np.ascontiguousarray(points, dtype=float)
    names = np.asarray(types).astype(str)
    if at.ndim != 2 or at.shape[1] not in (2, 3) or len(at) != len(names):
        raise SpatialError(f"points of shape {at.shape} with {len(names)} types; expected (n, 2) or (n, 3) with n types")
    bad = np.flatnonzero(~np.isfinite(at).all(axis=1))
    if len(bad):
        raise SpatialError(f"the place of cell {bad[0] + 1} is no number ({', '.join(map(str, at[bad[0]]))})")
    if len(at) < 2:
        raise SpatialError(f"{len(at)} cells have no neighbours; expected two and more")
    known, code = np.unique(names, return_inverse=True)
    if len(known) > MOST_TYPES:
        raise SpatialError(f"{len(known)} types of cells; expected at most {MOST_TYPES}: put some together")
    columns = {k: np.asarray(v, float) for k, v in (marks or {}).items()}
    hours = np.full(len(at), np.nan) if death_hour is None else np.asarray(death_hour, float)
    gone = np.isfinite(hours) if dead is None else np.asarray(dead, bool)
    order = _order(at, code, [*columns.values(), gone, hours])
    seen = around(at) if window is None else window
    if window is not None and not window.holds(at).all():
        raise SpatialError(f"{int((~window.holds(at)).sum())} cells lie outside the window")
    return Cells(at[order], code[order].astype(np.int64), tuple(map(str, known)), seen, {k: v[order] for k, v in columns.items()}, gone[order], hours[order])


def _order(at: np.ndarray, code: np.ndarray, further: Sequence[np.ndarray]) -> np.ndarray:
    """Rows by squares, then place, type and the further columns."""
    squares = np.floor((at - at.min(axis=0)) / ORDER_UM).astype(np.int64)
    return np.lexsort([*reversed(further), code, *at.T, *squares.T])
