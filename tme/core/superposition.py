"""Choice between solving a steady field of uniform loss and adding the Green's functions of its sources, by cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.kernels import threads
from tme.kernels.greens_function import GreensFunction, ShortRangeCorrection, coarse_coupling, radius
from tme.kernels.superpose import (
    add_correction,
    add_truncated,
    add_untruncated,
    clear_support,
    clip_negative,
    deposit_coarse,
    interpolate_cubic,
    list_sources,
)

MAX_ENTRIES_PER_VOXEL = 16  # entries of Green's functions per voxel of the lattice, up to which adding is faster than solving
ENTRIES_ALWAYS_CHEAP = 16 * 73**2  # entries up to which it is faster on any lattice
MAX_RADIUS = 40  # voxels; a larger radius is slower than solving on any lattice that fits into memory
MIN_SHARED_SOURCES = 256  # sources from which on several threads share the work
COARSE_COST = 4  # cost of the coarse field, in entries per voxel of the lattice
CORRECTION_COST = 0.4  # cost of one entry of a short-range correction, in entries


class Superposition:
    """Sum of the Green's functions of one field's sources; on 3D lattices of even axes also of short-range corrections to a coarse field.

    The method depends on the number of sources alone, and neither method starts from the previous concentration.
    """

    def __init__(self, field: Any) -> None:
        grid = field.grid
        self.grid, self.wrap, self.wrapped = grid, np.array(grid.periodic, np.bool_), any(grid.periodic)
        k, self.sink, self.tol = float(field.diffusion) / grid.dx_um**2, field.decay, field.tol
        self.k = k
        self.feasible = min(grid.shape) == 1 or radius(k, self.sink, self.tol) <= MAX_RADIUS
        self.greens = GreensFunction(grid.shape, k, self.sink, self.tol) if self.feasible else None
        self.support: np.ndarray | None = None  # sources within whose radius alone the field is not 0
        half = grid.halved() if self.feasible and min(grid.shape) > 1 and coarse_coupling(k, self.sink) > 0.0 else None
        self.correction = ShortRangeCorrection(k, self.sink, self.tol) if half is not None else None
        self.pane = self.correction.pane(grid.nx) if self.correction is not None else None
        self.most = self._most()
        self.coarse: Any = None
        if half is not None:
            self.coarse = type(field)(field.name, field.unit, half, coarse_coupling(k, self.sink) * half.dx_um**2, self.sink,
                                   mode="quasi_steady", tol=self.tol, max_cycles=field.max_cycles)  # fmt: skip
            self.coarse.allow_superposition = False
            self.coarse.use("source")

    def way(self, count: int) -> str:
        """Method for `count` sources: "direct" (whole Green's functions), "coarse" (coarse field and corrections), "" where a solver is cheaper."""
        if self.greens is None:
            return ""
        n, direct = self.grid.n_voxels, count * self.greens.size
        with_coarse = COARSE_COST * n + CORRECTION_COST * count * self.correction.size if self.correction is not None else direct
        if min(direct, with_coarse) > max(MAX_ENTRIES_PER_VOXEL * n, ENTRIES_ALWAYS_CHEAP):
            return ""
        return "direct" if direct <= with_coarse else "coarse"

    def _most(self) -> int:
        """So many sources that a solver is cheaper, or all voxels."""
        if self.greens is None:
            return 0
        size = min(self.greens.size, CORRECTION_COST * self.correction.size) if self.correction is not None else self.greens.size
        return min(int(max(MAX_ENTRIES_PER_VOXEL * self.grid.n_voxels, ENTRIES_ALWAYS_CHEAP) / size) + 1, self.grid.n_voxels)

    def solve(self, field: Any, workspace: Any) -> bool:
        """Fill the field's concentration; False, and nothing done, where a solver is cheaper."""
        voxels = field.source_voxels
        if voxels is None:  # listed no further than to where a solver is cheaper
            voxels = np.empty(self.most, np.int64)
            voxels = voxels[: list_sources(field.source, voxels)]
        way = self.way(len(voxels))
        if way:
            self.add(field, voxels, way, workspace)
        return way != ""

    def add(self, field: Any, voxels: np.ndarray, way: str, workspace: Any) -> None:
        """Fill the field's concentration by one of the methods from the sources in `voxels` (m,) int64."""
        if way == "direct":
            self._direct(field, voxels)
        else:
            self._with_coarse_field(field, voxels, workspace)

    def _direct(self, field: Any, voxels: np.ndarray) -> None:
        """Add the Green's function of every source."""
        c, shape, greens = field.concentration, self.grid.shape, self.greens
        assert greens is not None
        if self.support is None:
            c[:] = 0.0
        else:
            self._on_rows(clear_support, self.support, greens.radius, shape, c)
        if len(voxels):
            if greens.once and not self.wrapped:
                self._on_rows(add_untruncated, voxels, field.source, greens.values, greens.radius, shape, c)
            else:
                self._on_rows(add_truncated, voxels, field.source, greens.values, greens.half, greens.radius, shape, self.wrap, c)
        self.support = None if self.wrapped else field.source_voxels

    def _with_coarse_field(self, field: Any, voxels: np.ndarray, workspace: Any) -> None:
        """Interpolate the coarse field and add the short-range correction of every source."""
        c, shape, coarse, correction = field.concentration, self.grid.shape, self.coarse, self.correction
        assert correction is not None and self.pane is not None
        coarse.source[:] = 0.0
        coarse.concentration[:] = 0.0
        deposit_coarse(voxels, field.source, shape, self.wrap, coarse.source)
        coarse.advance(1.0, workspace.half())
        if self.grid.n_voxels >= threads.MIN_ROWS:
            threads.over_blocks(interpolate_cubic, self.grid.nz, coarse.concentration, c, shape, self.wrap)
        else:
            interpolate_cubic(0, self.grid.nz, coarse.concentration, c, shape, self.wrap)
        self._on_rows(add_correction, voxels, field.source, correction.radius, shape, self.wrap, *self.pane, correction.layers, correction.packed, c)
        threads.over_rows(clip_negative, len(c), c)
        self.support = None

    def _on_rows(self, kernel: Any, voxels: np.ndarray, *rest: Any) -> None:
        """Call the kernel on all rows of the lattice, on several threads where voxels are many."""
        n_rows = self.grid.nz * self.grid.ny
        if len(voxels) < MIN_SHARED_SOURCES:
            kernel(0, n_rows, voxels, *rest)
        else:
            threads.over_blocks(kernel, n_rows, voxels, *rest)
