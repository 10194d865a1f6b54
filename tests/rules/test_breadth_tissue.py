"""Rules of the library on immune cells, stroma and vessels; a drug with hits per cell class; a tumour preset; events."""

import numpy as np
import pytest
from breadth import RSL3, death_hour, on
from support import UNBREAKABLE, bath, dish, flood, hours, mean, tissue

from tme.library import load_library

ROOM = {"domain__immune_per_voxel": 8}


# ---- fibroblasts ---------------------------------------------------------------------------------------------------
def walked(model):
    """Mean number of voxels between where CD8 T cells were and where they are two hours later."""
    start = dict(zip(model.cd8.uid.tolist(), model.cd8.voxel.tolist()))
    hours(model, 2)
    places = [(start[u], v) for u, v in zip(model.cd8.uid.tolist(), model.cd8.voxel.tolist()) if u in start]
    a, b = (np.array(model.grid.coordinates(np.array(v))[1:], float) for v in zip(*places))
    return float(np.hypot(*(a - b)).mean())


@pytest.mark.mechanism("M111")
def test_fibroblasts_slow_cd8_down():
    stroma = {"populations__caf": {"share": 0.3}, "mechanisms__killing": {"k_attach": 0}, "populations__cd8": {"per_mm2": 600}, **ROOM}
    slow, free = tissue(**on("M111.speed"), **stroma), tissue(**stroma)
    assert walked(slow) < 0.9 * walked(free)
    assert walked(tissue(**on("M111.speed"), **ROOM)) == walked(tissue(**ROOM))


def beside_fibroblasts(model):
    """Which tumour cells touch a fibroblast, and which are three voxels and more from any."""
    _, y, x = model.grid.coordinates(model.tumour.voxel)
    _, fy, fx = model.grid.coordinates(model.caf.voxel)
    reach = np.maximum(abs(y[:, None] - fy), abs(x[:, None] - fx)).min(axis=1)
    return reach <= 1, reach >= 3


@pytest.mark.mechanism("M111")
def test_contact_with_fibroblasts_protects_tumour_cells():
    few = {"populations__caf": {"share": 0.02}, "populations__cd8": None, "mechanisms__ferroptosis": UNBREAKABLE}
    model, without = (hours(tissue("x", arms={"x": bath("rsl3", 1.0)}, **r, **few), 6) for r in (on("M111.contact"), {}))
    beside, far = beside_fibroblasts(model)
    assert beside.sum() > 20 and far.sum() > 20
    gained = model.tumour.gpx4 - without.tumour.gpx4
    assert gained[beside].mean() > 100 * abs(gained[far]).max()
    assert model.tumour.damage[beside].mean() < without.tumour.damage[beside].mean()


@pytest.mark.mechanism("M56")
def test_fibroblasts_raise_ferritin_and_bh4_of_their_neighbours():
    few = {"populations__caf": {"share": 0.02}, "mechanisms__ferroptosis": {"kap_b": 1.0}, "mechanisms__closing": {"close_h": 1000}}
    model, without = (hours(tissue(**r, **few), 12) for r in (on("M56.ferritin", "M56.gch1"), {}))
    beside, far = beside_fibroblasts(model)
    gained = model.tumour.ferritin - without.tumour.ferritin
    assert gained[beside].mean() > 10.0 * abs(gained[far]).max()
    assert model.tumour.plooh[beside].mean() < without.tumour.plooh[beside].mean()


# ---- entry through vessels -------------------------------------------------------------------------------------------
BUSY = {"entries": {"cells": {"mdsc": {"entry": {"holds": 20}}}}, "populations__mdsc": {}, **ROOM}


def recruited(kind, hmgb1=0.0, n=12, **changes):
    """Cells of a type that entered within n hours under a held level of HMGB1."""
    return hours(flood(tissue(**changes), "hmgb1", hmgb1), n).counters[f"recruited_{kind}"]


@pytest.mark.mechanism("M77")
def test_damps_raise_the_entry_of_mdsc_by_the_rule_too():
    assert recruited("mdsc", 5.0, **on("M77.mdsc"), **BUSY) > 1.4 * recruited("mdsc", 5.0, **BUSY) > 0
    assert recruited("mdsc", 0.0, **on("M77.mdsc"), **BUSY) == recruited("mdsc", 0.0, **BUSY)


@pytest.mark.mechanism("M111")
def test_stroma_keeps_cd8_out():
    stroma = {"populations__caf": {"share": 0.3}, "mechanisms__recruitment": {"k_cd8": 10, "basal": 1.0}, **ROOM}
    assert recruited("cd8", **on("M111.entry"), **stroma) < 0.9 * recruited("cd8", **stroma)


@pytest.mark.mechanism("M86")
def test_helper_cells_license_dendritic_cells():
    """Only those near helper cells, and more mature in all."""
    many = {"populations__cd4": {"per_mm2": 1500}, "populations__dendritic": {"share": 0.5}, "mechanisms__priming": {"k_mature": 0.003}, **ROOM}
    with_rule, without = (hours(flood(flood(tissue(**r, **many), "atp", 5), "hmgb1", 5), 2) for r in (on("M86.licensing"), {}))
    assert with_rule.counters["dc_matured"] > 1.15 * without.counters["dc_matured"] > 0
    alone = {**many, "populations__cd4": None}
    assert hours(tissue(**on("M86.licensing"), **alone), 2).counters == hours(tissue(**alone), 2).counters


# ---- a drug that does one thing in one class of cells and another in another ------------------------------------------
@pytest.mark.mechanism("D17")
def test_curcumin_chelates_iron_of_t_cells_and_weakens_the_defence_of_tumour_cells():
    own = {"mechanisms__ferroptosis_cd8": {"on": True}, "mechanisms__cd8_turnover": {"life_d": 100, "off_tumour": 1, "k_expand": 0}, **ROOM}
    given, control = (hours(tissue(arm, arms={"control": {}, "x": bath("curcumin", 20)}, **own), 12) for arm in ("x", "control"))
    assert given.cd8.lip.mean() < 0.5 * control.cd8.lip.mean()
    assert given.cd8.gpx4.mean() > 0.95 * control.cd8.gpx4.mean()
    assert mean(given, "gsh") < 0.9 * mean(control, "gsh") and mean(given, "gpx4") < 0.9 * mean(control, "gpx4")
    assert mean(given, "lip") > 0.9 * mean(control, "lip")


@pytest.mark.mechanism("D17")
def test_curcumin_sensitises_tumour_cells_the_more_the_higher_the_dose():
    low, middle, high = (death_hour(arm=bath("rsl3", 0.05, "curcumin", c)) for c in (0.1, 3, 30))
    assert high < middle < low


# ---- a tumour preset ---------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M48")
def test_a_tumour_that_lost_keap1_resists_erastin_and_rsl3_and_its_intact_clone_does_not():
    preset = load_library().tumours["nsclc_keap1_like"]
    assert preset.alterations == ("keap1_loss",) and load_library().alterations["keap1_loss"].traits["nrf2"].value > 2
    for arm in (bath("erastin", 10), bath("rsl3", 0.1)):
        resistant = death_hour(arm=arm, limit=24, tumour__preset="nsclc_keap1_like")
        assert resistant > 1.3 * death_hour(arm=arm, limit=24)
    dish_of_it = dish("x", arms={"x": bath("rsl3", 0.3)}, tumour__preset="nsclc_keap1_like", initial__occupancy=1.0)
    t = dish_of_it.tumour
    intact = t.clone[: t.n] == 1
    assert 0 < intact.sum() < 40 and np.allclose(t.nrf2[: t.n][intact], 0.99, rtol=1e-6) and np.allclose(t.nrf2[: t.n][~intact], 3.0)
    hours(dish_of_it, 2)
    uid = intact.copy()
    assert t.gpx4[: t.n][uid].mean() < 0.8 * t.gpx4[: t.n][~uid].mean()


# ---- radiation and light, whose rules are on ---------------------------------------------------------------------------
NO_KILL = {"entries": {"events": {"radiation": {"cells": {"tumour": {"alpha_per_gy": 0, "beta_per_gy2": 0}}}}}}


def irradiated(*off, dose=8, **changes):
    """A dish under RSL3 and one fraction that kills nobody by itself; `off`: rules switched off."""
    arm = {**RSL3, "events": [{"name": "radiation", "dose_gy": dose, "day": 0.01}]}
    return dish("x", arms={"x": arm}, rules=dict.fromkeys(off, "off"), **NO_KILL, **changes)


@pytest.mark.mechanism("M92")
@pytest.mark.parametrize(("name", "column", "more"), [("M92.ros", "plooh", True), ("M92.acsl4", "pufa", True), ("M92.xct", "cysteine", False)])
def test_radiation_makes_oxidants_raises_acsl4_and_lowers_system_xc(name, column, more):
    default, without = hours(irradiated(), 6), hours(irradiated(name), 6)
    a, b = mean(default, column), mean(without, column)
    assert a > 1.02 * b if more else a < 0.98 * b


@pytest.mark.mechanism("M92")
def test_radiation_sensitises_to_an_inducer_and_hypoxia_protects():
    def death(*off, **changes):
        model, h = irradiated(*off, **changes), 0.0
        while (model.tumour.state == 0).sum() > 72 and h < 30:
            hours(model, 0.5)
            h += 0.5
        return h

    every = ("M92.ros", "M92.acsl4", "M92.xct")
    assert death() < death("M92.ros") <= death(*every)
    assert death() < death(dose=2) < death(*every)
    air, low = (mean(hours(irradiated(fields__oxygen__initial=p), 1), "term_ferroptosis_initiation") for p in (140, 1))
    assert air > low > 1.0


@pytest.mark.mechanism("M92")
def test_fsp1_dominates_in_radioresistant_cells():
    """Cells rich in FSP1 bear the oxidants of radiation beside RSL3; an FSP1 inhibitor takes that away."""

    def dead(*drugs, fsp1=1.0):
        arm = {**bath("rsl3", 0.05, *drugs), "events": [{"name": "radiation", "dose_gy": 8, "day": 0.01}]}
        return (hours(dish("x", arms={"x": arm}, tumour__traits={"fsp1": fsp1}, **NO_KILL), 16).tumour.state == 1).mean()

    assert dead() > 0.9 and dead(fsp1=8.0) < 0.1
    assert dead("ifsp1", 10.0, fsp1=8.0) > 0.9


@pytest.mark.mechanism("M125")
def test_light_on_a_photosensitiser_starts_peroxidation_and_spends_gsh():
    def lit(*off):
        arm = {**bath("photosensitiser", 1.0, "rsl3", 0.05), "events": [{"name": "light", "fluence_mw_cm2": 30, "minutes": 10, "day": 0}]}
        return dish("x", arms={"x": arm}, rules=dict.fromkeys(off, "off"))

    assert mean(hours(lit(), 1), "gsh") < 0.98 * mean(hours(lit("M125.gsh"), 1), "gsh")
    assert mean(hours(lit(), 1), "plooh") > 1.02 * mean(hours(lit("M125.initiation"), 1), "plooh")


def test_rules_on_events_are_left_out_of_arms_without_them():
    model = tissue(arms={"control": {}, "x": {"events": [{"name": "radiation", "dose_gy": 2, "day": 1}]}})
    assert model.rule_programs == () and not [c for c in model.tumour.declared if c.startswith("term_")]
    heard = tissue("x", arms={"control": {}, "x": {"events": [{"name": "radiation", "dose_gy": 2, "day": 1}]}})
    assert {s.name for p in heard.rule_programs for g in p.groups for s, _ in g.parts} == {"radiation", "radiation_ros"}
