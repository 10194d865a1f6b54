"""From DAMP to CD8: dendritic cells eat, mature, travel and prime; CTLA-4 stands in between."""

import numpy as np
import pytest
from support import CELLS, dish, falls, flood, hours, kill, rises, tissue

KEPT = {"tau_clear_min": 4320}
QUICK = {"residence_min": 10, "travel_min": 10, "expansion_min": 20}


def with_dendritic(damp=KEPT, **priming):
    """A dish with 43 dendritic cells among 144 tumour cells."""
    return dish(populations__dendritic={"share": 0.3}, mechanisms__priming={"k_mature": 0.01, **priming},
                mechanisms__damp=damp)  # fmt: skip


def matured(model):
    """Dendritic cells that have matured so far."""
    return model.counters["dc_matured"]


@pytest.mark.mechanism("M70")
def test_damps_mature_dendritic_cells():
    models = [hours(flood(flood(with_dendritic(), "atp", c), "hmgb1", c), 2) for c in (0, 0.05, 5)]
    assert matured(models[0]) == 0
    assert rises([matured(m) for m in models])


@pytest.mark.mechanism("M70")
def test_fresh_corpses_give_dendritic_cells_antigen():
    def antigen(share, k_eat):
        model = with_dendritic(k_eat=k_eat, k_mature=0)
        return hours(kill(model, slice(0, round(share * CELLS))), 2).dendritic.antigen.mean()

    assert rises([antigen(0, 0.01), antigen(0.2, 0.01), antigen(0.6, 0.01)], 1.1) or antigen(0, 0.01) == 0.0
    assert rises([antigen(0.2, 0.01), antigen(0.6, 0.01)], 1.1)
    assert antigen(0.6, 0) == 0.0


@pytest.mark.mechanism("M71")
def test_early_ferroptotic_cells_mature_dendritic_cells_and_late_ones_do_not():
    early, late = (hours(kill(with_dendritic(), slice(0, 72), 1, age), 3) for age in (30, 2800))
    assert matured(early) > 10
    assert matured(late) <= 2


@pytest.mark.mechanism("M72")
def test_oxidised_lipid_of_old_corpses_holds_maturation_back():
    """The same DAMPs everywhere, and old ferroptotic corpses that dendritic cells meet or do not heed."""
    models = [hours(old_corpses(k_ox=k), 3) for k in (0, 0.01, 1)]
    assert falls([matured(m) for m in models])
    assert models[0].dendritic.blunting.max() == 0.0
    assert matured(models[0]) == matured(hours(old_corpses(cause=3, k_ox=1), 3))


def old_corpses(cause=1, **priming):
    """Dendritic cells under DAMPs, among corpses a day old."""
    model = kill(with_dendritic(**priming), slice(0, 100), cause, 1440)
    return flood(flood(model, "atp", 0.1), "hmgb1", 0.5)


@pytest.mark.mechanism("M72")
def test_blunted_dendritic_cells_prime_less():
    outputs = []
    for blunting in (0, 1, 10):
        model = tissue(mechanisms__priming={**QUICK, "gain": 1})
        d = model.dendritic
        d.col.mature[: d.n], d.col.mature_tick[: d.n], d.col.blunting[: d.n] = 1, 0, blunting
        outputs.append(hours(model, 1.5).node.output)
    assert falls(outputs, 1.2)


def primed(n_mature=20, arm="control", **changes):
    """A tumour whose first `n_mature` dendritic cells are mature at the start; nodes work within the hour."""
    settings = {
        "mechanisms__priming": {**QUICK, "gain": 0.5, "k_mature": 0},
        "mechanisms__recruitment__k_cd8": 15,
        "domain__immune_per_voxel": 8,
    }
    for key, value in changes.items():
        settings[key] = {**settings[key], **value} if isinstance(settings.get(key), dict) else value
    model = tissue(arm, **settings)
    model.dendritic.col.mature[:n_mature] = 1
    model.dendritic.col.mature_tick[:n_mature] = 0
    return hours(flood(model, "cxcl", 10.0), 6)


@pytest.mark.mechanism("M73")
def test_mature_dendritic_cells_bring_primed_cd8_into_the_tumour():
    models = [primed(n) for n in (0, 5, 25)]
    assert rises([m.node.output for m in models], 1.2)
    assert rises([m.counters["recruited_cd8"] for m in models], 1.1)
    assert models[0].node.output == 1.0


@pytest.mark.mechanism("M73")
def test_priming_without_gain_is_as_if_no_dendritic_cell_had_come():
    assert primed(25, mechanisms__priming={"gain": 0}).node.output == 1.0


@pytest.mark.mechanism("M73")
def test_primed_cd8_arrive_only_after_travel_and_expansion():
    slow = primed(25, mechanisms__priming={"expansion_min": 1440})
    assert slow.node.output == 1.0 < primed(25).node.output


@pytest.mark.mechanism("M73")
def test_the_chemokine_of_the_tumour_lets_cd8_in():
    def recruited(cxcl):
        model = tissue(mechanisms__recruitment={"k_cd8": 15, "k_c": 4}, domain__immune_per_voxel=8)
        return hours(flood(model, "cxcl", cxcl), 4).counters["recruited_cd8"]

    assert rises([recruited(0), recruited(5), recruited(500)], 1.2)


CTLA4 = {"antibodies": [{"name": "anti_ctla4", "dose_mg_kg": 10, "day": 0}]}


@pytest.mark.mechanism("M79")
def test_ctla4_blockade_primes_more():
    outputs = [primed(25).node.output]
    outputs += [primed(25, "a", arms__a=CTLA4, receptors__ctla4={"effects": {"priming": {"without": x}}}).node.output for x in (1, 2, 6)]
    assert outputs[0] == pytest.approx(outputs[1], rel=1e-12)
    assert rises(outputs[1:], 1.2)


@pytest.mark.mechanism("M79")
def test_ctla4_blockade_counts_when_a_dendritic_cell_primes_not_when_its_cd8_come():
    """All dendritic cells arrive within the first hour, their CD8 five hours later."""
    slow = {"mechanisms__priming": {"expansion_min": 300}}
    given = {day: {"antibodies": [{"name": "anti_ctla4", "dose_mg_kg": 10, "day": day}]} for day in (0, 0.1)}
    none, early, late = (primed(25, "a", arms__a=arm, **slow).node.output for arm in ({}, given[0], given[0.1]))
    assert 1.0 < none == pytest.approx(late, rel=1e-12)
    assert early > 1.2 * none


@pytest.mark.mechanism("M79")
def test_ctla4_antibody_depletes_tregs_and_keeps_them_out():
    def tregs(arm, days):
        settings = {
            "populations__treg": {"per_mm2": 300},
            "mechanisms__cd8_turnover__ctla4_kill_d": days,
            "mechanisms__recruitment__k_treg": 60,
        }
        return hours(tissue(arm, arms__a=CTLA4, **settings), 10)

    control, slow, fast = tregs("control", 0.2), tregs("a", 100), tregs("a", 0.2)
    assert falls([control.treg.n, fast.treg.n], 1.3)
    assert slow.treg.n > fast.treg.n
    assert slow.counters["recruited_treg"] < control.counters["recruited_treg"]


@pytest.mark.mechanism("M79")
def test_without_dendritic_cells_ctla4_blockade_primes_nothing():
    assert primed(0, "a", arms__a=CTLA4).node.output == 1.0
    assert np.isclose(primed(0).node.output, 1.0)
