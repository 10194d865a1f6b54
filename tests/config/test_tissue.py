"""`initial: {kind: cells}`: which rows become cells, where they lie, what markers do, and what no tissue can be."""

import contextlib
import gzip
from pathlib import Path

import numpy as np
import pytest

from tme.config.start import Cells, Measured
from tme.config.tissue import TableError, rows_text, tissue_of
from tme.config.tissue_markers import MarkerFault, factors, otsu
from tme.config.tissue_table import columns_of, read

CONFIGS = Path(__file__).parents[2] / "configs"
HEAD = "horizon_day: 6\ndomain: {size_um: [300, 300]}\n"
ROWS = "x,y,t,s,m\n10,10,T,a,1\n50,10,T,a,2\n10,90,C,b,3\n50,90,T,b,4\n30,50,?,b,5\n"


def spec(tmp_path, text=ROWS, name="t.csv", **changes):
    """A table with its description."""
    (tmp_path / name).write_text(text)
    start = {"kind": "cells", "file": str(tmp_path / name), "columns": {"x": "x", "y": "y", "type": "t"}, "types": {"T": "tumour", "C": "cd8"}}
    return Cells.model_validate(start | changes)


def cells(tmp_path, text=ROWS, size=(300.0, 300.0), **changes):
    return tissue_of(spec(tmp_path, text, **changes), size)


def refusal(tmp_path, text=ROWS, size=(300.0, 300.0), **changes):
    with pytest.raises(TableError) as caught:
        cells(tmp_path, text, size, **changes)
    assert caught.value.exit_code == 2
    return str(caught.value)


# ---- what becomes a cell --------------------------------------------------------------------------------
def test_the_middle_of_the_table_lies_in_the_middle_of_the_domain_and_unmapped_types_are_listed(tmp_path):
    found = cells(tmp_path)
    assert found.kind.tolist() == ["tumour", "tumour", "cd8", "tumour"] and found.row.tolist() == [1, 2, 3, 4]
    assert found.place_um[0].tolist() == [130.0, 110.0, 0.0] and found.table_um[0].tolist() == [10.0, 10.0, 0.0]
    assert found.report["unmapped_types"] == {"?": 1} and found.report["left_out"] == {} and found.report["ignored"] == 0


@pytest.mark.parametrize(("unit", "um"), [({"unit": "mm"}, 1000.0), ({"unit": "nm"}, 0.001), ({"unit": "px", "um_per_px": 0.5}, 0.5), ({"unit_um": 2}, 2.0), ({}, 1.0)])
def test_coordinates_are_in_the_unit_that_is_said(tmp_path, unit, um):
    found = cells(tmp_path, size=(1e6, 1e6), **unit)
    assert np.allclose(found.table_um[:, 0], um * np.array([10, 50, 10, 50]))


def test_only_a_region_and_a_tile_choose_in_turn(tmp_path):
    assert cells(tmp_path, only={"s": "b"}).row.tolist() == [3, 4]
    disc = {"shape": "disc", "centre_um": [10, 10], "radius_um": 41}
    found = cells(tmp_path, roi=disc)
    assert found.row.tolist() == [1, 2] and found.report["left_out"] == {"outside the region of interest": 3}
    assert found.place_um[0, :2].tolist() == [150.0, 150.0]  # the middle of the disc, not of its cells, is in the middle
    polygon = {"shape": "polygon", "points_um": [[0, 0], [60, 0], [60, 100], [45, 100], [45, 20], [0, 20]]}
    assert cells(tmp_path, roi=polygon).row.tolist() == [1, 2, 4]
    box = {"shape": "box", "from_um": [0, 0], "to_um": [60, 60]}
    assert cells(tmp_path, roi=box, tile={"size_um": [30, 30], "index": [1, 0]}).row.tolist() == [2]


def test_every_cell_is_in_exactly_one_tile(tmp_path):
    rng = np.random.default_rng(1)
    text = "x,y,t\n" + "".join(f"{x:.3f},{y:.3f},T\n" for x, y in rng.uniform(-50, 150, (60, 2)))
    seen = []
    for i in range(3):
        for j in range(2):
            with contextlib.suppress(TableError):  # a tile may be empty
                seen += cells(tmp_path, text, tile={"size_um": [70, 120], "index": [i, j]}).row.tolist()
    assert sorted(seen) == list(range(1, 61))


def test_copies_lie_side_by_side_and_every_other_one_is_mirrored(tmp_path):
    found = cells(tmp_path, repeat=[2, 1])
    x = found.place_um[:, 0] - found.place_um[:, 0].min()
    assert x.tolist() == [0.0, 40.0, 0.0, 40.0, 80.0, 40.0, 80.0, 40.0]
    assert found.place_um[:, 0].min() + found.place_um[:, 0].max() == 300.0 and found.row.tolist() == [1, 2, 3, 4] * 2


def test_a_cell_on_the_far_edge_of_the_domain_lies_in_it(tmp_path):
    assert len(cells(tmp_path, size=(40.0, 80.0)).row) == 4


# ---- what is refused ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "changes", "words"),
    [
        ("x,y,t\n1,2,T\n,4,T\n5,nan,T\nNA,1,C\n", {}, ["columns.x: column 'x' has no number in rows 2 and 4 (no value)", "columns.y: column 'y' has no number in row 3"]),
        ("x,y,t\n1,2,T\nleft,4,T\n", {}, ["has no number in row 2 ('left')"]),
        ("x;y;t\n1,5;2;T\n3;4;T\n", {}, ["has no number in row 1 ('1,5'; a decimal comma?)"]),
        ("x,y,t\ninf,2,T\n3,4,T\n", {}, ["has no number in row 1"]),
        ("x,y,t\n1,2,T\n3,4,T\n1,2,T\n", {}, ["columns.x: rows 1 and 3 are cells of one type at one place"]),
        ("x,y,t,s\n1,2,T,7\n3,4,T,8\n5,6,C,7\n", {"columns": {"x": "x", "y": "y", "type": "t", "id": "s"}}, ["columns.id: rows 1 and 3 are cells with one id"]),
        ("x,y,t\n0,0,T\n0,900,T\n", {}, ["columns.y: the cells span 900 um along y, the domain 300 um: 2 lie outside, rows 1 and 2"]),
        ("x,y,t\n0,0,C\n0,9,C\n", {}, ["no cell that is kept maps to 'tumour'"]),
        ("x,y,t\n", {}, ["has no rows"]),
        ("x,y,t\n1,2\n3,4,T,9,9\n", {}, ["row 1 has 2 fields; the header has 3"]),
        ("x,x,y,t\n1,1,2,T\n", {}, ["has 2 columns named 'x'"]),
        (ROWS, {"only": {"s": ["A"]}}, ["only.s: no row has 'A'", "did you mean 'a'?"]),
        (ROWS, {"roi": {"shape": "disc", "centre_um": [900, 900], "radius_um": 5}}, ["roi: has no cells; expected a part of the table, which spans (10, 10) to (50, 90) um"]),
        (ROWS, {"tile": {"size_um": [20, 20], "index": [2, 0]}}, ["tile.index: there is no tile [2, 0]; expected [0, 0] to [1, 3]"]),
        (ROWS, {"traits": {"m": {"state": "pdl1", "by": "gated", "gate": ["x"], "high": 1, "low": 0}}}, ["traits.m: no tumour cell has 'x'"]),
        ("x,y,t,m\n1,2,T,-1\n3,4,T,2\n", {"traits": {"m": {"trait": "xct"}}}, ["traits.m: holds -1.0 in row 1; expected numbers from 0 on"]),
        ("x,y,t,m\n1,2,T,1\n3,4,T,\n5,6,C,\n", {"traits": {"m": {"trait": "xct", "by": "rank"}}}, ["traits.m: holds nothing in row 2; expected numbers"]),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_a_tissue_is_refused_with_its_rows(tmp_path, text, changes, words):
    said = refusal(tmp_path, text, **changes)
    for word in words:
        assert word in said


def grid(step):
    """Cells on a square grid."""
    return "x,y,t\n" + "".join(f"{step * i},{step * j},T\n" for i in range(10) for j in range(10))


@pytest.mark.parametrize(("step", "unit", "words"), [(0.009, "um", "unit: mm?"), (9, "mm", "unit: um?"), (9000, "um", "unit: nm?"), (9, "nm", "unit: um?")])
def test_a_wrong_unit_is_told_by_how_far_apart_neighbours_are_and_the_right_one_named(tmp_path, step, unit, words):
    assert words in refusal(tmp_path, grid(step), size=(1e7, 1e7), unit=unit)


def test_what_is_left_out_by_request_is_counted(tmp_path):
    text = "x,y,t\n0,0,T\n,4,T\n0,0,T\n0,350,C\n0,100,T\n"
    found = cells(tmp_path, text, size=(300.0, 349.5), missing="leave_out", duplicates="leave_out", outside="leave_out")
    assert found.report["left_out"] == {"missing": 1, "duplicates": 1, "outside the domain": 2}
    assert found.row.tolist() == [5]


def test_rows_are_told_in_few_words():
    assert [rows_text(np.arange(1, n + 1)) for n in (1, 2, 5, 7)] == ["row 1", "rows 1 and 2", "rows 1, 2, 3, 4 and 5", "rows 1, 2, 3, 4, 5 and 2 more"]


@pytest.mark.parametrize(
    ("initial", "words"),
    [
        ("unit: px", "initial.um_per_px: missing"),
        ("unit: mm, um_per_px: 2", "um_per_px: goes with unit: px"),
        ("unit: mm, unit_um: 2", "unit_um: is said beside unit: mm"),
        ("unit: mmm", "did you mean 'mm'?"),
        ("only: {S: a}", "did you mean 's'?"),
        ("roi: {shape: box, from_um: [5, 5], to_um: [9, 5]}", "is not beyond from_um along every axis"),
        ("roi: {shape: disc, centre_um: [5, 5, 1], radius_um: 3}", "has 3 coordinates; expected at most 2"),
        ("roi: {shape: polygon, points_um: [[5, 5], [1, 2]]}", "at least 3"),
        ("roi: {shape: circle}", "unknown shape 'circle'"),
        ("repeat: [0, 1]", "at least 1"),
        ("duplicates: drop", "one of keep, leave_out, refuse"),
        ("traits: {m: {trait: xct, by: gated, gate: 2, high: 2}}", "initial.traits.m.low: missing"),
        ("traits: {m: {trait: xct, by: gated, gate: otus, high: 2, low: 1}}", "is 'otus'; expected a number, otsu, or a list of names"),
        ("traits: {m: {trait: xct, by: rank, power: 2}}", "power: does nothing where a marker is rank"),
        ("traits: {m: {trait: xct, gate: 2}}", "gate: does nothing where a marker is scaled"),
        ("traits: {m: {state: gsh, by: rank, absolute: true}}", "ranks have no unit"),
    ],
)  # fmt: skip
def test_what_a_config_says_wrongly_of_its_table_is_told_with_its_line(yaml, initial, words):
    yaml.write(ROWS, "t.csv")
    said = str(yaml.only(base=HEAD + f"initial: {{kind: cells, file: t.csv, columns: {{x: x, y: y, type: t}}, types: {{T: tumour, C: cd8}}, {initial}}}\n"))
    assert words in said and "x.yaml:3" in said


def test_a_table_is_checked_with_the_config_and_every_fault_has_its_line(yaml):
    yaml.write("x,y,t\n1,2,T\n,5,T\n7,north,T\n", "t.csv")
    faults = yaml.faults(base=HEAD + "initial:\n  kind: cells\n  file: t.csv\n  columns:\n    x: x\n    y: y\n    type: t\n  types: {T: tumour}\n")
    assert [(f.line, f.key) for f in faults] == [(7, "initial.columns.x"), (8, "initial.columns.y")]


def test_a_third_coordinate_needs_a_third_dimension(yaml):
    yaml.write("x,y,z,t\n1,2,3,T\n", "t.csv")
    start = "initial: {kind: cells, file: t.csv, columns: {x: x, y: y, z: z, type: t}, types: {T: tumour}}\n"
    assert "is of no use in two dimensions" in str(yaml.only(base=HEAD + start))
    assert yaml.load(base=HEAD.replace("[300, 300]", "[300, 300, 300]") + start).initial.columns["z"] == "z"


# ---- markers --------------------------------------------------------------------------------------------
def test_ranks_ignore_the_unit_and_ties_share_their_place():
    rule = Measured(trait="xct", by="rank", max_fold=3)
    values = np.array([5.0, 1.0, 5.0, 100.0, -2.0])
    got = factors(rule, values)
    assert np.array_equal(got, factors(rule, np.exp(values)))  # any rising function of a marker says the same
    assert got[0] == got[2] and got.min() == pytest.approx(1 / 3) and got.max() == pytest.approx(3.0)
    assert np.log(got).mean() == pytest.approx(0.0, abs=1e-12)


def test_a_gate_splits_cells_in_two():
    values = np.array([1.0, 2.0, 3.0])
    assert factors(Measured(state="pdl1", by="gated", gate=2, high=0.6, low=0.1, absolute=True), values).tolist() == [0.1, 0.6, 0.6]
    assert factors(Measured(state="pdl1", by="gated", gate=("p",), high=2, low=1), np.array(["p", "n"], object)).tolist() == [2.0, 1.0]


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e4])
def test_otsu_finds_the_valley_between_two_populations_in_any_unit(scale):
    rng = np.random.default_rng(3)
    low, high = rng.lognormal(0.0, 0.3, 700), rng.lognormal(2.0, 0.3, 300)
    cut = otsu(scale * np.r_[low, high])
    assert np.mean(scale * low >= cut) < 0.01 and np.mean(scale * high >= cut) > 0.98
    with pytest.raises(MarkerFault, match="one value"):
        otsu(np.ones(5))


# ---- files ----------------------------------------------------------------------------------------------
def test_separators_compression_and_a_byte_order_mark_are_found_out(tmp_path):
    (tmp_path / "a.tsv").write_text("x\ty\tcell, type\n1\t2\tT\n")
    (tmp_path / "b.csv").write_text("\ufeffx;y;t\n1;2;T\n", encoding="utf-8")
    with gzip.open(tmp_path / "c.csv.gz", "wt") as file:
        file.write(ROWS)
    assert columns_of(tmp_path / "a.tsv") == ["x", "y", "cell, type"] and columns_of(tmp_path / "b.csv") == ["x", "y", "t"]
    assert read(tmp_path / "c.csv.gz", ["x"], ["t"])["t"].tolist() == ["T", "T", "C", "T", "?"]


def test_types_are_text_whatever_they_look_like(tmp_path):
    (tmp_path / "t.csv").write_text("x,y,t\n1,2,1\n3,4,NA\n5,6,\n7,8,01\n")
    assert read(tmp_path / "t.csv", [], ["t"])["t"].tolist() == ["1", "NA", "", "01"]


def h5ad(path, sparse=""):
    """A small file in AnnData's layout, written by hand; `sparse` is csr or csc."""
    import h5py
    from scipy import sparse as sp

    x = np.array([[0.0, 5.0], [2.0, 0.0], [0.0, 7.0]])
    with h5py.File(path, "w") as file:
        obs = file.create_group("obs")
        obs.attrs["_index"] = "_index"
        obs["_index"] = ["a", "b", "c"]
        kind = obs.create_group("kind")
        kind["categories"], kind["codes"] = ["T", "C"], np.array([0, 1, -1], np.int8)
        obs["leiden"] = np.array([1.0, 2.0, 3.0])
        masked = obs.create_group("maybe")
        masked["values"], masked["mask"] = np.array([4, 5, 6]), np.array([False, True, False])
        file["obsm/spatial"] = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        file["obsm/X_pca"] = np.zeros((3, 40))
        var = file.create_group("var")
        var.attrs["_index"] = "gene"
        var["gene"] = ["SLC7A11", "GPX4"]
        if not sparse:
            file["X"] = x
            return x
        matrix, group = getattr(sp, f"{sparse}_matrix")(x), file.create_group("X")
        group.attrs["encoding-type"], group.attrs["shape"] = f"{sparse}_matrix", x.shape
        for part in ("data", "indices", "indptr"):
            group[part] = getattr(matrix, part)
    return x


@pytest.mark.parametrize("sparse", ["", "csr", "csc"])
def test_an_h5ad_gives_cells_coordinates_and_genes(tmp_path, sparse):
    x = h5ad(tmp_path / "t.h5ad", sparse)
    assert set(columns_of(tmp_path / "t.h5ad")) >= {"kind", "leiden", "spatial_0", "spatial_1", "SLC7A11", "GPX4"}
    got = read(tmp_path / "t.h5ad", ["spatial_1", "GPX4", "X:SLC7A11"], ["kind", "leiden", "maybe"])
    assert got["GPX4"].tolist() == x[:, 1].tolist() and got["X:SLC7A11"].tolist() == x[:, 0].tolist()
    assert got["kind"].tolist() == ["T", "C", ""] and got["leiden"].tolist() == ["1", "2", "3"] and got["maybe"].tolist() == ["4", "", "6"]
    start = {"kind": "cells", "file": str(tmp_path / "t.h5ad"), "columns": {"x": "spatial_0", "y": "spatial_1", "type": "kind"}, "types": {"T": "tumour", "C": "cd8"},
             "traits": {"GPX4": {"trait": "gpx4_trait"}}}  # fmt: skip
    found = tissue_of(Cells.model_validate(start), (300.0, 300.0))
    assert found.kind.tolist() == ["tumour", "cd8"] and found.factors["GPX4"].tolist() == [1.0]


def test_a_file_that_anndata_wrote_is_read(tmp_path):
    anndata = pytest.importorskip("anndata", reason="anndata is not installed (extra `spatial`)")
    import pandas as pd

    obs = pd.DataFrame({"kind": pd.Categorical(["T", None, "C"]), "n": [1.5, 2.5, 3.5]}, index=["a", "b", "c"])
    anndata.AnnData(np.eye(3), obs=obs, obsm={"spatial": np.arange(6.0).reshape(3, 2)}).write_h5ad(tmp_path / "t.h5ad")
    got = read(tmp_path / "t.h5ad", ["n", "spatial_0", "1"], ["kind"])
    assert got["kind"].tolist() == ["T", "", "C"] and got["spatial_0"].tolist() == [0.0, 2.0, 4.0] and got["1"].tolist() == [0.0, 1.0, 0.0]


DAMAGED = gzip.compress(b"x,y,t\n" + b"1,2,T\n" * 200, mtime=0)[:10] + b"\xff" * 60  # a good head, and then no deflate stream; no clock in a name of a test


@pytest.mark.parametrize(("name", "content"), [("t.h5ad", b"x,y,t\n"), ("t.csv", b"\xff\xfe\x00x"), ("t.csv.gz", b"no gzip"), ("t.csv.gz", DAMAGED), ("t.csv", b"\n\n")])
def test_what_is_no_table_is_told_without_a_traceback(yaml, name, content):
    yaml.write(content, name)
    fault = yaml.only(base=HEAD + f"initial: {{kind: cells, file: {name}, columns: {{x: x, y: y, type: t}}, types: {{T: tumour}}}}\n")
    assert fault.key == "initial.file"


def test_an_experiment_may_go_over_tiles(yaml):
    yaml.write(ROWS, "t.csv")
    start = "initial: {kind: cells, file: t.csv, columns: {x: x, y: y, type: t}, types: {T: tumour}, tile: {size_um: [30, 90], index: [0, 0]}}\n"
    config = yaml.load("sweep: {initial.tile.index: [[0, 0], [1, 0]]}\n", base=HEAD + start)
    assert config.with_values({"initial.tile.index": [1, 0], "sweep": {}}).initial.tile.index == (1, 0)
    assert "there is no tile [2, 0]" in str(yaml.faults("sweep: {initial.tile.index: [[0, 0], [2, 0]]}\n", base=HEAD + start)[0])


def test_the_config_of_the_page_is_sound(yaml):
    import re

    page = (CONFIGS.parent / "docs" / "tissue.md").read_text(encoding="utf-8")
    (start,) = re.findall(r"```yaml\n(initial:.*?)```", page, re.DOTALL)
    rows = ["X,Y,phenotype,cell_id,slide,focus,SLC7A11,GPX4,PDL1"]
    kinds = ("CK+", "CD8+ T", "TAM", "debris", "what")
    rows += [f"{450 + 20 * (k % 20)},{1650 + 20 * (k // 20)},{kinds[k % 5]},{k},A3,{1 + k % 3},{k % 7},{k % 11},{900 * (k % 2) + k}" for k in range(200)]
    yaml.write("\n".join(rows) + "\n", "cells.csv")
    initial = yaml.load(base=HEAD.replace("[300, 300]", "[1100, 1100]") + start).initial
    found = tissue_of(initial, (1100.0, 1100.0))
    assert set(found.kind) == {"tumour", "cd8", "macrophage"} and set(found.factors) == {"SLC7A11", "GPX4", "PDL1"} and set(found.factors["PDL1"]) == {0.05, 0.5}


def test_the_made_up_codex_table_is_what_its_script_writes(tmp_path):
    import subprocess
    import sys

    (tmp_path / "codex_field.py").write_text((CONFIGS / "codex_field.py").read_text())
    subprocess.run([sys.executable, str(tmp_path / "codex_field.py")], check=True)
    assert (tmp_path / "codex_field.csv").read_bytes() == (CONFIGS / "codex_field.csv").read_bytes()
