"""What one simulation writes while it runs: series rows, snapshots, frames, checkpoints."""

from __future__ import annotations

import io
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from tme.experiments import files
from tme.experiments.checkpoint import other_slot, write_checkpoint
from tme.experiments.frame import write_frame
from tme.experiments.h5ad import write_h5ad

SIZES = ("tumour_alive", "tumour_area_mm2", "tumour_volume_mm3")  # recorded whatever `metrics` leaves out
LIVE_EVERY_S = 2.0
LIVE_SHARE = 0.02  # of the run time at most goes into the live picture
PER_HOUR = 3840  # clocks are compared in 1/64 min, which every permitted base tick divides exactly


def option(section: Any, name: str, default: Any) -> Any:
    """An entry of a config section, which may be a mapping, an object or absent."""
    found = section.get(name) if isinstance(section, dict) else getattr(section, name, None)
    return default if found is None else found


def units(hours: float) -> int:
    """Hours in 1/64 min."""
    return round(hours * PER_HOUR)


class Recorder:
    """Rows and files of one simulation. What it must remember across a resume is in `memory()`."""

    def __init__(self, folder: files.Folder, config: Any, about: dict[str, Any]) -> None:
        output = config.output
        self.folder, self.about = folder, about
        own: list[Any] = getattr(config, "own_files", list)()  # the user's files, told in every snapshot
        self.own = {f.key: " ".join(f"{Path(x.path).name}:{x.sha256[:16]}" for x in own if x.key == f.key) for f in own}
        self.record_every = max(1, units(float(option(output, "record_every_h", 1.0))))
        self.keep_checkpoints = bool(option(output, "keep_checkpoints", False))
        self.checkpoint_every = units(float(option(output, "checkpoint_every_h", 24.0)))
        days = option(output, "snapshot_days", ()) or (config.horizon_day,)
        self.snapshots = sorted(units(24.0 * float(d)) for d in days)
        metrics = getattr(config, "metrics", None)
        asked = option(getattr(config, "primary", None), "readout", "")
        self.kept = None if metrics is None else {*metrics, *SIZES, asked}
        self.rows: list[dict[str, Any]] = []
        self.last = 0  # time of the last look at the clocks
        self.slot: str | None = None
        self.kept_tick: int | None = None  # of the newest checkpoint that this recorder wrote
        self._next_live = -math.inf

    # ---- memory -----------------------------------------------------------------------------------
    def memory(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"rows": self.rows, "last": self.last}

    def recall(self, memory: dict[str, Any], slot: str | None = None) -> None:
        """Take up again from a checkpoint."""
        self.rows, self.last, self.slot = memory["rows"], memory["last"], slot

    def inherit(self, memory: dict[str, Any]) -> None:
        """Begin with the rows of the growth this arm branches from."""
        self.rows = [
            {**self._who(), **{k: v for k, v in r.items() if k not in self._who()}} for r in memory["rows"]
        ]

    def _who(self) -> dict[str, Any]:
        return {"arm": self.about["arm"], "replicate": self.about["replicate"]}

    # ---- clocks -----------------------------------------------------------------------------------
    def begin(self, model: Any) -> None:
        """The first row, and a snapshot if the first moment is a snapshot day."""
        now = units(model.sim_hour)
        self.last = now
        self.record(model)
        if now in self.snapshots:
            self.snapshot(model)

    def after_step(self, model: Any) -> None:
        """Record, snapshot, checkpoint: whatever clock struck since the last look."""
        now = units(model.sim_hour)
        before, self.last = self.last, now
        if now // self.record_every > before // self.record_every:
            self.record(model)
        if any(before < s <= now for s in self.snapshots):
            self.snapshot(model)
        if self.checkpoint_every and now // self.checkpoint_every > before // self.checkpoint_every:
            self.checkpoint(model)
        self.live(model)

    def live(self, model: Any) -> None:
        """Every two seconds, or less often where it costs much: series.csv and frame.bin for a viewer."""
        begun = time.monotonic()
        if begun >= self._next_live:
            self.write_series()
            self.write_frame(model)
            now = time.monotonic()
            self._next_live = now + max(LIVE_EVERY_S, (now - begun) / LIVE_SHARE)

    # ---- files ------------------------------------------------------------------------------------
    def record(self, model: Any) -> None:
        """Append one row, once per moment."""
        hour = float(model.sim_hour) + 0.0  # never -0
        if self.rows and self.rows[-1]["hour"] == hour:
            return
        row = {**self._who(), "hour": hour, "day": hour / 24.0}
        observed = {k: scalar(v) for k, v in model.observe().items() if k not in row and (self.kept is None or k in self.kept)}
        self.rows.append({**row, **observed})

    def write_series(self) -> None:
        """series.csv of this simulation, whole."""
        files.write_csv(
            self.folder / "series.csv", self.rows, files.columns_of(self.rows) or ["arm", "replicate", "hour"]
        )

    def snapshot(self, model: Any) -> None:
        """cells_<hour>.h5ad and fields_<hour>.npz; a field that is not finite stops the simulation."""
        hour, fields, dx = float(model.sim_hour) + 0.0, model.fields_table(), dx_um(model)
        broken = [name for name, values in fields.items() if not np.isfinite(values).all()]
        if broken:
            raise FloatingPointError(f"not finite at hour {hour:g}: field {', '.join(broken)}")
        about = {**self.about, **self.own, "hour": hour, "day": hour / 24.0, "dx_um": dx, "spatial_unit": "um"}
        flat = bool(fields) and next(iter(fields.values())).shape[0] == 1
        write_h5ad(self.folder / f"cells_{hour:g}.h5ad", model.cells_table(), about, flat)
        write_fields(self.folder / f"fields_{hour:g}.npz", fields, model.field_units(), hour, dx)

    def last_snapshot(self, model: Any) -> None:
        """The last moment of a simulation that stopped early, unless it is kept already."""
        if not (self.folder / f"cells_{float(model.sim_hour) + 0.0:g}.h5ad").exists():
            self.snapshot(model)

    def write_frame(self, model: Any) -> None:
        """frame.bin, the picture of this moment."""
        hour = float(model.sim_hour) + 0.0  # never -0
        last = self.rows[-1] if self.rows else {}
        about = {**self.about, "hour": hour, "day": hour / 24.0, "tick": int(model.tick)}
        about["tumour_alive"] = last.get("tumour_alive")
        write_frame(
            self.folder / "frame.bin",
            model.cells_table(),
            model.fields_table(),
            model.field_units(),
            dx_um(model),
            about,
        )

    def checkpoint(self, model: Any, path: files.File | None = None) -> None:
        """The complete state, into the older of the two slots (or to `path`)."""
        slot = other_slot(self.slot)
        meta = {
            "identity": self.about,
            "tick": int(model.tick),
            "hour": float(model.sim_hour),
            "memory": self.memory(),
        }
        write_checkpoint(path or self.folder / slot, model.state_dict(), meta)
        if path is None:
            self.slot, self.kept_tick = slot, int(model.tick)


def write_fields(
    path: files.File, fields: dict[str, np.ndarray], unit: dict[str, str], hour: float, dx: float
) -> None:
    """fields_<hour>.npz: (nz, ny, nx) float32 per field, `dx_um`, `hour`, `units` (JSON text)."""
    arrays = {name: np.asarray(values, np.float32) for name, values in fields.items()}
    text = json.dumps({name: unit.get(name, "") for name in arrays})
    image = io.BytesIO()
    # numpy's stub reads **arrays as its own keyword allow_pickle
    np.savez_compressed(image, **arrays, dx_um=dx, hour=hour, units=text)  # type: ignore[arg-type]
    with image.getbuffer() as body:
        files.write_bytes(path, body)


def dx_um(model: Any) -> float:
    """Voxel edge in um."""
    return float(model.grid.dx_um)


def scalar(value: Any) -> Any:
    """A plain int, float or text, whatever scalar type a readout returned."""
    if isinstance(value, (bool, int, np.integer, np.bool_)):
        return int(value)
    return value if isinstance(value, str) or value is None else float(value)
