"""Particles: how much of a dose reaches the tumour and when, and what iron in them does to macrophages and beside a checkpoint antibody."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from tme.library import load_library
from tme.targets.base import Outcome, Target, within
from tme.targets.mutants import Mutant
from tme.targets.setups import minutes, nodule
from tme.targets.trials import at_day, geometric_ratio, mean_between, trial, with_shares

ZHANG = "Zhang et al. 2025, doi 10.3389/fimmu.2025.1611299, table 1"
DOSED = [0, 2]
SEEDS = 4


def iron_alone() -> Outcome:
    """Iron oxide (10 mg/kg on days 0 and 2) against control on four tumours of 400 cells, 5 days: no inducer, no antibody.

    M1 share of the macrophages, mean of days 3 to 5, must be higher and the volume on day 5 smaller in every pair.
    """
    arms = {"control": {}, "iron": {"nanoparticles": [{"name": "iron_oxide", "dose_mg_kg": 10, "day": DOSED}]}}
    table = trial(arms, seeds=SEEDS, days=5)
    m1, volume = mean_between(table, "m1_share", 3, 5), at_day(table)
    values = {
        "pairs": len(volume),
        "m1_share": {a: float(m1[a].mean()) for a in arms},
        "volume_mm3": {a: float(volume[a].mean()) for a in arms},
        "volume_over_control": geometric_ratio(volume, "iron"),
    }
    claims = {"M1 share up": bool((m1["iron"] > m1["control"]).all()), "growth slower": bool((volume["iron"] < volume["control"]).all())}
    return Outcome(values, claims)


IRON = {"N3": "tannic_fe_dox", "N6": "azo_hypoxia_fe"}
ROWS = {  # of the review's table: readout -> sign of the combination against control
    "N3": {"cd4_per_mm2": +1, "cd8_per_mm2": +1, "treg_share": -1},
    "N6": {"dc_mature_share_with_node": +1, "m1_share": +1, "cd8_functional_share": +1},
}


def iron_with_blockade() -> Outcome:
    """Two iron platforms (10 mg/kg, days 0 and 2) with anti-PD-L1 (10 mg/kg) on four tumours of 400 cells with CD4, 5 days.

    Signs of the combination against control as in the review's rows, means of days 3 to 5: N3 CD4 and CD8 up, Treg among T cells
    down; N6 mature among DC of tumour and node, M1 and functional CD8 up. Volume on day 5 smaller than with each alone. All in every pair.
    """
    arms: dict[str, Any] = {"control": {}, "anti_pdl1": {"antibodies": [{"name": "anti_pdl1", "dose_mg_kg": 10, "day": DOSED}]}}
    for row, name in IRON.items():
        arms[row] = {"nanoparticles": [{"name": name, "dose_mg_kg": 10, "day": DOSED}]}
        arms[f"{row}_both"] = {"use": ["anti_pdl1", row]}
    table = with_shares(trial(arms, seeds=SEEDS, days=5, populations={"cd4": {"per_mm2": 60}}))
    table = table.assign(cd4_per_mm2=table["cd4"] / table["tumour_area_mm2"])
    volume = at_day(table)
    values: dict[str, Any] = {"pairs": len(volume)}
    claims: dict[str, bool | None] = {}
    for row, readouts in ROWS.items():
        both = f"{row}_both"
        values[f"{row} volume mm3: control, anti-PD-L1, particle, both"] = [float(volume[a].mean()) for a in ("control", "anti_pdl1", row, both)]
        for name, sign in readouts.items():
            means = mean_between(table, name, 3, 5)
            values[f"{row} {name}: control, both"] = [float(means["control"].mean()), float(means[both].mean())]
            claims[f"{row}: {name} {'up' if sign > 0 else 'down'}"] = bool((sign * (means[both] - means["control"]) > 0).all())
        for alone in ("anti_pdl1", row):
            claims[f"{row}: combination smaller than {alone}"] = bool((volume[both] < volume[alone]).all())
    return Outcome(values, claims)


def course(name: str, hours: int = 48) -> tuple[float, float]:
    """(peak of what the tumour holds, % of the injected dose for a tumour of the preset's mass, its hour) after one iv dose.

    Particles count by the payload that they still carry, free in the tumour's voxels or held by its cells; no macrophages take any away.
    """
    arms = {"x": {"nanoparticles": [{"name": name, "dose_mg_kg": 5, "day": 0}]}}
    model = nodule("b16_like", 300, 900.0, hours / 24.0, arm="x", arms=arms, populations={}, mechanisms={"cuproptosis": {"on": True}})  # some bring copper
    entry, body = model.config.library.nanoparticles[name], model.config.tumour
    injected_uM = 1e3 * 5.0 * body.mouse_g / (entry.mw_g_mol * body.mass_g)  # were all of it in the tumour
    share = []
    for _ in range(hours):
        minutes(model, 60.0)
        t = model.tumour
        level = model.fields[name].at(t.voxel) + getattr(t, f"np_{name}") * model.cell_fraction
        share.append(100.0 * float(level[t.state == 0].mean()) / injected_uM)
    return max(share), float(np.argmax(share) + 1)


def dose_in_tumour() -> Outcome:
    """One intravenous dose (5 mg/kg) of every platform that may be injected so, into a tumour of 300 cells, followed for 48 h.

    The share of the dose that reaches the tumour is set by the entry (its plasma level follows from it), so what is scored is the time of
    the peak of what the tumour holds, the median over platforms, and that the share does not rise with particle size (rank
    correlation at most 0.3). The shares are reported.
    """
    platforms = {n: e for n, e in load_library().nanoparticles.items() if "iv" in e.routes}
    found = {n: course(n) for n in platforms}
    share, peak = (np.array([f[k] for f in found.values()]) for k in (0, 1))
    size = np.array([e.size_nm for e in platforms.values()])
    rank = float(spearmanr(size, share).statistic) if np.ptp(size) > 0 and np.ptp(share) > 0 else 0.0
    values = {
        "platforms": len(found),
        "share_percent_median_least_most": [float(np.median(share)), float(share.min()), float(share.max())],
        "peak_h_median_first_last": [float(np.median(peak)), float(peak.min()), float(peak.max())],
        "rank_correlation_share_size": rank,
        "peak_h": {n: f[1] for n, f in found.items()},
    }
    claims = {"peak after 6-24 h": within(float(np.median(peak)), 6.0, 24.0), "share does not rise with size": rank <= 0.3}
    return Outcome(values, claims, ["the share itself is so by construction"])


TARGETS = (
    Target(
        "T18",
        "Iron-oxide particles turn M2 into M1",
        "M1 share up without any other inducer; growth slower",
        "Zanganeh et al. 2016, Nat Nanotechnol 11:986, doi 10.1038/nnano.2016.168",
        "calibration (seen: the model is changed towards it)",
        iron_alone,
        Mutant("iron does not polarise", {"mechanisms": {"polarisation": {"w_fe": 0}}}),
    ),
    Target(
        "T21",
        "Iron particles + checkpoint inhibitor (N3, N6)",
        "N3: CD4 and CD8 up, Treg down; N6: mature DC, M1 and functional CD8 up; combination smaller than each alone",
        f"{ZHANG}, refs 64 and 67",
        "calibration (seen: the model is changed towards it)",
        iron_with_blockade,
        Mutant("particles keep their iron", {"mechanisms": {"nanoparticles": {"release_scale": 0}}}),
    ),
    Target(
        "T26",
        "Particle dose reaching the tumour",
        "median 0.7 % of the injected dose, range 0.1-5 % (set); scored: peak after 6-24 h, share against particle size",
        "Wilhelm et al. 2016, Nat Rev Mater 1:16014, doi 10.1038/natrevmats.2016.14",
        "calibration (by construction: the plasma level is set from it)",
        dose_in_tumour,
        Mutant("particles are never emptied", {"mechanisms": {"nanoparticles": {"release_scale": 0}}}),
    ),
)
