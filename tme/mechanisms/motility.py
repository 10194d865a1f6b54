"""Immune cells walk: CD8 in slow and fast modes up the CXCL9/10 gradient, dendritic cells towards ATP.

A CD8 switches between a slow and a fast mode at constant rates; engaged CD8 stay put. Others keep one
speed. The lattice grants moves (`kernels.movement`).
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels import team
from tme.kernels.elementary import exp
from tme.kernels.jit import serial
from tme.kernels.movement import grant, propose
from tme.kernels.rng import BLOCK, Stream, uniform_block

PARAMETERS = ParameterSet(
    "motility",
    par("cd8_fast_um_min", 10.0, "um/min", 0.0, 20.0, "slow and fast classes, < 2 and > 8 um/min (Torres et al. 2023, eLife 12:e84916)"),
    par("cd8_slow_um_min", 1.5, "um/min", 0.0, 20.0, "slow class (Torres et al. 2023, eLife 12:e84916)"),
    par("cd8_to_slow_per_min", 0.03, "1/min", 0.0, 1.0, "assumed: fast bouts of about half an hour"),
    par("cd8_to_fast_per_min", 0.015, "1/min", 0.0, 1.0, "assumed: a third of searching cells fast"),
    par("cd8_bias", 0.05, "1", 0.0, 1.0, "assumed: weak, since a stronger one piles all CD8 up within 50 um of the chemokine's peak"),
    par("persistence", 0.5, "1", 0.0, 1.0, "assumed: keeps its heading for two steps, 5-10 min at 3-8 um/min"),
    par("dc_bias", 0.3, "1", 0.0, 1.0, "assumed: ATP is a find-me signal"),
)
_MODE = int(Stream.MODE)


@serial
def switch_mode(lo, hi, uid, speed, p, dt, seed, tick):
    """Flip CD8 between slow and fast speed (n,) um/min."""
    p_slow = 1.0 - exp(-p.cd8_to_slow_per_min * dt)
    p_fast = 1.0 - exp(-p.cd8_to_fast_per_min * dt)
    u = np.empty((2, BLOCK))
    for first in range(lo, hi, BLOCK):
        m = min(BLOCK, hi - first)
        uniform_block(seed, _MODE, tick, uid, first, first + m, 0, u)
        for j in range(np.uint64(m)):
            i = np.uint64(first) + j
            fast = speed[i] == p.cd8_fast_um_min
            fast = u[0, j] >= p_slow if fast else u[0, j] < p_fast
            speed[i] = p.cd8_fast_um_min if fast else p.cd8_slow_um_min


def walk(model, population, held, field, bias, persistence, dt, *before) -> None:
    """One round of propose and grant for a population; `before` are steps that each row takes first."""
    c = population.col
    lattice = model.lattice
    step = dt / model.grid.dx_um
    args = (model.seed64, model.tick, lattice.geometry)
    wish = (c.uid, c.voxel, c.heading, c.speed, held, field, bias, persistence, step, *args, population.proposal, population.direction)
    team.rows(team.in_turn, population.n, *before, (propose, wish))
    with model.spares.one() as claim:
        grant(
            population.n, c.uid, c.voxel, c.heading, population.proposal, population.direction,
            lattice.immune_count, lattice.immune_capacity, model.seed64, model.tick, claim.view(np.int64),
        )  # fmt: skip


class Cd8Motility(Mechanism):
    """Searching CD8 walk every tick."""

    name = "motility"
    phase = Phase.INTERACT
    about = "CD8 search in slow and fast modes, biased up CXCL9/10"
    parameters = PARAMETERS
    reads = ("field.cxcl.concentration", "cd8.uid", "cd8.engaged")
    writes = ("cd8.voxel", "cd8.heading", "cd8.speed")
    adds = ("lattice.immune_count",)
    begins_with = "ferroptosis"

    def step(self, model) -> None:
        """Switch modes, then walk."""
        if model.cd8.n:
            c = model.cd8.col
            switch = (switch_mode, (c.uid, c.speed, self.p, self.dt, model.seed64, model.tick))
            walk(model, model.cd8, c.engaged, model.fields["cxcl"].seen, self.p.cd8_bias, self.p.persistence, self.dt, switch)


class SlowMotility(Mechanism):
    """Dendritic cells, Tregs and macrophages walk every 5 min."""

    name = "slow_motility"
    phase = Phase.INTERACT
    about = "dendritic cells, Tregs and macrophages walk"
    clock_min = 5.0
    reads = ("field.atp.concentration", "field.cxcl.concentration",
             *(f"{kind}.{column}" for kind in ("dendritic", "treg", "macrophage") for column in ("uid", "speed", "held")))  # fmt: skip
    adds = ("lattice.immune_count",)
    writes = tuple(f"{kind}.{column}" for kind in ("dendritic", "treg", "macrophage") for column in ("voxel", "heading"))
    begins_with = "killing"

    def __init__(self, model) -> None:
        super().__init__(model)
        self.p = PARAMETERS.build(model.config_for("motility"))

    def step(self, model) -> None:
        """Walk each population in a fixed order."""
        p = self.p
        for population, field, bias in (
            (model.dendritic, "atp", p.dc_bias),
            (model.treg, "cxcl", p.cd8_bias),
            (model.macrophage, "atp", 0.0),
        ):
            if population.n:
                c = population.col
                walk(model, population, c.held, model.fields[field].seen, bias, p.persistence, self.dt)
