"""A field without memory that only its sources feed is solved around them; beyond, it is nothing.

The pane is the box of the sources and a margin of no-flux voxels; where more than the field's tolerance
reaches its edge, the margin grows and it is solved again. What is cut off so stays below `tol` times the
field's greatest value.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tme.core.grid import Grid
from tme.kernels.jit import serial

STEP = 16  # voxels; panes begin and end at multiples of it, so that few shapes occur
SMALL = 4096  # voxels below which a pane saves nothing
WORTH = 0.6  # share of the lattice up to which it does


@serial
def box_of(source, nz, ny, nx, box):
    """First and last index along z, y, x of what is not 0 in `source`, into box (3, 2); False if all is 0."""
    box[:, 0] = nz + ny + nx
    box[:, 1] = -1
    for z in range(nz):
        for y in range(ny):
            o = (z * ny + y) * nx
            full = np.int64(0)
            for x in range(np.uint64(nx)):
                full += np.int64(source[np.uint64(o) + x] != 0.0)
            if full == 0:
                continue
            first, last = 0, nx - 1
            while source[o + first] == 0.0:
                first += 1
            while source[o + last] == 0.0:
                last -= 1
            box[0, 0], box[0, 1] = min(box[0, 0], z), max(box[0, 1], z)
            box[1, 0], box[1, 1] = min(box[1, 0], y), max(box[1, 1], y)
            box[2, 0], box[2, 1] = min(box[2, 0], first), max(box[2, 1], last)
    return box[0, 1] >= 0


def around(box: np.ndarray, margin: int, shape: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """The box and a margin, out to multiples of STEP, inside the lattice."""
    lo = np.maximum((box[:, 0] - margin) // STEP * STEP, 0)
    hi = np.minimum(-(-(box[:, 1] + 1 + margin) // STEP) * STEP, shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(lo, hi))  # type: ignore[return-value]


def solve(field: Any, workspace: Any) -> int:
    """The steady state of `field` from a pane of its lattice, in place; cycles used, -1 where it saves nothing."""
    grid = field.grid
    box = np.empty((3, 2), np.int64)
    if not box_of(field.source, *grid.shape, box):
        field.concentration[:] = 0.0
        return 0
    sink = field.decay + (0.0 if field.loss is None else float(field.loss.mean()))
    if sink <= 0.0:
        return -1
    reach = math.sqrt(field.diffusion / sink) / grid.dx_um
    margin = math.ceil(reach * math.log(1.0 / field.tol))
    while True:
        cut = around(box, margin, grid.shape)
        shape = tuple(s.stop - s.start for s in cut)
        if math.prod(shape) > WORTH * grid.n_voxels:
            return -1
        part, cycles = _solve_part(field, cut, shape, workspace)
        if _at_edge(part, cut, grid.shape) <= field.tol * part.max():
            break
        margin += margin // 2 + 1
    field.concentration[:] = 0.0
    field.concentration.reshape(grid.shape)[cut] = part
    return cycles


def _solve_part(field: Any, cut: Any, shape: Any, workspace: Any) -> tuple[np.ndarray, int]:
    """The field alone in the part `cut` of its lattice, from its own values there."""
    grid, part = field.grid, field.part
    if part is None or part.grid.shape != shape:
        small = Grid(shape, grid.dx_um, grid.thickness_um)
        part = type(field)(field.name, field.unit, small, field.diffusion, field.decay, field.clock_ticks, field.mode,
                           max_cycles=field.max_cycles, outer=field.outer)  # fmt: skip
        part.pane, field.part = False, part
    part.mode, part.tol = field.mode, field.tol
    for name in ("concentration", "loss", "source"):
        values = getattr(field, name)
        if values is not None:
            target = part.concentration if name == "concentration" else part.use(name)
            target.reshape(shape)[:] = values.reshape(grid.shape)[cut]
    cycles = part.advance(1.0, workspace.of(shape))
    return part.concentration.reshape(shape), cycles


def _at_edge(part: np.ndarray, cut: Any, shape: tuple[int, int, int]) -> float:
    """The greatest value in the pane's outermost voxels, walls of the lattice itself left out."""
    most = 0.0
    for axis in range(3):
        if cut[axis].start > 0:
            most = max(most, float(part.take(0, axis).max()))
        if cut[axis].stop < shape[axis]:
            most = max(most, float(part.take(-1, axis).max()))
    return most
