"""What a plan and a bed of vessels promise."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import tme
from tme.core import schedule
from tme.core.grid import Grid
from tme.core.mechanism import Phase, check_plan
from tme.core.schedule import Schedule
from tme.core.vessels import VesselBed
from tme.kernels import threads
from tme.kernels.threads import Task


def entry(name, phase, *writes, adds=()):
    return SimpleNamespace(name=name, phase=phase, writes=writes, adds=adds)


def test_two_mechanisms_of_one_phase_may_not_write_the_same_thing():
    plan = [entry("a", Phase.FATE, "tumour.x"), entry("b", Phase.FATE, "tumour.y"), entry("c", Phase.FATE, "tumour.x")]
    with pytest.raises(ValueError, match=r"c and a both write tumour\.x in phase FATE"):
        check_plan(plan)
    check_plan(plan[:2])
    check_plan([plan[0], entry("d", Phase.SECRETE, "tumour.x")])


def test_who_writes_acts_before_those_who_add():
    adds = [entry("a", Phase.FATE, adds=("tumour.fate",)), entry("b", Phase.FATE, adds=("tumour.fate",))]
    check_plan([entry("c", Phase.FATE, "tumour.fate"), *adds])
    check_plan([*adds, entry("d", Phase.RESOLVE, "tumour.fate")])
    with pytest.raises(ValueError, match=r"c writes tumour\.fate, to which a has added before it in phase FATE"):
        check_plan([*adds, entry("c", Phase.FATE, "tumour.fate")])


def test_all_vessels_are_open_until_the_tumours_zones_are_known():
    bed = VesselBed(Grid((1, 20, 20)), 500.0, 5)
    assert 40 < len(bed.sites) < 120 and bed.open.all()
    assert np.array_equal(bed.voxels, bed.sites)
    bed.update(np.full(400, -1.0), 50.0, 0.0, 1.0, 1.0)
    assert len(bed.voxels) == 0


def walker(name, begins_with="", reads=(), writes=(), adds=(), every=1, step=None):
    """An entry that does what it is told."""
    return SimpleNamespace(
        name=name, phase=Phase.INTERACT, begins_with=begins_with, reads=reads, writes=writes, adds=adds, every=every, step=step
    )


@pytest.mark.parametrize(
    "mine, between",
    [
        ({"reads": ("a.x",)}, {"writes": ("a.x",)}),
        ({"writes": ("a.x",)}, {"reads": ("a.x",)}),
        ({"adds": ("a.x",)}, {"adds": ("a.x",)}),
        ({"writes": ("a.x", "a.y")}, {"reads": ("a.y", "a.z")}),
    ],
)
def test_an_entry_does_not_begin_before_one_that_it_meets(mine, between):
    plan = [walker("first"), walker("second", **between), walker("third", "first", **mine)]
    assert Schedule(plan).early == {}
    assert Schedule([plan[1], plan[0], plan[2]]).early == {"first": [plan[2]]}  # it is out of the way
    assert Schedule([plan[1], walker("third", "first", **mine)]).early == {}  # what it would begin with is switched off


def test_walks_begin_early_in_the_shipped_plan():
    early = tme.TumourModel("configs/quick.yaml", arm="combination").plan.early
    assert {name: [m.name for m in found] for name, found in early.items()} == {"ferroptosis": ["motility"], "killing": ["slow_motility"]}


def test_reading_the_same_is_no_meeting():
    Schedule([walker("first", reads=("a.x",)), walker("second", "first", reads=("a.x",), writes=("b.x",))])


def planned(monkeypatch, steps):
    """A plan of three, the last of which begins with the first, on two threads."""
    monkeypatch.setattr(threads, "count", lambda: 2)
    monkeypatch.setattr(schedule, "WORTH_S", -1.0)
    plan = Schedule([walker("first", step=steps[0]), walker("second", step=steps[1]), walker("third", "first", every=2, step=steps[2])])
    plan.calls["third"] = 1  # it has been seen to take long
    return plan


def test_an_entry_that_begins_early_is_at_work_beside_the_others_and_ends_before_its_place(monkeypatch):
    meet, seen = threading.Barrier(2, timeout=20.0), []
    plan = planned(monkeypatch, [lambda m: meet.wait(), lambda m: None, lambda m: (meet.wait(), time.sleep(0.05), seen.append("third"))])
    plan.entries.append(walker("fourth", step=lambda m: seen.append("fourth")))
    plan.seconds["fourth"] = plan.calls["fourth"] = 0
    plan.run(SimpleNamespace(tick=2))
    assert seen == ["third", "fourth"] and plan.calls == {"first": 1, "second": 1, "third": 2, "fourth": 1}


def test_an_entry_begins_early_only_at_its_clock_and_where_there_is_somebody_to_make_it(monkeypatch):
    sent = []
    monkeypatch.setattr(threads, "Task", lambda *a: sent.append(a) or Task(*a))
    plan = planned(monkeypatch, [lambda m: None] * 3)
    plan.run(SimpleNamespace(tick=3))
    assert sent == []
    plan.run(SimpleNamespace(tick=4))
    assert [a[1] for a in sent] == ["third"]
    monkeypatch.setattr(threads, "count", lambda: 1)
    plan.run(SimpleNamespace(tick=6))
    assert len(sent) == 1 and plan.calls["third"] == 3


def test_an_exception_is_seen_when_nobody_is_at_work_any_more(monkeypatch):
    ended = []

    def fail(model):
        raise RuntimeError("second fails")

    plan = planned(monkeypatch, [lambda m: None, fail, lambda m: (time.sleep(0.05), ended.append("third"))])
    with pytest.raises(RuntimeError, match="second fails"):
        plan.run(SimpleNamespace(tick=2))
    assert ended == ["third"]
    plan = planned(monkeypatch, [lambda m: None, lambda m: None, fail])
    with pytest.raises(RuntimeError, match="second fails"):
        plan.run(SimpleNamespace(tick=2))
