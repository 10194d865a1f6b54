"""Checks of `initial: {kind: cells}`: what the config says of its table, then the table itself, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tme.config.access import Access, is_number
from tme.config.errors import nearest
from tme.config.start import Cells, Measured

At = tuple[Any, ...]


def check_rule(look: Access, at: At, rule: dict[str, Any]) -> None:
    """Each way to use a marker has its own keys."""
    by = rule.get("by", "scaled")
    needs = ("gate", "high", "low") if by == "gated" else ()
    for key in needs:
        if rule.get(key) is None:
            look.fault((*at, key), "missing", {"gate": "a number, otsu, or a list of names"}.get(key, "a factor, or with absolute a level"))
    useless = {"scaled": ("gate", "high", "low"), "rank": ("gate", "high", "low", "power"), "gated": ("power", "max_fold")}.get(str(by), ())
    for key in useless:
        if rule.get(key) not in (None, Measured.model_fields[key].default):  # a resolved config says the defaults too
            look.fault((*at, key), f"does nothing where a marker is {by}", "by: gated" if key in ("gate", "high", "low") else f"no {key}")
    if rule.get("absolute") is True and by == "rank":
        look.fault((*at, "absolute"), "ranks have no unit", "by: scaled or gated")


def check_table(look: Access, at: At, voxels: tuple[int, ...] | None, sound: bool) -> None:
    """The file of `kind: cells`, and where all that is said of it is sound its rows."""
    from tme.config import tissue_table as tables

    before = len(look.faults)
    file = Path(look.get(*at, "file"))
    if not file.is_file():
        near = nearest(file.name, [p.name for p in file.parent.iterdir()]) if file.parent.is_dir() else ""
        look.fault((*at, "file"), f"no such file: {file.name}", "a .csv or .h5ad table of cells, beside the config", near)
        return
    if tables.suffix_of(file) not in tables.SUFFIXES:
        look.fault((*at, "file"), f"'{file.suffix}' is no table this program reads", f"one of {', '.join(tables.SUFFIXES)}; text also as .gz")
        return
    try:
        header = tables.columns_of(file)
    except tables.Unreadable as error:
        look.fault((*at, "file"), str(error), "a table of cells (.csv, .tsv, .txt, .h5ad)")
        return
    check_columns(look, at, file.name, header)
    check_units(look, at)
    check_parts(look, at)
    if sound and len(look.faults) == before:
        check_rows(look, at, voxels)


def check_columns(look: Access, at: At, file: str, header: list[str]) -> None:
    """x, y and type are said, and every column that is named is there."""
    from tme.config.tissue_table import printable

    columns = look.mapping(*at, "columns")
    for key in ("x", "y", "type"):
        if key not in columns:
            look.fault((*at, "columns", key), "missing", f"the table's column that holds {key}")
    if "z" in columns and len(look.items("domain", "size_um")) == 2:
        look.fault((*at, "columns", "z"), "is of no use in two dimensions", "no z, which shows the cells from above, or domain.size_um: [x, y, z]")
    named = [((*at, "columns", k), v) for k, v in columns.items()]
    named += [((*at, part, k), k) for part in ("traits", "only") for k in look.mapping(*at, part)]
    for path, name in named:
        if isinstance(name, str) and name not in header and name.removeprefix("X:") not in header:
            look.unknown(path, f"column of {printable(file)}", name, map(printable, header))


def check_units(look: Access, at: At) -> None:
    """The unit is said once, and a pixel has a size."""
    unit, px = look.get(*at, "unit"), look.get(*at, "um_per_px")
    if unit is not None and look.get(*at, "unit_um") is not None:
        look.fault((*at, "unit_um"), f"is said beside unit: {unit}", "one of them")
    if unit == "px" and px is None:
        look.fault((*at, "um_per_px"), "missing", "micrometres per pixel, as the image's metadata have it")
    elif unit != "px" and px is not None:
        look.fault((*at, "um_per_px"), "goes with unit: px", "unit: px, or no um_per_px")


def check_parts(look: Access, at: At) -> None:
    """Regions of interest have an extent, and no more coordinates than the table."""
    roi, axes = look.mapping(*at, "roi"), 3 if "z" in look.mapping(*at, "columns") else 2
    for key in ("from_um", "to_um", "centre_um"):
        point = roi.get(key)
        if isinstance(point, list) and len(point) > axes:
            look.fault((*at, "roi", key), f"has {len(point)} coordinates", f"at most {axes}, as the table has")
    low, high = roi.get("from_um"), roi.get("to_um")
    if isinstance(low, list) and isinstance(high, list):
        if len(low) != len(high):
            look.fault((*at, "roi", "to_um"), f"has {len(high)} coordinates", f"{len(low)}, as from_um")
        elif any(is_number(a) and is_number(b) and b <= a for a, b in zip(low, high)):
            look.fault((*at, "roi", "to_um"), "is not beyond from_um along every axis", "two opposite corners, the lower one first")


def check_rows(look: Access, at: At, voxels: tuple[int, ...] | None) -> None:
    """The rows can be cells and lie in the domain."""
    from tme.config import tissue_table as tables
    from tme.config.tissue import TableError, tissue_of

    given = look.mapping(*at)
    try:
        spec = Cells.model_validate(given)
    except ValidationError:
        return  # the schema's to report
    dx = look.number("domain", "dx_um", default=15.0) or 15.0
    known = {*look.context.library.cells, "ignore"}
    if voxels is None or not known.issuperset(spec.types.values()):
        return
    try:
        tissue_of(spec, tuple(n * dx for n in voxels))
    except TableError as error:
        for fault in error.table_faults:
            look.fault((*at, *fault.key), fault.problem, fault.expected, tables.printable(fault.meant))
