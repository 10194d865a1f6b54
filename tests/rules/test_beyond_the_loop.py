"""Rules on immunity beyond the default loop: STING both ways, IL-8, neutrophils, B and Th1 cells, glioma, matrix."""

import numpy as np
import pytest
from breadth import on
from support import alive, bath, died, dish, flood, hours, kill, level, mean, tissue

ROOM = {"domain__immune_per_voxel": 8}
RESTS = {"mechanisms__damp": {"tau_clear_min": 4000}, "mechanisms__killing__k_hit": 0}


def with_corpses(n=40, cause=1, **changes):
    """A tumour with fresh corpses of a cause."""
    model = tissue(**{**RESTS, **ROOM, **changes})
    return kill(model, np.arange(0, 2 * n, 2), cause)


def term(model, kind, name):
    """Mean of a term over the cells of a type."""
    population = model.populations[kind]
    return float(population.term(name)[: population.n].mean())


# ---- STING both ways ------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M75")
def test_oxidised_nucleic_acid_of_ferroptotic_cells_makes_macrophages_bring_il6_which_feeds_growth():
    rules = on("M75.il6", "M75.growth")
    ferroptotic, apoptotic = (hours(with_corpses(cause=c, **rules), 12) for c in (1, 4))
    assert level(ferroptotic, "ohg8") > 0 == level(apoptotic, "ohg8")
    assert level(ferroptotic, "il6") > 1.3 * level(apoptotic, "il6")
    assert term(ferroptotic, "tumour", "division.rate") > 1.02 * term(apoptotic, "tumour", "division.rate")
    assert "il6" not in tissue().fields and "ohg8" not in tissue().fields


@pytest.mark.mechanism("M75")
def test_inflammation_by_sting_makes_the_tumour_grow_and_draws_mdsc():
    grows = {"mechanisms__division": {"k_div": 0.003}, **ROOM, "mechanisms__killing__k_hit": 0}
    births = [hours(flood(tissue(**grows, **rules, fields__il6={"held": True}), "il6", 2.0), 3).counters["births"] for rules in (on("M75.growth"), {})]
    assert births[0] > 1.15 * births[1]
    busy = {"entries": {"cells": {"mdsc": {"entry": {"holds": 20}}}}, "populations__mdsc": {}, "fields__il6": {"held": True}, **ROOM}
    came = [hours(flood(tissue(**busy, **rules), "il6", 2.0), 12).counters["recruited_mdsc"] for rules in (on("M75.mdsc"), {})]
    assert came[0] > 1.3 * came[1] > 0


@pytest.mark.mechanism("M76")
def test_the_same_signal_matures_dendritic_cells_and_helps_cd8_where_sting_is_antitumour():
    rested = {"mechanisms__priming": {"k_mature": 0.003, "residence_min": 4000}, "populations__dendritic": {"share": 0.3}}
    model, without = (hours(with_corpses(**r, **rested), 8) for r in (on("M76.dc", "M76.cd8"), {}))
    assert model.counters["dc_matured"] > 1.15 * without.counters["dc_matured"] > 0
    assert term(model, "cd8", "killing.hit_rate") > 1.02
    silent = hours(with_corpses(**on("M76.dc", "M76.cd8"), **rested, mechanisms__corpse_signals={"k_release": 0}), 8)
    assert silent.counters["dc_matured"] == without.counters["dc_matured"] and term(silent, "cd8", "killing.hit_rate") == 1.0


# ---- DAMPs: IL-8, suppressive cells, migration ---------------------------------------------------------------------------
@pytest.mark.mechanism("M77")
def test_damps_raise_il8_which_draws_mdsc_and_neutrophils():
    rules = on("M77.il8", "M77.il8_mdsc", "M77.il8_neutrophil")
    busy = {"entries": {"cells": {k: {"entry": {"holds": 30}} for k in ("mdsc", "neutrophil")}}, "populations__mdsc": {}, "populations__neutrophil": {},
            "mechanisms__killing__k_hit": 0, **ROOM}  # fmt: skip; living tumour cells make IL-8
    inflamed, calm = (hours(flood(tissue(**busy, **rules), "hmgb1", h), 12) for h in (5.0, 0.0))
    assert level(inflamed, "il8") > 2 * level(calm, "il8") > 0
    deaf = hours(flood(tissue(**busy), "hmgb1", 5.0), 12)
    for kind in ("mdsc", "neutrophil"):
        assert inflamed.counters[f"recruited_{kind}"] > 1.1 * deaf.counters[f"recruited_{kind}"], kind


@pytest.mark.mechanism("M77")
@pytest.mark.parametrize(("rule", "kind", "rate"), [("M77.tam", "macrophage", "k_mac"), ("M77.treg", "treg", "k_treg")])
def test_damps_draw_suppressive_cells_by_rules_too(rule, kind, rate):
    def came(hmgb1, **rules):
        model = tissue(**rules, **ROOM, mechanisms__recruitment={rate: 40})
        return hours(flood(model, "hmgb1", hmgb1), 8).counters[f"recruited_{kind}"]

    assert came(8.0, **on(rule)) > 1.3 * came(8.0) > 0
    assert came(0.0, **on(rule)) == came(0.0)


# ---- effector cells -----------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M86")
def test_neutrophils_bring_oxidants_to_the_tumour_cells_they_touch():
    many = {"populations__neutrophil": {"per_mm2": 2000}, "mechanisms__killing__k_hit": 0, **ROOM}
    model, without = (hours(tissue(**many, **r), 4) for r in (on("M86.neutrophil"), {}))
    assert mean(model, "plooh") > 1.1 * mean(without, "plooh")
    assert mean(hours(tissue(**on("M86.neutrophil")), 4), "plooh") == mean(hours(tissue(), 4), "plooh")


@pytest.mark.mechanism("M86")
def test_b_cells_and_helper_cells_near_cd8_help_them_divide_and_kill():
    busy = {"mechanisms__cd8_turnover": {"k_expand": 0.003}, "populations__b_cell": {"per_mm2": 500}, "populations__cd4": {"per_mm2": 500}, **ROOM}
    helped, left = ([hours(tissue(seed=seed, **busy, **r), 10) for seed in (1, 2, 3)] for r in (on("M86.b_cell", "M86.th1"), {}))
    model = helped[0]
    assert model.b_cell.n > 20 and term(model, "cd8", "division.rate") > 1.05 and term(model, "cd8", "killing.hit_rate") > 1.05
    for what in ("births_cd8", "kills"):
        assert sum(m.counters[what] for m in helped) > sum(m.counters[what] for m in left) > 0


# ---- glioma ---------------------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M88")
def test_where_ferroptosis_suppresses_immunity_dendritic_cells_prime_less_and_macrophages_suppress_more():
    quick = {"mechanisms__priming": {"k_mature": 0.05, "k_x": 100, "k_ox": 0.01, "residence_min": 60, "travel_min": 10, "expansion_min": 10, "gain": 0.5, "late_min": 60}}
    arms = {"arms": {"x": bath("rsl3", 5.0)}, "mechanisms__ferroptosis": {"d_leth": 5}, **ROOM}
    model, without = (hours(tissue("x", **arms, **quick, **r), 10) for r in (on("M88.presentation", "M88.suppression"), {}))
    assert died(without) > 100
    assert 1.0 < model.node.output < 1 + 0.9 * (without.node.output - 1)
    held = {"mechanisms__suppression": {"treg_rate": 0}}
    sources = [level(hours(flood(tissue(**held, **r), "peroxide", 3.0), 24), "suppression") for r in (on("M88.suppression"), {})]
    assert sources[0] > 1.3 * sources[1]


@pytest.mark.mechanism("M122")
def test_an_inhibitor_of_ferroptosis_is_a_therapy_where_ferroptosis_feeds_the_tumour():
    """Under M75, M77 and M88 a radical trap leaves fewer divisions, less suppression and less IL-8; without them it only saves tumour cells."""
    rules = on("M75.il6", "M75.growth", "M77.il8", "M77.il8_mdsc", "M88.suppression")
    busy = {"mechanisms__ferroptosis": {"d_leth": 5}, "mechanisms__damp": {"tau_clear_min": 4000}, "populations__mdsc": {}, **ROOM}
    arms = {"arms": {"sick": bath("rsl3", 0.3), "treated": bath("rsl3", 0.3, "ferrostatin_1", 5.0), "chelated": bath("rsl3", 0.3, "deferoxamine", 100.0)}}
    sick, treated, chelated = (hours(tissue(arm, **rules, **busy, **arms), 14) for arm in ("sick", "treated", "chelated"))
    for cured in (treated, chelated):
        assert died(cured) < 0.5 * died(sick)
        assert term(cured, "tumour", "division.rate") < term(sick, "tumour", "division.rate")
        for field in ("il6", "il8", "suppression"):
            alive_share = alive(sick) / max(alive(cured), 1) if field == "il8" else 1.0  # IL-8 is made by living tumour cells
            assert level(cured, field) * alive_share < level(sick, field), field
    off = [hours(tissue(arm, **busy, **arms), 14) for arm in ("sick", "treated")]
    assert "il6" not in off[0].fields and alive(off[1]) > alive(off[0])


# ---- matrix ---------------------------------------------------------------------------------------------------------------
def test_a_dense_matrix_holds_up_particles_more_than_antibodies_and_these_more_than_drugs():
    arms = {"arms": {"x": {"nanoparticles": [{"name": "peg_pdpa_rsl3", "dose_mg_kg": 10, "day": 0}], "antibodies": [{"name": "anti_pdl1", "dose_mg_kg": 10, "day": 0}],
                           "drugs": [{"name": "ike", "dose_mg_kg": 20, "day": 0}]}}}  # fmt: skip
    loose, dense = (hours(tissue("x", **arms, mechanisms__matrix={"density": d}), 3) for d in (0, 1))
    left = [level(dense, n) / level(loose, n) for n in ("peg_pdpa_rsl3", "anti_pdl1", "ike")]
    assert left[0] < left[1] < left[2] < 1.0
    assert left[0] < 0.4 and left[2] > 0.6
    assert dense.fields["anti_pdl1"].diffusion == pytest.approx(loose.fields["anti_pdl1"].diffusion * np.exp(-0.8))


@pytest.mark.mechanism("M90")
def test_mdsc_near_tumour_cells_take_up_lipid_and_ferroptose_sooner():
    weak = {"entries__cells__mdsc__pathways__ferroptosis__preset": {"fsp1": 0.0, "d_leth": 20.0}, "mechanisms__ferroptosis_mdsc__on": True}
    many = {"populations__mdsc": {"per_mm2": 600}, **ROOM, "arms": {"x": bath("rsl3", 0.1)}, **weak}
    lost = [hours(tissue("x", **many, rules=r), 2.5).counters["dead_ferroptosis_mdsc"] for r in ({"M90.cd36_mdsc": "on"}, {})]
    assert lost[0] > 1.5 * lost[1]


def test_rules_that_are_off_add_no_field_no_column_and_no_law():
    model = dish()
    assert not {"ohg8", "il6", "il8"} & set(model.fields) and model.rule_programs == ()
    assert not {"corpse_signals", "metastasis", "antigen_loss", "other_deaths", "t_cell_memory", "mhc_lost"} & set(model.plan.seconds)
    assert "mhc_lost" not in model.tumour.declared


# ---- anti-VEGF ------------------------------------------------------------------------------------------------------------
ANGIOGENIC = {**on("M108.vegf", "M108.vessels", "M124.entry"), "mechanisms__vessels": {"per_mm2": 150, "core_factor": 0.2, "rim_um": 40, "tau_growth_d": 0.25}, **ROOM,
              "entries": {"cells": {"tumour": {"secretes": {"vegf": {"rate": 0.03}}}}}, "mechanisms__recruitment": {"k_cd8": 10, "basal": 0.5},
              "mechanisms__killing__k_hit": 0,
              "arms": {"control": {}, "x": {"antibodies": [{"name": "anti_vegf", "bath_nM": 200, "route": "bath", "day": 0}]}}}  # fmt: skip


@pytest.mark.mechanism("M124")
def test_anti_vegf_takes_vegf_away_closes_the_vessels_it_keeps_and_lets_cd8_in():
    treated, control = (hours(tissue(arm, **ANGIOGENIC), 25) for arm in ("x", "control"))
    assert level(treated, "vegf") < 0.3 * level(control, "vegf")
    assert treated.vessels.weight.sum() < 0.95 * control.vessels.weight.sum()
    per_vessel = [m.counters["recruited_cd8"] / m.vessels.weight.sum() for m in (treated, control)]
    assert per_vessel[0] > 1.15 * per_vessel[1]
    deaf = {**ANGIOGENIC, "rules": {"M108.vegf": "on", "M108.vessels": "on"}}
    without = [hours(tissue(arm, **deaf), 25).counters["recruited_cd8"] for arm in ("x", "control")]
    assert without[0] <= without[1]


@pytest.mark.mechanism("M124")
def test_anti_vegf_adds_cd8_to_a_blockade_and_does_nothing_where_nobody_hears_vegf():
    arms = {"arms": {a: {"antibodies": [{"name": n, "bath_nM": 200, "route": "bath", "day": 0} for n in names]}
                     for a, names in (("icb", ["anti_pd1"]), ("both", ["anti_pd1", "anti_vegf"]))}}  # fmt: skip
    both, icb = (hours(tissue(arm, **{**ANGIOGENIC, **arms, "rules": {"M124.entry": "on"}}), 20) for arm in ("both", "icb"))
    assert both.counters["recruited_cd8"] > 1.1 * icb.counters["recruited_cd8"]
    quiet = [hours(tissue(arm, **arms), 3) for arm in ("both", "icb")]
    assert "vegf" not in quiet[0].fields and quiet[0].counters["recruited_cd8"] == quiet[1].counters["recruited_cd8"]
