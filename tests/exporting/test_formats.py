"""Every format, read back without this package where the library for it is installed; hostile names in all of them."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
import zipfile
from importlib.util import find_spec

import h5py
import numpy as np
import pandas as pd
import pytest
from made import HOSTILE, HOURS, SHAPE, UNITS, cells, fields, make

from tme import spatial
from tme.cli.export import FormatName
from tme.experiments import RunError, files
from tme.experiments.h5ad import read_h5ad, write_h5ad
from tme.experiments.recorder import write_fields
from tme.experiments.snapshots import Frame
from tme.exporting import FORMATS, Choice, export, format_of, output
from tme.exporting.vtk import cells_xml, packed

needs = {m: pytest.mark.skipif(find_spec(m) is None, reason=f"{m} is not installed") for m in ("anndata", "squidpy", "vtk", "xarray", "zarr", "rocrate")}


def test_the_command_offers_what_there_is_and_no_more():
    assert [f.value for f in FormatName] == list(FORMATS)
    assert all(format_of(n).name == n and format_of(n).about and format_of(n).ending for n in FORMATS)


# ---- h5ad ----------------------------------------------------------------------------------------------------------------
def test_h5ad_has_all_cells_with_names_of_their_own(run, place):
    path, _ = export(run, "h5ad", "all.h5ad")
    found = read_h5ad(path)
    assert len(set(found["uid"])) == 480 and found["uid"][-1] == f"{HOSTILE}/1/36.5/{cells(11)['uid'][-1]}"
    assert found["arm"].tolist() == ["control"] * 240 + [HOSTILE] * 240 and set(found["cell_type"]) == {"tumour", "cd8", "odd <&\"'>"}
    with h5py.File(path) as file:
        assert file["obs/arm"].attrs["encoding-type"] == "categorical" and file["obsm/spatial"].shape == (480, 2)
        assert file["obs/cell"].dtype == np.uint64 and file["uns/config"].asstr()[()] == "0123abcd"


def test_h5ad_of_one_snapshot_calls_cells_by_their_uid(run, place):
    path, _ = export(run, "h5ad", "one.h5ad", Choice("control", 0, 24.0))
    assert read_h5ad(path)["uid"].tolist() == cells(1)["uid"].astype(str).tolist()


def test_more_than_127_snapshots_keep_their_names(tmp_path):
    import tme

    folder = make(tmp_path / "many", replicates=22)
    path, _ = export(tme.load(folder), "h5ad", tmp_path / "many.h5ad")
    found = read_h5ad(path)
    assert len(set(found["sample"])) == 2 * 22 * 3
    assert found["sample"][-1] == f"{HOSTILE}/rep-021/36.5 h"


@needs["anndata"]
@needs["squidpy"]
@pytest.mark.filterwarnings("default")
def test_scanpy_and_squidpy_open_it_and_find_neighbours_within_snapshots_only(run, place):
    import scanpy
    import squidpy

    path, _ = export(run, "h5ad", "all.h5ad")
    data = scanpy.read_h5ad(path)
    assert str(data.obs["cell_type"].dtype) == "category" and data.obsm["spatial"].shape == (480, 2)
    squidpy.gr.spatial_neighbors(data, library_key="sample", coord_type="generic", radius=30.0)
    rows, columns = data.obsp["spatial_connectivities"].nonzero()
    samples = data.obs["sample"].to_numpy()
    assert len(rows) and (samples[rows] == samples[columns]).all()
    squidpy.gr.nhood_enrichment(data, cluster_key="cell_type", n_perms=20, seed=1, show_progress_bar=False)
    assert data.uns["cell_type_nhood_enrichment"]["count"].sum() == len(rows)


@needs["anndata"]
@needs["squidpy"]
@pytest.mark.filterwarnings("default")
def test_the_neighbourhood_enrichment_of_an_exported_snapshot_is_ours(run, place):
    """Living cells: `tme spatial` makes corpses types of their own."""
    import scanpy
    import squidpy

    path, _ = export(run, "h5ad", "one.h5ad", Choice("control", 0, 24.0))
    data = scanpy.read_h5ad(path)
    data = data[data.obs["fate"] == "alive"].copy()
    squidpy.gr.spatial_neighbors(data, coord_type="generic", radius=30.0)
    z, counts = squidpy.gr.nhood_enrichment(data, cluster_key="cell_type", n_perms=2000, seed=1, copy=True, show_progress_bar=False)[:2]
    (whole,) = spatial.read(path).groups.values()
    of = whole.where(~whole.dead)
    found = spatial.enrichment(of, spatial.neighbours(of, "radius", 30.0))
    mine = [found.types.index(t) for t in data.obs["cell_type"].cat.categories]
    assert np.array_equal(found.contacts[np.ix_(mine, mine)], counts) and counts.sum() > 50
    assert np.abs(found.z[np.ix_(mine, mine)] - z).max() < 5 * (1 / np.sqrt(2000) + 0.016 * np.abs(z).max())


# ---- csv -----------------------------------------------------------------------------------------------------------------
def test_tables_of_comma_separated_values_come_back_as_they_were(run, place):
    folder, _ = export(run, "csv")
    assert folder.name == "made-0123abcd-csv" and {p.name for p in folder.iterdir()} == {"cells.csv", "fields.csv", "series.csv", "summary.csv", "columns.csv"}
    found = pd.read_csv(folder / "cells.csv", dtype={"uid": str})
    assert len(found) == 480 and found["arm"].iloc[-1] == HOSTILE
    made = cells(11)
    assert np.allclose(found["gsh"][-40:], made["gsh"], rtol=1e-6, equal_nan=True) and found["uid"][479] == str(made["uid"][-1])
    voxels = pd.read_csv(folder / "fields.csv")
    assert np.allclose(voxels["oxygen"][-30:], fields(11)["oxygen"].ravel(), rtol=1e-6)
    units = pd.read_csv(folder / "columns.csv").set_index("column")["unit"]
    assert units["oxygen"] == "mmHg" and units["gsh"] == "uM" and units["x_um"].tolist() == ["um", "um"] and units["hour"] == "h"


# ---- vtk -----------------------------------------------------------------------------------------------------------------
def arrays(path):
    """Name -> numbers of a file in VTK's XML, read by hand: header of eight-byte words, then zlib blocks."""
    import base64
    import zlib

    types = {"Float32": "<f4", "Float64": "<f8", "Int32": "<i4", "Int64": "<i8", "UInt8": "<u1", "UInt64": "<u8"}
    out = {}
    for node in ET.parse(path).iter("DataArray"):
        text = node.text.strip()
        n = int(np.frombuffer(base64.b64decode(text[:12])[:8], "<u8")[0])
        length = -(-8 * (3 + n) // 3) * 4
        sizes = np.frombuffer(base64.b64decode(text[:length]), "<u8")[3:]
        body, raw, at = base64.b64decode(text[length:]), b"", 0
        for size in sizes.tolist():
            raw += zlib.decompress(body[at : at + size])
            at += size
        out[node.get("Name")] = np.frombuffer(raw, types[node.get("type")])
    return out


def words(path, name):
    """Words of a file in VTK's XML."""
    (node,) = (a for a in ET.parse(path).iter("Array") if a.get("Name") == name)
    return bytes(map(int, node.text.split())).decode().split("\0")[:-1]


def test_vtk_has_a_time_series_for_each_simulation_and_words_as_numbers(run, place):
    folder, _ = export(run, "vtk", "v")
    series = sorted(folder.glob("*_cells.pvd"))
    assert len(series) == 4
    for file in series:
        steps = list(ET.parse(file).iter("DataSet"))
        assert [float(s.get("timestep")) for s in steps] == list(HOURS) and all((folder / s.get("file")).is_file() for s in steps)
    last = folder / sorted(p.name for p in folder.iterdir() if p.is_dir())[1] / "cells_36.5.vtu"
    made, found = cells(11 if last.parent.name.startswith("a_") else 5), arrays(last)
    assert np.allclose(found["Points"].reshape(-1, 3)[:, 0], made["x_um"]) and (found["Points"].reshape(-1, 3)[:, 2] == 7.5).all()
    legend = words(last, "legend of cell_type")
    assert [legend[k] for k in found["cell_type"]] == made["cell_type"].tolist()
    assert found["uid"].tolist() == made["uid"].tolist() and found["types"].tolist() == [1] * 40 and found["offsets"][-1] == 40
    with open(folder / "legend.csv", encoding="utf-8", newline="") as file:
        assert [r[2] for r in csv.reader(file) if r[0] == "cell_type"] == legend


def test_vtk_fields_are_an_image_of_voxels(run, place):
    folder, _ = export(run, "vtk", "v", Choice("control", 0, 24.0))
    file = folder / "control_rep-000" / "fields_24.vti"
    image = next(ET.parse(file).iter("ImageData"))
    assert image.get("WholeExtent") == "0 6 0 5 0 1" and image.get("Spacing") == "15 15 15"
    assert np.array_equal(arrays(file)["rsl3"].reshape(SHAPE), fields(1)["rsl3"]) and words(file, "unit of rsl3") == ["uM"]


def test_vtk_blocks_hold_any_number_of_bytes():
    from io import StringIO

    for n in (0, 1, (1 << 15) - 1, 1 << 15, (1 << 16) + 3):
        values = np.arange(n, dtype=np.int64)
        text = f'<a><DataArray type="Int64" Name="x">{packed(values.tobytes())}</DataArray></a>'
        assert np.array_equal(arrays(StringIO(text))["x"], values)


@needs["vtk"]
def test_vtk_itself_reads_the_files(run, place):
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    folder, _ = export(run, "vtk", "v", Choice("control", 1, 36.5))
    reader = vtk.vtkXMLUnstructuredGridReader()
    reader.SetFileName(str(folder / "control_rep-001" / "cells_36.5.vtu"))
    reader.Update()
    grid, made = reader.GetOutput(), cells(5)
    assert np.allclose(vtk_to_numpy(grid.GetPointData().GetArray("gsh")), made["gsh"], rtol=1e-6, equal_nan=True)
    legend = grid.GetFieldData().GetAbstractArray("legend of cell_type")
    assert legend.GetValue(legend.GetNumberOfValues() - 1) == "odd <&\"'>"
    reader = vtk.vtkXMLImageDataReader()
    reader.SetFileName(str(folder / "control_rep-001" / "fields_36.5.vti"))
    reader.Update()
    assert np.array_equal(vtk_to_numpy(reader.GetOutput().GetCellData().GetArray("oxygen")).reshape(SHAPE), fields(5)["oxygen"])
    (place / "none.vtu").write_text(cells_xml({k: v[:0] for k, v in made.items()}, {"cell_type": ["x"], "fate": [], "clone": []}, 15.0), encoding="utf-8")
    reader = vtk.vtkXMLUnstructuredGridReader()
    reader.SetFileName("none.vtu")
    reader.Update()
    assert reader.GetOutput().GetNumberOfPoints() == 0 and reader.GetErrorCode() == 0


# ---- zarr ----------------------------------------------------------------------------------------------------------------
@needs["xarray"]
@needs["zarr"]
@pytest.mark.filterwarnings("default")
def test_zarr_opens_as_the_dataset_that_python_gives(run, place):
    import xarray

    path, _ = export(run, "zarr")
    with xarray.open_zarr(path) as data:
        assert data.identical(run.to_xarray()) or xarray.testing.assert_identical(data.load(), run.to_xarray()) is None
        assert {n: data[n].attrs["units"] for n in data} == UNITS


def test_zarr_without_its_libraries_says_what_to_install(run, place, monkeypatch):
    from tme.experiments import snapshots

    monkeypatch.setattr(snapshots, "find_spec", lambda name: None)
    with pytest.raises(RunError) as refused:
        export(run, "zarr")
    assert str(refused.value) == "--to zarr needs xarray, which is not installed: pip install 'tme[spatial]'" and not list(place.iterdir())


# ---- three dimensions ----------------------------------------------------------------------------------------------------
def test_a_tumour_in_three_dimensions_keeps_its_third(tmp_path):
    import tme

    folder = make(tmp_path / "run", arms=("control",), replicates=1)
    deep = {**cells(0), "z_um": np.arange(40) * 15.0 + 7.5}
    place = folder / "control" / "rep-000"
    write_h5ad(place / "cells_0.h5ad", deep, {"dx_um": 15.0})
    write_fields(place / "fields_0.npz", {"oxygen": np.arange(24, dtype=np.float32).reshape(2, 3, 4)}, {"oxygen": "mmHg"}, 0.0, 15.0)
    run, first = tme.load(folder), Choice(hour=0.0)
    path, _ = export(run, "h5ad", tmp_path / "x.h5ad", first)
    with h5py.File(path) as file:
        assert np.allclose(file["obsm/spatial"][:, 2], deep["z_um"])
    out, _ = export(run, "vtk", tmp_path / "v", first)
    assert np.allclose(arrays(out / "control_rep-000" / "cells_0.vtu")["Points"].reshape(-1, 3)[:, 2], deep["z_um"])
    image = next(ET.parse(out / "control_rep-000" / "fields_0.vti").iter("ImageData"))
    assert image.get("WholeExtent") == "0 4 0 3 0 2"
    table = run.to_pandas("fields", hour=0.0)
    assert table[(table["z_um"] == 22.5) & (table["y_um"] == 37.5) & (table["x_um"] == 7.5)]["oxygen"].item() == 20.0
    with pytest.raises(RunError, match="another lattice"):
        Frame.of(run, Choice().of(run))


# ---- ro-crate ------------------------------------------------------------------------------------------------------------
def test_a_crate_says_what_made_what_and_leaves_locks_and_checkpoints_out(run, place):
    folder, _ = export(run, "ro-crate")
    graph = {e["@id"]: e for e in json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]}
    root = graph["./"]
    assert root["conformsTo"]["@id"] == "https://w3id.org/ro/wfrun/process/0.5" and graph[root["license"]["@id"]]["name"] == "not stated"
    listed = {part["@id"] for part in root["hasPart"]}
    assert all(graph[i]["@type"] == "File" for i in listed) and "config.resolved.yaml" in listed
    assert not any("checkpoint" in i or "run.lock" in i for i in listed)
    first, last = (graph[a["@id"]] for a in root["mentions"])
    assert first["actionStatus"].endswith("/FailedActionStatus") and first["error"] == "exit code 75"
    assert last["actionStatus"].endswith("/CompletedActionStatus") and "result" not in first and last["endTime"] == "2026-11-01T11:05:00+00:00"
    assert graph[last["instrument"]["@id"]]["softwareVersion"] == "0.1.0" and last["object"] == {"@id": "config.resolved.yaml"}
    one = graph["control/rep-000/cells_0.h5ad"]
    assert one["sha256"] == files.sha256(folder / "control" / "rep-000" / "cells_0.h5ad") and {"@id": one["@id"]} in last["result"]


def test_a_crate_in_a_zip_file_has_the_same(run, place):
    path, _ = export(run, "ro-crate", "made.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        described = json.loads(archive.read("ro-crate-metadata.json"))
        assert f"{HOSTILE}/rep-001/cells_0.h5ad" in archive.namelist()
    folder, _ = export(run, "ro-crate", "made")
    assert described == json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))


def test_a_crate_takes_nothing_from_outside_the_run(tmp_path):
    import tme

    folder = make(tmp_path / "run")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "linked").symlink_to(tmp_path)
    crate, _ = export(tme.load(folder), "ro-crate", tmp_path / "crate")
    assert not list(crate.rglob("*secret*")) and not (crate / "link.txt").exists() and not (crate / "linked").exists()


def test_names_that_no_json_holds_are_refused(tmp_path):
    import tme

    folder = make(tmp_path / "run")
    (folder / "odd\udcff.csv").write_text("x")
    with pytest.raises(RunError, match="not UTF-8"):
        export(tme.load(folder), "ro-crate", tmp_path / "crate")
    assert not (tmp_path / "crate").exists()


def test_an_arm_that_is_no_folder_of_the_run_is_not_read(tmp_path):
    import tme

    make(tmp_path / "other")
    folder = make(tmp_path / "run")
    (folder / "config.resolved.yaml").write_text("name: x\narms: {control: {}, ../other/control: {}, /tmp: {}}\n")
    found = tme.load(folder).to_pandas()
    assert set(found["arm"]) == {"control"}


@needs["rocrate"]
@pytest.mark.filterwarnings("default")
def test_rocrate_reads_the_crate_and_finds_every_file(run, place):
    from rocrate.rocrate import ROCrate

    folder, _ = export(run, "ro-crate")
    crate = ROCrate(str(folder))
    assert len(crate.mainEntity or []) == 0 and {e.type for e in crate.root_dataset["mentions"]} == {"CreateAction"}
    missing = [e.id for e in crate.data_entities if e.type == "File" and not e.source.exists()]
    assert not missing and len(crate.data_entities) == len(json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]) - 7


# ---- what all have in common ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("to", ["h5ad", "csv", "vtk", "openvt", "ro-crate"])
def test_a_path_that_is_taken_is_refused_and_left_alone(run, place, to):
    (place / "taken").write_text("mine")
    with pytest.raises(RunError, match="--out: taken is there already") as refused:
        export(run, to, "taken")
    assert refused.value.exit_code == 2 and (place / "taken").read_text() == "mine" and [p.name for p in place.iterdir()] == ["taken"]


@pytest.mark.parametrize("to", ["h5ad", "csv", "vtk", "openvt"])
def test_what_fails_half_way_leaves_nothing(tmp_path, monkeypatch, to):
    import tme

    folder = make(tmp_path / "run")
    (folder / HOSTILE / "rep-001" / "cells_36.5.h5ad").write_text("broken")
    with pytest.raises(RunError, match="cannot be read"):
        export(tme.load(folder), to, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_names_of_files_never_lead_out_of_the_folder():
    names = output.file_names(["../../etc/passwd", ".hidden", "a/b", "a b", "a_b", "", "..", "CON\n"])
    assert len(set(names.values())) == len(names) and not any("/" in n or n.startswith(".") or not n for n in names.values())


def test_a_sweep_is_refused_with_its_points(tmp_path):
    import tme

    folder = make(tmp_path / "sweep")
    (folder / "config.resolved.yaml").write_text("name: s\narms: {control: {}}\nsweep: {a: [1, 2]}\n")
    make(folder / "sweep-000")
    with pytest.raises(RunError, match=r"sweep of 1 points; expected one of them, e.g. .*sweep-000"):
        export(tme.load(folder), "csv", tmp_path / "out")
    assert export(tme.load(folder / "sweep-000"), "openvt", tmp_path / "out")[0].is_file()
