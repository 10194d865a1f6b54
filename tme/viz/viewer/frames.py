"""One moment of one simulation as bytes for the browser: quantised columns, each deflated on its own.

    bytes 0-7    `TMEFRAM2`
    bytes 8-11   length L of the header, unsigned 32-bit little endian
    12 .. 12+L   header: JSON (UTF-8)
    then         the columns, each a zlib stream; the browser inflates only what it draws

Header: `arm`, `replicate`, `hour`, `n` cells, `shape` [nz, ny, nx] and `dx_um` of the lattice, `columns` of the
cells and `fields`. A column is {name, kind, type, at, size, ...}; `at` counts from the end of the header, `type` is
u8, u16 or u32 (little endian, all low bytes first, then all second bytes ...), `delta` says that each number was
stored as its difference to the one before (modulo the type's range). Kinds:

    codes      index into `legend`; `missing` is no value
    linear     low + code * step (positions in um)
    quantity   code 0..top: low + (high - low) code / top, or with `log` low (high / low)^((code - 1) / (top - 1)) and
               0 for code 0; top + 1 is no value. `q` holds the 2nd, 50th, 98th and 99.9th percentile, `unit` the unit
    track      number of the cell within its simulation, see `tracks`

Cells lie in the order of their voxels. A field has `shape` of its own (thinned: every `stride`-th voxel).
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAGIC = b"TMEFRAM2"
TYPES = {"u8": np.uint8, "u16": np.uint16, "u32": np.uint32}
LOG_SPAN = 30.0  # top over median from which a quantity is stored in equal ratios
DECADES = 1e-6  # and how far below the top these reach
PERCENTILES = (2.0, 50.0, 98.0, 99.9)
POSITIONS = ("x", "y", "z")
CODES = ("cell_type", "fate", "clone")


@dataclass(frozen=True)
class Detail:
    """How much a frame keeps: `levels` of a quantity, which `columns` (None: all), voxels of a field along an axis at most."""

    levels: int = 65534
    columns: tuple[str, ...] | None = None
    across: int = 4096
    effort: int = 1


@dataclass
class Writer:
    """Columns collected for one frame."""

    effort: int
    parts: list[bytes] = field(default_factory=list)
    at: int = 0

    def store(self, values: np.ndarray, top: int, delta: bool = False) -> dict[str, Any]:
        """Pack integers 0..top, and say where and how."""
        name = "u8" if top < 1 << 8 else "u16" if top < 1 << 16 else "u32"
        packed = pack(np.asarray(values).ravel().astype(TYPES[name]), delta, self.effort)
        entry = {"type": name, "at": self.at, "size": len(packed), "delta": delta}
        self.parts.append(packed)
        self.at += len(packed)
        return entry


def pack(values: np.ndarray, delta: bool, effort: int) -> bytes:
    """Unsigned integers (n,) as a zlib stream of byte planes."""
    if delta and values.size:
        values = np.diff(values, prepend=values.dtype.type(0))
    planes = values.astype(values.dtype.newbyteorder("<")).view(np.uint8).reshape(values.size, values.dtype.itemsize).T
    return zlib.compress(np.ascontiguousarray(planes).tobytes(), effort)


def unpack(raw: bytes, name: str, delta: bool) -> np.ndarray:
    """The integers (n,) that `pack` stored."""
    kind = np.dtype(TYPES[name])
    planes = np.frombuffer(zlib.decompress(raw), np.uint8).reshape(kind.itemsize, -1)  # all first bytes, all second ...
    values = np.ascontiguousarray(planes.T).view(kind.newbyteorder("<")).ravel().astype(kind)
    return np.cumsum(values, dtype=kind) if delta else values


def quantised(values: np.ndarray, levels: int) -> tuple[np.ndarray, dict[str, Any]] | None:
    """Codes (n,) and their scale; None where no value is finite. Ratios where the top far exceeds the median."""
    values = np.asarray(values, float).ravel()
    finite = np.isfinite(values)
    if not finite.any():
        return None
    known = values[finite]
    q = [float(x) for x in np.percentile(known, PERCENTILES)]
    low, high, top = float(known.min()), float(known.max()), levels - 1
    positive = known[known > 0]
    log = bool(low >= 0 and positive.size and high > LOG_SPAN * float(np.median(positive)))
    codes = np.full(values.size, top + 1, np.int64)
    if log:
        low = max(float(positive.min()), high * DECADES)
        with np.errstate(divide="ignore"):
            place = 1 + np.log(np.maximum(known, 0) / low) / np.log(high / low) * (top - 1)
        codes[finite] = np.where(known < low, np.where(known > 0, (known > low / 2) * 1, 0), np.rint(np.clip(place, 0, top)))
    else:
        codes[finite] = np.rint((known - low) / ((high - low) or 1.0) * top)
    return codes, {"low": low, "high": high, "top": top, "log": log, "q": q}


def make(
    cells: dict[str, np.ndarray],
    fields: dict[str, np.ndarray],
    units: dict[str, str],
    dx_um: float,
    about: dict[str, Any],
    tracks: np.ndarray | None = None,
    detail: Detail = Detail(),
    told: Callable[[str], dict[str, str]] = lambda name: {"label": name},
) -> bytes:
    """A frame of cells, columns (n,) by name with x, y, z in um, and of fields (nz, ny, nx).

    `tracks` (n,): numbers of the cells, see `tracks.numbers`. `told`: label, unit and group of a quantity by its name
    (`field:` before that of a field), for the header; `units` are those of the fields.
    """
    n = len(cells["x"])
    order = np.lexsort([cells[a] for a in POSITIONS])
    shape = next(iter(fields.values())).shape if fields else shape_of(cells, dx_um)
    writer = Writer(detail.effort)
    columns = [_position(writer, a, np.asarray(cells[a], float)[order], dx_um, shape[2 - i]) for i, a in enumerate(POSITIONS)]
    for name in CODES:
        if name in cells:
            columns.append(_codes(writer, name, np.asarray(cells[name], dtype=object)[order]))
    if tracks is not None:
        columns.append({"name": "track", "kind": "track", **writer.store(tracks[order], int(tracks.max(initial=0)))})
    for name, values in cells.items():
        values = np.asarray(values)
        if name in POSITIONS or name in CODES or name == "uid" or values.dtype.kind not in "fiub":
            continue
        if detail.columns is None or name in detail.columns:
            columns += _quantity(writer, name, values[order], told(name), detail.levels)
    stride = max(1, -(-max(shape) // detail.across))
    thinned = [_field(writer, name, values, {**told(f"field:{name}"), "unit": units.get(name, "")}, stride, detail.levels) for name, values in fields.items()]
    header = {**about, "n": n, "shape": list(shape), "dx_um": dx_um, "columns": columns, "fields": [f for f in thinned if f]}
    text = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return b"".join([MAGIC, struct.pack("<I", len(text)), text, *writer.parts])


def shape_of(cells: dict[str, np.ndarray], dx_um: float) -> tuple[int, int, int]:
    """The least lattice (nz, ny, nx) that holds all cells."""
    nz, ny, nx = (int(np.max(cells[a], initial=0.0) / dx_um) + 1 for a in "zyx")
    return nz, ny, nx


def _position(writer: Writer, name: str, values: np.ndarray, dx_um: float, n: int) -> dict[str, Any]:
    """Voxel centres exactly; positions between them in steps of 1/65535 of the lattice."""
    place = values / dx_um - 0.5
    whole = np.rint(place)
    low, step = 0.5 * dx_um, dx_um
    if values.size and (np.abs(place - whole).max() > 1e-3 or whole.min() < 0):
        low, high = float(values.min()), max(float(values.max()), n * dx_um)
        step = (high - low) / 65535 or 1.0
        whole = np.rint((values - low) / step)
    return {"name": name, "kind": "linear", "low": low, "step": step, **writer.store(whole, max(int(whole.max(initial=0)), 256), delta=True)}


def _codes(writer: Writer, name: str, values: np.ndarray) -> dict[str, Any]:
    legend, codes = np.unique(values.astype(str), return_inverse=True)
    missing = legend.size
    at = int(np.flatnonzero(legend == "")[0]) if "" in legend else -1
    stored = writer.store(np.where(codes == at, missing, codes), missing)
    return {"name": name, "kind": "codes", "legend": legend.tolist(), "missing": missing, **stored}


def _quantity(writer: Writer, name: str, values: np.ndarray, told: dict[str, str], levels: int) -> list[dict[str, Any]]:
    found = quantised(values, levels)
    if found is None:
        return []
    codes, scale = found
    return [{"name": name, "kind": "quantity", **told, **scale, **writer.store(codes, levels)}]


def _field(writer: Writer, name: str, values: np.ndarray, told: dict[str, str], stride: int, levels: int) -> dict[str, Any] | None:
    """A field, every `stride`-th voxel from the middle of the first; None where no value is finite."""
    middle = [min(stride // 2, n - 1) for n in values.shape]
    thin = values[tuple(slice(m, None, stride) for m in middle)]
    found = quantised(thin, levels)
    if found is None:
        return None
    return {"name": name, **told, "shape": list(thin.shape), "stride": stride, **found[1], **writer.store(found[0], levels, delta=True)}


def read(raw: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Header, columns and fields of a frame, as values (text, um, the quantity's unit)."""
    if raw[:8] != MAGIC:
        raise ValueError("these bytes are no frame of this format")
    (length,) = struct.unpack("<I", raw[8:12])
    header = json.loads(raw[12 : 12 + length])
    body = raw[12 + length :]
    columns = {c["name"]: _values(c, body) for c in header["columns"]}
    fields = {f["name"]: _values({**f, "kind": "quantity"}, body).reshape(f["shape"]) for f in header["fields"]}
    return header, columns, fields


def _values(c: dict[str, Any], body: bytes) -> np.ndarray:
    codes = unpack(body[c["at"] : c["at"] + c["size"]], c["type"], c["delta"]).astype(np.int64)
    if c["kind"] == "codes":
        return np.array([*c["legend"], ""], dtype=object)[codes]
    if c["kind"] == "linear":
        return c["low"] + codes * c["step"]
    if c["kind"] == "track":
        return codes
    if c["log"]:
        values = c["low"] * (c["high"] / c["low"]) ** ((codes - 1) / (c["top"] - 1))
        values = np.where(codes == 0, 0.0, values)
    else:
        values = c["low"] + (c["high"] - c["low"]) * codes / c["top"]
    return np.where(codes > c["top"], np.nan, values)
