"""Snapshots of single cells: AnnData files written and read with h5py alone.

Layout (AnnData on-disk format 0.1.0): `obs` one row per cell with `cell_type` and `fate` categorical and
one float32 column per quantity (NaN where a cell type lacks it), index `uid` as text; `obsm/spatial` the
voxel centres x, y (and z in 3D) in um; `uns` what the snapshot is of. No `X`: nothing here is a gene.
Source: https://anndata.readthedocs.io/en/stable/fileformat-prose.html
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tme.experiments import files

CELL_TYPES = ("tumour", "cd8", "macrophage", "dendritic", "treg")
FATES = ("alive", "ferroptosis", "immune", "necrosis", "apoptosis", "cuproptosis", "disulfidptosis")
CATEGORIES = {"cell_type": CELL_TYPES, "fate": FATES}
_COORDINATES = ("x_um", "y_um", "z_um")
_TEXT = h5py.string_dtype(encoding="utf-8")


def codes_of(values: np.ndarray, known: tuple[str, ...] = ()) -> tuple[np.ndarray, list[str]]:
    """Codes (n,) int8 (int32 of many) and categories of a column of names or of indices into `known`; -1 is missing ('' in names)."""
    values = np.asarray(values)
    if values.dtype.kind in "iub":
        top = int(values.max(initial=-1))
        return values.astype(np.int8), [*known, *(f"type_{k}" for k in range(len(known), top + 1))]
    names = values.astype(str)
    categories = [*known, *sorted(set(np.unique(names)) - {*known, ""})]
    code = {"": -1} | {name: k for k, name in enumerate(categories)}
    unique, inverse = np.unique(names, return_inverse=True)
    table = np.array([code[name] for name in unique], dtype=np.int8 if len(categories) < 128 else np.int32)
    return (table[inverse] if len(unique) else np.zeros(0, np.int8)), categories


def write_h5ad(path: files.File, cells: dict[str, np.ndarray], about: dict[str, Any], flat: bool = False) -> None:
    """Write one snapshot atomically.

    `cells` has (n,) arrays: x_um, y_um, z_um, cell_type, fate, uid and any further columns; `about` goes to
    `uns` (numbers and text); with `flat` the z coordinate is left out.
    """

    image = io.BytesIO()  # a full disk is one clear OSError, not HDF5's many
    with h5py.File(image, "w", track_order=False) as file:
        _mark(file, "anndata", "0.1.0")
        with _closed(file.create_group("obs")) as obs:
            _write_obs(obs, cells)
        with _closed(file.create_group("var")) as var:
            _write_frame(var, {}, np.zeros(0, dtype=object))
        for name in ("obsm", "varm", "obsp", "varp", "layers", "uns"):
            with _closed(file.create_group(name)) as group:
                _mark(group, "dict", "0.1.0")
        axes = _COORDINATES[:2] if flat else _COORDINATES
        with _closed(file["obsm"]) as obsm:
            _write_array(obsm, "spatial", np.column_stack([np.asarray(cells[a], float) for a in axes]))
        with _closed(file["uns"]) as uns:
            for name, value in about.items():
                _write_scalar(uns, name, value)
    with image.getbuffer() as body:
        files.write_bytes(path, body)


@contextmanager
def _closed(node: Any) -> Iterator[Any]:
    """A dataset or group that is closed here, not when nothing refers to it any more: HDF5 finds a place for its data when it is
    closed, and a profiler that holds on to frames (dask's does) would move it."""
    try:
        yield node
    finally:
        node.id.close()


def _mark(node: Any, kind: str, version: str) -> None:
    node.attrs["encoding-type"] = kind
    node.attrs["encoding-version"] = version


def _write_obs(group: h5py.Group, cells: dict[str, np.ndarray]) -> None:
    columns = {k: v for k, v in cells.items() if k not in ("uid", *_COORDINATES)}
    index = np.array([str(u) for u in np.asarray(cells["uid"]).tolist()], dtype=object)
    _write_frame(group, columns, index)


def _write_frame(group: h5py.Group, columns: dict[str, np.ndarray], index: np.ndarray) -> None:
    _mark(group, "dataframe", "0.2.0")
    group.attrs["_index"] = "uid"
    group.attrs.create(
        "column-order", np.array(list(columns), dtype=object), dtype=_TEXT, shape=(len(columns),)
    )
    _write_array(group, "uid", index)
    for name, values in columns.items():
        values = np.asarray(values)
        if name in CATEGORIES or values.dtype.kind in "USO":
            with _closed(group.create_group(name)) as column:
                _write_categorical(column, *codes_of(values, CATEGORIES.get(name, ())))
        else:
            _write_array(group, name, values.astype(np.float32) if values.dtype.kind == "f" else values)


def _write_categorical(group: h5py.Group, codes: np.ndarray, categories: list[str]) -> None:
    _mark(group, "categorical", "0.2.0")
    group.attrs["ordered"] = False
    _write_array(group, "codes", codes)
    _write_array(group, "categories", np.array(categories, dtype=object))


def _write_array(group: h5py.Group, name: str, values: np.ndarray) -> None:
    text = values.dtype.kind in "OUS"
    pack = {} if len(values) < 64 else {"compression": "gzip", "compression_opts": 1, "shuffle": not text}
    with _closed(group.create_dataset(name, data=values, dtype=_TEXT if text else None, **pack)) as data:
        _mark(data, "string-array" if text else "array", "0.2.0")


def _write_scalar(group: h5py.Group, name: str, value: Any) -> None:
    text = isinstance(value, str)
    with _closed(group.create_dataset(name, data=value, dtype=_TEXT if text else None)) as data:
        _mark(data, "string" if text else "numeric-scalar", "0.2.0")


def read_h5ad(path: Path) -> dict[str, np.ndarray]:
    """All columns of a snapshot, with uid, x_um, y_um (and z_um); categoricals come back as text."""
    out: dict[str, np.ndarray] = {}
    with h5py.File(path, "r") as file:
        obs = file["obs"]
        out["uid"] = obs[obs.attrs["_index"]].asstr()[:]
        spatial = file["obsm/spatial"][:]
        out.update({_COORDINATES[k]: spatial[:, k] for k in range(spatial.shape[1])})
        for name in obs.attrs["column-order"]:
            node = obs[name]
            if isinstance(node, h5py.Group):
                categories = np.append(node["categories"].asstr()[:], "")
                out[name] = categories[node["codes"][:]]
            else:
                out[name] = node[:]
    return out


def read_about(path: Path) -> dict[str, Any]:
    """The scalars in `uns`."""
    with h5py.File(path, "r") as file:
        return {k: (v.asstr()[()] if v.dtype.kind == "O" else v[()].item()) for k, v in file["uns"].items()}
