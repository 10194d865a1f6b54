"""By whichever route an agent comes, what was given is there: into blood, into the tumour, from a depot, as a bath."""

import math
from dataclasses import replace

import numpy as np
import pytest
from support import DISH, TISSUE, bath, config_of, dish, falls, hours, level, mean, tissue
from test_ledgers import NO_SINK, TIGHT, audited
from test_model import ticks

from tme.config import ConfigError
from tme.library import load_library
from tme.library.particles import NanoparticleEntry, Payload
from tme.model import TumourModel
from tme.therapy.agents import Agent, Dose

LIBRARY = load_library()
SEALED = {"fields__deferoxamine__decay": 0, "fields__deferoxamine__vessel_exchange": 0}  # what is given stays


def local(name, kind="drugs", dose=1.0, route="intratumoral", **more):
    """An arm of one agent put into the tumour."""
    return {kind: [{"name": name, "dose_mg_kg": dose, "route": route, "day": 0, **more}]}


def whole(model, name, mg_kg, per=1e3):
    """Amount that a dose makes if all of it is in the tumour, unit of the field times voxels; of a drug what is unbound."""
    spec, entry = model.config.tumour, model.config.library.spreading()[name]
    tumour = (model.lattice.depth_um() > 0).sum()
    return per * getattr(entry, "unbound_fraction", 1.0) * mg_kg * spec.mouse_g / (entry.mw_g_mol * spec.mass_g) * tumour


@pytest.mark.parametrize(
    ("name", "kind", "per"),
    [("rsl3", "drugs", 1e3), ("erastin", "drugs", 1e3), ("anti_pdl1", "antibodies", 1e6), ("peg_pdpa_rsl3", "nanoparticles", 1e3)],
)
def test_an_intratumoral_dose_is_delivered_whole_on_whatever_voxels_the_field_is_solved(name, kind, per):
    model = tissue("x", 2, arms={"x": local(name, kind, 0.5)}, clocks__field_tol=TIGHT, entries=NO_SINK)
    field, log, came = model.fields[name], {}, []
    add = field.add
    field.add = lambda values: (came.append(field.concentration.sum()), add(values), came.append(field.concentration.sum()))
    audited(field, log)
    expected = whole(model, name, 0.5, per)
    ticks(model, 3 * model.clock[name])
    assert len(came) == 2 and came[1] - came[0] == pytest.approx(expected, rel=1e-12)
    assert log[name][0][0] == pytest.approx(expected, rel=1e-12)
    for before, net, lost, after in log[name]:
        assert abs(before + net - lost - after) <= 1e-10 * before


def test_it_goes_where_the_arm_says():
    place = {"centre_um": [200, 260], "radius_um": 60}
    model = tissue("x", 2, arms={"x": local("cnsi_fe", "nanoparticles", 1.0, **place)}, fields__cnsi_fe__diffusion=0)
    model = ticks(model, 10)
    x, y, _z = model.lattice.position_um(np.flatnonzero(model.fields["cnsi_fe"].concentration))
    assert len(x) > 20
    assert np.hypot(x - 200, y - 260).max() <= 60
    middle = ticks(tissue("x", 2, arms={"x": local("cnsi_fe", "nanoparticles", 1.0, radius_um=30)}, fields__cnsi_fe__diffusion=0), 10)
    x, y, _z = middle.lattice.position_um(np.flatnonzero(middle.fields["cnsi_fe"].concentration))
    assert 1 <= len(x) <= 9
    assert np.hypot(x - 260, y - 260).max() <= 32


def test_a_depot_releases_by_first_order_and_holds_the_rest():
    """Everything is kept in the dish: the field holds A (1 - e^{-k t}) at each of its solves, to 1e-9."""
    arm = local("deferoxamine", dose=2.0, route="depot", release_per_h=0.3, centre_um=[120, 120], radius_um=50)
    model = dish("x", arms={"x": arm}, clocks__field_tol=TIGHT, **SEALED)
    given = whole(model, "deferoxamine", 2.0)
    for _ in range(60):
        model = ticks(model, model.clock["deferoxamine"])
        hour = model.tick * model.dt_min / 60
        assert model.fields["deferoxamine"].concentration.sum() == pytest.approx(given * (1 - math.exp(-0.3 * hour)), rel=1e-9)


@pytest.mark.parametrize(("name", "kind", "per"), [("anti_pdl1", "antibodies", 1e6), ("peg_pdpa_rsl3", "nanoparticles", 1e3)])
def test_antibodies_and_particles_leave_depots_too(name, kind, per):
    """Two doses of one depot; what came into the field by its equation is what the depots gave off."""
    arm = local(name, kind, 1.0, "depot", release_per_h=1.0)
    arm[kind][0]["day"] = [0, 0.05]
    model = tissue("x", 2, arms={"x": arm}, mechanisms__vessels__per_mm2=0, clocks__field_tol=TIGHT)
    log = {}
    audited(model.fields[name], log)
    each = whole(model, name, 1.0, per)
    ticks(model, 120)
    came = sum(net for _b, net, _l, _a in log[name])
    assert came == pytest.approx(each * (2 - math.exp(-2) - math.exp(-0.8)), rel=1e-9)


def test_baths_hold_antibodies_and_particles():
    arms = {"x": {"antibodies": [{"name": "anti_pdl1", "bath_nM": 5, "route": "bath", "day": 0.01}],
                  "nanoparticles": [{"name": "peg_pdpa_rsl3", "bath_uM": 3, "route": "bath", "day": [0, 0.02]},
                                    {"name": "peg_pdpa_rsl3", "bath_uM": 0, "route": "bath", "day": 0.04}]}}  # fmt: skip
    model = ticks(tissue("x", 2, arms=arms), 14)
    assert level(model, "anti_pdl1") == 0.0
    model = ticks(model, 20)
    assert (model.fields["anti_pdl1"].concentration == 5).all()
    assert (model.fields["peg_pdpa_rsl3"].concentration == 3).all()
    assert mean(model, "np_peg_pdpa_rsl3") > 0
    covered = model.tumour.pdl1_free / model.tumour.pdl1
    kd = LIBRARY.antibody("anti_pdl1").kd_nM
    assert covered == pytest.approx(np.full(len(covered), kd / (kd + 5)))
    assert level(ticks(model, 30), "peg_pdpa_rsl3") == 0.0  # washed out


def test_nothing_given_into_the_tumour_shows_in_plasma():
    model = ticks(tissue("x", 2, arms={"x": local("rsl3")}), 30)
    assert model.therapy.drugs[0].plasma(30.0) == 0.0
    assert model.fields["rsl3"].vessel_value == 0.0


@pytest.mark.mechanism("M123")
def test_a_loading_dose_and_what_follows_add_up_in_plasma():
    items = [{"name": "ike", "dose_mg_kg": 5, "every_d": 1, "day": 0.25}, {"name": "ike", "dose_mg_kg": 40, "day": 0}]
    model = tissue("x", 2, arms={"x": {"drugs": items}})
    (agent,) = model.therapy.drugs
    e = LIBRARY.drug("ike")
    peak, k = 1e3 * e.unbound_fraction / (e.mw_g_mol * e.volume_l_kg), math.log(2) / e.plasma_half_life_min
    expected = peak * (40 * math.exp(-k * 400) + 5 * math.exp(-k * 40))
    assert agent.plasma(400.0) == pytest.approx(expected, rel=1e-12)
    assert [d.minute for d in agent.doses] == [0, 360, 1800, 3240, 4680]
    model = ticks(model, 400)
    assert model.fields["ike"].vessel_value == pytest.approx(expected, rel=1e-12)


def test_the_mean_of_plasma_over_an_interval_is_its_integral():
    agent = Agent("x", None, (Dose(3.0, "iv", 2.0), Dose(10.0, "intratumoral", 9.0), Dose(12.0, "iv", 1.0)), 0.05)
    fine = np.linspace(0, 20, 200_001)
    values = np.array([agent.plasma(m) for m in fine])
    assert agent.plasma_mean(0, 20) == pytest.approx(np.trapezoid(values, fine) / 20, rel=1e-4)


@pytest.mark.parametrize("route", ["iv", "intratumoral"])
def test_a_dose_in_mg_is_that_of_the_stated_mouse(route):
    arms = {"kg": {"drugs": [{"name": "rsl3", "dose_mg_kg": 10, "route": route}]}, "mg": {"drugs": [{"name": "rsl3", "dose_mg": 0.25, "route": route}]}}
    doses = [tissue(a, 2, arms=arms, tumour__mouse_g=25).therapy.drugs[0].doses[0].amount for a in arms]
    assert doses[0] == pytest.approx(doses[1], rel=1e-12)


# ---- payloads -------------------------------------------------------------------------------------------
def carrier(**payload):
    """A platform of the library with other payloads."""
    e = LIBRARY.nanoparticle("peg_pdpa_rsl3")
    return e.model_copy(update={"payloads": tuple(Payload.model_construct(**p) for p in payload.values())})


def of_library(particles, arm, base=TISSUE):
    """A model of an arm with platforms of the test's own."""
    config = config_of(base)
    library = config.library
    for name, entry in particles.items():
        library = library.with_entry("nanoparticles", name, entry, {})
    config = config.with_values({"name": "own"})  # a copy, whose library may be another
    object.__setattr__(config, "_context", replace(config._context, library=library))
    return TumourModel(config.with_values({"arms.x": arm}), seed=2, arm="x")


DRUG = {"iron": False, "loading": 1.0, "free_fraction": 1.0, "labile_fraction": 0.0, "cap_uM_min": 0.0}


def test_two_platforms_with_one_payload_release_the_sum_beside_the_free_drug():
    """The drug's source is what both release; what is given free comes on top."""
    two = {"a_np": carrier(one={**DRUG, "drug": "bso"}), "b_np": carrier(one={**DRUG, "drug": "bso", "loading": 0.5})}
    totals = {}
    for given in (("a_np",), ("b_np",), ("a_np", "b_np")):
        arm = {"nanoparticles": [{"name": n, "bath_uM": 10, "route": "bath", "day": 0} for n in given]}
        totals[given] = ticks(of_library(two, arm), 60).fields["bso"].concentration.sum()
    assert totals["a_np", "b_np"] == pytest.approx(totals[("a_np",)] + totals[("b_np",)], rel=0.01)
    free = {"drugs": [{"name": "bso", "dose_mg_kg": 50}]}
    alone = ticks(of_library(two, free), 60).fields["bso"].concentration.sum()
    arm = {**free, "nanoparticles": [{"name": n, "bath_uM": 10, "route": "bath", "day": 0} for n in two]}
    assert ticks(of_library(two, arm), 60).fields["bso"].concentration.sum() == pytest.approx(alone + totals["a_np", "b_np"], rel=0.01)


def test_two_payloads_of_one_drug_count_together():
    one = {"a_np": carrier(one={**DRUG, "drug": "bso"})}
    halves = {"a_np": carrier(one={**DRUG, "drug": "bso", "loading": 0.4}, two={**DRUG, "drug": "bso", "loading": 0.6})}
    arm = {"nanoparticles": [{"name": "a_np", "bath_uM": 10, "route": "bath", "day": 0}]}
    whole_, parts = (ticks(of_library(p, arm), 60).fields["bso"].concentration.sum() for p in (one, halves))
    assert whole_ == pytest.approx(parts, rel=1e-9)


def test_two_iron_payloads_add_up():
    iron = {"iron": True, "drug": None, "free_fraction": 1.0}
    e: NanoparticleEntry = carrier(
        core={**iron, "loading": 3.0, "labile_fraction": 0.01, "cap_uM_min": 0.4}, coat={**iron, "loading": 1.0, "labile_fraction": 0.03, "cap_uM_min": 0.2}
    )
    total, labile, cap = e.iron_terms
    assert (total, labile, cap) == pytest.approx((4.0, 0.015, 0.6))


def test_a_payload_drug_on_a_clock_slower_than_release_is_refused():
    with pytest.raises(ConfigError, match=r"fields\.rsl3\.clock_min"):
        config_of(TISSUE, arms={"x": {"nanoparticles": [{"name": "peg_pdpa_rsl3", "dose_mg_kg": 1, "day": 0}]}}, fields__rsl3__clock_min=20)


# ---- an enzyme in blood ----------------------------------------------------------------------------------
@pytest.mark.mechanism("M02")
def test_an_enzyme_in_blood_lowers_what_vessels_bring_and_then_gsh():
    """Cystine at vessels falls to 1/(1 + c/K) of its level, in tissue and in GSH it is felt, more at a higher dose."""
    arms = {f"d{d}": {"drugs": [{"name": "cysteinase", "dose_mg_kg": d}]} for d in (0.01, 5, 50)}
    quiet = {"fields__cysteinase__vessel_exchange": 0}  # none of it reaches tissue: what is seen is the blood's doing
    e = LIBRARY.drug("cysteinase")
    ki = next(h.ki_uM for h in e.hits if h.target == "vessel")
    models = [hours(tissue(arm, 2, arms=arms, **quiet), 12) for arm in arms]
    for model in models:
        c = model.therapy.drugs[0].plasma(model.tick * model.dt_min)
        assert model.fields["cystine"].vessel_value == pytest.approx(40 / (1 + c / ki))
        assert level(model, "cysteinase") == 0.0
    cystine, gsh = [level(m, "cystine") for m in models], [mean(m, "gsh") for m in models]
    assert falls(cystine, 1.3)
    assert falls(gsh, 1.1)
    untreated = hours(tissue("control", 2, arms={"control": {}}), 12)
    assert cystine[0] == pytest.approx(level(untreated, "cystine"), rel=0.05)


@pytest.mark.mechanism("M02")
def test_cystine_comes_back_when_the_enzyme_is_gone():
    model = tissue("x", 2, arms={"x": {"drugs": [{"name": "cysteinase", "dose_mg_kg": 50}]}}, fields__cysteinase__vessel_exchange=0)
    enzyme = model.mechanism("blood_enzymes")
    enzyme.hits["cystine"] = [(replace(agent, rate_per_min=0.1), strength) for agent, strength in enzyme.hits["cystine"]]
    model = ticks(model, 20)
    assert model.fields["cystine"].vessel_value < 25
    low = level(model, "cystine")
    model = ticks(model, 180)
    assert model.fields["cystine"].vessel_value == pytest.approx(40, rel=1e-6)
    assert level(model, "cystine") > 1.3 * low


def test_an_enzyme_in_the_dish_does_not_touch_vessels():
    model = ticks(dish("x", arms={"x": bath("cysteinase", 5)}), 40)
    assert model.fields["cystine"].vessel_value == 40
    assert DISH["mechanisms"]["vessels"]["per_mm2"] == 0


def test_a_dose_of_nothing_leaves_the_tumour_as_it_was():
    def after(arms):
        model = ticks(tissue("x", 2, arms={"x": arms}), 360)
        return {c: np.array(getattr(model.tumour, c)) for c in ("uid", "voxel", "gsh", "damage", "lip")}

    untreated = after({})
    for kind, name in (("drugs", "rsl3"), ("antibodies", "anti_pdl1"), ("nanoparticles", "peg_pdpa_rsl3"), ("nanoparticles", "cnsi_fe")):
        nothing = after(local(name, kind, 0.0, route="intratumoral" if name == "cnsi_fe" else "iv"))
        for column, values in untreated.items():
            np.testing.assert_array_equal(nothing[column], values, err_msg=f"{name}: {column}")
    assert not np.array_equal(after(local("rsl3", dose=5.0, route="iv"))["gsh"], untreated["gsh"])
