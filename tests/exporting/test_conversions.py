"""A run as tables of pandas, AnnData and xarray, one line each."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from made import HOSTILE, HOURS, SHAPE, UNITS, cells, fields

from tme.experiments import RunError, snapshots


def test_all_snapshots_are_one_tidy_table_with_a_row_per_cell(run):
    table = run.to_pandas()
    assert len(table) == 2 * 2 * len(HOURS) * 40
    assert list(table.columns[:4]) == ["arm", "replicate", "hour", "uid"]
    assert {name for name in table if str(table[name].dtype) == "category"} == {"arm", "cell_type", "fate", "clone"}
    last = table[(table["arm"] == HOSTILE) & (table["replicate"] == 1) & (table["hour"] == 36.5)]
    made = cells(11)
    assert last["uid"].tolist() == made["uid"].astype(str).tolist()
    assert np.allclose(last["gsh"], made["gsh"], rtol=1e-6, equal_nan=True) and last["clone"].isna().sum() == (made["clone"] == "").sum()


def test_a_column_that_a_snapshot_lacks_is_empty_there(run):
    table = run.to_pandas(arm="control", replicate=0)
    assert table[table["hour"] == 0]["iron_load"].isna().all() and table[table["hour"] == 36.5]["iron_load"].notna().all()


def test_fields_are_a_row_per_voxel_at_its_centre(run):
    table = run.to_pandas("fields", arm="control", replicate=0, hour=24)
    assert len(table) == np.prod(SHAPE) and list(table.columns) == ["arm", "replicate", "hour", "z_um", "y_um", "x_um", *UNITS]
    row = table[(table["y_um"] == 37.5) & (table["x_um"] == 22.5)]
    assert row["oxygen"].item() == fields(1)["oxygen"][0, 2, 1]


def test_series_and_summary_are_those_of_the_run(run):
    assert run.to_pandas("series", arm=HOSTILE, replicate=1)["tumour_alive"].tolist() == [6, 5, 4]
    assert run.to_pandas("summary")["seed"].tolist() == [1]


@pytest.mark.parametrize(("choice", "words"), [
    ({"arm": "contrl"}, ("arm 'contrl'", "expected one of control", "did you mean 'control'")),
    ({"replicate": 7}, ("replicate '7'", "0, 1")),
    ({"hour": 25.0}, ("hour '25'", "0, 24, 36.5")),
    ({"table": "cell"}, ("table 'cell'", "cells, fields, series, summary")),
])  # fmt: skip
def test_what_is_not_there_is_refused_with_what_is(run, choice, words):
    with pytest.raises(RunError) as refused:
        run.to_pandas(**choice)
    assert refused.value.exit_code == 2 and all(w in str(refused.value) for w in words)


def test_a_snapshot_that_cannot_be_read_is_named(run, tmp_path):
    broken = tmp_path / "cells_0.h5ad"
    broken.write_text("no HDF5")
    with pytest.raises(RunError, match=r"cells_0\.h5ad cannot be read"):
        snapshots.Snapshot(tmp_path, "control", 0, 0.0).cells()


@pytest.mark.parametrize(("method", "module"), [("to_anndata", "anndata"), ("to_xarray", "xarray")])
def test_a_missing_library_is_named_with_what_to_install(run, monkeypatch, method, module):
    monkeypatch.setattr(snapshots, "find_spec", lambda name: None)
    with pytest.raises(snapshots.MissingExtra) as refused:
        getattr(run, method)()
    assert str(refused.value) == f"{method} needs {module}, which is not installed: pip install 'tme[spatial]'"


@pytest.mark.skipif(find_spec("anndata") is None, reason="anndata is not installed (extra spatial)")
def test_anndata_has_places_categories_and_names_of_its_own_for_cells(run):
    data = run.to_anndata()
    assert data.shape == (480, 0) and data.obs_names.is_unique and data.obsm["spatial"].shape == (480, 2)
    assert str(data.obs["cell_type"].dtype) == "category" and data.obs["sample"].nunique() == 12
    one = run.to_anndata(arm="control", replicate=0, hour=0)
    assert one.obs_names.tolist() == cells(0)["uid"].astype(str).tolist() and one.uns["dx_um"] == 15.0


@pytest.mark.skipif(find_spec("xarray") is None, reason="xarray is not installed (extra spatial)")
def test_xarray_has_one_dataset_over_arm_replicate_time_and_space_with_units(run):
    data = run.to_xarray()
    assert dict(data.sizes) == {"arm": 2, "replicate": 2, "time": 3, "z": 1, "y": 5, "x": 6}
    assert {n: data[n].attrs["units"] for n in data} == UNITS and data["x"].attrs["units"] == "um" and data["time"].attrs["units"] == "h"
    assert np.array_equal(data["rsl3"].sel(arm=HOSTILE, replicate=0, time=24), fields(7)["rsl3"])
    assert list(run.to_xarray(fields=["oxygen"], arm="control")) == ["oxygen"]
    with pytest.raises(RunError, match=r"field 'oxigen'.*did you mean 'oxygen'"):
        run.to_xarray(fields=["oxigen"])
