"""Compiling ahead: in two halves, only where nothing is compiled yet, and all that a first tick needs."""

import os
import subprocess
import sys
import threading

import pytest

from tme import precompile


class Half:
    """A process that says it is ready, at once or only when it is killed."""

    started: list = []
    slow = False

    def __init__(self, command, **_):
        self.command, self.killed, self.stdout, self.waited = command, threading.Event(), self, False
        Half.started.append(self)

    def readline(self):
        if Half.slow:
            self.killed.wait()
        return b""

    def kill(self):
        self.killed.set()

    def wait(self):
        self.waited = True


@pytest.fixture
def halves(monkeypatch, tmp_path):
    monkeypatch.setattr(precompile.subprocess, "Popen", Half)
    monkeypatch.setattr(precompile.os, "cpu_count", lambda: 2)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    Half.started, Half.slow = [], False
    return Half.started


def test_both_halves_are_compiled_where_nothing_is(halves):
    precompile.start_compiling()
    assert [h.command[-1] for h in halves] == ["fields", "cells"]
    assert not any(h.killed.is_set() for h in halves)  # they go on with the rest


def test_to_finish_is_to_wait_for_both_halves_once(halves):
    precompile.finish()  # of earlier tests
    precompile.start_compiling()
    assert not any(h.waited for h in halves)
    precompile.finish()
    assert len(halves) == 2 and all(h.waited for h in halves)
    assert not precompile._running


def test_nothing_is_started_where_something_is_compiled(halves, tmp_path):
    folder = precompile.compiled_chemistry(tmp_path)
    folder.mkdir()
    (folder / f"{folder.name.partition('-')[0]}.advance_rows-357.py311.1.nbi").touch()
    precompile.start_compiling()
    assert not halves


def test_what_importing_compiles_does_not_count(tmp_path):
    """What `tme run` has imported when it asks; a kernel that is called once does count."""
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "NUMBA_DISABLE_JIT": "0"}
    env.pop("NUMBA_CACHE_DIR", None)
    code = """
import tme.cli, tme.experiments.executor, tme.model, tme.bench.whole
from tme.pathways.ferroptosis import PATHWAY
from tme.pathways.store import kernels
from tme.precompile import LANDMARK, compiled_chemistry, is_cold
cache = getattr(kernels(PATHWAY), LANDMARK)._cache
same = str(compiled_chemistry(__import__("pathlib").Path(__import__("numba").config.CACHE_DIR))) == cache.cache_path
print(is_cold(), same and f".{LANDMARK}" in cache._impl.filename_base)
"""
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.parametrize("why", ["one processor", "no compiler", "no cache"])
def test_nothing_is_started_where_it_would_not_help(halves, monkeypatch, why):
    if why == "one processor":
        monkeypatch.setattr(precompile.os, "cpu_count", lambda: 1)
    elif why == "no compiler":
        monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    else:
        monkeypatch.delenv("NUMBA_CACHE_DIR")
    precompile.start_compiling()
    assert not halves


def test_an_interrupt_ends_both_halves(halves):
    Half.slow = True
    precompile.start_compiling(stop=lambda: True)
    assert len(halves) == 2 and all(h.killed.is_set() for h in halves)


@pytest.mark.slow
def test_after_warming_up_the_first_tick_compiles_nothing(tmp_path):
    count = """
from tme.precompile import start_compiling
start_compiling()
from numba.core import event
seen = []
class Listener(event.Listener):
    def on_start(self, e): seen.append(e.data["dispatcher"].__name__)
    def on_end(self, e): pass
event.register("numba:compile", Listener())
from tme.bench.whole import build
build(5000)
print(sorted(seen))
"""
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one processor")
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    env.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", count], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
