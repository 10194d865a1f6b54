"""How fast an untreated tumour grows, and how long one kill sets it back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.model import TumourModel
from tme.statistics import fit_line
from tme.targets.base import Outcome, Target, within
from tme.targets.mutants import Mutant
from tme.targets.setups import TISSUE, build, minutes, nodule

# ---- growth of B16 ------------------------------------------------------------------------------------------------------------
PER_DAY, RATIO, DOUBLINGS = 0.4, 1.3, 3.0
FLAT_SEEDS, FLAT_CELLS, FLAT_SIZE_UM = (1, 2), 1500, 2000.0
BALL_CELLS, BALL_SIZE_UM = 500, 600.0
MOST_DAYS = 10  # a tumour that has not doubled three times by then is read there


def stretch(model: TumourModel) -> dict[str, float]:
    """Growth (1/d) of a tumour's volume, read every 12 h until it has doubled three times, and of its first and last third."""
    log = [np.log(model.observe()["tumour_volume_mm3"])]
    while log[-1] - log[0] < DOUBLINGS * np.log(2.0) and len(log) <= 2 * MOST_DAYS:
        minutes(model, 720.0)
        log.append(np.log(max(model.observe()["tumour_volume_mm3"], 1e-12)))
    days, third = 0.5 * np.arange(len(log)), max(len(log) // 3, 2)
    return {
        "per_day": float((log[-1] - log[0]) / days[-1]), "doublings": float((log[-1] - log[0]) / np.log(2.0)), "days": float(days[-1]),
        "first_third": float(fit_line(days[: third + 1], log[: third + 1]).slope), "last_third": float(fit_line(days[-third - 1 :], log[-third - 1 :]).slope),
    }  # fmt: skip


def untreated_b16() -> Outcome:
    """Untreated B16-like tumours until the volume has doubled three times: two sections of 1,500 cells with their immune cells, one ball of 500 without.

    Volume of a section is that of a ball with its area, so it grows with area^1.5. Mean growth per day of the sections must be 0.4
    within a factor 1.3, over three doublings in each. The ball's is reported: it shows what division and room alone give in 3D, since so
    small a ball with immune cells is rejected by the CD8 that enter it.
    """
    flat = [stretch(nodule("b16_like", FLAT_CELLS, FLAT_SIZE_UM, MOST_DAYS + 1, seed)) for seed in FLAT_SEEDS]
    ball = stretch(nodule("b16_like", BALL_CELLS, BALL_SIZE_UM, MOST_DAYS + 1, populations={}, initial={"kind": "spheroid", "n_cells": BALL_CELLS},
                          domain={"size_um": [BALL_SIZE_UM] * 3, "at_edge": "continue"}))  # fmt: skip
    rate = float(np.mean([f["per_day"] for f in flat]))
    values: dict[str, Any] = {"per_day_2d": rate, "sections": flat, "ball": ball}
    claims = {
        "0.4 per day within a factor 1.3": within(rate, PER_DAY / RATIO, PER_DAY * RATIO),
        "three doublings": all(f["doublings"] >= DOUBLINGS for f in flat),
    }
    return Outcome(values, claims)


# ---- growth delay after one kill ------------------------------------------------------------------------------------------------
SHARES, KILL_DAY, READ_H = (0.3, 0.5, 0.7), 0.5, 2.0
NODULES = {"2d": {"size_um": [1000.0, 1000.0], "at_edge": "continue"}, "3d": {"size_um": [390.0, 390.0, 390.0], "at_edge": "continue"}}
NODULE_CELLS, NODULE_SEEDS, NODULE_DAYS = 300, (1, 2), 8.0
HYPOXIC_CELLS, HYPOXIC_SIZE_UM, HYPOXIC_DAYS = 3000, 2250.0, 9.0
FED = {"oxygen": {"initial": 38, "held": True}, "cystine": {"initial": 40, "held": True}}


def killed(share: float) -> dict[str, Any]:
    """Arms: the control, and one in which each living tumour cell dies with this probability at `KILL_DAY`."""
    return {"control": {}, "kill": {"events": [{"name": "kill_share", "share": share, "day": KILL_DAY}]}}


def well_fed(domain: dict[str, Any], share: float, seed: int) -> TumourModel:
    """A nodule of B16-like cells alone, oxygen and cystine held, in which cells die of the kill only; without a kill at share 0."""
    sections = {
        "start_day": 0, "horizon_day": NODULE_DAYS, "domain": domain, "fields": FED, "populations": {}, "tumour": {"preset": "b16_like"},
        "initial": {"kind": "nodule" if len(domain["size_um"]) == 2 else "spheroid", "n_cells": NODULE_CELLS},
        "mechanisms": {"vessels": {"per_mm2": 0}, "death": {"k_apo": 0}}, "arms": killed(share or 0.5),
    }  # fmt: skip
    return build(sections, seed, "kill" if share else "control")


def hypoxic(share: float) -> TumourModel:
    """A section of 3,000 B16-like cells with vessels and immune cells."""
    return nodule("b16_like", HYPOXIC_CELLS, HYPOXIC_SIZE_UM, HYPOXIC_DAYS, 1, "kill" if share else "control", arms=killed(share or 0.5), populations=TISSUE)


def course(model: TumourModel, days: float, level: float = np.inf) -> np.ndarray:
    """log2 of the living tumour cells every 2 h, to the first that reaches `level`, at longest `days`."""
    alive = [float(model.observe()["tumour_alive"])]
    while np.log2(max(alive[-1], 1.0)) < level and len(alive) <= days * 24.0 / READ_H:
        minutes(model, 60.0 * READ_H)
        alive.append(float(model.observe()["tumour_alive"]))
    return np.log2(np.maximum(alive, 1.0))


def reached(log: np.ndarray, level: float) -> float:
    """Hour after the kill at which a course passes `level` for good, as it was read; inf if it does not."""
    first = round(24.0 * KILL_DAY / READ_H)
    below = np.flatnonzero(log[first:] < level)
    if len(below) == 0 or first + below[-1] + 1 >= len(log):
        return 0.0 if len(below) == 0 else np.inf
    i = first + int(below[-1])
    return float((i + (level - log[i]) / (log[i + 1] - log[i]) - first) * READ_H)


def set_back(control: TumourModel, kills: dict[float, TumourModel], days: float) -> dict[str, Any]:
    """Doubling time (h) and R2 of the control to twice its size at the kill, and the delay there of each kill, in doubling times."""
    at_kill = round(24.0 * KILL_DAY / READ_H)
    log = course(control, KILL_DAY)
    level = float(log[at_kill]) + 1.0
    log = np.concatenate([log[: at_kill + 1], course(control, days - KILL_DAY, level)[1:]])
    hours = READ_H * np.arange(len(log))
    line = fit_line(hours, log)
    base = reached(log, level)
    delay = {share: (reached(course(model, days, level), level) - base) * line.slope for share, model in kills.items()}
    return {"doubling_h": 1.0 / line.slope, "r2": line.r2, "delay": delay}


def growth_delay() -> Outcome:
    """Nodules of 300 well-fed B16-like cells, of which 0.3, 0.5 or 0.7 die at once on day 0.5, against the same without a kill; two seeds, 2D and 3D.

    Growth must be exponential (R2 of log cells against time above 0.99, to twice the cells there were at the kill). Delay of the killed
    at equal number of living cells there, in measured doubling times, mean of the seeds: log2(1/(1 - share)) within 30 %. A section of
    3,000 cells with vessels and immune cells, half of them killed, is reported: there what is left is better fed.
    """
    values: dict[str, Any] = {"expected": {share: float(np.log2(1.0 / (1.0 - share))) for share in SHARES}}
    claims: dict[str, bool | None] = {}
    for name, domain in NODULES.items():
        found = [set_back(well_fed(domain, 0.0, s), {f: well_fed(domain, f, s) for f in SHARES}, NODULE_DAYS) for s in NODULE_SEEDS]
        delay = {f: float(np.mean([x["delay"][f] for x in found])) for f in SHARES}
        r2 = min(x["r2"] for x in found)
        values[name] = {"doubling_h": float(np.mean([x["doubling_h"] for x in found])), "least_r2": r2, "delay": delay}
        claims[f"{name} exponential"] = r2 > 0.99
        for f, wanted in values["expected"].items():
            claims[f"{name} delay after {f:g}"] = within(delay[f], 0.7 * wanted, 1.3 * wanted)
    values["hypoxic"] = set_back(hypoxic(0.0), {0.5: hypoxic(0.5)}, HYPOXIC_DAYS)
    return Outcome(values, claims)


TARGETS = (
    Target(
        "T41",
        "Untreated B16 growth",
        "tumour volume grows 0.4 per day (doubling 1.7 d) over 3 doublings, ratio 1.3 on the rate; 2D, where volume goes with area^1.5; 3D reported",
        "B16, 10 mice: 21, 57, 121, 256, 521 mm3 at days -1, 1, 3, 5, 7 (Matsushita et al. 2015, doi 10.1158/2326-6066.CIR-14-0098)",
        "calibration",
        untreated_b16,
        Mutant("cells do not divide", {"mechanisms": {"division": {"k_div": 0}}}),
    ),
    Target(
        "T47",
        "Growth delay after one kill",
        "well-fed nodule, exponential growth (R2 > 0.99); 0.3, 0.5, 0.7 killed: delay at twice the size before the kill log2(1/(1-f)) doubling "
        "times within 30 %, 2D and 3D; a large hypoxic tumour reported",
        "exponential growth",
        "calibration",
        growth_delay,
        Mutant("only cells at the surface divide", {"mechanisms": {"division": {"crowd_half": 0.2}}}),
    ),
)
