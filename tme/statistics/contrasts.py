"""Contrasts of an experiment's primary question: how one is written, its effect in each set of paired replicates, and its answer.

    A < B, A > B                    ratio of paired geometric means, A over B, against 1
    A difference B < 0              mean paired difference A - B against a number (also >)
    bliss(C; A, B) > 0              excess of combination C over Bliss independence of A and B (also <, any number)
    hsa(C; A, B) > 0                excess of C over the better of A and B, the highest single agent
    loewe(C; A, B) > 0              excess of C over Loewe additivity; needs dose-response of A and B (`dose_response`)

A contrast is evaluated on a paired table: a mapping arm -> values (n,), or a data frame whose rows are seeds and whose
columns are arms. Effects are log ratios, differences or excesses in shares of the control; intervals are Student's t
over pairs. Sources: Bliss 1939, doi 10.1111/j.1744-7348.1939.tb06990.x; intersection-union test of the highest single
agent: Laska & Meisner 1989, Biometrics 45:1139; Holm 1979, Scand J Stat 6:65.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tme.statistics.estimate import FEWEST_FOR_P, LEVEL, Estimate, unknown
from tme.statistics.intervals import mean_interval
from tme.statistics.paired_tests import ExactTest, holm, wilcoxon
from tme.statistics.power import pairs_needed
from tme.statistics.synergy import bliss_excess, hsa_excess, hsa_of_pairs

GRAMMAR = "A < B, A > B, A difference B < 0, bliss(C; A, B) > 0, hsa(C; A, B) > 0 or loewe(C; A, B) > 0, where A, B, C are arms"
INDICES = ("bliss", "hsa", "loewe")
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.+-]*"
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RATIO = re.compile(rf"\s*({_NAME})\s*([<>])\s*({_NAME})\s*")
_DIFFERENCE = re.compile(rf"\s*({_NAME})\s+difference\s+({_NAME})\s*([<>])\s*({_NUMBER})\s*")
_INDEX = re.compile(rf"\s*([a-z]+)\s*\(\s*({_NAME})\s*;\s*({_NAME})\s*,\s*({_NAME})\s*\)\s*([<>])\s*({_NUMBER})\s*")


class ContrastError(ValueError):
    """A text is no contrast; the message says what is wrong, `expected` the grammar."""

    exit_code = 2
    expected = GRAMMAR


@dataclass(frozen=True)
class Contrast:
    """A statement about arms that a run can bear out or contradict.

    `kind`: ratio, difference, bliss, hsa or loewe. `arms`: A, B; of an index C, A, B. `above`: the statement says `>`.
    `bound`: what the effect is held against, on the natural scale (1 for a ratio).
    """

    text: str
    kind: str
    arms: tuple[str, ...]
    above: bool
    bound: float

    @property
    def needs_control(self) -> bool:
        """Whether effects are shares of a control arm."""
        return self.kind in INDICES

    @property
    def needs_doses(self) -> bool:
        """Whether a table of one dose per arm cannot answer it."""
        return self.kind == "loewe"

    @property
    def null(self) -> float:
        """The bound on the scale of `effects`: its logarithm for a ratio."""
        return math.log(self.bound) if self.kind == "ratio" else self.bound

    def natural(self, effect: Any) -> Any:
        """Effects on the scale on which they are told: the ratio itself instead of its logarithm."""
        return np.exp(effect) if self.kind == "ratio" else effect

    def effects(self, table: Any, control: str | None = None) -> np.ndarray:
        """Effect in each row of the table (n,): log(A/B), A - B, or the excess; NaN where it is not defined.

        A zero among the values of a ratio has no logarithm: it is read as half the least value above zero of the two
        arms (`zeros` counts them). KeyError for an arm that the table lacks, ValueError without the control an index needs.
        """
        values = [np.asarray(table[arm], float) for arm in self.arms]
        if self.kind == "ratio":
            return _log_ratio(*values)
        if self.kind == "difference":
            return values[0] - values[1]
        if self.needs_doses:
            raise ValueError(f"{self.text}: Loewe additivity needs the dose-response of {self.arms[1]} and {self.arms[2]}, not one dose each")
        if control is None:
            raise ValueError(f"{self.text}: needs the control arm")
        combined, a, b = values
        return (bliss_excess if self.kind == "bliss" else hsa_excess)(np.asarray(table[control], float), a, b, combined)

    def tested(self, table: Any, control: str | None = None) -> list[np.ndarray]:
        """What tests are made of, arrays (n,): the effects; of `hsa` the excess over each single agent, since its estimate is the lesser mean of the two."""
        if self.kind != "hsa":
            return [self.effects(table, control)]
        combined, a, b, untreated = (np.asarray(table[arm], float) for arm in (*self.arms, str(control)))
        untreated = np.where(untreated > 0, untreated, np.nan)
        return [(a - combined) / untreated, (b - combined) / untreated]

    def zeros(self, table: Any) -> int:
        """Values of a ratio that are zero and so have no logarithm; a pair of two zeros has no effect and is left out."""
        if self.kind != "ratio":
            return 0
        a, b = (np.asarray(table[arm], float) for arm in self.arms)
        used = np.isfinite(_log_ratio(a, b))
        return int(((a == 0) & used).sum() + ((b == 0) & used).sum())

    def stated_by(self, effects: Any) -> np.ndarray:
        """Whether each effect (any shape) lies on the side that the statement claims; False where it is NaN."""
        effects = np.asarray(effects, float)
        return effects > self.null if self.above else effects < self.null


def _log_ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    both = np.concatenate([a, b])
    positive = both[np.isfinite(both) & (both > 0)]
    if positive.size == 0:
        return np.full(a.shape, np.nan)
    half = positive.min() / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        out = np.log(np.where(a == 0, half, a)) - np.log(np.where(b == 0, half, b))
    return np.where((a == 0) & (b == 0), np.nan, out)


def parse(text: str) -> Contrast:
    """Read a contrast; ContrastError where the text is none."""
    if found := _INDEX.fullmatch(text):
        index, combined, a, b, sign, bound = found.groups()
        if index not in INDICES:
            raise ContrastError(f"'{text}' names the index '{index}', which does not exist")
        return _checked(text, Contrast(f"{index}({combined}; {a}, {b}) {sign} {float(bound):g}", index, (combined, a, b), sign == ">", float(bound)))
    if found := _DIFFERENCE.fullmatch(text):
        a, b, sign, bound = found.groups()
        return _checked(text, Contrast(f"{a} difference {b} {sign} {float(bound):g}", "difference", (a, b), sign == ">", float(bound)))
    if found := _RATIO.fullmatch(text):
        a, sign, b = found.groups()
        return _checked(text, Contrast(f"{a} {sign} {b}", "ratio", (a, b), sign == ">", 1.0))
    raise ContrastError(f"'{text}' is no contrast")


def _checked(text: str, contrast: Contrast) -> Contrast:
    if len(set(contrast.arms)) < len(contrast.arms):
        raise ContrastError(f"'{text}' compares an arm with itself")
    return contrast


@dataclass(frozen=True)
class Answer:
    """What a run says to one contrast.

    `estimate`: on the natural scale (a ratio of geometric means, a difference, an excess), with interval and unadjusted
    two-sided p against the bound. `p_adjusted`: after Holm among the contrasts of the question. `exact`: Wilcoxon's
    signed-rank test of the same effects, with the least p that so many pairs can give. `needed`: pairs for which an
    effect as observed would pass Holm's strictest step in 80 % of experiments, None where the spread is not known or the effect is nil.
    `verdict`: "holds", "contradicted", or "open". `note`: what a reader must know of this number, or "".
    """

    contrast: Contrast
    estimate: Estimate
    p_adjusted: float
    exact: ExactTest
    needed: int | None
    verdict: str
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the statement may be claimed: the effect lies on its side and the adjusted p is below 5 %."""
        return self.verdict == "holds"

    def row(self) -> dict[str, Any]:
        """The answer as a flat row."""
        e = self.estimate
        return {
            "contrast": self.contrast.text, "measure": MEASURES[self.contrast.kind], "n": e.n, "value": e.value,
            "low": e.low, "high": e.high, "null": self.contrast.bound, "p": e.p, "p_holm": self.p_adjusted,
            "p_wilcoxon": self.exact.p, "p_least": self.exact.least, "pairs_needed": self.needed, "verdict": self.verdict,
            "note": self.note,
        }  # fmt: skip


MEASURES = {
    "ratio": "ratio of geometric means",
    "difference": "difference of means",
    "bliss": "excess over Bliss, share of control",
    "hsa": "excess over the better single agent, share of control",
    "loewe": "excess over Loewe, share of control",
}


def estimate(contrast: Contrast, table: Any, control: str | None = None, level: float = LEVEL) -> Estimate:
    """The contrast on the natural scale with its t interval over pairs and its two-sided p; below three pairs without p."""
    if contrast.kind == "hsa":
        if control is None:
            raise ValueError(f"{contrast.text}: needs the control arm")
        combined, a, b = (np.asarray(table[arm], float) for arm in contrast.arms)
        found = hsa_of_pairs(np.asarray(table[control], float), a, b, combined, null=contrast.bound, level=level)
    else:
        found = mean_interval(contrast.effects(table, control), null=contrast.null, level=level)
    return told(contrast, found)


def told(contrast: Contrast, found: Estimate) -> Estimate:
    """An estimate on the scale of `effects` as it is told: on the natural scale, and without p below three pairs."""
    value, low, high = (float(contrast.natural(x)) for x in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.n, found.p if found.n >= FEWEST_FOR_P else float("nan"), contrast.bound)


def evaluate(contrast: Contrast | str, table: Any, control: str | None = None, level: float = LEVEL) -> Answer:
    """The answer to one contrast alone: its p stands unadjusted."""
    return evaluate_all([contrast], table, control, level)[0]


def evaluate_all(
    contrasts: Iterable[Contrast | str],
    table: Mapping[str, Any] | Any,
    control: str | None = None,
    level: float = LEVEL,
    given: Mapping[str, tuple[Estimate, Any]] | None = None,
    family: int | None = None,
) -> list[Answer]:
    """Answers to the contrasts of one question, p adjusted by Holm among them.

    `family`: how many contrasts Holm will run over in the end, where these are only some of them (a sweep); it decides how many pairs are needed. `given`: contrast text -> (estimate on the natural scale, effects (n,)), for those that the table cannot answer (Loewe).
    A contrast that can be answered neither way has no estimate and a note that says why.
    """
    answers = []
    asked = [parse(c) if isinstance(c, str) else c for c in contrasts]
    strictest = 1 - (1 - level) / max(family or len(asked), 1)  # what Holm asks of the least p of them
    for contrast in asked:
        if given and contrast.text in given:
            found, effects = given[contrast.text]
            answers.append(_answer(contrast, found, [np.asarray(effects, float)], strictest))
        elif contrast.needs_doses:
            note = f"needs dose-response of {contrast.arms[1]} and {contrast.arms[2]}: a sweep over at least three doses of each"
            answers.append(Answer(contrast, unknown(null=contrast.bound), math.nan, ExactTest(math.nan, 0, 1.0), None, "open", note))
        else:
            found = estimate(contrast, table, control, level)
            zeros = contrast.zeros(table)
            note = f"{zeros} value{'s are' if zeros > 1 else ' is'} 0 and read as half the least above 0" if zeros else ""
            answers.append(_answer(contrast, found, contrast.tested(table, control), strictest, note))
    return adjusted(answers, level)


def _exact(parts: Sequence[np.ndarray], null: float) -> ExactTest:
    """Wilcoxon's test of effects sorted by their mean; of two as `hsa_of_pairs` does: above the null both must pass, below it either may."""
    each = [wilcoxon(x, np.full(x.shape, null)) for x in parts]
    if len(parts) == 1 or not parts[0].size:
        return each[0]
    if parts[0].mean() > null:
        return max(each, key=lambda e: e.p)
    least = min((e for e, x in zip(each, parts) if x.mean() <= null), key=lambda e: e.p)
    return replace(least, p=min(1.0, 2 * least.p))


def adjusted(answers: Sequence[Answer], level: float = LEVEL) -> list[Answer]:
    """The answers with p after Holm among all of them, and the verdict that follows from it."""
    p = holm([a.estimate.p for a in answers])
    out = []
    for answer, adjusted_p in zip(answers, p):
        e, above = answer.estimate, answer.contrast.above
        side = e.value > e.null if above else e.value < e.null
        verdict = "open" if not adjusted_p < 1 - level else "holds" if side else "contradicted"
        out.append(replace(answer, p_adjusted=float(adjusted_p), verdict=verdict))
    return out


def _answer(contrast: Contrast, found: Estimate, effects: Sequence[np.ndarray], level: float, note: str = "") -> Answer:
    """`effects`: what is tested; of several, such as the excess over each single agent, the least on average decides."""
    whole = np.isfinite(effects).all(axis=0)
    parts = sorted((e[whole] for e in effects), key=lambda e: e.mean() if e.size else 0.0)
    seen = parts[0]
    few = found.n < FEWEST_FOR_P
    notes = [note, f"{found.n} pair{'s' * (found.n != 1)} can bear no test" if few else ""]
    exact = _exact(parts, contrast.null)
    needed = pairs_needed(seen, contrast.null, level=level)
    return Answer(contrast, found, math.nan, exact, needed, "open", "; ".join(n for n in notes if n))
