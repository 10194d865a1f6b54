"""Counts of cells and of events since the start."""

from __future__ import annotations

from typing import Any

CAUSES = ("ferroptosis", "immune", "necrosis", "apoptosis")
SWITCHED = ("cuproptosis", "disulfidptosis")  # causes that are counted where their pathway is on


def counts(model: Any) -> dict[str, float]:
    """Living tumour cells, corpses, births and deaths by cause (cumulative)."""
    state = model.tumour.state
    c = model.counters
    out = {"tumour_alive": int((state == 0).sum()), "corpses": int((state != 0).sum()), "births": c["births"]}
    for cause in (*CAUSES, *(c for c in SWITCHED if c in model.plan.seconds)):
        out[f"dead_{cause}"] = c[f"dead_{cause}"]
    out["cleared"] = c["cleared"]
    return out


def types(model: Any) -> dict[str, float]:
    """Living cells of every type of the model but the tumour, and those that died of a pathway they run; of tissue that
    yields, how many were displaced."""
    out: dict[str, float] = {}
    for population in model.populations:
        if population is model.tumour:
            continue
        tissue = population.entry.place == "tissue"
        out[population.kind] = int((population.state == 0).sum()) if tissue else population.n
        for cause in CAUSES + SWITCHED:
            if f"{cause}_{population.kind}" in model.plan.seconds:
                out[f"dead_{cause}_{population.kind}"] = model.counters[f"dead_{cause}_{population.kind}"]
        if population.entry.yields:
            out[f"displaced_{population.kind}"] = model.counters[f"displaced_{population.kind}"]
    return out
