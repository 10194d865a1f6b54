"""Threads that share one piece of work: `each` gives them calls, `rows` blocks of one kernel's rows.

The calls must not touch each other's results; then the bits are those of one thread, whoever does what. A call
made while the team is at work, by one of its threads or by another, is done by its caller alone.

Threads are kept between uses. To wake one that sleeps takes some 100 us, longer than many a kernel runs, so
who waits first watches a bell for about a millisecond, in compiled code without Python's lock, and sleeps then.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from itertools import count, pairwise
from queue import SimpleQueue
from typing import Any

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from tme.kernels.jit import serial
from tme.kernels.memory import zeros

WORTH_ROWS = 4_096  # fewer are stepped before another thread has woken up
LOOKS = 0 if numba.config.DISABLE_JIT else 3_000_000  # at the bell, a third of a nanosecond each
LINGER = 12_000  # looks after it has rung: who rang is in Python for a moment more, and to wait for its lock is to sleep
Call = tuple[Callable[..., Any], tuple]

_busy = threading.Lock()
_inboxes: list[SimpleQueue] = []
_work_bell, _done_bell = zeros(8, np.int64), zeros(8, np.int64)  # a cache line each; only the first counts


def _look_again(typingctx, bell):
    """bell[0], from memory each time."""

    def code(context, builder, signature, arguments):
        array = cgutils.create_struct_proxy(types.int64[::1])(context, builder, arguments[0])
        return builder.load_atomic(array.data, "monotonic", 8)

    return types.int64(bell), code


def _look_once(bell):
    """The same without the compiler."""
    return bell[0]


_look = _look_once if numba.config.DISABLE_JIT else intrinsic(_look_again)


@serial
def watch(bell, heard, looks, linger):
    """Look until bell[0] is not `heard`, or `looks` times; returns whether it has rung."""
    for _ in range(looks):
        if _look(bell) != heard:
            for _ in range(linger):
                _look(bell)
            return True
    return False


def size() -> int:
    """Threads that may work, the caller's included."""
    return numba.get_num_threads()


def each(calls: Sequence[Call]) -> list[Any]:
    """Results of `function(*arguments)` for every pair of `calls`, in their order; kernels release the GIL.

    An exception is that of the first call, in their order, that raised one; a team ends all calls before.
    """
    helpers = min(size(), len(calls)) - 1
    if helpers < 1 or not _busy.acquire(blocking=False):
        return [function(*arguments) for function, arguments in calls]
    try:
        while len(_inboxes) < helpers:
            _hire()
        out: list[Any] = [None] * len(calls)
        turn, heard = count(1), int(_done_bell[0])
        done: SimpleQueue = SimpleQueue()
        _work_bell[0] += 1
        for inbox in _inboxes[:helpers]:
            inbox.put((calls, turn, out, done))
        try:
            _do(calls, 0, out)
            if len(calls) > helpers + 1:
                _work(calls, turn, out)
        finally:
            for i in range(helpers):
                watch(_done_bell, heard + i, LOOKS, LINGER)
                done.get()
    finally:
        _busy.release()
    for result in out:
        if isinstance(result, _Raised):
            raise result.error
    return out


def rows(kernel: Callable[..., Any], n: int, *arguments: Any) -> list[Any]:
    """Results of `kernel(lo, hi, *arguments)` over rows 0 to n, one block a thread; few rows are one block."""
    if n < WORTH_ROWS or size() == 1:
        return [kernel(0, n, *arguments)]
    return blocks(kernel, n, *arguments)


def in_turn(lo: int, hi: int, *steps: Call) -> None:
    """Several kernels, one after another, on the same rows: `rows(in_turn, n, (kernel, arguments), ...)` meets once."""
    for kernel, arguments in steps:
        kernel(lo, hi, *arguments)


def blocks(kernel: Callable[..., Any], n: int, *arguments: Any) -> list[Any]:
    """Results of `kernel(lo, hi, *arguments)` over 0 to n, one block a thread."""
    parts = max(1, min(size(), n))
    ends = [n * i // parts for i in range(parts + 1)]
    return each([(kernel, (lo, hi, *arguments)) for lo, hi in pairwise(ends)])


def listed(out: np.ndarray, kernel: Callable[..., int], n: int, *arguments: Any) -> int:
    """As `rows` for a kernel that lists what it finds in `out`, from `lo` on, and returns where its list ends.

    The lists are moved together; returns their length.
    """
    ends = rows(kernel, n, *arguments)
    length = ends[0]
    for i, end in enumerate(ends[1:], 1):
        begin = n * i // len(ends)
        out[length : length + end - begin] = out[begin:end]
        length += end - begin
    return int(length)


class _Raised:
    """What a call raised, in place of its result."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _do(calls: Sequence[Call], i: int, out: list[Any]) -> None:
    function, arguments = calls[i]
    try:
        out[i] = function(*arguments)
    except Exception as error:
        out[i] = _Raised(error)


def _work(calls: Sequence[Call], turn: Any, out: list[Any]) -> None:
    """Take calls until none is left."""
    while (i := next(turn)) < len(calls):
        _do(calls, i, out)


def _hire() -> None:
    """One thread more; it ends with the process."""
    inbox: SimpleQueue = SimpleQueue()
    _inboxes.append(inbox)
    threading.Thread(target=_serve, args=(inbox,), name=f"tme-{len(_inboxes)}", daemon=True).start()


def _serve(inbox: SimpleQueue) -> None:
    while True:
        watch(_work_bell, int(_work_bell[0]), LOOKS, LINGER)
        calls, turn, out, done = inbox.get()
        _work(calls, turn, out)
        done.put(None)
        _done_bell[0] += 1
        del calls, turn, out, done  # nothing is kept alive by who waits


def _forget() -> None:
    """A forked child has none of the threads."""
    global _busy
    _busy = threading.Lock()
    _inboxes.clear()


os.register_at_fork(after_in_child=_forget)
