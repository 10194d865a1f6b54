"""A quick stand-in for a simulated row: a Gaussian process about a quadratic surface.

Correlations fall off as exp(-r²/2l²) in the unit cube; the quadratic surface is a part of the process with a wide prior, so that
its own uncertainty counts. Length and share of scatter are those of a small grid with the best leave-one-out density
(Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, section 5.4.2), which needs no optimiser and
gives the same choice every time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LENGTHS = (0.15, 0.3, 0.6, 1.2)  # times the square root of the number of coordinates
SCATTER = (1e-3, 1e-2, 0.1, 0.5, 5.0)  # variance of scatter over that of the process; 5: a surface and little else
_SURFACE = 30.0  # variance of the coefficients of the surface, for rows of variance 1
_BLOCK = 4096


def surface(u: np.ndarray, quadratic: bool) -> np.ndarray:
    """(n, p) terms of a quadratic, or linear, surface over points u (n, d)."""
    x = 2.0 * u - 1.0
    terms = [np.ones(len(x)), *x.T]
    if quadratic:
        terms += [x[:, j] * x[:, k] for j in range(x.shape[1]) for k in range(j, x.shape[1])]
    return np.column_stack(terms)


@dataclass(frozen=True)
class Emulator:
    """Predicts one row of the data anywhere in the unit cube."""

    u: np.ndarray
    quadratic: bool
    mean: float
    sd: float
    length: float
    scatter: float
    variance: float
    inverse: np.ndarray  # (n, n) of the covariance over `variance`
    solved: np.ndarray  # (n,) inverse times the standardised rows
    errors: np.ndarray  # (n,) leave-one-out errors over their predicted sd

    @classmethod
    def fit(cls, u: np.ndarray, y: np.ndarray) -> Emulator:
        """Fit simulated values y (n,) at points u (n, d)."""
        mean, sd = float(y.mean()), float(y.std())
        sd = sd if sd > 1e-12 * max(1.0, abs(mean)) else 1.0
        z = (y - mean) / sd
        quadratic = len(u) >= 2 * surface(u[:1], True).shape[1]
        best: Emulator | None = None
        best_density = -np.inf
        for length in LENGTHS:
            for scatter in SCATTER:
                candidate, density = cls._try(u, z, quadratic, mean, sd, length * np.sqrt(u.shape[1]), scatter)
                if best is None or density > best_density:
                    best, best_density = candidate, density
        assert best is not None
        return best

    @classmethod
    def _try(cls, u: np.ndarray, z: np.ndarray, quadratic: bool, mean: float, sd: float, length: float, scatter: float) -> tuple[Emulator, float]:
        covariance = _covariance(u, u, quadratic, length) + scatter * np.eye(len(u))
        inverse = np.linalg.inv(covariance)
        solved = np.einsum("ij,j->i", inverse, z)
        precision = np.maximum(np.diag(inverse), 1e-12)
        off = solved / precision  # leave-one-out errors
        variance = max(float((off * off * precision).mean()), 1e-10)
        density = float(0.5 * (np.log(precision / variance) - off * off * precision / variance).sum())
        errors = off * np.sqrt(precision / variance)
        return cls(u, quadratic, mean, sd, length, scatter, variance, inverse, solved, errors), density

    def predict(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (m,) and sd (m,) of a simulation at the points u (m, d), scatter between seeds included."""
        parts = [self._predict(u[k : k + _BLOCK]) for k in range(0, len(u), _BLOCK)]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def _predict(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        near = _covariance(u, self.u, self.quadratic, self.length)
        terms = surface(u, self.quadratic)
        own = 1.0 + _SURFACE * (terms * terms).sum(axis=1) + self.scatter
        left = own - (np.einsum("mi,ij->mj", near, self.inverse) * near).sum(axis=1)
        sd = np.sqrt(self.variance * np.maximum(left, 1e-12))
        return self.mean + self.sd * np.einsum("mi,i->m", near, self.solved), self.sd * sd


def _covariance(a: np.ndarray, b: np.ndarray, quadratic: bool, length: float) -> np.ndarray:
    """(n, m) covariance of process and surface between the points a and b."""
    away = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return np.exp(-0.5 * away / length**2) + _SURFACE * np.einsum("ip,jp->ij", surface(a, quadratic), surface(b, quadratic))
