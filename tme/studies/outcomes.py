"""What a study looks at: the contrasts of the primary question, and readouts of arms; their values in each simulated pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tme.statistics import Question, question_of
from tme.statistics.arms import control_arm
from tme.statistics.contrasts import Contrast, parse
from tme.statistics.question import READOUT
from tme.studies.study import Results

MEASURES = {"ratio": "log ratio", "difference": "difference", "bliss": "excess", "hsa": "excess"}


def question(config: Any) -> Question:
    """The primary question; where a config states none, what its arms suggest: combinations against what they combine, else
    every arm against the control."""
    data = config.to_dict()
    return question_of(data) or Question(READOUT, float(config.horizon_day), tuple(parse(t) for t in suggested(data.get("arms") or {})), control_arm(data.get("arms") or {}))


def suggested(arms: dict[str, Any]) -> list[str]:
    """Contrasts that the arms suggest."""
    control, out = control_arm(arms), []
    for arm, therapy in arms.items():
        parts = (therapy or {}).get("use") or []
        if len(parts) > 1:
            out += [f"{arm} < {control}"] * (control is not None) + [f"{arm} < {part}" for part in parts]
            if len(parts) == 2 and control is not None:
                out.append(f"bliss({arm}; {parts[0]}, {parts[1]}) > 0")
    return out or [f"{arm} < {control}" for arm in arms if control is not None and arm != control]


@dataclass(frozen=True)
class Outcome:
    """One number of a simulated pair: a contrast's effect, or a readout of an arm on a day."""

    name: str
    readout: str
    day: float
    contrast: Contrast | None = None
    arm: str = ""

    @property
    def measure(self) -> str:
        """In what it is told."""
        return MEASURES[self.contrast.kind] if self.contrast is not None else "value"

    def values(self, results: Results, control: str | None, points: Any = None) -> pd.Series:
        """The outcome of each point and seed; NaN where simulations did not reach the day."""
        table = results.table(self.readout, self.day, points)
        found = table[self.arm] if self.contrast is None else self.contrast.effects(table, control)
        return pd.Series(np.asarray(found, float), index=table.index, name=self.name)


def contrasts_of(config: Any) -> list[Outcome]:
    """The contrasts of the question that simulations of single doses can answer."""
    asked = question(config)
    day = float(config.horizon_day) if asked.day is None else float(asked.day)
    return [Outcome(c.text, asked.readout, day, c) for c in asked.contrasts if not c.needs_doses]


def readouts_of_arms(config: Any, readouts: Any, day: float) -> list[Outcome]:
    """Readouts of every arm on a day."""
    return [Outcome(f"{readout} of {arm}", readout, day, None, arm) for readout in readouts for arm in config.arms]
