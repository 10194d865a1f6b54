"""Give cells of a table their places on the lattice: each its own voxel, or the nearest one that has room."""

from __future__ import annotations

from tme.kernels.jit import serial
from tme.kernels.neighbours import shifted


@serial
def nearest_places(wanted, order, geometry, room, got):
    """Fill `got` (n,) int64 with a voxel for each cell, in their order: first come, first served.

    `wanted` (n,) int64: the voxel each lies in; `order` (m, 4) int64: offsets as `search_order` gives them, nearest
    first; `room` (voxels,) int64: places left in each voxel, changed in place. Returns the first cell that found no
    place within reach (the rest are not placed then), -1 if all did.
    """
    for i in range(len(wanted)):
        place = wanted[i]
        if room[place] <= 0:
            place = -1
            for k in range(len(order)):
                v = shifted(wanted[i], order[k, 0], order[k, 1], order[k, 2], geometry)
                if v >= 0 and room[v] > 0:
                    place = v
                    break
            if place < 0:
                return i
        room[place] -= 1
        got[i] = place
    return -1
