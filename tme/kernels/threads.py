"""A thread pool for compiled kernels: calls, blocks of rows and background tasks, with the bits of one thread.

`run_all` shares a list of calls, `over_rows` and `over_blocks` share the rows of one kernel, `gather_rows` joins the lists
that a kernel writes, and `Task` runs one call in the background. Calls must not write where another reads or writes; the
results then do not depend on which thread makes which call. A call made while the pool is busy, by a worker or by another
thread, runs on its caller alone. While a background task runs, rows are cut into more blocks, so that its worker can take
some when the task has ended.

Workers live until the process ends. Waking a sleeping thread takes about 100 us, longer than many kernels run. A waiting
thread therefore spins on a counter for about a millisecond, in compiled code without Python's lock, before it sleeps.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from itertools import count as counter
from itertools import pairwise
from queue import SimpleQueue
from typing import Any
from weakref import ReferenceType

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from tme.kernels.aligned import zeros
from tme.kernels.jit import serial

MIN_ROWS = 4_096  # fewer rows are stepped before a second thread has woken up
SPINS = 0 if numba.config.DISABLE_JIT else 3_000_000  # reads of a signal before sleeping, a third of a nanosecond each
BLOCKS_DURING_TASK = 4  # blocks per thread while a background task runs
SPINS_AFTER = 12_000  # reads after the signal: its sender still holds Python's lock, and waiting for that lock is sleeping
Call = tuple[Callable[..., Any], tuple]

_lock = threading.Lock()
_owner: ReferenceType[_Batch] | None = None  # the batch that uses the pool; a dead reference is that of an interrupted caller
_queues: list[SimpleQueue] = []  # one per worker
_start_signal, _end_signal = zeros(8, np.int64), zeros(8, np.int64)  # a cache line each; only the first number counts


def _atomic_load(typingctx, signal):
    """signal[0], read from memory each time."""

    def code(context, builder, signature, arguments):
        array = cgutils.create_struct_proxy(types.int64[::1])(context, builder, arguments[0])
        return builder.load_atomic(array.data, "monotonic", 8)

    return types.int64(signal), code


def _plain_load(signal):
    """The same without the compiler."""
    return signal[0]


_load = _plain_load if numba.config.DISABLE_JIT else intrinsic(_atomic_load)


@serial
def spin(signal, value, spins, spins_after):
    """Read signal[0] until it is not `value`, `spins` times at most; returns whether it has changed."""
    for _ in range(spins):
        if _load(signal) != value:
            for _ in range(spins_after):
                _load(signal)
            return True
    return False


def count() -> int:
    """Number of threads that may work, the caller included."""
    return numba.get_num_threads()


def run_all(calls: Sequence[Call]) -> list[Any]:
    """Results of `function(*arguments)` for every pair of `calls`, in their order; kernels release the GIL.

    Raises the exception of the first call, in their order, that failed; on several threads after all calls have ended.
    """
    workers = min(count(), len(calls)) - 1
    batch = _Batch(calls) if workers > 0 and not _local.is_worker else None
    try:
        if batch is None or not _acquire(batch):
            return [function(*arguments) for function, arguments in calls]
        _start_workers(workers)
        ended = int(_end_signal[0])
        _start_signal[0] += 1
        for queue in _queues[:workers]:
            queue.put(batch)
        try:
            # as many calls as threads: the caller leaves one to each worker, unless a worker may be busy for long
            batch.run(1 if len(calls) == workers + 1 and not _tasks else len(calls))
        finally:
            for i in range(len(calls) - batch.by_caller):
                spin(_end_signal, ended + i, SPINS, SPINS_AFTER)
                batch.ended.get()
    finally:
        _release(batch)
    return batch.results()


class Task:
    """One call in the background, made by a worker; `result` makes it on the caller's thread if no worker has begun."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._batch = _Batch([(self._run, (function, arguments))])
        try:
            if count() > 1 and not _local.is_worker and _acquire(self._batch):
                _start_workers(count() - 1)
                _tasks.add(self)
                _start_signal[0] += 1
                _queues[count() - 2].put(self._batch)
        except BaseException:
            _tasks.discard(self)
            raise
        finally:
            _release(self._batch)

    def _run(self, function: Callable[..., Any], arguments: tuple) -> Any:
        try:
            return function(*arguments)
        finally:
            _tasks.discard(self)

    def result(self) -> Any:
        """What the call returned, or its exception."""
        self._batch.run(1)
        if not self._batch.by_caller:
            ended = int(_end_signal[0])
            if self._batch.ended.empty():
                spin(_end_signal, ended, SPINS, SPINS_AFTER)
            self._batch.ended.put(self._batch.ended.get())  # `result` may be called again
        return self._batch.results()[0]


def over_rows(kernel: Callable[..., Any], n: int, *arguments: Any) -> list[Any]:
    """Results of `kernel(lo, hi, *arguments)` over rows 0 to n, one block per thread; few rows are one block."""
    if n < MIN_ROWS or count() == 1 or _local.is_worker:
        return [kernel(0, n, *arguments)]
    return over_blocks(kernel, n, *arguments)


def in_sequence(lo: int, hi: int, *steps: Call) -> None:
    """Several kernels, one after another, on the same rows: `over_rows(in_sequence, n, (kernel, arguments), ...)` waits once."""
    for kernel, arguments in steps:
        kernel(lo, hi, *arguments)


def over_blocks(kernel: Callable[..., Any], n: int, *arguments: Any) -> list[Any]:
    """Results of `kernel(lo, hi, *arguments)` over 0 to n, one block per thread, or several during a background task."""
    parts = 1 if _local.is_worker else max(1, min(count() * (BLOCKS_DURING_TASK if _tasks else 1), n))
    ends = [n * i // parts for i in range(parts + 1)]
    return run_all([(kernel, (lo, hi, *arguments)) for lo, hi in pairwise(ends)])


def gather_rows(out: np.ndarray, kernel: Callable[..., int], n: int, *arguments: Any) -> int:
    """`over_rows` for a kernel that writes a list into `out`, from `lo` on, and returns where its list ends.

    The lists of the blocks are moved together, in order; returns their length.
    """
    ends = over_rows(kernel, n, *arguments)
    length = ends[0]
    for i, end in enumerate(ends[1:], 1):
        begin = n * i // len(ends)
        out[length : length + end - begin] = out[begin:end]
        length += end - begin
    return int(length)


class _Failure:
    """The exception of a call, in place of its result."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Batch:
    """Calls that the caller and the workers take one after another; `ended` gets an item for each call of a worker."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls, self.next_call = calls, counter()
        self.out: list[Any] = [None] * len(calls)
        self.by_caller = 0  # calls that the caller's own thread has taken
        self.ended: SimpleQueue = SimpleQueue()

    def run(self, most: int) -> None:
        """Make calls until none is left, `most` at most."""
        is_caller = not _local.is_worker
        while most > 0:
            if is_caller:
                self.by_caller += 1  # before the call is taken: after an interrupt in between no thread waits for it
            i = next(self.next_call)
            if i >= len(self.calls):
                if is_caller:
                    self.by_caller -= 1
                return
            most -= 1
            function, arguments = self.calls[i]
            try:
                self.out[i] = function(*arguments)
            except Exception as error:
                self.out[i] = _Failure(error)
            if _local.is_worker:
                self.ended.put(None)
                _end_signal[0] += 1

    def results(self) -> list[Any]:
        """Of all calls, in their order; raises the first exception."""
        for result in self.out:
            if isinstance(result, _Failure):
                raise result.error
        return self.out


class _Local(threading.local):
    """What differs between threads."""

    is_worker = False


_local = _Local()
_tasks: set[Task] = set()  # background tasks that run or are about to


def _acquire(batch: _Batch) -> bool:
    """Take the pool for this batch; False while another uses it."""
    global _owner
    with _lock:
        if _owner is not None and _owner() is not None:
            return False
        _owner = ReferenceType(batch)
    return True


def _release(batch: _Batch | None) -> None:
    global _owner
    with _lock:
        if _owner is not None and _owner() is batch:
            _owner = None


def _start_workers(number: int) -> None:
    """Start threads until the pool has `number` workers."""
    while len(_queues) < number:
        queue: SimpleQueue = SimpleQueue()
        threading.Thread(target=_work, args=(queue,), name=f"tme-{len(_queues) + 1}", daemon=True).start()
        _queues.append(queue)


def _work(queue: SimpleQueue) -> None:
    """The loop of one worker."""
    _local.is_worker = True
    while True:
        started = int(_start_signal[0])
        if queue.empty():
            spin(_start_signal, started, SPINS, SPINS_AFTER)
        batch = queue.get()
        batch.run(len(batch.calls))
        del batch  # a waiting worker keeps nothing alive


def _reset_after_fork() -> None:
    """A forked child has none of the threads."""
    global _lock, _owner
    _lock, _owner = threading.Lock(), None
    _queues.clear()
    _tasks.clear()


os.register_at_fork(after_in_child=_reset_after_fork)
