"""CD8 T cells that ferroptose themselves (M90): the same equations, the cell type's own numbers, off by default.

A T cell takes up lipid from the tumour by CD36 (rule M90.cd36: the more tumour cells around it the more PUFA it is
supplied with), feels the cystine, the IFN-gamma and the peroxide signal of its voxel, and leaves the tissue when its
membrane ruptures. What it takes from the fields and what it emits is left out: CD8 are few beside tumour cells.
"""

from __future__ import annotations

from tme.core.parameters import ParameterSet, par
from tme.pathways.entries import PathwayDeath, PathwayEntry
from tme.pathways.ferroptosis import PATHWAY

PRESET = ParameterSet(
    "ferroptosis_cd8",
    par("xct", 0.5, "1", 0.0, 10.0, "assumed: activated T cells have less system xc- than the reference tumour cell (0.1-1)", "SLC7A11"),
    par("gpx4_trait", 1.0, "1", 0.0, 10.0, "assumed: as the reference tumour cell (0.3-2)", "GPX4 synthesis"),
    par("fsp1", 0.5, "1", 0.0, 20.0, "assumed: less than the reference tumour cell (0.1-1)", "FSP1"),
    par("acsl4", 1.0, "1", 0.0, 5.0, "assumed: as the reference tumour cell (0.5-2)", "ACSL4"),
    par("tfr1", 1.0, "1", 0.0, 10.0, "assumed: activated T cells take up iron (0.5-3)", "transferrin receptor"),
    par("nrf2", 1.0, "1", 0.01, 10.0, "assumed: as the reference tumour cell (0.3-2)", "NRF2"),
    par("mufa", 0.0, "1", 0.0, 10.0, "assumed: none beyond the reference", "MUFA"),
    par("f_x", 0.0, "1", 0.0, 1.0, "assumed: IFN-gamma lowers SLC7A11 of tumour cells, not of the T cell that makes it (0-0.7)", "share of system xc- lost to IFN-gamma"),
    par("f_acsl", 0.0, "1", 0.0, 5.0, "assumed: as f_x", "ACSL4 gained by IFN-gamma"),
    par("d_leth", 60.0, "uM", 1.0, 5000.0, "assumed: as the reference tumour cell (30-120)", "lethal load of truncated lipid"),
)  # fmt: skip


class FerroptosisCd8(PathwayEntry):
    """Ferroptosis chemistry of CD8 T cells."""

    name = "ferroptosis_cd8"
    pathway = PATHWAY
    cells = "cd8"
    preset = PRESET
    parameters = PRESET
    ids = ("M90",)
    about = "ferroptosis chemistry inside CD8 T cells"
    starts_on = False


class RuptureCd8(PathwayDeath):
    """CD8 T cells that rupture leave the tissue."""

    name = "rupture_cd8"
    ids = ("M90",)
    about = "CD8 T cells whose membrane ruptures are lost"
    of = FerroptosisCd8
