"""The registry of targets: what it holds, what it prints, and that a broken check is scored, not raised."""

from __future__ import annotations

import dataclasses
import json
from html.parser import HTMLParser

import pytest

from tme import targets
from tme.cli import main
from tme.model import load_config
from tme.targets import wave
from tme.targets.base import Outcome, Target, plain
from tme.targets.mutants import Mutant, mutated, parameters, under
from tme.targets.single_cells import Cells

COVERED = ["T1", "T2", "T3", "T5", "T7", "T8", "T9", "T10", "T11", "T14", "T18", "T19a", "T19b", "T21", "T26", "T27", "T28", "T29", "T30", "T31", "T32", "T33", "T34", "T36", "T38", "T39", "T40", "T41", "T42", "T44", "T45", "T46", "T47", "T48"]
WITHOUT_MUTANT = {"T40", "T48"}  # of the solver and of geometry, not of biology


def fake(check) -> Target:
    return Target("T99", "a fake", "1-2", "doi 10.0/0", "check", check)


def test_every_covered_target_is_registered_once_and_says_what_it_does():
    ids = [t.id for t in targets.TARGETS]
    assert sorted(ids, key=targets.number) == COVERED
    for row in targets.table():
        assert len(row["about"]) > 40, row["id"]
        assert row["use"].startswith(("calibration", "check")), row["id"]
        assert row["band"] and row["source"], row["id"]


def test_ids_are_taken_in_any_case_once_and_in_order():
    assert [t.id for t in targets.chosen(["t40", "T5", "T5"])] == ["T5", "T40"]
    assert [t.id for t in targets.chosen(["T19"])] == ["T19a", "T19b"] == [t.id for t in targets.chosen(["t19B", "T19a"])]


def test_an_unknown_id_is_bad_input_that_lists_the_known_ones(capsys):
    assert targets.main(["T999"]) == 2
    shown = capsys.readouterr().err
    assert "T999" in shown and "T40" in shown


def test_a_row_has_the_six_keys_of_the_contract_and_is_json(monkeypatch, capsys):
    monkeypatch.setattr(targets, "TARGETS", (fake(lambda: Outcome({"x": 1.5}, {"in band": True})),))
    assert targets.main(["T99"], as_json=True) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert set(row) == {"id", "value", "band", "source", "use", "passed"}
    assert row["value"] == {"x": 1.5} and row["passed"] is True


def test_a_missed_band_is_printed_with_its_value_and_is_no_error(monkeypatch, capsys):
    monkeypatch.setattr(targets, "TARGETS", (fake(lambda: Outcome({"x": 7.0}, {"in band": False})),))
    assert targets.main([]) == 0
    shown = capsys.readouterr().out
    assert "x: 7" in shown and "NO" in shown and "in band" in shown


def test_a_check_that_breaks_is_reported_and_does_not_stop_the_others(monkeypatch, capsys):
    def broken() -> Outcome:
        raise RuntimeError("no such field")

    good = dataclasses.replace(fake(lambda: Outcome({}, {"fine": True})), id="T98")
    monkeypatch.setattr(targets, "TARGETS", (fake(broken), good))
    assert targets.main([], as_json=True) == 3
    first, second = json.loads(capsys.readouterr().out)
    assert first["id"] == "T98" and first["passed"] is True
    assert second["passed"] is False and "no such field" in second["value"]["error"]


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [({}, None), ({"a": True, "b": None}, None), ({"a": False, "b": None}, False), ({"a": True}, True)],
)
def test_a_target_passes_only_if_every_claim_was_measured_and_holds(claims, verdict):
    assert Outcome({}, claims).passed is verdict


def test_values_are_fit_for_json_whatever_they_are():
    value = plain({"a": float("nan"), "b": [float("inf"), 1.23456789], "c": (1, True)})
    assert value == {"a": None, "b": ["beyond the range tried", 1.235], "c": [1, True]}


def test_every_target_of_biology_has_a_mutant_that_a_config_can_say(tmp_path):
    assert {t.id for t in targets.TARGETS if t.mutant is None} == WITHOUT_MUTANT
    changes = {json.dumps(t.mutant.change): t.mutant for t in targets.TARGETS if t.mutant is not None}
    for text, mutant in changes.items():
        with under(mutant):
            sections = mutated({"initial": {"kind": "nodule", "n_cells": 20}, "domain": {"size_um": [300, 300]}, "horizon_day": 1})
        (tmp_path / "x.yaml").write_text(json.dumps(sections))
        given = load_config(tmp_path / "x.yaml").to_dict()
        with under(mutant):
            assert mutated(given) == given, text


@pytest.mark.parametrize(("held", "lost", "breaks"), [(True, ["light"], True), (False, [], None)])
def test_a_mutant_breaks_a_target_whose_claims_held_without_it(held, lost, breaks):
    def check() -> Outcome:
        return Outcome({}, {"light": held and not parameters("sun"), "dark": False})

    target = dataclasses.replace(fake(check), mutant=Mutant("no sun", {"mechanisms": {"sun": {"k": 0}}}))
    row = targets.ablated(target)
    assert (row["mutant"], row["lost"], row["breaks"]) == ("no sun", lost, breaks)
    assert parameters("sun") == {}


def test_a_mutant_that_changes_nothing_is_told(monkeypatch, capsys):
    target = dataclasses.replace(fake(lambda: Outcome({}, {"fine": True})), mutant=Mutant("nothing", {}))
    monkeypatch.setattr(targets, "TARGETS", (target, dataclasses.replace(target, id="T98", mutant=None)))
    assert targets.main([], mutants=True, as_json=True) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["id"] == "T99" and row["breaks"] is False and row["lost"] == []
    assert targets.main([], mutants=True) == 0
    assert "0 of 1 targets break" in capsys.readouterr().out
    assert targets.main(["T98"], mutants=True) == 0  # asked for by name, it is told and not passed over
    said = " ".join(capsys.readouterr().out.split())
    assert "T98" in said and "none: nothing of" in said and "0 of 0 targets break" in said


def test_a_mutant_lies_over_what_a_check_asks_for_and_forgets_what_it_kept():
    mutant = Mutant("other", {"mechanisms": {"ferroptosis": {"k_p": 0}}})
    before = Cells().p.k_p
    with under(mutant):
        assert mutated({"mechanisms": {"ferroptosis": {"k_p": 1, "k_l": 2}}}) == {"mechanisms": {"ferroptosis": {"k_p": 0, "k_l": 2}}}
        assert Cells().p.k_p == 0.0
        wave.sheet_deaths.cache_info()
        assert wave.sheet_deaths.cache_info().currsize == 0
    assert Cells().p.k_p == before and mutated({"a": 1}) == {"a": 1}


def test_the_page_holds_every_row_and_scores_calibration_and_check_apart(tmp_path, monkeypatch, capsys):
    def row(i, use, holds):
        return Target(f"T{i}", f"title <{i}>", "1-2", "doi 10.0/0", use, lambda: Outcome({"x": 1.5, "y": [1, None]}, {"in band": holds}, ["a & b"]))

    monkeypatch.setattr(targets, "TARGETS", (row(1, "calibration (seen)", True), row(2, "check", False), row(3, "check (x: calibration)", None)))
    file = tmp_path / "scores.html"
    assert targets.main([], page=file) == 0
    text = file.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.cells("T1")[:2] == ["T1", "title <1>"] and "x1.5" in page.cells("T1")[2] and "a & b" in page.cells("T1")[2]
    assert [page.cells(i)[-1] for i in ("T1", "T2", "T3")] == ["pass", "miss", "open"]
    assert page.rows[1] == ["calibration", "1", "0", "0"] and page.rows[2] == ["check", "0", "1", "1"]
    assert "src=" not in text and "href=" not in text and not page.left_open
    assert "calibration: 1 of 1 measured targets pass" in capsys.readouterr().out


class Page(HTMLParser):
    """Text of every cell of every row, and elements that were never closed."""

    def __init__(self):
        super().__init__()
        self.rows, self.left_open = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta",):
            self.left_open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.left_open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.left_open):
            self.rows[-1][-1] += data

    def cells(self, target_id):
        return next([c.strip() for c in r] for r in self.rows if r and r[0] == target_id)


def test_a_page_without_a_folder_and_options_that_do_not_go_together_are_refused(tmp_path, capsys):
    for words, said in ((["T5", "--html", str(tmp_path / "no" / "x.html")], "there is no folder"), (["T5", "--ablate", "--html", "x.html"], "--ablate")):
        with pytest.raises(SystemExit) as stop:
            main(["targets", *words])
        assert stop.value.code == 2 and said in capsys.readouterr().err
