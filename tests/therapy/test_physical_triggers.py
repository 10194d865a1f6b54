"""Heat kills by its thermal dose and lets oxygen in; sound makes oxidants and opens particles; iron needs H2O2 for its chemistry."""

import math

import numpy as np
import pytest
from support import DISH, alive, bath, died, dish, hours, level, mean, small_model, tissue
from test_model import ticks

from tme.library import load_library
from tme.therapy.heat import dose_rate

HEAT, SOUND = load_library().event("heat"), load_library().event("sound")
CULTURE = {**DISH, "domain": {**DISH["domain"], "size_um": [1200, 1200]}}  # 3600 cells


def heated(celsius, minutes, base=DISH, **more):
    """A culture just after heat."""
    arms = {"x": {"events": [{"name": "heat", "celsius": celsius, "minutes": minutes, "day": 0, **more}]}}
    return ticks(small_model(base, "x", arms=arms), minutes)


@pytest.mark.mechanism("M125")
def test_the_thermal_dose_counts_minutes_at_43_degrees():
    """A degree more halves the time above 43 C; below it a degree less quadruples it."""
    assert [dose_rate(c, 0.5, 0.25) for c in (42, 43, 44, 46)] == pytest.approx([0.25, 1, 2, 8])
    left = sum(math.exp(-math.log(2) / (60 * HEAT.half_life_h) * k) for k in range(10))
    assert heated(45, 10).events.signal("heat") == pytest.approx(4 * left)
    assert heated(42, 10).events.signal("heat") == pytest.approx(0.25 * left)


@pytest.mark.mechanism("M125")
@pytest.mark.parametrize("celsius", [44, 45, 46])
def test_survival_follows_the_thermal_dose(celsius):
    model = heated(celsius, 20, CULTURE)
    dose = float(np.mean(model.events.signal("heat")))
    expected = math.exp(-((dose / HEAT.lethal_min) ** HEAT.steepness))
    assert abs(alive(model) / 3600 - expected) < 4 * math.sqrt(expected * (1 - expected) / 3600) + 0.002
    assert died(model, "apoptosis") == 3600 - alive(model)


@pytest.mark.mechanism("M125")
def test_hot_cells_turn_necrotic_and_only_in_the_place_that_is_heated():
    model = heated(50, 20, CULTURE, place={"kind": "box", "from_um": [0, 0], "to_um": [600, 1200]})
    x = model.lattice.position_um(model.tumour.voxel)[0]
    assert (model.tumour.state[x < 600] == 3).all() and (model.tumour.state[x > 600] == 0).all()
    assert heated(37.5, 20).counters["dead_apoptosis"] == 0


@pytest.mark.mechanism("M125")
def test_light_warms_what_holds_an_absorber_and_nothing_else():
    def lit(absorber, fluence=1500):
        arms = {"x": {"drugs": [{"name": "photosensitiser", "bath_uM": absorber, "route": "bath"}],
                      "events": [{"name": "heat", "fluence_mw_cm2": fluence, "minutes": 15, "day": 0}]}}  # fmt: skip
        return ticks(dish("x", arms=arms), 15)

    assert alive(lit(0.0)) == alive(lit(2.0, fluence=1)) == 144
    one, most = lit(1.0), lit(5.0)
    assert alive(one) > alive(most) == 0
    warm = HEAT.body_c + HEAT.warming_cm2_mw_uM * 1500
    assert one.mechanism("heat").dosed[0][0][1] == pytest.approx(warm)
    assert most.mechanism("heat").dosed[0][0][1] == HEAT.hottest_c


@pytest.mark.mechanism("M125")
def test_warm_vessels_bring_more_oxygen_for_hours_and_less_so_later():
    """Heat too mild to kill: what vessels hold rises by `perfusion` and falls back with its half-life."""
    arms = {"control": {}, "x": {"events": [{"name": "heat", "celsius": 40, "minutes": 20, "day": 1 / 1440}]}}
    model, cold = (ticks(tissue(a, 3, arms=arms), 20) for a in ("x", "control"))
    assert model.fields["oxygen"].vessel_value == pytest.approx(38 * (1 + HEAT.perfusion))
    assert alive(model) == alive(cold)
    assert mean(model, "oxygen") > 1.15 * mean(cold, "oxygen")
    hours(model, 12)
    assert model.fields["oxygen"].vessel_value == pytest.approx(38 * (1 + HEAT.perfusion / 2), rel=0.01)


def sounded(oxygen=140.0, drug=1.0, intensity=1.0, minutes=10):
    """A dish just after ultrasound; oxygen is held."""
    arms = {"x": {**bath("photosensitiser", drug), "events": [{"name": "sound", "intensity_w_cm2": intensity, "minutes": minutes, "day": 0}]}}
    return ticks(dish("x", arms=arms, fields__oxygen__initial=oxygen), minutes)


@pytest.mark.mechanism("M125")
@pytest.mark.parametrize(("oxygen", "drug", "intensity"), [(140.0, 1.0, 1.0), (9.2, 1.0, 1.0), (140.0, 2.0, 0.5)])
def test_sound_on_a_sensitiser_makes_oxidants_where_there_is_oxygen(oxygen, drug, intensity):
    k = math.log(2) / SOUND.half_life_min
    v = 60 * SOUND.yield_cm2_j * intensity * drug * oxygen / (SOUND.k_o2_mmHg + oxygen)
    made = float(np.mean(sounded(oxygen, drug, intensity).events.signal("sound")))
    assert made == pytest.approx(v * sum(math.exp(-k * i) for i in range(10)))


@pytest.mark.mechanism("M125")
def test_sound_without_sensitiser_or_oxygen_harms_nobody_and_with_both_kills():
    assert alive(sounded(drug=0.0)) == alive(sounded(oxygen=0.0)) == 144
    model = sounded(drug=10.0)
    assert died(model, "necrosis") > 100


@pytest.mark.mechanism("M125")
def test_chemodynamic_therapy_needs_iron_and_peroxide_together():
    """Fenton chemistry is iron times H2O2: oxidised lipid under both exceeds what each brings added up, and with k_if 0 it does not."""
    number = {"unit": "1", "source": "assumed: test"}
    more = {"in": "tumour", "signal": "time", "raises": "ferroptosis.h2o2", "to": {"value": 4, **number}, "half": {"value": 1e-4, "unit": "d", "source": "assumed: test"},
            "evidence": "hypothetical", "source": "assumed: test"}  # fmt: skip

    def oxidised(iron, peroxide, **changes):
        arms = {"x": bath("ferric_ammonium_citrate", 3000.0)} if iron else {"x": {}}
        model = dish("x", arms=arms, mechanisms__ferroptosis={"d_leth": 5000, **changes}, rules={"test": more} if peroxide else {})
        return float(hours(model, 2).tumour.plooh.mean())

    none, iron, peroxide, both = (oxidised(*p) for p in ((0, 0), (1, 0), (0, 1), (1, 1)))
    assert both - none > 1.5 * ((iron - none) + (peroxide - none))
    cut = [oxidised(*p, k_if=0) for p in ((1, 0), (1, 1))]
    assert cut[1] == pytest.approx(cut[0], rel=1e-6)


def test_heat_lifts_hypoxia_where_it_kills():
    """Cells that died take no oxygen."""
    arms = {"control": {}, "x": {"events": [{"name": "heat", "celsius": 44, "minutes": 25, "day": 1 / 1440}]}}
    hot = ticks(tissue("x", 3, arms=arms, entries__events__heat__perfusion=0), 45)
    assert 0 < alive(hot) < 250 and level(hot, "oxygen") > 1.05 * level(ticks(tissue("control", 3, arms=arms), 45), "oxygen")
