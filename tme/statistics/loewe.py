"""Dose additivity: what two agents leave if each is a dilution of the other, and the excess of a combination over it.

The share f left by doses a and b solves a/A(f) + b/B(f) = 1, A(f) and B(f) being the doses that leave f when given alone; an agent
that cannot reach f alone drops out. Source: Loewe 1928, Ergebn Physiol 27:47. The single agents' curves must
be known, so a run needs several doses of each: one dose per arm cannot answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.statistics.estimate import LEVEL, Estimate, unknown
from tme.statistics.hill import Hill, fit_hill
from tme.statistics.intervals import jackknife


def loewe_share(dose_a: float, dose_b: float, a: Hill, b: Hill) -> float:
    """Share of the control that doses a and b leave if they are additive in dose."""
    least = 1 - max(a.e_max, b.e_max)  # a share that no dose can bring lower

    def surplus(share: float) -> float:
        limits = a.dose_leaving(share), b.dose_leaving(share)
        return dose_a / limits[0] + dose_b / limits[1] - 1

    if dose_a <= 0 and dose_b <= 0:
        return 1.0
    high, low = 1 - 1e-12, least + 1e-12
    from scipy.optimize import brentq

    if surplus(high) < 0:  # doses that take less than a trillionth
        return high
    return low if surplus(low) > 0 else float(brentq(surplus, low, high, xtol=1e-13))


def loewe_excess(doses_a: Any, shares_a: Any, doses_b: Any, shares_b: Any, dose_a: float, dose_b: float, shares_ab: Any,
                 level: float = LEVEL) -> tuple[Estimate, np.ndarray]:  # fmt: skip
    """Share expected from dose additivity minus the share seen, with a jackknife t interval; pseudovalues (n,) of it.

    Shares of the control: `shares_a` (n, p) at `doses_a` (p,), `shares_b` (n, q) at `doses_b` (q,), `shares_ab` (n,) at the one
    combination; rows are replicates of one seed. Unknown where a single agent has no curve (three doses above 0, some effect).
    """
    one, other = (np.atleast_2d(np.asarray(x, float)) for x in (shares_a, shares_b))
    ab = np.asarray(shares_ab, float)

    def excess(a: np.ndarray, b: np.ndarray, both: np.ndarray) -> float:
        curves = fit_hill(doses_a, a.mean(axis=0)), fit_hill(doses_b, b.mean(axis=0))
        if curves[0] is None or curves[1] is None:
            return float("nan")
        return loewe_share(dose_a, dose_b, curves[0], curves[1]) - float(both.mean())

    if not np.isfinite(excess(one, other, ab)):
        return unknown(ab.size), np.full(ab.shape, np.nan)
    return jackknife(excess, one, other, ab, level=level)
