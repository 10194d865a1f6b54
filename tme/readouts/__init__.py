"""What a run is asked about: one row of numbers per recording time.

Each readout is a function of the model that returns named numbers; `READOUTS` lists them.
"""

from __future__ import annotations

from typing import Any

from tme.readouts import counts, ferroptosis, immune, regrowth, spatial, toxicity

READOUTS = (counts.counts, counts.types, regrowth.regrowth, spatial.extent, immune.lymphocytes, immune.myeloid, immune.killing, immune.signals,
            ferroptosis.chemistry, ferroptosis.clones, toxicity.toxicity, toxicity.spread, toxicity.other_deaths)  # fmt: skip


def observe(model: Any) -> dict[str, float]:
    """One row of the series: hour, day, then every readout, the user's own last."""
    row: dict[str, float] = {"hour": model.sim_hour, "day": model.sim_day}
    for readout in READOUTS:
        row.update(readout(model))
    for readout in model.own.readouts:
        found = readout(model)
        if taken := row.keys() & found.keys():
            raise ValueError(f"readout {readout.__name__}: the column {min(taken)} is there already; expected another name")
        row.update(found)
    return {k: float(v) for k, v in row.items()}
