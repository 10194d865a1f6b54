"""`tme optimise`: a known front is found, limits are kept, kills and executors change no bit, bad input writes nothing."""

from __future__ import annotations

import importlib.util
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import Config
from made_up_front import WORST, main, plan

import tme
from tme.cli import main as command
from tme.config import ConfigError, Fault
from tme.experiments.plan import replicate_seed
from tme.studies.design import Point
from tme.studies.optimise_plan import Measure, doses_of, plan_of
from tme.studies.optimise_words import order, therapy
from tme.studies.pareto import hypervolume
from tme.viz import study as page

TABLES = ("table.csv", "summary.json", "design.csv")
HOME = Path(__file__).parents[2]
LUCK = {"luck": 0.05}
HARM = Measure("harm", "control", 1.0, bound=0.5)
F1, F2 = "f1 of control on day 1", "f2 of control on day 1"


def tables(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in TABLES]


def told(folder: Path) -> tuple[dict, pd.DataFrame]:
    return json.loads((folder / "summary.json").read_text()), pd.read_csv(folder / "table.csv")


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference") / "s"
    assert main(folder, sleep_s=0, numbers=LUCK)[1] == 0
    return folder


@pytest.mark.slow
def test_the_front_of_zdt1_is_found_and_the_grid_is_left_behind(tmp_path):
    folder, code = main(tmp_path / "s", sleep_s=0, asked=plan(draws=300, generation=10))
    summary, table = told(folder)
    assert code == 0
    x = np.linspace(0, 1, 2001)
    whole = hypervolume(np.column_stack([x, 1 - np.sqrt(x)]), (WORST, WORST))
    share = {stage: hypervolume(rows[[F1, F2]].to_numpy(), (WORST, WORST)) / whole for stage, rows in table.groupby("stage")}
    assert share["search"] >= 0.95
    compared = summary["compared"]
    assert compared["points"] == (table["stage"] == "grid").sum() == 256
    assert compared["share"]["search"] > compared["share"]["grid"] and share["search"] > share["grid"]
    assert compared["trace"][-1] == pytest.approx(compared["share"]["whole search"]) and np.all(np.diff(compared["trace"]) >= 0)


def test_what_is_said_of_a_front_is_of_tumours_that_the_search_has_not_seen(reference):
    summary, table = told(reference)
    design = pd.read_csv(reference / "design.csv")
    assert set(design.loc[design["stage"].str.contains("repeated"), "seeds"]) == {"1000000 1000001 1000002"} and set(design.loc[design["stage"] == "search", "seeds"].astype(str)) == {"0"}
    front = summary["fronts"]["search"]
    assert 2 <= len(front) <= 4
    for m in front:
        f1 = m["again"][F1]
        assert f1["low"] < m["values"]["x0"] < f1["high"] and f1["value"] != m["searched"][F1]
    assert table["repeated"].sum() == len(front) + len(summary["fronts"]["grid"])
    by_seed = summary["compared"]["by_seed"]
    assert summary["compared"]["difference"]["value"] == pytest.approx(np.mean(by_seed["search"]) - np.mean(by_seed["grid"]))
    assert any(s.startswith("At equal cost, ") for s in summary["sentences"]) and any(s.startswith("In 3 other tumours") for s in summary["sentences"])


def test_a_limit_is_kept_and_said(tmp_path):
    summary, table = told(main(tmp_path / "s", sleep_s=0, asked=plan(draws=80, limits=(HARM,)))[0])
    front = table[table["front"] == 1]
    assert (front["x0"] <= 0.5).all() and (table.loc[table["within"] == 0, "x0"] > 0.5).all() and (table["within"] == 0).any()
    late = table[(table["stage"] == "search") & (table["generation"] >= 4)]
    assert (late["within"] == 1).mean() > 0.6  # the search turns away from what breaks it; half of all points would
    assert any("break harm of control on day 1 at most 0.5" in s for s in summary["sentences"]) and "with harm of control on day 1 at most 0.5" in summary["lead"]
    assert all(m["kept"] == m["seeds"] == 3 for m in summary["fronts"]["search"])


def test_a_limit_that_nothing_keeps_leaves_a_page_that_says_so(tmp_path):
    folder, code = main(tmp_path / "s", sleep_s=0, asked=plan(draws=12, generation=4, limits=(Measure("harm", "control", 1.0, sign=-1, bound=2.0),)))
    assert code == 0 and "No therapy keeps the limits." in " ".join(told(folder)[0]["sentences"])
    text = page.write(folder, dpi=50).read_text()
    assert "no point keeps the limits" in text


def test_points_that_fail_are_no_part_of_the_front_and_the_others_go_on(tmp_path):
    folder, code = main(tmp_path / "s", sleep_s=0, numbers={"hole": 1.0})
    summary, table = told(folder)
    assert code == 3 and summary["ended"]["failed"] > 0 and any("simulations failed" in s for s in summary["sentences"])
    assert (table.loc[table["known"] == 0, "x0"] > 0.9).all() and table.loc[table["known"] == 0, F1].isna().all()
    assert (table.loc[table["front"] == 1, "x0"] <= 0.9).all() and (table["front"] == 1).any()


def test_other_tumours_in_which_some_therapy_is_not_known_are_left_out_for_all(tmp_path):
    config = Config()
    normal = [np.random.default_rng(replicate_seed(config.seed, r)).standard_normal() for r in (0, 1_000_000, 1_000_001, 1_000_002)]
    edge = (max(normal[1:]) + max(normal[0], sorted(normal[1:])[1])) / 2  # above all but one of the others
    assert normal[0] < edge
    summary, _ = told(main(tmp_path / "s", sleep_s=0, numbers={**LUCK, "edge": edge})[0])
    fronts = summary["fronts"]
    assert all(m["seeds"] == 2 and m["within"] for m in [*fronts["search"], *fronts["grid"]]) and summary["compared"]["seeds"] == 2
    assert len(summary["compared"]["by_seed"]["search"]) == len(summary["compared"]["by_seed"]["grid"]) == 2
    left = 0.05 * np.mean(sorted(normal[1:])[:2])
    assert all(m["again"][F1]["value"] == pytest.approx(m["values"]["x0"] + left) for m in fronts["search"])
    assert any(s.startswith("1 of 3 other tumours are left out") for s in summary["sentences"])


def test_three_objectives_have_three_panels_and_a_volume(tmp_path):
    three = plan(draws=24, generation=6)
    three = type(three)(**{**vars(three), "objectives": (*three.objectives, Measure("harm", "control", 1.0, sign=-1))})
    folder, _ = main(tmp_path / "s", sleep_s=0, asked=three, numbers=LUCK)
    assert 0 < told(folder)[0]["compared"]["share"]["search"] <= 1
    assert "What can be had for what" in page.write(folder, dpi=50).read_text()


def test_the_page_has_the_front_and_its_tables(reference):
    text = page.write(reference, dpi=60).read_text()
    assert [p.name for p in (reference / "figures").iterdir()] == ["pareto.png"]
    assert "Pareto front of the grid" in text and "At equal cost" in text


def test_processes_change_no_bit(tmp_path, reference):
    main(tmp_path / "s", jobs=2, sleep_s=0, numbers=LUCK)
    assert tables(tmp_path / "s") == tables(reference)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_dask_workers_change_no_bit(tmp_path, reference):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    spec = importlib.util.spec_from_file_location("dask_processes", HOME / "tests" / "experiments" / "dask_processes.py")
    dask_processes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dask_processes)
    (tmp_path / "site").mkdir()
    with dask_processes.site(tmp_path / "site") as site:
        for _ in range(2):
            site.worker((Path(__file__).parent,))
        main(tmp_path / "s", None, sleep_s=0, numbers=LUCK, executor="dask", scheduler=site.address)
    assert tables(tmp_path / "s") == tables(reference)


def killed(folder: Path, after_s: float) -> bool:
    """Begin, or go on, in a process of its own; kill it some time after it has written a record; whether it was still at work."""
    records = folder / "results.jsonl"
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("made_up_front.py")), str(folder), "1"])
    had = records.stat().st_size if records.exists() else 0
    while process.poll() is None and not (records.exists() and records.stat().st_size > had):
        time.sleep(0.002)
    time.sleep(after_s)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return alive


@pytest.mark.parametrize("kills", [1, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_random_instants_it_ends_in_the_same_tables(tmp_path, reference, kills):
    dice, folder, hit = random.Random(7), tmp_path / "0", 0
    for k in range(kills):
        if (folder / "table.csv").exists():  # finished: begin another
            main(folder, sleep_s=0, numbers=LUCK)
            assert tables(folder) == tables(reference)
            folder = tmp_path / str(k)
        hit += killed(folder, dice.uniform(0.0, 0.3))
    main(folder, sleep_s=0, numbers=LUCK)
    assert tables(folder) == tables(reference)
    assert hit >= max(1, kills // 2)


# ---- the model -------------------------------------------------------------------------------------------------
TINY = """\
start_day: -0.25
horizon_day: 0.5
domain: {size_um: [300, 300]}
initial: {kind: nodule, n_cells: 60}
branch_at_day: 0
populations: {cd8: {per_mm2: 100}}
arms:
  control: {}
  both:
    antibodies: [{name: anti_pdl1, dose_mg_kg: 10, day: 0}]
    nanoparticles: [{name: peg_pdpa_rsl3, dose_mg_kg: 9, day: 0}]
output: {record_every_h: 6}
study:
  objectives: [{minimise: tumour_alive}, {minimise: dose, agent: peg_pdpa_rsl3}]
  limit: {irae_ifng: 1}
  ranges:
    arms.both.nanoparticles.0.dose_mg_kg: [0, 12]
    arms.both.antibodies.0.day: {low: 0, high: 0.25, step: 0.25}
"""


@pytest.fixture
def tme_of(tmp_path, monkeypatch, capsys):
    """Run `tme optimise` in an empty folder on a text as x.yaml; (exit code, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(text, *options):
        Path("x.yaml").write_text(text)
        try:
            command(["optimise", "x.yaml", *options])
        except SystemExit as end:
            return end.code or 0, capsys.readouterr().err
        return 0, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("minimise: tumour_alive", "minimise: tumour_alve", "x.yaml:14: study.objectives: unknown readout 'tumour_alve'"),
        ("minimise: tumour_alive", "minimise: tumour_alive, maximise: hour", "either minimise or maximise"),
        ("minimise: tumour_alive", "minimise: tumour_alive, day: 3", "x.yaml:14: study.objectives: day 3 lies beyond the horizon"),
        ("minimise: tumour_alive", "minimise: tumour_alive, arm: bth", "unknown arm 'bth'"),
        ("{minimise: tumour_alive}", "{minimise: dose, agent: peg_pdpa_rsl3}", "stands twice"),
        ("{minimise: tumour_alive}, ", "", "study.objectives"),
        ("agent: peg_pdpa_rsl3}]", "agent: rsl3}]", "'rsl3' has no dose in both that adds up"),
        (", agent: peg_pdpa_rsl3}]", "}]", "the dose of which agent; expected agent: one of anti_pdl1, peg_pdpa_rsl3"),
        ("irae_ifng: 1", "irae_ifn: 1", "x.yaml:15: study.limit: unknown readout 'irae_ifn'"),
        ("irae_ifng: 1", "normal_ferroptosis: 0.1", "x.yaml:15: study.limit: unknown readout 'normal_ferroptosis'"),
        ("{irae_ifng: 1}", "{readout: irae_ifng}", "either at_most or at_least"),
        ("{irae_ifng: 1}", "{readout: irae_ifng, at_most: 1, day: -3}", "study.limit: day -3 lies before the start"),
        ("[0, 12]", "[12, 0]", "the range is turned round: low 12 is not below high 0"),
        ("[0, 12]", "own", "has no range of its own"),
        ("[0, 12]", "[-3, 12]", "x.yaml:17: study.ranges.arms.both.nanoparticles.0.dose_mg_kg"),
        ("[0, 12]", "{low: 0, high: 12, step: 5}", "goes in steps of 5, which do not lead from 0 to 12"),
        ("[0, 12]", "{low: 1, high: 12, step: 1, scale: log}", "has steps, which are even"),
        ("0.dose_mg_kg: [0, 12]", "0.dose_mgkg: [0, 12]", "did you mean"),
        ("nanoparticles.0.dose_mg_kg", "nanoparticles.3.dose_mg_kg", "nanoparticles.3"),
        ("high: 0.25, step: 0.25", "high: 3", "x.yaml:18: study.ranges.arms.both.antibodies.0.day: a dose on day 3, after the end (horizon_day 0.5)"),
        ("arms.both.nanoparticles.0.dose_mg_kg", "mechanisms.division.k_div", "is no part of an arm"),
        ("  objectives: [{minimise: tumour_alive}, {minimise: dose, agent: peg_pdpa_rsl3}]\n", "", "there is nothing to aim at"),
        ("  limit:", "  kind: robust\n  limit:", "study.kind: is robust, and this is tme optimise"),
        ("study:", "sweep: {initial.n_cells: [50, 60]}\nstudy:", "sweep: a study takes its points from its own design"),
    ],
)
def test_bad_input_is_told_with_its_line_and_nothing_is_written(tme_of, old, new, words):
    assert old in TINY
    code, err = tme_of(TINY.replace(old, new, 1) if "dose_mg_kg" not in old or "nanoparticles" not in old else TINY.replace(f"{old}:", f"{new}:"))
    assert code == 2 and words in err and "x.yaml" in err and "Traceback" not in err, err
    assert [p.name for p in Path().iterdir()] == ["x.yaml"]


def test_ranges_left_out_are_told(tme_of):
    code, err = tme_of(TINY[: TINY.index("  ranges:")])
    assert code == 2 and "says nothing of what to vary" in err


@pytest.mark.slow
def test_a_therapy_of_the_model_is_optimised_with_table_page_and_figure(tme_of):
    code, err = tme_of(TINY + "  draws: 6\n  generation: 2\n  repeated: {draws: 2, seeds: 2}\n", "--jobs", "1", "--out", "s")
    assert code == 0, err
    summary, table = told(Path("s"))
    dose = "dose of peg_pdpa_rsl3 (mg/kg)"
    assert table[dose].to_numpy() == pytest.approx(table["arms.both.nanoparticles.0.dose_mg_kg"].to_numpy())
    assert set(table["arms.both.antibodies.0.day"]) <= {0.0, 0.25} and (table["stage"] == "grid").sum() <= 6
    assert set(pd.read_csv("s/design.csv")["arms"]) == {"both"}  # an arm that nothing asks for is not simulated
    assert set(summary["compared"]["share"]) == {"search", "grid", "whole search"}
    assert "data:image/png" in Path("s/report.html").read_text()
    before = tables(Path("s"))
    assert tme_of(TINY + "  draws: 6\n  generation: 2\n  repeated: {draws: 2, seeds: 2}\n", "--jobs", "1", "--out", "s")[0] == 0 and tables(Path("s")) == before
    assert tme_of(TINY + "  draws: 7\n", "--out", "s")[0] == 2  # another study


def test_the_example_is_read_and_its_doses_are_all_that_is_given():
    config = tme.load_config(HOME / "configs" / "studies" / "optimise.yaml")
    found = plan_of(config, False)
    assert [v.step for v in found.variables] == [None, 1.0, None, 1.0, 1.0] and found.arms == ("both",)
    assert [m.name for m in found.limits] == ["highest irae_t_index of both"] and found.ask.days == tuple(map(float, range(8)))
    small = plan_of(tme.load_config(HOME / "configs" / "studies" / "optimise.yaml", quick=True), True)
    assert (small.draws, small.generation, small.seeds, small.repeated, small.again) == (20, 5, 1, 3, 3) and small.ask.days[-1] == 5
    changed = config.with_values({"arms.both.nanoparticles.0.every_d": 2.0, "arms.both.nanoparticles.0.day": 1.0, "arms.both.nanoparticles.0.dose_mg_kg": 3.0})
    assert doses_of(changed, "both") == {"anti_pdl1": (30.0, "mg/kg"), "peg_pdpa_rsl3": (9.0, "mg/kg")}
    assert therapy(changed, found) == "anti_pdl1 10 mg/kg on days 0, 3, 6; peg_pdpa_rsl3 3 mg/kg on days 1, 3, 5"


def test_the_order_is_the_difference_of_first_days():
    assert order({"a": 3.0, "b": 1.0}) == "b 2 d before a" and order({"a": 1.0, "b": 1.0}) == "together"
    assert order({"a": 1.0}) == "only a" and order({}) == "nothing"


def test_a_therapy_that_the_config_refuses_has_no_dose():
    class Refusing:
        def with_values(self, values):
            raise ConfigError([Fault("x.yaml", 1, "until_d", "is before day")])

    dose = Measure("dose", "both", 0.0, agent="x", unit="mg/kg")
    assert np.isnan(dose.of(None, Point("p", {}, seeds=(0, 1)), Refusing())).tolist() == [True, True]
