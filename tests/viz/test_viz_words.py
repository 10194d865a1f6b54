"""The sentences follow the numbers: sign, interval, number of simulations."""

from __future__ import annotations

import pandas as pd
import pytest

from tme.statistics import Estimate, benjamini_hochberg
from tme.viz import words
from tme.viz.load import Run


def text_of(run, arm):
    return " ".join(s for part in words.arm_words(run, arm) for s in part)


def test_fewer_more_and_undecided_have_different_words():
    fewer = words.versus_control(Estimate(0.5, 0.4, 0.6, 4, 0.001, 1.0))
    more = words.versus_control(Estimate(1.5, 1.4, 1.6, 4, 0.001, 1.0))
    open_ = words.versus_control(Estimate(0.9, 0.7, 1.1, 4, 0.2, 1.0))
    assert "50 % fewer" in fewer and "40 to 60 % fewer" in fewer
    assert "50 % more" in more and "fewer" not in more
    assert open_.startswith("No difference from control can be claimed")


def test_one_pair_claims_nothing():
    assert "says nothing about chance" in words.versus_control(
        Estimate(0.5, float("nan"), float("nan"), 1, null=1.0)
    )


@pytest.mark.parametrize(
    ("low", "high", "phrase"),
    [(0.05, 0.2, "left fewer"), (-0.2, -0.05, "left more"), (-0.1, 0.2, "cannot be told from independent")],
)
def test_bliss_words_follow_sign_and_interval(low, high, phrase):
    assert phrase in words.bliss_sentence(Estimate((low + high) / 2, low, high, 4), "a", "b")


def test_growth_words_follow_sign_and_interval():
    assert "grew" in words.since_start(Estimate(2, 1.5, 2.5, 4, null=1.0))
    assert "shrank" in words.since_start(Estimate(0.5, 0.4, 0.6, 4, null=1.0))
    assert "Neither growth nor shrinkage" in words.since_start(Estimate(1.1, 0.9, 1.3, 4, null=1.0))
    assert words.since_start(Estimate(0, 0, 0, 4, null=1.0)) == "No tumour cell was left."


def test_immune_words_sort_readouts_by_their_intervals():
    a, b, c = (words.Endpoint(x, x) for x in ("up", "down", "open"))
    found = words.immune_sentences(
        [
            (a, Estimate(1, 0.5, 1.5, 4), 2, 1),
            (b, Estimate(-1, -1.5, -0.5, 4), 1, 2),
            (c, Estimate(0, -1, 1, 4), 1, 1),
        ]
    )
    assert found[0] == "Higher than in control: up (2.00 against 1.00)."
    assert found[1].startswith("Lower than in control: down")
    assert found[2] == "No difference can be claimed in open."


def test_swapping_two_arms_swaps_their_sentences(four_arms, copy_of):
    swapped = copy_of(four_arms)
    table = pd.read_csv(swapped / "series.csv")
    other = {"anti_pdl1": "rsl3_particles", "rsl3_particles": "anti_pdl1"}
    table["arm"] = table["arm"].replace(other)
    table.to_csv(swapped / "series.csv", index=False)
    before, after = Run(four_arms), Run(swapped)
    assert text_of(before, "anti_pdl1") != text_of(before, "rsl3_particles")
    assert text_of(before, "anti_pdl1") == text_of(after, "rsl3_particles")
    assert text_of(before, "rsl3_particles") == text_of(after, "anti_pdl1")


def test_exchanging_control_and_combination_turns_the_verdict_round(four_arms, copy_of):
    swapped = copy_of(four_arms)
    table = pd.read_csv(swapped / "series.csv")
    table["arm"] = table["arm"].replace({"control": "combination", "combination": "control"})
    table.to_csv(swapped / "series.csv", index=False)
    assert "fewer living tumour cells than control" in text_of(Run(four_arms), "combination")
    assert "more living tumour cells than control" in text_of(Run(swapped), "combination")


def test_arms_without_shared_seeds_are_compared_as_groups(four_arms, copy_of):
    loose = copy_of(four_arms)
    table = pd.read_csv(loose / "summary.csv")
    table["seed"] = range(len(table))
    table.to_csv(loose / "summary.csv", index=False)
    paired, free = Run(four_arms), Run(loose)
    assert paired.paired and not free.paired
    a, b = (words.change(r, "anti_pdl1", "tumour_alive") for r in (paired, free))
    assert a.value == pytest.approx(b.value) and a.p != b.p


def test_the_table_controls_false_discoveries_over_all_its_comparisons(four_arms):
    rows = words.endpoint_table(Run(four_arms))
    pairs = [(r.changes[a].p, r.adjusted[a]) for r in rows for a in r.adjusted]
    assert len(pairs) == 3 * len(rows)
    assert [p for _, p in pairs] == pytest.approx(list(benjamini_hochberg([p for p, _ in pairs])))
    assert all(adjusted >= raw for raw, adjusted in pairs)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (21323, "21\u202f323"),
        (0.05432, "0.0543"),
        (-1.5, "−1.50"),
        (1.2e-7, "1.20e−07"),
        (999.7, "1\u202f000"),
    ],
)
def test_numbers_are_printed_to_three_figures(value, shown):
    assert words.number(value) == shown
