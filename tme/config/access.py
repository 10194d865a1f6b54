"""The data under check: where its parts stand, and the list of faults found in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tme.config.errors import Fault, listed, nearest
from tme.config.source import Node


@dataclass(frozen=True)
class Context:
    """What the rest of the package tells the loader: parameters, library, clocks of mechanisms.

    `registry` group -> name -> Parameter; `clocks` mechanism -> its clock in min (0: every tick), empty if
    unknown. `texts` keeps the user's library files as they were read, by
    path; `plugins` are those the config names or Python handed over. `contrasts` reads the contrasts of `primary:` (texts, arms)
    and tells what is wrong with them; None where nobody can read them. `readouts` names what a series may hold (cell types,
    names of clones), which a config with other faults is compared with; the columns that a sound one has are known later.
    """

    registry: Mapping[str, Mapping[str, Any]]
    library: Any
    clocks: Mapping[str, float]
    texts: dict[str, str] = field(default_factory=dict)
    plugins: tuple[Any, ...] = ()
    contrasts: Callable[[Any, Any], list[tuple[int, str, str, str]]] | None = None
    readouts: Callable[[Any, Any], list[str]] | None = None


class Access:
    """The data under check, where its parts stand, and the list of faults."""

    def __init__(self, data: dict[str, Any], tree: Node, context: Context, faults: list[Fault]) -> None:
        self.data, self.tree, self.context, self.faults = data, tree, context, faults

    def get(self, *path: Any, default: Any = None) -> Any:
        """The value at a path, or the default."""
        value: Any = self.data
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return default
        return value if value is not None else default

    def mapping(self, *path: Any) -> dict[str, Any]:
        """The mapping at a path; empty if it is none."""
        value = self.get(*path)
        return value if isinstance(value, dict) else {}

    def items(self, *path: Any) -> list[Any]:
        """The list at a path; empty if it is none."""
        value = self.get(*path)
        return value if isinstance(value, list) else []

    def number(self, *path: Any, default: float | None = None) -> float | None:
        """The finite number at a path, the default if absent, None if it is something else."""
        value = self.get(*path, default=default)
        return float(value) if is_number(value) and math.isfinite(value) else None

    def fault(self, path: Iterable[Any], problem: str, expected: str = "", meant: str = "") -> None:
        """Add a fault at a path."""
        path = tuple(str(p) for p in path)
        place = self.tree.find(path)
        self.faults.append(Fault(place.file, place.line, ".".join(path), problem, expected, meant))

    def unknown(self, path: Iterable[Any], what: str, name: Any, known: Iterable[str]) -> None:
        """Add the fault of a name that does not exist."""
        known = list(known)
        self.fault(path, f"unknown {what} '{name}'", listed(known), nearest(str(name), known))


def is_number(value: Any) -> bool:
    """Whether it is a number (True and False are not)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def divides(clock: float, dt: float) -> bool:
    """Whether the clock is a whole multiple of dt."""
    n = round(clock / dt)
    return n >= 1 and abs(n * dt - clock) <= 1e-9 * max(1.0, clock)
