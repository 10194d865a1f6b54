"""From a marker's values to what they do to cells: scaled, by rank, or gated (`initial.traits`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tme.config.errors import nearest

OTSU_BINS = 256


class MarkerFault(ValueError):
    """A column cannot be what its rule says; `rows` are the cells, counted from 0, that show it."""

    def __init__(self, problem: str, expected: str = "", meant: str = "", rows: np.ndarray | None = None) -> None:
        super().__init__(problem)
        self.problem, self.expected, self.meant = problem, expected, meant
        self.rows = np.zeros(0, np.int64) if rows is None else rows


def factors(rule: Any, values: np.ndarray) -> np.ndarray:
    """Factor, or level where the rule is absolute, of each cell, (n,) float64. MarkerFault.

        >>> from tme.config.start import Measured
        >>> factors(Measured(trait="xct", by="rank", max_fold=4), np.array([1.0, 900.0, 7.0])).round(3).tolist()
        [0.25, 4.0, 1.0]
        >>> factors(Measured(trait="xct", by="gated", gate=5.0, high=2.0, low=0.5), np.array([1.0, 900.0, 7.0])).tolist()
        [0.5, 2.0, 2.0]
    """
    if rule.by == "gated":
        return np.where(positive(rule.gate, values), rule.high, rule.low).astype(float)
    number = numbers(values, least=-np.inf if rule.by == "rank" else 0.0)
    if rule.by == "rank":
        return by_rank(number, rule.max_fold)
    if rule.absolute:
        return number
    centre = np.median(number) if len(number) else 0.0
    if centre <= 0.0:
        return np.ones(len(number))
    with np.errstate(divide="ignore"):
        return np.clip(number / centre, 1.0 / rule.max_fold, rule.max_fold) ** rule.power


def numbers(values: np.ndarray, least: float) -> np.ndarray:
    """The values as float64; MarkerFault where one is no number, or below `least`."""
    out = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(float, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(out) | (out < least))
    if len(bad):
        first = values[bad[0]]
        shown = "nothing" if first is None or first != first or first == "" else repr(first.item() if hasattr(first, "item") else first)
        raise MarkerFault(f"holds {shown}", "numbers" if least < 0 else "numbers from 0 on", rows=bad)
    return out


def by_rank(values: np.ndarray, max_fold: float) -> np.ndarray:
    """From 1/max_fold for the lowest to max_fold for the highest, evenly on a log scale; ties share their mean rank."""
    n = len(values)
    from scipy.stats import rankdata  # its import takes a quarter of a second, which no other config should

    share = (rankdata(values) - 1.0) / (n - 1.0) if n > 1 else np.full(n, 0.5)
    return np.exp(np.log(max_fold) * (2.0 * share - 1.0))


def positive(gate: Any, values: np.ndarray) -> np.ndarray:
    """Which cells are on the high side of a gate, (n,) bool."""
    if isinstance(gate, tuple):
        there = sorted({str(v) for v in values})
        for name in gate:
            if name not in there:
                raise MarkerFault(f"no tumour cell has {name!r}", "values of that column", nearest(name, there))
        return np.isin(np.array([str(v) for v in values], object), gate)
    number = numbers(values, least=-np.inf)
    return number >= (otsu(number) if gate == "otsu" else gate)


def otsu(values: np.ndarray) -> float:
    """The threshold between two classes with the largest variance between them, of the logs where no value is negative.

    N. Otsu, IEEE Transactions on Systems, Man, and Cybernetics 9:62 (1979), doi 10.1109/TSMC.1979.4310076; bins of equal width.
    """
    logs = values.min(initial=0.0) >= 0.0
    scale = float(values.mean()) if logs and len(values) and values.max() > 0.0 else 1.0
    x = np.log1p(values / scale) if logs else values
    low, high = (float(x.min()), float(x.max())) if len(x) else (0.0, 0.0)
    if high <= low:
        raise MarkerFault("has one value only", "two groups of cells, or a gate of your own")
    count, edges = np.histogram(x, OTSU_BINS, (low, high))
    middle = 0.5 * (edges[1:] + edges[:-1])
    weight, total = np.cumsum(count)[:-1], np.cumsum(count * middle)
    rest = len(x) - weight
    between = weight * rest * (total[:-1] / weight - (total[-1] - total[:-1]) / rest) ** 2  # the ends hold a value each, so none is empty
    at = float(edges[1 + int(np.argmax(between))])
    return float(np.expm1(at) * scale) if logs else at
