"""Guest cell types that are entries only: what they do to others, and that they leave others' dice alone."""

import json

import numpy as np
import pytest
from support import TISSUE, by_uid_of, flood, hours, kill, level, merged, nested, particles, rises, tissue

from tme.mechanisms.recruitment import response
from tme.model import TumourModel, load_config

ROOM = {"domain__immune_per_voxel": 8}


def number(value, unit):
    return {"value": value, "unit": unit, "source": "assumed: test"}


WANDERER = {
    "about": "a guest that walks and does nothing else",
    "place": "guest",
    "volume_um3": number(200, "um^3"),
    "motion": {"speed": number(4, "um/min"), "clock_min": number(1, "min"), "follows": "cxcl", "bias": number(0.2, "1")},
    "entry": {"rate": number(1e-3, "1/min"), "signal": "hmgb1", "half": number(1, "a.u."), "basal": number(1, "1")},
    "life": {"mean_d": number(0.5, "d")},
}


def with_own(tmp_path, entries, **changes):
    """A model of `tissue` with a library file of further cell types."""
    data = TISSUE
    for key, value in changes.items():
        data = merged(data, nested(key, value))
    if entries:
        (tmp_path / "mine.yaml").write_text(json.dumps({"cells": entries}))
        data = {**data, "library": [str(tmp_path / "mine.yaml")]}
    path = tmp_path / "own.yaml"
    path.write_text(json.dumps(data))
    return TumourModel(load_config(path), seed=1, arm="control")


def often(*kinds):
    """Changes of a config by which cells of these types enter often."""
    return {"entries": {"cells": {kind: {"entry": {"holds": 40}} for kind in kinds}}}


# ---- a type of the user's own -------------------------------------------------------------------------
def test_a_type_needs_only_its_entry(tmp_path):
    model = with_own(tmp_path, {"wanderer": WANDERER}, populations__wanderer={"per_mm2": 200}, **ROOM)
    cells = model.wanderer
    assert cells is model.populations["wanderer"] and cells in model.immune and cells.n > 20
    start = dict(zip(cells.uid.tolist(), cells.voxel.tolist()))
    hours(model, 6)
    assert model.counters["recruited_wanderer"] > 0 and model.counters["lost_wanderer"] > 0
    moved = [v != start[u] for u, v in zip(cells.uid.tolist(), cells.voxel.tolist()) if u in start]
    assert np.mean(moved) > 0.5
    row = model.observe()
    assert row["wanderer"] == cells.n
    assert (model.cells_table()["cell_type"] == "wanderer").sum() == cells.n


@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_a_type_added_changes_nobody_elses_dice(tmp_path, name):
    """With room for everybody, all other cells are bit for bit where they are without it, whatever its name."""
    busy = {"mechanisms__recruitment": {"k_cd8": 15, "k_treg": 50, "k_mac": 30}, "mechanisms__cd8_turnover__k_expand": 0.004}
    without = hours(with_own(tmp_path, {}, **busy, **ROOM), 8)
    added = hours(with_own(tmp_path, {name: WANDERER}, **{f"populations__{name}": {"per_mm2": 100}}, **busy, **ROOM), 8)
    assert added.populations[name].n > 0 and added.lattice.immune_count.max() < 8
    there, here = by_uid_of(without), by_uid_of(added)
    for event in ("recruited_cd8", "recruited_treg", "births_cd8", "kills"):
        assert without.counters[event] > 0, event
    for key, values in there.items():
        assert np.array_equal(values, here[key]), key


def test_types_claim_room_in_one_order_whatever_the_order_of_the_config(tmp_path):
    """Two types that contest one place a voxel: swapping their lines changes nothing."""
    own = {"bbb": WANDERER, "aaa": WANDERER}
    one = with_own(tmp_path, own, populations={"aaa": {"per_mm2": 300}, "bbb": {"per_mm2": 300}}, domain__immune_per_voxel=1)
    two = with_own(tmp_path, dict(reversed(own.items())), populations={"bbb": {"per_mm2": 300}, "aaa": {"per_mm2": 300}},
                   domain__immune_per_voxel=1)  # fmt: skip
    assert one.populations.names() == two.populations.names()
    a, b = by_uid_of(hours(one, 3)), by_uid_of(hours(two, 3))
    assert set(a) == set(b) and all(np.array_equal(a[k], b[k]) for k in a)


def test_a_model_with_further_types_goes_on_from_a_checkpoint_bit_for_bit(tmp_path):
    changes = {"populations__mdsc": {}, "populations__caf": {}, "populations__normal": {"share": 0.5}, "populations__neutrophil": {}}
    model = hours(with_own(tmp_path, {}, **changes), 2)
    resumed = TumourModel.from_state(model.config, model.state_dict(), seed=1)
    for m in (model, resumed):
        hours(m, 2)
    a, b = by_uid_of(model), by_uid_of(resumed)
    assert {"mdsc.uid", "caf.uid", "normal.uid"} <= set(a)
    assert all(np.array_equal(a[k], b[k]) for k in a) and np.array_equal(model.lattice.tissue_row, resumed.lattice.tissue_row)


# ---- those of the library -----------------------------------------------------------------------------
def function(model):
    """Mean effector function of engaged CD8."""
    return float(model.cd8.function[model.cd8.engaged == 1].mean())


@pytest.mark.mechanism("M84")
def test_mdsc_weaken_cd8():
    alone = {"mechanisms__suppression": {"treg_rate": 0, "m2_rate": 0}, "mechanisms__killing__k_sup": 5}
    models = [hours(tissue(populations__mdsc={"per_mm2": n}, **alone, **ROOM), 8) for n in (0, 300, 1500)]
    assert rises([level(m, "suppression") for m in models])
    assert function(models[0]) > function(models[1]) > function(models[2])
    assert models[0].counters["kills"] > models[-1].counters["kills"]


@pytest.mark.mechanism("M77")
def test_damps_draw_mdsc_and_neutrophils():
    both = {"populations__mdsc": {}, "populations__neutrophil": {}, **often("mdsc", "neutrophil")}
    low, high = (hours(flood(tissue(**both, **ROOM), "hmgb1", h), 12) for h in (0.0, 5.0))
    for kind in ("mdsc", "neutrophil"):
        assert high.counters[f"recruited_{kind}"] > 1.5 * low.counters[f"recruited_{kind}"] > 0


@pytest.mark.mechanism("M86")
def test_helper_cells_raise_ifng_and_mhc_1():
    quiet = {"populations__cd8": None}
    models = [hours(tissue(populations__cd4={"per_mm2": n}, **quiet, **ROOM), 6) for n in (0, 100, 500)]
    assert level(models[0], "ifng") == 0.0
    assert rises([level(m, "ifng") for m in models])
    assert rises([float(m.tumour.mhc1.mean()) for m in models])


@pytest.mark.mechanism("M73")
def test_the_node_sends_helper_cells_too():
    def recruited(gain):
        model = tissue(populations__cd4={}, **ROOM)
        model.node.output = gain
        return hours(flood(model, "cxcl", 50.0), 12).counters["recruited_cd4"]

    assert recruited(40.0) > 3 * recruited(4.0)


@pytest.mark.mechanism("M86")
def test_neutrophils_clear_corpses_sooner_where_they_are():
    slow = {"mechanisms__damp__tau_clear_min": 4320, "populations__macrophage": None}
    cleared = []
    for n in (0, 800):
        model = tissue(populations__neutrophil={"per_mm2": n}, **slow, **ROOM)
        kill(model, np.arange(0, 250, 2))
        cleared.append(hours(model, 6).counters["cleared"])
    assert cleared[1] > 1.5 * cleared[0] > 0


@pytest.mark.mechanism("M86")
def test_nk_cells_kill_those_that_show_little_mhc_1():
    """Two tumours that differ in MHC-I only."""
    alone = {"populations": {"cd8": None, "nk": {"per_mm2": 400}}, "mechanisms__damp__tau_clear_min": 4320, **ROOM}

    def killed(mhc1):
        model = tissue(mechanisms__ifng_response={"mhc1_base": mhc1}, **alone)
        assert model.nk in model.killers and not model.cd8.n
        return hours(model, 12).counters["kills"]

    assert killed(0.05) > 2 * killed(1.0) > 0
    assert hours(tissue(**{**alone, "populations": {"cd8": None}}), 2).counters["kills"] == 0


@pytest.mark.mechanism("M84")
def test_cd8_kill_those_that_show_much_mhc_1():
    def killed(mhc1):
        return hours(tissue(mechanisms__ifng_response={"mhc1_base": mhc1}, mechanisms__killing={"mhc_floor": 0}, populations__cd8={"per_mm2": 430}, **ROOM), 12).counters["kills"]

    assert killed(1.0) > 1.6 * killed(0.1)  # the IFN-gamma of twelve hours raises what was low


def test_nk_cells_walk_and_turn_over_without_a_law_of_their_own():
    model = hours(tissue(populations__nk={"per_mm2": 300}, **ROOM), 2)
    assert model.nk in model.killers and model.nk.n > 0 and (model.nk.speed == 3.0).all()
    assert (model.nk.heading >= 0).any() and (model.nk.engaged == 1).any()


# ---- terms --------------------------------------------------------------------------------------------
def set_term(population, name, factor):
    """Give every present and future cell a factor on a term, as an active rule would."""
    setattr(population.col, "term_" + name.replace(".", "_"), np.full(20_000, float(factor)))


def test_a_term_on_speed_holds_cells_or_lets_them_go():
    model = tissue(populations__mdsc={}, mechanisms__recruitment={"k_treg": 0, "k_mac": 0}, **ROOM)
    for kind in ("cd8", "treg", "mdsc"):
        set_term(model.populations[kind], "motility.speed", 0.0)
    start = {kind: model.populations[kind].voxel.copy() for kind in ("cd8", "treg", "mdsc", "macrophage")}
    for _ in range(30):
        model.mechanism("motility").step(model)
        model.tick += 1
        if model.tick % 5 == 0:
            model.mechanism("slow_motility").step(model)
    for kind in ("cd8", "treg", "mdsc"):
        assert np.array_equal(model.populations[kind].voxel, start[kind])
    assert not np.array_equal(model.macrophage.voxel, start["macrophage"])


def test_a_term_on_secretion_scales_what_one_type_adds_to_a_field():
    def suppression(factor):
        model = tissue(populations={"mdsc": {}, "treg": None, "macrophage": None}, **ROOM)
        if factor is not None:
            set_term(model.mdsc, "secretion.suppression", factor)
        model.fields["suppression"].fill(0.0)  # what they made before the start
        return level(hours(model, 1), "suppression")

    assert suppression(0.0) == 0.0 and suppression(1.0) == suppression(None) > 0.0
    assert suppression(3.0) == pytest.approx(3.0 * suppression(None), rel=1e-2)


def test_a_term_on_entry_is_asked_at_the_vessels():
    def recruited(factor):
        model = tissue(populations__mdsc={}, **often("mdsc"), **ROOM)
        asked = []

        def at(voxels):
            asked.append(voxels.copy())
            return np.full(len(voxels), factor)

        model.mechanism("recruitment").factor["mdsc"] = at
        hours(model, 6)
        assert len(asked) == 12 and all((v >= 0).all() and len(v) for v in asked)
        return model.counters["recruited_mdsc"]

    counts = [recruited(f) for f in (0.0, 1.0, 4.0)]
    assert counts[0] == 0 and rises(counts, 1.5)
    assert counts[1] == hours(tissue(populations__mdsc={}, **often("mdsc"), **ROOM), 6).counters["recruited_mdsc"]


def test_a_term_on_turnover_and_one_on_phagocytosis():
    def left(factor):
        model = tissue(populations__mdsc={"per_mm2": 300}, **ROOM)
        set_term(model.mdsc, "turnover.rate", factor)
        return hours(model, 12).counters["lost_mdsc"]

    assert left(0.0) == 0 and left(10.0) > 2 * left(1.0) > 0

    def cleared(factor):
        model = tissue(populations={"neutrophil": {"per_mm2": 400}, "macrophage": None}, mechanisms__damp__tau_clear_min=4320, **ROOM)
        set_term(model.neutrophil, "phagocytosis.rate", factor)
        kill(model, np.arange(0, 250, 2))
        return hours(model, 4).counters["cleared"]

    assert cleared(0.0) < cleared(1.0) < cleared(10.0)


def test_a_guest_that_takes_up_particles_does_so_as_macrophages_do(tmp_path):
    """Its cells hold payload, the tissue loses it, and what is held is theirs alone."""
    eater = {**WANDERER, "takes_up_particles": True}
    arms = {"control": particles("peg_pdpa_rsl3", 20, route="intratumoral")}
    held = []
    for entry in (WANDERER, eater):
        model = with_own(tmp_path, {"eater": entry}, populations={"eater": {"per_mm2": 800}, "macrophage": None}, arms=arms, **ROOM)
        hours(model, 2)
        assert ("np_peg_pdpa_rsl3" in model.eater.declared) == (entry is eater)
        held.append(float(model.fields["peg_pdpa_rsl3"].concentration.sum()))
    assert (model.eater.np_peg_pdpa_rsl3 > 0.0).mean() > 0.2
    assert held[1] < 0.98 * held[0]


@pytest.mark.parametrize("kind", ["cd4", "nk", "mdsc", "neutrophil", "b_cell"])
def test_what_dies_of_a_type_in_an_untreated_tumour_is_replaced(kind):
    """Inflow at the start is the loss at the start and half as much again, which makes up for those that leave the tumour."""
    model = tissue(**{f"populations__{kind}": {"per_mm2": 400}}, **ROOM)
    population, law = model.populations[kind], model.mechanism("recruitment")
    entry, life = population.entry.entry, population.entry.life
    weight = model.vessels.weight * law.near(model)
    inflow = entry.holds * law.scale[kind] * float((weight * (response(model, entry) + entry.basal)).sum())
    lost = population.n / (life.mean_d * 1440.0)
    if life.where is not None:
        lost += (life.sooner - 1.0) / (life.mean_d * 1440.0) * int((model.fields[life.where].at(population.col.voxel[: population.n]) < life.below).sum())
    assert population.n > 20 and inflow == pytest.approx(1.5 * lost, rel=1e-9)
