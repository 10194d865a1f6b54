"""Write codex_field.csv, made-up cells in the form of a CODEX table: run `python configs/codex_field.py` to make it again.

Two images of a tumour, one with T cells. Cells some 7 um from the next around a gap in which T cells lie; tumour cells near
them are positive for PD-L1. The same numbers on every machine: no random generator is involved.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

COLUMNS = ("cell_id", "AbsoluteY", "AbsoluteX", "H2Db", "H2Kb", "PD1", "PDL1", "Region", "Cell Type", "IFNg")
SPACING_UM = 11.5
WIDE_UM, HIGH_UM = 230.0, 270.0
GAP_UM = (140.0, 100.0, 38.0)  # x, y and radius of the gap


def spread(i: int, step: float) -> float:
    """i-th term of a low-discrepancy sequence on 0-1."""
    return (0.5 + i * step) % 1.0


def cell(number: int, x: float, y: float, region: str, kind: str) -> tuple:
    """One row; intensities in arbitrary units, each type's own level with a lognormal-like spread."""
    level = {"PDL1n": (2000, 2600, 2100, 5800), "PDL1p": (3000, 4200, 2300, 18000), "PD1p": (8200, 9000, 36000, 33000),
             "PD1n": (9900, 8000, 11900, 33000), "unclear": (900, 900, 900, 900)}[kind]  # fmt: skip
    marks = [round(m * math.exp(0.8 * (spread(number + 31 * k, 0.7548776662) - 0.5)), 1) for k, m in enumerate(level)]
    return (number, round(y, 2), round(x, 2), *marks, region, kind, 0)


def image(region: str, t_cells: bool, first: int):
    """The cells of one image."""
    cx, cy, radius = GAP_UM
    number = first
    for j in range(int(HIGH_UM / (SPACING_UM * 0.866))):
        for i in range(int(WIDE_UM / SPACING_UM)):
            x = (i + 0.5 + 0.5 * (j % 2) + 0.95 * (spread(number, 0.5698402910) - 0.5)) * SPACING_UM
            y = (j * 0.866 + 0.5 + 0.95 * (spread(number, 0.6180339887) - 0.5)) * SPACING_UM
            far = math.hypot(x - cx, y - cy)
            if far < radius or x >= WIDE_UM:
                continue
            near = t_cells and far < radius + 45.0 * spread(number, 0.3247179572)
            kind = "PDL1p" if near or spread(number, 0.8191725134) < 0.014 else "unclear" if number % 97 == 5 else "PDL1n"
            yield cell(number, x, y, region, kind)
            number += 1
    for k in range(9 if t_cells else 0):
        angle, r = 2.399963 * k, radius * math.sqrt((k + 0.5) / 9) * 0.9
        yield cell(number, cx + r * math.cos(angle), cy + r * math.sin(angle), region, "PD1p" if k % 3 else "PD1n")
        number += 1


if __name__ == "__main__":
    with open(Path(__file__).with_name("codex_field.csv"), "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        out.writerows(image("untreated", False, 1))
        out.writerows(image("t_cells", True, 1001))
