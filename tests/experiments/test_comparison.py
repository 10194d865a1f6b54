"""`tme.load(run).compare()`, the last lines of a run, and a question that is put again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from fake_model import FakeConfig, FakeModel

from tme import statistics
from tme.experiments import load, run
from tme.experiments.compare import StoppedEarly
from tme.experiments.runner import told_of_question

QUIET = {"progress": False, "report": None, "model_factory": FakeModel, "jobs": 1}
ASKED = {"readout": "tumour_alive", "contrasts": ["drug < control"]}


@dataclass(frozen=True)
class Asking(FakeConfig):
    """The made-up config with a primary question, which is no part of its digest."""

    replicates: int = 6
    primary: dict[str, Any] | None = field(default_factory=lambda: ASKED)

    @property
    def digest(self) -> str:
        return FakeConfig(**{k: v for k, v in self.__dict__.items() if k != "primary"}).digest


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return run(Asking(), tmp_path_factory.mktemp("asking") / "run", **QUIET)


def test_a_run_tells_the_answer_in_its_last_lines(made, capsys):
    first, second = told_of_question(made)
    assert first == "Primary question: tumour_alive on day 2; the statement holds (Holm among them)"
    assert second.startswith("  holds: drug smaller than control (0.")
    run(Asking(), made.path, **{**QUIET, "progress": None})
    assert "Primary question: tumour_alive on day 2" in capsys.readouterr().out


def test_a_run_without_a_question_says_nothing_of_one(tmp_path):
    assert told_of_question(run(FakeConfig(), tmp_path / "run", **QUIET)) == []


def test_compare_answers_the_question_first_and_labels_the_rest(made):
    found = made.compare()
    text = str(found)
    assert text.index("Primary question") == 0 < text.index("exploratory") < text.index("readouts against control")
    assert list(found.primary["verdict"]) == ["holds"] and found.primary["p_holm"][0] < 0.05
    row = found.readouts.set_index(["readout", "arm"]).loc[("tumour_alive", "drug")]
    assert np.isnan(row["p_bh"]) and row["p_holm_primary"] == found.primary["p_holm"][0]


def test_growth_times_and_response_are_those_of_the_curves(made):
    found = made.compare(fold=1.05)
    series = made.series().query("hour >= 0")
    ends = series[series["hour"] == 48].set_index(["arm", "replicate"])["tumour_alive"].unstack(0)
    starts = series[series["hour"] == 0].set_index(["arm", "replicate"])["tumour_alive"].unstack(0)
    grown = (ends - starts).mean()
    assert found.growth.loc[0, "tgi"] == pytest.approx(1 - grown["drug"] / grown["control"])
    assert list(found.times["reached"]) == [6, int((ends["drug"] >= 1.05 * starts["drug"]).sum())]
    assert found.response.set_index("arm").drop(columns="complete").sum(axis=1).tolist() == [6, 6]


def test_an_unrecorded_day_is_refused(made):
    with pytest.raises(StoppedEarly, match="day 7"):
        made.compare(day=7)


def test_another_question_simulates_nothing_anew_and_is_marked_as_put_later(tmp_path):
    first = run(Asking(), tmp_path / "run", **QUIET)
    times = {p: p.stat().st_mtime_ns for p in first.path.glob("*/rep-*/DONE")}
    again = run(Asking(primary={**ASKED, "contrasts": ["drug > control"]}), tmp_path / "run", **QUIET)
    assert {p: p.stat().st_mtime_ns for p in times} == times
    question = load(again.path).compare().question
    assert question.answers[0].verdict == "contradicted" and question.late
    assert "read the answers as exploratory" in " ".join(question.cautions())
    asked = [i["primary"]["contrasts"] for i in json.loads((again.path / "provenance.json").read_text())["invocations"]]
    assert asked == [["drug < control"], ["drug > control"]]


def test_the_same_question_again_is_not_marked(made):
    assert not load(made.path).compare().question.late


def test_a_run_without_untreated_arm_or_second_arm_still_compares(tmp_path):
    only = run(FakeConfig(arms={"control": {}}), tmp_path / "run", **QUIET)
    assert "No primary question is stated" in str(only.compare()) and only.compare().readouts.empty


def test_the_primary_p_stands_only_beside_the_number_that_it_is_of(made):
    """Not on another day, and not beside a difference from 0 where the question asks for another bound."""
    early = made.compare(day=1).readouts.set_index(["readout", "arm"]).loc[("tumour_alive", "drug")]
    assert np.isnan(early["p_holm_primary"]) and np.isfinite(early["p_bh"])
    values = {"drug": {0: 5.0, 1: 6.0, 2: 5.5}, "control": {0: 5.2, 1: 6.1, 2: 5.4}}
    for text, known in (("drug difference control < 0", True), ("drug difference control < 500", False), ("drug < control", True)):
        answered = statistics.answer(statistics.question_of({"arms": {"control": {}, "drug": {"drugs": [{}]}}, "primary": {"contrasts": [text]}}), values, 2.0)
        assert (statistics.in_question(answered, "tumour_alive", "drug", "control", 2.0) is not None) == known
