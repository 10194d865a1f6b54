"""Evaluation without files: the numbers of a run, however starts are shared."""

from __future__ import annotations

import gc
import math

import pytest
from fake_model import FakeConfig, FakeModel

import tme
from tme.config import ConfigError
from tme.experiments import evaluate, evaluation, run
from tme.experiments.executors import Failed, executor
from tme.experiments.plan import replicate_seed

SMALL = ["domain.size_um=[300, 300]", "initial={kind: nodule, n_cells: 60}", "start_day=-0.25", "horizon_day=0.5", "replicates=1",
         "output={record_every_h: 3}"]  # fmt: skip
ASKED = ("tumour_alive", "cd8_median", "ifng_median", "tumour_area_mm2")
DAYS = (-0.125, 0, 0.25, 0.5)


def small(*more):
    return tme.load_config("configs/four_arms_small.yaml", overrides=[*SMALL, *more])


@pytest.mark.parametrize("branch", ["0", "null"])
def test_it_has_the_numbers_of_a_run_bit_for_bit(tmp_path, branch):
    config = small(f"branch_at_day={branch}")
    series = run(config, tmp_path / "run", jobs=1, progress=False).series()
    seed, asked = replicate_seed(config.seed, 0), [n for n in ASKED if n in series]
    assert "tumour_alive" in asked
    found = evaluate(config, list(config.arms), seed, asked, DAYS)
    for arm in config.arms:
        rows = series[series.arm == arm].set_index("day")
        expected = {name: [None if math.isnan(v) else v for v in rows[name].loc[list(DAYS)]] for name in asked}
        assert found[arm]["values"] == expected, arm
    apart = {arm: evaluate(config, arm, seed, asked, DAYS)[arm]["values"] for arm in reversed(list(config.arms))}
    evaluation._kept.clear()
    assert apart == {arm: record["values"] for arm, record in found.items()}


def test_arms_and_doses_share_one_growth_and_nothing_else_does():
    made = []

    class Counted(FakeModel):
        def __init__(self, config, seed=None, arm="control", **more):
            made.append(arm)
            super().__init__(config, seed, arm, **more)

    evaluation._kept.clear()
    config = FakeConfig(branch_at_day=0.0)
    ask = (("tumour_alive",), (1.0, 2.0), Counted)
    first = evaluate(config, ["control", "drug"], 5, *ask)
    evaluate(config, "drug", 5, *ask)
    assert made.count("growth") == 1
    evaluate(config, "drug", 6, *ask)
    other = evaluate(config, "control", 5, *ask, values={"rate": 0.02})
    assert made.count("growth") == 3
    assert other["control"]["values"] != first["control"]["values"]


def test_a_model_cannot_change_a_start_that_others_begin_from():
    class Aliased(FakeModel):
        @classmethod
        def from_state(cls, config, state, **more):
            model = super().from_state(config, state, **more)
            model.noise = state["noise"]
            model.noise += 1
            return model

    evaluation._kept.clear()
    with pytest.raises(ValueError, match="read-only"):
        evaluate(FakeConfig(branch_at_day=0.0), "drug", 5, ("tumour_alive",), (1.0,), Aliased)


def test_what_was_not_reached_is_none_and_a_tumour_that_is_gone_stays_gone():
    config = FakeConfig(edge_at=1100.0)
    record = evaluate(config, "control", 5, ("tumour_alive", "nothing"), (-1.0, 2.0), FakeModel)["control"]
    assert record["values"] == {"tumour_alive": [1000.0, None], "nothing": [None, None]}
    assert record["stopped"] == "the tumour reached the edge"

    class Cured(FakeModel):
        def step(self):
            super().step()
            self.alive = 0.0
            self.stop_reason, self.running = "fewer than 1 tumour cells left at day -0.98", False

    record = evaluate(config, "control", 5, ("tumour_alive",), (0.0, 2.0), Cured)["control"]
    assert record["values"] == {"tumour_alive": [0.0, 0.0]}


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r"mechanisms\.killing\.k_hit"):
        evaluate(small(), "control", 1, ("tumour_alive",), (0.0,), values={"mechanisms.killing.k_hit": -1})


def slow(sample):
    """Long enough to be stopped."""
    return evaluate(FakeConfig(sleep_s=0.01, horizon_day=90), "control", sample, ("tumour_alive",), (90.0,), FakeModel)


def test_it_ends_when_the_executor_stops():
    asked = iter([False, False, True])
    ((_, result),) = executor("processes", jobs=1).map(slow, [1, 2], stop=lambda: next(asked, True))
    assert isinstance(result, Failed) and result.lost


def models() -> int:
    """Models that this process keeps."""
    gc.collect()
    return sum(isinstance(o, tme.TumourModel) for o in gc.get_objects())


@pytest.mark.slow
def test_no_model_is_kept_when_it_is_no_longer_needed(tmp_path):
    config = small("branch_at_day=0")
    before = models()
    evaluate(config, list(config.arms), 1, ("tumour_alive",), (0.0, 0.1))
    assert models() == before
    run(config.with_values({"horizon_day": 0.1}), tmp_path / "run", jobs=1, progress=False)
    assert models() == before
