"""Calls through executors: every task answered once, whatever dies, and nothing left behind."""

from __future__ import annotations

import multiprocessing
import pickle
from functools import partial

import pytest
from calls import die, dies_once, odd_fails, pid, square, three_kills, until_stopped
from fake_model import FakeConfig

from tme.experiments.executors import Failed, executor
from tme.experiments.executors.processes import Processes
from tme.experiments.plan import plan
from tme.experiments.run_directory import RunBroken, RunError
from tme.experiments.worker import Task


@pytest.fixture(scope="module")
def two():
    """Two processes that stay for all tests."""
    with executor("processes", jobs=2) as workers:
        yield workers
    assert not multiprocessing.active_children()


@pytest.fixture(params=["one", "two"])
def workers(request, two):
    """In this process, and in two."""
    return two if request.param == "two" else executor("processes", jobs=1)


def test_every_task_is_answered_once(workers):
    assert sorted(workers.map(square, range(20))) == [(x, x * x) for x in range(20)]


def test_workers_stay_from_one_round_to_the_next(two):
    first, second = ({p for _, p in two.map(pid, range(8))} for _ in range(2))
    assert first | second <= {c.pid for c in multiprocessing.active_children()}


def test_a_function_that_raises_fails_its_task_alone(workers):
    found = dict(workers.map(odd_fails, range(4)))
    assert found[0] == 0 and found[2] == 2
    assert isinstance(found[1], Failed) and found[1].error == "ValueError: 1 is odd" and not found[1].lost
    assert "odd_fails" in found[3].trace


def test_tasks_may_depend_on_results(workers):
    seen = []

    def tasks():
        for asked in range(4):
            while len(seen) < asked:
                yield None
            yield seen[-1] + 1 if seen else 0

    for _, result in workers.map(square, tasks()):
        seen.append(result)
    assert seen == [0, 1, 4, 25]


def test_a_task_whose_process_died_is_tried_again_and_no_other_is(two, tmp_path):
    assert sorted(two.map(partial(dies_once, str(tmp_path)), range(8))) == [(x, x) for x in range(8)]
    calls = {x: len((tmp_path / str(x)).read_text().splitlines()) for x in range(8)}
    assert calls == {x: 2 if x == 3 else 1 for x in range(8)}


def test_a_task_that_kills_its_processes_is_given_up_and_the_others_finish(two):
    found = dict(two.map(three_kills, range(8)))
    assert found.pop(3) == Failed("its process died (out of memory, or killed)", lost=True)
    assert found == {x: x for x in range(8) if x != 3}


def test_after_stop_nothing_is_begun_and_what_runs_ends_early(workers):
    events = []
    pairs = list(workers.map(until_stopped, range(100), stop=lambda: bool(events), report=events.append))
    assert {r for _, r in pairs} == {"stopped"}
    assert len(pairs) == len(events) <= workers.jobs


def test_a_round_that_is_left_early_leaves_no_process():
    with executor("processes", jobs=2) as workers:
        for _ in workers.map(square, range(1000)):
            break
        assert list(workers.map(square, [3])) == [(3, 9)]
    assert not [c for c in multiprocessing.active_children() if c.pid in {w.process.pid for w in workers._workers}]


def test_an_executor_that_there_is_not_is_refused():
    with pytest.raises(RunError, match="unknown executor 'threads'"):
        executor("threads")


def test_a_configuration_is_read_once_for_all_tasks_that_share_it():
    one, other = FakeConfig(), FakeConfig(rate=0.5)
    tasks = [Task("x", s, c) for c in (one, other) for s in plan(c).simulations]
    again = [pickle.loads(pickle.dumps(t)) for t in tasks]
    assert again == tasks
    assert len({id(t.config) for t in again}) == 2


def test_processes_that_die_before_they_start_break_the_run_in_one_line():
    with Processes(3, prepare=die) as workers, pytest.raises(RunBroken, match="die before they start") as told:
        list(workers.map(square, range(9)))
    assert told.value.exit_code == 3


def test_processes_that_a_signal_ends_before_they_start_are_no_fault_after_a_stop():
    with Processes(3, prepare=die) as workers:
        pairs = list(workers.map(square, range(9), stop=Later(1)))
    assert {r for _, r in pairs} <= {Failed("stopped before its end", lost=True)}


class Later:
    """True from the n-th question on."""

    def __init__(self, n):
        self.left = n

    def __call__(self):
        self.left -= 1
        return self.left < 0
