"""The list of simulations is a pure function of the configuration."""

from __future__ import annotations

import pytest
from fake_model import FakeConfig

from tme.experiments.plan import plan, replicate_seed, values_of


def test_all_arms_of_a_replicate_share_its_seed():
    whole = plan(FakeConfig(replicates=3))
    assert [s.folder for s in whole.simulations] == [
        f"{arm}/rep-{r:03d}" for arm in ("control", "drug") for r in range(3)
    ]
    by_replicate = {(s.replicate, s.seed) for s in whole.simulations}
    assert len(by_replicate) == 3
    assert plan(FakeConfig(replicates=3)) == whole


def test_seeds_have_63_bits_and_depend_on_both_numbers():
    seeds = {replicate_seed(s, r) for s in range(20) for r in range(20)}
    assert len(seeds) == 400
    assert all(0 <= s < 2**63 for s in seeds)
    assert replicate_seed(1, 0) == 5142489064772175999


def test_branching_grows_each_replicate_once():
    whole = plan(FakeConfig(branch_at_day=0.0))
    growth = [s for s in whole.simulations if s.arm is None]
    assert [s.folder for s in growth] == ["growth/branch-000", "growth/branch-001"]
    assert {s.after for s in whole.arms if s.replicate == 1} == {"growth/branch-001"}


def test_a_sweep_is_a_grid_with_the_last_key_fastest():
    whole = plan(
        FakeConfig(sweep={"rate": [0.1, 0.2], "horizon_day": {"from": 1, "to": 2, "n": 3}}, replicates=1)
    )
    assert [p.values for p in whole.points][:4] == [
        {"rate": 0.1, "horizon_day": 1.0},
        {"rate": 0.1, "horizon_day": 1.5},
        {"rate": 0.1, "horizon_day": 2.0},
        {"rate": 0.2, "horizon_day": 1.0},
    ]
    assert whole.points[5].config.rate == 0.2
    assert whole.points[5].config.sweep == {}
    assert whole.simulations[-1].folder == "sweep-005/drug/rep-000"
    assert len({s.seed for s in whole.simulations}) == 1


def test_a_range_includes_both_ends():
    assert values_of({"from": 0, "to": 1, "n": 5}) == [0, 0.25, 0.5, 0.75, 1]
    assert values_of({"from": 0.01, "to": 100, "n": 5, "scale": "log"}) == pytest.approx([0.01, 0.1, 1, 10, 100])
    assert values_of({"from": 0.3, "to": 3, "n": 2, "scale": "log"}) == [0.3, 3.0] and values_of({"from": 0.3, "to": 3, "n": 1}) == [0.3]
