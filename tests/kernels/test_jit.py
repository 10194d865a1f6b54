"""Compiled code that several processes need at once: one compiles, the others wait for it, and nobody waits for the dead."""

import os
import signal
import subprocess
import sys
import time

import numba
import numpy as np
import pytest

from tme.kernels import jit

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT) or jit.fcntl is None, reason="needs the compiler and locks of files")

KERNEL = """
from tme.kernels.jit import serial

@serial
def total(x):
    out = 0.0
    for i in range(x.size):
        out += x[i] * x[i]
    return out
"""
PROGRAM = """
import sys
from numba.core import event
names = []
class Listener(event.Listener):
    def on_start(self, e): names.append(e.data["dispatcher"].__name__)
    def on_end(self, e): pass
import numpy as np
from tme.kernels import jit
event.register("numba:compile", Listener())
from shared_kernel import total
print("here", flush=True)
sys.stdin.readline()
assert total(np.arange(4.0)) == 14.0
print(names.count("total"), flush=True)
"""


@pytest.fixture
def start(tmp_path):
    """Start a program that is about to call a kernel that nobody has compiled; a line on its standard input lets it."""
    (tmp_path / "shared_kernel.py").write_text(KERNEL)
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}

    started = []

    def one(program=PROGRAM):
        process = subprocess.Popen([sys.executable, "-c", program], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "here\n"
        return process

    yield one
    for process in started:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()


def go(process):
    process.stdin.write("\n")
    process.stdin.flush()


def said(process):
    """How often it compiled the kernel."""
    out = process.stdout.readline()
    assert process.wait(60) == 0
    return int(out)


def test_of_two_processes_one_compiles(start):
    first, second = start(), start()
    go(first)
    go(second)
    assert said(first) + said(second) == 1


HOLDER = """
import sys, time
from shared_kernel import total
assert total._cache._take()
print("here", flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_who_waits_goes_on_when_the_other_is_killed(start):
    holder, waiting = start(HOLDER), start()
    go(waiting)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(4.0)  # ten times what compiling takes
    holder.send_signal(signal.SIGKILL)
    assert said(waiting) == 1


def test_patience_ends(start):
    begin = time.monotonic()
    waiting = start(HOLDER) and start(PROGRAM.replace("from shared_kernel", "jit.PATIENCE_S = 0.2\nfrom shared_kernel"))
    go(waiting)
    assert said(waiting) == 1
    assert time.monotonic() - begin < jit.PATIENCE_S  # it did not wait for the holder's end, nor as long as others do


@pytest.mark.parametrize("why", ["no locks", "no folder", "nothing to lock with"])
def test_without_locks_everyone_compiles(why, monkeypatch, tmp_path):
    opened = os.open

    def refuse(path, *rest, **named):
        if not isinstance(path, str) or path.endswith(".lock"):
            raise OSError("not here")
        return opened(path, *rest, **named)

    def double(x):
        return 2.0 * x

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))  # nobody has compiled it there
    kernel = jit.serial(double)
    if why == "no locks":
        monkeypatch.setattr(jit.fcntl, "flock", refuse)
    elif why == "no folder":
        monkeypatch.setattr(jit.os, "open", refuse)
    else:
        monkeypatch.setattr(jit, "fcntl", None)
    assert not kernel._cache._take()
    assert kernel(4.0) == 8.0 and kernel(np.float32(1.5)) == 3.0


@pytest.mark.parametrize("times", [1, 2])
def test_a_function_that_does_not_compile_keeps_no_lock(times, monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(jit, "PATIENCE_S", 20.0)
    kernels = [jit.serial(lambda x: x.no_such_thing) for _ in range(times)]
    begin = time.monotonic()
    for kernel in kernels:
        with pytest.raises(numba.TypingError):
            kernel(1.0)
        assert kernel._cache._lock is None
    assert time.monotonic() - begin < jit.PATIENCE_S


def test_a_function_that_calls_itself_with_other_types_does_not_wait_for_itself(monkeypatch):
    monkeypatch.setattr(jit, "PATIENCE_S", 0.0)
    cache = jit.SharedCache(said)
    cache._lock = os.open(os.devnull, os.O_RDONLY)
    monkeypatch.setattr(cache, "_take", lambda: pytest.fail("asked again for what it has"))
    monkeypatch.setattr(jit.FunctionCache, "load_overload", lambda *_: None)
    assert cache.load_overload(None, None) is None
    cache.release()
    assert cache._lock is None


def test_what_is_stated_takes_other_types_by_converting_them():
    half = jit.stated("float64(int64)")(lambda n: n / 2)
    assert half(3) == 1.5 and half(np.int32(5)) == 2.5
    assert len(half.signatures) == 1
