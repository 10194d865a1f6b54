"""Division against the pure-birth process: hits per clock, waiting times, growth, who inherits what."""

import numpy as np
from exact import Z, assert_binomial, assert_counts, assert_mean, share_of_error_caught
from support import dish

from tme.mechanisms.damp import PARAMETERS as DAMP
from tme.mechanisms.division import PARAMETERS, VARIED, flag_divisions

N, DT, SEED = 400_000, 6.0, np.uint64(11)


def flagged(oxygen, hmgb1=0.0, crowding=0.0, tick=6, k_div=0.01, state=0, **damp):
    """Fate flags (N,) of one clock interval for cells at one oxygen, HMGB1 and crowding."""
    fate = np.zeros(N, np.int8)
    uid, voxel = np.arange(N, dtype=np.uint64), np.zeros(N, np.int32)
    flag_divisions(0, N, uid, np.full(N, state, np.int8), fate, voxel, np.full(N, float(oxygen)), np.full(N, float(crowding)), np.array([hmgb1]), np.zeros(0),
                   PARAMETERS.build({"k_div": k_div}), DAMP.build(damp), DT, SEED, tick)  # fmt: skip
    return fate


def test_fed_cells_divide_at_their_rate():
    """Power: 23,000 expected hits; a rate wrong by 5 % is caught with probability above 0.99."""
    p = -np.expm1(-0.01 * DT)
    assert share_of_error_caught(N, p) > 0.99
    assert_binomial(flagged(40.0).sum(), N, p)


def test_the_rate_falls_linearly_between_the_two_oxygen_levels():
    """Power as above at half rate: 11,800 hits, above 0.95 for 5 %."""
    p = PARAMETERS.build()
    half = p.o2_low + 0.5 * (p.o2_high - p.o2_low)
    assert share_of_error_caught(N, -np.expm1(-0.005 * DT)) > 0.5
    assert share_of_error_caught(N, -np.expm1(-0.005 * DT), 0.1) > 0.99
    assert_binomial(flagged(half).sum(), N, -np.expm1(-0.005 * DT))
    assert flagged(p.o2_low).sum() == 0
    assert np.array_equal(flagged(p.o2_high), flagged(p.o2_high + 50.0))


def test_hmgb1_at_half_effect_adds_half_of_its_growth():
    p = -np.expm1(-0.01 * DT * 1.5)
    assert_binomial(flagged(40.0, hmgb1=2.0, damp_growth=1.0, growth_k=2.0).sum(), N, p)


def test_the_rate_is_halved_where_crowd_half_cells_have_to_be_pushed():
    """Power: 11,800 expected hits; half the rate wrong by 10 % is caught with probability above 0.99."""
    half = PARAMETERS.build().crowd_half
    for crowding, share in ((half, 0.5), (3.0 * half, 0.25)):
        assert_binomial(flagged(40.0, crowding=crowding).sum(), N, -np.expm1(-0.01 * DT * share))


def test_corpses_and_cells_with_a_fate_do_not_divide():
    assert flagged(40.0, state=1).sum() == 0


def test_waiting_times_are_geometric():
    """Ticks until the first hit of 400,000 cells, chi-square over 40 classes: no memory, no periodicity.

    Power: every class expects 2,000 cells or more; one class off by 20 % is caught.
    """
    p = -np.expm1(-0.01 * DT)
    waiting = np.zeros(N, np.int64)
    for turn in range(1, 41):
        hit = (flagged(40.0, tick=turn * 6) == 1) & (waiting == 0)
        waiting[hit] = turn
    seen = np.bincount(waiting, minlength=41)
    expected = np.array([(1.0 - p) ** 40, *(p * (1.0 - p) ** np.arange(40))])
    assert_counts(seen, expected)


def test_a_dish_with_room_grows_like_a_yule_process():
    """Cells far apart in plenty of room, 25 clocks of 6 min at k_div 0.01/min.

    Per founder the number of descendants has mean (1+p)^m and variance (1-p)(mu^m)(mu^m - 1)/mu with
    mu = 1+p, the closed form of a branching process that doubles with probability p. About 440 founders give
    a standard error of 3 %: a rate wrong by 20 % is caught; daughters sharing luck with mothers would show
    as far too many or too few.
    """
    births = founders = 0
    m, p = 25, -np.expm1(-0.01 * DT)
    for seed in (3, 4):
        model = dish(seed=seed, domain__size_um=[1200, 1200], initial__occupancy=0.06,
                     mechanisms__division={"k_div": 0.01, "crowd_half": 1e6})  # fmt: skip
        founders += model.tumour.n
        for _ in range(6 * m):
            model.step()
        births += model.counters["births"]
        assert model.tumour.n == (model.tumour.n_div >= 0).sum()
        assert len(np.unique(model.tumour.uid)) == model.tumour.n
    mean = (1.0 + p) ** m
    variance = (1.0 - p) * mean * (mean - 1.0) / (1.0 + p)
    assert abs(births / founders - (mean - 1.0)) < Z * np.sqrt(variance / founders)


def test_daughters_keep_their_share_of_the_mothers_deviation():
    """x' = m + memory (x - m) + noise: regression of 20,000 daughters on their mothers gives `memory`, and
    their variance stays (1 - memory^2) s^2 + drift^2 about it. Power: memory wrong by 5 % is seen at 10 sigma.
    """
    model = dish(tumour__cv=0.3, domain__size_um=[300, 300], mechanisms__division={"memory": 0.6})
    t, plan = model.tumour, model.mechanism("divide")
    spread = np.log1p(0.3**2)
    n = 20_000
    mothers = np.repeat(np.arange(t.n), n // t.n + 1)[:n]
    before = np.log(t.col.xct[mothers])
    new = t.copy_from(mothers)
    uid = np.arange(1_000_000, 1_000_000 + n, dtype=np.uint64)
    t.col.uid[new] = uid
    plan.mutate(model, new, uid)
    centre = model.clone_log_mean[VARIED.index("xct"), t.col.clone[new]]
    rest = np.log(t.col.xct[new]) - centre - 0.6 * (before - centre)
    drift = plan.p.drift
    assert_mean(rest, 0.0)
    assert_mean(rest**2, (1.0 - 0.6**2) * spread + drift**2)
    assert_mean(rest * (before - centre), 0.0)
