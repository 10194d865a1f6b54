"""What every section of a config is made of: the strict base model, and numbers, days and points."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def as_tuple(value: Any) -> Any:
    """A list of YAML as a tuple."""
    return tuple(value) if isinstance(value, list) else value


def one_or_more(value: Any) -> Any:
    """A single number where a list is meant, as in `day: 0`."""
    return (value,) if isinstance(value, (int, float)) and not isinstance(value, bool) else as_tuple(value)


def whole(value: Any) -> Any:
    """4e3 is a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Num = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Whole = BeforeValidator(whole)
Count = Annotated[int, Whole, Field(ge=1)]
Days = Annotated[tuple[Num, ...], BeforeValidator(one_or_more), Field(min_length=1)]
Point = Annotated[tuple[NotNegative, ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=3)]


def many(item: Any) -> Any:
    """The type of a list of items; an empty key is an empty list."""
    return Annotated[tuple[item, ...], BeforeValidator(lambda v: () if v is None else as_tuple(v))]


class Model(BaseModel):
    """Base of every section."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
