"""frame.bin, the small picture that a running simulation writes every few seconds, as a frame of the viewer.

Its layout is told in `tme/experiments/frame.py`; it knows voxels only: one cell a voxel, without state.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tme.viz.viewer import frames, labels

MAGIC = b"TMEFRAM1"


def header_of(path: Path) -> tuple[dict[str, Any], int]:
    """Header and where the layers begin; ValueError where the file is none of this format."""
    with open(path, "rb") as file:
        start = file.read(12)
        if start[:8] != MAGIC or len(start) < 12:
            raise ValueError(f"{path.name} is not a frame of this format")
        (length,) = struct.unpack("<I", start[8:])
        return json.loads(file.read(length)), 12 + length


def hour_of(path: Path) -> float | None:
    """Hour of the picture, None where it cannot be read."""
    try:
        return float(header_of(path)[0]["hour"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def convert(path: Path, about: dict[str, Any], detail: frames.Detail) -> bytes:
    """The picture as a frame: a cell per voxel that is not empty, and its fields."""
    header, at = header_of(path)
    shape = tuple(int(n) for n in header["shape"])
    body = np.frombuffer(path.read_bytes(), np.uint8, offset=at).reshape(-1, int(np.prod(shape)))
    dx, cells, fields, units = float(header["dx_um"]), {}, {}, {}
    for layer, codes in zip(header["layers"], body):
        if layer["kind"] == "codes":
            cells = _cells(layer["legend"], codes.reshape(shape), dx)
        else:
            low, high = float(layer["min"]), float(layer["max"])
            fields[str(layer["name"])] = (low + (high - low) * codes / 255.0).reshape(shape)
            units[str(layer["name"])] = str(layer.get("unit", ""))
    if not cells:
        raise ValueError(f"{path.name} has no picture of the tissue")
    return frames.make(cells, fields, units, dx, about, None, detail, labels.column)


def _cells(legend: list[str], codes: np.ndarray, dx: float) -> dict[str, np.ndarray]:
    z, y, x = np.nonzero(codes)
    names = np.array([str(k) for k in legend], dtype=object)[codes[z, y, x]]
    dead = np.array([str(n).startswith("dead_") for n in names], bool)
    fate = np.array([str(n)[5:] if d else "alive" for n, d in zip(names, dead)], dtype=object)
    place = {name: (axis + 0.5) * dx for name, axis in zip("xyz", (x, y, z))}
    return {**place, "cell_type": np.where(dead, "tumour", names), "fate": fate}
