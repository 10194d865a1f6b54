"""The model as a whole: same bits whatever the order, ledgers that close, and nothing where it cannot be."""

import numpy as np
import pytest
from support import bath, dish, hours, merged, particles, tasks_by_workers, tissue

from tme.kernels import threads
from tme.model import TumourModel

BUSY = {
    "mechanisms__division": {"k_div": 0.004},
    "mechanisms__death": {"k_apo": 2e-4, "k_nec": 0.004, "o2_necrosis": 12},
    "mechanisms__damp": {"tau_clear_min": 90, "atp_rate": 3, "hmgb1_rate": 0.5},
    "mechanisms__priming": {
        "k_mature": 0.02, "residence_min": 30, "travel_min": 30, "expansion_min": 60, "gain": 0.5,
    },
    "mechanisms__recruitment": {"k_cd8": 8, "k_treg": 25, "k_mac": 10, "k_dc": 10},
    "mechanisms__killing": {"k_hit": 0.06, "ifng_molecules_s": 1000},
    "mechanisms__cd8_turnover": {"life_d": 1, "k_expand": 0.004},
    "mechanisms__ferroptosis": {"tau_z": 60},
}  # fmt: skip
BLOCKADE = {"antibodies": [{"name": "anti_pdl1", "dose_mg_kg": 10, "day": 0}]}
ARMS = {
    "control": {},
    "blockade": BLOCKADE,
    "particles": particles("peg_pdpa_rsl3", 20),
    "all": {
        **bath("ifsp1", 0.5),
        "antibodies": [
            *BLOCKADE["antibodies"],
            {"name": "anti_ctla4", "dose_mg_kg": 5, "day": 0.05},
            {"name": "anti_pd1", "dose_mg_kg": 5, "day": 0.05},
        ],
        "nanoparticles": [
            {"name": "peg_pdpa_rsl3", "dose_mg_kg": 20, "day": [0, 0.1]},
            {"name": "cnsi_fe", "dose_mg_kg": 2, "day": 0.05, "route": "intratumoral"},
        ],
    },
}


def busy(arm="all", seed=5, **changes):
    """A tumour in which every kind of event happens within hours."""
    return tissue(arm, seed, arms=ARMS, **{**BUSY, **changes})


def ticks(model, n):
    """Step n ticks; the model."""
    for _ in range(n):
        model.step()
    return model


def by_uid(model):
    """Every column of every population in the order of uid, and every field: what must agree bit for bit."""
    out = {}
    for population in model.populations:
        order = np.argsort(population.uid)
        out |= {f"{population.kind}.{c}": getattr(population, c)[order] for c in population.declared}
    out |= {f"field.{name}": field.concentration for name, field in model.fields.items()}
    return out


def assert_same(a, b):
    """Same cells, same columns, same fields, same counters, to the bit."""
    left, right = by_uid(a), by_uid(b)
    assert left.keys() == right.keys()
    different = [name for name in left if not np.array_equal(left[name], right[name])]
    assert not different
    assert a.counters == b.counters and a.tick == b.tick


def shuffle(model, rng):
    """Put the rows of every population in another order."""
    for population in model.populations:
        population.permute(rng.permutation(population.n))
    model.lattice.rebuild_tissue(model.tumour.col.voxel, model.tumour.n)


@pytest.mark.parametrize("arm", ["control", "all"])
def test_rows_shuffled_before_a_tick_change_no_bit(arm):
    plain, shuffled = busy(arm), busy(arm)
    rng = np.random.default_rng(1)
    for n in (1, 1, 58, 1, 1, 118):
        shuffle(shuffled, rng)
        assert_same(ticks(plain, n), ticks(shuffled, n))
    assert plain.counters["births"] > 20 and plain.counters["kills"] > 0 and plain.counters["cleared"] > 0


@pytest.mark.parametrize("arm", list(ARMS))
def test_a_restored_checkpoint_continues_bit_for_bit(arm):
    straight = busy(arm)
    copies = []
    for at in (0, 7, 95, 150):
        ticks(straight, at - straight.tick)
        state = {k: v.copy() for k, v in straight.state_dict().items()}
        copies.append(TumourModel.from_state(straight.config, state, arm=arm, seed=5))
    ticks(straight, 200 - straight.tick)
    for copy in copies:
        assert_same(ticks(copy, 200 - copy.tick), straight)
        assert copy.observe() == pytest.approx(straight.observe(), rel=0, abs=0, nan_ok=True)


def test_a_branch_from_a_checkpoint_starts_as_the_same_tumour():
    trunk = ticks(busy("control"), 60)
    branch = TumourModel.from_state(trunk.config, trunk.state_dict(), arm="particles", seed=5)
    assert branch.fields["peg_pdpa_rsl3"].concentration.max() == 0.0
    names = ("uid", "voxel", "state", "gsh", "plooh")
    assert all(np.array_equal(getattr(branch.tumour, n), getattr(trunk.tumour, n)) for n in names)
    ticks(branch, 60)
    assert branch.fields["peg_pdpa_rsl3"].concentration.max() > 0.0


def test_one_thread_and_two_and_four_give_the_same_bits(monkeypatch):
    monkeypatch.setattr("tme.core.solvers.WORTH_VOXELS", 0)
    monkeypatch.setattr("tme.core.superposition.MIN_SHARED_SOURCES", 1)
    monkeypatch.setattr(threads, "MIN_ROWS", 1)
    models, made = [], tasks_by_workers(monkeypatch)
    for n in (1, 2, 4):
        monkeypatch.setattr(threads, "count", lambda n=n: n)
        models.append(ticks(busy(), 100))
        assert models[-1].plan.early.keys() == {"ferroptosis", "killing"}
    assert len(made) == 2 * (99 + 19)  # walks of CD8 in each tick but the first, of others every five minutes
    assert_same(*models[:2])
    assert_same(*models[1:])


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    assert_same(ticks(busy(), 90), ticks(busy(), 90))
    other = ticks(busy(seed=6), 90)
    assert not np.array_equal(np.sort(busy().tumour.xct), np.sort(other.tumour.xct))


def test_two_models_in_one_process_do_not_touch_each_other():
    alone = ticks(busy(), 120)
    first, second = busy(), busy("blockade", seed=9)
    for _ in range(120):
        first.step()
        second.step()
    assert_same(alone, first)


def test_agents_at_dose_zero_or_not_yet_given_change_nothing():
    names = ("rsl3", "erastin", "bso", "ifsp1", "ferrostatin_1", "deferoxamine", "cysteinase")
    arms = {
        "control": {},
        "zero": bath(*(x for n in names for x in (n, 0))),
        "late": merged(ARMS["all"], {
            "drugs": bath("rsl3", 1.0, day=3)["drugs"],
            "antibodies": [{"name": "anti_pdl1", "dose_mg_kg": 10, "day": 3}],
            "nanoparticles": [{"name": "peg_pdpa_rsl3", "dose_mg_kg": 20, "day": 3}],
        }),
    }  # fmt: skip
    control, *others = (by_uid(ticks(tissue(a, 5, arms=arms, **BUSY), 180)) for a in arms)
    for other in others:
        assert not [name for name in control if not np.array_equal(control[name], other[name])]


# ---- ledgers ------------------------------------------------------------------------------------------
def check_places(model):
    """One tissue cell a voxel, immune cells within capacity, no field below zero, everything finite."""
    t = model.tumour
    assert len(np.unique(t.voxel)) == t.n
    assert np.array_equal(model.lattice.tissue_row[t.voxel], np.arange(t.n))
    assert (model.lattice.tissue_row >= 0).sum() == t.n
    immune = sum(np.bincount(p.voxel, minlength=model.grid.n_voxels) for p in model.immune)
    assert np.array_equal(immune, model.lattice.immune_count)
    assert immune.max() <= model.lattice.immune_capacity
    for name, field in model.fields.items():
        assert np.all(np.isfinite(field.concentration)) and field.concentration.min() >= 0.0, name
    for population in model.populations:
        for name in population.declared:
            assert np.all(np.isfinite(getattr(population, name))), name
        assert len(np.unique(population.uid)) == population.n
        given = model._uids[population.kind]
        assert np.isin(population.uid, given).all() and (given[1:] > given[:-1]).all()  # guarded against a second giving


def test_a_name_is_given_once():
    model = busy("control")
    cd8, start = model.cd8, model._uids["cd8"]
    fresh = np.array([7, 2**64 - 1, 3], np.uint64)
    for twice in (start[-1:], start[:1], np.array([5, start[2]], np.uint64), np.array([5, 6, 5], np.uint64)):
        with pytest.raises(RuntimeError, match="uid collision among cd8 cells in tick 0"):
            model.check_new_uids(cd8, twice)
    assert np.array_equal(model._uids["cd8"], start)
    model.check_new_uids(cd8, fresh)
    assert np.array_equal(model._uids["cd8"], np.union1d(start, fresh))
    with pytest.raises(RuntimeError):
        model.check_new_uids(cd8, fresh[1:2])


@pytest.mark.parametrize("arm", ["control", "all"])
def test_cells_are_where_they_can_be_and_every_one_is_accounted_for(arm):
    model = busy(arm, domain__immune_per_voxel=2)
    start = {p.kind: p.n for p in model.populations}
    for _ in range(30):
        ticks(model, 10)
        check_places(model)
        c, t = model.counters, model.tumour
        deaths = sum(c[f"dead_{cause}"] for cause in ("ferroptosis", "immune", "necrosis", "apoptosis"))
        assert (t.state == 0).sum() == start["tumour"] + c["births"] - deaths
        assert (t.state != 0).sum() == deaths - c["cleared"]
        for p in model.immune:
            born = c["births_cd8"] if p.kind == "cd8" else 0
            assert p.n == start[p.kind] + c[f"recruited_{p.kind}"] + born - c[f"lost_{p.kind}"], p.kind
    assert deaths > 20 and c["births_cd8"] > 0 and c["lost_cd8"] > 0 and c["recruited_cd8"] > 0


def test_what_was_injected_is_in_tissue_in_cells_or_released():
    """Particles in a closed dish with macrophages and dying cells: the payload is accounted for to 1e-9."""
    arms = {"p": particles("peg_pdpa_rsl3", 0.5, route="intratumoral")}
    model = dish("p", arms=arms, populations__macrophage={"share": 0.2}, clocks__field_tol=1e-13,
                 mechanisms__damp__tau_clear_min=60)  # fmt: skip
    name, out = "peg_pdpa_rsl3", 0.0
    ticks(model, 1)
    while model.tick < 480:
        ticks(model, 1)
        if model.tick % model.clock[name] == 0:
            out += model.released[name].sum() * 10.0
    held = sum(p.np_peg_pdpa_rsl3.sum() for p in (model.tumour, model.macrophage)) * model.cell_fraction
    injected = model.therapy.nanoparticles[0].doses[0].amount * model.grid.n_voxels
    assert model.counters["cleared"] > 0
    assert model.fields[name].concentration.sum() + held + out == pytest.approx(injected, rel=1e-9)


def test_released_drug_is_in_tissue_or_lost_at_its_rates():
    """Every solve of RSL3: what was there, plus the source, minus decay and loss in cells, to 1e-9."""
    arms = {"p": particles("peg_pdpa_rsl3", 0.5, route="intratumoral")}
    model = dish("p", arms=arms, clocks__field_tol=1e-13, mechanisms__ferroptosis__d_leth=5000)
    field, payload = model.fields["rsl3"], model.therapy.nanoparticles[0].entry.payloads[0]
    released, brought, before, every = [], 0.0, 0.0, model.clock["rsl3"]
    on = field.on_solver_grid
    width = field.grid.n_voxels / on.grid.n_voxels
    while model.tick < 240:
        ticks(model, 1)
        if model.tick % 10 == 0:
            released.append(model.released["peg_pdpa_rsl3"].sum() * 10.0)
        if model.tick % every == 0:
            c, came = on.concentration, width * on.source.sum()
            after = before + every * (came - width * ((field.decay + on.loss) * c).sum())
            assert width * c.sum() == pytest.approx(after, rel=1e-9, abs=1e-12)
            brought, before = brought + every * came, width * c.sum()
    assert brought == pytest.approx(payload.free_fraction * sum(released[:-1]), rel=1e-9)


# ---- two and three dimensions -------------------------------------------------------------------------
def test_the_same_cells_live_the_same_life_in_two_and_three_dimensions():
    """Equal cells under a bath, with voxels of equal volume: chemistry does not know the dimension."""
    flat, solid = (
        hours(dish("r", arms__r=bath("rsl3", 0.02), domain__size_um=size), 4)
        for size in ([160, 160], [80, 80, 80])
    )
    assert (flat.grid.ndim, solid.grid.ndim) == (2, 3)
    for name in ("gsh", "gpx4", "plooh", "lip", "pufa", "damage"):
        assert getattr(solid.tumour, name).mean() == pytest.approx(
            getattr(flat.tumour, name).mean(), rel=1e-6
        ), name


def test_a_tumour_in_three_dimensions_keeps_its_places_and_its_bits():
    def model():
        return busy(domain__size_um=[240, 240, 240], initial__n_cells=200, populations__cd8={"per_mm2": None, "share": 0.2},
                    populations__treg={"per_mm2": None, "share": 0.1}, mechanisms__vessels={"per_mm2": 100})  # fmt: skip

    straight, shuffled = model(), model()
    ticks(straight, 120)
    ticks(shuffled, 60)
    shuffle(shuffled, np.random.default_rng(2))
    assert_same(ticks(shuffled, 60), straight)
    check_places(straight)
    z = straight.lattice.position_um(straight.tumour.voxel)[2]
    assert len(np.unique(z)) > 3 and straight.counters["births"] > 0
    shape = straight.fields_table()["oxygen"].shape
    assert shape == (12, 12, 12)


def test_depth_follows_the_tissue_and_is_measured_once_in_between():
    model = tissue()
    lattice = model.lattice
    before = lattice.depth_um()
    assert lattice.depth_um() is before
    with pytest.raises(ValueError, match="read-only"):
        before[0] = 0.0
    lattice.tissue_row[np.flatnonzero(lattice.tissue_row >= 0)[:40]] = -1
    after = lattice.depth_um()
    assert not np.array_equal(before, after)
    lattice._depth = None
    assert np.array_equal(lattice.depth_um(), after)


# ---- fields on wider voxels ------------------------------------------------------------------------------
def test_any_field_may_be_solved_on_wider_voxels():
    """Terms are counted anew each time whatever a field's voxels, and stay what the cells of one voxel can do."""
    fields = ("oxygen", "cystine", "ifng", "cxcl", "atp", "hmgb1", "suppression", "peroxide")
    plain, wide = (
        ticks(tissue("all", 5, arms=ARMS, **BUSY, **{f"fields__{name}__coarsen": c for name in fields}), 150) for c in (1, 2)
    )
    assert all(wide.fields[name].on_solver_grid is not wide.fields[name] for name in fields)
    assert all(plain.fields[name].on_solver_grid is plain.fields[name] for name in fields)
    check_places(wide)
    for name, term in (("oxygen", "vmax"), ("ifng", "vmax"), ("cystine", "vmax")):
        most, mean = (np.array([reduce(getattr(m.fields[name].on_solver_grid, term)) for m in (plain, wide)]) for reduce in (np.max, np.mean))
        assert 0.0 < most[1] <= most[0] and mean[1] == pytest.approx(mean[0], rel=0.1), name
    for m in (plain, wide):
        m.mechanism("uptake").prepare(m)
        first = m.fields["oxygen"].on_solver_grid.vmax.copy()
        m.mechanism("uptake").prepare(m)
        assert np.array_equal(first, m.fields["oxygen"].on_solver_grid.vmax)
    sources = [m.fields["peroxide"].on_solver_grid.source.mean() for m in (plain, wide)]
    assert sources[1] == pytest.approx(sources[0], rel=0.5) and sources[0] > 0.0
