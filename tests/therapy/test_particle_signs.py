"""Every payload of every platform moves what it should, in cells of a dish that holds the particles."""

from functools import cache

import numpy as np
import pytest
from support import QUIET, UNBREAKABLE, bath, died, dish, hours, level, mean, particles, rises, tissue

from tme.library import load_library

SLOW = {"mechanisms__death__k_apo": 0, "mechanisms__ferroptosis": UNBREAKABLE}
COPPER = {"mechanisms__cuproptosis": {"on": True}}
UP, DOWN = 1, -1
LIGHT = {"name": "light", "day": 0, "fluence_mw_cm2": 0.5, "minutes": 30}
HYPOXIA = {"fields__oxygen__initial": 1}


def given(platform, dose=None):
    """An arm that holds a platform in the medium, or puts it there where it is not given by bath."""
    if "bath" in load_library().nanoparticle(platform).routes:
        return {"nanoparticles": [{"name": platform, "bath_uM": dose or 300, "route": "bath", "day": 0}]}
    return particles(platform, dose or 1, route="intratumoral")


@cache
def seen(platform="", copper=False, lit="", airless=False, n=4, dose=None):
    """The dish after some hours with a platform, or without; `lit`: the sensitiser on which light shines."""
    arm = {**(given(platform, dose) if platform else {}), **({"events": [{**LIGHT, "sensitiser": lit}]} if lit else {})}
    return hours(dish("x", arms={"x": arm}, **SLOW, **(COPPER if copper else {}), **(HYPOXIA if airless else {})), n)


CASES = [
    pytest.param("peg_pdpa_rsl3", "gpx4", DOWN, {}, marks=pytest.mark.mechanism("N1")),
    pytest.param("pd1_membrane_rsl3", "gpx4", DOWN, {}, marks=pytest.mark.mechanism("N2")),
    pytest.param("tannic_fe_dox", "lip", UP, {}, marks=pytest.mark.mechanism("N3")),
    pytest.param("alginate_withaferin", "gpx4", DOWN, {}, marks=pytest.mark.mechanism("N4")),
    pytest.param("chod_sulfasalazine", "cysteine", DOWN, {"dose": 20000}, marks=pytest.mark.mechanism("N5")),
    pytest.param("azo_hypoxia_fe", "lip", UP, {"airless": True}, marks=pytest.mark.mechanism("N6")),
    pytest.param("azo_hypoxia_fe", "cysteine", DOWN, {"airless": True}, marks=pytest.mark.mechanism("N6")),
    pytest.param("pyro_fe_dha", "lip", UP, {}, marks=pytest.mark.mechanism("N7")),
    pytest.param("gold_mir21", "cysteine", DOWN, {}, marks=pytest.mark.mechanism("N8", "M89")),
    pytest.param("iron_oxide", "lip", UP, {}, marks=pytest.mark.mechanism("N9")),
    pytest.param("microglia_iron_oxide_sipdl1", "lip", UP, {}, marks=pytest.mark.mechanism("N9")),
    pytest.param("folate_plga_fe", "lip", UP, {}, marks=pytest.mark.mechanism("N10")),
    pytest.param("iron_oxide_sipdl1", "lip", UP, {}, marks=pytest.mark.mechanism("N11")),
    pytest.param("sequential_cgamp_fe", "lip", UP, {}, marks=pytest.mark.mechanism("N12")),
    pytest.param("cnsi_fe", "lip", UP, {}, marks=pytest.mark.mechanism("N13", "D7")),
    pytest.param("cnsi_carbon", "plooh", UP, {}, marks=pytest.mark.mechanism("N13", "D7")),
    pytest.param("tanshinone_alginate", "cysteine", DOWN, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("asv_nanodots", "plooh", UP, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("mgox_fe_hmon", "lip", UP, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("mgox_fe_hmon", "plooh", UP, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("isl_rlp_fe", "lip", UP, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("isl_rlp_fe", "cysteine", DOWN, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("bso_oxaliplatin_fe", "gsh", DOWN, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("bso_oxaliplatin_fe", "lip", UP, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("dox_dha_magnetic", "lip", UP, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("hypoxia_fe_dox", "lip", UP, {"airless": True}, marks=pytest.mark.mechanism("N14")),
    pytest.param("vitamin_c_fe", "plooh", UP, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("plga_ike", "cysteine", DOWN, {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("tussah_elesclomol_cu", "copper", UP, {"copper": True}, marks=pytest.mark.mechanism("N15")),
    pytest.param("tussah_elesclomol_cu", "aggregate", UP, {"copper": True}, marks=pytest.mark.mechanism("N15")),
    pytest.param("nct503_cu_hmpb", "copper", UP, {"copper": True}, marks=pytest.mark.mechanism("N16")),
    pytest.param("nct503_cu_hmpb", "gsh", DOWN, {"copper": True}, marks=pytest.mark.mechanism("N16", "M106")),
    pytest.param("cuet_phf", "copper", UP, {"copper": True}, marks=pytest.mark.mechanism("N17")),
    pytest.param("mil_cu_s_tpp_fa", "copper", UP, {"copper": True}, marks=pytest.mark.mechanism("N18")),
    pytest.param("mil_cu_s_tpp_fa", "lip", UP, {"copper": True}, marks=pytest.mark.mechanism("N18")),
    pytest.param("csir", "cysteine", DOWN, {"copper": True, "lit": "ir780"}, marks=pytest.mark.mechanism("N19", "D3")),
    pytest.param("csir", "copper", UP, {"copper": True, "lit": "ir780"}, marks=pytest.mark.mechanism("N19")),
    pytest.param("csir", "gsh", DOWN, {"copper": True, "lit": "ir780"}, marks=pytest.mark.mechanism("N19")),
    pytest.param("hmpb_ery_pt", "gpx4", DOWN, {"dose": 3000}, marks=pytest.mark.mechanism("N20", "D4")),
    pytest.param("mno2_fepdac_np", "coq10h2", DOWN, {}, marks=pytest.mark.mechanism("N21", "D9")),
    pytest.param("usinas_apdl1", "gsh", DOWN, {}, marks=pytest.mark.mechanism("N21", "D9")),
    pytest.param("aur_plu_hm", "pufa", UP, {}, marks=pytest.mark.mechanism("N21", "D9")),
    pytest.param("pco_np", "plooh", UP, {}, marks=pytest.mark.mechanism("N21", "D9")),
    pytest.param("dp_hbn_ra_np", "gpx4", DOWN, {}, marks=pytest.mark.mechanism("N21", "D9")),
    pytest.param("pufa_fe", "pufa", UP, {}, marks=pytest.mark.mechanism("N22")),
    pytest.param("pufa_fe", "lip", UP, {}, marks=pytest.mark.mechanism("N22")),
]


@pytest.mark.parametrize(("platform", "what", "direction", "dish_of"), CASES)
def test_a_payload_moves_what_it_should(platform, what, direction, dish_of):
    treated, rest = mean(seen(platform, **dish_of), what), mean(seen(**dish_of), what)
    assert direction * (treated - rest) > 0.005 * abs(rest)


KILLS = [
    pytest.param("tannic_fe_dox", {}, marks=pytest.mark.mechanism("N3")),
    pytest.param("azo_hypoxia_fe", {"airless": True}, marks=pytest.mark.mechanism("N6")),
    pytest.param("asv_nanodots", {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("bso_oxaliplatin_fe", {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("dox_dha_magnetic", {}, marks=pytest.mark.mechanism("N14")),
    pytest.param("hypoxia_fe_dox", {"airless": True}, marks=pytest.mark.mechanism("N14")),
    pytest.param("hmpb_ery_pt", {"dose": 3000}, marks=pytest.mark.mechanism("N20")),
    pytest.param("dp_hbn_ra_np", {}, marks=pytest.mark.mechanism("N21")),
]


@pytest.mark.parametrize(("platform", "dish_of"), KILLS)
def test_a_payload_of_chemotherapy_kills_by_apoptosis(platform, dish_of):
    treated, rest = (hours(seen.__wrapped__(p, **dish_of), 6) for p in (platform, ""))
    assert died(treated, "apoptosis") > 5 and died(rest, "apoptosis") == 0


@pytest.mark.mechanism("N1")
def test_light_on_the_micelle_with_its_ester_makes_oxidants_that_the_plain_one_does_not():
    beam = {"events": [{**LIGHT, "day": 0.1, "sensitiser": "pyropheophorbide"}]}
    arms = {"lit": {**given("peg_pdpa_rsl3_pbe"), **beam}, "dark": given("peg_pdpa_rsl3_pbe"), "plain": {**given("peg_pdpa_rsl3"), **beam}}
    lit, dark, plain = (hours(dish(arm, arms=arms, **SLOW), 3) for arm in arms)
    assert [float(np.mean(model.events.signal("light"))) > 0.5 for model in (lit, dark, plain)] == [True, False, False]
    assert mean(lit, "plooh") > mean(plain, "plooh") and mean(lit, "gsh") < mean(plain, "gsh")


@pytest.mark.mechanism("N2", "N21")
@pytest.mark.parametrize("platform", ["pd1_membrane_rsl3", "usinas_apdl1"])
def test_a_coat_covers_pdl1(platform):
    model = seen(platform)
    t = model.tumour
    assert (t.pdl1_free[: t.n] / t.pdl1[: t.n]).max() < 0.5


@pytest.mark.mechanism("N9", "N11", "M89")
@pytest.mark.parametrize("platform", ["microglia_iron_oxide_sipdl1", "iron_oxide_sipdl1"])
def test_a_platform_with_sirna_lowers_pdl1_that_ifng_induces(platform):
    induced = {"fields__ifng": {"initial": 10, "held": True}}
    with_, without = (hours(dish("x", arms={"x": arm}, **SLOW, **induced), 12) for arm in (given(platform), {}))
    assert mean(with_, "pdl1") < 0.95 * mean(without, "pdl1")


@pytest.mark.mechanism("N12", "N14", "N21", "M76")
@pytest.mark.parametrize("platform", ["sequential_cgamp_fe", "isl_rlp_fe", "dp_hbn_ra_np"])
def test_a_payload_that_rouses_dendritic_cells_makes_them_mature_sooner(platform):
    with_, without = (hours(tissue("x", arms={"x": arm}, rules=QUIET), 5) for arm in (given(platform, 1000), {}))
    n = with_.dendritic.n
    assert with_.dendritic.term("maturation.rate")[:n].mean() > 1.05
    assert not without.dendritic.term("maturation.rate").size


@pytest.mark.mechanism("N10", "N18")
@pytest.mark.parametrize("platform", ["folate_plga_fe", "mil_cu_s_tpp_fa", "tussah_elesclomol_cu"])
def test_a_ligand_makes_tumour_cells_take_up_more(platform):
    plain = {f"entries__nanoparticles__{platform}__ligand": None}
    copper = {} if platform == "folate_plga_fe" else COPPER
    with_, without = (hours(dish("x", arms={"x": given(platform)}, **SLOW, **copper, **change), 1) for change in ({}, plain))
    held = [getattr(m.tumour, f"np_{platform}")[: m.tumour.n].mean() for m in (with_, without)]
    assert held[0] > 1.5 * held[1]


@pytest.mark.mechanism("N22")
def test_pufa_with_iron_reaches_membranes_of_cells_that_lack_acsl4():
    lacking = {"tumour__traits": {"acsl4": 0.3}}
    arms = {"x": given("pufa_fe"), "control": {}}
    with_, without = (hours(dish(arm, arms=arms, **SLOW, **lacking), 6) for arm in arms)
    assert mean(with_, "pufa") > 1.3 * mean(without, "pufa")


@pytest.mark.mechanism("N13", "D7")
def test_carbon_and_iron_of_the_suspension_act_apart_and_together():
    both, carbon, rest = (mean(seen(p), "plooh") for p in ("cnsi_fe", "cnsi_carbon", ""))
    assert both > carbon > rest
    assert mean(seen("cnsi_carbon"), "lip") == pytest.approx(mean(seen(), "lip"), rel=1e-3)


@pytest.mark.mechanism("M105")
def test_glucose_oxidase_takes_glucose_away():
    arms = {"x": bath("glucose_oxidase", 0.1), "control": {}}
    with_, without = (hours(tissue(arm, arms=arms, fields__glucose={"initial": 5}), 3) for arm in arms)
    assert level(with_, "glucose") < 0.5 * level(without, "glucose")


@pytest.mark.mechanism("N11")
def test_neutrophils_bring_what_they_carry_and_without_them_nothing_comes():
    some = {"populations__neutrophil": {"per_mm2": 200}}
    arm = particles("neutrophil_iron_oxide_sipdl1", 20)
    name = "neutrophil_iron_oxide_sipdl1"
    with_, without = (hours(tissue("x", arms={"x": arm}, **change), 4) for change in (some, {}))
    assert level(with_, name) + mean(with_, f"np_{name}") > 0.01
    assert level(without, name) == 0.0 and mean(without, f"np_{name}") == 0.0


@pytest.mark.mechanism("N4", "N5")
def test_a_gel_stays_where_it_was_injected_and_gives_off_its_drug():
    for name, drug in (("chod_sulfasalazine", "sulfasalazine"), ("alginate_withaferin", "withaferin_a")):
        model = hours(tissue("x", arms={"x": particles(name, 20, route="intratumoral")}), 3)
        gel = model.fields[name].concentration
        assert 0 < np.count_nonzero(gel) < 0.1 * gel.size
        assert level(model, drug) > 0
        assert mean(model, f"np_{name}") == 0.0


@pytest.mark.mechanism("N15", "M129")
def test_carried_elesclomol_lasts_longer_in_plasma_than_free():
    library = load_library()
    assert library.nanoparticle("tussah_elesclomol_cu").plasma_half_life_min > 3 * library.drug("elesclomol").plasma_half_life_min
    arms = {"free": {"drugs": [{"name": "elesclomol", "dose_mg_kg": 5}]}, "carried": particles("tussah_elesclomol_cu", 5)}
    free, carried = (hours(tissue(arm, arms=arms, **COPPER), 8).therapy for arm in arms)
    left = [agent.plasma(480.0) / agent.plasma(0.0) for agent in (free.drugs[0], carried.nanoparticles[0])]
    assert rises(left, 3)


@pytest.mark.mechanism("M129")
def test_a_carried_drug_reaches_the_tumour_for_less_free_drug_in_plasma():
    """As much IKE free and carried: free drug in tumour cells' voxels over free drug in plasma, which other organs see."""
    arms = {"free": {"drugs": [{"name": "ike", "dose_mg_kg": 20}]}, "carried": particles("plga_ike", 20)}
    tumour, plasma = [], []
    for arm in arms:
        model, seen_here, seen_there = tissue(arm, arms=arms), 0.0, 0.0
        for _ in range(24):
            hours(model, 0.5)
            field = model.fields["ike"]
            seen_here += field.at(model.tumour.voxel[: model.tumour.n]).mean()
            seen_there += field.vessel_value
        tumour.append(seen_here)
        plasma.append(seen_there)
    assert plasma[0] > 0 == plasma[1]
    assert tumour[1] > 0
    assert tumour[0] < 1.2 * plasma[0]


@pytest.mark.mechanism("M129")
def test_one_free_fraction_of_a_drug_holds_in_plasma_and_in_tissue():
    library = load_library()
    assert library.nanoparticle("peg_pdpa_rsl3").payloads[0].free_fraction == library.drug("rsl3").unbound_fraction


@pytest.mark.mechanism("N1", "N3", "N5", "N6", "N7", "N12", "N14", "N15", "N16", "N17", "N18", "N19", "N20", "N21", "N22")
@pytest.mark.parametrize("platform", [n for n, e in load_library().nanoparticles.items() if "bath" in e.routes])
def test_every_drug_that_a_platform_carries_gets_out(platform):
    entry = load_library().nanoparticle(platform)
    copper = any(h.target == "cu_influx" for p in entry.payloads if p.drug for h in load_library().drug(p.drug).hits)
    lit = "ir780" if "light" in entry.release.triggers else ""
    model = seen(platform, copper=copper, lit=lit, airless="hypoxia" in entry.release.triggers)
    assert all(level(model, p.drug) > 0.0 for p in entry.payloads if p.drug)
    shut = hours(dish("x", arms={"x": given(platform)}, mechanisms__nanoparticles={"release_scale": 0}, **SLOW, **(COPPER if copper else {})), 1)
    assert all(level(shut, p.drug) == 0.0 for p in entry.payloads if p.drug)


IRON = [
    pytest.param("tannic_fe_dox", 10, marks=pytest.mark.mechanism("N3")),
    pytest.param("azo_hypoxia_fe", 10, marks=pytest.mark.mechanism("N6")),
    pytest.param("folate_plga_fe", 10, marks=pytest.mark.mechanism("N10")),
    pytest.param("iron_oxide", 60, marks=pytest.mark.mechanism("N9")),
]


@pytest.mark.parametrize(("platform", "dose"), IRON)
def test_iron_at_an_injected_dose_kills_nothing_by_itself_and_makes_an_inducer_kill_more(platform, dose):
    """Half a day after the injection a weak bath of RSL3 begins: ferroptotic deaths with iron against without."""
    inducer, iron = bath("rsl3", 0.03, day=0.5), particles(platform, dose)
    arms = {"iron": iron, "inducer": inducer, "both": {**inducer, **iron}}
    dead = {arm: died(hours(tissue(arm, arms=arms, populations=None), 36)) for arm in arms}
    assert dead["iron"] <= 2
    assert dead["both"] > 1.15 * dead["inducer"] > 10
