"""The parameters of cuproptosis, with units, bounds and sources. Laws and symbols are in `cuproptosis`."""

from __future__ import annotations

from tme.core.parameters import ParameterSet, par

_ORDER = "tuned: order of deaths: elesclomol 0.04 uM 41 h, 0.1 uM 16 h; 12.5 h with a tenth of the GSH; FDX1 0.1 lives; ATP7B 0.3 14 h"
_TYPE = "assumed: 1 is the reference cell"

PARAMETERS = ParameterSet(
    "cuproptosis",
    par("k_in", 0.01, "1/min", 0.0, 1.0, _ORDER, "copper uptake by CTR1 and DMT1, per uM outside"),
    par("ctr1", 1.0, "1", 0.0, 100.0, _TYPE, "CTR1 (SLC31A1) activity"),
    par("k_atp7", 0.06, "1/min", 0.0, 5.0, _ORDER, "copper export by ATP7A and ATP7B"),
    par("atp7b", 1.0, "1", 0.0, 100.0, _TYPE, "ATP7A/B activity; it needs ATP"),
    par("k_m_atp7", 5.0, "uM", 0.01, 500.0, _ORDER, "copper at which export saturates by half"),
    par("k_gcu", 150.0, "uM", 1.0, 10000.0, _ORDER, "GSH that binds half of the copper"),
    par("mt", 0.0, "1", 0.0, 1000.0, "assumed: what the reference cell has of it is in k_gcu", "copper bound by further metallothionein, per free copper"),
    par("k_lip", 0.0016, "1/min", 0.0, 0.1, _ORDER, "aggregation of lipoylated protein at saturating free copper"),
    par("k_m_lip", 0.02, "uM", 1e-4, 10.0, _ORDER, "free copper of half aggregation"),
    par("fdx1", 1.0, "1", 0.0, 100.0, _TYPE, "FDX1 activity: it reduces copper to the toxic form"),
    par("lipoylation", 1.0, "1", 0.0, 100.0, _TYPE, "lipoylated protein (LIAS, LIPT1, DLAT); 0 without mitochondria"),
    par("k_mend", 4e-4, "1/min", 1e-6, 0.1, _ORDER, "removal of aggregates"),
    par("k_fes", 0.004, "1/min", 0.0, 1.0, "assumed: half of the clusters go within 3 h at saturating free copper", "loss of iron-sulphur clusters"),
    par("k_build", 0.002, "1/min", 1e-6, 1.0, "assumed: clusters are rebuilt within half a day", "assembly of iron-sulphur clusters"),
    par("active_copper", 0.5, "uM", 0.0, 1000.0, "assumed: ten times the resting level", "copper above which a cell is stepped at every tick"),
    par("active_damage", 0.05, "1", 0.0, 10.0, "assumed: as active_copper", "aggregate above which a cell is stepped at every tick"),
)  # fmt: skip
