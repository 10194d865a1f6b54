"""What the viewer asks of a run directory: an index of its moments, each moment as a frame, the cells' descent.

Reads only, and what is there now: a run that is still written, one that was stopped, a copy, a broken one.
"""

from __future__ import annotations

import re
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tme import statistics
from tme.viz import style
from tme.viz.files import read_h5ad, read_uids
from tme.viz.load import NUMBER, Missing, Run
from tme.viz.maps import DRAW_ORDER
from tme.viz.space import typical_replicates
from tme.viz.viewer import frames, labels, live, tracks

FORMAT = 1
SHOWN_FIRST = 4  # arms that a page shows at once
QUIET_S = 120.0  # an unfinished run that wrote nothing for so long is not running
SIMULATION = re.compile(r"(?:sweep-\d+/)?[^/]+/rep-\d+")
SNAPSHOT = re.compile(rf"cells_{NUMBER}\.h5ad$")
KEPT = re.compile(rf"{NUMBER}\.frame$")
CURVE_POINTS = 120
REPORT_COLUMNS = (*labels.STATES, "pdl1", "mhc1", "exhaustion", "m1", "mature", "kills")


WHOLE = frames.Detail(levels=254)
FAULTS = (OSError, KeyError, ValueError, RuntimeError, BadZipFile, zlib.error, struct.error)  # of files cut short or overwritten


class Unreadable(Exception):
    """A moment cannot be shown; the message is a sentence for the reader."""


@dataclass(frozen=True)
class Moment:
    """One moment of a simulation: where its files lie and how they are read."""

    hour: float
    path: Path
    kind: str  # snapshot (h5ad and npz), frame (ready), live (frame.bin)

    @property
    def stamp(self) -> int:
        """Changes when the file does."""
        return self.path.stat().st_mtime_ns


class Source:
    """A run directory for the viewer."""

    def __init__(self, folder: str | Path, detail: frames.Detail = WHOLE) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise FileNotFoundError(f"no run directory at {self.folder}")
        self.detail = detail
        self._places: dict[tuple[str, int], Path] = {}
        self._frame = lru_cache(maxsize=24)(self._make)
        self._tracks = lru_cache(maxsize=16)(self._follow)
        self._mothers = lru_cache(maxsize=16)(self._descend)

    # ---- what is there ----------------------------------------------------------------------------
    def simulations(self) -> Iterator[tuple[str, int, Path]]:
        """(arm, replicate, folder) of all simulations; arms of a sweep carry their point: `sweep-000/control`."""
        for path in sorted([*self.folder.glob("*/rep-*"), *self.folder.glob("sweep-*/*/rep-*")]):
            if path.is_dir() and SIMULATION.fullmatch(path.relative_to(self.folder).as_posix()):
                yield path.parent.relative_to(self.folder).as_posix(), int(path.name[4:]), path

    def moments(self, arm: str, replicate: int) -> list[Moment]:
        """The moments of a simulation by hour; the live picture only where it is later than the rest."""
        place = self._place(arm, replicate)
        found: dict[float, Moment] = {}
        for pattern, names, kind in ((KEPT, place.glob("frames/*.frame"), "frame"), (SNAPSHOT, place.glob("cells_*.h5ad"), "snapshot")):
            for path in names:
                if match := pattern.fullmatch(path.name):
                    found[float(match[1])] = Moment(float(match[1]), path, kind)
        picture = place / "frame.bin"
        if picture.exists() and not (place / "DONE").exists():
            hour = live.hour_of(picture)
            if hour is not None and hour > max(found, default=-np.inf):
                found[hour] = Moment(hour, picture, "live")
        return [found[h] for h in sorted(found)]

    def _place(self, arm: str, replicate: int) -> Path:
        known = self._places.get((arm, replicate))
        if known is not None and known.is_dir():
            return known
        for a, r, path in self.simulations():
            if (a, r) == (arm, replicate):
                self._places[arm, replicate] = path
                return path
        raise Unreadable(f"There is no simulation {arm} {replicate} in this run.")

    # ---- the index --------------------------------------------------------------------------------
    def index(self, run: Run | None = None) -> dict[str, Any]:
        """Arms, moments, curves, names and colours, and what state the run is in, ready for JSON; `run` where it was read already."""
        run = Run(self.folder) if run is None else run
        there: dict[str, dict[str, list]] = {}
        for arm, replicate, _ in self.simulations():
            listed = [{"hour": m.hour, "id": repr(m.hour), "live": m.kind == "live", "stamp": str(m.stamp)} for m in self.moments(arm, replicate)]
            if listed:
                there.setdefault(arm, {})[str(replicate)] = listed
        order = [a for a in run.arms if a in there] + sorted(set(there) - set(run.arms))
        told = [*run.arms, *(a for a in order if a not in run.arms)] if run.sweep.empty else order  # curves there are without snapshots too
        colours = style.arm_colours(told, run.control)
        state, sentence = self._state(run, bool(there))
        return {
            "format": FORMAT, "name": run.name, "state": state, "sentence": sentence,
            "arms": [{"key": a, "name": _arm_name(a), "colour": colours[a], "replicates": there[a]} for a in order],
            "chosen": _chosen(run, there),
            "types": _types(), "fates": _fates(), "curves": _curves(run, told, colours),
            "doses": [{"name": style.arm_name(n), "days": list(d)} for n, d in run.dose_days],
        }  # fmt: skip

    def _state(self, run: Run, pictures: bool) -> tuple[str, str]:
        """done, running, stopped, empty or broken, with the sentence that a reader needs."""
        places = [p for _, _, p in self.simulations()] + list(self.folder.glob("growth/branch-*"))
        done = sum((p / "DONE").exists() for p in places)
        finished = bool(places) and done == len(places)
        if not run.config:
            return "broken", "config.resolved.yaml is missing or cannot be read: this is not a complete run directory. What can be read is shown."
        failed = [p for p in places if (p / "error.txt").exists() and not (p / "DONE").exists()]
        if failed:
            names = ", ".join(p.relative_to(self.folder).as_posix() for p in failed[:3])
            return "broken", f"{len(failed)} of {len(places)} simulations failed ({names}); the rest is shown."
        if finished and pictures:
            return "done", ""
        if finished:
            return "empty", "This run kept no snapshots of cells: set output.snapshot_days in its config to see them. Its curves are shown."
        last = max((f.stat().st_mtime for p in places for f in p.glob("*") if f.is_file()), default=self.folder.stat().st_mtime)
        if time.time() - last < QUIET_S:
            return "running", f"Running: {done} of {len(places)} simulations done." if places else "The run begins; nothing is written yet."
        if not places:
            return "empty", "No simulation has written anything into this run directory yet."
        return "stopped", f"Unfinished: {done} of {len(places)} simulations done, and nothing was written lately. `tme run` on it completes it."

    # ---- moments ----------------------------------------------------------------------------------
    def frame(self, arm: str, replicate: int, hour: float) -> bytes:
        """The frame of a moment; `Unreadable` says why there is none."""
        for moment in self.moments(arm, replicate):
            if abs(moment.hour - hour) < 1e-6:
                return self._frame(arm, replicate, moment, moment.stamp)
        raise Unreadable(f"{_arm_name(arm)}, replicate {replicate}, has no snapshot at hour {hour:g}.")

    def first(self) -> list[tuple[str, int, float]]:
        """(arm, replicate, hour) of the moments that a page shows first: the last of each of four arms."""
        index, out = self.index(), []
        number = next((str(r) for r in index["chosen"].values()), "0")
        for arm in index["arms"][:SHOWN_FIRST]:
            key, there = arm["key"], arm["replicates"]
            replicate = number if number in there else str(index["chosen"][key])
            out.append((key, int(replicate), there[replicate][-1]["hour"]))
        return out

    def _make(self, arm: str, replicate: int, moment: Moment, _stamp: int) -> bytes:
        about = {"arm": arm, "replicate": replicate, "hour": moment.hour}
        if not moment.path.resolve().is_relative_to(self.folder.resolve()):
            raise Unreadable(f"{moment.path.name} leads out of the run directory and is not shown.")
        try:
            if moment.kind == "frame":
                return moment.path.read_bytes()
            if moment.kind == "live":
                return live.convert(moment.path, about, self.detail)
            kept = self.detail.columns
            cells = read_h5ad(moment.path, None if kept is None else [*frames.CODES, *kept], without=("uid",))
            arrays, units, dx = self._fields(moment)
            number = self._numbers(arm, replicate).get(moment.hour)
            return frames.make(cells, arrays, units, dx, about, number, self.detail, labels.column)
        except FAULTS as fault:
            name = moment.path.relative_to(self.folder).as_posix()
            raise Unreadable(f"{name} cannot be read ({type(fault).__name__}); it may be cut short.") from fault

    def _fields(self, moment: Moment) -> tuple[dict[str, np.ndarray], dict[str, str], float]:
        path = moment.path.with_name(moment.path.name.replace("cells_", "fields_").replace(".h5ad", ".npz"))
        if not path.exists():
            return {}, {}, Run(self.folder).lattice[1]
        arrays, units, dx = Run.read_fields(path)
        return {k: v for k, v in arrays.items() if k not in ("vessel", "vessels")}, units, dx

    def _follow(self, place: Path, stamps: tuple) -> tuple[dict[float, np.ndarray], np.ndarray]:
        """Track numbers by hour, and the uid of each track, of a simulation's snapshots."""
        hours, uids = [], []
        for hour, path, _ in stamps:
            try:
                found = read_uids(path)
            except FAULTS:
                continue  # a torn snapshot: mothers are looked for across it
            if found is not None and found.size:
                hours.append(hour)
                uids.append(found)
        number, uid = tracks.numbers(uids)
        return dict(zip(hours, number)), uid

    def _descend(self, place: Path, stamps: tuple) -> bytes:
        return tracks.pack(*tracks.mothers(self._tracks(place, stamps)[1]))  # asked for by a click: pictures do not wait for it

    def _snapshots(self, arm: str, replicate: int) -> tuple[Path, tuple]:
        found = [m for m in self.moments(arm, replicate) if m.kind == "snapshot"]
        return self._place(arm, replicate), tuple((m.hour, m.path, m.stamp) for m in found)

    def _numbers(self, arm: str, replicate: int) -> dict[float, np.ndarray]:
        return self._tracks(*self._snapshots(arm, replicate))[0]

    def descent(self, arm: str, replicate: int) -> bytes:
        """The table of mothers of a simulation, see `tracks.pack`."""
        return self._mothers(*self._snapshots(arm, replicate))


def _arm_name(arm: str) -> str:
    point, _, name = arm.rpartition("/")
    return f"{point}: {style.arm_name(name)}" if point else style.arm_name(name)


def _chosen(run: Run, there: dict[str, dict]) -> dict[str, int]:
    """The replicate that each arm shows first: the one nearest to the arms' means, as in the figures."""
    try:
        typical: dict[str, int] = typical_replicates(run)
    except (Missing, OSError, ValueError, KeyError):
        typical = {}
    return {a: typical[a] if str(typical.get(a)) in found else int(min(found, key=int)) for a, found in there.items()}


def _types() -> list[dict[str, Any]]:
    """Cell types from the bottom to the top of the picture; others take `own` colours in the browser."""
    return [{"key": k, "name": style.CELL_NAMES.get(k, k), "colour": style.CELL_COLOURS[k]} for k in DRAW_ORDER]


def _fates() -> list[dict[str, Any]]:
    return [{"key": k, "name": f"dead: {style.FATE_NAMES[k]}", "colour": c} for k, c in style.FATE_COLOURS.items()]


def _curves(run: Run, arms: list[str], colours: dict[str, str]) -> list[dict[str, Any]]:
    """Means with 95 % intervals over replicates of what the viewer plots against the scrubber."""
    out = []
    for column, label in labels.GROWTH.items():
        if not run.has(column):
            continue
        lines = {}
        for arm in arms:
            if run.replicates(arm):
                days, values = run.matrix(arm, column)
                keep: Any = np.unique(np.linspace(0, days.size - 1, CURVE_POINTS).round().astype(int)) if days.size else []
                mean, low, high = statistics.band(values[:, keep])
                lines[arm] = {"colour": colours[arm], "hours": _round(24.0 * days[keep]), "mean": _round(mean), "low": _round(np.maximum(low, 0)), "high": _round(high)}
        if lines:
            out.append({"key": column, "name": label, "lines": lines})
    return out


def _round(values: np.ndarray) -> list[float | None]:
    return [float(f"{v:.4g}") if np.isfinite(v) else None for v in values]
