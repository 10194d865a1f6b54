"""Which features predict an outcome, and does that exceed chance? Arrays in, plain numbers out (scikit-learn).

Features stand in columns of `x` (n patients, features), outcomes are yes or no (n,). What is told of an outcome is the area under the ROC
curve of a ridge logistic regression in repeated stratified cross-validation; its null is the same with the features shuffled among the
patients, all steps repeated. Standardisation is learnt within each training part. p values are adjusted by Holm among the outcomes, so that where
nothing predicts, the chance to report anything is at most `ALPHA`.

One feature with a threshold makes the rule. The feature is the one that ranks the outcomes best, and must exceed what the best of all
features shows when shuffled (Westfall and Young's single step). The rule is judged where it was not made: in each fold feature and
threshold are chosen anew on the other patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit
from scipy.stats import rankdata

SEED = 20261127
ALPHA = 0.05
FOLDS, REPEATS, SHUFFLES = 5, 3, 999
BATCH = 50  # tables fitted at once
FEWEST = 4  # patients on either side of an outcome: with fewer nothing is fitted
FEW = 10  # on the rarer side: below this an AUC is told with a warning
RIDGE = 0.1  # C of the logistic regression on standardised features: of one among twelve features it finds more than 1 does, at 40 and at 100 patients


@dataclass(frozen=True)
class Effort:
    """How much is computed: folds and repetitions of the cross-validation, shuffles of the null."""

    folds: int = FOLDS
    repeats: int = REPEATS
    shuffles: int = SHUFFLES


def aucs(ranks: np.ndarray, yes: np.ndarray) -> np.ndarray:
    """Chance that one that is `yes` (n,) has more of a feature than one that is not, ties counting half: (..., features) of ranks (..., n, features)."""
    n = int(yes.sum())
    return np.asarray((ranks[..., yes, :].sum(axis=-2) - n * (n + 1) / 2) / (n * (yes.size - n)))


# ---- cross-validation -------------------------------------------------------------------------------------------
def folds_of(yes: np.ndarray, effort: Effort) -> list[tuple[np.ndarray, np.ndarray]]:
    """(training, test) of each fold and repetition, both outcomes in each."""
    from sklearn.model_selection import RepeatedStratifiedKFold

    rarer = int(min(yes.sum(), yes.size - yes.sum()))
    splits = RepeatedStratifiedKFold(n_splits=min(effort.folds, rarer), n_repeats=effort.repeats, random_state=SEED)
    return list(splits.split(np.zeros(yes.size), yes))


def cross_validated(x: np.ndarray, yes: np.ndarray, effort: Effort) -> np.ndarray:
    """Mean AUC over all test parts, (tables,), for several tables (tables, n, features) of the same outcomes (n,)."""
    parts = [_auc_of_part(x[:, train], yes[train], x[:, test], yes[test]) for train, test in folds_of(yes, effort)]
    return np.asarray(np.mean(parts, axis=0))


def _auc_of_part(x: np.ndarray, yes: np.ndarray, new: np.ndarray, new_yes: np.ndarray) -> np.ndarray:
    middle, spread = x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
    spread = np.where(spread > 1e-12 * np.maximum(1.0, np.abs(middle)), spread, 1.0)
    weights = logistic((x - middle) / spread, yes)[:, 1:]
    score = np.einsum("bij,bj->bi", (new - middle) / spread, weights)
    above = score[:, new_yes, None] - score[:, None, ~new_yes]
    return ((above > 0) + 0.5 * (above == 0)).mean(axis=(1, 2))


def logistic(x: np.ndarray, yes: np.ndarray, steps: int = 25) -> np.ndarray:
    """Intercept and weights (tables, 1 + features) of ridge logistic regressions of `yes` (n,) on x (tables, n, features).

    The optimum of scikit-learn's LogisticRegression(C=RIDGE), by Newton's method for all tables at once: the null takes thousands of fits.
    """
    tables, n, d = x.shape
    design = np.concatenate([np.ones((tables, n, 1)), x], axis=2)
    pull = np.full(d + 1, 1.0 / RIDGE)
    pull[0] = 0.0
    beta = np.zeros((tables, d + 1))
    beta[:, 0] = np.log(yes.mean() / (1.0 - yes.mean()))
    for _ in range(steps):
        p = expit(np.einsum("bij,bj->bi", design, beta))
        gradient = np.einsum("bij,bi->bj", design, yes - p) - pull * beta
        weighted = design * (p * (1.0 - p))[:, :, None]
        curvature = np.matmul(weighted.transpose(0, 2, 1), design) + np.diag(pull + 1e-9)
        step = np.clip(np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0], -4.0, 4.0)
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            break
    return beta


# ---- one threshold ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Threshold:
    """A rule of one feature: `yes` above the threshold, or not above it."""

    feature: int
    value: float
    above: bool

    def of(self, x: np.ndarray) -> np.ndarray:
        """What it says of patients (n, features)."""
        return (x[:, self.feature] > self.value) == self.above


def best_threshold(x: np.ndarray, yes: np.ndarray, feature: int | None = None) -> Threshold:
    """The feature that ranks the outcomes best (or the one given), and the threshold where sensitivity + specificity is largest."""
    if feature is None:
        feature = int(np.argmax(np.abs(aucs(rankdata(x, axis=0), yes) - 0.5)))
    column = x[:, feature]
    values = np.unique(column)
    cuts = (values[1:] + values[:-1]) / 2 if values.size > 1 else values
    over = column[None, :] > cuts[:, None]
    gain = over[:, yes].mean(axis=1) - over[:, ~yes].mean(axis=1)
    k = int(np.argmax(np.abs(gain)))
    return Threshold(feature, float(cuts[k]), bool(gain[k] > 0))


def balanced(said: np.ndarray, yes: np.ndarray) -> float:
    """Mean of sensitivity and specificity; a coin has 0.5."""
    return float((said[yes].mean() + (~said[~yes]).mean()) / 2)


# ---- an outcome -----------------------------------------------------------------------------------------------------
def judged(x: np.ndarray, yes: np.ndarray, names: Sequence[str], effort: Effort) -> dict[str, Any]:
    """AUC with its null and unadjusted p, each feature's AUC with what the best of all shows by chance, and the rule of one feature."""
    count = {"yes": int(yes.sum()), "no": int(yes.size - yes.sum())}
    if min(count.values()) < FEWEST or not names:
        return {**count, "auc": None}
    rng = np.random.default_rng(SEED)
    orders = [rng.permutation(yes.size) for _ in range(effort.shuffles)]  # of the patients' features, which leaves the folds as they are
    found = float(cross_validated(x[None], yes, effort)[0])
    null = np.concatenate([cross_validated(x[np.stack(orders[k : k + BATCH])], yes, effort) for k in range(0, len(orders), BATCH)])
    ranks = rankdata(x, axis=0)
    each = aucs(ranks, yes)
    best = np.array([np.abs(aucs(ranks[o], yes) - 0.5).max() for o in orders])
    order = np.argsort(-np.abs(each - 0.5), kind="stable")
    chance = float(np.quantile(best, 1 - ALPHA))
    features = [{"feature": names[j], "auc": float(each[j]), "p": _p(best, abs(each[j] - 0.5)), "beyond_chance": bool(abs(each[j] - 0.5) > chance)} for j in order]
    rule = best_threshold(x, yes, int(order[0]))
    tested = [balanced(best_threshold(x[train], yes[train]).of(x[test]), yes[test]) for train, test in folds_of(yes, effort)]
    return {
        **count, "auc": found, "p": _p(null, found), "null_median": float(np.median(null)), "null_95": float(np.quantile(null, 1 - ALPHA)),
        "features": features, "chance": chance, "few": min(count.values()) < FEW,
        "rule": {"feature": names[rule.feature], "value": rule.value, "above": rule.above, "balanced": float(np.mean(tested)), "balanced_seen": balanced(rule.of(x), yes)},
    }  # fmt: skip


def _p(null: np.ndarray, found: float) -> float:
    """Share of shuffles that do as well, what was found counting as one of them: never 0, valid for any number of shuffles."""
    return float((1 + (null >= found - 1e-12).sum()) / (1 + null.size))


def outcomes_judged(x: np.ndarray, names: Sequence[str], outcomes: Mapping[str, np.ndarray], effort: Effort | None = None) -> dict[str, dict[str, Any]]:
    """Every outcome (name -> (n,) of 1, 0 and NaN for not known) judged on the features (n, features), with p after Holm among all
    that can be told, and `found`: whether it is at most ALPHA."""
    effort = effort or Effort()
    told: dict[str, dict[str, Any]] = {}
    for name, values in outcomes.items():
        known = np.isfinite(values) & np.isfinite(x).all(axis=1)
        varies = np.ptp(x[known], axis=0) > 0 if known.any() else np.zeros(x.shape[1], bool)
        told[name] = judged(x[np.ix_(known, varies)], values[known] > 0.5, [n for n, v in zip(names, varies) if v], effort)
    tested = [t for t in told.values() if t["auc"] is not None]
    adjusted = 0.0
    for k, t in enumerate(sorted(tested, key=lambda t: t["p"])):
        adjusted = max(adjusted, min(1.0, (len(tested) - k) * t["p"]))
        t["p_holm"], t["found"] = adjusted, adjusted <= ALPHA
    return told
