"""Indices of harm outside the tumour. They order arms; they are no rates of adverse events.

    irae_t_index        node output x product over axes of (2 - what antibodies leave of the axis): T cells primed, without brakes
    irae_ifng           mean IFN-gamma where there is no tumour, ng/mL
    TYPE_ferroptosis    share of the cells of tissue that yields (normal tissue) that have died by ferroptosis, where they can
"""

from __future__ import annotations

from typing import Any

import numpy as np


def brakes_off(model: Any) -> float:
    """How far the body's T cells are without brakes: 1 with all axes as they are, twice as much for each one blocked."""
    minute, out = model.tick * model.dt_min, 1.0
    for axis in model.receptors.axes:
        ligands = [li.molecule.share_in_plasma(minute) for li in axis.ligands]
        out *= 2.0 - axis.receptor.share_in_plasma(minute) * (sum(ligands) / len(ligands) if ligands else 1.0)
    return out


def toxicity(model: Any) -> dict[str, float]:
    """The indices of the module docstring."""
    outside = model.lattice.inside_um() == 0.0
    ifng = model.fields["ifng"].concentration
    out = {"irae_t_index": model.node.output * brakes_off(model), "irae_ifng": float(np.mean(ifng[outside])) if outside.any() else float("nan")}
    for tissue in model.tissue[1:]:
        if tissue.entry.yields and f"ferroptosis_{tissue.kind}" in model.plan.seconds:
            whole = tissue.n + sum(model.counters[f"{gone}_{tissue.kind}"] for gone in ("cleared", "displaced", "resected"))  # some of those that are gone had died
            out[f"{tissue.kind}_ferroptosis"] = model.counters[f"dead_ferroptosis_{tissue.kind}"] / whole if whole else float("nan")
    return out


def spread(model: Any) -> dict[str, float]:
    """Cells that left by vessels, those that lived through it, and colonies; where the model has metastasis."""
    if "metastasis" not in model.plan.seconds:
        return {}
    return {name: model.counters[name] for name in ("escaped", "escaped_alive", "metastases")}


def other_deaths(model: Any) -> dict[str, float]:
    """Deaths by name that have no law of their own; where the model has some."""
    if "other_deaths" not in model.plan.seconds:
        return {}
    return {f"died_by_{name}": model.counters[f"died_by_{name}"] for _, name, _ in model.mechanism("other_deaths").modes}
