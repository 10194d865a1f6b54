"""Threads that share one piece of work: `each` gives them calls, `rows` blocks of one kernel's rows, `Errand` one alone.

The calls must not touch each other's results; then the bits are those of one thread, whoever does what. A call
made while the team is at work, by one of its threads or by another, is done by its caller alone. While one of them
is on an errand, rows are cut into more blocks, of which it takes what is left when it comes back.

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
from weakref import ReferenceType

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from tme.kernels.jit import serial
from tme.kernels.memory import zeros

WORTH_ROWS = 4_096  # fewer are stepped before another thread has woken up
LOOKS = 0 if numba.config.DISABLE_JIT else 3_000_000  # at the bell, a third of a nanosecond each
FINER = 4  # blocks a thread while somebody is on an errand
LINGER = 12_000  # looks after it has rung: who rang is in Python for a moment more, and to wait for its lock is to sleep
Call = tuple[Callable[..., Any], tuple]

_gate = threading.Lock()
_holder: ReferenceType[_Work] | None = None  # the work that the team is at; a dead one is of an interrupted caller
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
    work = _Work(calls) if helpers > 0 and not _here.helps else None
    try:
        if work is None or not _taken(work):
            return [function(*arguments) for function, arguments in calls]
        _hire(helpers)
        heard = int(_done_bell[0])
        _work_bell[0] += 1
        for inbox in _inboxes[:helpers]:
            inbox.put(work)
        try:
            # as many calls as threads: one is left for each, but for who may be long in coming
            work.do(1 if len(calls) == helpers + 1 and not _out else len(calls))
        finally:
            for i in range(len(calls) - work.own):
                watch(_done_bell, heard + i, LOOKS, LINGER)
                work.done.get()
    finally:
        _let_go(work)
    return work.results()


class Errand:
    """One call that a helper makes beside what the team does meanwhile; who asks for its `result` makes it if nobody has begun."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._work = _Work([(self._run, (function, arguments))])
        try:
            if size() > 1 and not _here.helps and _taken(self._work):
                _hire(size() - 1)
                _out.add(self)
                _work_bell[0] += 1
                _inboxes[size() - 2].put(self._work)
        except BaseException:
            _out.discard(self)
            raise
        finally:
            _let_go(self._work)

    def _run(self, function: Callable[..., Any], arguments: tuple) -> Any:
        try:
            return function(*arguments)
        finally:
            _out.discard(self)

    def result(self) -> Any:
        """What the call returned, or its exception."""
        self._work.do(1)
        if not self._work.own:
            heard = int(_done_bell[0])
            if self._work.done.empty():
                watch(_done_bell, heard, LOOKS, LINGER)
            self._work.done.put(self._work.done.get())  # it may be asked for again
        return self._work.results()[0]


def rows(kernel: Callable[..., Any], n: int, *arguments: Any) -> list[Any]:
    """Results of `kernel(lo, hi, *arguments)` over rows 0 to n, one block a thread; few rows are one block."""
    if n < WORTH_ROWS or size() == 1 or _here.helps:
        return [kernel(0, n, *arguments)]
    return blocks(kernel, n, *arguments)


def in_turn(lo: int, hi: int, *steps: Call) -> None:
    """Several kernels, one after another, on the same rows: `rows(in_turn, n, (kernel, arguments), ...)` meets once."""
    for kernel, arguments in steps:
        kernel(lo, hi, *arguments)


def blocks(kernel: Callable[..., Any], n: int, *arguments: Any) -> list[Any]:
    """Results of `kernel(lo, hi, *arguments)` over 0 to n, one block a thread or several."""
    parts = 1 if _here.helps else max(1, min(size() * (FINER if _out else 1), n))
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


class _Work:
    """Calls that whoever has time takes one after another; `done` gets an item for each that a helper has made."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls, self.turn = calls, count()
        self.out: list[Any] = [None] * len(calls)
        self.own = 0  # taken by who asked for them
        self.done: SimpleQueue = SimpleQueue()

    def do(self, most: int) -> None:
        """Make calls until none is left, `most` at most."""
        mine = not _here.helps
        while most > 0:
            if mine:
                self.own += 1  # before it is taken: after an interrupt in between nobody waits for it
            i = next(self.turn)
            if i >= len(self.calls):
                if mine:
                    self.own -= 1
                return
            most -= 1
            function, arguments = self.calls[i]
            try:
                self.out[i] = function(*arguments)
            except Exception as error:
                self.out[i] = _Raised(error)
            if _here.helps:
                self.done.put(None)
                _done_bell[0] += 1

    def results(self) -> list[Any]:
        """Of all calls, in their order; raises the first exception."""
        for result in self.out:
            if isinstance(result, _Raised):
                raise result.error
        return self.out


class _Here(threading.local):
    """What a thread knows of itself."""

    helps = False  # as one of the team


_here = _Here()
_out: set[Errand] = set()  # errands begun or about to be


def _taken(work: _Work) -> bool:
    """Take the team for this work, unless it is at another."""
    global _holder
    with _gate:
        if _holder is not None and _holder() is not None:
            return False
        _holder = ReferenceType(work)
    return True


def _let_go(work: _Work | None) -> None:
    global _holder
    with _gate:
        if _holder is not None and _holder() is work:
            _holder = None


def _hire(many: int) -> None:
    """So many helpers in all; they end with the process."""
    while len(_inboxes) < many:
        inbox: SimpleQueue = SimpleQueue()
        threading.Thread(target=_serve, args=(inbox,), name=f"tme-{len(_inboxes) + 1}", daemon=True).start()
        _inboxes.append(inbox)


def _serve(inbox: SimpleQueue) -> None:
    _here.helps = True
    while True:
        heard = int(_work_bell[0])
        if inbox.empty():
            watch(_work_bell, heard, LOOKS, LINGER)
        work = inbox.get()
        work.do(len(work.calls))
        del work  # nothing is kept alive by who waits


def _forget() -> None:
    """A forked child has none of the threads."""
    global _gate, _holder
    _gate, _holder = threading.Lock(), None
    _inboxes.clear()
    _out.clear()


os.register_at_fork(after_in_child=_forget)
