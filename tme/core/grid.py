"""The regular lattice: shape, voxel size, boundaries, and the one formula from position to voxel index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme.kernels.aligned import zeros


@dataclass(frozen=True)
class Grid:
    """A lattice of `(nz, ny, nx)` voxels; two-dimensional when `nz == 1`.

    Voxel `(z, y, x)` has the flat index `v = (z * ny + y) * nx + x`; every voxel array is stored flat in
    this order. A 2D lattice is a slab `thickness_um` deep. `periodic` is per axis, in the order z, y, x.

        >>> grid = Grid((1, 3, 4))
        >>> grid.n_voxels, grid.ndim, grid.voxel_um3
        (12, 2, 8000.0)
        >>> int(grid.voxel(0, 1, 2)), grid.coordinates(6)
        (6, (0, 1, 2))
    """

    shape: tuple[int, int, int]
    dx_um: float = 20.0
    thickness_um: float = 20.0
    periodic: tuple[bool, bool, bool] = (False, False, False)

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"grid shape must be three positive integers (nz, ny, nx), not {self.shape}")
        if self.dx_um <= 0.0 or self.thickness_um <= 0.0:
            raise ValueError("dx_um and thickness_um must be positive")
        if len(self.periodic) != 3:
            raise ValueError("periodic needs one flag per axis (z, y, x)")
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "dx_um", float(self.dx_um))
        object.__setattr__(self, "thickness_um", float(self.thickness_um))
        object.__setattr__(self, "periodic", tuple(bool(p) for p in self.periodic))

    @property
    def nz(self) -> int:
        """Number of planes (1 in 2D)."""
        return self.shape[0]

    @property
    def ny(self) -> int:
        """Number of rows per plane."""
        return self.shape[1]

    @property
    def nx(self) -> int:
        """Number of voxels per row."""
        return self.shape[2]

    @property
    def n_voxels(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return 2 if self.shape[0] == 1 else 3

    @property
    def voxel_um3(self) -> float:
        """Volume of a voxel, um^3: dx^2 * thickness in 2D, dx^3 in 3D."""
        depth = self.thickness_um if self.ndim == 2 else self.dx_um
        return self.dx_um**2 * depth

    def halved(self) -> Grid | None:
        """The lattice of voxels twice as wide; None where an axis has an odd number of voxels.

            >>> Grid((1, 4, 6)).halved().shape, Grid((1, 4, 5)).halved()
            ((1, 2, 3), None)
        """
        if any(n > 1 and n % 2 for n in self.shape):
            return None
        nz, ny, nx = ((n + 1) // 2 for n in self.shape)
        return Grid((nz, ny, nx), 2.0 * self.dx_um, self.thickness_um, self.periodic)

    def voxel(self, z, y, x):
        """Flat index of the voxel (z, y, x); integers or integer arrays, within range."""
        return (np.asarray(z) * self.ny + y) * self.nx + x

    def coordinates(self, voxel):
        """`(z, y, x)` of a flat index or of an array of them."""
        plane, x = np.divmod(voxel, self.nx)
        z, y = np.divmod(plane, self.ny)
        if np.ndim(voxel) == 0:
            return int(z), int(y), int(x)
        return z, y, x

    def centres_um(self, voxel):
        """`(x, y, z)` of the voxel centres, um."""
        z, y, x = self.coordinates(np.asarray(voxel))
        return (x + 0.5) * self.dx_um, (y + 0.5) * self.dx_um, (z + 0.5) * self.dx_um

    def zeros(self, dtype=np.float64) -> np.ndarray:
        """A flat voxel array of zeros."""
        return zeros(self.n_voxels, dtype)


class ScratchPool:
    """Scratch pool: voxel arrays of zeros, allocated when first needed; the borrower returns them as zeros."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._free: list[np.ndarray] = []

    def borrow(self) -> Loan:
        """One array, (n_voxels,) float64 zeros, for a `with` block; after an exception it does not return to the pool."""
        try:
            array = self._free.pop()
        except IndexError:  # not a test for emptiness, since two threads may ask at once
            array = self._grid.zeros()
        return Loan(array, self._free)


class Loan:
    """A borrowed array; a class, since `contextmanager` takes a microsecond more."""

    __slots__ = ("array", "pool")

    def __init__(self, array: np.ndarray, pool: list[np.ndarray]) -> None:
        self.array, self.pool = array, pool

    def __enter__(self) -> np.ndarray:
        return self.array

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            self.pool.append(self.array)


def face_values(faces, grid: Grid) -> np.ndarray:
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
