"""The schema of `initial:`: where cells are at the start, what was measured of them, and which regions differ."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tme.config.base import (
    CellTrait,
    Count,
    Model,
    NotNegative,
    Num,
    Positive,
    Share,
    StateName,
    Whole,
    as_tuple,
    empty,
)

Corner = Annotated[tuple[NotNegative, ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=3)]
UNITS_UM = {"um": 1.0, "mm": 1000.0, "nm": 0.001}
Kept = Annotated[bool | Share | None, Field()]  # true: wholly; a number: as much of it; false: as `division.memory` says


class Nodule(Model):
    """A compact disc (2D) or ball (3D) of tumour cells."""

    kind: Literal["nodule"]
    n_cells: Count
    centre_um: Corner | None = None


class Spheroid(Model):
    """A ball of tumour cells in culture, without vessels or immune cells unless the config says so."""

    kind: Literal["spheroid"]
    n_cells: Count
    centre_um: Corner | None = None


class Monolayer(Model):
    """Tumour cells all over the domain, a share of the voxels."""

    kind: Literal["monolayer"]
    occupancy: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0


def as_gate(value: Any) -> Any:
    """A number, otsu, or a list of names."""
    names = value if isinstance(value, (list, tuple)) else ()
    if is_finite(value) or value in (None, "otsu") or (names and all(isinstance(n, str) for n in names)):
        return as_tuple(value)
    raise ValueError(f"is {value!r}; expected a number, otsu, or a list of names")


def is_finite(value: Any) -> bool:
    """Whether it is a finite number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


Gate = Annotated[Any, BeforeValidator(as_gate)]


class Measured(Model):
    """How a measured column sets a trait or the start of a state: the factor of a cell, from its value.

    `scaled`: (value / median)^power, at most `max_fold` either way. `rank`: from 1 / max_fold for the lowest to max_fold
    for the highest, evenly on a log scale, whatever the unit. `gated`: `high` for cells from `gate` on (a number; otsu: the
    threshold that splits the logs of the column best; a list: cells whose text is in it), `low` for the others.
    A trait is multiplied by the factor; so is a state's steady level, from which the chemistry goes on. With `absolute` a
    state starts at the column's value, or at `high` and `low`, in the state's own unit.
    """

    trait: CellTrait | None = None  # type: ignore[valid-type]
    state: StateName | None = None  # type: ignore[valid-type]
    by: Literal["scaled", "rank", "gated"] = "scaled"
    power: Num = 1.0
    max_fold: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 4.0
    gate: Gate = None
    high: NotNegative | None = None
    low: NotNegative | None = None
    absolute: bool = False
    daughters_keep: Kept = None


Place = Annotated[tuple[Num, ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=3)]  # of a table: any number


class BoxOfInterest(Model):
    """The cells within a rectangle, in 3D a block, of the table's own coordinates in um."""

    shape: Literal["box"]
    from_um: Place
    to_um: Place


class DiscOfInterest(Model):
    """The cells within a radius of a point of the table's own coordinates in um."""

    shape: Literal["disc"]
    centre_um: Place
    radius_um: Positive


class PolygonOfInterest(Model):
    """The cells within an outline in x and y, of the table's own coordinates in um."""

    shape: Literal["polygon"]
    points_um: Annotated[
        tuple[Annotated[tuple[Num, ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=2)], ...],
        BeforeValidator(as_tuple),
        Field(min_length=3),
    ]


class Tile(Model):
    """One of the tiles into which the table, or its region of interest, is cut from its lowest corner on."""

    size_um: Annotated[tuple[Positive, ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=2)]
    index: Annotated[
        tuple[Annotated[int, Whole, Field(ge=0)], ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=2)
    ]


Interest = Annotated[BoxOfInterest | DiscOfInterest | PolygonOfInterest, Field(discriminator="shape")]


def as_names(value: Any) -> Any:
    """One value or a list of them, as text: `fov: 3` is `fov: ["3"]`."""
    items = value if isinstance(value, (list, tuple)) else [value]
    return tuple(str(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in items)


Names = Annotated[tuple[str, ...], BeforeValidator(as_names), Field(min_length=1)]


class Cells(Model):
    """A table of cells: which columns hold what, what its types mean, in which unit it measures.

    `only` keeps rows by what a column holds, then come `roi` and `tile`; `repeat` puts copies side by side, every other one
    mirrored. The middle of what is kept lies in the middle of the domain. Rows without coordinates (`missing`), second cells of
    a type at one place or with one id (`duplicates`) and cells beyond the domain (`outside`) are refused, or left out and counted.
    """

    kind: Literal["cells"]
    file: Annotated[str, Field(min_length=1)]
    columns: dict[Literal["x", "y", "z", "type", "id"], str]
    types: Annotated[dict[str, str], Field(min_length=1)]  # type: ignore[valid-type]
    unit: Literal["um", "mm", "nm", "px"] | None = None
    um_per_px: Positive | None = None
    unit_um: Positive | None = None
    only: Annotated[dict[str, Names], BeforeValidator(empty)] = Field(default_factory=dict)
    roi: Interest | None = None
    tile: Tile | None = None
    repeat: Annotated[
        tuple[Annotated[int, Whole, Field(ge=1, le=50)], ...] | None, BeforeValidator(as_tuple), Field(min_length=2, max_length=2)
    ] = None
    missing: Literal["refuse", "leave_out"] = "refuse"
    duplicates: Literal["refuse", "leave_out", "keep"] = "refuse"
    outside: Literal["refuse", "leave_out"] = "refuse"
    traits: Annotated[dict[str, Measured], BeforeValidator(empty)] = Field(default_factory=dict)

    @property
    def um(self) -> float:
        """One unit of the table in um."""
        if self.unit is None:
            return 1.0 if self.unit_um is None else self.unit_um
        return (self.um_per_px or 1.0) if self.unit == "px" else UNITS_UM[self.unit]


class Region(Model):
    """A part of the tissue and what is different there.

    `traits` are factors (mufa: the level), `states` factors on a cell's own steady level at the start; `clone` makes
    its tumour cells of that clone; `cells` fills it with cells of a type, or clears it of tumour cells (none).
    `share`: of its cells (of its voxels, for `cells`), drawn at random.
    """

    traits: Annotated[dict[CellTrait, NotNegative], BeforeValidator(empty)] = Field(default_factory=dict)  # type: ignore[valid-type]
    states: Annotated[dict[StateName, NotNegative], BeforeValidator(empty)] = Field(default_factory=dict)  # type: ignore[valid-type]
    clone: str | None = None
    cells: str | None = None
    share: Share = 1.0
    daughters_keep: Kept = None


class Disc(Region):
    """Within a radius of a point: a disc, in 3D a ball."""

    shape: Literal["disc"]
    centre_um: Corner
    radius_um: Positive


class Box(Region):
    """A rectangle, in 3D a block, around a point."""

    shape: Literal["box"]
    centre_um: Corner
    size_um: Annotated[tuple[Positive, ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=3)]


class Band(Region):
    """Between two coordinates of one axis, from the first on and before the second."""

    shape: Literal["band"]
    axis: Literal["x", "y", "z"]
    from_um: NotNegative
    to_um: NotNegative


Base = Annotated[Nodule | Monolayer | Spheroid | Cells, Field(discriminator="kind")]
AnyRegion = Annotated[Disc | Box | Band, Field(discriminator="shape")]


class Regions(Model):
    """Patches of traits, clones or cell types, in order, on a start of another kind."""

    kind: Literal["regions"]
    base: Base
    regions: Annotated[tuple[AnyRegion, ...], BeforeValidator(as_tuple), Field(min_length=1)]


Initial = Annotated[Nodule | Monolayer | Spheroid | Cells | Regions, Field(discriminator="kind")]
