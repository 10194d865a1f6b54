"""What immune cells and tumour cells do to each other: secretion that lasts, arrest, M1 and M2, priming, endothelium, PD-L1."""

import math

import numpy as np
import pytest
from support import CELLS, QUIET, dish, falls, flood, hours, kill, level, mean, particles, rises, tissue

from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels.multigrid import Workspace

GROWING = {"mechanisms__division": {"k_div": 0.0008}}


def without(*rules):
    """Rules switched off."""
    return {"rules": dict.fromkeys(rules, "off")}


# ---- IFN-gamma: secretion, uptake ---------------------------------------------------------------------
@pytest.mark.mechanism("M67")
def test_secretion_outlasts_a_contact_and_falls_off_within_hours():
    model = hours(tissue(mechanisms__cd8_turnover={"life_d": 100, "off_tumour": 1}, mechanisms__recruitment__k_cd8=0), 3)
    c = model.cd8
    assert c.stimulus.max() > 0.1
    model.tumour.col.state[: model.tumour.n] = 3  # nobody is left to hold
    before = c.stimulus.sum()
    hours(model, 0.5)
    assert 0.85 * before < c.stimulus.sum() < before and level(model, "ifng") > 0
    hours(model, 6)
    assert c.stimulus.sum() == pytest.approx(before * math.exp(-6.5 / 6), rel=0.1)


@pytest.mark.mechanism("M67")
def test_without_contact_nothing_is_secreted():
    assert hours(tissue(mechanisms__killing__k_attach=0), 3).cd8.stimulus.max() == 0.0


def steady(n: int, strength: float) -> np.ndarray:
    """A row of n voxels over 400 um with a smooth source and saturating uptake, solved to its end."""
    grid = Grid((1, 1, n), 400.0 / n)
    field = Field("ifng", "ng/mL", grid, 3000.0, 0.004, mode="quasi_steady", k_m=5.0, tol=1e-10)
    x = (np.arange(n) + 0.5) / n
    field.use("source")[:] = strength * (1.0 + np.cos(np.pi * x))
    field.use("vmax")[:] = 10.0
    workspace = Workspace(grid.shape, grid.periodic)
    for _ in range(4):
        field.advance(1.0, workspace)
    return field.concentration


@pytest.mark.parametrize("strength", [0.01, 3.0, 8.0])
def test_saturating_uptake_of_ifng_is_solved_to_second_order(strength):
    """Successive differences between voxels a third as wide fall ninefold."""
    wide, mid, fine = (steady(16 * m, strength).reshape(-1, m)[:, m // 2] for m in (1, 3, 9))  # at the same 16 points
    ratio = np.abs(wide - mid).max() / np.abs(mid - fine).max()
    assert math.log(ratio, 3) == pytest.approx(2.0, abs=0.1)


def test_receptors_take_up_less_of_much_ifng():
    """At a low level as the linear law says, at a high one at most vmax."""
    low, high = steady(48, 0.01).mean(), steady(48, 8.0).mean()
    assert low == pytest.approx(0.01 / (2.0 + 0.004), rel=0.01)
    assert high > 2.0 * 8.0 / 2.004


def test_a_warm_start_from_another_level_ends_at_the_same_profile():
    grid = Grid((1, 160, 160), 20.0)
    workspace, ends = Workspace(grid.shape, grid.periodic), []
    for begin in (0.0, 50.0):
        field = Field("ifng", "ng/mL", grid, 3000.0, 0.004, mode="quasi_steady", k_m=5.0, tol=1e-6)
        field.use("vmax")[:] = 4.0
        field.use("source")[grid.n_voxels // 2 + 80] = 200.0
        field.concentration[:] = begin
        field.advance(1.0, workspace)
        assert field.subdomain is not None  # solved around the source only
        ends.append(field.concentration.copy())
    assert np.allclose(ends[0], ends[1], rtol=1e-4, atol=1e-5 * ends[0].max())


# ---- IFN-gamma stops division -------------------------------------------------------------------------
@pytest.mark.mechanism("M69")
def test_ifng_arrests_division_and_not_without_the_rule():
    def births(ifng, **more):
        model = tissue(mechanisms__killing__k_attach=0, mechanisms__ferroptosis={"tau_z": 60, "d_leth": 5000}, **GROWING, **more)
        return hours(flood(model, "ifng", ifng), 12).counters["births"]

    assert births(10.0) < 0.6 * births(0.0)
    assert births(10.0, **without("M69.arrest")) > 0.85 * births(0.0, **without("M69.arrest"))


# ---- PD-L1 --------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M69")
def test_a_share_of_tumour_cells_does_not_raise_pdl1_and_their_daughters_do_not_either():
    model = tissue(mechanisms__ifng_response={"pdl1_answering": 0.5, "pdl1_tau": 60}, rules=QUIET, mechanisms__division={"k_div": 0.003})
    t = hours(flood(model, "ifng", 5.0), 12).tumour
    deaf, alive = t.pdl1_answer == 0.0, t.state == 0
    assert model.counters["births"] > 20 and 0.35 < deaf.mean() < 0.65
    assert t.pdl1[deaf & alive].max() < 0.1 < 0.5 < t.pdl1[~deaf & alive & (t.born_tick == 0)].min()


@pytest.mark.mechanism("M80")
def test_host_cells_show_pdl1_by_default_and_less_so_in_mc38():
    """The same contacts: function of engaged CD8 where the tumour itself shows none."""

    def function(**more):
        model = tissue(receptors={"pd1": {"host": True, **more.pop("pd1", {})}}, populations__macrophage={"share": 0.6},
                       domain__immune_per_voxel=6, mechanisms__ifng_response={"pdl1_base": 0, "pdl1_tau": 4320}, **more)  # fmt: skip
        c = hours(flood(model, "ifng", 5.0), 3).cd8
        return float(c.function[c.engaged == 1].mean())

    host, light, none = (function(mechanisms__host_ligands__weight=w) for w in (1.0, 0.3, 0.0))
    assert falls([none, light, host], 1.02)
    assert tissue(receptors=None, tumour__preset="mc38_like").mechanism("host_ligands").p.weight < 1.0 == tissue(receptors=None).mechanism("host_ligands").p.weight


# ---- macrophages --------------------------------------------------------------------------------------
def crowded(m1, **changes):
    """A tumour full of macrophages that keep one polarisation."""
    model = tissue(populations__macrophage={"share": 0.6}, domain__immune_per_voxel=6, mechanisms__polarisation__tau_min=2880, **changes)
    model.macrophage.col.m1[: model.macrophage.n] = m1
    return model


@pytest.mark.mechanism("M74")
def test_m1_macrophages_eat_living_tumour_cells_and_m2_do_not():
    idle = {"mechanisms__killing__k_attach": 0}
    eager = {"entries__cells__macrophage__phagocytoses": {"living": 1e-3}}
    eaten = [hours(crowded(m, **idle, **eager), 4).counters["eaten_alive"] for m in (0.05, 0.5, 0.95)]
    assert rises(eaten, 1.2)
    assert hours(crowded(0.95, **idle, entries__cells__macrophage__phagocytoses={"living": 0}), 4).counters["eaten_alive"] == 0


@pytest.mark.mechanism("M74")
def test_m1_macrophages_bring_chemokine_and_help():
    models = [hours(crowded(m, mechanisms__killing__k_attach=0), 4) for m in (0.05, 0.5, 0.95)]
    assert rises([level(m, "cxcl") for m in models], 1.1)
    assert rises([level(m, "il12") for m in models], 1.2)
    assert falls([level(m, "growth_factors") for m in models], 1.2)
    assert falls([level(m, "suppression") for m in models], 1.2)


@pytest.mark.mechanism("M74")
def test_il12_raises_hits_and_ifng_and_not_without_its_rules():
    def run(il12, **more):
        model = hours(flood(tissue(mechanisms__killing__k_hit=0.01, **more), "il12", il12), 5)
        return model.counters["kills"], level(model, "ifng")

    plain, helped = run(0.0), run(5.0)
    assert helped[0] > plain[0] and helped[1] > 1.3 * plain[1]
    off = without("M74.il12_ifng", "M74.il12_killing")
    assert "il12" not in tissue(**off).fields


@pytest.mark.mechanism("M77")
def test_growth_factors_of_m2_macrophages_feed_division_and_not_without_the_rule():
    model, rule = hours(flood(tissue(**GROWING), "growth_factors", 5.0), 1), 1.0 + 0.25 * 5.0 / 6.0
    t = model.tumour
    assert t.rule_m77_m2_growth[t.state == 0] == pytest.approx(rule)
    fed, plain = (hours(flood(tissue(populations=None, **GROWING), "growth_factors", x), 12).counters["births"] for x in (50.0, 0.0))
    assert fed > 1.08 * plain
    assert "growth_factors" not in tissue(**without("M77.m2_growth")).fields


@pytest.mark.mechanism("M74", "N6")
def test_iron_oxide_turns_macrophages_to_m1_and_the_tumour_grows_less():
    """Macrophages alone, without CD8, in the same tumours with and without iron oxide that does nothing but polarise."""
    arms = {"control": {}, "iron": particles("iron_oxide", 80, day=[0, 0.6, 1.2], route="intratumoral")}
    own = {"populations": {"cd8": None, "treg": None, "dendritic": None, "macrophage": {"share": 0.4}}, "domain__immune_per_voxel": 4,
           "mechanisms__division": {"k_div": 0.0004}, "mechanisms__polarisation__tau_min": 360,
           "mechanisms__ferroptosis__d_leth": 5000, "entries__cells__macrophage__phagocytoses": {"living": 2e-4}}  # fmt: skip
    plain, iron = (hours(tissue(arm, arms=arms, **own), 48) for arm in arms)
    assert iron.macrophage.m1.mean() > 1.3 * plain.macrophage.m1.mean()
    assert iron.n_alive < 0.95 * plain.n_alive and iron.counters["dead_ferroptosis"] == 0


# ---- priming, endothelium -----------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.mechanism("M73")
def test_a_section_twice_as_large_with_as_many_dendritic_cells_per_cell_primes_alike():
    """All dendritic cells mature at once and leave; twice the cells, twice the dendritic cells, the same output."""
    outputs = []
    for n in (150, 300):
        model = tissue(initial__n_cells=n, populations__dendritic={"share": 0.1}, mechanisms__priming={
            "residence_min": 10, "travel_min": 10, "expansion_min": 20, "k_mature": 0, "q0": 1})  # fmt: skip
        d = model.dendritic
        d.col.mature[: d.n], d.col.mature_tick[: d.n] = 1, 0
        outputs.append(hours(model, 1).node.output - 1.0)
        assert d.n == 0 and model.node.dendritic == pytest.approx(0.1 * n, rel=0.05)
    assert outputs[0] == pytest.approx(outputs[1], rel=1e-9) and outputs[0] > 0.01


@pytest.mark.slow
@pytest.mark.mechanism("M73")
def test_endothelium_goes_on_letting_cd8_in_for_days_after_the_chemokine_has_gone():
    def recruited(memory_d):
        model = flood(tissue(mechanisms__recruitment={"k_cd8": 10, "memory_d": memory_d}, domain__immune_per_voxel=6), "cxcl", 20.0)
        hours(model, 2)
        model.fields["cxcl"].fill(0.0)
        before = model.counters["recruited_cd8"]
        return hours(model, 6).counters["recruited_cd8"] - before

    assert recruited(3.0) > 2 * recruited(0.0)


@pytest.mark.mechanism("M73")
def test_newcomers_beyond_the_start_are_specific():
    def share(output):
        model = tissue(mechanisms__recruitment__k_cd8=15, mechanisms__killing__specific=0.2, mechanisms__priming__tau_b_min=14400, domain__immune_per_voxel=6)
        model.node.output = output
        c = hours(model, 3).cd8
        return c.specific[c.born_tick > 0].mean()

    assert share(1.0) < 0.4 < 0.65 < share(6.0)


# ---- early ferroptotic cells: two papers --------------------------------------------------------------
def beside_early_corpses(**rules):
    """Dendritic cells among early ferroptotic corpses, under the same DAMPs everywhere."""
    model = dish(populations__dendritic={"share": 0.3}, mechanisms__priming={"k_mature": 0.004}, mechanisms__damp={"tau_clear_min": 4320},
                 rules={**QUIET, **rules})  # fmt: skip
    model = kill(model, slice(0, CELLS), 1, 30)
    return hours(flood(flood(model, "atp", 1.0), "hmgb1", 1.0), 3)


@pytest.mark.mechanism("M71", "M72")
def test_early_ferroptotic_cells_mature_dendritic_cells_by_one_paper_and_hold_them_back_by_the_other():
    neither, efimova, wiernicki = (
        beside_early_corpses(**r) for r in ({}, {"M71.efimova": "on"}, {"M72.wiernicki": "on", "M72.wiernicki_antigen": "on"})
    )
    assert efimova.counters["dc_matured"] > 1.1 * neither.counters["dc_matured"]
    assert wiernicki.counters["dc_matured"] < 0.7 * neither.counters["dc_matured"]
    assert wiernicki.dendritic.antigen[wiernicki.dendritic.mature == 0].mean() < 0.8 * neither.dendritic.antigen[neither.dendritic.mature == 0].mean()


@pytest.mark.mechanism("M72")
def test_cells_that_have_met_early_ferroptotic_cells_prime_less_by_wiernicki():
    quick = {"residence_min": 60, "travel_min": 10, "expansion_min": 10, "k_mature": 0.02}

    def output(**rules):
        model = dish(populations__dendritic={"share": 0.3}, mechanisms__priming=quick, rules={**QUIET, **rules}, mechanisms__damp={"tau_clear_min": 4320})
        model = kill(model, slice(0, CELLS), 1, 30)
        return hours(flood(flood(model, "atp", 5.0), "hmgb1", 5.0), 6).node.output - 1.0

    assert 0 < output(**{"M72.wiernicki_presentation": {"lag_h": 2, "default": "on"}}) < 0.8 * output()


# ---- readouts -----------------------------------------------------------------------------------------
def test_the_series_has_functional_cd8_treg_and_mature_dendritic_cells_with_the_node():
    model = hours(tissue(mechanisms__exhaustion__start=0.4), 1)
    row, c = model.observe(), model.cd8
    inside = model.lattice.depth_um() > -100.0
    here = inside[c.voxel]
    assert row["cd8_functional_share"] == pytest.approx(float((c.exhaustion[here] <= 0.5).mean()))
    treg = int(inside[model.treg.voxel].sum())
    assert row["treg_share"] == pytest.approx(treg / (treg + here.sum()))
    model.node.dendritic = 5.0
    d = int(inside[model.dendritic.voxel].sum())
    assert model.observe()["dc_mature_share_with_node"] == pytest.approx(5.0 / (d + 5.0))
    assert mean(model, "pdl1") > 0.0


def test_exhausted_cd8_are_lost_sooner():
    """All CD8 at an exhaustion of 0.9 or 0, nobody comes, no hits: after a day more of the fresh ones are there, unless the rule is off."""
    left = {}
    for exhausted, rule in ((0.0, "on"), (0.9, "on"), (0.9, "off")):
        model = tissue(mechanisms__recruitment__k_cd8=0, mechanisms__killing__k_hit=0, mechanisms__cd8_turnover__k_expand=0,
                       populations__cd8__per_mm2=1500, rules={"M82.loss": rule})  # fmt: skip
        n = model.cd8.n
        model.cd8.exhaustion[:] = exhausted
        left[exhausted, rule] = hours(model, 24).cd8.n / n
    assert left[0.9, "on"] < 0.8 * left[0.0, "on"]
    assert abs(left[0.9, "off"] - left[0.0, "on"]) < 0.1
