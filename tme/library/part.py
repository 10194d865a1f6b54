"""What every library entry is made of: numbers with unit, range, status and source, and parts that hold them.

In the files a number is written `{value: 5000, unit: um^2/min, range: [2000, 20000], source: "..."}`; an
entry's attributes are plain floats, and `entry.numbers["diffusion"]` keeps the rest. A key that no attribute reads is
an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from tme.core.parameters import STATUSES, range_of, status_of

ADDRESSES = ("name", "id", "target", "drug", "raises", "lowers", "adds_to", "field")  # keys whose text names an item of a list


class Number(BaseModel):
    """One number of the library; `source` is a DOI, author and year, or "assumed: why".

    `range` is its prior, `status` what stands behind it (`core.parameters.STATUSES`); left out, the source's first
    word tells.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    value: float = Field(allow_inf_nan=False)
    unit: str = Field(min_length=1)
    range: tuple[float, float] | None = None
    status: Literal[STATUSES]  # type: ignore[valid-type]
    source: str = Field(min_length=4)
    _limits: tuple[float, float] = PrivateAttr(default=(-math.inf, math.inf))  # of what may be written there

    @property
    def prior(self) -> tuple[float, float]:
        """The range in which the value is believed to lie: stated, or by rule (`core.parameters.range_of`)."""
        return self.range or range_of(self.value, self.status, self.source, *self._limits)

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if isinstance(data.get("range"), list):
            data["range"] = tuple(data["range"])
        if data.get("unit") == 1 and data["unit"] is not True:  # `unit: 1`, a pure number, reads as an integer
            data["unit"] = "1"
        if data.get("status") is None:
            data["status"] = status_of(str(data.get("source", "assumed")))
        return data

    @model_validator(mode="after")
    def _inside(self) -> Number:
        if self.range is not None and not all(map(math.isfinite, self.range)):
            raise KeyFault("range", f"is [{self.range[0]:g}, {self.range[1]:g}], not two finite numbers")
        if self.range is not None and not self.range[0] <= self.value <= self.range[1]:
            raise ValueError(
                f"value {self.value:g} lies outside its own range [{self.range[0]:g}, {self.range[1]:g}]"
            )
        return self

    @property
    def assumed(self) -> bool:
        """Whether nothing but plausibility stands behind the value."""
        return self.status == "assumed"


def at_key(key: str, text: str, value: Any) -> ValidationError:
    """An error of one key of a part."""
    problem = PydanticCustomError("value_error", "{text}", {"text": text})
    return ValidationError.from_exception_data("part", [{"type": problem, "loc": (key,), "input": value}])


def number_at(key: str, value: dict[str, Any]) -> Number:
    """The number under a key; its faults are those of the key."""
    try:
        return Number.model_validate(value)
    except ValidationError as error:
        inner: list[Any] = [{**e, "loc": (key, *e["loc"])} for e in error.errors(include_url=False)]
        raise ValidationError.from_exception_data("part", inner) from None


def quantity(unit: str, **limits: Any) -> Any:
    """Declare an attribute that is a number with a unit in the file and a float here."""
    default = limits.pop("default", ...)
    return Field(default, allow_inf_nan=False, json_schema_extra={"unit": unit}, **limits)


def limits_of(model: type[BaseModel], key: str) -> tuple[float, float]:
    """Least and greatest value that an attribute may have."""
    bounds = model.model_fields[key].metadata
    low = [float(b) for m in bounds for b in (getattr(m, "ge", None), getattr(m, "gt", None)) if b is not None]
    high = [float(b) for m in bounds for b in (getattr(m, "le", None), getattr(m, "lt", None)) if b is not None]
    return max(low, default=-math.inf), min(high, default=math.inf)


def address(item: Any) -> str:
    """What an item of a list is called: its name, id, target or drug, or a word that is true of it (`iron: true`)."""
    get = item.get if isinstance(item, dict) else lambda key: getattr(item, key, None)
    for word in map(get, ADDRESSES):
        if isinstance(word, str):
            return word.rpartition(".")[2]  # of a term its last word
    keys = item if isinstance(item, dict) else type(item).model_fields if isinstance(item, BaseModel) else ()
    return next((str(key) for key in keys if get(key) is True), "")


def labels(items: Iterable[Any]) -> list[str]:
    """What each item of a list is called: its address, or its place where that is not its own."""
    names = [address(item) for item in items]
    return [name if name and names.count(name) == 1 else str(k) for k, name in enumerate(names)]


class KeyFault(ValueError):
    """What is wrong with one key of a part, seen in the part as a whole."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key


class Part(BaseModel):
    """Base of entries and their parts: numbers unpacked, units checked, unread keys refused.

    `refers` says which keys name an entry of which kind, `words` which keys tell and change no result.
    """

    refers: ClassVar[dict[str, str]] = {}
    words: ClassVar[frozenset[str]] = frozenset({"about", "ids", "stage", "indication", "not_modelled", "source", "evidence"})
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    _numbers: dict[str, Number] = PrivateAttr(default_factory=dict)

    @classmethod
    def model_of(cls, raw: Any) -> type[Part]:
        """The class that an entry as written belongs to: this one, unless its kind has several."""
        return cls

    @classmethod
    def completed(cls, data: dict[str, Any]) -> dict[str, Any]:
        """An entry as written, with what it leaves to others of its keys."""
        return data

    @classmethod
    def unit_of(cls, key: str) -> str | None:
        """The declared unit of an attribute; None if it is no quantity."""
        extra = cls.model_fields[key].json_schema_extra if key in cls.model_fields else None
        unit = extra.get("unit") if isinstance(extra, dict) else None
        return unit if isinstance(unit, str) else None

    @model_validator(mode="wrap")
    @classmethod
    def _unpack(cls, data: Any, handler: Any) -> Any:
        if not isinstance(data, dict):
            return handler(data)
        data = cls.completed(data)
        numbers: dict[str, Number] = {}
        plain: dict[str, Any] = {}
        for key, value in data.items():
            unit = cls.unit_of(key)
            if unit is None:
                plain[key] = tuple(value) if isinstance(value, list) else value
                continue
            if not isinstance(value, dict):
                raise at_key(key, f"must be written {{value, unit: {unit}, source}}, not {value!r}", value)
            number = number_at(key, value)
            if unit != "*" and number.unit != unit:
                raise at_key(key, f"is given in '{number.unit}', expected '{unit}'", value)
            number._limits = limits_of(cls, key)
            numbers[key] = number
            plain[key] = float(number.value)
        entry = handler(plain)
        entry._numbers.update(numbers)
        return entry

    @property
    def numbers(self) -> dict[str, Number]:
        """Number (value as in the file, unit, range, status, source) of each attribute by the dotted key that configs use."""
        out = dict(self._numbers)
        for key in type(self).model_fields:
            value = getattr(self, key)
            parts = (
                zip(labels(value), value)
                if isinstance(value, tuple)
                else value.items()
                if isinstance(value, dict)
                else ()
            )
            if isinstance(value, Part):
                out.update({f"{key}.{k}": n for k, n in value.numbers.items()})
            for name, part in parts:
                if isinstance(part, Part):
                    out.update({f"{key}.{name}.{k}": n for k, n in part.numbers.items()})
                elif isinstance(part, Number):
                    out[f"{key}.{name}"] = part
                elif isinstance(part, dict):
                    out.update({f"{key}.{name}.{k}": n for k, n in part.items() if isinstance(n, Number)})
        return out

    def row(self) -> dict[str, Any]:
        """What `tme list` shows of an entry: everything that is a number or a word."""
        shown = {k: getattr(self, k) for k in type(self).model_fields}
        return {k: v for k, v in shown.items() if isinstance(v, (str, int, float)) and v != ""}

    def referred(self) -> Iterator[tuple[str, str, str]]:
        """(dotted key, kind, name) of every entry this one or a part of it names."""
        for key in type(self).model_fields:
            value = getattr(self, key)
            if key in self.refers:
                for name in (value,) if isinstance(value, str) else value or ():
                    yield key, self.refers[key], name
            parts = enumerate(value) if isinstance(value, tuple) else value.items() if isinstance(value, dict) else (("", value),)
            for place, part in parts:
                if isinstance(part, Part):
                    for k, kind, name in part.referred():
                        yield ".".join(str(x) for x in (key, place, k) if x != ""), kind, name

    def misfits(self, registry: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Iterable[str]]]:
        """(dotted key, problem, expected, known names) of what does not fit the parameters that mechanisms have
        (group -> name -> Parameter)."""
        yield from ()

    def taken_away(self) -> Iterator[tuple[str, str]]:
        """(key, target) of every receptor, ligand or factor that this agent takes away."""
        yield from ()

    def content(self) -> dict[str, Any]:
        """What can change a result, as plain data: no descriptions, no sources."""
        return {k: _content(getattr(self, k)) for k in type(self).model_fields if k not in self.words}


def _content(value: Any) -> Any:
    if isinstance(value, Number):
        return value.value
    if isinstance(value, Part):
        return value.content()
    if isinstance(value, dict):
        return {k: _content(v) for k, v in value.items()}
    return [_content(v) for v in value] if isinstance(value, (tuple, list)) else value
