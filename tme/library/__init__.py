"""The library: drugs, antibodies, nanoparticles, tumours, fields and cell types as data, each number with its source.

    >>> from tme.library import load_library
    >>> load_library().drug("rsl3").mw_g_mol
    440.9

A new entry is one entry in one YAML file; the code knows no brand names.
"""

from tme.library.cells import CellEntry
from tme.library.load import Library, LibraryError, changeable, load_library
from tme.library.schema import (
    AntibodyEntry,
    DrugEntry,
    FieldEntry,
    NanoparticleEntry,
    Number,
    TumourEntry,
)

__all__ = [
    "AntibodyEntry",
    "CellEntry",
    "DrugEntry",
    "FieldEntry",
    "Library",
    "LibraryError",
    "NanoparticleEntry",
    "Number",
    "TumourEntry",
    "changeable",
    "load_library",
]
