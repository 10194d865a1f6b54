"""What checkpoint antibodies and their combinations did in mice: responders, poor responders, agents that add nothing or get in the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tme.statistics import bliss_of_pairs
from tme.targets.base import Outcome, Target, within
from tme.targets.mutants import Mutant
from tme.targets.trials import at_day, geometric_ratio, trial

NO_KILL = {"mechanisms": {"killing": {"k_hit": 0}}}
PD1 = {"antibodies": [{"name": "anti_pd1", "dose_mg_kg": 10, "day": [0, 3, 6, 9]}]}

# ---- responders among tumours that differ -----------------------------------------------------------------------------------
PATIENTS, PATIENT_DAYS = 20, 10
# median and log-scale spread over patients: antigenicity of the tumour, CD8 per mm2 at the start; correlated
SAMPLER = {"antigenicity": (1.0, 0.6), "cd8_per_mm2": (125.0, 0.8)}
CORRELATION, SAMPLER_SEED = 0.4, 2025


def sampled() -> np.ndarray:
    """(patients, 2): antigenicity and CD8 per mm2, lognormal and correlated; always the same draws."""
    rng = np.random.default_rng(SAMPLER_SEED)
    z = rng.standard_normal((PATIENTS, 2))
    z[:, 1] = CORRELATION * z[:, 0] + np.sqrt(1.0 - CORRELATION**2) * z[:, 1]
    medians, spreads = (np.array([v[k] for v in SAMPLER.values()]) for k in (0, 1))
    return medians * np.exp(spreads * z)


def responders() -> Outcome:
    """Anti-PD-1 (10 mg/kg every 3 days) alone in 20 virtual tumours of 300 cells that differ in antigenicity and infiltration, 10 days.

    Controlled: the volume on day 10 is not above that of day 0. The sampler (lognormal, median 1 and 125 CD8 per mm2, spreads 0.6
    and 0.8, correlation 0.4, seed 2025) was fixed before the first look.
    """
    ratio = []
    for k, (antigenicity, cd8) in enumerate(sampled()):
        tumour = {"preset": "b16_like", "antigenicity_mean": round(float(antigenicity), 4)}
        table = trial({"anti_pd1": PD1}, seeds=1, days=PATIENT_DAYS, n_cells=300, seed=100 + k,
                      populations={"cd8": {"per_mm2": round(float(cd8), 1)}}, tumour=tumour)  # fmt: skip
        ratio.append(float(at_day(table, PATIENT_DAYS)["anti_pd1"].iloc[0] / at_day(table, 0.0)["anti_pd1"].iloc[0]))
    share = float((np.array(ratio) <= 1.0).mean())
    values = {"controlled_share": share, "patients": PATIENTS, "volume_day_10_over_day_0": sorted(ratio)}
    return Outcome(values, {"10-40 % controlled": within(share, 0.1, 0.4)})


# ---- a poor responder ----------------------------------------------------------------------------------------------------------
def poor_responder() -> Outcome:
    """Anti-PD-1 (10 mg/kg on days 0, 3, 6, 9) against control in a 4T1-like nodule of 400 cells: paired geometric mean over four seeds.

    Mice were measured 19 days after the cells were injected and treated from about a week on; here day 12 after the first dose.
    """
    volume = at_day(trial({"control": {}, "anti_pd1": PD1}, seeds=4, days=12, preset="breast_4t1_like", n_cells=400, size_um=1600.0))
    ratio = geometric_ratio(volume, "anti_pd1")
    return Outcome({"over_control": ratio, "pairs": len(volume)}, {"0.5-0.9 of control": within(ratio, 0.5, 0.9)})


# ---- depletion of GSH ------------------------------------------------------------------------------------------------------------
NO_IMMUNE = {"cd8": None, "macrophage": None, "dendritic": None, "treg": None}
BSO = {"drugs": [{"name": "bso", "bath_uM": 20, "route": "bath", "day": 0}]}
RSL3 = {"nanoparticles": [{"name": "peg_pdpa_rsl3", "dose_mg_kg": 5, "day": [0, 2]}]}


def bso_alone() -> Outcome:
    """BSO (20 uM held) alone, RSL3 particles (5 mg/kg, days 0 and 2) alone, and both, in nodules of 400 cells without immune cells, 4 days, four seeds.

    The mice of the source have no T cells, and their other kill was by vemurafenib; here it is ferroptosis. BSO must lower the median GSH
    of tumour cells by half at least and leave 0.9 of the control's volume at least; with it the other kill must go deeper in every pair.
    """
    arms = {"control": {}, "bso": BSO, "rsl3": RSL3, "both": {"use": ["bso", "rsl3"]}}
    table = trial(arms, seeds=4, days=4, populations=NO_IMMUNE)
    volume, gsh = at_day(table), at_day(table, name="gsh_median")
    lowered = float((gsh["bso"] / gsh["control"]).mean())
    ratio = {a: geometric_ratio(volume, a) for a in ("bso", "rsl3", "both")}
    claims = {
        "GSH lowered by half": lowered <= 0.5,
        "BSO alone >= 0.9 of control": ratio["bso"] >= 0.9,
        "deepens the other kill": bool((volume["both"] < volume["rsl3"]).all()),
    }
    return Outcome({"gsh_over_control": lowered, "volume_over_control": ratio, "pairs": len(volume)}, claims)


# ---- agents that get in each other's way --------------------------------------------------------------------------------------
AGENTS = Path(__file__).with_name("agents.yaml")
PAIRS, SYNERGY_DAYS = 10, 5


def held(name: str) -> dict[str, Any]:
    """An agent of agents.yaml at 1 uM from day 0."""
    return {"drugs": [{"name": name, "bath_uM": 1, "route": "bath", "day": 0}]}


def synergy() -> Outcome:
    """Anti-PD-1 (10 mg/kg, days 0 and 3) with (a) an agent that slows division of tumour cells, (b) one that lowers CD8 hits; ten pairs, 5 days.

    Excess over Bliss of the volumes, mean and interval over pairs. (a) alone must leave 0.7 to 0.9 of control; its excess is reported.
    (b) must have its whole interval below 0. That an inert agent leaves arms equal bit for bit is a test.
    """
    pd1 = {"antibodies": [{"name": "anti_pd1", "dose_mg_kg": 10, "day": [0, 3]}]}
    arms: dict[str, Any] = {"control": {}, "anti_pd1": pd1}
    for name in ("slows_division", "lowers_cd8"):
        arms[name] = held(name)
        arms[f"{name}_both"] = {"use": ["anti_pd1", name]}
    volume = at_day(trial(arms, seeds=PAIRS, days=SYNERGY_DAYS, library=[str(AGENTS)]))
    excess = {n: bliss_of_pairs(volume["control"], volume["anti_pd1"], volume[n], volume[f"{n}_both"]) for n in ("slows_division", "lowers_cd8")}
    alone = {a: geometric_ratio(volume, a) for a in arms if a != "control"}
    values = {"pairs": len(volume), "volume_over_control": alone, "excess_over_bliss": {n: [e.value, e.low, e.high] for n, e in excess.items()}}
    claims = {"(a) alone 0.7-0.9 of control": within(alone["slows_division"], 0.7, 0.9), "(b) excess below 0": bool(excess["lowers_cd8"].high < 0.0)}
    return Outcome(values, claims)


TARGETS = (
    Target(
        "T33",
        "Checkpoint inhibitor alone",
        "durable control in 10-40 % of virtual tumours sampled over antigenicity and infiltration",
        "Zhang et al. 2025, doi 10.3389/fimmu.2025.1611299, section 2",
        "check",
        responders,
        Mutant("CD8 do not hit", NO_KILL),
    ),
    Target(
        "T44",
        "Anti-PD-1 alone in a poor responder",
        "4T1-like: 0.5-0.9 of control at day 19",
        "4T1, 10 + 10 mice (example data of SynergyLMM)",
        "check",
        poor_responder,
        Mutant("CD8 do not hit", NO_KILL),
    ),
    Target(
        "T45",
        "BSO alone does nothing in vivo",
        "burden >= 0.9 of control with GSH lowered by >= 50 %, while it deepens another kill",
        "A375, 35 mice (example data of tumr)",
        "check",
        bso_alone,
        Mutant("GPX4 and the signal's gate need no GSH", {"mechanisms": {"ferroptosis": {"k_g": 1, "k_gs": 1}}}),
    ),
    Target(
        "T46",
        "Synergy only where it is due",
        "paired seeds, >= 10: (a) with an agent that slows division a little (alone 0.7-0.9): excess reported; "
        "(b) with one that lowers CD8 function: excess interval below 0",
        "example of (b): anti-PD-1 and GABA, 4T1, 41 mice (example data of SynergyLMM)",
        "check",
        synergy,
        Mutant("CD8 do not hit", NO_KILL),
    ),
)
