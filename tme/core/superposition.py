"""How a steady field of uniform loss is added up from its sources, where that is cheaper than to solve for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.kernels import team
from tme.kernels.patterns import Near, Pattern, reach, wide_coupling
from tme.kernels.superpose import add_near, add_rows, add_up, darken, hand_over, interpolate, none_below_zero

WORTH = 16  # pattern entries per voxel of the lattice up to which adding up beats solving
FEW = 16 * 73**2  # entries up to which it does on any lattice
NEVER = 40  # voxels of reach beyond which no lattice that fits a computer makes it worth while
SHARED = 256  # sources that a team adds up together
DENSE = 4  # entries per voxel of the lattice that the wide field costs
SHORT = 0.7  # entries that one of a short pattern costs


class Superposition:
    """Patterns of the sources of one field; on 3D lattices of even axes also what is left of them beside a wide field.

    Which way is taken depends on the number of sources alone, and no way starts from what was there.
    """

    def __init__(self, field: Any) -> None:
        grid = field.grid
        self.grid, self.wrap, self.wrapped = grid, np.array(grid.periodic, np.bool_), any(grid.periodic)
        k, self.sink, self.tol = float(field.diffusion) / grid.dx_um**2, field.decay, field.tol
        self.k = k
        self.short = min(grid.shape) == 1 or reach(k, self.sink, self.tol) <= NEVER
        self.pattern = Pattern(grid.shape, k, self.sink, self.tol) if self.short else None
        self.lit: np.ndarray | None = None  # sources around which alone the field is not 0
        half = grid.halved() if self.short and min(grid.shape) > 1 and wide_coupling(k, self.sink) > 0.0 else None
        self.near = Near(k, self.sink, self.tol) if half is not None else None
        self.steps = self.near.steps(grid.shape) if self.near is not None else None
        self.far: Any = None
        if half is not None:
            self.far = type(field)(field.name, field.unit, half, wide_coupling(k, self.sink) * half.dx_um**2, self.sink,
                                   mode="quasi_steady", tol=self.tol, max_cycles=field.max_cycles)  # fmt: skip
            self.far.adds_up = False
            self.far.use("source")

    def way(self, count: int) -> str:
        """How so many sources are added up: "whole", "beside" a wide field, or "" where a solver is cheaper."""
        if self.pattern is None:
            return ""
        n, whole = self.grid.n_voxels, count * self.pattern.size
        beside = DENSE * n + SHORT * count * self.near.size if self.near is not None else whole
        if min(whole, beside) > max(WORTH * n, FEW):
            return ""
        return "whole" if whole <= beside else "beside"

    def solve(self, field: Any, workspace: Any) -> bool:
        """Fill the field's concentration; False, and nothing done, where a solver is cheaper."""
        voxels = np.flatnonzero(field.source) if field.points is None else field.points
        way = self.way(len(voxels))
        if way:
            self.add(field, voxels, way, workspace)
        return way != ""

    def add(self, field: Any, voxels: np.ndarray, way: str, workspace: Any) -> None:
        """Fill the field's concentration, one way or the other, from the sources in `voxels` (m,) int64."""
        if way == "whole":
            self._whole(field, voxels)
        else:
            self._beside(field, voxels, workspace)

    def _whole(self, field: Any, voxels: np.ndarray) -> None:
        """The pattern of every source."""
        c, shape, pattern = field.concentration, self.grid.shape, self.pattern
        assert pattern is not None
        if self.lit is None:
            c[:] = 0.0
        else:
            self._on_rows(darken, self.lit, pattern.reach, shape, c)
        if len(voxels):
            if pattern.once and not self.wrapped:
                self._on_rows(add_up, voxels, field.source, pattern.values, pattern.reach, shape, c)
            else:
                self._on_rows(add_rows, voxels, field.source, pattern.values, pattern.half, pattern.reach, shape, self.wrap, c)
        self.lit = None if self.wrapped else field.points

    def _beside(self, field: Any, voxels: np.ndarray, workspace: Any) -> None:
        """The wide field, interpolated, and what is left of the pattern of every source."""
        c, shape, far, near = field.concentration, self.grid.shape, self.far, self.near
        assert near is not None
        far.source[:] = 0.0
        far.concentration[:] = 0.0
        hand_over(voxels, field.source, shape, self.wrap, far.source)
        far.advance(1.0, workspace.half())
        if self.grid.n_voxels >= team.WORTH_ROWS:
            team.blocks(interpolate, self.grid.nz, far.concentration, c, shape, self.wrap)
        else:
            interpolate(0, self.grid.nz, far.concentration, c, shape, self.wrap)
        self._on_rows(add_near, voxels, field.source, near.values, near.half, near.reach, shape, self.wrap, self.steps, near.packed, c)
        team.rows(none_below_zero, len(c), c)
        self.lit = None

    def _on_rows(self, kernel: Any, voxels: np.ndarray, *rest: Any) -> None:
        """Call the kernel on all rows of the lattice; many voxels are worth the team."""
        n_rows = self.grid.nz * self.grid.ny
        if len(voxels) < SHARED:
            kernel(0, n_rows, voxels, *rest)
        else:
            team.blocks(kernel, n_rows, voxels, *rest)
