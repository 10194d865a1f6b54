"""Checkpoint axes beyond PD-1, ligands on host cells, and what agents take away: receptors, ligands, soluble factors."""


import numpy as np
import pytest
from support import QUIET, TISSUE, falls, flood, hours, level, mean, merged, nested, rises, tissue

from tme.config import ConfigError, load_config
from tme.kernels import threads
from tme.library import load_library
from tme.library.particles import Coat
from tme.mechanisms.killing import PARAMETERS, Kills, attach_rate
from tme.model import TumourModel, parameter_registry

AXES = ("lag3", "tim3", "tigit")
HARSH = {"effects": {"killing": {"to": 0.1, "half": 0.05}, "exhaustion": {"to": 1, "half": 0}}, "receptor": {"on": {"cd8": {"level": 1, "to": 1}}}}
STILL = {"mechanisms__exhaustion__tau_d": 30, "mechanisms__ifng_response__pdl1_tau": 4320}


def antibodies(*names, dose=20):
    """An arm of antibodies."""
    return {"antibodies": [{"name": n, "dose_mg_kg": dose, "day": 0} for n in names]}


def attacked(arm="control", time=5, pdl1=0.0, **changes):
    """A tumour under attack, its PD-L1 the same on all cells and kept."""
    model = tissue(arm, **{**STILL, **changes})
    t = model.tumour
    t.col.pdl1[: t.n] = t.col.pdl1_free[: t.n] = pdl1
    return hours(model, time)


def function(model):
    """Mean effector function of engaged CD8."""
    return float(model.cd8.function[model.cd8.engaged == 1].mean())


def kills(model):
    """Kills so far."""
    return model.counters["kills"]


# ---- LAG-3, TIM-3, TIGIT ------------------------------------------------------------------------------
@pytest.mark.mechanism("M81")
@pytest.mark.parametrize("axis", AXES)
def test_an_axis_lowers_kills_and_its_antibody_restores_them(axis):
    arms = {"control": {}, "a": antibodies(f"anti_{axis}")}
    off = attacked()
    on = attacked(arms=arms, **{f"receptors__{axis}": {"on": True, **HARSH}})
    treated = attacked("a", arms=arms, **{f"receptors__{axis}": {"on": True, **HARSH}})
    assert falls([function(off), function(on)], 1.3) and rises([function(on), function(treated)], 1.15)
    assert kills(on) < kills(treated) <= kills(off)
    assert getattr(on.cd8, f"{axis}_signal").max() > 3 * getattr(treated.cd8, f"{axis}_signal").max() > 0.0


@pytest.mark.mechanism("M81")
@pytest.mark.parametrize("axis", AXES)
def test_as_the_library_has_them_axes_weaken_cd8_and_some_exhaust_them_sooner(axis):
    settings = {"mechanisms__exhaustion__tau_d": 0.5}
    off, on = (attacked(**{f"receptors__{axis}": x, **settings}) for x in (False, True))
    assert function(on) < function(off)
    if "exhaustion" in load_library().receptors[axis].effects:
        assert on.cd8.exhaustion.mean() > off.cd8.exhaustion.mean()


@pytest.mark.mechanism("M81")
@pytest.mark.parametrize("axis", AXES)
def test_receptors_rise_with_exhaustion(axis):
    """The same contacts of fresh and of tired CD8: the signal is stronger where the receptor has been induced."""

    def signal(exhaustion):
        model = tissue(**STILL, **{f"receptors__{axis}": True})
        model.cd8.col.exhaustion[: model.cd8.n] = exhaustion
        model = hours(model, 2)
        return getattr(model.cd8, f"{axis}_signal")[model.cd8.engaged == 1].mean()

    assert rises([signal(0.0), signal(0.3), signal(0.9)], 1.2)


@pytest.mark.mechanism("M81")
def test_effects_of_several_axes_multiply():
    one, other = ({"receptors__lag3": {"on": True, **HARSH}}, {"receptors__tigit": {"on": True, **HARSH}})
    plain, a, b, both = (attacked(time=0.1, **x) for x in ({}, one, other, {**one, **other}))
    assert function(both) / function(plain) == pytest.approx(function(a) / function(plain) * function(b) / function(plain), rel=0.02)


def test_an_axis_that_is_off_has_neither_column_nor_array():
    model = tissue()
    assert {*model.receptors.molecules} == {"pd1", "pdl1", "pdl2", "ctla4", "cd80_86"}
    assert all(m.free.size == 0 for m in model.receptors.molecules.values())
    assert not any("lag3" in c or "ligand" in c for p in model.populations for c in p.declared)
    assert not {"ligand_expression", "host_ligands", "neutralisation"} & {m.name for m in model.plan.entries}


# ---- PD-1 ---------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M80", "D14")
def test_anti_pd1_blocks_both_ligands_and_antibodies_against_one_leave_the_other():
    pdl2 = {"ligands": {"pdl2": {"background": 0.4}}}
    arms = {"control": {}, "pdl1": antibodies("anti_pdl1"), "pdl2": antibodies("anti_pdl2"), "pd1": antibodies("anti_pd1"),
            "both": antibodies("anti_pdl1", "anti_pdl2")}  # fmt: skip
    found = {x: function(attacked(x, pdl1=0.6, arms=arms, receptors__pd1=pdl2)) for x in arms}
    assert found["control"] < min(found["pdl1"], found["pdl2"])
    assert max(found["pdl1"], found["pdl2"]) * 1.1 < found["pd1"]
    assert found["both"] == pytest.approx(found["pd1"], rel=0.1)


HOST = {"host": True, "ligands": {"pdl1": {"on": {"macrophage": {"level": 0.8}, "dendritic": {"level": 0.8}}}}}


@pytest.mark.mechanism("M80")
def test_pdl1_of_host_cells_holds_cd8_back_where_the_tumour_has_none():
    """With no PD-L1 on tumour cells (F6), and no PD-L2, only host cells near a CD8 can."""
    bare = {"ligands": {"pdl2": {"background": 0, "on": {"macrophage": {"level": 0}, "dendritic": {"level": 0}}}}}
    few, many = ({"populations__macrophage": {"share": s}} for s in (0.02, 0.4))
    settings = {"mechanisms__ifng_response__pdl1_base": 0, "populations__dendritic": None}
    with_host = merged(bare, HOST)
    alone = attacked(receptors__pd1=bare, **settings, **many)
    some, more = (attacked(receptors__pd1=with_host, **settings, **x) for x in (few, many))
    assert function(more) * 1.2 < function(alone)
    signals = [m.cd8.pd1_signal[m.cd8.engaged == 1].mean() for m in (alone, some, more)]
    assert rises(signals, 1.3)


@pytest.mark.mechanism("M80")
def test_anti_pdl1_covers_host_cells_too():
    arms = {"control": {}, "a": antibodies("anti_pdl1")}
    plain, treated = (attacked(x, arms=arms, receptors__pd1=HOST) for x in arms)
    assert treated.receptors.hosts()[0].host_sum.sum() < 0.3 * plain.receptors.hosts()[0].host_sum.sum()
    assert rises([function(plain), function(treated)], 1.1)


@pytest.mark.mechanism("M69")
def test_ifng_induces_pdl1_on_host_cells():
    levels = [hours(flood(tissue(receptors__pd1={"host": True}), "ifng", c), 6).macrophage.ligand_pdl1.mean() for c in (0.0, 0.2, 5.0)]
    assert levels[0] == pytest.approx(0.2) and rises(levels, 1.2)


def test_host_cells_are_counted_where_they_are_now_also_after_a_resume():
    """Voxels that they have left are 0 again: the sums over the lattice are those of a count from nothing."""
    model = hours(tissue(receptors__pd1=HOST), 3)
    again = hours(TumourModel.from_state(model.config, model.state_dict(), arm=model.arm_name, seed=model.seed_used), 1)
    for seen in (hours(model, 1), again):
        host, expected = seen.receptors.hosts()[0], np.zeros(seen.grid.n_voxels, int)
        seen.mechanism("host_ligands").step(seen)
        for kind in ("macrophage", "dendritic"):
            np.add.at(expected, seen.populations[kind].voxel, 1)
        assert expected.sum() > 5
        assert (host.host_count == expected).all() and ((host.host_sum > 0) == (expected > 0)).all()


def test_two_cells_that_show_a_ligand_count_as_one_minus_the_product():
    """One CD8 holding a cell, one macrophage beside it: x = 1 - (1 - target)(1 - host)."""
    model = hours(tissue(receptors__pd1={**HOST, "ligands": {**HOST["ligands"], "pdl2": {"on": {"macrophage": None, "dendritic": None}}}}), 1)
    host = model.receptors.hosts()[0]
    engaged = np.flatnonzero(model.cd8.engaged == 1)
    host.host_sum[:], host.host_count[:] = 0, 0
    for row in engaged:
        host.host_sum[model.cd8.voxel[row]], host.host_count[model.cd8.voxel[row]] = 2**29, 1  # 0.5 each
    from tme.mechanisms.receptors import Signals

    row_of = {int(u): i for i, u in enumerate(model.tumour.uid)}
    held = np.zeros(model.cd8.n, np.int64)
    held[engaged] = [row_of[int(u)] for u in model.cd8.target_uid[engaged]]
    target = 0.3
    model.tumour.col.pdl1_free[: model.tumour.n] = target
    Signals(model, model.cd8).receive(model, engaged, held)
    expected = 1.0 - (1.0 - target) * (1.0 - 0.5) + 0.03
    assert model.cd8.pd1_signal[engaged] == pytest.approx(np.full(len(engaged), expected))


# ---- what agents take away ----------------------------------------------------------------------------
def with_library(tmp_path, arm, library, **changes):
    """A tissue model with another library."""
    import json

    data = TISSUE
    for key, value in changes.items():
        data = merged(data, nested(key, value))
    path = tmp_path / "small.yaml"
    path.write_text(json.dumps(data))
    return TumourModel(load_config(path, parameter_registry(), library=library), seed=1, arm=arm)


@pytest.mark.mechanism("M80")
def test_two_antibodies_on_one_target_cover_more_than_either(tmp_path):
    library = load_library()
    for name, like in (("second", "anti_pdl1"), ("third", "anti_pd1")):
        library = library.with_entry("antibodies", name, library.antibody(like), {})
    pair = [{"name": n, "dose_mg_kg": 0.05, "day": 0} for n in ("anti_pdl1", "second")]
    others = [{"name": n, "dose_mg_kg": 0.05, "day": 0} for n in ("anti_pd1", "third")]
    arms = {"one": {"antibodies": pair[:1]}, "two": {"antibodies": pair}, "pd1": {"antibodies": others[:1]}, "pd1s": {"antibodies": others}}
    models = {arm: hours(with_library(tmp_path, arm, library, arms=arms), 3) for arm in arms}
    alive = {arm: m.tumour.state == 0 for arm, m in models.items()}
    left = {arm: (m.tumour.pdl1_free / m.tumour.pdl1)[alive[arm]].mean() for arm, m in models.items()}
    assert left["two"] < 0.9 * left["one"] < 0.9 * left["pd1"] == pytest.approx(0.9)
    t = models["two"].tumour
    c = sum(models["two"].fields[n].at(t.voxel) for n in ("anti_pdl1", "second"))
    assert (t.pdl1_free / t.pdl1)[alive["two"]] == pytest.approx((1.0 / (1.0 + c / 0.5))[alive["two"]], rel=0.1)
    assert models["pd1s"].receptors.molecules["pd1"].free.mean() < 0.95 * models["pd1"].receptors.molecules["pd1"].free.mean()


@pytest.mark.mechanism("M80")
def test_a_coat_of_particles_covers_its_ligand(tmp_path):
    library = load_library()
    number = {"value": 0.01, "unit": "uM", "source": "assumed: test"}
    coated = library.nanoparticle("iron_oxide").model_copy(update={"coat": Coat.model_validate({"target": "pdl1", "kd_uM": number})})
    library = library.with_entry("nanoparticles", "coated", coated, {})
    arms = {n: {"nanoparticles": [{"name": n, "dose_mg_kg": 5, "day": 0}]} for n in ("iron_oxide", "coated")}
    bare, covered = (hours(with_library(tmp_path, arm, library, arms=arms), 3).tumour for arm in arms)
    assert np.array_equal(bare.pdl1_free, bare.pdl1)
    assert (covered.pdl1_free < 0.8 * covered.pdl1)[covered.state == 0].mean() > 0.5


@pytest.mark.mechanism("M78")
def test_an_antibody_against_suppressive_cytokines_frees_cd8():
    arms = {"control": {}, "low": antibodies("anti_tgfb", dose=1), "high": antibodies("anti_tgfb", dose=30)}
    models = [attacked(x, arms=arms, time=8, populations__treg={"per_mm2": 400}) for x in arms]
    assert falls([level(m, "suppression") for m in models], 1.1)
    assert function(models[2]) > 1.1 * function(models[0])


@pytest.mark.mechanism("M69")
def test_an_antibody_against_ifng_lowers_it_and_the_pdl1_it_induces():
    arms = {"control": {}, "a": antibodies("anti_ifng", dose=30)}
    plain, treated = (hours(tissue(x, arms=arms, mechanisms__ifng_response__pdl1_tau=120), 8) for x in arms)
    assert level(treated, "ifng") < 0.5 * level(plain, "ifng")
    assert mean(treated, "pdl1") < mean(plain, "pdl1")


@pytest.mark.mechanism("D14", "D15")
def test_the_clinical_antibodies_are_there_with_their_targets_and_last_for_weeks():
    of = {"pd1": ("nivolumab", "pembrolizumab", "cemiplimab"), "pdl1": ("atezolizumab", "avelumab", "durvalumab"),
          "ctla4": ("ipilimumab", "tremelimumab"), "lag3": ("relatlimab",)}  # fmt: skip
    library = load_library()
    for target, names in of.items():
        for entry in (library.antibody(n) for n in names):
            assert entry.target == target and entry.half_life_d > library.antibody("anti_pd1").half_life_d
    arms = {"one": antibodies("nivolumab", dose=3), "two": antibodies("nivolumab", "relatlimab", dose=3)}
    one, two = (attacked(x, pdl1=0.6, arms=arms, receptors__lag3={"on": True, **HARSH}) for x in arms)
    assert function(two) > 1.1 * function(one)


@pytest.mark.mechanism("D15")
def test_two_checkpoint_antibodies_free_more_than_either():
    arms = {"lag3": antibodies("anti_lag3"), "pd1": antibodies("anti_pd1"), "both": antibodies("anti_lag3", "anti_pd1")}
    found = {x: function(attacked(x, pdl1=0.6, arms=arms, receptors__lag3={"on": True, **HARSH})) for x in arms}
    assert found["both"] > 1.1 * max(found["lag3"], found["pd1"])


# ---- a user's own axis, and what is refused -----------------------------------------------------------
VISTA = {
    "about": "VISTA on CD8, met by VSIG3",
    "place": "contact",
    "receptor": {"name": "vista", "on": {"cd8": {"level": 1}}},
    "ligands": {"vsig3": {"on": {"tumour": {"level": 0.5}}}},
    "effects": {"killing": {"to": 0.1, "half": 0.1}},
}


def test_an_axis_of_the_users_own_is_one_entry():
    plain, own = attacked(), attacked(receptors__vista=VISTA)
    assert falls([function(plain), function(own)], 1.5)
    assert kills(own) < kills(plain)


@pytest.mark.parametrize(
    ("receptors", "words"),
    [
        ({"lag_3": True}, ["receptors.lag_3", "unknown receptor axis", "lag3"]),
        ({"lag3": "yes"}, ["receptors.lag3", "true, false"]),
        ({"lag3": {"on": True, "hosts": True}}, ["receptors.lag3.hosts", "unknown key", "host"]),
        ({"lag3": {"effects": {"killing": {"too": 1}}}}, ["receptors.lag3.effects.killing.too", "unknown key", "to"]),
        ({"lag3": {"effects": {"killing": {"to": "much"}}}}, ["receptors.lag3.effects.killing.to", "'much'", "a finite number"]),
        ({"lag3": {"effects": {"killing": {"to": 99}}}}, ["receptors.lag3.effects.killing.to", "less than or equal to 10"]),
        ({"lag3": {"effects": {"priming": {"to": 2}}}}, ["receptors.lag3", "an axis at the contact acts on killing and exhaustion"]),
        ({"mine": {**VISTA, "receptor": {"name": "pdl1", "on": {"cd8": {"level": 1}}}}}, ["receptors.mine", "pdl1 is in the axis pd1 too"]),
        ({"mine": {**VISTA, "ligands": {"x": {"on": {"tumor": {"level": 1}}}}}}, ["ligands.x.on.tumor", "unknown cell type", "tumour"]),
        ({"mine": {**VISTA, "receptor": {"name": "x", "on": {"cd8": {"level": 0, "to": 1, "half": 1, "induced_by": "own.exhaust"}}}}},
         ["no column 'exhaust'", "exhaustion"]),
        ({"mine": {**VISTA, "ligands": {"x": {"on": {"tumour": {"level": 0, "to": 1, "half": 1, "induced_by": "field.ifmg"}}}}}},
         ["ligands.x.on.tumour.induced_by", "unknown field 'ifmg'", "ifng"]),
    ],
)  # fmt: skip
def test_a_faulty_axis_is_refused_with_its_key_and_what_was_meant(receptors, words):
    with pytest.raises(ConfigError) as caught:
        tissue(receptors=receptors)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_an_antibody_against_an_axis_that_is_off_is_refused_unless_that_is_said():
    arms = {"control": {}, "a": antibodies("anti_lag3")}
    with pytest.raises(ConfigError, match=r"anti_lag3 takes away lag3, but the axis lag3 is off; expected receptors: \{lag3: true\}"):
        tissue(arms=arms)
    assert tissue("a", arms=arms, receptors__lag3=False).receptors.at("contact")[0].name == "pd1"


# ---- terms, other killers -----------------------------------------------------------------------------
def modulated(population, term, value, model):
    """A model in which a term has one value in all cells of a population."""
    p = getattr(model, population)
    setattr(p.col, "term_" + term.replace(".", "_"), np.full(p.capacity, value))
    return model


@pytest.mark.parametrize("term", ["killing.attach_rate", "killing.recognition", "killing.hit_rate"])
def test_terms_of_killing_scale_kills(term):
    models = [hours(modulated("cd8", term, x, tissue(rules=QUIET, mechanisms__killing__k_attach=0.05)), 5) for x in (0.0, 1.0, 4.0)]
    plain = hours(tissue(rules=QUIET, mechanisms__killing__k_attach=0.05), 5)
    assert rises([kills(m) for m in models]) and kills(models[0]) == 0
    assert np.array_equal(models[1].cd8.function, plain.cd8.function)


def test_terms_of_exhaustion_secretion_and_surface_proteins_scale_them():
    def run(population, term, value, **changes):
        return hours(modulated(population, term, value, tissue(rules=QUIET, **changes)), 4)

    assert rises([run("cd8", "exhaustion.rate", x, mechanisms__exhaustion__tau_d=1).cd8.exhaustion.mean() for x in (0.0, 1.0, 3.0)])
    assert rises([level(run("cd8", "secretion.ifng", x), "ifng") for x in (0.0, 1.0, 3.0)])
    quick = {"mechanisms__ifng_response__pdl1_tau": 60}
    assert rises([mean(run("tumour", "surface.pdl1", x, **quick), "pdl1") for x in (0.1, 1.0, 3.0)], 1.1)
    assert rises([mean(run("tumour", "surface.mhc1", x, **quick), "mhc1") for x in (0.1, 0.5, 1.0)], 1.1)


def test_terms_of_dendritic_cells_scale_maturation_and_priming():
    quick = {"mechanisms__priming": {"residence_min": 10, "travel_min": 10, "expansion_min": 20, "k_mature": 0.02, "gain": 0.5}}

    def run(term, value):
        model = flood(flood(modulated("dendritic", term, value, tissue(rules=QUIET, **quick)), "atp", 0.2), "hmgb1", 1.0)
        return hours(model, 3)

    assert rises([run("maturation.rate", x).counters["dc_matured"] for x in (0.0, 0.2, 1.0)])
    assert rises([run("priming.gain", x).node.output for x in (0.0, 1.0, 3.0)])


def test_nk_cells_attach_the_less_the_more_mhc1_a_cell_shows_and_antigen_does_not_matter():
    p = PARAMETERS.build()
    nk = Kills(p.k_attach, p.recognition, 0.2, p.hold_min, p.k_hit, p.k_sup, 1.0)
    t_cell = nk._replace(missing_self=0.0)
    assert falls([attach_rate(1.0, m, 1.0, 1.0, nk) for m in (0.0, 0.5, 1.0)], 1.2)
    assert rises([attach_rate(1.0, m, 1.0, 1.0, t_cell) for m in (0.0, 0.5, 1.0)], 1.2)
    assert attach_rate(0.0, 0.5, 1.0, 1.0, nk) == attach_rate(5.0, 0.5, 1.0, 1.0, nk) > 0.0


def with_nk(mhc1, **changes):
    """A tissue with NK cells, in which CD8 do not find their antigen."""
    return tissue(rules=QUIET, populations__nk={"per_mm2": 200}, mechanisms__killing__recognition=0, mechanisms__ifng_response__mhc1_base=mhc1, **changes)


def test_nk_cells_kill_what_shows_no_mhc1_and_know_neither_pd1_nor_exhaustion():
    models = [hours(with_nk(x), 5) for x in (0.0, 0.6, 1.0)]
    assert falls([kills(m) for m in models])
    assert models[0].nk.kills.sum() >= kills(models[0]) > 0 == models[0].cd8.kills.sum()
    blind = hours(with_nk(0.0, mechanisms__ifng_response__pdl1_base=1.0), 5)
    assert kills(blind) == kills(models[0])
    assert level(models[0], "ifng") > 0.0


# ---- checkpoints --------------------------------------------------------------------------------------
MANY = {"a": antibodies("anti_pd1", "anti_lag3", "anti_ctla4", "anti_tgfb", dose=1)}
EVERY = {"pd1": HOST, "lag3": {"on": True, "host": True}, "tim3": True, "tigit": True}


def test_with_every_axis_any_number_of_threads_gives_the_same_bits(monkeypatch):
    one = hours(tissue("a", arms=MANY, receptors=EVERY), 1).state_dict()
    monkeypatch.setattr(threads, "MIN_ROWS", 1)
    monkeypatch.setattr(threads, "count", lambda: 3)
    several = hours(tissue("a", arms=MANY, receptors=EVERY), 1).state_dict()
    assert [k for k in one if one[k].tobytes() != several[k].tobytes()] == []


def test_a_run_with_every_axis_resumes_to_the_same_bits():
    model = hours(tissue("a", arms=MANY, receptors=EVERY), 1.05)
    state = model.state_dict()
    again = TumourModel.from_state(model.config, state, arm="a", seed=1)
    assert all(np.array_equal(v, again.state_dict()[k]) for k, v in state.items())
    for m in (model, again):
        hours(m, 1)
    ends = model.state_dict(), again.state_dict()
    assert ends[0].keys() == ends[1].keys()
    assert [k for k in ends[0] if ends[0][k].tobytes() != ends[1][k].tobytes()] == []
    assert model.receptors.depleted("treg") > 0.0
