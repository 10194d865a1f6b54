"""Resection takes out what lies in its place; vaccines prime and leave memory; cells can be implanted again."""

import numpy as np
import pytest
from support import alive, by_uid_of, hours, particles, tissue
from test_model import ticks

from tme.library import load_library
from tme.model import TumourModel

VACCINE = load_library().event("vaccination")


def resection(day=0.01, **more):
    """An arm with an operation."""
    return {"events": [{"name": "resection", "day": day, **more}]}


def whole(model):
    """Whether the lattice knows who stands where."""
    row = model.lattice.tissue_row
    assert np.array_equal(row[model.tumour.voxel], np.arange(model.tumour.n)) and (row >= 0).sum() == model.tumour.n
    count = np.bincount(np.concatenate([p.voxel for p in model.immune]), minlength=model.grid.n_voxels)
    assert np.array_equal(model.lattice.immune_count, count)


# ---- resection ------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M126")
def test_a_whole_tumour_is_taken_out_with_the_cells_in_it_and_nothing_else():
    model = ticks(tissue("x", 2, arms={"x": resection()}), 14)
    depth, before = model.lattice.depth_um().copy(), {p.kind: set(p.uid.tolist()) for p in model.populations}
    inside = {p.kind: set(p.uid[depth[p.voxel] > 0].tolist()) for p in model.populations}
    ticks(model, 1)
    assert model.tumour.n == 0 and model.counters["resected"] == 250
    for p in model.immune:
        assert not inside[p.kind] & set(p.uid.tolist()), p.kind
        assert model.counters[f"resected_{p.kind}"] >= 0.8 * len(inside[p.kind]) and len(before[p.kind]) - p.n < len(inside[p.kind]) + 12
    whole(model)
    assert alive(hours(model, 2)) == 0


@pytest.mark.mechanism("M126")
def test_a_narrow_margin_leaves_a_rim_and_a_wide_one_takes_the_surroundings_too():
    left = [ticks(tissue("x", 2, arms={"x": resection(margin_um=m)}), 15) for m in (-60, -30, 0, 60)]
    n = [m.tumour.n for m in left]
    assert n[0] > n[1] > n[2] == n[3] == 0
    assert (left[0].lattice.depth_um()[left[0].tumour.voxel] > 0).all()
    guests = [sum(p.n for p in m.immune) for m in left]
    assert guests[3] < guests[2] < guests[0]
    whole(left[0])


@pytest.mark.mechanism("M126")
def test_what_was_left_grows_back():
    growth = {"mechanisms__division__k_div": 0.004, "mechanisms__killing__k_hit": 0}
    model = ticks(tissue("x", 2, arms={"x": resection(share=0.8)}, **growth), 15)
    left = alive(model)
    assert 20 < left < 90
    row = hours(model, 14).observe()
    assert left * 0.8 < row["tumour_nadir"] < 1.3 * left and row["regrowth"] == pytest.approx(alive(model) / row["tumour_nadir"])
    assert row["regrowth"] > 1.5


@pytest.mark.mechanism("M126")
def test_a_place_is_cut_out_with_a_margin_around_it_or_within():
    place = {"kind": "ball", "centre_um": [260, 260], "radius_um": 60}
    models = [ticks(tissue("x", 2, arms={"x": resection(place=place, margin_um=m)}), 15) for m in (-30, 0, 30)]
    for model, radius in zip(models, (30, 60, 90)):
        x, y, _ = model.lattice.position_um(model.tumour.voxel)
        r = np.hypot(x - 260, y - 260)
        assert radius - 25 < r.min() < radius + 25
        whole(model)


@pytest.mark.mechanism("M126")
def test_an_operation_takes_the_particles_of_an_injected_carrier_out():
    arms = {"x": {**particles("cnsi_fe", 5, route="intratumoral"), **resection(day=0.1)}}
    model = ticks(tissue("x", 2, arms=arms), 144)
    held = model.fields["cnsi_fe"].concentration.sum()
    ticks(model, 1)
    depth_gone = model.fields["cnsi_fe"].concentration.sum()
    assert model.tumour.n == 0 and depth_gone < 0.5 * held


def test_an_operation_on_tissue_around_the_tumour_spares_what_lies_beyond():
    model = ticks(tissue("x", 2, arms={"x": resection(margin_um=40)}, populations__normal={}, populations__caf={"share": 0.1}), 15)
    assert model.tumour.n == 0 and 0 < model.counters["resected_normal"] < 200 and model.counters["resected_caf"] > 10
    assert model.normal.n == model.grid.n_voxels - 275 - model.counters["resected_normal"]


# ---- vaccination, memory, rechallenge ---------------------------------------------------------------------
def vaccine(day=-7, cause="ferroptosis", age_h=2, **more):
    """An arm with a vaccination."""
    return {"events": [{"name": "vaccination", "day": day, "cause": cause, "age_h": age_h, **more}]}


def memory_after(**more):
    """Memory at the start after a vaccination before it."""
    return tissue("x", 2, arms={"x": vaccine(**more)}).node.memory


@pytest.mark.mechanism("M119")
def test_early_ferroptotic_cells_vaccinate_and_late_or_otherwise_dead_ones_hardly_do():
    early, late, frozen = memory_after(), memory_after(age_h=24), memory_after(cause="necrosis")
    assert early > 20 * late and early > 5 * frozen > 0
    assert memory_after(share=0.5) == pytest.approx(early / 2)
    assert memory_after(day=-60) < early


@pytest.mark.mechanism("M119")
def test_one_vaccination_before_the_run_counts_once_however_often_the_start_is_prepared():
    """It arrives after its delay, and its memory fades from then on."""
    model = tissue("x", 2, arms={"x": vaccine(day=-7)}, populations__cd8={"per_mm2": 1500}, mechanisms__killing={"specific": 1, "start_output": 0.3})
    assert model.fields["ifng"].concentration.any()  # with which the tissue is settled three times
    item, life = model.therapy.events[0].item, model.mechanism("t_cell_memory").p.life_d
    age_d = 7 + model.start_day - VACCINE.delay_d
    assert model.node.memory == pytest.approx(VACCINE.memory * VACCINE.immunity(item) * np.exp(-age_d / life), rel=1e-3)


@pytest.mark.mechanism("M119")
def test_a_vaccination_during_the_run_primes_after_its_delay():
    model = tissue("x", 2, arms={"x": vaccine(day=0.01)}, entries__events__vaccination={"delay_d": 0.02}, populations=dict.fromkeys(("cd8", "treg", "dendritic", "macrophage")))
    ticks(model, 43)
    assert model.node.output == 1.0 and model.node.memory == 0.0
    ticks(model, 1)
    q = VACCINE.immunity(model.therapy.events[0].item)
    assert model.node.output == pytest.approx(1 + VACCINE.gain * q) and model.node.memory == pytest.approx(VACCINE.memory * q)


@pytest.mark.mechanism("M119")
def test_memory_answers_at_once_outlasts_the_response_and_forms_from_strong_priming():
    def node(days, output, memory=0.0, **numbers):
        model = tissue(populations=dict.fromkeys(("cd8", "treg", "dendritic", "macrophage")), mechanisms__t_cell_memory={"on": True, **numbers}, horizon_day=30)
        model.node.output, model.node.memory = output, memory
        law = model.mechanism("t_cell_memory")
        lymph_node = model.mechanism("lymph_node")
        for _ in range(round(days * 144)):
            lymph_node.step(model)
            law.step(model)
        return model.node

    answer = node(10, 1.0, 1.0)
    assert answer.output == pytest.approx(1 + 2 * answer.memory, rel=0.02) and answer.memory > 0.8
    assert node(3, 6.0).memory > 5 * node(3, 1.2).memory > 0
    assert node(3, 6.0, k_form=0).memory == 0.0
    assert node(20, 1.0, 0.0).output == 1.0


@pytest.mark.mechanism("M119")
def test_a_vaccinated_host_brings_more_cd8_to_an_implant_and_rejects_more_of_it():
    """Challenge after a cure: the first tumour is cut out, new cells come. CD8 kill fast here, so that half a day shows it."""
    def challenged(*events, seed):
        again = [{"name": "resection", "day": 0}, {"name": "implant", "count": 60, "day": 0.01}]
        model = tissue("x", seed, arms={"x": {"events": [*events, *again]}}, mechanisms__recruitment={"k_cd8": 8}, mechanisms__killing__k_hit=0.01,
                       domain__immune_per_voxel=8, mechanisms__cd8_turnover={"off_tumour": 1})  # fmt: skip
        hours(model, 20)
        return model.counters["recruited_cd8"], model.counters["dead_immune"], alive(model)

    naive = np.sum([challenged(seed=s) for s in (1, 2)], axis=0)
    immune = np.sum([challenged(*vaccine()["events"], seed=s) for s in (1, 2)], axis=0)
    assert immune[0] > 1.5 * naive[0]
    assert immune[1] > naive[1] and immune[2] < naive[2]


@pytest.mark.mechanism("M119")
def test_implanted_cells_are_like_founders_in_free_places_and_the_same_in_every_arm():
    again = [{"name": "implant", "count": 40, "day": 0.01, "place": {"kind": "ball", "centre_um": [60, 60], "radius_um": 80}}]
    arms = {"x": {"events": again}, "y": {"events": [{"name": "kill_share", "share": 0.5, "day": 0}, *again]}}
    models = [ticks(tissue(a, 3, arms=arms), 15) for a in arms]
    new = [m.tumour.born_tick == 15 for m in models]
    assert [n.sum() for n in new] == [40, 40]
    x, y = (by_uid_of(m) for m in models)
    for name in ("xct", "acsl4", "antigenicity", "clone"):
        pick = [np.isin(d["tumour.uid"], m.tumour.uid[n]) for d, m, n in zip((x, y), models, new)]
        assert np.array_equal(x[f"tumour.{name}"][pick[0]], y[f"tumour.{name}"][pick[1]])
    t, old = models[0].tumour, ~new[0]
    assert np.hypot(*(p[new[0]] - 60 for p in models[0].lattice.position_um(t.voxel)[:2])).max() < 81
    for name in ("gsh", "gpx4", "lip", "pufa"):  # at rest, not at the defaults of a column
        assert getattr(t, name)[new[0]].mean() == pytest.approx(getattr(t, name)[old].mean(), rel=0.3)
    whole(models[0])
    hours(models[0], 1)


# ---- breaks ----------------------------------------------------------------------------------------------
EVERYTHING = {
    "drugs": [{"name": "photosensitiser", "bath_uM": 2, "route": "bath", "day": 0}],
    "nanoparticles": [{"name": "peg_pdpa_rsl3", "dose_mg_kg": 5, "day": 0}],
    "events": [
        {"name": "heat", "celsius": 44, "minutes": 12, "day": 0.01}, {"name": "heat", "fluence_mw_cm2": 900, "minutes": 10, "day": 0.03},
        {"name": "sound", "intensity_w_cm2": 1, "minutes": 8, "day": 0.0201}, {"name": "resection", "margin_um": -40, "day": 0.025, "share": 0.7},
        {"name": "implant", "count": 30, "day": 0.028}, {"name": "vaccination", "cause": "ferroptosis", "age_h": 1, "day": [-8, 0.01]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("at", [10, 20, 33, 41])
def test_a_run_resumed_among_its_events_ends_in_the_same_bytes(at):
    model = ticks(tissue("x", 4, arms={"control": {}, "x": EVERYTHING}), at)
    other = TumourModel.from_state(model.config, model.state_dict(), arm="x", seed=4)
    one, two = ticks(model, 70 - at).state_dict(), ticks(other, 70 - at).state_dict()
    assert one.keys() == two.keys()
    assert not [k for k in one if one[k].tobytes() != two[k].tobytes()]
    assert model.counters["resected"] > 0 and model.counters["implanted"] == 30 and model.node.memory > 0
