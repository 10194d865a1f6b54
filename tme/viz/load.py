"""Read a run directory: configuration, series, summary, cells and fields, nothing else.

>>> run = Run("runs/four_arms-0123abcd")            # doctest: +SKIP
>>> run.arms, run.hours("control", 0)               # doctest: +SKIP
>>> run.cells("control", 0, 24.0, ["oxygen"])       # doctest: +SKIP
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tme.statistics.arms import UNTREATED, control_arm
from tme.statistics.common_hour import last_common_hour
from tme.viz.files import read_h5ad, read_json, read_table, read_yaml

THERAPY_KINDS = ("drugs", "antibodies", "nanoparticles", "events", "radiation")
_WHO = {"arm", "replicate", "hour"}
SAME_SNAPSHOT_H = 3.0  # simulations that stopped early left their last snapshot at odd hours
NUMBER = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"


class Missing(Exception):
    """A figure cannot be drawn from this run; the message says what is not there."""


@dataclass(frozen=True)
class Dose:
    """One treatment of one arm: its kind (drugs, antibodies ...), name, days and the amount in words."""

    kind: str
    name: str
    days: tuple[float, ...]
    amount: str
    route: str = ""


class Run:
    """A run directory, read lazily.

    Arms come with the control first, then by number of treatments, so that combinations follow their parts;
    within that in the order of the configuration.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise FileNotFoundError(f"no run directory at {self.folder}")
        self.config = read_yaml(self.folder / "config.resolved.yaml")
        self.provenance = read_json(self.folder / "provenance.json")
        self.summary = read_table(self.folder / "summary.csv")
        self.sweep = read_table(self.folder / "sweep.csv")

    @property
    def name(self) -> str:
        return str(self.config.get("name") or self.folder.name)

    @cached_property
    def series(self) -> pd.DataFrame:
        """series.csv; where it is absent, the series of the single simulations one below the other."""
        table = read_table(self.folder / "series.csv")
        if table.empty or not set(table) >= _WHO:
            parts = [read_table(p) for p in sorted(self.folder.glob("*/rep-*/series.csv"))]
            parts = [p for p in parts if not p.empty and set(p) >= _WHO]
            table = pd.concat(parts) if parts else pd.DataFrame({"arm": [], "replicate": [], "hour": []})
        if "day" not in table:
            table["day"] = table["hour"] / 24.0
        table["arm"] = table["arm"].astype(str)
        return table.sort_values(["arm", "replicate", "hour"], kind="stable").reset_index(drop=True)

    @cached_property
    def arms(self) -> list[str]:
        places = [*self.folder.glob("*/rep-*"), *self.folder.glob("sweep-*/*/rep-*")]
        present = set(self.series["arm"]) | {p.parent.name for p in places}
        order = [str(a) for a in (self.config.get("arms") or {}) if str(a) in present]
        order += sorted(present - set(order))
        control = self._control_of(order)
        treated = sorted((a for a in order if a != control), key=lambda a: len(self.doses.get(a, [])))
        return ([control] if control else []) + treated

    @property
    def measured(self) -> list[str]:
        """Arms that have rows in the series (others may be running still)."""
        return [a for a in self.arms if a in self._replicates]

    @property
    def control(self) -> str | None:
        """The untreated arm, once it has results to compare with."""
        found = self._control_of(self.arms)
        return found if found in self.measured else None

    @property
    def reference(self) -> str:
        """The control arm where one is needed."""
        if self.control is None:
            raise Missing("no untreated control arm")
        return self.control

    def _control_of(self, arms: list[str]) -> str | None:
        """The arm without any treatment; a name settles it where several are empty, or where the config says nothing."""
        therapies = {str(a): t for a, t in (self.config.get("arms") or {}).items()}
        told = control_arm(therapies)
        if told in arms and (len(arms) > 1 or told.lower() in UNTREATED):
            return told
        return next((a for a in arms if a.lower() in UNTREATED and a not in therapies), None)

    @cached_property
    def doses(self) -> dict[str, list[Dose]]:
        """Treatments of each arm of the configuration, those of combined arms (`use`) included."""
        therapies = {str(k): v or {} for k, v in (self.config.get("arms") or {}).items()}
        return {arm: self._doses_of(arm, therapies, set()) for arm in therapies}

    def _doses_of(self, arm: str, therapies: dict, seen: set[str]) -> list[Dose]:
        if arm in seen or not isinstance(therapies.get(arm), dict):
            return []
        seen = seen | {arm}
        found: list[Dose] = []
        for other in as_list(therapies[arm].get("use")):
            found += self._doses_of(str(other), therapies, seen)
        for kind in THERAPY_KINDS:
            for entry in as_list(therapies[arm].get(kind)):
                found.append(_dose(kind, entry))
        return list(dict.fromkeys(found))

    @property
    def dose_days(self) -> list[tuple[str, tuple[float, ...]]]:
        """(agent, days) over all arms shown, each agent once."""
        agents: dict[str, set[float]] = {}
        for arm in self.arms:
            for dose in self.doses.get(arm, []):
                agents.setdefault(dose.name, set()).update(dose.days)
        return [(name, tuple(sorted(days))) for name, days in agents.items() if days]

    def replicates(self, arm: str) -> list[int]:
        return self._replicates.get(arm, [])

    @cached_property
    def _replicates(self) -> dict[str, list[int]]:
        groups = self.series.groupby("arm")["replicate"]
        return {str(a): sorted(int(r) for r in found.unique()) for a, found in groups}

    @cached_property
    def recorded(self) -> dict[tuple[str, int], np.ndarray]:
        """Hours (sorted) that each simulation, by arm and replicate, has rows for."""
        groups = self.series.groupby(["arm", "replicate"])["hour"]
        return {(str(a), int(r)): np.unique(hours.to_numpy(float)) for (a, r), hours in groups}

    @cached_property
    def last_common_hour(self) -> float:
        """The last hour recorded by every simulation (h since treatment start)."""
        found = last_common_hour(self.recorded.values())
        if found is None:  # nothing recorded, or nothing in common: each is read at its last row before this hour
            return min((float(h[-1]) for h in self.recorded.values()), default=0.0)
        return found

    def matrix(self, arm: str, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Days (n_time,) and values (n_replicates, n_time) of a column; NaN after an early stop.

        Hours that a running replicate did not record (another one's last row) are left out.
        """
        if column not in self.series:
            raise Missing(f"series.csv has no column {column}")
        hours, rows, places, keep = self._layout(arm)
        wide = np.full((len(self.replicates(arm)), hours.size), np.nan)
        wide[places] = self.series[column].to_numpy()[rows].astype(float)
        return hours[keep] / 24.0, wide[:, keep]

    def _layout(self, arm: str) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
        """Of an arm: all hours, its rows of the series (the last of each moment), their (replicate, hour) and hours to keep."""
        if arm not in self._layouts:
            rows = np.flatnonzero(self._arm_of == arm)
            replicates = self.replicates(arm)
            hours, at = np.unique(self.series["hour"].to_numpy(float)[rows], return_inverse=True)
            who = np.searchsorted(replicates, self.series["replicate"].to_numpy()[rows])
            keep = np.ones(hours.size, bool)
            for replicate in replicates:
                mine = self.recorded[arm, replicate]
                keep &= np.isin(hours, mine) | (hours > mine[-1]) | (hours < mine[0])
            self._layouts[arm] = hours, rows, (who, at), keep
        return self._layouts[arm]

    @cached_property
    def _layouts(self) -> dict:
        return {}

    @cached_property
    def _arm_of(self) -> np.ndarray:
        return self.series["arm"].to_numpy(dtype=object)

    def at(self, arm: str, column: str, hour: float | None = None) -> pd.Series:
        """Values of a column by replicate, each from its last row up to an hour (default.

        The last common).
        """
        hour = self.last_common_hour if hour is None else hour
        if column not in self.series:
            raise Missing(f"series.csv has no column {column}")
        rows = self._rows_at(arm, float(hour))
        found = np.where(rows >= 0, self.series[column].to_numpy()[rows].astype(float), np.nan)
        return pd.Series(found, index=self.replicates(arm))

    def _rows_at(self, arm: str, hour: float) -> np.ndarray:
        """Rows of the series, one per replicate: the last up to an hour, or the first where none of the arm is as early; -1 is none."""
        if (arm, hour) not in self._ends:
            rows = np.flatnonzero(self._arm_of == arm)
            before = rows[self.series["hour"].to_numpy(float)[rows] <= hour + 1e-6]
            who = self.series["replicate"].to_numpy()
            chosen = {int(who[r]): r for r in (before if before.size else rows[::-1])}
            self._ends[arm, hour] = np.array([chosen.get(r, -1) for r in self.replicates(arm)], int)
        return self._ends[arm, hour]

    @cached_property
    def _ends(self) -> dict:
        return {}

    def has(self, column: str) -> bool:
        """Whether the series has this column with at least one number in it."""
        return column in self.series and bool(
            pd.to_numeric(self.series[column], errors="coerce").notna().any()
        )

    @cached_property
    def paired(self) -> bool:
        """Whether replicate r of every arm has the same seed (then arms are compared pair by pair)."""
        if not {"seed", "replicate"} <= set(self.summary):
            return True
        return bool((self.summary.groupby("replicate")["seed"].nunique() <= 1).all())

    def simulation(self, arm: str, replicate: int) -> Path:
        return self.folder / arm / f"rep-{replicate:03d}"

    def hours(self, arm: str, replicate: int, kind: str = "cells") -> list[float]:
        """Hours of the snapshots of a simulation; `kind` is cells or fields."""
        if (arm, replicate, kind) not in self._hours:
            ending = {"cells": "h5ad", "fields": "npz"}[kind]
            pattern = re.compile(rf"{kind}_{NUMBER}\.{ending}$")
            found = (pattern.match(p.name) for p in self.simulation(arm, replicate).glob(f"{kind}_*.{ending}"))
            self._hours[arm, replicate, kind] = sorted(float(m.group(1)) for m in found if m)
        return list(self._hours[arm, replicate, kind])

    @cached_property
    def _hours(self) -> dict[tuple[str, int, str], list[float]]:
        return {}

    def nearest(self, arm: str, replicate: int, hour: float, kind: str = "cells") -> float | None:
        """The snapshot hour nearest to an hour, None beyond the tolerance of 3 h."""
        found = min(self.hours(arm, replicate, kind), key=lambda h: abs(h - hour), default=None)
        return found if found is not None and abs(found - hour) <= SAME_SNAPSHOT_H else None

    def cells(self, arm: str, replicate: int, hour: float, columns: list[str] | None = None):
        """Columns of the cells snapshot at (or within 3 h of) an hour; see `read_h5ad`."""
        found = self.nearest(arm, replicate, hour)
        if found is None:
            raise FileNotFoundError(f"no cells of {arm} {replicate} at hour {hour:g}")
        return read_h5ad(self.simulation(arm, replicate) / f"cells_{found:g}.h5ad", columns)

    def _fields_file(self, arm: str, replicate: int, hour: float):
        found = self.nearest(arm, replicate, hour, "fields")
        if found is None:
            raise FileNotFoundError(f"no fields of {arm} {replicate} at hour {hour:g}")
        return np.load(self.simulation(arm, replicate) / f"fields_{found:g}.npz", allow_pickle=False)

    def fields(
        self, arm: str, replicate: int, hour: float
    ) -> tuple[dict[str, np.ndarray], dict[str, str], float]:
        """Fields (nz, ny, nx), their units, and the voxel edge in um."""
        with self._fields_file(arm, replicate, hour) as file:
            return _arrays(file)

    @staticmethod
    def read_fields(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str], float]:
        """`fields` of one file."""
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            return _arrays(file)

    def field(self, arm: str, replicate: int, hour: float, name: str) -> tuple[np.ndarray | None, float]:
        """One field (nz, ny, nx), None where it was not kept, and the voxel edge in um."""
        with self._fields_file(arm, replicate, hour) as file:
            dx = float(file["dx_um"]) if "dx_um" in file.files else 20.0
            return (file[name] if name in file.files else None), dx

    @cached_property
    def units(self) -> dict[str, str]:
        """Units of the fields, from the first fields snapshot."""
        for path in sorted(self.folder.glob("*/rep-*/fields_*.npz"))[:1]:
            with np.load(path, allow_pickle=False) as file:
                return json.loads(str(file["units"])) if "units" in file.files else {}
        return {}

    def shared_hours(self, pairs: list[tuple[str, int]], kind: str = "cells") -> list[float]:
        """Snapshot hours that all the given (arm, replicate) have, or have within 3 h."""
        if not pairs:
            return []
        first = self.hours(*pairs[0], kind)
        return [h for h in first if all(self.nearest(*pair, h, kind) is not None for pair in pairs)]

    def apart(self, pairs: list[tuple[str, int]], hours: list[float], kind: str = "cells") -> str:
        """A sentence for captions where snapshots shown as one are not of the same hour."""
        gaps = [abs((self.nearest(*pair, h, kind) or h) - h) for pair in pairs for h in hours]
        return (
            f" Snapshots shown together are up to {max(gaps):.1f} h apart."
            if max(gaps, default=0) > 0.05
            else ""
        )

    @cached_property
    def lattice(self) -> tuple[tuple[int, int, int] | None, float]:
        """Lattice shape (nz, ny, nx), None where no fields were kept, and the voxel edge in um."""
        for path in sorted(self.folder.glob("*/rep-*/fields_*.npz")):
            with np.load(path, allow_pickle=False) as file:
                dx = float(file["dx_um"]) if "dx_um" in file.files else 20.0
                for name in file.files:
                    if file[name].ndim == 3:
                        return file[name].shape, dx
        domain = self.config.get("domain") or {}
        return None, float(domain.get("dx_um", domain.get("voxel_um", 20.0)))

    @cached_property
    def events(self) -> list[dict]:
        found = []
        for path in [self.folder / "events.jsonl", *sorted(self.folder.glob("*/rep-*/events.jsonl"))]:
            if path.exists():
                for line in path.read_text(encoding="utf-8").splitlines():
                    try:
                        event = json.loads(line)
                    except ValueError:
                        continue
                    if isinstance(event, dict):
                        found.append(event)
        return found


def _arrays(file) -> tuple[dict[str, np.ndarray], dict[str, str], float]:
    """Fields (nz, ny, nx), units and voxel edge (um) of an open fields_<hour>.npz."""
    read = {k: file[k] for k in file.files}
    arrays = {k: v for k, v in read.items() if v.ndim == 3}
    units = json.loads(str(read["units"])) if "units" in read else {}
    return arrays, units, float(read["dx_um"]) if "dx_um" in read else 20.0


def as_list(value) -> list:
    """A list as it is, nothing as an empty one, anything else as a list of one."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _dose(kind: str, entry) -> Dose:
    entry = entry if isinstance(entry, dict) else {"name": entry}
    days = []
    for day in as_list(entry.get("day", entry.get("days"))):
        try:
            days.append(float(day))
        except (TypeError, ValueError):
            continue
    amounts = [
        f"{v:g} {_unit(k)}"
        for k, v in entry.items()
        if k.startswith(("dose", "bath", "fluence", "intensity", "celsius", "minutes", "count", "per_mm2")) and isinstance(v, (int, float))
    ]
    if isinstance(entry.get("share"), (int, float)):
        amounts.append(f"{100 * entry['share']:g} %")
    name = str(entry.get("name") or ("radiation" if kind == "radiation" else kind))
    if entry.get("cells"):
        amounts.insert(0, str(entry["cells"]))
    return Dose(kind, name, tuple(days), ", ".join(amounts), str(entry.get("route") or ""))


def _unit(key: str) -> str:
    """`dose_mg_kg` -> mg/kg, `dose_gy` -> Gy, `bath_uM` -> µM, `fluence_mw_cm2` -> mW/cm²."""
    unit = key.removeprefix("dose").removeprefix("bath").removeprefix("fluence").removeprefix("intensity").strip("_")
    known = {
        "mw_cm2": "mW/cm²",
        "w_cm2": "W/cm²",
        "celsius": "°C",
        "minutes": "min",
        "nm": "nM",
        "count": "cells",
        "per_mm2": "cells/mm²",
        "mg_kg": "mg/kg",
        "gy": "Gy",
        "um": "µM",
        "ug_kg": "µg/kg",
        "ng_ml": "ng/mL",
        "ug": "µg",
        "mg": "mg",
    }
    return known.get(unit.lower(), unit.replace("_", "/"))
