"""What sits where: tissue cells (one per voxel), immune cells (up to a capacity), and scratch space.

`tissue_row` holds the row of the tumour cell in each voxel, or one of the marks below. It and `immune_count` are functions of the populations' voxel columns; they are kept up to date
by whatever moves a cell and rebuilt after rows move. `hole` marks voxels whose corpse was cleared and that have not closed yet
(`mechanisms.room`), `surface` is the signed distance from the surface of the tissue as of the last `measure_surface`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt, label

from tme.core.grid import Grid
from tme.kernels.neighbours import count_rows, mark_blocks, read_blocks
from tme.kernels.room import CLAIMED, FIRM, FREE, NOWHERE, YIELDING, squared_distance

__all__ = ["CLAIMED", "FIRM", "FREE", "YIELDING", "Lattice"]

SHELL = 3  # voxels outside the tissue to which the distance from its surface is told apart


class Lattice:
    """Occupancy of a `Grid`."""

    def __init__(self, grid: Grid, immune_capacity: int) -> None:
        self.grid = grid
        n = grid.n_voxels
        self.geometry = (*grid.shape, *(int(p) for p in grid.periodic))
        self.immune_capacity = immune_capacity
        self.tissue_row = np.full(n, -1, np.int32)
        self.immune_count = np.zeros(n, np.int8)
        self.hole = np.zeros(n, np.int8)
        self.surface = np.full(n, NOWHERE)
        self.gap = 0.0  # radius, voxels: gaps in the tissue that are narrower than twice this are holes; 0: none is
        self.path = np.empty(sum(grid.shape) + 1, np.int64)  # scratch of walks
        self.others: tuple[Any, ...] = ()  # populations of tissue other than the tumour
        self._depth: tuple[int, np.ndarray, np.ndarray] | None = None

    def position_um(self, voxel: np.ndarray | int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Centres of voxels in um as (x, y, z)."""
        _nz, ny, nx = self.grid.shape
        v = np.asarray(voxel, np.int64)
        dx = self.grid.dx_um
        return (v % nx + 0.5) * dx, ((v // nx) % ny + 0.5) * dx, (v // (nx * ny) + 0.5) * dx

    def rebuild_tissue(self, voxel: np.ndarray, n: int) -> None:
        """Recount which tumour row sits in which voxel, and where other tissue is."""
        count_rows(voxel, n, self.tissue_row)
        for population in self.others:
            self.tissue_row[population.voxel] = YIELDING if population.entry.yields else FIRM

    def rebuild_immune(self, voxels: list[np.ndarray]) -> None:
        """Recount immune cells per voxel from the live voxel columns of all immune populations."""
        total = np.zeros(self.grid.n_voxels, np.int64)
        for v in voxels:
            total += np.bincount(v, minlength=self.grid.n_voxels)
        self.immune_count[:] = total

    def leave_holes(self, voxels: np.ndarray) -> None:
        """Corpses were cleared from these voxels."""
        self.hole[voxels] = 1

    def measure_surface(self) -> None:
        """`surface` of the tissue as it is now, voxels: positive inside, holes included, negative outside; see `kernels.room`.

        In a compact tumour it is also decided anew which voxels without tissue are holes.
        """
        room = (self.tissue_row == FREE) | (self.tissue_row == YIELDING)
        if self.gap > 0.0:
            self.hole[:] = (self.tissue_row == FREE) & ~self._reached(room.reshape(self.grid.shape)).ravel()
        outside = (room & (self.hole == 0)).reshape(self.grid.shape)
        if not outside.any():
            outside = room.reshape(self.grid.shape)  # nothing but holes: they are all the room there is
        if outside.all() or not outside.any():
            self.surface[:] = -SHELL if outside.all() else NOWHERE
            return
        cut = self._box(~outside, SHELL)
        box = outside[cut]
        self.surface[:] = -SHELL
        self.surface.reshape(self.grid.shape)[cut] = np.where(box, -np.minimum(self._distance(~box), SHELL), self._distance(box))

    def _box(self, of: np.ndarray, margin: int) -> tuple[slice, ...]:
        """The box around some voxels with a margin; all of a periodic axis."""
        return tuple(
            slice(None) if periodic else slice(max(int(at[0]) - margin, 0), int(at[-1]) + margin + 1)
            for at, periodic in zip((np.flatnonzero(of.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))), self.grid.periodic)
        )

    def _reached(self, room: np.ndarray) -> np.ndarray:
        """Voxels of `room` that a ball of radius `gap`, coming from afar, covers somewhere, bool; all of them where there is no other.

        A pit of one voxel is roughness, no gap. So a cleft, a pocket and a cavity behind a cleft are not reached.
        """
        if room.all() or not room.any():
            return room
        far = ceil(self.gap) + 2
        cut = self._box(~room, far)
        walls = [(0, 0) if n == 1 or periodic else (far, far) for n, periodic in zip(room.shape, self.grid.periodic)]
        box = np.pad(room[cut], walls, constant_values=True)  # beyond a wall of the domain there is no tissue
        part, _ = label(self._distance(~box) > self.gap)
        faces = [np.unique(np.take(part, end, axis)) for axis, n in enumerate(room.shape) if n > 1 for end in (0, -1)]
        afar = np.unique(np.concatenate(faces))
        centres = np.isin(part, afar[afar > 0])
        within = tuple(slice(before, before + n) for (before, _), n in zip(walls, room[cut].shape))
        reached = room.copy()
        if centres.any():
            reached[cut] &= (self._distance(centres) <= self.gap + 1.0)[within]
        else:
            reached[cut] = False
        return reached

    def _distance(self, to: np.ndarray) -> np.ndarray:
        """Distance of every voxel of a box to the nearest of `to`."""
        d = np.where(to, 0.0, 1e18)
        squared_distance(d.reshape(-1), to.shape, self.grid.periodic)
        return np.sqrt(d)

    def depth_um(self, closing: int = 2) -> np.ndarray:
        """Signed distance of every voxel (flat) from the tumour's edge in um: positive inside.

        The tumour is the set of voxels holding tissue, closed over gaps of `closing` voxels. The array is kept
        until the tissue has changed or `forget` is called, and read-only.
        """
        tissue = self.tissue_row >= 0
        if self._depth is None or self._depth[0] != closing or not np.array_equal(self._depth[1], tissue):
            found = self._of_tissue(self._depth_of, closing)
            found.flags.writeable = False
            self._depth = (closing, tissue, found)
        return self._depth[2]

    def beside(self, these: np.ndarray, voxels: np.ndarray, reach_um: float) -> np.ndarray:
        """Which of `voxels` (m,) are near one of `these` (n,), (m,) bool: in the same block of side `reach_um` or one beside it.

        Coarser than `depth_um`, and so cheap that it serves in every tick: one pass through `these`.
        """
        side = np.int32(max(ceil(reach_um / self.grid.dx_um - 1e-9), 1))
        near = np.zeros([-(-n // int(side)) for n in self.grid.shape], bool)
        mark_blocks(these, self.grid.shape, side, near)
        for axis, periodic in enumerate(self.grid.periodic):
            here = np.moveaxis(near, axis, 0)  # a view
            before = here.copy()
            here[1:] |= before[:-1]
            here[:-1] |= before[1:]
            if periodic:
                here[0] |= before[-1]
                here[-1] |= before[0]
        found = np.empty(len(voxels), bool)
        read_blocks(voxels, self.grid.shape, side, near, found)
        return found

    def forget(self) -> None:
        """Let go of what `depth_um` kept."""
        self._depth = None

    def _of_tissue(self, measure: Callable[[np.ndarray, int], np.ndarray], closing: int) -> np.ndarray:
        """`measure` of the tissue (flat), to which half of every periodic axis is added at both ends: no nearest voxel lies farther."""
        tissue = (self.tissue_row >= 0).reshape(self.grid.shape)
        if not any(self.grid.periodic):
            return measure(tissue, closing).ravel()
        around = [(n // 2, n // 2) if periodic else (0, 0) for n, periodic in zip(self.grid.shape, self.grid.periodic)]
        found = measure(np.pad(tissue, around, mode="wrap"), closing)
        return np.ascontiguousarray(found[tuple(slice(before, before + n) for (before, _), n in zip(around, self.grid.shape))]).ravel()

    def _depth_of(self, tissue: np.ndarray, closing: int) -> np.ndarray:
        inside = self._inside(tissue, closing)
        if np.isinf(inside).all() or not tissue.any():
            return np.where(inside > 0.0, np.inf, -np.inf)
        outside = distance_transform_edt(inside == 0.0) * self.grid.dx_um
        return np.where(inside > 0.0, inside, -outside)

    def inside_um(self, closing: int = 2) -> np.ndarray:
        """`depth_um` where that is positive, 0 elsewhere; much cheaper for a small tumour in a large domain."""
        return self._of_tissue(self._inside, closing)

    def _inside(self, tissue: np.ndarray, closing: int) -> np.ndarray:
        """Distance of each voxel inside the closed tumour from what is outside, um; 0 outside."""
        out = np.zeros(tissue.shape)
        if tissue.any():
            # distances within the tumour end at its rim, so its box and a margin hold all that matters
            cut = tuple(
                slice(max(int(at.min()) - closing - 1, 0), int(at.max()) + closing + 2)
                for at in np.nonzero(tissue)
            )
            box = tissue[cut]
            near = distance_transform_edt(~box) <= closing if not box.all() else box
            mask = box | (near if near.all() else distance_transform_edt(near) > closing)
            whole = mask.all() and mask.shape == tissue.shape
            out[cut] = np.inf if whole else distance_transform_edt(mask) * self.grid.dx_um
        return out
