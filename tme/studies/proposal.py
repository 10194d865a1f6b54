"""Where the next particles of an ABC-SMC are tried: near the kept ones, never outside the prior.

A proposal picks a kept particle by its weight and moves it by a normal step whose covariance is twice the weighted
covariance of the kept (Beaumont et al. 2009, Biometrika, doi 10.1093/biomet/asp052). The step is cut off at the walls
of the unit cube, coordinate after coordinate along the Cholesky factor, so that its density is known exactly: nothing
is drawn in vain and no normalising constant is estimated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

_SMALLEST = 1e-12  # of probabilities and spreads
_BLOCK = 256  # particles whose densities are reckoned at once


def weighted_covariance(u: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(d, d) covariance of the particles u (n, d); einsum adds in a fixed order, whatever the number of threads."""
    share = weights / weights.sum()
    away = u - np.einsum("i,ij->j", share, u)
    return np.einsum("i,ij,ik->jk", share, away, away)


@dataclass(frozen=True)
class Proposal:
    """Kept particles u (n, d) in the unit cube with their weights (n,), and the Cholesky factor (d, d) of the step."""

    u: np.ndarray
    weights: np.ndarray
    factor: np.ndarray

    @classmethod
    def near(cls, u: np.ndarray, weights: np.ndarray) -> Proposal:
        """The proposal of a population: steps with twice its covariance."""
        covariance = 2.0 * weighted_covariance(u, weights)
        least = 1e-10 * max(float(np.trace(covariance)), _SMALLEST)
        return cls(u, weights / weights.sum(), np.linalg.cholesky(covariance + least * np.eye(u.shape[1])))

    def draw(self, uniforms: np.ndarray) -> np.ndarray:
        """(m, d) new points from uniforms (m, d + 1)."""
        bounds = np.cumsum(self.weights)
        centre = self.u[np.minimum(np.searchsorted(bounds, uniforms[:, 0] * bounds[-1], side="right"), len(self.u) - 1)]
        new, steps = np.empty_like(centre), np.zeros_like(centre)
        for j in range(self.u.shape[1]):
            middle = centre[:, j] + np.einsum("ik,k->i", steps[:, :j], self.factor[j, :j])
            low, high = ndtr(-middle / self.factor[j, j]), ndtr((1.0 - middle) / self.factor[j, j])
            steps[:, j] = ndtri(np.clip(low + uniforms[:, j + 1] * (high - low), _SMALLEST, 1.0 - _SMALLEST))
            new[:, j] = np.clip(middle + self.factor[j, j] * steps[:, j], 0.0, 1.0)
            steps[:, j] = (new[:, j] - middle) / self.factor[j, j]
        return new

    def density(self, new: np.ndarray) -> np.ndarray:
        """(m,) density of the proposal at the points new (m, d); integrates to 1 over the unit cube."""
        return np.concatenate([self._density(new[k : k + _BLOCK]) for k in range(0, len(new), _BLOCK)]) if len(new) else np.empty(0)

    def _density(self, new: np.ndarray) -> np.ndarray:
        steps = np.zeros((len(new), *self.u.shape))
        log = np.zeros(steps.shape[:2])
        for j in range(self.u.shape[1]):
            middle = self.u[None, :, j] + np.einsum("mik,k->mi", steps[:, :, :j], self.factor[j, :j])
            scale = self.factor[j, j]
            z = (new[:, j, None] - middle) / scale
            inside = np.maximum(ndtr((1.0 - middle) / scale) - ndtr(-middle / scale), _SMALLEST)
            log -= 0.5 * z * z + 0.5 * np.log(2.0 * np.pi) + np.log(scale) + np.log(inside)
            steps[:, :, j] = z
        return np.einsum("mi,i->m", np.exp(log), self.weights)
