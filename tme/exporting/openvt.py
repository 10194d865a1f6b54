"""`--to openvt`: the CSV of the OpenVT workshop of 2026, `simID,time,cellID,cellType,x,y`.

One row a living cell and snapshot. simID counts the simulations (arms, then replicates) from 0, cellID the cells of a
simulation in order of appearance, cellType the types by name; time is in h since the simulation's first snapshot, x and y are in
cell diameters, which here are edges of voxels. OpenVT asks for 101 equal times; other numbers are written with a remark.
Columns and the number of times: https://github.com/jmosborne/OpenVt2026Workshop (CC3D_1/code/prepare_submission_csv.py).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tme.experiments.snapshots import Snapshot
from tme.exporting.contract import Choice, Format

HEADER = ("simID", "time", "cellID", "cellType", "x", "y")
TIMES = 101
FINER = "in_x_um", "in_y_um"  # columns of a law that keeps places finer than voxels: from the voxel's corner; 0 where it keeps none


class OpenVT(Format):
    """OpenVT's table of cells."""

    name, about, ending = "openvt", "cells in the CSV of the OpenVT workshop", "-openvt.csv"

    def write(self, run: Any, choice: Choice, place: Path) -> list[str]:
        """The table; returns what the numbers in it stand for."""
        simulations: dict[tuple[str, int], list[Snapshot]] = {}
        for s in choice.of(run):
            simulations.setdefault((s.arm, s.replicate), []).append(s)
        kinds = sorted({str(k) for chosen in simulations.values() for s in chosen for k in np.unique(living(s.cells())["cell_type"].astype(str))})
        code = {kind: k for k, kind in enumerate(kinds)}
        with open(place, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(HEADER)
            for sim, chosen in enumerate(simulations.values()):
                write_simulation(rows, sim, chosen, code)
        notes = [f"cellType {k}: {kind}" for kind, k in code.items()]
        notes += [f"simID {k}: {arm}, replicate {replicate}" for k, (arm, replicate) in enumerate(simulations)]
        return [*notes, *(remark for one, chosen in simulations.items() if (remark := remark_on(one, chosen)))]


def living(cells: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The living cells of a snapshot."""
    alive = cells["fate"].astype(str) == "alive"
    return {name: values[alive] for name, values in cells.items()}


def write_simulation(rows: Any, sim: int, chosen: Sequence[Snapshot], code: dict[str, int]) -> None:
    """The rows of one simulation."""
    number: dict[str, int] = {}
    for s in chosen:
        cells, dx = living(s.cells()), float(s.about()["dx_um"])
        time = f"{s.hour - chosen[0].hour:.10g}"
        at = []
        for axis, finer in zip(("x_um", "y_um"), FINER):
            within = np.nan_to_num(cells.get(finer, np.zeros(len(cells[axis]))))
            at.append(np.where(within > 0.0, cells[axis] - 0.5 * dx + within, cells[axis]))
        for uid, kind, x, y in zip(cells["uid"].tolist(), cells["cell_type"].tolist(), *at):
            rows.writerow((sim, time, number.setdefault(uid, len(number)), code[str(kind)], f"{x / dx:.8g}", f"{y / dx:.8g}"))


def remark_on(one: tuple[str, int], chosen: Sequence[Snapshot]) -> str:
    """What OpenVT would not take of a simulation's times; '' where they are as it wants them."""
    steps = np.diff([s.hour for s in chosen])
    if len(chosen) == TIMES and np.ptp(steps) <= 0.02 * steps.mean():
        return ""
    return f"{one[0]}, replicate {one[1]}: {len(chosen)} snapshots; OpenVT asks for {TIMES} at equal times (output.snapshot_days)"
