"""Contacts: killers (T cells, NK) meet living tumour cells of their own voxel and the Moore neighbourhood.

`meet` and `strike` are sweeps without their laws (`inline_laws.with_laws`): `attach_rate` and `effector_function`. What a killer has around it and whom it holds lie far
apart in memory and are asked for some cells ahead.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.elementary import exp
from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import beside, has_all, n_directions, neighbour, next_to, place_of
from tme.kernels.rng import BLOCK, Stream, uniform_block
from tme.kernels.simd import prefetch
from tme.kernels.terms import factor
from tme.kernels.transfer import at

_ATTACH = int(Stream.ATTACH)
_HIT = int(Stream.HIT)
_DETACH = int(Stream.DETACH)
SOON, NEXT = 16, 8  # killers ahead whose surroundings, and then whose targets, are asked for
KILLED = 12  # the fate of a tumour cell that enough hits kill


def attach_rate(antigenicity, mhc1, attach_factor, recognition_factor, p):
    """A law: rate of attachment to a cell, 1/min."""
    raise NotImplementedError  # the sweep is compiled with laws only


def effector_function(exhaustion, inhibition, suppression, p):
    """A law: share of its function that a killer has, 0-1."""
    raise NotImplementedError  # the sweep is compiled with laws only


@rule
def find_target(target_voxel, target_uid, killer_voxel, tissue_row, uid, state, geometry):
    """Row of the cell being held, looked for where it was and around the killer; -1 if gone or dead."""
    row = tissue_row[target_voxel]
    if row >= 0 and uid[row] == target_uid:
        return row if state[row] == 0 else -1
    row = tissue_row[killer_voxel]
    if row >= 0 and uid[row] == target_uid and state[row] == 0:
        return row
    place = place_of(np.int64(killer_voxel), geometry)
    whole = has_all(place, geometry)
    for k in range(n_directions(geometry)):
        v = next_to(np.int64(killer_voxel), place, whole, k, geometry)
        if v >= 0:
            row = tissue_row[v]
            if row >= 0 and uid[row] == target_uid and state[row] == 0:
                return row
    return -1


@rule
def living_around(voxel, tissue_row, state, geometry):
    """Living tumour cells as bits: 0 the own voxel, k + 1 the neighbour in direction k. Without branches, which no processor could predict."""
    v = np.int64(voxel)
    place = place_of(v, geometry)
    row = tissue_row[v]
    bits = np.int64(row >= 0) & np.int64(state[max(row, 0)] == 0)
    if has_all(place, geometry):
        for k in range(n_directions(geometry)):
            row = tissue_row[next_to(v, place, True, k, geometry)]
            bits |= (np.int64(row >= 0) & np.int64(state[max(row, 0)] == 0)) << (k + 1)
    else:
        for k in range(n_directions(geometry)):
            w = beside(place, k, geometry)
            row = tissue_row[w] if w >= 0 else -1
            bits |= (np.int64(row >= 0) & np.int64(state[max(row, 0)] == 0)) << (k + 1)
    return bits


@rule
def how_many(bits):
    """Bits that are 1."""
    count = 0
    while bits != 0:
        bits &= bits - 1
        count += 1
    return count


@rule
def cell_of(voxel, bits, chosen, tissue_row, geometry):
    """Row of living tumour cell number `chosen` of those that `living_around` found."""
    for _ in range(chosen):
        bits &= bits - 1
    k = how_many((bits & -bits) - 1)
    return tissue_row[voxel] if k == 0 else tissue_row[neighbour(voxel, k - 1, geometry)]


def meet(
    lo, hi, uid, voxel, engaged, specific, target_uid, target_voxel, function, attach_factor, recognition_factor,
    t_uid, t_voxel, state, mhc1, antigenicity, tissue_row, p, dt, seed, tick, geometry, held_row, holders,
):  # fmt: skip
    """Killers `lo` to `hi` let go, keep hold or attach within dt min, each on the state before.

    A killer lets go at 1/hold_min, or when its target is gone. A free one picks one living cell of those around it, all
    alike, and attaches at `attach_rate`; bystanders, `specific` 0, never do (of no size: none is one). Fills `holders` from `lo` on with the rows of killers that hold a cell
    afterwards, and for these `held_row` with the row of that cell; returns where the list ends.
    """
    p_detach = 1.0 - exp(-dt / p.hold_min)
    leaves, meets = np.empty((2, BLOCK)), np.empty((2, BLOCK))
    count, line = lo, geometry[2]
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        uniform_block(seed, _DETACH, tick, uid, first, first + m, 0, leaves)
        uniform_block(seed, _ATTACH, tick, uid, first, first + m, 0, meets)
        for b in range(np.uint64(m)):
            i = np.uint64(first) + b
            early = min(np.int64(i) + SOON, hi - 1)
            v = np.int64(target_voxel[early] if engaged[early] == 1 else voxel[early])
            prefetch(tissue_row, np.uint64(v))
            prefetch(tissue_row, np.uint64(v - line))
            prefetch(tissue_row, np.uint64(v + line))
            early = min(np.int64(i) + NEXT, hi - 1)
            r = np.uint64(max(tissue_row[target_voxel[early] if engaged[early] == 1 else voxel[early]], 0))
            prefetch(t_uid, r)
            prefetch(t_voxel, r)
            prefetch(state, r)
            if engaged[i] == 1:
                row = tissue_row[target_voxel[i]]
                if row < 0 or t_uid[row] != target_uid[i]:  # it was pushed
                    row = find_target(target_voxel[i], target_uid[i], voxel[i], tissue_row, t_uid, state, geometry)
                elif state[row] != 0:
                    row = -1
                if row >= 0 and leaves[0, b] < p_detach:
                    row = -1
                if row < 0:
                    engaged[i] = 0
                    function[i] = 0.0
                    continue
            else:
                if specific.size > 0 and specific[i] == 0:
                    continue
                around = living_around(voxel[i], tissue_row, state, geometry)
                if around == 0:
                    continue
                row = cell_of(voxel[i], around, np.int64(meets[0, b] * how_many(around)), tissue_row, geometry)
                rate = attach_rate(antigenicity[row], mhc1[row], factor(attach_factor, i), factor(recognition_factor, i), p)
                if meets[1, b] >= 1.0 - exp(-rate * dt):
                    continue
                engaged[i] = 1
                target_uid[i] = t_uid[row]
            target_voxel[i] = t_voxel[row]
            held_row[i] = row
            holders[count] = i
            count += 1
    return count


def strike(lo, hi, holders, uid, voxel, exhaustion, inhibition, suppression, hit_factor, p, dt, seed, tick, function, hit):
    """Holders `lo` to `hi`: `function` by the law, and `hit`, whether they hit within dt min at k_hit times it.

    `holders` rows of killers, `inhibition` (holders,) what checkpoint signals leave; `exhaustion` of no size where the
    cell type knows none.
    """
    uids, u = np.empty(BLOCK, np.uint64), np.empty((2, BLOCK))
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        for b in range(np.uint64(m)):
            uids[b] = uid[holders[np.uint64(first) + b]]
        uniform_block(seed, _HIT, tick, uids, 0, m, 0, u)
        for b in range(np.uint64(m)):
            j = np.uint64(first) + b
            i = holders[j]
            f = effector_function(exhaustion[i] if exhaustion.size > 0 else 0.0, inhibition[j], at(suppression, voxel[i]), p)
            function[i] = f
            hit[j] = u[0, b] < 1.0 - exp(-p.k_hit * f * factor(hit_factor, i) * dt)


@serial
def count_hits(m, holders, held_row, hit, new_hits):
    """Add this minute's hits of m holders, integers, to the cells they hold."""
    for j in range(m):
        if hit[j]:
            new_hits[held_row[holders[j]]] += 1


@serial
def judge(m, holders, held_row, hit, kills, fate, hits, hit_tick, new_hits, n_hits, window_min, fade_min, dt_min, tick):
    """Hits add up; `n_hits` of them kill the cell, credited to every killer that holds it.

    Hits within `window_min` of the last one count in full; after that they fade with `fade_min`.

    `hit` (m,) is counted first, unless it is of no size. Returns kills.
    """
    n_kills = 0
    if hit.size > 0:
        count_hits(m, holders, held_row, hit, new_hits)
    for j in range(m):
        row = held_row[holders[j]]
        if new_hits[row] > 0:
            hits[row] = hits[row] * exp(-max((tick - hit_tick[row]) * dt_min - window_min, 0.0) / fade_min) + new_hits[row]
            hit_tick[row] = tick
            new_hits[row] = 0
            if hits[row] >= n_hits and fate[row] < 10:
                fate[row] = KILLED
                n_kills += 1
        if fate[row] == KILLED:
            kills[holders[j]] += 1
    return n_kills
