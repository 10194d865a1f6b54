"""A planted biomarker is found with its threshold, and where none is planted none is reported more often than promised."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from tme.studies.biomarkers import (
    ALPHA,
    RIDGE,
    Effort,
    aucs,
    balanced,
    best_threshold,
    folds_of,
    logistic,
    outcomes_judged,
)

NAMES = ["pdl1", "cd8", "treg", "hypoxia", "clone"]
QUICK = Effort(folds=4, repeats=1, shuffles=79)


def table(seed, n=60):
    """Features of made-up patients, of scales as different as shares and densities."""
    return np.random.default_rng(seed).normal(size=(n, len(NAMES))) * [0.1, 100, 10, 0.2, 0.01] + [0.4, 300, 30, 0.5, 0.03]


def planted(x, seed, noise=0.5):
    """Yes where PD-L1 lies above 0.45, blurred by noise of half its spread."""
    return (x[:, 0] + 0.1 * noise * np.random.default_rng(seed + 1000).normal(size=len(x)) > 0.45).astype(float)


@pytest.mark.parametrize("seed", range(6))
def test_a_planted_biomarker_is_found_with_its_threshold(seed):
    x = table(seed)
    other = np.random.default_rng(seed + 77).random(len(x)) < 0.5
    told = outcomes_judged(x, NAMES, {"wins": planted(x, seed), "luck": other.astype(float)}, Effort(5, 2, 199))
    found = told["wins"]
    assert found["found"] and found["auc"] > found["null_95"] and found["p_holm"] <= ALPHA
    assert found["rule"]["feature"] == "pdl1" and found["rule"]["above"] and found["rule"]["value"] == pytest.approx(0.45, abs=0.06)
    assert found["features"][0]["feature"] == "pdl1" and found["features"][0]["beyond_chance"] and found["rule"]["balanced"] > 0.7


@pytest.mark.slow
def test_where_nothing_is_planted_nothing_is_reported_oftener_than_promised():
    """200 tables with four outcomes each, two of them nearly alike: at most 5 % of tables report anything (one-sided exact test at 1e-3).
    Power: a true rate of 15 % fails with probability above 0.95."""
    limit = binom.ppf(1 - 1e-3, 200, ALPHA)
    wrong = 0
    for seed in range(200):
        rng = np.random.default_rng([seed, 5])
        first = rng.random(60) < 0.4
        outcomes = {"a": first, "b": first ^ (rng.random(60) < 0.1), "c": rng.random(60) < 0.5, "d": rng.random(60) < 0.2}
        told = outcomes_judged(table(seed), NAMES, {k: v.astype(float) for k, v in outcomes.items()}, QUICK)
        wrong += any(o.get("found") for o in told.values())
    assert wrong <= limit
    assert binom.cdf(limit, 200, 0.15) < 0.05


def test_a_single_feature_passes_for_a_biomarker_by_chance_no_oftener_than_promised():
    passed = 0
    for seed in range(200):
        yes = np.random.default_rng([seed, 6]).random(60) < 0.4
        passed += outcomes_judged(table(seed), NAMES, {"a": yes.astype(float)}, QUICK)["a"]["features"][0]["beyond_chance"]
    assert passed <= binom.ppf(1 - 1e-3, 200, ALPHA + 0.01)  # the 95th percentile of 79 shuffles is itself uncertain


def test_auc_is_the_share_of_pairs_in_order():
    x = np.array([[1.0], [2.0], [2.0], [5.0]])
    yes = np.array([False, True, False, True])
    assert aucs(np.array([[1.0], [2.5], [2.5], [4.0]]), yes)[0] == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert best_threshold(x, yes).value == pytest.approx(1.5)  # as good as 3.5, and the first


def test_the_regression_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    x = rng.normal(size=(4, 50, 5))
    yes = x[0, :, 0] + rng.normal(size=50) > 0.3
    for beta, one in zip(logistic(x, yes), x):
        known = LogisticRegression(C=RIDGE, tol=1e-10, max_iter=1000).fit(one, yes)
        assert beta == pytest.approx(np.r_[known.intercept_, known.coef_[0]], abs=1e-6)


def test_outcomes_that_a_feature_separates_wholly_have_finite_weights_and_an_auc_of_one():
    x = table(1)
    yes = x[:, 1] > np.median(x[:, 1])
    told = outcomes_judged(x, NAMES, {"a": yes.astype(float)}, QUICK)["a"]
    assert told["auc"] == pytest.approx(1, abs=0.05) and told["rule"]["balanced_seen"] == 1 and np.isfinite(logistic(x[None] / 100, yes)).all()


def test_every_part_holds_both_outcomes():
    yes = np.arange(30) < 4
    for train, test in folds_of(yes, Effort()):
        assert yes[train].any() and yes[test].any() and not yes[test].all()


def test_what_is_too_one_sided_or_not_known_is_not_asked():
    x = table(2)
    x[0, 0] = np.nan
    x[:, 4] = 1.0
    rare = (np.arange(60) < 3).astype(float)
    half = np.where(np.arange(60) < 20, np.nan, np.arange(60) % 2)
    told = outcomes_judged(x, NAMES, {"rare": rare, "half": half, "all": np.ones(60)}, QUICK)
    assert told["rare"]["auc"] is None and told["rare"]["yes"] == 2 and told["all"]["auc"] is None
    assert told["half"]["yes"] + told["half"]["no"] == 40 and {f["feature"] for f in told["half"]["features"]} == set(NAMES[:4])


def test_the_order_of_features_changes_no_p_value():
    x = table(4)
    one = outcomes_judged(x, NAMES, {"a": planted(x, 4)}, QUICK)["a"]
    other = outcomes_judged(x[:, ::-1], NAMES[::-1], {"a": planted(x, 4)}, QUICK)["a"]
    assert one["p"] == other["p"] and one["auc"] == pytest.approx(other["auc"]) and one["rule"] == other["rule"]


def test_balanced_accuracy_weighs_both_sides_alike():
    yes = np.array([True, False, False, False])
    assert balanced(np.ones(4, bool), yes) == 0.5 and balanced(yes, yes) == 1.0
