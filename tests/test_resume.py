"""A run resumed from its checkpoint at any tick ends in the same bytes, on any number of threads."""

import numpy as np
import pytest
from support import tasks_by_workers, tissue
from test_model import busy, ticks

from tme.experiments.checkpoint import read_checkpoint, write_checkpoint
from tme.kernels import threads
from tme.model import TumourModel

BEGIN, END = 110, 160  # ticks: a second dose falls into them, and every kind of cell comes and goes


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Checkpoint files of every tick of an undisturbed run, and the state it ends in."""
    folder = tmp_path_factory.mktemp("course")
    model = ticks(busy("all"), BEGIN)
    before = dict(model.counters)
    paths = {}
    while model.tick < END:
        paths[model.tick] = kept(model, folder / f"tick_{model.tick}")
        model.step()
    happened = {k for k, v in model.counters.items() if v > before.get(k, 0)}
    assert {"births", "dead_ferroptosis", "dead_immune", "kills", "cleared", "births_cd8", "recruited_cd8"} <= happened
    assert model.receptors.depleted("treg") > 0 and model.receptors.molecules["pd1"].free.min() < 1
    assert all(np.ptp(model.fields[a.name].concentration) > 0 for a in model.therapy.nanoparticles)
    return paths, model.state_dict(), model.config


def kept(model, path):
    """Write a checkpoint; its path."""
    write_checkpoint(path, model.state_dict(), {"tick": model.tick})
    return path


def resumed(path, config):
    """The model a checkpoint file holds."""
    return TumourModel.from_state(config, read_checkpoint(path)[0], arm="all", seed=5)


def assert_same_bytes(state, expected):
    """Same names, types, shapes and bytes."""
    assert state.keys() == expected.keys()
    other = [k for k, v in state.items() if v.dtype != expected[k].dtype or v.tobytes() != expected[k].tobytes()]
    assert not other


def resume_from(course, at):
    """To the end from one tick."""
    paths, end, config = course
    assert_same_bytes(ticks(resumed(paths[at], config), END - at).state_dict(), end)


@pytest.mark.parametrize("at", range(BEGIN, END, 5))
def test_a_run_resumed_at_every_fifth_tick_ends_in_the_same_bytes(course, at):
    resume_from(course, at)


@pytest.mark.slow
@pytest.mark.parametrize("at", range(BEGIN, END))
def test_a_run_resumed_at_any_tick_ends_in_the_same_bytes(course, at):
    resume_from(course, at)


def test_a_checkpoint_read_back_is_written_again_as_the_same_bytes(course):
    paths, _, config = course
    for at in (BEGIN, 133):
        assert_same_bytes(resumed(paths[at], config).state_dict(), read_checkpoint(paths[at])[0])


@pytest.mark.parametrize("at", [BEGIN, 127, 151])
def test_a_run_resumed_on_another_number_of_threads_ends_in_the_same_bytes(course, at, monkeypatch):
    monkeypatch.setattr(threads, "MIN_ROWS", 1)  # so small a model would not share its rows
    monkeypatch.setattr("tme.core.solvers.WORTH_VOXELS", 0)
    monkeypatch.setattr("tme.core.superposition.MIN_SHARED_SOURCES", 1)
    made = tasks_by_workers(monkeypatch)
    for n in (1, 2, 3):
        monkeypatch.setattr(threads, "count", lambda n=n: n)
        resume_from(course, at)
    assert made and all(name.startswith("tme-") for name in made)


@pytest.mark.parametrize("stops", [(114, 115, 147), (111, 130, 159)])
def test_three_chained_resumes_end_in_the_same_bytes(course, stops, tmp_path):
    paths, end, config = course
    model = resumed(paths[BEGIN], config)
    for at in stops:
        model = resumed(kept(ticks(model, at - model.tick), tmp_path / "checkpoint"), config)
    assert_same_bytes(ticks(model, END - model.tick).state_dict(), end)


def test_a_run_in_3d_ends_in_the_same_bytes_resumed_or_on_other_threads(tmp_path, monkeypatch):
    """Vessels are lines there, of which some close as the tumour is built and later; they feed fields, particles, immune cells."""
    changes = {
        "domain__size_um": [280, 260, 240], "domain__immune_per_voxel": 4, "initial__n_cells": 400,
        "mechanisms__vessels": {"per_mm2": 300, "core_factor": 0.2, "rim_um": 30},
        "mechanisms__recruitment": {"k_treg": 900, "base": 1.0},
        "arms": {"all": {"drugs": [{"name": "erastin", "dose_mg_kg": 40, "day": 0}],
                         "nanoparticles": [{"name": "iron_oxide", "dose_mg_kg": 5, "day": 0}]}},
    }  # fmt: skip
    monkeypatch.setattr(threads, "MIN_ROWS", 1)
    monkeypatch.setattr("tme.core.solvers.WORTH_VOXELS", 0)
    monkeypatch.setattr("tme.core.superposition.MIN_SHARED_SOURCES", 1)
    ends, path = [], None
    for n in (1, 2):
        monkeypatch.setattr(threads, "count", lambda n=n: n)
        model = ticks(tissue(arm="all", seed=5, **changes), 355)
        path = kept(model, tmp_path / "checkpoint")
        assert 0 < model.vessels.open.sum() < len(model.vessels.open) < len(model.vessels.voxels)
        ends.append(ticks(model, 25).state_dict())  # over the hour at which vessels open and close
        assert model.counters["recruited_treg"] and np.ptp(model.fields["iron_oxide"].concentration) > 0
    assert_same_bytes(ends[1], ends[0])
    model = TumourModel.from_state(model.config, read_checkpoint(path)[0], arm="all", seed=5)
    assert_same_bytes(ticks(model, 25).state_dict(), ends[0])
