"""A moment of a model that runs, as a frame that the viewer keeps: `frames/<hour>.frame` in the folder of a simulation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.viz.viewer import frames, labels

WHOLE = frames.Detail(levels=254)


def encode(cells: dict[str, np.ndarray], fields: dict[str, np.ndarray], units: dict[str, str], dx_um: float, about: dict[str, Any]) -> bytes:
    """The frame of tables as a model gives them: columns (n,) by name with x_um, y_um and z_um, fields (nz, ny, nx)."""
    placed = {name.removesuffix("_um") if name in ("x_um", "y_um", "z_um") else name: values for name, values in cells.items()}
    shown = {name: values for name, values in fields.items() if name not in ("vessel", "vessels")}
    return frames.make(placed, shown, units, dx_um, about, None, WHOLE, labels.column)
