"""Motion of immune cells: everybody proposes, the lattice grants.

A cell proposes one neighbouring voxel; a voxel with a free place admits one newcomer per call, the one
with the highest random priority, ties to the smaller uid. Nothing depends on row order.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import DISTANCE, beside, n_directions, neighbour, place_of
from tme.kernels.rng import Stream, draw

_MOVE = int(Stream.MOVE)
_GRANT = int(Stream.GRANT)
_U32 = 1.0 / 4294967296.0


@rule
def uphill(field, voxel, geometry):
    """Direction of the neighbour with the highest value, -1 if none exceeds the cell's own voxel."""
    best = field[voxel]
    found = -1
    place = place_of(np.int64(voxel), geometry)
    for k in range(n_directions(geometry)):
        v = beside(place, k, geometry)
        if v >= 0 and field[v] > best:
            best = field[v]
            found = k
    return found


@rule
def choose_direction(field, voxel, heading, bias, persistence, u_bias, u_keep, u_new, geometry):
    """With probability `bias` uphill, else on along `heading` with `persistence`, else anywhere."""
    if u_bias < bias:
        k = uphill(field, voxel, geometry)
        if k >= 0:
            return k
    if heading >= 0 and u_keep < persistence:
        return np.int64(heading)
    return np.int64(u_new * n_directions(geometry))


@serial
def propose(n, uid, voxel, heading, speed, held, field, bias, persistence, step, seed, tick, geometry, proposal, direction):
    """Fill `proposal` (n,) int32 with the voxel each row wants to enter, -1 for none.

    `speed` (n,) um/min; `step` = dt/dx in min/um: a move along direction k happens with probability
    speed * step / length of the step in voxels. `held` (n,) int8: cells that stay put.
    """
    for i in range(n):
        proposal[i] = -1
        if held[i] != 0:
            continue
        a, b, c, _d = draw(seed, _MOVE, tick, uid[i], 0)
        p = speed[i] * step
        u_move = (np.float64(a) + 0.5) * _U32
        if u_move >= p:
            continue
        # one 32-bit word serves bias and persistence: two independent 16-bit halves
        u_bias = (np.float64(b >> np.uint32(16)) + 0.5) / 65536.0
        u_keep = (np.float64(b & np.uint32(0xFFFF)) + 0.5) / 65536.0
        u_new = (np.float64(c) + 0.5) * _U32
        k = choose_direction(field, voxel[i], heading[i], bias, persistence, u_bias, u_keep, u_new, geometry)
        if u_move < p / DISTANCE[k]:
            proposal[i] = neighbour(voxel[i], k, geometry)
            direction[i] = k


@rule
def priority_of(uid, seed, tick):
    """A cell's rank among those who want one voxel in this tick."""
    a, _b, _c, _d = draw(seed, _GRANT, tick, uid, 0)
    return np.int64(a)


@serial
def grant(n, uid, voxel, heading, proposal, direction, occupancy, capacity, seed, tick, best_priority, best_row):
    """Settle the proposals and move the winners; returns how many moved.

    `occupancy` (voxels,) int8 immune cells present; `best_priority` (voxels,) int64 and `best_row`
    (voxels,) int32 are scratch, -1 on entry and exit.
    """
    for i in range(n):
        v = proposal[i]
        if v < 0 or occupancy[v] >= capacity:
            continue
        rival = best_row[v]
        if rival < 0:  # so far alone: no priority needed
            best_row[v] = i
            continue
        if best_priority[v] < 0:
            best_priority[v] = priority_of(uid[rival], seed, tick)
        mine = priority_of(uid[i], seed, tick)
        if mine > best_priority[v] or (mine == best_priority[v] and uid[i] < uid[rival]):
            best_priority[v] = mine
            best_row[v] = i
    moved = 0
    for i in range(n):
        v = proposal[i]
        if v >= 0 and best_row[v] == i:
            occupancy[voxel[i]] -= 1
            occupancy[v] += 1
            voxel[i] = v
            heading[i] = direction[i]
            moved += 1
    for i in range(n):
        if proposal[i] >= 0:
            best_priority[proposal[i]] = -1
            best_row[proposal[i]] = -1
    return moved
