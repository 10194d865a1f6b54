"""Hill curves, dose additivity and tables of doses against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from tme import statistics as st
from tme.statistics import Hill

DOSES = np.array([0.3, 1.0, 3.0, 10.0, 30.0])


@pytest.mark.parametrize("curve", [Hill(3, 1, 1), Hill(1.5, 2.5, 0.6), Hill(12, 0.8, 0.9)])
def test_exact_doses_give_their_curve_back(curve):
    found = st.fit_hill(DOSES, curve.share(DOSES))
    assert (found.ec50, found.h, found.e_max) == pytest.approx((curve.ec50, curve.h, curve.e_max), rel=1e-3)


def test_half_of_the_greatest_effect_is_left_at_ec50_and_nothing_is_removed_at_dose_zero():
    c = Hill(4, 1.7, 0.8)
    assert c.share(4) == pytest.approx(0.6) and c.share(0) == 1
    assert c.dose_leaving(0.6) == pytest.approx(4) and c.dose_leaving(0.1) == np.inf and c.dose_leaving(1) == 0


def test_an_agent_without_effect_has_no_ec50():
    found = st.dose_response(DOSES, np.ones((4, 5)))
    assert found.curve is None and "effect below 2 %" in found.note and not np.isfinite(found.ec50.value)


def test_two_doses_are_no_curve():
    assert "fewer than 3 doses" in st.dose_response([1, 2], np.full((3, 2), 0.5)).note


def test_an_ec50_beyond_the_doses_tested_is_told():
    found = st.dose_response(DOSES, np.tile(Hill(100, 1, 1).share(DOSES), (3, 1)))
    assert not found.inside and "outside the doses" in found.note


def test_the_interval_of_ec50_covers_the_truth_as_often_as_it_claims():
    rng, truth, hits, n = np.random.default_rng(0), Hill(3, 1.5, 0.9), 0, 60
    for _ in range(n):
        e = st.dose_response(DOSES, truth.share(DOSES) + rng.normal(0, 0.03, (6, 5))).ec50
        hits += e.low <= 3 <= e.high
    assert hits / n >= 0.86  # 95 % but for two standard errors of sixty


def test_the_jackknife_of_a_mean_is_the_t_interval():
    x = np.array([1.0, 2, 4, 9])
    found, pseudo = st.jackknife(lambda v: v.mean(), x)
    e = st.mean_interval(x)
    assert (found.value, found.low, found.high) == pytest.approx((e.value, e.low, e.high)) and pseudo == pytest.approx(x)


def test_an_agent_combined_with_itself_is_additive_in_dose():
    c = Hill(3, 1.8, 0.9)
    for a, b in [(1, 2), (0, 5), (10, 0.1), (0, 0)]:
        assert st.loewe_share(a, b, c, c) == pytest.approx(c.share(a + b))


def test_two_hyperbolas_add_as_the_formula_says():
    """With slope 1 and full effect, a/A(f) + b/B(f) = 1 has the solution f = 1/(1 + a/ec50_a + b/ec50_b)."""
    assert st.loewe_share(2, 5, Hill(4, 1, 1), Hill(10, 1, 1)) == pytest.approx(1 / (1 + 0.5 + 0.5))


def test_an_agent_that_cannot_reach_an_effect_drops_out_beyond_it():
    weak, strong = Hill(1, 1, 0.2), Hill(1, 1, 1)
    assert st.loewe_share(1000, 9, weak, strong) == pytest.approx(strong.share(9), abs=1e-3)


def test_a_sham_combination_has_no_excess_over_loewe_but_one_over_bliss():
    """The classic case: an agent with a steep curve combined with itself beats independence and not dose additivity."""
    rng, c = np.random.default_rng(1), Hill(3, 3, 1)
    size = rng.normal(0, 0.01, (8, 1))
    curve = c.share(DOSES) + size
    both = c.share(4.0) + size[:, 0]
    e, effects = st.loewe_excess(DOSES, curve, DOSES, curve, 2.0, 2.0, both)
    assert e.low < 0 < e.high and abs(e.value) < 0.03 and effects.mean() == pytest.approx(e.value, abs=0.01)
    assert float(c.share(2.0)) ** 2 - float(c.share(4.0)) > 0.2


def test_an_excess_over_loewe_is_found_where_there_is_one():
    rng, a, b = np.random.default_rng(2), Hill(3, 1, 1), Hill(10, 1, 1)
    noise = lambda *shape: rng.normal(0, 0.01, shape)  # noqa: E731
    both = st.loewe_share(3, 10, a, b) - 0.15 + noise(6)
    e, _ = st.loewe_excess(DOSES, a.share(DOSES) + noise(6, 5), DOSES, b.share(DOSES) + noise(6, 5), 3.0, 10.0, both)
    assert e.sign == 1 and e.value == pytest.approx(0.15, abs=0.03)


def rows(seeds=4, doses=(1.0, 3.0, 10.0)):
    """Agents a and b alone and together on tumours of different size, independent of each other."""
    a, b = Hill(3, 1, 1), Hill(5, 2, 0.8)
    for seed in range(seeds):
        size = 100.0 * (seed + 1)
        yield {}, seed, size
        for x in doses:
            yield {"a": x}, seed, size * float(a.share(x))
            yield {"b": x}, seed, size * float(b.share(x))
            for y in doses:
                yield {"a": x, "b": y}, seed, size * float(a.share(x) * b.share(y))


def test_a_table_of_doses_takes_shares_of_the_same_seeds_control():
    t = st.dose_table(rows(), {"a": "dose_mg_kg"})
    assert t.shares.shape == (4, 16) and np.ptp(t.shares, axis=0).max() < 1e-12
    d, s = t.curve("a")
    assert list(d) == [1, 3, 10] and s[0] == pytest.approx(Hill(3, 1, 1).share(d))
    assert t.fit("a").curve.ec50 == pytest.approx(3, rel=0.01)


def test_a_surface_has_the_single_agents_on_its_edges():
    t = st.dose_table(rows(), {})
    da, db, s = t.surface("a", "b")
    assert list(da) == list(db) == [0, 1, 3, 10] and s[0, 0] == 1 and np.isfinite(s).all()
    assert s[1:, 0] == pytest.approx(Hill(3, 1, 1).share(da[1:])) and s[2, 3] == pytest.approx(s[2, 0] * s[0, 3])


def test_independent_agents_have_no_excess_over_bliss_anywhere_on_the_surface():
    t = st.dose_table(rows(), {})
    found = t.excesses("a", "b")
    assert len(found) == 9 and t.pairs() == [("a", "b")] and t.single() == ["a", "b"]
    assert max(abs(r["bliss"].value) for r in found) < 1e-12
    assert all(r["hsa"].value > 0 and r["loewe"] is not None for r in found)


def test_a_dose_given_twice_in_a_seed_is_averaged_and_a_seed_without_all_doses_is_left_out():
    t = st.dose_table([*rows(seeds=3), ({}, 0, 100.0), ({}, 7, 50.0)], {})
    assert t.shares.shape[0] == 3


def test_without_an_untreated_tumour_there_is_no_table():
    assert st.dose_table([({"a": 1.0}, 0, 5.0)], {}) is None and st.dose_table([], {}) is None


def test_arms_as_data_tell_control_doses_and_units():
    arms = {
        "x": {"drugs": [{"name": "rsl3", "dose_mg_kg": 2.0, "day": [0]}]},
        "y": {"antibodies": [{"name": "anti_pd1", "dose_mg_kg": 10}], "use": ["x"]},
        "none": {}, "vehicle": {"drugs": []},
    }  # fmt: skip
    assert st.control_arm(arms) == "vehicle" and st.control_arm({"x": arms["x"]}) is None
    assert st.doses_given(arms, "y") == {"rsl3": 2.0, "anti_pd1": 10.0} and st.doses_given(arms, "none") == {}
    assert st.dose_units(arms)["rsl3"] == "dose_mg_kg"
    assert st.doses_given({"a": {"use": ["b"]}, "b": {"use": ["a"]}}, "a") == {}


def test_doses_far_below_the_first_effect_of_steep_curves_leave_everything():
    steep = Hill(71, 8, 0.96)
    assert st.loewe_share(1, 1, steep, steep) == pytest.approx(1.0, abs=1e-9)
