"""What a cell type is: where it lives, how it moves, comes, goes, divides and dies, what it secretes and does.

A number is written as everywhere in the library, `{value, unit, range, source}`, or `{parameter: group.name}`: then
it is that parameter of a mechanism, which a config sets under `mechanisms:`. A part that is left out is something
the type does not do; nothing in the code names a type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from tme.library.part import at_key, number_at
from tme.library.schema import Name, Number, Part

LAST = 100  # priority of a type that declares none
FIRST_CODE = 1 << 16  # codes below are those that entries of the library state


def amount(unit: str, default: float | None = None, **limits: Any) -> Any:
    """Declare a number of a cell type; without a default it has to be given."""
    return Field(default, allow_inf_nan=False, json_schema_extra={"unit": unit, "required": default is None}, **limits)


class CellPart(Part):
    """A part of a cell type: as `Part`, and a number may be a parameter of a mechanism."""

    _parameters: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _unpack(cls, data: Any, handler: Any) -> Any:
        if not isinstance(data, dict):
            return handler(data)
        numbers: dict[str, Number] = {}
        parameters: dict[str, str] = {}
        plain: dict[str, Any] = {}
        for key, value in data.items():
            unit = cls.unit_of(key)
            if unit is None:
                plain[key] = tuple(value) if isinstance(value, list) else value
            elif isinstance(value, dict) and set(value) == {"parameter"}:
                parameters[key] = str(value["parameter"])
            else:
                numbers[key] = number_of(key, value, unit)
                plain[key] = float(numbers[key].value)
        for key, field in cls.model_fields.items():
            extra = field.json_schema_extra
            if isinstance(extra, dict) and extra.get("required") and key not in numbers and key not in parameters:
                raise at_key(key, f"is missing: {{value, unit: {cls.unit_of(key)}, source}}", data)
        part = handler(plain)
        part._numbers.update(numbers)
        part._parameters.update(parameters)
        part._check({*numbers, *parameters})
        return part

    def _check(self, given: set[str]) -> None:
        """ValueError where the numbers `given` do not go together."""

    @property
    def parameters(self) -> dict[str, str]:
        """Dotted key -> "group.name" of the numbers that are parameters of a mechanism."""
        out = dict(self._parameters)
        for key, part in self._parts():
            out.update({f"{key}.{k}": name for k, name in part.parameters.items()})
        return out

    def _parts(self) -> list[tuple[str, CellPart]]:
        found: list[tuple[str, CellPart]] = []
        for key in type(self).model_fields:
            value = getattr(self, key)
            if isinstance(value, CellPart):
                found.append((key, value))
            elif isinstance(value, tuple):
                found += [(f"{key}.{i}", part) for i, part in enumerate(value) if isinstance(part, CellPart)]
        return found

    def resolved(self, value_of: Callable[[str], float]) -> Self:
        """A copy in which every parameter has the value that `value_of("group.name")` gives."""
        update: dict[str, Any] = {key: value_of(name) for key, name in self._parameters.items()}
        for key in type(self).model_fields:
            value = getattr(self, key)
            if isinstance(value, CellPart):
                update[key] = value.resolved(value_of)
            elif isinstance(value, tuple) and any(isinstance(v, CellPart) for v in value):
                update[key] = tuple(v.resolved(value_of) for v in value)
        return self.model_copy(update=update)


def number_of(key: str, value: Any, unit: str) -> Number:
    """The number under a key, in its unit ("*": any)."""
    if not isinstance(value, dict):
        raise at_key(key, f"must be written {{value, unit: {unit}, source}} or {{parameter: group.name}}, not {value!r}", value)
    if "parameter" in value:  # a config has put a value in its place
        value = {"unit": unit, "source": "assumed: set in the config", **{k: v for k, v in value.items() if k != "parameter"}}
    number = number_at(key, value)
    if unit != "*" and number.unit != unit:
        raise at_key(key, f"is given in '{number.unit}', expected '{unit}'", value)
    return number


class Modes(CellPart):
    """A cell that walks switches between a slow and a fast speed at constant rates."""

    slow: float = amount("um/min", ge=0)
    fast: float = amount("um/min", ge=0)
    to_slow: float = amount("1/min", ge=0)
    to_fast: float = amount("1/min", ge=0)


class Motion(CellPart):
    """A walk: up the gradient of `follows` with probability `bias`, else on with `persistence`, else anywhere."""

    speed: float = amount("um/min", ge=0)
    modes: Modes | None = None
    clock_min: float = amount("min", 0.0, ge=0)
    follows: Name | None = None
    bias: float = amount("1", 0.0, ge=0, le=1)
    persistence: float = amount("1", 0.0, ge=0, le=1)

    def _check(self, given: set[str]) -> None:
        if self.follows is None and "bias" in given:
            raise ValueError("a bias needs `follows: field`")


class Entry(CellPart):
    """Entry at each open vessel: rate x (signal/(half + signal) + basal), times what `times` names.

    Instead of a rate a type may say that it `holds` its number: the rate is then that number times what replaces the loss at
    the start. Endothelium keeps its response for a time `memory_d` after the signal has fallen.
    """

    rate: float = amount("1/min", 0.0, ge=0)
    holds: float = amount("1", 0.0, ge=0)
    memory_d: float = amount("d", 0.0, ge=0)
    signal: Name
    half: float = amount("*", gt=0)
    basal: float = amount("1", 0.0, ge=0)
    times: tuple[Literal["node_output", "not_depleted"], ...] = ()
    priority: int | None = None

    def _check(self, given: set[str]) -> None:
        if ("rate" in given) == ("holds" in given):
            raise ValueError("an entry has either rate or holds")


class Life(CellPart):
    """Loss at 1/mean_d; `sooner` times faster where a field is below a level; depleted or held down by a cap."""

    mean_d: float = amount("d", gt=0)
    sooner: float = amount("1", 1.0, ge=1)
    where: Name | None = None
    below: float = amount("*", 0.0, ge=0)
    depleted_within_d: float = amount("d", 0.0, ge=0)
    per_tumour_cell: float = amount("1", 0.0, ge=0)


class Division(CellPart):
    """Cells that hold a target divide at rate x function, `at_most` times."""

    rate: float = amount("1/min", ge=0)
    at_most: float = amount("1", ge=0)


class Secretion(CellPart):
    """What a cell adds to a field: `rate` in units of the field per min in the tissue of one cell, 3,375 um^3, or molecules.

    `times` names what scales it: `m2`, the M2 share 1 - m1 of a macrophage, `m1`, its M1 share, or `engaged`, what the
    contacts of a killer have left it with: up to its function while it holds a target, falling off for hours after.
    `corpse` is what dead tissue cells release until they are cleared, instead of the living.
    """

    field: Name
    rate: float = amount("*", 0.0, ge=0)
    molecules_s: float = amount("1/s", 0.0, ge=0)
    weight_kda: float = amount("kDa", 0.0, ge=0)
    times: Literal["m1", "m2", "engaged", "corpse"] | None = None

    def _check(self, given: set[str]) -> None:
        if ("rate" in given) == ("molecules_s" in given) or ("molecules_s" in given) != ("weight_kda" in given):
            raise ValueError("a secretion has either rate, or molecules_s and weight_kda")


class Uptake(CellPart):
    """What a living cell takes up of a field, per min in the tissue of one cell, 3,375 um^3: `rate` x level, or `most` x level/(half + level).

    `half` is the field's own where that states one (`half_uptake`); otherwise all cell types that take it up share one.
    `linear: true` says of a field whose uptake saturates that this type's does not.
    """

    field: Name
    rate: float = amount("1/min", 0.0, ge=0)
    most: float = amount("*", 0.0, ge=0)
    half: float = amount("*", 0.0, gt=0)
    linear: bool = False

    def content(self) -> dict[str, Any]:
        """As for any part; `linear` counts where it is said."""
        return {k: v for k, v in super().content().items() if k != "linear" or v}

    def _check(self, given: set[str]) -> None:
        if ("rate" in given) == ("most" in given) or ("half" in given and "most" not in given):
            raise ValueError("an uptake has either rate, or most (and half, where the field states none)")

    @property
    def given(self) -> set[str]:
        """Numbers that the entry states."""
        return {*self._numbers, *self._parameters}

    @property
    def saturates(self) -> bool:
        """Whether there is a most that a cell takes up."""
        return "most" in self.given

    @property
    def half_text(self) -> str:
        """The level of half the uptake as it is written."""
        return self._parameters.get("half", f"{self.half:g}")


class CellPathway(Part):
    """A pathway that a cell type runs, and the numbers in which it differs: traits of the cell, parameters of the pathway.

    `on: false` until a config says `mechanisms.PATHWAY_CELLS.on: true`. A tissue cell that `emits` adds to the field into
    which the pathway's cells emit.
    """

    about: str = ""
    on: bool = True
    emits: bool = False
    ids: tuple[str, ...] = ()
    preset: dict[Name, Number] = Field(default_factory=dict)


class Kills(CellPart):
    """Contact with tumour cells: attach, hold, hit; `n_hits` within the hour kill.

    `recognises` says what MHC-I does to attachment: `antigen`, it rises from `floor` to 1 with MHC-I and with
    antigenicity; `missing_self`, it falls from 1 to `floor` and antigen does not matter.
    """

    recognises: Literal["antigen", "missing_self"]
    attach: float = amount("1/min", ge=0)
    recognition: float = amount("1", 1.0, ge=0, le=1)
    floor: float = amount("1", ge=0, le=1)
    hold_min: float = amount("min", gt=0)
    hit: float = amount("1/min", ge=0)


class Polarises(CellPart):
    """A macrophage's balance m1 at arrival, 0 M2 to 1 M1; at the start it is where the tissue holds it."""

    arrival: float = amount("1", ge=0, le=1)


class Phagocytoses(CellPart):
    """Corpses within one voxel of such a cell are cleared sooner: `rate` is added to their hazard.

    Living tumour cells within one voxel of a macrophage are eaten at `living` times its M1 share.
    """

    rate: float = amount("1/min", ge=0)
    living: float = amount("1/min", 0.0, ge=0)


class Dies(CellPart):
    """A tissue cell: apoptosis, and necrosis where oxygen is below `below`, at the full rate at and below `fully_below`."""

    necrosis: float = amount("1/min", 0.0, ge=0)
    below: float = amount("mmHg", 5.0, gt=0)
    fully_below: float = amount("mmHg", 2.5, ge=0)
    apoptosis: float = amount("1/min", 0.0, ge=0)


class Start(CellPart):
    """How many there are where a config does not say: per mm2 of its place, or a share per tumour cell."""

    per_mm2: float = amount("1/mm^2", 0.0, ge=0)
    share: float = amount("1", 0.0, ge=0)

    def _check(self, given: set[str]) -> None:
        if len(given) != 1:
            raise ValueError("a start has either per_mm2 or share")


class CellEntry(CellPart):
    """A cell type.

    `place`: a `guest` shares voxels up to their capacity; `tissue` takes a voxel of its own. Tissue lies `among` the
    tumour's cells or `outside` the tumour, where a share is one of the voxels. What `yields` is removed
    when a dividing tumour cell needs its voxel; other tissue than the tumour stays where it is.
    """

    about: str
    place: Literal["guest", "tissue"]
    volume_um3: float = amount("um^3", gt=0)
    code: int | None = Field(None, ge=1, lt=FIRST_CODE)
    priority: int = LAST
    in_every_model: bool = False
    lies: Literal["among", "outside"] = "among"
    yields: bool = False
    start: Start | None = None
    motion: Motion | None = None
    entry: Entry | None = None
    life: Life | None = None
    division: Division | None = None
    dies: Dies | None = None
    secretes: tuple[Secretion, ...] = ()
    takes_up: tuple[Uptake, ...] = ()
    pathways: dict[Name, CellPathway] = Field(default_factory=dict)
    takes_up_particles: bool = False
    kills: Kills | None = None
    presents: bool = False
    polarises: Polarises | None = None
    phagocytoses: Phagocytoses | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> CellEntry:
        guest = self.place == "guest"
        only_guests = ("motion", "entry", "life", "division", "takes_up_particles", "kills", "presents", "polarises")
        only_tissue = ("dies", "yields")
        wrong = [k for k in (only_tissue if guest else only_guests) if getattr(self, k)]
        if wrong:
            raise ValueError(f"{wrong[0]} is for {'tissue' if guest else 'guest'} cells")
        if self.division is not None and self.kills is None:
            raise ValueError("division needs kills: only cells that hold a target divide")
        needs = {"m1": "polarises", "m2": "polarises", "engaged": "kills"}
        for item in self.secretes:
            if item.times == "corpse":
                if guest:
                    raise ValueError("secretes.times: corpse is for tissue cells, guests leave no corpse")
            elif item.times is not None and getattr(self, needs[item.times]) is None:
                raise ValueError(f"secretes.times: {item.times} needs {needs[item.times]}")
        if self.phagocytoses is not None and self.phagocytoses.living > 0.0 and self.polarises is None:
            raise ValueError("phagocytoses.living needs polarises: M1 macrophages eat living cells")
        if guest and any(run.emits for run in self.pathways.values()):
            raise ValueError("emits is for tissue cells, of which there is one in a voxel")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields this type reads or adds to."""
        return tuple(f for _, f in self.named_fields)

    @property
    def named_fields(self) -> tuple[tuple[str, str], ...]:
        """(key of the entry, field) of each."""
        parts = [(f"secretes.{k}.field", s.field) for k, s in enumerate(self.secretes)]
        parts += [(f"takes_up.{k}.field", u.field) for k, u in enumerate(self.takes_up)]
        return (*self._read, *parts)

    @property
    def heard(self) -> tuple[str, ...]:
        """Names of the fields whose level matters to this type: they are there where it is."""
        return tuple(f for _, f in self._read)

    @property
    def _read(self) -> tuple[tuple[str, str], ...]:
        read = (("motion.follows", self.motion and self.motion.follows), ("entry.signal", self.entry and self.entry.signal),
                ("life.where", self.life and self.life.where))  # fmt: skip
        return tuple((key, f) for key, f in read if f)


def code_of(name: str, entry: CellEntry) -> int:
    """Number of a type in the keys of random streams: the one its entry states, else a hash of its name.

    Never a place in a list: a type added by a user does not change the others' draws.

        >>> from tme.library import load_library
        >>> code_of("cd8", load_library().cells["cd8"])
        2
    """
    if entry.code is not None:
        return entry.code
    digest = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
    return FIRST_CODE + digest % (2**32 - FIRST_CODE)


def in_order(names: Iterable[str], cells: Mapping[str, CellEntry]) -> list[str]:
    """Names by declared priority, then by name: the order in which types claim room."""
    return sorted(names, key=lambda n: (cells[n].priority, n))
