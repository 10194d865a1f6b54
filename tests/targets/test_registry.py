"""The registry of targets: what it holds, what it prints, and that a broken check is scored, not raised."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tme import targets
from tme.targets.base import Outcome, Target, plain

COVERED = (1, 2, 3, 5, 7, 8, 9, 10, 11, 14, 19, 28, 29, 30, 31, 32, 34, 39, 40, 42)


def fake(check) -> Target:
    return Target("T99", "a fake", "1-2", "doi 10.0/0", "check", check)


def test_every_covered_target_is_registered_once_and_says_what_it_does():
    ids = [t.id for t in targets.TARGETS]
    assert sorted(ids, key=targets.number) == [f"T{n}" for n in COVERED]
    for row in targets.table():
        assert len(row["about"]) > 40, row["id"]
        assert row["use"].startswith(("calibration", "check")), row["id"]
        assert row["band"] and row["source"], row["id"]


def test_ids_are_taken_in_any_case_once_and_in_order():
    assert [t.id for t in targets.chosen(["t40", "T5", "T5"])] == ["T5", "T40"]


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
