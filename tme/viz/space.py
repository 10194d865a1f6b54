"""Where things lie: which snapshots to show, lattice positions, the tumour's region and its edge."""

from __future__ import annotations

import numpy as np

from tme.spatial.margin import CLOSING_UM, closed
from tme.spatial.margin import signed_distance as of_mask
from tme.viz.load import Missing, Run

MIN_PART = 0.03  # islands smaller than this share of the tumour do not move the edge


def typical_replicates(run: Run) -> dict[str, int]:
    """One replicate number for all arms: the one whose final tumours lie nearest to each arm's mean."""
    with_files = {a: [r for r in run.replicates(a) if run.hours(a, r)] for a in run.arms}
    sets = [set(v) for v in with_files.values() if v]
    if not sets:
        raise Missing("no cells_<hour>.h5ad snapshots")
    common = sorted(set.intersection(*sets)) or sorted(sets[0])
    best = common[0]
    if run.has("tumour_alive") and len(common) > 1:
        finals = [run.at(a, "tumour_alive") for a in run.arms if with_files[a]]
        offs = [
            sum(abs(np.log((f[r] + 1) / (f.mean() + 1))) if r in f else 9.0 for f in finals) for r in common
        ]
        best = common[int(np.argmin(offs))]
    return {a: best if best in found else found[0] for a, found in with_files.items() if found}


def pick_hours(run: Run, hours: list[float], n: int = 4) -> list[float]:
    """Up to n snapshot hours: treatment start, a day after the first dose, the middle, the last."""
    if len(hours) <= n:
        return hours
    doses = [d for _, days in run.dose_days for d in days]
    first = 24 * min(doses, default=0)
    wanted = [first, first + 24, (first + hours[-1]) / 2, hours[-1]]
    return sorted({hours[int(np.argmin([abs(h - w) for h in hours]))] for w in wanted[:n]})


def voxel_of(cells: dict[str, np.ndarray], dx: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lattice indices (iz, iy, ix) of cell positions in um."""
    iz, iy, ix = (np.floor(np.asarray(cells[a], float) / dx + 1e-6).astype(np.int64) for a in "zyx")
    return iz, iy, ix


def lattice_shape(run: Run, cells: dict[str, np.ndarray], dx: float) -> tuple[int, int, int]:
    """Lattice shape from the fields, else from the furthest cell."""
    shape, _ = run.lattice
    if shape:
        return shape
    nz, ny, nx = (int(v.max(initial=0)) + 1 for v in voxel_of(cells, dx))
    return nz, ny, nx


def tumour_region(cells: dict[str, np.ndarray], shape: tuple[int, int, int], dx: float) -> np.ndarray:
    """The tumour as a filled region (nz, ny, nx): tumour cells and corpses, gaps up to 120 um closed, as `tme spatial` does."""
    iz, iy, ix = voxel_of(cells, dx)
    mine = (np.asarray(cells["cell_type"]) == "tumour") & (ix >= 0) & (iy >= 0) & (iz >= 0)
    mine &= (ix < shape[2]) & (iy < shape[1]) & (iz < shape[0])
    mask = np.zeros(shape, bool)
    mask[iz[mine], iy[mine], ix[mine]] = True
    if not mask.any():
        return mask
    steps = max(round(CLOSING_UM / dx), 1)
    window = box_of(mask, 2 * steps + 3)  # farther from the tumour nothing is closed
    mask[window] = closed(mask[window], steps, MIN_PART)
    return mask


def box_of(mask: np.ndarray, margin: int) -> tuple[slice, ...]:
    """The box that holds all of a mask, and a margin."""
    out = []
    for axis, n in enumerate(mask.shape):
        used = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        out.append(slice(max(0, int(used[0]) - margin), min(n, int(used[-1]) + 1 + margin)))
    return tuple(out)


def signed_distance(region: np.ndarray, dx: float) -> np.ndarray:
    """Distance (um) of each voxel's centre from the region's edge; negative inside."""
    return of_mask(region, dx)
