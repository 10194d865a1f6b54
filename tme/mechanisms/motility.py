"""Guest cells walk, each type as its entry says: up the gradient of what it follows, on along its heading, or anywhere.

A type with modes switches between a slow and a fast speed at constant rates; others keep one speed. Cells that hold a
target stay put. The lattice grants moves (`kernels.movement`); types claim room in the order of their priorities.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import threads
from tme.kernels.elementary import exp
from tme.kernels.jit import serial
from tme.kernels.movement import grant, propose
from tme.kernels.rng import BLOCK, Stream, uniform_block
from tme.library.cells import CellEntry

PARAMETERS = ParameterSet(
    "motility",
    par("cd8_fast_um_min", 10.0, "um/min", 0.0, 20.0, "T cells keep to speeds below 2 and above 8 um/min (Torres et al. 2023, doi 10.7554/eLife.84916; lymph node, villi and lung, not tumours)", "", range=(8.0, 12.0)),
    par("cd8_slow_um_min", 1.5, "um/min", 0.0, 20.0, "slow class, below 2 um/min (Torres et al. 2023, doi 10.7554/eLife.84916; lymph node, villi and lung, not tumours)", "", range=(0.5, 2.0)),
    par("cd8_to_slow_per_min", 0.03, "1/min", 0.0, 1.0, "assumed: fast bouts of about half an hour"),
    par("cd8_to_fast_per_min", 0.015, "1/min", 0.0, 1.0, "assumed: a third of searching cells fast"),
    par("cd8_bias", 0.03, "1", 0.0, 1.0, "assumed: weak, since a stronger one piles all CD8 up in the core, where the chemokine peaks: at 0.05 half of them in the innermost quarter of the tumour, at 0 half of them outside", "", range=(0.0, 0.1)),
    par("persistence", 0.5, "1", 0.0, 1.0, "assumed: keeps its heading for two steps, 5-10 min at 3-8 um/min"),
    par("dc_bias", 0.3, "1", 0.0, 1.0, "assumed: ATP is a find-me signal"),
)
_MODE = int(Stream.MODE)
_NOWHERE = np.zeros((1, 1, 1))  # in place of a field that is not read


def terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """What rules may modulate in the cell types that walk."""
    moving = tuple(n for n, e in cells.items() if e.motion is not None)
    return (
        Term("motility.speed", "1", "multiplies", moving, 0.0, 10.0, "the speed of walking"),
        Term("motility.bias", "1", "multiplies", moving, 0.0, 20.0, "the share of steps up the gradient"),
    )


@serial
def switch_mode(lo, hi, uid, speed, slow, fast, to_slow, to_fast, dt, seed, tick):
    """Flip cells between the slow and the fast speed (n,) um/min; rates 1/min. Any other speed counts as slow."""
    p_slow = 1.0 - exp(-to_slow * dt)
    p_fast = 1.0 - exp(-to_fast * dt)
    u = np.empty((2, BLOCK))
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        uniform_block(seed, _MODE, tick, uid, first, first + m, 0, u)
        for j in range(np.uint64(m)):
            i = np.uint64(first) + j
            is_fast = speed[i] == fast
            is_fast = u[0, j] >= p_slow if is_fast else u[0, j] < p_fast
            speed[i] = fast if is_fast else slow


def walk(model, population, dt) -> None:
    """One round of propose and grant for a population; cells with modes choose theirs first."""
    motion, c, lattice = population.entry.motion, population.col, model.lattice
    held = c.engaged if population.entry.kills is not None else c.held
    field = model.fields[motion.follows].read_view if motion.follows is not None else _NOWHERE
    step = dt / model.grid.dx_um
    args = (model.seed64, model.tick, lattice.geometry)
    speed, bias = population.term("motility.speed"), population.term("motility.bias")
    wish = (c.uid, c.voxel, c.heading, c.speed, held, field, motion.bias, motion.persistence, step, *args,
            population.proposal, population.direction, speed, bias)  # fmt: skip
    before = []
    if motion.modes is not None:
        m = motion.modes
        before = [(switch_mode, (c.uid, c.speed, m.slow, m.fast, m.to_slow, m.to_fast, dt, model.seed64, model.tick))]
    threads.over_rows(threads.in_sequence, population.n, *before, (propose, wish))
    with model.scratch.borrow() as claim:
        grant(
            population.n, c.uid, c.voxel, c.heading, population.proposal, population.direction,
            lattice.immune_count, lattice.immune_capacity, model.seed64, model.tick, claim.view(np.int64),
        )  # fmt: skip


class Walks(Mechanism):
    """Walks of some cell types, each at its own clock (0: every tick)."""

    phase = Phase.INTERACT
    adds = ("lattice.immune_count",)

    def __init__(self, model, populations) -> None:
        super().__init__(model)
        self.walkers = [(p, model.ticks(p.entry.motion.clock_min) if p.entry.motion.clock_min else 1) for p in populations]
        if self.walkers:
            self.every = gcd(*(every for _, every in self.walkers))
            self.dt = self.every * model.dt_min
        followed = {p.entry.motion.follows for p, _ in self.walkers} - {None}
        kinds = [p.kind for p, _ in self.walkers]
        held = [f"{p.kind}.{'engaged' if p.entry.kills else 'held'}" for p, _ in self.walkers]
        terms = [f"{p.kind}.{t}" for p, _ in self.walkers for t in ("term_motility_speed", "term_motility_bias") if t in p.declared]
        self.reads = (*(f"field.{f}.concentration" for f in sorted(followed)), *(f"{kind}.uid" for kind in kinds), *held, *terms)
        modes = [p.kind for p, _ in self.walkers if p.entry.motion.modes is not None]
        self.reads += tuple(f"{kind}.speed" for kind in kinds if kind not in modes)
        self.writes = (*(f"{kind}.{column}" for kind in kinds for column in ("voxel", "heading")), *(f"{kind}.speed" for kind in modes))

    def step(self, model) -> None:
        """Walk each population whose clock strikes, by priority."""
        for population, every in self.walkers:
            if population.n and model.tick % every == 0:
                walk(model, population, every * model.dt_min)


class Motility(Walks):
    """Searching cells that kill, before they meet their targets."""

    name = "motility"
    about = "cells that kill search in slow and fast modes, biased up what they follow"
    begins_with = "ferroptosis"

    def __init__(self, model) -> None:
        super().__init__(model, [p for p in model.killers if p.entry.motion is not None])


class SlowMotility(Walks):
    """All other guests, beside the contacts of those that kill."""

    name = "slow_motility"
    about = "the other guest cells walk, each type at its clock"
    clock_min = 5.0
    begins_with = "killing"

    def __init__(self, model) -> None:
        super().__init__(model, [p for p in model.immune if p.entry.motion is not None and p.entry.kills is None])
