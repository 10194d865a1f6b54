"""The schema of `initial:`: where cells are at the start, what was measured of them, and which regions differ."""

from __future__ import annotations

from typing import Annotated, Literal

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
    as_tuple,
    empty,
)

Corner = Annotated[tuple[NotNegative, ...], BeforeValidator(as_tuple), Field(min_length=2, max_length=3)]
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


class Measured(Model):
    """How a measured column sets a trait or the start of a state: (value / median)^power, at most `max_fold` either way.

    A trait is multiplied by it; so is a state's steady level, from which the chemistry goes on. With `absolute` a
    state starts at the column's value, in the state's own unit.
    """

    trait: CellTrait | None = None  # type: ignore[valid-type]
    state: StateName | None = None  # type: ignore[valid-type]
    power: Num = 1.0
    max_fold: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 4.0
    absolute: bool = False
    daughters_keep: Kept = None


class Cells(Model):
    """A table of cells: which columns hold what, what its types mean, in which unit it measures."""

    kind: Literal["cells"]
    file: Annotated[str, Field(min_length=1)]
    columns: dict[Literal["x", "y", "z", "type"], str]
    types: Annotated[dict[str, str], Field(min_length=1)]  # type: ignore[valid-type]
    unit_um: Positive = 1.0
    traits: Annotated[dict[str, Measured], BeforeValidator(empty)] = Field(default_factory=dict)


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
