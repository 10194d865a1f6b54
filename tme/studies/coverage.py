"""Simulation-based calibration: does a 90 % interval hold the truth in 90 % of cases?

A truth is drawn from the prior, data are simulated from it, and the calibration is run on them as on real data. If the
posterior is right, the share of it below the truth is uniform over many truths (Talts et al. 2018, arXiv 1804.06788).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binom, chisquare

from tme.studies.abc_smc import Evaluate, Observed, Settings, Trial, sample
from tme.studies.draws import Purpose, normals, uniforms
from tme.studies.posterior import Posterior, adjusted
from tme.studies.prior import Prior

BINS = 20
FIRST_TRUTH_SEED = 500_000  # numbers of seeds of truths, apart from any pool's


@dataclass(frozen=True)
class Coverage:
    """Shares of the posterior below the truth (truths, d), with the names of the numbers."""

    names: list[str]
    below: np.ndarray
    level: float = 0.9

    def covered(self) -> np.ndarray:
        """(d,) share of truths within the central interval of `level`."""
        edge = 0.5 * (1.0 - self.level)
        return ((self.below > edge) & (self.below < 1.0 - edge)).mean(axis=0)

    def band(self) -> tuple[float, float]:
        """Where 95 % of such shares fall if the coverage is right."""
        n = len(self.below)
        return float(binom.ppf(0.025, n, self.level) / n), float(binom.ppf(0.975, n, self.level) / n)

    def histogram(self) -> np.ndarray:
        """(d, BINS) how many truths rank in each twentieth of their posterior."""
        return np.stack([np.histogram(self.below[:, j], bins=BINS, range=(0.0, 1.0))[0] for j in range(self.below.shape[1])])

    def p_uniform(self) -> np.ndarray:
        """(d,) chance of a histogram as uneven as this if ranks are uniform (chi-squared)."""
        return np.array([chisquare(counts).pvalue for counts in self.histogram()])


def posterior_of(prior: Prior, observed: Observed, evaluate: Evaluate, settings: Settings) -> Posterior:
    """ABC-SMC, then the regression: what `tme calibrate` reports."""
    return adjusted(prior, sample(prior, observed, evaluate, settings)[-1], observed)


def measure(prior: Prior, noise: np.ndarray, evaluate: Evaluate, settings: Settings, truths: int, seed: int,
            told: Callable[[int], None] = lambda done: None) -> Coverage:  # fmt: skip
    """Coverage over `truths` draws from the prior; `noise` (rows,) is the sd of the measurement noise."""
    u = uniforms(seed, Purpose.TRUTH, 0, np.arange(truths), len(prior))
    values = prior.values(u)
    rows = np.asarray(evaluate([Trial(0, k, tuple(map(float, values[k])), FIRST_TRUTH_SEED + k) for k in range(truths)]))
    rows = rows + noise * normals(seed, Purpose.NOISE, 0, np.arange(truths), rows.shape[1])
    below = np.empty((truths, len(prior)))
    for k in range(truths):
        own = replace(settings, seed=settings.seed + 1 + k)
        below[k] = posterior_of(prior, Observed(rows[k], noise), evaluate, own).below(values[k])
        told(k + 1)
    return Coverage(prior.names, below)
