"""The vessel bed: candidate sites with a fixed rank each, of which a zone-dependent share is open.

Every voxel is a candidate with probability density x dx^2, decided once per seed. Each site has a rank in
(0, 1); it is open where its rank is below the factor of the zone it lies in: normal tissue, the tumour's
rim, or its core. As the tumour grows, sites ahead of it enter the rim and open (growth at the rim), and
sites left behind in the core close (collapse). Open or closed is a pure function of seed and tumour.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.rng import Stream, uniforms


class VesselBed:
    """`sites` (m,) int32 voxels, `rank` (m,) float64, `open` (m,) bool, `voxels` the open sites."""

    def __init__(self, n_voxels: int, p_site: float, seed: int) -> None:
        every = np.arange(n_voxels, dtype=np.uint64)
        u = np.empty(n_voxels)
        uniforms(np.uint64(seed), int(Stream.VESSEL), 0, every, 0, u)
        self.sites = np.flatnonzero(u < p_site).astype(np.int32)
        rank = np.empty(n_voxels)
        uniforms(np.uint64(seed), int(Stream.VESSEL), 0, every, 1, rank)
        self.rank = rank[self.sites]
        self.p_site = p_site
        self.open = np.ones(len(self.sites), bool)
        self.voxels = self.sites.copy()

    def update(self, depth_um: np.ndarray, rim_um: float, normal: float, rim: float, core: float) -> None:
        """Open and close sites by the zone their voxel lies in (`depth_um` > 0 inside the tumour)."""
        d = depth_um[self.sites]
        factor = np.where(d <= 0.0, normal, np.where(d <= rim_um, rim, core))
        self.open = self.rank < factor
        self.voxels = self.sites[self.open]
