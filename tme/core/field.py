"""A concentration on the lattice: its equation's terms, its state, and one step of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.grid import Grid
from tme.kernels import diffusion, red_black
from tme.kernels.exchange import counts_to_rate
from tme.kernels.multigrid import Workspace
from tme.kernels.superpose import WORTH, Pattern, add_up, count_sources

MODES = ("backward_euler", "quasi_steady")
TERMS = ("loss", "source", "exchange", "vmax")
COUNTS = ("source_fixed", "loss_fixed")
DAMPED = 250.0  # couplings over mean losses up to which a field is solved on one colour, without multigrid
LOOSE = 1e-6  # tolerance from which that pays: a tighter one takes several rounds
PASSES = 100  # per round
_ABSENT = np.zeros(0)
_NO_VOXELS = np.zeros(0, np.int64)


class Field:
    """One diffusing substance on a `Grid`.

        dc/dt = D lap c - k_decay c - loss c - vmax c / (k_m + c) + source + exchange (vessel_value - c)

    `diffusion` D um^2/min, `decay` 1/min, `concentration` (n_voxels,) float64 in `unit`. The terms `loss`
    (1/min), `source` (unit/min), `exchange` (vessel permeability, 1/min) and `vmax` (unit/min) are None until
    `use` makes them, (n_voxels,) float64. `mode` is 'backward_euler' or 'quasi_steady' (no memory); the field
    is due every `clock_ticks` base ticks. `faces` gives per axis (z, y, x) a pair of face values, None for no
    flux.
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
        source_scale: float = 1e-12,
        loss_scale: float = 1e-12,
        tol: float = 1e-6,
        max_cycles: int = 100,
        outer: int = 40,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"field {name}: mode must be one of {MODES}, not {mode!r}")
        if diffusion < 0.0 or decay < 0.0 or k_m <= 0.0 or clock_ticks < 1:
            raise ValueError(f"field {name}: diffusion, decay >= 0, k_m > 0 and clock_ticks >= 1 are needed")
        self.name, self.unit, self.grid, self.mode = name, unit, grid, mode
        self.diffusion, self.decay, self.clock_ticks = float(diffusion), float(decay), int(clock_ticks)
        self.k_m, self.vessel_value = float(k_m), float(vessel_value)
        self.source_scale, self.loss_scale = float(source_scale), float(loss_scale)
        self.tol, self.max_cycles, self.outer = float(tol), int(max_cycles), int(outer)
        self.concentration = np.full(grid.n_voxels, float(initial))
        self.loss = self.source = self.exchange = self.vmax = None
        self.source_fixed = self.loss_fixed = None
        self.dirichlet_mask: np.ndarray | None = None
        self.dirichlet_value = 0.0
        self._fixed = _NO_VOXELS
        self.faces = _face_array(faces, grid)
        k = self.diffusion / grid.dx_um**2
        self._pattern: Pattern | None = None
        self._k = np.array([k if n > 1 else 0.0 for n in grid.shape])
        for axis in range(3):
            if grid.shape[axis] == 1 and not np.isnan(self.faces[axis]).all():
                self._k[axis] = k

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.unit}, D={self.diffusion:g}, {self.mode})"

    def due(self, tick: int) -> bool:
        """Whether the field is solved in this base tick."""
        return tick % self.clock_ticks == 0

    def use(self, term: str) -> np.ndarray:
        """The array of a term or counter ('loss', 'vmax', 'source_fixed', ...), made of zeros if absent."""
        if term not in TERMS + COUNTS:
            raise KeyError(term)
        if getattr(self, term) is None:
            setattr(self, term, self.grid.zeros(np.int64 if term in COUNTS else np.float64))
        return getattr(self, term)

    def fix(self, mask: np.ndarray, value: float) -> None:
        """Give the voxels of `mask` (n_voxels,) the value; their rows leave the system exactly."""
        self.dirichlet_mask = np.ascontiguousarray(mask, np.uint8).ravel()
        self.dirichlet_value = float(value)
        self._fixed = np.flatnonzero(self.dirichlet_mask)

    def settle(self, over: float = 1.0) -> None:
        """Turn the counted deposits into `source` and `loss` (counts * scale / over) and start counting anew.

        `over` is the number of deposits to average (rates), or the minutes over which amounts are released.
        """
        if self.source_fixed is not None:
            counts_to_rate(self.source_fixed, self.source_scale / over, self.use("source"))
        if self.loss_fixed is not None:
            counts_to_rate(self.loss_fixed, self.loss_scale / over, self.use("loss"))

    def advance(self, dt_min: float, workspace: Workspace) -> int:
        """Solve for the concentration `dt_min` later (or the steady one), in place; returns cycles used."""
        if workspace.shape != self.grid.shape or workspace.periodic != self.grid.periodic:
            raise ValueError(f"field {self.name}: the workspace belongs to another lattice")
        steady = self.mode == "quasi_steady"
        has_faces = not np.isnan(self.faces).all()
        if steady and self.decay == 0.0 and not has_faces and self._fixed.size == 0 and self._no_sink():
            raise ValueError(f"field {self.name} has no sink: a steady state does not exist")
        w: Any = workspace
        if w.device != "cpu":
            given = {name: getattr(self, name) for name in TERMS}
            cycles = w.step(
                self.concentration, 0.0 if steady else 1.0 / dt_min, self.decay, self._k, self.tol, self.max_cycles,
                self.outer, given, self.vessel_value, self.k_m, self.dirichlet_mask, self.dirichlet_value, self.faces,
            )  # fmt: skip
            return self._converged(cycles)
        if steady and not has_faces and self._superposed():
            return 0
        if self._damped(0.0 if steady else 1.0 / dt_min, has_faces):
            used = red_black.step(
                self.concentration, 0.0 if steady else 1.0 / dt_min, self.decay, self._k.max(), self.tol,
                PASSES, _term(self.loss), _term(self.source), _term(self.exchange), self.vessel_value,
                w.wrap, w.b, *w.colours().arrays(),
            )  # fmt: skip
            if used >= 0:
                return used
            if used < -1:
                raise RuntimeError(f"field {self.name} did not converge to {self.tol:g}")
        cycles = diffusion.step(
            self.concentration, 0.0 if steady else 1.0 / dt_min, self.decay, self._k, self.tol,
            self.max_cycles, self.outer, _term(self.loss), _term(self.source), _term(self.exchange),
            self.vessel_value, _term(self.vmax), self.k_m, w.old, self._fixed, self.dirichlet_value,
            self.faces, has_faces, *w.arrays(),
        )  # fmt: skip
        return self._converged(cycles)

    def _converged(self, cycles: int) -> int:
        if cycles < 0:
            raise RuntimeError(
                f"field {self.name} did not converge to {self.tol:g} in {self.max_cycles} cycles"
            )
        return cycles

    def _damped(self, per_dt: float, has_faces: bool) -> bool:
        """Whether losses rein diffusion in so far that one-colour CG beats multigrid; a function of state."""
        if self.tol < LOOSE or self.vmax is not None or any(self.grid.periodic):
            return False
        if has_faces or self._fixed.size:
            return False
        couplings = 2.0 * self._k.sum()
        sink = per_dt + self.decay
        if sink * DAMPED < couplings and self.loss is not None:
            sink += float(self.loss.mean())
        return sink * DAMPED >= couplings > 0.0

    def _superposed(self) -> bool:
        """Add up the patterns of the sources where they are few and reach little, and nothing else acts."""
        if self.source is None or not self._no_sink() or self._fixed.size or any(self.grid.periodic):
            return False
        if self.decay == 0.0 or self.diffusion == 0.0:
            return False
        pattern = self._pattern
        if pattern is None:
            pattern = self._pattern = Pattern(self.grid.shape, self._k.max(), self.decay, self.tol)
        if not pattern.fits:
            return False
        limit = WORTH * self.grid.n_voxels // pattern.size
        if count_sources(self.source, limit) > limit:
            return False
        add_up(self.source, pattern.values.ravel(), pattern.reach, self.grid.shape, self.concentration)
        return True

    def _no_sink(self) -> bool:
        return self.loss is None and self.exchange is None and self.vmax is None

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Everything a checkpoint must keep, by name; absent terms are left out."""
        state = {"concentration": self.concentration, "vessel_value": np.array(self.vessel_value)}
        for name in TERMS + COUNTS + ("dirichlet_mask",):
            if getattr(self, name) is not None:
                state[name] = getattr(self, name)
        state["dirichlet_value"] = np.array(self.dirichlet_value)
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state_arrays` gave."""
        self.concentration[:] = state["concentration"]
        self.vessel_value = float(state["vessel_value"])
        for name in TERMS + COUNTS:
            setattr(self, name, np.array(state[name]) if name in state else None)
        if "dirichlet_mask" in state:
            self.fix(state["dirichlet_mask"], float(state["dirichlet_value"]))


def _term(array: np.ndarray | None) -> np.ndarray:
    return _ABSENT if array is None else array


def _face_array(faces, grid: Grid) -> np.ndarray:
    """(3, 2) face values with NaN for no flux, from per-axis pairs or None."""
    out = np.full((3, 2), np.nan)
    for axis, pair in enumerate(faces or ()):
        if pair is None:
            continue
        if grid.periodic[axis]:
            raise ValueError("a periodic axis has no faces to fix")
        for side in range(2):
            if pair[side] is not None:
                out[axis, side] = float(pair[side])
    return out
