"""What an entry of a plan really touches: the whole state of a model by real names, compared and poisoned.

Names are paths: `tumour.gsh` a column, `tumour.n` the number of its rows, `field.oxygen.vmax` a term,
`lattice.tissue_row`, `vessels.open`, `counters.kills`, `model.x` an attribute of the model itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from tme.core.population import Population

TERMS = ("source", "loss", "exchange", "vmax")
NOT_STATE = ("grid", "workspace", "solvers", "scratch", "plan", "config", "populations", "placement", "rule_programs", "own")  # the rest of the model's objects hold what laws share
# set when the model is built, or a function of what has a name of its own; the clock is everybody's
CONSTANT = {
    "lattice": ("geometry", "immune_capacity", "path", "gap", "grid", "_depth"),
    "vessels": ("sites", "rank", "p_site", "piece_um", "segment"),
    "model": ("tick", "dt_min", "start_day", "end_tick", "seed_used", "seed64", "fixed_scale", "nothing", "cell_fraction", "per_cell",
              "arm_name", "replicate", "device", "steps", "time", "clone_log_mean", "running"),
}  # fmt: skip
HANDED_ON = {"light": "made", "heat": "dosed"}  # what one entry leaves for another of the same tick: (what it is of, array) each
PLAIN = (bool, int, float, str, np.ndarray, np.generic, type(None))


class Cell:
    """One named part of the state: how it is read, written and spoilt. `read` gives a copy."""

    def __init__(self, read: Callable[[], Any], write: Callable[[Any], None], spoil: Callable[[Any], Any]) -> None:
        self.read, self.write, self.spoil = read, write, spoil


def lattices(field: Any) -> Iterator[Any]:
    """A field and the ones on wider voxels by which it is solved."""
    while field is not None:
        yield field
        field = field.inner


def state(model: Any) -> dict[str, Cell]:
    """All parts by name, in an order in which they can be written back."""
    out: dict[str, Cell] = {}
    for population in model.populations:
        out[f"{population.kind}.n"] = Cell(lambda p=population: p.n, lambda v, p=population: setattr(p, "n", v), lambda v: v)
        for name, declared in population.declared.items():
            out[f"{population.kind}.{name}"] = column(model, population, name, declared)
    for name, field in model.fields.items():
        for part in ("concentration", *TERMS, "vessel_value"):
            out[f"field.{name}.{part}"] = part_of_field(field, part)
    for place, owner in places(model):
        if hasattr(owner, "state_dict"):  # it says itself what its state is
            out |= {f"{place}.{key}": kept_part(owner, key) for key in owner.state_dict()}
            continue
        for name, value in vars(owner).items():
            if name not in CONSTANT.get(place, ()) and not name.startswith("_") and isinstance(value, PLAIN):
                out[f"{place}.{name}"] = attribute(owner, name)
    for name, value in vars(model).items():
        if isinstance(value, PLAIN) and name not in CONSTANT["model"] and not name.startswith("_"):
            out[f"model.{name}"] = attribute(model, name)
    for group, arrays in vars(model).items():
        if isinstance(arrays, dict) and not group.startswith("_"):
            for name, array in arrays.items():
                if isinstance(array, np.ndarray):
                    out[f"{group}.{name}"] = Cell(lambda a=array: a.copy(), lambda v, a=array: a.__setitem__(slice(None), v), spoilt)
    for name in model._uids:
        out[f"uids.{name}"] = Cell(lambda k=name: model._uids[k].copy(), lambda v, k=name: model._uids.__setitem__(k, v.copy()), lambda v: v)
    for entry in (e for e in model.plan.entries if e.name in HANDED_ON):
        out[f"{entry.name}.{HANDED_ON[entry.name]}"] = handed_on(entry, HANDED_ON[entry.name])
    for name in sorted({*model.counters, *COUNTERS}):
        out[f"counters.{name}"] = Cell(
            lambda k=name: model.counters.get(k, 0), lambda v, k=name: model.counters.__setitem__(k, v), lambda v: v + 1000
        )
    return out


def places(model: Any) -> Iterator[tuple[str, Any]]:
    """The named places of the model that hold what laws share: lattice, vessels and their like."""
    for name, value in vars(model).items():
        if (isinstance(value, SimpleNamespace) or ours(value)) and not name.startswith("_") and name not in NOT_STATE and not isinstance(value, Population):
            yield name, value


COUNTERS: set[str] = set()  # names seen so far: a counter exists from its first count on


def column(model: Any, population: Any, name: str, declared: Any) -> Cell:
    """The live part of one column."""

    def write(values: np.ndarray) -> None:
        getattr(population.col, name)[: len(values)] = values

    def spoil(values: np.ndarray) -> np.ndarray:
        if name == "state":
            return ((values + 1) % 5).astype(values.dtype)
        if name == "fate":
            return np.where(values == 0, 1, 0).astype(values.dtype)
        if name == "clone":
            return ((values + 1) % (values.max(initial=0) + 1)).astype(values.dtype)
        if "voxel" in name:
            return ((values + 7) % model.grid.n_voxels).astype(values.dtype)
        if declared.unit == "direction":
            return np.where(values < 0, 0, -1).astype(values.dtype)
        return spoilt(values)

    return Cell(lambda: getattr(population.col, name)[: population.n].copy(), write, spoil)


def part_of_field(field: Any, part: str) -> Cell:
    """One array of a field on all lattices of its solve, or its value at vessels."""

    def read() -> Any:
        if part == "vessel_value":
            return field.vessel_value
        attribute = "_values" if part == "concentration" else part
        values = tuple(None if (a := getattr(f, attribute)) is None else a.copy() for f in lattices(field))
        if part == "concentration":
            return (*values, *(f._superposition.support if f._superposition is not None else None for f in lattices(field)), *(f.subdomain for f in lattices(field)))
        return (*values, *(f.source_voxels for f in lattices(field))) if part == "source" else values

    def write(kept: Any) -> None:
        if part == "vessel_value":
            field.vessel_value = kept
            return
        attribute, chain = "_values" if part == "concentration" else part, list(lattices(field))
        for f, values in zip(chain, kept):
            if values is None or getattr(f, attribute) is None:
                setattr(f, attribute, None if values is None else values.copy())
            else:
                getattr(f, attribute)[:] = values
        for k, f in enumerate(chain):
            if part == "source":
                f.source_voxels = kept[len(chain) + k]
            elif part == "concentration":
                f.subdomain = kept[2 * len(chain) + k]
                if f._superposition is not None:
                    f._superposition.support = kept[len(chain) + k]

    def spoil(kept: Any) -> Any:
        if part == "vessel_value":
            return np.nan
        n = len(list(lattices(field)))
        return (*(None if v is None else np.full_like(v, np.nan) for v in kept[:n]), *kept[n:])

    return Cell(read, write, spoil)


def attribute(owner: Any, name: str) -> Cell:
    """A number or an array that an object holds; arrays of the same length are written in place."""

    def write(value: Any) -> None:
        old = getattr(owner, name)
        if isinstance(value, np.ndarray) and isinstance(old, np.ndarray) and len(old) == len(value):
            old[:] = value
        else:
            setattr(owner, name, copy.copy(value))

    def spoil(value: Any) -> Any:
        if name == "voxels":
            return value[::-1].copy()
        if name == "tissue_row":
            return np.roll(value, 1)
        return value if isinstance(value, str) or value is None else spoilt(value)

    return Cell(lambda: copy.copy(getattr(owner, name)), write, spoil)


def kept_part(owner: Any, key: str) -> Cell:
    """One part of an object that has `state_dict` and `load_state`."""

    def write(value: Any) -> None:
        owner.load_state({**owner.state_dict(), key: value})

    return Cell(lambda: copy.deepcopy(owner.state_dict()[key]), write, spoilt)


def handed_on(entry: Any, name: str) -> Cell:
    """A list of (what it is of, array) that an entry holds."""
    return Cell(
        lambda: tuple((of, array.copy()) for of, array in getattr(entry, name)),
        lambda pairs: setattr(entry, name, [(of, array.copy()) for of, array in pairs]),
        lambda pairs: tuple((of, spoilt(array)) for of, array in pairs),
    )


def spoilt(value: Any) -> Any:
    """Another value of the same kind that no law could take for the true one."""
    kind = np.asarray(value).dtype
    if kind.kind == "b":
        return ~np.asarray(value) if isinstance(value, np.ndarray) else not value
    if kind == np.float64:
        return np.full_like(value, np.nan) if isinstance(value, np.ndarray) else np.nan
    if kind == np.uint64:
        return value ^ np.uint64(0x9E3779B97F4A7C15)
    if kind == np.int8:
        return (1 - value).astype(kind) if isinstance(value, np.ndarray) else 1 - value
    return np.asarray(value + 3, kind) if isinstance(value, np.ndarray) else value + 3


def read_all(parts: dict[str, Cell]) -> dict[str, Any]:
    """A copy of everything."""
    return {name: cell.read() for name, cell in parts.items()}


def write_all(parts: dict[str, Cell], kept: dict[str, Any]) -> None:
    """Put everything back."""
    for name, cell in parts.items():
        cell.write(kept[name])


def same(a: Any, b: Any) -> bool:
    """Whether two values have the same bits (NaN is NaN)."""
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b)
    return a is b if not isinstance(a, PLAIN) else a == b


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Names whose values differ; one that has appeared counts as changed where it is not 0."""
    return {name for name in after if not same(before.get(name, 0), after[name])}


def owned(entry: Any, model: Any) -> list[Any]:
    """The entry and the objects that it alone holds, whose memories must not tell one try what another saw."""
    shared = [model, *vars(model).values(), *model.populations, *model.fields.values(), *model.plan.entries]
    met, found, ahead = {id(v) for v in shared if v is not entry}, [], [entry]
    while ahead:
        thing = ahead.pop()
        if isinstance(thing, dict | list | tuple):
            ahead += thing.values() if isinstance(thing, dict) else thing
        elif id(thing) not in met and (thing is entry or ours(thing)) and not fixed(thing):
            met.add(id(thing))
            found.append(thing)
            ahead += vars(thing).values()
    return found


def ours(thing: Any) -> bool:
    """Whether it is an object of a class of this package."""
    return type(thing).__module__.startswith("tme.") and hasattr(thing, "__dict__")


def fixed(thing: Any) -> bool:
    """Whether it is an entry of the library or the like, that nobody changes."""
    return isinstance(thing, type | Population) or hasattr(type(thing), "model_fields") or getattr(thing, "__dataclass_params__", None) is not None


def kept_of(owner: Any) -> dict[str, Any]:
    """A copy of what an object holds of numbers, arrays and containers."""
    return {k: copied(v) for k, v in vars(owner).items() if isinstance(v, (*PLAIN, dict, list, set))}


def copied(value: Any) -> Any:
    """A copy; of a container a new one of the same things, as those may be the model's."""
    return copy.copy(value) if isinstance(value, (dict, list, set)) else copy.deepcopy(value)


class Step:
    """One call of one entry, which can be taken again from the same state."""

    def __init__(self, model: Any, entry: Any) -> None:
        self.model, self.entry = model, entry
        self.parts = state(model)
        self.before = read_all(self.parts)
        self._kept = [(owner, copy.deepcopy(owner.state_dict())) for _, owner in places(model) if hasattr(owner, "state_dict")]
        self._own = [(owner, kept_of(owner)) for owner in owned(entry, model)]

    def take(self, spoil: frozenset[str] = frozenset()) -> tuple[dict[str, Any], dict[str, Any]]:
        """Take it from the state before, with some parts spoilt: (state it began with, state it left)."""
        self.model.counters.clear()  # what the first try made is not there at the second
        for owner, kept in self._kept:
            owner.load_state(copy.deepcopy(kept))
        write_all(self.parts, self.before)
        for owner, kept in self._own:
            vars(owner).update({k: copied(v) for k, v in kept.items()})
        self.model.lattice.forget()
        begun = dict(self.before)
        for name in sorted(spoil):
            begun[name] = self.parts[name].spoil(self.before[name])
            self.parts[name].write(begun[name])
        self.entry.step(self.model)
        COUNTERS.update(self.model.counters)
        return begun, read_all(state(self.model))

    @property
    def may_write(self) -> set[str]:
        """What the entry declares that it may change."""
        return {*self.entry.writes, *self.entry.adds}

    def writes(self) -> set[str]:
        """What a step changes."""
        return changed(*self.take())

    def undeclared_writes(self) -> set[str]:
        """What a step changes and the entry does not declare."""
        return self.writes() - self.may_write

    def undeclared_reads(self) -> set[str]:
        """Undeclared parts without which the step would have come out otherwise."""
        _, true = self.take()
        hidden = self.hidden()
        if not self.differs(true, frozenset(hidden)):
            return set()
        alone = {name for name in sorted(hidden) if self.differs(true, frozenset({name}))}
        return alone or {"some of " + ", ".join(sorted(hidden))}

    def hidden(self) -> set[str]:
        """All that the entry does not declare; everybody knows the numbers of rows."""
        rows = {f"{p.kind}.n" for p in self.model.populations}
        return set(self.parts) - {*self.entry.reads, *self.entry.writes, *self.entry.adds} - rows

    def differs(self, true: dict[str, Any], spoil: frozenset[str]) -> bool:
        """Whether the step with parts spoilt ends otherwise than it should, the spoilt parts left out."""
        try:
            begun, left = self.take(spoil)
        except Exception:
            return True
        return bool(changed({n: v for n, v in true.items() if n not in spoil}, {n: v for n, v in left.items() if n not in spoil}) | (
            changed({n: begun[n] for n in spoil}, {n: left[n] for n in spoil})
        ))  # fmt: skip


def visit(model: Any, ticks: range, look: Callable[[Any, Step], None]) -> None:
    """Step the model to the end of `ticks`; in those, `look` at every call of every entry, in the plan's order."""

    def run(model: Any) -> None:
        for entry in model.plan.entries:
            if model.tick % entry.every:
                continue
            if model.tick not in ticks:
                entry.step(model)
                continue
            step = Step(model, entry)
            look(model, step)
            step.take()

    model.plan.run = run
    while model.tick < ticks.stop - 1:
        model.step()
