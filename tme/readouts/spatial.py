"""Extent of the tumour and of its vessels."""

from __future__ import annotations

from typing import Any

import numpy as np


def extent(model: Any) -> dict[str, float]:
    """Area and equivalent volume of the voxels with living tumour cells, open vessels.

    In 2D the volume is that of a ball with the section's area, V = 4/3 pi (A/pi)^1.5; in 3D it is the
    occupied volume and the area is that of the ball's great section.
    """
    alive = int((model.tumour.state == 0).sum())
    dx = model.grid.dx_um * 1e-3
    if model.grid.ndim == 2:
        area = alive * dx * dx
        volume = 4.0 / 3.0 * np.pi * (area / np.pi) ** 1.5
    else:
        volume = alive * dx**3
        area = np.pi * (3.0 * volume / (4.0 * np.pi)) ** (2.0 / 3.0)
    return {"tumour_area_mm2": area, "tumour_volume_mm3": volume, "vessels": len(model.vessels.voxels)}
