"""A study of robustness that is not finished says what its finished draws say."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from made_up import Model
from made_up_four import ARMS, Four, ask

from tme.studies import robust, robust_analysis
from tme.studies.records import NAME
from tme.studies.robust_so_far import so_far
from tme.viz import study as page

BLISS = "bliss(both; immune, drug) > 0"


@pytest.fixture(scope="module")
def asked():
    with pytest.MonkeyPatch.context() as patch:
        ask(patch, 120, 24, 2)
        patch.setattr(robust_analysis, "simple_rivals", lambda *about: {})  # slow, and seen in test_robust
        yield


@pytest.fixture(scope="module")
def whole(asked, tmp_path_factory):
    """A finished study of 120 draws and 24 with two seeds."""
    folder = tmp_path_factory.mktemp("whole") / "s"
    robust.run(Four(arms=ARMS), out=folder, jobs=1, progress=False, model_factory=Model)
    return folder


def stopped(whole, folder, lines):
    """A copy of it as a kill leaves it: the first `lines` of its results, the next one torn, no tables."""
    shutil.copytree(whole, folder, ignore=shutil.ignore_patterns("table.csv", "summary.json"))
    text = (folder / NAME).read_bytes().splitlines(keepends=True)
    (folder / NAME).write_bytes(b"".join(text[:lines]) + text[min(lines, len(text) - 1)][:20])
    return folder, len(text)


def of(summary):
    return next(c for c in summary["conclusions"] if c["contrast"] == BLISS)


def test_with_every_draw_finished_it_says_what_the_finished_study_says(whole, tmp_path):
    folder, _ = stopped(whole, tmp_path / "s", 10**6)
    _, found = so_far(folder, Four(arms=ARMS))
    told = json.loads((whole / "summary.json").read_text())
    assert found["lead"].endswith(told["lead"]) and found["sentences"] == told["sentences"]


def test_half_of_it_has_draws_of_both_kinds_each_with_its_cut_and_a_wider_interval(whole, tmp_path):
    lines = len((whole / NAME).read_bytes().splitlines())
    folder, _ = stopped(whole, tmp_path / "s", lines * 6 // 10)
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    _, found = so_far(folder, Four(arms=ARMS))
    assert before == {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}  # it wrote nothing
    assert 20 <= found["draws"] < 100 and of(found)["draws"] == found["draws"] + found["repeated"]
    assert 0.1 < found["repeated"] / found["draws"] < 0.4  # one in five was asked for
    assert found["lead"].startswith(f"Not finished: {found['draws']} of 120 draws and {found['repeated']} of 24 repeated ones.")
    width, full = (np.subtract(p["high"], p["low"]) for p in (of(found)["probability"], of(json.loads((whole / "summary.json").read_text()))["probability"]))
    assert 1.1 * full < width < 3 * full


def test_too_few_finished_draws_say_nothing(whole, tmp_path):
    folder, _ = stopped(whole, tmp_path / "s", 60)
    assert so_far(folder, Four(arms=ARMS)) is None


def test_its_page_says_that_it_is_not_finished(whole, tmp_path):
    lines = len((whole / NAME).read_bytes().splitlines())
    folder, _ = stopped(whole, tmp_path / "s", lines * 6 // 10)
    text = page.write(folder, dpi=60, so_far=lambda f: so_far(f, Four(arms=ARMS))).read_text()
    assert "Not finished: " in text and not (folder / "summary.json").exists()
