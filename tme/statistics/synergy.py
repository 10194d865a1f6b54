"""Is a combination more than its parts? Excess over Bliss independence.

With f an arm's tumour over the control's, two treatments that act independently leave f_a f_b; the excess is
f_a f_b - f_ab, positive where the combination leaves fewer cells. Source: Bliss 1939,
doi 10.1111/j.1744-7348.1939.tb06990.x. The excess over the highest single agent is min(f_a, f_b) - f_ab (Gaddum 1940;
test: Laska & Meisner 1989, Biometrics 45:1139). Loewe additivity needs dose-response: `loewe`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.statistics.estimate import LEVEL, Estimate, from_error, unknown
from tme.statistics.intervals import mean_interval, pairs, welch


def bliss_excess(control: Any, a: Any, b: Any, ab: Any) -> np.ndarray:
    """The excess of arrays of any one shape (replicates, or replicates x times); NaN where the control is empty."""
    control = np.where(np.asarray(control, float) > 0, control, np.nan)
    return (np.asarray(a) / control) * (np.asarray(b) / control) - np.asarray(ab) / control


def bliss_of_pairs(control: Any, a: Any, b: Any, ab: Any, level: float = LEVEL) -> Estimate:
    """Mean excess over replicates that share their seeds, with its t interval; those without a control tumour are left out."""
    return mean_interval(bliss_excess(control, a, b, ab), level=level)


def hsa_excess(control: Any, a: Any, b: Any, ab: Any) -> np.ndarray:
    """Excess over the better single agent of the same replicate, in shares of control; NaN where the control is empty."""
    control = np.where(np.asarray(control, float) > 0, control, np.nan)
    return (np.minimum(np.asarray(a, float), np.asarray(b, float)) - np.asarray(ab)) / control


def hsa_of_pairs(control: Any, a: Any, b: Any, ab: Any, null: float = 0.0, level: float = LEVEL) -> Estimate:
    """Excess over the single agent that is better on average, replicates paired, with interval and p.

    Which agent is better is not known beforehand, so the combination must beat both: above `null` the p is the greater of
    the two paired t tests' (intersection-union), below it twice the smaller. The interval runs from the lower of the two
    low limits to the lower of the two high limits at half the tail, and so covers at least `level`.
    """
    control = np.where(np.asarray(control, float) > 0, control, np.nan)
    ab = np.asarray(ab, float)
    parts = pairs(*((np.asarray(single, float) - ab) / control for single in (a, b)))
    each = [mean_interval(x, null, level) for x in parts]
    least = min(each, key=lambda e: e.value) if each[0].n else each[0]
    if each[0].n < 2:
        return unknown(each[0].n, least.value, null)
    wider = [mean_interval(x, null, (1 + level) / 2) for x in parts]
    p = max(e.p for e in each) if least.value > null else min(1.0, 2 * min(e.p for e in each if e.value <= null))
    return Estimate(least.value, min(e.low for e in each), min(e.high for e in wider), least.n, float(p), null)


def bliss_of_groups(control: Any, a: Any, b: Any, ab: Any, level: float = LEVEL) -> Estimate:
    """Excess of the means of arms (n,) each, that do not share their seeds: t interval of the linearised excess, Welch's degrees of freedom."""
    groups = [x[np.isfinite(x)] for x in (np.asarray(g, float) for g in (control, a, b, ab))]
    n = min(g.size for g in groups)
    if n == 0:
        return unknown()
    c, x, y, xy = (float(g.mean()) for g in groups)
    value = float(bliss_excess(c, x, y, xy))
    if n < 2 or not np.isfinite(value):
        return unknown(n, value)
    slopes = np.array([(xy - 2.0 * x * y / c) / c**2, y / c**2, x / c**2, -1.0 / c])
    parts = slopes**2 * [g.var(ddof=1) / g.size for g in groups]
    return from_error(value, float(np.sqrt(parts.sum())), welch(parts, [g.size for g in groups]), n, 0.0, level)
