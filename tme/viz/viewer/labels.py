"""Names, units and groups of what a cell carries, in the words of a reader."""

from __future__ import annotations

from tme.viz.style import arm_name, field_name

STATES = {
    "gsh": ("glutathione (GSH)", "µM"),
    "cysteine": ("cyst(e)ine in the cell", "µM"),
    "gpx4": ("active GPX4", "of normal"),
    "coq10h2": ("reduced CoQ10", "µM"),
    "lip": ("labile iron", "µM"),
    "ferritin": ("ferritin-bound iron", "µM"),
    "pufa": ("oxidisable PUFA lipid", "µM"),
    "plooh": ("lipid hydroperoxide", "µM"),
    "ifng_response": ("response to IFN-γ", "0–1"),
    "damage": ("membrane damage", "1 = rupture"),
}
TRAITS = {
    "xct": ("xCT", "of normal"),
    "gpx4_trait": ("GPX4 (trait)", "of normal"),
    "fsp1": ("FSP1", "of normal"),
    "acsl4": ("ACSL4", "of normal"),
    "tfr1": ("TfR1", "of normal"),
    "nrf2": ("NRF2", "of normal"),
    "antigenicity": ("antigenicity", "of mean"),
}
SENSED = ("oxygen", "cystine", "ifng", "peroxide")
OTHERS = {
    "pdl1": ("PD-L1", "0–1"),
    "pdl1_free": ("PD-L1 not bound by antibody", "0–1"),
    "mhc1": ("MHC-I", "0–1"),
    "death_hour": ("hour of death", "h"),
    "engaged": ("engaged with a target", "0/1"),
    "function": ("function left", "0–1"),
    "exhaustion": ("exhaustion", "0–1"),
    "kills": ("kills so far", "cells"),
    "mature": ("mature", "0/1"),
    "m1": ("M1 share", "0–1"),
    "antigen": ("antigen carried", ""),
    "iron_load": ("iron taken up", ""),
}
GROUPS = ("chemical state", "sensed", "trait", "other")
GROWTH = {
    "tumour_alive": "living tumour cells",
    "tumour_area_mm2": "tumour area (mm²)",
    "tumour_volume_mm3": "equivalent volume (mm³)",
    "dead_ferroptosis": "dead by ferroptosis, so far",
    "dead_immune": "killed by immune cells, so far",
    "cd8": "CD8 T cells",
    "dc_mature": "mature dendritic cells",
    "oxygen_median": "oxygen, median (mmHg)",
}


def column(name: str) -> dict[str, str]:
    """Label, unit and group of a column of the cells, or of a field (`field:` before its name).

    Names that nobody told are made readable.
    """
    if name.startswith("field:"):
        return {"label": field_name(name[6:]), "unit": "", "group": "field"}
    for group, table in (("chemical state", STATES), ("trait", TRAITS), ("other", OTHERS)):
        if name in table:
            label, unit = table[name]
            return {"label": label, "unit": unit, "group": group}
    if name in SENSED:
        return {"label": field_name(name), "unit": "", "group": "sensed"}
    if name.startswith("np_"):
        return {"label": f"{arm_name(name[3:])} taken up", "unit": "", "group": "other"}
    return {"label": arm_name(name), "unit": "", "group": "other"}
