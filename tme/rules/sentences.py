"""A rule as a sentence: *In tumour cells lactate raises GPX4 synthesis up to 1.8-fold (half at 8 mM, Hill 2).*"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tme.library.rule import RuleEntry

PLAIN = {
    "coq10h2": "reduced CoQ10", "ecm": "matrix", "nadph": "NADPH", "vegf": "VEGF", "transferrin": "transferrin iron",
    "ifng": "IFN-gamma", "cxcl": "CXCL9/10", "atp": "ATP", "hmgb1": "HMGB1", "gpx4": "GPX4", "fsp1": "FSP1", "acsl4": "ACSL4",
    "nrf2": "NRF2", "plooh": "PLOOH", "gsh": "GSH", "lip": "labile iron", "pdl1": "PD-L1", "mhc1": "MHC-I", "rsl3": "RSL3",
    "suppression": "suppressive cytokines", "xct": "system xc-", "clusters_lost": "loss of iron-sulphur clusters",
    "radiation": "radiation of the last days", "radiation_ros": "oxidants left by radiation", "light": "oxidants made by light",
    "ohg8": "8-OHG", "il6": "IL-6", "il8": "IL-8", "h2o2": "H2O2", "blunting": "oxidised lipid", "heat": "heat of the last days", "sound": "oxidants made by sound",
}  # fmt: skip
CELLS = {
    "cd8": "CD8 T cells", "cd4": "CD4 T cells", "treg": "regulatory T cells", "dendritic": "dendritic cells", "nk": "NK cells",
    "b_cell": "B cells",
    "mdsc": "MDSC", "caf": "fibroblasts", "macrophage": "macrophages", "neutrophil": "neutrophils", "vessel": "open vessels",
}  # fmt: skip
MANY = ("radiation_ros", "light", "sound", "suppression")  # these take a verb in the plural


def plain(name: str) -> str:
    """A name of ours in words."""
    return PLAIN.get(name, name.replace("_", " "))


def cells_words(name: str) -> str:
    """A cell type in words, many of it."""
    return CELLS.get(name, f"{name.replace('_', ' ')} cells")


def signal_words(signal: str) -> str:
    """A signal in words."""
    kind, _, name = signal.partition(".")
    return {
        "own": f"their own {plain(name)}",
        "near": f"nearby {cells_words(name)}",
        "contact": f"contact with {cells_words(name)}",
        "time": "time since day 0",
        "alteration": f"carrying {plain(name)}",
    }.get(kind, plain(name))


def term_words(term: str, terms: Mapping[str, Any]) -> str:
    """A term in words."""
    kind, _, name = term.partition(".")
    if kind == "entry":
        return f"the entry of {cells_words(name)}"
    if kind in ("secretion", "uptake"):
        return f"{kind} of {plain(name)}"
    return str(terms[term].about) if term in terms else term


def sentence(entry: RuleEntry, terms: Mapping[str, Any]) -> str:
    """What a rule says."""
    if entry.signal.startswith("alteration.") and entry.half is not None and entry.half <= 1e-6:
        return carriers_sentence(entry, terms)
    term, numbers = term_words(entry.term, terms), entry.numbers
    where = f"{'At' if 'vessel' in entry.cells else 'In'} {' and '.join(cells_words(c) for c in entry.cells)}"
    kind, _, name = entry.signal.partition(".")
    lack = entry.response == "falling"
    said = f"{where} {'a lack of ' if lack else ''}{signal_words(entry.signal)} "
    many = not lack and (kind == "near" or (name in MANY and kind in ("field", "event")))

    def does(verb: str) -> str:
        return verb if many else verb + "s"

    if entry.response == "linear":
        return said + f"{does('add')} to {term} in proportion, {entry.slope:g} {unit(numbers['slope'].unit)}".rstrip() + tail(entry)
    half = f"half at {entry.half:g} {unit(numbers['half'].unit)}".rstrip().replace(" 1 cells", " 1 cell")
    shape = half + (f", Hill {entry.hill:g}" if entry.hill != 1.0 else "")
    if entry.combine == "cbhg":
        said += f"{does(entry.verb[:-1])} {term} from {entry.base:g} towards {entry.to:g} ({shape}; PhysiCell's grammar)"
    elif entry.verb == "adds_to":
        said += f"{does('add')} up to {entry.to:g} {unit(numbers['to'].unit)} to {term} ({shape})".replace("  ", " ")
    elif entry.verb == "raises":
        said += f"{does('raise')} {term} up to {entry.to:g}-fold ({shape})"
    elif entry.to == 0.0:
        said += f"{does('block')} {term} ({shape})"
    else:
        said += f"{does('lower')} {term} down to {entry.to:g}-fold ({shape})"
    return said + tail(entry)


def carriers_sentence(entry: RuleEntry, terms: Mapping[str, Any]) -> str:
    """What an effect of an alteration says."""
    where = f"In tumour cells that carry {plain(entry.signal.partition('.')[2])}"
    amount = f"{entry.to:g} {unit(entry.numbers['to'].unit)} comes on top" if entry.verb == "adds_to" else f"is {entry.to:g}-fold"
    term = term_words(entry.term, terms)
    return f"{where} {amount} of {term}".replace("  ", " ") + tail(entry) if entry.verb == "adds_to" else f"{where} {term} {amount}" + tail(entry)


def unit(text: str) -> str:
    """A unit after a number; nothing for a pure one."""
    return "" if text == "1" else f"per {text[2:]}" if text.startswith("1/") else text


def tail(entry: RuleEntry) -> str:
    """Memory, shared response, and how sure it is."""
    out = f", as far as {plain(entry.needs.field)} is there (half at {entry.needs.half:g} {entry.needs.numbers['half'].unit})" if entry.needs else ""
    out += f", with a memory of {entry.lag_h:g} h" if entry.lag_h else ""
    out += f", together with the other rules of {entry.group}" if entry.group else ""
    return out + (f"; the evidence is {entry.evidence}." if entry.evidence != "supported" else ".")
