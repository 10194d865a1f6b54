"""How well types mix among neighbours.

    mixing_ab     contacts of a with b over contacts among a        Keren et al. 2018, Cell 174:1373, doi 10.1016/j.cell.2018.08.039
    normalised    the same over what shuffled types give: 1 where types do not matter, 0 where they keep apart
    assortativity (tr e - |e^2|)/(1 - |e^2|) of the shares e of contacts: 1 each type among its own, 0 well mixed; Newman 2003,
                  Phys Rev E 67:026126, doi 10.1103/PhysRevE.67.026126
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tme.spatial.contact import Enrichment


def assortativity(contacts: np.ndarray) -> float:
    """Newman's coefficient of contacts (k, k); NaN where one type has them all."""
    total = contacts.sum()
    if total == 0:
        return float("nan")
    e = contacts / total
    by_chance = float(e.sum(axis=1) @ e.sum(axis=0))
    return float((np.trace(e) - by_chance) / (1.0 - by_chance)) if by_chance < 1.0 - 1e-12 else float("nan")


def mixing(found: Enrichment) -> pd.DataFrame:
    """One row for each ordered pair of different types: mixing, its normalised score, the share of a's neighbours that are b."""
    c, mean, total = found.contacts.astype(float), found.mean, found.contacts.sum(axis=1)
    rows = []
    for i, a in enumerate(found.types):
        for j, b in enumerate(found.types):
            if i == j:
                continue
            score = c[i, j] / c[i, i] if c[i, i] else np.nan
            expected = mean[i, j] / mean[i, i] if mean[i, i] > 0 else np.nan
            share = c[i, j] / total[i] if total[i] else np.nan
            rows.append({"source": a, "target": b, "mixing": score, "normalised": score / expected if expected else np.nan, "share_of_neighbours": share})
    return pd.DataFrame(rows, columns=["source", "target", "mixing", "normalised", "share_of_neighbours"])
