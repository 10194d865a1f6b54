"""What is to be simulated: a pure function of the configuration.

Sweep points x arms x replicates. With `branch_at_day` each replicate first grows once, without therapy,
and all arms continue from that tumour. All arms (and sweep points) of a replicate share its seed, so that
the difference between two arms is the therapy.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Simulation:
    """One simulation and its place in the run directory.

    `arm` is None while a replicate grows before its arms branch off; `after` is the folder of that growth.
    """

    arm: str | None
    replicate: int
    seed: int
    folder: str
    point: int = 0
    after: str | None = None

    @property
    def label(self) -> str:
        """Name for people: the folder, which is unique."""
        return self.folder


@dataclass(frozen=True)
class Point:
    """One sweep point: its folder ('' without a sweep), the swept values, and the configuration with them."""

    index: int
    folder: str
    values: dict[str, Any]
    config: Any


@dataclass(frozen=True)
class Plan:
    """All points and, in fixed order, all simulations of a run."""

    points: tuple[Point, ...]
    simulations: tuple[Simulation, ...]

    @property
    def arms(self) -> tuple[Simulation, ...]:
        """The simulations whose results are reported (growth left out)."""
        return tuple(s for s in self.simulations if s.arm is not None)


def replicate_seed(seed: int, replicate: int) -> int:
    """63-bit seed of a replicate: SHA-256 of (seed of the experiment, replicate)."""
    digest = hashlib.sha256(f"tme replicate {int(seed)} {int(replicate)}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def plan(config: Any) -> Plan:
    """The plan of a configuration."""
    points = sweep_points(config)
    simulations: list[Simulation] = []
    for point in points:
        simulations += _simulations(point)
    return Plan(tuple(points), tuple(simulations))


def _simulations(point: Point) -> list[Simulation]:
    config, place = point.config, f"{point.folder}/" if point.folder else ""
    replicates = range(int(config.replicates))
    seeds = [replicate_seed(config.seed or 0, r) for r in replicates]
    out, growth = [], {}
    if config.branch_at_day is not None:
        growth = {r: f"{place}growth/branch-{r:03d}" for r in replicates}
        out = [Simulation(None, r, seeds[r], growth[r], point.index) for r in replicates]
    for arm in config.arms:
        for r in replicates:
            out.append(Simulation(arm, r, seeds[r], f"{place}{arm}/rep-{r:03d}", point.index, growth.get(r)))
    return out


def sweep_points(config: Any) -> list[Point]:
    """The grid of swept values, the last key running fastest; a single point if nothing is swept."""
    swept = dict(config.sweep or {})
    if not swept:
        return [Point(0, "", {}, config)]
    levels = [values_of(entry) for entry in swept.values()]
    points = []
    for index, chosen in enumerate(itertools.product(*levels)):
        values = dict(zip(swept, chosen))
        points.append(
            Point(index, f"sweep-{index:03d}", values, with_values(config, {**values, "sweep": {}}))
        )
    return points


def values_of(entry: Any) -> list[Any]:
    """Values of one swept key: a list as it stands, or {from, to, n} spaced evenly, with `scale: log` by equal factors; both ends are among them."""
    if isinstance(entry, (list, tuple)):
        return list(entry)
    get: Any = entry.get if isinstance(entry, dict) else lambda key: getattr(entry, key, None)
    start = get("from") if get("from") is not None else get("from_")
    low, high, n = float(start), float(get("to")), int(get("n"))
    found = [float(v) for v in (np.geomspace if get("scale") == "log" else np.linspace)(low, high, n)]
    return found if n < 2 else [low, *found[1:-1], high]


def with_values(config: Any, values: dict[str, Any]) -> Any:
    """The configuration with dotted keys replaced."""
    return config.with_values(values) if values else config
