"""The report answers the primary question first, and shows growth, times, response and doses where the run has them."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape

import numpy as np
import pandas as pd
import pytest
import synthetic
from matplotlib.image import imread
from ruamel.yaml import YAML

import tme
from tme import statistics
from tme.statistics import Hill
from tme.viz import doses, outcomes, page, report, style, survival, words
from tme.viz.load import Missing, Run

CONTRASTS = ["combination < control", "combination < anti_pdl1", "combination < rsl3_particles", "bliss(combination; anti_pdl1, rsl3_particles) > 0"]


def asking(folder, contrasts=CONTRASTS, **more):
    """The run with a primary question in its config."""
    path = folder / "config.resolved.yaml"
    config = YAML(typ="safe").load(path.read_text())
    config["primary"] = {"readout": "tumour_alive", "contrasts": contrasts, **more}
    with open(path, "w") as file:
        YAML(typ="safe").dump(config, file)
    return folder


def plain(html):
    return unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    run = synthetic.write_run(tmp_path_factory.mktemp("asked"), n=64, scale=0.1, days=(0, 5), every_h=12)
    return asking(run)


def test_the_answer_stands_before_all_else_on_the_page(asked):
    text = report.write(asked, dpi=80).read_text(encoding="utf-8")
    places = [text.index(f'id="{key}"') for key, _ in page.SECTIONS]
    assert places == sorted(places) and page.SECTIONS[0][0] == "primary"
    first = plain(text[places[0] : places[1]])
    assert "Living tumour cells on day 5" in first and "after Holm" in first and "least 0.125" in first
    assert all(c.replace(" ", "") in first.replace(" ", "") for c in CONTRASTS)


def test_figures_of_the_question_and_of_times_are_drawn_and_shown(asked):
    report.write(asked, dpi=80)
    for name in ("primary", "time_to_size"):
        assert imread(asked / "figures" / f"{name}.png")[..., :3].std() > 0.02


def test_the_same_answer_stands_on_the_page_and_in_compare(asked):
    one, _ = outcomes.answered(Run(asked))
    other = tme.load(asked).compare()
    assert [a.row() for a in one.answers] == [a.row() for a in other.question.answers]
    assert list(other.primary["contrast"]) == CONTRASTS


def test_the_endpoint_table_and_compare_adjust_the_same_p_over_the_same_family(asked):
    rows = {(r.endpoint.column, a): p for r in words.endpoint_table(Run(asked)) for a, p in r.adjusted.items()}
    table = tme.load(asked).compare().readouts
    assert {e.column for e in words.ENDPOINTS} == set(statistics.COLUMNS)
    for r in table.itertuples():
        assert rows[r.readout, r.arm] == pytest.approx(r.p_holm_primary if np.isnan(r.p_bh) else r.p_bh, nan_ok=True)


def test_what_the_question_asks_is_in_no_family_of_the_table(asked):
    row = next(r for r in words.endpoint_table(Run(asked)) if r.endpoint.column == "tumour_alive")
    one, _ = outcomes.answered(Run(asked))
    assert row.primary == {"combination"} and row.adjusted["combination"] == one.answers[0].p_adjusted


def test_text_and_table_never_give_two_p_for_one_comparison(asked):
    one, _ = outcomes.answered(Run(asked))
    sentence = " ".join(s for part in words.arm_words(Run(asked), "combination") for s in part)
    assert words.p_text(one.answers[0].p_adjusted) in sentence and "after Holm in the primary question" in sentence
    other = " ".join(s for part in words.arm_words(Run(asked), "anti_pdl1") for s in part)
    assert "p\u00a0" not in other.split("Bliss")[0]


def test_a_run_without_a_question_says_that_all_is_exploratory(four_arms):
    text = plain(report.write(four_arms, dpi=80).read_text(encoding="utf-8"))
    assert "states no primary question" in text and "Every comparison on this page is exploratory" in text


def test_a_question_changed_after_the_first_simulations_is_marked(asked, copy_of):
    run = copy_of(asked)
    provenance = outcomes.Run(run).provenance | {"invocations": [{"primary": {"readout": "tumour_alive", "contrasts": CONTRASTS[:1]}}]}
    (run / "provenance.json").write_text(json.dumps(provenance))
    assert "read the answers as exploratory" in " ".join(outcomes.answered(Run(run))[0].cautions())
    assert "read the answers as exploratory" in str(tme.load(run).compare())


def test_a_simulation_that_stopped_early_moves_the_day_and_the_answer_says_so(tmp_path):
    run = synthetic.write_run(tmp_path, n=48, scale=0.08, days=(0, 2), every_h=12, stop={("control", 1): 1.0}, horizon_day=2)
    found, _ = outcomes.answered(Run(asking(run)))
    assert found.day == 1 and "Asked of day 2; read on day 1" in " ".join(found.cautions())


def test_arms_that_share_no_seeds_are_not_paired(asked, copy_of):
    run = copy_of(asked)
    table = pd.read_csv(run / "summary.csv")
    table.assign(seed=range(len(table))).to_csv(run / "summary.csv", index=False)
    with pytest.raises(Missing, match="do not share their seeds"):
        outcomes.answered(Run(run))


def test_tables_of_growth_response_and_synergy_state_their_limits(asked):
    text = plain(report.write(asked, dpi=80).read_text(encoding="utf-8"))
    for words_ in ("Growth inhibition, %", "Area under the curve", "at least 1.728 times the least", "at most 0.343 of day 0", "Over HSA", "sweep over its doses"):
        assert words_ in text, words_


def test_times_follow_the_volume(asked):
    column, found = survival.times(Run(asked))
    assert column == "tumour_volume_mm3" and [t.arm for t in found] == Run(asked).arms


def dose_run(root, seeds=5):
    """A sweep of two agents, alone and together, independent of each other: EC50 3 mg/kg and 5 mg/kg."""
    run = root / "doses-0123abcd"
    a, b, rng = Hill(3, 1, 1), Hill(5, 2, 0.8), np.random.default_rng(0)
    size = rng.lognormal(6, 0.3, seeds)
    rows, summary, points = [], [], []
    arms = lambda x, y: {"control": {}, "rsl3": {"drugs": [{"name": "rsl3", "dose_mg_kg": x}]}, "anti_pdl1": {"antibodies": [{"name": "anti_pdl1", "dose_mg_kg": y}]}, "both": {"use": ["rsl3", "anti_pdl1"]}}  # noqa: E731
    primary = {"readout": "tumour_alive", "contrasts": ["loewe(both; rsl3, anti_pdl1) > 0", "bliss(both; rsl3, anti_pdl1) > 0"]}
    for i, (x, y) in enumerate((x, y) for x in (1.0, 3.0, 9.0) for y in (2.0, 6.0, 18.0)):
        folder = run / f"sweep-{i:03d}"
        folder.mkdir(parents=True)
        config = {"name": "doses", "horizon_day": 2.0, "arms": arms(x, y), "primary": primary}
        for place, extra in ((folder, {}), (run, {"sweep": {"arms.rsl3.drugs.0.dose_mg_kg": [1, 3, 9]}})):
            with open(place / "config.resolved.yaml", "w") as file:
                YAML(typ="safe").dump(config | extra, file)
        points.append({"sweep": i, "folder": folder.name, "rsl3": x, "anti_pdl1": y})
        left = {"control": 1.0, "rsl3": float(a.share(x)), "anti_pdl1": float(b.share(y)), "both": float(a.share(x) * b.share(y))}
        for arm, share in left.items():
            noise = np.random.default_rng([len(arm), int(x * (arm != "anti_pdl1")), int(y * (arm != "rsl3"))]).normal(0, 0.01, seeds) * (arm != "control")
            for r in range(seeds):
                summary.append({"sweep": i, "arm": arm, "replicate": r, "seed": r})
                rows += [{"sweep": i, "arm": arm, "replicate": r, "hour": h, "tumour_alive": size[r] * (1 if h == 0 else share + noise[r])} for h in (0.0, 48.0)]
    for name, table in (("series", rows), ("summary", summary), ("sweep", points)):
        pd.DataFrame(table).to_csv(run / f"{name}.csv", index=False)
    (run / "provenance.json").write_text("{}")
    return run


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    return dose_run(tmp_path_factory.mktemp("swept"))


def test_a_sweep_over_doses_gets_curves_and_a_surface(swept):
    text = report.write(swept, dpi=100).read_text(encoding="utf-8")
    for name in ("dose_response", "surface_anti_pdl1_rsl3"):
        assert imread(swept / "figures" / f"{name}.png")[..., :3].std() > 0.02
    told = plain(text)
    assert "Dose-response" in told and "Over Loewe" in told and "sweep-008" in told


def test_fitted_doses_are_those_that_were_put_in(swept):
    t = doses.table(Run(swept))
    assert t.fit("rsl3").curve.ec50 == pytest.approx(3, rel=0.15) and t.fit("anti_pdl1").curve.ec50 == pytest.approx(5, rel=0.15)
    assert abs(np.mean([r["bliss"].value for r in t.excesses("rsl3", "anti_pdl1")])) < 0.01


def test_loewe_is_answered_point_by_point_with_holm_over_all_of_them(swept):
    none, points = outcomes.answered(Run(swept))
    p = [a.estimate.p for found in points.values() for a in found.answers]
    adjusted = [a.p_adjusted for found in points.values() for a in found.answers]
    assert none is None and len(points) == 9 and np.isfinite(p).all()
    assert adjusted == pytest.approx(list(statistics.holm(p)))
    other = tme.load(swept).compare()
    assert other.points[4].answers[0].estimate == points[4].answers[0].estimate and len(other.excess) == 9 and len(other.doses) == 2
    assert "sweep-004" in str(other)


def test_letters_of_the_new_figures_are_legible(asked, swept):
    from tme.viz.primary import primary

    with style.use():
        drawn = [*primary(Run(asked)), *survival.survival(Run(asked)), *doses.responses(Run(swept)), *doses.surfaces(Run(swept))]
        for one in drawn:
            one.figure.canvas.draw()
            sizes = [t.get_fontsize() for t in one.figure.findobj(lambda o: hasattr(o, "get_fontsize")) if getattr(t, "get_text", lambda: "")()]
            assert min(sizes) >= 7 and len(one.caption) > 80, one.name


def test_a_sweep_over_anything_else_has_no_dose_response(swept, tmp_path):
    run = tmp_path / "other"
    shutil.copytree(swept, run)
    path = run / "sweep-003" / "config.resolved.yaml"
    path.write_text(path.read_text() + "seed: 5\n")
    with pytest.raises(Missing, match="none over doses"):
        doses.table(Run(run))
