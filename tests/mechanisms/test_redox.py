"""Cystine, GSH and GPX4 in a dish: each arrow of the redox core has its sign and can be cut."""

import numpy as np
import pytest
from support import CELLS, UNBREAKABLE, alive, bath, by_level, died, dish, falls, hours, levels, mean, rises

PEROXIDISED = 100.0


def with_plooh(model, value=PEROXIDISED):
    """The dish with the same PLOOH in every cell."""
    model.tumour.col.plooh[: model.tumour.n] = value
    return model


@pytest.mark.mechanism("M01")
def test_more_system_xc_means_more_cysteine_and_gsh():
    model = dish()
    levels(model, "xct", [0.2, 0.6, 1.0, 2.0])
    hours(model, 4)
    assert rises(by_level(model, "cysteine"), 1.1)
    assert rises(by_level(model, "gsh"), 1.05)


@pytest.mark.mechanism("M01")
def test_without_transport_the_amount_of_system_xc_does_not_matter():
    model = dish(mechanisms__ferroptosis__v_x=0)
    levels(model, "xct", [0.2, 0.6, 1.0, 2.0])
    hours(model, 4)
    assert np.ptp(by_level(model, "cysteine")) < 1e-6


@pytest.mark.mechanism("M01")
def test_erastin_lowers_gsh_with_its_dose():
    gsh = [mean(hours(dish("e", arms__e=bath("erastin", c)), 5), "gsh") for c in (0.05, 0.2, 1.0)]
    assert falls([mean(hours(dish(), 5), "gsh"), *gsh], 1.05)


@pytest.mark.mechanism("M02")
def test_cells_without_cystine_outside_run_out_of_gsh():
    gsh = [mean(hours(dish(fields__cystine__initial=c), 1), "gsh") for c in (2, 10, 40, 200)]
    assert rises(gsh, 1.1)


@pytest.mark.mechanism("M02")
def test_cells_deplete_the_cystine_around_them():
    """The same medium fed by the same vessels, with and without transport into the cells."""
    fed = {"fields__cystine": {"held": False, "initial": 40}, "mechanisms__vessels": {"per_mm2": 150}}
    eaten = hours(dish(**fed), 1).fields["cystine"].concentration.mean()
    left = hours(dish(mechanisms__ferroptosis__v_x=0, **fed), 1).fields["cystine"].concentration.mean()
    assert eaten < 0.9 * left


@pytest.mark.mechanism("M02")
def test_cysteinase_takes_cystine_and_then_gsh():
    fed = {"fields__cystine": {"held": False, "initial": 40}, "mechanisms__vessels": {"per_mm2": 150}}
    models = [hours(dish("e", arms__e=bath("cysteinase", c), **fed), 6) for c in (0, 0.3, 3.0)]
    assert falls([m.fields["cystine"].concentration.mean() for m in models], 1.1)
    assert falls([mean(m, "gsh") for m in models], 1.1)


@pytest.mark.mechanism("M03")
def test_bso_stops_gsh_and_leaves_cysteine_unspent():
    models = [hours(dish("b", arms__b=bath("bso", c)), 6) for c in (0, 5, 50)]
    assert falls([mean(m, "gsh") for m in models], 1.1)
    assert rises([mean(m, "cysteine") for m in models], 1.05)


@pytest.mark.mechanism("M03")
def test_without_glutamate_cysteine_ligase_there_is_no_gsh_however_much_cystine():
    poor, rich = (
        dish(mechanisms__ferroptosis={**UNBREAKABLE, "v_gcl": 0}, fields__cystine__initial=c)
        for c in (2, 200)
    )
    assert mean(rich, "cysteine") > 2 * mean(poor, "cysteine")
    for model in (poor, rich):
        assert mean(hours(model, 1), "gsh") < 1.0


@pytest.mark.mechanism("M04")
def test_clearing_peroxide_spends_gsh_unless_all_of_it_is_recycled():
    spent = [
        mean(hours(with_plooh(dish(mechanisms__ferroptosis={**UNBREAKABLE, "loss_gssg": x})), 0.25), "gsh")
        for x in (0, 0.2, 1.0)
    ]
    assert falls(spent, 1.005)
    at_rest = mean(hours(dish(mechanisms__ferroptosis__loss_gssg=0), 0.25), "gsh")
    assert spent[0] == pytest.approx(at_rest, rel=1e-9)


@pytest.mark.mechanism("M05")
def test_more_gpx4_leaves_less_peroxide():
    model = with_plooh(dish())
    levels(model, "gpx4", [0.25, 0.5, 1.0, 2.0])
    hours(model, 0.2)
    assert falls(by_level(model, "plooh"), 1.05)


@pytest.mark.mechanism("M05")
def test_gpx4_needs_gsh_to_clear_peroxide():
    model = with_plooh(dish(mechanisms__ferroptosis__v_gcl=0))
    levels(model, "gsh", [0.0, 200.0, 1000.0, 4000.0])
    hours(model, 0.1)
    assert falls(by_level(model, "plooh"), 1.02)


@pytest.mark.mechanism("M05")
def test_without_its_activity_the_amount_of_gpx4_does_not_matter():
    model = with_plooh(dish(mechanisms__ferroptosis__v_gpx=0), 1.0)
    levels(model, "gpx4", [0.25, 0.5, 1.0, 2.0])
    hours(model, 0.2)
    assert np.ptp(by_level(model, "plooh")) < 1e-9


@pytest.mark.mechanism("M06")
def test_rsl3_destroys_gpx4_with_its_dose_and_kills():
    models = [hours(dish("r", arms__r=bath("rsl3", c)), 5) for c in (0, 0.02, 0.1, 1.0)]
    assert falls([m.tumour.gpx4.mean() for m in models], 1.3)
    assert died(models[0]) == died(models[1]) == 0
    assert died(models[-1]) == CELLS


@pytest.mark.mechanism("M16")
def test_damage_and_the_other_markers_follow_the_radical_flux():
    """Below a lethal dose the recorded markers stand in the order of the dose."""
    models = [hours(dish("r", arms__r=bath("rsl3", c)), 8) for c in (0, 0.01, 0.02, 0.03)]
    assert all(alive(m) == CELLS for m in models)
    rows = [m.observe() for m in models]
    assert rises([r["v_damage_p90"] for r in rows], 1.02)
    assert rises([r["plooh_median"] for r in rows], 1.1)
    assert falls([r["gpx4_median"] for r in rows], 1.1)
    table = models[-1].cells_table()
    assert {"damage", "plooh", "gpx4", "gsh", "lip", "acsl4"} <= set(table)
