"""The methods paragraph follows the config, in plain English, and says how to make the run again."""

from __future__ import annotations

import pytest
import synthetic
from ruamel.yaml import YAML

from tme.viz import methods, report
from tme.viz.load import Run

yaml = YAML(typ="safe")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = synthetic.write_run(tmp_path_factory.mktemp("methods"), arms=("control", "anti_pdl1"), replicates=2, n=32, scale=0.05, days=(0, 1), every_h=12)
    return folder


def told(folder, **changes):
    run = Run(folder)
    run.config = {
        **run.config, "start_day": -1.0, "horizon_day": 10.0, "branch_at_day": 0.0, "initial": {"kind": "nodule", "n_cells": 1500},
        "domain": {"size_um": [4320.0, 4320.0], "dx_um": 15.0, "thickness_um": 15.0, "boundary": {"x": "no_flux", "y": "no_flux", "z": "no_flux"}, "at_edge": "stop"},
        "tumour": {"preset": "b16_like", "clones": {"fsp1_high": {"share": 0.04}}}, "populations": {"cd8": {"per_mm2": 125.0}},
        "arms": {"control": {}, "anti_pdl1": {"antibodies": [{"name": "anti_pdl1", "day": [0.0, 3.0], "dose_mg_kg": 10.0, "route": "iv"}]}},
        "output": {"record_every_h": 6.0, "snapshot_days": [0.0, 10.0]}, **changes,
    }  # fmt: skip
    return methods.paragraph(run)


def arms(**item):
    return {"control": {}, "anti_pdl1": {"drugs": [{"name": "erastin", **item}]}}


def test_the_paragraph_says_tumour_domain_arms_and_replicates(small):
    text = told(small)
    for part in (
        "tme 0.1.0 (commit 0123abc, Python 3.11.7)", "type b16_like, with one clone (fsp1_high 4 % of the cells)", "on day −1 as a nodule of 1\u202f500 cells",
        "4.32 × 4.32 mm (voxels of 15 µm, one layer of 15 µm, no-flux edges)", "125 CD8 T cells per mm²", "Two arms were simulated: control (untreated) and anti-PD-L1",
        "10 mg/kg intravenously on days 0 and 3", "simulated twice until day 10", "one tumour until day 0", "recorded every 6 h, all cells and fields on days 0 and 10", "seed 1",
    ):  # fmt: skip
        assert part in text, part


def test_another_dose_or_day_is_another_text(small):
    text = told(small, arms=arms(day=[1.0], bath_uM=2.5, route="bath"))
    assert "erastin 2.5 µM held everywhere from day 1 on" in text and "mg/kg" not in text
    assert "erastin 7 mg/kg into the tumour on day 2" in told(small, arms=arms(day=[2.0], dose_mg_kg=7.0, route="intratumoral"))


def test_one_of_a_kind_is_singular(small):
    text = told(small, initial={"kind": "nodule", "n_cells": 1}, tumour={"preset": "b16_like", "clones": {}})
    assert "a nodule of one cell," in text and "clone" not in text
    assert methods.counted(12, "arm") == "12 arms" and methods.counted(1, "arm") == "one arm"


def test_a_single_arm_and_replicate_is_not_said_to_be_compared(tmp_path):
    folder = synthetic.write_run(tmp_path, arms=("control",), replicates=1, n=32, scale=0.05, days=(0, 1), every_h=12)
    text = methods.paragraph(Run(folder))
    assert "One arm was simulated: control (untreated). The arm was simulated once" in text
    assert "no test is given" in text and "pairs" not in text


def test_the_question_is_told_with_its_adjustment(small):
    text = told(small, primary={"readout": "tumour_alive", "day": 1.0, "contrasts": ["anti_pdl1 < control"]})
    assert "living tumour cells on day 1: anti-PD-L1 smaller than control. One contrast was tested by two-sided paired t tests" in text and "Holm" not in text
    text = told(small, primary={"readout": "tumour_alive", "contrasts": ["anti_pdl1 < control", "anti_pdl1 > control"]})
    assert "on day 10" in text and "Two contrasts were tested" in text and "Holm among them" in text
    assert "No primary question was stated" in told(small)


@pytest.mark.parametrize(
    ("initial", "words"),
    [
        ({"kind": "monolayer", "occupancy": 0.8}, "as a monolayer on 80 % of the voxels"),
        ({"kind": "spheroid", "n_cells": 900}, "as a spheroid of 900 cells"),
        ({"kind": "cells", "file": "codex.csv"}, "from the cells of the table codex.csv"),
        ({"kind": "regions", "base": {"kind": "nodule", "n_cells": 40}, "regions": [{}, {}]}, "as a nodule of 40 cells altered in two regions"),
    ],
)
def test_every_start_is_told(small, initial, words):
    assert words in told(small, initial=initial)


def test_the_page_gives_the_exact_command(small):
    text = report.write(small, dpi=60).read_text(encoding="utf-8")
    assert "<h2 id=\"methods\">" in text and "<code>tme run configs/four_arms.yaml</code>" in text
    assert "tme run four_arms-0123abcd/config.resolved.yaml" in text and "<code>tme report four_arms-0123abcd</code>" in text


def test_hostile_names_are_escaped(small, tmp_path):
    import json
    import shutil

    folder = shutil.copytree(small, tmp_path / "a <b>;rm")
    config = yaml.load((folder / "config.resolved.yaml").read_text())
    config["tumour"] = {"preset": "<img src=x onerror=alert(1)>"}
    yaml.dump(config, folder / "config.resolved.yaml")
    provenance = json.loads((folder / "provenance.json").read_text()) | {"command": "tme run '<svg onload=alert(1)>.yaml'"}
    (folder / "provenance.json").write_text(json.dumps(provenance))
    text = report.write(folder, dpi=60).read_text(encoding="utf-8")
    assert "<img src=x" not in text and "<svg onload" not in text and "&lt;svg onload" in text
    assert "tme report &#x27;a &lt;b&gt;;rm&#x27;" in text  # quoted for a shell


def test_a_run_without_config_says_so(small, tmp_path):
    import shutil

    folder = shutil.copytree(small, tmp_path / "broken")
    (folder / "config.resolved.yaml").write_text("")
    assert "config.resolved.yaml is missing" in methods.methods_html(Run(folder))
