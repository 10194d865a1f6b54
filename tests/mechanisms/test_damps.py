"""Corpses speak: ATP, HMGB1 and antigen out; what suppresses and feeds the tumour comes with them."""

import numpy as np
import pytest
from support import CELLS, dish, falls, flood, hours, kill, level, rises, tissue

KEPT = {"tau_clear_min": 4320}


def corpses(share=0.25, cause=1, age_min=0, **damp):
    """A dish in which a share of the cells has just died of one cause."""
    model = dish(mechanisms__damp={**KEPT, **damp})
    return kill(model, np.arange(round(share * CELLS)) * 4 % CELLS, cause, age_min)


@pytest.mark.mechanism("M70")
def test_corpses_release_atp_and_hmgb1_in_proportion_to_their_number():
    models = [hours(corpses(s), 1) for s in (0, 0.05, 0.2)]
    for field in ("atp", "hmgb1"):
        assert rises([level(m, field) for m in models], 2), field
        assert level(models[0], field) == 0.0


@pytest.mark.mechanism("M70")
def test_ferroptosis_releases_more_than_necrosis_and_that_more_than_apoptosis():
    models = [hours(corpses(0.2, cause), 1) for cause in (1, 3, 4)]
    assert falls([level(m, "atp") for m in models], 1.5)
    assert falls([level(m, "hmgb1") for m in models], 1.5)


@pytest.mark.mechanism("M70")
def test_each_signal_can_be_cut():
    no_atp, no_hmgb1 = hours(corpses(atp_rate=0), 1), hours(corpses(hmgb1_rate=0), 1)
    assert level(no_atp, "atp") == 0.0 and level(no_atp, "hmgb1") > 0.0
    assert level(no_hmgb1, "hmgb1") == 0.0 and level(no_hmgb1, "atp") > 0.0


@pytest.mark.mechanism("M71")
def test_what_a_corpse_releases_fades_with_its_age():
    models = [hours(corpses(age_min=age), 1) for age in (60, 720, 2880)]
    assert falls([level(m, "atp") for m in models], 2)


@pytest.mark.mechanism("M77")
def test_hmgb1_draws_tregs_and_macrophages():
    models = [hours(flood(rich_in_vessels(), "hmgb1", h), 8) for h in (0, 0.5, 50)]
    for kind in ("treg", "macrophage"):
        assert rises([m.counters[f"recruited_{kind}"] for m in models]), kind


@pytest.mark.mechanism("M77")
def test_only_tissue_with_corpses_that_speak_draws_more_tregs():
    def recruited(rate):
        model = rich_in_vessels(mechanisms__damp={**KEPT, "hmgb1_rate": rate})
        return hours(kill(model, slice(0, 120)), 10).counters["recruited_treg"]

    assert falls([recruited(10), recruited(0)], 1.2)


@pytest.mark.mechanism("M77")
def test_hmgb1_feeds_the_growth_of_the_tumour():
    def births(hmgb1, gain):
        model = tissue(
            mechanisms__division__k_div=0.0008, mechanisms__damp__damp_growth=gain, populations=None
        )
        return hours(flood(model, "hmgb1", hmgb1), 5).counters["births"]

    assert rises([births(0, 2), births(0.2, 2), births(50, 2)], 1.1)
    assert births(0, 0) == births(50, 0)


def rich_in_vessels(**changes):
    """A tumour into which immune cells come in fast."""
    fast = {"k_cd8": 10, "k_treg": 100, "k_mac": 40, "k_dc": 30}
    crowded = {
        "domain__immune_per_voxel": 8,
        "mechanisms__recruitment": fast,
        "mechanisms__vessels__per_mm2": 400,
    }
    return tissue(**{**crowded, **changes})
