"""What choosing an arm by a biopsy would gain over giving everyone the arm that is best on average. Arrays in, plain numbers out.

`y` (n patients, arms) is what an arm leaves of the same patient's untreated tumour, `x` (n, features) the features. A rule gives one arm to
patients with more of one feature than a threshold, another to the rest; the one that leaves least on average is taken, and none
(one arm for all) where no rule leaves less. Its gain is told from patients it was not made from: in every fold, rule and best arm are chosen on the other
patients. The null is the same with the features shuffled among the patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tme.statistics import mean_interval
from tme.studies.biomarkers import ALPHA, SEED, Effort
from tme.studies.certainty import as_dict

FEWEST = 12  # patients: below this no rule is made
SIDE = 0.1  # share of the patients on the smaller side of a threshold, at least; and three of them


@dataclass(frozen=True)
class Choice:
    """Arm `over` for patients with more of a feature than the threshold, arm `under` for the rest; feature -1: one arm for all."""

    feature: int
    value: float
    over: int
    under: int

    def arms(self, x: np.ndarray) -> np.ndarray:
        """Arm (n,) for patients (n, features)."""
        if self.feature < 0:
            return np.full(len(x), self.over)
        return np.where(x[:, self.feature] > self.value, self.over, self.under)


def best_choice(x: np.ndarray, y: np.ndarray) -> Choice:
    """The rule that leaves least on average of these patients; of equals the first feature and the lowest threshold."""
    n, total = len(y), y.sum(axis=0)
    for_all = int(total.argmin())
    side = max(3, int(np.ceil(SIDE * n)))
    if n < 2 * side:
        return Choice(-1, np.nan, for_all, for_all)
    order = np.argsort(x, axis=0, kind="stable")
    column, below = np.take_along_axis(x, order, axis=0), np.cumsum(y[order], axis=0)[:-1]  # (n, features), (n - 1, features, arms)
    sums = below.min(axis=2) + (total - below).min(axis=2)
    cut = column[1:] > column[:-1]
    cut[: side - 1], cut[n - side :] = False, False
    feature, k = divmod(int(np.where(cut, sums, np.inf).T.argmin()), n - 1)
    if not (cut[k, feature] and sums[k, feature] < total.min() - 1e-9 * abs(total.min())):
        return Choice(-1, np.nan, for_all, for_all)
    value = float((column[k, feature] + column[k + 1, feature]) / 2)
    return Choice(feature, value, int((total - below[k, feature]).argmin()), int(below[k, feature].argmin()))


def folds_of(n: int, effort: Effort) -> list[tuple[np.ndarray, np.ndarray]]:
    """(training, test) of each fold and repetition."""
    from sklearn.model_selection import RepeatedKFold

    return list(RepeatedKFold(n_splits=min(effort.folds, n), n_repeats=effort.repeats, random_state=SEED).split(np.zeros(n)))


def held_out(x: np.ndarray, y: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """What each patient (n,) gains by rules made on others, mean of the repetitions: size under the best arm for all less that under the rule's."""
    gain, times = np.zeros(len(y)), np.zeros(len(y))
    for train, test in folds:
        rule, for_all = best_choice(x[train], y[train]), int(y[train].sum(axis=0).argmin())
        gain[test] += y[test, for_all] - y[test, rule.arms(x[test])]
        times[test] += 1
    return gain / times


def matched(x: np.ndarray, y: np.ndarray, names: Sequence[str], arms: Sequence[str], effort: Effort | None = None) -> dict[str, Any]:
    """The rule on all patients, what it gains on patients it was not made from (interval over patients, p by shuffles), and
    whether that exceeds chance; empty where there are too few patients or no feature varies."""
    effort = effort or Effort()
    ok = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    x, y = x[ok], y[ok]
    if len(y) < FEWEST or not x.size or not np.ptp(x, axis=0).any():
        return {}
    folds = folds_of(len(y), effort)
    gains = held_out(x, y, folds)
    rng = np.random.default_rng(SEED)
    null = np.array([held_out(x[rng.permutation(len(y))], y, folds).mean() for _ in range(effort.shuffles)])
    p = float((1 + (null >= gains.mean() - 1e-12).sum()) / (1 + null.size))
    rule = best_choice(x, y)
    told = {"feature": names[rule.feature], "value": rule.value, "above": True, "over": arms[rule.over], "under": arms[rule.under]} if rule.feature >= 0 else None
    return {
        "n": len(y), "gain": as_dict(mean_interval(gains)), "p": p, "found": bool(p <= ALPHA and gains.mean() > 0), "null_95": float(np.quantile(null, 1 - ALPHA)),
        "rule": told, "gain_seen": float(y.mean(axis=0).min() - y[np.arange(len(y)), rule.arms(x)].mean()), "possible": float(y.mean(axis=0).min() - y.min(axis=1).mean()),
    }  # fmt: skip
