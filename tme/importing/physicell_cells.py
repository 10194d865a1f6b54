"""Read PhysiCell's table of cells: version 1, `x,y,z,type number` without a header, or version 2 with one.

Version 2 may hold values of single cells in further columns (`volume`, behaviours, `custom:NAME`); an empty field or one
that begins with s is the type's own value.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tme.config.errors import Fault, listed, nearest
from tme.importing.notes import bare, shown
from tme.importing.physicell_data import CellType, Domain

MOST_BYTES, MOST_CELLS, MOST_FAULTS = 128 << 20, 1_000_000, 20
PLACE = ("x", "y", "z", "type")


@dataclass
class Table:
    """Cells in the order of the file: (x, y, z) um and the name of the type; `own` is column -> (cells with a value, first line)."""

    places: list[tuple[float, float, float]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    own: dict[str, tuple[int, int]] = field(default_factory=dict)

    def counts(self) -> Counter[str]:
        """How many of each type."""
        return Counter(self.types)


def read(path: Path, name: str, types: dict[str, CellType], domain: Domain, faults: list[Fault]) -> Table:
    """The table; faults for rows that are no cell, of which the first few are told."""
    table, found = Table(), []
    try:
        if path.stat().st_size > MOST_BYTES:
            faults.append(Fault(name, 0, "", f"has more than {MOST_BYTES >> 20} MB", "a table of cells"))
            return table
        with open(path, encoding="utf-8-sig", newline="") as stream:
            for fault in rows(stream, name, types, domain, table):
                found.append(fault)
                if len(table.types) > MOST_CELLS:
                    break
    except OSError as error:
        faults.append(Fault(name, 0, "", f"cannot be read: {error.strerror}", "the table of cells that the settings name"))
    except (UnicodeDecodeError, csv.Error) as error:
        faults.append(Fault(name, 0, "", f"cannot be read as CSV: {' '.join(str(error).split())[:80]}", "a table of cells in UTF-8"))
    if len(table.types) > MOST_CELLS:
        found.append(Fault(name, 0, "", f"holds more than {MOST_CELLS} cells"))
    faults += found[:MOST_FAULTS]
    if len(found) > MOST_FAULTS:
        faults.append(Fault(name, found[MOST_FAULTS].line, "", f"and {len(found) - MOST_FAULTS} faults more from here on"))
    return table


def rows(stream: Iterator[str], name: str, types: dict[str, CellType], domain: Domain, table: Table) -> Iterator[Fault]:
    """Fill the table; what is wrong with a row is handed out."""
    lines = csv.reader(stream)
    by_number = {str(t.id): t.name for t in types.values()}
    header: list[str] = []
    for fields in lines:
        number = lines.line_num
        if not any(f.strip() for f in fields):
            continue
        if not header:
            header = [f.strip() for f in fields] if fields[0].strip().lower() == "x" else list(PLACE)
            if tuple(h.lower() for h in header[:4]) != PLACE:
                yield Fault(name, number, "", f"begins with the columns {shown(', '.join(header[:4]))}", "x, y, z, type")
                return
            if fields[0].strip().lower() == "x":
                continue
        if len(fields) < 4:
            yield Fault(name, number, "", f"has {len(fields)} fields", "x, y, z, type")
            continue
        yield from one(fields, number, name, types, by_number, domain, table, header)


def one(fields: list[str], number: int, name: str, types: dict[str, CellType], by_number: dict[str, str], domain: Domain, table: Table, header: list[str]) -> Iterator[Fault]:
    """Add the cell of one row."""
    place = []
    for axis, text in zip("xyz", fields):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            yield Fault(name, number, axis, f"is {shown(text)}; PhysiCell reads what is no number as 0", "a number, in um")
            return
        low, high = getattr(domain, axis)
        if not low <= value <= high and not (axis == "z" and domain.flat):
            yield Fault(name, number, axis, f"is {value:g}, outside the domain", f"{low:g} to {high:g}")
            return
        place.append(value)
    kind = fields[3].strip()
    kind = kind if kind in types else by_number.get(kind.removesuffix(".0"), kind)
    if kind not in types:
        yield Fault(name, number, "type", f"unknown cell type {shown(fields[3].strip())}", listed([*map(shown, types), *by_number]), bare(nearest(kind, types)))
        return
    table.places.append((place[0], place[1], place[2]))
    table.types.append(kind)
    for column, text in zip(header[4:], fields[4:]):
        if text.strip() and text.strip()[0] not in "sS":
            cells, first = table.own.get(column, (0, number))
            table.own[column] = (cells + 1, first)


def scattered(types: dict[str, CellType], count: int, domain: Domain) -> Table:
    """`count` cells of each type evenly over the domain, as PhysiCell's template places them, on a low-discrepancy sequence.

    Points k -> frac(1/2 + k/g^i), g the root of g^(d+1) = g + 1 (Roberts 2018): the same in every import.
    """
    table, flat = Table(), domain.flat
    g = 1.32471795724474602596 if flat else 1.22074408460575947536
    k = 0
    for name in types:
        for _ in range(count):
            k += 1
            u = [(0.5 + k / g**i) % 1.0 for i in (1, 2, 3)]
            spans = (domain.x, domain.y, domain.z)
            table.places.append(tuple(low + (high - low) * share for (low, high), share in zip(spans, u)) if not flat else  # type: ignore[arg-type]
                                (*(low + (high - low) * share for (low, high), share in zip(spans[:2], u)), 0.0))  # fmt: skip
            table.types.append(name)
    return table
