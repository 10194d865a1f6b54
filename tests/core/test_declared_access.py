"""Entries of a plan declare what they read and write, by real names, and touch nothing else."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from access_models import MODELS, SMALL, shipped
from state_access import Step, changed, state, visit
from support import tissue

from tme.core.mechanism import Mechanism, Phase
from tme.model.registry import PLAN

SLOW = ("every pathway", "every target", "normal tissue", "fast cuproptosis", "spread, loss and deaths by name")


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in MODELS])
def test_an_entry_touches_only_what_it_declares(name):
    writes, reads, seen, acted = defaultdict(set), defaultdict(set), set(), set()

    def look(model, step):
        entry = step.entry.name
        seen.add(entry)
        touched = step.writes()
        if touched:
            acted.add(entry)
        writes[entry] |= touched - step.may_write
        if not reads[entry]:  # to find out which it is takes long, and once is enough
            reads[entry] = step.undeclared_reads()

    case = MODELS[name]
    model = case.build()
    for ticks in case.ticks:
        visit(model, ticks, look)
    assert not {k: sorted(v) for k, v in writes.items() if v}
    assert not {k: sorted(v) for k, v in reads.items() if v}
    assert {e.name for e in model.plan.entries if e.every <= 60} <= seen
    assert set(case.acts) <= acted


def test_every_entry_of_the_plan_is_seen_at_work_in_some_model():
    there = {type(entry) for case in MODELS.values() for entry in case.build().plan.entries}
    assert not {cls.name for cls in PLAN} - {cls.name for cls in there}
    assert not {cls.name for cls in PLAN} - {name for case in MODELS.values() for name in case.acts}


@pytest.mark.parametrize("name", MODELS)
def test_what_is_declared_has_a_real_name(name):
    model = MODELS[name].build()
    names, optional = set(state(model)), ("counters.", "receptors.depletion.", "events.")
    unknown = {f"{e.name}: {n}" for e in model.plan.entries for n in (*e.reads, *e.writes, *e.adds) if n not in names and not n.startswith(optional)}
    assert not unknown


class Peeping(Mechanism):
    """Writes one column from another and declares neither, or both."""

    name = "peeping"
    phase = Phase.SENSE

    def step(self, model):
        t = model.tumour.col
        t.mufa[: model.tumour.n] = t.gsh[: model.tumour.n]
        model.fields["atp"].use("source")[3] += 1.0
        model.counters["peeped"] += 1


def test_what_is_not_declared_is_found():
    model = tissue()
    entry = Peeping(model)
    step = Step(model, entry)
    assert step.undeclared_writes() == {"tumour.mufa", "field.atp.source", "counters.peeped"}
    entry.writes, entry.adds = ("tumour.mufa",), ("field.atp.source", "counters.peeped")
    assert Step(model, entry).undeclared_writes() == set()
    assert Step(model, entry).undeclared_reads() == {"tumour.gsh"}
    entry.reads = ("tumour.gsh",)
    assert Step(model, entry).undeclared_reads() == set()


class Remembering(Mechanism):
    """Looks once a tick, and keeps what it saw."""

    name = "remembering"
    phase = Phase.SENSE
    writes = ("tumour.mufa",)

    def __init__(self, model):
        super().__init__(model)
        self.seen = {}

    def step(self, model):
        t = model.tumour.col
        if model.tick not in self.seen:
            self.seen[model.tick] = t.gsh[: model.tumour.n].copy()
        t.mufa[: model.tumour.n] = self.seen[model.tick]


def test_what_an_entry_remembers_does_not_hide_what_it_reads():
    model = tissue()
    assert Step(model, Remembering(model)).undeclared_reads() == {"tumour.gsh"}


def test_a_step_can_be_taken_twice_from_the_same_state():
    model = shipped("four_arms", "combination", *SMALL)
    differing = {}

    def look(model, step):
        first, second = step.take()[1], step.take()[1]
        if changed(first, second):
            differing[step.entry.name] = changed(first, second)

    visit(model, range(30, 32), look)
    assert not differing


def test_looking_changes_nothing():
    seen, plain = (shipped("four_arms", "combination", *SMALL) for _ in range(2))
    visit(seen, range(28, 31), lambda model, step: step.undeclared_reads())
    for _ in range(30):
        plain.step()
    a, b = seen.state_dict(), plain.state_dict()
    assert [k for k in a if k != "meta/scalars" and not np.array_equal(a[k], b[k], equal_nan=a[k].dtype.kind == "f")] == []
