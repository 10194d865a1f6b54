"""Running and completing a run directory, with a made-up model: what is in it, what is refused, what is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_model import BRANCHED, QUIET, FakeConfig, FakeModel, fingerprint

import tme
from tme.experiments import load, run, status
from tme.experiments.executors.serial import Serial
from tme.experiments.plan import plan
from tme.experiments.progress import EventLog, read_events
from tme.experiments.run_directory import ConfigMismatch, RunError, RunLocked, lock
from tme.experiments.worker import Task, simulate


@dataclass(frozen=True)
class Measuring(FakeConfig):
    """The made-up config with a choice of readouts."""

    metrics: tuple[str, ...] | None = None
    primary: dict | None = None


def test_the_directory_has_the_promised_files(reference):
    top = {p.name for p in reference.path.iterdir()}
    assert top == {"config.resolved.yaml", "provenance.json", "events.jsonl", "series.csv", "summary.csv",
                   "control", "drug", "growth"}  # fmt: skip
    inside = {p.name for p in (reference.path / "drug/rep-001").iterdir()}
    snapshots = {f"{kind}_{hour}" for kind in ("cells", "fields") for hour in ("-24.", "0.", "48.")}
    endings = {"cells": "h5ad", "fields": "npz"}
    assert inside == {"series.csv", "timing.json", "frame.bin", "DONE",
                      *(s + endings[s.split("_")[0]] for s in snapshots)}  # fmt: skip


def test_the_tables_are_in_the_order_of_the_configuration(reference):
    series, summary = reference.series(), reference.summary()
    assert list(series.columns[:5]) == ["arm", "replicate", "hour", "day", "tumour_alive"]
    assert list(summary["arm"]) == ["control", "control", "drug", "drug"]
    assert summary["seed"].tolist() == [plan(BRANCHED).simulations[r].seed for r in (0, 1, 0, 1)]
    assert {"final_day", "final_tumour_alive", "births_total", "stop_reason"} <= set(summary)
    one = series[(series.arm == "drug") & (series.replicate == 0)]
    assert one["hour"].tolist() == list(np.arange(-24.0, 49, 2))
    assert np.isnan(one["drug_median"].iloc[0])


def test_arms_are_one_tumour_until_they_branch(reference):
    series = reference.series()
    control, drug = (
        series[(series.arm == a) & (series.replicate == 1)].reset_index() for a in ("control", "drug")
    )
    before = control["hour"] <= 0
    pd.testing.assert_series_equal(control["tumour_alive"][before], drug["tumour_alive"][before])
    assert control["tumour_alive"].iloc[-1] > drug["tumour_alive"].iloc[-1]


def test_branching_without_therapy_equals_growing_in_one_piece(reference, tmp_path):
    whole = run(replace(BRANCHED, branch_at_day=None), tmp_path / "run", jobs=1, **QUIET)
    a, b = reference.series(), whole.series()
    pd.testing.assert_frame_equal(a[a.arm == "control"], b[b.arm == "control"])


def test_results_read_back(reference):
    again = load(reference.path)
    assert again.arms == ["control", "drug"]
    assert again.hours("drug", 0) == [-24, 0, 48]
    assert again.config["horizon_day"] == 2.0
    cells = again.cells("drug", 0, 48)
    assert len(cells) == 100
    assert set(cells["cell_type"]) <= {"tumour", "cd8", "macrophage", "dendritic", "treg"}
    assert again.fields("drug", 0)["oxygen"].shape == (1, 12, 12)
    assert again.exit_code == 0
    with pytest.raises(FileNotFoundError, match="-24, 0, 48"):
        again.cells("drug", 0, 3)
    with pytest.raises(RunError, match="not a run directory"):
        load(reference.path / "drug")


def test_provenance_names_versions_machine_and_seeds(reference):
    p = json.loads((reference.path / "provenance.json").read_text())
    assert {"tme", "python", "numpy"} <= set(p["versions"])
    assert p["machine"]["cpu"]
    assert len(p["simulations"]) == 6
    assert p["invocations"][0]["exit_code"] == 0
    assert p["started"] <= p["finished"]


def test_two_processes_give_the_same_bits_as_one(reference, tmp_path):
    made = run(BRANCHED, tmp_path / "run", jobs=2, **QUIET)
    assert made.exit_code == 0
    assert fingerprint(made.path) == fingerprint(reference.path)


class CountingModel(FakeModel):
    """Counts how many models were made."""

    made = 0

    def __init__(self, *args, **kwargs):
        type(self).made += 1
        super().__init__(*args, **kwargs)


def test_a_rerun_repeats_nothing_that_is_done(reference, tmp_path):
    how = {**QUIET, "model_factory": CountingModel, "jobs": 1}
    CountingModel.made = 0
    made = run(BRANCHED, tmp_path / "run", **how)
    assert CountingModel.made == 6
    run(BRANCHED, made.path, **how)
    assert CountingModel.made == 6
    (made.path / "drug/rep-001/DONE").unlink()
    (made.path / "drug/rep-001/.series.csv.12.tmp").write_text("torn")
    (made.path / "control/rep-000/series.csv").write_text("altered")
    assert run(BRANCHED, made.path, **how).exit_code == 0
    assert CountingModel.made == 8
    assert fingerprint(made.path) == fingerprint(reference.path)
    assert not list(made.path.rglob("*.tmp"))
    assert len(load(made.path).provenance["invocations"]) == 3


def test_fresh_starts_over_and_keeps_the_users_own_files(reference, tmp_path):
    how = {**QUIET, "model_factory": CountingModel, "jobs": 1}
    run(BRANCHED, tmp_path / "run", **how)
    (tmp_path / "run/notes.txt").write_text("mine")
    CountingModel.made = 0
    made = run(BRANCHED, tmp_path / "run", fresh=True, **how)
    assert CountingModel.made == 6
    assert (made.path / "notes.txt").read_text() == "mine"
    assert len(made.provenance["invocations"]) == 1


def test_a_directory_of_another_configuration_is_refused(tmp_path):
    short = FakeConfig(horizon_day=0.0, replicates=1)
    made = run(short, tmp_path / "run", jobs=1, **QUIET)
    before = fingerprint(made.path)
    with pytest.raises(ConfigMismatch, match=r"another configuration.*--fresh") as caught:
        run(replace(short, rate=0.5), made.path, jobs=1, **QUIET)
    assert caught.value.exit_code == 2
    assert fingerprint(made.path) == before
    assert run(replace(short, rate=0.5), made.path, jobs=1, fresh=True, **QUIET).exit_code == 0


def test_a_directory_that_holds_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(RunError, match=r"thesis\.tex"):
        run(FakeConfig(), tmp_path, fresh=True, **QUIET)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_two_runs_into_one_directory_are_refused(tmp_path):
    (tmp_path / "run").mkdir()
    with lock(tmp_path / "run"), pytest.raises(RunLocked) as caught:
        run(FakeConfig(), tmp_path / "run", **QUIET)
    assert caught.value.exit_code == 2


def test_an_executor_that_there_is_not_is_refused():
    with pytest.raises(RunError, match="unknown executor 'abacus'; expected processes or dask"):
        run(FakeConfig(), executor="abacus", **QUIET)


def test_the_default_folder_carries_name_and_hash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = FakeConfig(horizon_day=0.0, replicates=1)
    made = run(config, jobs=1, quick=True, **QUIET)
    assert made.path == Path(f"runs/fake-{config.quick().digest[:8]}")
    assert run(config, jobs=1, quick=True, seed=7, **QUIET).path != made.path


def test_an_early_stop_is_told_and_its_last_moment_kept(tmp_path):
    config = FakeConfig(edge_at=1100.0, replicates=1, arms={"control": {}}, output={})
    made = run(config, tmp_path / "run", jobs=1, **QUIET)
    (end,) = made.summary().to_dict("records")
    assert end["stop_reason"] == "the tumour reached the edge"
    assert end["final_tumour_alive"] > 1100
    assert made.hours() == [end["final_hour"]] != [48.0]
    assert made.series()["hour"].iloc[-1] == end["final_hour"]

EDGE = FakeConfig(edge_at=1700.0, rate=0.01, branch_at_day=0.0, horizon_day=3.0, output={"record_every_h": 6})


@pytest.fixture(scope="module")
def at_the_edge(tmp_path_factory):
    """Controls that reach the edge on different hours, while the treated go on to the horizon."""
    made = run(EDGE, tmp_path_factory.mktemp("edge") / "run", jobs=1, **QUIET)
    assert {key[0] for key in made.stopped()} == {"control"}
    return made


def test_endpoints_are_read_at_the_last_hour_that_all_simulations_recorded(at_the_edge):
    ends, stops = at_the_edge.endpoints(), at_the_edge.stopped()
    assert len(ends) == 4
    assert set(ends["hour"]) == {at_the_edge.last_common_hour()}
    assert at_the_edge.last_common_hour() == min(hour for hour, _why in stops.values()) // 6 * 6
    with pytest.raises(ValueError, match=r"control/0 ended on day .*the tumour reached the edge"):
        at_the_edge.endpoints(day=3)


def test_the_summary_warns_that_its_rows_are_of_different_days(at_the_edge):
    with pytest.warns(UserWarning, match=r"control/0 on day .*Run.endpoints"):
        table = at_the_edge.summary()
    assert table["final_hour"].nunique() > 1


def test_a_run_says_in_its_last_lines_which_simulations_stopped_early(tmp_path, capsys):
    run(EDGE, tmp_path / "run", jobs=1, report=False, model_factory=FakeModel)
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("stopped early: 2 of 4 simulations")
    assert [json.loads(line)["event"] for line in lines[:first]][-1] == "finished"
    assert re.fullmatch(r"  control/rep-000 on day \d\.\d\d: the tumour reached the edge", lines[first + 1])
    assert re.match(r"  all simulations are compared on day \d\.?\d*, the last that all recorded", lines[-1])


def test_a_run_that_stopped_before_treatment_says_that_arms_cannot_be_compared(tmp_path, capsys):
    run(replace(EDGE, edge_at=1100.0), tmp_path / "run", jobs=1, report=False, model_factory=FakeModel)
    assert "  arms cannot be compared: the last day that all recorded is -" in capsys.readouterr().out.splitlines()[-1]


def test_a_run_in_which_nothing_stopped_says_nothing_of_it(tmp_path, capsys):
    run(FakeConfig(horizon_day=0.0), tmp_path / "run", jobs=1, report=False, model_factory=FakeModel)
    assert "stopped early" not in capsys.readouterr().out


def test_checkpoints_of_a_finished_simulation_go_unless_they_are_to_be_kept(tmp_path):
    keeping = replace(BRANCHED, output={**BRANCHED.output, "keep_checkpoints": True})
    kept, gone = run(keeping, tmp_path / "kept", jobs=1, **QUIET), run(BRANCHED, tmp_path / "gone", jobs=1, **QUIET)
    assert len(list(kept.path.glob("*/rep-*/checkpoint_?"))) == 8
    assert not list(gone.path.rglob("checkpoint_?"))
    pd.testing.assert_frame_equal(kept.series(), gone.series())
    (gone.path / "drug/rep-000/checkpoint_a").write_text("left by a kill right after DONE")
    again = run(BRANCHED, gone.path, jobs=1, **QUIET)
    assert again.exit_code == 0 and not list(gone.path.rglob("checkpoint_?"))


@pytest.mark.parametrize("apart", [False, True], ids=["processes", "workers without the folder"])
def test_a_finished_simulation_that_lost_a_file_makes_it_again_though_checkpoints_are_kept(tmp_path, apart):
    keeping = replace(BRANCHED, output={**BRANCHED.output, "keep_checkpoints": True})
    made = run(keeping, tmp_path / "run", jobs=1, **QUIET)
    lost = made.path / "drug" / "rep-001" / "cells_0.h5ad"
    before = lost.read_bytes()
    lost.unlink()
    executor = Serial(1)
    executor.sees_files = not apart
    assert run(keeping, made.path, executor=executor, **QUIET).exit_code == 0
    assert lost.read_bytes() == before and status(made.path, verify=True)["counts"] == {"done": len(list(made.path.rglob("DONE"))) - 2}


def test_a_progress_event_pairs_hour_and_count_of_one_moment(tmp_path, monkeypatch):
    from tme.experiments import worker

    class Watched(FakeModel):
        seen = {}

        def step(self):
            super().step()
            self.seen[self.sim_hour] = self.alive

    monkeypatch.setattr(worker, "REPORT_EVERY_S", -1.0)
    task = Task(str(tmp_path), plan(FakeConfig()).simulations[0], FakeConfig(), Watched)
    events = []
    assert simulate(task, lambda: False, events.append).state == "done"
    found = {e["hour"]: e["tumour_alive"] for e in events if e["event"] == "progress"}
    assert len(found) == 144 and found == Watched.seen


def test_what_a_shorter_horizon_leaves_out_is_told(tmp_path):
    class Shortened(FakeConfig):
        notes = ("left out, being after the end on day 1: arms.drug.drugs.0 day 2",)

    run(Shortened(horizon_day=0.0, replicates=1), tmp_path / "run", jobs=1, **QUIET)
    assert [e["message"] for e in read_events(tmp_path / "run") if e["event"] == "note"] == list(Shortened.notes)


def test_without_snapshot_days_the_end_is_kept(tmp_path):
    made = run(FakeConfig(output={}, replicates=1), tmp_path / "run", jobs=1, **QUIET)
    assert made.hours("drug") == [48.0]


def test_a_place_that_cannot_be_written_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot write"):
        run(FakeConfig(), tmp_path / "file" / "run", **QUIET)


def test_a_script_needs_no_main_guard(tmp_path):
    words = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import tme
from fake_model import FakeConfig, FakeModel
out = {str(tmp_path / "run")!r}
run = tme.run(FakeConfig(horizon_day=0.0), out, jobs=2, report=False, model_factory=FakeModel)
print("code", run.exit_code)
"""
    (tmp_path / "script.py").write_text(words)
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=300
    )
    assert done.stdout.splitlines()[-1] == "code 0", done.stderr
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()[:-1]][-1] == "finished"


def test_a_sweep_has_a_folder_for_each_point(tmp_path):
    config = FakeConfig(sweep={"rate": [0.01, 0.02]}, replicates=1, horizon_day=0.0)
    made = run(config, tmp_path / "run", jobs=1, **QUIET)
    table = pd.read_csv(made.path / "sweep.csv")
    assert table.to_dict("list") == {
        "sweep": [0, 1],
        "folder": ["sweep-000", "sweep-001"],
        "rate": [0.01, 0.02],
    }
    assert set(made.series()["sweep"]) == {0, 1}
    assert made.summary()["rate"].tolist() == [0.01, 0.01, 0.02, 0.02]
    assert [p.config["rate"] for p in made.points] == [0.01, 0.02]
    assert len(made.points[1].series()) == len(made.series()) / 2


def test_the_report_may_fail_and_the_results_stand(tmp_path, monkeypatch, capsys):
    import types

    broken = types.SimpleNamespace(write=lambda folder: 1 / 0)
    monkeypatch.setitem(sys.modules, "tme.viz.report", broken)
    made = tme.run(FakeConfig(horizon_day=0.0, replicates=1), tmp_path / "run", jobs=1, model_factory=FakeModel)
    assert made.exit_code == 0
    lines = capsys.readouterr().out.splitlines()
    assert "results are in" in lines[-1]
    assert [json.loads(line)["event"] for line in lines[:-1]][-1] == "finished"


def test_a_torn_last_event_is_ignored(tmp_path):
    (tmp_path / "events.jsonl").write_text('{"event": "a"}\n{"event": "b')
    log = EventLog(tmp_path / "events.jsonl")
    log.write({"event": "c"})
    log.close()
    assert [e["event"] for e in read_events(tmp_path)] == ["a", "c"]


def test_metrics_limit_the_columns_of_the_series(tmp_path):
    made = run(Measuring(), tmp_path / "run", jobs=1, **QUIET)
    every = pd.read_csv(made.path / "series.csv")
    few = pd.read_csv(run(Measuring(metrics=("births",), primary={"readout": "cd8"}), tmp_path / "few", jobs=1, **QUIET).path / "series.csv")
    always = {"arm", "replicate", "hour", "day", "tumour_alive"}
    assert set(few.columns) == (always | {"births", "cd8", "tumour_area_mm2", "tumour_volume_mm3"}) & set(every.columns) < set(every.columns)
    assert few.equals(every[few.columns])
