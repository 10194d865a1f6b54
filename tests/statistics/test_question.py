"""The primary question: what a config asks, and how it is answered in words."""

from __future__ import annotations

import numpy as np
import pytest

from tme import statistics as st

ARMS = {"control": {}, "a": {"drugs": [{"name": "x"}]}, "b": {"drugs": [{"name": "y"}]}, "ab": {"use": ["a", "b"]}}
CONTRASTS = ["ab < control", "ab < a", "bliss(ab; a, b) > 0"]
CONFIG = {"arms": ARMS, "horizon_day": 8.0, "primary": {"readout": "tumour_alive", "contrasts": CONTRASTS}}


def values(n, spread=0.05, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.lognormal(5, 0.5, n)
    shares = {"control": 1.0, "a": 0.8, "b": 0.6, "ab": 0.25}
    return {arm: dict(enumerate(s * size * rng.lognormal(0, spread, n))) for arm, s in shares.items()}


def test_the_question_of_a_config_is_read_with_its_control_and_ends_at_the_horizon():
    q = st.question_of(CONFIG)
    assert q.day == 8 and q.control == "control" and [c.text for c in q.contrasts] == CONTRASTS
    assert q.arms() == ("ab", "control", "a", "b")
    assert st.question_of({"arms": ARMS}) is None


def test_an_answer_reads_as_one_page_of_lines():
    found = st.answer(st.question_of(CONFIG), values(4), 8.0)
    text = "\n".join(found.lines())
    assert found.title() == "Primary question: tumour_alive on day 8; all 3 statements hold (Holm among them)"
    assert "holds: ab smaller than control" in text and "after Holm" in text and "p below 0.125" in text
    assert len(found.rows()) == 3 and found.rows()[0]["p_holm"] == pytest.approx(found.answers[0].p_adjusted)


def test_six_pairs_need_no_caution():
    assert st.answer(st.question_of(CONFIG), values(6), 8.0).cautions() == []


def test_an_open_statement_says_how_many_pairs_it_would_need():
    found = st.answer(st.question_of(CONFIG), values(4, spread=0.9, seed=3), 8.0)
    open_ = [a for a in found.answers if a.verdict == "open"]
    assert open_ and all(f"about {a.needed} pairs" in "\n".join(found.lines()) for a in open_ if a.needed and a.needed > 4)


def test_an_earlier_day_than_asked_is_told():
    found = st.answer(st.question_of(CONFIG), values(6), 5.5)
    assert found.cautions() == ["Asked of day 8; read on day 5.5, the last that all simulations recorded."]


def test_replicates_that_an_arm_lacks_are_left_out_of_its_contrasts_only():
    v = values(6)
    del v["a"][3]
    found = {a.contrast.text: a.estimate.n for a in st.answer(st.question_of(CONFIG), v, 8.0).answers}
    assert found == {"ab < control": 6, "ab < a": 5, "bliss(ab; a, b) > 0": 5}


def test_an_arm_that_has_not_run_yet_leaves_its_statements_open():
    v = values(5)
    del v["b"]
    found = st.answer(st.question_of(CONFIG), v, 8.0).answers
    assert [a.verdict for a in found] == ["holds", "holds", "open"]


def test_few_pairs_claim_nothing_and_say_so():
    found = st.answer(st.question_of(CONFIG), values(2), 8.0)
    assert "of 3 statements 3 are open" in found.title() and found.cautions() == ["2 pairs of simulations can bear no test: nothing is claimed."]
