"""A posterior as a table: draws of numbers that belong together."""

from __future__ import annotations

import numpy as np
import pytest
from test_study_commands import TINY

import tme
from tme.config import ConfigError
from tme.studies.ranges import Range
from tme.studies.robust import candidates
from tme.studies.sampled import Sampled, sampled_of

K_DIV, D_LETH = "mechanisms.division.k_div", "mechanisms.ferroptosis.d_leth"


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
