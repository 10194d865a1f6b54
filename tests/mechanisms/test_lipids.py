"""Lipids: what can be oxidised, how oxidation starts, feeds itself and ruptures the membrane."""

import numpy as np
import pytest
from support import CELLS, UNBREAKABLE, alive, bath, by_level, died, dish, falls, hours, levels, mean, rises


@pytest.mark.mechanism("M39")
def test_acsl4_builds_the_lipid_that_ferroptosis_needs():
    model = dish("r", arms__r=bath("rsl3", 0.05))
    levels(model, "acsl4", [0.3, 0.6, 1.0, 1.5])
    hours(model, 8)
    assert rises(by_level(model, "pufa"), 1.2)
    assert rises(by_level(model, "plooh"), 1.1)


@pytest.mark.mechanism("M39")
def test_cells_without_acsl4_survive_rsl3_and_erastin():
    for drug, dose, time in (("rsl3", 1.0, 8), ("erastin", 10, 30)):
        low, normal = (
            hours(dish("d", arms__d=bath(drug, dose), tumour__traits__acsl4=x), time) for x in (0.2, 1)
        )
        assert died(low) == 0 and died(normal) == CELLS, drug


@pytest.mark.mechanism("M40")
def test_arachidonic_acid_outside_raises_oxidisable_lipid():
    models = []
    for dose in (0, 5, 20, 100):
        model = dish()
        model.fields["arachidonic"].concentration[:] = dose
        models.append(hours(model, 6))
    assert rises([mean(m, "pufa") for m in models], 1.1)
    assert rises([mean(m, "plooh") for m in models], 1.1)


@pytest.mark.mechanism("M40")
def test_arachidonic_acid_does_nothing_when_it_is_not_built_in():
    model = dish(mechanisms__ferroptosis__f_aa=0)
    model.fields["arachidonic"].concentration[:] = 100.0
    hours(model, 3)
    assert np.array_equal(model.tumour.pufa, hours(dish(mechanisms__ferroptosis__f_aa=0), 3).tumour.pufa)


@pytest.mark.mechanism("M40")
def test_monounsaturated_lipid_displaces_what_can_be_oxidised():
    model = dish("r", arms__r=bath("rsl3", 0.05))
    levels(model, "mufa", [0.0, 0.5, 1.5])
    hours(model, 8)
    assert falls(by_level(model, "pufa"), 1.2)
    assert falls(by_level(model, "plooh"), 1.1)


@pytest.mark.mechanism("M41")
def test_lipoxygenases_start_peroxidation():
    """Without Fenton chemistry and branching, peroxide is in proportion to lipoxygenase."""
    plooh = [
        mean(hours(dish(mechanisms__ferroptosis={"k_i0": k, "k_if": 0, "k_br": 0}), 1), "plooh")
        for k in (0, 1e-4, 5e-4, 5e-3)
    ]
    assert plooh[0] == pytest.approx(0.0, abs=1e-9)
    assert rises(plooh, 2)


@pytest.mark.mechanism("M42")
def test_peroxide_and_iron_make_more_peroxide():
    """From the same start, with GPX4 off: stronger branching, more peroxide; iron-free cells stay low."""
    plooh = []
    for k in (0, 0.004, 0.012):
        model = dish(mechanisms__ferroptosis=dict(UNBREAKABLE, k_br=k, v_gpx=0))
        model.tumour.col.plooh[: model.tumour.n] = 1.0
        model.tumour.col.pufa[: model.tumour.n] = 2000.0
        plooh.append(mean(hours(model, 0.1), "plooh"))
    assert rises(plooh, 1.05)
    model = dish(mechanisms__ferroptosis=dict(UNBREAKABLE, v_gpx=0))
    model.tumour.col.plooh[: model.tumour.n] = 1.0
    model.tumour.col.pufa[: model.tumour.n] = 2000.0
    levels(model, "lip", [0.0, 1.0, 4.0])
    hours(model, 0.1)
    assert rises(by_level(model, "plooh"), 1.02)


@pytest.mark.mechanism("M42")
def test_rsl3_cannot_kill_without_branching():
    models = [
        hours(dish("r", arms__r=bath("rsl3", 1.0), mechanisms__ferroptosis__k_br=k), 6) for k in (0, 0.012)
    ]
    assert died(models[0]) == 0 and died(models[1]) == CELLS


@pytest.mark.mechanism("M47")
def test_a_cell_ruptures_when_damage_reaches_one_and_not_before():
    model = dish("r", arms__r=bath("rsl3", 1.0))
    for _ in range(480):
        model.step()
        t = model.tumour
        assert np.all(t.damage[t.state == 0] < 1.0)
        if alive(model) == 0:
            break
    assert died(model) == CELLS and np.all(t.state == 1)


@pytest.mark.mechanism("M47")
def test_tougher_membranes_rupture_later_or_never():
    dead = [
        died(hours(dish("r", arms__r=bath("rsl3", 1.0), mechanisms__ferroptosis__d_leth=d), 5))
        for d in (60, 5000)
    ]
    assert dead == [CELLS, 0]
