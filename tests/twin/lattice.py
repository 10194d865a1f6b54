"""The lattice: voxels, neighbours, the way to room, the depth of a voxel in the tumour.

A voxel is an integer v = (z ny + y) nx + x. Tissue cells hold a voxel alone; up to `capacity` immune cells
share one. The eight directions of the plane come first, those above and below after them.
"""

import math

import numpy as np
from scipy.ndimage import label
from scipy.spatial import cKDTree

PLANE = [(0, -1, -1), (0, -1, 0), (0, -1, 1), (0, 0, -1), (0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1)]
OUT_OF_PLANE = [(dz, dy, dx) for dz in (-1, 1) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


class Lattice:
    """`shape` (nz, ny, nx), `dx` um, `periodic` per axis; who sits where."""

    def __init__(self, shape, dx, thickness, periodic, capacity):
        self.shape, self.dx, self.periodic, self.capacity = tuple(shape), dx, tuple(periodic), capacity
        self.n_voxels = shape[0] * shape[1] * shape[2]
        self.flat = shape[0] == 1
        self.voxel_um3 = dx * dx * (thickness if self.flat else dx)
        self.directions = PLANE if self.flat else PLANE + OUT_OF_PLANE
        self.lengths = [math.sqrt(dz * dz + dy * dy + dx * dx) for dz, dy, dx in self.directions]
        self.neighbours = [[self.shifted(v, d) for d in self.directions] for v in range(self.n_voxels)]
        self.tissue, self.holes = {}, set()
        self.gap = 0.0  # voxels
        self.surface = np.full(self.n_voxels, 1e6)
        self.immune = [0] * self.n_voxels
        z, y, x = np.unravel_index(np.arange(self.n_voxels), self.shape)
        self.coordinates = np.stack([z, y, x], axis=1)

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

    def measure_surface(self):
        """Signed distance of every voxel from the tissue's surface, voxels; holes belong to the tissue, walls are no outside.

        Holes are the free voxels that a ball of radius `gap` from afar does not cover to within one voxel.
        Where nothing but holes is free, they are the outside; without any, everything is far from it. Outside it ends at -3.
        """
        free = np.ones(self.n_voxels, bool)
        free[list(self.tissue)] = False
        self.holes = set(np.flatnonzero(free & ~self._reached(free)).tolist())
        outside = free.copy()
        outside[list(self.holes)] = False
        if not outside.any():
            outside = free
        if not outside.any():
            self.surface = np.full(self.n_voxels, 1e6)
        elif outside.all():
            self.surface = np.full(self.n_voxels, -3.0)
        else:
            beyond = np.minimum(self._distance_round(~outside), 3.0)
            self.surface = np.where(outside, -beyond, self._distance_round(outside))

    def _reached(self, free):
        """Which of `free` a ball covers to within a voxel whose centre stays more than `gap` from tissue and came from a face; no tissue lies beyond walls."""
        if free.all() or not free.any():
            return free
        margin = [(0, 0) if n == 1 or periodic else (math.ceil(self.gap) + 2,) * 2 for n, periodic in zip(self.shape, self.periodic)]
        room = np.pad(free.reshape(self.shape), margin, constant_values=True)
        places = np.argwhere(np.ones(room.shape, bool))
        round_ = [n if periodic else 0 for n, periodic in zip(room.shape, self.periodic)]
        nearest = lambda of: cKDTree(of, boxsize=round_).query(places)[0].reshape(room.shape)  # noqa: E731
        part, _ = label(nearest(np.argwhere(~room)) > self.gap)
        faces = np.concatenate([np.take(part, end, axis).ravel() for axis, n in enumerate(self.shape) if n > 1 for end in (0, -1)])
        centres = np.isin(part, faces[faces > 0])
        if not centres.any():
            return np.zeros_like(free)
        covered = nearest(np.argwhere(centres)) <= self.gap + 1.0
        inner = tuple(slice(before, before + n) for (before, _), n in zip(margin, self.shape))
        return free & covered[inner].ravel()

    def _distance_round(self, chosen):
        """Distance in voxels to the nearest of `chosen`, the shorter way round a periodic axis."""
        round_ = [n if periodic else 0 for n, periodic in zip(self.shape, self.periodic)]
        return cKDTree(self.coordinates[chosen], boxsize=round_).query(self.coordinates)[0]

    def outward(self, voxel, u):
        """The neighbour towards which the distance falls most per length, ties by u; None where it falls nowhere."""
        slopes = [
            ((self.surface[voxel] - self.surface[w]) / length, w)
            for w, length in zip(self.neighbours[voxel], self.lengths, strict=True)
            if w is not None
        ]
        best = max(s for s, _ in slopes)
        steepest = [w for s, w in slopes if s == best]
        return steepest[int(u * len(steepest))] if best > 0.0 else None

    def beside(self, voxel, u):
        """The nearest free neighbour, ties by u; None if there is none."""
        free = [(d, w) for w, d in zip(self.neighbours[voxel], self.lengths, strict=True) if w is not None and w not in self.tissue]
        nearest = [w for d, w in free if d == min(free)[0]]
        return nearest[int(u * len(nearest))] if nearest else None

    def way_to_room(self, voxel, draw):
        """Voxels from a dividing cell's to the first free one, both included; None if no way leads there. `draw(k)` in (0, 1)."""
        path = [voxel]
        while len(path) <= sum(self.shape):
            u = draw(1 + len(path))
            step = self.beside(path[-1], u)
            if step is None:
                step = self.outward(path[-1], u)
            if step is None:
                return None
            path.append(step)
            if step not in self.tissue:
                return path
        return None

    def walk_out(self, hole, words):
        """A voxel with tissue in the outermost layer where a walk from sphere to sphere comes out, None if it does not; `words(k)` are dice.

        The walk stays inside. Each time it would come out where there is no tissue, it takes tissue a quarter of a voxel deeper.
        """
        at, voxel, deep = self.coordinates[hole].astype(float), hole, 1.5
        for k in range(64):
            if self.surface[voxel] < deep and voxel in self.tissue:
                return voxel
            x, y, z = (2.0 * (w / 2.0**32) - 1.0 for w in words(k)[:3])
            z = 0.0 if self.flat else z
            length = math.sqrt(z * z + y * y + x * x)
            if length > 1.0 or length == 0.0:
                continue
            far = max(self.surface[voxel] - 0.5, 1.0) / length
            to = [self._folded(at[axis] + far * d, self.shape[axis], self.periodic[axis]) for axis, d in enumerate((z, y, x))]
            z, y, x = (math.floor(p + 0.5) for p in to)
            w = int((z * self.shape[1] + y) * self.shape[2] + x)
            if self.surface[w] < 1.5 and w not in self.tissue:
                deep += 0.25
            if self.surface[w] > 0.0:
                at, voxel = np.array(to), w
        return None

    @staticmethod
    def _folded(p, n, periodic):
        """Round a periodic axis, mirrored at walls, which lie half a voxel beyond the outermost centres."""
        if periodic:
            return p - n * math.floor((p + 0.5) / n)
        while p < -0.5 or p >= n - 0.5:
            p = -1.0 - p if p < -0.5 else 2.0 * n - 1.0 - p - 1e-9
        return p

    def juts_out(self, voxel):
        """How many voxels within two of this one have tissue."""
        span = range(-2, 3)
        around = [(dz, dy, dx) for dz in ((0,) if self.flat else span) for dy in span for dx in span]
        return sum(self.shifted(voxel, o) in self.tissue for o in around)

    def way_out(self, hole, words):
        """Voxels from a hole straight to the most jutting of three places where walks come out, and on to the first outside."""
        ends = [self.walk_out(hole, lambda k, walk=walk: words(2 + 64 * walk + k)) for walk in range(3)]
        ends = [e for e in ends if e is not None]
        if not ends:
            return None
        to = min(ends, key=self.juts_out)
        delta = [int(d) for d in self.coordinates[to] - self.coordinates[hole]]
        for axis, n in enumerate(self.shape):
            if self.periodic[axis]:
                delta[axis] -= n if 2 * delta[axis] > n else (-n if 2 * delta[axis] <= -n else 0)
        steps, path = max(abs(d) for d in delta), [hole]
        while len(path) <= sum(self.shape):
            j = len(path)
            if j <= steps:
                step = self.shifted(hole, [int(math.copysign(math.floor(abs(d) * j / steps + 0.5), d)) for d in delta])
            else:
                step = self.outward(path[-1], 0.5)
            if step is None:
                return None
            path.append(step)
            if j > steps and step not in self.tissue and step not in self.holes:
                return path
        return None

    def has_room(self, voxel):
        """Whether one more immune cell fits in."""
        return self.immune[voxel] < self.capacity

    def around(self, these, reach_um):
        """The voxels in the same block of side `reach_um`, or one beside it, as one of `these`."""
        side = max(math.ceil(reach_um / self.dx - 1e-9), 1)
        blocks = [tuple(int(x) // side for x in at) for at in self.coordinates]
        taken = {blocks[v] for v in these}
        count = [max(b[axis] for b in blocks) + 1 for axis in range(3)]

        def apart(a, b, axis):
            d = abs(a - b)
            return min(d, count[axis] - d) if self.periodic[axis] else d

        return {v for v, b in enumerate(blocks) if any(all(apart(b[i], t[i], i) <= 1 for i in range(3)) for t in taken)}

    def depth_um(self, closing=2):
        """Signed distance of every voxel from the tumour's edge, um, positive inside.

        The tumour is every voxel with tissue, alive or dead, and the gaps that a closing by two voxels fills:
        a voxel belongs if all within `closing` of it lie within `closing` of tissue.
        """
        tissue = np.zeros(self.n_voxels, bool)
        tissue[list(self.tissue)] = True
        if not tissue.any():
            return np.full(self.n_voxels, -np.inf)
        near = self._distance_round(tissue) <= closing
        closed = near if near.all() else self._distance_round(~near) > closing
        tumour = tissue | closed
        if tumour.all():
            return np.full(self.n_voxels, np.inf)
        return np.where(tumour, self._distance_round(~tumour), -self._distance_round(tumour)) * self.dx
