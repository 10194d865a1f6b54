"""The persistent random walk of OpenVT's reference model 01: straight on at one speed, with a new direction now and then.

    v = speed w/|w|      w = (1 - bias) xi + bias d      xi a random unit vector, d the direction of the bias

In a step of `step_min` a cell takes a new v with probability step_min/persistence_min, in every step where the persistence is shorter
than a step. Places are finer than the lattice: `off_x_um`, `off_y_um` from the centre of the cell's voxel. The voxel
follows where it has room, and walls hold cells back.

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
def walk(n, uid, vx, vy, off_x, off_y, speed, bias, direction, turn, h, steps, seed, tick):
    """`steps` steps of h min; `turn` the probability of a new direction in each."""
    for i in range(n):
        for k in range(steps):
            u, angle = uniform2(seed, _MOVE, tick, uid[i], k + 1)
            if u < turn or (vx[i] == 0.0 and vy[i] == 0.0):
                angle *= 2.0 * np.pi
                x = (1.0 - bias) * np.cos(angle) + bias * np.cos(direction)
                y = (1.0 - bias) * np.sin(angle) + bias * np.sin(direction)
                length = np.sqrt(x * x + y * y)
                if length > 0.0:
                    vx[i] = speed * x / length
                    vy[i] = speed * y / length
            off_x[i] += vx[i] * h
            off_y[i] += vy[i] * h


class PersistentWalk(Mechanism):
    """Walkers walk, in the plane of the slab."""

    name = "persistent_walk"
    phase = Phase.INTERACT
    about = "walkers go straight on at one speed and turn at random times"
    parameters = PARAMETERS
    clock_min = 10.0
    cell_columns = {"walker": (
        Column("off_x_um", "f8", "um", 0.0, "copy", "place from the centre of its voxel, along x"),
        Column("off_y_um", "f8", "um", 0.0, "copy", "place from the centre of its voxel, along y"),
        Column("v_x", "f8", "um/min", 0.0, "copy", "velocity along x"),
        Column("v_y", "f8", "um/min", 0.0, "copy", "velocity along y"),
    )}  # fmt: skip
    reads = ("walker.uid",)
    writes = ("walker.voxel", "walker.off_x_um", "walker.off_y_um", "walker.v_x", "walker.v_y")
    adds = ("lattice.immune_count",)

    def step(self, model):
        """One clock interval."""
        c, n, p = model.walker.col, model.walker.n, self.p
        steps = max(1, round(self.dt / p.step_min))
        h = self.dt / steps
        turn = min(1.0, h / p.persistence_min) if p.persistence_min > 0.0 else 1.0
        walk(n, c.uid, c.v_x, c.v_y, c.off_x_um, c.off_y_um, p.speed, p.bias, p.direction, turn, h, steps, model.seed64, model.tick)
        self.follow(model, c, n)

    def follow(self, model, c, n):
        """Move cells into the voxels that they have reached, where there is room; in the order of their uids."""
        grid, count = model.grid, model.lattice.immune_count
        x, y, z = model.lattice.position_um(c.voxel[:n])
        x_new = np.clip(x + c.off_x_um[:n], 0.0, grid.nx * grid.dx_um * (1.0 - 1e-9))
        y_new = np.clip(y + c.off_y_um[:n], 0.0, grid.ny * grid.dx_um * (1.0 - 1e-9))
        reached = ((z / grid.dx_um).astype(np.int64) * grid.ny + (y_new / grid.dx_um).astype(np.int64)) * grid.nx + (x_new / grid.dx_um).astype(np.int64)
        order = np.argsort(c.uid[:n], kind="stable")
        for i in order[reached[order] != c.voxel[order]]:
            if count[reached[i]] < model.lattice.immune_capacity:
                count[c.voxel[i]] -= 1
                count[reached[i]] += 1
                c.voxel[i] = reached[i]
        x, y, _ = model.lattice.position_um(c.voxel[:n])
        c.off_x_um[:n], c.off_y_um[:n] = x_new - x, y_new - y


PLUGINS = (PersistentWalk,)
