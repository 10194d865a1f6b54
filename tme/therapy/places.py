"""Where an event happens: voxels of the whole domain, of the tumour, of vessels, of a ball or of a box."""

from __future__ import annotations

from typing import Any

import numpy as np


def inside(model: Any, place: Any) -> np.ndarray:
    """Mask (n_voxels,) of a place of a config; of everything for None."""
    everywhere = np.ones(model.grid.n_voxels, bool)
    if place is None or place.kind == "everywhere":
        return everywhere
    if place.kind == "tumour":
        return model.lattice.inside_um() > 0.0
    if place.kind == "vessels":
        everywhere[:] = False
        everywhere[model.vessels.voxels] = True
        return everywhere
    position = model.lattice.position_um(np.arange(model.grid.n_voxels))[: model.grid.ndim]
    if place.kind == "ball":
        return sum((p - c) ** 2 for p, c in zip(position, place.centre_um)) <= place.radius_um**2
    for p, low, high in zip(position, place.from_um, place.to_um):
        everywhere &= (p >= low) & (p <= high)
    return everywhere


def beyond(model: Any, face: str) -> np.ndarray:
    """Distance (n_voxels,) um of each voxel's centre from a face of the domain, "x_low" to "z_high"."""
    axis = "xyz".index(face[0])
    position = model.lattice.position_um(np.arange(model.grid.n_voxels))[axis]
    extent = (model.grid.nx, model.grid.ny, model.grid.nz)[axis] * model.grid.dx_um
    return position if face.endswith("low") else extent - position
