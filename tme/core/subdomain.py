"""Subdomains: a steady field that only its sources feed is solved in a box around them, and is 0 outside.

The subdomain is the bounding box of the sources plus a margin, with no-flux walls. If the value at its edge exceeds the
field's tolerance, relative to the maximum, the margin grows and the field is solved again. The values cut off are
therefore below `tol` times the maximum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tme.core.grid import Grid
from tme.kernels.jit import serial

STEP = 16  # voxels; subdomains begin and end at multiples of it, so that few shapes occur
MIN_VOXELS = 4096  # voxels of the lattice below which a subdomain saves nothing
MAX_SHARE = 0.6  # share of the lattice up to which a subdomain is faster


@serial
def bounding_box(source, nz, ny, nx, box):
    """First and last index along z, y, x of the nonzero entries of `source`, into box (3, 2); False if all are 0."""
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


def padded(box: np.ndarray, margin: int, shape: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """The bounding box plus a margin, rounded out to multiples of STEP, clipped to the lattice."""
    lo = np.maximum((box[:, 0] - margin) // STEP * STEP, 0)
    hi = np.minimum(-(-(box[:, 1] + 1 + margin) // STEP) * STEP, shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(lo, hi))  # type: ignore[return-value]


def solve(field: Any, workspace: Any) -> int:
    """Steady state of `field`, in place, solved in a subdomain; returns the cycles used, -1 where a subdomain saves nothing."""
    grid = field.grid
    box = np.empty((3, 2), np.int64)
    if not bounding_box(field.source, *grid.shape, box):
        field.concentration[:] = 0.0
        return 0
    sink = field.decay + (0.0 if field.loss is None else float(field.loss.mean()))
    sink += 0.0 if field.vmax is None else float(field.vmax.mean()) / field.k_m  # far from sources, where there is little
    if sink <= 0.0:
        return -1
    length = math.sqrt(field.diffusion / sink) / grid.dx_um  # voxels
    margin = math.ceil(length * math.log(1.0 / field.tol))
    while True:
        cut = padded(box, margin, grid.shape)
        shape = tuple(s.stop - s.start for s in cut)
        if math.prod(shape) > MAX_SHARE * grid.n_voxels:
            return -1
        part, cycles = _solve_within(field, cut, shape, workspace)
        if _at_edge(part, cut, grid.shape) <= field.tol * part.max():
            break
        margin += margin // 2 + 1
    field.concentration[:] = 0.0
    field.concentration.reshape(grid.shape)[cut] = part
    return cycles


def _solve_within(field: Any, cut: Any, shape: Any, workspace: Any) -> tuple[np.ndarray, int]:
    """Solve the field in the part `cut` of its lattice, starting from its present values there."""
    grid, part = field.grid, field.subdomain
    if part is None or part.grid.shape != shape:
        small = Grid(shape, grid.dx_um, grid.thickness_um)
        part = type(field)(field.name, field.unit, small, field.diffusion, field.decay, field.clock_ticks, field.mode,
                           max_cycles=field.max_cycles, outer=field.outer, k_m=field.k_m)  # fmt: skip
        part.allow_subdomain, field.subdomain = False, part
    part.mode, part.tol = field.mode, field.tol
    for name in ("concentration", "loss", "source", "vmax"):
        values = getattr(field, name)
        if values is not None:
            target = part.concentration if name == "concentration" else part.use(name)
            target.reshape(shape)[:] = values.reshape(grid.shape)[cut]
    cycles = part.advance(1.0, workspace.of(shape))
    return part.concentration.reshape(shape), cycles


def _at_edge(part: np.ndarray, cut: Any, shape: tuple[int, int, int]) -> float:
    """Greatest value in the outermost voxels of the subdomain, except at walls of the lattice itself."""
    most = 0.0
    for axis in range(3):
        if cut[axis].start > 0:
            most = max(most, float(part.take(0, axis).max()))
        if cut[axis].stop < shape[axis]:
            most = max(most, float(part.take(-1, axis).max()))
    return most
