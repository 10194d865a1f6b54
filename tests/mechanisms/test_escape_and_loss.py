"""Cells that leave by vessels, cells that T cells no longer see, deaths by name, and what the series says of harm and regrowth."""

import numpy as np
import pytest
from support import alive, bath, died, dish, flood, hours, level, mean, tissue

from tme.core.death_modes import LABELS
from tme.library import load_library
from tme.model import TumourModel

ROOM = {"domain__immune_per_voxel": 8}
CALM = {"mechanisms__killing__k_hit": 0, "mechanisms__death": {"k_nec": 0, "k_apo": 0}}
LEAVING = {"on": True, "k_escape": 2e-3}


# ---- metastasis -------------------------------------------------------------------------------------------------------
def left(n_hours=4, arm="control", **metastasis):
    """Counts of a tumour whose cells leave often."""
    rules = metastasis.pop("rules", {})
    changes = metastasis.pop("changes", {})
    return hours(tissue(arm, 3, **CALM, **changes, rules=rules, mechanisms__metastasis={**LEAVING, **metastasis}), n_hours)


@pytest.mark.mechanism("M109")
def test_living_cells_beside_open_vessels_leave_and_others_do_not():
    model = left(seed_share=1.0, blood_stress=0)
    c = model.counters
    assert c["escaped"] > 20 and model.tumour.n == 250 - c["escaped"] == alive(model)
    assert c["escaped_alive"] == c["metastases"] == c["escaped"]
    row = model.observe()
    assert (row["escaped"], row["metastases"]) == (c["escaped"], c["metastases"])
    none = left(changes={"mechanisms__vessels__per_mm2": 0})
    assert none.counters["escaped"] == 0 and none.tumour.n == 250
    assert np.array_equal(model.lattice.tissue_row[model.tumour.voxel], np.arange(model.tumour.n))
    assert "escaped" not in tissue().observe()


@pytest.mark.mechanism("M109")
def test_oxidative_stress_of_blood_kills_on_the_way_and_oleate_of_lymph_protects():
    """Of cells whose membranes break at little damage, without a drug: B16 is rather resistant."""
    def lived(stress, lymph):
        model = left(blood_stress=stress, lymph_share=lymph, changes={"mechanisms__ferroptosis": {"d_leth": 1}})
        return model.counters["escaped_alive"] / model.counters["escaped"]

    assert lived(0.0, 0.0) == 1.0
    assert lived(100.0, 0.0) < 0.9
    assert lived(100.0, 1.0) == 1.0


@pytest.mark.mechanism("M109")
def test_the_state_of_the_chemistry_decides_who_lives_through_it():
    """Cells primed by RSL3 die in blood, those that an FSP1-rich clone makes hardy or that go by oleate-rich lymph live."""
    def lived(share=0.0, arm="x", **more):
        changes = {"arms": {"x": bath("rsl3", 0.2), "control": {}}, "mechanisms__ferroptosis": {"d_leth": 60}, **more}
        model = left(2, arm, lymph_share=share, blood_stress=1.0, changes=changes)
        assert model.counters["escaped"] > 8
        return model.counters["escaped_alive"] / model.counters["escaped"]

    primed = lived()
    assert primed < 0.5 * lived(arm="control")
    assert lived(tumour__traits={"fsp1": 10.0}) > primed + 0.3
    assert lived(share=1.0) > primed + 0.3


@pytest.mark.mechanism("M109")
def test_acsl4_high_cells_invade_more_and_damps_drive_migration():
    rich = {"tumour__traits": {"acsl4": 2.0}}
    assert left(changes=rich, rules={"M109.escape": "on"}).counters["escaped"] > 1.3 * left(changes=rich).counters["escaped"]
    model = hours(flood(tissue("control", 3, **CALM, rules={"M77.migration": "on"}, mechanisms__metastasis=LEAVING), "hmgb1", 5.0), 4)
    assert model.counters["escaped"] > 1.3 * left().counters["escaped"]


def test_cells_that_leave_are_the_same_after_a_break():
    model = left(2)
    other = TumourModel.from_state(model.config, model.state_dict(), seed=3)
    one, two = (hours(m, 2).state_dict() for m in (model, other))
    assert not [k for k in one if one[k].tobytes() != two[k].tobytes()]


# ---- loss of antigen and MHC-I ------------------------------------------------------------------------------------------
GROWS = {"mechanisms__division": {"k_div": 0.004, "drift": 0}, "mechanisms__death": {"k_nec": 0, "k_apo": 0}}


@pytest.mark.mechanism("M120")
def test_daughters_lose_antigen_and_mhc_at_the_stated_rates_and_hand_the_loss_on():
    model = hours(tissue(**GROWS, mechanisms__killing__k_hit=0, mechanisms__antigen_loss={"on": True, "p_antigen": 0.1, "p_mhc": 0.2}), 10)
    c, t = model.counters, model.tumour
    births = c["births"]
    assert births > 200 and abs(c["antigen_lost"] / births - 0.1) < 4 * (0.09 / births) ** 0.5
    assert c["mhc_lost"] > 0.1 * births and (t.mhc_lost == 1).sum() >= c["mhc_lost"]
    assert (t.mhc1[t.mhc_lost == 1] == 0).all() and t.mhc1[t.mhc_lost == 0].min() > 0
    steady = hours(tissue(**GROWS, mechanisms__killing__k_hit=0, mechanisms__antigen_loss={"on": True, "p_antigen": 0, "p_mhc": 0}), 4)
    assert steady.counters["antigen_lost"] == steady.counters["mhc_lost"] == 0 and (steady.tumour.mhc_lost == 0).all()


@pytest.mark.mechanism("M120")
def test_t_cells_select_the_cells_that_they_do_not_see():
    """From the same mixture, half without MHC-I, CD8 kill those that show it; without CD8 the halves stay as they are."""
    def unseen(**changes):
        model = tissue("control", 2, mechanisms__antigen_loss={"on": True, "p_antigen": 0, "p_mhc": 0}, mechanisms__killing={"k_hit": 0.2, "mhc_floor": 0.0},
                       populations__cd8={"per_mm2": 1500}, **ROOM, **changes)  # fmt: skip
        model.tumour.mhc_lost[::2] = 1
        hours(model, 14)
        living = model.tumour.state == 0
        return model.tumour.mhc_lost[living].mean(), living.sum()

    share, left_ = unseen()
    assert left_ < 220 and share > 0.55
    assert unseen(populations={"cd8": None})[0] == pytest.approx(0.5, abs=0.02)


# ---- deaths by name --------------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M95")
@pytest.mark.parametrize("mode", LABELS)
def test_a_death_by_name_has_its_hazard_its_kind_of_corpse_and_its_count(mode):
    model = hours(dish(mechanisms__other_deaths={mode: 0.01}), 1)
    dead = 144 - alive(model)
    expected = 144 * (1 - np.exp(-0.01 * 60))
    assert abs(dead - expected) < 4 * np.sqrt(expected * np.exp(-0.6))
    assert dead == model.counters[f"died_by_{mode}"] == model.observe()[f"died_by_{mode}"]
    assert died(model, {"lytic": "necrosis", "apoptotic": "apoptosis"}[LABELS[mode].corpse]) == dead


@pytest.mark.mechanism("M95")
def test_lytic_deaths_release_more_damps_than_apoptotic_ones_and_ferroptosis_most():
    def damps(**changes):
        model = hours(dish(fields__cystine={"initial": 40}, **changes), 2)
        return level(model, "atp") / max(144 - alive(model), 1)

    lytic, apoptotic = (damps(mechanisms__other_deaths={m: 1.0}) for m in ("pyroptosis", "entosis"))
    ferroptotic = damps(mechanisms__ferroptosis={"d_leth": 1}, arms={"control": bath("rsl3", 50.0)})
    assert ferroptotic > lytic > 2 * apoptotic > 0


@pytest.mark.mechanism("M95")
def test_a_rule_may_bring_a_death_by_name():
    number = {"unit": "1", "source": "assumed: test"}
    rule = {"in": "tumour", "signal": "drug.rsl3", "adds_to": "death.necroptosis", "to": {"value": 0.05, **number, "unit": "1/min"},
            "half": {"value": 0.1, **number, "unit": "uM"}, "evidence": "hypothetical", "source": "assumed: test"}  # fmt: skip
    arms = {"control": {}, "x": bath("rsl3", 0.3)}
    treated, control = (hours(dish(a, arms=arms, rules={"test": rule}, mechanisms__ferroptosis={"d_leth": 5000}), 1) for a in ("x", "control"))
    assert treated.counters["died_by_necroptosis"] > 100 and alive(control) == 144


# ---- what the series says of harm and regrowth -------------------------------------------------------------------------------
def test_blockade_of_several_axes_and_priming_raise_the_index_of_autoimmunity():
    def index(*names, **changes):
        given = {"antibodies": [{"name": n, "dose_mg_kg": 10, "day": 0} for n in names]}
        return hours(tissue("x", arms={"x": given}, **changes), 1).observe()["irae_t_index"]

    none, one, two = index(), index("anti_pd1"), index("anti_pd1", "anti_ctla4")
    assert none == pytest.approx(1.0) and one > 1.5 * none and two > 1.5 * one
    model = tissue()
    model.node.output = 3.0
    assert model.observe()["irae_t_index"] == pytest.approx(3.0)


def test_more_active_cd8_spill_more_ifng_out_of_the_tumour():
    many, few = (hours(tissue(populations__cd8={"per_mm2": n}, **ROOM), 6).observe()["irae_ifng"] for n in (1500, 150))
    assert many > 2 * few > 0


@pytest.mark.mechanism("M85")
def test_an_inducer_that_reaches_normal_tissue_shows_as_its_ferroptosis():
    frail = {"fsp1": 0.0, "acsl4": 1.0, "tfr1": 1.0, "d_leth": 20.0}
    own = {"populations__normal": {"share": 0.3}, "mechanisms__ferroptosis_normal": {"on": True}, "entries__cells__normal__pathways__ferroptosis__preset": frail}
    harmed, spared = (hours(tissue(a, arms={"x": bath("rsl3", 2.0), "control": {}}, **own), 8).observe()["normal_ferroptosis"] for a in ("x", "control"))
    assert harmed > 0.3 and spared == 0.0
    assert "normal_ferroptosis" not in tissue().observe()


@pytest.mark.mechanism("M110")
def test_a_hardy_clone_regrows_after_an_inducer_and_the_series_says_so():
    """Of a tenth of hardy cells the tumour comes back from its nadir; without them it does not."""
    def after(share):
        clones = dict.fromkeys(load_library().tumour("b16_like").clones) | ({"stem_like": {"share": share, "fsp1": 10}} if share else {})
        model = tissue("x", 2, arms={"x": bath("rsl3", 1.0)}, tumour__clones=clones, mechanisms__killing__k_hit=0, rules={"M69.arrest": "off"},
                       mechanisms__division={"k_div": 0.003}, mechanisms__damp={"tau_clear_min": 60})  # fmt: skip
        return hours(model, 20).observe()

    hardy, none = after(0.15), after(0.0)
    assert hardy["tumour_nadir"] < 160 and hardy["regrowth"] > 1.5
    assert none["tumour_alive"] < 0.3 * hardy["tumour_alive"]
    assert hardy["clone_stem_like_share"] > 0.6


def test_the_nadir_counts_from_the_first_day_of_treatment():
    model = hours(tissue(start_day=-1, mechanisms__killing__k_hit=0), 3)
    assert "nadir" not in model.counters and model.observe()["regrowth"] == 1.0
    assert mean(model, "gsh") > 0
