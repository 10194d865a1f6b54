"""Parameters as data: each has a value, a unit, bounds and a source, and is handed to kernels as a tuple.

A mechanism declares a `ParameterSet` beside its laws. The config may override any value by name; the set
checks bounds, coerces integers to floats (numba would otherwise compile a second version) and returns a
NamedTuple of scalars that a kernel can take.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """One number of the model.

    `source` is a reference (DOI, author and year), "calibrated: on what", or "assumed: why".
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    source: str
    about: str = ""

    @property
    def assumed(self) -> bool:
        """Whether nothing but plausibility stands behind the value."""
        return self.source.startswith("assumed")


def par(name: str, value: float, unit: str, low: float, high: float, source: str, about: str = "") -> Parameter:
    """Declare a parameter; the default must lie within its own bounds."""
    if not low <= value <= high:
        raise ValueError(f"default of {name} = {value} is outside [{low}, {high}]")
    if not source:
        raise ValueError(f"parameter {name} has no source")
    return Parameter(name, float(value), unit, float(low), float(high), source, about)


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
