"""How many pairs an effect as observed would need, from its spread over the pairs there are."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from tme.statistics.estimate import LEVEL, t_quantile

POWER = 0.8
MOST = 100_000  # beyond this many pairs the answer is "no number of replicates that anybody runs"


def power_of_pairs(standardised: float, n: int, level: float = LEVEL) -> float:
    """Chance that a two-sided paired t test of n pairs finds an effect of `standardised` (mean over standard deviation)."""
    if n < 2:
        return 0.0
    limit, shift = t_quantile(0.5 + level / 2, n - 1), abs(standardised) * np.sqrt(n)
    return float(1 - special.nctdtr(n - 1, shift, limit) + special.nctdtr(n - 1, shift, -limit))


def pairs_needed(effects: Any, null: float = 0.0, power: float = POWER, level: float = LEVEL) -> int | None:
    """Least number of pairs at which a paired t test finds the observed mean effect with this power.

    `effects` (n,) are paired effects (differences, log ratios). None with fewer than two, with no spread, with no effect,
    or beyond `MOST`. The observed effect is itself uncertain, so this is a guide and no promise.
    """
    x = np.asarray(effects, float)
    x = x[np.isfinite(x)]
    if x.size < 2:
        return None
    spread, effect = float(x.std(ddof=1)), float(x.mean()) - null
    if spread <= 0 or effect == 0:
        return None
    standardised = abs(effect) / spread
    # the normal approximation is within a few pairs of the noncentral t: start below it, and go up
    z = special.ndtri(0.5 + level / 2) + special.ndtri(power)
    n = max(2, int((z / standardised) ** 2))
    if n > MOST:
        return None
    while power_of_pairs(standardised, n, level) < power:
        n += 1
    return n
