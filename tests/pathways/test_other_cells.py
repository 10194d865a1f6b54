"""A cell type runs a pathway because its entry says so: any type, any pathway, with its own numbers and its own switch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support import TISSUE, bath, hours, merged, nested, tissue

from tme.config import ConfigError
from tme.library import load_library
from tme.model import TumourModel, load_config
from tme.model.registry import term_registry
from tme.pathways import PATHWAYS, entries, runs
from tme.readouts.counts import types

PLUGIN = Path(__file__).parents[2] / "configs" / "own" / "pathway.py"
CELLS = load_library().cells
ROOM = {"domain__immune_per_voxel": 4}
STILL = {"mechanisms__killing": {"k_hit": 0}, "entries__cells__mdsc__life__mean_d": 100}
WEAK = {"gpx4_trait": 0.0, "fsp1": 0.0, "d_leth": 5.0}


def preset(cells, **numbers):
    """Other numbers of ferroptosis in a cell type."""
    return {f"entries__cells__{cells}__pathways__ferroptosis__preset": numbers}


def on(*cells):
    """Ferroptosis of these cell types."""
    return {f"mechanisms__ferroptosis_{c}": {"on": True} for c in cells}


def with_own(tmp_path, cells, **changes):
    """A config with a library file of further cell types."""
    data = TISSUE
    for key, value in changes.items():
        data = merged(data, nested(key, value))
    (tmp_path / "mine.yaml").write_text(json.dumps({"cells": cells}))
    (tmp_path / "own.yaml").write_text(json.dumps({**data, "library": ["mine.yaml"]}))
    return tmp_path / "own.yaml"


# ---- the plan -------------------------------------------------------------------------------------------------
def test_the_plan_has_an_entry_for_each_pair_that_entries_name_and_those_before_the_tumours():
    named = [f"{p}_{c}" for c, e in CELLS.items() for p in e.pathways]
    plan = [e.name for e in entries(CELLS)]
    assert {"ferroptosis_cd8", "ferroptosis_mdsc", "ferroptosis_caf", "ferroptosis_normal"} == set(named)
    assert set(plan[: plan.index("ferroptosis")]) == set(named)
    assert runs({}) == tuple(r for r in runs(CELLS) if r.cells == "tumour")


def test_all_are_off_unless_the_config_says_so():
    every = {f"populations__{c}": {} for c in ("mdsc", "caf", "normal")}
    off, some = tissue(**every, **ROOM), tissue(**every, **ROOM, **on("mdsc", "normal"))
    ran = {e.name for e in some.plan.entries} - {e.name for e in off.plan.entries}
    assert ran == {"ferroptosis_mdsc", "rupture_mdsc", "ferroptosis_normal", "rupture_normal"}
    assert "plooh" in some.mdsc.declared and "plooh" not in some.caf.declared and "plooh" not in off.mdsc.declared


def test_an_entry_may_have_it_on_and_the_config_off_again():
    entry = {"entries__cells__cd8__pathways__ferroptosis__on": True}
    model, not_now = tissue(**entry), tissue(**entry, mechanisms__ferroptosis_cd8={"on": False})
    assert "plooh" in model.cd8.declared and "plooh" not in not_now.cd8.declared
    assert model.cd8.term("ferroptosis.lipid_supply").size, "the rule that comes with it is on"
    assert model.config.digest != not_now.config.digest != tissue().config.digest


def test_terms_of_a_pathway_act_in_every_type_that_may_run_it():
    assert {"tumour", "cd8", "mdsc", "caf", "normal"} == set(term_registry()["ferroptosis.gpx4_synthesis"].cells)
    assert term_registry()["cuproptosis.ctr1"].cells == ("tumour",)


def test_a_rule_acts_on_a_pathway_in_one_type_only():
    rule = {"rules": {"mine": {"in": "normal", "signal": "field.oxygen", "lowers": "ferroptosis.gpx4_synthesis", "source": "assumed: test", "evidence": "hypothetical",
            "to": {"value": 0.2, "unit": "1", "source": "assumed: test"}, "half": {"value": 1, "unit": "mmHg", "source": "assumed: test"}}}}  # fmt: skip
    with_rule, without = (hours(tissue(populations__normal={"share": 0.3}, **on("normal"), **r), 3) for r in (rule, {}))
    n = without.normal.n
    assert with_rule.normal.gpx4[:n].mean() < 0.7 * without.normal.gpx4[:n].mean()
    assert np.array_equal(with_rule.tumour.gpx4, without.tumour.gpx4)


# ---- guests ----------------------------------------------------------------------------------------------------
@pytest.mark.mechanism("M90")
def test_mdsc_that_lack_their_defence_ferroptose_leave_and_suppress_less():
    """Sign of M90: the cell that ferroptoses is lost."""
    many = {"populations__mdsc": {"per_mm2": 600}, "populations__treg": {"per_mm2": 0}, **ROOM, **STILL}
    lost = hours(tissue(**many, **on("mdsc"), **preset("mdsc", **WEAK)), 8)
    kept = hours(tissue(**many, **on("mdsc")), 8)
    dead = lost.counters["dead_ferroptosis_mdsc"]
    assert kept.counters["dead_ferroptosis_mdsc"] == 0 and kept.mdsc.n > 50
    assert dead > 0.5 * kept.mdsc.n and lost.mdsc.n < 0.5 * kept.mdsc.n
    assert types(lost)["dead_ferroptosis_mdsc"] == dead and lost.counters["lost_mdsc"] >= dead
    assert lost.lattice.immune_count.sum() == sum(p.n for p in lost.immune)
    assert lost.fields["suppression"].concentration.mean() < 0.9 * kept.fields["suppression"].concentration.mean()


@pytest.mark.mechanism("M90")
def test_an_inducer_kills_mdsc_and_a_radical_trap_saves_them():
    many = {"populations__mdsc": {"per_mm2": 600}, **ROOM, **STILL, **on("mdsc"), **preset("mdsc", fsp1=0.0, d_leth=20.0)}
    killed = {a: hours(tissue("a", arms={"a": a_}, **many), 8).counters["dead_ferroptosis_mdsc"]
              for a, a_ in (("none", {}), ("rsl3", bath("rsl3", 5.0)), ("both", bath("rsl3", 5.0, "ferrostatin_1", 10.0)))}  # fmt: skip
    assert killed["none"] == 0 and killed["rsl3"] > 40 and killed["both"] < 0.2 * killed["rsl3"]


# ---- tissue ----------------------------------------------------------------------------------------------------
def around(n, **changes):
    """Normal cells that an inducer kills, next to a tumour that neither it nor CD8 kill."""
    frail = {"fsp1": 0.0, "acsl4": 1.0, "tfr1": 1.0, "d_leth": 20.0}
    own = {"populations__normal": {"share": 0.3}, "tumour__traits": {"fsp1": 20.0}, "mechanisms__killing__k_hit": 0, **on("normal"), **preset("normal", **frail)}
    return hours(tissue("a", arms={"a": bath("rsl3", 2.0)}, **{**own, **changes}), n)


def test_normal_cells_that_ferroptose_are_corpses_that_release_damps_and_emit_where_the_entry_says_so():
    silent, unharmed = around(10), around(10, mechanisms__ferroptosis_normal={"on": False})
    corpses = silent.normal.state[: silent.normal.n] == 1
    assert corpses.sum() > 50 and silent.counters["dead_ferroptosis"] == 0
    for damp in ("hmgb1", "atp"):
        assert silent.fields[damp].concentration.mean() > 5 * unharmed.fields[damp].concentration.mean()
    silent, emitting = around(3), around(3, entries__cells__normal__pathways__ferroptosis__emits=True)
    assert emitting.fields["peroxide"].concentration.mean() > 10 * silent.fields["peroxide"].concentration.mean()
    where = emitting.fields["peroxide"].source_voxels
    assert where.size > 50 and (np.diff(where) > 0).all() and np.array_equal(where, np.flatnonzero(emitting.fields["peroxide"].source))


def test_a_model_with_pathways_in_four_types_goes_on_from_a_checkpoint_bit_for_bit():
    changes = {**{f"populations__{c}": {} for c in ("mdsc", "caf")}, "populations__normal": {"share": 0.3}, **ROOM, **on("cd8", "mdsc", "caf", "normal"),
               "entries__cells__normal": {"pathways": {"ferroptosis": {"emits": True}}}, "arms": {"a": bath("rsl3", 5.0)}}  # fmt: skip
    one = hours(tissue("a", **changes), 2)
    two = TumourModel.from_state(one.config, one.state_dict(), seed=1, arm="a")
    hours(one, 2), hours(two, 2)
    a, b = one.state_dict(), two.state_dict()
    assert [k for k in a if k != "meta/scalars" and not np.array_equal(a[k], b[k], equal_nan=a[k].dtype.kind == "f")] == []


# ---- of the user's own -------------------------------------------------------------------------------------------
def test_a_type_of_the_users_runs_any_pathway_by_a_line_of_its_entry(tmp_path):
    frail = {"extends": "mdsc", "about": "a test", "pathways": {"cuproptosis": {}, "ferroptosis": {"on": False}}}
    path = with_own(tmp_path, {"frail": frail}, populations__frail={"per_mm2": 300}, arms={"a": bath("elesclomol", 5.0)}, mechanisms__cuproptosis={"on": True}, **ROOM)
    model = hours(TumourModel(load_config(path), seed=1, arm="a"), 4)
    assert {"cuproptosis_frail", "cuproptotic_death_frail"} <= {e.name for e in model.plan.entries} and "plooh" not in model.frail.declared
    assert model.frail.copper[: model.frail.n].mean() > 1.0, "the ionophore reaches all that run the pathway"
    off = load_config(path, overrides=["mechanisms.cuproptosis_frail.on=false"])
    assert "copper" not in TumourModel(off, seed=1, arm="a").frail.declared


def test_a_type_runs_a_pathway_of_a_plugin(tmp_path):
    eater = {"extends": "mdsc", "about": "a test", "pathways": {"disulfide": {"preset": {"xct": {"value": 3, "unit": "1", "source": "assumed: test"}}}}}
    path = with_own(tmp_path, {"eater": eater}, populations__eater={"per_mm2": 300}, **ROOM)
    with pytest.raises(ConfigError, match="unknown pathway 'disulfide'"):
        load_config(path)
    model = TumourModel(load_config(path, plugins=[PLUGIN]), seed=1, arm="control")
    assert {"disulfide_eater", "disulfide_death_eater"} <= {e.name for e in model.plan.entries}
    model.eater.col.bonds[:5] = 1.5
    before = model.eater.n
    model.step()
    assert before > 20 and model.counters["dead_disulfide_eater"] == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entries__cells__cd8__pathways__feroptosis": {}}, r"entries.cells.cd8.pathways.feroptosis: unknown pathway 'feroptosis'.*did you mean 'ferroptosis'"),
        (preset("cd8", xtc={"value": 1, "unit": "1", "source": "assumed: test"}), r"preset.xtc: ferroptosis has no trait and no parameter 'xtc'.*did you mean 'xct'"),
        (preset("cd8", xct=99), r"preset.xct: 99 is out of bounds; expected 0 to 10 1"),
        (preset("cd8", d_leth={"value": 60, "unit": "mM", "source": "assumed: test"}), r"preset.d_leth: is given in 'mM'; expected 'uM'"),
        ({"entries__cells__caf__pathways__cuproptosis": {"emits": True}}, r"emits: cells with cuproptosis emit nothing"),
        ({"entries__cells__tumour__pathways__cuproptosis": {}}, r"pathways of tumour cells are laws of their own; expected mechanisms.cuproptosis"),
        ({"mechanisms__ferroptosis_cd8": {"fsp1": 1}}, r"mechanisms.ferroptosis_cd8.fsp1: .* did you mean 'entries.cells.cd8.pathways.ferroptosis.preset.fsp1'"),
        ({"mechanisms__ferroptosis_cd9": {"on": True}}, r"unknown mechanism 'ferroptosis_cd9'.*did you mean 'ferroptosis_cd8'"),
        ({"mechanisms__ferroptosis_cd8": {"on": 3}}, r"mechanisms.ferroptosis_cd8.on: is 3; expected true or false"),
    ],
)  # fmt: skip
def test_what_an_entry_cannot_say_of_a_pathway_is_refused_by_name(change, words):
    with pytest.raises(ConfigError, match=words):
        tissue(**change)


def test_every_preset_lies_within_the_bounds_of_its_pathway():
    for kind, entry in CELLS.items():
        for name, run in entry.pathways.items():
            pathway = PATHWAYS[name]
            bounds = {g.name: (g.low, g.high) for g in pathway.traits} | {p.name: (p.low, p.high) for p in pathway.parameters}
            for key, number in run.preset.items():
                assert bounds[key][0] <= number.range[0] and number.range[1] <= bounds[key][1], f"{kind}.{name}.{key}"
