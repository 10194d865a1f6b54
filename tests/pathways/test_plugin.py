"""A pathway of the user's own, in a file: its columns, its kernel, its terms and the deaths it causes."""

from __future__ import annotations

from pathlib import Path

import pytest
import sugar
from support import DISH, config_of

from tme.config import ConfigError
from tme.model import TumourModel, load_config
from tme.pathways.store import kernels

ENTRIES = """

class Sugar(PathwayEntry):
    name, pathway, parameters, about = "sugar", PATHWAY, PARAMETERS, "glucose and NADPH"


class SugarDeath(PathwayDeath):
    name, of, about = "disulfide_death", Sugar, "disulfide bonds kill"


PLUGINS = (Sugar, SugarDeath)
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    text = Path(sugar.__file__).read_text() + ENTRIES
    text = text.replace("import Given, Pathway, State", "import Given, Pathway, State\nfrom tme.pathways.entries import PathwayDeath, PathwayEntry")
    assert len([line for line in text.splitlines() if line.strip()]) <= 75
    path = tmp_path_factory.mktemp("own") / "my_sugar.py"
    path.write_text(text)
    return path


def run(plugin, hours, **changes):
    model = TumourModel(config_of(DISH, **changes), plugins=(plugin,))
    while model.sim_hour < hours:
        model.step()
    return model


def test_it_runs_beside_ours(plugin):
    model = run(plugin, 2)
    assert model.tumour.nadph.mean() > 60.0 and model.tumour.sugar_tick.min() >= model.tick - 6
    assert kernels(model.mechanism("sugar").pathway).__file__.endswith(".py")


def test_cells_die_of_it_as_of_ours(plugin):
    model = TumourModel(config_of(DISH), plugins=(plugin,))
    model.tumour.col.bonds[:5] = 1.5
    model.step()
    assert model.counters["dead_apoptosis"] == 5


def test_rules_act_on_its_terms_and_hear_its_states(plugin, tmp_path):
    rule = (
        "rules.mine={in: tumour, signal: own.bonds, lowers: sugar.glut, to: {value: 0, unit: '1', source: 'assumed: a test'}, "
        "half: {value: 1e-6, unit: '1', source: 'assumed: a test'}, evidence: hypothetical, source: a test}"
    )
    path = tmp_path / "dish.yaml"
    path.write_text("horizon_day: 1\ndomain: {size_um: [100, 100]}\ninitial: {kind: monolayer}\n")
    config = load_config(path, overrides=[rule], plugins=(plugin,))
    model = TumourModel(config)
    for _ in range(60):
        model.step()
    assert model.mechanism("sugar").modulated and model.tumour.glucose.mean() < 10.0
    with pytest.raises(ConfigError, match=r"unknown term 'sugar.glu'; .*did you mean 'sugar.glut'|sugar.glut"):
        load_config(path, overrides=[rule.replace("sugar.glut", "sugar.glu")], plugins=(plugin,))
