"""Infiltration class of a tumour from densities of CD8: inflamed, excluded, desert.

In words the classes are common property; in numbers there is no agreement (Tiwari et al. 2023, Front Immunol 14:1084887,
doi 10.3389/fimmu.2023.1084887), so both limits are assumed. The rim is the 100 um around the tumour's edge.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

CLASSES = ("inflamed", "excluded", "desert")
READOUTS = ("cd8_per_mm2", "cd8_inside_per_mm2", "cd8_rim_per_mm2")
DESERT = 50.0  # CD8 per mm^2 in tumour and rim, below which it is a desert (assumed: 100 to 1,000 in infiltrated tumours)
EXCLUDED = 0.5  # density inside over that in the rim, below which CD8 are kept out (assumed)


def classes(densities: Mapping[str, np.ndarray]) -> list[str]:
    """The class of each tumour from its `READOUTS`, each (n,) per mm^2; "" where a density that decides is not known."""
    out = []
    for whole, inside, rim in zip(*(densities[r] for r in READOUTS)):
        if not np.isfinite(whole):
            out.append("")
        elif whole < DESERT:
            out.append("desert")
        elif not (np.isfinite(inside) and np.isfinite(rim)):
            out.append("")
        else:
            out.append("excluded" if inside < EXCLUDED * rim else "inflamed")
    return out
