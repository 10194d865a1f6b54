"""How every figure looks: sizes, colours, names and units, exact lattice panels, atomic saving.

Colours are those of Okabe & Ito (2008), told apart with any common colour blindness.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from tme.viz.files import whole
from tme.viz.layout import OnceMeasured
from tme.viz.picture import few_colours, map_of

DPI = 300  # of lattice pictures, whose voxels are whole numbers of pixels
CURVE_DPI = 200  # of everything else: twice the pixels of the page on a screen
PAGE_IN = 7.2  # two journal columns, 183 mm
PAGE_HIGH_IN = 9.3
FONT_PT = 7.5
SMALL_PT = 7.0

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#4D4D4D"

ARM_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, "#8C6D1F")
FATE_COLOURS = {"ferroptosis": VERMILLION, "immune": SKY, "necrosis": "#7F7F7F", "apoptosis": YELLOW, "cuproptosis": "#8C4B1F", "disulfidptosis": "#7A9A01"}
FATE_NAMES = {
    "ferroptosis": "ferroptosis",
    "immune": "killed by CD8",
    "necrosis": "necrosis",
    "apoptosis": "other apoptosis",
    "cuproptosis": "cuproptosis",
    "disulfidptosis": "disulfidptosis",
}
CELL_COLOURS = {
    "tumour": "#D9D9D9",
    "stroma": "#E8DCC5",
    "macrophage": GREEN,
    "dendritic": PURPLE,
    "treg": BLACK,
    "cd8": BLUE,
    "mdsc": ORANGE,
    "nk": "#5B3A8C",
    "caf": "#B9A27F",
    "cd4": "#6BAED6",
    "neutrophil": "#C51B7D",
    "b_cell": "#2E8B8B",
    "normal": "#F3EFE6",
}
OWN_COLOURS = ("#A6761D", "#1B9E77", "#7570B3", "#E7298A", "#66A61E", "#4D7A8C")  # of cell types without one above
CELL_NAMES = {
    "tumour": "tumour, alive",
    "cd8": "CD8 T cell",
    "macrophage": "macrophage",
    "dendritic": "dendritic cell",
    "treg": "Treg",
    "mdsc": "MDSC",
    "nk": "NK cell",
    "caf": "fibroblast",
    "cd4": "CD4 T cell",
    "neutrophil": "neutrophil",
    "b_cell": "B cell",
    "normal": "normal tissue",
    "stroma": "stroma",
}
FIELD_NAMES = {
    "oxygen": "oxygen",
    "cystine": "cystine",
    "ifng": "IFN-γ",
    "cxcl": "CXCL9/10",
    "atp": "ATP",
    "hmgb1": "HMGB1",
    "suppressive": "TGF-β/IL-10",
    "suppression": "TGF-β/IL-10",
    "peroxide": "lipid peroxide",
    "lactate": "lactate",
    "il6": "IL-6",
    "il8": "IL-8",
    "il12": "IL-12",
    "ohg8": "8-OHG",
    "rsl3": "free RSL3",
    "arachidonic_acid": "arachidonic acid",
    "arachidonic": "arachidonic acid",
    "vegf": "VEGF",
    "copper": "copper",
}
WORDS = {
    "pdl1": "PD-L1",
    "pd1": "PD-1",
    "ctla4": "CTLA-4",
    "rsl3": "RSL3",
    "ifng": "IFN-γ",
    "cd8": "CD8",
    "fe": "Fe",
    "peg": "PEG",
    "pdpa": "PDPA",
    "np": "particles",
    "nps": "particles",
    "ike": "IKE",
    "icb": "ICB",
    "dfo": "DFO",
    "slc7a11": "SLC7A11",
    "gpx4": "GPX4",
    "fsp1": "FSP1",
    "nrf2": "NRF2",
    "acsl4": "ACSL4",
    "gsh": "GSH",
    "dc": "DC",
    "m1": "M1",
    "m2": "M2",
    "cxcl": "CXCL9/10",
    "atp": "ATP",
    "hmgb1": "HMGB1",
    "plooh": "PLOOH",
}

RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica", "sans-serif"],
    "font.size": FONT_PT,
    "axes.titlesize": FONT_PT,
    "axes.labelsize": FONT_PT,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "legend.fontsize": FONT_PT,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "image.cmap": "viridis",
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "axes.formatter.limits": (-3, 5),
    "path.simplify": True,
}
TIME_LABEL = "time since start of treatment (d)"


@dataclass
class Drawn:
    """A finished figure: file name without ending, heading, the picture, and what one sees in it."""

    name: str
    title: str
    figure: Figure
    caption: str

    def _repr_png_(self) -> bytes:
        """The picture, as a notebook shows it."""
        body = io.BytesIO()
        few_colours(pixels(self.figure), map_of(self.figure)).save(body, "PNG")
        return body.getvalue()


def use() -> AbstractContextManager[None]:
    """The style as a context, so that nothing outside a report is restyled."""
    return mpl.rc_context(RC)


def new_figure(width_in: float = PAGE_IN, height_in: float = 3.0, constrained: bool = True, dpi: int = CURVE_DPI) -> Figure:
    """A figure without pyplot: no global state, nothing to close."""
    figure = Figure(figsize=(width_in, height_in), dpi=dpi, layout=OnceMeasured() if constrained else None)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path, dpi: int | None = None) -> Path:
    """Write a PNG by temporary file and rename: a reader sees the old picture or the new one, never half.

    The figure is drawn once (matplotlib's own saving lays a constrained figure out twice) and stored in at most
    256 colours, a third of the bytes. `dpi` None is the resolution that the figure was laid out for.
    """
    with whole(path) as file:
        few_colours(pixels(figure, dpi), map_of(figure)).save(file, "PNG", compress_level=6)
    return path


def pixels(figure: Figure, dpi: int | None = None) -> np.ndarray:
    """The figure as drawn, (height, width, 3) uint8, on white."""
    if dpi is not None:
        figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    with use():
        finished(figure)
        canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def finished(figure: Figure) -> Figure:
    """The figure on white, with its plain number axes in `Numbers`; call it once everything is drawn into it."""
    figure.set_facecolor("white")
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if type(axis.get_major_formatter()) is ScalarFormatter:
                axis.set_major_formatter(Numbers())
    return figure


class Numbers(ScalarFormatter):
    """Numbers of an axis, a common power of ten as `×10⁵`: letters, where matplotlib's are a formula set at four times the cost."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)

    def get_offset(self) -> str:
        told = super().get_offset()  # `1e5`, or nothing
        return f"×{decade_text(float(told.replace('−', '-')))}" if told else ""


def arm_colours(arms: Sequence[str], control: str | None) -> dict[str, str]:
    """One colour per arm: the control grey, the others in a fixed order."""
    others = [a for a in arms if a != control]
    colours = {a: ARM_COLOURS[i % len(ARM_COLOURS)] for i, a in enumerate(others)}
    return colours | ({control: GREY} if control else {})


def arm_dashes(arms: Sequence[str], control: str | None) -> dict[str, str]:
    """Solid lines for the first seven treated arms, then dashed, then dotted ones (colours repeat)."""
    others = [a for a in arms if a != control]
    styles = ("-", "--", ":", "-.")
    dashes = {a: styles[min(i // len(ARM_COLOURS), 3)] for i, a in enumerate(others)}
    return dashes | ({control: "-"} if control else {})


def arm_name(name: str) -> str:
    """`anti_pdl1` -> anti-PD-L1, `rsl3_particles` -> RSL3 particles."""
    text = re.sub(r"pd[_-]?l1", "pdl1", name, flags=re.IGNORECASE)
    words = [WORDS.get(w.lower(), w) for w in re.split(r"[_\s]+", text) if w]
    joined = " ".join(words).replace("PEG PDPA", "PEG-PDPA")
    return re.sub(r"\banti ", "anti-", joined) or name


def field_name(name: str) -> str:
    return FIELD_NAMES.get(name) or arm_name(name)


def wrapped(text: str, width_px: float) -> str:
    """Text broken at spaces to fit a width at 300 dpi (bold 7 pt characters are about 19 px wide)."""
    return "\n".join(textwrap.wrap(text, max(8, int(width_px / 19)), break_long_words=False)) or text


def unit_text(unit: str) -> str:
    """uM -> µM, um -> µm, mm^2 -> mm², per_min -> min⁻¹ as printed."""
    if unit == "1":
        return "relative"
    text = re.sub(r"\bu(?=[MmgL])", "µ", unit or "")
    return text.replace("^2", "²").replace("^3", "³").replace("mm2", "mm²").replace("um2", "µm²")


def day_text(hour: float) -> str:
    """`day 4`; within the first two days the hours where they are not whole days."""
    if abs(hour) < 48 and abs(hour / 24 - round(hour / 24)) > 0.02:
        return f"{hour:.3g} h".replace("-", "−")
    return f"day {round(hour / 24, 2):g}".replace("-", "−")


def decade_text(value: float) -> str:
    """`10⁻³` for a power of ten, in letters that need no setting of formulas; other numbers as they are."""
    power = round(np.log10(value)) if value > 0 else 0
    if value <= 0 or abs(value / 10.0**power - 1) > 1e-6:
        return f"{value:.3g}"
    return {0: "1", 1: "10"}.get(power, "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")))


def panel_letters(axes: Sequence[Axes], x_pt: float = -22.0) -> None:
    """Bold a, b, c ... above the left edge of each panel."""
    for i, axis in enumerate(axes):
        axis.annotate(
            chr(97 + i % 26),
            (0, 1),
            (x_pt, 3),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=9,
            fontweight="bold",
            va="bottom",
            ha="left",
            annotation_clip=False,
        )


def from_zero(axis: Axes) -> None:
    """Let the y axis start at zero and hold everything drawn."""
    axis.set_ylim(0, max(axis.get_ylim()[1], 1e-12))


def time_axis(axis: Axes, dose_days: Sequence[float] = (), ticks: int = 6) -> None:
    """Whole days as ticks, where there are some; faint vertical lines at days of treatment."""
    low, high = axis.get_xlim()
    for day in dose_days:
        if low <= day <= high:
            axis.axvline(day, color="#DDDDDD", lw=0.6, zorder=0)
    axis.xaxis.set_major_locator(MaxNLocator(ticks, integer=high - low > 3, steps=[1, 2, 2.5, 5, 10]))


def legend_of_arms(figure: Figure, arms: Sequence[str], control: str | None, more: Sequence[Line2D] = (), among: Sequence[str] = (), **options) -> None:
    """One legend of arms above all panels; `more`: what follows them; `among`: all arms of the run, which decide the colours, where these are some of them."""
    colours, dashes = arm_colours(among or arms, control), arm_dashes(among or arms, control)
    handles = [Line2D([], [], color=colours[a], ls=dashes[a], lw=1.6, label=arm_name(a)) for a in arms]
    handles += more
    longest = max((len(arm_name(a)) for a in arms), default=1)
    room = int(
        (figure.get_figwidth() - 0.2) / (0.42 + 0.068 * longest)
    )  # handle, gap and 7.5 pt letters, inch
    columns = options.pop("ncols", max(1, min(len(handles), 5, room)))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, columnspacing=1.4, **options)
