"""Contrasts: what may be written, and what a paired table answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tme import statistics as st
from tme.statistics.contrasts import GRAMMAR, ContrastError, evaluate, evaluate_all, parse
from tme.statistics.paired_tests import wilcoxon
from tme.statistics.power import pairs_needed, power_of_pairs


@pytest.fixture
def table():
    """Ten seeds: the combination leaves half of what independent action would, on tumours of very different size."""
    rng = np.random.default_rng(5)
    size = rng.lognormal(6, 1, 10)
    noise = rng.lognormal(0, 0.05, (3, 10))
    shares = dict(zip(("a", "b", "ab"), np.array([[0.8], [0.5], [0.2]]) * noise))
    return pd.DataFrame({"control": size, **{k: v * size for k, v in shares.items()}}, index=range(10))


@pytest.mark.parametrize(
    ("text", "kind", "arms", "above", "bound"),
    [
        ("combination < control", "ratio", ("combination", "control"), False, 1.0),
        ("a+b>control", "ratio", ("a+b", "control"), True, 1.0),
        ("a difference b < -2.5", "difference", ("a", "b"), False, -2.5),
        ("bliss(ab; a, b) > 0", "bliss", ("ab", "a", "b"), True, 0.0),
        (" hsa( ab ;a,b)>0.1", "hsa", ("ab", "a", "b"), True, 0.1),
        ("loewe(ab; a, b) < 0", "loewe", ("ab", "a", "b"), False, 0.0),
    ],
)
def test_every_form_of_the_grammar_is_read_and_reads_itself_again(text, kind, arms, above, bound):
    c = parse(text)
    assert (c.kind, c.arms, c.above, c.bound) == (kind, arms, above, bound)
    assert parse(c.text) == c


@pytest.mark.parametrize("text", ["", "a", "a <", "a = b", "a <= b", "a < b < c", "bliss(ab, a, b) > 0", "bliss(ab; a) > 0", "bliss(ab; a, b)", "a difference b", "a < 3 b"])
def test_what_is_no_contrast_is_refused(text):
    with pytest.raises(ContrastError):
        parse(text)


def test_a_refusal_names_the_index_or_the_arm_that_is_compared_with_itself_and_knows_the_grammar():
    with pytest.raises(ContrastError, match="index 'blis'"):
        parse("blis(ab; a, b) > 0")
    with pytest.raises(ContrastError, match="with itself") as refused:
        parse("a < a")
    assert refused.value.expected == GRAMMAR and all(word in GRAMMAR for word in ("bliss", "hsa", "loewe", "difference"))


def test_a_comparison_is_the_ratio_of_paired_geometric_means(table):
    e = evaluate("ab < control", table).estimate
    logs = np.log(table["ab"] / table["control"])
    low, high = np.exp(stats.t.interval(0.95, 9, loc=logs.mean(), scale=stats.sem(logs)))
    assert (e.value, e.low, e.high) == pytest.approx((stats.gmean(table["ab"]) / stats.gmean(table["control"]), low, high))
    assert e.p == pytest.approx(stats.ttest_rel(np.log(table["ab"]), np.log(table["control"])).pvalue)
    assert e.null == 1.0


def test_pairing_takes_the_spread_of_tumour_sizes_out(table):
    answer = evaluate("ab < a", table)
    assert answer.holds and answer.estimate.high < 0.3
    shuffled = table.assign(a=np.roll(table["a"], 3))
    assert evaluate("ab < a", shuffled).estimate.high > 2 * answer.estimate.high


def test_a_difference_is_the_mean_of_paired_differences(table):
    e = evaluate("ab difference control < 0", table).estimate
    assert e.value == pytest.approx((table["ab"] - table["control"]).mean()) and e.null == 0.0


def test_bliss_excess_is_that_of_the_pairs(table):
    answer = evaluate("bliss(ab; a, b) > 0", table, control="control")
    expected = st.bliss_of_pairs(table["control"], table["a"], table["b"], table["ab"])
    assert answer.estimate.value == pytest.approx(expected.value) and answer.estimate.low == pytest.approx(expected.low)
    assert answer.verdict == "holds"


def test_independent_action_has_no_excess_over_bliss_and_some_over_the_better_agent():
    rng = np.random.default_rng(3)
    fa, fb = rng.uniform(0.3, 0.9, (2, 12))
    c = rng.uniform(100, 900, 12)
    table = {"c": c, "a": fa * c, "b": fb * c, "ab": fa * fb * c}
    bliss, hsa = evaluate_all(["bliss(ab; a, b) > 0", "hsa(ab; a, b) > 0"], table, control="c")
    assert bliss.estimate.value == pytest.approx(0, abs=1e-12) and bliss.verdict == "open"
    assert hsa.holds and hsa.estimate.value < np.minimum(fa, fb).mean()


def test_a_combination_that_beats_one_agent_only_has_no_excess_over_the_highest_single_agent():
    rng = np.random.default_rng(4)
    c = np.full(12, 100.0)
    table = {"c": c, "a": c * 0.9, "b": c * 0.4 + rng.normal(0, 2, 12), "ab": c * 0.4 + rng.normal(0, 2, 12)}
    assert evaluate("hsa(ab; a, b) > 0", table, control="c").verdict == "open"
    assert evaluate("hsa(ab; a, b) > 0", {**table, "ab": table["ab"] + 20}, control="c").verdict == "contradicted"


def test_the_interval_of_the_highest_single_agent_covers_what_it_claims():
    rng, hits, n = np.random.default_rng(6), 0, 2000
    for _ in range(n):
        a, b, ab = 50 + rng.normal(0, 5, (3, 5))
        e = st.hsa_of_pairs(np.full(5, 100.0), a, b, ab)
        hits += e.low <= 0 <= e.high
    assert hits / n >= 0.94


def test_both_sides_of_a_statement_are_told_apart(table):
    assert evaluate("ab < control", table).verdict == "holds"
    assert evaluate("ab > control", table).verdict == "contradicted"


def test_p_is_adjusted_by_holm_among_the_contrasts_of_the_question(table):
    answers = evaluate_all(["ab < control", "a < control", "bliss(ab; a, b) > 0"], table, control="control")
    assert [a.p_adjusted for a in answers] == pytest.approx(list(st.holm([a.estimate.p for a in answers])))
    assert evaluate("a < control", table).p_adjusted == pytest.approx(answers[1].estimate.p)


def test_a_null_effect_is_claimed_in_five_percent_of_questions_with_three_contrasts():
    rng = np.random.default_rng(8)
    claims = 0
    for _ in range(600):
        x = {k: rng.lognormal(0, 0.3, 5) for k in "abc"}
        claims += any(a.verdict != "open" for a in evaluate_all(["a < b", "b < c", "a < c"], x))
    assert claims / 600 < 0.07


def test_below_three_pairs_nothing_is_claimed_and_the_answer_says_so():
    answer = evaluate("a < b", {"a": [1.0, 1.1], "b": [5.0, 5.6]})
    assert answer.verdict == "open" and not np.isfinite(answer.p_adjusted) and "2 pairs" in answer.note


def test_an_exact_test_says_what_it_can_reach():
    answer = evaluate("a < b", {"a": [1.0, 1.1, 1.2, 1.1], "b": [5.0, 5.6, 5.5, 5.4]})
    assert answer.exact.p == answer.exact.least == 0.125 and answer.holds


def test_a_vanished_tumour_is_half_the_least_that_was_seen_and_the_note_counts_it():
    answer = evaluate("a < b", {"a": [0.0, 2.0, 4.0], "b": [8.0, 8.0, 8.0]})
    assert answer.estimate.value == pytest.approx(np.exp(np.log([1 / 8, 2 / 8, 4 / 8]).mean()))
    assert answer.note.startswith("1 value is 0")


def test_tumours_that_vanished_in_both_arms_say_nothing_of_their_ratio():
    answer = evaluate("a < b", {"a": [0.0, 0.0], "b": [0.0, 0.0]})
    assert answer.estimate.n == 0 and answer.verdict == "open"


def test_rows_without_a_value_in_one_arm_are_left_out(table):
    holed = table.copy()
    holed.loc[3, "a"] = np.nan
    assert evaluate("ab < a", holed).estimate.n == 9 and evaluate("ab < control", holed).estimate.n == 10


def test_an_unknown_arm_and_a_missing_control_are_errors(table):
    with pytest.raises(KeyError):
        evaluate("ab < nobody", table)
    with pytest.raises(ValueError, match="control"):
        evaluate("bliss(ab; a, b) > 0", table)


def test_loewe_on_a_table_of_single_doses_has_no_answer_and_says_what_it_needs(table):
    answer = evaluate("loewe(ab; a, b) > 0", table, control="control")
    assert answer.verdict == "open" and not np.isfinite(answer.estimate.value) and "sweep" in answer.note


def test_single_rows_are_told_apart_for_studies(table):
    for text in ("ab < control", "bliss(ab; a, b) > 0", "hsa(ab; a, b) > 0"):
        c = parse(text)
        assert c.stated_by(c.effects(table, "control")).all()
    assert not parse("a < ab").stated_by([np.nan, 0.5]).any()


@pytest.mark.parametrize(("d", "n"), [(0.5, 34), (0.8, 15), (1.0, 10)])
def test_pairs_needed_are_those_of_the_noncentral_t(d, n):
    """Sizes of the paired t test at 80 % power and 5 %, as tables of power analysis (Cohen 1988) give them."""
    x = np.array([-1.0, 1.0]) / np.sqrt(2) + d  # standard deviation 1, mean d
    assert pairs_needed(x) == n
    assert power_of_pairs(d, n) >= 0.8 > power_of_pairs(d, n - 1)


def test_no_effect_or_no_spread_needs_no_number_of_pairs():
    assert pairs_needed([1.0]) is None and pairs_needed([2.0, 2.0]) is None and pairs_needed([-1.0, 1.0]) is None


def test_the_exact_test_of_hsa_is_of_the_excess_that_is_told():
    """Two agents that are each better in every second pair: neither exceeds the combination on average, though the lesser of each pair does."""
    a, b = np.array([0.5, 0.7] * 3), np.array([0.7, 0.5] * 3)
    table = {"c": np.ones(6), "a": a, "b": b, "ab": np.full(6, 0.592) + 0.001 * np.arange(6)}
    (found,) = evaluate_all(["hsa(ab; a, b) > 0"], table, control="c")
    assert found.estimate.value > 0 and found.exact.p > 0.2
    table["ab"] = np.array([0.62, 0.63, 0.64, 0.62, 0.63, 0.64]) + 0.1
    (found,) = evaluate_all(["hsa(ab; a, b) > 0"], table, control="c")
    assert found.estimate.value < 0 and found.exact.p == pytest.approx(min(1.0, 2 * min(wilcoxon(x - table["ab"], np.zeros(6)).p for x in (a, b))))


def test_zeros_are_counted_where_they_are_used():
    table = {"a": np.array([0.0, 5, 6, 7]), "b": np.array([0.0, 9, 9, 9])}
    (found,) = evaluate_all(["a < b"], table)
    assert found.estimate.n == 3 and found.note == ""
    table["a"][1] = 0
    assert evaluate_all(["a < b"], table)[0].note.startswith("1 value is 0")


def test_a_sweep_needs_the_pairs_that_holm_over_all_its_points_asks_for():
    rng = np.random.default_rng(2)
    table = {"a": np.exp(rng.normal(-0.5, 1, 8)), "b": np.ones(8)}
    alone, among = (evaluate_all(["a < b"], table, family=n)[0].needed for n in (None, 18))
    assert among > 1.3 * alone
