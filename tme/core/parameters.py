"""Parameters as data: each has a value, a unit, bounds and a source, and is handed to kernels as a tuple.

A mechanism declares a `ParameterSet` beside its laws. The config may override any value by name; the set
checks bounds, coerces integers to floats (numba would otherwise compile a second version) and returns a
NamedTuple of scalars that a kernel can take.
"""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATUSES = ("measured", "derived", "tuned", "chosen", "assumed")
_FIRST_WORDS = {
    "assumed": "assumed", "calibrated": "tuned", "tuned": "tuned", "chosen": "chosen", "set": "chosen",
    "definition": "derived", "derived": "derived", "computed": "derived", "molecular": "derived", "atomic": "derived",
    "molar": "derived",
}  # fmt: skip


def status_of(source: str) -> str:
    """What stands behind a number whose status is not stated, by the first word of its source.

    measured: the source gives it; derived: computed from sources; tuned: moved to meet a named target; chosen: by
    us, for a stated reason; assumed: a plausible range only.
    """
    return _FIRST_WORDS.get(source.replace(":", " ").split(" ")[0].lower(), "measured")


FOLD = {"measured": 1.5, "derived": 1.25, "tuned": 1.5, "chosen": 1.0, "assumed": 2.0}
EXACT = ("definition", "molecular", "atomic", "molar")  # first words of sources that leave no doubt


def range_of(value: float, status: str, source: str, low: float = -math.inf, high: float = math.inf) -> tuple[float, float]:
    """The range of a number that states none, by what stands behind it: a factor of `FOLD` either way, within low and high.

    What is exact by definition and what was chosen has none; a 0 stays 0.
    """
    fold = 1.0 if source.replace(":", " ").split(" ")[0].lower() in EXACT else FOLD[status]
    ends = sorted((value / fold, value * fold))
    return max(ends[0], min(low, value)), min(ends[1], max(high, value))


@dataclass(frozen=True)
class Parameter:
    """One number of the model.

    `source` is a reference (DOI, author and year), "calibrated: on what", or "assumed: why"; `status` one of
    STATUSES.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    source: str
    about: str = ""
    status: str = "assumed"
    stated: tuple[float, float] | None = None

    @property
    def range(self) -> tuple[float, float]:
        """The range in which the value is believed to lie (its prior): stated, or by rule (`range_of`)."""
        return self.stated or range_of(self.value, self.status, self.source, self.low, self.high)

    @property
    def assumed(self) -> bool:
        """Whether nothing but plausibility stands behind the value."""
        return self.status == "assumed"


def par(name: str, value: float, unit: str, low: float, high: float, source: str, about: str = "", status: str = "",
        range: tuple[float, float] | None = None) -> Parameter:  # as in the library's files
    """Declare a parameter; the default must lie within its own bounds and range. Without `status` the source tells it."""
    if not low <= value <= high:
        raise ValueError(f"default of {name} = {value} is outside [{low}, {high}]")
    if not source:
        raise ValueError(f"parameter {name} has no source")
    status = status or status_of(source)
    if status not in STATUSES:
        raise ValueError(f"parameter {name} has the status {status!r}; expected one of {', '.join(STATUSES)}")
    if range is not None and not low <= range[0] <= value <= range[1] <= high:
        raise ValueError(f"parameter {name}: the range {range} does not hold its value {value} or leaves its bounds")
    return Parameter(name, float(value), unit, float(low), float(high), source, about, status, range)


def _tuple_type(name: str, fields: tuple[str, ...]) -> Any:
    """The NamedTuple class of a group, one per name and fields, kept in this module.

    Compiled kernels are cached by the type of their arguments, and another process finds a type again only
    where pickle can: under its name in a module.
    """
    known = globals().get(name)
    if known is not None and known._fields == fields:
        return known
    made = namedtuple(name, fields, module=__name__)  # type: ignore[misc]  # fields known at run time only
    globals().setdefault(name, made)
    return made


class ParameterSet:
    """The parameters of one mechanism, in declaration order."""

    def __init__(self, group: str, *parameters: Parameter) -> None:
        names = [p.name for p in parameters]
        if len(set(names)) != len(names):
            raise ValueError(f"duplicate parameter in {group}")
        self.group = group
        self.parameters = {p.name: p for p in parameters}
        self.type: Any = _tuple_type(f"{group}_parameters", tuple(names))

    def __iter__(self):
        return iter(self.parameters.values())

    def __len__(self) -> int:
        return len(self.parameters)

    def __contains__(self, name: str) -> bool:
        return name in self.parameters

    def build(self, overrides: Mapping[str, float] | None = None) -> Any:
        """Return the NamedTuple of float values, with `overrides` applied. KeyError or ValueError if wrong."""
        values = {n: p.value for n, p in self.parameters.items()}
        for name, value in (overrides or {}).items():
            if name not in values:
                raise KeyError(f"{self.group}.{name}")
            p = self.parameters[name]
            if not p.low <= float(value) <= p.high:
                raise ValueError(f"{self.group}.{name} = {value} is outside [{p.low:g}, {p.high:g}] {p.unit}")
            values[name] = float(value)
        return self.type(**values)
