"""How many cells of a type are near every voxel.

A neighbourhood is a set of offsets (m, 3+) of int64, symmetric and without gaps along x: a disc, a ball, or the adjacent voxels.
`by_cells` adds each cell to every voxel around it, which is cheap where cells are few; `by_rows` makes sliding sums
of each lattice row and adds them to the rows around it, which is cheap where they are many. Both count the voxel itself.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import place_of, shifted, wrap


@rule
def far_from_walls(place, margin, geometry):
    """Whether every voxel within `margin` of (z, y, x) is on the lattice, without going round."""
    inside = margin <= place[1] < geometry[1] - margin and margin <= place[2] < geometry[2] - margin
    return inside and (geometry[0] == 1 or margin <= place[0] < geometry[0] - margin)


@serial
def by_cells(n, voxel, state, offsets, margin, geometry, counts):
    """counts (voxels,) int16 gains 1 in the own voxel and at every offset (m, 3+), at most `margin` along an axis, of each cell.

    `state` (n,) or empty: cells of another state than 0 do not count.
    """
    m = offsets.shape[0]
    steps = np.empty(m, np.int64)
    for k in range(m):
        steps[k] = (offsets[k, 0] * geometry[1] + offsets[k, 1]) * geometry[2] + offsets[k, 2]
    for i in range(n):
        if state.size > 0 and state[i] != 0:
            continue
        v = np.int64(voxel[i])
        counts[v] += 1
        if far_from_walls(place_of(v, geometry), margin, geometry):
            for k in range(m):
                counts[np.uint64(v + steps[k])] += 1
            continue
        for k in range(m):
            w = shifted(v, offsets[k, 0], offsets[k, 1], offsets[k, 2], geometry)
            if w >= 0:
                counts[w] += 1


@serial
def read_others(lo, hi, voxel, state, counts, out):
    """out[i] = the living cells around cell i, of a type that is counted itself: a living cell is not one of its neighbours, a corpse was not counted."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] = counts[np.uint64(voxel[i])] - (1 if state[i] == 0 else 0)


@rule
def window(cells, first, last, r, geometry):
    """First and last + 1 of the x that cells in the rows `first` to `last` (+ 1) may be counted at."""
    nx = geometry[2]
    there = np.zeros(nx, np.int16)
    for row in range(first, last):
        o = np.uint64(row * nx)
        for j in range(np.uint64(nx)):
            there[j] |= cells[o + j]
    a, b = nx, 0
    for x in range(nx):
        if there[x] != 0:
            a, b = min(a, x - r), x + r + 1
    if geometry[5] != 0 and (a < 0 or b > nx):
        return 0, nx
    return max(a, 0), min(b, nx)


@rule
def fill_sums(cells, row, r, a, b, geometry, padded, sums):
    """sums (r + 1, b - a): cells of a lattice row within 0 to `r` voxels along x of each of its voxels from `a` to `b`."""
    nx = geometry[2]
    m, far, one = np.uint64(b - a), np.uint64(r), np.uint64(1)
    begin, end = max(a - r, 0), min(b + r, nx)
    to, of = np.uint64(begin - a + r), np.uint64(row * nx + begin)
    for j in range(np.uint64(end - begin)):
        padded[to + j] = cells[of + j]
    for x in range(a - r, begin):
        v = wrap(x, nx, geometry[5])
        padded[x - a + r] = cells[row * nx + v] if v >= 0 else 0
    for x in range(end, b + r):
        v = wrap(x, nx, geometry[5])
        padded[x - a + r] = cells[row * nx + v] if v >= 0 else 0
    for j in range(m):
        sums[0, j] = padded[far + j]
    for w in range(one, far + one):
        for j in range(m):
            sums[w, j] = sums[w - one, j] + padded[far + j - w] + padded[far + j + w]


@serial
def by_rows(n, voxel, state, rows, geometry, cells, counts):
    """The same; `rows` (m, 3) int64: dz and dy of each row of the neighbourhood, and how many voxels to either side it covers.

    `cells` (voxels,) int16 is scratch, 0 on entry and exit.
    """
    nz, ny, nx = geometry[0], geometry[1], geometry[2]
    low, high = np.int64(cells.size), np.int64(-1)
    for i in range(n):
        if state.size == 0 or state[i] == 0:
            v = np.int64(voxel[i])
            cells[np.uint64(v)] += 1
            low, high = min(low, v), max(high, v)
    r, first, last = rows[:, 2].max(), low // nx, high // nx + 1
    a, b = window(cells, first, last, r, geometry)
    sums, padded = np.empty((r + 1, nx), np.int16), np.empty(nx + 2 * r, np.int16)
    for row in range(first, last):
        fill_sums(cells, row, r, a, b, geometry, padded, sums)
        plane = row // ny
        line = row - plane * ny
        for k in range(rows.shape[0]):
            z, y, w = wrap(plane + rows[k, 0], nz, geometry[3]), wrap(line + rows[k, 1], ny, geometry[4]), np.uint64(rows[k, 2])
            if y >= 0 and z >= 0:
                o = np.uint64((z * ny + y) * nx + a)
                for j in range(np.uint64(b - a)):
                    counts[o + j] += sums[w, j]
    for v in range(low, high + 1):
        cells[np.uint64(v)] = 0
