"""Figures of a calibration: what is known of each number, what is predicted beside the data, and ranks of a coverage check."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from tme.viz import style
from tme.viz.load import Missing
from tme.viz.style import Drawn

MOST_PAIRS = 6  # numbers in the figure of pairs: those narrowed most
BINS = 16
COLUMNS = 3


def posterior(page: Any) -> list[Drawn]:
    """Marginals and pairs of the numbers that the data narrow most."""
    numbers, samples = page.summary["numbers"], page.summary["samples"]
    width = {row["number"]: row["width over prior"] for row in page.summary["tables"]["numbers"]}
    order = sorted(range(len(numbers)), key=lambda j: (width[numbers[j]["key"]], j))[:MOST_PAIRS]
    places, weights = np.array(samples["places"])[:, order], np.array(samples["weights"])
    weights = weights / weights.sum()
    shown = [numbers[j] for j in order]
    d = len(shown)
    size = style.PAGE_IN if d > 2 else 2.4 + 2.0 * d
    figure = style.new_figure(size, size if d > 1 else 2.6)
    grid = figure.subplots(d, d, squeeze=False)
    correlation = np.array(samples["correlation"])[np.ix_(order, order)]
    windows = [window(places[:, j]) for j in range(d)]
    for row in range(d):
        for column in range(d):
            axes = grid[row, column]
            if row == column:
                marginal(axes, places[:, row], weights, shown[row], windows[row])
            elif row > column:
                pair(axes, places[:, [column, row]], weights, (shown[column], shown[row]), (windows[column], windows[row]))
            else:
                axes.set_axis_off()
                axes.text(0.5, 0.5, f"r = {correlation[row, column]:.2f}", ha="center", va="center", transform=axes.transAxes, color=style.GREY)
            if row == d - 1:
                axes.set_xlabel(short(shown[column]))
            if column == 0 and row > 0:
                axes.set_ylabel(short(shown[row]))
            if column == 0 and row == 0:
                axes.set_ylabel("posterior / prior")
    handles = [Patch(color=style.SKY, label="posterior"), Line2D([], [], color=style.GREY, ls="--", label="prior")]
    if any(n["value"] is not None for n in shown):
        handles.append(Line2D([], [], color=style.VERMILLION, label="value in force"))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), frameon=False)
    left = len(numbers) - d
    caption = "Diagonal: posterior of each number as a multiple of its prior, over the prior's range or, where that is much wider, the part that is left. Below it: samples, their area by weight; above it: correlation."
    return [Drawn("posterior", "What the data say of the numbers", figure, caption + (f" {left} numbers that the data narrow less are left out." if left else ""))]


def window(places: np.ndarray) -> tuple[float, float]:
    """What an axis shows: the whole prior, or where the samples fill less than half of it their neighbourhood."""
    low, high = float(places.min()), float(places.max())
    if high - low > 0.5:
        return 0.0, 1.0
    margin = 0.5 * max(high - low, 0.02)
    return max(0.0, low - margin), min(1.0, high + margin)


def marginal(axes: Axes, places: np.ndarray, weights: np.ndarray, number: dict[str, Any], limits: tuple[float, float]) -> None:
    """Histogram of one number, as a multiple of its prior."""
    heights, edges = np.histogram(places, bins=BINS, range=limits, weights=weights)
    axes.stairs(heights * BINS / (limits[1] - limits[0]), edges, fill=True, color=style.SKY)
    axes.axhline(1.0, color=style.GREY, ls="--", lw=0.8)
    if number["value"] is not None and limits[0] <= place(number, number["value"]) <= limits[1]:
        axes.axvline(place(number, number["value"]), color=style.VERMILLION, lw=1.0)
    axes.set_ylim(bottom=0.0)
    scale_ticks(axes, number, "x", limits)


def pair(axes: Axes, places: np.ndarray, weights: np.ndarray, numbers: tuple[dict[str, Any], dict[str, Any]], limits: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Samples of two numbers (n, 2)."""
    axes.scatter(places[:, 0], places[:, 1], s=np.minimum(weights * len(weights) * 4.0, 40.0), color=style.BLUE, alpha=0.5, linewidths=0)
    along, up = numbers
    if along["value"] is not None and up["value"] is not None:
        axes.plot(place(along, along["value"]), place(up, up["value"]), "+", color=style.VERMILLION, ms=7, mew=1.2)
    scale_ticks(axes, along, "x", limits[0])
    scale_ticks(axes, up, "y", limits[1])


def place(number: dict[str, Any], value: float) -> float:
    """Where a value lies in the range of its number, 0 to 1."""
    low, high = number["low"], number["high"]
    if number["scale"] == "log":
        return math.log(max(value, 1e-300) / low) / math.log(high / low)
    return (value - low) / (high - low)


def at(number: dict[str, Any], place: float) -> float:
    """The inverse of `place`."""
    low, high = number["low"], number["high"]
    return low * (high / low) ** place if number["scale"] == "log" else low + place * (high - low)


def scale_ticks(axes: Axes, number: dict[str, Any], which: str, limits: tuple[float, float]) -> None:
    """Write the number's own values at the ends and the middle of what is shown."""
    places = [limits[0], 0.5 * (limits[0] + limits[1]), limits[1]]
    labels = [written(at(number, p)) for p in places]
    if which == "x":
        axes.set_xlim(*limits)
        axes.set_xticks(places, labels)
        axes.get_xticklabels()[0].set_horizontalalignment("left")
        axes.get_xticklabels()[-1].set_horizontalalignment("right")
    else:
        axes.set_ylim(*limits)
        axes.set_yticks(places, labels)


def written(value: float) -> str:
    """A value in few characters: 12.5, 0.08, 4.4e-4."""
    return f"{value:.3g}" if value == 0 or abs(value) >= 0.01 else re.sub(r"e-0*", "e-", f"{value:.1e}")


def short(number: dict[str, Any]) -> str:
    """The last two words of a key, and its unit."""
    name = ".".join(number["key"].split(".")[-2:])
    unit = style.unit_text(number["unit"]) if number["unit"] not in ("", "1") else ""
    return f"{name} ({unit})" if unit else name


def prediction(page: Any) -> list[Drawn]:
    """Predicted courses with the data on them."""
    curves = page.summary["curves"]
    if not curves:
        raise Missing("no data were predicted")
    columns = min(COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    figure = style.new_figure(min(style.PAGE_IN, 1.0 + 2.9 * columns), min(style.PAGE_HIGH_IN, 0.4 + 2.3 * rows))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(curves) :]:
        axes.set_axis_off()
    for axes, curve in zip(grid, curves):
        course(axes, curve)
    handles = [Patch(color=style.SKY, alpha=0.35, label="90 % of predictions"), Patch(color=style.SKY, alpha=0.8, label="50 %"), Line2D([], [], color=style.BLUE, label="median"),
               Line2D([], [], color=style.BLACK, marker="o", ls="", label="fitted")]  # fmt: skip
    if any(not d["fit"] for c in curves for d in c["data"]):
        handles.append(Line2D([], [], color=style.VERMILLION, marker="D", mfc="white", ls="", label="kept out of the fit"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    caption = "Courses simulated anew with draws of the posterior, without noise of measurement; bars on the data are 90 % of theirs."
    return [Drawn("prediction", "What the posterior predicts, beside the data", figure, caption)]


def course(axes: Axes, curve: dict[str, Any]) -> None:
    """One arm and readout."""
    days, bands = np.array(curve["days"]), np.array(curve["bands"], dtype=float)
    if curve["log"]:
        axes.set_yscale("log")
    axes.fill_between(days, bands[:, 0], bands[:, 4], color=style.SKY, alpha=0.35, lw=0)
    axes.fill_between(days, bands[:, 1], bands[:, 3], color=style.SKY, alpha=0.8, lw=0)
    axes.plot(days, bands[:, 2], color=style.BLUE)
    for d in curve["data"]:
        colour = style.BLACK if d["fit"] else style.VERMILLION
        axes.plot([d["day"]] * 2, [d["low"], d["high"]], color=colour, lw=1.0)
        axes.plot(d["day"], d["value"], "o" if d["fit"] else "D", color=colour, mfc=colour if d["fit"] else "white", ms=4.5, zorder=5)
    if curve["log"]:
        low, high = axes.get_ylim()
        axes.set_ylim(bottom=max(low, 0.02 * min(d["value"] for d in curve["data"])))
        few = np.log10(high / axes.get_ylim()[0]) < 2.0
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    against = "" if curve["relative_to_day"] is None else f" / day {curve['relative_to_day']:g}"
    axes.set_ylabel(curve["readout"].replace("_", " ") + against)
    axes.set_xlabel("day")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_title(style.arm_name(curve["arm"]))


def ranks(path: Path, names: Sequence[str], histogram: np.ndarray, covered: np.ndarray, band: tuple[float, float]) -> Path:
    """Draw where truths rank in their posteriors: `histogram` (d, bins) of counts; flat if the posteriors are right."""
    from scipy.stats import binom

    truths, bins = int(histogram[0].sum()), histogram.shape[1]
    low, high = binom.ppf(0.005, truths, 1 / bins), binom.ppf(0.995, truths, 1 / bins)
    with style.use():
        figure: Figure = style.new_figure(min(style.PAGE_IN, 0.6 + 3.0 * len(names)), 2.7)
        for axes, name, counts, share in zip(figure.subplots(1, len(names), squeeze=False)[0], names, histogram, covered):
            axes.stairs(counts, np.linspace(0.0, 1.0, bins + 1), fill=True, color=style.SKY)
            axes.axhspan(low, high, color=style.GREY, alpha=0.2, lw=0, zorder=3)
            axes.axhline(truths / bins, color=style.GREY, ls="--", lw=0.8, zorder=4)
            axes.set_ylim(0.0, 1.25 * max(counts.max(), high))
            axes.set_xlim(0.0, 1.0)
            axes.set_xlabel("share of the posterior below the truth")
            axes.set_ylabel("truths")
            axes.set_title(f"{name}: 90 % intervals hold {100 * share:.1f} % of {truths}\n(right: {100 * band[0]:.1f} to {100 * band[1]:.1f} %)")
        return style.save(figure, path)


def calibrate(page: Any) -> list[Drawn]:
    """The figures of a calibration."""
    return [*posterior(page), *prediction(page)]
