"""A posterior as a table: draws of numbers that belong together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from killed_calibration import A, B
from killed_calibration import main as calibrated
from made_up import Config
from test_study_commands import TINY

import tme
from tme.config import ConfigError
from tme.studies.ranges import Range
from tme.studies.robust_design import candidates
from tme.studies.robust_words import lead
from tme.studies.sampled import Sampled, sampled_of

K_DIV, D_LETH = "mechanisms.division.k_div", "mechanisms.ferroptosis.d_leth"


class Asking(Config):
    """The made-up experiment with a study."""

    origin: ClassVar[dict] = {}


def config_with(folder, table):
    (folder / "draws.csv").write_text(table)
    (folder / "x.yaml").write_text(TINY + "  posterior: draws.csv\n")
    return tme.load_config(folder / "x.yaml")


def test_rows_come_as_often_as_their_weight_says_and_whole(tmp_path):
    sampled = sampled_of(config_with(tmp_path, f"{K_DIV},{D_LETH},weight\n0.0005,50,1\n0.0007,70,3\n"))
    rows = [sampled.row((k + 0.5) / 100) for k in range(100)]
    assert {(r[K_DIV], r[D_LETH]) for r in rows} == {(0.0005, 50.0), (0.0007, 70.0)}
    assert sum(r[D_LETH] == 70 for r in rows) == 75


def test_draws_of_a_study_are_rows_of_the_table():
    rng = np.random.default_rng(1)
    a = rng.uniform(1, 2, 50)
    sampled = Sampled(("a", "b"), np.stack([a, 10 * a], axis=1), np.arange(1.0, 51))
    ranges = sampled.over([Range("c", 0, 1, 0.5), Range("a", 0, 5, 1)])
    assert [r.key for r in ranges] == ["c", "a", "b"] and ranges[1].low == a.min()
    found = [c.point.values for c in candidates(ranges, {}, "draw", 0, 100, 1, 1, sampled)]
    assert all(v["b"] == pytest.approx(10 * v["a"]) for v in found)
    assert len({round(v["a"], 9) for v in found}) == 50 and len({v["c"] for v in found}) == 100


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (f"{K_DIV}\n", "holds no draws"),
        (f"{K_DIV}\nfast\n", "could not convert"),
        (f"{K_DIV},weight\n0.0005,-1\n", "holds no draws"),
        ("mechanisms.division.k_dv\n0.0005\n", "unknown parameter"),
        ("entries.nanoparticles.peg_pdpa_rsl3.diffusion\n80\n", "is no number that this config uses"),
    ],
)
def test_a_table_that_is_none_is_told_with_its_line(tmp_path, table, words):
    with pytest.raises(ConfigError, match=words) as told:
        sampled_of(config_with(tmp_path, table))
    assert "x.yaml:13: study.posterior" in str(told.value)


def test_a_table_that_is_not_there_is_told(tmp_path):
    config = config_with(tmp_path, "")
    (tmp_path / "draws.csv").unlink()
    with pytest.raises(ConfigError, match="No such file"):
        sampled_of(config)


# ---- the directory of a calibration ----------------------------------------------------------------------------
def directory_of(folder, kind="calibrate", table=f"sample,weight,{K_DIV},{D_LETH}\n0,0.25,0.0005,50\n1,0.75,0.0007,70\n"):
    run = folder / "run"
    run.mkdir()
    if kind:
        (run / "study.yaml").write_text(f"kind: {kind}\ndigest: 01234567\n")
    if table:
        (run / "table.csv").write_text(table)
    (folder / "x.yaml").write_text(TINY + "  posterior: run\n")
    return tme.load_config(folder / "x.yaml")


def test_the_directory_of_a_calibration_stands_for_its_table(tmp_path):
    sampled = sampled_of(directory_of(tmp_path))
    assert sampled.keys == (K_DIV, D_LETH)  # the number of a sample is no key
    assert sum(sampled.row((k + 0.5) / 100)[D_LETH] == 70 for k in range(100)) == 75
    assert sampled.effective == pytest.approx(1 / (0.25**2 + 0.75**2))


@pytest.mark.parametrize(
    ("kind", "table", "words"), [("robust", "conclusion\n", "is a study of tme robust; expected the directory of a `tme calibrate`"), ("", "", "is no study directory"), ("calibrate", "", "the calibration is not finished")]
)
def test_a_directory_of_anything_else_is_told(tmp_path, kind, table, words):
    with pytest.raises(ConfigError, match=words):
        sampled_of(directory_of(tmp_path, kind, table))


def test_what_a_calibration_writes_is_what_a_robust_study_draws_from(tmp_path):
    calibrated(tmp_path / "run", sleep_s=0)
    config = Asking(study=SimpleNamespace(posterior=str(tmp_path / "run")))
    sampled = sampled_of(config)
    draws = candidates(sampled.over([Range("c", 0, 1, 0.5)]), {}, "draw", 0, 60, 1, 1, sampled)
    a, b = (np.array([d.point.values[k] for d in draws]) for k in "ab")
    assert abs(a.mean() - A) < 10 and abs(b.mean() - B) < 0.1 and len({d.point.values["c"] for d in draws}) == 60
    rows = {(round(x, 9), round(y, 9)) for x, y in sampled.values}
    assert {(round(x, 9), round(y, 9)) for x, y in zip(a, b)} <= rows


def test_a_page_says_what_came_from_a_posterior():
    s = {"numbers": 9, "switches": {}, "draws": 5, "repeated": 2, "seeds": 3, "readout": "tumour_alive", "day": 8.0, "posterior": {"numbers": 2, "rows": 400, "effective": 312.4}}
    assert lead(s).startswith("9 numbers within their ranges, 2 of them from a posterior of 400 draws (as good as 312 alike), 5 draws")
    assert lead({**s, "posterior": None}).startswith("9 numbers within their ranges, 5 draws")


def test_only_counts_are_drawn_as_whole_numbers():
    """A law's number that a config sets to 0, and a dose of 10, are written without a point and are no counts."""
    from tme.studies.ranges import in_config

    plain = {"mechanisms.division.k_div": 0, "arms.x.drugs.0.dose_mg_kg": 10, "initial.n_cells": 300}
    assert [k for k in plain if in_config(k, plain).whole] == ["initial.n_cells"]
