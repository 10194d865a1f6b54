"""Pairs of points within a distance: neighbours, weighted counts by distance and type, compositions, connected parts.

Points are sorted into the cubes of a grid whose side is at least the distance asked for (`start` (cubes + 1,) int64 is where each
cube's points begin), so that a point's partners lie in its own cube and those around it. In two dimensions z is 0 and the grid has
one layer. `shape` is (nz, ny, nx). Loops are serial: sums do not depend on threads.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import rule, serial


@rule
def cube_of(x, low, side, n):
    """Index along one axis of the cube that holds a coordinate."""
    return min(max(np.int64((x - low) / side), 0), n - 1)


@rule
def reach(c, n):
    """First and one beyond the last cube along an axis that is next to cube `c`."""
    return max(c - 1, 0), min(c + 2, n)


@serial
def neighbours(x, y, z, low, side, shape, start, radius, at, out):
    """Neighbours of each point within `radius`, itself left out: those of point i stand in `out` from `at[i]` to `at[i + 1]`.

    With an empty `out` they are counted alone, and `at` (n + 1,) int64 is filled.
    """
    nz, ny, nx = shape
    r2 = radius * radius
    place = 0
    for i in range(x.size):
        first_z, last_z = reach(cube_of(z[i], low[2], side, nz), nz)
        first_y, last_y = reach(cube_of(y[i], low[1], side, ny), ny)
        first_x, last_x = reach(cube_of(x[i], low[0], side, nx), nx)
        if out.size == 0:
            at[i] = place
        for kz in range(first_z, last_z):
            for ky in range(first_y, last_y):
                row = (kz * ny + ky) * nx
                for j in range(start[row + first_x], start[row + last_x]):
                    d2 = (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 + (z[j] - z[i]) ** 2
                    if d2 <= r2 and j != i:
                        if out.size != 0:
                            out[place] = j
                        place += 1
    at[x.size] = place


@serial
def renumber(at, found, order, to, out):
    """A graph of points in a grid's order told for their rows: those of row r into `out` from `to[r]` on, in rising order."""
    for i in range(order.size):
        r = order[i]
        for e in range(at[i], at[i + 1]):
            k, j = to[r] + e - at[i], order[found[e]]
            while k > to[r] and out[k - 1] > j:
                out[k] = out[k - 1]
                k -= 1
            out[k] = j


@serial
def compositions(at, neighbour, code, out):
    """Points of each type among a point and its neighbours, added into `out` (n, types) float32."""
    for i in range(code.size):
        out[i, code[i]] += np.float32(1.0)
        for e in range(at[i], at[i + 1]):
            out[i, code[neighbour[e]]] += np.float32(1.0)


@rule
def overlap(dx, dy, dz, size, table, pixel, most):
    """Edge weight |W|/|W ∩ (W + h)| of a pair that lies h apart, at most `most`.

    A box of `size` (3,) where `table` is empty, else `table` (nz, ny, nx) of that weight's inverse for h of whole pixels, read linearly.
    Source: Ohser 1983, Math Operationsforsch Stat 14:63 (translation correction).
    """
    ax, ay, az = abs(dx), abs(dy), abs(dz)
    if table.size == 0:
        part = (1.0 - ax / size[0]) * (1.0 - ay / size[1]) * (1.0 - az / size[2])
    else:
        nz, ny, nx = table.shape
        # the table holds h with dx >= 0 and any sign of dy and dz, counted from its middle
        sign = 1.0 if dx >= 0.0 else -1.0
        fx, fy, fz = ax / pixel, sign * dy / pixel + ny // 2, sign * dz / pixel + nz // 2
        kx, ky, kz = min(np.int64(fx), nx - 2), min(max(np.int64(fy), 0), ny - 2), min(max(np.int64(fz), 0), max(nz - 2, 0))
        fx, fy, fz = fx - kx, fy - ky, fz - kz
        part = 0.0
        for c in range(2 if nz > 1 else 1):
            wz = (fz if c else 1.0 - fz) if nz > 1 else 1.0
            k = kz + c
            part += wz * (
                (1.0 - fy) * ((1.0 - fx) * table[k, ky, kx] + fx * table[k, ky, kx + 1])
                + fy * ((1.0 - fx) * table[k, ky + 1, kx] + fx * table[k, ky + 1, kx + 1])
            )
    return 1.0 / part if part * most > 1.0 else most


@rule
def ring(d, width, n):
    """Which interval (k width, (k + 1) width] a distance lies in; 0 is in the first, one beyond the last is -1."""
    k = np.int64(np.ceil(d / width)) - 1
    return max(k, 0) if k < n else -1


@serial
def pair_sums(x, y, z, code, tile, low, side, shape, start, width, size, table, pixel, most, sums, moments):
    """Edge weights of all ordered pairs by distance, into sums (tiles, types, types, rings), the tile and first type the first point's.

    `moments` (3, rings) gains over ordered pairs the sum of weights, of their squares, and over points the sum of the squared weight of all
    their pairs: what the variance under shuffled types is made of.
    """
    nz, ny, nx = shape
    n_rings = sums.shape[3]
    far2 = (width * n_rings) ** 2
    own = np.zeros(n_rings)
    for i in range(x.size):
        first_z, last_z = reach(cube_of(z[i], low[2], side, nz), nz)
        first_y, last_y = reach(cube_of(y[i], low[1], side, ny), ny)
        first_x, last_x = reach(cube_of(x[i], low[0], side, nx), nx)
        own[:] = 0.0
        t, a = tile[i], code[i]
        for kz in range(first_z, last_z):
            for ky in range(first_y, last_y):
                row = (kz * ny + ky) * nx
                for j in range(start[row + first_x], start[row + last_x]):
                    dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
                    d2 = dx * dx + dy * dy + dz * dz
                    if d2 > far2 or j == i:
                        continue
                    k = ring(np.sqrt(d2), width, n_rings)
                    if k >= 0:
                        w = overlap(dx, dy, dz, size, table, pixel, most)
                        sums[t, a, code[j], k] += w
                        own[k] += w
                        moments[1, k] += w * w
        for k in range(n_rings):
            moments[0, k] += own[k]
            moments[2, k] += own[k] * own[k]


@serial
def mark_sums(x, y, z, code, level, low, side, shape, start, width, size, table, pixel, most, sums, moments):
    """Edge weights from marked points to points of every type, by distance and level of the mark.

    `level` (n,) is a marked point's place among the levels, between 0 and levels - 1, NaN without a mark; it counts for the two levels
    beside it, linearly. sums (types, rings, levels); moments (2, types, rings) gains the sum over marked points of all their weights, and
    of the squares of that.
    """
    nz, ny, nx = shape
    n_types, n_rings, n_levels = sums.shape
    far2 = (width * n_rings) ** 2
    own = np.zeros((n_types, n_rings))
    for i in range(x.size):
        if np.isnan(level[i]):
            continue
        first_z, last_z = reach(cube_of(z[i], low[2], side, nz), nz)
        first_y, last_y = reach(cube_of(y[i], low[1], side, ny), ny)
        first_x, last_x = reach(cube_of(x[i], low[0], side, nx), nx)
        own[:] = 0.0
        for kz in range(first_z, last_z):
            for ky in range(first_y, last_y):
                row = (kz * ny + ky) * nx
                for j in range(start[row + first_x], start[row + last_x]):
                    dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
                    d2 = dx * dx + dy * dy + dz * dz
                    if d2 > far2 or j == i:
                        continue
                    k = ring(np.sqrt(d2), width, n_rings)
                    if k >= 0:
                        own[code[j], k] += overlap(dx, dy, dz, size, table, pixel, most)
        below = min(np.int64(level[i]), n_levels - 2)
        part = level[i] - below
        for a in range(n_types):
            for k in range(n_rings):
                s = own[a, k]
                sums[a, k, below] += (1.0 - part) * s
                sums[a, k, below + 1] += part * s
                moments[0, a, k] += s
                moments[1, a, k] += s * s


@serial
def count_contacts(at, neighbour, code, out):
    """Edges of a graph by the types of their ends, added into `out` (types, types) int64; each directed edge once."""
    for i in range(code.size):
        a = code[i]
        for e in range(at[i], at[i + 1]):
            out[a, code[neighbour[e]]] += 1


@serial
def graph_moments(at, neighbour, incoming):
    """(edges returned, sum of out-degree squared, of in-degree squared, of their product) of a directed graph without weights.

    `incoming` (n,) int64 is scratch. An edge is returned where its end points back; lists of neighbours need no order.
    """
    n = at.size - 1
    incoming[:] = 0
    back = 0
    for i in range(n):
        for e in range(at[i], at[i + 1]):
            j = neighbour[e]
            incoming[j] += 1
            for f in range(at[j], at[j + 1]):
                if neighbour[f] == i:
                    back += 1
                    break
    out2, in2, both = 0.0, 0.0, 0.0
    for i in range(n):
        d, c = float(at[i + 1] - at[i]), float(incoming[i])
        out2 += d * d
        in2 += c * c
        both += d * c
    return back, out2, in2, both


@rule
def root(parent, i):
    """The first point of a part, halving the path to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@serial
def connect(at, neighbour, chosen, parent):
    """Parts of the chosen points that edges connect: `parent` (n,) int64 becomes each one's first point; -1 of those not chosen."""
    n = at.size - 1
    for i in range(n):
        parent[i] = i
    for i in range(n):
        if chosen[i]:
            for e in range(at[i], at[i + 1]):
                j = neighbour[e]
                if chosen[j]:
                    a, b = root(parent, i), root(parent, np.int64(j))
                    parent[max(a, b)] = min(a, b)
    for i in range(n):
        parent[i] = root(parent, i) if chosen[i] else -1


@serial
def mean_gap(at, neighbour, value):
    """Mean absolute difference of `value` (n,) over edges both of whose ends have one (not NaN); NaN without such edges."""
    total, count = 0.0, 0
    for i in range(at.size - 1):
        if not np.isnan(value[i]):
            for e in range(at[i], at[i + 1]):
                d = abs(value[neighbour[e]] - value[i])
                if not np.isnan(d):
                    total += d
                    count += 1
    return total / count if count else np.nan


@serial
def nearest_centre(rows, centres, out, change):
    """The nearest of the centres (c, k) to each row (n, k), into `out` (n,) int64; sums and counts of rows by centre into `change` (c, k + 1).

    Returns the sum of squared distances; of centres equally near the first.
    """
    n, k = rows.shape
    change[:] = 0.0
    total = 0.0
    for i in range(n):
        best, at = np.inf, 0
        for c in range(centres.shape[0]):
            d2 = 0.0
            for m in range(k):
                d2 += (rows[i, m] - centres[c, m]) ** 2
            if d2 < best:
                best, at = d2, c
        out[i] = at
        total += best
        for m in range(k):
            change[at, m] += rows[i, m]
        change[at, k] += 1.0
    return total
