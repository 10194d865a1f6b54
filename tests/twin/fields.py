"""Concentrations on the lattice, by a sparse direct solver.

    dc/dt = D lap c - decay c - loss c - vmax c/(k_m + c) + source + exchange (vessel - c)

Seven-point (2D: five-point) Laplacian, no flux through faces that are not periodic; a fixed face holds the
field's initial value half a voxel beyond the outermost voxels: + 2 D/dx^2 (initial - c) there. Backward
Euler over the field's clock, or the steady state (`quasi_steady`). Saturating uptake by Newton's method.
A field with `coarsen` 2 or 4 is solved on voxels so many times as wide (where the axes divide): terms are
means over the voxels within, and the result is interpolated linearly along each axis, from one lattice to
the next.
Units: D um2/min; decay, loss, exchange 1/min; vmax, source concentration/min.
"""

import numpy as np
from scipy.sparse import coo_matrix, diags, identity, kron
from scipy.sparse.linalg import spsolve

from twin.lattice import Lattice

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


def along_axis(n, periodic):
    """(n / 2, n) means of two voxels, and (n, n / 2) linear interpolation; a lone voxel stays itself."""
    if n == 1:
        return identity(1), identity(1)
    m = n // 2
    mean, spread = np.zeros((m, n)), np.zeros((n, m))
    for i in range(n):
        mean[i // 2, i] = 0.5
        beside = i // 2 + (1 if i % 2 else -1)
        beside = beside % m if periodic else min(max(beside, 0), m - 1)
        spread[i, i // 2] += 0.75
        spread[i, beside] += 0.25
    return coo_matrix(mean), coo_matrix(spread)


def widened(lattice, coarsen):
    """The lattice a field is solved on, the means that lead there, the interpolation back."""
    mean = back = identity(lattice.n_voxels)
    while coarsen > 1 and all(n == 1 or n % 2 == 0 for n in lattice.shape):
        parts = [along_axis(n, p) for n, p in zip(lattice.shape, lattice.periodic)]
        mean = kron(kron(parts[0][0], parts[1][0]), parts[2][0]) @ mean
        back = back @ kron(kron(parts[0][1], parts[1][1]), parts[2][1])
        shape = [(n + 1) // 2 for n in lattice.shape]
        lattice = Lattice(shape, 2.0 * lattice.dx, 1.0, lattice.periodic, 1)
        coarsen //= 2
    return lattice, mean.tocsr(), back.tocsr()


class Field:
    """One substance; its library `entry` gives D, decay, mode, clock, initial value and vessels."""

    def __init__(self, name, entry, lattice, k_m=1.0, walled=False):
        self.name, self.entry, self.k_m = name, entry, k_m
        n_voxels = lattice.n_voxels
        self.solver_lattice, self.mean, self.back = widened(lattice, 1 if walled else entry.coarsen)
        self.laplacian = laplacian(self.solver_lattice)
        self.clock = round(entry.clock_min)
        self.start(np.full(n_voxels, float(entry.initial)))
        self.source, self.loss = np.zeros(n_voxels), np.zeros(n_voxels)
        self.exchange, self.vmax = np.zeros(n_voxels), np.zeros(n_voxels)
        self.vessel = float(entry.vessel_value)
        self.wall = np.zeros(n_voxels)

    def start(self, c):
        """Set the concentration of every voxel."""
        self.c = np.array(c)
        self.wide = self.mean @ self.c

    def solve(self, minutes, steady=False):
        """New concentrations `minutes` later, or the steady ones."""
        per_min = 0.0 if steady or self.entry.mode == "quasi_steady" else 1.0 / minutes
        diffusion = -float(self.entry.diffusion) * self.laplacian
        fixed = per_min + float(self.entry.decay) + self.mean @ (self.loss + self.exchange + self.wall)
        before = self.wide if self.solver_lattice.n_voxels < self.c.size else self.c  # cells add to c
        gain = per_min * before + self.mean @ (self.source + self.exchange * self.vessel)
        gain = gain + self.mean @ self.wall * float(self.entry.initial)
        vmax, c = self.mean @ self.vmax, before
        for _ in range(60):
            # tangent of vmax c/(k_m + c): slope and what is left at c = 0
            slope = vmax * self.k_m / (self.k_m + c) ** 2
            rest = vmax * c**2 / (self.k_m + c) ** 2
            new = np.maximum(spsolve((diffusion + diags(fixed + slope)).tocsc(), gain - rest), 0.0)
            change, c = np.abs(new - c).max(), new
            if not vmax.any() or change <= 1e-13 * new.max():
                break
        else:
            raise RuntimeError(f"{self.name}: Newton's method did not settle")
        self.wide, self.c = c, self.back @ c
