"""Every drug of the inventory moves what its row names, in the direction that the reviews give, in cells of a dish.

A case is drug, level in uM, what is looked at, direction. The dish holds equal cells whose membranes do not break, so that
their chemistry can be read; the same dish without the drug is the other side, built once for each set of switches.
"""

from functools import cache

import pytest
from support import QUIET, UNBREAKABLE, bath, died, dish, hours, mean, tissue

from tme.library import load_library

HOURS = 3
SLOW = {"mechanisms__death__k_apo": 0, "mechanisms__ferroptosis": {**UNBREAKABLE, "kap_b": 1.0}}
COPPER = {"mechanisms__cuproptosis": {"on": True}}
MEDIUM = {"glucose_oxidase": {"fields__glucose": {"initial": 5, "held": True}}}  # what a drug lives on is brought anew, as cystine and oxygen are
NORMAL = {"populations__normal": {"share": 0.3}, "mechanisms__ferroptosis_normal": {"on": True}}
UP, DOWN = 1, -1



@cache
def seen(drug="", level=0.0, copper=False):
    """The dish after some hours in a bath."""
    arm = {"x": bath(drug, level) if drug else {}}
    return hours(dish("x", arms=arm, **SLOW, **MEDIUM.get(drug, {}), **(COPPER if copper else {})), HOURS)


def moves(drug, level, what, direction, copper=False):
    """Whether the drug moves the mean of a column of living cells by more than 0.5 % of what it is without."""
    treated, rest = mean(seen(drug, level, copper), what), mean(seen(copper=copper), what)
    return direction * (treated - rest) > 0.005 * abs(rest)


# A column of the chemistry shows the sign: cysteine, GSH, GPX4, CoQ10H2, labile iron, ferritin, PUFA, PLOOH.
CHEMISTRY = [
    pytest.param("gambogenic_acid", 10, "plooh", UP, marks=pytest.mark.mechanism("D1")),
    pytest.param("methotrexate", 1, "plooh", UP, marks=pytest.mark.mechanism("M21")),
    pytest.param("tubuloside_a", 30, "pufa", UP, marks=pytest.mark.mechanism("D2")),
    pytest.param("erastin", 2, "gsh", DOWN, marks=pytest.mark.mechanism("D3")),
    pytest.param("ike", 1, "gsh", DOWN, marks=pytest.mark.mechanism("D3")),
    pytest.param("tanshinone_iia", 20, "gsh", DOWN, marks=pytest.mark.mechanism("D3")),
    pytest.param("sulforaphane", 30, "cysteine", DOWN, marks=pytest.mark.mechanism("D3")),
    pytest.param("trifluridine_tipiracil", 30, "cysteine", DOWN, marks=pytest.mark.mechanism("D3")),
    pytest.param("sulfasalazine", 300, "cysteine", DOWN, marks=pytest.mark.mechanism("D3")),
    pytest.param("sorafenib", 15, "cysteine", DOWN, marks=pytest.mark.mechanism("D3")),
    pytest.param("erianin", 1, "gpx4", DOWN, marks=pytest.mark.mechanism("D4")),
    pytest.param("matrine", 2000, "gpx4", DOWN, marks=pytest.mark.mechanism("D4")),
    pytest.param("rsl3", 0.5, "gpx4", DOWN, marks=pytest.mark.mechanism("D4", "M06")),
    pytest.param("ml162", 0.5, "gpx4", DOWN, marks=pytest.mark.mechanism("D4", "M06")),
    pytest.param("fatostatin", 30, "gpx4", DOWN, marks=pytest.mark.mechanism("D4")),
    pytest.param("alpha_hederin", 30, "gpx4", DOWN, marks=pytest.mark.mechanism("D4")),
    pytest.param("eriodictyol", 60, "gpx4", DOWN, marks=pytest.mark.mechanism("D4", "N20")),
    pytest.param("temsirolimus", 5, "coq10h2", DOWN, marks=pytest.mark.mechanism("D5")),
    pytest.param("sorafenib", 15, "coq10h2", DOWN, marks=pytest.mark.mechanism("D5")),
    pytest.param("imetelstat", 5, "pufa", UP, marks=pytest.mark.mechanism("D6")),
    pytest.param("alkannin", 10, "pufa", UP, marks=pytest.mark.mechanism("D6")),
    pytest.param("baicalin", 60, "ferritin", DOWN, marks=pytest.mark.mechanism("D8")),
    pytest.param("haloperidol", 20, "lip", UP, marks=pytest.mark.mechanism("D8")),
    pytest.param("mori_folium_extract", 100, "lip", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("mori_folium_extract", 100, "gsh", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("mori_folium_extract", 100, "gpx4", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("methoxydalbergione", 30, "cysteine", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("methoxydalbergione", 30, "gpx4", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("mno2_fepdac", 60, "gpx4", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("mno2_fepdac", 60, "coq10h2", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("mno2_fepdac", 60, "plooh", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("usina", 20, "gsh", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("aurone_pluronic", 10, "pufa", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("pco", 60, "plooh", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("pco", 60, "gsh", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("dp_hbn_ra", 20, "gpx4", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("auriculasin", 30, "plooh", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("fucoxanthin", 60, "lip", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("metformin", 6000, "gpx4", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("metformin", 6000, "lip", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("icariin", 60, "cysteine", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("icariin", 60, "lip", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("platycodin_d2", 20, "plooh", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("dracorhodin_perchlorate", 30, "lip", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("dracorhodin_perchlorate", 30, "gsh", DOWN, marks=pytest.mark.mechanism("D9")),
    pytest.param("pevonedistat", 1, "cysteine", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("belinostat", 2, "cysteine", UP, marks=pytest.mark.mechanism("D9")),
    pytest.param("nqo1_activator", 10, "lip", UP, marks=pytest.mark.mechanism("M100")),
    pytest.param("nqo1_activator", 10, "plooh", UP, marks=pytest.mark.mechanism("M100")),
    pytest.param("propranolol", 60, "cysteine", DOWN, marks=pytest.mark.mechanism("D10")),
    pytest.param("dihydroartemisinin", 30, "lip", UP, marks=pytest.mark.mechanism("D11")),
    pytest.param("sodium_molybdate", 1500, "lip", UP, marks=pytest.mark.mechanism("D11")),
    pytest.param("paritaprevir", 30, "lip", UP, marks=pytest.mark.mechanism("D11")),
    pytest.param("artesunate", 30, "gsh", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("ropivacaine", 900, "gsh", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("mir_141_3p_inhibitor", 0.2, "gsh", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("tiliroside", 30, "gsh", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("aspirin", 3000, "pufa", UP, marks=pytest.mark.mechanism("D11")),
    pytest.param("arsenic_trioxide", 6, "pufa", UP, marks=pytest.mark.mechanism("D11")),
    pytest.param("tpen", 10, "pufa", UP, marks=pytest.mark.mechanism("D11")),
    pytest.param("curcumin_analogue", 6, "gpx4", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("nab_paclitaxel", 0.1, "gpx4", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("propofol", 150, "gpx4", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("tubastatin_a", 30, "gpx4", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("tqb3720", 15, "gpx4", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("beta_elemene", 600, "cysteine", DOWN, marks=pytest.mark.mechanism("D11", "M93")),
    pytest.param("ursolic_acid", 60, "cysteine", DOWN, marks=pytest.mark.mechanism("D11")),
    pytest.param("olaparib", 10, "cysteine", DOWN, marks=pytest.mark.mechanism("M93", "D11")),
    pytest.param("cetuximab", 0.02, "gsh", DOWN, marks=pytest.mark.mechanism("M93")),
    pytest.param("enzalutamide", 15, "pufa", UP, marks=pytest.mark.mechanism("M93", "M22")),
    pytest.param("apatinib", 30, "gpx4", DOWN, marks=pytest.mark.mechanism("M102")),
    pytest.param("usp8_inhibitor", 5, "gpx4", DOWN, marks=pytest.mark.mechanism("M07")),
    pytest.param("zdhhc8_inhibitor", 5, "gpx4", DOWN, marks=pytest.mark.mechanism("M08")),
    pytest.param("rapamycin", 0.2, "pufa", UP, marks=pytest.mark.mechanism("M54")),
    pytest.param("nct_503", 20, "cysteine", DOWN, marks=pytest.mark.mechanism("M106")),
    pytest.param("nrf2_inhibitor", 10, "gsh", DOWN, marks=pytest.mark.mechanism("M128")),
    pytest.param("si_nrf2", 0.005, "gsh", DOWN, marks=pytest.mark.mechanism("M128")),
    pytest.param("dhodh_inhibitor", 5, "coq10h2", DOWN, marks=pytest.mark.mechanism("M20")),
    pytest.param("vitamin_k", 15, "plooh", DOWN, marks=pytest.mark.mechanism("M18")),
    pytest.param("ferrostatin_1", 1, "plooh", DOWN, marks=pytest.mark.mechanism("M25", "M122")),
    pytest.param("liproxstatin_1", 1, "plooh", DOWN, marks=pytest.mark.mechanism("M25")),
    pytest.param("deferoxamine", 50, "lip", DOWN, marks=pytest.mark.mechanism("M36", "M122")),
    pytest.param("deferiprone", 50, "lip", DOWN, marks=pytest.mark.mechanism("M36")),
    pytest.param("deferasirox", 50, "lip", DOWN, marks=pytest.mark.mechanism("M36")),
    pytest.param("autophagy_inducer", 5, "lip", UP, marks=pytest.mark.mechanism("M101")),
    pytest.param("chloroquine", 30, "lip", DOWN, marks=pytest.mark.mechanism("M101")),
    pytest.param("withaferin_a", 5, "gpx4", DOWN, marks=pytest.mark.mechanism("N4")),
    pytest.param("haem_iron", 10, "lip", UP, marks=pytest.mark.mechanism("N7")),
    pytest.param("carbon_suspension", 2000, "plooh", UP, marks=pytest.mark.mechanism("D7", "N13")),
    pytest.param("vanadate", 20, "plooh", UP, marks=pytest.mark.mechanism("N14")),
    pytest.param("isoliquiritigenin", 60, "cysteine", DOWN, marks=pytest.mark.mechanism("N14")),
    pytest.param("vitamin_c", 5000, "plooh", UP, marks=pytest.mark.mechanism("N14")),
    pytest.param("pufa_lipid", 100, "pufa", UP, marks=pytest.mark.mechanism("N22")),
    pytest.param("glucose_oxidase", 0.2, "plooh", UP, marks=pytest.mark.mechanism("M105")),
]


@pytest.mark.parametrize(("drug", "level", "what", "direction"), CHEMISTRY)
def test_a_drug_moves_what_its_row_names(drug, level, what, direction):
    assert moves(drug, level, what, direction)


# ---- copper ---------------------------------------------------------------------------------------------------------
COPPER_CASES = [
    pytest.param("elesclomol", 0.05, "copper", UP, marks=pytest.mark.mechanism("M60")),
    pytest.param("cuet", 0.05, "copper", UP, marks=pytest.mark.mechanism("M60", "N17")),
    pytest.param("copper_ions", 5, "copper", UP, marks=pytest.mark.mechanism("M60")),
    pytest.param("pochonin_d", 10, "copper", UP, marks=pytest.mark.mechanism("M66")),
    pytest.param("pochonin_d", 10, "plooh", UP, marks=pytest.mark.mechanism("M66")),
    pytest.param("cu_chelator", 20, "copper", DOWN, marks=pytest.mark.mechanism("M116")),
]


@pytest.mark.parametrize(("drug", "level", "what", "direction"), COPPER_CASES)
def test_a_drug_of_copper_moves_what_its_row_names(drug, level, what, direction):
    assert moves(drug, level, what, direction, copper=True)


@pytest.mark.mechanism("M66", "D10")
def test_an_inhibitor_of_akt1_lets_an_ionophore_kill_more():
    arms = {"both": bath("elesclomol", 0.05, "akt1_inhibitor", 5), "one": bath("elesclomol", 0.05)}
    both, one = (hours(dish(arm, arms=arms, **SLOW, **COPPER), 5) for arm in arms)
    assert mean(both, "aggregate") > 1.1 * mean(one, "aggregate") > 0


@pytest.mark.mechanism("M116")
def test_a_copper_chelator_holds_off_what_an_ionophore_brings():
    arms = {"both": bath("elesclomol", 0.1, "cu_chelator", 50), "one": bath("elesclomol", 0.1)}
    both, one = (hours(dish(arm, arms=arms, **SLOW, **COPPER), 4) for arm in arms)
    assert mean(both, "copper") < 0.9 * mean(one, "copper")


# ---- drugs with a hazard of their own -----------------------------------------------------------------------------------
CHEMO = [
    pytest.param("cisplatin", 20, marks=pytest.mark.mechanism("M91")),
    pytest.param("oxaliplatin", 20, marks=pytest.mark.mechanism("M91")),
    pytest.param("gemcitabine", 0.5, marks=pytest.mark.mechanism("M91")),
    pytest.param("fluorouracil", 20, marks=pytest.mark.mechanism("M91")),
    pytest.param("capecitabine", 20, marks=pytest.mark.mechanism("M91")),
    pytest.param("temozolomide", 400, marks=pytest.mark.mechanism("M91")),
    pytest.param("doxorubicin", 1, marks=pytest.mark.mechanism("M91")),
    pytest.param("mitoxantrone", 1, marks=pytest.mark.mechanism("M91")),
    pytest.param("paclitaxel", 0.2, marks=pytest.mark.mechanism("M91")),
    pytest.param("etoposide", 10, marks=pytest.mark.mechanism("M91", "D18")),
    pytest.param("nab_paclitaxel", 0.2, marks=pytest.mark.mechanism("M91")),
    pytest.param("gefitinib", 5, marks=pytest.mark.mechanism("D18", "M93")),
    pytest.param("osimertinib", 5, marks=pytest.mark.mechanism("D18", "M93")),
    pytest.param("sunitinib", 15, marks=pytest.mark.mechanism("D18", "M93")),
    pytest.param("lenvatinib", 20, marks=pytest.mark.mechanism("D18", "M93")),
    pytest.param("sorafenib", 20, marks=pytest.mark.mechanism("D18", "M93")),
    pytest.param("cetuximab", 0.05, marks=pytest.mark.mechanism("D18", "M93")),
    pytest.param("tamoxifen", 20, marks=pytest.mark.mechanism("D18")),
    pytest.param("trastuzumab_deruxtecan", 0.05, marks=pytest.mark.mechanism("D18")),
    pytest.param("trifluridine_tipiracil", 20, marks=pytest.mark.mechanism("D3")),
]


def resistant(family, r=19.0):
    """A dish whose cells all resist a family of drugs, or pump out what can be."""
    return {"tumour__clones": {"hard": {"share": 1.0, "resists": {family: r}}}}


def killed(arm, n=10, **changes):
    """Apoptotic deaths in a bath."""
    return died(hours(dish("x", arms={"x": arm}, **SLOW, **changes), n), "apoptosis")


@pytest.mark.parametrize(("drug", "level"), CHEMO)
def test_a_drug_with_a_hazard_kills_by_apoptosis_and_its_family_s_resistance_weakens_it(drug, level):
    family = load_library().drug(drug).family
    free, held_off = killed(bath(drug, level)), killed(bath(drug, level), **resistant(family))
    assert killed({}) == 0
    assert free > 8
    assert held_off < 0.6 * free


@pytest.mark.mechanism("M91")
@pytest.mark.parametrize("drug", ["cisplatin", "oxaliplatin", "doxorubicin", "mitoxantrone", "temozolomide", "etoposide"])
def test_chemotherapy_spends_gsh_and_starts_peroxidation(drug):
    level = 3 * load_library().drug(drug).ec50_uM
    assert moves(drug, level, "gsh", DOWN) and moves(drug, level, "plooh", UP)


@pytest.mark.mechanism("M91")
@pytest.mark.parametrize("drug", ["cisplatin", "oxaliplatin", "gemcitabine", "doxorubicin", "paclitaxel"])
def test_an_inducer_makes_chemotherapy_kill_more(drug):
    """Counted over all causes: each alone leaves cells that both together kill."""
    level = 2 * load_library().drug(drug).ec50_uM
    arms = {"both": bath(drug, level, "rsl3", 0.3), "chemo": bath(drug, level)}
    both, alone = (hours(dish(arm, arms=arms, mechanisms__death__k_apo=0), 10) for arm in arms)
    assert sum(died(both, c) for c in ("apoptosis", "ferroptosis")) > 1.5 * died(alone, "apoptosis")


@pytest.mark.mechanism("D18")
@pytest.mark.parametrize(
    ("drug", "node"),
    [("tamoxifen", "relb_high"), ("etoposide", "sgk1_active"), ("gefitinib", "ddr1_high"), ("trastuzumab_deruxtecan", "hspb1_high"), ("lenvatinib", "dtx2_high"), ("osimertinib", "sod2_high")],
)
def test_the_node_that_a_review_names_beside_a_drug_weakens_it(drug, node):
    level = 3 * load_library().drug(drug).ec50_uM
    assert 0 < killed(bath(drug, level), tumour__alterations=[node]) < 0.85 * killed(bath(drug, level))


@pytest.mark.mechanism("D18")
@pytest.mark.parametrize("drug", ["etoposide", "gefitinib", "lenvatinib", "tamoxifen"])
def test_an_inducer_restores_what_resistance_took_from_a_drug(drug):
    e = load_library().drug(drug)
    hard = resistant(e.family)
    arms = {"both": bath(drug, 5 * e.ec50_uM, "rsl3", 0.3), "drug": bath(drug, 5 * e.ec50_uM)}
    both, alone = (hours(dish(arm, arms=arms, mechanisms__death__k_apo=0, **hard), 10) for arm in arms)
    assert sum(died(both, c) for c in ("apoptosis", "ferroptosis")) > 2 * died(alone, "apoptosis") > 0


@pytest.mark.mechanism("M94")
def test_efflux_lowers_what_pumped_drugs_do_and_leaves_others_alone():
    pumped, free = killed(bath("doxorubicin", 1)), killed(bath("cisplatin", 20))
    assert killed(bath("doxorubicin", 1), **resistant("efflux")) < 0.5 * pumped
    assert killed(bath("cisplatin", 20), **resistant("efflux")) == free


@pytest.mark.mechanism("M94", "M112")
def test_daughters_of_a_resistant_clone_resist_and_the_clone_is_selected():
    change = {"tumour__clones": {"hard": {"share": 0.3, "resists": {"anthracycline": 30}}}, "mechanisms__division": {"k_div": 0.001},
              "domain__size_um": [600, 600], "initial": {"kind": "nodule", "n_cells": 200, "occupancy": None}, "mechanisms__death__k_apo": 0}  # fmt: skip
    model = dish("x", arms={"x": bath("doxorubicin", 3)}, **change)
    t = model.tumour
    before = (t.clone[: t.n] == 1).mean()
    hours(model, 24)
    alive = t.state[: t.n] == 0
    assert model.counters["births"] > 20
    assert (t.clone[: t.n][alive] == 1).mean() > 1.5 * before


@pytest.mark.mechanism("M112")
def test_what_resists_one_family_is_hit_by_another():
    hard = resistant("platinum")
    assert killed(bath("cisplatin", 20), **hard) < 0.5 * killed(bath("cisplatin", 20))
    assert killed(bath("fluorouracil", 20), **hard) == killed(bath("fluorouracil", 20))


@pytest.mark.mechanism("M101")
def test_without_autophagy_chemotherapy_kills_more():
    assert killed(bath("temozolomide", 200, "chloroquine", 50)) > 1.2 * killed(bath("temozolomide", 200))


# ---- what the text combines (D10, D8) -----------------------------------------------------------------------------------
@pytest.mark.mechanism("D10")
def test_baicalin_with_fluorouracil_frees_more_iron_and_kills_more_than_each():
    arms = {"both": bath("baicalin", 60, "fluorouracil", 20), "one": bath("fluorouracil", 20), "other": bath("baicalin", 60)}
    both, one, other = (hours(dish(arm, arms=arms, **SLOW), 6) for arm in arms)
    assert mean(both, "ferritin") < 0.98 * mean(one, "ferritin")
    assert mean(both, "plooh") > mean(one, "plooh") > 0 and died(both, "apoptosis") > died(other, "apoptosis") == 0


@pytest.mark.mechanism("D10")
def test_temsirolimus_makes_cells_more_sensitive_to_rsl3():
    arms = {"both": bath("rsl3", 0.05, "temsirolimus", 5), "one": bath("rsl3", 0.05)}
    both, one = (hours(dish(arm, arms=arms), 12) for arm in arms)
    assert died(both) > 50 > died(one)


@pytest.mark.mechanism("D10")
def test_propranolol_with_capecitabine_lowers_cysteine_and_kills():
    arms = {"both": bath("capecitabine", 20, "propranolol", 60), "one": bath("capecitabine", 20)}
    both, one = (hours(dish(arm, arms=arms, **SLOW), 6) for arm in arms)
    assert mean(both, "cysteine") < 0.9 * mean(one, "cysteine") and died(both, "apoptosis") > 8


@pytest.mark.mechanism("D8", "D10")
def test_haloperidol_with_temozolomide_and_radiation_starts_more_peroxidation():
    beam = {"events": [{"name": "radiation", "dose_gy": 4, "day": 0}]}
    arms = {"all": {**bath("temozolomide", 200, "haloperidol", 20), **beam}, "two": {**bath("temozolomide", 200), **beam}}
    three, two = (hours(dish(arm, arms=arms, **SLOW), 6) for arm in arms)
    assert mean(three, "lip") > 1.05 * mean(two, "lip") and mean(three, "plooh") > mean(two, "plooh")


@pytest.mark.mechanism("D9")
def test_sorafenib_with_radiation_lowers_cysteine_more_than_each():
    beam = {"events": [{"name": "radiation", "dose_gy": 8, "day": 0}]}
    arms = {"both": {**bath("sorafenib", 10), **beam}, "one": bath("sorafenib", 10), "other": beam}
    both, one, other = (mean(hours(dish(arm, arms=arms, **SLOW), 6), "cysteine") for arm in arms)
    assert both < 0.95 * one and both < 0.95 * other


# ---- two-sided drugs, immune cells ----------------------------------------------------------------------------------------
@pytest.mark.mechanism("D16")
def test_tanshinone_raises_nrf2_of_normal_cells_and_lowers_cysteine_of_the_tumour():
    treated, rest = (hours(tissue("x", arms={"x": arm}, **NORMAL), 4) for arm in (bath("tanshinone_iia", 20), {}))
    n = treated.normal.n
    assert treated.normal.term("ferroptosis.nrf2")[:n].mean() > 1.5 and not rest.normal.term("ferroptosis.nrf2").size
    assert treated.normal.gsh[:n].mean() > 1.02 * rest.normal.gsh[: rest.normal.n].mean()
    assert mean(treated, "cysteine") < 0.9 * mean(rest, "cysteine")


@pytest.mark.mechanism("M107")
def test_gpx4_weakens_what_cisplatin_and_paclitaxel_kill():
    for drug, level in (("cisplatin", 20), ("paclitaxel", 0.2)):
        assert killed(bath(drug, level), rules={"M107": "on"}) < 0.9 * killed(bath(drug, level))
    little = {"rules": {"M107": "on"}, "tumour__traits": {"gpx4_trait": 0.1}}
    assert killed(bath("cisplatin", 20), **little) > 1.2 * killed(bath("cisplatin", 20), rules={"M107": "on"})


@pytest.mark.mechanism("M127")
def test_cisplatin_induces_fsp1_after_hours_and_then_coq10_is_reduced():
    on = {"rules": {"M127.fsp1": "on", "M127.acsl4": "on"}}
    arm = {"x": bath("cisplatin", 10)}
    with_, without = (dish("x", arms=arm, **SLOW, **change) for change in (on, {}))
    ratio, term = [], []
    for _ in range(2):
        hours(with_, 8), hours(without, 8)
        ratio.append(mean(with_, "coq10h2") / mean(without, "coq10h2"))
        term.append(with_.tumour.term("ferroptosis.fsp1")[: with_.tumour.n].mean())
    assert ratio[0] > 1.02 and 1.1 < term[0] < term[1]
    assert mean(with_, "pufa") > 1.02 * mean(without, "pufa")
    rest = hours(dish("control", arms={"control": {}}, **on), 0.2).tumour
    assert (rest.term("ferroptosis.fsp1")[: rest.n] == 1.0).all()


@pytest.mark.mechanism("M121")
def test_sulfasalazine_holds_t_cells_down_where_the_rules_are_on():
    on = {"rules": {"M121.killing": "on", "M121.expansion": "on"}}
    model = hours(tissue("x", arms={"x": bath("sulfasalazine", 300)}, **on), 0.5)
    n = model.cd8.n
    assert model.cd8.term("killing.hit_rate")[:n].mean() < 0.7 and model.cd8.term("division.rate")[:n].mean() < 0.7
    assert not hours(tissue("x", arms={"x": bath("sulfasalazine", 300)}, rules=QUIET), 0.2).cd8.term("killing.hit_rate").size


@pytest.mark.mechanism("M76")
@pytest.mark.parametrize("drug", ["cgamp", "isl_polysaccharide", "dp_hbn_ra"])
def test_an_agonist_of_sting_makes_dendritic_cells_mature_sooner(drug):
    level = 20 * load_library().drug(drug).ec50_uM
    treated = hours(tissue("x", arms={"x": bath(drug, level)}), 1)
    assert treated.dendritic.term("maturation.rate")[: treated.dendritic.n].mean() > 1.8


@pytest.mark.mechanism("D20")
def test_every_drug_of_the_review_s_tables_says_its_stage_and_indication():
    named = {n: d for n, d in load_library().drugs.items() if "D20" in d.ids}
    assert len(named) > 20
    assert all(d.stage and d.indication for d in named.values())
    phases = {n: d.stage for n, d in named.items()}
    assert phases["haloperidol"] == "phase II" and phases["pevonedistat"] == "phase I" and phases["imetelstat"] == "approved"


@pytest.mark.mechanism("M129")
def test_free_drug_in_plasma_is_no_more_than_is_soluble():
    arms = {"x": {"drugs": [{"name": "tanshinone_iia", "dose_mg_kg": 200}]}}
    model = hours(tissue("x", arms=arms), 0.2)
    entry = load_library().drug("tanshinone_iia")
    assert model.therapy.drugs[0].plasma(model.tick) > 3 * entry.solubility_uM
    assert model.fields["tanshinone_iia"].vessel_value == entry.solubility_uM
