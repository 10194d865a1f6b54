"""Amounts between cells, vessels and voxels, stated once; and what many cells add to one voxel.

    a change of 1 uM inside a cell      V_cell/V_voxel uM of the voxel                           `cell_to_voxel`
    a rate per cell                     holds in TISSUE_UM3, the tissue that belongs to a tumour cell (it and what lies
                                        between cells); in a voxel it is times TISSUE_UM3/V_voxel    `per_cell`
    a rate per vessel                   holds for VESSEL_UM of vessel in VESSEL_UM3; in a voxel it is times
                                        VESSEL_UM3/V_voxel and the length there over VESSEL_UM     `per_vessel`
    molecules per second                physical, over V_voxel
    a histologist's count per mm^2      N (slab)/(section + cell diameter) per mm^2 of a slab      `in_slab`

So what a cell or a mm of vessel takes or gives does not depend on the voxel. One thing stays per voxel: the peroxide
signal S, which passes from a cell to the next.

What many cells add to one voxel is counted in whole units (int64), so that the sum is exact and does not depend on the order of the cells.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import rule, serial

TISSUE_UM3 = 3375.0  # um^3 of tissue per tumour cell, a cube of 15 um: the tissue for which rates per cell are stated
VESSEL_UM, VESSEL_UM3 = 20.0, 8000.0  # the length of vessel and the tissue around it for which rates per vessel are stated
SECTION_UM = 5.0  # thickness of a histological section
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


def per_cell(voxel_um3: float) -> float:
    """What rates per cell are multiplied by in a voxel of this volume.

    >>> per_cell(3375.0), per_cell(8000.0)
    (1.0, 0.421875)
    """
    return TISSUE_UM3 / voxel_um3


def per_vessel(voxel_um3: float) -> float:
    """What rates per vessel, for VESSEL_UM of it, are multiplied by in a voxel of this volume.

    >>> per_vessel(8000.0)
    1.0
    """
    return VESSEL_UM3 / voxel_um3


def in_slab(cell_um3: float, slab_um: float) -> float:
    """Cells of a volume in a slab of tissue, per one that a section of SECTION_UM shows.

    A section shows every sphere whose centre lies within half a diameter of it (Abercrombie 1946, Anat Rec 94:239).

        >>> round(in_slab(180.0, 15.0), 3)
        1.25
    """
    diameter = (6.0 * cell_um3 / np.pi) ** (1.0 / 3.0)
    return float(slab_um / (SECTION_UM + diameter))


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
