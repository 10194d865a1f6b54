"""Unsplit diffusion on the device: conjugate gradients preconditioned by one multigrid V-cycle.

The same system, cycle and stopping rule as `kernels.multigrid` and `kernels.diffusion`, so device and
processor take the same steps up to rounding (the device fuses multiply and add). Concentrations and terms
cross to the device before a step and the concentration comes back after it; nothing is kept there between
steps. Fields that the processor solves in another way (one colour, added up) are solved by this cycle too,
to the same tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from tme.kernels.cuda import stencil as on
from tme.kernels.cuda.launch import FEW, lanes, shape
from tme.kernels.diffusion import NEWTON_REDUCTION
from tme.kernels.multigrid import BOTTOM_SWEEPS, DOMINANT, SPREAD_2D, SPREAD_3D, _parents

TERMS = (
    ("source", on.HAS_SOURCE),
    ("loss", on.HAS_LOSS),
    ("exchange", on.HAS_EXCHANGE),
    ("vmax", on.HAS_VMAX),
)


class Level:
    """One lattice of the hierarchy: its geometry, arrays on the device, and the way to the next coarser one."""

    def __init__(
        self, dims: tuple[int, ...], periodic: tuple[bool, ...], coarser: tuple[int, ...] | None
    ) -> None:
        self.n = int(np.prod(dims))
        self.geo = (*(int(d) for d in dims), *(int(p) for p in periodic))
        self.k: tuple[float, ...] = (0.0, 0.0, 0.0)
        self.sigma, self.dinv, self.x, self.r, self.t = (cuda.device_array(self.n) for _ in range(5))
        self.lanes = cuda.to_device(np.zeros((2, lanes(self.n))))
        self.parents: tuple[Any, ...] = ()
        self.children: tuple[Any, ...] = ()
        if coarser is not None:
            tables = [_parents(dims[a], coarser[a], periodic[a]) for a in range(3)]
            self.parents = tuple(cuda.to_device(t) for t in tables)
            both = [children(t, coarser[a]) for a, t in enumerate(tables)]
            self.children = tuple(cuda.to_device(part) for pair in both for part in pair)

    @property
    def s0(self) -> float:
        """Sum of the couplings of a voxel."""
        return 2.0 * (self.k[0] + self.k[1] + self.k[2])


def children(parents: np.ndarray, coarse: int) -> tuple[np.ndarray, np.ndarray]:
    """Children and weights (coarse, 4) of each coarse index, from the parents (fine, 2) at 3/4 and 1/4."""
    child, weight = np.zeros((coarse, 4), np.int64), np.zeros((coarse, 4))
    used = np.zeros(coarse, np.int64)
    share = 0.5 if len(parents) > 1 else 1.0
    for i, (near, far) in enumerate(parents):
        shares = {int(near): 0.75}
        shares[int(far)] = shares.get(int(far), 0.0) + 0.25
        for parent, w in shares.items():
            child[parent, used[parent]] = i
            weight[parent, used[parent]] = share * w
            used[parent] += 1
    return child, weight


class CudaWorkspace:
    """Device arrays for one lattice, shared by its fields; no state between steps.

    `shape` is (nz, ny, nx), `periodic` per axis. About 130 bytes a voxel.
    """

    device = "cuda"

    def __init__(self, shape: tuple[int, int, int], periodic: tuple[bool, bool, bool] = (False,) * 3) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.periodic = (bool(periodic[0]), bool(periodic[1]), bool(periodic[2]))
        dims = [self.shape]
        while max(dims[-1]) > 1:
            dims.append(tuple((n + 1) // 2 for n in dims[-1]))
        pairs = zip(dims, [*dims[1:], None])
        self.levels = [Level(here, self.periodic, below) for here, below in pairs]
        n = self.levels[0].n
        self.c, self.old, self.b, self.p, self.q = (cuda.device_array(n) for _ in range(5))
        self.terms: dict[str, Any] = {}
        self.absent, self.nowhere = cuda.to_device(np.zeros(1)), cuda.to_device(np.zeros(1, np.uint8))
        self.mask = self.nowhere
        self.few = cuda.to_device(np.zeros((2, min(FEW, lanes(n)))))
        self.scalars = cuda.to_device(np.zeros(5))
        self.flags = 0
        self._half: CudaWorkspace | None = None

    def half(self) -> CudaWorkspace:
        """The workspace of the lattice of voxels twice as wide, made at first use."""
        if self._half is None:
            nz, ny, nx = ((n + 1) // 2 for n in self.shape)
            self._half = CudaWorkspace((nz, ny, nx), self.periodic)
        return self._half

    # ---- what crosses -----------------------------------------------------------------------------
    def load(
        self, c: np.ndarray, given: dict[str, np.ndarray | None], mask: np.ndarray | None, has_faces: bool
    ) -> None:
        """Bring concentration, terms and given voxels to the device; absent terms are flagged."""
        self.flags = on.HAS_FACES if has_faces else 0
        self.c.copy_to_device(c)
        self.old.copy_to_device(c)
        for name, flag in TERMS:
            array = given[name]
            if array is not None:
                self.flags |= flag
                if name not in self.terms:
                    self.terms[name] = cuda.device_array(self.levels[0].n)
                self.terms[name].copy_to_device(array)
        if mask is not None and mask.any():
            self.flags |= on.HAS_FIXED
            self.mask = cuda.to_device(mask)
        else:
            self.mask = self.nowhere

    def term(self, name: str, flag: int) -> Any:
        """A term's device array, or a stand-in where the field has no such term."""
        return self.terms[name] if self.flags & flag else self.absent

    # ---- sums -------------------------------------------------------------------------------------
    def conclude(self, what: int) -> None:
        """Add up the lanes of the finest level into the scalars."""
        on.fold[shape(self.few.shape[1])](self.levels[0].lanes, self.few)
        on.conclude[1, 1](self.few, self.scalars, what)

    def sums(self) -> tuple[float, float]:
        """The two sums last concluded; waits for the device."""
        found = self.scalars.copy_to_host()
        return float(found[on.FIRST]), float(found[on.SECOND])

    # ---- a step -----------------------------------------------------------------------------------
    def step(self, c: np.ndarray, per_dt: float, decay: float, k0: np.ndarray, tol: float, max_cycles: int, outer: int,
             given: dict[str, np.ndarray | None], vessel: float, k_m: float, mask: np.ndarray | None,
             fixed_value: float, faces: np.ndarray) -> int:  # fmt: skip
        """Advance `c` (n_voxels,) in place; returns the cycles used, -1 if a solve did not converge.

        As `diffusion.step`: `given` maps source, loss, exchange and vmax to arrays or None, `mask` marks the
        voxels that hold `fixed_value`, `faces` (3, 2) has NaN for no flux.
        """
        base, saturating = per_dt + decay, given["vmax"] is not None
        has_faces = not np.isnan(faces).all()
        if mask is not None:
            c[mask != 0] = fixed_value
        self.load(c, given, mask, has_faces)
        top = self.levels[0]
        top.k = tuple(float(v) for v in k0)
        reduction = NEWTON_REDUCTION if saturating else 0.0
        total, used = 0, -1
        for _ in range(outer if saturating else 1):
            on.prepare[shape(top.n)](
                self.c, self.old, self.b, top.sigma, top.dinv, self.term("source", on.HAS_SOURCE),
                self.term("loss", on.HAS_LOSS), self.term("exchange", on.HAS_EXCHANGE), self.term("vmax", on.HAS_VMAX),
                self.mask, self.flags, per_dt, base, vessel, k_m, top.geo, top.k, tuple(float(f) for f in faces.ravel()),
            )  # fmt: skip
            used = self.solve(base, tol, reduction, max_cycles)
            if used < 0:
                return -1
            total += used
            if used == 0:
                break
        if saturating and used > 0:
            return -1
        self.c.copy_to_host(c)
        if not self.flags & (on.HAS_FIXED | on.HAS_EXCHANGE | on.HAS_VMAX | on.HAS_FACES):
            self.balance(c)
        return total

    def balance(self, c: np.ndarray) -> None:
        """Scale a closed system so that losses equal gains: sum(sigma c) = sum(b)."""
        top = self.levels[0]
        on.budget[shape(lanes(top.n))](self.c, self.b, top.sigma, top.lanes)
        self.conclude(on.BY_SUMS)
        gain, lost = self.sums()
        if lost > 0.0 and gain > 0.0:
            c *= gain / lost

    def solve(self, sigma_low: float, tol: float, reduction: float, max_cycles: int) -> int:
        """Solve A c = b from the guess c; returns the cycles used, -1 if not converged. See `multigrid.solve`."""
        top = self.levels[0]
        by_voxel, by_lane = shape(top.n), shape(lanes(top.n))
        on.start[by_lane](
            top.r, self.c, self.b, top.sigma, top.dinv, self.mask, self.flags, top.geo, top.k, top.lanes
        )
        self.conclude(on.BY_SUMS)
        rest, size = self.sums()
        if size == 0.0:
            self.c.copy_to_device(np.zeros(top.n))
            return 0
        if rest <= tol * tol * size:
            return 0
        limit = max(tol * tol * size, reduction * reduction * rest)
        depth = self.hierarchy(sigma_low)
        self.scalars.copy_to_device(np.zeros(5))
        used = -1
        for cycle in range(max_cycles):
            self.cycle(depth)
            self.conclude(on.BY_RZ)
            on.direction[by_voxel](self.p, top.t, self.scalars)
            on.apply[by_lane](self.q, self.p, top.sigma, self.mask, self.flags, top.geo, top.k, top.lanes)
            self.conclude(on.BY_CURVATURE)
            on.shrink[by_lane](self.c, top.r, self.p, self.q, top.dinv, self.scalars, top.lanes)
            self.conclude(on.BY_SUMS)
            rest, _ = self.sums()
            if rest <= limit:
                used = cycle + 1
                break
            if not np.isfinite(rest):
                break
        on.clip[by_voxel](self.c)
        return used

    def hierarchy(self, sigma_low: float) -> int:
        """Fill the coarse operators; returns the number of levels worth using."""
        for depth, (here, to) in enumerate(zip(self.levels, self.levels[1:])):
            if here.s0 <= DOMINANT * sigma_low:
                return depth + 1
            to.k = tuple(0.0 if to.geo[a] == 1 else 0.25 * here.k[a] for a in range(3))
            cap = (SPREAD_2D / 4.0 if here.geo[0] == 1 else SPREAD_3D / 6.0) - 1.0
            share = here.s0 * 0.5 ** sum(here.geo[a] > 1 for a in range(3))
            on.coarsen[shape(to.n)](
                here.sigma, here.dinv, to.sigma, to.dinv, here.geo, to.geo, here.k, to.s0, cap, share
            )
        return len(self.levels)

    def cycle(self, depth: int) -> None:
        """One symmetric V-cycle for A z = r on the finest level; z ends in t, its lanes hold r . z."""
        for here, to in zip(self.levels[: depth - 1], self.levels[1:depth]):
            on.leave[shape(here.n)](here.t, here.r, here.dinv, here.geo, here.k)
            on.restrict[shape(to.n)](to.r, here.t, here.geo, to.geo, *here.children)
        last = self.levels[depth - 1]
        few = shape(lanes(last.n))
        on.scale[few](last.t, last.r, last.dinv, last.lanes)
        if depth > 1:
            a, b = last.t, last.x
            for _ in range(BOTTOM_SWEEPS):
                on.sweep[few](b, a, last.r, last.dinv, last.geo, last.k, last.lanes)
                a, b = b, a
        for here, to in zip(reversed(self.levels[: depth - 1]), reversed(self.levels[1:depth])):
            on.interpolate[shape(here.n)](
                here.x, here.r, to.t, here.dinv, here.geo, to.geo, here.k, *here.parents
            )
            on.sweep[shape(lanes(here.n))](here.t, here.x, here.r, here.dinv, here.geo, here.k, here.lanes)
