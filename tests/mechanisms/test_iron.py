"""Iron: into the labile pool by transferrin, salts and particles, into ferritin and back, and out."""

import numpy as np
import pytest
from support import CELLS, UNBREAKABLE, alive, bath, by_level, died, dish, falls, hours, levels, mean, rises

SALT = "ferric_ammonium_citrate"


@pytest.mark.mechanism("M26")
def test_transferrin_receptor_fills_the_labile_pool_and_sensitises():
    model = dish("r", arms__r=bath("rsl3", 0.05))
    levels(model, "tfr1", [0.5, 1.0, 2.0, 4.0])
    hours(model, 3)
    assert rises(by_level(model, "lip"), 1.2)
    assert rises(by_level(model, "plooh"), 1.05)


@pytest.mark.mechanism("M26")
def test_without_transferrin_iron_the_receptor_does_not_matter():
    model = dish(mechanisms__ferroptosis__j_tf=0)
    levels(model, "tfr1", [0.5, 1.0, 2.0, 4.0])
    hours(model, 3)
    assert np.ptp(by_level(model, "lip")) == 0.0


@pytest.mark.mechanism("M27")
def test_ferritin_takes_up_a_load_of_iron():
    """A pool of 20 uM, spread over an hour, with three rates of storage from empty ferritin."""
    models = []
    for k in (0, 0.03, 0.1):
        model = dish(mechanisms__ferroptosis={**UNBREAKABLE, "k_sto": k})
        model.tumour.col.lip[: model.tumour.n] = 20.0
        model.tumour.col.ferritin[: model.tumour.n] = 0.0
        models.append(hours(model, 0.25))
    assert falls([mean(m, "lip") for m in models], 1.1)
    assert rises([mean(m, "ferritin") for m in models])


@pytest.mark.mechanism("M27")
def test_full_ferritin_takes_no_more():
    model = dish(mechanisms__ferroptosis={**UNBREAKABLE, "b_max": 500})
    levels(model, "ferritin", [0.0, 250.0, 500.0])
    model.tumour.col.lip[: model.tumour.n] = 20.0
    hours(model, 0.25)
    assert rises(by_level(model, "lip"), 1.1)


@pytest.mark.mechanism("M28")
def test_ferritinophagy_sets_stored_iron_free():
    models = []
    for x in (0.1, 1.0, 10.0):
        model = dish(mechanisms__ferroptosis={**UNBREAKABLE, "ncoa4": x})
        model.tumour.col.ferritin[: model.tumour.n] = 400.0
        models.append(hours(model, 2))
    assert rises([mean(m, "lip") for m in models], 1.05)
    assert falls([mean(m, "ferritin") for m in models], 1.01)


@pytest.mark.mechanism("M29")
def test_ferroportin_exports_iron_and_its_loss_keeps_it_in():
    models = [
        hours(dish("r", arms__r=bath("rsl3", 0.05), mechanisms__ferroptosis__fpn=x), 3) for x in (0.3, 1, 3)
    ]
    assert falls([mean(m, "lip") for m in models], 1.2)
    assert falls([mean(m, "plooh") for m in models], 1.05)


@pytest.mark.mechanism("M36")
def test_a_chelator_empties_the_labile_pool_and_rescues():
    models = [hours(dish("r", arms__r=bath("rsl3", 1.0, "deferoxamine", c)), 5) for c in (0, 10, 100)]
    assert falls([m.tumour.lip.mean() for m in models], 1.1)
    assert died(models[0]) == CELLS and died(models[-1]) == 0


@pytest.mark.mechanism("M38")
def test_iron_salt_fills_the_labile_pool_with_its_dose():
    models = [
        dish("f", arms__f=bath(SALT, c), mechanisms__ferroptosis=UNBREAKABLE) for c in (0, 500, 2000, 6000)
    ]
    assert rises([mean(hours(m, 2), "lip") for m in models], 1.1)


@pytest.mark.mechanism("M38")
def test_iron_salt_kills_above_a_threshold_of_millimoles():
    low, high = (hours(dish("f", arms__f=bath(SALT, c)), 30) for c in (1000, 20000))
    assert alive(low) == CELLS
    assert died(high) == CELLS


@pytest.mark.mechanism("M38")
def test_iron_salt_needs_no_particle_in_the_arm():
    """An iron salt acts the same whether or not the arm also has (undosed until later) particles."""
    later = {"nanoparticles": [{"name": "iron_oxide", "dose_mg_kg": 1, "day": 3}]}
    alone = hours(dish("f", arms__f=bath(SALT, 3000)), 2)
    beside = hours(dish("f", arms__f={**bath(SALT, 3000), **later}), 2)
    assert mean(alone, "lip") == pytest.approx(mean(beside, "lip"), rel=0.02)


@pytest.mark.mechanism("M14")
def test_fenton_initiation_rises_with_iron_and_with_its_rate():
    """Without branching, peroxide is what initiation makes."""
    still = {"k_br": 0, "v_gpx": 0}
    model = dish(mechanisms__ferroptosis=still)
    levels(model, "lip", [0.0, 1.0, 4.0, 16.0])
    hours(model, 0.1)
    assert rises(by_level(model, "plooh"), 1.001)
    rates = [
        mean(hours(dish(mechanisms__ferroptosis={**still, "k_if": k}), 1), "plooh")
        for k in (0, 0.0015, 0.015)
    ]
    assert rises(rates, 1.2)


@pytest.mark.mechanism("M14")
def test_without_hydrogen_peroxide_iron_initiates_nothing():
    model = dish(mechanisms__ferroptosis={"h0": 0, "k_br": 0, "v_gpx": 0})
    levels(model, "lip", [0.0, 1.0, 4.0, 16.0])
    model.tumour.col.plooh[: model.tumour.n] = 0.0
    hours(model, 0.1)
    assert np.ptp(by_level(model, "plooh")) == 0.0
