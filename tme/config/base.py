"""What the sections of the schema share: names, types of numbers, and the strict frozen model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tme.library.alterations import CELL_TRAITS, TRAITS

CELL_UM3 = 2494.0  # volume of a tumour cell (Ghaffarizadeh et al. 2018, doi 10.1371/journal.pcbi.1005991)
RELAXING = TRAITS[:5]  # vary within a clone; a daughter keeps `division.memory` of her mother's deviation
STATES = ("ifng_response", "cysteine", "gsh", "gpx4", "coq10h2", "lip", "ferritin", "pufa", "plooh", "pdl1", "mhc1")
REFERENCE = "reference"  # cells of no clone
TraitName = Literal[TRAITS]  # type: ignore[valid-type]
CloneName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
CellTrait = Literal[CELL_TRAITS]  # type: ignore[valid-type]
StateName = Literal[STATES]  # type: ignore[valid-type]
WORD = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"


def as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def one_or_more(value: Any) -> Any:
    """A single number where a list is meant, as in `day: 0`."""
    return (value,) if isinstance(value, (int, float)) and not isinstance(value, bool) else as_tuple(value)


def as_whole(value: Any) -> Any:
    """4e3 is a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def empty(value: Any) -> Any:
    """A key without a value is an empty mapping."""
    return {} if value is None else value


def per_axis(value: Any) -> Any:
    """One word for all axes."""
    return dict.fromkeys("xyz", value) if isinstance(value, str) else value


def closed() -> dict[Literal["x", "y", "z"], Literal["no_flux", "periodic", "fixed"]]:
    return {"x": "no_flux", "y": "no_flux", "z": "no_flux"}


Num = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Whole = BeforeValidator(as_whole)
Count = Annotated[int, Whole, Field(ge=1)]
Point = Annotated[tuple[NotNegative, ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=3)]
Days = Annotated[tuple[Num, ...], BeforeValidator(one_or_more), Field(min_length=1)]


def many(item: Any) -> Any:
    """The type of a list of items; an empty key is an empty list."""
    return Annotated[tuple[item, ...], BeforeValidator(lambda v: () if v is None else as_tuple(v))]


def present(value: Any) -> Any:
    """A mapping without the keys that are set to null."""
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else empty(value)


class Model(BaseModel):
    """Base of every section."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
