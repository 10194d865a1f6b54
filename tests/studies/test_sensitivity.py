"""Sensitivity: effects and shares of functions whose answer is known in closed form, and the whole study on a made-up experiment."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from made_up import Config, Model

from tme.config.study import Study as Asked
from tme.studies import sensitivity
from tme.studies.design import Point
from tme.studies.ranges import Range
from tme.studies.sensitivity import morris_design, morris_effects, sobol_design, sobol_shares

PI = np.pi


def shares_of(function, groups, base=256, seed=1):
    u = sobol_design(groups, base, seed)
    found = sobol_shares(groups, function(u), seed)
    return {g["group"]: g for g in found["groups"]}, {(p["group"], p["with"]): p for p in found["pairs"]}


def ishigami(u):
    """sin x1 + 7 sin² x2 + 0.1 x3⁴ sin x1 on [-pi, pi]³."""
    x = PI * (2 * u - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_shares(a=7.0, b=0.1):
    """First-order and total shares (Ishigami & Homma 1990)."""
    total = a**2 / 8 + b * PI**4 / 5 + b**2 * PI**8 / 18 + 0.5
    one, two, both = 0.5 * (1 + b * PI**4 / 5) ** 2, a**2 / 8, 8 * b**2 * PI**8 / 225
    return {"x1": (one / total, (one + both) / total), "x2": (two / total, two / total), "x3": (0.0, both / total)}, both / total


def test_shares_of_the_ishigami_function_are_those_of_theory():
    groups, pairs = shares_of(ishigami, ["x1", "x2", "x3"], 1024)
    theory, both = ishigami_shares()
    for name, (first, total) in theory.items():
        assert groups[name]["first"] == pytest.approx(first, abs=0.03) and groups[name]["total"] == pytest.approx(total, abs=0.03), name
    assert pairs["x1", "x3"]["share"] == pytest.approx(both, abs=0.06)
    assert abs(pairs["x1", "x2"]["share"]) < 0.06


def test_shares_of_a_linear_function_are_its_squared_slopes_and_add_up():
    slopes = np.array([3.0, 2.0, 1.0])
    groups, pairs = shares_of(lambda u: u @ slopes, ["a", "b", "c"])
    for name, slope in zip("abc", slopes):
        for share in ("first", "total"):
            assert groups[name][share] == pytest.approx(slope**2 / 14, abs=0.02)
    assert all(abs(p["share"]) < 0.02 for p in pairs.values())


def test_a_group_has_the_variance_of_all_its_members():
    groups, _ = shares_of(lambda u: u @ np.array([3.0, 2.0, 1.0]), ["a", "a", "c"])
    assert groups["a"]["first"] == pytest.approx(13 / 14, abs=0.02) and set(groups) == {"a", "c"}


def test_intervals_of_shares_hold_the_truth_about_as_often_as_they_say():
    truth, held = ishigami_shares()[0], 0
    for seed in range(1, 13):
        groups, _ = shares_of(ishigami, ["x1", "x2", "x3"], 128, seed)
        held += sum(abs(groups[n]["total"] - truth[n][1]) <= groups[n]["total_interval"] for n in truth)
    assert held >= 30  # of 36; at 95 % the chance of fewer is 1 in 550


def test_elementary_effects_of_a_linear_function_are_its_slopes():
    slopes = np.array([3.0, -2.0, 1.0, 0.0])
    u = morris_design(list("abcd"), 6, 1)
    rows = morris_effects(list("abcd"), u, u @ slopes)
    assert [r["group"] for r in rows] == ["a", "b", "c", "d"]
    assert [r["effect"] for r in rows] == pytest.approx([3, 2, 1, 0], abs=1e-9) and [r["slope"] for r in rows] == pytest.approx(slopes, abs=1e-9)
    assert [r["sigma"] for r in rows] == pytest.approx([0, 0, 0, 0], abs=1e-9)


def test_unknown_outcomes_take_their_trajectory_or_block_with_them_and_no_other():
    u = morris_design(list("abc"), 6, 1)
    y = u @ np.array([3.0, 2.0, 1.0])
    y[5] = np.nan
    assert {r["trajectories"] for r in morris_effects(list("abc"), u, y)} == {5}
    u = sobol_design(list("abc"), 64, 1)
    y = u @ np.array([3.0, 2.0, 1.0])
    y[[3, 4, 100]] = np.nan
    found = sobol_shares(list("abc"), y)
    assert found["blocks"] == 62 and found["groups"][0]["first"] == pytest.approx(9 / 14, abs=0.1)
    assert sobol_shares(list("abc"), np.ones(64 * 8)) == {"blocks": 64, "groups": [], "pairs": []}


def test_the_study_of_an_experiment_finds_what_moves_each_outcome(tmp_path, monkeypatch):
    ranges = [Range("a", 0, 20, 10, group="size"), Range("b", 0.1, 0.9, 0.5, group="drug"), Range("c", 0, 1, 0.5, group="nothing")]
    monkeypatch.setattr(sensitivity, "ranges_of", lambda config: ranges)
    monkeypatch.setattr(sensitivity, "ask_of", lambda config, kind, readouts, days: sensitivity_ask(readouts, days))
    config = Config(study=Asked(draws=32, keep=2))
    folder, code = sensitivity.run(config, out=tmp_path / "s", jobs=1, progress=False, model_factory=Model)
    found = json.loads((folder / "summary.json").read_text())
    assert code == 0 and sorted(found["kept"]) == ["drug", "size"]
    of = found["shares"]["tumour_alive of control"]["groups"]
    assert {g["group"]: g["total"] for g in of} == pytest.approx({"size": 1.0, "drug": 0.0}, abs=0.06)
    assert found["screened"]["drug < control"][0]["group"] == "drug"
    assert any(s.startswith("drug < control: of its variance") and "drug alone" in s for s in found["sentences"])
    assert (folder / "table.csv").read_text().startswith("outcome,group,effect")


def sensitivity_ask(readouts, days):
    from tme.studies.design import Ask

    return Ask(tuple(readouts), tuple(days))


def test_a_point_of_which_one_tumour_is_unknown_has_no_outcome():
    """The tumours that reach the edge are the large ones: a mean over the others would be that of other tumours."""
    index = pd.MultiIndex.from_product([["p", "q"], range(3)], names=["point", "seed"])

    class Given:
        def values(self, results, control):
            return pd.Series([1000.0, 100, 120, np.nan, 100, 120], index)

    class Asked:
        points = [Point("p", {}), Point("q", {})]

    assert sensitivity.over_seeds(Given(), Asked(), None) == pytest.approx([1220 / 3, np.nan], nan_ok=True)
