"""Propose how a table of cells becomes the start of an experiment: columns, unit, types, markers, lattice.

Nothing is taken for granted: what a name or a number only suggests carries a doubt, which the report and the config show.
The proposal is placed on the lattice before it is written, so that it can be run and its displacement is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from tme.config import tissue_table as tables
from tme.config.errors import listed, nearest
from tme.config.start import Cells
from tme.config.tissue import USUAL_UM, rows_text, tissue_of
from tme.importing import tissue_names as names
from tme.importing.tissue_lattice import MOST_MOVED, VOXELS_UM, fullest_square, suited
from tme.importing.tissue_names import Guess
from tme.library import load_library
from tme.model.initial_cells import Arrangement

MOST_VOXELS = 150_000  # of a proposal; a larger table gets a region of interest
ROI_UM = 1500.0
SPACING_UM = (3.0, 40.0)  # nearest neighbours of cells in tissue; outside it the unit is another
MOST_COLUMNS = 500  # that are looked through for labels
MOST_TYPES = 200  # distinct values of a column of cell types
OURS = {"cell_type", "fate"}  # columns by which a snapshot of ours is known
UNITS_UM = {"um": 1.0, "mm": 1000.0, "nm": 0.001}


class ImportFault(ValueError):
    """The table does not tell enough, or what was said of it is wrong."""

    exit_code = 2


@dataclass(frozen=True)
class Asked:
    """What the user said; None or empty: to be guessed."""

    x: str | None = None
    y: str | None = None
    z: str | None = None
    type: str | None = None
    unit: str | None = None
    um_per_px: float | None = None
    dx_um: float | None = None
    whole: bool = False
    types: dict[str, str] = field(default_factory=dict)
    only: dict[str, str] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()  # missing, duplicates


@dataclass
class Proposal:
    """A config's part `initial`, its lattice, and what it stands on. `doubts` (key, text) are what should be looked at."""

    file: Path
    spec: Cells
    size_um: tuple[float, ...]
    dx_um: float
    thickness_um: float
    counts: dict[str, int]
    guesses: dict[str, Guess]
    doubts: list[tuple[str, str]]
    tried: list[tuple[float, float | None]]  # voxel um, share of tissue cells not in their own voxel; None: no room for all
    arrangement: Arrangement


def propose(file: Path, asked: Asked) -> Proposal:
    """A config for a table. ImportFault or TableError where it cannot be one."""
    if not file.is_file():
        raise ImportFault(f"{tables.printable(str(file))}: no such file; expected a table of cells ({', '.join(tables.SUFFIXES)})")
    if tables.suffix_of(file) not in tables.SUFFIXES:
        raise ImportFault(f"{tables.printable(str(file))}: '{tables.printable(file.suffix)}' is no table this program reads; expected one of {', '.join(tables.SUFFIXES)}, text also as .gz")
    try:
        with tables.read_once():  # for each width of voxels that is tried
            return Guesser(file, asked).proposal()
    except tables.Unreadable as error:
        raise ImportFault(f"{tables.printable(file.name)}: {error}") from error


class Guesser:
    """One table under inspection; `doubts` grow as its parts are guessed."""

    def __init__(self, file: Path, asked: Asked) -> None:
        self.file, self.asked = file, asked
        self.columns, self.labels = tables.columns_of(file), tables.labels_of(file)[:MOST_COLUMNS]
        self.known: dict[tuple[str, bool], np.ndarray] = {}
        if tables.suffix_of(file) != ".h5ad" and len(self.columns) <= MOST_COLUMNS:  # one pass instead of one a column
            once = [c for c in self.columns if self.columns.count(c) == 1]
            self.known = {(c, True): v.to_numpy() for c, v in tables.read(file, [], once).items()}
        self.doubts: list[tuple[str, str]] = []
        self.kinds = dict(load_library().cells)
        for name in (asked.x, asked.y, asked.z, asked.type, *asked.only):
            if name is not None and name not in self.columns:
                self.refuse(f"has no column {name!r}; expected {self.all_columns()}" + did_you_mean(name, self.columns))
        for name, kind in asked.types.items():
            if kind not in (*self.kinds, "ignore"):
                self.refuse(f"--map {name}={kind}: unknown cell type; expected {listed((*self.kinds, 'ignore'), 20)}" + did_you_mean(kind, (*self.kinds, "ignore")))

    def refuse(self, text: str) -> None:
        """ImportFault with the table's name."""
        raise ImportFault(f"{tables.printable(self.file.name)}: {text}")

    def all_columns(self) -> str:
        """The table's columns, for a message."""
        return listed(map(tables.printable, self.columns))

    def doubt(self, key: str, text: str) -> None:
        """Something to look at."""
        self.doubts.append((key, text))

    def column(self, name: str, text: bool = False) -> np.ndarray:
        """One column as numbers (n,) float64 (NaN where there is none), or as text."""
        if (name, text) not in self.known:
            if (name, True) in self.known:
                values = self.known[name, True]
            else:
                values = tables.read(self.file, [] if text else [name], [name] if text else [])[name].to_numpy()
            self.known[name, text] = values if text else pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(float, na_value=np.nan)
        return self.known[name, text]

    # ---- parts --------------------------------------------------------------------------------------
    def proposal(self) -> Proposal:
        """Everything, in the order in which one part needs another."""
        columns = self.places()
        columns["type"], counts = self.type_column(list(columns.values()))
        guesses = self.types(counts)
        only = {c: (v,) for c, v in self.asked.only.items()} or self.only([*columns.values()], columns["type"], guesses)
        if set(self.labels) >= OURS:  # a snapshot of ours: corpses are left, guests share voxels
            only = {"fate": ("alive",), **only}
        keep = np.ones(sum(counts.values()), bool)
        for c, values in only.items():
            keep &= np.isin(self.column(c, text=True), values)
        if not keep.any():
            self.refuse("no row has all values of --only")
        tumour = keep & np.isin(self.column(columns["type"], text=True), [t for t, g in guesses.items() if g.value == "tumour"])
        if not tumour.any():
            self.refuse("no row that is left is a tumour cell; expected other values of --only, or --map NAME=tumour")
        place = np.stack([self.column(columns[a])[keep] for a in "xyz" if a in columns], axis=1)
        unit = self.unit(columns["x"], place, np.flatnonzero(keep) + 1)
        if (unique := self.id_column([*columns.values(), *only], keep)) is not None:
            columns["id"] = unique
        said = {"kind": "cells", "file": str(self.file.resolve()), "columns": columns, "types": {t: g.value for t, g in guesses.items()},
                "only": only, "traits": self.markers([*columns.values()], tumour), **unit, **({"duplicates": "keep"} if set(self.labels) >= OURS else {}),
                **dict.fromkeys(self.asked.leave_out, "leave_out")}  # fmt: skip
        spec = Cells.model_validate(said)
        spec = self.region(spec)
        return self.on_lattice(spec, counts, guesses)

    def places(self) -> dict[str, str]:
        """Columns of x, y and z."""
        asked = self.asked
        if (asked.x is None) != (asked.y is None):
            self.refuse("--x and --y go together")
        if asked.x is not None and asked.y is not None:
            return {"x": asked.x, "y": asked.y, **({"z": asked.z} if asked.z else {})}
        shares = [(min(np.isfinite(self.column(c)).mean() for c in p[:2]), p) for p in names.pairs(self.columns)]
        # columns named so with hardly a number are still the ones meant: which rows lack theirs is told further on
        found = [p for share, p in shares if share > 0.5] or [p for share, p in sorted(shares, key=lambda s: -s[0]) if share > 0]
        if not found:
            self.refuse(f"no pair of columns looks like x and y; expected --x COLUMN --y COLUMN, of {self.all_columns()}")
        x, y, z = found[0]
        if len(found) > 1:
            self.doubt("columns", f"coordinates could also be {' or '.join(f'{a!r} and {b!r}' for a, b, _ in found[1:3])}")
        z = asked.z or z
        if z and np.nanmax(self.column(z)) - np.nanmin(self.column(z)) <= 0.0:
            z = ""
        return {"x": x, "y": y, **({"z": z} if z else {})}

    def type_column(self, taken: list[str]) -> tuple[str, dict[str, int]]:
        """The column of cell types, and how many rows each of its values has."""
        if self.asked.type is not None:
            return self.asked.type, self.values(self.asked.type)
        scored = []
        for name in self.labels:
            said = names.words(name)
            score = 3.0 * bool({*said, "".join(said)} & set(names.TYPE_WORDS))
            if name in taken or {*said} & set(names.REGION_WORDS) or (not score and names.marker(name)):
                continue
            counts = self.values(name, most=MOST_TYPES)
            if counts is None:
                continue
            known = sum(n for t, n in counts.items() if t and not names.cell_type(t, self.kinds).doubt.startswith(("the name says", "only")))
            share = known / max(sum(counts.values()), 1)
            if (score or share > 0.3) and (len(counts) > 1 or (score and share > 0.3)):
                scored.append((score + 4.0 * share, share, name, counts))
        if not scored:
            self.refuse(f"no column looks like cell types; expected --type COLUMN, of {self.all_columns()}")
        scored.sort(key=lambda s: -s[0])
        _score, share, name, counts = scored[0]
        if len(scored) > 1 and scored[1][1] > 0.3:
            self.doubt("columns", f"cell types could also be in {' or '.join(repr(s[2]) for s in scored[1:3])}")
        if share < 0.3:
            self.doubt("columns", f"few names in {name!r} are known as cell types")
        return name, counts

    def values(self, name: str, most: int | None = None) -> Any:
        """How many rows each value of a column has, the most frequent first; None for one of numbers with a fraction, or of more than `most` values."""
        written = self.column(name, text=True)
        counts = pd.Series(written).value_counts()
        if most is not None and (len(counts) > most or any("." in v and is_number(v) for v in counts.index[:20])):
            return None
        return {str(v): int(n) for v, n in counts.items()}

    def types(self, counts: dict[str, int]) -> dict[str, Guess]:
        """What each type of the table is here. ImportFault where none is the tumour."""
        out = {}
        for name in self.asked.types:
            if name not in counts:
                self.refuse(f"--map {name}: no row has that type; expected {listed(map(repr, counts))}" + did_you_mean(name, counts))
        for name in (n for n in counts if n):  # a config has no key without a sign: rows without a type are told as such
            said = self.asked.types.get(name)
            out[name] = Guess(said) if said is not None else names.cell_type(name, self.kinds)
            if out[name].doubt and out[name].value != "ignore":
                self.doubt("types", f"{name!r} is taken as {out[name].value}: {out[name].doubt}")
            elif out[name].doubt:
                self.doubt("types", f"{name!r} ({counts[name]} rows) is left out: {out[name].doubt}")
        if "tumour" not in {g.value for g in out.values()}:
            self.refuse(f"no type is known as the tumour; expected --map NAME=tumour, of {listed(map(repr, counts))}")
        return out

    def only(self, taken: list[str], type_column: str, guesses: dict[str, Guess]) -> dict[str, tuple[str, ...]]:
        """Where a table holds several images: the one with most tumour cells."""
        for name in self.labels:
            said = {*names.words(name)}
            if name in taken or not said & set(names.REGION_WORDS) or (said & {"id", "cell"} and "fov" not in said):
                continue
            counts = self.values(name, most=2000)
            if counts is None or len(counts) < 2 or len(counts) > 0.2 * sum(counts.values()):
                continue
            where, kinds = self.column(name, text=True), self.column(type_column, text=True)
            tumour = np.isin(kinds, [t for t, g in guesses.items() if g.value == "tumour"])
            best = str(pd.Series(where[tumour]).value_counts().index[0])
            self.doubt("only", f"{name!r} has {len(counts)} values, taken as separate images; {best!r} has most tumour cells")
            return {name: (best,)}
        return {}

    def unit(self, column: str, place: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
        """Unit of the coordinates of these rows: said, in the column's name, or from how far apart neighbours are."""
        whole = np.isfinite(place).all(axis=1)
        good = place[whole]
        if len(good) < 2:
            lacking = f": a coordinate is missing, or no number, in {rows_text(rows[~whole])}" if not whole.all() else ""
            self.refuse(f"fewer than two rows have coordinates{lacking}")
        apart = float(np.median(cKDTree(good).query(good, k=2)[0][:, 1]))
        if apart == 0.0:
            self.refuse("most rows share their place with another; expected a row a cell (is it a row for each cell and marker, or the same table twice?)")
        asked, said = self.asked, names.unit_said(column)
        unit = asked.unit or ("px" if asked.um_per_px else "") or said
        fits = [u for u, um in UNITS_UM.items() if SPACING_UM[0] <= apart * um <= SPACING_UM[1]]
        if unit == "px" and asked.um_per_px is None:
            self.refuse(f"{column!r} counts pixels; expected --um-per-px, as the image's metadata have it (neighbours are {apart:.3g} px apart: "
                        f"cells {USUAL_UM:g} um apart would make it {USUAL_UM / apart:.2g})")  # fmt: skip
        if unit != "px" and asked.um_per_px is not None:
            self.refuse(f"--um-per-px goes with --unit px, not {unit}")
        if unit == "px":
            um = float(asked.um_per_px or 1.0)
            if not SPACING_UM[0] <= apart * um <= SPACING_UM[1]:
                self.doubt("unit", f"with {um:g} um per pixel neighbours are {apart * um:.3g} um apart (median)")
            return {"unit": "px", "um_per_px": um}
        if unit:
            if unit not in fits:
                self.doubt("unit", f"in {unit} neighbours are {apart * UNITS_UM[unit]:.3g} um apart (median)")
            return {"unit": unit}
        if not fits:
            self.refuse(f"neighbours are {apart:.3g} units apart (median), which fits no unit of length; expected --unit px --um-per-px NUMBER "
                        f"(cells {USUAL_UM:g} um apart would make it {USUAL_UM / apart:.2g}), or --unit um")  # fmt: skip
        whole = " and are whole numbers" if (good[:, :2] % 1 == 0).all() else ""
        self.doubt("unit", f"no name says it: neighbours are {apart:.3g} apart (median){whole}, which fits {fits[0]}"
                   + (", or pixels of about 1 um" if fits[0] == "um" else ""))  # fmt: skip
        return {"unit": fits[0]}

    def id_column(self, taken: list[str], keep: np.ndarray) -> str | None:
        """A column whose value is another in every row."""
        for name in self.labels:
            said = names.words(name)
            if name in taken or not said or said[-1] not in names.ID_WORDS:
                continue
            values = self.column(name, text=True)[keep]
            if len(set(values)) == len(values):
                return name
        return None

    def markers(self, taken: list[str], tumour: np.ndarray) -> dict[str, dict[str, Any]]:
        """Markers with a meaning here, by rank: their unit is arbitrary, their order is not. `tumour`: the rows that they are of."""
        out: dict[str, dict[str, Any]] = {}
        if set(self.labels) >= OURS:
            self.doubt("traits", "traits and states of the snapshot are not taken over")
            return out
        for name in self.columns:
            found = None if name in taken else names.marker(name)
            if found is None:
                continue
            what, doubt = found
            used = next((c for c, rule in out.items() if what in rule.values()), None)
            values = np.where(tumour, self.column(name), 0.0)
            if used is not None:
                self.doubt("traits", f"{name!r} also speaks of {what}; {used!r} is used")
            elif not np.isfinite(values).all():
                self.doubt("traits", f"{name!r} could set {what} but has no number in {rows_text(np.flatnonzero(~np.isfinite(values)) + 1)}")
            elif np.ptp(values[tumour]) <= 0.0:
                self.doubt("traits", f"{name!r} could set {what} but is the same in all cells")
            else:
                out[name] = {"state" if what in names.STATES else "trait": what, "by": "rank", "max_fold": 2.0}
                self.doubt("traits", f"{name!r} sets {what} by rank, from half to double: the order is measured, the width is chosen" + (f"; {doubt}" if doubt else ""))
        return out

    # ---- lattice ------------------------------------------------------------------------------------
    def region(self, spec: Cells) -> Cells:
        """A part of a table that would need too large a lattice: the square with most tumour cells."""
        tissue = tissue_of(spec, None)
        span = np.ptp(tissue.table_um, axis=0)
        if self.asked.whole or np.prod(np.ceil(span[:2] / (self.asked.dx_um or VOXELS_UM[0]))) <= MOST_VOXELS:
            return spec
        low = fullest_square(tissue.table_um[tissue.kind == "tumour"][:, :2], ROI_UM)
        box = {"shape": "box", "from_um": [float(round(v)) for v in low], "to_um": [float(round(v + ROI_UM)) for v in low]}
        self.doubt("roi", f"the table spans {span[0]:.0f} x {span[1]:.0f} um; taken is the square of {ROI_UM:g} um with most tumour cells (--whole takes all)")
        return Cells.model_validate({**spec.model_dump(exclude_none=True), "roi": box})

    def on_lattice(self, spec: Cells, counts: dict[str, int], guesses: dict[str, Guess]) -> Proposal:
        """The proposal with the lattice that suits the cells."""
        widths = (self.asked.dx_um,) if self.asked.dx_um else VOXELS_UM
        found = suited(spec, self.kinds, widths)
        if found is None:
            self.refuse(f"a voxel of {self.asked.dx_um:g} um is smaller than a cell; expected a larger --dx")
        assert found is not None
        if found.moved > MOST_MOVED:
            self.doubt("domain", f"{found.moved:.0%} of tissue cells are not in their own voxel of {found.dx_um:g} um: the table is denser than a lattice of one cell a voxel")
        elif found.dx_um < VOXELS_UM[0]:
            self.doubt("domain", f"voxels of {found.dx_um:g} um, for dense cells; the tumour presets are tuned at {VOXELS_UM[0]:g} um")
        return Proposal(self.file, spec, found.size_um, found.dx_um, found.thickness_um, counts, guesses, self.doubts, found.tried, found.arrangement)


def is_number(text: str) -> bool:
    """Whether it is written as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def did_you_mean(name: str, known: Any) -> str:
    """The nearest name as the end of a message."""
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else ""
