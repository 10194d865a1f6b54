"""Amounts between cells and voxels: the volume rule, and what many cells add to one voxel.

The latter is counted in whole units (int64), so that the sum is exact and does not depend on the order of the cells.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import rule, serial

COUNT_LIMIT = 2**56
_LIMIT = float(COUNT_LIMIT)


def cell_to_voxel(cell_um3: float, voxel_um3: float) -> float:
    """The volume rule: what a change of 1 uM inside a cell means for the voxel's concentration, uM.

    dc_voxel = dc_cell * V_cell / V_voxel. Every uptake, secretion and payload between cells and fields
    crosses with this factor. A cell larger than its voxel is refused.

        >>> cell_to_voxel(2000.0, 8000.0)
        0.25
    """
    if not 0.0 < cell_um3 <= voxel_um3:
        raise ValueError(f"a cell of {cell_um3:g} um^3 does not fit into a voxel of {voxel_um3:g} um^3")
    return cell_um3 / voxel_um3


@rule
def tally(counts, voxel, amount, scale):
    """Add `amount` to a voxel's count (int64) in units of 1/scale; what is no number or too large becomes COUNT_LIMIT.

    A hundred cells that share a voxel then still add up without going round, and `collect` and `fits` see it.
    """
    x = np.rint(amount * scale)
    counts[voxel] += np.int64(x) if abs(x) < _LIMIT else COUNT_LIMIT


@serial
def put(lo, hi, out, value):
    """out = value from `lo` to `hi`."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] = value


@serial
def add_scaled(lo, hi, values, factor, out):
    """out += factor * values from `lo` to `hi`."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] += factor * values[i]


@serial
def collect(voxel, n, counts, per_count, out):
    """out += counts * per_count in the voxels of the first `n` cells, once each; the counts there return to zero.

    Returns False where a count reaches COUNT_LIMIT.
    """
    good = True
    for i in range(n):
        v = voxel[i]
        if counts[v] != 0:
            good = good and abs(counts[v]) < COUNT_LIMIT
            out[v] += counts[v] * per_count
            counts[v] = 0
    return good


@serial
def fits(counts):
    """Whether all counts are below COUNT_LIMIT."""
    found = np.int64(0)
    for i in range(np.uint64(counts.size)):
        found += np.int64(abs(counts[i]) >= COUNT_LIMIT)
    return found == 0


@serial
def all_zero(values):
    """Whether every value is 0; looks little further than the first that is not."""
    for begin in range(0, values.size, 256):
        found = np.int64(0)
        for i in range(np.uint64(begin), np.uint64(min(begin + 256, values.size))):
            found += np.int64(values[i] != 0.0)
        if found:
            return False
    return True
