"""Normal tissue that ferroptoses: the same equations, the cell type's own numbers, off by default.

What a therapy does to the tissue around the tumour. Drugs, radiation and light reach these cells as they reach the
tumour's; each feels the cystine and the peroxide signal of its voxel, and becomes a corpse when its membrane ruptures.
What they take of cystine and emit of the signal is left out: normal tissue takes little and resists.
"""

from __future__ import annotations

from tme.core.parameters import ParameterSet, par
from tme.pathways.entries import PathwayDeath, PathwayEntry
from tme.pathways.ferroptosis import PATHWAY

PRESET = ParameterSet(
    "ferroptosis_normal",
    par("xct", 0.5, "1", 0.0, 10.0, "assumed: tumours raise system xc- (0.1-1)", "SLC7A11"),
    par("gpx4_trait", 1.0, "1", 0.0, 10.0, "assumed: as the reference tumour cell (0.5-2)", "GPX4 synthesis"),
    par("fsp1", 1.0, "1", 0.0, 20.0, "assumed: as the reference tumour cell (0.3-3)", "FSP1"),
    par("acsl4", 0.7, "1", 0.0, 5.0, "assumed: epithelia and fibroblasts have less PUFA in their phospholipid than the reference tumour cell (0.3-1.5)", "ACSL4"),
    par("tfr1", 0.4, "1", 0.0, 10.0, "assumed: cells that do not divide take up less iron (0.1-1)", "transferrin receptor"),
    par("nrf2", 1.0, "1", 0.01, 10.0, "assumed: as the reference tumour cell (0.5-2)", "NRF2"),
    par("mufa", 0.0, "1", 0.0, 10.0, "assumed: none beyond the reference", "MUFA"),
    par("d_leth", 60.0, "uM", 1.0, 5000.0, "assumed: as the reference tumour cell (30-120)", "lethal load of truncated lipid"),
)  # fmt: skip


class FerroptosisNormal(PathwayEntry):
    """Ferroptosis chemistry of normal tissue cells."""

    name = "ferroptosis_normal"
    pathway = PATHWAY
    cells = "normal"
    preset = PRESET
    parameters = PRESET
    about = "ferroptosis chemistry inside cells of normal tissue"
    starts_on = False


class RuptureNormal(PathwayDeath):
    """Normal cells that rupture die."""

    name = "rupture_normal"
    about = "normal cells whose membrane ruptures die"
    of = FerroptosisNormal
