"""`--to vtk`: cells and fields for ParaView, in VTK's own XML, written without any library.

A folder with two collections a simulation, ARM_rep-000_cells.pvd and ARM_rep-000_fields.pvd, which ParaView opens as time
series (time in h since day 0); beside them, a file a snapshot: cells as points (.vtu), fields as an image (.vti), lengths
in um. Words of cells are numbers there: legend.csv and the field data of each file say what they stand for.
"""

from __future__ import annotations

import base64
import csv
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from tme.experiments.h5ad import CATEGORIES, codes_of
from tme.experiments.snapshots import Fields, Snapshot, is_text
from tme.exporting.contract import Choice, Format
from tme.exporting.output import file_names, xml_text

_BLOCK = 1 << 18  # bytes that are compressed at once
_TYPES = {"f4": "Float32", "f8": "Float64", "i1": "Int8", "i4": "Int32", "i8": "Int64", "u1": "UInt8", "u8": "UInt64"}
_VERTEX = 1  # VTK's number of a cell that is one point
_FILE = '<?xml version="1.0"?>\n<VTKFile type="{kind}" version="1.0" byte_order="LittleEndian" header_type="UInt64" compressor="vtkZLibDataCompressor">\n'


class Vtk(Format):
    """Files for ParaView."""

    name, about, ending = "vtk", "cells and fields for ParaView", "-vtk"

    def is_folder(self, path: Path) -> bool:
        """Always."""
        return True

    def write(self, run: Any, choice: Choice, place: Path) -> tuple[str, ...]:
        """The folder."""
        chosen = choice.of(run)
        names = file_names(dict.fromkeys(s.arm for s in chosen))
        legend = legend_of(chosen)
        series: dict[str, list[tuple[float, str]]] = {}
        for s in chosen:
            simulation = f"{names[s.arm]}_rep-{s.replicate:03d}"
            (place / simulation).mkdir(exist_ok=True)
            fields = s.fields()
            for kind, ending, text in (("cells", "vtu", cells_xml(s.cells(), legend, fields.dx_um)), ("fields", "vti", fields_xml(fields))):
                file = f"{simulation}/{kind}_{s.hour:g}.{ending}"
                (place / file).write_text(text, encoding="utf-8")
                series.setdefault(f"{simulation}_{kind}.pvd", []).append((s.hour, file))
        for name, steps in series.items():
            (place / name).write_text(collection_xml(steps), encoding="utf-8")
        with open(place / "legend.csv", "w", encoding="utf-8", newline="") as table:
            rows = [(column, k, word) for column, words in legend.items() for k, word in enumerate(words)]
            csv.writer(table, lineterminator="\n").writerows([("column", "code", "word"), *rows])
        return ()


def legend_of(chosen: Sequence[Snapshot]) -> dict[str, list[str]]:
    """Column of words -> its words by code, the same in all files of an export."""
    found: dict[str, set[str]] = {}
    for s in chosen:
        for name, values in s.cells().items():
            if name != "uid" and is_text(values):
                found.setdefault(name, set()).update(np.unique(values.astype(str)).tolist())
    out = {}
    for name, words in found.items():
        known = CATEGORIES.get(name, ())
        out[name] = [*known, *sorted(words - {*known, ""})]
    return out


def cells_xml(cells: dict[str, np.ndarray], legend: dict[str, list[str]], dx_um: float) -> str:
    """A .vtu of one point a cell; a flat tissue lies in the middle of its slab, half a voxel high."""
    n = len(cells["uid"])
    z = cells.get("z_um", np.full(n, 0.5 * dx_um))
    points = np.column_stack([cells["x_um"], cells["y_um"], z]).astype(np.float32)
    data = []
    for name, values in cells.items():
        if name == "uid":
            if all(str(u).isdecimal() for u in values.tolist()):
                data.append(array_xml("uid", values.astype(np.uint64)))
        elif name in legend:
            data.append(array_xml(name, codes_of(values, tuple(legend[name]))[0].astype(np.int32)))
        elif name not in ("x_um", "y_um", "z_um"):
            data.append(array_xml(name, values))
    order = np.arange(n, dtype=np.int64)
    words = "".join(words_xml(f"legend of {name}", said) for name, said in legend.items())
    return (
        _FILE.format(kind="UnstructuredGrid")
        + f'<UnstructuredGrid>\n<FieldData>\n{words}</FieldData>\n<Piece NumberOfPoints="{n}" NumberOfCells="{n}">\n'
        + f"<PointData>\n{''.join(data)}</PointData>\n<Points>\n{array_xml('Points', points)}</Points>\n<Cells>\n"
        + array_xml("connectivity", order) + array_xml("offsets", order + 1) + array_xml("types", np.full(n, _VERTEX, np.uint8))
        + "</Cells>\n</Piece>\n</UnstructuredGrid>\n</VTKFile>\n"
    )  # fmt: skip


def fields_xml(fields: Fields) -> str:
    """A .vti whose cells are the voxels."""
    nz, ny, nx = fields.shape
    extent, dx = f"0 {nx} 0 {ny} 0 {nz}", f"{fields.dx_um:g}"
    data = "".join(array_xml(name, values.ravel()) for name, values in fields.arrays.items())
    units = "".join(words_xml(f"unit of {name}", [fields.units.get(name, "")]) for name in fields.arrays)
    return (
        _FILE.format(kind="ImageData")
        + f'<ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{dx} {dx} {dx}">\n<FieldData>\n{units}</FieldData>\n'
        + f'<Piece Extent="{extent}">\n<CellData>\n{data}</CellData>\n</Piece>\n</ImageData>\n</VTKFile>\n'
    )


def collection_xml(steps: Sequence[tuple[float, str]]) -> str:
    """A .pvd: which file is of which hour."""
    rows = "".join(f'<DataSet timestep="{hour:g}" group="" part="0" file={quoteattr(file)}/>\n' for hour, file in steps)
    return f'<?xml version="1.0"?>\n<VTKFile type="Collection" version="1.0" byte_order="LittleEndian">\n<Collection>\n{rows}</Collection>\n</VTKFile>\n'


def array_xml(name: str, values: np.ndarray) -> str:
    """Numbers (n,) or (n, 3): zlib in blocks, base64."""
    values = np.ascontiguousarray(values)
    if values.dtype.str[1:] not in _TYPES:
        values = values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
    values = values.astype(values.dtype.newbyteorder("<"))
    parts = f' NumberOfComponents="{values.shape[1]}"' if values.ndim == 2 else ""
    return f'<DataArray type="{_TYPES[values.dtype.str[1:]]}" Name={quoteattr(xml_text(name))}{parts} format="binary">\n{packed(values.tobytes())}\n</DataArray>\n'


def packed(raw: bytes) -> str:
    """VTK's inline data: header (number of blocks, their size, that of the last if it is smaller, compressed sizes), then the blocks."""
    blocks = [zlib.compress(raw[k : k + _BLOCK], 6) for k in range(0, len(raw), _BLOCK)]
    header = np.array([len(blocks), _BLOCK, len(raw) % _BLOCK, *map(len, blocks)], dtype="<u8")
    return base64.b64encode(header.tobytes()).decode() + base64.b64encode(b"".join(blocks)).decode()


def words_xml(name: str, words: Sequence[str]) -> str:
    """Words, as the numbers of their bytes, each word ended by 0: nothing in them can end the element."""
    numbers = " ".join(str(b) for word in words for b in (*str(word).replace("\0", " ").encode("utf-8"), 0))
    return f'<Array type="String" Name={quoteattr(xml_text(name))} NumberOfTuples="{len(words)}" format="ascii">\n{numbers}\n</Array>\n'
