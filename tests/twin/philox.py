"""Dice and names: Philox 4x32-10 and the splitmix64 hash, in Python integers.

A draw is a pure function of (seed, stream, tick, uid, sub): the 128-bit counter holds
(uid low, uid high, tick, stream * 2^16 + sub), the 64-bit key is the seed. Salmon et al. 2011,
doi 10.1145/2063384.2063405. A newborn's uid is a hash of (parent uid, division number), a recruit's of
(population code, voxel, tick). Steele et al. 2014, doi 10.1145/2660193.2660195.
"""

import math

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF

STREAMS = {
    "place": 1, "trait": 2, "divide": 3, "push": 4, "death": 5, "mutate": 6, "move": 7, "grant": 8,
    "attach": 9, "hit": 10, "cd8_divide": 11, "cd8_death": 12, "recruit": 13, "mature": 14, "clear": 15,
    "vessel": 16, "detach": 17, "mode": 18, "turnover": 19, "type": 20, "close": 41,
}  # fmt: skip


def philox(counter, key):
    """Ten rounds on four 32-bit counter words under two 32-bit key words; four words out."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK32, (p0 >> 32) ^ c3 ^ k1, p0 & MASK32
        k0, k1 = (k0 + 0x9E3779B9) & MASK32, (k1 + 0xBB67AE85) & MASK32
    return c0, c1, c2, c3


def unit(high, low):
    """Two 32-bit words as a number in (0, 1) with 53 bits."""
    return ((((high << 32) | low) >> 12) + 0.5) / 2.0**52


def mix64(x):
    """The splitmix64 finaliser."""
    z = (x + 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def child_uid(parent, division):
    """Name of the daughter of a mother's `division`-th division."""
    return mix64(parent ^ mix64((division + 0xC3A5C85C97CB3127) & MASK64))


def recruit_uid(code, voxel, tick, slot=0):
    """Name of a cell of population `code` that enters (or is placed) at a voxel."""
    source = (code << 32) | voxel
    return mix64(mix64((source + 0x9AE16A3B2F90404F) & MASK64) ^ mix64(((tick << 20) | slot) & MASK64))


class Dice:
    """All draws of one seed."""

    def __init__(self, seed):
        self.key = (seed & MASK32, (seed >> 32) & MASK32)

    def words(self, stream, tick, uid, sub=0):
        """Four 32-bit words."""
        return philox((uid & MASK32, uid >> 32, tick & MASK32, (STREAMS[stream] << 16) + sub), self.key)

    def uniform(self, stream, tick, uid, sub=0):
        """One number in (0, 1)."""
        a, b, _, _ = self.words(stream, tick, uid, sub)
        return unit(a, b)

    def pair(self, stream, tick, uid, sub=0):
        """Two independent numbers in (0, 1)."""
        a, b, c, d = self.words(stream, tick, uid, sub)
        return unit(a, b), unit(c, d)

    def normal(self, stream, tick, uid, sub=0):
        """A standard normal number (Box-Muller)."""
        u, v = self.pair(stream, tick, uid, sub)
        return math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)


def happens(u, rate, minutes):
    """Whether an event of hazard `rate` (1/min) happens within `minutes`, u the die in (0, 1)."""
    return u < -math.expm1(-rate * minutes)
