"""The whole study of robustness on a made-up experiment whose probabilities, shares of variance and flips are known."""

from __future__ import annotations

import csv
import json
import math

import made_up_four
import numpy as np
import pytest
from made_up import Model
from made_up_four import CUTS, RANGES, SWITCHES, Four, ask

from tme.pathways.ferroptosis_parameters import PARAMETERS
from tme.statistics.contrasts import parse
from tme.studies import rivals, robust
from tme.studies.robust_design import candidates, planned
from tme.studies.robust_words import decider, of_conclusion, of_rivals, word
from tme.viz import study as page


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Directory and summary of a study of 300 draws and 30 with three seeds."""
    folder = tmp_path_factory.mktemp("robust") / "s"
    with pytest.MonkeyPatch.context() as patch:
        ask(patch, 300, 30, 3)
        _, code = robust.run(Four(arms=made_up_four.ARMS), out=folder, jobs=1, progress=False, model_factory=Model)
    assert code == 0
    return folder, json.loads((folder / "summary.json").read_text())


def of(summary, text):
    return next(c for c in summary["conclusions"] if c["contrast"] == text)


BLISS = "bliss(both; immune, drug) > 0"


def test_each_conclusion_has_its_planted_probability(made):
    # excess = s + 0.03 luck, s uniform on [-0.1, 0.2] where the route is open, else 0: P(> 0) = (2/3 + 1/2) / 2
    p = of(made[1], BLISS)["probability"]
    assert p["low"] <= 7 / 12 <= p["high"] and p["n"] == 330
    assert of(made[1], "both < control")["probability"]["value"] == 1


def test_an_excess_is_told_apart_where_each_agent_acts_and_where_one_does_not(made):
    # the drug always takes more than a tenth, the immune arm i, uniform on [0, 0.5]; the excess hangs on neither
    told = of(made[1], BLISS)
    each, rest = told["acting"]["each"], told["acting"]["not each"]
    assert each["decided"] + rest["decided"] == told["decided"] and each["held"] + rest["held"] == told["held"]
    assert told["acting"]["alone"] == {"immune": each["decided"], "drug": told["decided"]}
    assert 0.14 < rest["decided"] / told["decided"] < 0.26
    for part in (each, rest):
        assert part["probability"]["low"] <= 7 / 12 <= part["probability"]["high"]
    assert "acting" not in of(made[1], "both < control")
    assert sum("draws leaves at most 90 % of the control; it holds in" in s for s in made[1]["sentences"]) == 1


def test_the_variance_of_the_excess_is_shared_out_as_planted(made):
    shares = of(made[1], BLISS)["shares"]
    luck, drawn = 0.03**2, 0.3**2 / 12
    numbers, structure = drawn / 2, 0.05**2 / 4  # the switch moves the mean by 0.05
    total = luck + numbers + structure
    for name, truth in (("seeds", luck), ("numbers", numbers), ("structure", structure)):
        assert shares[name]["low"] <= truth / total <= shares[name]["high"], name


def test_the_number_that_decides_comes_first_with_the_value_where_it_flips(made):
    # P(holds | s) = P(s + 0.03 luck > 0)/2 + 1/4, which is 1/2 at s = 0
    first = of(made[1], BLISS)["decides"][0]
    assert first["name"] == "s" and first["beyond_chance"] and first["flips_at"] == pytest.approx(0, abs=0.04) and first["sign"] == 1
    assert of(made[1], BLISS)["shrinks"][0]["name"] == "s"
    assert any("decided first by s (" in s for s in made[1]["sentences"])


def test_the_cut_takes_all_of_the_excess_away_and_its_share_is_of_sure_draws(made):
    cut = made[1]["cuts"]["route"][BLISS]
    # the mean excess is (0.05 + 0)/2, and what is left without the route is luck
    assert cut["loss"]["low"] <= 0.025 <= cut["loss"]["high"] and cut["n"] == 330
    assert 60 < cut["sure"] < 180 and cut["share"]["low"] > 0.8


def test_only_draws_count_whose_untreated_tumour_is_as_known(made):
    folder, summary = made
    # size = 100 + a + 10 luck with a uniform on [-20, 20] is above 99 in a little more than half of all draws
    assert summary["draws"] == 300 and summary["repeated"] == 30
    assert 0.45 < summary["met"] / summary["tried"] < 0.63 and summary["tried"] > 500
    rows = list(csv.DictReader((folder / "design.csv").read_text().splitlines()))
    full = [r for r in rows if not r["arms"]]
    assert len(full) == 2 * 330 and {r["arms"] for r in rows if r["arms"]} == {"control"}
    assert np.mean([float(r["a"]) for r in full]) > 3 > np.mean([float(r["a"]) for r in rows if r["arms"]])
    assert summary["sentences"][0].startswith(f"{summary['met']} of {summary['tried']} draws show what is known (tumour_alive of control")


def test_arms_and_cuts_of_a_draw_share_their_tumour_and_draws_do_not():
    draws = candidates(RANGES, SWITCHES, "draw", 0, 20, 1, 1)
    plan = planned(RANGES, SWITCHES, CUTS, draws, candidates(RANGES, SWITCHES, "repeated", 0, 5, 3, 1), 3)
    seeds = [s for p in plan.points for s in p.seeds]
    assert len(seeds) == len(set(seeds)) == 35
    assert [p.seeds for p in plan.cut_points["route"]] == [p.seeds for p in plan.points]
    assert all(p.values["s"] == 0.0 for p in plan.cut_points["route"])


def test_draws_fill_every_range_evenly_and_an_option_overrides_its_number():
    plan = planned(RANGES, SWITCHES, CUTS, candidates(RANGES, SWITCHES, "draw", 0, 40, 1, 1), [], 2)
    for k in range(len(RANGES)):
        assert sorted((plan.u[:40, k] * 40).astype(int)) == list(range(40))
    assert np.bincount(plan.options[:40, 0]).tolist() == [20, 20]
    assert {p.values["s"] for p, o in zip(plan.points, plan.options) if o[0] == 1} == {0.0}


def test_the_page_has_a_figure_and_every_sentence(made):
    text = page.write(made[0], dpi=60).read_text()
    assert "data:image/png" in text and text.count("<li>") == len(made[1]["sentences"]) and "How often each conclusion holds" in text
    assert (made[0] / "figures" / "robust.png").is_file()


@pytest.mark.parametrize(("low", "high", "begins"), [(0.96, 1, "holds nearly"), (0.85, 0.95, "holds mostly"), (0.55, 0.7, "holds more"), (0.4, 0.6, "may"), (0.1, 0.3, "fails")])
def test_words_are_those_that_the_interval_bears(low, high, begins):
    assert word({"low": low, "high": high}).startswith(begins)


def test_a_conclusion_that_no_draw_decides_is_told_so():
    nothing = {"contrast": "a < b", "held": 0, "decided": 0, "draws": 5, "probability": {"value": None, "low": None, "high": None, "n": 0}, "decides": []}
    assert of_conclusion(nothing) == ["a < b: no draw decides it."]


# ---- rivals ---------------------------------------------------------------------------------------------------
ARMS = rivals.Arms("control", "a", "b", "ab", (0.0, 3.0), (0.0, 3.0), True)
DAYS = np.arange(0, 7.0)
ASKED = [parse("ab < control"), parse("bliss(ab; a, b) > 0")]


def courses(coupling, n=5):
    """Courses of the mean-field equations with a coupling, numbers drawn."""
    rng, out = np.random.default_rng(1), []
    for _ in range(n):
        r, k, e0, a, q, u = (rng.uniform(*ends) for ends in ((0.3, 0.8), (0.5, 2.0), (0.05, 0.2), (0, 0.4), (0.5, 3), (0.5, 2)))

        def rate(given, state, r=r, k=k, e0=e0, a=a, q=q, u=u):
            n, e, response, gpx4 = state
            kill = (1 + q * rivals.HAS_A * min(1.0, given[0])) * e
            gsh = 1 - coupling * response
            f = u * 0.3**4 / (0.3**4 + (gpx4 * gsh) ** 4)
            deaths = f + kill
            return np.array([(r * (1 - n / 5000) - deaths) * n, (e0 + a * deaths - e) / 2.0, 4 * (kill / (1 + kill) - response),
                             0.69 - (0.69 + k * rivals.HAS_B * given[1]) * gpx4])  # fmt: skip

        start = np.array([np.full((1, 4), v) for v in (300.0, e0, e0 / (1 + e0), 1.0)])
        found = rivals._Course(DAYS, ARMS).solve(rate, start)[:, 0, 0]
        out.append(dict(zip(ARMS.names, found.T)))
    return out


def test_the_rival_that_made_the_data_explains_them_and_the_simpler_one_less():
    found = rivals.compare(DAYS, courses(0.8), ARMS, ASKED)
    bliss, free = found["logistic growth with Bliss"], found["mean field, coupled"]
    assert free["combination"] > 0.99 and free["excess"] > 0.98
    assert found["mean field, uncoupled"]["excess"] < 0.5 and bliss["excess"] < 0.5 and bliss["draws"] == 5 and free["agrees"] == {"ab < control": 5, "bliss(ab; a, b) > 0": 5}


def test_where_nothing_is_coupled_the_mean_field_needs_no_coupling():
    found = rivals.compare(DAYS, courses(0.0, 4), ARMS, ASKED)
    assert found["mean field, uncoupled"]["excess"] > 0.98
    said = of_rivals(found)
    assert len(said) == 4 and said[-1].startswith("Of the two mean fields") and "no more of the excess" in said[-1]
    coupled = {k: {**v, "excess": e} for (k, v), e in zip(found.items(), (0.1, 0.12, 0.97))}
    assert "has 85 % more of the variance of the excess" in of_rivals(coupled)[-1]


def test_the_chemistry_of_the_mean_field_is_that_of_the_pathway():
    numbers = {name: p.value for name, p in PARAMETERS.parameters.items()}
    held = {"tau_z": 1440 * rivals.TAU_Z, "k_a": rivals.K_A / 1440}
    assert held == pytest.approx({name: numbers[name] for name in held}, rel=0.01)


@pytest.mark.slow
def test_the_logistic_rival_predicts_independent_action_it_never_saw():
    rng, out = np.random.default_rng(2), []
    for _ in range(4):
        r, ka, kb = rng.uniform(0.3, 0.8), rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.8)

        def rate(given, n, r=r, ka=ka, kb=kb):
            return (r * (1 - n / 5000) - ka * rivals.HAS_A * given[0] - kb * rivals.HAS_B * given[1]) * n

        out.append(dict(zip(ARMS.names, rivals._Course(DAYS, ARMS).solve(rate, np.full((1, 4), 300.0))[:, 0].T)))
    found = rivals.compare(DAYS, out, ARMS, ASKED)["logistic growth with Bliss"]
    assert found["combination"] > 0.999


def test_logistic_growth_is_its_closed_form():
    def rate(given, n):
        return 0.7 * n * (1 - n / 1000)

    found = rivals._Course(DAYS, ARMS).solve(rate, np.array([[100.0]]))[:, 0, 0]
    assert found == pytest.approx(1000 / (1 + 9 * np.exp(-0.7 * DAYS)), rel=1e-6)


def test_an_explained_share_is_one_for_the_truth_nothing_for_the_mean_and_unknown_without_variance():
    x = np.array([1.0, 2.0, 4.0])
    assert rivals.determination(x, x) == 1 and rivals.determination(x, np.full(3, x.mean())) == pytest.approx(0)
    assert rivals.determination(np.ones(3), x) is None
    assert rivals.exposure(2.0, (0.0, 3.0)) == pytest.approx(math.exp(-2 / rivals.TAU_D)) and rivals.exposure(3.0, (3.0,)) == 1


@pytest.mark.parametrize(("value", "unit", "said"), [(12.5, "min", "12.5 min"), (1.84, "1", "1.84"), (100.0, "1/d", "100 1/d"), (0.0003, "1/min", "0.0003 1/min")])
def test_the_value_at_which_a_conclusion_flips_is_told_with_its_unit(value, unit, said):
    found = {"name": "x", "unit": unit, "along": [0.1, 0.9], "flips_at": value}
    assert decider(found) == f"x (from 10 % at its low end to 90 % at its high end, as often as not at {said})"
