"""Deaths against exponential clocks: apoptosis, necrosis by oxygen, both at once, loss and expansion of CD8."""

import numpy as np
import pytest
from exact import assert_binomial, assert_counts, share_of_error_caught
from support import dish

from tme.mechanisms.death import PARAMETERS, T_CELL, flag_deaths, flag_guests, flag_turnover
from tme.mechanisms.resolve import bury

N, DT, SEED = 400_000, 6.0, np.uint64(5)
NO_TERM = np.zeros(0)
UID = np.arange(N, dtype=np.uint64)


def hit(rate, dt=DT):
    """Probability of an event at this rate [1/min] within dt."""
    return -np.expm1(-rate * dt)


def deaths(oxygen, k_apo=0.0, k_nec=0.0, o2_necrosis=5.0, tick=6):
    """Fate flags (N,) of one clock interval."""
    fate = np.zeros(N, np.int8)
    p = PARAMETERS.build({"k_apo": k_apo, "k_nec": k_nec, "o2_necrosis": o2_necrosis})
    flag_deaths(0, N, UID, np.zeros(N, np.int8), fate, np.full(N, float(oxygen)), *[NO_TERM] * 4, p, DT, SEED, tick)
    return fate


def test_apoptosis_strikes_at_its_rate():
    """Power: 23,000 deaths expected, 5 % off is caught with probability above 0.99."""
    assert share_of_error_caught(N, hit(0.01)) > 0.99
    fate = deaths(40.0, k_apo=0.01)
    assert_binomial((fate == 14).sum(), N, hit(0.01))
    assert set(np.unique(fate)) == {0, 14}


@pytest.mark.parametrize(("oxygen", "share"), [(0.0, 1.0), (2.5, 1.0), (3.0, 0.8), (4.5, 0.2)])
def test_necrosis_begins_below_5_mmHg_and_is_at_its_most_at_and_below_2_5(oxygen, share):
    """Power: at 4.5 mmHg 9,500 deaths; 10 % off is caught with probability above 0.99 at every level."""
    p = hit(0.02 * share)
    assert share_of_error_caught(N, p, 0.1) > 0.99
    assert_binomial((deaths(oxygen, k_nec=0.02) == 13).sum(), N, p)
    assert (deaths(5.0, k_nec=0.02) == 0).all()


def test_two_causes_compete_and_necrosis_goes_first():
    """Both hazards at once: necrosis at its full rate, apoptosis among the others, drawn independently."""
    fate = deaths(0.0, k_apo=0.01, k_nec=0.02)
    nec, apo = hit(0.02), hit(0.01)
    assert_counts([(fate == f).sum() for f in (13, 14, 0)], [nec, (1 - nec) * apo, (1 - nec) * (1 - apo)])


def test_a_dish_dies_exponentially_and_the_books_agree():
    """2,500 cells, 20 clocks of 6 min at 0.01/min: deaths are binomial with 1 - exp(-k T).

    Power: 70 % die, standard error 1.3 %; a rate wrong by 10 % moves the mean by 2.7 % of all cells and is
    caught in about half of the cases, one wrong by 25 % nearly always (the sharp test is the one above).
    """
    model = dish(domain__size_um=[1000, 1000], mechanisms__death={"k_apo": 0.01, "k_nec": 0})
    n = model.tumour.n
    for _ in range(120):
        model.step()
    dead = model.counters["dead_apoptosis"]
    assert_binomial(dead, n, hit(0.01, 120.0))
    assert (model.tumour.state == 4).sum() + model.counters["cleared"] == dead


def test_causes_are_booked_as_what_they_are():
    fate = np.array([0, 11, 12, 13, 14, 1, 20], np.int8)
    state, when, counts = np.zeros(7, np.int8), np.zeros(7, np.int32), np.zeros(5, np.int64)
    bury(7, fate, state, when, 9, counts)
    assert state.tolist() == [0, 1, 2, 3, 4, 0, 0]
    assert when.tolist() == [0, 9, 9, 9, 9, 0, 0]
    assert fate.tolist() == [0, 0, 0, 0, 0, 1, 20]
    assert counts.tolist() == [0, 1, 1, 1, 1]


# ---- immune cells -------------------------------------------------------------------------------------
def cd8(cxcl=100.0, engaged=0, function=1.0, n_div=0, surplus=0.0, tick=10, life=NO_TERM, division=NO_TERM, **changes):
    """Fate flags (N,) of CD8 after one interval of 60 min, so that rates per day make enough hits."""
    fate = np.zeros(N, np.int8)
    p = T_CELL.build(changes)
    flag_guests(0, N, UID, np.zeros(N, np.int32), fate, np.full(N, engaged, np.int8), np.full(N, float(function)),
                np.full(N, n_div, np.int32), np.array([float(cxcl)]), surplus, p.life_d, p.off_tumour, p.c_min, p.k_expand, p.n_max,
                60.0, SEED, tick, life, division)  # fmt: skip
    return fate


@pytest.mark.parametrize(("cxcl", "faster"), [(100.0, 1.0), (0.0, 3.0)])
def test_cd8_live_their_life_and_leave_sooner_off_the_tumour(cxcl, faster):
    """Power: 16,500 or more leave; 5 % off is caught with probability above 0.9, 10 % above 0.999."""
    p = hit(faster / 1440.0, 60.0)
    assert share_of_error_caught(N, p) > 0.9
    assert_binomial((cd8(cxcl, life_d=1, off_tumour=3, c_min=4) == 30).sum(), N, p)


def test_engaged_cd8_divide_at_their_function_and_the_rest_do_not():
    leave, divide = hit(1.0 / 1440.0, 60.0), hit(0.002 * 0.5, 60.0)
    fate = cd8(engaged=1, function=0.5, life_d=1, k_expand=0.002)
    expected = [leave, (1 - leave) * divide, (1 - leave) * (1 - divide)]
    assert_counts([(fate == f).sum() for f in (30, 1, 0)], expected)
    assert not (cd8(engaged=0, k_expand=0.002) == 1).any()
    assert not (cd8(engaged=1, n_div=4, n_max=4, k_expand=0.002) == 1).any()
    assert (cd8(engaged=1, n_div=3, n_max=4, k_expand=0.002) == 1).any()


def test_the_surplus_above_the_cap_leaves():
    p = hit(1.0 / 1440.0, 60.0)
    assert_binomial((cd8(surplus=0.2, life_d=1) == 30).sum(), N, 0.2 + 0.8 * p)


def test_other_immune_cells_turn_over_at_their_rate():
    fate = np.zeros(N, np.int8)
    fate[:1000] = 1
    flag_turnover(N, UID, fate, 0.005, 10.0, SEED, 10, NO_TERM)
    assert (fate[:1000] == 1).all()
    assert_binomial((fate == 30).sum(), N - 1000, hit(0.005, 10.0))


def test_survivors_forget_their_age():
    """Lifetimes over 30 clocks are geometric: chi-square over the clock in which each cell leaves."""
    p, alive = hit(0.005, 10.0), np.ones(N, bool)
    left = []
    for turn in range(1, 31):
        fate = np.zeros(N, np.int8)
        flag_turnover(N, UID, fate, 0.005, 10.0, SEED, 10 * turn, NO_TERM)
        now = alive & (fate == 30)
        left.append(now.sum())
        alive &= ~now
    assert_counts([*left, alive.sum()], [*(p * (1 - p) ** np.arange(30)), (1 - p) ** 30])


def test_terms_are_factors_on_each_cells_own_rate():
    """Half of the cells leave three times as fast, divide four times as fast; the others as without terms."""
    fast = np.arange(N) < N // 2
    fate = cd8(life_d=1, life=np.where(fast, 3.0, 1.0))
    for some, factor in ((fast, 3.0), (~fast, 1.0)):
        assert_binomial((fate[some] == 30).sum(), N // 2, hit(factor / 1440.0, 60.0))
    assert np.array_equal(fate[~fast], cd8(life_d=1)[~fast])
    fate = cd8(engaged=1, life_d=100, k_expand=0.002, division=np.where(fast, 4.0, 1.0))
    assert (fate[fast] == 1).sum() > 2 * (fate[~fast] == 1).sum()
    fate = np.zeros(N, np.int8)
    flag_turnover(N, UID, fate, 0.005, 10.0, SEED, 10, np.where(fast, 2.0, 1.0))
    assert_binomial((fate[fast] == 30).sum(), N // 2, hit(0.01, 10.0))
    assert_binomial((fate[~fast] == 30).sum(), N // 2, hit(0.005, 10.0))
