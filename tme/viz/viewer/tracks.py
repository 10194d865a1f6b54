"""Cells followed through the snapshots of one simulation: a number for each cell, and its mother's.

A newborn's uid is a hash of its mother's uid and of the number of her division (`tme.kernels.rng.child_uid`). The
hash is a bijection for a given number, so that the mother of a cell is among as many candidates as cells divide.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

DIVISIONS = 24  # numbers of a mother's division that are tried
UNSEEN = 2  # generations born and gone between two snapshots that are bridged
END_BITS = 21
_LAST = np.uint64((1 << END_BITS) - 1)
_OFFSET = np.uint64(0xC3A5C85C97CB3127)


def _mix(x: np.ndarray) -> np.ndarray:
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _unmix(z: np.ndarray) -> np.ndarray:
    """The inverse of `_mix`: each shift undone by repeating it, each product by the inverse factor modulo 2^64."""
    z = z ^ (z >> np.uint64(31)) ^ (z >> np.uint64(62))
    z = z * np.uint64(pow(0x94D049BB133111EB, -1, 1 << 64))
    z = z ^ (z >> np.uint64(27)) ^ (z >> np.uint64(54))
    z = z * np.uint64(pow(0xBF58476D1CE4E5B9, -1, 1 << 64))
    z = z ^ (z >> np.uint64(30)) ^ (z >> np.uint64(60))
    return z - np.uint64(0x9E3779B97F4A7C15)


def child(mother: np.ndarray, division: np.ndarray) -> np.ndarray:
    """uid (n,) uint64 of the daughter of a mother's n-th division, as the model names it."""
    return _mix(np.asarray(mother, np.uint64) ^ _mix(np.asarray(division, np.uint64) + _OFFSET))


def numbers(uids: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """Track numbers of the cells of each snapshot, counted from the first, and the uid (n_tracks,) of each track.

    A snapshot that comes later adds tracks at the end, and leaves the numbers of the others as they are.
    """
    if not uids:
        return [], np.zeros(0, np.uint64)
    unique, first, inverse = np.unique(np.concatenate(uids), return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    ends = np.cumsum([len(u) for u in uids])[:-1]
    return np.split(rank[inverse], ends), unique[order]


def mothers(uids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each track its nearest ancestor with a track (-1: none seen) and the generations between them (1: its mother)."""
    uids = np.asarray(uids, np.uint64)
    sorted_at = np.argsort(uids, kind="stable")
    known = uids[sorted_at]
    mother, generations = np.full(uids.size, -1, np.int64), np.zeros(uids.size, np.uint8)
    keys = _mix(np.arange(1, DIVISIONS + 1, dtype=np.uint64) + _OFFSET)
    ends = np.zeros(1 << END_BITS, bool)  # which last bits some uid has: few candidates pass, and only these are searched for
    ends[uids & _LAST] = True
    who, above = np.arange(uids.size), uids
    for generation in range(1, UNSEEN + 2):
        if above.size == 0 or above.size * keys.size > 4_000_000:
            break
        candidates = _unmix(above)[:, None] ^ keys
        rows, column = np.nonzero(ends[candidates & _LAST])
        likely = candidates[rows, column]
        place = np.minimum(np.searchsorted(known, likely), max(known.size - 1, 0))
        hit = known[place] == likely
        rows, place = rows[hit], place[hit]
        new = mother[who[rows]] < 0
        mother[who[rows[new]]] = sorted_at[place[new]]
        generations[who[rows[new]]] = generation
        open_ = np.flatnonzero(mother[who] < 0)
        who, above = np.repeat(who[open_], keys.size), candidates[open_].ravel()
    return mother, generations


def pack(mother: np.ndarray, generations: np.ndarray) -> bytes:
    """The table for the browser: length (u32), then a zlib stream of mother + 1 (u32) and generations (u8)."""
    body = (mother + 1).astype("<u4").view(np.uint8).reshape(-1, 4).T
    return struct.pack("<I", mother.size) + zlib.compress(np.ascontiguousarray(body).tobytes() + generations.astype(np.uint8).tobytes(), 6)
