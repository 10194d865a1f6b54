"""`tme schema`: what an editor is told of a config file."""

from pathlib import Path
from random import Random

import pytest
from generated import valid
from ruamel.yaml import YAML

from tme.config.json_schema import json_schema
from tme.library import load_library
from tme.model.registry import parameter_registry

jsonschema = pytest.importorskip("jsonschema")
CONFIGS = Path(__file__).parents[2] / "configs"
EXPERIMENTS = sorted(p for p in CONFIGS.rglob("*.yaml") if p.parent.name != "own" and p.name != "walker.yaml")  # the rest are library files


@pytest.fixture(scope="module")
def schema():
    return jsonschema.Draft202012Validator(json_schema(parameter_registry(), load_library()))


def faults(schema, data):
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:80]}" for e in schema.iter_errors(data)]


@pytest.mark.parametrize("path", [*EXPERIMENTS, CONFIGS / "own" / "everything.yaml"], ids=lambda p: p.relative_to(CONFIGS).as_posix())
def test_no_shipped_experiment_is_marked_as_wrong(schema, path):
    assert faults(schema, YAML(typ="safe").load(path)) == []


def test_no_generated_experiment_is_marked_as_wrong(schema):
    for case in range(60):
        data = valid(Random(case))
        if "library" in data:
            data["library"] = ["own.yaml"]
        assert faults(schema, data) == [], case


@pytest.mark.parametrize("data", [
    {"horizn_day": 3}, {"mechanisms": {"division": {"k_div": "fast"}}}, {"mechanisms": {"division": {"k_dv": 1}}}, {"mechanisms": {"killing": {"k_hit": -1}}},
    {"replicates": 0}, {"replicates": "two"}, {"arms": {"x": {"drugs": [{"name": "rsl3", "dose_mgkg": 1}]}}}, {"domain": {"size_um": "large"}}, {"domain": {"boundary": "open"}},
])  # fmt: skip
def test_what_the_loader_refuses_is_marked(schema, data):
    assert faults(schema, data)


@pytest.mark.parametrize("asked", ["T41", ["T41", "T42"], {"T42": "ctl"}])
def test_published_targets_are_marked_in_none_of_their_forms(schema, asked):
    assert faults(schema, {"study": {"targets": asked}}) == []
    assert faults(schema, {"study": {"target": asked}}) and faults(schema, {"study": {"targets": 41}})
