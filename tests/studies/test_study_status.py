"""`tme status` of a study: running, stopped, finished, and what failed."""

from __future__ import annotations

import json

import pytest
from made_up import Config, Model

from tme.cli import main
from tme.studies.design import Ask, Point
from tme.studies.status import is_study, status
from tme.studies.study import Study

ASK = Ask(("tumour_alive",), (0.0, 1.5))


def opened(folder, **how):
    return Study(Config(), "robust", ASK, {}, folder, jobs=1, progress=False, model_factory=Model, **how)


def test_a_study_is_running_while_it_is_open_and_finished_once_its_tables_stand(tmp_path):
    with opened(tmp_path / "s") as study:
        study.evaluate([Point("x"), Point("y", {"a": 1.0})])
        found = status(tmp_path / "s")
        assert found["state"] == "running" and found["writer"]["pid"] > 0 and found["counts"]["done"] == 4 and found["counts"]["waiting"] == 0
        study.finish([{"a": 1}], {"lead": "all is said"})
    found = status(tmp_path / "s")
    assert (found["state"], found["writer"], found["kind"], found["name"], found["lead"]) == ("finished", None, "robust", "made_up", "all is said")


def test_what_a_killed_study_still_wants_is_waiting(tmp_path):
    with opened(tmp_path / "s") as study:
        study.evaluate([Point("x")])
    with pytest.raises(RuntimeError), opened(tmp_path / "s") as study:
        study._workers.map = lambda *a, **k: (_ for _ in ()).throw(RuntimeError("killed"))
        study.evaluate([Point("x"), Point("y", {"a": 1.0}), Point("z", {"a": 2.0})])
    found = status(tmp_path / "s")
    assert found["state"] == "stopped" and found["counts"]["done"] == 2 and found["counts"]["waiting"] == 4 and "seconds_left" not in found


def test_failures_are_told_with_their_reason_and_a_rerun_clears_them(tmp_path):
    with opened(tmp_path / "s") as study:
        study.evaluate([Point("bad", {"fail": 1}), Point("good", {"drug": 0, "gone": 1})])
        study.finish([{"a": 1}], {})
    found = status(tmp_path / "s")
    assert found["state"] == "incomplete" and found["counts"] == {"done": 2, "failed": 2, "refused": 0, "stopped early": 1, "waiting": 0}
    assert len(found["failed"]) == 2 and all("fails on purpose" in f["error"] for f in found["failed"])


def test_the_command_prints_it_and_as_json(tmp_path, capsys):
    with opened(tmp_path / "s") as study:
        study.evaluate([Point("bad", {"fail": 1}), Point("good")])
        study.finish([{"a": 1}], {"lead": "all is said"})
    for args in (["status", str(tmp_path / "s")], ["status", str(tmp_path / "s"), "--json"]):
        with pytest.raises(SystemExit) as end:
            main(args)
        assert not end.value.code
    text, _, data = capsys.readouterr().out.partition("{")
    flat = " ".join(text.split())
    assert "robust of made_up, incomplete; the same command tries again what failed" in flat and "2 done, 2 failed" in flat and "all is said" in flat and "on purpose" in flat
    assert json.loads("{" + data)["counts"]["failed"] == 2 and is_study(tmp_path / "s") and not is_study(tmp_path)


def test_a_folder_whose_results_were_never_written_says_that_nothing_is_done(tmp_path):
    (tmp_path / "study.yaml").write_text("kind: robust\nname: x\n")
    assert status(tmp_path)["state"] == "stopped" and status(tmp_path)["counts"]["done"] == 0
