"""Samples from what the user names: tables, groups within a table, snapshots of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tme.config.errors import listed, nearest
from tme.spatial import runs, tables
from tme.spatial.analysis import Sample
from tme.spatial.cell import Cells, SpatialError, cells
from tme.spatial.distances import nearest_um
from tme.spatial.infiltration import READOUTS

TOO_CLOSE_UM, TOO_FAR_UM = 1.0, 200.0  # between neighbours: beyond, the unit is hardly um


@dataclass(frozen=True)
class Gathered:
    """Samples, whether they are of a run, and sentences on what was read and how."""

    samples: tuple[Sample, ...]
    simulated: bool
    told: tuple[str, ...]


def from_tables(paths: Sequence[Path], how: tables.Reading) -> Gathered:
    """One sample a table, or a group of its column `how.by`."""
    samples, told = [], []
    names = [p.stem for p in paths]
    for path, stem, read in zip(paths, names, tables.read_all(paths, how)):
        name = stem if names.count(stem) == 1 else str(path)
        named = ", ".join(f"{k} = {v}" for k, v in read.columns.items())
        types = ", ".join(f"{t} {n}" for t, n in sorted(read.found.items(), key=lambda kv: -kv[1]))
        told.append(f"{path.name}: {named}; types {types}" + (f"; {read.left_out} cells left out" if read.left_out else ""))
        for group, found in read.groups.items():
            label = f"{name}: {group}" if group else name
            samples.append(Sample({"sample": label}, found, label))
            told += _doubt(label, found)
    return Gathered(tuple(samples), False, tuple(told))


def _doubt(label: str, found: Cells) -> list[str]:
    """A remark where neighbours lie so close or far that the unit is hardly um."""
    some = nearest_um(found, np.ones(found.n, bool))
    middle = float(np.median(some))
    size = " x ".join(f"{s:.0f}" for s in found.window.size)
    if TOO_CLOSE_UM <= middle <= TOO_FAR_UM:
        return []
    return [f"{label}: neighbours lie {middle:.3g} um apart in a window of {size} um; is --unit right?"]


def from_run(run: Path, arms: Sequence[str] = (), hours: Sequence[float] = (), marks: Sequence[str] = (), needed: Sequence[str] = ()) -> Gathered:
    """One sample a snapshot; deaths of a simulation are gathered over all its snapshots up to each, also of hours that are not asked for.

    SpatialError where no snapshot has a needed mark.
    """
    asked = runs.snapshots(run, arms, hours)
    last: dict[tuple[str, int], float] = {}
    for one in asked:
        last[one.arm, one.replicate] = max(one.hour, last.get((one.arm, one.replicate), one.hour))
    every = [s for s in runs.snapshots(run, arms) if s.hour <= last.get((s.arm, s.replicate), -np.inf)]
    window, by_hour = runs.domain(run), runs.densities(run)
    samples: list[Sample] = []
    frames: dict[tuple[str, int], list[pd.DataFrame]] = {}
    for one in every:
        of, frame = runs.cells_of(one, window, marks)
        before = frames.setdefault((one.arm, one.replicate), [])
        before.append(frame[[c for c in ("uid", "fate", "death_hour", "spatial_0", "spatial_1", "spatial_2") if c in frame]])
        if one not in asked:
            continue
        keys = {"arm": one.arm, "replicate": one.replicate, "hour": one.hour}
        samples.append(Sample(keys, of, one.arm, _with_deaths(of, before), _densities(by_hour, keys)))
    for mark in needed:
        if not any(mark in s.cells.marks for s in samples):
            near = nearest(mark, frame.columns)
            raise SpatialError(f"--mark: no snapshot has a column '{mark}'; expected {listed(frame.columns)}" + (f"; did you mean '{near}'?" if near else ""))
    what = f"{run.name}: {len(samples)} snapshots of {len({s.keys['arm'] for s in samples})} arms"
    return Gathered(tuple(samples), True, (what,))


def _with_deaths(of: Cells, frames: Sequence[pd.DataFrame]) -> Cells | None:
    """The living of a snapshot and all ferroptotic deaths known by then; None where no earlier snapshot adds any."""
    gone = runs.deaths_so_far(frames)
    if len(frames) < 2 or not len(gone):
        return None
    at = gone[[f"spatial_{k}" for k in range(of.ndim)]].to_numpy(float)
    living = of.where(~of.dead)
    points = np.concatenate([living.points, at])
    names = np.concatenate([np.array(living.types)[living.code], np.full(len(at), tables.DEAD)])
    hours = np.concatenate([np.full(living.n, np.nan), gone["death_hour"].to_numpy(float)])
    try:
        return cells(points, names, of.window, death_hour=hours)
    except SpatialError:  # fewer than two cells, or one type too many with this one
        return None


def _densities(series: pd.DataFrame, keys: dict) -> dict[str, float] | None:
    """CD8 densities of the hour, None where the series does not tell."""
    if not len(series):
        return None
    mine = series[(series["arm"].astype(str) == keys["arm"]) & (series["replicate"] == keys["replicate"]) & (np.abs(series["hour"] - keys["hour"]) < 1e-6)]
    return {k: float(mine[k].iloc[0]) for k in READOUTS} if len(mine) else None
