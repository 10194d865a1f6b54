"""A design: which points are simulated, in which arms, with which seeds; and what is kept of each simulation.

Seeds are numbers of replicates: replicate r of a study is the tumour that replicate r of `tme run` grows from the same
config, and it is the same in every arm and point that names r (common random numbers).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tme.config.hashing import canonical


@dataclass(frozen=True)
class Point:
    """One setting: a name, dotted keys replaced, arms (empty: all of the config), numbers of replicates, columns of design.csv."""

    id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    arms: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """What is kept of a simulation: readouts (columns of series.csv) on days."""

    readouts: tuple[str, ...]
    days: tuple[float, ...]


@dataclass(frozen=True)
class Simulation:
    """One arm of a point with one seed; `key` names its record, whatever the point is called."""

    values: Mapping[str, Any]
    arm: str
    seed: int

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits over values, arm and seed."""
        whole = {"values": dict(self.values), "arm": self.arm, "seed": self.seed}
        return hashlib.sha256(canonical(whole).encode()).hexdigest()[:16]


def simulations(points: Iterable[Point], arms: tuple[str, ...]) -> list[Simulation]:
    """All simulations of a design, each once, in its order."""
    found = (Simulation(p.values, arm, seed) for p in points for seed in p.seeds for arm in (p.arms or arms))
    return list({s.key: s for s in found}.values())


def rows(points: Iterable[Point]) -> list[dict[str, Any]]:
    """design.csv: a row per point."""
    return [{"point": p.id, **p.about, "seeds": " ".join(map(str, p.seeds)), "arms": " ".join(p.arms), **p.values} for p in points]
