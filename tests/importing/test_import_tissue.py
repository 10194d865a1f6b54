"""`tme import tissue`: what it proposes, what it is unsure of, what it draws, what it refuses."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_up_table import codex, packed

from tme.importing import tissue_names as names
from tme.importing.tissue import Asked, ImportFault, propose
from tme.importing.tissue_text import as_yaml, config_text, quoted, told
from tme.library import load_library
from tme.model import TumourModel, load_config

KINDS = tuple(load_library().cells)
HOSTILE = ("tumour $x_{1}$", "<script>alert(1)</script>", "CD8\x1b[31m T cell\u202e", 'a: "b" # {c} [d]', "- !!python/object:os.system", "x" * 300, "Ünï ✓ 細胞")


def table(text, name="t.csv"):
    Path(name).write_text(text, encoding="utf-8")
    return Path(name)


def is_png(path):
    return Path(path).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


# ---- the proposal ---------------------------------------------------------------------------------------
def test_a_codex_table_becomes_a_config_that_runs_and_a_picture(tme):
    table(codex())
    code, out, _err = tme("import", "tissue", "t.csv", "--out", "c.yaml")
    assert code == 0 and is_png("c.png") and sorted(p.name for p in Path().iterdir()) == ["c.png", "c.yaml", "t.csv"]
    assert "'PDL1n' (130) -> tumour   unsure: PD-L1 is on tumour cells and macrophages" in out and "unsure of" in out
    config = load_config("c.yaml")
    start = config.initial
    assert start.columns == {"x": "AbsoluteX", "y": "AbsoluteY", "type": "Cell Type", "id": "cell_id"} and start.unit == "um"
    assert start.types == {"PDL1n": "tumour", "PDL1p": "tumour", "PD1p": "cd8"} and start.traits["PDL1"].state == "pdl1" and start.traits["PDL1"].by == "rank"
    model = TumourModel(config, seed=1)
    assert (model.tumour.n, model.cd8.n) == (195, 5)
    model.step()
    text = Path("c.yaml").read_text()
    assert 'file: "t.csv"' in text and text.count("unsure") >= 5


def test_without_out_the_config_is_printed_and_nothing_written(tme):
    table(codex())
    code, out, _err = tme("import", "tissue", "t.csv")
    assert code == 0 and "kind: cells" in out and [p.name for p in Path().iterdir()] == ["t.csv"]
    Path("printed.yaml").write_text(out[out.index("# Proposed") :])
    assert load_config("printed.yaml").initial.kind == "cells"


def test_what_is_said_by_options_is_taken_and_leaves_no_doubt(tme):
    table(codex(names=("alpha", "beta", "gamma"), scale=2.0))
    code, _out, err = tme("import", "tissue", "t.csv", "--out", "c.yaml", "--type", "Cell Type", "--map", "gamma=cd8")
    assert code == 2 and "no type is known as the tumour; expected --map NAME=tumour, of one of 'alpha', 'beta', 'gamma'" in err and not Path("c.yaml").exists()
    said = ["--type", "Cell Type", "--map", "alpha=tumour", "--map", "beta=macrophage", "--map", "gamma=cd8", "--unit", "px", "--um-per-px", "0.5", "--dx", "20"]
    code, out, _err = tme("import", "tissue", "t.csv", "--out", "c.yaml", *said, "--x", "AbsoluteX", "--y", "AbsoluteY")
    start = load_config("c.yaml").initial
    assert code == 0 and (start.unit, start.um_per_px) == ("px", 0.5) and start.types == {"alpha": "tumour", "beta": "macrophage", "gamma": "cd8"}
    assert load_config("c.yaml").domain.dx_um == 20 and "types:" not in out.split("unsure of")[1]


@pytest.mark.parametrize(("scale", "unit"), [(1.0, "um"), (0.001, "mm"), (1000.0, "nm")])
def test_the_unit_is_told_by_how_far_apart_neighbours_are_and_doubted(tme, scale, unit):
    proposal = propose(table(codex(scale=scale)), Asked())
    assert proposal.spec.unit == unit and any(key == "unit" for key, _ in proposal.doubts)


def test_a_unit_in_a_name_is_believed_and_pixels_need_their_size(tme):
    text = codex().replace("AbsoluteX", "Centroid X µm").replace("AbsoluteY", "Centroid Y µm")
    proposal = propose(table(text), Asked())
    assert proposal.spec.unit == "um" and not any(key == "unit" for key, _ in proposal.doubts)
    with pytest.raises(ImportFault, match=r"counts pixels; expected --um-per-px.*neighbours are .* px apart"):
        propose(table(codex().replace("AbsoluteX", "x_px").replace("AbsoluteY", "y_px")), Asked())
    with pytest.raises(ImportFault, match="fits no unit of length; expected --unit px"):
        propose(table(codex(scale=20.0)), Asked())


def test_of_several_images_the_one_with_most_tumour_cells_is_taken(tme):
    one, two = codex(region="first"), codex(names=("PDL1n", "PD1n", "PD1n"), region="second").replace("\n", "\n1", 1)
    proposal = propose(table(one + "".join(f"9{line}\n" for line in two.splitlines()[1:])), Asked())
    assert proposal.spec.only == {"Region": ("first",)} and any(key == "only" for key, _ in proposal.doubts)


def test_a_table_that_is_too_large_gets_a_region_where_the_tumour_is(tme):
    rng = np.random.default_rng(5)
    cells = [f"{x:.1f},{y:.1f},{t}" for x, y, t in [*((*p, "tumor") for p in packed(900) + 7000.0), *((*p, "T cell") for p in rng.uniform(0, 12000, (300, 2)))]]
    proposal = propose(table("\n".join(["x_um,y_um,celltype", *cells]) + "\n"), Asked())
    box = proposal.spec.roi
    assert all(a <= 7000 and b >= 7390 for a, b in zip(box.from_um, box.to_um)) and proposal.arrangement.report["placed"]["tumour"] == 900
    assert any(key == "roi" for key, _ in proposal.doubts)


def test_the_widest_voxel_is_proposed_that_leaves_most_cells_in_their_own(tme):
    wide = propose(table(codex(scale=1.3)), Asked())
    dense = propose(table(codex(scale=0.7)), Asked())
    assert wide.dx_um == 15.0 and len(wide.tried) == 1 and dense.dx_um == dense.tried[-1][0] < 12.0 and dense.thickness_um * dense.dx_um**2 >= 2494
    assert all(share is None or share > 0.35 for _dx, share in dense.tried[:-1]) and dense.tried[-1][1] <= 0.35
    assert any(key == "domain" for key, _ in dense.doubts)


def test_an_h5ad_with_genes_is_proposed_too(tme):
    import h5py

    with h5py.File("t.h5ad", "w") as file:
        place = packed()
        file["obsm/spatial"] = place
        kind = file.create_group("obs/cell_type")
        kind["categories"], kind["codes"] = ["Malignant", "CD8+ T cell"], (np.arange(len(place)) % 10 == 0).astype(np.int8)
        file["obs"].attrs["_index"], file["obs/_index"] = "_index", [f"c{k}" for k in range(len(place))]
        file.create_group("var").attrs["_index"] = "_index"
        file["var/_index"] = ["SLC7A11", "ACTB"]
        file["X"] = np.random.default_rng(1).poisson(4.0, (len(place), 2)).astype(float)
    code, out, _err = tme("import", "tissue", "t.h5ad", "--out", "c.yaml")
    start = load_config("c.yaml").initial
    assert code == 0, out
    assert start.columns["x"] == "spatial_0" and start.types == {"Malignant": "tumour", "CD8+ T cell": "cd8"} and start.traits["SLC7A11"].trait == "xct"


def test_a_snapshot_of_a_run_becomes_the_start_of_another(tme):
    """Corpses stay behind, and guests may sit where a tumour cell does."""
    from tme.experiments.h5ad import write_h5ad

    model = TumourModel(load_config(table("name: a\nhorizon_day: 1\ndomain: {size_um: [300, 300]}\ninitial: {kind: nodule, n_cells: 90}\npopulations: {cd8: {per_mm2: 900}}\n", "a.yaml")), seed=1)
    cells = model.cells_table()
    cells["fate"] = np.where(np.arange(len(cells["x_um"])) < 3, "necrosis", "alive")  # the first rows are tumour cells
    write_h5ad(Path("s.h5ad"), cells, {}, flat=True)
    assert model.cd8.n > 0
    proposal = propose(Path("s.h5ad"), Asked(dx_um=15.0))
    assert proposal.spec.only == {"fate": ("alive",)} and proposal.spec.duplicates == "keep"
    assert proposal.arrangement.report["placed"] == {"tumour": 87, "cd8": model.cd8.n} and max(proposal.arrangement.report["moved"].values()) == 0.0
    assert np.allclose(np.ptp(proposal.arrangement.tissue.place_um, axis=0)[:2], np.ptp(proposal.arrangement.tissue.table_um, axis=0)[:2])


# ---- names ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "kind", "sure"),
    [
        ("Tumor", "tumour", True), ("CK+ tumor cells", "tumour", True), ("Malignant_epithelial", "tumour", True), ("Melanoma", "tumour", True), ("Epithelial", "tumour", False),
        ("CD8+ T cells", "cd8", True), ("T_CD8", "cd8", True), ("CD3+CD8+", "cd8", True), ("Cytotoxic T", "cd8", True), ("tumor infiltrating lymphocytes", "cd8", False),
        ("CD4 T", "cd4", True), ("CD3+CD4+CD8-", "cd4", True), ("Th1", "cd4", True), ("Treg", "treg", True), ("CD4+FOXP3+", "treg", True), ("regulatory T", "treg", True),
        ("Tumor-associated macrophage", "macrophage", True), ("TAM", "macrophage", True), ("M2", "macrophage", True), ("CD68+", "macrophage", True), ("Monocyte", "macrophage", False),
        ("cDC", "dendritic", True), ("pDCs", "dendritic", True), ("DC1", "dendritic", True), ("B cell", "b_cell", True), ("Plasma", "b_cell", False), ("NK", "nk", True),
        ("PMN-MDSC", "mdsc", True), ("Neutrophils", "neutrophil", True), ("CAF", "caf", True), ("Fibroblasts", "caf", True), ("stroma", "caf", False),
        ("Hepatocyte", "normal", False), ("Endothelial", "ignore", False), ("Unknown", "ignore", True), ("", "ignore", True), ("cluster 7", "ignore", False), ("PDL1p", "tumour", False),
    ],
)  # fmt: skip
def test_names_of_cell_types_are_understood(name, kind, sure):
    guess = names.cell_type(name, KINDS)
    assert (guess.value, not guess.doubt) == (kind, sure)


@pytest.mark.parametrize(
    ("columns", "pair"),
    [
        (["cell", "AbsoluteX", "AbsoluteY"], ("AbsoluteX", "AbsoluteY", "")),
        (["x", "y", "z"], ("x", "y", "z")),
        (["CellID", "X_centroid", "Y_centroid"], ("X_centroid", "Y_centroid", "")),
        (["CenterX_local_px", "CenterY_local_px", "CenterX_global_px", "CenterY_global_px"], ("CenterX_global_px", "CenterY_global_px", "")),
        (["Centroid X µm", "Centroid Y µm"], ("Centroid X µm", "Centroid Y µm", "")),
        (["center_x", "center_y", "min_x", "min_y"], ("center_x", "center_y", "")),
        (["spatial_0", "spatial_1", "X_umap_0", "X_umap_1"], ("spatial_0", "spatial_1", "")),
        (["pxl_row_in_fullres", "pxl_col_in_fullres"], ("pxl_col_in_fullres", "pxl_row_in_fullres", "")),
        (["Cell X Position", "Cell Y Position"], ("Cell X Position", "Cell Y Position", "")),
        (["Pos_X", "Pos_Y"], ("Pos_X", "Pos_Y", "")),
    ],
)  # fmt: skip
def test_columns_of_coordinates_are_found(columns, pair):
    assert names.pairs(columns)[0] == pair


@pytest.mark.parametrize(("name", "what"), [("SLC7A11", "xct"), ("CD274: Cell: Mean", "pdl1"), ("PD-L1", "pdl1"), ("Nucleus_GPX4_mean", "gpx4_trait"), ("HLA-A", "mhc1"), ("AIFM2", "fsp1")])
def test_markers_are_known_by_their_names(name, what):
    found = names.marker(name)
    assert found is not None and found[0] == what


@pytest.mark.parametrize("name", ["PD1", "area", "DAPI", "CD3", "XCTX"])
def test_other_columns_are_no_markers(name):
    assert names.marker(name) is None


# ---- hostile names --------------------------------------------------------------------------------------
def test_hostile_names_are_quoted_in_the_config_on_the_terminal_and_in_the_picture(tme):
    lines = ["x_um,y_um,cell type"]
    every = ("tumour", *HOSTILE)
    for k, (x, y) in enumerate(packed()):
        kind = every[k % len(every)].replace('"', '""')
        lines.append(f'{x:.3f},{y:.3f},"{kind}"')
    hostile = "t $a$ #{x}.csv"
    table("\n".join(lines) + "\n", hostile)
    code, out, err = tme("import", "tissue", hostile, "--out", "c.yaml", *(a for name in HOSTILE for a in ("--map", f"{name}=macrophage")))
    assert code == 0, err
    assert "\x1b" not in out and "\u202e" not in out and is_png("c.png")
    config = load_config("c.yaml")
    assert set(config.initial.types) == set(every) and set(config.initial.types.values()) == {"tumour", "macrophage"}
    assert "\x1b" not in Path("c.yaml").read_text()
    assert not any("\x1b" in line or "\u202e" in line for line in told(propose(Path(hostile), Asked())))


def test_refusals_show_hostile_names_without_their_effect(tme):
    table("pla\x1b[31mce,b,\u202ekind\n1,2,T\n3,4,T\n", "t\x1b.csv")
    for options in ((), ("--x", "a", "--y", "b")):
        code, out, err = tme("import", "tissue", "t\x1b.csv", *options)
        assert code == 2 and "\\x1b" in err and not {"\x1b", "\u202e"} & set(out + err)
    table("x,y,kind\n1,2,T\x1b\n3,4,\u202eT\n", "u.csv")
    start = "name: a\nhorizon_day: 1\ndomain: {size_um: [300, 300]}\ninitial: {kind: cells, file: u.csv, columns: {x: x, y: y, type: kind}, types: {T: tumour}}\n"
    code, out, err = tme("check", table(start, "u.yaml"))
    assert code == 2 and "no cell that is kept maps to 'tumour'" in err and not {"\x1b", "\u202e"} & set(out + err)


@pytest.mark.parametrize("text", [*HOSTILE, "null", "\t\n\r", "\U0001f9ec", "a\\b", "~"])
def test_quoted_text_comes_back_from_yaml(tmp_path, text):
    from tme.config.source import read_yaml

    (tmp_path / "q.yaml").write_text(f"{quoted(text)}: {quoted(text)}\n", encoding="utf-8")
    faults = []
    tree = read_yaml(tmp_path / "q.yaml", faults)
    assert not faults and tree.plain() == {text: text}


# ---- what is refused ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (codex(), ["--x", "AbsolutX", "--y", "AbsoluteY"], "no column 'AbsolutX'"),
        (codex(), ["--x", "AbsoluteX"], "--x and --y go together"),
        (codex(), ["--map", "PDL1n=tumor"], "did you mean 'tumour'?"),
        (codex(), ["--map", "PDL1=tumour"], "no row has that type"),
        (codex(), ["--map", "tumour"], "expected NAME=VALUE"),
        (codex(), ["--only", "Region=c"], "no row has all values of --only"),
        (codex(), ["--um-per-px", "0.5", "--unit", "um"], "goes with --unit px"),
        (codex(), ["--unit", "px"], "expected --um-per-px"),
        (codex(), ["--dx", "2"], "--dx"),
        (codex(), ["--out", "t.csv"], "t.csv exists"),
        (codex(), ["--out", "nowhere/c.yaml"], "nowhere is no folder"),
        (codex(), ["--out", "c.png"], "the config's own name"),
        (codex().replace("AbsoluteX", "place"), [], "no pair of columns looks like x and y"),
        ("x,y,cell_type\n10,10,tumour\n,20,tumour\n", [], "a coordinate is missing, or no number, in row 2"),
        ("x,y,cell_type\n10,10,tumour\n30,n/a,tumour\n50,,tumour\n", [], "a coordinate is missing, or no number, in rows 2 and 3"),
        ("x,y,cell_type\n,a,tumour\n,b,tumour\n", [], "no pair of columns looks like x and y"),
        (codex().replace("Cell Type", "q").replace("PDL1n", "1.5").replace("PDL1p", "2.5").replace("PD1p", "3.5"), [], "no column looks like cell types"),
        (codex() + "999,,3,1,1,a,PDL1n\n", [], "has no number in row 201"),
        (codex() + codex().splitlines()[1].replace("0,", "999,", 1) + "\n", [], "are cells of one type at one place"),
        ("", [], "has no header line"),
    ],
)  # fmt: skip
def test_bad_input_exits_2_and_leaves_nothing(tme, text, options, words):
    table(text)
    code, out, err = tme("import", "tissue", "t.csv", *(["--out", "c.yaml"] if "--out" not in options else []), *options)
    assert code == 2 and words in err and "Traceback" not in err + out
    assert [p.name for p in Path().iterdir()] == ["t.csv"] and Path("t.csv").read_text() == text


def test_rows_that_no_cell_can_be_are_left_out_on_request_and_counted(tme):
    table(codex() + "999,,3,1,1,a,PDL1n\n")
    code, out, _err = tme("import", "tissue", "t.csv", "--leave-out", "missing", "--out", "c.yaml")
    assert code == 0 and "left out: 1 missing" in out and load_config("c.yaml").initial.missing == "leave_out"


def test_what_exists_is_replaced_only_on_request(tme):
    table(codex())
    Path("c.png").write_text("mine")
    code, _out, err = tme("import", "tissue", "t.csv", "--out", "c.yaml")
    assert code == 2 and "c.png exists" in err and Path("c.png").read_text() == "mine" and not Path("c.yaml").exists()
    assert tme("import", "tissue", "t.csv", "--out", "c.yaml", "--overwrite")[0] == 0 and is_png("c.png")


def test_the_picture_can_go_elsewhere_and_alone(tme):
    table(codex())
    assert tme("import", "tissue", "t.csv", "--picture", "p.png")[0] == 0
    assert is_png("p.png") and sorted(p.name for p in Path().iterdir()) == ["p.png", "t.csv"]


def test_a_config_in_another_folder_names_the_table_from_there(tme):
    Path("configs").mkdir()
    table(codex())
    proposal = propose(Path("t.csv"), Asked())
    assert 'file: "../t.csv"' in config_text(proposal, Path("configs/c.yaml")) and 'file: "t.csv"' in as_yaml(proposal, "t.csv")


def test_the_command_works_from_a_shell(tmp_path):
    (tmp_path / "t.csv").write_text(codex())
    done = subprocess.run([sys.executable, "-m", "tme", "import", "tissue", "t.csv"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "kind: cells" in done.stdout and not done.stderr


def test_a_table_with_a_row_for_each_marker_and_a_choice_without_tumour_are_refused(tme):
    rows = codex().splitlines()
    table("\n".join([rows[0], *rows[1:], *rows[1:]]) + "\n", "twice.csv")
    code, _out, err = tme("import", "tissue", "twice.csv", "--out", "c.yaml")
    assert code == 2 and "most rows share their place with another" in err and not Path("c.yaml").exists()
    table(codex())
    code, _out, err = tme("import", "tissue", "t.csv", "--out", "c.yaml", "--only", "Cell Type=PD1p")
    assert code == 2 and "no row that is left is a tumour cell" in err and not Path("c.yaml").exists()
