"""Particles: what opens them, what their payload does, and what they spare the rest of the body."""

import numpy as np
import pytest
from support import died, dish, falls, hours, level, mean, particles, rises, tissue

TO_FIELD = {
    "peg_pdpa_rsl3": 0.2,
    "iron_oxide": 0.3,
    "tannic_fe_dox": 0.3,
    "azo_hypoxia_fe": 0.3,
    "cnsi_fe": 0.3,
}
GENTLE = {"mechanisms__ferroptosis__d_leth": 5000}


def injected(name, dose=None, time=4, arm="p", **changes):
    """A dish some hours after particles were injected into it, mg/kg; cells do not break."""
    arms = {"p": particles(name, dose or TO_FIELD.get(name, 0.3), route="intratumoral")}
    return hours(dish(arm, arms=arms, **{**GENTLE, **changes}), time)


def in_tumour(name, dose, time, arm="p", **changes):
    """A tumour some hours after an intravenous dose."""
    return hours(tissue(arm, arms={"p": particles(name, dose)}, **changes), time)


@pytest.mark.mechanism("N1")
def test_rsl3_particles_destroy_gpx4_with_their_dose():
    models = [injected("peg_pdpa_rsl3", d) for d in (0.01, 0.1, 1.0)]
    assert rises([level(m, "rsl3") for m in models], 2)
    assert falls([mean(dish(), "gpx4"), *(mean(m, "gpx4") for m in models)], 1.02)


@pytest.mark.mechanism("N1")
@pytest.mark.mechanism("M130")
def test_rsl3_particles_open_in_acid():
    models = [injected("peg_pdpa_rsl3", mechanisms__nanoparticles__endosome_ph=x) for x in (7.4, 6.3, 5.0)]
    assert falls([mean(m, "gpx4") for m in models], 1.0005)
    outside = [injected("peg_pdpa_rsl3", mechanisms__nanoparticles__tissue_ph=x) for x in (7.4, 6.7, 6.0)]
    assert falls([mean(m, "gpx4") for m in outside], 1.02)
    assert rises([level(m, "rsl3") for m in outside], 1.1)


@pytest.mark.mechanism("N1")
def test_an_injected_tumour_dies_of_ferroptosis_and_matures_dendritic_cells():
    lively = {"mechanisms__priming": {"k_mature": 0.01, "residence_min": 4320}}
    models = [in_tumour("peg_pdpa_rsl3", 30, 16, arm, **lively) for arm in ("control", "p")]
    assert died(models[1]) > died(models[0]) + 20
    assert models[1].counters["dc_matured"] > models[0].counters["dc_matured"]


@pytest.mark.mechanism("N1")
def test_switching_off_release_takes_the_particles_effect_away():
    """Same seed, same doses: particles that keep their payload leave every tumour cell as in the control."""
    shut = {"mechanisms__nanoparticles__release_scale": 0}
    control, closed = (in_tumour("peg_pdpa_rsl3", 30, 6, arm, **shut) for arm in ("control", "p"))
    assert closed.fields["peg_pdpa_rsl3"].concentration.max() > 1.0
    assert level(closed, "rsl3") == 0.0
    for name in ("uid", "state", "gpx4", "plooh", "ifng", "pdl1", "damage"):
        assert np.array_equal(getattr(control.tumour, name), getattr(closed.tumour, name)), name
    opened = in_tumour("peg_pdpa_rsl3", 30, 6)
    assert mean(opened, "gpx4") < 0.7 * mean(closed, "gpx4")


@pytest.mark.slow
@pytest.mark.mechanism("N3")
@pytest.mark.mechanism("M130")
def test_the_iron_coat_dissolves_in_acid_and_fills_the_labile_pool():
    assert rises([mean(injected("tannic_fe_dox", d), "lip") for d in (0.003, 0.3, 3.0)], 1.02)
    acid = [injected("tannic_fe_dox", mechanisms__nanoparticles__endosome_ph=x) for x in (7.4, 6.6, 5.0)]
    assert rises([mean(m, "lip") for m in acid], 1.01)


@pytest.mark.mechanism("N3")
def test_iron_kills_what_it_loads_and_only_then():
    arms = {"p": particles("tannic_fe_dox", 50, route="intratumoral")}
    loaded = hours(dish("p", arms=arms), 8)
    shut = hours(dish("p", arms=arms, mechanisms__nanoparticles__release_scale=0), 8)
    assert died(loaded) > 100 and died(shut) == 0


@pytest.mark.mechanism("N6")
@pytest.mark.mechanism("M130")
def test_hypoxia_gated_particles_open_where_oxygen_is_low():
    models = [injected("azo_hypoxia_fe", fields__oxygen__initial=o) for o in (140, 20, 3)]
    assert rises([mean(m, "j_fe") for m in models], 1.2)
    assert rises([mean(m, "lip") for m in models], 1.02)
    ungated = [injected("tannic_fe_dox", fields__oxygen__initial=o) for o in (140, 3)]
    assert mean(ungated[0], "j_fe") == pytest.approx(mean(ungated[1], "j_fe"), rel=1e-6)


@pytest.mark.mechanism("N6")
def test_hypoxia_gated_iron_turns_macrophages_to_m1():
    def m1(arm, oxygen):
        settings = {"populations__macrophage": {"share": 0.2}, "mechanisms__polarisation__tau_min": 360}
        model = injected("azo_hypoxia_fe", 0.05, 6, arm, fields__oxygen__initial=oxygen, **settings)
        return float(model.macrophage.m1.mean())

    assert rises([m1("control", 3), m1("p", 140), m1("p", 3)], 1.01)


@pytest.mark.mechanism("N13")
def test_injected_carbon_brings_iron_without_transferrin():
    no_transferrin = {"mechanisms__ferroptosis": {"j_tf": 0, "d_leth": 5000}}
    models = [injected("cnsi_fe", d, **no_transferrin) for d in (0.1, 1, 5)]
    assert rises([mean(m, "lip") for m in models], 1.5)


@pytest.mark.mechanism("N13")
@pytest.mark.mechanism("M29")
def test_blocked_ferroportin_keeps_injected_iron_in():
    models = [
        injected("cnsi_fe", 0.2, mechanisms__ferroptosis={"fpn": x, "d_leth": 5000}) for x in (3, 1, 0.2)
    ]
    assert rises([mean(m, "lip") for m in models], 1.05)
    assert rises([mean(m, "ferritin") for m in models], 1.005)


@pytest.mark.mechanism("M89")
def test_sirna_payload_silences_pdl1_with_its_dose():
    """Under IFN-gamma, PD-L1 of tumour cells falls with the dose of particles that carry siRNA, and not
    with the same particles without."""

    def pdl1(name, dose, **changes):
        induced = {"mechanisms__ifng_response__pdl1_tau": 120, "fields__ifng__initial": 10}
        return mean(injected(name, dose, 8, **induced, **changes), "pdl1")

    bare = pdl1("iron_oxide", 0.3)
    assert falls([bare, *(pdl1("iron_oxide_sipdl1", d) for d in (0.03, 0.3))], 1.1)
    assert pdl1("iron_oxide_sipdl1", 0.3, mechanisms__nanoparticles__release_scale=0) == pytest.approx(bare)


@pytest.mark.mechanism("M89")
def test_microrna_payload_weakens_the_redox_defence_with_its_dose():
    models = [injected("gold_mir21", d, 8) for d in (0.01, 0.1, 1)]
    assert falls([mean(dish(), "gsh"), *(mean(m, "gsh") for m in models)], 1.02)
    assert rises([mean(m, "plooh") for m in models], 1.02)
    shut = injected("gold_mir21", 0.1, 8, mechanisms__nanoparticles__release_scale=0)
    assert mean(shut, "gsh") == pytest.approx(mean(hours(dish(), 8), "gsh"), rel=1e-9)


def payload(model):
    """RSL3 in tumour voxels, uM: free, in free particles, and in particles that cells hold."""
    t = model.tumour
    total = model.fields["rsl3"].concentration[t.voxel].mean()
    for agent in model.therapy.nanoparticles:
        held = getattr(t, f"np_{agent.name}").mean() * model.cell_fraction
        total += model.fields[agent.name].concentration[t.voxel].mean() + held
    return total


@pytest.mark.mechanism("M129")
def test_carried_rsl3_reaches_the_tumour_and_spares_the_blood():
    """One dose of RSL3, free or carried: what sits and acts in the tumour over a day, and free drug in plasma."""
    injection = {"drugs": [{"name": "rsl3", "dose_mg_kg": 10, "day": 0}]}
    exposure = {}
    for arm, plan in (("free", injection), ("carried", particles("peg_pdpa_rsl3", 10))):
        model = tissue(arm, arms={arm: plan}, mechanisms__ferroptosis__d_leth=5000, populations=None)
        tumour = plasma = active = 0.0
        for _ in range(48):
            hours(model, 0.5)
            tumour += 30 * payload(model)
            active += 30 * model.fields["rsl3"].concentration[model.tumour.voxel].mean()
            plasma += 30 * model.therapy.drugs[0].plasma(model.tick)
        exposure[arm] = {"tumour": tumour, "active": active, "plasma": plasma}
    free, carried = exposure["free"], exposure["carried"]
    assert carried["tumour"] > 2 * free["tumour"]
    assert carried["active"] > free["active"]
    assert carried["plasma"] < 0.1 * free["plasma"]


@pytest.mark.mechanism("M129")
def test_vessels_of_normal_tissue_that_hold_particles_back_spare_it():
    """A normal tissue as frail as the tumour: fewer of its cells die the less its vessels leak, and most of the dose in the tumour stays."""
    frail = {"fsp1": 0.0, "acsl4": 1.0, "tfr1": 1.0, "d_leth": 20.0}
    own = {"populations": {"normal": {"share": 0.3}}, "mechanisms__ferroptosis_normal": {"on": True}, "entries__cells__normal__pathways__ferroptosis__preset": frail,
           "domain__size_um": [900, 900]}  # fmt: skip
    leak = "entries__nanoparticles__peg_pdpa_rsl3__normal_leak"
    models = [in_tumour("peg_pdpa_rsl3", 10, 12, **own, **{leak: {"value": x, "unit": "1", "source": "assumed: of a test"}}) for x in (1.0, 0.3, 0.0)]
    harmed = [m.observe()["normal_ferroptosis"] for m in models]
    assert falls(harmed, 1.2)
    assert payload(models[-1]) > 0.5 * payload(models[0])


@pytest.mark.mechanism("M129")
def test_more_of_the_dose_delivered_means_more_drug_in_the_tumour():
    held = [in_tumour("peg_pdpa_rsl3", d, 4, populations=None) for d in (3, 10, 30)]
    assert rises([level(m, "peg_pdpa_rsl3") for m in held], 2)
    assert rises([level(m, "rsl3") for m in held], 2)
