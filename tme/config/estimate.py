"""What a run will cost, and whether its tumour has room: cell-hours, minutes, memory, edge; printed by `tme check`.

A rough forecast, not part of any result. Time is fitted to the processor time of runs of shipped configs on one core; six of them,
measured again on a quiet machine, came out at 0.81 to 1.13 of it (`tests/config/test_estimate.py`). Growth is the division law's
(`mechanisms/division.py`): the deeper a cell, the slower it divides; a share GROWING of the full rate is left after hypoxia and
death. Numbers of untreated cells come out within a factor of 1.7: small tumours grow faster than this, large ones slower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tme.config.tissue import tissue_of

US_PER_TICK = 180.0  # whatever the size: some fifty entries of the plan and small solves
US_PER_TICK_CULTURE = 90.0  # without immune cells, vessels' recruits and lymph node
US_PER_VOXEL_TICK = 0.0028  # fields: solves at their clocks, averaged over ticks
US_PER_VOXEL_TICK_AGENT = 0.0027  # each agent's own field
SLOWER_3D = 4.0  # per voxel: wider stencils, and no field solved in a subdomain
US_PER_CELL_TICK = 0.03  # chemistry, motion, contacts, book-keeping
SECONDS_PER_SIMULATION = 0.3  # building it, its steady state
GROWING = 0.44  # of the full division rate; tuned: control arms of four_arms, within 20 % in cell number
UNEVEN = 1.45  # the farthest cells advance so much faster than the mean radius; tuned: the edge of 1,800 um, days 5.5-6.2
MARGIN = 2.0  # voxels from the wall at which a simulation stops
COARSEST = 4  # lattice voxels an axis per voxel that the smoothest fields are solved on (`coarsen` of their entries)
LARGE = 10_000  # voxels: below, solving all fields on the lattice costs little
BYTES_PER_CELL = 450
BYTES_PER_VOXEL = 200


@dataclass(frozen=True)
class Prediction:
    """Forecast of one experiment."""

    simulations: int
    cell_hours: float
    seconds: float
    memory_bytes: float
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For people."""
        many = "s" * (self.simulations != 1)
        time, memory = duration(self.seconds), f"{self.memory_bytes / 1e6:.0f} MB"
        return [
            f"{self.simulations} simulation{many}, about {self.cell_hours:.3g} cell-hours in all",
            f"about {time} on one core, divided by --jobs; {memory} per simulation",
            *(f"warning: {w}" for w in self.warnings),
            *(f"note: {n}" for n in self.notes),
        ]


def duration(seconds: float) -> str:
    """Seconds in words."""
    for size, word in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {word}"
    return f"{seconds:.0f} s"


def predict(config: Any) -> Prediction:
    """Forecast, assuming every arm grows like an untreated tumour."""
    voxels = math.prod(voxels_of(config))
    days = config.horizon_day - config.start_day
    ticks = days * 1440.0 / config.clocks.dt_min
    course = growth(config)
    cells = sum(course) / len(course)
    branch = config.branch_at_day
    share = 1.0 if branch is None else (config.horizon_day - branch) / days
    points = math.prod(len(v) if isinstance(v, list) else int(v["n"]) for v in config.sweep.values())
    simulations = len(config.arms) * config.replicates * points
    grown = 0.0 if branch is None else (1.0 - share) * config.replicates * points
    runs = simulations * share + grown
    us = per_tick(config, voxels, cells)
    return Prediction(
        simulations=simulations,
        cell_hours=runs * cells * days * 24.0,
        seconds=runs * 1e-6 * ticks * us + simulations * SECONDS_PER_SIMULATION,
        memory_bytes=3e8 + voxels * BYTES_PER_VOXEL + 2.0 * course[-1] * BYTES_PER_CELL,
        warnings=(*edge(config, course), *undivided(config)),
        notes=tuple(getattr(config, "notes", ())),
    )


def per_tick(config: Any, voxels: int, cells: float) -> float:
    """Microseconds of one core per tick, mean over the arms."""
    populations = config.populations
    culture = all(density is None for density in populations.values())
    arms = [config.therapy_of(arm) for arm in config.arms]
    agents = sum(len(a.drugs) + len(a.antibodies) + 2 * len(a.nanoparticles) for a in arms) / len(arms)  # particle, payload
    fields = US_PER_VOXEL_TICK + agents * US_PER_VOXEL_TICK_AGENT
    wide = SLOWER_3D if len(config.domain.size_um) == 3 else 1.0
    return (US_PER_TICK_CULTURE if culture else US_PER_TICK) + voxels * wide * fields + cells * US_PER_CELL_TICK


def voxels_of(config: Any) -> list[int]:
    """Voxels along each axis."""
    return [max(1, round(s / config.domain.dx_um)) for s in config.domain.size_um]


def start_cells(config: Any, voxels: int) -> float:
    """Tumour cells at the start."""
    start = getattr(config.initial, "base", config.initial)
    if start.kind == "cells":
        size = tuple(n * config.domain.dx_um for n in voxels_of(config))
        return float((tissue_of(start, size).kind == "tumour").sum())
    return start.occupancy * voxels if start.kind == "monolayer" else float(start.n_cells)


def parameter(config: Any, group: str, name: str) -> float:
    """A mechanism's parameter as it will run: the config's, else the tumour preset's, else the default."""
    for values in (config.mechanism_parameters(), config.tumour_parameters()):
        if name in values.get(group, {}):
            return float(values[group][name])
    found = config.registry.get(group, {}).get(name)
    return 0.0 if found is None else float(found.value)


def growth(config: Any, steps_per_day: int = 8) -> list[float]:
    """Untreated tumour cells from the start to the horizon, at even steps."""
    n = voxels_of(config)
    rate = 0.0 if "division" in config.switched_off() else 1440.0 * GROWING * parameter(config, "division", "k_div")
    half = parameter(config, "division", "crowd_half")
    days = config.horizon_day - config.start_day
    steps = max(1, math.ceil(days * steps_per_day))
    cells = [start_cells(config, math.prod(n))]
    for _ in range(steps):
        near = 1.0
        if config.initial.kind != "monolayer" and half > 0.0:
            near = uncrowded(radius_of(cells[-1], len(n)), half, len(n))
        cells.append(min(cells[-1] * math.exp(rate * near * days / steps), 1.0 * math.prod(n)))
    return cells


def uncrowded(radius: float, half: float, axes: int, shells: int = 24) -> float:
    """Mean of half/(half + depth) over the cells of a disc or ball of a radius in voxels."""
    inner = [k / shells for k in range(shells)]
    return sum(((s + 1 / shells) ** axes - s**axes) * half / (half + radius * (1.0 - s - 0.5 / shells)) for s in inner)


def radius_of(cells: float, axes: int) -> float:
    """Radius in voxels of a disc or ball of so many cells, one a voxel."""
    return math.sqrt(cells / math.pi) if axes == 2 else (0.75 * cells / math.pi) ** (1.0 / 3.0)


def edge(config: Any, course: list[float]) -> list[str]:
    """A warning where the tumour will reach the edge of the domain before the horizon."""
    if config.initial.kind == "monolayer":
        return []
    n, centre = voxels_of(config), getattr(config.initial, "centre_um", None)
    closed = [i for i, axis in enumerate("xyz"[: len(n)]) if config.domain.boundary.get(axis, "no_flux") != "periodic"]
    middle = [c / config.domain.dx_um for c in centre] if centre else [v / 2.0 for v in n]
    room = min((min(middle[i], n[i] - middle[i]) for i in closed), default=math.inf)
    days, first = config.horizon_day - config.start_day, radius_of(course[0], len(n))
    reach = [first + UNEVEN * (radius_of(cells, len(n)) - first) for cells in course]
    for k, farthest in enumerate(reach):
        if farthest < room - MARGIN:
            continue
        day = config.start_day + days * k / (len(course) - 1)
        if k == 0 and config.domain.at_edge == "continue":
            return []  # tissue that fills its domain from the start is meant to
        what = "will stop there, each arm on another day" if config.domain.at_edge == "stop" else "will be held back by the wall, each arm at another time"
        wide = up_to_divided(2.0 * (reach[-1] + MARGIN), config.domain.dx_um)
        return [
            f"untreated tumours will reach the edge of the domain about day {day:.1f} and {what}, before "
            f"horizon_day {config.horizon_day:g}: some {wide:g} um per axis of "
            "domain.size_um give them room"
        ]
    return []


def up_to_divided(voxels: float, dx_um: float) -> float:
    """The next side, um, whose voxels the coarse fields' voxels and their multigrid divide."""
    return math.ceil(voxels / (2 * COARSEST)) * 2 * COARSEST * dx_um


def undivided(config: Any) -> list[str]:
    """A warning where the smooth fields must be solved on the lattice itself, which costs several times as much."""
    n = voxels_of(config)
    odd = [axis for axis, k in zip("xyz", n) if k > 1 and k % COARSEST]
    if not odd or math.prod(n) < LARGE:
        return []
    sides = ", ".join(f"{up_to_divided(k, config.domain.dx_um) if axis in odd else k * config.domain.dx_um:g}" for axis, k in zip("xyz", n))
    return [
        f"{' x '.join(map(str, n))} voxels are along {', '.join(odd)} no multiple of {COARSEST}, so that smooth fields are solved on "
        f"every voxel and the run takes several times as long; domain.size_um [{sides}] would not"
    ]
