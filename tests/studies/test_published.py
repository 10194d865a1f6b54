"""`study.targets`: courses of published targets are data by their id, each with its source; what has none, or may not be tuned on, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tme import targets
from tme.cli import main as command
from tme.model import load_config
from tme.studies import data_table, published
from tme.studies.calibration_plan import plan_of

HOME = Path(__file__).parents[2]
SMALL = f"""
extends: {HOME}/configs/base.yaml
horizon_day: 7
domain: {{size_um: [600, 600], at_edge: continue}}
initial: {{n_cells: 60}}
arms: {{control: {{}}, ctl: {{events: [{{name: cell_transfer, cells: cd8, per_mm2: 900, day: 0.01}}]}}}}
study:
  kind: calibrate
  targets: [T41, T42]
  ranges: {{mechanisms.division.k_div: [2e-4, 1.6e-3]}}
"""


def written(tmp_path, old="", new=""):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL.replace(old, new) if old else SMALL)
    return path


def test_a_target_is_its_published_course_with_its_source(tmp_path):
    plan = plan_of(load_config(written(tmp_path, "[T41, T42]", "t41")))
    assert [(r.arm, r.readout, r.day, r.relative_to_day, r.fit) for r in plan.rows] == [("control", "tumour_volume_mm3", d, -1.0, d < 5) for d in (1.0, 3.0, 5.0, 7.0)]
    assert [r.value for r in plan.rows] == pytest.approx([57 / 21, 121 / 21, 256 / 21, 521 / 21])
    assert all(r.sd is None and r.log for r in plan.rows) and plan.arms == ("control",)
    assert "doi 10.1158/2326-6066.CIR-14-0098" in plan.sources[0] and plan.sources[0].startswith("T41: volume of untreated B16")


def test_two_targets_are_the_table_that_the_example_brings(tmp_path):
    """configs/studies/data has the same numbers as a table of the user's, to four digits."""
    config = load_config(written(tmp_path))
    file = HOME / "configs" / "studies" / "data" / "matsushita_2015.csv"
    table = data_table.read(file, tuple(config.arms), ("tumour_volume_mm3", "cd8_per_mm2"), (-1.0, 7.0))
    rows = plan_of(config).rows
    assert [(r.arm, r.readout, r.day, r.relative_to_day, r.fit) for r in rows] == [(r.arm, r.readout, r.day, r.relative_to_day, r.fit) for r in table]
    assert [r.value for r in rows] == pytest.approx([r.value for r in table], rel=1.2e-3)


def test_days_that_the_experiment_does_not_reach_are_left_out_and_told(tmp_path):
    short = plan_of(load_config(written(tmp_path)))
    assert short.notes == ("T42, cd8_per_mm2 on days 10, 14: the experiment goes from day -1 to day 7",)
    long = plan_of(load_config(written(tmp_path, "horizon_day: 7", "horizon_day: 14")))
    assert long.notes == () and [r.day for r in long.rows if r.readout == "cd8_per_mm2"] == [5.0, 7.0, 10.0, 14.0]
    late = plan_of(load_config(written(tmp_path, "horizon_day: 7", "start_day: 0\nhorizon_day: 7"), overrides=["study.targets=[T42]"]))
    assert {r.arm for r in late.rows} == {"ctl"}


def test_days_kept_out_by_the_study_add_to_those_of_the_target(tmp_path):
    plan = plan_of(load_config(written(tmp_path, "  kind: calibrate", "  kind: calibrate\n  check_days: 3")))
    assert [r.day for r in plan.rows if r.fit] == [1.0, 5.0, 5.0]


def test_a_mapping_names_the_arm_that_a_target_is_compared_with(tmp_path):
    path = written(tmp_path, "[T41, T42]", "{T42: given}")
    path.write_text(path.read_text().replace(" ctl: {events", " given: {events"))
    assert {r.arm for r in plan_of(load_config(path)).rows} == {"given"}


def test_targets_and_tables_are_taken_together(tmp_path):
    (tmp_path / "mine.csv").write_text("day,readout,value\n2,tumour_alive,90\n")
    plan = plan_of(load_config(written(tmp_path, "  targets: [T41, T42]", "  data: mine.csv\n  targets: T41")))
    assert [r.readout for r in plan.rows] == ["tumour_alive"] + 4 * ["tumour_volume_mm3"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[T41, T42]", "[T41, T5]", "small.yaml:9: study.targets.1: there is no published course of T5; expected one of T41, T42"),
        ("[T41, T42]", "{T44: control}", "small.yaml:9: study.targets.T44: there is no published course of T44; expected one of T41, T42: calibration rows with values by day; no number is tuned on a check row"),
        ("[T41, T42]", "{T42: transfer}", "small.yaml:9: study.targets.T42: T42 is of an arm 'transfer', and the experiment has none; expected one of control, ctl"),
        ("start_day", "", "small.yaml:9: study.targets.0: no day of T41 can be used"),
        ("[T41, T42]", "[1, 2]", "small.yaml:9: study.targets"),
        ("  targets: [T41, T42]\n", "", "study.data: missing; expected a CSV table, or the .yaml of a PEtab problem, or ids of published targets"),
    ],
)  # fmt: skip
def test_what_cannot_be_calibrated_on_is_told_with_its_line_and_writes_nothing(tmp_path, capsys, old, new, words):
    path, out = written(tmp_path, old if old in SMALL else "", new), tmp_path / "out"
    set_ = ["--set", "start_day=0"] if old == "start_day" else []
    with pytest.raises(SystemExit) as left:
        command(["calibrate", str(path), "--out", str(out), *set_])
    assert left.value.code == 2 and words in capsys.readouterr().err
    assert not out.exists()


def test_no_day_of_a_check_row_is_fitted():
    """What `tme targets` calls a check is never tuned on: its course, were there one, would have check_days alone."""
    use = {t.id: t.scored_as for t in targets.TARGETS}
    for target, entry in published.courses().items():
        assert use[target] == "calibration" or all(set(c["values"]) <= {c["relative_to_day"], *c["check_days"]} for c in entry["courses"]), target


def test_the_courses_are_those_that_the_targets_quote():
    source = {t.id: t.source for t in targets.TARGETS}
    growth = published.courses()["T41"]["courses"][0]["values"]
    assert f"{', '.join(map(str, growth.values()))} mm3 at days {', '.join(map(str, growth))}" in source["T41"]
    assert all(entry["source"].split("doi ")[1] in source[target] for target, entry in published.courses().items())
