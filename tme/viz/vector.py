"""Figures in vector form: svg or pdf, with letters that stay letters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from tme.viz import style

KINDS = ("svg", "pdf")
PICTURES_DPI = 600  # of lattice pictures inside: voxels are whole numbers of pixels, as at 300
RC: dict[Any, Any] = {
    "svg.fonttype": "none",  # text, in the reader's own DejaVu Sans or the next of the list
    "svg.hashsalt": "tme",  # the same figure gives the same bytes
    "pdf.fonttype": 42,  # TrueType inside, editable
}


def save(figure: Figure, path: Path, title: str = "") -> Path:
    """Write a figure as its name's ending says, by temporary file and rename; without a date, so that equal figures are equal files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = path.suffix[1:]
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    told: dict[str, Any] = {"svg": {"Title": title, "Date": None}, "pdf": {"Title": title, "CreationDate": None}}[kind]
    try:
        with style.use(), mpl.rc_context(RC), open(temporary, "wb") as file:
            style.finished(figure).savefig(file, format=kind, dpi=PICTURES_DPI, metadata=told)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
