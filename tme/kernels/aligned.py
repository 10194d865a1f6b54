"""Aligned arrays: they begin on cache lines, and each at another offset within a memory page.

The system hands out large arrays page by page, so all of them begin at the same offset of a page. A loop that reads one
such array and writes another then meets equal low address bits again and again (4K aliasing): the processor
takes a load for one of the preceding store, and the first-level cache has only eight lines per address of that kind.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

LINE, PAGE, SHIFT = 64, 4096, 576  # bytes; SHIFT is nine lines: 64 arrays begin at 64 different lines of a page
_calls = itertools.count()


def zeros(n: int, dtype: type | str | np.dtype = np.float64) -> np.ndarray:
    """(n,) zeros that begin on a cache line, at another offset within a page in each call."""
    kind = np.dtype(dtype)
    buffer = np.zeros(n * kind.itemsize + PAGE + LINE, np.uint8)
    lead = (next(_calls) * SHIFT - buffer.ctypes.data) % PAGE
    return buffer[lead : lead + n * kind.itemsize].view(kind)


def filled(n: int, value: float, dtype: type | str | np.dtype = np.float64) -> np.ndarray:
    """The same with every entry `value`."""
    out = zeros(n, dtype)
    if value != 0:
        out[:] = value
    return out


class BufferPool:
    """A buffer of bytes, aligned to a cache line, that several solvers share in turn; `last_user` is the last of them."""

    def __init__(self, size: int) -> None:
        buffer = np.zeros(size + LINE, np.uint8)
        lead = -buffer.ctypes.data % LINE
        self.buffer = buffer[lead : lead + size]
        self.last_user: object = None


def row_array(count: int, n: int, dtype: type = np.float64) -> np.ndarray:
    """(count, n or a few more) zeros in one allocation, whose rows are aligned as arrays of `zeros` are."""
    return row_blocks(n, [(count, dtype)])[0]


def row_blocks(n: int, kinds: Sequence[tuple[int, type]]) -> list[np.ndarray]:
    """One `row_array` per (count, dtype), all in one allocation."""
    sizes = [bytes_for_rows(count, n, kind) for count, kind in kinds]
    buffer = BufferPool(sum(sizes)).buffer
    ends = itertools.accumulate(sizes)
    return [rows_view(buffer[end - size : end], count, n, kind) for end, size, (count, kind) in zip(ends, sizes, kinds)]


def bytes_for_rows(count: int, n: int, dtype: type = np.float64) -> int:
    """Size of a `row_array`, bytes."""
    return count * (-(-n * np.dtype(dtype).itemsize // PAGE) * PAGE + SHIFT)


def rows_view(buffer: np.ndarray, count: int, n: int, dtype: type = np.float64) -> np.ndarray:
    """A `row_array` in the first bytes of `buffer`, which begins on a cache line; the contents are kept."""
    size, kind = bytes_for_rows(count, n, dtype), np.dtype(dtype)
    return buffer[:size].view(kind).reshape(count, size // count // kind.itemsize)
