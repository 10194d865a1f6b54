"""The machinery of studies: what is finished stays, whatever happens, and no order or executor changes a table."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from killed_study import main
from made_up import Config, Model

from tme.experiments.run_directory import ConfigMismatch, RunError, RunLocked
from tme.studies import directory
from tme.studies.design import Ask, Point, Simulation, simulations
from tme.studies.records import Records, line_of
from tme.studies.study import Study, ends_of

ASK = Ask(("tumour_alive", "hour", "nothing"), (-1.0, 0.0, 1.5))


def opened(folder, config=None, **how):
    return Study(config or Config(), "robust", ASK, {}, folder, **{"jobs": 1, "progress": False, "model_factory": Model, **how})


def tables(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("table.csv", "summary.json", "design.csv")]


def test_a_point_is_simulated_in_all_arms_on_the_days_asked_for(tmp_path):
    with opened(tmp_path / "s") as study:
        results = study.evaluate([Point("x", {"a": 5.0, "b": 0.25}, seeds=(0, 3))])
    found = results.table("tumour_alive", 1.5)
    assert list(found.index) == [("x", 0), ("x", 3)] and (found["drug"] / found["control"]).to_numpy() == pytest.approx([0.75, 0.75])
    assert list(results.course(results.points[0], 3, "drug", "hour")) == [-24, 0, 36]
    assert np.isnan(results.course(results.points[0], 0, "control", "nothing")).all()


def test_replicates_of_all_points_and_arms_share_their_luck(tmp_path):
    with opened(tmp_path / "s") as study:
        found = study.evaluate([Point("x", {}), Point("y", {"a": 7.0})]).table("tumour_alive", 0.0)
    assert found.loc[("y", 0), "control"] - found.loc[("x", 0), "control"] == pytest.approx(7.0)


def test_a_simulation_that_stops_early_is_not_known_later_unless_its_tumour_is_gone(tmp_path):
    with opened(tmp_path / "s") as study:
        results = study.evaluate([Point("edge", {"edge": 1}), Point("gone", {"gone": 1, "b": 0.5})])
    late = results.table("tumour_alive", 1.5)["drug"]
    assert np.isnan(late["edge", 0]) and late["gone", 0] > 0
    assert results.ended() == {"simulations": 4, "failed": 0, "refused": 0, "stopped": 1}


def test_what_is_finished_is_not_simulated_again(tmp_path):
    with opened(tmp_path / "s") as study:
        study.evaluate([Point("x", {"a": 1.0})])
    size = (tmp_path / "s" / "results.jsonl").stat().st_size
    with opened(tmp_path / "s") as study:
        study.evaluate([Point("another name", {"a": 1.0})])
    assert (tmp_path / "s" / "results.jsonl").stat().st_size == size


def test_a_failure_is_recorded_the_others_go_on_and_a_rerun_tries_it_again(tmp_path):
    with opened(tmp_path / "s") as study:
        results = study.evaluate([Point("bad", {"fail": 1}), Point("good")])
        study.finish([], {})
    assert study.exit_code == 3 and results.ended()["failed"] == 2 and results.table("tumour_alive", 1.5)["control"].notna().sum() == 1
    lines = (tmp_path / "s" / "results.jsonl").read_text().count("\n")
    with opened(tmp_path / "s") as study:
        study.evaluate([Point("bad", {"fail": 1})])
    assert (tmp_path / "s" / "results.jsonl").read_text().count("\n") == lines + 2


class FailsUntilMended(Model):
    """Raises until the file that the environment names is there."""

    def step(self):
        if not Path(os.environ["TME_TEST_MENDED"]).exists():
            raise ValueError("fails on purpose")
        super().step()


@pytest.mark.parametrize("later", [[Point("good")], []])
def test_a_failure_of_an_earlier_evaluation_is_not_forgotten(tmp_path, later):
    with opened(tmp_path / "s") as study:
        study.evaluate([Point("bad", {"fail": 1})])
        study.evaluate(later)
        study.finish([], {})
    assert study.exit_code == 3


def test_a_failure_that_a_later_evaluation_mends_is_none(tmp_path, monkeypatch):
    mended = tmp_path / "mended"
    monkeypatch.setenv("TME_TEST_MENDED", str(mended))
    with opened(tmp_path / "s", model_factory=FailsUntilMended) as study:
        assert study.evaluate([Point("x", {"a": 1}), Point("y", {"a": 2})]).ended()["failed"] == 4
        mended.touch()
        assert study.evaluate([Point("x", {"a": 1})]).ended()["failed"] == 0
        study.finish([], {})
        assert study.exit_code == 3  # y is still without result
        study.evaluate([Point("y", {"a": 2})])
        study.finish([], {})
    assert study.exit_code == 0


def test_a_simulation_is_known_by_what_it_is_not_by_its_name():
    one = Simulation({"a": 1.0, "b": 2}, "control", 0)
    assert one.key == Simulation({"b": 2.0, "a": 1}, "control", 0).key
    assert len({one.key, Simulation({"a": 1.0, "b": 2}, "drug", 0).key, Simulation({"a": 1.0, "b": 2}, "control", 1).key}) == 3
    assert len(simulations([Point("x"), Point("y")], ("control", "drug"))) == 2


def test_torn_and_damaged_lines_are_passed_over(tmp_path):
    whole = [{"key": str(k), "values": k / 3} for k in range(3)]
    (tmp_path / "results.jsonl").write_bytes(line_of(whole[0]) + line_of(whole[1]).replace(b"0.33", b"0.34") + line_of(whole[2]) + line_of(whole[1])[:12])
    records = Records(tmp_path)
    assert sorted(records.by_key) == ["0", "2"]
    records.append([whole[1]])
    records.close()
    assert Records(tmp_path).by_key == {r["key"]: r for r in whole}


def test_a_folder_belongs_to_one_study_and_one_writer(tmp_path):
    with opened(tmp_path / "s"), pytest.raises(RunLocked), opened(tmp_path / "s"):
        pass
    with pytest.raises(ConfigMismatch, match="another study"), opened(tmp_path / "s", Config(seed=2)):
        pass
    with opened(tmp_path / "s", Config(seed=2), fresh=True) as study:
        assert not study.records.by_key
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match=r"letter.txt"), opened(tmp_path / "mine"):
        pass
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["letter.txt"]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference") / "s"
    main(folder, sleep_s=0)
    return tables(folder)


def test_processes_and_their_order_change_no_bit(tmp_path, reference):
    main(tmp_path / "s", jobs=2, sleep_s=0)
    assert tables(tmp_path / "s") == reference


def killed(folder: Path, after_s: float) -> bool:
    """Start the study in a process of its own and kill it after its records have been written for a while; whether it was still at work."""
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("killed_study.py")), str(folder), "1"])
    had = (folder / "results.jsonl").stat().st_size if (folder / "results.jsonl").exists() else 0
    while process.poll() is None and not ((folder / "results.jsonl").exists() and (folder / "results.jsonl").stat().st_size > had):
        time.sleep(0.002)
    time.sleep(after_s)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return alive


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_random_instants_a_study_ends_in_the_same_tables_and_loses_nothing(tmp_path, reference, kills):
    dice, hit = random.Random(11), 0
    for trial in range(kills if kills > 3 else 1):
        folder = tmp_path / str(trial)
        for _ in range(1 if kills > 3 else 3):
            before = {*records_of(folder)}
            hit += killed(folder, dice.uniform(0, 0.15))
            assert before <= {*records_of(folder)}
        main(folder, sleep_s=0)
        assert tables(folder) == reference
    assert hit >= kills * 2 // 3


def records_of(folder: Path) -> dict:
    if not (folder / "results.jsonl").exists():
        return {}
    records = Records(folder)
    records.close()
    return records.by_key


@pytest.mark.slow
def test_a_study_stops_on_request_and_goes_on(tmp_path, reference):
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("killed_study.py")), str(tmp_path / "s"), "2"], stderr=subprocess.PIPE, text=True)
    while not ((tmp_path / "s" / "results.jsonl").exists() and (tmp_path / "s" / "results.jsonl").stat().st_size):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert "Interrupted" in said or process.returncode == 0
    assert len(records_of(tmp_path / "s")) >= 1
    main(tmp_path / "s", sleep_s=0)
    assert tables(tmp_path / "s") == reference



def test_a_tumour_that_is_gone_did_not_stop_early():
    found = ends_of([{"stopped": "fewer than 1 tumour cells left at day 2.00"}, {"stopped": "the tumour reached the edge of the domain at day 5.76"}, {"failed": "x"}, {}])
    assert found == {"simulations": 4, "failed": 1, "refused": 0, "stopped": 1}


def test_of_a_fresh_start_the_name_of_the_study_goes_last(tmp_path, monkeypatch):
    """A kill in between must not leave records that another study takes for its own."""
    with opened(tmp_path / "s") as study:
        study.evaluate([Point("x", {})])
    monkeypatch.setattr(directory, "erase", lambda folder: 1 / 0)
    with pytest.raises(ZeroDivisionError), opened(tmp_path / "s", Config(seed=2), fresh=True):
        pass
    assert (tmp_path / "s" / "study.yaml").exists() and not (tmp_path / "s" / "results.jsonl").exists()
