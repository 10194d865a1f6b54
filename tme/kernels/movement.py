"""Motion of immune cells: everybody proposes, the lattice grants.

A cell proposes one neighbouring voxel; a voxel with a free place admits one newcomer per call, the one
with the highest random priority, ties to the smaller uid. Nothing depends on row order.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import DISTANCE, beside, n_directions, neighbour, place_of
from tme.kernels.rng import BLOCK, Stream, draw_block
from tme.kernels.terms import factor
from tme.kernels.transfer import at

_MOVE = int(Stream.MOVE)
_GRANT = int(Stream.GRANT)
_U32 = 1.0 / 4294967296.0
_ROW_BITS = 31
_ROW = (1 << _ROW_BITS) - 1


@rule
def slope(field, place, low, high, geometry):
    """Difference of the field between the neighbours in two opposite directions; 0 next to a wall."""
    a = beside(place, low, geometry)
    b = beside(place, high, geometry)
    if a < 0 or b < 0:
        return 0.0
    return at(field, b) - at(field, a)


@rule
def uphill(field, voxel, u, geometry):
    """Direction of a step that on average, over u in (0, 1), leads along the field's gradient; -1 where flat.

    With |g1| >= |g2| >= |g3| the gradient is (|g1| - |g2|) e1 + (|g2| - |g3|) (e1 + e2) + |g3| (e1 + e2 + e3): an
    axis, a diagonal of a face, one of the body. Each is chosen in proportion to its part times its length,
    since a step is made with a probability of 1/length. The steepest neighbour would nearly always be a
    diagonal, and cells would gather along the lattice's axes.
    """
    place = place_of(np.int64(voxel), geometry)
    gx = slope(field, place, 3, 4, geometry)
    gy = slope(field, place, 1, 6, geometry)
    gz = slope(field, place, 12, 21, geometry) if geometry[0] > 1 else 0.0
    x, y, z = abs(gx), abs(gy), abs(gz)
    top = max(x, y, z)
    if not top > 0.0:
        return -1
    bottom = min(x, y, z)
    middle = max(min(x, y), min(max(x, y), z))
    one = top - middle
    two = DISTANCE[0] * (middle - bottom)
    t = u * (one + two + DISTANCE[8] * bottom)
    least = top if t < one else (middle if t < one + two else bottom)
    dx = _step(gx, least)
    dy = _step(gy, least)
    dz = _step(gz, least)
    k = (dy + 1) * 3 + dx + 1
    if dz == 0:
        return k if k < 4 else k - 1
    return k + (8 if dz < 0 else 17)


@rule
def _step(g, least):
    """-1, 0 or 1: the sign of a slope that is at least `least`."""
    if g == 0.0 or abs(g) < least:
        return 0
    return 1 if g > 0.0 else -1


@rule
def choose_direction(field, voxel, heading, bias, persistence, u_bias, u_keep, u_new, geometry):
    """With probability `bias` uphill, else on along `heading` with `persistence`, else anywhere."""
    if u_bias < bias:
        k = uphill(field, voxel, u_bias / bias, geometry)
        if k >= 0:
            return k
    if heading >= 0 and u_keep < persistence:
        return np.int64(heading)
    return np.int64(u_new * n_directions(geometry))


@serial
def propose(
    lo, hi, uid, voxel, heading, speed, held, field, bias, persistence, step, seed, tick, geometry, proposal, direction,
    speed_term, bias_term,
):  # fmt: skip
    """Fill `proposal` (n,) int32 with the voxel each row wants to enter, -1 for none.

    `speed` (n,) um/min; `step` = dt/dx in min/um: a move along direction k happens with probability
    speed * step / length of the step in voxels. `held` (n,) int8: cells that stay put.
    `speed_term`, `bias_term`: factors of each cell (n,), or empty.
    """
    words = np.empty((4, BLOCK), np.uint64)
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        draw_block(seed, _MOVE, tick, uid, first, first + m, 0, words)
        for j in range(np.uint64(m)):
            i = np.uint64(first) + j
            proposal[i] = -1
            p = speed[i] * factor(speed_term, i) * step
            u_move = (np.float64(words[0, j]) + 0.5) * _U32
            if held[i] != 0 or u_move >= p:
                continue
            # one 32-bit word serves bias and persistence: two independent 16-bit halves
            b = words[1, j]
            u_bias = (np.float64(b >> np.uint64(16)) + 0.5) / 65536.0
            u_keep = (np.float64(b & np.uint64(0xFFFF)) + 0.5) / 65536.0
            u_new = (np.float64(words[2, j]) + 0.5) * _U32
            k = choose_direction(field, voxel[i], heading[i], bias * factor(bias_term, i), persistence, u_bias, u_keep, u_new, geometry)
            if u_move < p / DISTANCE[k]:
                proposal[i] = neighbour(voxel[i], k, geometry)
                direction[i] = k


@serial
def grant(n, uid, voxel, heading, proposal, direction, occupancy, capacity, seed, tick, claim):
    """Settle the proposals and move the winners; returns how many moved.

    `occupancy` (voxels,) int8 immune cells present; `claim` (voxels,) int64 is scratch, 0 on entry and exit: one more
    than the highest priority so far, of 32 bits, with the row below it.
    """
    # half of all proposals meet a full voxel: the others are listed without a branch, which no processor could predict
    wanting, m = np.empty(n, np.int32), 0
    for i in range(n):
        v = proposal[i]
        wanting[m] = i
        m += np.int64(v >= 0) & np.int64(occupancy[max(v, 0)] < capacity)
    names, words = np.empty(BLOCK, np.uint64), np.empty((4, BLOCK), np.uint64)
    for first in range(0, m, BLOCK):
        k = min(BLOCK, m - first)
        for j in range(k):
            names[j] = uid[wanting[first + j]]
        draw_block(seed, _GRANT, tick, names, 0, k, 0, words)
        for j in range(k):
            i = np.int64(wanting[first + j])
            bid, best = (np.int64(words[0, j]) << _ROW_BITS) | i, claim[proposal[i]] - 1
            if bid >> _ROW_BITS == best >> _ROW_BITS:
                claim[proposal[i]] = 1 + (bid if uid[i] < uid[best & _ROW] else best)
            else:
                claim[proposal[i]] = 1 + max(bid, best)
    moved = 0
    for i in wanting[:m]:
        v = proposal[i]
        if (claim[v] - 1) & _ROW == i:
            occupancy[voxel[i]] -= 1
            occupancy[v] += 1
            voxel[i] = v
            heading[i] = direction[i]
            moved += 1
            claim[v] = 0  # every wanted voxel has one winner, which resets the scratch
    return moved
