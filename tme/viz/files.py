"""Read the files of a run directory: YAML and JSON mappings, CSV tables, cells in AnnData layout. Write one whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


@contextmanager
def whole(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """A file to write to that takes the place of `path` at the end: a reader sees the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_yaml(path: Path) -> dict:
    """A YAML mapping, or an empty one where the file is absent or broken."""
    try:
        with open(path, encoding="utf-8") as file:
            found = YAML(typ="safe").load(file)
    except (OSError, YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def read_json(path: Path) -> dict:
    """A JSON mapping, or an empty one where the file is absent or broken."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def read_table(path: Path) -> pd.DataFrame:
    """A CSV table, empty where the file is absent, has no rows or is broken."""
    try:
        return pd.read_csv(path)
    except (OSError, ValueError):  # no rows, no text, or no table
        return pd.DataFrame()


def read_h5ad(path: Path, columns: list[str] | None = None, without: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """Columns of `obs` (by default all but those named in `without`) and positions x, y, z (um) of an AnnData file; categoricals come back as text.

    Columns that the file lacks are left out of the answer.
    """
    out: dict[str, np.ndarray] = {}
    with h5py.File(path, "r") as file:
        spatial = file["obsm/spatial"][:]
        for axis, name in enumerate("xyz"):
            out[name] = spatial[:, axis] if axis < spatial.shape[1] else np.zeros(len(spatial))
        obs = file["obs"]
        for name in columns if columns is not None else list(obs):
            if name in obs and name not in without:
                out[name] = _column(obs[name])
    return out


def read_uids(path: Path) -> np.ndarray | None:
    """uids (n,) uint64 of the cells of an AnnData file of ours; None where it has none, or others than numbers."""
    with h5py.File(path, "r") as file:
        if "uid" not in file["obs"]:
            return None
        kept = file["obs/uid"][:]
    try:
        return kept.astype("S").astype(np.uint64) if kept.dtype.kind in "OS" else kept.astype(np.uint64)
    except (TypeError, ValueError, OverflowError):
        return None


def _column(node: h5py.Group | h5py.Dataset) -> np.ndarray:
    if isinstance(node, h5py.Group) and "categories" in node:
        categories = np.array([_text(c) for c in node["categories"][:]] + [""], dtype=object)
        return categories[node["codes"][:]]  # code -1 (missing) takes the last, empty, category
    if isinstance(node, h5py.Group):  # nullable integer or boolean
        values = node["values"][:].astype(float)
        values[node["mask"][:]] = np.nan
        return values
    if h5py.check_string_dtype(node.dtype) is not None:
        return node.asstr()[:].astype(object)
    values = node[:]
    return np.array([_text(v) for v in values], dtype=object) if values.dtype.kind in "OS" else values


def _text(value) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
