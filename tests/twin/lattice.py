"""The lattice: voxels, neighbours, the nearest free voxel, the depth of a voxel in the tumour.

A voxel is an integer v = (z ny + y) nx + x. Tissue cells hold a voxel alone; up to `capacity` immune cells
share one. The eight directions of the plane come first, those above and below after them.
"""

import math

import numpy as np

PLANE = [(0, -1, -1), (0, -1, 0), (0, -1, 1), (0, 0, -1), (0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1)]
OUT_OF_PLANE = [(dz, dy, dx) for dz in (-1, 1) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


class Lattice:
    """`shape` (nz, ny, nx), `dx` um, `periodic` per axis; who sits where."""

    def __init__(self, shape, dx, thickness, periodic, capacity, push_voxels):
        self.shape, self.dx, self.periodic, self.capacity = tuple(shape), dx, tuple(periodic), capacity
        self.n_voxels = shape[0] * shape[1] * shape[2]
        self.flat = shape[0] == 1
        self.voxel_um3 = dx * dx * (thickness if self.flat else dx)
        self.directions = PLANE if self.flat else PLANE + OUT_OF_PLANE
        self.lengths = [math.sqrt(dz * dz + dy * dy + dx * dx) for dz, dy, dx in self.directions]
        self.neighbours = [[self.shifted(v, d) for d in self.directions] for v in range(self.n_voxels)]
        self.shells = self._shells(max(push_voxels, 1))
        self.tissue = {}
        self.immune = [0] * self.n_voxels
        z, y, x = np.unravel_index(np.arange(self.n_voxels), self.shape)
        self.coordinates = np.stack([z, y, x], axis=1)

    def _shells(self, radius):
        """Offsets within `radius` voxels by distance, nearest shell first, each in order of (dz, dy, dx)."""
        span = range(-radius, radius + 1)
        shells = {}
        for dz in (0,) if self.flat else span:
            for dy in span:
                for dx in span:
                    d2 = dz * dz + dy * dy + dx * dx
                    if 0 < d2 <= radius * radius:
                        shells.setdefault(d2, []).append((dz, dy, dx))
        return [shells[d2] for d2 in sorted(shells)]

    def shifted(self, voxel, offset):
        """The voxel at an offset (dz, dy, dx), None outside the domain."""
        _nz, ny, nx = self.shape
        at = [voxel // (nx * ny), voxel // nx % ny, voxel % nx]
        for axis in range(3):
            at[axis] += offset[axis]
            if self.periodic[axis]:
                at[axis] %= self.shape[axis]
            elif not 0 <= at[axis] < self.shape[axis]:
                return None
        return (at[0] * ny + at[1]) * nx + at[2]

    def near_face(self, voxel):
        """Whether the voxel is one of the two outermost layers at a face that is not periodic."""
        z, y, x = self.coordinates[voxel]
        for axis, i in ((0, z), (1, y), (2, x)):
            if axis == 0 and self.flat:
                continue
            if not self.periodic[axis] and (i < 2 or i >= self.shape[axis] - 2):
                return True
        return False

    def nearest_free(self, voxel, u):
        """Offset of the nearest voxel without tissue, ties drawn by u in (0, 1); None if there is none."""
        for shell in self.shells:
            free = [o for o in shell if (v := self.shifted(voxel, o)) is not None and v not in self.tissue]
            if free:
                return free[int(u * len(free))]
        return None

    def line(self, voxel, offset):
        """Voxels between `voxel` and the one at `offset`, nearest first; coordinates round half outward."""
        steps = max(abs(o) for o in offset)
        points = []
        for j in range(1, steps):
            points.append(tuple(int(math.copysign(math.floor(abs(o) * j / steps + 0.5), o)) for o in offset))
        return [self.shifted(voxel, p) for p in points]

    def has_room(self, voxel):
        """Whether one more immune cell fits in."""
        return self.immune[voxel] < self.capacity

    def _distance_to(self, chosen):
        """Distance in voxels from each voxel to the nearest of `chosen` (boolean); faces are walls here."""
        targets = self.coordinates[chosen]
        d2 = ((self.coordinates[:, None, :] - targets[None, :, :]) ** 2).sum(axis=2).min(axis=1)
        return np.sqrt(d2.astype(float))

    def depth_um(self, closing=2):
        """Signed distance of every voxel from the tumour's edge, um, positive inside.

        The tumour is every voxel with tissue, alive or dead, and the gaps that a closing by two voxels fills:
        a voxel belongs if all within `closing` of it lie within `closing` of tissue.
        """
        tissue = np.zeros(self.n_voxels, bool)
        tissue[list(self.tissue)] = True
        if not tissue.any():
            return np.full(self.n_voxels, -np.inf)
        near = self._distance_to(tissue) <= closing
        closed = near if near.all() else self._distance_to(~near) > closing
        tumour = tissue | closed
        if tumour.all():
            return np.full(self.n_voxels, np.inf)
        return np.where(tumour, self._distance_to(~tumour), -self._distance_to(tumour)) * self.dx
