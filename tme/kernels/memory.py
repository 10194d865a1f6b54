"""Where arrays lie: on cache lines, and not all at the same place of a page.

Large arrays come from the system page by page and all begin at the same place of one. A loop that reads one
such array and writes another then meets the same last twelve bits of address again and again: the processor
takes a load for one of the store before it, and the first-level cache has room for eight lines of an address.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

LINE, PAGE, SHIFT = 64, 4096, 576  # bytes; SHIFT is nine lines: after 64 arrays every line of a page was a beginning
_turn = itertools.count()


def zeros(n: int, dtype: type | str | np.dtype = np.float64) -> np.ndarray:
    """(n,) zeros that begin on a cache line, each call's at another place of a page."""
    kind = np.dtype(dtype)
    room = np.zeros(n * kind.itemsize + PAGE + LINE, np.uint8)
    lead = (next(_turn) * SHIFT - room.ctypes.data) % PAGE
    return room[lead : lead + n * kind.itemsize].view(kind)


def filled(n: int, value: float, dtype: type | str | np.dtype = np.float64) -> np.ndarray:
    """The same with a value."""
    out = zeros(n, dtype)
    if value != 0:
        out[:] = value
    return out


class Pool:
    """Bytes that several users take turns in; `user` is who had them last."""

    def __init__(self, size: int) -> None:
        room = np.zeros(size + LINE, np.uint8)
        lead = -room.ctypes.data % LINE
        self.room = room[lead : lead + size]  # begins on a cache line
        self.user: object = None


def rows(count: int, n: int, dtype: type = np.float64) -> np.ndarray:
    """(count, n or a few more) zeros in one piece, whose rows begin as those of `zeros` do."""
    return blocks(n, [(count, dtype)])[0]


def blocks(n: int, kinds: Sequence[tuple[int, type]]) -> list[np.ndarray]:
    """`rows` of several (count, dtype), all in one piece."""
    sizes = [room_for(count, n, kind) for count, kind in kinds]
    room = Pool(sum(sizes)).room
    ends = itertools.accumulate(sizes)
    return [rows_in(room[end - size : end], count, n, kind) for end, size, (count, kind) in zip(ends, sizes, kinds)]


def room_for(count: int, n: int, dtype: type = np.float64) -> int:
    """Bytes of `rows`."""
    return count * (-(-n * np.dtype(dtype).itemsize // PAGE) * PAGE + SHIFT)


def rows_in(room: np.ndarray, count: int, n: int, dtype: type = np.float64) -> np.ndarray:
    """The same as `rows` in bytes that begin on a cache line, whatever they hold."""
    size, kind = room_for(count, n, dtype), np.dtype(dtype)
    return room[:size].view(kind).reshape(count, size // count // kind.itemsize)
