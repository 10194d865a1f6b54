"""Figures in vector form: svg or pdf, with letters that stay letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from tme.viz import style
from tme.viz.files import whole

KINDS = ("svg", "pdf")
PICTURES_DPI = 600  # of lattice pictures inside: voxels are whole numbers of pixels, as at 300
RC: dict[Any, Any] = {
    "svg.fonttype": "none",  # text, in the reader's own DejaVu Sans or the next of the list
    "svg.hashsalt": "tme",  # the same figure gives the same bytes
    "pdf.fonttype": 42,  # TrueType inside, editable
}


def save(figure: Figure, path: Path, title: str = "") -> Path:
    """Write a figure as its name's ending says, by temporary file and rename; without a date, so that equal figures are equal files."""
    kind = path.suffix[1:]
    told: dict[str, Any] = {"svg": {"Title": title, "Date": None}, "pdf": {"Title": title, "CreationDate": None}}[kind]
    with style.use(), mpl.rc_context(RC), whole(path) as file:
        style.finished(figure).savefig(file, format=kind, dpi=PICTURES_DPI, metadata=told)
    return path
