"""The snapshots of a run, chosen by arm, replicate and hour, as tables of pandas, AnnData and xarray.

What these libraries take is built here, one function each; the files for others are written by `tme.exporting`. Pandas
is always there, the other two come with the extra `spatial`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.experiments.h5ad import read_about, read_h5ad
from tme.experiments.run_directory import RunError, stored_digest

_REPLICATE = re.compile(r"rep-(\d+)")
_HOUR = re.compile(r"cells_(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\.h5ad")
KEYS = ("arm", "replicate", "hour")
TABLES = ("cells", "fields", "series", "summary")


class MissingExtra(RunError):
    """A library is missing that comes with an extra of this package."""


def need(module: str, extra: str, what: str) -> None:
    """Raise `MissingExtra`, which says what to install, where a library is not there."""
    if find_spec(module) is None:
        raise MissingExtra(f"{what} needs {module}, which is not installed: pip install 'tme[{extra}]'")


@dataclass(frozen=True)
class Snapshot:
    """One moment of one simulation: `cells_<hour>.h5ad` and `fields_<hour>.npz` in `folder`."""

    folder: Path
    arm: str
    replicate: int
    hour: float

    @property
    def name(self) -> str:
        """As in `control/rep-000/24 h`: told apart from every other snapshot of the run."""
        return f"{self.arm}/rep-{self.replicate:03d}/{self.hour:g} h"

    @property
    def key(self) -> tuple[str, int, float]:
        """Arm, replicate, hour."""
        return self.arm, self.replicate, self.hour

    @property
    def cells_path(self) -> Path:
        """The file of its cells."""
        return self.folder / f"cells_{self.hour:g}.h5ad"

    def cells(self) -> dict[str, np.ndarray]:
        """Its cells, (n,) a column, with uid (text), x_um, y_um and in 3D z_um."""
        try:
            return read_h5ad(self.cells_path)
        except (OSError, KeyError, ValueError, AttributeError) as error:
            raise RunError(f"{self.cells_path} cannot be read as a snapshot of cells ({error})") from None

    def about(self) -> dict[str, Any]:
        """What the file says of itself: dx_um, seed, day ..."""
        return read_about(self.cells_path)

    def fields(self) -> Fields:
        """Its fields."""
        path = self.folder / f"fields_{self.hour:g}.npz"
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files if file[name].ndim == 3}
                return Fields(arrays, {str(k): str(v) for k, v in json.loads(str(file["units"])).items()}, float(file["dx_um"]))
        except (OSError, KeyError, ValueError, AttributeError) as error:
            raise RunError(f"{path} cannot be read as a snapshot of fields ({error})") from None


@dataclass(frozen=True)
class Fields:
    """Fields by name, (nz, ny, nx) float32 each, with their units and the edge of a voxel, um."""

    arrays: dict[str, np.ndarray]
    units: dict[str, str]
    dx_um: float

    @property
    def shape(self) -> tuple[int, ...]:
        """(nz, ny, nx); (0, 0, 0) without any field."""
        return next(iter(self.arrays.values())).shape if self.arrays else (0, 0, 0)

    def centres(self) -> dict[str, np.ndarray]:
        """Centres of the voxels along z, y and x, um."""
        return {axis: (np.arange(n) + 0.5) * self.dx_um for axis, n in zip("zyx", self.shape)}


def snapshots(run: Any, arm: str | None = None, replicate: int | None = None, hour: float | None = None) -> list[Snapshot]:
    """The snapshots of a run in the order of arms, replicates and hours; RunError names what there is where nothing fits."""
    if run.config.get("sweep") and run.points:
        raise RunError(f"{run.path} is a sweep of {len(run.points)} points; expected one of them, e.g. {run.points[0].path}")
    home = run.path.resolve()
    within = [name for name in run.arms if (home / name).resolve().parent == home]  # an arm called ../x is no folder of the run
    found = [s for name in within for s in _of_arm(run.path / name, name)]
    if not found:
        raise RunError(f"{run.path} has no snapshots yet")
    for key, wanted in zip(KEYS, (arm, replicate, hour)):
        if wanted is not None:
            there = list(dict.fromkeys(getattr(s, key) for s in found))
            found = [s for s in found if getattr(s, key) == wanted]
            if not found:
                raise RunError(_unknown(key, wanted, there))
    return found


def _of_arm(folder: Path, arm: str) -> list[Snapshot]:
    out = []
    for path in folder.glob("rep-*/cells_*.h5ad"):
        replicate, hour = _REPLICATE.fullmatch(path.parent.name), _HOUR.fullmatch(path.name)
        if replicate and hour:
            out.append(Snapshot(path.parent, arm, int(replicate[1]), float(hour[1])))
    return sorted(out, key=lambda s: s.key)


def _unknown(key: str, wanted: Any, there: Sequence[Any]) -> str:
    words = [f"{t:g}" if isinstance(t, float) else str(t) for t in there]
    near = get_close_matches(str(wanted), words, 1)
    shown = f"{wanted:g}" if isinstance(wanted, float) else str(wanted)
    return f"{key}: there is no snapshot of {key} '{shown}'; expected one of {', '.join(words)}" + (f"; did you mean '{near[0]}'?" if near else "")


def is_text(values: np.ndarray) -> bool:
    """Whether a column holds words."""
    return values.dtype.kind in "OUS"


def kinds_of(tables: Iterable[dict[str, np.ndarray]]) -> dict[str, bool]:
    """Column -> whether it holds words, of all columns of the tables, in order of appearance."""
    out: dict[str, bool] = {}
    for table in tables:
        for name, values in table.items():
            out[name] = out.get(name, False) or is_text(values)
    return out


def stacked(chosen: Sequence[Snapshot]) -> dict[str, np.ndarray]:
    """The cells of several snapshots in one table, arm, replicate and hour first; NaN or '' where a snapshot lacks a column."""
    tables = [s.cells() for s in chosen]
    sizes = [len(t["uid"]) for t in tables]
    out = {
        "arm": np.repeat(np.array([s.arm for s in chosen], dtype=object), sizes),
        "replicate": np.repeat([s.replicate for s in chosen], sizes),
        "hour": np.repeat([s.hour for s in chosen], sizes),
    }
    for name, words in kinds_of(tables).items():
        parts = [t.get(name, np.full(n, "" if words else np.nan, dtype=object if words else np.float32)) for t, n in zip(tables, sizes)]
        out[name] = np.concatenate([p.astype(object) for p in parts] if words else parts)
    return out


def to_pandas(run: Any, table: str = "cells", arm: str | None = None, replicate: int | None = None, hour: float | None = None) -> pd.DataFrame:
    """One tidy table: `cells` (a row per cell and snapshot), `fields` (per voxel and snapshot), `series` or `summary`."""
    if table not in TABLES:
        raise RunError(f"there is no table '{table}'; expected one of {', '.join(TABLES)}")
    if table in ("series", "summary"):
        found = run.series() if table == "series" else run.summary_rows()
        for key, wanted in zip(KEYS, (arm, replicate, hour)):
            if wanted is not None and key in found:
                found = found[found[key] == wanted]
        return found.reset_index(drop=True)
    chosen = snapshots(run, arm, replicate, hour)
    if table == "fields":
        return pd.concat([fields_frame(s) for s in chosen], ignore_index=True)
    frame = pd.DataFrame(stacked(chosen))
    for name in frame.columns:
        if name != "uid" and is_text(frame[name].to_numpy()):
            frame[name] = pd.Categorical(frame[name].replace("", np.nan))
    return frame


def fields_frame(snapshot: Snapshot) -> pd.DataFrame:
    """A row per voxel: arm, replicate, hour, z_um, y_um, x_um and one column a field."""
    fields = snapshot.fields()
    z, y, x = np.meshgrid(*fields.centres().values(), indexing="ij")
    keys = dict(zip(KEYS, snapshot.key))
    return pd.DataFrame({**keys, "z_um": z.ravel(), "y_um": y.ravel(), "x_um": x.ravel(), **{n: a.ravel() for n, a in fields.arrays.items()}})


def to_anndata(run: Any, arm: str | None = None, replicate: int | None = None, hour: float | None = None) -> Any:
    """The cells as `anndata.AnnData`: obs with categories, obsm["spatial"] in um, `sample` the snapshot a cell is of."""
    need("anndata", "spatial", "to_anndata")
    import anndata

    chosen = snapshots(run, arm, replicate, hour)
    cells = stacked(chosen)
    at = np.column_stack([cells.pop(n).astype(float) for n in ("x_um", "y_um", "z_um") if n in cells])
    obs = pd.DataFrame({**cells, "sample": sample_of(chosen, cells)}, index=names_of(cells, len(chosen) > 1))
    for name in obs.columns:
        if name != "uid" and is_text(obs[name].to_numpy()):
            obs[name] = pd.Categorical(obs[name].replace("", np.nan))
    obs["uid"] = cells["uid"].astype(str)
    return anndata.AnnData(obs=obs, obsm={"spatial": at}, uns=about(run, chosen))


def sample_of(chosen: Sequence[Snapshot], cells: dict[str, np.ndarray]) -> np.ndarray:
    """For every cell the name of its snapshot: what squidpy calls a library."""
    name = {s.key: s.name for s in chosen}
    return np.array([name[k] for k in zip(cells["arm"], cells["replicate"].tolist(), cells["hour"].tolist())], dtype=object)


def names_of(cells: dict[str, np.ndarray], several: bool) -> np.ndarray:
    """A name for every cell that no other has: its uid, behind its snapshot where there are several."""
    if not several:
        return cells["uid"].astype(object)
    rows = zip(cells["arm"], cells["replicate"].tolist(), cells["hour"].tolist(), cells["uid"])
    return np.array([f"{a}/{r}/{h:g}/{u}" for a, r, h, u in rows], dtype=object)


def about(run: Any, chosen: Sequence[Snapshot]) -> dict[str, Any]:
    """What goes with the cells: which run, the unit of length, the edge of a voxel."""
    first = chosen[0].about()
    keep: dict[str, Any] = {k: first[k] for k in ("dx_um", "spatial_unit") if k in first}
    return {"run": run.path.resolve().name, "config": stored_digest(run.path) or "", "snapshots": len(chosen), **keep}


def to_xarray(run: Any, arm: str | None = None, replicate: int | None = None, hour: float | None = None, fields: Iterable[str] | None = None) -> Any:
    """The fields as one `xarray.Dataset` over arm, replicate, time (h), z, y, x (um), NaN where there is no snapshot.

    It is held in memory: `fields` names those that are wanted, by default all.
    """
    need("xarray", "spatial", "to_xarray")
    import xarray

    chosen = snapshots(run, arm, replicate, hour)
    frame = Frame.of(run, chosen, fields)
    arrays = {n: np.full(frame.shape, np.nan, np.float32) for n in frame.units}
    for snapshot in chosen:
        for name, values in frame.of_snapshot(snapshot).items():
            arrays[name][frame.place(snapshot)] = values
    variables = {n: (frame.dims, a, {"units": frame.units[n]}) for n, a in arrays.items()}
    return xarray.Dataset(variables, frame.coordinates(), frame.attributes)


@dataclass(frozen=True)
class Frame:
    """Where every snapshot lies in one array over arm, replicate, time, z, y, x."""

    axes: dict[str, np.ndarray]
    units: dict[str, str]
    attributes: dict[str, Any]
    dims = ("arm", "replicate", "time", "z", "y", "x")

    @classmethod
    def of(cls, run: Any, chosen: Sequence[Snapshot], fields: Iterable[str] | None = None) -> Frame:
        """The frame of some snapshots; RunError where lattices differ or a field is unknown."""
        first = chosen[0].fields()
        units = dict(first.units)
        for s in chosen[1:]:
            found = s.fields()
            if found.shape != first.shape or found.dx_um != first.dx_um:
                raise RunError(f"{s.name} has another lattice than {chosen[0].name}: they do not fit into one dataset")
            units.update({k: v for k, v in found.units.items() if k not in units})
        wanted = list(units) if fields is None else list(fields)
        for name in wanted:
            if name not in units:
                raise RunError(_unknown("field", name, list(units)))
        axes: dict[str, np.ndarray] = {
            "arm": np.array(list(dict.fromkeys(s.arm for s in chosen))),
            "replicate": np.array(sorted({s.replicate for s in chosen})),
            "time": np.array(sorted({s.hour for s in chosen})),
            **first.centres(),
        }
        more = {"dx_um": first.dx_um, "run": run.path.resolve().name, "config": stored_digest(run.path) or ""}
        return cls(axes, {n: units[n] for n in wanted}, more)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(len(self.axes[d]) for d in self.dims)

    def coordinates(self) -> dict[str, Any]:
        """Coordinates with their units: time in h since day 0, places in um."""
        units = {"time": {"units": "h", "long_name": "hours since day 0"}, **{a: {"units": "um"} for a in "zyx"}}
        return {name: (name, values, units.get(name, {})) for name, values in self.axes.items()}

    def place(self, snapshot: Snapshot) -> tuple[int, int, int]:
        """Indices of a snapshot along the first three axes."""
        where = [np.flatnonzero(self.axes[d] == v) for d, v in zip(self.dims, snapshot.key)]
        return int(where[0][0]), int(where[1][0]), int(where[2][0])

    def of_snapshot(self, snapshot: Snapshot) -> dict[str, np.ndarray]:
        """The wanted fields that a snapshot has."""
        return {n: a for n, a in snapshot.fields().arrays.items() if n in self.units}
