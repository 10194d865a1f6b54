"""Counter-based random numbers: Philox 4x32-10 keyed by (seed, stream, tick, cell uid).

No generator state exists anywhere: a draw is a pure function of the asking cell, the tick and the purpose. That is
what makes results independent of threads, of row order, of executors and of interruptions, and lets a
control arm and a therapy arm share every die roll.

Source: Salmon et al. 2011, SC'11, doi 10.1145/2063384.2063405 (algorithm and known-answer vectors).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from tme.kernels.elementary import law
from tme.kernels.jit import rule, serial, stated


class Stream(IntEnum):
    """What a draw is for. Values are part of the file format: append, never renumber."""

    PLACE = 1
    TRAIT = 2
    DIVIDE = 3
    PUSH = 4
    DEATH = 5
    MUTATE = 6
    MOVE = 7
    GRANT = 8
    ATTACH = 9
    HIT = 10
    CD8_DIVIDE = 11
    CD8_DEATH = 12
    RECRUIT = 13
    MATURE = 14
    CLEAR = 15
    VESSEL = 16
    DETACH = 17
    MODE = 18
    TURNOVER = 19
    TYPE = 20
    EVENT = 21
    TRANSFER = 22
    INVADE = 40
    CLOSE = 41


# Types of (seed, stream, tick, uid, sub), stated: numba would compile a version for every stream it meets.
_KEY = "(uint64, int64, int64, uint64, int64)"
_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_S32 = np.uint64(32)
_U52 = 1.0 / 4503599627370496.0
BLOCK = 64  # cells whose draws are made side by side


@rule
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds of Philox 4x32. All arguments and the four results are uint32."""
    for _ in range(10):
        p0 = np.uint64(c0) * _M0
        p1 = np.uint64(c2) * _M1
        hi0 = np.uint32(p0 >> _S32)
        lo0 = np.uint32(p0 & _LOW)
        hi1 = np.uint32(p1 >> _S32)
        lo1 = np.uint32(p1 & _LOW)
        c0, c1, c2, c3 = hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0
        k0 = np.uint32(k0 + np.uint32(_W0))
        k1 = np.uint32(k1 + np.uint32(_W1))
    return c0, c1, c2, c3


@stated("Tuple((uint64, uint32, uint64, uint32))" + _KEY)
def draw(seed, stream, tick, uid, sub):
    """Four uint32 for a cell: counter (uid low, uid high, tick, stream * 2^16 + sub), key = seed."""
    u = np.uint64(uid)
    s = np.uint64(seed)
    return philox(
        np.uint32(u & _LOW),
        np.uint32(u >> _S32),
        np.uint32(np.int64(tick) & np.int64(0xFFFFFFFF)),
        np.uint32((np.int64(stream) << np.int64(16)) + np.int64(sub)),
        np.uint32(s & _LOW),
        np.uint32(s >> _S32),
    )


@rule
def unit(a, b):
    """Two uint32 -> float64 in (0, 1), 52 bits centred in their bins, never 0 or 1."""
    x = (np.uint64(a) << _S32) | np.uint64(b)
    return (np.float64(x >> np.uint64(12)) + 0.5) * _U52


@stated("float64" + _KEY)
def uniform(seed, stream, tick, uid, sub):
    """One float64 in (0, 1)."""
    a, b, _c, _d = draw(seed, stream, tick, uid, sub)
    return unit(a, b)


@stated("UniTuple(float64, 2)" + _KEY)
def uniform2(seed, stream, tick, uid, sub):
    """Two independent float64 in (0, 1) from one block."""
    a, b, c, d = draw(seed, stream, tick, uid, sub)
    return unit(a, b), unit(c, d)


@law
def _round(c0, c1, c2, c3, k0, k1):
    """One round and the next key; uint64 numbers below 2^32. Ten in a row are straight code, which LLVM makes vectors of."""
    p0, p1 = c0 * _M0, c2 * _M1
    return (p1 >> _S32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _S32) ^ c3 ^ k1, p0 & _LOW, (k0 + _W0) & _LOW, (k1 + _W1) & _LOW


@law
def _five_rounds(c0, c1, c2, c3, k0, k1):
    a, b, c, d, k, l = _round(*_round(c0, c1, c2, c3, k0, k1))
    return _round(*_round(*_round(a, b, c, d, k, l)))


@law
def _ten_rounds(uid, now, last, k0, k1):
    """The four words of one cell, uint64 numbers below 2^32."""
    a, b, c, d, k, l = _five_rounds(uid & _LOW, uid >> _S32, now, last, k0, k1)
    a, b, c, d, _, _ = _five_rounds(a, b, c, d, k, l)
    return a, b, c, d


@law
def _last(stream, sub):
    """The fourth word of the counter."""
    return np.uint64((np.int64(stream) << np.int64(16)) + np.int64(sub))


@stated("void(uint64, int64, int64, uint64[::1], int64, int64, int64, uint64[:, ::1])", nogil=True)
def draw_block(seed, stream, tick, uid, lo, hi, sub, words):
    """`draw` for the rows from `lo` to `hi`, at most BLOCK, into the columns of words (4, BLOCK): a ninth of the time."""
    now, last, k0, k1, o = np.uint64(tick) & _LOW, _last(stream, sub), np.uint64(seed) & _LOW, np.uint64(seed) >> _S32, np.uint64(lo)
    for j in range(np.uint64(hi - lo)):
        words[0, j], words[1, j], words[2, j], words[3, j] = _ten_rounds(uid[o + j], now, last, k0, k1)


@stated("void(uint64, int64, int64, uint64[::1], int64, int64, int64, float64[:, ::1])", nogil=True)
def uniform_block(seed, stream, tick, uid, lo, hi, sub, u):
    """`uniform2` for the rows from `lo` to `hi`, at most BLOCK, into the columns of u (2, BLOCK)."""
    now, last, k0, k1, o = np.uint64(tick) & _LOW, _last(stream, sub), np.uint64(seed) & _LOW, np.uint64(seed) >> _S32, np.uint64(lo)
    for j in range(np.uint64(hi - lo)):
        a, b, c, d = _ten_rounds(uid[o + j], now, last, k0, k1)
        u[0, j] = unit(a, b)
        u[1, j] = unit(c, d)


@rule
def mix64(x):
    """The splitmix64 finaliser (Steele et al. 2014, doi 10.1145/2660193.2660195): a bijection of uint64."""
    z = np.uint64(x) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@rule
def child_uid(parent_uid, n_division):
    """uid of a newborn: a hash of (parent uid, division number), equal in every arm that grows it."""
    return mix64(np.uint64(parent_uid) ^ mix64(np.uint64(n_division) + np.uint64(0xC3A5C85C97CB3127)))


@rule
def recruit_uid(source, tick, slot):
    """uid of a recruit: a hash of (source, tick, slot); source = population code * 2^32 + voxel."""
    return mix64(mix64(np.uint64(source) + np.uint64(0x9AE16A3B2F90404F)) ^ mix64((np.uint64(tick) << np.uint64(20)) | np.uint64(slot)))


@serial
def uniforms(seed, stream, tick, uids, sub, out):
    """Fill `out` (n,) float64 with one uniform per uid (n,) uint64; the array form of `uniform`."""
    for i in range(uids.size):
        out[i] = uniform(seed, stream, tick, uids[i], sub)


@serial
def normals(seed, stream, tick, uids, sub, out):
    """Fill `out` (n,) float64 with standard normals (Box-Muller), one per uid."""
    for i in range(uids.size):
        u, v = uniform2(seed, stream, tick, uids[i], sub)
        out[i] = np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v)


@serial
def priorities(rows, m, uid, seed, stream, tick, sub, out):
    """Random priority (m,) int64 of each listed row: the first word of its draw."""
    for j in range(m):
        a, _b, _c, _d = draw(seed, stream, tick, uid[rows[j]], sub)
        out[j] = np.int64(a)
