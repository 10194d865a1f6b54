"""A dense matrix hinders what comes from blood: all of a tumour alike, by the size of what comes.

    D' = D e^{-density s},  exchange and leak at vessels likewise;  s by kind: particles most, antibodies less, drugs little

`density` 0 is tissue as the library's numbers have it, 1 a desmoplastic tumour. What fibroblasts do in their places is said by rules (M111).
"""

from __future__ import annotations

import math
from typing import Any

from tme.core.parameters import ParameterSet, par

PARAMETERS = ParameterSet(
    "matrix",
    par("density", 0.0, "1", 0.0, 5.0, "definition: 0 is tissue as the library's numbers have it", "density of the matrix, 1 a desmoplastic tumour"),
    par("drugs", 0.2, "1", 0.0, 5.0, "assumed: small molecules are hardly held up"),
    par("antibodies", 0.8, "1", 0.0, 5.0, "assumed: an IgG of 150 kDa spreads half as fast in a desmoplastic tumour"),
    par("nanoparticles", 1.6, "1", 0.0, 5.0, "assumed: particles of tens of nm, twice the hindrance of an IgG"),
)


def hindered(entry: Any, kind: str, p: Any) -> Any:
    """An agent's entry of a kind in a matrix of these numbers: the entry itself where there is none."""
    factor = math.exp(-p.density * getattr(p, kind))
    if factor == 1.0:
        return entry
    return entry.model_copy(update={"diffusion": entry.diffusion * factor, "vessel_exchange": entry.vessel_exchange * factor})
