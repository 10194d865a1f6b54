"""frame.bin: a small picture of the tissue as it is now, for a viewer of a running simulation.

    bytes 0-7    `TMEFRAM1`
    bytes 8-11   length L of the header, unsigned 32-bit little endian
    12 .. 12+L   header: JSON (UTF-8), padded with blanks so that 12 + L is a multiple of 8
    then         one uint8 layer after the other, each nz*ny*nx values, C order (z, y, x)

Header: arm, replicate, hour, day, tick, tumour_alive, shape [nz, ny, nx], dx_um, stride, layers. A layer is
{name, kind: "codes", legend: [...]} (the tissue map, first) or {name, kind: "field", unit, min, max}:
value = min + (max - min) q / 255. Large lattices are thinned: every `stride`-th voxel, `shape` and `dx_um`
being those of the thinned picture. In a voxel with several cells the last kind of the legend wins.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tme.experiments import files
from tme.experiments.h5ad import CELL_TYPES, FATES, codes_of

MAGIC = b"TMEFRAM1"
MAX_VOXELS = 512 * 512
LEGEND = (
    "empty", "other", "dead_apoptosis", "dead_necrosis", "dead_immune", "dead_cuproptosis", "dead_disulfidptosis", "dead_ferroptosis",
    "tumour", "macrophage", "dendritic", "treg", "cd8",
)  # fmt: skip
PREFERRED = ("oxygen", "ifng", "peroxide", "rsl3")
N_FIELDS = 4


def legend_of(cells: dict[str, np.ndarray]) -> tuple[str, ...]:
    """The legend, and after it the other cell types that occur, by name."""
    kinds = np.asarray(cells["cell_type"])
    return LEGEND if kinds.dtype.kind in "iub" else (*LEGEND, *sorted(set(np.unique(kinds.astype(str)).tolist()) - set(LEGEND)))


def tissue_map(cells: dict[str, np.ndarray], shape: tuple[int, int, int], dx_um: float) -> np.ndarray:
    """Legend codes (nz, ny, nx) uint8 from the cells' positions, types and fates."""
    kind, kinds = codes_of(cells["cell_type"], CELL_TYPES)
    fate, fates = codes_of(cells["fate"], FATES)
    legend = legend_of(cells)
    of_kind = np.array([legend.index(k) if k in legend else 1 for k in kinds], np.uint8)
    of_fate = np.array([LEGEND.index(f"dead_{f}") if f"dead_{f}" in LEGEND else 0 for f in fates], np.uint8)
    code = np.where(fate > 0, of_fate[fate], of_kind[kind]).astype(np.uint8)
    at = [np.asarray(cells[name], float) for name in ("z_um", "y_um", "x_um")]
    index = [np.clip((p / dx_um).astype(np.int64), 0, n - 1) for p, n in zip(at, shape)]
    out = np.zeros(shape, np.uint8)
    np.maximum.at(out, tuple(index), code)
    return out


def quantise(values: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Bytes 0..255 over the finite range, and that range; what is not finite becomes 0."""
    finite = np.isfinite(values)
    low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    span = (high - low) or 1.0
    return np.rint(np.where(finite, (values - low) / span, 0.0) * 255).astype(np.uint8), low, high


def write_frame(
    path: files.File, cells: dict, fields: dict, units: dict, dx_um: float, about: dict[str, Any]
) -> None:
    """Write frame.bin atomically from `cells_table()` and `fields_table()`."""
    shape = next(iter(fields.values())).shape if fields else _shape_of(cells, dx_um)
    stride = 1
    while np.prod([-(-n // stride) for n in shape]) > MAX_VOXELS:
        stride += 1
    thin = tuple(slice(None, None, stride) for _ in shape)
    layers: list[dict[str, Any]] = [{"name": "tissue", "kind": "codes", "legend": list(legend_of(cells))}]
    data = [tissue_map(cells, shape, dx_um)[thin]]
    chosen = [n for n in PREFERRED if n in fields] + [n for n in fields if n not in PREFERRED]
    for name in chosen[:N_FIELDS]:
        q, low, high = quantise(fields[name][thin])
        layers.append({"name": name, "kind": "field", "unit": units.get(name, ""), "min": low, "max": high})
        data.append(q)
    header = {
        **about,
        "shape": list(data[0].shape),
        "dx_um": dx_um * stride,
        "stride": stride,
        "layers": layers,
    }
    text = json.dumps(header, default=files.plain).encode("utf-8")
    text += b" " * (-(12 + len(text)) % 8)
    files.write_bytes(path, MAGIC, struct.pack("<I", len(text)), text, *(layer.tobytes() for layer in data))


def _shape_of(cells: dict, dx_um: float) -> tuple[int, int, int]:
    top = [int(np.max(cells[name], initial=0.0) / dx_um) + 1 for name in ("z_um", "y_um", "x_um")]
    return top[0], top[1], top[2]


def read_frame(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Header, and the layers by name as (nz, ny, nx) uint8."""
    raw = Path(path).read_bytes()
    if raw[:8] != MAGIC:
        raise ValueError(f"{path} is not a frame of this format")
    (length,) = struct.unpack("<I", raw[8:12])
    header = json.loads(raw[12 : 12 + length])
    size = int(np.prod(header["shape"]))
    body = np.frombuffer(raw, np.uint8, offset=12 + length).reshape(-1, size)
    return header, {layer["name"]: q.reshape(header["shape"]) for layer, q in zip(header["layers"], body)}
