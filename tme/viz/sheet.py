"""Sheets of lattice pictures, all on one pair of axes: a page of thirty pictures has one axis to lay out, not sixty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from tme.viz.style import CURVE_DPI, DPI, PAGE_HIGH_IN, PAGE_IN, SMALL_PT, new_figure

PT_PX = DPI / 72  # pixels of a point on a sheet


@dataclass(frozen=True)
class Panel:
    """One picture of a sheet: its rectangle in pixels from the top left, and its voxels (rows, columns)."""

    axis: Axes
    x: float
    y: float
    width: float
    height: float
    shape: tuple[int, int]

    def title(self, text: str, pad_pt: float = 3.0, **options) -> None:
        """Text above the middle of the picture."""
        self.axis.text(self.x + self.width / 2, self.y - pad_pt * PT_PX, text, ha="center", va="bottom", **options)

    def contour(self, values: np.ndarray, level: float, **options) -> None:
        """A line where `values`, one per voxel, cross a level; ten times quicker than axes' own contours, which can do more."""
        rows, columns = values.shape
        x = self.x + (np.arange(columns) + 0.5) * self.width / columns
        y = self.y + self.height - (np.arange(rows) + 0.5) * self.height / rows
        lines: Any = contour_generator(x, y, values).lines(level)
        self.axis.add_collection(LineCollection(lines, **options), autolim=False)

    def at(self, u: float, v: float) -> tuple[float, float]:
        """Pixel position of a fraction of the picture, from its lower left."""
        return self.x + u * self.width, self.y + (1 - v) * self.height


class LatticeSheet:
    """A grid of lattice pictures in which every voxel is a whole number of pixels: no blur, no uneven voxels.

    `shape` is (rows, columns) of voxels of one picture; sizes below are in pixels of a 300 dpi page. Lattices
    too large for the space are thinned by a whole factor (`step`), given to `show` in full. Smooth fields
    need no such care: `exact=False` lets them fill the space.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        shape: tuple[int, int],
        *,
        left=75,
        right=10,
        top=55,
        bottom=170,
        gap=18,
        row_gap=None,
        panel_px=None,
        exact=True,
    ):
        self.rows, self.columns, self.shape = rows, columns, shape
        room = int((PAGE_IN * DPI - left - right - gap * (columns - 1)) / columns)
        room = min(room, panel_px or room)
        high = (PAGE_HIGH_IN * DPI - top - bottom) / rows - gap
        longest = max(shape[1], shape[0] * max(0.8, room / high))
        self.step = max(1, int(np.ceil(longest / room))) if exact else 1
        zoom = max(1, int(room // longest)) if exact else room / longest
        self.height_px = round(-(-shape[0] // self.step) * zoom)
        self.width_px = round(-(-shape[1] // self.step) * zoom)
        row_gap = gap if row_gap is None else row_gap
        self.page = (
            left + right + columns * self.width_px + gap * (columns - 1),
            top + bottom + rows * self.height_px + row_gap * (rows - 1),
        )
        self.origin = (left, top, gap, row_gap)
        size = (self.page[0] + 0.01) / DPI, (self.page[1] + 0.01) / DPI
        self.figure = new_figure(*size, constrained=False, dpi=DPI if exact else CURVE_DPI)
        self.axis = self.figure.add_axes((0, 0, 1, 1))
        self.axis.set(xlim=(0, self.page[0]), ylim=(self.page[1], 0), autoscale_on=False)
        self.axis.set_axis_off()

    def place(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes of their own at a pixel rectangle; y counts from the top of the page."""
        w, h = self.page
        return self.figure.add_axes((x / w, 1 - (y + height) / h, width / w, height / h))

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Pixel position of the upper left corner of a picture."""
        left, top, gap, row_gap = self.origin
        return left + column * (self.width_px + gap), top + row * (self.height_px + row_gap)

    def show(self, row: int, column: int, image: np.ndarray, **options) -> Panel:
        """Draw a picture (rows, columns[, rgb]) with y upwards; thinned if the sheet had to."""
        x, y = self.corner(row, column)
        shown = image[:: self.step, :: self.step]
        self.axis.imshow(
            shown, origin="lower", interpolation="nearest", aspect="auto",
            extent=(x, x + self.width_px, y + self.height_px, y), **options,
        )  # fmt: skip
        self.axis.add_patch(Rectangle((x, y), self.width_px, self.height_px, fill=False, lw=0.5, ec="#999999", zorder=2.5))
        return Panel(self.axis, x, y, self.width_px, self.height_px, (shown.shape[0], shown.shape[1]))

    def text(self, x: float, y: float, text: str, **options) -> None:
        """Text at a pixel position from the top left."""
        self.figure.text(x / self.page[0], 1 - y / self.page[1], text, **options)

    def colour_bar(self, x: float, y: float, width: float, height: float, map_name: str, marks: list[tuple[float, str]]) -> None:
        """A bar of all colours of a map, low below; `marks` are places (0 to 1) with their text on its right."""
        self.axis.imshow(
            np.linspace(0, 1, 256)[:, None], origin="lower", aspect="auto", cmap=map_name, vmin=0, vmax=1, interpolation="nearest",
            extent=(x, x + width, y + height, y),
        )  # fmt: skip
        self.axis.add_patch(Rectangle((x, y), width, height, fill=False, lw=0.5, ec="black", zorder=2.5))
        for share, text in marks:
            at = y + (1 - share) * height
            self.axis.plot([x + width, x + width + 2 * PT_PX], [at, at], color="black", lw=0.6, solid_capstyle="butt")
            self.axis.text(x + width + 3.5 * PT_PX, at, text, ha="left", va="center_baseline", fontsize=SMALL_PT)

    def scale_bar(self, panel: Panel, dx_um: float, colour: str = "black") -> float:
        """A bar of a round length, about a quarter of the panel; returns the length in um."""
        span = self.shape[1] * dx_um
        length = max(
            v for v in (20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 0) if v <= 0.34 * span or v == 20
        )
        halo = [withStroke(linewidth=1.6, foreground="black" if colour == "white" else "white")]
        (x0, y0), (x1, _) = panel.at(0.05, 0.06), panel.at(0.05 + length / span, 0.06)
        self.axis.plot([x0, x1], [y0, y0], color=colour, lw=1.8, solid_capstyle="butt")
        name = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
        self.axis.text(*panel.at(0.05, 0.085), name, color=colour, ha="left", va="bottom", fontsize=SMALL_PT, path_effects=halo)
        return length
