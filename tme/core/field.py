"""A concentration on the lattice: its equation's terms, its state, and one step of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tme.core import field_solver
from tme.core.field_solver import TERMS
from tme.core.grid import Grid, ScratchPool, face_values
from tme.core.superposition import Superposition
from tme.kernels import threads
from tme.kernels.aligned import filled
from tme.kernels.exchange import add_scaled, collect, fits, put
from tme.kernels.multigrid import Workspace
from tme.kernels.transfer import average, interpolate, read

MODES = ("backward_euler", "quasi_steady")
_NO_VOXELS = np.zeros(0, np.int64)


class Field:
    """One diffusing substance on a `Grid`.

        dc/dt = D lap c - k_decay c - loss c - vmax c / (k_m + c) + source + exchange (vessel_value - c)

    `diffusion` D um^2/min, `decay` 1/min, `concentration` (n_voxels,) float64 in `unit`. The terms `loss`
    (1/min), `source` (unit/min), `exchange` (vessel permeability, 1/min) and `vmax` (unit/min) are None until
    `use` makes them, (n_voxels,) float64. `mode` is 'backward_euler' or 'quasi_steady' (no memory); the field
    is due every `clock_ticks` base ticks. `faces` gives per axis (z, y, x) a pair of face values, None for no
    flux. With `coarsen` 2 or 4 the equation is solved on voxels so many times as wide, with the mean of every
    term over them, and interpolated on demand: kernels take `read_view` and call `transfer.at`,
    others call `at`, or `concentration` for all voxels; axes that do not divide forbid it. `term_writer`,
    `source_counter` and `add_to_term` add terms on the solver grid, without keeping an array of them over the whole lattice.
    Every voxel of the grid belongs to the system, vessels and given values included. `tol` is relative to the
    right-hand side.
    """

    def __init__(
        self,
        name: str,
        unit: str,
        grid: Grid,
        diffusion: float,
        decay: float = 0.0,
        clock_ticks: int = 1,
        mode: str = "backward_euler",
        *,
        initial: float = 0.0,
        k_m: float = 1.0,
        vessel_value: float = 0.0,
        faces=None,
        tol: float = 1e-6,
        max_cycles: int = 100,
        outer: int = 40,
        coarsen: int = 1,
        between: bool = False,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"field {name}: mode must be one of {MODES}, not {mode!r}")
        if diffusion < 0.0 or decay < 0.0 or k_m <= 0.0 or clock_ticks < 1:
            raise ValueError(f"field {name}: diffusion, decay >= 0, k_m > 0 and clock_ticks >= 1 are needed")
        self.name, self.unit, self.grid, self.mode = name, unit, grid, mode
        self.diffusion, self.decay, self.clock_ticks = float(diffusion), float(decay), int(clock_ticks)
        self.k_m, self.vessel_value = float(k_m), float(vessel_value)
        self.tol, self.max_cycles, self.outer = float(tol), int(max_cycles), int(outer)
        self.loss = self.source = self.exchange = self.vmax = None
        self.dirichlet_mask: np.ndarray | None = None
        self.dirichlet_value = 0.0
        self._fixed = _NO_VOXELS
        self.faces = face_values(faces, grid)
        self._has_faces = not np.isnan(self.faces).all()
        half = grid.halved() if coarsen > 1 else None
        self.inner: Field | None = None
        if half is not None:
            self.inner = Field(name, unit, half, diffusion, decay, clock_ticks, mode, initial=initial, k_m=k_m,
                               faces=faces, tol=tol, max_cycles=max_cycles, outer=outer,
                               coarsen=coarsen // 2, between=True)  # fmt: skip
        # a lattice between two others keeps what it interpolates, as the next is interpolated from there; so do
        # lattices that `transfer.at` cannot tell from the shape of their half
        kept = self.inner is None or between or any(grid.periodic) or 2 in grid.shape or 1 in grid.shape[1:]
        self._values: Any = filled(grid.n_voxels, float(initial)) if kept else None
        k = self.diffusion / grid.dx_um**2
        self.allow_subdomain = True  # whether it may be solved in a subdomain around its sources
        self.allow_superposition = True  # whether it may be solved as a sum of Green's functions of its sources
        self._superposition: Superposition | None = None
        self._wrap = np.array(grid.periodic, np.bool_)
        self.source_voxels: np.ndarray | None = None  # where `source` is not 0, ascending int64; None if unknown
        self.subdomain: Field | None = None  # the subdomain it was last solved in
        self.splits = False  # whether the last solve can be split among threads
        self._k = np.array([k if n > 1 else 0.0 for n in grid.shape])
        for axis in range(3):
            if grid.shape[axis] == 1 and not np.isnan(self.faces[axis]).all():
                self._k[axis] = k

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.unit}, D={self.diffusion:g}, {self.mode})"

    @property
    def concentration(self) -> np.ndarray:
        """(n_voxels,) in `unit`; of a field on wider voxels an interpolated copy, read-only."""
        if self.inner is None:
            return self._values
        values = np.empty(self.grid.n_voxels) if self._values is None else self._values.view()
        if self._values is None:
            self._interpolate(values)
        values.flags.writeable = False
        return values

    @property
    def read_view(self) -> np.ndarray:
        """Array that kernels read with `transfer.at`: one axis, or three if the field is on wider voxels."""
        if self._values is not None:
            return self._values
        assert self.inner is not None
        return self.inner._values.reshape(self.inner.grid.shape)

    def at(self, voxels: np.ndarray) -> np.ndarray:
        """The concentration in `voxels` (n,), a copy."""
        out = np.empty(len(voxels))
        threads.over_rows(read, len(voxels), voxels, self.read_view, out)
        return out

    def use(self, term: str) -> np.ndarray:
        """The array of a term ('loss', 'source', 'exchange', 'vmax'), created as zeros if absent."""
        if term not in TERMS:
            raise KeyError(term)
        if getattr(self, term) is None:
            setattr(self, term, self.grid.zeros())
        return getattr(self, term)

    def fix(self, mask: np.ndarray, value: float) -> None:
        """Give the voxels of `mask` (n_voxels,) the value; their rows leave the system exactly."""
        if self.inner is not None:  # given voxels are those of the lattice itself
            self._values, self.inner = self.concentration.copy(), None
        self.dirichlet_mask = np.ascontiguousarray(mask, np.uint8).ravel()
        self.dirichlet_value = float(value)
        self._fixed = np.flatnonzero(self.dirichlet_mask)

    def advance(self, dt_min: float, workspace: Workspace) -> int:
        """Solve for the concentration `dt_min` later (or the steady one), in place; returns cycles used."""
        if workspace.shape != self.grid.shape or workspace.periodic != self.grid.periodic:
            raise ValueError(f"field {self.name}: the workspace belongs to another lattice")
        if self.inner is not None:
            return self._advance_inner(dt_min, workspace)
        return field_solver.solve(self, dt_min, workspace)

    @property
    def has_sink(self) -> bool:
        """Whether decay, walls, given voxels, vessels or cells take anything: without, there is no steady state."""
        return not (self._keeps_all() and self._no_sink() and self.on_solver_grid._no_sink())

    def _keeps_all(self) -> bool:
        return self.decay == 0.0 and not self._has_faces and self._fixed.size == 0

    def fill(self, value: float | np.ndarray) -> None:
        """Set the concentration, a number or (n_voxels,), where it is solved; wider voxels take the mean."""
        self._forget_support()
        if self.inner is None:
            self.concentration[:] = value
            return
        if np.ndim(value) > 0:
            values, part = self.grid.zeros(), np.zeros(self.inner.grid.n_voxels)
            values[:] = value
            self._mean(values, part)
            value = part
        self.inner.fill(value)
        self._refresh()

    def add(self, values: np.ndarray) -> None:
        """Add `values` (n_voxels,) to the concentration where it is solved; wider voxels take the mean."""
        self._forget_support()
        if self.inner is None:
            self.concentration[:] += values
            return
        part = np.zeros(self.inner.grid.n_voxels)
        self._mean(values, part)
        self.inner.add(part)
        self._refresh()

    @property
    def on_solver_grid(self) -> Field:
        """The field on its solver grid, where the equation is solved: itself, or one on wider voxels."""
        return self if self.inner is None else self.inner.on_solver_grid

    def _advance_inner(self, dt_min: float, workspace: Any) -> int:
        """Solve on the lattice of wider voxels."""
        inner = self.inner
        assert inner is not None
        inner.mode, inner.vessel_value, inner.k_m, inner.tol = self.mode, self.vessel_value, self.k_m, self.tol
        for name in TERMS:
            term = getattr(self, name)
            if term is not None:
                inner.use(name)[:] = 0.0
                self._mean(term, inner.use(name))
        cycles = inner.advance(dt_min, workspace.half())
        self._refresh()
        return cycles

    def _interpolate(self, out: np.ndarray) -> None:
        """Fill `out` (n_voxels,) from the inner lattice."""
        assert self.inner is not None
        by_rows = threads.over_blocks if self.grid.n_voxels >= threads.MIN_ROWS else _alone
        by_rows(interpolate, self.grid.nz * self.grid.ny, self.inner._values, out, *self.grid.shape, self._wrap)

    def _refresh(self) -> None:
        """Interpolate the values again, where they are stored."""
        if self._values is not None:
            self._interpolate(self._values)

    def _refresh_all(self) -> None:
        """Interpolate again on all lattices from the solver grid to this one."""
        if self.inner is not None:
            self.inner._refresh_all()
            self._refresh()

    def _mean(self, values: np.ndarray, out: np.ndarray, factor: float = 1.0, empty: bool = False) -> None:
        """Add factor times the means of `values` (n_voxels,) to `out`, on the inner lattice."""
        assert self.inner is not None
        nz, ny, _nx = self.inner.grid.shape
        by_rows = threads.over_blocks if self.grid.n_voxels >= threads.MIN_ROWS else _alone
        by_rows(average, nz * ny, values, factor, empty, out, *self.grid.shape)

    # ---- terms written by mechanisms ----------------------------------------------------------------------------
    @contextmanager
    def term_writer(self, term: str, scratch: ScratchPool, overwrite: bool = True, everywhere: bool = False) -> Iterator[np.ndarray]:
        """Array (n_voxels,) into which the caller writes a term; without `overwrite` it adds to the term.

        It is the term itself, or a scratch array of zeros whose means are added on the solver grid. With `everywhere` the
        caller writes every voxel, and the term is not zeroed first.
        """
        on = self.on_solver_grid
        own = on.use(term)
        if overwrite and not (everywhere and on is self):
            threads.over_rows(put, len(own), own, 0.0)
        if on is self:
            yield own
            return
        with scratch.borrow() as array:
            yield array
            self._add_on_solver_grid(array, 1.0, True, own)

    @contextmanager
    def source_counter(self, scratch: ScratchPool, per_count: float, voxels: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Counters (n_voxels,) int64, initially 0; counts times `per_count` are added to the source.

        Only entries of `voxels` (voxels of cells) may be counted. Raises RuntimeError on overflow (`exchange.tally`).
        """
        on, own = self.on_solver_grid, self.on_solver_grid.use("source")
        with scratch.borrow() as array:
            counts = array.view(np.int64)
            yield counts
            if on is self:
                good = True
                for of_cells in voxels:
                    good &= collect(of_cells, len(of_cells), counts, per_count, own)
            else:
                good = fits(counts)
                self._add_on_solver_grid(counts, per_count, True, own)
            if not good:
                raise RuntimeError(f"field {self.name}: cells add more to a voxel than can be counted, or no number")

    def add_to_term(self, term: str, values: np.ndarray, factor: float) -> None:
        """Add factor times `values` (n_voxels,) to a term."""
        on = self.on_solver_grid
        if on is self:
            threads.over_rows(add_scaled, len(values), values, factor, self.use(term))
        else:
            self._add_on_solver_grid(values, factor, False, on.use(term))

    def _add_on_solver_grid(self, values: np.ndarray, factor: float, empty: bool, own: np.ndarray) -> None:
        """Add the means of `values` to the term on the solver grid, by way of the lattices in between."""
        assert self.inner is not None
        if self.inner.inner is None:
            self._mean(values, own, factor, empty)
            return
        between = np.zeros(self.inner.grid.n_voxels)
        self._mean(values, between, factor, empty)
        self.inner._add_on_solver_grid(between, 1.0, False, own)

    def _superpose(self, workspace: Any) -> bool:
        """Add the Green's functions of the sources, where these are few, the radius is small and no other term acts."""
        if self.source is None or not self._no_sink() or self._fixed.size:
            return False  # without a sink `advance` has refused a decay of 0
        if self._superposition is None:
            self._superposition = Superposition(self)
        return self._superposition.solve(self, workspace)

    def _forget_support(self) -> None:
        """The concentration is no longer a sum of Green's functions with a known support."""
        if self._superposition is not None:
            self._superposition.support = None

    def _no_sink(self) -> bool:
        return self.loss is None and self.exchange is None and self.vmax is None

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Everything a checkpoint must keep, by name; absent terms are left out."""
        on, prefix = self.on_solver_grid, "" if self.inner is None else "solved_"
        state = {f"{prefix}concentration": on.concentration, "vessel_value": np.array(self.vessel_value)}
        state |= {name: getattr(self, name) for name in (*TERMS, "dirichlet_mask") if getattr(self, name) is not None}
        state["dirichlet_value"] = np.array(self.dirichlet_value)
        if prefix:
            state |= {f"solved_{name}": getattr(on, name) for name in TERMS if getattr(on, name) is not None}
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state_arrays` of a field on the same voxels gave."""
        self.source_voxels = None
        self._forget_support()
        self.vessel_value = float(state["vessel_value"])
        for name in TERMS:
            setattr(self, name, None)
            if name in state:
                self.use(name)[:] = state[name]
        if "dirichlet_mask" in state:
            self.fix(state["dirichlet_mask"], float(state["dirichlet_value"]))
        on, values = self.on_solver_grid, state.get("concentration" if self.inner is None else "solved_concentration")
        if values is None or len(values) != on.grid.n_voxels:
            raise ValueError(f"field {self.name}: the state is not of voxels as wide as those it is solved on here, {on.grid.shape}")
        on.concentration[:] = values
        for name in TERMS:
            if f"solved_{name}" in state:
                on.use(name)[:] = state[f"solved_{name}"]
        self._refresh_all()


def _alone(kernel: Any, n: int, *arguments: Any) -> None:
    kernel(0, n, *arguments)
