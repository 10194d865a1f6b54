"""`tme calibrate`: truths are found again, kills and executors change no bit, bad input writes nothing."""

from __future__ import annotations

import importlib.util
import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from killed_calibration import EFFORT, PLAN, A, B, main

from tme.cli import main as command
from tme.config import ConfigError
from tme.model import TumourModel, load_config
from tme.studies.calibrate import run
from tme.studies.calibration_plan import plan_of
from tme.viz import study as page

TABLES = ("table.csv", "summary.json", "design.csv", "petab/measurements.tsv", "petab/parameters.tsv")
HOME = Path(__file__).parents[2]


def tables(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in TABLES]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference") / "s"
    assert main(folder, sleep_s=0)[1] == 0
    return folder


def test_the_truth_is_found_again_and_said(reference):
    table, summary = pd.read_csv(reference / "table.csv"), json.loads((reference / "summary.json").read_text())
    assert table["weight"].sum() == pytest.approx(1.0)
    a, b = summary["tables"]["numbers"]
    assert a["5 %"] < A < a["95 %"] and b["5 %"] < B < b["95 %"]
    assert b["width over prior"] < 0.4 and any("b: 0." in s and "determine it well" in s for s in summary["sentences"])
    assert [d["within"] for d in summary["tables"]["data and prediction"]] == [True, True, False]
    assert "2 of 2 fitted values and 0 of 1 values kept out" in summary["lead"]
    assert any(s.startswith("Outside the predictive band: tumour_alive of drug on day 2") for s in summary["sentences"])
    assert any("a note" in s for s in summary["sentences"])


def test_its_posterior_is_a_problem_in_petab_too(reference):
    parameters = pd.read_csv(reference / "petab" / "parameters.tsv", sep="\t")
    assert list(parameters["parameterId"]) == ["a", "b"] and abs(parameters["nominalValue"][1] - B) < 0.1
    assert len(pd.read_csv(reference / "petab" / "measurements.tsv", sep="\t")) == 3


def test_the_page_shows_posterior_and_prediction(reference):
    text = page.write(reference, dpi=60).read_text()
    assert sorted(p.name for p in (reference / "figures").iterdir()) == ["posterior.png", "prediction.png"]
    assert "What the posterior predicts" in text and "2 of 2 fitted values" in text


def test_processes_change_no_bit(tmp_path, reference):
    main(tmp_path / "s", jobs=2, sleep_s=0)
    assert tables(tmp_path / "s") == tables(reference)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_dask_workers_change_no_bit(tmp_path, reference):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    spec = importlib.util.spec_from_file_location("dask_processes", HOME / "tests" / "experiments" / "dask_processes.py")
    dask_processes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dask_processes)
    (tmp_path / "site").mkdir()
    with dask_processes.site(tmp_path / "site") as site:
        for _ in range(2):
            site.worker((Path(__file__).parent,))
        main(tmp_path / "s", None, sleep_s=0, executor="dask", scheduler=site.address)
    assert tables(tmp_path / "s") == tables(reference)


def killed(folder: Path, after_s: float) -> bool:
    """Begin, or go on, in a process of its own; kill it some time after it has written a record; whether it was still at work."""
    records = folder / "results.jsonl"
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("killed_calibration.py")), str(folder), "1"])
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
    dice, folder, hit = random.Random(5), tmp_path / "0", 0
    for k in range(kills):
        if (folder / "table.csv").exists():  # finished: begin another
            main(folder, sleep_s=0)
            assert tables(folder) == tables(reference)
            folder = tmp_path / str(k)
        hit += killed(folder, dice.uniform(0.0, 0.6))
    main(folder, sleep_s=0)
    assert tables(folder) == tables(reference)
    assert hit >= max(1, kills // 2)


def test_more_seeds_for_each_particle_are_averaged(tmp_path):
    folder, _ = main(tmp_path / "s", sleep_s=0, plan=replace(PLAN, effort=replace(EFFORT, seeds=3, particles=12, pool=12, generations=1, predictions=10)))
    design = pd.read_csv(folder / "design.csv")
    assert set(design["seeds"].str.split().map(len)) == {3}
    assert len(set(" ".join(design["seeds"][design["round"] == 0]).split())) == 36


SMALL = """
extends: {home}/configs/base.yaml
start_day: 0
horizon_day: 2
domain: {{size_um: [600, 600], at_edge: continue}}
initial: {{n_cells: 60}}
populations: {{cd8: null, macrophage: null, dendritic: null, treg: null}}
arms: {{control: {{}}}}
quick: {{horizon_day: 1}}
study:
  kind: calibrate
  data: data.csv
  ranges: {{mechanisms.division.k_div: [2e-4, 1.6e-3]}}
"""
DATA = "day,readout,value\n1,tumour_alive,70\n2,tumour_alive,90\n"


def written(tmp_path, data=DATA, text=SMALL, old="", new=""):
    path = tmp_path / "small.yaml"
    path.write_text(text.format(home=HOME).replace(old, new) if old else text.format(home=HOME))
    if data is not None:
        (tmp_path / "data.csv").write_text(data)
    return path


@pytest.mark.parametrize(
    ("data", "old", "new", "words"),
    [
        (None, "", "", "small.yaml:12: study.data.0: there is no file"),
        ("day,readout\n1,tumour_alive\n", "", "", "data.csv:1: value: missing column"),
        ("day,readout,value\n1,tumour_aliv,3\n", "", "", "data.csv:2: readout: unknown readout 'tumour_aliv'"),
        (DATA + "9,tumour_alive,3\n", "", "", "data.csv:4: day: day 9 lies beyond the horizon"),
        (DATA, "[2e-4, 1.6e-3]", "[1.6e-3, 2e-4]", "turned round"),
        (DATA, "{mechanisms.division.k_div: [2e-4, 1.6e-3]}", "all", "too many to calibrate at once"),
        (DATA, "{mechanisms.division.k_div: [2e-4, 1.6e-3]}", "mechanisms.division.k_dif", "k_div"),
        (DATA, "kind: calibrate", "kind: robust", "small.yaml:11: study.kind: is robust, and this is tme calibrate"),
        (DATA, "  data: data.csv\n", "", "study.data: missing"),
        (DATA, "  kind: calibrate", "  check_days: [1, 2]\n  kind: calibrate", "leaves nothing to fit"),
        (DATA, "  kind: calibrate", "  noise: 0\n  kind: calibrate", "study.noise"),
        (DATA, "arms:", "sweep: {seed: [1, 2]}\narms:", "takes its points from its own design"),
    ],
)
def test_bad_input_is_told_with_its_place_and_writes_nothing(tmp_path, capsys, data, old, new, words):
    path, out = written(tmp_path, data, old=old, new=new), tmp_path / "out"
    with pytest.raises(SystemExit) as left:
        command(["calibrate", str(path), "--out", str(out)])
    assert left.value.code == 2 and words in capsys.readouterr().err
    assert not out.exists()


def test_changed_data_are_another_study(tmp_path):
    one = plan_of(load_config(written(tmp_path))).settings()
    two = plan_of(load_config(written(tmp_path, DATA.replace("90", "91")))).settings()
    assert one != two and one == plan_of(load_config(written(tmp_path))).settings()


def test_a_petab_problem_brings_data_and_ranges(tmp_path):
    from tme.studies import petab
    from tme.studies.data_table import Row
    from tme.studies.ranges import Range

    petab.write(tmp_path / "p", "mine", [Row("control", "tumour_alive", 1.0, 70.0, 7.0, None, True, True)], [Range("mechanisms.division.k_div", 3e-4, 9e-4, 4e-4, "log")], 0.2, [4e-4])
    path = written(tmp_path, text=SMALL.replace("data: data.csv", "data: p/mine.yaml").replace("  ranges: {{mechanisms.division.k_div: [2e-4, 1.6e-3]}}\n", ""))
    plan = plan_of(load_config(path))
    assert plan.prior.names == ["mechanisms.division.k_div"] and (plan.prior.ranges[0].low, plan.prior.ranges[0].scale) == (3e-4, "log")
    assert plan.values == pytest.approx([np.log(70.0)])
    with pytest.raises(ConfigError, match=r"parameters\.tsv:2: parameterId: mechanisms\.division\.k_di: unknown parameter.*did you mean"):
        (tmp_path / "p" / "parameters.tsv").write_text((tmp_path / "p" / "parameters.tsv").read_text().replace("k_div", "k_di"))
        plan_of(load_config(path))


CULTURE = SMALL.replace("populations:", "fields: {{oxygen: {{initial: 40, held: true}}, cystine: {{initial: 200, held: true}}}}\nmechanisms: {{vessels: {{per_mm2: 0}}}}\npopulations:")


@pytest.mark.slow
def test_the_division_rate_of_a_tiny_tumour_is_found_again(tmp_path):
    """Three truths; data are counts of a tumour that no particle grows. 90 % intervals may miss one of three in 1 of 4 cases, two in 3 of 100."""
    held = 0
    asked = ["horizon_day=1", "study.draws=48", "study.generations=4", "study.predictions=10", "study.waves=1", "study.discrepancy=0"]
    for k, truth in enumerate((3e-4, 6e-4, 1.1e-3)):
        folder = tmp_path / str(k)
        folder.mkdir()
        config = load_config(written(folder, text=CULTURE), overrides=[f"mechanisms.division.k_div={truth}"])
        model = TumourModel(config, seed=10_000 + k)
        lines = ["day,readout,value,sd"]
        for day in (0.5, 1.0):
            while model.sim_hour < 24 * day - 1e-9:
                model.step()
            n = model.observe()["tumour_alive"]
            lines.append(f"{day},tumour_alive,{n},{0.05 * n}")
        (folder / "data.csv").write_text("\n".join(lines) + "\n")
        done, code = run(load_config(folder / "small.yaml", overrides=asked), folder / "out", jobs=1, progress=False)
        number = json.loads((done / "summary.json").read_text())["tables"]["numbers"][0]
        held += number["5 %"] < truth < number["95 %"]
        assert code == 0 and number["width over prior"] < 0.6
    assert held >= 2
