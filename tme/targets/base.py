"""What a target is: a published result, the band the model should fall into, and a check that measures it.

A check returns an `Outcome`: the measured numbers, whatever they are, and each claim with its verdict. A
target passes if every claim holds; claims that do not are listed under `missed` with the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tme.targets.mutants import Mutant


@dataclass
class Outcome:
    """Measured `values`; `claims` by name, None where nothing could be measured; free `notes`."""

    values: dict[str, Any] = field(default_factory=dict)
    claims: Mapping[str, bool | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def missed(self) -> list[str]:
        """Claims that were measured and do not hold."""
        return [name for name, held in self.claims.items() if held is not None and not held]

    @property
    def passed(self) -> bool | None:
        """True if all claims hold, False if one does not, None if any could not be measured."""
        if self.missed:
            return False
        return None if not self.claims or None in self.claims.values() else True

    def value(self) -> dict[str, Any]:
        """Numbers, missed claims and notes, fit for JSON."""
        out = {k: plain(v) for k, v in self.values.items()}
        if self.missed:
            out["missed"] = self.missed
        if self.notes:
            out["notes"] = self.notes
        return out


@dataclass(frozen=True)
class Target:
    """One row of the target table.

    `source` names the DOI; `use` is "calibration" (a parameter was set on it) or "check"; `check` measures
    and its docstring says how. `mutant` takes away what a target of biology rests on; it must then miss.
    """

    id: str
    title: str
    band: str
    source: str
    use: str
    check: Callable[..., Outcome]
    mutant: Mutant | None = None

    @property
    def scored_as(self) -> str:
        """Where its score counts: "calibration" or "check"."""
        return "check" if self.use.startswith("check") else "calibration"

    def about(self) -> str:
        """What the check does, from its docstring."""
        return " ".join((self.check.__doc__ or "").split())


def plain(value: Any) -> Any:
    """A value JSON can hold: floats to four digits, NaN as null, infinities as words."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return float(f"{value:.4g}") if math.isfinite(value) else "beyond the range tried"
    return value


def within(value: float, low: float, high: float) -> bool:
    """low <= value <= high; NaN is outside."""
    return bool(low <= value <= high)
