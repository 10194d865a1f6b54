"""Amounts between cells and voxels: the volume rule, fixed-point deposits, gathers.

What many cells add to one voxel is counted in int64 units of `scale`, so that the sum is exact and does not
depend on the order of the cells.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial

COUNT_LIMIT = float(2**62)


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


@serial
def deposit(voxel, amount, n, scale, out):
    """Add `amount[i]` (i < n) to `out[voxel[i]]` (int64), in counts of `scale`; negative voxels are skipped.

    Returns False if an amount or a sum does not fit (the array is then incomplete: stop the run).
    """
    fits = True
    for i in range(n):
        v = voxel[i]
        if v < 0:
            continue
        counts = np.rint(amount[i] / scale)
        if not abs(counts) < COUNT_LIMIT:
            fits = False
            continue
        total = out[v] + np.int64(counts)
        if abs(total) >= np.int64(2**62):
            fits = False
            continue
        out[v] = total
    return fits


@serial
def gather(conc, voxel, n, out):
    """out[i] = conc[voxel[i]] for i < n; negative voxels (no place) read 0."""
    for i in range(n):
        v = voxel[i]
        out[i] = conc[v] if v >= 0 else 0.0


@serial
def counts_to_rate(counts, factor, out):
    """out = counts * factor, and the counts return to zero."""
    for i in range(np.uint64(counts.size)):
        out[i] = counts[i] * factor
        counts[i] = 0


@serial
def put(lo, hi, out, value):
    """out = value from `lo` to `hi`."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] = value


@serial
def add_counts(lo, hi, counts, factor, out):
    """out += counts * factor from `lo` to `hi`; the counts stay."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] += counts[i] * factor


@serial
def add_scaled(lo, hi, values, factor, out):
    """out += factor * values from `lo` to `hi`."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        out[i] += factor * values[i]


@serial
def collect(voxel, n, counts, per_count, out):
    """out += counts * per_count in the voxels of the first `n` cells, once each; the counts there return to zero."""
    for i in range(n):
        v = voxel[i]
        if counts[v] != 0:
            out[v] += counts[v] * per_count
            counts[v] = 0


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
