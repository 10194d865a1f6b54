"""The compiler settings every kernel of the package shares, and a cache of compiled code that processes fill together.

`serial` compiles a kernel; it runs on the thread that calls it, without Python's lock, so that `threads` can call
it on several. `rule` compiles a scalar law; LLVM inlines it into the kernels that use it. `stated` compiles at once,
for the types it is given and no others.

fastmath stays off and the error model is numpy's (no branch per division), which keeps results
identical between scalar and vector code.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

from tme.kernels import source_digest

try:
    import fcntl
except ImportError:  # not on this system: every process compiles for itself
    fcntl = None  # type: ignore[assignment]

LOOK_S = 0.01
PATIENCE_S = 60.0  # longer than any kernel takes; a process that has waited so long compiles for itself
SETTINGS = {"error_model": "numpy", "cache": True, "no_cfunc_wrapper": True}


def folder(file: str) -> str:
    """Where the compiled code of a file's kernels lies."""
    name = os.path.splitext(os.path.basename(file))[0]
    return os.path.join(numba.config.CACHE_DIR, f"{name}-{source_digest.digest(file)}")


class SharedCache(FunctionCache):
    """numba's cache of one function, in which a process waits for another that is compiling it.

    The folder is named by a digest of all files the function is compiled from (`source_digest`), so that an edit anywhere
    among them counts and an edit elsewhere does not; a second checkout of the same sources finds the same code.
    A process that misses the function takes the lock of a file beside it and keeps it until the code is saved. Functions only
    call functions that do not call them, so no process waits in a circle. The system releases the lock of a dead process.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._lock: int | None = None
        file = function.__code__.co_filename
        if numba.config.CACHE_DIR and os.path.isfile(file):
            self._cache_path = folder(file)
            self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, "")
            self._impl.locator.get_cache_path = lambda: self._cache_path

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The saved code, None where this process is to compile it."""
        found = super().load_overload(sig, target_context)
        if found is None and self._enabled and self._lock is None and self._take():
            try:
                found = super().load_overload(sig, target_context)  # another process may have saved it meanwhile
            except BaseException:
                self.release()
                raise
            if found is not None:
                self.release()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save, and release the lock."""
        try:
            super().save_overload(sig, data)
        finally:
            self.release()

    def _take(self) -> bool:
        """Wait for the lock; False without one."""
        if fcntl is None:
            return False
        try:
            self._impl.locator.ensure_cache_path()
            place = os.path.join(self._cache_path, self._impl.filename_base + ".lock")
            lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            return False
        end = time.monotonic() + PATIENCE_S
        try:
            while time.monotonic() < end:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(LOOK_S)
                else:
                    self._lock = lock
                    return True
        except OSError:  # a file system without locks
            pass
        finally:
            if self._lock != lock:
                os.close(lock)
        return False

    def release(self) -> None:
        """Let go of the lock, if it is held."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` with options, its cache shared."""

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(**options)(function)
        if dispatcher is not function:  # it is without the compiler
            cache, compile_it = SharedCache(function), dispatcher._compiler.compile

            def compile_or_let_go(*arguments: Any) -> Any:
                try:
                    return compile_it(*arguments)
                except BaseException:  # wrong types, or an interrupt: numba saves nothing then
                    cache.release()
                    raise

            dispatcher._cache, dispatcher._compiler.compile = cache, compile_or_let_go
        return dispatcher

    return decorate


def stated(signature: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """The same, compiled now and for the types of `signature` alone; other arguments are converted."""

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = compiled(**SETTINGS, **options)(function)
        if dispatcher is not function:
            dispatcher.compile(signature)
            dispatcher.disable_compile()
        return dispatcher

    return decorate


rule = compiled(**SETTINGS)
serial = compiled(**SETTINGS, nogil=True)
