"""Cells of a table before and after they were placed on the lattice: both maps, the densest place in detail, how far cells moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tme.viz import style
from tme.viz.maps import DRAW_ORDER
from tme.viz.style import CELL_COLOURS, CELL_NAMES, GREY, OWN_COLOURS

SECOND_COLOURS = (style.VERMILLION, style.SKY, style.ORANGE, style.PURPLE, style.GREEN, style.BLUE, style.BLACK, "#5B3A8C")  # of further names of one type
DARKER = {"tumour": "#B0B0B0", "normal": "#CFC4A8", "stroma": "#C9AE7C"}  # colours that dots and lines need stronger than areas
REST = "#8C6D1F"
MOST_NAMES = 8
NAMES = {**CELL_NAMES, "tumour": "tumour cell"}
LONGEST = 30  # signs of a name in a legend
CLOSE_UM = 150.0
DRAWN_CELLS = 150_000  # dots of a scatter: more only cover each other


@dataclass(frozen=True)
class Panels:
    """Cells of a table and their places: `place_um` (n, 2) in the domain, `name` and `kind` (n,) str, `voxel` (n, 2) int64 as x, y on a
    lattice of `shape` (nx, ny) voxels of `dx_um`; `left` counts cells that were not placed since their type is none of the model's.
    """

    place_um: np.ndarray
    name: np.ndarray
    kind: np.ndarray
    voxel: np.ndarray
    shape: tuple[int, int]
    dx_um: float
    left: int

    @property
    def centre_um(self) -> np.ndarray:
        """Centres (n, 2) of the cells' voxels, um."""
        return (self.voxel + 0.5) * self.dx_um


@cache
def font() -> FT2Font:
    """The font of all figures."""
    return FT2Font(findfont(style.RC["font.sans-serif"][0]))


def plain(text: str, most: int = LONGEST) -> str:
    """A name as a legend can show it: no mathematics, no signs that do not print or that the font lacks, not too long."""
    shown = "".join(c if c.isprintable() and font().get_char_index(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)
    shown = shown if len(shown) <= most else shown[: most - 1] + "…"
    return shown.replace("$", r"\$") or "(empty)"


def draw(panels: Panels, path: Path) -> Path:
    """Write the picture as a PNG, by temporary file and rename."""
    with style.use():
        nx, ny = panels.shape
        high = min(max(3.1 * ny / nx, 1.6), 4.6)
        figure = style.new_figure(style.PAGE_IN, high + 3.6)
        grid = figure.add_gridspec(2, 2, height_ratios=(high, 2.3))
        axes = [figure.add_subplot(grid[k // 2, k % 2]) for k in range(4)]
        before(axes[0], panels)
        after(axes[1], panels)
        close_up(axes[2], panels)
        moved(axes[3], panels)
        style.panel_letters(axes, x_pt=-4.0)
    return style.save(figure, path)


def colours_of(kinds: np.ndarray) -> dict[str, str]:
    """Type -> colour, in the order in which they are drawn."""
    there = set(kinds.tolist())
    known = [k for k in DRAW_ORDER if k in there]
    own = sorted(there - set(known))
    return {k: CELL_COLOURS[k] for k in known} | {k: OWN_COLOURS[i % len(OWN_COLOURS)] for i, k in enumerate(own)}


def name_colours(panels: Panels, names: list[str]) -> dict[str, str]:
    """A name's colour is that of its type on the lattice; further names of a type take colours that no type has."""
    of_kind = {k: DARKER.get(k, c) for k, c in colours_of(panels.kind).items()}
    spare = [c for c in SECOND_COLOURS if c not in of_kind.values()]
    out: dict[str, str] = {}
    for name in names[:MOST_NAMES]:
        kind = str(panels.kind[np.flatnonzero(panels.name == name)[0]])
        out[name] = of_kind.pop(kind, "") or (spare.pop(0) if spare else REST)
    return out


def frame(axis: Axes, panels: Panels, title: str) -> None:
    """A square map of the domain with a scale bar below it."""
    wide, high = panels.shape[0] * panels.dx_um, panels.shape[1] * panels.dx_um
    axis.set(xlim=(0, wide), ylim=(0, high), aspect="equal", xticks=[], yticks=[])
    titled(axis, title)
    for spine in axis.spines.values():
        spine.set_visible(True)
        spine.set_color("#999999")
    scale_bar(axis, wide)


def titled(axis: Axes, text: str) -> None:
    """A title with room for the panel's letter before it."""
    axis.set_title(text, loc="left", x=0.045)


def scale_bar(axis: Axes, wide_um: float) -> None:
    """A bar of a round length under the left corner."""
    length = max(v for v in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if v <= 0.34 * wide_um or v == 10)
    axis.plot([0, length / wide_um], [-0.03, -0.03], transform=axis.transAxes, color="black", lw=1.8, clip_on=False, solid_capstyle="butt")
    text = f"{length / 1000:g} mm" if length >= 1000 else f"{length} µm"
    axis.text(length / wide_um + 0.015, -0.03, text, transform=axis.transAxes, ha="left", va="center", fontsize=style.SMALL_PT)


def legend(axis: Axes, handles: list[Any], y: float = -0.07) -> None:
    """Under the map and its bar, in two columns."""
    axis.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.02, y), ncols=2, fontsize=6.5, columnspacing=1.0, handletextpad=0.4, borderaxespad=0.0)


def before(axis: Axes, panels: Panels) -> None:
    """The cells where they were measured, by the table's own names."""
    names, counts = np.unique(panels.name, return_counts=True)
    order = names[np.argsort(-counts, kind="stable")]
    number = dict(zip(names.tolist(), counts.tolist()))
    wide_pt = 72.0 * 3.2
    radius = max(0.5, 0.55 * wide_pt * 9.0 / (panels.shape[0] * panels.dx_um))
    thin = slice(None, None, max(1, -(-len(panels.name) // DRAWN_CELLS)))
    handles = []
    colours = name_colours(panels, order.tolist())
    for k, name in enumerate(order):
        colour = colours.get(name, REST)
        mine = np.flatnonzero(panels.name == name)[thin if number[name] > 1000 else slice(None)]
        axis.scatter(panels.place_um[mine, 0], panels.place_um[mine, 1], s=radius**2, c=colour, lw=0, rasterized=True, zorder=2 + k)
        if k < MOST_NAMES:
            kind = str(panels.kind[mine[0]])
            handles.append(Line2D([], [], ls="", marker="o", ms=4, mew=0, color=colour, label=f"{plain(name, 18)} → {plain(kind, 12)} ({number[name]:,})"))
    if len(order) > MOST_NAMES:
        rest = sum(number[n] for n in order[MOST_NAMES:])
        handles.append(Line2D([], [], ls="", marker="o", ms=4, mew=0, color=REST, label=f"{len(order) - MOST_NAMES} more names ({rest:,})"))
    frame(axis, panels, f"Measured: {len(panels.name):,} cells, by the table's names")
    if panels.left:
        handles.append(Line2D([], [], ls="", marker="", label=f"of other types, not placed: {panels.left:,}"))
    legend(axis, handles)


def after(axis: Axes, panels: Panels) -> None:
    """The lattice at the start: one tissue cell a voxel, guests on top."""
    colours = colours_of(panels.kind)
    image = np.ones((panels.shape[1], panels.shape[0], 3))
    handles = []
    for kind, colour in colours.items():
        x, y = panels.voxel[panels.kind == kind].T
        image[y, x] = to_rgb(colour)
        handles.append(Patch(facecolor=colour, edgecolor="#999999", lw=0.3, label=f"{plain(NAMES.get(kind, kind), 18)} ({len(x):,})"))
    axis.imshow(image, origin="lower", interpolation="nearest", extent=(0, panels.shape[0] * panels.dx_um, 0, panels.shape[1] * panels.dx_um))
    frame(axis, panels, f"On the lattice: voxels of {panels.dx_um:g} µm")
    legend(axis, handles)


def close_up(axis: Axes, panels: Panels) -> None:
    """The part where cells moved most: dots where they were measured, squares where they are, a line between."""
    far = np.hypot(*(panels.centre_um - panels.place_um).T)
    side = min(CLOSE_UM, panels.shape[0] * panels.dx_um, panels.shape[1] * panels.dx_um)
    low = crowded(panels, far, side)
    inside = ((panels.place_um >= low) & (panels.place_um < low + side)).all(axis=1)
    colours = colours_of(panels.kind)
    for kind, colour in colours.items():
        x, y = panels.voxel[inside & (panels.kind == kind)].T * panels.dx_um
        for a, b in zip(x, y):
            axis.add_patch(rectangle(a, b, panels.dx_um, colour))
    axis.add_collection(LineCollection(list(np.stack([panels.place_um[inside], panels.centre_um[inside]], axis=1)), colors=GREY, lw=0.6, zorder=4))
    axis.scatter(panels.place_um[inside, 0], panels.place_um[inside, 1], s=7, c="black", lw=0, zorder=5)
    axis.set(xlim=(low[0], low[0] + side), ylim=(low[1], low[1] + side), aspect="equal", xticks=[], yticks=[])
    titled(axis, "Where cells moved most")
    for spine in axis.spines.values():
        spine.set_visible(True)
        spine.set_color("#999999")
    scale_bar(axis, side)
    axis.legend(handles=[Line2D([], [], ls="", marker="o", ms=3, mew=0, color="black", label="measured"), Patch(facecolor="#D9D9D9", edgecolor="white", label="its voxel"),
                         Line2D([], [], color=GREY, lw=0.8, label="displacement")],
                loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=6.5)  # fmt: skip


def rectangle(x: float, y: float, side: float, colour: str) -> Any:
    """A voxel with a thin white edge."""
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), side, side, facecolor=colour, edgecolor="white", lw=0.5, zorder=2)


def crowded(panels: Panels, far: np.ndarray, side: float) -> np.ndarray:
    """Lower corner (2,) of the square in which cells moved farthest in sum."""
    cell = (panels.place_um // side).astype(int)
    cell -= cell.min(axis=0)
    total = np.zeros(cell.max(axis=0) + 1)
    np.add.at(total, tuple(cell.T), far)
    at = np.array(np.unravel_index(int(np.argmax(total)), total.shape)) + (panels.place_um // side).astype(int).min(axis=0)
    return at * side


def moved(axis: Axes, panels: Panels) -> None:
    """How far each type moved: the share of its cells within a distance."""
    far = np.hypot(*(panels.centre_um - panels.place_um).T)
    dark = {k: (c if k not in ("tumour", "normal", "stroma", "caf") else {"tumour": GREY, "normal": "#A89F84", "stroma": "#B08F4F", "caf": "#8C7853"}[k]) for k, c in colours_of(panels.kind).items()}
    for kind, colour in dark.items():
        mine = np.sort(far[panels.kind == kind])
        axis.plot(np.r_[0.0, mine], np.linspace(0, 100, len(mine) + 1), color=colour, drawstyle="steps-post", label=f"{plain(NAMES.get(kind, kind), 18)}, {np.median(mine):.1f} µm")
    edge = panels.dx_um / np.sqrt(2.0)
    axis.axvline(edge, color="#BBBBBB", lw=0.8, zorder=0)
    axis.set(xlabel="from the measured place to the voxel's centre (µm)", ylabel="cells (%)", ylim=(0, 101))
    titled(axis, "Displacement, with median")
    end = max(1.5 * edge, float(far.max(initial=0.0)) * 1.02)
    axis.set_xlim(0, end)
    axis.locator_params(axis="x", nbins=6)  # whatever the size of the panel, so that its labels fit as measured
    late = edge > 0.55 * end
    axis.text(edge, 3, "corner of the own voxel " if late else " corner of the own voxel", color="#888888", fontsize=6, ha="right" if late else "left", va="bottom")
    axis.legend(loc="center right", fontsize=6.5, frameon=True, facecolor="white", edgecolor="none", framealpha=0.9)
