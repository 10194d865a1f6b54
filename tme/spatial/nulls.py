"""What counts of pairs would be if types were shuffled among the cells: mean and variance exactly, or by shuffling.

T_ab sums weights w_ij over ordered pairs with type a at i and b at j. Shuffled with all numbers kept, its moments depend on six sums of
the weights alone (join counts under non-free sampling: Moran 1948, J R Stat Soc B 10:243; Cliff & Ord 1981, Spatial Processes, ch. 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Weights:
    """Sums over the weights of a graph without loops, each a number or an array over distances.

    total: of w_ij; squares: of w_ij^2; returned: of w_ij w_ji; out2, in2, both: over cells of the squared sum of what leaves, of what comes,
    and of their product.
    """

    total: np.ndarray
    squares: np.ndarray
    returned: np.ndarray
    out2: np.ndarray
    in2: np.ndarray
    both: np.ndarray


def mutual(total: np.ndarray, squares: np.ndarray, degree2: np.ndarray) -> Weights:
    """The sums where w_ij = w_ji; `degree2` is the sum over cells of their squared weight."""
    return Weights(total, squares, squares, degree2, degree2, degree2)


def shuffled_moments(w: Weights, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (k, k, ...) of T_ab under shuffled types, of `counts` (k,) cells each; NaN below four cells.

    Of a = b both ends of a pair count, as they do in T_aa.
    """
    m = np.asarray(counts, float).reshape(-1, *[1] * np.ndim(w.total))
    n = float(np.sum(counts))
    if n < 4:
        nothing = np.full((len(m), len(m), *np.shape(w.total)), np.nan)
        return nothing, nothing.copy()
    a, b = m[:, None], m[None, :]
    n2, n3, n4 = n * (n - 1), n * (n - 1) * (n - 2), n * (n - 1) * (n - 2) * (n - 3)
    apart = w.total**2 + w.squares + w.returned - w.out2 - w.in2 - 2 * w.both  # two pairs without a common cell
    mean = w.total * a * b / n2
    second = (
        w.squares * a * b / n2
        + (w.out2 - w.squares) * a * b * (b - 1) / n3  # two pairs from one cell
        + (w.in2 - w.squares) * a * (a - 1) * b / n3  # two pairs to one cell
        + apart * a * (a - 1) * b * (b - 1) / n4
    )
    shared = w.out2 + w.in2 + 2 * w.both - 2 * w.squares - 2 * w.returned
    own_mean = w.total * m * (m - 1) / n2
    own = (w.squares + w.returned) * m * (m - 1) / n2 + shared * m * (m - 1) * (m - 2) / n3 + apart * m * (m - 1) * (m - 2) * (m - 3) / n4
    k = np.arange(len(m))
    mean[k, k], second[k, k] = own_mean, own
    return mean, np.maximum(second - mean**2, 0.0)


def shuffled_sum(total: np.ndarray, squares: np.ndarray, values: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of sum_j s_j v_j where the values v are shuffled among n cells.

    `total`, `squares` (...,): sums of s_j and s_j^2; `values` (2, levels): sums of v_j and v_j^2. Returns (..., levels) each.
    Source: Hoeffding 1951, Ann Math Stat 22:558, doi 10.1214/aoms/1177729545.
    """
    s, s2 = np.asarray(total, float)[..., None], np.asarray(squares, float)[..., None]
    v, v2 = np.asarray(values[0], float), np.asarray(values[1], float)
    mean = s * v / n
    variance = (s2 - s**2 / n) * (v2 - v**2 / n) / max(n - 1, 1)
    return mean, np.maximum(variance, 0.0)
