"""Lactate's two signs, and resistance that repeated pulses select."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.model import TumourModel
from tme.targets.base import Outcome, Target
from tme.targets.mutants import Mutant
from tme.targets.setups import build, dish, minutes, nodule
from tme.targets.wave import LOW_OXYGEN

PROTECTS, SENSITISES = "M103.lactate", "M34"
YANG = "Yang et al. 2025, doi 10.20517/cdr.2024.151"
YIN = "Yin et al. 2025, doi 10.32604/or.2025.069049, section 3"


RSL3_uM = 1.0  # kills in culture (T1, T5, T8); at 0.05, with which the check was written, nothing dies within 72 h whatever the lactate
STEP_MIN = 6.0  # deaths come within hours: a tenth of their time must be seen


def half_dead_h(lactate_mM: float, *rules: str) -> float:
    """Hours until half of a dish (144 cells, CV 0.25) in RSL3 is dead, a day after the lactate; 72 if later."""
    sections = dish((240.0, 240.0), 4.0, cv=0.25, drugs=[("rsl3", RSL3_uM, 1.0)], fields=LOW_OXYGEN, mechanisms={"ferroptosis": {"p_s": 0.0}}).config.to_dict()
    sections["fields"] = {**sections["fields"], "lactate": {"initial": lactate_mM, "held": True}}
    model = build({**sections, "rules": dict.fromkeys(rules, "on")})
    minutes(model, 1440.0)
    for step in range(1, round(72 * 60 / STEP_MIN)):
        minutes(model, STEP_MIN)
        if 2 * int((model.tumour.state == 0).sum()) <= 144:
            return round(step * STEP_MIN / 60, 2)
    return 72.0


def lactate() -> Outcome:
    """Dishes in RSL3 1 uM with lactate 1.5 or 20 mM: with the rule on SCD1 and MUFA (M103.lactate), with the rule on ferritin's iron (M34), without.

    At 20 mM the first must delay the death of half of the cells by 10 % at least and the second hasten it as much; without either rule
    lactate must change nothing.
    """
    hours = {name: [half_dead_h(level, *rules) for level in (1.5, 20.0)] for name, rules in (("neither", ()), ("MUFA", (PROTECTS,)), ("iron", (SENSITISES,)))}
    claims = {
        "SCD1 and MUFA protect": hours["MUFA"][1] > 1.1 * hours["neither"][1],
        "ferritin's iron sensitises": hours["iron"][1] < hours["neither"][1] / 1.1,
        "nothing without a rule": hours["neither"][0] == hours["neither"][1],
    }
    return Outcome({f"half dead h, {k}, lactate 1.5 and 20 mM": v for k, v in hours.items()}, claims)


TRAITS = {"fsp1": +1, "nrf2": +1, "acsl4": -1}
PULSES = [0, 2, 4, 6]
DAYS = 8
CHALLENGE = {  # of what is left: RSL3, and with an inhibitor of FSP1
    "rsl3": [{"name": "rsl3", "bath_uM": 0.5, "route": "bath", "day": [DAYS]}],
    "rsl3_ifsp1": [{"name": n, "bath_uM": c, "route": "bath", "day": [DAYS]} for n, c in (("rsl3", 0.5), ("ifsp1", 10.0))],
}


def trait_means(model: TumourModel) -> dict[str, float]:
    """Means of heritable traits over living cells."""
    t = model.tumour
    return {name: float(getattr(t, name)[t.state == 0].mean()) for name in TRAITS}


def pulsed(arm: str, arms: dict[str, Any]) -> TumourModel:
    """A nodule of 400 cells after four pulses, or none, over 8 days."""
    model = nodule("b16_like", 400, 1400.0, DAYS + 2.0, arm=arm, arms=arms)
    minutes(model, DAYS * 1440.0)
    return model


def selection() -> Outcome:
    """RSL3 particles (9 mg/kg on days 0, 2, 4, 6) on a B16-like nodule of 400 cells with its clones, against none; then what is left is challenged.

    After 8 days the means of FSP1 and NRF2 over living cells must be above, of ACSL4 below those of the untreated tumour. Survivors then
    get RSL3 0.5 uM alone or with an FSP1 inhibitor 10 uM for 24 h: with it at least a quarter more of them must die.
    """
    dose = {"nanoparticles": [{"name": "peg_pdpa_rsl3", "dose_mg_kg": 9, "day": PULSES}]}
    arms = {"control": {}, "pulses": dose, **{f"then_{k}": {**dose, "drugs": v} for k, v in CHALLENGE.items()}}
    control, treated = pulsed("control", arms), pulsed("pulses", arms)
    means = {"control": trait_means(control), "pulses": trait_means(treated)}
    state, dead = treated.state_dict(), {}
    living = treated.tumour.uid[treated.tumour.state == 0]
    for name in CHALLENGE:
        model = TumourModel.from_state(treated.config, state, arm=f"then_{name}", seed=1)
        minutes(model, 1440.0)
        dead[name] = 1.0 - float(np.isin(living, model.tumour.uid[model.tumour.state == 0]).mean())
    claims = {f"{name} {'up' if sign > 0 else 'down'}": sign * (means["pulses"][name] - means["control"][name]) > 0 for name, sign in TRAITS.items()}
    claims["an FSP1 inhibitor re-sensitises"] = dead["rsl3_ifsp1"] >= 1.25 * dead["rsl3"] and dead["rsl3_ifsp1"] > 0.0
    values = {"trait_means": means, "living": [int((m.tumour.state == 0).sum()) for m in (control, treated)], "dead_when_challenged": dead}
    return Outcome(values, claims)


TARGETS = (
    Target(
        "T36",
        "Lactate: two signs",
        "protection by SCD1 and MUFA, and release of ferritin's iron by acid: each sign reachable by config",
        f"{YIN}; {YANG}",
        "check",
        lactate,
        Mutant("no rule hears lactate", {"rules": {PROTECTS: "off", SENSITISES: "off"}}),
    ),
    Target(
        "T38",
        "Acquired resistance",
        "repeated pulses select FSP1-high, NRF2-high, ACSL4-low clones (trait means move); an FSP1 inhibitor re-sensitises",
        YANG,
        "check",
        selection,
        Mutant("particles keep their RSL3", {"mechanisms": {"nanoparticles": {"release_scale": 0}}}),
    ),
)
