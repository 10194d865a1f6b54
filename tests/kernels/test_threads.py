"""The thread pool: results and errors are those of one thread."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels import threads
from tme.kernels.exchange import add_scaled, put
from tme.kernels.multigrid import Workspace
from tme.kernels.red_black import solve as red_black


@pytest.fixture(params=[1, 2, 3, 5])
def many(request, monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: request.param)
    monkeypatch.setattr(threads, "MIN_ROWS", 1)
    return request.param


def test_results_come_in_the_order_of_the_calls(many):
    def slow(k):
        time.sleep(0.001 * (k % 3))
        return k

    assert threads.run_all([(slow, (k,)) for k in range(12)]) == list(range(12))
    assert threads.run_all([]) == []


def test_calls_run_on_as_many_threads_as_there_are(many):
    meeting = threading.Barrier(many, timeout=20.0)  # passes only when all have come
    threads.run_all([(meeting.wait, ())] * many)


def test_rows_are_covered_once(many):
    for n in (0, 1, 2, 7, 100):
        seen = np.zeros(max(n, 1))
        threads.over_rows(add_scaled, n, np.ones(max(n, 1)), 1.0, seen)
        assert seen[:n].tolist() == [1.0] * n


def test_steps_in_sequence_keep_their_order(many):
    a, b = np.ones(1000), np.arange(1000.0)
    threads.over_rows(threads.in_sequence, 1000, (put, (a, 2.0)), (add_scaled, (b, 3.0, a)))
    assert np.array_equal(a, 2.0 + 3.0 * b)


def test_lists_of_blocks_become_one_list_in_order(many):
    def odd(lo, hi, out):
        end = lo
        for i in range(lo, hi):
            if i % 2:
                out[end] = i
                end += 1
        return end

    out = np.zeros(101, np.int64)
    n = threads.gather_rows(out, odd, 101, out)
    assert out[:n].tolist() == list(range(1, 101, 2))


def test_few_rows_are_one_block(monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: 4)
    blocks = []
    threads.over_rows(lambda lo, hi: blocks.append((lo, hi)), threads.MIN_ROWS - 1)
    assert blocks == [(0, threads.MIN_ROWS - 1)]
    threads.over_rows(lambda lo, hi: blocks.append((lo, hi)), threads.MIN_ROWS)
    assert len(blocks) == 5


def test_the_first_error_is_raised_after_all_calls_have_ended(many):
    ended = []

    def call(k):
        if k in (2, 4):
            raise ValueError(f"call {k}")
        time.sleep(0.002)
        ended.append(k)

    with pytest.raises(ValueError, match="call 2"):
        threads.run_all([(call, (k,)) for k in range(6)])
    assert many == 1 or sorted(ended) == [0, 1, 3, 5]
    assert threads.run_all([(int, ("7",))] * 3) == [7, 7, 7]  # and the pool is free again


def test_a_call_within_a_call_is_done_by_its_caller(many):
    def inner():
        return threading.current_thread().name

    def outer():
        return threads.run_all([(inner, ())] * 4), threading.current_thread().name

    for names, own in threads.run_all([(outer, ())] * 4):
        assert many == 1 or set(names) == {own}


def test_no_call_is_lost_in_ten_thousand_batches(many):
    counts = np.zeros(many * 8)

    def touch(k):
        counts[8 * k] += 1

    for turn in range(10_000 // many):
        threads.run_all([(touch, (k,)) for k in range(many)])
        if turn % 1000 == 0:
            time.sleep(0.01)  # long enough for workers to fall asleep
    assert counts[::8].tolist() == [10_000 // many] * many


def test_the_pool_does_not_wait_for_a_background_task(monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: 2)
    begun, may_end, blocks = threading.Event(), threading.Event(), []

    def out():
        begun.set()
        assert may_end.wait(20.0)
        return threading.current_thread().name

    task = threads.Task(out)
    assert begun.wait(20.0)
    for _ in range(3):  # waiting for the worker would block for ever
        threads.over_blocks(lambda lo, hi: blocks.append((lo, hi)), 80)
    assert sorted(blocks) == sorted([(10 * i, 10 * i + 10) for i in range(8)] * 3)
    may_end.set()
    assert task.result() != threading.current_thread().name
    blocks.clear()
    threads.over_blocks(lambda lo, hi: blocks.append((lo, hi)), 80)
    assert sorted(blocks) == [(0, 40), (40, 80)]


def test_a_worker_takes_part_after_its_background_task(monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: 2)
    at_work, two = threading.Event(), threading.Barrier(2, timeout=20.0)

    def block(lo, hi):
        at_work.set()
        if lo in (0, 10):  # one alone would not get beyond the first
            two.wait()

    task = threads.Task(at_work.wait, 20.0)  # ends when the first block has begun
    threads.over_blocks(block, 80)
    assert task.result()


def test_a_task_gives_its_result_or_its_exception(many):
    def fail():
        raise ValueError("no way")

    made = []
    for k in range(200):
        task = threads.Task(made.append, k)
        assert task.result() is None and made[-1] == k
    assert made == list(range(200))
    with pytest.raises(ValueError, match="no way"):
        threads.Task(fail).result()
    assert threads.run_all([(int, ("7",))] * 3) == [7, 7, 7]


def test_rows_within_a_task_are_one_block_on_its_own_thread(monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: 3)
    begun, pieces = threading.Event(), []

    def out():
        begun.set()
        threads.over_blocks(lambda lo, hi: pieces.append((lo, hi)), 50)
        threads.over_rows(lambda lo, hi: pieces.append((lo, hi)), 10_000)
        return {thread.name for thread in threads.run_all([(threading.current_thread, ())] * 4)}, threading.current_thread().name

    task = threads.Task(out)
    assert begun.wait(20.0)
    names, own = task.result()
    assert names == {own} != {threading.current_thread().name}
    assert pieces == [(0, 50), (0, 10_000)]


def test_a_result_may_be_asked_for_again(many):
    def fail():
        raise ValueError("no way")

    good, bad = threads.Task(int, "7"), threads.Task(fail)
    for _ in range(3):
        assert good.result() == 7
        with pytest.raises(ValueError, match="no way"):
            bad.result()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
def test_the_pool_works_after_an_interrupt_at_any_instant(monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: 2)

    def interrupt(*_):
        raise KeyboardInterrupt

    before, met = signal.signal(signal.SIGALRM, interrupt), 0
    try:
        for k in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 * (1 + k % 37))
                for _ in range(20):
                    threads.run_all([(int, ("7",))] * 40)
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            except KeyboardInterrupt:
                met += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert met > 30
    assert threads.run_all([(int, ("7",))] * 3) == [7, 7, 7]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # from Python 3.12 on: threads are the point here
def test_a_forked_child_starts_its_own_workers(monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: 2)
    threads.run_all([(int, ())] * 2)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # it would wait for a worker that does not exist
        two = threading.Barrier(2)
        os._exit(0 if len(threads.run_all([(two.wait, ())] * 2)) == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("shape", [(1, 190, 200), (1, 301, 99), (30, 21, 44)])
def test_a_solve_in_bands_has_the_same_bits_on_any_number_of_threads(monkeypatch, shape):
    monkeypatch.setattr(red_black, "BAND", 1)
    monkeypatch.setattr("tme.core.superposition.MIN_SHARED_SOURCES", 1)
    results = []
    for n_threads in (1, 2, 3, 7):
        monkeypatch.setattr(threads, "count", lambda n_threads=n_threads: n_threads)
        workspace = Workspace(shape)
        assert int(workspace.colours().layout[10]) > 1
        field = Field("x", "uM", Grid(shape), 600.0, 0.05, 10, tol=1e-4)
        rng = np.random.default_rng(1)
        field.use("source")[:] = rng.random(field.grid.n_voxels)
        field.use("loss")[:] = rng.random(field.grid.n_voxels)
        for _ in range(3):
            field.advance(2.0, workspace)
        assert 0 < field.concentration.min() < field.concentration.max()
        results.append(field.concentration.tobytes())
    assert len(set(results)) == 1


@pytest.mark.parametrize("shape", [(1, 190, 200), (30, 21, 44)])
def test_bands_do_not_change_the_solution(monkeypatch, shape):
    values = []
    for least in (10**9, 1):
        monkeypatch.setattr(red_black, "BAND", least)
        field, workspace = Field("x", "uM", Grid(shape), 600.0, 0.05, 10, tol=1e-6), Workspace(shape)
        assert (int(workspace.colours().layout[10]) > 1) == (least == 1)
        field.use("source")[:] = np.random.default_rng(1).random(field.grid.n_voxels)
        field.use("loss")[:] = 0.4
        field.advance(2.0, workspace)
        values.append(field.concentration.copy())
    assert np.abs(values[0] / values[1] - 1.0).max() < 1e-5
    assert not np.array_equal(*values)  # sums were taken in another shape


def test_greens_functions_added_by_threads_have_the_same_bits(monkeypatch):
    monkeypatch.setattr("tme.core.superposition.MIN_SHARED_SOURCES", 1)
    for shape in ((1, 90, 120), (24, 30, 28)):
        results = []
        for n_threads in (1, 2, 5):
            monkeypatch.setattr(threads, "count", lambda n_threads=n_threads: n_threads)
            rng, workspace = np.random.default_rng(3), Workspace(shape)
            field = Field("x", "uM", Grid(shape), 300.0, 3.0, mode="quasi_steady", tol=1e-2)
            for _ in range(4):
                field.source_voxels = np.sort(rng.choice(field.grid.n_voxels, 9, replace=False))
                field.use("source")[:] = 0.0
                field.source[field.source_voxels] = rng.random(9)
                field.advance(1.0, workspace)
            results.append(field.concentration.tobytes())
        assert len(set(results)) == 1
        assert field.concentration.max() > 0.0
