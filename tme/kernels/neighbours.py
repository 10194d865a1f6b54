"""Moore neighbourhoods on a flat lattice, 2D and 3D through one path.

Directions 0-7 lie in the plane, 8-25 above and below; a 2D lattice (nz = 1) uses the first eight.
`geometry` is the tuple (nz, ny, nx, periodic z, periodic y, periodic x) of int64.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import rule, serial


def _offsets() -> np.ndarray:
    plane = [(0, -1, -1), (0, -1, 0), (0, -1, 1), (0, 0, -1), (0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1)]
    other = [(dz, dy, dx) for dz in (-1, 1) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return np.array(plane + other, dtype=np.int64)


OFFSETS = _offsets()
DISTANCE = np.sqrt((OFFSETS**2).sum(axis=1))


@rule
def n_directions(geometry):
    """8 in 2D, 26 in 3D."""
    return 8 if geometry[0] == 1 else 26


@rule
def wrap(i, n, periodic):
    """Index on an axis of length n: wrapped if periodic, -1 if outside."""
    if 0 <= i < n:
        return i
    if periodic == 0:
        return -1
    return i % n


@rule
def place_of(voxel, geometry):
    """(z, y, x) of a voxel: the divisions of a walk round its neighbours, done once."""
    ny = geometry[1]
    nx = geometry[2]
    row = voxel // nx
    z = row // ny if geometry[0] > 1 else 0
    return z, row - z * ny, voxel - row * nx


@rule
def shifted(voxel, dz, dy, dx, geometry):
    """Voxel at an offset, or -1 outside the domain."""
    place = place_of(voxel, geometry)
    x = wrap(place[2] + dx, geometry[2], geometry[5])
    y = wrap(place[1] + dy, geometry[1], geometry[4])
    z = wrap(place[0] + dz, geometry[0], geometry[3])
    if x < 0 or y < 0 or z < 0:
        return -1
    return (z * geometry[1] + y) * geometry[2] + x


@rule
def beside(place, k, geometry):
    """Voxel in direction k of (z, y, x), or -1 outside the domain."""
    x = wrap(place[2] + OFFSETS[k, 2], geometry[2], geometry[5])
    y = wrap(place[1] + OFFSETS[k, 1], geometry[1], geometry[4])
    z = wrap(place[0] + OFFSETS[k, 0], geometry[0], geometry[3])
    if x < 0 or y < 0 or z < 0:
        return -1
    return (z * geometry[1] + y) * geometry[2] + x


@rule
def has_all(place, geometry):
    """Whether (z, y, x) has a neighbour in every direction without going round a periodic axis."""
    inside = 0 < place[1] < geometry[1] - 1 and 0 < place[2] < geometry[2] - 1
    return inside and (geometry[0] == 1 or 0 < place[0] < geometry[0] - 1)


@rule
def next_to(voxel, place, whole, k, geometry):
    """As `beside`; without a look at the walls where `whole`, that is `has_all`."""
    if whole:
        return voxel + (OFFSETS[k, 0] * geometry[1] + OFFSETS[k, 1]) * geometry[2] + OFFSETS[k, 2]
    return beside(place, k, geometry)


@rule
def neighbour(voxel, k, geometry):
    """Voxel in direction k, or -1 outside the domain."""
    return shifted(voxel, OFFSETS[k, 0], OFFSETS[k, 1], OFFSETS[k, 2], geometry)


@rule
def at_margin(voxel, margin, geometry):
    """Whether a voxel lies within `margin` of a face that is not periodic (z only in 3D)."""
    nz = geometry[0]
    ny = geometry[1]
    nx = geometry[2]
    x = voxel % nx
    y = (voxel // nx) % ny
    z = voxel // (nx * ny)
    if geometry[5] == 0 and (x < margin or x >= nx - margin):
        return True
    if geometry[4] == 0 and (y < margin or y >= ny - margin):
        return True
    return nz > 1 and geometry[3] == 0 and (z < margin or z >= nz - margin)


def search_order(radius: int, ndim: int) -> np.ndarray:
    """Offsets (m, 4) int64 as (dz, dy, dx, squared length), nearest first, within `radius` voxels."""
    span = range(-radius, radius + 1)
    out = [
        (dz, dy, dx, dz * dz + dy * dy + dx * dx)
        for dz in (span if ndim == 3 else (0,))
        for dy in span
        for dx in span
        if 0 < dz * dz + dy * dy + dx * dx <= radius * radius
    ]
    return np.array(sorted(out, key=lambda o: (o[3], o[0], o[1], o[2])), dtype=np.int64).reshape(-1, 4)


@serial
def count_rows(voxel, n, rows_at):
    """Fill `rows_at` (voxels,) int32 with the row that sits in each voxel, -1 where none; one row a voxel."""
    rows_at[:] = -1
    for i in range(n):
        rows_at[voxel[i]] = i


@serial
def block_of(v, ny, nx, side):
    """Block (z, y, x) of side `side` voxels that holds voxel `v` of a lattice (nz, ny, nx); all int32."""
    row = v // nx
    z = row // ny
    return z // side, (row - z * ny) // side, (v - row * nx) // side


@serial
def mark_blocks(voxel, shape, side, marked):
    """Set `marked` (blocks along z, y, x) bool where one of `voxel` (n,) int32 lies; blocks of `side` int32 voxels."""
    ny, nx = np.int32(shape[1]), np.int32(shape[2])
    for i in range(len(voxel)):
        z, y, x = block_of(np.int32(voxel[i]), ny, nx, side)
        marked[z, y, x] = True


@serial
def read_blocks(voxel, shape, side, marked, found):
    """`found` (n,) bool: what `marked` says of the block of each of `voxel` (n,) int32; see `mark_blocks`."""
    ny, nx = np.int32(shape[1]), np.int32(shape[2])
    for i in range(len(voxel)):
        z, y, x = block_of(np.int32(voxel[i]), ny, nx, side)
        found[i] = marked[z, y, x]
