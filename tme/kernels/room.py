"""Room in the tissue: how far the surface is, who is pushed outward by a division, who is drawn inward by a hole.

The surface is measured as a signed distance in voxels: inside, from a voxel to the nearest one outside; outside, minus that to the
nearest inside. Outside is what has no tissue, or tissue that yields, and is no hole, a voxel whose corpse was cleared
and that has not closed yet. Walls are no outside; a periodic axis goes round.

A division pushes down the steepest slope of that distance, ties drawn, so to the nearest surface, over as many steps as it is far. A hole
must not: every hole beside an inlet would then deepen it, and tumours broke up into lobes; `close` says what it does. The
distance may be some time old; `tissue_row` is read anew in every step, and a walk that finds neither room nor a way
down says so.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import DISTANCE, at_margin, n_directions, neighbour, place_of, shifted
from tme.kernels.rng import Stream, draw, uniform

FREE, CLAIMED, YIELDING, FIRM = -1, -2, -3, -4  # in `tissue_row`: no tissue, a daughter's place, other tissue that yields or stays
NOWHERE = 1e6  # distance where there is no surface
_PUSH = int(Stream.PUSH)
_CLOSE = int(Stream.CLOSE)
_FIRST_STEP = 2  # draws 0 and 1 of both streams are for events and their order
_FAR = 1e18
_U32 = 1.0 / 4294967296.0
WALKS, DRAWS = 3, 64  # ways out that a hole tries, and draws of each at most
AT_SURFACE = 1.5  # voxels from the nearest outside: the tissue's outermost layer
DEEPER = 0.25  # voxels: how much deeper a hole looks for tissue with each way that comes out where there is none


@rule
def is_room(row):
    """Whether a tumour cell may go where `tissue_row` says this: no tissue, or tissue that yields."""
    return row in (FREE, YIELDING)


@rule
def _along(d, first, step, n, wrapped, line, at, start):
    """d at `first` + q `step` becomes min over p of (q - p)^2 + d there: the lower envelope of parabolas.

    `line` (n,), `at` and `start` (3 n,) are scratch. Felzenszwalb and Huttenlocher 2012, doi 10.4086/toc.2012.v008a019.
    """
    for q in range(n):
        line[q] = d[first + q * step]
    shift = n if wrapped else 0  # a periodic line is laid thrice
    k = -1
    for p in range(n + 2 * shift):
        height = line[p % n]
        if height >= _FAR:
            continue
        s = -np.inf
        while k >= 0:
            o = at[k]
            s = ((height + p * p) - (line[o % n] + o * o)) / (2.0 * (p - o))
            if s > start[k]:
                break
            k -= 1
        k += 1
        at[k] = p
        start[k] = s if k > 0 else -np.inf
    if k < 0:
        return
    j = 0
    for q in range(shift, n + shift):
        while j < k and start[j + 1] < q:
            j += 1
        o = at[j]
        d[first + (q - shift) * step] = (q - o) * (q - o) + line[o % n]


@serial
def squared_distance(d, shape, wrap):
    """Squared distance of every voxel of a box (flat, order z, y, x) to the nearest with d = 0, in place; others hold 1e18 before."""
    nz, ny, nx = shape
    most = max(nz, ny, nx)
    line, at, start = np.empty(most), np.empty(3 * most, np.int64), np.empty(3 * most)
    if nx > 1:
        for i in range(nz * ny):
            _along(d, i * nx, 1, nx, wrap[2], line, at, start)
    if ny > 1:
        for z in range(nz):
            for x in range(nx):
                _along(d, z * ny * nx + x, nx, ny, wrap[1], line, at, start)
    if nz > 1:
        for i in range(ny * nx):
            _along(d, i, ny * nx, nz, wrap[0], line, at, start)


@serial
def to_be_moved(lo, hi, voxel, surface, crowding):
    """Cells between each row and the surface: its distance less its own voxel."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        crowding[i] = max(surface[voxel[i]] - 1.0, 0.0)


@rule
def beside_room(voxel, tissue_row, u, geometry):
    """The nearest neighbour with room, ties by u in (0, 1); -1 if none."""
    best = np.inf
    count = 0
    for k in range(n_directions(geometry)):
        w = neighbour(voxel, k, geometry)
        if w >= 0 and is_room(tissue_row[w]):
            if DISTANCE[k] < best:
                best = DISTANCE[k]
                count = 0
            count += DISTANCE[k] == best
    chosen = np.int64(u * count)
    for k in range(n_directions(geometry)):
        w = neighbour(voxel, k, geometry)
        if w >= 0 and is_room(tissue_row[w]) and DISTANCE[k] == best:
            if chosen == 0:
                return w
            chosen -= 1
    return -1


@rule
def outward(voxel, surface, u, geometry):
    """The neighbour down the steepest slope of `surface`, ties by u in (0, 1); -1 where none is lower."""
    best = 0.0
    count = 0
    for k in range(n_directions(geometry)):
        w = neighbour(voxel, k, geometry)
        if w >= 0:
            slope = (surface[voxel] - surface[w]) / DISTANCE[k]
            if slope > best:
                best = slope
                count = 0
            count += slope == best
    if best == 0.0:
        return -1
    chosen = np.int64(u * count)
    for k in range(n_directions(geometry)):
        w = neighbour(voxel, k, geometry)
        if w >= 0 and (surface[voxel] - surface[w]) / DISTANCE[k] == best:
            if chosen == 0:
                return w
            chosen -= 1
    return -1


@rule
def way_to_room(voxel, name, tissue_row, surface, seed, tick, geometry, path):
    """Fill `path` with the voxels from a dividing cell, `name` its uid, to the first with room; steps taken, -1 if there is no way."""
    path[0] = voxel
    for step in range(path.size - 1):
        u = uniform(seed, _PUSH, tick, name, _FIRST_STEP + step)
        w = beside_room(path[step], tissue_row, u, geometry)
        if w < 0:
            w = outward(path[step], surface, u, geometry)
        if w < 0:
            return -1
        path[step + 1] = w
        if is_room(tissue_row[w]):
            return step + 1
    return -1


@serial
def push(order, first, m, uid, voxel, tissue_row, surface, seed, tick, geometry, count, mothers, places, path):
    """Make room for each dividing row in order, from `first` on; returns (next, daughters, pushed edge).

    The cells on the way to room move one step along it and the daughter takes the freed place beside her mother. Other
    tissue that stays is passed over; where tissue that yields was, there is a tumour cell. `mothers` and `places` (m,) receive,
    from `count` on, the row that divides and the voxel of its daughter; that is marked CLAIMED in `tissue_row` until the caller adds her.
    `next` below m is a row that found no way: `surface` is too old, or there is no room.
    """
    edge = 0
    for q in range(first, m):
        row = order[q]
        steps = way_to_room(np.int64(voxel[row]), uid[row], tissue_row, surface, seed, tick, geometry, path)
        if steps < 0:
            return q, count, edge
        free = path[steps]
        edge |= at_margin(free, 2, geometry)
        for j in range(steps - 1, 0, -1):
            moved = tissue_row[path[j]]
            if moved == FIRM:
                continue
            tissue_row[free] = moved
            if moved >= 0:
                voxel[moved] = free
            elif moved == CLAIMED:
                for k in range(count):
                    if places[k] == path[j]:
                        places[k] = free
            free = path[j]
        tissue_row[free] = CLAIMED
        mothers[count] = row
        places[count] = free
        count += 1
    return m, count, edge


@serial
def closing_now(holes, m, tissue_row, hole, p_close, seed, tick, out):
    """Holes (m,) that close in this tick, into `out`; those that are filled are holes no longer. Returns how many."""
    count = 0
    for q in range(m):
        v = holes[q]
        if tissue_row[v] != FREE:
            hole[v] = 0
        elif uniform(seed, _CLOSE, tick, np.uint64(v), 0) < p_close:
            out[count] = v
            count += 1
    return count


@rule
def folded(x, n, periodic):
    """A coordinate on an axis of n voxels: round a periodic axis, mirrored at walls."""
    if periodic:
        return x - n * np.floor((x + 0.5) / n)
    while x < -0.5 or x >= n - 0.5:
        x = -1.0 - x if x < -0.5 else 2.0 * n - 1.0 - x - 1e-9
    return x


@rule
def exit_from(hole, tissue_row, surface, seed, tick, first, geometry):
    """A voxel of tissue at the surface where a random walk from a hole comes out; -1 if it does not. Uses draws `first` to `first` + DRAWS - 1.

    The walk goes from sphere to sphere (Muller 1956, doi 10.1214/aoms/1177728169): each jump as far as the surface is, in any direction.
    Where a gap opens to the outside there is no tissue to flow in. There the walk is reflected and goes on, mostly to the gap's
    lips, and takes tissue a little deeper each time, so that scattered cells are found too.
    """
    z, y, x = place_of(hole, geometry)
    pz, py, px = np.float64(z), np.float64(y), np.float64(x)
    v, deep = hole, AT_SURFACE
    for k in range(DRAWS):
        if surface[v] < deep and not is_room(tissue_row[v]):
            return v
        a, b, c, _d = draw(seed, _CLOSE, tick, np.uint64(hole), first + k)
        dx, dy = 2.0 * (a * _U32) - 1.0, 2.0 * (b * _U32) - 1.0
        dz = 2.0 * (c * _U32) - 1.0 if geometry[0] > 1 else 0.0
        length = np.sqrt(dz * dz + dy * dy + dx * dx)
        if length > 1.0 or length == 0.0:
            continue  # outside the sphere: directions would not be even
        far = max(surface[v] - 0.5, 1.0) / length
        qz = folded(pz + far * dz, geometry[0], geometry[3])
        qy = folded(py + far * dy, geometry[1], geometry[4])
        qx = folded(px + far * dx, geometry[2], geometry[5])
        w = (np.int64(np.floor(qz + 0.5)) * geometry[1] + np.int64(np.floor(qy + 0.5))) * geometry[2] + np.int64(np.floor(qx + 0.5))
        if surface[w] < AT_SURFACE and is_room(tissue_row[w]):
            deep += DEEPER
        if surface[w] > 0.0:
            pz, py, px, v = qz, qy, qx, w
    return -1


@rule
def neighbours_with_tissue(voxel, tissue_row, geometry):
    """How many voxels within two of this one, in each direction, have tissue: few where the surface juts out."""
    count = 0
    for dz in range(-2 if geometry[0] > 1 else 0, 3 if geometry[0] > 1 else 1):
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                w = shifted(voxel, dz, dy, dx, geometry)
                count += w >= 0 and not is_room(tissue_row[w])
    return count


@rule
def shorter(delta, n, periodic):
    """A difference of coordinates, the shorter way round a periodic axis."""
    if periodic and 2 * delta > n:
        return delta - n
    return delta + n if periodic and 2 * delta <= -n else delta


@rule
def on_line(delta, j, steps):
    """Coordinate of point j of `steps` on the line from 0 to delta, rounded half away from zero."""
    s = 1 if delta >= 0 else -1
    return s * ((2 * s * delta * j + steps) // (2 * steps))


@rule
def straight_out(hole, to, tissue_row, hole_marks, surface, geometry, path):
    """Fill `path` with the voxels on the line from a hole to a voxel of tissue at the surface and on, to the first outside; steps, -1 if there is none."""
    z, y, x = place_of(hole, geometry)
    tz, ty, tx = place_of(to, geometry)
    dz, dy, dx = shorter(tz - z, geometry[0], geometry[3]), shorter(ty - y, geometry[1], geometry[4]), shorter(tx - x, geometry[2], geometry[5])
    far = max(abs(dz), abs(dy), abs(dx))
    path[0] = hole
    for j in range(1, path.size):
        if j <= far:
            w = shifted(hole, on_line(dz, j, far), on_line(dy, j, far), on_line(dx, j, far), geometry)
        else:
            w = outward(path[j - 1], surface, 0.5, geometry)
        if w < 0:
            return -1
        path[j] = w
        if j > far and is_room(tissue_row[w]) and hole_marks[w] == 0:
            return j
    return -1


@serial
def close(order, m, voxel, tissue_row, hole, surface, seed, tick, geometry, path):
    """Each hole in order is filled by the tissue cells between it and the surface, one place each; returns how many were.

    Tissue flows towards a hole from all sides as an incompressible fluid towards a sink: the share of a piece of surface is the chance that a
    random walk from the hole comes out there. Of WALKS such ways the one out whose end juts out most is taken, which stands for surface
    tension. Other holes and other tissue that stays are passed over. The place next to the surface is outside
    from then on. A hole with no way to the surface stays.
    """
    filled = 0
    for q in range(m):
        best, to = np.int64(1 << 30), -1
        for k in range(WALKS):
            end = exit_from(order[q], tissue_row, surface, seed, tick, _FIRST_STEP + k * DRAWS, geometry)
            if end >= 0:
                count = neighbours_with_tissue(end, tissue_row, geometry)
                if count < best:
                    best, to = count, end
        steps = straight_out(order[q], to, tissue_row, hole, surface, geometry, path) if to >= 0 else -1
        if steps < 0:
            continue
        free = last = order[q]
        for j in range(1, steps):
            moved = tissue_row[path[j]]
            if moved >= 0:
                tissue_row[free] = moved
                voxel[moved] = free
                free = path[j]
            if moved != FIRM:
                last = path[j]
        hole[order[q]] = 0
        tissue_row[free] = FREE
        hole[free] = 1  # where holes follow it on the way out, the outermost of them opens
        hole[last] = 0
        filled += 1
    return filled
