"""Concentrations on the lattice, by a sparse direct solver.

    dc/dt = D lap c - decay c - loss c - vmax c/(k_m + c) + source + exchange (vessel - c)

Seven-point (2D: five-point) Laplacian, no flux through faces that are not periodic; a fixed face holds the
field's initial value half a voxel beyond the outermost voxels: + 2 D/dx^2 (initial - c) there. Backward
Euler over the field's clock, or the steady state (`quasi_steady`). Saturating uptake by Newton's method.
Units: D um2/min; decay, loss, exchange 1/min; vmax, source concentration/min.
"""

import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import spsolve

FACES = [(0, 0, 1), (0, 0, -1), (0, 1, 0), (0, -1, 0), (1, 0, 0), (-1, 0, 0)]


def laplacian(lattice):
    """(n, n) matrix of sum over face neighbours (c_j - c_i) / dx^2."""
    rows, columns, values = [], [], []
    for v in range(lattice.n_voxels):
        for face in FACES:
            if lattice.flat and face[0] != 0:
                continue
            w = lattice.shifted(v, face)
            if w is not None:
                rows += [v, v]
                columns += [w, v]
                values += [1.0, -1.0]
    return coo_matrix((values, (rows, columns)), shape=(lattice.n_voxels,) * 2).tocsc() / lattice.dx**2


def fixed_faces(lattice, axes):
    """(n,) number of fixed faces of each voxel; `axes` says which of z, y, x have them."""
    count = np.zeros(lattice.n_voxels)
    for axis in range(3):
        if axes[axis]:
            at = lattice.coordinates[:, axis]
            count += (at == 0).astype(float) + (at == lattice.shape[axis] - 1)
    return count


class Field:
    """One substance; its library `entry` gives D, decay, mode, clock, initial value and vessels."""

    def __init__(self, name, entry, n_voxels, k_m=1.0):
        self.name, self.entry, self.k_m = name, entry, k_m
        self.clock = round(entry.clock_min)
        self.c = np.full(n_voxels, float(entry.initial))
        self.source, self.loss = np.zeros(n_voxels), np.zeros(n_voxels)
        self.exchange, self.vmax = np.zeros(n_voxels), np.zeros(n_voxels)
        self.vessel = float(entry.vessel_value)
        self.wall = np.zeros(n_voxels)

    def solve(self, laplacian, minutes, steady=False):
        """New concentrations `minutes` later, or the steady ones."""
        per_min = 0.0 if steady or self.entry.mode == "quasi_steady" else 1.0 / minutes
        diffusion = -float(self.entry.diffusion) * laplacian
        fixed = per_min + float(self.entry.decay) + self.loss + self.exchange + self.wall
        gain = per_min * self.c + self.source + self.exchange * self.vessel
        gain = gain + self.wall * float(self.entry.initial)
        c = self.c
        for _ in range(60):
            # tangent of vmax c/(k_m + c): slope and what is left at c = 0
            slope = self.vmax * self.k_m / (self.k_m + c) ** 2
            rest = self.vmax * c**2 / (self.k_m + c) ** 2
            new = np.maximum(spsolve((diffusion + diags(fixed + slope)).tocsc(), gain - rest), 0.0)
            change, c = np.abs(new - c).max(), new
            if not self.vmax.any() or change <= 1e-13 * new.max():
                break
        else:
            raise RuntimeError(f"{self.name}: Newton's method did not settle")
        self.c = c
