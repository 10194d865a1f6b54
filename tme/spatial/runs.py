"""Snapshots of run directories as cells, by arm, replicate and hour. Reads files only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.config.errors import listed, nearest
from tme.spatial.cell import Cells, SpatialError
from tme.spatial.infiltration import READOUTS
from tme.spatial.tables import assemble, read_h5ad
from tme.spatial.window import Window, box

_SNAPSHOT = re.compile(r"^cells_(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\.h5ad$")
_REPLICATE = re.compile(r"^rep-(\d+)$")
CONFIG = "config.resolved.yaml"


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of a run: where it lies and what it is of."""

    path: Path
    arm: str
    replicate: int
    hour: float


def is_run(path: Path) -> bool:
    """Whether a path is a run directory."""
    return path.is_dir() and (path / CONFIG).is_file()


def config_of(run: Path) -> dict[str, Any]:
    """The resolved config as plain data; SpatialError where it cannot be read."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load((run / CONFIG).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise SpatialError(f"{run / CONFIG} cannot be read: {' '.join(str(error).split())}") from error
    return found if isinstance(found, dict) else {}


def snapshots(run: Path, arms: Sequence[str] = (), hours: Sequence[float] = ()) -> list[Snapshot]:
    """All snapshots, or those of some arms and hours. SpatialError where there are none, or no such arm or hour."""
    order = [str(a) for a in config_of(run).get("arms") or {}]
    found = []
    for folder in sorted(run.iterdir()):
        for rep in sorted(folder.glob("rep-*")) if folder.is_dir() else ():
            if (number := _REPLICATE.match(rep.name)) is None:
                continue
            named = ((p, _SNAPSHOT.match(p.name)) for p in rep.iterdir())
            found += [Snapshot(p, folder.name, int(number[1]), float(m[1])) for p, m in named if m]
    if not found:
        points = sorted(p.name for p in run.glob("sweep-*") if is_run(p))
        expected = f"one of its points, e.g. {run / points[0]}" if points else "a run that has kept snapshots (output.snapshots) and come to one"
        raise SpatialError(f"{run} holds no snapshots of cells; expected {expected}")
    known_arms = sorted({s.arm for s in found}, key=lambda a: (order.index(a) if a in order else len(order), a))
    known_hours = sorted({s.hour for s in found})
    for arm in arms:
        if arm not in known_arms:
            near = nearest(arm, known_arms)
            raise SpatialError(f"--arm: no snapshots of '{arm}'; expected {listed(known_arms)}" + (f"; did you mean '{near}'?" if near else ""))
    for hour in hours:
        if not np.isclose(hour, known_hours, atol=1e-6).any():
            raise SpatialError(f"--hour: no snapshot at hour {hour:g}; expected one of {', '.join(f'{h:g}' for h in known_hours)}")
    keep = [s for s in found if (not arms or s.arm in arms) and (not hours or np.isclose(s.hour, hours, atol=1e-6).any())]
    return sorted(keep, key=lambda s: (known_arms.index(s.arm), s.hour, s.replicate))


def domain(run: Path) -> Window | None:
    """The simulated box; None where the config does not say."""
    size = (config_of(run).get("domain") or {}).get("size_um")
    try:
        edges = np.array([float(v) for v in size or ()])
    except (TypeError, ValueError):
        return None
    return box(np.zeros(len(edges)), edges) if len(edges) in (2, 3) and (edges > 0).all() else None


def cells_of(one: Snapshot, window: Window | None, marks: Sequence[str] = ()) -> tuple[Cells, pd.DataFrame]:
    """Cells of a snapshot in the simulated box, and the table they come from; marks that it lacks are left out.

    SpatialError where the file is broken or no snapshot of this program.
    """
    try:
        frame = read_h5ad(one.path)
        at = frame[[f"spatial_{k}" for k in range(3) if f"spatial_{k}" in frame]].to_numpy(float)
        if window is not None and at.shape[1] > window.ndim:
            at = at[:, : window.ndim]
        hours = pd.to_numeric(frame["death_hour"], errors="coerce").to_numpy(float) if "death_hour" in frame else np.full(len(frame), np.nan)
        values = {m: pd.to_numeric(frame[m], errors="coerce").to_numpy(float) for m in marks if m in frame}
        fate = frame["fate"].astype(str).to_numpy() if "fate" in frame else np.full(len(frame), "alive")
        return assemble(at, frame["cell_type"], fate, hours, values, window), frame
    except (OSError, KeyError, ValueError, SpatialError) as error:
        raise SpatialError(f"{one.path} is no snapshot of cells that can be read: {' '.join(str(error).split())}") from error


def deaths_so_far(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Ferroptotic deaths of one simulation over its snapshots, each cell once: corpses are cleared in time, so that no snapshot has all."""
    kept = [f[f["fate"].astype(str) == "ferroptosis"] for f in frames if "fate" in f and "death_hour" in f]
    kept = [f for f in kept if len(f)]
    if not kept:
        return pd.DataFrame()
    whole = pd.concat(kept, ignore_index=True)
    return whole.drop_duplicates("uid") if "uid" in whole else whole


def densities(run: Path) -> pd.DataFrame:
    """CD8 densities as a section shows them (`tme.readouts`): arm, replicate, hour and `infiltration.READOUTS`; empty where the series lacks them."""
    try:
        table = pd.read_csv(run / "series.csv")
    except (OSError, ValueError):
        return pd.DataFrame()
    needed = ["arm", "replicate", "hour", *READOUTS]
    return table[needed] if all(c in table for c in needed) else pd.DataFrame()
