"""The model to a Mesa user: agents, selections, collectors, batches, and agents of one's own."""

import gc
import inspect
import pickle
import weakref

import mesa
import numpy as np
import pytest
from support import TISSUE, config_of, tissue

from tme.model import TumourModel
from tme.populations import Tumour


@pytest.fixture(scope="module")
def model():
    """A small tumour after half an hour."""
    m = tissue()
    for _ in range(30):
        m.step()
    return m


def test_populations_are_the_agents(model):
    assert isinstance(model, mesa.Model)
    assert isinstance(model.agents, type(mesa.Model(rng=1).agents))  # AgentSet, wherever this Mesa keeps it
    assert set(model.agents) == set(model.populations)
    assert all(isinstance(p, mesa.Agent) for p in model.populations)
    assert list(model.agents_by_type[Tumour]) == [model.tumour]
    assert list(model.agents.select(agent_type=type(model.cd8))) == [model.cd8]
    assert sum(model.agents.get("n")) == sum(len(p) for p in model.populations)
    assert model.agents.agg("n", max) == model.tumour.n


def test_a_row_is_a_cell_with_an_id_a_place_and_its_columns(model):
    cell = model.tumour[3]
    assert cell.lip == model.tumour.lip[3]
    assert cell.unique_id == int(model.tumour.uid[3])
    x, y, z = cell.pos
    assert 0 < x < 520 and 0 < y < 520 and z == 10
    before = cell.gsh
    cell.gsh = 7.0
    assert model.tumour.gsh[3] == 7.0
    cell.gsh = before
    with pytest.raises(AttributeError, match="have no 'gshh'"):
        cell.gshh = 1.0
    with pytest.raises(AttributeError):
        _ = model.tumour.gshh
    assert len(list(model.tumour)) == model.tumour.n and model.tumour[-1].row == model.tumour.n - 1


def test_selections_speak_the_language_of_agent_sets(model):
    cells = model.tumour.select(model.tumour.state == 0)
    poor = cells.select(lambda c: c.get("gsh") < np.median(c.get("gsh")))
    assert 0 < len(poor) < len(cells)
    assert poor.agg("gsh", np.max) < cells.agg("gsh", np.max)
    same = model.tumour.select(lambda c: c.get("state") == 0)
    assert np.array_equal(same.rows, cells.rows)
    by_gsh = cells.sort("gsh")
    assert (np.diff(by_gsh.get("gsh")) <= 0).all() and (np.diff(cells.sort(lambda c: c.gsh, ascending=True).get("gsh")) >= 0).all()
    assert cells.map(lambda c, by: c.lip * by, 2.0) == [2.0 * x for x in cells.get("lip")] and len(cells.to_list()) == len(cells)
    seen = []
    assert cells.do(lambda c: seen.append(c.unique_id)) is cells and seen == cells.get("uid").tolist()
    groups = cells.groupby("clone")
    assert sum(len(g) for g in groups.values()) == len(cells)
    mixed = cells.shuffle(np.random.default_rng(1))
    assert sorted(c.unique_id for c in mixed) == sorted(c.unique_id for c in cells)
    old = poor.get("mufa")
    poor.set("mufa", 0.5)
    assert np.all(poor.get("mufa") == 0.5)
    poor.set("mufa", old)


class Watched(TumourModel):
    """A model with a collector, as a Mesa user writes it."""

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.datacollector = mesa.DataCollector(
            model_reporters={"alive": lambda m: int((m.tumour.state == 0).sum()), "tick": "tick"},
            agent_reporters={"cells": "n"},
        )
        self.datacollector.collect(self)

    def step(self):
        super().step()
        self.datacollector.collect(self)


def test_a_data_collector_works_on_model_and_populations():
    m = Watched(config_of(TISSUE), seed=1)
    for _ in range(5):
        m.step()
    frame = m.datacollector.get_model_vars_dataframe()
    assert frame["tick"].tolist() == [0, 1, 2, 3, 4, 5]
    assert frame["alive"].iloc[0] == 250
    agents = m.datacollector.get_agent_vars_dataframe()
    assert agents["cells"].groupby("Step").sum().iloc[0] == sum(p.n for p in tissue().populations)


def test_batch_run_works_with_a_tiny_config():
    """Mesa 3.5 sweeps seeds by `rng`, 3.3 as a parameter beside `iterations`."""
    how = {"max_steps": 3, "number_processes": 1, "data_collection_period": -1, "display_progress": False}
    parameters = {"config": [config_of(TISSUE)]}
    if "rng" in inspect.signature(mesa.batch_run).parameters:
        results = mesa.batch_run(Watched, parameters=parameters, rng=[1, 2], **how)
    else:
        results = mesa.batch_run(Watched, parameters={**parameters, "seed": [1, 2]}, iterations=1, **how)
    assert {r.get("seed", r.get("rng")) for r in results} == {1, 2}
    assert all(r["alive"] == 250 for r in results)


def test_mesas_word_for_the_seed_is_understood():
    assert TumourModel(config_of(TISSUE), rng=5, empty=True).seed_used == 5
    assert TumourModel(config_of(TISSUE), seed=3, rng=5, empty=True).seed_used == 3


def test_a_model_that_nobody_holds_leaves_the_memory():
    """Also with an agent of one's own; Mesa 3.3 by itself keeps every model that ever had an agent."""
    held = tissue()
    mesa.Agent(held)
    assert len({agent.unique_id for agent in held.agents}) == len(held.agents)
    gone = weakref.ref(held)
    del held
    gc.collect()
    assert gone() is None


def test_steps_running_and_the_end(model):
    assert model.steps == model.tick == 30 and model.running
    short = tissue(horizon_day=0.25)
    short.tick = short.end_tick - 1
    short.step()
    assert not short.running


def test_pickling_is_refused_with_a_pointer_to_checkpoints(model):
    with pytest.raises(TypeError, match="state_dict"):
        pickle.dumps(model)


class Probe(mesa.Agent):
    """An ordinary agent that walks over the lattice and reads what is there."""

    def __init__(self, model, voxel):
        super().__init__(model)
        self.voxel = voxel
        self.seen = []

    def step(self):
        self.seen.append(float(self.model.fields["oxygen"].concentration[self.voxel]))
        self.voxel += 1


def test_an_ordinary_mesa_agent_lives_on_the_lattice_and_changes_no_cell():
    plain, visited = tissue(), tissue()
    probe = Probe(visited, visited.grid.n_voxels // 2)
    for _ in range(10):
        plain.step()
        visited.step()
        visited.agents.do("step")
    assert len(probe.seen) == 10 and all(0 < o <= 38 for o in probe.seen)
    assert probe in visited.agents and list(visited.agents_by_type[Probe]) == [probe]
    assert np.array_equal(plain.tumour.gsh, visited.tumour.gsh)
    probe.remove()
    assert probe not in visited.agents


def test_dotted_overrides_reach_the_parameters(tmp_path):
    import json

    path = tmp_path / "small.yaml"
    path.write_text(json.dumps(TISSUE))
    m = TumourModel(str(path), seed=1, mechanisms__ferroptosis__f_x=0)
    assert m.mechanism("ferroptosis").p.f_x == 0.0
    again = TumourModel(m.config, seed=1, empty=True, mechanisms__killing__k_hit=0.01)  # a loaded config as well as a file
    assert again.config_for("killing")["k_hit"] == 0.01 and again.config_for("ferroptosis")["f_x"] == 0.0
