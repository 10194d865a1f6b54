"""Every mechanism's test fails where that mechanism is taken out: no test shows a sign that is there without it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from neutral import neutralised
from support import bath, dish, hours, mean

from tme.library import load_library
from tme.model.mechanisms import mechanism_table
from tme.pathways import ferroptosis

ROOT = Path(__file__).parents[1]
CHUNKS = 8
# a failure of these kinds is the test's own judgement, or a number of its arithmetic that is not there any more
FAIR = {"AssertionError", "RuntimeWarning", "ZeroDivisionError", "BrokenState"}
# ids with a test that nothing takes out, or whose test does not notice: to be empty
NOT_YET = ""

ROWS = [row for row in mechanism_table() if row["test"] and not row["observable"]]


def judged(found: dict) -> list[str]:
    """What is wrong with the tests of one id, as they went with it neutral."""
    fair = FAIR | ({"KeyError", "AttributeError"} if found["absent"] else set())  # with a law its columns and counters are gone
    failed = {test for test, kind in found["failed"].items() if kind in fair}
    wrong = [] if failed else [f"no test of {found['id']} fails without it: {found}"]
    if found["id"][0] in "DN":  # each drug and payload is one case, unless its test is marked with several rows of them
        own = [test for test, ids in found["passed"].items() if "[" in test and [m for m in ids if m[0] in "DN"] == [found["id"]]]
        wrong += [f"{test} passes without {found['id']}" for test in own]
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_without_its_mechanism_the_test_of_an_id_fails(chunk):
    ids = [row["id"] for row in ROWS][chunk::CHUNKS]
    done = subprocess.run([sys.executable, "tests/neutral.py", *ids], cwd=ROOT, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("NEUTRAL ")]
    found = [json.loads(line.removeprefix("NEUTRAL ")) for line in lines]
    assert [f["id"] for f in found] == ids, done.stderr[-2000:]
    wrong = {f["id"]: judged(f) for f in found if judged(f)}
    named = set(NOT_YET.split()) & set(ids)
    assert {mid: said for mid, said in wrong.items() if mid not in named} == {}
    assert named <= set(wrong), "these fail now as they should: take them out of NOT_YET"


# ---- what `neutralised` does ---------------------------------------------------------------------------------------------------
def test_a_neutral_rule_keeps_its_column_and_changes_nothing():
    def acsl4(**changes):
        return dish(fields__hmgb1={"initial": 5, "held": True}, **changes)

    changed = mean(hours(acsl4(rules={"M97.acsl4": "on"}), 2), "pufa")
    with neutralised("M97"):
        neutral = hours(acsl4(rules={"M97.acsl4": "on"}, seed=2), 2)
    assert mean(neutral, "pufa") == mean(hours(acsl4(), 2), "pufa") < changed
    assert "term_ferroptosis_acsl4" in neutral.tumour.declared


def test_neutral_numbers_and_traits_hold_whatever_is_asked_for():
    with neutralised("M05"):
        assert ferroptosis.PARAMETERS.build({"v_gpx": 5.0}).v_gpx == 0.0
    assert ferroptosis.PARAMETERS.build({"v_gpx": 5.0}).v_gpx == 5.0

    def pufa(acsl4):
        model = dish()
        model.tumour.acsl4[:] = acsl4
        return mean(hours(model, 6), "pufa")

    assert pufa(0.5) < 0.9 * pufa(1.0)
    with neutralised("M39"):
        assert pufa(0.5) == pufa(1.0)


def test_neutral_entries_are_there_and_do_nothing_and_come_back():
    before = load_library().drugs["rsl3"]
    with neutralised("M06"):
        assert load_library().drugs["rsl3"].hits == ()
    assert load_library().drugs["rsl3"] is before and before.hits
    with neutralised("N1"):
        assert [p.loading for p in load_library().nanoparticles["peg_pdpa_rsl3"].payloads] == [0.0]


def test_neutral_doses_come_on_one_day():
    late = {"x": bath("rsl3", 1.0, day=0.5)}
    assert mean(hours(dish("x", arms=late), 2), "gpx4") > 0.9
    with neutralised("M123"):
        assert np.all(hours(dish("x", arms=late, seed=2, name="other"), 2).tumour.gpx4 < 0.5)


def test_an_id_that_nothing_takes_out_is_told():
    with pytest.raises(ValueError, match="nothing takes M16 out"), neutralised("M16"):
        pass
