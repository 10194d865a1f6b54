"""Entry through vessels against binomial counts: per call, per vessel, with signal, and in the whole model."""

import numpy as np
import pytest
from exact import assert_binomial, assert_counts, assert_mean, assert_poisson, share_of_error_caught
from support import tissue

from tme.mechanisms.recruitment import arrivals
from tme.model import TumourModel

V, DT = 400, 10.0


def enter(calls, rate=0.01, signal=0.0, k=1.0, basal=1.0, capacity=8, code=1, weight=1.0):
    """Newcomers per call (calls,) and per vessel (V,) when everyone is let in at once and leaves again."""
    vessels = np.arange(0, 2 * V, 2, dtype=np.int32)
    response = np.full(V, float(signal) / (k + float(signal)))
    per_call, per_vessel, uids = np.zeros(calls, np.int64), np.zeros(V, np.int64), set()
    uid, voxel = np.empty(V, np.uint64), np.empty(V, np.int32)
    for tick in range(calls):
        count, refused = arrivals(vessels, np.full(V, weight), code, rate, response, basal, DT, np.uint64(9), 10 * tick,
                                  np.zeros(2 * V, np.int8), capacity, uid, voxel)  # fmt: skip
        assert refused == 0 or capacity == 0
        per_call[tick] = count
        per_vessel += np.bincount(voxel[:count] // 2, minlength=V)
        uids |= set(uid[:count].tolist())
    assert len(uids) == per_call.sum()
    return per_call, per_vessel


@pytest.mark.parametrize(("signal", "basal", "factor"), [(0.0, 1.0, 1.0), (2.0, 0.0, 2 / 3), (2.0, 0.3, 0.3 + 2 / 3)])
def test_newcomers_enter_at_the_rate_their_signal_sets(signal, basal, factor):
    """Power: 25,000 or more newcomers; 5 % off is caught with probability above 0.99."""
    calls, p = 1000, -np.expm1(-0.01 * factor * DT)
    assert share_of_error_caught(calls * V, p) > 0.99
    per_call, per_vessel = enter(calls, signal=signal, basal=basal)
    assert_binomial(per_call.sum(), calls * V, p)
    assert_counts(per_vessel, np.ones(V))
    # binomial, not merely of the right mean: the variance over calls is V p (1 - p)
    assert_mean((per_call - V * p) ** 2, V * p * (1 - p))


def test_newcomers_enter_in_proportion_to_the_length_of_vessel():
    """Power: 12,000 or more newcomers; 5 % off is caught with probability above 0.99."""
    per_call, per_vessel = enter(1000, weight=0.3)
    assert_binomial(per_call.sum(), 1000 * V, -np.expm1(-0.01 * 0.3 * DT))
    assert_counts(per_vessel, np.ones(V))


def test_rare_newcomers_are_poisson():
    """At a low hazard the count over all calls is Poisson; two populations have their own luck."""
    first, _ = enter(1000, rate=1e-3)
    second, _ = enter(1000, rate=1e-3, code=2)
    for per_call in (first, second):
        assert_poisson(per_call.sum(), 1000 * V * 1e-3 * DT)
    # independent: the product of deviations has mean zero
    assert_mean((first - first.mean()) * (second - second.mean()), 0.0)


def test_a_full_vessel_refuses_everybody():
    per_call, _ = enter(20, capacity=0)
    assert per_call.sum() == 0


def test_a_model_recruits_at_its_rate():
    """Tregs through the open vessels near a tumour without DAMPs: k_treg scale base per vessel and minute over 10 h.

    Power: 160 newcomers expected, standard error 8 %: a rate wrong by 30 % is caught (the sharp test is above).
    """
    hits = trials = 0
    rate = 0.02 * 0.3 * 8.4375 / 20  # of 20 um of vessel, in a slab of 8.4375 um
    for seed in (1, 2, 3):
        model = tissue(seed=seed, domain__immune_per_voxel=8, populations__cd8=None, populations__treg={"per_mm2": 1},
                       mechanisms__recruitment={"k_treg": 1, "base": 0.3, "k_cd8": 0, "k_mac": 0, "k_dc": 0},
                       mechanisms__cd8_turnover={"other_life_d": 0.5})  # fmt: skip
        model.mechanism("recruitment").scale["treg"] = 0.02  # 1/min per vessel, what would hold the number at the start
        for _ in range(300):
            model.step()
            if model.tick % 10 == 0:
                trials += int(model.mechanism("recruitment").near(model).sum())
        assert model.counters["refused"] == 0
        hits += model.counters["recruited_treg"]
    assert_binomial(hits, trials, -np.expm1(-rate * DT))


def test_kinds_the_tissue_lacks_are_never_recruited():
    model = tissue(populations__treg=None, mechanisms__recruitment={"k_treg": 0.1, "base": 1.0})
    assert isinstance(model, TumourModel)
    for _ in range(30):
        model.step()
    assert model.treg.n == 0


def test_inflow_does_not_hang_on_how_much_of_the_surroundings_is_simulated():
    """Tregs of the same tumour in a domain of twice the side: as many replace what is lost, within 4 standard errors."""
    came = {}
    for side in (600, 1200):
        total = 0
        for seed in (1, 2, 3):
            model = tissue(seed=seed, domain={"size_um": [side, side], "immune_per_voxel": 8}, populations={"treg": {"per_mm2": 300}, "cd8": None},
                           mechanisms__recruitment={"k_treg": 1, "k_mac": 0, "k_dc": 0}, mechanisms__cd8_turnover={"other_life_d": 0.5})  # fmt: skip
            for _ in range(360):
                model.step()
            total += model.counters["recruited_treg"]
        came[side] = total
    small, large = came[600], came[1200]
    assert small > 50
    assert abs(large - small) < 4 * np.sqrt(small + large)
