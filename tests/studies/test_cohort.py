"""`tme cohort` on made-up patients with a planted biomarker, and on tiny tumours; what is refused; that nothing changes its bits."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from killed_cohort import ASKED
from killed_cohort import main as whole
from made_up_patients import Patient, config, people
from test_study_commands import TINY, code_of

from tme.studies import cohort, cohort_words, infiltration
from tme.studies.biomarkers import Effort
from tme.viz import study as page

TABLES = ("table.csv", "summary.json", "design.csv")


def carried_out(folder, planted=True, n=40, patients=None, **how):
    """Directory and summary of a whole study of made-up patients."""
    from tme.studies.design import Ask

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cohort, "asked_of", lambda config: ASKED)
        patch.setattr(cohort, "drawn", lambda config, name, n: patients or people(n))
        patch.setattr(cohort, "ask_of", lambda config, kind, readouts, days: Ask(tuple(readouts), tuple(days)))
        patch.setattr(cohort, "cost", lambda config, n, ask: "no time")
        patch.setattr(cohort, "outcomes_judged", lambda *a, judged=cohort.outcomes_judged: judged(*a[:3], Effort(5, 2, 199)))
        patch.setattr(cohort, "matched", lambda *a, matched=cohort.matched: matched(*a[:4], Effort(5, 2, 199)))
        patch.setattr(cohort, "FULL", n)
        _, code = cohort.run(config(planted), out=folder, **{"jobs": 1, "progress": False, "model_factory": Patient, **how})
    assert code == 0
    return folder, json.loads((folder / "summary.json").read_text())


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return carried_out(tmp_path_factory.mktemp("cohort") / "s")


def rows_of(folder):
    return list(csv.DictReader((folder / "table.csv").read_text().splitlines()))


def test_the_matching_rule_is_the_planted_one(planted):
    _, s = planted
    (name, wins), *_ = [(k, o) for k, o in s["outcomes"].items() if k.endswith("wins")]
    assert wins["found"] and wins["auc"] > wins["null_95"]
    rule = wins["rule"]
    assert rule["feature"] == "pdl1_positive_share" and rule["value"] == pytest.approx(0.5, abs=0.05) and rule["above"] == (name == "immune wins")
    assert rule["met_yes"] == rule["met"] and rule["rest_yes"] == 0 and rule["else_wins"] == rule["rest"] and rule["balanced"] > 0.9
    side, other = ("above", "drug") if name == "immune wins" else ("at most", "immune")
    words = next(t for t in s["sentences"] if t.startswith("Rule:") and f": {name} in" in t)
    assert f"patients with PD-L1 positive share {side} {rule['value']:.3g}: {name} in {rule['met']} of {rule['met']}, of the others in 0 of {rule['rest']}" in words
    assert f"where {other} wins most often" in words and f"alone AUC {1:.2f}" in words


def test_the_matching_rule_gains_on_patients_it_was_not_made_from_what_was_planted(planted):
    m = planted[1]["matched"]
    high = np.array([p["pdl1"] > 0.5 for p in people(40)])
    # who gets the arm that does not work keeps the untreated tumour, who gets the right one has 0.45^4 of it
    possible = min(high.mean(), 1 - high.mean()) * (1 - 0.45**4)
    assert m["possible"] == pytest.approx(possible) and m["gain_seen"] == pytest.approx(possible) and m["found"] and m["p"] == pytest.approx(1 / 200)
    # nearly half of the patients are on either side, so the arm that is best for all in four fifths of them is often the worse one in the rest
    assert possible * 0.9 < m["gain"]["value"] < 1 - 0.45**4 and m["gain"]["low"] > 0
    assert m["rule"] == {"feature": "pdl1_positive_share", "value": pytest.approx(0.5, abs=0.05), "above": True, "over": "immune", "under": "drug"}
    said = next(t for t in planted[1]["sentences"] if t.startswith("Matching rule: give immune to patients with PD-L1 positive share above"))
    assert f"a gain of {m['gain']['value']:.3f} of the untreated tumour" in said and "p = 0.005" in said


def test_responses_times_and_wins_are_those_of_the_formula(planted):
    folder, s = planted
    high = sum(p["pdl1"] > 0.5 for p in people(40))
    assert s["wins"]["immune"]["held"] == high and s["wins"]["drug"]["held"] == 40 - high and s["wins"]["control"]["held"] == 0
    assert s["responses"]["control"]["progressive"] == 40 and s["responses"]["immune"]["stable"] == high  # 0.9^6 = 0.53 of the volume
    times = {t["arm"]: t for t in s["time_to_size"]}
    assert times["control"]["reached"] == 40 and times["control"]["median"] == pytest.approx(4 / 3, abs=1e-6)  # volume grows by 2^1.5 a day
    assert times["immune"]["reached"] == 40 - high and times["immune"]["p_bh"] < 0.01
    assert s["matching"]["for_each"] == pytest.approx(0.45**4) and s["matching"]["for_all"] > 0.4 and s["benefits"]["drug"]["held"] == 40 - high
    rows = rows_of(folder)
    assert len(rows) == 120 and {r["infiltration"] for r in rows} == {"inflamed", "excluded", "desert"} and "pdl1" not in rows[0]
    assert all(float(r["of_control"]) == 1 for r in rows if r["arm"] == "control")


def test_none_is_reported_where_none_is_planted(tmp_path):
    _, s = carried_out(tmp_path / "s", planted=False)
    assert not any(o.get("found") for o in s["outcomes"].values()) and not any(t.startswith("Rule:") for t in s["sentences"])
    assert any(t.startswith("No feature of the untreated tumour predicts any of") for t in s["sentences"])
    assert not s["matched"]["found"] and any("such rules gain nothing beyond chance over giving everyone the best arm" in t for t in s["sentences"])


def test_processes_and_a_torn_file_change_no_bit(planted, tmp_path):
    folder, _ = carried_out(tmp_path / "s", jobs=2)
    assert [(folder / t).read_bytes() for t in TABLES] == [(planted[0] / t).read_bytes() for t in TABLES]
    results = folder / "results.jsonl"
    results.write_bytes(results.read_bytes()[: results.stat().st_size // 2])
    for name in ("table.csv", "summary.json"):
        (folder / name).unlink()
    carried_out(folder)
    assert [(folder / t).read_bytes() for t in TABLES] == [(planted[0] / t).read_bytes() for t in TABLES]


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_random_instants_it_ends_in_the_same_tables(tmp_path, kills):
    whole(tmp_path / "reference")
    dice, hit = random.Random(5), 0
    folder = tmp_path / "s"
    for trial in range(kills):
        folder = tmp_path / "s" if kills == 3 else tmp_path / f"s{trial}"
        process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("killed_cohort.py")), str(folder)])
        results, had = folder / "results.jsonl", (folder / "results.jsonl").stat().st_size if folder.exists() else 0
        while process.poll() is None and not (results.exists() and results.stat().st_size > had):
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.1))
        hit += process.poll() is None
        process.kill()
        process.wait()
        if kills > 3 or trial == kills - 1:
            whole(folder)
            assert [(folder / t).read_bytes() for t in TABLES] == [(tmp_path / "reference" / t).read_bytes() for t in TABLES]
    assert hit >= kills * 2 // 3


def test_the_page_has_all_figures_and_sentences(planted):
    text = page.write(planted[0], dpi=60).read_text()
    assert text.count("data:image/png") == 3 and text.count("<li>") == len(planted[1]["sentences"])
    assert {p.stem for p in (planted[0] / "figures").glob("*.png")} == {"waterfall", "time_to_size", "biomarkers"}


def test_few_patients_are_told_with_a_warning_and_nothing_to_ask_makes_no_figure(tmp_path):
    folder, s = carried_out(tmp_path / "s", n=3)
    assert any(t.startswith("Warning: 3 patients are few.") for t in s["sentences"]) and all(o["auc"] is None for o in s["outcomes"].values())
    assert page.write(folder, dpi=60).read_text().count("data:image/png") == 2


def test_a_tumour_that_is_gone_is_a_complete_response_and_wins(tmp_path):
    folder, s = carried_out(tmp_path / "s", patients=[{"pdl1": 0.1, "cd8": 10.0, "cured": 1.0}, {"pdl1": 0.1, "cd8": 10.0}])
    assert s["responses"]["immune"] == {"complete": 1, "partial": 0, "stable": 0, "progressive": 1} and s["wins"]["immune"]["held"] == 1
    gone = next(r for r in rows_of(folder) if r["arm"] == "immune")
    assert float(gone["size"]) == 0 and float(gone["change"]) == 0 and gone["response"] == "complete"


def patients_of(sizes):
    """Patients of whom only the sizes matter: control, immune, both with no, one and two agents."""
    sizes = np.array(sizes, float)
    return cohort.Patients(sizes, np.ones((*sizes.shape, 2)), np.zeros(sizes.shape, bool), (), np.zeros((len(sizes), 0)), ("",) * len(sizes))


@pytest.mark.parametrize(
    ("sizes", "winner"),
    [
        ([100, 50, 50], 1),  # the second agent adds nothing
        ([100, 53, 49], 1),  # nor more than the margin
        ([100, 60, 49], 2),
        ([100, 98, 97], 0),  # no treatment does as well
        ([0, 0, 0], 0),
        ([100, np.nan, 50], -2),
    ],
)
def test_among_equals_the_fewest_agents_win(sizes, winner):
    asked = cohort.Asked("c", ("control", "immune", "both"), (0, 1, 2), "control", "tumour_alive", 0.0, 4.0, ())
    assert patients_of([sizes]).winners(asked).tolist() == [winner]
    assert cohort.matching(asked, np.array([[1, 0.5, 0.5], [1, 0.9, 0.3]]), np.array([1, 2])) == {"arm": "both", "for_all": 0.4, "for_each": 0.4, "n": 2, "spared": 1}
    two = cohort.Asked("c", ("control", "immune", "drug"), (0, 1, 1), "control", "tumour_alive", 0.0, 4.0, ())
    assert patients_of([[100, 50, 50]]).winners(two).tolist() == [-1]


@pytest.mark.parametrize(("whole", "inside", "rim", "name"), [(200, 300, 100, "inflamed"), (200, 40, 300, "excluded"), (20, 40, 10, "desert"), (np.nan, 1, 1, ""), (200, np.nan, 1, "")])
def test_infiltration_follows_from_three_densities(whole, inside, rim, name):
    assert infiltration.classes(dict(zip(infiltration.READOUTS, ([whole], [inside], [rim])))) == [name]


def test_a_class_of_infiltration_is_a_rule_in_words():
    assert cohort_words.condition({"feature": "infiltration: desert", "above": False, "value": 0.5}) == "whose tumour is not desert (infiltration)"
    assert cohort_words.condition({"feature": "cd8_per_mm2", "above": False, "value": 81.25}) == "with CD8 per mm² at most 81.2"


@pytest.fixture
def asked(tmp_path, monkeypatch, capsys):
    """Run `tme` in an empty folder on a text as x.yaml; (exit code, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(command, text, *options):
        Path("x.yaml").write_text(text)
        return code_of([command, "x.yaml", *options]), capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("  cohort: patient\n", "x.yaml:13: study.cohort: unknown cohort 'patient'; expected one of patients; did you mean 'patients'?"),
        ("  patients: 1\n", "x.yaml:13: study.patients"),
        ("  features: [cd8_per_mm3]\n", "x.yaml:13: study.features: unknown feature 'cd8_per_mm3'"),
        ("  features: [infiltratoin]\n", "did you mean 'infiltration'?"),
        ("  fold: 1\n", "x.yaml:13: study.fold"),
        ("  benefit: 1\n", "x.yaml:13: study.benefit"),
        ("  margin: -0.1\n", "x.yaml:13: study.margin"),
        ("  kind: robust\n", "study.kind"),
        ("  days: [3]\n", "beyond the horizon"),
        ("sweep: {initial.n_cells: [50, 60]}\n", "a study takes its points from its own design"),
    ],
)
def test_bad_input_is_told_with_its_line_and_nothing_is_written(asked, more, words):
    code, err = asked("cohort", TINY + more)
    assert code == 2 and words in err and "Traceback" not in err
    assert [p.name for p in Path().iterdir()] == ["x.yaml"]


def test_patients_without_an_untreated_arm_are_refused(asked):
    code, err = asked("cohort", TINY.replace("  control: {}\n", ""))
    assert code == 2 and "compared with themselves untreated" in err


def test_a_cohort_of_the_model_leaves_tables_figures_and_a_page(asked):
    text = TINY + "  patients: 4\n"
    code, err = asked("cohort", text, "--jobs", "1", "--out", "s")
    assert code == 0, err
    s = json.loads(Path("s/summary.json").read_text())
    assert s["patients"] == 4 and s["varies"] > 8 and "cd8_per_mm2" in s["features"] and "infiltration: desert" in s["features"]
    rows = rows_of(Path("s"))
    assert len(rows) == 8 and len({r["cd8_per_mm2"] for r in rows}) > 1 and all(r["response"] for r in rows)
    before = {t: Path("s", t).read_bytes() for t in TABLES}
    assert asked("cohort", text, "--jobs", "1", "--out", "s")[0] == 0
    assert before == {t: Path("s", t).read_bytes() for t in TABLES}
    Path("s/report.html").unlink()
    assert code_of(["report", "s"]) == 0 and "data:image/png" in Path("s/report.html").read_text()
