"""The design of a robustness study: draws of numbers and switches, and the points that are simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import qmc

from tme.studies.design import Point
from tme.studies.ranges import Range, values_at
from tme.studies.sampled import Sampled
from tme.studies.structure import Switches

STAGES = ("draw", "repeated")
FIRST_SEED = {"draw": 0, "repeated": 10_000_000}  # numbers of replicates: no draw shares a tumour with another


@dataclass(frozen=True)
class Plan:
    """Draws: where each number and switch stands, and the points that are simulated."""

    ranges: tuple[Range, ...]
    switches: Switches
    cuts: dict[str, dict[str, Any]]
    u: np.ndarray  # (draws + repeated, numbers), 0 to 1
    options: np.ndarray  # (draws + repeated, switches), which option
    draws: int
    seeds: int
    points: tuple[Point, ...]
    cut_points: dict[str, tuple[Point, ...]]
    tried: int = 0  # draws made until so many met what is given
    met: int = 0


@dataclass(frozen=True)
class Candidate:
    """A draw before it is known whether it counts."""

    u: np.ndarray
    options: np.ndarray
    point: Point


def candidates(
    ranges: Sequence[Range], switches: Switches, stage: str, block: int, n: int, seeds: int, seed: int, sampled: Sampled | None = None
) -> list[Candidate]:  # fmt: skip
    """A block of n draws of a stage, a Latin hypercube of its own; no two draws of any block share a tumour. Numbers that are
    `sampled` come from its rows."""
    d = len(ranges)
    both = qmc.LatinHypercube(d + len(switches) + 1, rng=np.random.default_rng([seed, STAGES.index(stage), block])).random(n)
    options = (both[:, d:-1] * [len(o) for o in switches.values()]).astype(int)
    if sampled is not None:
        place = {r.key: (j, r) for j, r in enumerate(ranges)}
        for row in both:
            for key, value in sampled.row(row[-1]).items():
                j, r = place[key]
                row[j] = float(np.clip(r.share_of(value), 0, 1))
    out = []
    for i, (row, chosen) in enumerate(zip(both[:, :d], options)):
        k = block * n + i
        named = {name: list(o)[c] for (name, o), c in zip(switches.items(), chosen)}
        values: dict[str, Any] = values_at(ranges, row)
        for name, option in named.items():
            values |= switches[name][option]
        own = tuple(FIRST_SEED[stage] + k * seeds + j for j in range(seeds))
        out.append(Candidate(row, chosen, Point(f"{stage}-{k:05d}", values, seeds=own, about={"stage": stage, **named, "cut": ""})))
    return out


def without(point: Point, name: str, cut: dict[str, Any]) -> Point:
    """A point with a route taken out."""
    return Point(f"{point.id} without {name}", {**point.values, **cut}, seeds=point.seeds, about={**point.about, "cut": name})


def planned(ranges: Sequence[Range], switches: Switches, cuts: dict[str, dict[str, Any]], draws: Sequence[Candidate], repeated: Sequence[Candidate], seeds: int,
            tried: int = 0, met: int = 0) -> Plan:  # fmt: skip
    """The design of the draws that count: all arms, with and without each cut."""
    both = [*draws, *repeated]
    cut_points = {
        name: tuple(without(c.point, name, cut) for c in both)
        for name, cut in cuts.items()
    }
    u, options = (np.array([getattr(c, k) for c in both]).reshape(len(both), width) for k, width in (("u", len(ranges)), ("options", len(switches))))
    return Plan(tuple(ranges), switches, cuts, u, options, len(draws), seeds, tuple(c.point for c in both), cut_points, tried, met)


def draw_by_draw(plan: Plan) -> list[Point]:
    """All points in the order in which they are simulated: a draw with its cuts, the repeated draws evenly among the others, so that
    what is finished at any time is a smaller study of the same kind."""
    n, repeated = plan.draws, len(plan.points) - plan.draws
    share = [(k + 0.5) / n if k < n else (k - n + 0.5) / repeated for k in range(len(plan.points))]
    order = sorted(range(len(plan.points)), key=share.__getitem__)
    return [point for k in order for point in (plan.points[k], *(points[k] for points in plan.cut_points.values()))]
