"""Tables of cells as they come: CSV, or .h5ad of any multiplexed image or spatial transcriptome; which column is what, and what is wrong.

A `.h5ad` gives the columns of `obs`, and `spatial_0`, `spatial_1` (`spatial_2`) from `obsm/spatial`. Tables of this program also say by `fate`
who has died: ferroptotic cells become the type `dead_ferroptosis`, other corpses `dead_other`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.config.errors import ConfigError, Fault, listed, nearest
from tme.spatial.cell import Cells, SpatialError, cells
from tme.spatial.window import Window

UNITS_UM = {"um": 1.0, "mm": 1000.0, "nm": 0.001}
NEEDED, OPTIONAL = ("x", "y", "type"), ("z", "fate", "death_hour")
# names that columns go by, letters and digits alone
KNOWN: dict[str, tuple[str, ...]] = {
    "x": ("x", "xum", "spatial0", "absolutex", "xcentroid", "centroidx", "xposition", "posx", "xmicrons", "centerxum"),
    "y": ("y", "yum", "spatial1", "absolutey", "ycentroid", "centroidy", "yposition", "posy", "ymicrons", "centeryum"),
    "z": ("z", "zum", "spatial2", "zcentroid", "centroidz", "zposition"),
    "type": ("celltype", "type", "celltypes", "phenotype", "cellphenotype", "celltypeannotation", "annotation"),
    "fate": ("fate",),
    "death_hour": ("deathhour",),
}
ALIVE = ("", "alive", "nan")
DEAD, DEAD_OTHER = "dead_ferroptosis", "dead_other"
IGNORE = "ignore"
MOST_ROWS = 5  # of bad ones that a message names


@dataclass(frozen=True)
class Reading:
    """How a table is read: columns by meaning, types renamed (`ignore` leaves them out), unit of the coordinates in um, marks, column of groups."""

    columns: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    unit_um: float = 1.0
    marks: tuple[str, ...] = ()
    by: str | None = None


@dataclass(frozen=True)
class Read:
    """Cells of a table by group ("" without groups), the columns that were taken, types with their numbers as they stand in the table."""

    groups: dict[str, Cells]
    columns: dict[str, str]
    found: dict[str, int]
    left_out: int


def unit_um(text: str) -> float:
    """`um`, `mm`, `nm`, or a number of um (the width of a pixel). SpatialError otherwise."""
    if text in UNITS_UM:
        return UNITS_UM[text]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (np.isfinite(value) and value > 0):
        raise SpatialError(f"a unit of '{text}'; expected {', '.join(UNITS_UM)}, or how many um one is")
    return value


def read(path: str | Path, how: Reading | None = None) -> Read:
    """The cells of a table. ConfigError tells every fault with its row and column; nothing is skipped in silence."""
    return read_all([Path(path)], how or Reading())[0]


def read_all(paths: Sequence[Path], how: Reading) -> list[Read]:
    """The cells of several tables; a type that is renamed must be in one of them."""
    out, faults = [], []
    for path in paths:
        try:
            frame = load(path)
            out.append(of_frame(path, frame, columns_of(path, frame, how), how))
        except ConfigError as error:
            faults += error.faults
    if not faults:
        known = sorted({t for r in out for t in r.found})
        where = paths[0].name if len(paths) == 1 else "any table"
        faults = [Fault("--types", 0, old, f"no cell of {where} has this type", listed(known), nearest(old, known)) for old in how.types if old not in known]
    if faults:
        raise ConfigError(faults)
    return out


def load(path: Path) -> pd.DataFrame:
    """The table with its columns as they stand."""
    if not path.is_file():
        near = nearest(path.name, [p.name for p in path.parent.iterdir() if p.is_file()]) if path.parent.is_dir() else ""
        raise ConfigError([Fault(str(path), 0, "", "there is no such file", "a .csv or .h5ad table of cells, or a run directory", near)])
    if path.suffix not in (".csv", ".h5ad"):
        raise ConfigError([Fault(str(path), 0, "", f"'{path.suffix}' is no table this program reads", "a .csv or .h5ad file")])
    try:
        frame = read_h5ad(path) if path.suffix == ".h5ad" else pd.read_csv(path, encoding="utf-8-sig", low_memory=False)
    except (OSError, ValueError, KeyError, pd.errors.ParserError) as error:
        raise ConfigError([Fault(str(path), 0, "", f"cannot be read: {' '.join(str(error).split())}", "a .csv table in UTF-8, or an AnnData file with obsm/spatial")]) from error
    if not len(frame):
        raise ConfigError([Fault(str(path), 0, "", "has no rows", "one cell a row")])
    return frame


def read_h5ad(path: Path) -> pd.DataFrame:
    """`obs` and `obsm/spatial` of an AnnData file."""
    import h5py

    with h5py.File(path, "r") as file:
        if "obsm/spatial" not in file:
            raise KeyError("it has no obsm/spatial")
        spatial = file["obsm/spatial"][:]
        obs = file["obs"]
        out = {name: _column(node) for name, node in obs.items() if not isinstance(node, h5py.Datatype)}
    frame = pd.DataFrame({k: v for k, v in out.items() if v is not None and len(v) == len(spatial)})
    return frame.assign(**{f"spatial_{k}": spatial[:, k] for k in range(min(spatial.shape[1], 3))})


def _column(node: Any) -> np.ndarray | None:
    """A column of `obs`: plain, categorical or nullable; text as str; None for what is none of these."""
    if hasattr(node, "keys"):
        if "categories" in node:
            names = np.append(_text(node["categories"][:]), "")
            return names[node["codes"][:]]
        if "values" in node:
            values = node["values"][:].astype(float)
            values[node["mask"][:]] = np.nan
            return values
        return None
    return _text(node[:]) if node.ndim == 1 else None


def _text(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "OS":
        return np.array([v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values], dtype=object)
    return values


def columns_of(path: Path, frame: pd.DataFrame, how: Reading) -> dict[str, str]:
    """Meaning -> column: as the user says, else by the names that such columns go by."""
    header, faults = [str(c) for c in frame.columns], []
    for meaning, name in how.columns.items():
        if meaning not in (*NEEDED, *OPTIONAL):
            faults.append(Fault("--columns", 0, meaning, "unknown meaning of a column", listed((*NEEDED, *OPTIONAL)), nearest(meaning, (*NEEDED, *OPTIONAL))))
        elif name not in header:
            faults.append(Fault(str(path), 1, meaning, f"there is no column '{name}'", listed(header), nearest(name, header)))
    found = dict(how.columns)
    for meaning, names in KNOWN.items():
        if meaning in found:
            continue
        alike = {n: [h for h in header if re.sub(r"[^a-z0-9]", "", h.lower()) == n] for n in names}
        taken = next((v for v in alike.values() if v), [])
        if len(taken) > 1:
            faults.append(Fault(str(path), 1, meaning, f"may be {' or '.join(repr(t) for t in taken)}", f"--columns {meaning}=NAME"))
        elif taken:
            found[meaning] = taken[0]
        elif meaning in NEEDED:
            faults.append(Fault(str(path), 1, meaning, "which column it is cannot be told", f"--columns {meaning}=NAME, NAME {listed(header)}"))
    for name in (*how.marks, *([how.by] if how.by else [])):
        if name not in header:
            faults.append(Fault(str(path), 1, "--by" if name == how.by else "--mark", f"there is no column '{name}'", listed(header), nearest(name, header)))
    if faults:
        raise ConfigError(faults)
    return found


def of_frame(path: Path, frame: pd.DataFrame, columns: Mapping[str, str], how: Reading) -> Read:
    """Cells of a table whose columns are known."""
    axes = [a for a in "xyz" if a in columns]
    faults: list[Fault] = []
    at = np.column_stack([_numbers(path, frame, columns[a], faults) for a in axes]) * how.unit_um
    names = frame[columns["type"]]
    empty = np.flatnonzero(names.isna() | (names.astype(str).str.strip() == ""))
    if len(empty):
        faults.append(_bad_rows(path, columns["type"], empty, "has no type", "a name in every row"))
    names = names.astype(str).to_numpy(dtype=object)
    if how.by and len(bare := np.flatnonzero(frame[how.by].isna())):
        faults.append(_bad_rows(path, how.by, bare, "has no group", "a value in every row"))
    marks = {m: _numbers(path, frame, m, faults, gaps=True) for m in how.marks}
    hours = _numbers(path, frame, columns["death_hour"], faults, gaps=True) if "death_hour" in columns else np.full(len(frame), np.nan)
    if faults:
        raise ConfigError(faults)
    fate = frame[columns["fate"]].astype(str).str.lower().to_numpy() if "fate" in columns else np.full(len(frame), "alive")
    groups = frame[how.by].astype(str).to_numpy() if how.by else np.full(len(frame), "")
    found = {t: int(n) for t, n in pd.Series(names).value_counts().items()}
    types = renamed(names, how.types)
    keep = types != IGNORE
    if len(axes) == 3 and np.ptp(at[keep, 2]) == 0.0:
        at = at[:, :2]
    made = {}
    for group in sorted(set(groups[keep])):
        rows = keep & (groups == group)
        try:
            made[group] = assemble(at[rows], types[rows], fate[rows], hours[rows], {k: v[rows] for k, v in marks.items()})
        except SpatialError as error:
            raise ConfigError([Fault(str(path), 0, group, str(error))]) from error
    if not made:
        raise ConfigError([Fault("--types", 0, "", "every type of the table is ignored", "one type and more that are not")])
    return Read(made, dict(columns), found, int((~keep).sum()))


def renamed(names: np.ndarray, types: Mapping[str, str]) -> np.ndarray:
    """Names with those of `types` replaced."""
    if not types:
        return names
    unique, inverse = np.unique(names.astype(str), return_inverse=True)
    return np.array([types.get(u, u) for u in unique], dtype=object)[inverse]


def assemble(
    at: np.ndarray, types: Iterable[Any], fate: np.ndarray, hours: np.ndarray, marks: Mapping[str, np.ndarray], window: Window | None = None
) -> Cells:
    """Cells in which corpses are types of their own and have no marks."""
    fate, names = np.asarray(fate).astype(str), np.asarray(types).astype(object)
    alive, ferroptotic = np.isin(fate, ALIVE), fate == "ferroptosis"
    names = np.where(ferroptotic, DEAD, np.where(alive, names, DEAD_OTHER)).astype(str)
    seen = {k: np.where(alive, v, np.nan) for k, v in marks.items()}
    return cells(at, names, window, seen, np.where(ferroptotic, hours, np.nan), ferroptotic)


def _numbers(path: Path, frame: pd.DataFrame, column: str, faults: list[Fault], gaps: bool = False) -> np.ndarray:
    """A column (n,) float64; a fault for what is no finite number, unless it is empty and may be."""
    raw = frame[column]
    values = pd.to_numeric(raw, errors="coerce").to_numpy(float)
    bad = ~np.isfinite(values)
    if gaps:
        bad &= ~raw.isna().to_numpy()
    rows = np.flatnonzero(bad)
    if len(rows):
        faults.append(_bad_rows(path, column, rows, f"is {str(raw.iloc[rows[0]])!r}", "a finite number in every row"))
    return values


def _bad_rows(path: Path, column: str, rows: Sequence[int] | np.ndarray, what: str, expected: str) -> Fault:
    """A fault that names the first bad rows; of a CSV at the line of the first."""
    first = int(rows[0])
    more = f" ({len(rows)} rows: {', '.join(str(int(r) + 1) for r in rows[:MOST_ROWS])}{' ...' if len(rows) > MOST_ROWS else ''})" if len(rows) > 1 else ""
    return Fault(str(path), first + 2 if path.suffix == ".csv" else 0, column, f"{what} in row {first + 1}{more}", expected)
