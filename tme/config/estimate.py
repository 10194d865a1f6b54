"""What a run will cost: cell-hours, minutes, memory; printed by `tme check`.

A rough forecast from two measured rates (one core of a 2024 server), not part of any result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

US_PER_VOXEL_TICK = 0.018  # fields: solves at their clocks, averaged over ticks
US_PER_CELL_TICK = 0.05  # chemistry, motion, contacts, book-keeping
DOUBLING_D = 5.0  # of the tumours in configs/, untreated
BYTES_PER_CELL = 450
BYTES_PER_VOXEL = 200


@dataclass(frozen=True)
class Prediction:
    """Forecast of one experiment."""

    simulations: int
    cell_hours: float
    seconds: float
    memory_bytes: float

    def lines(self) -> list[str]:
        """For people."""
        many = "s" * (self.simulations != 1)
        time, memory = duration(self.seconds), f"{self.memory_bytes / 1e6:.0f} MB"
        return [
            f"{self.simulations} simulation{many}, about {self.cell_hours:.3g} cell-hours in all",
            f"about {time} on one core, divided by --jobs; {memory} per simulation",
        ]


def duration(seconds: float) -> str:
    """Seconds in words."""
    for size, word in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {word}"
    return f"{seconds:.0f} s"


def predict(config: Any) -> Prediction:
    """Forecast, assuming every arm grows like an untreated tumour."""
    voxels = math.prod(max(1, round(s / config.domain.dx_um)) for s in config.domain.size_um)
    days = config.horizon_day - config.start_day
    ticks = days * 1440.0 / config.clocks.dt_min
    cells = mean_cells(start_cells(config, voxels), days, voxels)
    branch = config.branch_at_day
    share = 1.0 if branch is None else (config.horizon_day - branch) / days
    points = math.prod(len(v) if isinstance(v, list) else int(v["n"]) for v in config.sweep.values())
    arms = len(config.arms) * share + (0.0 if branch is None else 1.0 - share)
    runs = arms * config.replicates * points
    seconds = 1e-6 * ticks * (voxels * US_PER_VOXEL_TICK + cells * US_PER_CELL_TICK)
    return Prediction(
        simulations=len(config.arms) * config.replicates * points,
        cell_hours=runs * cells * days * 24.0,
        seconds=runs * seconds,
        memory_bytes=3e8 + voxels * BYTES_PER_VOXEL + 2.0 * cells * BYTES_PER_CELL,
    )


def start_cells(config: Any, voxels: int) -> float:
    """Tumour cells at the start."""
    start = getattr(config.initial, "base", config.initial)
    if start.kind == "cells":
        try:
            with open(start.file, "rb") as file:
                return float(
                    max(1, sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1)
                )
        except OSError:
            return 0.0
    return start.occupancy * voxels if start.kind == "monolayer" else float(start.n_cells)


def mean_cells(start: float, days: float, voxels: int) -> float:
    """Mean over the run of exponential growth, capped by the room there is."""
    rate = math.log(2.0) / DOUBLING_D
    return min(start * math.expm1(rate * days) / (rate * days), 0.8 * voxels) if days > 0 else start
