"""Rules of the library that act on the chemistry: each has the sign that the reviews give it, in a dish under RSL3."""

import numpy as np
import pytest
from breadth import death_hour, held, on, treated
from support import UNBREAKABLE, alive, bath, dish, hours, mean, rises, tissue

LACTATE, GLUCOSE_LACK, HYPOXIA = held("lactate", 20), held("glucose", 0.2), {"fields__oxygen__initial": 5}
PULSE = {"mechanisms__ferroptosis": UNBREAKABLE}


# ---- lactate -------------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M11")
def test_lactate_keeps_gpx4_and_cells_alive_under_rsl3():
    assert death_hour("M11", **LACTATE) > 1.2 * death_hour(**LACTATE)
    with_rule, without = (hours(dish(**r, **LACTATE), 24) for r in (on("M11"), {}))
    assert mean(with_rule, "gpx4") > 1.2 * mean(without, "gpx4")


@pytest.mark.mechanism("M11")
def test_the_lactate_of_plasma_protects_little():
    assert death_hour("M11", **held("lactate", 1.5)) < death_hour("M11", **held("lactate", 8))


@pytest.mark.mechanism("M34")
def test_acidosis_by_lactate_frees_ferritin_iron():
    assert death_hour("M34", **LACTATE) < death_hour(**LACTATE)
    low, high = (hours(dish(**on("M34"), **held("lactate", x)), 24) for x in (0.1, 20))
    assert mean(high, "ferritin") < 0.8 * mean(low, "ferritin")


BIG = {"domain__size_um": [1600, 1600], "initial__n_cells": 3000, "mechanisms__vessels": {"per_mm2": 75, "core_factor": 0.4}}


def deep_and_shallow(model, field):
    """Mean of a field in tumour cells deeper than 300 um, and in those within 60 um of the rim."""
    level = model.fields[field].at(model.tumour.voxel)
    depth = model.lattice.depth_um()[model.tumour.voxel]
    return level[depth > 300].mean(), level[depth < 60].mean()


def test_lactate_is_solved_where_a_rule_hears_it_and_tumours_reach_ten_to_twenty_mM():
    model = hours(tissue(**on("M11"), **BIG), 1)
    deep, shallow = deep_and_shallow(model, "lactate")
    assert 20.0 > deep > 1.05 * shallow > 10.0
    outside = model.fields["lactate"].concentration[model.lattice.depth_um() < -200].mean()
    assert 1.5 < outside < shallow
    assert model.tumour.term("ferroptosis.gpx4_synthesis")[: model.tumour.n].min() > 1.4
    assert "glucose" not in model.fields and not [m for m in model.plan.entries if m.name == "cell_uptake"]


def test_glucose_is_taken_up_and_scarce_in_the_depth():
    model = hours(tissue(**on("M103.nrf2"), **BIG), 1)
    deep, shallow = deep_and_shallow(model, "glucose")
    assert 0.3 < deep < 0.9 * shallow < 0.5 * 5.0
    assert model.fields["glucose"].concentration[model.lattice.depth_um() < -200].mean() > shallow
    factor = model.tumour.term("ferroptosis.nrf2")[: model.tumour.n]
    assert factor.max() > 1.05 * factor.min()


def test_an_optional_field_that_nobody_hears_costs_nothing():
    model = hours(tissue(), 1)
    assert not {"lactate", "glucose", "oleate"} & set(model.fields)
    assert "lactate" not in model.mechanism("secretion").by_field
    assert not [m for m in model.plan.entries if m.name == "cell_uptake"]
    assert "field.lactate.source" not in model.mechanism("secretion").adds


# ---- iron ----------------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M31")
def test_haem_oxygenase_frees_iron_of_stressed_cells_after_hours():
    assert death_hour("M31") < death_hour()
    with_rule, without = (treated(bath("rsl3", 1.0), *r, **PULSE) for r in (("M31",), ()))
    hours(with_rule, 2), hours(without, 2)
    early = mean(with_rule, "lip") / mean(without, "lip")
    hours(with_rule, 10), hours(without, 10)
    assert mean(with_rule, "lip") / mean(without, "lip") > 1.2 * early
    assert np.allclose(mean(hours(dish(**on("M31")), 24), "lip"), mean(hours(dish(), 24), "lip"), rtol=0.05)


FAC = bath("ferric_ammonium_citrate", 3000, "rsl3", 0.02)


@pytest.mark.mechanism("M35")
def test_iron_makes_h2o2_by_polyamines_with_a_memory_of_hours():
    model = treated(bath("ferric_ammonium_citrate", 3000), "M35", **PULSE)
    seen = [mean(hours(model, n), "memory_m35") for n in (1, 5, 18, 24)]
    assert rises(seen)
    lip = mean(model, "lip")
    settled = (lip / 3) ** 2 / (1 + (lip / 3) ** 2)
    assert seen[0] < 0.3 * settled
    assert seen[-1] == pytest.approx(settled, rel=0.15)
    assert mean(model, "term_ferroptosis_h2o2") == pytest.approx(1 + 2 * seen[-1], rel=1e-9)


@pytest.mark.mechanism("M35")
def test_the_polyamine_loop_kills_sooner_and_more_so_where_stress_frees_iron():
    """Closed by M99 (stress raises iron, iron raises H2O2, H2O2 makes stress) the loop gains more than its parts."""
    nothing, loop, uptake, both = (death_hour(*r) for r in ((), ("M35",), ("M99",), ("M35", "M99")))
    assert both < uptake < loop < nothing


@pytest.mark.mechanism("M99")
def test_damage_raises_the_iron_of_cells_in_turn():
    assert death_hour("M99") < death_hour()
    with_rule, without = (hours(treated(bath("rsl3", 0.05), *r), 14) for r in (("M99",), ()))
    assert mean(with_rule, "lip") > 1.2 * mean(without, "lip")


@pytest.mark.mechanism("M36")
@pytest.mark.parametrize("drug", ["deferoxamine"])
def test_chelators_keep_cells_alive_the_more_the_higher_the_dose(drug):
    hours_to = [death_hour(arm=bath("rsl3", 0.05, drug, c)) for c in (0.01, 10, 100)]
    assert rises(hours_to[:2]) and hours_to[2] >= hours_to[1]
    lip = [mean(hours(dish("x", arms={"x": bath(drug, c)}), 12), "lip") for c in (100, 10, 0.01)]
    assert rises(lip)


# ---- lipid ---------------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M43")
def test_oleate_takes_the_place_of_pufa_and_protects():
    lymph = held("oleate", 500)
    assert death_hour("M43", **lymph) > 1.2 * death_hour(**lymph)
    low, high = (hours(dish(**on("M43"), **held("oleate", x)), 24) for x in (20, 500))
    assert mean(high, "pufa") < 0.8 * mean(low, "pufa")


@pytest.mark.mechanism("M46")
def test_hypoxic_cells_store_lipid_and_peroxidise_less():
    with_rule, without = (hours(treated(bath("rsl3", 0.05), *r, **HYPOXIA), 12) for r in (("M46",), ()))
    assert mean(with_rule, "pufa") < 0.9 * mean(without, "pufa")
    assert mean(with_rule, "plooh") < mean(without, "plooh")


@pytest.mark.mechanism("M97")
@pytest.mark.parametrize("name", ["M97.acsl4", "M97.iron"])
def test_inflammation_sensitises_by_acsl4_and_by_iron(name):
    inflamed = held("hmgb1", 5)
    assert death_hour(name, **inflamed) < death_hour(**inflamed) == death_hour()
    column = {"M97.acsl4": "pufa", "M97.iron": "lip"}[name]
    assert mean(hours(dish(**on(name), **inflamed), 24), column) > 1.1 * mean(hours(dish(**inflamed), 24), column)


# ---- transcription ---------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M49")
def test_a_sublethal_stress_induces_nrf2_and_protects_later():
    assert death_hour("M49") > 1.2 * death_hour()
    model = treated(bath("rsl3", 0.03), "M49")
    seen = [mean(hours(model, n), "term_ferroptosis_nrf2") for n in (1, 6, 12)]
    assert rises(seen) and seen[0] < 1.5


@pytest.mark.mechanism("M49")
def test_what_nrf2_was_induced_to_outlasts_the_stress():
    model = treated(bath("rsl3", 0.03), "M49")
    hours(model, 16)
    stressed = mean(model, "memory_m49")
    t = model.tumour.col
    t.plooh[: model.tumour.n] = 0.0
    rules = model.mechanism("rules")
    rules.evaluate(model, [(p, [60.0]) for p in rules.programs if p.term.name == "ferroptosis.nrf2"])
    assert mean(model, "memory_m49") == pytest.approx(stressed * np.exp(-1 / 6), rel=1e-9)


@pytest.mark.mechanism("M53")
def test_in_hypoxia_hif_1_protects_and_hif_2_sensitises():
    plain, hif1, hif2 = (hours(treated(bath("rsl3", 0.05), *r, **HYPOXIA), 10) for r in ((), ("M53.hif1",), ("M53.hif2",)))
    assert mean(hif1, "plooh") < mean(plain, "plooh") < mean(hif2, "plooh")
    assert mean(hif1, "pufa") < 0.9 * mean(plain, "pufa") and mean(hif2, "lip") > 1.2 * mean(plain, "lip")
    assert death_hour("M53.hif2", **HYPOXIA) < death_hour(**HYPOXIA)


@pytest.mark.mechanism("M53")
@pytest.mark.parametrize("name", ["M53.hif1", "M53.hif2"])
def test_in_air_hif_does_nothing(name):
    assert death_hour(name) == death_hour()


@pytest.mark.mechanism("M28")
def test_in_hypoxia_iron_stays_in_ferritin():
    plain, held = (hours(treated(bath("rsl3", 0.02), *r, **HYPOXIA), 24) for r in ((), ("M28.hypoxia",)))
    assert mean(held, "lip") < 0.97 * mean(plain, "lip") and mean(held, "ferritin") > mean(plain, "ferritin")
    air = [hours(treated(bath("rsl3", 0.02), *r), 6) for r in ((), ("M28.hypoxia",))]
    assert mean(air[0], "lip") == pytest.approx(mean(air[1], "lip"), rel=2e-3)


@pytest.mark.mechanism("M103")
def test_lactate_puts_ampk_off_and_protects_by_mufa():
    assert death_hour("M103.lactate", **LACTATE) > 1.2 * death_hour(**LACTATE)
    assert mean(hours(dish(**on("M103.lactate"), **LACTATE), 24), "pufa") < 0.8 * mean(hours(dish(**LACTATE), 24), "pufa")


@pytest.mark.mechanism("M103")
def test_ampk_in_a_lack_of_glucose_sensitises_by_scd1_or_protects_by_nrf2():
    plain, scd1, nrf2 = (death_hour(*r, **GLUCOSE_LACK) for r in ((), ("M103.scd1",), ("M103.nrf2",)))
    assert scd1 < plain < nrf2
    fed = held("glucose", 5)
    assert death_hour("M103.scd1", **fed) == death_hour("M103.nrf2", **fed) == death_hour()


@pytest.mark.mechanism("M96")
def test_moderate_peroxide_helps_division_and_high_peroxide_stops_it():
    def grown(rsl3, *rules):
        roomy = {"domain__size_um": [480, 480], "initial__occupancy": 0.2, "mechanisms__division": {"k_div": 0.001}}
        model = treated(bath("rsl3", rsl3), *rules, **roomy, **PULSE)
        return alive(hours(model, 18))

    both = ("M96.moderate", "M96.high")
    assert grown(0.02, *both) > 1.1 * grown(0.02)
    assert grown(1.0, *both) < 0.7 * grown(1.0)
