"""The tumour as a region, and who lies how far inside or outside of its edge.

The region is what tumour cells and corpses fill: their pixels with gaps closed, holes filled and small islands left out. Distances are
negative inside. Densities are per mm^2 of the plane (in 3D per mm^3): of a section as imaged, of a simulated slab as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import ndimage

from tme.spatial.cell import Cells, SpatialError
from tme.spatial.infiltration import READOUTS, classes
from tme.spatial.window import Window

PIXEL_UM = 15.0  # a cell's width
CLOSING_UM = 60.0  # gaps up to twice as wide are closed
MIN_PART = 0.03  # islands smaller than this share of the tumour do not move the edge
BIN_UM, RIM_UM = 50.0, 100.0
LEAST_PIXELS = 25  # of a bin or a region of which a density is told


@dataclass(frozen=True)
class Region:
    """A tumour's region on the pixels of a window, and each pixel's signed distance (nz, ny, nx) um from its edge."""

    window: Window
    mask: np.ndarray
    distance: np.ndarray

    @property
    def has_edge(self) -> bool:
        """Whether there is tumour, and something beside it."""
        return bool(self.mask.any() and not self.mask.all())

    def at(self, points: np.ndarray) -> np.ndarray:
        """Signed distance (n,) um of points."""
        return self.distance[self.window.pixel_of(points)]

    def rimmed(self, rim_um: float = RIM_UM) -> Window:
        """The region with a rim around it as a window."""
        return replace(self.window, mask=self.distance <= rim_um, about=f"tumour and {rim_um:g} um around it", _tables={})


def pixels(window: Window, pixel_um: float = PIXEL_UM) -> Window:
    """A box as pixels, all of them in it; the last ones may stand out."""
    n = np.maximum(np.ceil(window.size / pixel_um - 1e-9).astype(int), 1)
    shape = (1, *n[::-1]) if window.ndim == 2 else tuple(n[::-1])
    return Window(window.low, window.low + n * pixel_um, np.ones(shape, bool), pixel_um, window.about)


def closed(mask: np.ndarray, steps: int, min_part: float = MIN_PART) -> np.ndarray:
    """A mask (nz, ny, nx) with gaps up to 2 `steps` pixels closed, holes filled, and islands below a share of it left out."""
    flat = mask.shape[0] == 1
    work = mask[0] if flat else mask
    if not work.any():
        return mask
    near = ndimage.distance_transform_edt(~work) <= steps
    inner = ndimage.distance_transform_edt(np.pad(near, steps + 1, mode="edge")) > steps
    work = ndimage.binary_fill_holes(work | inner[(slice(steps + 1, -steps - 1),) * work.ndim])
    labels, n = ndimage.label(work)
    if n > 1:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        work = (sizes >= min_part * sizes.sum())[labels]
    return work[None] if flat else work


def signed_distance(mask: np.ndarray, pixel_um: float) -> np.ndarray:
    """Distance (um) of pixels' middles from a mask's edge, negative inside; without an edge -inf or inf."""
    if mask.all() or not mask.any():
        return np.full(mask.shape, -np.inf if mask.any() else np.inf)
    work = mask[0] if mask.shape[0] == 1 else mask
    inside, outside = ndimage.distance_transform_edt(work), ndimage.distance_transform_edt(~work)
    return (np.where(work, 0.5 - inside, outside - 0.5) * pixel_um).reshape(mask.shape)


def region(of: Cells, tumour: Sequence[str], pixel_um: float = PIXEL_UM, closing_um: float = CLOSING_UM) -> Region:
    """The region that cells of these types fill within the box of the cells' window."""
    base = pixels(of.window, pixel_um)
    mask = np.zeros(base.mask.shape, bool)  # type: ignore[union-attr]
    mask[base.pixel_of(of.points[of.of(*tumour)])] = True
    mask = closed(mask, max(round(closing_um / pixel_um), 1))
    return Region(base, mask, signed_distance(mask, pixel_um))


@dataclass(frozen=True)
class Profile:
    """Densities (k, bins) per mm^2 (3D mm^3) by signed distance; NaN of bins with next to no area. `deep`, `rim`, `whole`: of type by type (k,)."""

    types: tuple[str, ...]
    edges_um: np.ndarray
    area: np.ndarray
    cells: np.ndarray
    density: np.ndarray
    deep: np.ndarray
    rim: np.ndarray
    whole: np.ndarray

    def table(self) -> pd.DataFrame:
        """One row for each type and bin."""
        rows = [
            {"type": a, "from_um": self.edges_um[m], "to_um": self.edges_um[m + 1], "area_mm": self.area[m], "cells": self.cells[i, m], "density": self.density[i, m]}
            for i, a in enumerate(self.types) for m in range(len(self.area)) if self.area[m] > 0
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def infiltration(self, cd8: Sequence[str]) -> str:
        """inflamed, excluded or desert by the density of these types; "" where it cannot be told, or where the table has none of them and no such type."""
        mine = [self.types.index(t) for t in cd8 if t in self.types]
        found = {name: np.array([v[mine].sum() if mine else 0.0]) for name, v in zip(READOUTS, (self.whole, self.deep, self.rim))}
        return classes(found)[0]


def profile(of: Cells, where: Region, bin_um: float = BIN_UM, rim_um: float = RIM_UM) -> Profile:
    """Who lies how far from the tumour's edge. SpatialError where the window holds no edge."""
    if not where.has_edge:
        raise SpatialError("the tumour fills the window: it has no edge here" if where.mask.any() else "there is no tumour region in the window")
    pixel = (where.window.pixel_um / 1000.0) ** of.ndim
    seen, own = where.distance, where.at(of.points)
    low = np.floor(seen.min() / bin_um) * bin_um
    edges = np.arange(low, np.ceil(seen.max() / bin_um) * bin_um + bin_um / 2, bin_um)
    k = len(of.types)
    area = np.histogram(seen, edges)[0] * pixel
    counts = np.stack([np.histogram(own[of.code == a], edges)[0] for a in range(k)])
    with np.errstate(divide="ignore", invalid="ignore"):
        density = np.where(area >= LEAST_PIXELS * pixel, counts / area, np.nan)

    def of_part(inside_map: np.ndarray, inside_cells: np.ndarray) -> np.ndarray:
        size = inside_map.sum()
        return np.bincount(of.code[inside_cells], minlength=k) / (size * pixel) if size >= LEAST_PIXELS else np.full(k, np.nan)

    deep = of_part(seen < 0, own < 0)
    rim = of_part((seen >= 0) & (seen <= rim_um), (own >= 0) & (own <= rim_um))
    whole = of_part(seen <= rim_um, own <= rim_um)
    return Profile(of.types, edges, area, counts, density, deep, rim, whole)
