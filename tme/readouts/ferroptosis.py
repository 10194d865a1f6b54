"""The ferroptosis state of living tumour cells, and which clones are left."""

from __future__ import annotations

from typing import Any

import numpy as np


def chemistry(model: Any) -> dict[str, float]:
    """Medians of the redox core, PLOOH at p90, and the SLC7A11 factor left by IFN-gamma."""
    t = model.tumour
    alive = t.state == 0
    if not alive.any():
        names = ("slc7a11_factor", "gsh_median", "gpx4_median", "plooh_median", "plooh_p90", "lip_median", "pufa_median", "v_damage_p90")
        return dict.fromkeys(names, np.nan)
    f_x = model.mechanism("ferroptosis").p.f_x
    return {
        "slc7a11_factor": float(np.median(1.0 - f_x * t.ifng_response[alive])),
        "gsh_median": float(np.median(t.gsh[alive])),
        "gpx4_median": float(np.median(t.gpx4[alive])),
        "plooh_median": float(np.median(t.plooh[alive])),
        "plooh_p90": float(np.percentile(t.plooh[alive], 90)),
        "lip_median": float(np.median(t.lip[alive])),
        "pufa_median": float(np.median(t.pufa[alive])),
        "v_damage_p90": float(np.percentile(t.damage[alive], 90)),
    }


def clones(model: Any) -> dict[str, float]:
    """Share of each clone among living cells."""
    t = model.tumour
    alive = t.state == 0
    n, names = int(alive.sum()), model.config.clone_names()
    shares = np.bincount(t.clone[alive], minlength=len(names)) / n if n else np.full(len(names), np.nan)
    return {f"clone_{name}_share": float(s) for name, s in zip(names, shares)}
