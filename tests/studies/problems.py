"""Cheap problems whose posteriors are known in closed form."""

from __future__ import annotations

import numpy as np

from tme.studies.abc_smc import Observed
from tme.studies.prior import prior

# one number, measured once with noise: the posterior is normal
MEAN = prior(("mean", -5.0, 5.0))
MEASURED = Observed(np.array([1.0]), np.array([0.5]))

# a line measured at four places: the posterior of intercept and slope is a correlated normal
PLACES = np.array([0.0, 1.0, 2.0, 3.0])
LINE = prior(("intercept", -4.0, 4.0), ("slope", -3.0, 3.0))
LINE_DATA = Observed(np.array([0.9, 1.4, 2.2, 2.4]), np.full(4, 0.4))


def mean_of(trials):
    """(n, 1): the number itself."""
    return np.array([[t.values[0]] for t in trials])


def line_of(trials):
    """(n, 4): the line at its places."""
    values = np.array([t.values for t in trials])
    return values[:, :1] + values[:, 1:] * PLACES


def line_posterior():
    """Mean (2,) and covariance (2, 2) by least squares."""
    x = np.column_stack([np.ones(4), PLACES]) / LINE_DATA.noise[:, None]
    covariance = np.linalg.inv(x.T @ x)
    return covariance @ x.T @ (LINE_DATA.values / LINE_DATA.noise), covariance


def moments(posterior):
    """Weighted mean (d,) and covariance (d, d) of the samples."""
    mean = posterior.weights @ posterior.values
    away = posterior.values - mean
    return mean, (away * posterior.weights[:, None]).T @ away
