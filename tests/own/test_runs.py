"""Runs of one's own laws and pathway: the same bits for any number of processes and across breaks, columns that a law keeps."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tme.cli import main
from tme.config import ConfigError
from tme.core.plugins import PluginError
from tme.experiments import files, run
from tme.experiments.plan import plan
from tme.experiments.worker import Task, simulate
from tme.model import TumourModel, load_config

OWN = Path(__file__).parents[2] / "configs" / "own"
SHORT = ["horizon_day=0.1", "replicates=1", "output={record_every_h: 0.5, snapshot_days: [0.1], checkpoint_every_h: 0.5}"]
LAW = """
from tme.core.mechanism import Mechanism, Phase
from tme.core.population import Column


class Memory(Mechanism):
    name = "memory"
    phase = Phase.INTERACT
    about = "minutes a tumour cell has lived, halved among daughters"
    cell_columns = {"tumour": (Column("lived", "f8", "min", 0.0, "half", "minutes"),)}
    reads = ("tumour.state",)
    writes = ("tumour.lived",)

    def step(self, model):
        model.tumour.lived[model.tumour.state == 0] += self.dt


PLUGINS = (Memory,)
"""
RULE = """
rules:
  old_cells_rest: {in: tumour, signal: own.lived, lowers: division.rate, evidence: hypothetical, source: a test,
    to: {value: 0.1, unit: 1, source: "assumed: a test"}, half: {value: 10, unit: min, source: "assumed: a test"}}
"""
DISH = "horizon_day: 1\ndomain: {size_um: [270, 270]}\ninitial: {kind: monolayer, occupancy: 0.5}\nfields: {oxygen: {held: true}}\nmechanisms: {division: {k_div: 0.01}}\nplugins: [memory.py]\n"


def fingerprint(folder):
    """SHA-256 of every file whose bits must not depend on how a run went."""
    names = [p for p in Path(folder).rglob("*") if p.suffix in (".csv", ".h5ad", ".npz") or p.name == "frame.bin"]
    return {p.relative_to(folder).as_posix(): files.sha256(p) for p in names}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The example in one process and one piece: its directory, and its config."""
    place = shutil.copytree(OWN, tmp_path_factory.mktemp("own") / "own")
    config = load_config(place / "everything.yaml", overrides=SHORT, allow_plugins=True)
    made = run(config, place / "one", jobs=1, progress=False, report=False)
    assert made.exit_code == 0
    return made.path, config


@pytest.mark.slow
def test_two_processes_give_the_same_bits_as_one(reference, tmp_path):
    path, _ = reference
    words = [w for change in SHORT for w in ("--set", change)]
    with pytest.raises(SystemExit) as ended:
        main(["run", str(OWN / "everything.yaml"), "--allow-plugins", *words, "--jobs", "2", "--out", str(tmp_path / "two")])
    assert not ended.value.code
    prints = fingerprint(path)
    assert any(name.endswith("series.csv") for name in prints) and any(name.endswith(("frame.bin", ".h5ad")) for name in prints)
    ours, theirs = prints, fingerprint(tmp_path / "two")
    assert {n: h for n, h in ours.items() if "rep-" in n} == {n: h for n, h in theirs.items() if "rep-" in n}


@pytest.mark.parametrize("arm", ["particle", "neutrons"])
def test_a_run_broken_off_again_and_again_ends_in_the_same_bits(reference, tmp_path, arm):
    path, config = reference
    (s,) = (x for x in plan(config).simulations if x.arm == arm)
    breaks = 0
    for _ in range(40):
        steps = iter(range(40))
        outcome = simulate(Task(str(tmp_path), s, config, TumourModel), lambda steps=steps: next(steps, None) is None)
        if outcome.state == "done":
            break
        breaks += 1
    assert outcome.state == "done" and breaks > 1 and outcome.resumed_from_hour is not None
    assert fingerprint(tmp_path / s.folder) == fingerprint(path / s.folder)


def test_a_checkpoint_taken_at_any_tick_goes_on_bit_for_bit_after_the_files_are_gone(tmp_path):
    place = shutil.copytree(OWN, tmp_path / "own")
    config = load_config(place / "everything.yaml", allow_plugins=True)
    whole = TumourModel(config, seed=3, arm="both")
    shutil.rmtree(place)
    for at in (7, 13):
        while whole.tick < at:
            whole.step()
        copy = TumourModel.from_state(config, whole.state_dict(), arm="both", seed=3)
        for _ in range(5):
            whole.step()
            copy.step()
        ours, theirs = whole.state_dict(), copy.state_dict()
        assert ours.keys() == theirs.keys() and {"tumour/bonds", "tumour.bonds"} & set(ours)
        assert all(ours[k].tobytes() == theirs[k].tobytes() for k in ours)


def test_a_plugin_that_breaks_in_a_tick_fails_its_simulations_by_name(reference, tmp_path, capsys):
    place = shutil.copytree(OWN, tmp_path / "own")
    text = (place / "law.py").read_text()
    (place / "law.py").write_text(text.replace("t.voxel[fresh]", "t.voxl[fresh]"))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(place / "everything.yaml"), "--allow-plugins", "--set", "horizon_day=0.05", "--set", "replicates=1", "--jobs", "1", "--out", str(tmp_path / "out")])
    out = capsys.readouterr()
    assert ended.value.code == 3
    assert "control/rep-000" in out.out + out.err and "no column or attribute 'voxl'" in (tmp_path / "out" / "events.jsonl").read_text()


# ---- columns that a law keeps ---------------------------------------------------------------------------
@pytest.fixture
def dish(tmp_path, monkeypatch):
    """A dish whose law keeps a column, beside a rule that hears it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "memory.py").write_text(LAW)
    (tmp_path / "dish.yaml").write_text(DISH)
    (tmp_path / "ruled.yaml").write_text(DISH + RULE)
    return tmp_path


def lived(name, *changes, ticks=150):
    model = TumourModel(load_config(name, overrides=changes, allow_plugins=True), seed=2)
    for _ in range(ticks):
        model.step()
    return model


def test_a_law_keeps_its_column_and_daughters_get_what_it_says(dish):
    model = lived("dish.yaml")
    fresh = (model.tumour.born_tick > 0) & (model.tumour.state == 0)
    full = model.tick * model.dt_min
    assert model.counters["births"] > 5
    assert model.tumour.lived.max() == pytest.approx(full) and (model.tumour.lived[fresh] < full).all()
    state = model.state_dict()
    copy = TumourModel.from_state(model.config, state, seed=2)
    assert np.array_equal(copy.tumour.lived, model.tumour.lived)
    assert np.array_equal(model.cells_table()["lived"][: model.tumour.n], model.tumour.lived)


def test_a_rule_hears_the_column_and_its_law_off_leaves_no_column(dish):
    assert lived("ruled.yaml").counters["births"] < 0.8 * lived("dish.yaml").counters["births"]
    off = lived("ruled.yaml", "mechanisms.memory.on=false")
    assert "lived" not in off.tumour.declared and off.counters["births"] == lived("dish.yaml").counters["births"]


@pytest.mark.parametrize(("old", "new", "words"), [
    ('{"tumour": (Column', '{"tumor": (Column', (r"memory.py:10: memory.cell_columns: unknown cell type 'tumor'", "did you mean 'tumour'")),
    ('Column("lived"', 'Column("gsh"', ("memory.py:10: memory.cell_columns: tumour cells have a column 'gsh' already",)),
    ('"half", "minutes"),)', '"half", "minutes"))', ("memory.py", "cell_columns", "expected a tuple of Column")),
    ('"f8"', '"f4"', ("memory.py:10", "dtype f4")),
    ('writes = ("tumour.lived"', 'writes = ("tumour.livd"', ("memory.py:12: memory.writes", "did you mean 'tumour.lived'")),
])  # fmt: skip
def test_a_column_that_cannot_be_is_refused_at_its_line(dish, capsys, old, new, words):
    assert old in LAW
    (dish / "memory.py").write_text(LAW.replace(old, new, 1))
    with pytest.raises(SystemExit) as ended:
        main(["run", "dish.yaml", "--allow-plugins", "--out", "out"])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and all(w in said for w in words), said
    assert not (dish / "out").exists()


def test_a_signal_misspelt_is_told_with_the_column_meant(dish):
    (dish / "ruled.yaml").write_text(DISH + RULE.replace("own.lived", "own.livd"))
    with pytest.raises(ConfigError, match=r"ruled.yaml:\d+: .*unknown signal 'own.livd'.*did you mean 'own.lived'"):
        load_config("ruled.yaml", allow_plugins=True)


def test_a_column_handed_over_in_python_may_not_take_the_name_of_ours(dish):
    (dish / "memory.py").write_text(LAW.replace('Column("lived"', 'Column("gsh"'))
    (dish / "plain.yaml").write_text(DISH.replace("plugins: [memory.py]\n", ""))
    with pytest.raises(PluginError, match="tumour cells have a column 'gsh' already"):
        TumourModel(load_config("plain.yaml"), plugins=("memory.py",))
