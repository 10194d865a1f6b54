"""Immune cells in and around the tumour, and the signals between."""

from __future__ import annotations

from typing import Any

import numpy as np

RIM_UM = -100.0  # cells up to 100 um outside the edge count as being in the tumour
M1_LEVEL = 0.5  # a macrophage above this polarisation counts as M1


def share(part: float, whole: float) -> float:
    """part/whole, NaN when there is nothing to share."""
    return part / whole if whole else float("nan")


def percentiles(name: str, values: np.ndarray) -> dict[str, float]:
    """p10, median, p90 of a quantity over cells."""
    if len(values) == 0:
        return {f"{name}_p10": np.nan, f"{name}_median": np.nan, f"{name}_p90": np.nan}
    low, mid, high = np.percentile(values, (10, 50, 90))
    return {f"{name}_p10": low, f"{name}_median": mid, f"{name}_p90": high}


def lymphocytes(model: Any) -> dict[str, float]:
    """CD8 and Treg: numbers, densities per mm^2 of the tumour with a 100 um rim as a section shows them, engagement, exhaustion, secretion.

    Functional CD8 are those below the threshold of exhaustion, as a restimulation finds them; T cells are CD8 and Treg. CD8 are also told
    apart as those within the tumour's edge and those in the rim around it.
    """
    depth = model.lattice.depth_um()
    inside, within_edge = depth > RIM_UM, depth > 0.0
    voxel_mm2 = model.grid.dx_um**2 * 1e-6
    area, core = inside.sum() * voxel_mm2, within_edge.sum() * voxel_mm2
    alive = int((model.tumour.state == 0).sum())
    cd8, treg = model.cd8, model.treg
    here = inside[cd8.voxel]
    within = int(here.sum())
    engaged = here & (cd8.engaged == 1)
    threshold = model.mechanism("exhaustion").p.threshold
    n_treg = int(inside[treg.voxel].sum())
    in_core = int(within_edge[cd8.voxel].sum())
    return {
        "cd8_per_mm2": share(within, area * cd8.in_slab),
        "cd8_inside_per_mm2": share(in_core, core * cd8.in_slab),
        "cd8_rim_per_mm2": share(within - in_core, (area - core) * cd8.in_slab),
        "cd8_per_tumour_cell": share(within, alive),
        "cd8_ifng_share": share(int((here & (cd8.stimulus > 0.1)).sum()), within),
        "cd8_specific_share": share(int((here & (cd8.specific == 1)).sum()), within),
        "cd8_functional_share": share(int((here & (cd8.exhaustion <= threshold)).sum()), within),
        "cd8_engaged_share": share(int(engaged.sum()), within),
        "cd8_exhausted_share": share(int((here & (cd8.exhaustion > threshold)).sum()), within),
        "cd8_exhaustion_mean": float(cd8.exhaustion[here].mean()) if within else np.nan,
        "treg_per_mm2": share(n_treg, area * treg.in_slab),
        "treg_per_cd8": share(n_treg, within),
        "treg_share": share(n_treg, n_treg + within),
    }


def myeloid(model: Any) -> dict[str, float]:
    """Macrophages and dendritic cells in the tumour with a 100 um rim; those in the lymph node are all mature."""
    m, d = model.macrophage, model.dendritic
    inside = model.lattice.depth_um() > RIM_UM
    m_here, d_here = inside[m.voxel], inside[d.voxel]
    n_m, n_d = int(m_here.sum()), int(d_here.sum())
    area = inside.sum() * model.grid.dx_um**2 * 1e-6
    m1 = int((m_here & (m.m1 > M1_LEVEL)).sum())
    mature = int((d_here & (d.mature == 1)).sum())
    return {
        "macrophage": n_m,
        "macrophage_per_mm2": share(n_m, area * m.in_slab),
        "m1_share": share(m1, n_m),
        "m1_mean": float(m.m1[m_here].mean()) if n_m else np.nan,
        "m1_m2_ratio": share(m1, n_m - m1),
        "dc_immature": n_d - mature,
        "dc_mature": mature,
        "dc_mature_share": share(mature, n_d),
        "dc_mature_share_with_node": share(mature + model.node.dendritic, n_d + model.node.dendritic),
        "dc_mature_cumulative": model.counters["dc_matured"],
        "primed_pool": model.node.output,
        "cd8_recruited": model.counters["recruited_cd8"],
    }


def mark(model: Any) -> None:
    """Remember kills and CD8 ticks twice a day, so that rates cover the last 12-24 h."""
    c = model.counters
    c["mark_tick_old"], c["mark_kills_old"], c["mark_cd8_old"] = c["mark_tick"], c["mark_kills"], c["mark_cd8"]
    c["mark_tick"], c["mark_kills"], c["mark_cd8"] = model.tick, c["kills"], c["cd8_ticks"]


def killing(model: Any) -> dict[str, float]:
    """Kills so far, and per CD8 or tumour cell and day over the last 12-24 h."""
    c = model.counters
    kills = c["kills"] - c["mark_kills_old"]
    cd8_days = (c["cd8_ticks"] - c["mark_cd8_old"]) * model.dt_min / 1440.0
    days = (model.tick - c["mark_tick_old"]) * model.dt_min / 1440.0
    alive = int((model.tumour.state == 0).sum())
    return {
        "kills": c["kills"],
        "eaten_alive": c["eaten_alive"],
        "cd8_days": c["cd8_ticks"] * model.dt_min / 1440.0,
        "kills_per_cd8_day": share(kills, cd8_days),
        "kills_per_tumour_day": share(kills, alive * days),
    }


def signals(model: Any) -> dict[str, float]:
    """What living tumour cells see: IFN-gamma, oxygen, chemokine, DAMPs, suppression, drug, particles; PD-L1."""
    t = model.tumour
    alive = t.state == 0
    v = t.voxel[alive]
    f = model.fields
    out = percentiles("ifng", t.ifng[alive]) | percentiles("oxygen", t.oxygen[alive])
    out["hypoxic_share"] = share(int((t.oxygen[alive] < 5.0).sum()), len(v))
    for name in ("atp", "hmgb1"):
        out[f"{name}_mean"] = float(f[name].at(v).mean()) if len(v) else np.nan
    for name, key in (("cxcl", "cxcl_median"), ("suppression", "suppression_median"), ("cystine", "cystine_median")):
        out[key] = float(np.median(f[name].at(v))) if len(v) else np.nan
    out["peroxide_p90"] = float(np.percentile(t.peroxide[alive], 90)) if len(v) else np.nan
    drugs = [a.name for a in model.therapy.drugs]
    total = sum((f[n].at(v) for n in drugs), np.zeros(len(v)))
    out |= percentiles("drug", total)
    particles = sum((f[a.name].at(v) for a in model.therapy.nanoparticles), np.zeros(len(v)))
    held = sum((getattr(t, f"np_{a.name}")[alive] for a in model.therapy.nanoparticles), np.zeros(len(v)))
    out["np_median"] = float(np.median(particles + held * model.cell_fraction)) if len(v) else np.nan
    out["pdl1_positive_share"] = share(int((t.pdl1[alive] > 0.3).sum()), len(v))
    out["pdl1_free_mean"] = float(t.pdl1_free[alive].mean()) if len(v) else np.nan
    out["mhc1_mean"] = float(t.mhc1[alive].mean()) if len(v) else np.nan
    return out
