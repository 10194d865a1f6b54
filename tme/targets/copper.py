"""Copper against iron: how much of each kills, what sensitises to both, what protects."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.targets.base import Outcome, Target
from tme.targets.mutants import Mutant
from tme.targets.setups import build, minutes
from tme.targets.single_cells import crossing

HOURS = 48.0
COPPER_UM = np.logspace(-2.5, 2.0, 10)
IRON_UM = np.logspace(2.0, 4.5, 6)
# GSH of a cell half of which is left is what a dose of BSO does to it before metal comes
BSO_UM = 20.0


def dead_share(drug: str, dose_uM: float, bso_uM: float = 0.0, fdx1: float = 1.0) -> float:
    """Share of 144 cells (CV 0.25) dead by a metal 48 h after it, BSO if any a day before it."""
    drugs = [{"name": drug, "bath_uM": dose_uM, "day": 1, "route": "bath"}]
    drugs += [{"name": "bso", "bath_uM": bso_uM, "day": 0, "route": "bath"}] if bso_uM else []
    model = build(
        {
            "start_day": 0, "horizon_day": 4, "domain": {"size_um": [240, 240], "at_edge": "continue"},
            "initial": {"kind": "monolayer", "occupancy": 1.0}, "tumour": {"preset": "ht1080", "cv": 0.25},
            "fields": {"oxygen": {"initial": 38, "held": True}, "cystine": {"initial": 200, "held": True}},
            "mechanisms": {
                "vessels": {"per_mm2": 0}, "division": {"k_div": 0}, "death": {"k_apo": 0, "k_nec": 0},
                "ferroptosis": {"p_s": 0}, "cuproptosis": {"on": True, "fdx1": fdx1},
            },
            "arms": {"x": {"drugs": drugs}},
        },
        arm="x",
    )  # fmt: skip
    minutes(model, 1440.0 + 60.0 * HOURS)
    return 1.0 - float((model.tumour.state == 0).sum()) / 144.0


def lethal(drug: str, doses: np.ndarray, **how: Any) -> float:
    """Dose (uM) that kills half within 48 h; inf if none tried does."""
    killed = []
    for dose in doses:
        killed.append(dead_share(drug, float(dose), **how))
        if killed[-1] >= 0.5:
            break
    return crossing(doses[: len(killed)], np.array(killed))


def copper_and_iron() -> Outcome:
    """Dishes of 144 separate cells (CV 0.25) with elesclomol, which brings one copper a molecule, or ferric ammonium citrate, 48 h.

    The dose that kills half: of copper at most 20 uM, of iron at least 3 mM (published 5 mM; the doses are half a decade apart), and
    "far below" at least a hundredfold. BSO (20 uM, from a day before) must lower both doses, a tenth of the FDX1 must
    raise that of copper twofold.
    """
    copper, iron = lethal("elesclomol", COPPER_UM), lethal("ferric_ammonium_citrate", IRON_UM)
    copper_bso, iron_bso = lethal("elesclomol", COPPER_UM, bso_uM=BSO_UM), lethal("ferric_ammonium_citrate", IRON_UM, bso_uM=BSO_UM)
    without = lethal("elesclomol", COPPER_UM, fdx1=0.1)
    values = {"copper_uM": copper, "iron_uM": iron, "with_BSO_uM": [copper_bso, iron_bso], "copper_with_FDX1_0.1_uM": without}
    claims = {
        "copper kills at 20 uM or less": copper <= 20.0,
        "iron takes 3 mM or more": 3e3 <= iron < np.inf,
        "a hundredfold apart": bool(iron >= 100.0 * copper),
        "BSO sensitises to copper": copper_bso < copper,
        "BSO sensitises to iron": iron_bso < iron,
        "loss of FDX1 protects": without > 2.0 * copper,
    }
    return Outcome(values, claims)


TARGETS = (
    Target(
        "T27",
        "Copper against iron",
        "toxic copper (10-20 uM with ionophore) far below toxic iron (>= 5 mM FAC); BSO sensitises to both; FDX1 loss protects",
        "Yin et al. 2025, doi 10.32604/or.2025.069049, section 3",
        "check",
        copper_and_iron,
        Mutant("copper aggregates nothing", {"mechanisms": {"cuproptosis": {"k_lip": 0, "k_fes": 0}}}),
    ),
)
