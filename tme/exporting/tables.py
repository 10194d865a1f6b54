"""`--to csv`: a folder of tidy tables, UTF-8 with a header and commas.

cells.csv one row per cell and snapshot, fields.csv one per voxel and snapshot, series.csv and summary.csv those of the run
(of the chosen arm and replicate), columns.csv the unit of every column that has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.experiments.snapshots import KEYS, Snapshot, fields_frame, kinds_of
from tme.exporting.contract import Choice, Format
from tme.exporting.units import unit_of


class Tables(Format):
    """Tables of comma-separated values."""

    name, about, ending = "csv", "tidy tables of cells, fields and series", "-csv"

    def is_folder(self, path: Path) -> bool:
        """Always."""
        return True

    def write(self, run: Any, choice: Choice, place: Path) -> tuple[str, ...]:
        """The folder; tables are written snapshot by snapshot."""
        chosen = choice.of(run)
        write_cells(place / "cells.csv", chosen)
        units = write_fields(place / "fields.csv", chosen)
        for table in ("series", "summary"):
            found = run.to_pandas(table, choice.arm, choice.replicate, choice.hour if table == "series" else None)
            if len(found.columns):
                found.to_csv(place / f"{table}.csv", index=False, lineterminator="\n")
        write_units(place / "columns.csv", chosen, units)
        return ()


def write_cells(path: Path, chosen: Sequence[Snapshot]) -> None:
    """cells.csv; all snapshots have the columns of all."""
    columns = list(kinds_of(s.cells() for s in chosen))
    with open(path, "w", encoding="utf-8", newline="") as file:
        for k, snapshot in enumerate(chosen):
            cells = snapshot.cells()
            n = len(cells["uid"])
            keys = {name: np.repeat(np.array([v], dtype=object), n) for name, v in zip(KEYS, snapshot.key)}
            frame = pd.DataFrame({**keys, **{c: cells.get(c, np.full(n, np.nan)) for c in columns}})
            frame.to_csv(file, index=False, header=k == 0, lineterminator="\n")


def write_fields(path: Path, chosen: Sequence[Snapshot]) -> dict[str, str]:
    """fields.csv; returns the units of the fields."""
    units: dict[str, str] = {}
    for snapshot in chosen:
        units.update(snapshot.fields().units)
    with open(path, "w", encoding="utf-8", newline="") as file:
        for k, snapshot in enumerate(chosen):
            frame = fields_frame(snapshot)
            frame = frame.reindex(columns=[*frame.columns[:6], *units])
            frame.to_csv(file, index=False, header=k == 0, lineterminator="\n")
    return units


def write_units(path: Path, chosen: Sequence[Snapshot], units: dict[str, str]) -> None:
    """columns.csv: table, column, unit."""
    cells = [{"table": "cells", "column": c, "unit": u} for c in kinds_of(s.cells() for s in chosen[:1]) if (u := unit_of(c))]
    fields = [{"table": "fields", "column": n, "unit": u} for n, u in {"z_um": "um", "y_um": "um", "x_um": "um", **units}.items()]
    pd.DataFrame([{"table": "all", "column": "hour", "unit": "h"}, *cells, *fields]).to_csv(path, index=False, lineterminator="\n")
