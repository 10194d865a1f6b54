"""Tables of cells: which column is what, units, groups, types; every fault told with row and column."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest

from tme.config import ConfigError
from tme.experiments.h5ad import write_h5ad
from tme.spatial import Reading, read
from tme.spatial.tables import read_all, unit_um

HOSTILE = ["$\\frac{", "<script>alert(1)</script>", "[red]x[/red][/]", "=cmd|' /C calc'!A0", "a,b\"c", "tab\tand\x1b[31mcolour", "ünï", "細胞", "_hidden", "x" * 300]


def table(path, **columns):
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_columns_are_found_by_the_names_they_go_by(tmp_path):
    path = table(tmp_path / "a.csv", cell_id=[1, 2, 3], AbsoluteX=[0.0, 10, 20], AbsoluteY=[0, 5, 1.5], **{"Cell Type": ["t", "u", "t"]})
    found = read(path)
    assert found.columns == {"x": "AbsoluteX", "y": "AbsoluteY", "type": "Cell Type"} and found.found == {"t": 2, "u": 1}
    of = found.groups[""]
    assert of.types == ("t", "u") and sorted(map(tuple, of.points)) == [(0, 0), (10, 5), (20, 1.5)]


def test_units_types_groups_and_marks_are_as_asked_for(tmp_path):
    path = table(tmp_path / "a.csv", px=[0, 100, 200, 50], py=[0, 10, 20, 5], kind=["p", "n", "junk", "n"], field=["one", "one", "one", "two"], m=[1, None, 3, 4])
    path.write_text(path.read_text() + "60,9,p,two,7\n")
    found = read(path, Reading({"x": "px", "y": "py", "type": "kind"}, {"p": "tumour", "n": "tumour", "junk": "ignore"}, unit_um("0.5"), ("m",), "field"))
    assert set(found.groups) == {"one", "two"} and found.left_out == 1
    one, two = found.groups["one"], found.groups["two"]
    assert one.types == ("tumour",) and np.ptp(one.points, axis=0) == pytest.approx([50, 5]) and np.isnan(one.marks["m"]).sum() == 1
    assert sorted(two.marks["m"]) == [4, 7]


def test_corpses_are_types_of_their_own_without_marks(tmp_path):
    path = table(tmp_path / "a.csv", x=[0, 1, 2], y=[0, 1, 2], cell_type=["tumour"] * 3, fate=["alive", "ferroptosis", "necrosis"], death_hour=[None, 5.5, 3], pdl1=[0.1, 0.2, 0.3])
    of = read(path, Reading(marks=("pdl1",))).groups[""]
    assert of.types == ("dead_ferroptosis", "dead_other", "tumour") and of.dead.sum() == 1 and np.nansum(of.death_hour) == 5.5
    assert np.isfinite(of.marks["pdl1"]).sum() == 1


def test_an_h5ad_of_ours_and_one_with_every_kind_of_column_are_read(tmp_path):
    n = 5
    cells = {"x_um": np.arange(n) * 10.0, "y_um": np.arange(n) * 1.0, "z_um": np.full(n, 7.5), "uid": np.arange(n), "cell_type": np.array(["cd8", "tumour", "tumour", "tumour", "cd8"]),
             "fate": np.full(n, "alive"), "gsh": np.arange(n) * 1.0}  # fmt: skip
    write_h5ad(tmp_path / "a.h5ad", cells, {"hour": 1.0})
    of = read(tmp_path / "a.h5ad", Reading(marks=("gsh",))).groups[""]
    assert of.ndim == 2 and of.n == n and list(of.counts) == [2, 3] and np.nansum(of.marks["gsh"]) == 10
    with h5py.File(tmp_path / "a.h5ad", "a") as file:  # a nullable column, and text as bytes, as other writers have them
        group = file["obs"].create_group("score")
        group["values"], group["mask"] = np.arange(n), np.array([True, False, False, False, False])
        file["obs"]["batch"] = np.array([b"one"] * n)
    again = read(tmp_path / "a.h5ad", Reading(marks=("score",), by="batch")).groups["one"]
    assert np.isnan(again.marks["score"]).sum() == 1 and np.nansum(again.marks["score"]) == 10


@pytest.mark.parametrize(
    ("columns", "how", "words"),
    [
        ({"x": [0, 1], "y": [0, 1]}, {}, r"a\.csv:1: type: which column it is cannot be told; expected --columns type=NAME"),
        ({"x": [0, 1], "X": [0, 1], "y": [0, 1], "type": list("ab")}, {}, r"x: may be 'x' or 'X'; expected --columns x=NAME"),
        ({"x": [0, "far", "near", 3], "y": [0, 1, 2, 3], "type": list("abcd")}, {}, r"a\.csv:3: x: is 'far' in row 2 \(2 rows: 2, 3\); expected a finite number"),
        ({"x": [0, 1, 2], "y": [0, "inf", 2], "type": list("abc")}, {}, r"a\.csv:3: y: is 'inf' in row 2"),
        ({"x": [0, 1, 2], "y": [0, 1, 2], "type": ["a", None, " "]}, {}, r"a\.csv:3: type: has no type in row 2 \(2 rows: 2, 3\)"),
        ({"x": [0, 1], "y": [0, 1], "type": list("ab")}, {"types": {"tumor": "t"}}, r"--types: tumor: no cell of a\.csv has this type; expected one of a, b"),
        ({"x": [0, 1], "y": [0, 1], "type": list("ab")}, {"columns": {"typ": "type"}}, r"--columns: typ: unknown meaning of a column; .* did you mean 'type'"),
        ({"x": [0, 1], "y": [0, 1], "type": list("ab")}, {"columns": {"x": "xx"}}, r"a\.csv:1: x: there is no column 'xx'; .*did you mean 'x'"),
        ({"x": [0, 1], "y": [0, 1], "type": list("ab"), "m": [1, "high"]}, {"marks": ("m",)}, r"a\.csv:3: m: is 'high' in row 2"),
        ({"x": [0, 1], "y": [0, 1], "type": list("ab")}, {"marks": ("cd3",)}, r"--mark: there is no column 'cd3'"),
        ({"x": [0, 1], "y": [0, 1], "type": list("ab")}, {"types": {"a": "ignore", "b": "ignore"}}, "every type of the table is ignored"),
        ({"x": [0], "y": [0], "type": ["a"]}, {}, "1 cells have no neighbours"),
        ({"x": range(70), "y": range(70), "type": [f"t{k}" for k in range(70)]}, {}, "70 types of cells; expected at most 64"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_row_and_column(tmp_path, columns, how, words):
    with pytest.raises(ConfigError, match=words) as error:
        read(table(tmp_path / "a.csv", **columns), Reading(**how))
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "there is no such file"),
        ("a.txt", b"x,y,type\n", "'.txt' is no table"),
        ("a.csv", b"", "cannot be read"),
        ("a.csv", b"x,y,type\n", "has no rows"),
        ("a.csv", b"\xff\xfe\x00", "cannot be read"),
        ("a.csv", b'x,y,type\n1,2,"a\n1,2,3,4,5\n', "cannot be read"),
        ("a.h5ad", b"no HDF5", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        read(tmp_path / name)


def test_faults_of_all_tables_are_told_at_once(tmp_path):
    one, two = table(tmp_path / "one.csv", x=["?", 1], y=[0, 1], type=list("ab")), table(tmp_path / "two.csv", x=[0, 1], y=["!", 1], type=list("ab"))
    with pytest.raises(ConfigError) as error:
        read_all([one, two], Reading())
    assert len(error.value.faults) == 2


def test_hostile_names_are_names(tmp_path):
    n = len(HOSTILE)
    path = table(tmp_path / "a.csv", x=np.arange(3 * n) * 7.0 % 50, y=np.arange(3 * n) * 3.0, type=HOSTILE * 3)
    assert set(read(path).groups[""].types) == set(HOSTILE)
