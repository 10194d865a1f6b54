"""Faults that generated experiments have found, each in the least experiment that shows it."""

import numpy as np
import pytest
from chance import SOURCE
from generated import as_yaml
from generated_start import CSV, table

from tme.cli import main
from tme.config import ConfigError
from tme.model import TumourModel, load_config

SMALL = {"horizon_day": 1, "domain": {"size_um": [180, 180], "at_edge": "continue"}, "initial": {"kind": "nodule", "n_cells": 40}}


def q(value, unit="1", **more):
    """A number as an entry writes it."""
    return {"value": value, "unit": unit, "source": SOURCE, **more}


GUEST = {"about": "a test", "place": "guest", "volume_um3": q(200, "um^3"), "start": {"per_mm2": q(300, "1/mm^2")}}
WALKS = {"motion": {"speed": q(3, "um/min")}}
KILLS = {"kills": {"recognises": "antigen", "attach": q(0.5, "1/min"), "floor": q(0.1), "hold_min": q(60, "min"), "hit": q(0.1, "1/min")}}


@pytest.fixture
def loaded(tmp_path):
    """Loads an experiment whose `library` stands as it is written in the user's file."""

    def load(library=None, **keys):
        data = {**SMALL, **keys}
        if library is not None:
            (tmp_path / "own.yaml").write_text(as_yaml(library))
            data["library"] = ["own.yaml"]
        (tmp_path / "x.yaml").write_text(as_yaml(data))
        return load_config(tmp_path / "x.yaml")

    return load


def guest(*parts, **more):
    """A library of one cell type."""
    return {"cells": {"mine": {**GUEST, **{k: v for part in parts for k, v in part.items()}, **more}}}


def ticks(config, arm="control", n=12):
    """The model after some ticks; its columns are numbers."""
    model = TumourModel(config, arm=arm)
    for _ in range(n):
        model.step()
    assert all(np.isfinite(getattr(p, c)).all() for p in model.populations for c in p.declared)
    return model


def said(loaded, *library, **keys):
    """The one fault of an experiment, which has a line."""
    with pytest.raises(ConfigError) as caught:
        loaded(*library, **keys)
    assert len(caught.value.faults) == 1 and caught.value.faults[0].line, str(caught.value)
    return str(caught.value)


# ---- what ended in a traceback, or in no numbers -------------------------------------------------------------------
@pytest.mark.parametrize("part", [
    {"motion": {"speed": q(3, "um/min"), "follows": "vegf", "bias": q(0.2)}},
    {"entry": {"rate": q(0.1, "1/min"), "signal": "vegf", "half": q(1, "ng/mL")}},
    {"life": {"mean_d": q(1, "d"), "where": "vegf", "sooner": q(2), "below": q(1, "ng/mL")}},
], ids=lambda part: next(iter(part)))  # fmt: skip
def test_an_optional_field_is_there_where_a_cell_type_hears_it(loaded, part):
    assert "vegf" in ticks(loaded(guest(part), populations={"mine": {}})).fields
    assert "vegf" not in ticks(loaded(guest(part)), n=1).fields


def test_an_optional_field_is_there_where_it_induces_a_ligand(loaded):
    axis = {"about": "a test", "on": True, "host": True, "place": "contact", "receptor": {"name": "r", "on": {"cd8": {"level": q(1)}}}, "effects": {"killing": {"to": q(0.5)}},
            "ligands": {"li": {"on": {"macrophage": {"level": q(0), "induced_by": "field.il6", "to": q(1), "half": q(1, "a.u."), "tau_min": q(60, "min")}}}}}  # fmt: skip
    assert "il6" in ticks(loaded({"receptors": {"own": axis}}, populations={"cd8": {"per_mm2": 300}, "macrophage": {"share": 0.2}})).fields


def test_a_killer_may_stay_where_it_is_and_take_up_particles(loaded):
    stays = ticks(loaded(guest(KILLS), populations={"mine": {"per_mm2": 900}}))
    assert stays.mine.n and stays.counters["kills"] >= 0
    carried = ticks(loaded(guest(KILLS, WALKS, takes_up_particles=True), populations={"mine": {"per_mm2": 900}},
                           arms={"np": {"nanoparticles": [{"name": "iron_oxide", "dose_mg_kg": 5, "day": 0}]}}), "np", 30)  # fmt: skip
    assert carried.mine.np_iron_oxide.max() > 0


def test_two_pathways_of_a_cell_type_share_what_they_sense(loaded):
    model = ticks(loaded(guest(pathways={"ferroptosis": {}, "disulfidptosis": {}}), populations={"mine": {"per_mm2": 900}}), n=25)
    here = model.fields["cystine"].at(model.mine.voxel)
    assert np.allclose(model.mine.cystine[model.mine.born_tick == 0], here[model.mine.born_tick == 0], rtol=0.2)


@pytest.mark.parametrize("name", ["own", "fields", "plan", "step", "lattice"])
def test_a_cell_type_may_be_called_as_a_part_of_a_model(loaded, name, tmp_path):
    library = {"cells": {name: {**GUEST, **WALKS, "pathways": {"ferroptosis": {}}}}}
    model = ticks(loaded(library, populations={name: {"per_mm2": 900}}), n=3)
    again = TumourModel.from_state(model.config, model.state_dict())
    assert again.populations[name].n == model.populations[name].n > 0


@pytest.mark.parametrize("name", ["vessel", "none", "uids", "node"])
def test_a_cell_type_may_not_be_called_as_something_in_rules_regions_or_checkpoints(loaded, name):
    assert "the name has another meaning" in said(loaded, {"cells": {name: GUEST}})


def test_without_a_vessel_what_decays_comes_to_nothing(loaded):
    config = loaded(fields={"cystine": {"decay": 4}}, mechanisms={"vessels": {"per_mm2": 0}}, clocks={"field_tol": 1e-10})
    assert not ticks(config, n=25).fields["cystine"].concentration.any()


def test_a_vaccination_before_the_run_does_without_the_laws_of_memory_and_of_the_node(loaded):
    arms = {"a": {"events": [{"name": "vaccination", "cause": "ferroptosis", "age_h": 1, "day": -10}]}}
    outputs = []
    for off in ((), ("t_cell_memory",), ("t_cell_memory", "lymph_node")):
        node = ticks(loaded(mechanisms={name: {"on": False} for name in off}, arms=arms), "a", 1).node
        assert (node.memory > 0) == (not off)
        outputs.append(node.output)
    assert outputs[0] == outputs[1] < outputs[2]


def test_a_killer_that_carries_a_ligand_that_follows_a_field_walks(loaded):
    """Its walk does not begin beside the law that reads where it is."""
    axis = {"ligands": {"pdl1": {"on": {"cd8": {"level": 0.1, "induced_by": "field.ifng", "to": 0.9, "half": q(1, "ng/mL"), "tau_min": 60}}}}}
    assert ticks(loaded(receptors={"pd1": axis}, populations={"cd8": {"per_mm2": 300}})).plan.early.get("ferroptosis") is None


def test_a_hit_on_the_wrong_side_of_1_is_refused(loaded):
    hit = {"lowers": "ferroptosis.tfr1", "to": q(1.1), "half": q(1, "uM")}
    drug = {"drugs": {"own": {"extends": "rsl3", "hits": [hit]}}}
    text = said(loaded, drug, arms={"a": {"drugs": [{"name": "own", "dose_mg_kg": 5}]}})
    assert "own.yaml:" in text and "drugs.own.hits.tfr1.to: lowers ferroptosis.tfr1 to 1.1, which is on the wrong side of 1" in text


def test_a_field_held_at_a_wall_of_a_periodic_axis_is_refused(loaded):
    field = {"fields": {"own": {"about": "a test", "unit": "uM", "mode": "backward_euler", "clock_min": q(10, "min"), "diffusion": q(100, "um^2/min"),
                                "decay": q(0.1, "1/min"), "walls": {"y_max": q(3, "uM")}}}}  # fmt: skip
    for boundary in ("periodic", {"x": "no_flux", "y": "periodic"}):
        text = said(loaded, field, domain={**SMALL["domain"], "boundary": boundary})
        assert "domain.boundary" in text and "is periodic, and own is held at a wall of y" in text
    ticks(loaded(field, domain={**SMALL["domain"], "boundary": {"x": "periodic"}}), n=10)


# ---- what was refused and is sound ---------------------------------------------------------------------------------
def test_a_drug_may_need_or_remove_a_substance_that_vessels_do_not_bring(loaded):
    needs = {"lowers": "division.rate", "to": q(0.5), "half": q(1, "uM"), "needs": {"field": "arachidonic", "half": q(1, "uM")}}
    pool = {"target": "pool", "field": "atp", "k_per_uM_min": q(0.1, "1/(uM min)")}
    arms = {"a": {"drugs": [{"name": "own", "dose_mg_kg": 5}]}}
    ticks(loaded({"drugs": {"own": {"extends": "rsl3", "hits": [needs, pool]}}}, arms=arms), "a", 10)
    vessel = {"target": "vessel", "field": "atp", "ki_uM": q(1, "uM")}
    assert "vessels bring no 'atp'" in said(loaded, {"drugs": {"own": {"extends": "rsl3", "hits": [vessel]}}})


@pytest.mark.parametrize("way", [{"by": "rank"}, {"by": "gated", "gate": 1.0, "high": 2.0, "low": 0.5}], ids=lambda way: way["by"])
def test_a_resolved_config_with_a_ranked_or_gated_marker_loads(loaded, tmp_path, way):
    (tmp_path / CSV).write_text(table())
    start = {"kind": "cells", "file": CSV, "columns": {"x": "x", "y": "y", "type": "type"}, "types": {"T": "tumour"}, "traits": {"marker": {"trait": "xct", **way}}}
    config = loaded(initial=start)
    (tmp_path / "resolved.yaml").write_text(as_yaml(config.to_dict()))
    assert load_config(tmp_path / "resolved.yaml").digest == config.digest
    assert "does nothing where a marker is" in said(loaded, initial={**start, "traits": {"marker": {"trait": "xct", **way, "power": 2}}})


def test_uptake_is_written_in_the_units_of_the_library(loaded):
    for unit in ("ng/(mL min)", "ng/mL/min"):
        loaded(guest(takes_up=[{"field": "ifng", "most": q(0.1, unit)}]))
    assert "expected 'ng/(mL min)'" in said(loaded, guest(takes_up=[{"field": "ifng", "most": q(0.1, "ng/mL")}]))


# ---- what was taken and is wrong -------------------------------------------------------------------------------------
@pytest.mark.parametrize(("part", "words"), [
    ({"secretes": [{"field": "il12", "rate": q(1, "furlong")}]}, "secretes.il12.rate: is given in 'furlong', expected 'a.u./min'"),
    ({"secretes": [{"field": "lactate", "molecules_s": q(1, "1/s"), "weight_kda": q(17, "kDa")}]}, "lactate is in 'mM', and molecules are weighed for a field in 'ng/mL'"),
    ({"entry": {"rate": q(0.1, "1/min"), "signal": "cxcl", "half": q(1, "uM")}}, "entry.half: is given in 'uM', cxcl in 'a.u.'"),
    ({"life": {"mean_d": q(1, "d"), "where": "cxcl", "below": q(1, "uM")}}, "life.below: is given in 'uM', cxcl in 'a.u.'"),
    ({"life": {"mean_d": q(1, "d", range=[0.5, 1e999])}}, "is [0.5, inf], not two finite numbers"),
    ({"division": {"rate": q(0.1, "1/min"), "at_most": q(3, True)}, **KILLS}, "division.at_most.unit: is true"),
    ({"division": {"rate": q(0.1, "1/h"), "at_most": q(3)}, **KILLS}, "cells.mine.division.rate: is given in '1/h', expected '1/min'"),
    ({"division": {"rate": q(0.1, "1/min")}, **KILLS}, "cells.mine.division.at_most: is missing"),

])  # fmt: skip
def test_a_number_of_a_cell_type_in_a_wrong_unit_or_without_end_is_refused(loaded, part, words):
    assert words in said(loaded, guest(part))


def test_a_vaccine_has_no_quality_below_0(loaded):
    assert "quality.necrosis" in said(loaded, {"events": {"own": {"extends": "vaccination", "quality": {"necrosis": q(-0.5)}}}})


AXIS = {"about": "a test", "on": True, "place": "contact", "receptor": {"name": "r", "on": {"cd8": {"level": q(1)}}}, "effects": {"killing": {"to": q(0.5)}}}
RULE = {"in": "tumour", "signal": "field.oxygen", "lowers": "division.rate", "to": q(0.5), "half": q(20, "mmHg"), "evidence": "hypothetical", "source": "a test"}


@pytest.mark.parametrize(("library", "words"), [
    ({"drugs": {"own": {"extends": "rsl3", "hits": [{"lowers": "division.rat", "to": q(0.5), "half": q(1, "uM")}]}}}, "unknown term 'division.rat'"),
    ({"alterations": {"own": {"about": "a test", "source": "a test", "effects": [{"lowers": "division.rat", "to": q(0.5)}]}}}, "unknown term 'division.rat'"),
    ({"rules": {"own": {**RULE, "signal": "field.oxigen"}}}, "unknown signal 'field.oxigen'"),
    ({"rules": {"own": {**RULE, "in": ["tumor"]}}}, "unknown cell type 'tumor'"),
    ({"receptors": {"own": {**AXIS, "ligands": {"li": {"on": {"tumour": {"level": q(0), "induced_by": "field.ifn", "to": q(1), "half": q(1, "ng/mL")}}}}}}}, "field 'ifn' is not in fields"),
    ({"receptors": {"own": {**AXIS, "ligands": {"li": {"on": {"tumor": {"level": q(1)}}}}}}}, "cell type 'tumor' is not in cells"),
    ({"antibodies": {"own": {"extends": "anti_lag3", "depletes": "tregs", "depletion": q(0.5)}}}, "cell type 'tregs' is not in cells"),
    ({"alterations": {"own": {"about": "a test", "source": "a test", "feels": {"rsl": q(0.5)}}}}, "'rsl' is not in drugs, nor a group of them"),
], ids=["drug", "alteration", "rule", "cells", "field of an axis", "cells of an axis", "antibody", "feels"])  # fmt: skip
def test_entries_of_the_users_own_are_checked_where_nothing_uses_them_yet(loaded, library, words):
    text = said(loaded, library)
    assert words in text and "own.yaml:" in text


# ---- what was told without its place -----------------------------------------------------------------------------------
def test_faults_are_told_with_the_key_and_line_of_the_user(loaded):
    assert "x.yaml:" in (text := said(loaded, rules={"x": {**RULE, "in": 12}})) and "rules.x.in: is no cell type" in text
    assert "x.yaml:" in said(loaded, rules={"x": {**RULE, "lowers": "ferroptosis.gch1"}})
    assert "x.yaml:" in said(loaded, arms={"a": {"drugs": [{"name": "elesclomol", "dose_mg_kg": 5}]}})  # cuproptosis is off
    slow = {"drugs": {"own": {"extends": "rsl3", "clock_min": q(7, "min")}},
            "nanoparticles": {"own_np": {"extends": "peg_pdpa_rsl3", "id": "N900", "payloads": [{"drug": "own", "loading": q(1)}]}}}  # fmt: skip
    assert "own.yaml:" in said(loaded, slow, arms={"a": {"nanoparticles": [{"name": "own_np", "dose_mg_kg": 5, "day": 0}]}})


def test_a_fault_of_an_entry_ends_a_command_with_2_and_no_traceback(loaded, tmp_path, capsys):
    with pytest.raises(ConfigError):
        loaded({"drugs": {"own": {"extends": "rsl3", "hits": [{"raises": "division.rate", "to": q(0.5), "half": q(1, "uM")}]}}}, arms={"a": {"drugs": [{"name": "own", "dose_mg_kg": 5}]}})
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / "x.yaml")])
    shown = capsys.readouterr()
    assert ended.value.code == 2 and "own.yaml:" in shown.err and "Traceback" not in shown.out + shown.err
