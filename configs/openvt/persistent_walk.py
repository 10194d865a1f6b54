"""The persistent random walk of OpenVT's reference model 01: straight on at one speed, with a new direction now and then.

    v = speed w/|w|      w = (1 - bias) xi + bias d      xi a random unit vector, d the direction of the bias

In a step of `step_min` a cell takes a new v with probability step_min/persistence_min, in every step where the persistence is shorter
than a step. Places are finer than the lattice: `in_x_um`, `in_y_um` from the corner of the cell's voxel. A cell goes into the
next voxel where that has room, else it waits at the border; so do walls hold cells back.

Source: MODEL004 of OpenVT (https://github.com/tjsego/PersistentCell, schemas/models.md), which is equation 9 of Ghaffarizadeh et al.
2018, doi 10.1371/journal.pcbi.1005991; numbers of its experiment E2 (experiments/E2/model004/input.json).
"""

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.population import Column
from tme.kernels.jit import serial
from tme.kernels.rng import Stream, uniform2

_MOVE = int(Stream.MOVE)  # free: these cells do not walk on the lattice
_E2 = "chosen: E2/MODEL004 of OpenVT, 10.1371/journal.pcbi.1005991 eq. 9"
PARAMETERS = ParameterSet(
    "persistent_walk",
    par("speed", 0.1, "um/min", 0.0, 20.0, _E2),
    par("bias", 0.5, "1", 0.0, 1.0, _E2, "0 anywhere, 1 along the direction of the bias"),
    par("direction", 0.0, "rad", -7.0, 7.0, _E2, "of the bias, from the x axis"),
    par("persistence_min", 0.0, "min", 0.0, 1e6, _E2, "mean time on one course; 0: a new one in each step"),
    par("step_min", 0.1, "min", 1e-3, 10.0, "chosen: PhysiCell's time step of mechanics, which E2 leaves open", "a step of the walk"),
)


@serial
def walk(n, uid, course, x, y, middle, speed, bias, direction, turn, h, steps, seed, tick):
    """`steps` steps of h min; `turn` the probability of a new course in each. A cell without a course begins at `middle` of its voxel."""
    for i in range(n):
        if course[i] == 0.0:
            x[i] = y[i] = middle
        for k in range(steps):
            u, angle = uniform2(seed, _MOVE, tick, uid[i], k + 1)
            if u < turn or course[i] == 0.0:
                angle *= 2.0 * np.pi
                along = (1.0 - bias) * np.sin(angle) + bias * np.sin(direction)
                angle = np.arctan2(along, (1.0 - bias) * np.cos(angle) + bias * np.cos(direction))
                course[i] = angle if angle > 0.0 else angle + 2.0 * np.pi
            x[i] += speed * np.cos(course[i]) * h
            y[i] += speed * np.sin(course[i]) * h


class PersistentWalk(Mechanism):
    """Walkers walk, in the plane of the slab."""

    name = "persistent_walk"
    phase = Phase.INTERACT
    about = "walkers go straight on at one speed and turn at random times"
    parameters = PARAMETERS
    clock_min = 10.0
    cell_columns = {"walker": (
        Column("course", "f8", "rad", 0.0, "copy", "direction of its walk from the x axis, above 0 to 2 pi; 0 before the first step"),
        Column("in_x_um", "f8", "um", 0.0, "copy", "place from the corner of its voxel, along x"),
        Column("in_y_um", "f8", "um", 0.0, "copy", "place from the corner of its voxel, along y"),
    )}  # fmt: skip
    reads = ("walker.uid",)
    writes = ("walker.voxel", "walker.course", "walker.in_x_um", "walker.in_y_um")
    adds = ("lattice.immune_count",)

    def step(self, model):
        """One clock interval."""
        c, n, p = model.walker.col, model.walker.n, self.p
        steps = max(1, round(self.dt / p.step_min))
        h, dx = self.dt / steps, model.grid.dx_um
        turn = min(1.0, h / p.persistence_min) if p.persistence_min > 0.0 else 1.0
        x, y, z = model.lattice.position_um(c.voxel[:n])
        in_x, in_y = c.in_x_um[:n].copy(), c.in_y_um[:n].copy()
        walk(n, c.uid, c.course, in_x, in_y, 0.5 * dx, p.speed, p.bias, p.direction, turn, h, steps, model.seed64, model.tick)
        self.place(model, c, np.array([x - 0.5 * dx + in_x, y - 0.5 * dx + in_y, z]))

    def place(self, model, c, at):
        """Put cells at (3, n) um: into the voxel there if it has room, else as near as their own goes; in the order of their uids."""
        grid, count = model.grid, model.lattice.immune_count
        dx, n = grid.dx_um, at.shape[1]
        size = np.array([[grid.nx], [grid.ny], [grid.nz]])
        at = np.clip(at, 0.0, size * dx * (1.0 - 1e-12))
        x, y, z = np.minimum((at / dx).astype(np.int64), size - 1)
        reached = (z * grid.ny + y) * grid.nx + x
        order = np.argsort(c.uid[:n], kind="stable")
        for i in order[reached[order] != c.voxel[order]]:
            if count[reached[i]] < model.lattice.immune_capacity:
                count[c.voxel[i]] -= 1
                count[reached[i]] += 1
                c.voxel[i] = reached[i]
        corner = np.array(model.lattice.position_um(c.voxel[:n]))[:2] - 0.5 * dx
        c.in_x_um[:n], c.in_y_um[:n] = np.clip(at[:2] - corner, 1e-9, dx)


PLUGINS = (PersistentWalk,)
