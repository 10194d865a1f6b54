"""Dose-response of one agent: a Hill curve fitted to shares of the control, its EC50 with an interval.

    share(d) = 1 - e_max d^h / (ec50^h + d^h),  0 <= e_max <= 1, h > 0

EC50 is the dose of half the agent's own greatest effect. Source: Hill 1910, J Physiol 40:iv.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tme.statistics.estimate import LEVEL, Estimate, unknown
from tme.statistics.intervals import jackknife

FEWEST_DOSES = 3  # above zero; the curve has three parameters and the share at dose 0 is 1 by definition
LEAST_EFFECT = 0.02  # of the control, at the highest dose: below it an EC50 has no meaning
SLOPES = (0.2, 8.0)
GRID = (60, 20)  # EC50 by slope, from which the fit starts
BEYOND = 30.0  # how many times outside the doses tested an EC50 is looked for


@dataclass(frozen=True)
class Hill:
    """A fitted curve: `ec50` in the unit of the doses, slope `h`, greatest effect `e_max` (share of control removed)."""

    ec50: float
    h: float
    e_max: float

    def share(self, dose: Any) -> np.ndarray:
        """Share of the control left at doses of any shape."""
        d = np.asarray(dose, float)
        with np.errstate(divide="ignore", over="ignore"):
            return 1 - self.e_max / (1 + (self.ec50 / d) ** self.h)

    def dose_leaving(self, share: float) -> float:
        """Dose that leaves this share: 0 for 1 and above, infinity where even the greatest effect leaves more."""
        effect = 1 - share
        if effect <= 0:
            return 0.0
        return self.ec50 * (effect / (self.e_max - effect)) ** (1 / self.h) if effect < self.e_max else float("inf")


@dataclass(frozen=True)
class DoseResponse:
    """A curve, its EC50 with the jackknife interval over replicates, and whether the EC50 lies within the doses tested."""

    curve: Hill | None
    ec50: Estimate
    inside: bool
    note: str = ""


def fit_hill(doses: Any, shares: Any) -> Hill | None:
    """Least squares of the curve to shares (m,) at doses (m,), zeros ignored; None with fewer than three doses or no effect."""
    d, s = np.asarray(doses, float), np.asarray(shares, float)
    use = np.isfinite(s) & (d > 0)
    d, s = d[use], s[use]
    if np.unique(d).size < FEWEST_DOSES:
        return None
    effect = 1 - s
    ends = (math.log(d.min() / BEYOND), math.log(d.max() * BEYOND)), (math.log(SLOPES[0]), math.log(SLOPES[1]))
    ec50, h = (x.ravel() for x in np.meshgrid(*(np.linspace(low, high, n) for (low, high), n in zip(ends, GRID))))
    _, cost = _greatest(ec50, h, d, effect)
    start = int(np.argmin(cost))

    def error(p: np.ndarray) -> np.ndarray:
        e_max, _ = _greatest(p[:1], p[1:], d, effect)
        return e_max[0] * _saturation(p[:1], p[1:], d)[0] - effect

    from scipy.optimize import least_squares

    best = least_squares(error, [ec50[start], h[start]], bounds=tuple(zip(*ends)), xtol=1e-12, ftol=1e-12, gtol=1e-12).x
    e_max, _ = _greatest(best[:1], best[1:], d, effect)
    found = Hill(float(np.exp(best[0])), float(np.exp(best[1])), float(e_max[0]))
    return found if 1 - found.share(d.max()) >= LEAST_EFFECT else None


def _saturation(log_ec50: np.ndarray, log_h: np.ndarray, doses: np.ndarray) -> np.ndarray:
    """d^h / (ec50^h + d^h), curves (k,) by doses (m,)."""
    return 1 / (1 + np.exp(np.exp(log_h)[:, None] * (log_ec50[:, None] - np.log(doses))))


def _greatest(log_ec50: np.ndarray, log_h: np.ndarray, doses: np.ndarray, effect: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best e_max of each curve (k,), which is linear once the other two are given, and the squared error that is left."""
    g = _saturation(log_ec50, log_h, doses)
    e_max = np.clip((g @ effect) / np.maximum((g**2).sum(axis=1), 1e-300), 0.0, 1.0)
    return e_max, ((e_max[:, None] * g - effect) ** 2).sum(axis=1)


def dose_response(doses: Any, shares: Any, level: float = LEVEL) -> DoseResponse:
    """Curve through the mean of shares (n, m) at doses (m,), with a jackknife t interval of log EC50 over the n replicates."""
    d, s = np.asarray(doses, float), np.atleast_2d(np.asarray(shares, float))
    curve = fit_hill(d, s.mean(axis=0))
    if curve is None:
        few = np.unique(d[d > 0]).size < FEWEST_DOSES
        why = f"fewer than {FEWEST_DOSES} doses above 0" if few else f"effect below {100 * LEAST_EFFECT:g} % of the control"
        return DoseResponse(None, unknown(len(s)), False, f"no EC50: {why}")

    def log_ec50(rows: np.ndarray) -> float:
        fitted = fit_hill(d, rows.mean(axis=0))
        return float("nan") if fitted is None else float(np.log(fitted.ec50))

    logs, _ = jackknife(log_ec50, s, level=level)
    ec50 = Estimate(curve.ec50, float(np.exp(logs.low)), float(np.exp(logs.high)), len(s))
    inside = bool(d[d > 0].min() <= curve.ec50 <= d.max())
    notes = ["" if inside else "EC50 lies outside the doses tested", "" if np.isfinite(logs.low) else "no interval of EC50"]
    return DoseResponse(curve, ec50, inside, "; ".join(n for n in notes if n))
