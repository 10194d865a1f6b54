"""Events act at their tick and place, on the cells they should, and are the same in every arm and after every break."""

import math

import numpy as np
import pytest
from support import DISH, alive, died, dish, flood, hours, level, small_model, tissue
from test_model import ticks

from tme.experiments.checkpoint import read_checkpoint, write_checkpoint
from tme.library import load_library
from tme.model import TumourModel
from tme.therapy.events import oxygen_effect, survival

GY = load_library().event("radiation")
CULTURE = {**DISH, "domain": {**DISH["domain"], "size_um": [1200, 1200]}}  # 3600 cells


def fraction(dose, day=0.0, **more):
    """An arm of one fraction of radiation."""
    return {"events": [{"name": "radiation", "dose_gy": dose, "day": day, **more}]}


def irradiated(dose, oxygen=140, seed=1, **more):
    """A dish after one fraction: share of cells that go on."""
    model = small_model(CULTURE, "x", seed, arms={"x": fraction(dose, **more)}, fields__oxygen__initial=oxygen)
    model = ticks(model, 1)
    return 1.0 - (model.tumour.doom_tick > 0).mean()


def near(share, expected, n=3600):
    """Within four standard errors of a share of n cells."""
    return abs(share - expected) <= 4.0 * math.sqrt(expected * (1.0 - expected) / n) + 1e-12


# ---- radiation ----------------------------------------------------------------------------------------
@pytest.mark.mechanism("M92")
@pytest.mark.parametrize("dose", [1.0, 2.0, 4.0, 8.0])
def test_survival_is_linear_quadratic_in_the_dose(dose):
    tumour = GY.cells["tumour"]
    effective = dose * oxygen_effect(140.0, GY.oer_max, GY.oer_k_mmHg)
    assert near(irradiated(dose), float(survival(effective, tumour.alpha_per_gy, tumour.beta_per_gy2)))


@pytest.mark.mechanism("M92")
def test_hypoxia_protects_by_the_oxygen_enhancement_ratio():
    """Without oxygen three times the dose does the same; at K half of the effect of oxygen is there."""
    assert oxygen_effect(0.0, 3.0, 3.0) == pytest.approx(1 / 3)
    assert oxygen_effect(3.0, 3.0, 3.0) == pytest.approx(2 / 3)
    assert oxygen_effect(1e9, 3.0, 3.0) == pytest.approx(1.0)
    tumour = GY.cells["tumour"]
    anoxic, oxic = irradiated(9.0, oxygen=0), irradiated(3.0, oxygen=1e6)
    expected = float(survival(3.0, tumour.alpha_per_gy, tumour.beta_per_gy2))
    assert near(anoxic, expected) and near(oxic, expected)
    assert irradiated(3.0, oxygen=0) > 1.5 * oxic


@pytest.mark.mechanism("M92")
def test_marked_cells_die_by_apoptosis_with_the_stated_half_life_and_do_not_divide():
    model = small_model(CULTURE, "x", arms={"x": fraction(12)}, initial={"kind": "monolayer", "occupancy": 0.5},
                        mechanisms__division={"k_div": 0.01}, horizon_day=3)  # fmt: skip
    model = ticks(model, 1)
    marked = set(model.tumour.uid[model.tumour.doom_tick > 0].tolist())
    n = len(marked)
    model = hours(model, GY.death_half_life_h)
    t = model.tumour
    left = [u for u, m, s in zip(t.uid.tolist(), t.doom_tick, t.state) if m > 0 and s == 0]
    assert near(len(left) / n, 0.5, n)
    assert set(left) <= marked  # no daughters of marked cells
    assert died(model, "apoptosis") == n - len(left)
    assert t.n_div[(t.doom_tick > 0)].max() == 0
    assert model.counters["births"] > 0


def test_radiation_reaches_only_its_place():
    model = ticks(small_model(CULTURE, "x", arms={"x": fraction(30, place={"kind": "box", "from_um": [0, 0], "to_um": [600, 1200]})}), 1)
    x = model.lattice.position_um(model.tumour.voxel)[0]
    assert (model.tumour.doom_tick[x < 600] > 0).all()
    assert (model.tumour.doom_tick[x > 600] == 0).all()
    dose = model.events.signal("radiation")
    assert (dose[model.tumour.voxel[x > 600]] == 0).all() and (dose[model.tumour.voxel[x < 600]] > 25).all()


@pytest.mark.mechanism("M92")
def test_what_radiation_leaves_fades_with_its_half_lives_adds_up_and_is_less_without_oxygen():
    arms = {"x": fraction(8, day=[0, 0.5])}
    model = ticks(dish("x", arms=arms), 1)
    dose = 8 * oxygen_effect(140.0, GY.oer_max, GY.oer_k_mmHg)
    at_once = {n: model.events.signal(n).mean() for n in ("radiation", "radiation_ros")}
    assert list(at_once.values()) == pytest.approx([dose, dose])
    model = ticks(model, 180)
    assert model.events.signal("radiation_ros").mean() == pytest.approx(dose / 2)
    assert model.events.signal("radiation").mean() == pytest.approx(dose * 0.5 ** (3 / 24))
    model = ticks(model, 540)
    assert model.events.signal("radiation").mean() == pytest.approx(dose * (1 + 0.5 ** (12 / 24)))
    voxels = model.tumour.voxel[:5]
    assert model.events.at("radiation", voxels) == pytest.approx(model.events.signal("radiation")[voxels])
    anoxic = ticks(dish("x", arms=arms, fields__oxygen__initial=0), 1)
    assert anoxic.events.signal("radiation_ros").mean() == pytest.approx(8 / 3)


@pytest.mark.mechanism("M92")
def test_a_rule_hears_radiation_where_it_was_given_and_as_long_as_it_is_remembered():
    """Here on division: survivors of the irradiated half have the factor 1 + (to - 1) u of the dose that is left."""
    number = {"unit": "1", "source": "assumed: test"}
    rule = {"in": "tumour", "signal": "event.radiation", "lowers": "division.rate", "to": {"value": 0.2, **number},
            "half": {"value": 4, **number, "unit": "Gy"}, "evidence": "hypothetical", "source": "assumed: test"}  # fmt: skip
    half = {"kind": "box", "from_um": [0, 0], "to_um": [120, 240]}
    model = dish("x", arms={"x": fraction(8, place=half, day=0.01)}, rules={"M92.test": rule})
    model = ticks(model, 12)
    assert (model.tumour.term("division.rate")[:144] == 1.0).all()
    model = ticks(model, 18)  # rules on events are worked out every 6 min
    x = model.lattice.position_um(model.tumour.voxel)[0]
    left = 8 * oxygen_effect(140.0, GY.oer_max, GY.oer_k_mmHg) * 0.5 ** (15 / 1440)
    factor = model.tumour.term("division.rate")[:144].copy()
    assert factor[x > 120] == pytest.approx(1.0)
    assert factor[x < 120] == pytest.approx(1 - 0.8 * left / (4 + left))
    model = hours(model, 24)
    x = model.lattice.position_um(model.tumour.voxel)[0]
    later = model.tumour.term("division.rate")[: model.tumour.n][x < 120]
    assert later.min() > factor.min() + 0.1
    assert np.ptp(later) < 1e-12


def test_a_signal_of_an_event_that_never_came_is_nothing_and_a_wrong_name_is_refused():
    model = dish()
    assert model.events.signal("radiation") == 0.0
    assert (model.events.at("light", model.tumour.voxel) == 0.0).all()
    with pytest.raises(KeyError):
        model.events.signal("radio")


def test_t_cells_in_the_field_are_lost_and_macrophages_are_not():
    model = tissue("x", 3, arms={"x": fraction(20)})
    cd8, macrophages = model.cd8.n, model.macrophage.n
    model = ticks(model, 1)
    assert model.cd8.n < 0.5 * cd8
    assert model.macrophage.n == macrophages


def test_normal_tissue_in_the_field_is_harmed_later_and_leaves_corpses():
    """Cells around the tumour, less by their own parameters; those that light kills die at once."""
    arms = {"x": fraction(6), "l": {"drugs": [{"name": "photosensitiser", "bath_uM": 10, "route": "bath"}],
                                    "events": [{"name": "light", "fluence_mw_cm2": 300, "minutes": 10, "day": 0}]}}  # fmt: skip
    model = ticks(tissue("x", 3, arms=arms, populations={"normal": {"share": 1}}), 1)
    normal, tumour = model.populations["normal"], model.tumour
    share = (normal.doom_tick > 0).mean()
    assert 0.2 < share < (tumour.doom_tick > 0).mean()
    assert (normal.state == 0).all()
    model = hours(model, 24)
    assert near(model.counters["dead_apoptosis_normal"] / model.counters["irradiated_normal"], 0.5, model.counters["irradiated_normal"])
    lit_ = ticks(tissue("l", 3, arms=arms, populations={"normal": {"share": 1}}), 10)
    assert lit_.counters["dead_necrosis_normal"] > 0.5 * lit_.populations["normal"].n


# ---- kill_share -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_the_stated_share_of_living_cells_dies_and_leaves_ordinary_corpses(share):
    model = small_model(CULTURE, "x", arms={"x": {"events": [{"name": "kill_share", "share": share, "day": 0.25}]}})
    model = ticks(model, 360)
    assert alive(model) == 3600
    model = ticks(model, 1)
    assert near(1.0 - alive(model) / 3600, share)
    assert died(model, "apoptosis") == 3600 - alive(model) == (model.tumour.state == 4).sum()


def test_two_arms_lose_the_same_cells_and_a_second_kill_draws_anew():
    kill = {"name": "kill_share", "share": 0.5, "day": 0}
    arms = {"x": {"events": [kill]}, "y": {"events": [{"name": "radiation", "dose_gy": 2, "day": 0}, kill]}, "z": {"events": [kill, kill]}}
    dead = {}
    for arm in arms:
        model = ticks(small_model(CULTURE, arm, arms=arms), 1)
        dead[arm] = set(model.tumour.uid[model.tumour.state > 0].tolist())
    assert dead["x"] == dead["y"]
    assert dead["x"] < dead["z"] and near(len(dead["z"]) / 3600, 0.75)


# ---- cell_transfer --------------------------------------------------------------------------------------
def transfer(cells="cd8", day=0.01, **more):
    """An arm that gives cells."""
    return {"events": [{"name": "cell_transfer", "cells": cells, "day": day, **more}]}


@pytest.mark.parametrize("cells", ["cd8", "treg", "macrophage", "dendritic", "nk", "mdsc"])
def test_transferred_cells_enter_through_open_vessels_at_their_tick(cells):
    model = tissue("x", 2, arms={"x": transfer(cells, count=40)})
    population = model.populations[cells]
    model = ticks(model, 14)
    before = set(population.uid.tolist())
    model = ticks(model, 1)
    new = [(u, v) for u, v in zip(population.uid.tolist(), population.voxel) if u not in before]
    assert len(new) == 40 == model.counters[f"transferred_{cells}"]
    assert {v for _u, v in new} <= set(model.vessels.voxels.tolist())
    assert model.lattice.immune_count.max() <= model.lattice.immune_capacity
    assert (model.lattice.immune_count == np.bincount(np.concatenate([p.voxel for p in model.immune]), minlength=model.grid.n_voxels)).all()


def test_cells_of_a_type_that_the_tissue_lacks_can_be_given_into_a_region():
    place = {"kind": "ball", "centre_um": [100, 100], "radius_um": 60}
    model = tissue("x", 2, arms={"x": transfer(count=30, place=place)}, populations={"cd8": None})
    assert model.cd8.n == 0
    model = ticks(model, 15)
    x, y, _z = model.lattice.position_um(model.cd8.voxel)
    assert model.cd8.n == 30
    assert ((x - 100) ** 2 + (y - 100) ** 2 <= 61**2).all()


def test_cells_that_find_no_room_are_refused_and_a_density_counts_the_tumour():
    place = {"kind": "ball", "centre_um": [10, 10], "radius_um": 5}
    arms = {"x": transfer(count=9, place=place), "y": transfer(per_mm2=500)}
    model = ticks(tissue("x", 2, arms=arms, populations=dict.fromkeys(("cd8", "treg", "dendritic", "macrophage"))), 15)
    assert (model.cd8.n, model.counters["refused"]) == (3, 6)
    model = ticks(tissue("y", 2, arms=arms), 15)
    area = (model.lattice.inside_um() > 0).sum() * 400e-6
    assert model.counters["transferred_cd8"] == round(500 * model.cd8.in_slab * area)


def test_two_transfers_of_one_tick_bring_different_cells():
    two = transfer(count=20)["events"] * 2
    model = ticks(tissue("x", 2, arms={"x": {"events": two}}), 15)
    assert model.counters["transferred_cd8"] == 40  # a uid given twice would have stopped the run


# ---- exact ticks, breaks, branches ---------------------------------------------------------------------
EVERYTHING = {
    "drugs": [
        {"name": "photosensitiser", "dose_mg_kg": 0.2, "route": "intratumoral", "day": 0},
        {"name": "ike", "dose_mg_kg": 20, "day": 0},
        {"name": "ike", "dose_mg_kg": 1, "route": "depot", "release_per_h": 0.5, "day": 0.01},
    ],
    "events": [
        {"name": "radiation", "dose_gy": 4, "day": [0.01, 0.03]},
        {"name": "light", "fluence_mw_cm2": 30, "minutes": 12, "day": 0.0201, "enters": "y_low"},
        {"name": "kill_share", "share": 0.1, "day": 0.02},
        {"name": "cell_transfer", "cells": "cd8", "count": 25, "day": 0.025},
    ],
}  # fmt: skip


def everything(**more):
    """A model of the arm with every event and route."""
    return tissue("x", 4, arms={"control": {}, "x": EVERYTHING}, **more)


@pytest.mark.parametrize("at", [10, 29, 35, 45])
def test_a_run_resumed_among_its_events_ends_in_the_same_bytes(at, tmp_path):
    model = ticks(everything(), at)
    write_checkpoint(tmp_path / "c", model.state_dict(), {"tick": at})
    other = TumourModel.from_state(model.config, read_checkpoint(tmp_path / "c")[0], arm="x", seed=4)
    one, two = ticks(model, 70 - at).state_dict(), ticks(other, 70 - at).state_dict()
    assert one.keys() == two.keys()
    assert not [k for k in one if one[k].tobytes() != two[k].tobytes()]
    assert model.counters["irradiated"] > 0 and model.counters["transferred_cd8"] == 25


def test_an_event_of_the_minute_at_which_arms_branch_off_acts_in_all_that_branch():
    """The growth before knows nothing of it; the arm that continues has it in its first tick."""
    growth = ticks(tissue("control", 4, arms={"control": {}, "x": fraction(20, day=30 / 1440)}), 30)
    model = TumourModel.from_state(growth.config, growth.state_dict(), arm="x", seed=4)
    assert (model.tumour.doom_tick == 0).all()
    assert (ticks(model, 1).tumour.doom_tick > 0).mean() > 0.9


def test_an_arm_that_uses_others_has_all_their_events():
    arms = {"r": fraction(2), "k": {"events": [{"name": "kill_share", "share": 0.2, "day": 0.1}]}, "both": {"use": ["r", "k"]}}
    model = dish("both", arms=arms)
    assert [(o.name, o.tick) for o in model.therapy.events] == [("radiation", 1), ("kill_share", 145)]


# ---- light ----------------------------------------------------------------------------------------------
LIGHT = load_library().event("light")


def lit(oxygen=140.0, drug=1.0, fluence=10.0, minutes=10, entry_changes=None, **more):
    """A dish of 144 cells just after light; oxygen is held."""
    arms = {"x": {"drugs": [{"name": "photosensitiser", "bath_uM": drug, "route": "bath"}],
                  "events": [{"name": "light", "fluence_mw_cm2": fluence, "minutes": minutes, "day": 0, **more}]}}  # fmt: skip
    return ticks(dish("x", arms=arms, fields__oxygen__initial=oxygen), minutes)


def oxidants(oxygen, drug=1.0, fluence=10.0, minutes=10):
    """What light makes where oxygen is held, as the law says, uM."""
    k = math.log(2) / LIGHT.half_life_min
    v = 60 * LIGHT.yield_cm2_mj * fluence * drug * oxygen / (LIGHT.k_o2_mmHg + oxygen)
    return v * sum(math.exp(-k * i) for i in range(minutes))


@pytest.mark.mechanism("M125")
@pytest.mark.parametrize(("oxygen", "drug", "fluence"), [(140.0, 1.0, 10.0), (9.2, 1.0, 10.0), (140.0, 2.0, 10.0), (140.0, 1.0, 30.0)])
def test_oxidants_follow_light_drug_and_oxygen(oxygen, drug, fluence):
    assert lit(oxygen, drug, fluence).events.signal("light").mean() == pytest.approx(oxidants(oxygen, drug, fluence))


@pytest.mark.mechanism("M125")
def test_light_without_drug_or_oxygen_and_drug_without_light_do_nothing():
    assert level_of(lit(drug=0.0)) == 0.0
    assert level_of(lit(oxygen=0.0)) == 0.0
    dark = ticks(dish("x", arms={"x": {"drugs": [{"name": "photosensitiser", "bath_uM": 50, "route": "bath"}]}}), 120)
    untreated = ticks(dish(), 120)
    assert (dark.tumour.plooh == untreated.tumour.plooh).all()


def level_of(model):
    """Mean of what light left; cells must be alive if it is nothing."""
    assert alive(model) == 144
    return float(np.mean(model.events.signal("light")))


@pytest.mark.mechanism("M125")
def test_much_light_kills_outright_and_little_does_not():
    """Survival is exp(-(R/R0)^n) of the oxidants reached, whatever the number of ticks."""
    assert alive(lit(fluence=0.05 * scale(600))) == 144
    assert alive(lit(fluence=2.0 * scale(600))) == 0
    model = lit(fluence=scale(LIGHT.lethal_uM))
    reached = float(np.mean(model.events.signal("light")))
    assert reached == pytest.approx(LIGHT.lethal_uM, rel=1e-9)
    assert abs(alive(model) / 144 - math.exp(-1)) < 4 * math.sqrt(0.37 * 0.63 / 144)
    assert died(model, "necrosis") == 144 - alive(model)


def scale(target):
    """Fluence rate at which ten minutes make so many oxidants in the dish."""
    return 10.0 * target / oxidants(140.0)


@pytest.mark.mechanism("M125")
def test_light_uses_up_oxygen_while_it_is_on_and_no_longer():
    """Also between two solves of oxygen, whose clock is longer than the light; brighter light leaves less."""
    low = []
    for fluence in (20, 200):
        drug = [{"name": "photosensitiser", "bath_uM": 5, "route": "bath"}]
        event = [{"name": "light", "fluence_mw_cm2": fluence, "minutes": 8, "day": 3 / 1440, "place": "tumour"}]
        model = ticks(tissue("x", 3, arms={"x": {"drugs": drug, "events": event}}), 3)
        dark = level(model, "oxygen")
        model = ticks(model, 8)
        assert model.tick % model.clock["oxygen"] != 0
        low.append(level(model, "oxygen"))
        inside = model.lattice.inside_um() > 0
        made = model.mechanism("light").made[0][1]
        assert (made[~inside] == 0).all() and made[inside].min() > 0
        assert model.tumour.oxygen == pytest.approx(model.fields["oxygen"].at(model.tumour.voxel))
        model = ticks(model, 1)
        assert level(model, "oxygen") == pytest.approx(dark, rel=0.02)
    assert dark > low[0] > low[1] > 0


@pytest.mark.mechanism("M125")
def test_light_fades_with_the_depth_from_the_face_it_enters():
    model = lit(enters="x_high")
    r = model.events.signal("light").reshape(model.grid.shape)[0]
    assert (np.diff(r, axis=1) > 0).all()
    assert r[0, 0] / r[0, -1] == pytest.approx(math.exp(-220 / LIGHT.attenuation_um))


@pytest.mark.mechanism("M125")
def test_a_photosensitiser_let_go_by_particles_is_lit_too():
    """Its field counts, however it came: here it was put there, with no drug given in the arm."""
    arms = {"x": {"events": [{"name": "light", "fluence_mw_cm2": 10, "minutes": 10, "day": 0, "sensitiser": "rsl3"}],
                  "nanoparticles": [{"name": "peg_pdpa_rsl3", "bath_uM": 100, "route": "bath", "day": 0}]}}  # fmt: skip
    model = ticks(dish("x", arms=arms), 10)
    assert model.events.signal("light").max() == 0.0  # nothing released yet
    model = dish("x", arms=arms)
    flood(model, "rsl3", 1.0)
    assert ticks(model, 10).events.signal("light").mean() == pytest.approx(oxidants(140.0))
