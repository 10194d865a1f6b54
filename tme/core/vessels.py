"""The vessel bed: capillaries of a stated length density, cut into segments of a fixed rank each, some of them open.

Both dimensions share one number, the length density L_V (mm of vessel per mm^3, which is 1/mm^2).

In 2D a vessel crosses the slab: every voxel is a site with probability L_V dx^2, decided once per seed, with as much
vessel in it as the slab is thick. So there are L_V points per mm^2.

In 3D vessels are straight lines of an isotropic Poisson process. Lines of the direction e that cross a ball
hit the disc through its centre at right angles to e, so a uniform e and points of the disc at a density of L_V per area
make a length of L_V per volume (Kendall and Moran 1963, Geometrical Probability, ch. 3; Baddeley and Jensen 2005,
Stereology for Statisticians). The ball is the smallest about the lattice. The areas pi r^2 of successive lines, r
their distance from its centre, grow by exponential steps, so line j of a seed is the same one in a larger domain of the
same centre. A plane meets L_V / 2 of them per area, each way (the count N_A of histology, L_V = 2 N_A). Lines
end at the domain's faces, also where these are periodic.

A line lies in 1.5 voxels per voxel's width, so on the lattice it is wider than the point of 2D (radii of about 0.30 and
0.21 dx) and would supply 10 to 15 % more per mm. `VesselBed.rate` takes that away by a resistance in series, so that a mm
of vessel supplies the same in both.

A line is cut into segments of SEGMENT_UM. Each segment (in 2D each site) has a rank in (0, 1); it is open where its rank is
below the factor of the zone its deepest part lies in: normal tissue, the tumour's rim, or its core. As the tumour grows,
vessels ahead of it enter the rim and open (growth at the rim), and those left behind in the core close (collapse). Open
or closed is a pure function of seed and tumour.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.grid import Grid
from tme.kernels.exchange import VESSEL_UM as NOMINAL_UM
from tme.kernels.rng import Stream, uniforms

SEGMENT_UM = 100.0
SPREAD = 0.058  # over D: how much less than a point a line resists, per um of vessel; measured (tests/core/test_vessels.py)
RIM_UM = 100.0  # how far from tumour cells vessels are still those of the tumour
SHORTEST_UM = 1e-6  # pieces below are rounding at a voxel's corner
# what a draw is for; a 2D site is drawn with 0, its rank with 1
_STEP, _HEIGHT, _AZIMUTH, _ANGLE, _CUT, _RANK = 2, 3, 4, 5, 6, 7
_SEGMENTS = 2**20  # of one line, at most


def mean_weight(grid: Grid, per_mm2: float) -> float:
    """Weight of a voxel's vessels in the mean, at a length density of `per_mm2` mm/mm^3."""
    return per_mm2 * grid.dx_um**2 * 1e-6 * (grid.voxel_um3 / grid.dx_um**2 / NOMINAL_UM)


class VesselBed:
    """Vessels of a `Grid` at a length density of `per_mm2`, mm per mm^3.

    A vessel is made of pieces, one a voxel it crosses: `sites` (p,) int32 their voxels, `piece_um` (p,) float64 their
    lengths, `segment` (p,) int64 ascending the segment each belongs to. `rank` (s,) float64 and `open` (s,) bool are of
    segments. `voxels` (m,) int32 ascending are those with an open vessel, and `weight` (m,) float64 is the length of
    open vessel in them over NOMINAL_UM, what rates per vessel are multiplied by; `passage` (m,) float64 is the share of drugs,
    antibodies and particles that the tissue there lets pass (1 unless a rule says otherwise).
    """

    def __init__(self, grid: Grid, per_mm2: float, seed: int) -> None:
        self.grid = grid
        if grid.ndim == 2:
            every = np.arange(grid.n_voxels, dtype=np.uint64)
            sites = np.flatnonzero(_uniform(seed, every, 0) < per_mm2 * grid.dx_um**2 * 1e-6).astype(np.int32)
            self.place(sites, _uniform(seed, every, 1)[sites])
        else:
            self._set(*_pieces(grid, per_mm2, seed))

    def place(self, sites: np.ndarray, rank: np.ndarray) -> None:
        """Instead of those drawn, straight vessels across the voxels `sites` (s,), all open; `rank` (s,) as theirs."""
        sites = np.asarray(sites, np.int32)
        across = self.grid.voxel_um3 / self.grid.dx_um**2
        self._set(sites, np.full(len(sites), across), np.arange(len(sites)), np.asarray(rank, np.float64))

    def _set(self, sites: np.ndarray, piece_um: np.ndarray, segment: np.ndarray, rank: np.ndarray) -> None:
        self.sites, self.piece_um, self.segment, self.rank = sites, piece_um, segment, rank
        self._starts = np.flatnonzero(np.diff(segment, prepend=-1))
        self.set_open(np.ones(len(rank), bool))

    def update(self, depth_um: np.ndarray, rim_um: float, normal: float, rim: float, core: float, grown: np.ndarray | float = 1.0) -> None:
        """Open and close segments by the zone of their deepest voxel (`depth_um` > 0 inside the tumour); `grown` (s,) times its factor."""
        d = depth_um[self.sites]
        if len(d):
            d = np.maximum.reduceat(d, self._starts)
        factor = np.where(d <= 0.0, normal, np.where(d <= rim_um, rim, core))
        self.set_open(self.rank < factor * grown)

    def of_segments(self, values: np.ndarray) -> np.ndarray:
        """Means (s,) over segments, by length, of `values` (p,) of pieces."""
        if not len(values):
            return np.zeros(0)
        return np.add.reduceat(values * self.piece_um, self._starts) / np.add.reduceat(self.piece_um, self._starts)

    def near(self, lattice: Any, cells: np.ndarray) -> np.ndarray:
        """Which open vessels lie within some RIM_UM of cells in these voxels, (m,) bool."""
        return lattice.beside(cells, self.voxels, RIM_UM)

    def rate(self, per_vessel: float, diffusion: float) -> float:
        """Exchange (1/min) per weight of a field of `diffusion` um^2/min where a voxel's one vessel exchanges at `per_vessel`.

        In 3D 1/rate = 1/per_vessel + SPREAD voxel/(NOMINAL_UM D), which tells for strong exchange only: oxygen's is a third
        less, drugs' the same.
        """
        if self.grid.ndim == 2 or per_vessel == 0.0 or diffusion == 0.0:
            return per_vessel
        return per_vessel / (1.0 + per_vessel * SPREAD * self.grid.voxel_um3 / (NOMINAL_UM * diffusion))

    def set_open(self, open_: np.ndarray) -> None:
        """Let the segments of `open_` (s,) bool be open; ValueError where it is not of this bed."""
        if len(open_) != len(self.rank):
            raise ValueError(f"the bed has {len(self.rank)} vessel segments, not {len(open_)}")
        self.open = np.asarray(open_, bool)
        now = self.open[self.segment]
        self.voxels, of = np.unique(self.sites[now], return_inverse=True)
        self.weight = np.bincount(of.ravel(), self.piece_um[now], len(self.voxels)) / NOMINAL_UM
        self.passage = np.ones(len(self.voxels))


def _uniform(seed: int, uids: np.ndarray, sub: int) -> np.ndarray:
    """One number in (0, 1) for each of `uids` (n,) uint64."""
    out = np.empty(len(uids))
    uniforms(np.uint64(seed), int(Stream.VESSEL), 0, uids, sub, out)
    return out


def lines(per_um2: float, radius_um: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Isotropic random lines that cross a ball about 0: their points nearest to 0 (n, 3), um, and directions (n, 3).

    `per_um2` um of line per um^3; components are in the order z, y, x.
    """
    most = np.pi * radius_um**2 * per_um2
    area = np.zeros(0)
    while len(area) == 0 or area[-1] < most:
        more = np.arange(len(area), 2 * len(area) + 64, dtype=np.uint64)
        steps = -np.log(_uniform(seed, more, _STEP))
        area = np.concatenate([area, (area[-1] if len(area) else 0.0) + np.cumsum(steps)]) if per_um2 > 0.0 else np.full(1, np.inf)
    line = np.arange(np.searchsorted(area, most), dtype=np.uint64)
    height = _uniform(seed, line, _HEIGHT)
    around, angle = 2.0 * np.pi * _uniform(seed, line, _AZIMUTH), 2.0 * np.pi * _uniform(seed, line, _ANGLE)
    wide = np.sqrt(1.0 - height**2)
    along = np.stack([height, wide * np.sin(around), wide * np.cos(around)], 1)
    first = np.stack([np.zeros(len(line)), np.cos(around), -np.sin(around)], 1)  # at right angles to `along`, and to `second`
    second = np.stack([-wide, height * np.sin(around), height * np.cos(around)], 1)
    r = np.sqrt(area[: len(line)] / (np.pi * per_um2)) if len(line) else np.zeros(0)
    return (r * np.cos(angle))[:, None] * first + (r * np.sin(angle))[:, None] * second, along


def _pieces(grid: Grid, per_mm2: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`sites`, `piece_um`, `segment` and `rank` of the lines through a lattice."""
    size = np.array(grid.shape) * grid.dx_um
    points, along = lines(per_mm2 * 1e-6, 0.5 * float(np.sqrt((size**2).sum())), seed)
    cut = SEGMENT_UM * _uniform(seed, np.arange(len(points), dtype=np.uint64), _CUT)
    sites, lengths, segments, names, count = [np.zeros(0, np.int32)], [np.zeros(0)], [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)], 0
    for j in range(len(points)):
        voxel, um, number = trace(grid, points[j] + 0.5 * size, along[j], cut[j])
        if len(voxel):
            own, of = np.unique(number, return_inverse=True)
            sites.append(voxel)
            lengths.append(um)
            segments.append(count + of.ravel())
            names.append(((j * _SEGMENTS + _SEGMENTS // 2) + own).astype(np.uint64))
            count += len(own)
    return np.concatenate(sites), np.concatenate(lengths), np.concatenate(segments), _uniform(seed, np.concatenate(names), _RANK)


def trace(grid: Grid, point: np.ndarray, along: np.ndarray, cut: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The voxels that a line crosses: their indices (p,) int32, the lengths in them, um, and the segments they belong to.

    `point` (3,) um from the lattice's corner and the unit vector `along` in the order z, y, x; segments begin at `cut` um
    from the point and at multiples of SEGMENT_UM from there. A voxel in two segments comes twice. Lengths are exact.
    """
    lo, hi, marks = -np.inf, np.inf, []
    for n, p, e in zip(grid.shape, point, along, strict=True):
        if abs(e) < 1e-12:
            if not 0.0 <= p < n * grid.dx_um:
                return np.zeros(0, np.int32), np.zeros(0), np.zeros(0, np.int64)
            continue
        planes = (np.arange(n + 1) * grid.dx_um - p) / e
        lo, hi = max(lo, planes.min()), min(hi, planes.max())
        marks.append(planes)
    if hi - lo > SHORTEST_UM:
        marks.append(cut + SEGMENT_UM * np.arange(np.floor((lo - cut) / SEGMENT_UM), np.ceil((hi - cut) / SEGMENT_UM) + 1.0))
    at = np.unique(np.clip(np.concatenate(marks), lo, max(lo, hi)))
    at = at[np.diff(at, prepend=-np.inf) > SHORTEST_UM]
    middle = 0.5 * (at[1:] + at[:-1])
    index = np.floor((point[:, None] + along[:, None] * middle) / grid.dx_um).astype(np.int64)
    z, y, x = (np.clip(i, 0, n - 1) for i, n in zip(index, grid.shape, strict=True))
    return grid.voxel(z, y, x).astype(np.int32), np.diff(at), np.floor((middle - cut) / SEGMENT_UM).astype(np.int64)
