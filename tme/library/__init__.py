"""The library: drugs, antibodies, nanoparticles, tumours and fields as data, each number with its source.

    >>> from tme.library import load_library
    >>> load_library().drug("rsl3").mw_g_mol
    440.9

A new entry is one entry in one YAML file (`drugs.yaml`, or any of a folder `drugs/`), a new kind of entries a line in `kinds.KINDS`; the code knows no brand
names.
"""

from tme.library.agents import AntibodyEntry, DrugEntry
from tme.library.kinds import KINDS, Kind
from tme.library.load import Library, LibraryError, changeable, load_library
from tme.library.particles import NanoparticleEntry
from tme.library.schema import (
    FieldEntry,
    Number,
    TumourEntry,
)

__all__ = [
    "KINDS",
    "AntibodyEntry",
    "DrugEntry",
    "FieldEntry",
    "Kind",
    "Library",
    "LibraryError",
    "NanoparticleEntry",
    "Number",
    "TumourEntry",
    "changeable",
    "load_library",
]
