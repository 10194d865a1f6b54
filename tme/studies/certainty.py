"""How certain an outcome is over draws of what is not known, and what decides it. Arrays in, plain numbers out.

Draws stand in rows: `u` (n, numbers) is where each number lies in its range, 0 to 1; `options` (n, switches) which option of each
structural switch a draw took; `effects` (n,) the outcome of a draw, with luck; `repeated` (m, seeds) outcomes of draws with several
seeds each. The law of total variance shares out Var(effect) = E Var(effect | draw), which is luck, + Var E(effect | draw),
which is numbers and structure. A number's first-order share is Var E(effect | number) / Var(effect), by regression on bins; what
bins of an unrelated number would show is subtracted, and the largest such share among all numbers, with the outcomes shuffled,
is what a share must exceed to be told from chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tme.statistics import Estimate

RESAMPLES = 400
SHUFFLES = 200
SEED = 20261127
LEAST_PER_BIN = 12  # draws
MOST_BINS = 10
PER_CELL = 10  # draws that each combination of options must have on average for interactions of switches to be told


# ---- shares of variance -----------------------------------------------------------------------------------
def variance_shares(effects: np.ndarray, options: np.ndarray, repeated: np.ndarray) -> dict[str, Estimate]:
    """Shares of the variance of one simulated pair's outcome: "seeds", "structure", "numbers" (with their interactions with structure).

    Intervals: draws resampled, those with one seed and those with several apart. Rows that are not finite are left out.
    """
    keep = np.isfinite(effects)
    y, s = effects[keep], options[keep]
    r = repeated[np.isfinite(repeated).all(axis=1)]
    point = _shares(y, s, r)
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(RESAMPLES if len(y) and len(r) else 0):
        a, b = rng.integers(0, len(y), len(y)), rng.integers(0, len(r), len(r))
        drawn.append(_shares(y[a], s[a], r[b], copies=True))
    out = {}
    for k, name in enumerate(("seeds", "structure", "numbers")):
        low, high = np.nanquantile([d[k] for d in drawn], (0.025, 0.975)) if np.isfinite(point[k]) and len(drawn) else (np.nan, np.nan)
        out[name] = Estimate(float(point[k]), float(low), float(high), len(y))
    return out


def _shares(y: np.ndarray, options: np.ndarray, repeated: np.ndarray, copies: bool = False) -> tuple[float, float, float]:
    total = y.var(ddof=1) if y.size > 1 else 0.0
    if not total > 0 or len(repeated) < 2:
        return (np.nan, np.nan, np.nan)
    seeds = min(1.0, repeated.var(axis=1, ddof=1).mean() / total)
    structure = min(1.0 - seeds, explained_by_options(y, options, copies))
    return seeds, structure, max(0.0, 1.0 - seeds - structure)


def explained_by_options(y: np.ndarray, options: np.ndarray, copies: bool = False) -> float:
    """Share of the variance between combinations of options (of few draws: the sum over switches), less what chance would show.

    `copies`: the draws are a resample, which adds chance of its own to that of the draws.
    """
    if options.shape[1] == 0:
        return 0.0
    cells = np.unique(options, axis=0, return_inverse=True)[1].ravel()
    if y.size >= PER_CELL * (cells.max() + 1):
        return max(0.0, _adjusted(y, cells, copies))
    return max(0.0, sum(_adjusted(y, options[:, k], copies) for k in range(options.shape[1])))


def _adjusted(y: np.ndarray, cells: np.ndarray, copies: bool = False) -> float:
    """Explained share of one partition, corrected for its degrees of freedom (epsilon squared), in a resample for both chances."""
    named, at = np.unique(cells, return_inverse=True)
    if named.size < 2 or y.size <= named.size:
        return 0.0
    count, total = np.bincount(at), np.bincount(at, y)
    between = float((total**2 / count).sum() - y.sum() ** 2 / y.size)
    raw = between / float(((y - y.mean()) ** 2).sum())
    chance = (named.size - 1) / (y.size - 1) * (2.0 if copies else 1.0)
    return (raw - chance) / (1 - chance)


# ---- what each number explains ------------------------------------------------------------------------------
def bins_of(n: int) -> int:
    """How many bins n draws bear."""
    return int(np.clip(n // LEAST_PER_BIN, 2, MOST_BINS)) if n >= 2 * LEAST_PER_BIN else 2


def codes(columns: np.ndarray, bins: int) -> np.ndarray:
    """Bin of each entry (n, numbers) by rank: bins hold equally many draws."""
    rank = columns.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return rank * bins // len(columns)


class Explained:
    """First-order shares of many numbers at once, with what chance can show."""

    def __init__(self, u: np.ndarray, options: np.ndarray, y: np.ndarray) -> None:
        keep = np.isfinite(y)
        self.y, self.u, self.options = y[keep], u[keep], options[keep]
        self.n, self.bins = int(keep.sum()), bins_of(int(keep.sum()))
        self.ok = self.n >= 2 * LEAST_PER_BIN and np.ptp(self.y) > 0
        if not self.ok:
            return
        self._codes = [*codes(self.u, self.bins).T, *(np.unique(o, return_inverse=True)[1].ravel() for o in self.options.T)]
        self._shares, self.chance = self._all(self.y)

    @property
    def shares(self) -> np.ndarray:
        """Adjusted first-order share of each number, then of each switch (may be a little below 0)."""
        return self._shares

    def _all(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        rng = np.random.default_rng(SEED)
        shuffled = np.stack([y, *(rng.permutation(y) for _ in range(SHUFFLES))], axis=1)
        centred = shuffled - y.mean()
        whole = float((centred[:, 0] ** 2).sum())
        out = np.zeros((len(self._codes), SHUFFLES + 1))
        for k, code in enumerate(self._codes):
            order = np.argsort(code, kind="stable")
            count = np.bincount(code)
            starts = np.concatenate([[0], np.cumsum(count)[:-1]])
            sums = np.add.reduceat(centred[order], starts, axis=0)
            raw = (sums**2 / count[:, None]).sum(axis=0) / whole
            chance = (count.size - 1) / (self.n - 1)
            out[k] = (raw - chance) / (1 - chance)
        return out[:, 0], float(np.quantile(out[:, 1:].max(axis=0), 0.95))

    def interval(self, k: int) -> Estimate:
        """The share of number k with its interval over resampled draws."""
        rng, code = np.random.default_rng(SEED), self._codes[k]
        drawn = []
        for _ in range(RESAMPLES):
            chosen = rng.integers(0, self.n, self.n)
            drawn.append(_adjusted(self.y[chosen], code[chosen], copies=True))
        low, high = np.quantile(drawn, (0.025, 0.975))
        return Estimate(float(self.shares[k]), max(0.0, float(low)), min(1.0, float(high)), self.n)

    def along(self, k: int) -> np.ndarray:
        """Mean of the outcome in each bin of number k, from low to high (of a switch: in each option)."""
        return np.bincount(self._codes[k], self.y) / np.bincount(self._codes[k])


# ---- where a conclusion flips ---------------------------------------------------------------------------------
def flips_at(u: np.ndarray, held: np.ndarray) -> tuple[float | None, float]:
    """Place in the range (0 to 1) at which a conclusion holds as often as not, by logistic regression on one number; and its slope.

    None where that lies outside the range.
    """
    a, b = logistic(u, held)
    if b == 0 or not np.isfinite(a + b):
        return None, 0.0
    at = -a / b
    return (float(at) if 0 <= at <= 1 else None), float(b)


def logistic(x: np.ndarray, held: np.ndarray, steps: int = 50) -> tuple[float, float]:
    """Intercept and slope of log odds, by Newton's method with a weak prior (slope of some 10 a range) for separable data."""
    design = np.stack([np.ones_like(x), x - 0.5], axis=1)
    weak = np.diag([1e-3, 1e-2])
    beta = np.zeros(2)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (held - p) - weak @ beta
        step = np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]) + weak, gradient)
        beta = beta + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0] - 0.5 * beta[1]), float(beta[1])


# ---- a route taken out ------------------------------------------------------------------------------------------
def loss_of_cut(full: np.ndarray, cut: np.ndarray, error: float | np.ndarray) -> dict[str, Any]:
    """What an excess (n,) loses when a route is cut (paired by draw): the absolute loss over all draws; its share only
    where the excess exceeds two standard errors (`error`, of each or of all), and in how many draws that is so."""
    from tme.statistics import mean_interval

    both = np.isfinite(full) & np.isfinite(cut)
    f, c, e = full[both], cut[both], np.broadcast_to(error, full.shape)[both]
    sure = f > 2 * e
    share = ratio_interval(f[sure] - c[sure], f[sure]) if sure.sum() > 1 else Estimate(np.nan, np.nan, np.nan, int(sure.sum()))
    return {"full": mean_interval(f), "cut": mean_interval(c), "loss": mean_interval(f - c), "share": share, "sure": int(sure.sum()), "n": int(both.sum())}


def ratio_interval(a: np.ndarray, b: np.ndarray, statistic: Callable[..., Any] = np.mean) -> Estimate:
    """mean(a)/mean(b) with its interval over resampled draws."""
    rng = np.random.default_rng(SEED)
    chosen = rng.integers(0, a.size, (RESAMPLES * 5, a.size))
    low, high = np.quantile(a[chosen].mean(axis=1) / b[chosen].mean(axis=1), (0.025, 0.975))
    return Estimate(float(statistic(a) / statistic(b)), float(low), float(high), int(a.size))


def as_dict(e: Estimate) -> dict[str, Any]:
    """An estimate as JSON takes it."""
    known: Sequence[tuple[str, float]] = (("value", e.value), ("low", e.low), ("high", e.high))
    return {**{k: float(v) if np.isfinite(v) else None for k, v in known}, "n": e.n}
