"""Snapshots have AnnData's layout."""

from __future__ import annotations

import sys
import threading

import h5py
import numpy as np
from fake_model import FakeConfig, FakeModel

from tme.experiments import files
from tme.experiments.frame import LEGEND, read_frame, write_frame
from tme.experiments.h5ad import codes_of, read_about, read_h5ad, write_h5ad

CELLS = FakeModel(FakeConfig(), 1).cells_table()


def test_the_layout_is_that_of_anndata(tmp_path):
    path = tmp_path / "cells_0.h5ad"
    write_h5ad(path, CELLS, {"arm": "control", "hour": 0.0}, flat=True)
    with h5py.File(path) as file:
        assert dict(file.attrs) == {"encoding-type": "anndata", "encoding-version": "0.1.0"}
        assert set(file) == {"obs", "var", "obsm", "varm", "obsp", "varp", "layers", "uns"}
        obs = file["obs"]
        assert obs.attrs["encoding-type"] == "dataframe"
        assert list(obs.attrs["column-order"]) == ["cell_type", "fate", "gsh", "n_div"]
        assert obs["cell_type"].attrs["encoding-type"] == "categorical"
        assert list(obs["cell_type/categories"].asstr()) == [
            "tumour",
            "cd8",
            "macrophage",
            "dendritic",
            "treg",
        ]
        assert obs["cell_type/codes"].dtype == np.int8
        assert obs["gsh"].dtype == np.float32
        assert obs["uid"].attrs["encoding-type"] == "string-array"
        assert obs["uid"].asstr()[0] == str(2**63)
        assert file["obsm/spatial"].shape == (100, 2)
        assert file["var"].attrs["column-order"].shape == (0,)


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "cells.h5ad"
    write_h5ad(path, CELLS, {"arm": "drug", "replicate": 3, "day": 0.25})
    back = read_h5ad(path)
    assert list(back["cell_type"]) == list(CELLS["cell_type"])
    assert list(back["fate"]) == list(CELLS["fate"])
    np.testing.assert_array_equal(back["z_um"], CELLS["z_um"])
    np.testing.assert_allclose(back["gsh"], CELLS["gsh"], rtol=1e-6)
    assert read_about(path) == {"arm": "drug", "replicate": 3, "day": 0.25}


def test_the_same_cells_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_h5ad(tmp_path / name, CELLS, {"hour": 1.0})
    assert files.sha256(tmp_path / "a") == files.sha256(tmp_path / "b")


def test_an_empty_tissue_is_a_valid_snapshot(tmp_path):
    write_h5ad(tmp_path / "none.h5ad", {k: v[:0] for k, v in CELLS.items()}, {})
    assert all(len(v) == 0 for v in read_h5ad(tmp_path / "none.h5ad").values())


def test_types_may_come_as_codes_or_as_names():
    codes, names = codes_of(np.array([1, 0, 6]), ("tumour", "cd8"))
    assert names == ["tumour", "cd8", "type_2", "type_3", "type_4", "type_5", "type_6"]
    codes, names = codes_of(np.array(["nk", "cd8"]), ("tumour", "cd8"))
    assert (list(codes), names) == ([2, 1], ["tumour", "cd8", "nk"])


def test_a_frame_holds_the_tissue_and_fields_within_half_a_step(tmp_path):
    model = FakeModel(FakeConfig(), 1)
    write_frame(tmp_path / "frame.bin", CELLS, model.fields_table(), model.field_units(), 20.0, {"hour": 3.0})
    header, layers = read_frame(tmp_path / "frame.bin")
    assert (header["hour"], header["shape"], header["dx_um"]) == (3.0, [1, 12, 12], 20.0)
    assert [layer["name"] for layer in header["layers"]] == ["tissue", "oxygen", "ifng"]
    assert LEGEND[layers["tissue"][0, 0, 0]] == "tumour"
    assert LEGEND[layers["tissue"][0, 0, 3]] == "dead_ferroptosis"
    assert LEGEND[layers["tissue"][0, 11, 11]] == "empty"
    low, high = (header["layers"][1][k] for k in ("min", "max"))
    restored = low + (high - low) * layers["oxygen"] / 255
    np.testing.assert_allclose(restored, model.fields_table()["oxygen"], atol=(high - low) / 509)


def test_a_frame_names_every_cell_type_it_holds(tmp_path):
    cells = {k: v.copy() for k, v in CELLS.items()}
    cells["cell_type"] = np.where(np.arange(len(cells["uid"])) == 5, "mdsc", cells["cell_type"].astype("<U12"))
    write_frame(tmp_path / "frame.bin", cells, {"oxygen": np.zeros((1, 12, 12), np.float32)}, {}, 20.0, {})
    header, layers = read_frame(tmp_path / "frame.bin")
    legend = header["layers"][0]["legend"]
    assert legend == [*LEGEND, "mdsc"]
    assert (layers["tissue"] == legend.index("mdsc")).sum() == 1


def test_a_large_lattice_is_thinned(tmp_path):
    fields = {"oxygen": np.zeros((1, 1100, 1030), np.float32)}
    write_frame(tmp_path / "frame.bin", CELLS, fields, {}, 20.0, {})
    header, layers = read_frame(tmp_path / "frame.bin")
    assert (header["stride"], header["shape"], header["dx_um"]) == (3, [1, 367, 344], 60.0)
    assert layers["oxygen"].shape == (1, 367, 344)


def test_the_bytes_do_not_depend_on_who_holds_on_to_frames(tmp_path):
    """A profiler in another thread keeps what a frame refers to alive, and with it datasets open."""
    cells, about, ended, kept = CELLS, {"hour": 0.0, "arm": "control"}, threading.Event(), []

    def profile():
        while not ended.wait(0.0003):
            kept.append([(f, f.f_locals) for f in sys._current_frames().values()])
            del kept[:-50]

    write_h5ad(tmp_path / "alone.h5ad", cells, about)
    profiler = threading.Thread(target=profile)
    profiler.start()
    try:
        for k in range(30):
            write_h5ad(tmp_path / f"{k}.h5ad", cells, about)
    finally:
        ended.set()
        profiler.join()
    assert len({path.read_bytes() for path in tmp_path.glob("*.h5ad")}) == 1
