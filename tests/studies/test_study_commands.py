"""The study commands on a real, tiny model: what is refused before anything is written, and a whole study with its page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tme
from tme.cli import main
from tme.studies.ranges import own_ranges, ranges_of, scale_of, values_at

TINY = """\
start_day: -0.25
horizon_day: 0.5
domain: {size_um: [300, 300]}
initial: {kind: nodule, n_cells: 60}
branch_at_day: 0
populations: {cd8: {per_mm2: 100}}
arms:
  control: {}
  rsl3: {drugs: [{name: rsl3, bath_uM: 0.2, route: bath}]}
output: {record_every_h: 6}
study:
  ranges: [mechanisms.division.*, mechanisms.killing.*]
"""


FOUR = TINY.replace(
    "output:", "  ike: {drugs: [{name: ike, bath_uM: 1, route: bath}]}\n  both: {use: [rsl3, ike]}\nprimary: {contrasts: ['bliss(both; rsl3, ike) > 0']}\noutput:"
)


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """Run `tme` in an empty folder on a text as x.yaml; (exit code, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(command, text, *options):
        Path("x.yaml").write_text(text)
        return code_of([command, "x.yaml", *options]), capsys.readouterr().err

    return run


def code_of(args):
    """Exit code of a command."""
    try:
        main(args)
    except SystemExit as end:
        return end.code or 0
    return 0


@pytest.mark.parametrize("command", ["sensitivity", "robust"])
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("  days: [0.25, 3]\n", "x.yaml:13: study.days: day 3 lies beyond the horizon; expected days from -0.25 to 0.5"),
        ("  days: [-2]\n", "before the start"),
        ("  readouts: [tumour_alve]\n", "x.yaml:13: study.readouts: unknown readout 'tumour_alve'"),
        ("  kind: calibrate\n", "study.kind"),
        ("sweep: {initial.n_cells: [50, 60]}\n", "x.yaml:13: sweep: a study takes its points from its own design"),
        ("  drows: 4\n", "did you mean 'draws'?"),
        ("  draws: 1\n", "x.yaml:13: study.draws"),
    ],
)
def test_bad_input_is_told_with_its_line_and_nothing_is_written(told, command, more, words):
    code, err = told(command, TINY + more)
    assert code == 2 and words in err and "Traceback" not in err
    assert [p.name for p in Path().iterdir()] == ["x.yaml"]


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ("{mechanisms.division.k_div: [0.001, 0.0005]}", "study.ranges.mechanisms.division.k_div: the range is turned round: low 0.001 is not below high 0.0005"),
        ("{mechanisms.division.k_div: {low: 1}}", "needs both low and high"),
        ("{mechanisms.division.k_dv: [0.0005, 0.001]}", "did you mean"),
        ("{mechanisms.division.k_div: [0.0005, 1000]}", "out of bounds"),
        ("{mechanisms.division.k_div: {low: 0.0005, high: 0.001, step: 0.0001}}", "has a step; expected steps in what `tme optimise` varies only"),
        ("[mechanisms.nothing.*]", "no number in use fits this pattern"),
        ("[initial.n_cells]", "has no range of its own"),
        ("{mechanisms.division.k_div: {low: 0, high: 1, scale: log}}", "begins above 0"),
    ],
)
def test_ranges_that_cannot_be_are_told_with_their_line(told, ranges, words):
    code, err = told("sensitivity", TINY.replace("[mechanisms.division.*, mechanisms.killing.*]", ranges))
    assert code == 2 and words in err and "x.yaml:12" in err and "Traceback" not in err
    assert [p.name for p in Path().iterdir()] == ["x.yaml"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("  switches: {one: {only: {}}}\n", "study.switches.one"),
        ("  switches: {arrest: {'yes': {rules.M69.arest: 'on'}, 'no': {}}}\n", "study.switches.arrest.yes: makes rules.M69.arest wrong"),
        ("  cuts: {route: {mechanisms.ferroptosis.f_y: 0}}\n", "study.cuts.route: makes mechanisms.ferroptosis.f_y wrong"),
        ("  repeated: {draws: 5, seeds: 1}\n", "study.repeated.seeds"),
        ("  given: [{arm: contrl, low: 1, high: 2}]\n", "study.given: unknown arm 'contrl'"),
        ("  given: [{low: 3, high: 2}]\n", "the band is turned round"),
    ],
)
def test_what_robust_cannot_draw_is_told(told, more, words):
    code, err = told("robust", FOUR + more)
    assert code == 2 and words in err and "Traceback" not in err
    assert [p.name for p in Path().iterdir()] == ["x.yaml"]


def test_a_cut_without_an_excess_to_lose_is_told(told):
    code, err = told("robust", TINY + "  cuts: {route: {mechanisms.ferroptosis.f_x: 0}}\n")
    assert code == 2 and "study.cuts" in err and "Bliss" in err


def test_own_ranges_hold_the_numbers_in_force_and_leave_method_out(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(TINY)
    config = tme.load_config(path)
    found = own_ranges(config)
    assert "mechanisms.division.k_div" in found and "entries.drugs.rsl3.hits.gpx4.k_per_uM_min" in found
    assert not any(key.endswith(("clock_min", "tolerance")) for key in found)
    assert all(r.low <= r.value <= r.high and r.low < r.high for r in found.values())
    assert not any(key.startswith("entries.nanoparticles") for key in found)  # no arm gives any
    assert found["entries.cells.tumour.volume_um3"].high == pytest.approx(3375)  # a voxel


def test_both_ends_of_all_ranges_are_what_the_config_takes(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(TINY.split("study:")[0])
    config = tme.load_config(path)
    ranges = ranges_of(config)
    for u in (0.0, 1.0):
        changed = config.with_values(values_at(ranges, [u] * len(ranges)))
        k_div = next(r for r in ranges if r.key == "mechanisms.division.k_div")
        assert changed.mechanisms["division"]["k_div"] == pytest.approx(k_div.at(u))


def test_a_range_is_drawn_on_the_scale_on_which_its_value_is_in_the_middle():
    assert scale_of(0.5, 2, 1) == "log" and scale_of(1, 3, 2) == "even" and scale_of(0, 2, 1) == "even"
    assert scale_of(1, 100) == "log" and scale_of(1, 2) == "even" and scale_of(1, 100, 50) == "even"


@pytest.mark.slow
def test_sensitivity_of_the_model_leaves_tables_a_figure_and_a_page(told):
    text = TINY + "  trajectories: 2\n  keep: 2\n  draws: 4\n"
    code, err = told("sensitivity", text, "--jobs", "1", "--out", "s")
    assert code == 0, err
    summary = json.loads(Path("s/summary.json").read_text())
    assert set(summary["members"]) == {"mechanisms.division", "mechanisms.killing"}
    assert summary["outcomes"] == ["rsl3 < control", "tumour_alive of control", "tumour_alive of rsl3"]
    before = {name: Path("s", name).read_bytes() for name in ("table.csv", "summary.json", "results.jsonl")}
    assert told("sensitivity", text, "--jobs", "1", "--out", "s")[0] == 0
    assert before == {name: Path("s", name).read_bytes() for name in before}
    assert told("sensitivity", TINY + "  trajectories: 3\n", "--out", "s")[0] == 2  # another study
    Path("s/report.html").unlink()
    assert code_of(["report", "s"]) == 0 and "data:image/png" in Path("s/report.html").read_text()


def test_a_study_that_is_not_finished_has_no_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("s").mkdir()
    Path("s/study.yaml").write_text("kind: robust\n")
    Path("s/config.resolved.yaml").write_text("")
    assert code_of(["report", "s"]) == 2 and "is not finished" in capsys.readouterr().err


@pytest.mark.slow
def test_sobol_of_the_model_says_the_same_with_another_seed(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    from sobol_again import main as again

    ranges = "{mechanisms.division.k_div: own, mechanisms.ferroptosis.d_leth: own, entries.drugs.rsl3.hits.gpx4.k_per_uM_min: own}"
    (tmp_path / "x.yaml").write_text(TINY.replace("[mechanisms.division.*, mechanisms.killing.*]", ranges) + "  draws: 32\n")
    assert again([str(tmp_path / "x.yaml"), "--out", str(tmp_path / "out"), "--jobs", "2"]) == 0, capsys.readouterr().out


def test_indices_agree_within_their_intervals_together():
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("sobol_again", Path(__file__).parents[2] / "benchmarks" / "sobol_again.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    one = {("y", "a", "first"): (0.5, 0.1), ("y", "b", "first"): (0.1, 0.02), ("y", "c", "first"): (0.1, 0.02)}
    told, n = module.apart(one, {("y", "a", "first"): (0.6, 0.05), ("y", "b", "first"): (0.2, 0.02)})
    assert n == 2 and len(told) == 1 and told[0].startswith("y | b | first")
