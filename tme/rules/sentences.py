"""A rule as a sentence: *In tumour cells lactate raises GPX4 synthesis up to 1.8-fold (half at 8 mM, Hill 2).*"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tme.library.rule import RuleEntry

PLAIN = {
    "cd8": "CD8 T", "cd4": "CD4 T", "treg": "regulatory T", "dendritic": "dendritic", "nk": "NK", "mdsc": "MDSC", "caf": "CAF",
    "ifng": "IFN-gamma", "cxcl": "CXCL9/10", "atp": "ATP", "hmgb1": "HMGB1", "gpx4": "GPX4", "fsp1": "FSP1", "acsl4": "ACSL4",
    "nrf2": "NRF2", "plooh": "PLOOH", "gsh": "GSH", "lip": "labile iron", "pdl1": "PD-L1", "mhc1": "MHC-I", "rsl3": "RSL3",
}  # fmt: skip


def plain(name: str) -> str:
    """A name of ours in words."""
    return PLAIN.get(name, name.replace("_", " "))


def signal_words(signal: str) -> str:
    """A signal in words."""
    kind, _, name = signal.partition(".")
    return {
        "own": f"the cell's own {plain(name)}",
        "near": f"{plain(name)} cells within 3 voxels",
        "contact": f"contact with {plain(name)} cells",
        "time": "time since day 0",
    }.get(kind, plain(name))


def sentence(entry: RuleEntry, terms: Mapping[str, Any]) -> str:
    """What a rule says."""
    term = terms[entry.term].about if entry.term in terms else entry.term
    where = " and ".join(plain(c) for c in entry.cells)
    low = "a lack of " if entry.response == "falling" else ""
    said = f"In {where} cells {low}{signal_words(entry.signal)} "
    numbers = entry.numbers
    if entry.response == "linear":
        said += f"adds {entry.slope:g} {unit(numbers['slope'].unit)} of {term}".replace("  ", " ")
        return said + tail(entry)
    half = f"half at {entry.half:g} {unit(numbers['half'].unit)}".rstrip()
    shape = half + (f", Hill {entry.hill:g}" if entry.hill != 1.0 else "")
    if entry.combine == "cbhg":
        said += f"{entry.verb} {term} from {entry.base:g} towards {entry.to:g} ({shape}; PhysiCell's grammar)"
    elif entry.verb == "adds_to":
        said += f"adds up to {entry.to:g} {unit(numbers['to'].unit)} to {term} ({shape})".replace("  ", " ")
    elif entry.verb == "raises":
        said += f"raises {term} up to {entry.to:g}-fold ({shape})"
    elif entry.to == 0.0:
        said += f"blocks {term} ({shape})"
    else:
        said += f"lowers {term} to {entry.to:g} of it at most ({shape})"
    return said + tail(entry)


def unit(text: str) -> str:
    """A unit after a number; nothing for a pure one."""
    return "" if text == "1" else text


def tail(entry: RuleEntry) -> str:
    """Memory, shared response, and how sure it is."""
    out = f", with a memory of {entry.lag_h:g} h" if entry.lag_h else ""
    out += f", together with the other rules of {entry.group}" if entry.group else ""
    return out + (f"; the evidence is {entry.evidence}." if entry.evidence != "supported" else ".")
