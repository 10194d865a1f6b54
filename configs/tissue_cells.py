"""Write tissue_cells.csv, a made-up field of a tumour: run `python configs/tissue_cells.py` to make it again.

The same numbers on every machine: positions come from the fractional parts of multiples of irrational
numbers, and no random generator is involved.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

TYPES = (  # name, cells, radius of the disc they fill, um
    ("melanoma", 640, 330.0),
    ("T_CD8", 60, 400.0),
    ("T_reg", 20, 380.0),
    ("TAM", 64, 380.0),
    ("cDC", 8, 420.0),
    ("fibroblast", 60, 450.0),
)


def spread(i: int, step: float) -> float:
    """i-th term of a low-discrepancy sequence on 0-1."""
    return (0.5 + i * step) % 1.0


def rows():
    """cell_id, x_um, y_um, cell_type, slc7a11 (arbitrary units)."""
    number = 0
    for k, (kind, count, radius) in enumerate(TYPES):
        for i in range(count):
            r = radius * math.sqrt(
                spread(i, 0.7548776662) if kind != "T_CD8" else 0.5 + 0.5 * spread(i, 0.7548776662)
            )
            angle = 2.0 * math.pi * spread(i + 97 * k, 0.5698402910)
            level = (
                100.0 * math.exp(0.35 * (2.0 * spread(i, 0.6180339887) - 1.0)) if kind == "melanoma" else 0.0
            )
            yield (
                number,
                round(500.0 + r * math.cos(angle), 1),
                round(500.0 + r * math.sin(angle), 1),
                kind,
                round(level, 1),
            )
            number += 1


if __name__ == "__main__":
    with open(Path(__file__).with_name("tissue_cells.csv"), "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("cell_id", "x_um", "y_um", "cell_type", "slc7a11"))
        out.writerows(rows())
