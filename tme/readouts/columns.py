"""Columns of the series by name, so that a config can be asked about them before it runs (`tests/readouts` compares with a model)."""

from __future__ import annotations

from tme.core.death_modes import LABELS

ALWAYS = (
    "tumour_alive", "corpses", "births", "dead_ferroptosis", "dead_immune", "dead_necrosis", "dead_apoptosis", "cleared",
    "tumour_nadir", "regrowth", "tumour_area_mm2", "tumour_volume_mm3", "vessels",
    "cd8_per_mm2", "cd8_inside_per_mm2", "cd8_rim_per_mm2", "cd8_per_tumour_cell", "cd8_ifng_share", "cd8_specific_share", "cd8_functional_share", "cd8_engaged_share",
    "cd8_exhausted_share", "cd8_exhaustion_mean", "treg_per_mm2", "treg_per_cd8", "treg_share",
    "macrophage", "macrophage_per_mm2", "m1_share", "m1_mean", "m1_m2_ratio", "dc_immature", "dc_mature", "dc_mature_share", "dc_mature_share_with_node",
    "dc_mature_cumulative", "primed_pool", "cd8_recruited",
    "kills", "eaten_alive", "cd8_days", "kills_per_cd8_day", "kills_per_tumour_day",
    *(f"{name}_{at}" for name in ("ifng", "oxygen", "drug") for at in ("p10", "median", "p90")),
    "hypoxic_share", "atp_mean", "hmgb1_mean", "cxcl_median", "suppression_median", "cystine_median", "peroxide_p90", "np_median",
    "pdl1_positive_share", "pdl1_free_mean", "mhc1_mean",
    "slc7a11_factor", "gsh_median", "gpx4_median", "plooh_median", "plooh_p90", "lip_median", "pufa_median", "v_damage_p90",
    "irae_t_index", "irae_ifng",
)  # fmt: skip
SPREAD = ("escaped", "escaped_alive", "metastases")  # where the config has metastasis
OTHER_DEATHS = tuple(f"died_by_{name}" for name in LABELS)  # of each that has a rate, or a term that something adds to
