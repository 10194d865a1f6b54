"""Alterations of tumour cells: each named node has the sign that the reviews give it, on single cells of the model."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from support import QUIET, bath, died, dish, hours, tissue

from tme.library import alterations, load_library
from tme.library.alterations import rules_of
from tme.library.parsed import plain_of
from tme.model import TumourModel
from tme.model.registry import alteration_rules

ALTERATIONS = load_library().alterations
LATER, SOONER = 1, -1
ARMS = {"erastin": bath("erastin", 2.0), "rsl3": bath("rsl3", 0.06)}
ALONE = {"mechanisms__ferroptosis": {"p_s": 0}, "mechanisms__damp": {"tau_clear_min": 4320}}  # cells that do not hear each other


def hours_to_death(arm, limit, carried, **changes):
    """Hours until half of the cells of each clone are dead, by clone; each of `carried` (a tuple of names) is one clone."""
    clones = {f"c{k}": {"share": 1 / (len(carried) + 1), "alterations": list(names)} for k, names in enumerate(carried)}
    model = dish("x", arms={"x": arm}, tumour__clones=clones, domain__size_um=[540, 540], **ALONE, **changes)
    t, found = model.tumour, np.full(len(carried) + 1, float(limit))
    first = np.bincount(t.clone[: t.n], minlength=len(found))
    assert first.min() > 5
    while model.sim_hour < limit:
        hours(model, 0.25)
        left = np.bincount(t.clone[: t.n][t.state[: t.n] == 0], minlength=len(found))
        found[(2 * left <= first) & (found == limit)] = model.sim_hour
    return found


@cache
def deaths(drug):
    """Hours to death of cells with each alteration that brings no rule, and of the reference cell (""), which is the same in every dish."""
    names, found = [n for n, e in ALTERATIONS.items() if not e.rules], {}
    for few in (names[k : k + 40] for k in range(0, len(names), 40)):  # a tumour has at most 100 clones
        of = dict(zip(("", *few), hours_to_death(ARMS[drug], 40, [(n,) for n in few])))
        assert found.get("", of[""]) == of[""]
        found |= of
    return found


NODES = [
    ("keap1_loss", LATER, "erastin", ("M48", "M113",)),
    ("keap1_high", SOONER, "erastin", ("D11", "M128")),
    ("atf3_high", SOONER, "erastin", ("D11",)),
    ("nrf2_active", LATER, "erastin", ("M48", "M113",)),
    ("kras_mutant_lung", LATER, "erastin", ("M48", "M52", "M113",)),
    ("ras_mutant_iron", SOONER, "erastin", ("M52",)),
    ("braf_v600e", LATER, "erastin", ("M48", "M113",)),
    ("myc_high", LATER, "erastin", ("M48", "M113",)),
    ("p62_high", LATER, "erastin", ("M48", "D19",)),
    ("dpp9_high", LATER, "erastin", ("D12",)),
    ("camkk2_high", LATER, "erastin", ("D12",)),
    ("tbk1_high", LATER, "erastin", ("D19",)),
    ("sirt1_high", LATER, "erastin", ("D19",)),
    ("gsk3b_inhibited", LATER, "erastin", ("D9",)),
    ("trib3_high", LATER, "erastin", ("D12",)),
    ("dusp4_high", LATER, "erastin", ("D12",)),
    ("tmem160_high", LATER, "erastin", ("D13",)),
    ("selenop_high", LATER, "erastin", ("M10",)),
    ("relb_high", LATER, "erastin", ("M10", "D18")),
    ("tcf4_high", LATER, "erastin", ("M10",)),
    ("plag1_high", LATER, "erastin", ("M10",)),
    ("neurod1_high", LATER, "erastin", ("M10",)),
    ("kif20a_high", LATER, "erastin", ("M10",)),
    ("f_nucleatum", LATER, "erastin", ("D12", "M10",)),
    ("sgk1_active", LATER, "erastin", ("D18",)),
    ("ddr1_high", LATER, "erastin", ("D18", "D19")),
    ("prmt5_high", LATER, "erastin", ("M87",)),
    ("srebp1a_high", LATER, "erastin", ("M102",)),
    ("srebf1_low", SOONER, "erastin", ("M102",)),
    ("gstm3_high", SOONER, "erastin", ("D11",)),
    ("piezo1_active", SOONER, "erastin", ("D4",)),
    ("mir744_high", SOONER, "erastin", ("D11",)),
    ("gpx4_variant", LATER, "rsl3", ("M112",)),
    ("glutamine_dependent", SOONER, "erastin", ("M13",)),
    ("bcat2_high", LATER, "erastin", ("M13", "D12",)),
    ("dnmt3b_high", LATER, "erastin", ("D12",)),
    ("atf2_high", LATER, "erastin", ("D12",)),
    ("aadac_high", LATER, "erastin", ("D12",)),
    ("kdm1a_pias4", LATER, "erastin", ("D19",)),
    ("anp32e_high", LATER, "erastin", ("D13",)),
    ("pvt1_high", LATER, "erastin", ("D12",)),
    ("dnmt1_high", LATER, "erastin", ("D19",)),
    ("hmga2_high", LATER, "erastin", ("D19",)),
    ("stat3_active", LATER, "erastin", ("D19",)),
    ("rbms3_high", SOONER, "erastin", ("D19",)),
    ("hmox1_mic14", SOONER, "erastin", ("D19",)),
    ("sik1_high", LATER, "erastin", ("D13",)),
    ("tyro3_high", LATER, "erastin", ("M87",)),
    ("linc01133_high", LATER, "erastin", ("D12",)),
    ("trim54_high", SOONER, "erastin", ("D19",)),
    ("stx1a_high", LATER, "erastin", ("D13",)),
    ("sod2_high", LATER, "erastin", ("D18", "D19")),
    ("nox1_high", SOONER, "erastin", ("D10",)),
    ("alox5_high", SOONER, "erastin", ("D12",)),
    ("prominin2_high", LATER, "erastin", ("M23",)),
    ("aebp1_high", LATER, "erastin", ("M33",)),
    ("lcn2_high", LATER, "erastin", ("M33",)),
    ("hspb1_high", LATER, "erastin", ("M33", "D12", "D18")),
    ("herc2_vamp8", LATER, "erastin", ("M33",)),
    ("fth1_low", SOONER, "erastin", ("D10",)),
    ("hmox1_high", SOONER, "erastin", ("M31", "D9")),
    ("usp2_high", LATER, "erastin", ("D12", "M28",)),
    ("cpt1a_high", LATER, "erastin", ("M45", "M87",)),
    ("carm1_high", LATER, "erastin", ("M45",)),
    ("cdk1_high", LATER, "erastin", ("M45",)),
    ("mir23a_high", LATER, "erastin", ("M45",)),
    ("aim2_high", LATER, "erastin", ("M45",)),
    ("cbslr_high", LATER, "erastin", ("D12",)),
    ("vipas39_high", LATER, "erastin", ("D13",)),
    ("ppargc1a_axis", LATER, "erastin", ("D12", "M45",)),
    ("dtx2_high", LATER, "erastin", ("M40", "D18", "D19")),
    ("ppp2ca_loss", SOONER, "erastin", ("D11",)),
    ("fabp_high", LATER, "erastin", ("M46",)),
    ("tigar_high", LATER, "erastin", ("D12",)),
    ("pik3ca_mutant", LATER, "erastin", ("M113", "M54",)),
    ("ar_positive", LATER, "erastin", ("M22", "M113",)),
    ("brca_mutant", SOONER, "erastin", ("M113",)),
    ("her2_low", LATER, "erastin", ("M113",)),
    ("tp53_wild_type", SOONER, "erastin", ("M104",)),
    ("tp53_null_crc", SOONER, "erastin", ("M104",)),
    ("stem_like", LATER, "erastin", ("M110",)),
    ("kras_mutant_crc", LATER, "erastin", ("M52", "M113")),
    ("mycn_amplified", SOONER, "erastin", ("M113",)),
    ("vhl_loss", SOONER, "erastin", ("M53", "M113")),
    ("elovl5_silenced", LATER, "erastin", ("M40", "M113")),
]


@pytest.mark.parametrize(("name", "sign", "drug"), [pytest.param(*row[:3], marks=[pytest.mark.mechanism(i) for i in row[3]], id=row[0]) for row in NODES])
def test_a_node_shifts_death_by_an_inducer_the_way_the_reviews_say(name, sign, drug):
    reference, altered = deaths(drug)[""], deaths(drug)[name]
    assert 10 < reference < 25
    assert altered > 1.05 * reference if sign == LATER else altered < 0.96 * reference


def test_every_alteration_is_tested_by_its_sign():
    elsewhere = {"tp53_4kr", "bax_loss", "slow_cycle", "bypass_pathway"} | {n for n, e in ALTERATIONS.items() if e.rules}
    elsewhere |= set(plain_of((Path(alterations.__file__).parent / "alterations" / "chemistry.yaml").read_text()))  # test_context_chemistry.py
    assert {row[0] for row in NODES} | elsewhere == set(ALTERATIONS)
    assert all(set(row[3]) == set(ALTERATIONS[row[0]].ids) for row in NODES)


@pytest.mark.mechanism("M104")
def test_p53_that_answers_sensitises_4kr_does_not_and_loss_does_in_colorectal_cancer():
    at = deaths("erastin")
    assert at["tp53_wild_type"] < at["tp53_4kr"] == at[""]
    assert at["tp53_null_crc"] < at["tp53_4kr"]


@pytest.mark.mechanism("M52")
def test_ras_sensitises_by_iron_and_protects_in_lung_cancer_and_both_are_called_conflicting():
    at = deaths("erastin")
    assert at["ras_mutant_iron"] < at[""] < at["kras_mutant_lung"]
    assert {ALTERATIONS[n].evidence for n in ("ras_mutant_iron", "kras_mutant_lung")} == {"conflicting"}


@pytest.mark.mechanism("M112")
def test_a_gpx4_that_inhibitors_bind_poorly_helps_against_them_alone():
    assert deaths("rsl3")["gpx4_variant"] > 1.5 * deaths("rsl3")[""]
    assert deaths("erastin")["gpx4_variant"] == deaths("erastin")[""]


@pytest.mark.mechanism("M57")
def test_oleate_of_lymph_protects_where_the_niche_is_on():
    lymph = {"fields__oleate": {"initial": 300, "held": True}, "arms": {"x": ARMS["erastin"]}}
    with_niche, without = (hours(dish("x", tumour__alterations=a, **lymph), 24) for a in (["lymph_niche"], []))
    assert died(without) > 0.9 * 144 and died(with_niche) == 0


def apoptosis(hours_=24, **changes):
    """Cells that die of apoptosis at a raised rate, as under chemotherapy."""
    return died(hours(dish(mechanisms__death={"k_apo": 5e-4, "k_nec": 0}, **changes), hours_), "apoptosis")


@pytest.mark.mechanism("M107")
def test_gpx4_weakens_killing_by_chemotherapy_where_ebv_is():
    given = {"arms": {"x": {"drugs": [{"name": "cisplatin", "bath_uM": 20, "day": 0, "route": "bath"}]}}, "tumour__alterations": ["ebv_positive"]}
    positive, without_rule, low = (
        died(hours(dish("x", **given, **changes), 24), "apoptosis")
        for changes in ({}, {"rules": {"M107": "off"}}, {"tumour__traits": {"gpx4_trait": 0.1}})
    )
    assert positive < 0.8 * without_rule and low > 1.1 * positive


@pytest.mark.mechanism("M112")
def test_a_cell_that_lost_bax_or_has_a_bypass_dies_less_of_apoptosis():
    plain, bypass, lost = (apoptosis(tumour__alterations=a) for a in ([], ["bypass_pathway"], ["bax_loss"]))
    assert lost < 0.8 * bypass < 0.8 * 0.8 * plain


def born(n, **changes):
    """Divisions of a small tumour within n hours."""
    model = hours(tissue(populations=None, mechanisms__division={"k_div": 0.001}, **changes), n)
    return int((model.tumour.born_tick > 0).sum())


@pytest.mark.mechanism("M112")
def test_alterations_slow_or_hasten_the_cycle():
    slow, plain, fast = (born(12, tumour__alterations=a) for a in (["slow_cycle"], [], ["bypass_pathway"]))
    assert slow < 0.8 * plain < 0.8 * fast * 0.98


@pytest.mark.mechanism("M110")
def test_stem_like_cells_divide_less_outlive_an_inducer_and_regrow():
    """A tenth of the founders: few by themselves, nearly all after an inducer, and the tumour comes back from them."""
    settings = {"tumour__clones": {"stem": {"share": 0.15, "alterations": ["stem_like"]}}, "domain__size_um": [400, 400],
                "arms": {"control": {}, "x": {"drugs": [{"name": "rsl3", "bath_uM": 0.3, "route": "bath", "day": 0}]}},
                "mechanisms__division": {"k_div": 0.001}, "initial": {"kind": "nodule", "n_cells": 150, "occupancy": None},
                "mechanisms__damp": {"tau_clear_min": 60}}  # fmt: skip
    treated, control = (dish(arm, **settings) for arm in ("x", "control"))
    share = [m.observe()["clone_stem_share"] for m in (hours(control, 24), hours(treated, 24))]
    assert share[0] < 0.25 and share[1] > 0.9
    left = treated.n_alive
    assert 0 < left < 60
    assert hours(treated, 48).n_alive > 1.3 * left


# ---- how they act ----------------------------------------------------------------------------------------------------------
def test_effects_act_in_the_clones_that_carry_them_and_in_their_daughters():
    clones = {"mine": {"share": 0.3, "alterations": ["prominin2_high"]}}
    model = hours(tissue(tumour__clones=clones, populations=None, mechanisms__division={"k_div": 0.002}), 12)
    t = model.tumour
    factor, mine = t.term("ferroptosis.fpn")[: t.n], t.clone[: t.n] == model.config.clone_names().index("mine")
    assert (mine & (t.born_tick[: t.n] > 0)).sum() > 5
    assert set(factor[mine]) == {1.6} and set(factor[~mine]) == {1.0}


def test_alterations_of_the_tumour_are_in_every_clone_and_multiply_with_those_of_the_clone():
    clones = {"mine": {"share": 0.5, "nrf2": 2, "mufa": 0.1, "alterations": ["fabp_high", "myc_high"]}}
    model = dish(tumour__alterations=["keap1_loss", "tigar_high"], tumour__traits={"mufa": 0.2}, tumour__clones=clones)
    t = model.tumour
    mine = t.clone[: t.n] == 1
    assert set(t.nrf2[: t.n][~mine]) == {3.0} and set(t.nrf2[: t.n][mine]) == {3.0 * 2 * 1.5}
    assert np.allclose(t.mufa[: t.n][~mine], 0.2 + 0.4) and np.allclose(t.mufa[: t.n][mine], 0.1 + 0.5)
    assert np.allclose(t.term("ferroptosis.h2o2")[: t.n], 0.7)


def test_the_same_bits_whether_all_cells_carry_it_by_the_tumour_or_by_their_clone():
    whole = hours(dish(arms__x=ARMS["rsl3"], arm="x", tumour__alterations=["prominin2_high"]), 6)
    cloned = hours(dish(arms__x=ARMS["rsl3"], arm="x", tumour__clones={"a": {"share": 1, "alterations": ["prominin2_high"]}}), 6)
    for name in ("lip", "plooh", "gpx4", "damage"):
        assert (getattr(whole.tumour, name) == getattr(cloned.tumour, name)).all()


def test_a_tumour_without_alterations_has_no_terms_and_no_rules_for_them():
    plain = dish(rules=QUIET)
    assert plain.rule_programs == () and not [c for c in plain.tumour.declared if c.startswith("term_")]
    assert alteration_rules(plain.config) == {}


def test_a_rule_may_hear_an_alteration():
    rule = {"in": "tumour", "signal": "alteration.myc_high", "raises": "ferroptosis.tfr1", "evidence": "hypothetical", "source": "chosen: a test",
            "to": {"value": 3, "unit": 1, "source": "chosen: a test"}, "half": {"value": 1, "unit": 1, "source": "chosen: a test"}}  # fmt: skip
    model = dish(rules={"mine": rule}, tumour__clones={"a": {"share": 0.5, "alterations": ["myc_high"]}})
    t = model.tumour
    assert np.allclose(t.term("ferroptosis.tfr1")[: t.n], np.where(t.clone[: t.n] == 1, 2.0, 1.0))


@pytest.mark.parametrize("name", ALTERATIONS)
def test_every_effect_of_the_library_is_on_a_term_of_tumour_cells(name):
    model = dish(tumour__alterations=[name])  # loading checks terms, units and directions
    for key, rule in rules_of(name, ALTERATIONS[name]).items():
        assert np.allclose(model.tumour.term(rule.term)[: model.tumour.n], rule.to), key


@pytest.mark.parametrize("arm", ["control", "x"])
def test_an_alteration_goes_on_acting_in_an_arm_whose_drug_acts_on_the_same_term(arm):
    """The growth has one clock for the term, the treated arm two: what it branches from does not hold the alteration's share of the term."""
    arms = {"control": {}, "x": {"drugs": [{"name": "chloroquine", "bath_uM": 1e-9, "route": "bath", "day": 0}]}}
    config = dish(tumour__alterations=["usp2_high"], arms=arms).config
    grown = hours(TumourModel(config, seed=1, arm="control"), 1)
    before = float(grown.tumour.term("ferroptosis.ncoa4")[: grown.tumour.n].mean())
    assert before < 0.9
    branched = TumourModel.from_state(config, grown.state_dict(), arm=arm, seed=1)
    assert branched.tumour.term("ferroptosis.ncoa4")[: branched.tumour.n] == pytest.approx(before, rel=1e-9)
    assert hours(branched, 2).tumour.term("ferroptosis.ncoa4")[: branched.tumour.n] == pytest.approx(before, rel=1e-6)


def test_a_term_that_an_alteration_lowers_to_nothing_leaves_numbers():
    """Ferritin is what is stored over what is freed."""
    none = [{"lowers": "ferroptosis.ncoa4", "to": {"value": 0, "unit": "1", "source": "assumed: a test"}}]
    model = hours(dish(tumour__alterations=["usp2_high"], entries={"alterations": {"usp2_high": {"effects": none}}}), 1)
    assert np.isfinite(model.tumour.ferritin[: model.tumour.n]).all()
