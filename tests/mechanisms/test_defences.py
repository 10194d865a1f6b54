"""Defences beside GPX4: FSP1 with CoQ10, repair of the membrane, NRF2; and p53, which takes one away."""

import numpy as np
import pytest
from support import (
    CELLS,
    UNBREAKABLE,
    alive,
    alive_by_level,
    bath,
    by_level,
    died,
    dish,
    falls,
    hours,
    levels,
    mean,
    rises,
)


@pytest.mark.mechanism("M17")
def test_fsp1_keeps_coq10_reduced_and_peroxide_low():
    model = dish("r", arms__r=bath("rsl3", 0.05))
    levels(model, "fsp1", [0.3, 1.0, 3.0, 8.0])
    hours(model, 6)
    assert rises(by_level(model, "coq10h2"), 1.1)
    assert falls(by_level(model, "plooh"), 1.1)


@pytest.mark.mechanism("M17")
def test_fsp1_protects_from_rsl3_only_through_trapping():
    arms = bath("rsl3", 0.3)
    guarded = dish("r", arms__r=arms, tumour__traits__fsp1=8)
    assert alive(hours(guarded, 12)) == CELLS
    for change in ({"kap_q": 0}, {"q_total": 0}):
        cut = dish("r", arms__r=arms, tumour__traits__fsp1=8, mechanisms__ferroptosis=change)
        assert alive(hours(cut, 12)) == 0


@pytest.mark.mechanism("M17")
def test_an_fsp1_inhibitor_takes_the_second_defence_away():
    models = [
        hours(dish("r", arms__r=bath("rsl3", 0.3, "ifsp1", c), tumour__traits__fsp1=8), 12)
        for c in (0, 1, 20)
    ]
    assert falls([m.tumour.coq10h2.mean() for m in models], 1.1)
    assert died(models[0]) == 0 and died(models[-1]) == CELLS
    harmless = hours(dish("i", arms__i=bath("ifsp1", 10)), 12)
    assert died(harmless) == 0


@pytest.mark.mechanism("M24")
def test_repair_of_the_membrane_lowers_damage():
    damage = [
        mean(hours(dish("r", arms__r=bath("rsl3", 0.02), mechanisms__ferroptosis__k_rep=k), 8), "damage")
        for k in (1e-4, 4e-3, 4e-2)
    ]
    assert falls(damage, 1.5)


@pytest.mark.mechanism("M25")
def test_ferrostatin_rescues_from_rsl3_with_its_dose():
    models = [dish("r", arms__r=bath("rsl3", 1.0, "ferrostatin_1", c)) for c in (0, 0.02, 0.1, 1.0)]
    assert falls([mean(hours(m, 1), "plooh") for m in models], 1.1)
    assert [died(hours(m, 4)) for m in (models[0], models[-1])] == [CELLS, 0]


@pytest.mark.mechanism("M48")
def test_nrf2_raises_the_defences_and_lowers_iron():
    model = dish()
    levels(model, "nrf2", [0.5, 1.0, 2.0, 4.0])
    hours(model, 24)
    for name in ("cysteine", "gsh", "gpx4", "coq10h2"):
        assert rises(by_level(model, name), 1.05), name
    assert falls(by_level(model, "lip"), 1.02)


@pytest.mark.mechanism("M48")
def test_nrf2_high_cells_survive_rsl3_longer():
    model = dish(arm="r", arms__r=bath("rsl3", 0.1))
    levels(model, "nrf2", [0.5, 1.0, 2.0, 4.0])
    while alive(model) > CELLS // 2 and model.sim_hour < 48:
        hours(model, 0.25)
    left = alive_by_level(model)
    assert left[0] == 0 and left[-1] == CELLS // 4
    assert np.all(np.diff(left) >= 0)


@pytest.mark.mechanism("M50")
def test_p53_starves_cells_of_cystine_and_sensitises_to_erastin():
    models = [
        hours(dish("e", arms__e=bath("erastin", 0.3), mechanisms__ferroptosis__p53=x), 8) for x in (0, 0.5, 1)
    ]
    assert falls([mean(m, "gsh") for m in models], 1.05)
    assert rises([mean(m, "plooh") for m in models], 1.05)


@pytest.mark.mechanism("M50")
def test_without_system_xc_p53_changes_nothing():
    models = [dish(mechanisms__ferroptosis={**UNBREAKABLE, "p53": x, "v_x": 0}) for x in (0, 1)]
    assert mean(hours(models[0], 2), "gsh") == mean(hours(models[1], 2), "gsh")
