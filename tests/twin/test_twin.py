"""The arrays and the slow twin tell the same story, cell by cell, through every kind of event."""

import numpy as np
import pytest

from twin import chemistry, setup, tissue
from twin.fields import Field
from twin.immune_cells import IMMUNE
from twin.philox import philox, recruit_uid

EVENTS = (
    "tumour division",
    "push over several voxels",
    "dead_ferroptosis",
    "CTL kill",
    "dead_immune",
    "dead_necrosis",
    "dead_apoptosis",
    "corpse cleared",
    "hole closes",
    "cells drawn into a hole",
    "CD8 attaches",
    "CD8 detaches",
    "CD8 loses its target",
    "CD8 hits",
    "CD8 exhausts",
    "CD8 division",
    "cd8 lost",
    "treg lost",
    "macrophage lost",
    "dendritic lost",
    "cd8 recruited",
    "treg recruited",
    "macrophage recruited",
    "dendritic recruited",
    "entry refused",
    "DC matures",
    "DC departs",
    "node output rises",
    "PD-L1 induced",
    "PD-L1 covered",
    "PD-1 covered",
    "drug hit",
    "injection",
    "tumour takes up particles",
    "tumour releases payload",
    "tumour gets iron",
    "macrophage takes up particles",
    "macrophage releases payload",
    "macrophage gets iron",
    "macrophage turns to M1",
    "eaten alive",
    "vessel opens",
    "vessel closes",
    "move granted",
    "move refused",
)

COUNTERS = {
    "births": "tumour division",
    "kills": "CTL kill",
    "dead_ferroptosis": "dead_ferroptosis",
    "dead_immune": "dead_immune",
    "dead_necrosis": "dead_necrosis",
    "dead_apoptosis": "dead_apoptosis",
    "cleared": "corpse cleared",
    "births_cd8": "CD8 division",
    "lost_cd8": "cd8 lost",
    "lost_treg": "treg lost",
    "lost_macrophage": "macrophage lost",
    "lost_dendritic": "dendritic lost",
    "recruited_cd8": "cd8 recruited",
    "recruited_treg": "treg recruited",
    "recruited_macrophage": "macrophage recruited",
    "recruited_dendritic": "dendritic recruited",
    "refused": "entry refused",
    "dc_matured": "DC matures",
    "eaten_alive": "eaten alive",
}


def run(model, twin, ticks):
    """Step both and compare after every tick; returns the number of living tumour cells after each."""
    alive = []
    for _ in range(ticks):
        model.step()
        twin.step()
        setup.check_equal(model, twin)
        alive.append(int((model.tumour.state == 0).sum()))
    for counter, event in COUNTERS.items():
        assert model.counters[counter] == twin.events[event], counter
    return np.array(alive)


def test_philox_gives_the_published_vectors():
    """Random123's known answers for philox4x32-10."""
    ones = 0xFFFFFFFF
    assert philox((0,) * 4, (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox((ones,) * 4, (ones, ones)) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    counter, key = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
    assert philox(counter, key) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


@pytest.mark.slow
def test_arrays_equal_the_twin_through_every_kind_of_event():
    """More than 200 living cells, more than 200 ticks, under all therapies at once."""
    model, twin = setup.build("all")
    setup.check_equal(model, twin)
    alive = run(model, twin, 365)
    assert (alive >= 200).sum() >= 200
    missing = [event for event in EVENTS if not twin.events[event]]
    assert not missing


def test_arrays_equal_the_twin_without_therapy():
    """The control arm: no agent, no agent's field."""
    model, twin = setup.build("control", seed=11)
    run(model, twin, 90)


EVERY_AXIS = (
    "receptors={pd1: {host: true}, lag3: {on: true, host: true}, tim3: true, tigit: {on: true, host: true}}",
    "arms.checkpoints={antibodies: [{name: anti_pdl1, dose_mg_kg: 3, day: 0.02}, {name: anti_pd1, dose_mg_kg: 0.3, day: 0.01},"
    " {name: anti_lag3, dose_mg_kg: 0.2, day: 0.03}, {name: anti_ctla4, dose_mg_kg: 5, day: 0.02},"
    " {name: anti_tgfb, dose_mg_kg: 5, day: 0}, {name: anti_ifng, dose_mg_kg: 0.5, day: 0.04}]}",
)


def test_arrays_equal_the_twin_with_every_checkpoint_axis():
    """Five axes, ligands on host cells, antibodies against receptors, a ligand and two soluble factors."""
    model, twin = setup.build("checkpoints", *EVERY_AXIS, seed=31)
    run(model, twin, 150)
    assert model.counters["kills"] > 0 and model.cd8.exhaustion.max() > 0.0
    assert all(getattr(model.cd8, f"{name}_signal").max() > 0.0 for name in ("pd1", "lag3", "tim3", "tigit"))
    missing = [e for e in ("host ligand met", "factor neutralised", "PD-L1 covered", "PD-1 covered", "node output rises") if not twin.events[e]]
    assert not missing


def test_arrays_equal_the_twin_where_a_tick_is_no_minute():
    """What should have been multiplied by the tick, and was divided by it, shows only here."""
    model, twin = setup.build("all", "clocks.dt_min=0.5", "mechanisms.killing.k_hit=0.3", seed=23)
    run(model, twin, 100)
    assert model.counters["kills"] > 0


def test_particles_leak_less_far_from_the_tumour_as_in_the_twin():
    """Vessels in and near the tumour leak whole, the others the share that the entry states; also through a periodic face."""
    world = "domain={size_um: [1200, 480], dx_um: 20, thickness_um: 20, boundary: {x: periodic, y: no_flux, z: no_flux}}"
    leak = "entries.nanoparticles.peg_pdpa_rsl3.normal_leak={value: 0.2, unit: '1', source: 'assumed: of a test'}"
    model, twin = setup.build("all", world, leak, "initial.n_cells=40", seed=3)
    run(model, twin, 21)
    source = model.fields["peg_pdpa_rsl3"].source[model.vessels.voxels] / model.vessels.weight
    most = source.max()
    assert set(np.round(source / most, 12)) == {1.0, 0.2}
    whole = model.fields["azo_hypoxia_fe"].source[model.vessels.voxels] / model.vessels.weight
    assert np.ptp(whole) < 1e-12 * whole.max()


OTHER_WORLDS = {
    "3d": (
        "all",
        365,
        "domain.size_um=[220, 200, 180]",
        "domain.boundary={x: periodic, y: no_flux, z: no_flux}",
        "initial.n_cells=280",
        "populations.cd8.per_mm2=60",
        "populations.treg.per_mm2=20",
        "populations.dendritic.share=0.06",
    ),
    "axes_3d": (
        "checkpoints",
        120,
        *EVERY_AXIS,
        "domain.size_um=[200, 180, 160]",
        "domain.boundary={x: periodic, y: no_flux, z: no_flux}",
        "initial.n_cells=200",
        "populations.cd8.per_mm2=60",
        "populations.dendritic.share=0.06",
    ),
    "bathed": ("control", 120, "domain.boundary={x: fixed, y: fixed, z: no_flux}"),
    "drugs": ("drugs", 365, "mechanisms.cd8_turnover.et_cap=0.25"),
    "half_minute": ("all", 400, "clocks.dt_min=0.5"),
    "fine_voxel": (
        "all",
        200,
        "domain={size_um: [390, 375], dx_um: 15, thickness_um: 15, immune_per_voxel: 1}",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("world", OTHER_WORLDS)
def test_arrays_equal_the_twin_in_other_worlds(world):
    """Three dimensions with a periodic axis; drugs without particles; another tick or voxel; walls."""
    arm, ticks, *overrides = OTHER_WORLDS[world]
    model, twin = setup.build(arm, *overrides, seed=23)
    run(model, twin, ticks)
    if world == "drugs":
        assert twin.events["CD8 in surplus"]


def test_the_start_follows_the_same_dice():
    """Voxels, uids, clones, traits, immune cells, vessels and their ranks."""
    model, twin = setup.build("all", seed=3)
    voxels = tissue.nodule(twin.lattice, model.config.initial.n_cells)
    cells = sorted(twin.of("tumour"), key=lambda c: c.voxel)
    assert voxels == [c.voxel for c in cells]
    clones = set()
    for cell in cells:
        uid, clone, traits = tissue.founder(twin.dice, model.config, cell.voxel)
        assert (uid, clone) == (cell.uid, cell.clone)
        assert traits == pytest.approx({name: getattr(cell, name) for name in traits}, rel=1e-12)
        clones.add(clone)
    assert len(clones) > 1
    for kind, places in tissue.residents(twin, len(cells)).items():
        assert {recruit_uid(IMMUNE[kind].code, v, 0, 1): v for v in places} == {
            c.uid: c.voxel for c in twin.of(kind)
        }
    assert sorted(model.vessels.rank.tolist()) == sorted(rank for rank, _ in twin.segments)


def test_vessels_are_lines_in_three_dimensions():
    """Those of the twin, walked step by step, in every voxel, at the start and where a tumour has closed some."""
    _arm, _ticks, *overrides = OTHER_WORLDS["3d"]
    model, twin = setup.build("control", *overrides, "mechanisms.vessels={per_mm2: 400, core_factor: 0.1, rim_um: 30}", seed=5)
    assert len(twin.segments) > 30 and len(twin.open_vessels) < len(np.unique(model.vessels.sites))
    setup.check_equal(model, twin)
    assert sorted(model.vessels.rank.tolist()) == pytest.approx(sorted(rank for rank, _ in twin.segments), rel=1e-12)


def test_the_start_is_a_steady_state():
    """Oxygen and cystine solve their steady equations; a cell's chemistry comes back to its start."""
    _model, twin = setup.build("control")
    for name in ("oxygen", "cystine", "ifng"):
        field = Field(name, twin.fields[name].entry, twin.lattice, twin.fields[name].k_m)
        for term in ("loss", "exchange", "vmax", "wall"):
            setattr(field, term, getattr(twin.fields[name], term))
        if name == "ifng":
            field.source[:] = _model.fields[name].source
        field.solve(1.0, steady=True)
        assert twin.fields[name].c == pytest.approx(field.c, rel=1e-6)
    p = twin.p.ferroptosis
    for cell in sorted(twin.of("tumour"), key=lambda c: c.uid)[:8]:
        start = chemistry.State(*(getattr(cell, n) for n in chemistry.STATES))
        assert start.d == 0.0
        cell.gsh, cell.cysteine, cell.ferritin, cell.plooh = 0.7 * start.g, 1.3 * start.c, 0.9 * start.b, 0.0
        for _ in range(1200):
            chemistry.advance(cell, p, 60.0)
        end = [getattr(cell, n) for n in chemistry.STATES[:9]]
        assert end == pytest.approx(list(start[:9]), rel=1e-5, abs=1e-9)


def test_no_rule_depends_on_the_order_of_rows():
    """Rows shuffled before every tick: the same bits in every cell and field."""
    config = setup.load()
    model, shuffled = (setup.TumourModel(config, seed=5, arm="all") for _ in range(2))
    dice = np.random.default_rng(0)
    for _ in range(150):
        for population in shuffled.populations:
            population.permute(dice.permutation(population.n))
        shuffled.lattice.rebuild_tissue(shuffled.tumour.col.voxel, shuffled.tumour.n)
        model.step()
        shuffled.step()
    for a, b in zip(model.populations, shuffled.populations, strict=True):
        i, j = np.argsort(a.uid), np.argsort(b.uid)
        for name in a.declared:
            assert getattr(a, name)[i].tobytes() == getattr(b, name)[j].tobytes(), f"{a.kind}.{name}"
    for name, field in model.fields.items():
        assert field.concentration.tobytes() == shuffled.fields[name].concentration.tobytes(), name
