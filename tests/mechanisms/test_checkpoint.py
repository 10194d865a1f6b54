"""CD8 at work: PD-1 and its antibodies, recognition, exhaustion, and the loop with ferroptosis."""

import numpy as np
import pytest
from support import falls, hours, level, rises, tissue

from tme.kernels.cells.contacts import find_target, judge

NO_PD1 = {"receptors__pd1": False}


def antibody(name, dose=10):
    """An arm of one antibody."""
    return {"antibodies": [{"name": name, "dose_mg_kg": dose, "day": 0}]}


def attacked(arm="control", time=5, pdl1=1.0, **changes):
    """A tumour under attack whose cells all carry the same PD-L1 and keep it."""
    settings = {"mechanisms__exhaustion__tau_d": 30, "mechanisms__ifng_response__pdl1_tau": 4320}
    model = tissue(arm, **{**settings, **changes})
    t = model.tumour
    t.col.pdl1[: t.n] = t.col.pdl1_free[: t.n] = pdl1
    return hours(model, time)


def function(model):
    """Mean effector function of engaged CD8."""
    c = model.cd8
    return float(c.function[c.engaged == 1].mean())


@pytest.mark.mechanism("M80")
def test_pdl1_suppresses_killing_and_ifng():
    models = [attacked(pdl1=x) for x in (0.0, 0.3, 1.0)]
    assert falls([function(m) for m in models], 1.1)
    assert falls([m.counters["kills"] for m in models])
    assert falls([level(m, "ifng") for m in models], 1.05)


@pytest.mark.mechanism("M80")
def test_without_pd1_signalling_pdl1_does_not_matter():
    low, high = (attacked(pdl1=x, **NO_PD1) for x in (0.0, 1.0))
    assert low.counters["kills"] == high.counters["kills"]
    assert np.array_equal(low.cd8.function, high.cd8.function)


@pytest.mark.mechanism("M80")
def test_anti_pdl1_uncovers_function_with_its_dose():
    arms = {f"d{x}": antibody("anti_pdl1", x) for x in (0.1, 1, 20)}
    models = [attacked(arms=arms), *(attacked(name, arms=arms) for name in arms)]
    assert falls([mean_free(m) for m in models], 1.2)
    assert rises([function(m) for m in models], 1.02)
    assert models[-1].counters["kills"] > models[0].counters["kills"]


def mean_free(model):
    """PD-L1 of living cells not covered by antibody."""
    t = model.tumour
    return float(t.pdl1_free[t.state == 0].mean())


@pytest.mark.mechanism("M80")
def test_anti_pd1_blocks_pdl2_too_and_anti_pdl1_leaves_it():
    arms = {"pdl1": antibody("anti_pdl1"), "pd1": antibody("anti_pd1")}
    for amount, equal in ((0.3, False), (0.0, True)):
        pdl2 = {"ligands": {"pdl2": {"background": amount}}}
        a, b = (function(attacked(x, arms=arms, receptors__pd1=pdl2)) for x in ("pdl1", "pd1"))
        assert b == pytest.approx(a, rel=0.03) if equal else b > 1.2 * a


@pytest.mark.mechanism("M80")
def test_with_pd1_signalling_cut_the_antibody_changes_no_kill():
    arms = {"a": antibody("anti_pdl1")}
    plain, treated = (attacked(x, arms=arms, **NO_PD1) for x in ("control", "a"))
    assert plain.counters["kills"] == treated.counters["kills"]
    assert np.array_equal(plain.tumour.state, treated.tumour.state)


@pytest.mark.mechanism("M84")
def test_cd8_engage_and_kill_antigenic_tumours_more():
    models = [attacked(tumour__antigenicity_mean=x, pdl1=0) for x in (0.0, 0.05, 0.3, 2.0)]
    assert rises([int((m.cd8.engaged == 1).sum()) for m in models], 1.2)
    assert rises([m.counters["kills"] for m in models[1:]])
    assert models[0].counters["kills"] == 0


@pytest.mark.mechanism("M84")
def test_mhc1_makes_cells_visible():
    """Kills rise with MHC-I where nothing is seen without it, and do not where all is."""

    def kills(mhc1, floor):
        killing = {"mhc_floor": floor, "k_attach": 0.02}
        model = tissue(mechanisms__killing=killing, mechanisms__ifng_response__mhc1_base=mhc1)
        return hours(model, 6).counters["kills"]

    assert rises([kills(0, 0), kills(0.2, 0), kills(1, 0)])
    assert kills(0, 1) == kills(1, 1)


@pytest.mark.mechanism("M82")
def test_contact_with_antigen_exhausts_cd8():
    models = [hours(tissue(mechanisms__exhaustion__tau_d=x), 8) for x in (30, 2, 0.5)]
    assert rises([m.cd8.exhaustion.mean() for m in models], 1.5)
    assert falls([function(m) for m in models], 1.01)
    unseen = hours(tissue(mechanisms__exhaustion__tau_d=0.5, tumour__antigenicity_mean=0), 8)
    assert unseen.cd8.exhaustion.max() == 0.0


@pytest.mark.mechanism("M82")
def test_half_of_exhaustion_passes_through_pd1():
    def exhaustion(pdl1, weight):
        effects = {"killing": {"to": 1}, "exhaustion": {"without": 1 - weight}}
        settings = {"mechanisms__exhaustion": {"tau_d": 1}, "receptors__pd1": {"effects": effects}}
        return attacked(pdl1=pdl1, **settings).cd8.exhaustion.mean()

    assert rises([exhaustion(0, 1), exhaustion(0.2, 1), exhaustion(1, 1)], 1.1)
    assert exhaustion(0, 0) == pytest.approx(exhaustion(1, 0), rel=1e-9)


@pytest.mark.parametrize(("attackers", "dies"), [(2, False), (3, True), (4, True)])
def test_as_many_hits_as_it_takes_in_one_minute_kill(attackers, dies):
    """Three hits kill; the third of one minute counts in full, and each attacker is credited."""
    fate, hits, hit_tick, new_hits = np.zeros(5, np.int8), np.zeros(5), np.zeros(5, np.int32), np.zeros(5, np.int32)
    held, hit, kills = np.full(attackers, 2), np.ones(attackers, np.int8), np.zeros(attackers, np.int32)
    holders = np.arange(attackers)
    n_kills = judge(attackers, holders, held, hit, kills, fate, hits, hit_tick, new_hits, 3.0, 50.0, 60.0, 1.0, 7)
    assert n_kills == dies and (fate == 12).tolist() == [False, False, dies, False, False]
    assert (kills == dies).all() and hits[2] == attackers and not new_hits.any()


@pytest.mark.mechanism("M80")
@pytest.mark.parametrize(("gaps", "dies"), [((25, 25), True), ((45, 45), True), ((49,), False), ((20, 200), False), ((300, 20), False)])
def test_a_third_hit_within_the_window_of_the_one_before_kills_and_a_late_one_does_not(gaps, dies):
    """One hit at a time on one cell; the gaps in minutes between them."""
    fate, hits, hit_tick, new_hits = np.zeros(1, np.int8), np.zeros(1), np.zeros(1, np.int32), np.zeros(1, np.int32)
    one, row, tick = np.ones(1, np.int8), np.zeros(1, np.int64), 1
    for gap in (0, *gaps):
        tick += gap
        judge(1, row, row, one, np.zeros(1, np.int32), fate, hits, hit_tick, new_hits, 3.0, 50.0, 60.0, 1.0, tick)
    assert (fate[0] == 12) == dies


def test_bystanders_never_attach_and_specific_cd8_do():
    model = hours(tissue(mechanisms__killing__specific=0.5), 4)
    c = model.cd8
    assert 0.3 < c.specific.mean() < 0.7
    assert (c.engaged[c.specific == 1] == 1).any() and not (c.engaged[c.specific == 0] == 1).any()
    assert not c.kills[c.specific == 0].any() and not c.stimulus[c.specific == 0].any()
    assert hours(tissue(mechanisms__killing__specific=0), 4).counters["kills"] == 0 < model.counters["kills"]


def test_a_cd8_keeps_the_first_cell_of_the_table_that_has_moved_beside_it():
    """The cell held is found again by its uid, where it was and around the CD8, whatever its row; dead or gone it is not."""
    geometry, uid = (1, 4, 4, 0, 0, 0), np.array([77, 88], np.uint64)
    for place in (0, 5, 6, 9):  # under the CD8 at 5, or beside it
        tissue_row = np.full(16, -1, np.int32)
        tissue_row[[place, 15]] = 0, 1
        for state, found in ((0, 0), (1, -1)):
            assert find_target(3, np.uint64(77), 5, tissue_row, uid, np.array([state, 0], np.int8), geometry) == found
        assert find_target(3, np.uint64(99), 5, tissue_row, uid, np.zeros(2, np.int8), geometry) == -1
        assert find_target(15, np.uint64(88), 5, tissue_row, uid, np.zeros(2, np.int8), geometry) == 1
