"""The primary question of an experiment: a readout at a day with its contrasts, answered from the arms' values.

Holm's adjustment runs among the contrasts of the question and over nothing else; whatever else is compared in a run is
exploratory, and its p values control the share of false discoveries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tme.statistics.arms import control_arm
from tme.statistics.contrasts import Answer, Contrast, ContrastError, evaluate_all, parse
from tme.statistics.estimate import LEVEL
from tme.statistics.sentences import answer_line, smallness, verdict_line

READOUT = "tumour_alive"


@dataclass(frozen=True)
class Question:
    """What an experiment asks first: `readout` on `day` (None: the end), `contrasts`, and the control arm."""

    readout: str
    day: float | None
    contrasts: tuple[Contrast, ...]
    control: str | None

    def arms(self) -> tuple[str, ...]:
        """Arms that the contrasts need, the control of an index included."""
        named = [a for c in self.contrasts for a in (*c.arms, *((self.control,) if c.needs_control and self.control else ()))]
        return tuple(dict.fromkeys(named))


def question_of(config: Mapping[str, Any]) -> Question | None:
    """The question of a config as plain data (a resolved config); None where it states none."""
    said = config.get("primary")
    if not said:
        return None
    day = said.get("day", config.get("horizon_day"))
    contrasts = tuple(parse(str(c)) for c in said.get("contrasts") or ())
    return Question(str(said.get("readout") or READOUT), None if day is None else float(day), contrasts, control_arm(config.get("arms") or {}))


def faults_of(texts: Sequence[str], arms: Mapping[str, Any]) -> list[tuple[int, str, str, str]]:
    """What is wrong with contrasts of these arms: (which, problem, what was expected, the arm that does not exist or "")."""
    found: list[tuple[int, str, str, str]] = []
    seen: set[str] = set()
    for i, text in enumerate(texts):
        try:
            contrast = parse(text)
        except ContrastError as error:
            found.append((i, str(error), error.expected, ""))
            continue
        unknown = [arm for arm in contrast.arms if arm not in arms]
        found += [(i, "", "", arm) for arm in unknown]
        if not unknown and contrast.needs_control:
            control = control_arm(arms)
            if control is None:
                found.append((i, f"{contrast.kind} needs an untreated arm, and all are treated", "an arm `control: {}`", ""))
            elif control in contrast.arms:
                found.append((i, f"{contrast.kind} takes the control, '{control}', as one of its treatments", "three treated arms", ""))
        if contrast.text in seen:
            found.append((i, f"asks '{contrast.text}' twice", "each contrast once", ""))
        seen.add(contrast.text)
    return found


@dataclass(frozen=True)
class Answered:
    """The question with its answers. `day` is the day that was read: earlier than asked where simulations stopped early.

    `late`: the question was put or changed after the first simulations had been made. `family`: over how many contrasts Holm ran, where there are
    more than these (the points of a sweep).
    """

    question: Question
    day: float
    answers: tuple[Answer, ...]
    late: bool = False
    family: int = 0

    @property
    def n(self) -> int:
        """Fewest pairs behind an answer that has any."""
        return min((a.estimate.n for a in self.answers if a.estimate.n), default=0)

    def title(self) -> str:
        """What was asked, in one line."""
        return f"Primary question: {self.question.readout} on day {self.day:g}; {verdict_line(self.answers)} (Holm among {self._among()})"

    def _among(self) -> str:
        return f"the {self.family} of all points" if self.family > len(self.answers) else "them"

    def cautions(self) -> list[str]:
        """What a reader must know before believing the answers."""
        asked = self.question.day
        early = asked is not None and self.day < asked - 1e-6
        moved = f"Asked of day {asked:g}; read on day {self.day:g}, the last that all simulations recorded." if early else ""
        after = "The question was put or changed after simulations of this run had begun: read the answers as exploratory." if self.late else ""
        return [text for text in (moved, after, smallness(self.n)) if text]

    def lines(self) -> list[str]:
        """The whole answer as text, one line each."""
        return [self.title(), *(f"  {answer_line(a)}" for a in self.answers), *(f"  {c}" for c in self.cautions())]

    def rows(self) -> list[dict[str, Any]]:
        """One flat row per contrast."""
        return [{"readout": self.question.readout, "day": self.day, **a.row()} for a in self.answers]


def answer(
    question: Question,
    values: Mapping[str, Mapping[int, float]],
    day: float,
    given: Mapping[str, tuple[Any, Any]] | None = None,
    level: float = LEVEL,
    family: int | None = None,
) -> Answered:
    """Answer the question from arm -> replicate -> value on that day; arms are paired by replicate.

    An arm without values leaves its contrasts without pairs. `given` and `family` as in `evaluate_all` (a sweep).
    """
    answers = evaluate_all(question.contrasts, paired(values, question.arms()), question.control, level, given, family)
    return Answered(question, float(day), tuple(answers), family=family or 0)


def paired(values: Mapping[str, Mapping[int, float]], arms: Sequence[str]) -> dict[str, np.ndarray]:
    """Arm -> values (n,) over all replicates of the arms named, NaN where an arm lacks one."""
    replicates = sorted({r for a in arms for r in values.get(a, {})})
    return {a: np.array([values.get(a, {}).get(r, np.nan) for r in replicates], float) for a in arms}


def asked_later(provenance: Mapping[str, Any], primary: Any) -> bool:
    """Whether the question was put, or changed, after simulations of the run had begun: invocations record what they asked."""
    first: Mapping[str, Any] = next(iter(provenance.get("invocations") or ()), {})
    return bool(primary) and "primary" in first and first["primary"] != primary


def marked(found: Answered, late: bool) -> Answered:
    """The same answers, marked as put after the fact where that is so."""
    return replace(found, late=late)
