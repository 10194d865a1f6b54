"""What a calibration believes at its end: weighted samples, their quantiles, draws from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from tme.studies.abc_smc import Observed, Population
from tme.studies.draws import Purpose, uniforms
from tme.studies.prior import Prior

_EDGE = 1e-9
FEWEST_PER_TERM = 6  # effective particles for each term of the regression


@dataclass(frozen=True)
class Posterior:
    """Weighted samples: points u (n, d) of the unit cube, numbers (n, d), weights (n,) that sum to 1."""

    prior: Prior
    u: np.ndarray
    weights: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """(n, d) the numbers themselves."""
        return self.prior.values(self.u)

    def quantiles(self, shares: tuple[float, ...] = (0.05, 0.5, 0.95)) -> np.ndarray:
        """(len(shares), d) quantiles of each number."""
        values = self.values
        return np.column_stack([weighted_quantile(values[:, j], self.weights, shares) for j in range(values.shape[1])])

    def below(self, values: np.ndarray) -> np.ndarray:
        """(d,) posterior probability that each number is below the one given."""
        return np.minimum(np.einsum("i,ij->j", self.weights, (self.values < np.asarray(values)).astype(float)), 1.0)

    def narrowing(self) -> np.ndarray:
        """(d,) width of the 90 % interval as a share of that of the prior: 1 learnt nothing, near 0 much."""
        ends = np.column_stack([weighted_quantile(self.u[:, j], self.weights, (0.05, 0.95)) for j in range(self.u.shape[1])])
        return (ends[1] - ends[0]) / 0.9

    def correlation(self) -> np.ndarray:
        """(d, d) weighted correlation of the points of the unit cube."""
        away = self.u - np.einsum("i,ij->j", self.weights, self.u)
        covariance = np.einsum("i,ij,ik->jk", self.weights, away, away)
        sd = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
        return covariance / np.outer(sd, sd)

    def draw(self, seed: int, n: int) -> np.ndarray:
        """(n, d) points of the unit cube, drawn by weight with one common offset (systematic resampling)."""
        offset = uniforms(seed, Purpose.RESAMPLE, 0, np.zeros(1, dtype=np.uint64), 1)[0, 0]
        at = (np.arange(n) + offset) / n
        bounds = np.cumsum(self.weights)
        return self.u[np.minimum(np.searchsorted(bounds, at * bounds[-1], side="right"), len(self.u) - 1)]


def weighted_quantile(values: np.ndarray, weights: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """Quantiles of weighted values, linear between the middles of the steps of their distribution."""
    order = np.argsort(values, kind="stable")
    w = weights[order] / weights.sum()
    return np.interp(shares, np.cumsum(w) - 0.5 * w, values[order])


def raw(prior: Prior, population: Population) -> Posterior:
    """The population as it is."""
    return Posterior(prior, population.u, population.weights / population.weights.sum())


def adjusted(prior: Prior, population: Population, observed: Observed) -> Posterior:
    """The population moved to where the simulated rows would equal the data, by local linear regression.

    Logits of the points are regressed on the deviations of the rows, weighted by the particles' weights times
    1 - (distance / threshold)² (Beaumont et al. 2002, Genetics, doi 10.1093/genetics/162.4.2025); the logit keeps the
    moved points within the prior. What a line leaves of few particles is too small by their leverage and is widened by
    it. Where too few particles carry weight for the regression, nothing is moved.
    """
    away = population.rows - observed.values
    scale = np.maximum(away.std(axis=0), 1e-12)
    near = np.maximum(1.0 - (population.distances / max(population.threshold, 1e-300)) ** 2, 0.0)
    w = population.weights * near
    w = w / w.sum() if w.sum() > 0.0 else np.zeros_like(w)
    x = np.column_stack([np.ones(len(away)), away / scale])
    if not w.any() or 1.0 / (w**2).sum() < FEWEST_PER_TERM * x.shape[1]:
        return raw(prior, population)
    target = logit(np.clip(population.u, _EDGE, 1.0 - _EDGE))
    normal = np.einsum("i,ij,ik->jk", w, x, x) + 1e-8 * np.eye(x.shape[1])
    slope = np.linalg.solve(normal, np.einsum("i,ij,ik->jk", w, x, target))
    middle, left = slope[0], target - np.einsum("ij,jk->ik", x, slope)
    leverage = np.minimum(w * np.einsum("ij,jk,ik->i", x, np.linalg.inv(normal), x), 0.9)
    return Posterior(prior, expit(middle + left / np.sqrt(1.0 - leverage)[:, None]), w)
