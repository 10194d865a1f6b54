"""Reading a run directory, finished or not: `tme.load(folder)`."""

from __future__ import annotations

import json
import re
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from tme.experiments import files
from tme.experiments.h5ad import read_h5ad
from tme.experiments.run_directory import (
    CONFIG,
    PROVENANCE,
    RunError,
    holder,
    is_claimed,
    is_done,
    read_config,
)

# pandas 2 rounds floats unless told (36 % of random doubles change); 3.1 is exact and deprecates the option
_EXACT: dict[str, Any] = (
    {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
)
_CELLS = re.compile(r"^cells_(.+)\.h5ad$")


class StopWarning(UserWarning):
    """Simulations that ended at different hours are about to be read side by side."""


class Run:
    """A run directory.

    `exit_code` (0 done, 3 some failed, 75 interrupted) and `failed` are those of the call that made it; for a
    directory opened by `load` they are what the files say.
    """

    def __init__(
        self, folder: str | Path, exit_code: int | None = None, failed: tuple[str, ...] | None = None
    ) -> None:
        self.path = Path(folder)
        if not (self.path / CONFIG).is_file():
            raise RunError(f"{self.path} is not a run directory (no {CONFIG})")
        self.report_path: Path | None = next(iter(self.path.glob("report.html")), None)
        self._exit_code, self._failed = exit_code, failed

    shown: ClassVar[Any] = None  # (plots of a folder, HTML of a folder): set by `tme`, so that reading needs no drawing

    @property
    def plot(self) -> Any:
        """Its figures, one by one: `run.plot.growth()`, `run.plot.maps()` ... (`dir(run.plot)` lists them)."""
        if self.shown is None:
            raise AttributeError("figures are drawn for runs opened by tme.load or tme.run")
        return self.shown[0](self.path)

    def _repr_html_(self) -> str | None:
        return self.shown[1](self.path) if self.shown is not None else None

    def __repr__(self) -> str:
        return f"<Run {self.path}: arms {', '.join(self.arms)}>"

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration as plain mappings."""
        return read_config(self.path)

    @property
    def provenance(self) -> dict[str, Any]:
        """provenance.json."""
        return files.read_json(self.path / PROVENANCE)

    @property
    def arms(self) -> list[str]:
        """Arms in the order of the configuration."""
        return [str(a) for a in (self.config.get("arms") or {})]

    @property
    def points(self) -> list[Run]:
        """The sweep points as runs of their own; empty without a sweep."""
        return [Run(p) for p in sorted(self.path.glob("sweep-*")) if (p / CONFIG).is_file()]

    @property
    def failed(self) -> tuple[str, ...]:
        """Folders of the simulations that failed."""
        if self._failed is None:
            self._failed = tuple(
                s["folder"] for s in status(self.path)["simulations"] if s["state"] == "failed"
            )
        return self._failed

    @property
    def exit_code(self) -> int:
        """0 all done, 3 some failed, 75 some not finished."""
        if self._exit_code is None:
            states = {s["state"] for s in status(self.path)["simulations"] if s["arm"] is not None}
            self._exit_code = 3 if "failed" in states else 75 if states - {"done"} else 0
        return self._exit_code

    def simulation(self, arm: str, replicate: int = 0) -> Path:
        """Folder of one simulation."""
        return self.path / arm / f"rep-{replicate:03d}"

    def series(self) -> pd.DataFrame:
        """One row per arm, replicate and hour; of a running run, what has been written so far."""
        table = read_table(self.path / "series.csv")
        if len(table):
            return table
        parts = [
            read_table(p) for arm in self.arms for p in sorted((self.path / arm).glob("rep-*/series.csv"))
        ]
        parts = [p for p in parts if len(p)]
        return pd.concat(parts, ignore_index=True) if parts else table

    def summary(self) -> pd.DataFrame:
        """One row per simulation: arm, replicate, seed, and where it ended, each at its own last moment.

        Where a simulation stopped early (`stopped`) its endpoints are of another day than the others';
        `endpoints` reads all at one hour, and a warning says so here.
        """
        table = self.summary_rows()
        if "final_hour" in table and table["final_hour"].nunique() > 1:
            warnings.warn(f"{self.path}: {self._stopped_words()}; Run.endpoints() reads all at one hour", StopWarning, stacklevel=2)
        return table

    def summary_rows(self) -> pd.DataFrame:
        """summary.csv as it is, for readers that do not compare simulations."""
        return read_table(self.path / "summary.csv")

    def stopped(self) -> dict[tuple, tuple[float, str]]:
        """(arm, replicate) -> (hour it ended, why), of simulations that ended before the horizon.

        With a sweep the number of the point comes first.
        """
        table = self.summary_rows()
        if "stop_reason" not in table:
            return {}
        keys = [k for k in ("sweep", "arm", "replicate") if k in table]
        early = table[[isinstance(why, str) and why != "" for why in table["stop_reason"]]]
        return {
            tuple(row[k] for k in keys): (float(row["final_hour"]), str(row["stop_reason"]))
            for row in early.to_dict("records")
        }

    def _stopped_words(self) -> str:
        early = [f"{'/'.join(map(str, key))} on day {hour / 24:.2f}" for key, (hour, _why) in self.stopped().items()]
        return f"not all simulations ended at the same hour (stopped early: {', '.join(early) or 'none'})"

    def last_common_hour(self) -> float:
        """The last hour (h) that every simulation recorded: what comparisons read."""
        from tme.experiments.compare import common_hour

        return common_hour(self)

    def endpoints(self, day: float | None = None) -> pd.DataFrame:
        """One row of the series per simulation, all at one day: by default the last that all recorded.

        `StoppedEarly` (a ValueError) names the simulations that stopped before the day asked for.
        """
        from tme.experiments.compare import common_hour, rows_at

        return rows_at(self, common_hour(self, day))

    def compare(self, day: float | None = None, fold: float = 2.0) -> Any:
        """The run compared: its primary question first, all else exploratory (`comparison.Comparison`; print it).

        `day` for the exploratory tables, by default the last that all recorded; `fold` is the size, in multiples of that on
        day 0, whose time is told. `StoppedEarly` (a ValueError) where not all simulations recorded the day.
        """
        from tme.experiments.comparison import compare

        return compare(self, day, fold)

    def hours(self, arm: str | None = None, replicate: int = 0) -> list[float]:
        """Hours (since day 0) of the snapshots of one simulation, by default the first arm's."""
        folder = self.simulation(arm if arm is not None else self.arms[0], replicate)
        found = (_CELLS.match(p.name) for p in folder.glob("cells_*.h5ad"))
        return sorted(float(m.group(1)) for m in found if m)

    def cells(self, arm: str, replicate: int = 0, hour: float | None = None) -> Any:
        """Cells of a snapshot (default the last): AnnData where anndata is installed, else a DataFrame."""
        path = self._snapshot("cells", "h5ad", arm, replicate, hour)
        if find_spec("anndata"):
            import anndata

            return anndata.read_h5ad(path)
        return pd.DataFrame(read_h5ad(path)).set_index("uid")

    def fields(self, arm: str, replicate: int = 0, hour: float | None = None) -> Any:
        """Fields of a snapshot (default the last): xarray.Dataset over (z, y, x) in um, or a dict."""
        path = self._snapshot("fields", "npz", arm, replicate, hour)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if file[name].ndim == 3}
            dx, units, at = float(file["dx_um"]), json.loads(str(file["units"])), float(file["hour"])
        if not find_spec("xarray"):
            return arrays
        import xarray

        shape = next(iter(arrays.values())).shape
        centres = {axis: (np.arange(n) + 0.5) * dx for axis, n in zip("zyx", shape)}
        values = {n: (tuple("zyx"), a, {"units": units.get(n, "")}) for n, a in arrays.items()}
        return xarray.Dataset(values, centres, {"hour": at, "dx_um": dx})

    def to_pandas(self, table: str = "cells", arm: str | None = None, replicate: int | None = None, hour: float | None = None) -> pd.DataFrame:
        """One tidy table: `cells`, `fields`, `series` or `summary` (`snapshots.to_pandas`)."""
        from tme.experiments import snapshots

        return snapshots.to_pandas(self, table, arm, replicate, hour)

    def to_anndata(self, arm: str | None = None, replicate: int | None = None, hour: float | None = None) -> Any:
        """The cells as AnnData, as scanpy and squidpy take it (`snapshots.to_anndata`)."""
        from tme.experiments import snapshots

        return snapshots.to_anndata(self, arm, replicate, hour)

    def to_xarray(self, arm: str | None = None, replicate: int | None = None, hour: float | None = None, fields: Any = None) -> Any:
        """The fields as one Dataset over arm, replicate, time, z, y, x (`snapshots.to_xarray`)."""
        from tme.experiments import snapshots

        return snapshots.to_xarray(self, arm, replicate, hour, fields)

    def _snapshot(self, kind: str, ending: str, arm: str, replicate: int, hour: float | None) -> Path:
        there = self.hours(arm, replicate)
        if hour is None and there:
            hour = there[-1]
        path = (
            self.simulation(arm, replicate) / f"{kind}_{hour if hour is None else format(hour, 'g')}.{ending}"
        )
        if not path.is_file():
            known = ", ".join(f"{h:g}" for h in there) or "none"
            raise FileNotFoundError(
                f"no {kind} of {arm}, replicate {replicate} at hour {hour}; there are: {known}"
            )
        return path


def load(folder: str | Path) -> Run:
    """Open a run directory."""
    return Run(folder)


def read_table(path: Path) -> pd.DataFrame:
    """A CSV table with every digit as written; empty where it is absent or empty."""
    try:
        return pd.read_csv(path, **_EXACT)
    except (OSError, pd.errors.EmptyDataError):
        return pd.DataFrame()


def status(folder: str | Path, verify: bool = False) -> dict[str, Any]:
    """What is done, running, failed, part-done or waiting; `verify` computes all checksums anew."""
    root = Path(folder)
    if not (root / CONFIG).is_file():
        raise RunError(f"{root} is not a run directory (no {CONFIG})")
    listed = files.read_json(root / PROVENANCE).get("simulations", [])
    simulations = [{**s, **_state(root / s["folder"], verify)} for s in listed]
    counts: dict[str, int] = {}
    for one in simulations:
        if one["arm"] is not None:
            counts[one["state"]] = counts.get(one["state"], 0) + 1
    return {"path": str(root), "writer": holder(root), "counts": counts, "simulations": simulations}


def _state(folder: Path, verify: bool) -> dict[str, Any]:
    if is_done(folder, verify):
        done = files.read_json(folder / "DONE")
        return {"state": "done", "hour": done.get("hour"), "stop_reason": done.get("stop_reason")}
    if is_claimed(folder):
        return {"state": "running", "hour": _last_hour(folder)}
    if (folder / "error.txt").is_file():
        lines = (folder / "error.txt").read_text(encoding="utf-8").strip().splitlines() or ["?"]
        return {"state": "failed", "hour": _last_hour(folder), "error": lines[-1]}
    if any((folder / slot).is_file() for slot in ("checkpoint_a", "checkpoint_b")):
        return {"state": "part-done", "hour": _last_hour(folder)}
    return {"state": "waiting", "hour": None}


def _last_hour(folder: Path) -> float | None:
    table = read_table(folder / "series.csv")
    return float(table["hour"].iloc[-1]) if len(table) and "hour" in table else None
