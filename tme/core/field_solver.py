"""Which solver steps a field, by what its equation has: each gives the field's tolerance, and none is right or fast for all.

In this order: nothing to do where nothing comes and nothing goes; Green's functions of the sources (`superposition`); zeros
where nothing comes; a box around the sources (`subdomain`); red-black conjugate gradients where losses dominate; multigrid.
On a device there is one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core import subdomain
from tme.kernels import diffusion
from tme.kernels.exchange import all_zero
from tme.kernels.red_black import solve as red_black

TERMS = ("loss", "source", "exchange", "vmax")  # of a field's equation, arrays or None
LOSS_DOMINATED = 250.0  # ratio of couplings to mean losses up to which a field is solved by red-black CG, without multigrid
LOOSE_TOL = 1e-6  # tolerance from which that is faster: a tighter one takes several rounds
PASSES = 100  # per round
_ABSENT = np.zeros(0)


def solve(field: Any, dt_min: float, workspace: Any) -> int:
    """Concentration `dt_min` later (or the steady one) of a field that is solved on its own lattice, in place; returns cycles used.

    ValueError where there is no steady state, RuntimeError where the tolerance is not met.
    """
    steady, w = field.mode == "quasi_steady", workspace
    per_dt = 0.0 if steady else 1.0 / dt_min
    if steady and field._keeps_all():
        if field._no_sink():
            raise ValueError(f"field {field.name} has no sink: a steady state does not exist")
        if _is_closed(field):
            return 0  # nothing comes and nothing goes
    if w.device != "cpu":
        given = {name: getattr(field, name) for name in TERMS}
        cycles = w.step(
            field.concentration, per_dt, field.decay, field._k, field.tol, field.max_cycles,
            field.outer, given, field.vessel_value, field.k_m, field.dirichlet_mask, field.dirichlet_value, field.faces,
        )  # fmt: skip
        return _converged(field, cycles)
    has_faces = field._has_faces
    if steady and not has_faces and field.allow_subdomain and field.allow_superposition and field._superpose(w):
        field.splits = True
        return 0
    field.splits = False
    field._forget_support()
    if not has_faces and (steady or all_zero(field.concentration)) and _has_no_inflow(field):
        field.concentration[:] = 0.0
        return 0
    if steady and not has_faces and _has_sources_only(field):
        cycles = subdomain.solve(field, w)
        if cycles >= 0:
            return cycles
    if _is_loss_dominated(field, per_dt):
        cycles = _by_conjugate_gradients(field, per_dt, w)
        if cycles >= 0:
            return cycles
    return _by_multigrid(field, per_dt, w)


def _by_conjugate_gradients(field: Any, per_dt: float, w: Any) -> int:
    """Cycles used, -1 where it does not get there."""
    cycles = red_black.step(
        field.concentration, per_dt, field.decay, field._k.max(), field.tol,
        PASSES, _term(field.loss), _term(field.source), _term(field.exchange), field.vessel_value,
        w.wrap, w.b, *w.colours().arrays(),
    )  # fmt: skip
    if cycles < -1:
        raise RuntimeError(f"field {field.name} did not converge to {field.tol:g}")
    field.splits = cycles >= 0
    return cycles


def _by_multigrid(field: Any, per_dt: float, w: Any) -> int:
    """Any field; cycles used."""
    old = _ABSENT if per_dt == 0.0 or field.vmax is None else w.old
    cycles = diffusion.step(
        field.concentration, per_dt, field.decay, field._k, field.tol,
        field.max_cycles, field.outer, _term(field.loss), _term(field.source), _term(field.exchange),
        field.vessel_value, _term(field.vmax), field.k_m, old, field._fixed, field.dirichlet_value,
        field.faces, field._has_faces, *w.arrays(),
    )  # fmt: skip
    return _converged(field, cycles)


def _converged(field: Any, cycles: int) -> int:
    if cycles < 0:
        raise RuntimeError(f"field {field.name} did not converge to {field.tol:g} in {field.max_cycles} cycles")
    return cycles


def _is_closed(field: Any) -> bool:
    return all(term is None or all_zero(term) for term in (field.exchange, field.vmax, field.loss, field.source))


def _is_loss_dominated(field: Any, per_dt: float) -> bool:
    """Whether losses dominate diffusion so far that red-black CG is faster than multigrid; a function of state."""
    if field.tol < LOOSE_TOL or field.vmax is not None or any(field.grid.periodic):
        return False
    if field._has_faces or field._fixed.size:
        return False
    couplings = 2.0 * field._k.sum()
    sink = per_dt + field.decay
    if sink * LOSS_DOMINATED < couplings and field.loss is not None:
        sink += float(field.loss.mean())
    return sink * LOSS_DOMINATED >= couplings > 0.0


def _has_no_inflow(field: Any) -> bool:
    """No source and no exchange: the steady state is then 0 everywhere, and gives no scale for a tolerance."""
    if field._fixed.size or (field.exchange is not None and field.vessel_value != 0.0 and not all_zero(field.exchange)):
        return False
    return field.source is None or all_zero(field.source)


def _has_sources_only(field: Any) -> bool:
    """Whether the field is 0 far from its sources, on a lattice large enough for a subdomain."""
    if not field.allow_subdomain or field.source is None or field.exchange is not None:
        return False
    return field.grid.n_voxels >= subdomain.MIN_VOXELS and not field._fixed.size and not any(field.grid.periodic)


def _term(array: np.ndarray | None) -> np.ndarray:
    return _ABSENT if array is None else array
