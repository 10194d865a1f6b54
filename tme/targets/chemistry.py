"""Dose, delay and rescue in isolated cells; IFN-gamma as a sensitiser."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.targets.base import Outcome, Target, within
from tme.targets.mutants import Mutant
from tme.targets.setups import dish, minutes
from tme.targets.single_cells import Cells, ec50, effects, library
from tme.targets.wave import LOW_OXYGEN, sheet_deaths

GSH_DATA = ((0.057, 0.95), (0.114, 0.77), (0.229, 0.58), (0.456, 0.36))
DIXON = "Dixon et al. 2012, Cell 149:1060, doi 10.1016/j.cell.2012.03.042"
N_CELLS = 200
CV = 0.25


def gsh_after_erastin() -> Outcome:
    """GSH of the reference cell after 5 h in erastin over its untreated value, at the four measured doses."""
    ratio = []
    for dose, _measured in GSH_DATA:
        cell = Cells()
        before = cell.col["gsh"][0]
        cell.run(5.0, **effects("erastin", dose))
        ratio.append(cell.col["gsh"][0] / before)
    rms = float(np.sqrt(np.mean([(r - m) ** 2 for r, (_d, m) in zip(ratio, GSH_DATA)])))
    return Outcome(
        {"gsh_share": ratio, "measured": [m for _d, m in GSH_DATA], "rms": rms}, {"rms < 0.08": rms < 0.08}
    )


def potency() -> Outcome:
    """Dose that kills half of 200 isolated cells (CV 0.25) in 24 h, for each inducer the library has."""
    cells = Cells(N_CELLS, cv=CV)
    ranges = {"rsl3": (-2.5, 1.0), "ike": (-2.5, 1.5), "erastin": (-1.0, 1.6), "sulfasalazine": (1.0, 3.5)}
    out, notes = {}, []
    for drug, (low, high) in ranges.items():
        if drug in library().drugs:
            out[drug] = ec50(cells, drug, np.logspace(low, high, 16))
        else:
            notes.append(f"{drug} is not in the drug library")
    order = [out.get(drug, float("nan")) for drug in ranges]
    names = list(ranges)
    claims: dict[str, bool | None] = {}
    for i in range(3):
        a, b = order[i], order[i + 1]
        claims[f"{names[i]} < {names[i + 1]}"] = None if np.isnan(a) or np.isnan(b) else bool(a < b)
    return Outcome({f"ec50_{k}_uM": v for k, v in out.items()}, claims, notes)


def delays() -> Outcome:
    """Median death time in RSL3 1 uM and erastin 10 uM: 200 isolated cells (CV 0.25); sheets of T3."""
    values: dict[str, Any] = {}
    claims: dict[str, bool | None] = {}
    bands = {"rsl3": (1.0, 24.0, 2.0, 8.0), "erastin": (10.0, 36.0, 10.0, 20.0)}
    for drug, (dose, hours, low, high) in bands.items():
        alone = Cells(N_CELLS, cv=CV).run(hours, **effects(drug, dose))
        sheet = sheet_deaths(drug, dose, 12.0 if drug == "rsl3" else 30.0, True)
        for where, died in (("isolated", alone.death_h), ("coupled", sheet.ravel())):
            # cells that live count as late: a median over all of them
            median = float(np.median(np.where(np.isnan(died), np.inf, died)))
            values[f"{drug}_{where}_h"] = median
            claims[f"{drug} {where} {low:g}-{high:g} h"] = within(median, low, high)
    for where in ("isolated", "coupled"):
        claims[f"RSL3 before erastin, {where}"] = values[f"rsl3_{where}_h"] < values[f"erastin_{where}_h"]
    return Outcome(values, claims)


INDUCERS: dict[str, dict[str, Any]] = {
    "RSL3 1 uM": {"drug": ("rsl3", 1.0)},
    "erastin 10 uM": {"drug": ("erastin", 10.0)},
    "iron 1 uM/min": {"inputs": {"j_fe": 1.0}},
    "no cystine": {"inputs": {"cystine": 0.0}},
}
# vitamin E as a trap of ten times the cell's own; the library has no entry for it
RESCUERS: dict[str, dict[str, Any]] = {
    "ferrostatin-1 1 uM": {"drug": ("ferrostatin_1", 1.0)},
    "deferoxamine 100 uM": {"drug": ("deferoxamine", 100.0)},
    "vitamin E": {"inputs": {"e_trap": 10.0}},
}


def inputs_of(agent: dict[str, Any]) -> dict[str, Any]:
    """Input columns of an inducer or rescuer."""
    return {**(effects(*agent["drug"]) if "drug" in agent else {}), **agent.get("inputs", {})}


def rescue() -> Outcome:
    """Each inducer alone and with each rescuer on 50 isolated cells (CV 0.1): share dead at 24 and 48 h.

    Judged at 24 h, the length of the source's assays: a rescue leaves fewer than 10 % dead where the
    inducer alone kills more than 90 %. Vitamin E is a trap of ten times the cell's own termination. A
    caspase inhibitor would stop apoptosis only: the sheets of T3 have none, and their cells must die all the
    same; iron and starvation act on the chemistry, which has no caspase.
    """
    values: dict[str, Any] = {}
    claims: dict[str, bool | None] = {}
    cells = Cells(50, cv=0.1)
    for name, inducer in INDUCERS.items():
        alone = dead_by(cells, inputs_of(inducer))
        values[name] = {"alone": alone}
        claims[f"{name} kills"] = alone[0] > 0.9
        for rescuer, agent in RESCUERS.items():
            left = dead_by(cells, {**inputs_of(inducer), **inputs_of(agent)})
            values[name][rescuer] = left
            claims[f"{rescuer} rescues {name}"] = left[0] < 0.1
    for drug, dose, hours in (("rsl3", 1.0, 12.0), ("erastin", 10.0, 30.0)):
        share = float(np.isfinite(sheet_deaths(drug, dose, hours, True)).mean())
        values[f"{drug}, no apoptosis"] = share
        claims[f"a caspase inhibitor does not rescue {drug}"] = share > 0.9
    return Outcome(values, claims)


def dead_by(cells: Cells, inputs: dict[str, Any]) -> list[float]:
    """Share dead after 24 h and after 48 h of constant inputs."""
    died = cells.repeat(1).run(48.0, 2.0, **inputs).death_h
    return [float((died <= 24.0).mean()), float((died <= 48.0).mean())]


def cell_types() -> Outcome:
    """RSL3 dose that kills half of 200 isolated cells (CV 0.25) of each type in 24 h, up to 10 uM."""
    types = {
        "ACSL4-high": {"acsl4": 1.5},
        "reference": {},
        "NRF2-high": {"nrf2": 3.0},
        "FSP1-high": {"fsp1": 8.0},
        "ACSL4-low": {"acsl4": 0.3},
    }
    doses = np.logspace(-2.5, 1.0, 16)
    out = {k: ec50(Cells(N_CELLS, cv=CV, traits=t), "rsl3", doses) for k, t in types.items()}
    claims = {
        "ACSL4-high < reference": out["ACSL4-high"] < out["reference"],
        "reference < NRF2-high": out["reference"] < out["NRF2-high"],
        "NRF2-high < FSP1-high": out["NRF2-high"] < out["FSP1-high"],
        "NRF2-high < ACSL4-low": out["NRF2-high"] < out["ACSL4-low"],
    }
    return Outcome({f"ec50_{k}_uM": v for k, v in out.items()}, claims)


def sheet_under_ifng(ifng: float, cystine: float, hours: float = 48.0) -> float:
    """Share of a coupled sheet of 40 x 40 cells (CV 0.25) that dies of ferroptosis in IFN-gamma alone."""
    held = {**LOW_OXYGEN, "cystine": {"initial": cystine, "held": True}, "ifng": {"held": True}}
    model = dish((800.0, 800.0), hours / 24.0, cv=CV, fields=held)
    model.fields["ifng"].fill(ifng)
    minutes(model, hours * 60.0)
    return model.counters["dead_ferroptosis"] / 1600.0


def shift(drug: str, doses: np.ndarray, cystine: float, ifng: float) -> tuple[float, float]:
    """(EC50 without, fold shift to the left) after 24 h of IFN-gamma, which then stays."""
    cells = Cells(N_CELLS, cv=CV, inputs={"cystine": cystine})
    before = ec50(cells, drug, doses, cystine=cystine)
    after = ec50(
        cells.repeat(1).run(24.0, 2.0, ifng=ifng, cystine=cystine), drug, doses, ifng=ifng, cystine=cystine
    )
    return before, before / after


def ifng_sensitises() -> Outcome:
    """IFN-gamma at 3 ng/mL on isolated cells and coupled sheets (CV 0.25), cystine 200 and 40 uM.

    Deaths after 48 h of IFN-gamma alone. SLC7A11 (the xc- factor left), GSH and PLOOH are means of living
    isolated cells after 24 h. EC50 over 24 h of RSL3 and erastin after 24 h of IFN-gamma, which stays.
    """
    values: dict[str, Any] = {}
    claims: dict[str, bool | None] = {}
    for cystine in (200.0, 40.0):
        at = f"cystine {cystine:g}"
        cells = Cells(300, cv=CV, inputs={"cystine": cystine})
        gsh, plooh = cells.col["gsh"].mean(), cells.col["plooh"].mean()
        cells.run(24.0, 2.0, ifng=3.0, cystine=cystine)
        lives = cells.state == 0
        xct = 1.0 - cells.p.f_x * float(cells.col["ifng_response"].mean())
        change = (xct, cells.col["gsh"][lives].mean() / gsh, cells.col["plooh"][lives].mean() / plooh)
        cells.run(24.0, 2.0, ifng=3.0, cystine=cystine)
        sheet = sheet_under_ifng(3.0, cystine)
        values[f"{at}: SLC7A11, GSH, PLOOH x"] = change
        values[f"{at}: dead alone isolated, sheet"] = [cells.dead, sheet]
        claims[f"{at}: SLC7A11 and GSH fall, PLOOH rises"] = bool(
            change[0] < 1 and change[1] < 1 and change[2] > 1
        )
        claims[f"{at}: isolated < 10 % dead"] = cells.dead < 0.1
        claims[f"{at}: sheet < 10 % dead"] = sheet < 0.1
        for drug, low, high in (("rsl3", -2.7, 0.0), ("erastin", -1.2, 1.2)):
            dose, fold = shift(drug, np.logspace(low, high, 16), cystine, 3.0)
            values[f"{at}: {drug} EC50 uM, shift x"] = [dose, fold]
            claims[f"{at}: {drug} shifts 2-10 x"] = within(fold, 2.0, 10.0)
    return Outcome(values, claims)


TARGETS = (
    Target(
        "T5",
        "GSH after 5 h erastin, HT-1080",
        "0.95, 0.77, 0.58, 0.36 of control at 0.057, 0.114, 0.229, 0.456 uM; rms < 0.08",
        "SysBioCollab-UArk/Ferroptosis data files (github.com/SysBioCollab-UArk/Ferroptosis)",
        "calibration",
        gsh_after_erastin,
        Mutant("GSH is neither used nor lost", {"mechanisms": {"ferroptosis": {"k_g_loss": 1e-05}}}),
    ),
    Target(
        "T7",
        "Potency order",
        "EC50 RSL3 < IKE < erastin < sulfasalazine",
        "Dixon et al. 2014, doi 10.7554/eLife.02523; Yang et al. 2014, doi 10.1016/j.cell.2013.12.010; "
        "Zhang et al. 2019, doi 10.1016/j.chembiol.2019.01.008",
        "check",
        potency,
        Mutant("cysteine without system xc-", {"mechanisms": {"ferroptosis": {"j_ts": 10}}}),
    ),
    Target(
        "T8",
        "Delay to death",
        "RSL3 2-8 h < erastin 10-20 h, isolated and coupled",
        f"{DIXON}; Yang et al. 2014, doi 10.1016/j.cell.2013.12.010",
        "calibration",
        delays,
        Mutant("cysteine without system xc-", {"mechanisms": {"ferroptosis": {"j_ts": 10}}}),
    ),
    Target(
        "T9",
        "Rescue matrix",
        "ferrostatin-1, deferoxamine and vitamin E rescue RSL3, erastin, iron and cystine starvation; "
        "a caspase inhibitor none",
        DIXON,
        "check",
        rescue,
        Mutant("radicals do not propagate", {"mechanisms": {"ferroptosis": {"k_p": 0}}}),
    ),
    Target(
        "T10",
        "RSL3 sensitivity by cell type",
        "EC50 ACSL4-high < reference < NRF2-high < FSP1-high and ACSL4-low",
        "Yang et al. 2025, Cancer Drug Resist 8:1, doi 10.20517/cdr.2024.151",
        "check",
        cell_types,
        Mutant("radicals do not propagate", {"mechanisms": {"ferroptosis": {"k_p": 0}}}),
    ),
    Target(
        "T11",
        "IFN-gamma sensitises, does not kill",
        "SLC7A11 and GSH down, PLOOH up, < 10 % dead alone at 3 ng/mL, EC50 of RSL3 and erastin 2-10 x lower",
        "Wang et al. 2019, Nature 569:270, doi 10.1038/s41586-019-1170-y",
        "calibration",
        ifng_sensitises,
        Mutant("IFN-gamma touches neither SLC7A11 nor ACSL4", {"mechanisms": {"ferroptosis": {"f_x": 0, "f_acsl": 0}}}),
    ),
)
