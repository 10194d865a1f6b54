"""The cells that `initial: {kind: cells}` means: rows chosen, types and units mapped, refused where they cannot be cells.

The order: rows (`only`), coordinates in um, region of interest, tile, types, copies, then the middle of what is kept goes to the
middle of the domain. What cannot be is refused with the rows in which it stands; the first row below the header is 1.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from tme.config import tissue_table as tables
from tme.config.errors import nearest
from tme.config.start import UNITS_UM, Cells
from tme.config.tissue_markers import MarkerFault, factors
from tme.config.tissue_shapes import inside, tile_of, tiles_in

ENOUGH_TO_JUDGE = 50  # cells; fewer say nothing about the unit
LEAST_UM, MOST_UM = 1.0, 250.0  # median distance of nearest neighbours that cells of a tissue can have
USUAL_UM = 9.0  # that of a packed section, for messages
EDGE_UM = 1e-6  # a cell on the edge of the domain lies in it
SHOWN_ROWS = 5
Key = tuple[str, ...]


@dataclass(frozen=True)
class TableFault:
    """What is wrong with a table or with what the config says of it; `key` is below `initial`."""

    key: Key
    problem: str
    expected: str = ""
    meant: str = ""

    def __str__(self) -> str:
        text = f"{'.'.join(self.key)}: {self.problem}" + (f"; expected {self.expected}" if self.expected else "")
        return text + (f"; did you mean '{tables.printable(self.meant)}'?" if self.meant else "")


class TableError(ValueError):
    """The table of cells does not fit the domain or its description."""

    exit_code = 2

    def __init__(self, file: str, faults: list[TableFault]) -> None:
        self.file, self.table_faults = file, faults
        super().__init__("\n".join(f"{tables.printable(Path(file).name)}: {f}" for f in faults))

    def __reduce__(self) -> Any:
        return type(self), (self.file, self.table_faults)


@dataclass(frozen=True)
class Tissue:
    """Cells of a table, as they will be placed; those of ignored types are not among them.

    `kind` (n,) str: our type; `name` (n,) str: what the table calls it; `row` (n,) int64: where it stands, from 1; `place_um` (n, 3)
    float64: x, y, z in the domain; `table_um` (n, 3): in the table; `factors`: column -> (tumour cells,) float64, what the rule
    of that column makes of it. `report` counts what was left out.
    """

    kind: np.ndarray
    name: np.ndarray
    row: np.ndarray
    place_um: np.ndarray
    table_um: np.ndarray
    factors: dict[str, np.ndarray] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)


def rows_text(rows: np.ndarray) -> str:
    """`row 3`, `rows 3, 8 and 12`, `rows 3, 8, 12, 15, 20 and 7 more`."""
    rows = np.unique(rows)
    shown = [str(r) for r in rows[:SHOWN_ROWS]]
    if len(rows) == 1:
        return f"row {shown[0]}"
    rest = len(rows) - len(shown)
    return f"rows {', '.join(shown if rest else shown[:-1])} and {f'{rest} more' if rest else shown[-1]}"


def tissue_of(spec: Cells, size_um: tuple[float, ...] | None) -> Tissue:
    """The cells of a table; TableError lists what is wrong with it. `size_um`: of the domain along x, y(, z); None: as large as they need.

    The last few are kept, since every arm and replicate asks for the same.
    """
    try:
        stat = os.stat(spec.file)
    except OSError as error:
        raise TableError(spec.file, [TableFault(("file",), f"cannot be read: {error.strerror}")]) from error
    return _tissue_of(spec.model_dump_json(exclude_none=True), size_um, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _tissue_of(spec_json: str, size_um: tuple[float, ...] | None, *_stamp: int) -> Tissue:
    return Reader(Cells.model_validate_json(spec_json), size_um).tissue()


class Reader:
    """One table on its way to cells: `pick` (n,) int64 are the rows that are left, `place` (n, 3) float64 their coordinates in um.

    `faults` collects what is wrong; `stop` raises it where going on would make no sense.
    """

    def __init__(self, spec: Cells, size_um: tuple[float, ...] | None) -> None:
        self.spec, self.size_um = spec, size_um
        self.axes = [a for a in "xyz" if a in spec.columns]
        self.faults: list[TableFault] = []
        self.left_out: dict[str, int] = {}
        self.pick, self.place = np.zeros(0, np.int64), np.zeros((0, 3))

    def fault(self, key: Key, problem: str, expected: str = "", meant: str = "") -> None:
        """Note a fault."""
        self.faults.append(TableFault(key, problem, expected, meant))

    def stop(self) -> None:
        """TableError if something is wrong so far."""
        if self.faults:
            raise TableError(self.spec.file, self.faults)

    def keep(self, mask: np.ndarray, what: str = "") -> None:
        """Go on with these cells, (n,) bool; the others are counted as `what`."""
        self.pick, self.place = self.pick[mask], self.place[mask]
        if what and not mask.all():
            self.left_out[what] = int((~mask).sum())

    def column(self, name: str) -> np.ndarray:
        """A column's values for the cells that are left."""
        return self.table[name].to_numpy()[self.pick]

    def tissue(self) -> Tissue:
        """All steps."""
        spec = self.spec
        self.table = self.read()
        self.stop()
        self.choose()
        self.stop()
        self.locate()
        self.stop()
        window = self.cut()
        self.stop()
        names = self.column(spec.columns["type"])
        unmapped = {str(t): int(n) for t, n in pd.Series(names).value_counts().items() if t not in spec.types}
        cells = np.array([spec.types.get(t, "ignore") != "ignore" for t in names], bool)
        ignored = int((~cells).sum()) - sum(unmapped.values())
        self.keep(cells)
        self.refuse_doubles()
        spacing = self.refuse_wrong_unit()
        self.stop()
        at = self.copies(window)
        table_um, self.place = self.place, at
        table_um = table_um[self.beyond_left_out(at)]
        self.stop()
        kind, name = self.kinds()
        self.stop()
        markers = self.measure(kind == "tumour")
        self.stop()
        report = {"file": Path(spec.file).name, "rows": len(self.table), "unit_um": spec.um, "spacing_um": spacing, "left_out": self.left_out,
                  "ignored": ignored, "unmapped_types": unmapped, "absent_types": self.absent()}  # fmt: skip
        return Tissue(kind, name, self.pick + 1, self.place, table_um, markers, report)

    # ---- steps ------------------------------------------------------------------------------------
    def read(self) -> pd.DataFrame:
        """The columns that are asked for."""
        spec, listed = self.spec, {c for c, rule in self.spec.traits.items() if isinstance(rule.gate, tuple)}
        texts = [*(spec.columns[k] for k in ("type", "id") if k in spec.columns), *spec.only, *listed]
        numbers = [*(spec.columns[a] for a in self.axes), *(c for c in spec.traits if c not in listed)]
        try:
            table = tables.read(spec.file, numbers, texts)
        except tables.Unreadable as error:
            self.fault(("file",), str(error), "a table of cells (.csv, .tsv, .txt, .h5ad)")
            return pd.DataFrame()
        except KeyError as error:
            name = str(error.args[0])
            self.fault(("columns",), f"the table has no column {name!r}", "one of its columns", nearest(name, tables.columns_of(spec.file)))
            return pd.DataFrame()
        if table.empty:
            self.fault(("file",), "has no rows", "a row for each cell")
        self.pick = np.arange(len(table))
        self.place = np.zeros((len(table), 3))
        return table

    def choose(self) -> None:
        """Rows that `only` keeps."""
        mask = np.ones(len(self.pick), bool)
        for column, values in self.spec.only.items():
            there = self.column(column)
            for value in values:
                if not (there == value).any():
                    self.fault(("only", column), f"no row has {value!r}", "a value of that column", nearest(value, sorted(set(there))))
            mask &= np.isin(there, values)
        self.keep(mask, "rows that `only` does not name")
        if not len(self.pick) and not self.faults:
            self.fault(("only",), "keeps no row", "values that occur together")

    def locate(self) -> None:
        """Coordinates in um; rows without one are refused or left out."""
        bad = np.zeros(len(self.pick), bool)
        for k, axis in enumerate("xyz"):
            if axis not in self.axes:
                continue
            name = self.spec.columns[axis]
            written = self.column(name)
            value = pd.to_numeric(pd.Series(written), errors="coerce").to_numpy(float, na_value=np.nan)
            wrong = ~np.isfinite(value)
            self.place[:, k] = value * self.spec.um
            bad |= wrong
            if wrong.any() and self.spec.missing == "refuse":
                first = written[np.flatnonzero(wrong)[0]]
                comma = "; a decimal comma?" if isinstance(first, str) and first.count(",") == 1 else ""
                what = f"{first!r}{comma}" if isinstance(first, str) else "no value"
                self.fault(("columns", axis), f"column {name!r} has no number in {rows_text(self.pick[wrong] + 1)} ({what})", "numbers, or missing: leave_out")
        self.keep(~bad, "missing")
        if not len(self.pick):
            self.fault(("columns",), "no row has coordinates", "numbers")

    def cut(self) -> np.ndarray:
        """Only cells of the region of interest and of the tile; the box (2, 3) in um of the last of these, else of all cells."""
        window = np.array([self.place.min(axis=0), self.place.max(axis=0)])
        roi, tile = self.spec.roi, self.spec.tile
        if roi is not None:
            mask, box = inside(roi, self.place)
            window = self.within(mask, "roi", "outside the region of interest", window, box)
        if tile is not None and not self.faults:
            n = tiles_in(tile.size_um, window)
            if any(i >= k for i, k in zip(tile.index, n)):
                self.fault(("tile", "index"), f"there is no tile {list(tile.index)}", f"[0, 0] to [{n[0] - 1}, {n[1] - 1}]")
                return window
            box = tile_of(tile, window)
            last = [i == k - 1 for i, k in zip(tile.index, n)]  # its far edge belongs to it
            above = [(self.place[:, a] < box[1, a]) | last[a] for a in (0, 1)]
            mask = (self.place[:, :2] >= box[0, :2]).all(axis=1) & above[0] & above[1]
            window = self.within(mask, "tile", "outside the tile", window, box)
        return window

    def within(self, mask: np.ndarray, key: str, what: str, window: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Keep the cells of a part of the table; its box, or a fault if there are none."""
        if not mask.any():
            low, high = (", ".join(f"{v:.0f}" for v in corner[: len(self.axes)]) for corner in window)
            self.fault((key,), "has no cells", f"a part of the table, which spans ({low}) to ({high}) um")
            return window
        self.keep(mask, what)
        return box

    def refuse_doubles(self) -> None:
        """Cells of one type at one place, or of one id, are refused, or the later ones left out."""
        if self.spec.duplicates == "keep":
            return
        asked = [(pd.DataFrame(self.place).assign(kind=self.column(self.spec.columns["type"])), ("columns", "x"), "of one type at one place")]
        if "id" in self.spec.columns:
            asked.append((pd.DataFrame(self.column(self.spec.columns["id"])), ("columns", "id"), "with one id"))
        later = np.zeros(len(self.pick), bool)
        for values, key, words in asked:
            double = values.duplicated().to_numpy()
            if double.any() and self.spec.duplicates == "refuse":
                same = values.duplicated(keep=False).to_numpy()
                first = same & (values == values[double].iloc[0]).all(axis=1).to_numpy()
                rest = int(same.sum() - first.sum())
                more = f" (and {rest} other rows like that)" if rest else ""
                self.fault(key, f"{rows_text(self.pick[first] + 1)} are cells {words}{more}", "one row a cell, or duplicates: leave_out, or keep")
            later |= double
        self.keep(~later, "duplicates")

    def refuse_wrong_unit(self) -> float | None:
        """Median distance (um) between neighbouring places; refused where cells cannot lie so. None for a few."""
        places = np.unique(self.place, axis=0)
        if len(places) < ENOUGH_TO_JUDGE:
            return None
        distance = float(np.median(cKDTree(places).query(places, k=2)[0][:, 1]))
        if not LEAST_UM <= distance <= MOST_UM:
            key = "unit" if self.spec.unit else "unit_um"
            said = self.spec.unit or f"{self.spec.um:g}"
            right = self.spec.um * USUAL_UM / distance
            word = next((f"unit: {n}" for n, um in UNITS_UM.items() if 0.2 < right / um < 5.0), f"some {right:.2g} um per unit")
            self.fault((key,), f"with {key}: {said} the nearest neighbour is {distance:.3g} um away (median), as in no tissue",
                       f"some {USUAL_UM:g} um: {word}?")  # fmt: skip
        return distance

    def copies(self, window: np.ndarray) -> np.ndarray:
        """Places (n, 3) in the domain: the window's middle in its middle; copies side by side, every other one mirrored, so that no seam is torn."""
        nx, ny = self.spec.repeat or (1, 1)
        span = window[1] - window[0]
        whole = span * (nx, ny, 1)
        size = np.array(self.size_um if self.size_um is not None else whole[: len(self.axes)])
        middle = np.zeros(3)
        middle[: len(size)] = 0.5 * size
        if nx * ny == 1:
            return self.place - 0.5 * (window[0] + window[1]) + middle
        out = []
        for j in range(ny):
            for i in range(nx):
                at = self.place - window[0]
                for axis, k in ((0, i), (1, j)):
                    at[:, axis] = k * span[axis] + (span[axis] - at[:, axis] if k % 2 else at[:, axis])
                out.append(at)
        self.pick, self.place = np.tile(self.pick, nx * ny), np.tile(self.place, (nx * ny, 1))
        return np.concatenate(out) + (middle - 0.5 * whole)

    def beyond_left_out(self, at: np.ndarray) -> np.ndarray:
        """Which cells (n,) bool lie in the domain; the others are refused or left out."""
        beyond = np.zeros(len(at), bool)
        size = self.size_um or ()
        for k, axis in enumerate("xyz"[: len(size)]):
            here = (at[:, k] < -EDGE_UM) | (at[:, k] > size[k] + EDGE_UM)
            beyond |= here
            if here.any() and self.spec.outside == "refuse":
                span = np.ptp(at[:, k])
                self.fault(("columns", axis), f"the cells span {span:.0f} um along {axis}, the domain {size[k]:.0f} um: {int(here.sum())} lie outside, {rows_text(self.pick[here] + 1)}",
                           "a larger domain.size_um, a roi, another unit, or outside: leave_out")  # fmt: skip
        self.keep(~beyond, "outside the domain")
        return ~beyond

    def kinds(self) -> tuple[np.ndarray, np.ndarray]:
        """Our types and the table's (n,) str; without a tumour cell there is nothing to simulate."""
        name = self.column(self.spec.columns["type"])
        kind = np.array([self.spec.types[t] for t in name], object)
        if not (kind == "tumour").any():
            found = ", ".join(repr(t) for t in sorted({str(t) for t in self.table[self.spec.columns["type"]]})[:8])
            self.fault(("types",), "no cell that is kept maps to 'tumour'", f"some type of the table as tumour; it has {found}")
        return kind, name

    def measure(self, tumour: np.ndarray) -> dict[str, np.ndarray]:
        """What each measured column makes of the tumour cells."""
        out = {}
        for column, rule in self.spec.traits.items():
            try:
                out[column] = factors(rule, self.column(column)[tumour])
            except MarkerFault as error:
                where = f" in {rows_text(self.pick[tumour][error.rows] + 1)}" if len(error.rows) else ""
                self.fault(("traits", column), f"{error.problem}{where}", error.expected, error.meant)
        return out

    def absent(self) -> dict[str, str]:
        """Types that the config maps and the table does not have, with the nearest unmapped name that it has."""
        there = {str(t) for t in self.table[self.spec.columns["type"]]}
        return {t: nearest(t, sorted(there - set(self.spec.types))) for t in self.spec.types if t not in there}
