"""Limits of an axis that one late value would stretch, and marks at the border for what lies beyond.

A ratio such as CD8 per tumour cell runs away when few tumour cells are left: drawn to its top, the panel shows that and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from tme.viz.style import SMALL_PT

MOST = 0.97  # this share of all means sets the scale
STRETCH = 3.0  # how far a mean may rise above that before the axis leaves it out
BAND = 2.0  # and the end of an interval above the highest mean shown
ROOM = 1.6  # of that mean: where an axis ends that leaves something out

Curve = tuple[np.ndarray, np.ndarray, np.ndarray]  # days, mean and upper end (n_time,), NaN where there is none


def top_of(curves: Iterable[Curve]) -> tuple[float, bool]:
    """Where a y axis from zero ends, and whether it leaves something out."""
    drawn = list(curves)
    means = _finite([m for _, m, _ in drawn])
    if means.size == 0 or not means.max() > 0:
        return 1.0, False
    full = max(means.max(), _finite([h for _, _, h in drawn]).max(initial=0.0))
    usual, shown = float(np.quantile(means, MOST)), float(means.max())
    if usual > 0 and shown > STRETCH * usual:
        shown = usual
    return (1.05 * full, False) if full <= BAND * shown else (ROOM * shown, True)


def keep_in(axis: Axes, curves: Mapping[str, Curve], colours: Mapping[str, str]) -> tuple[bool, bool]:
    """Set the y axis of a panel by `top_of` and mark what lies beyond; whether something was left out, and whether a mean is."""
    top, cut = top_of(curves.values())
    axis.set_ylim(0, top)
    marked = [mark_beyond(axis, *curve[:2], top, colours[key]) for key, curve in curves.items()]
    return cut, any(marked)


def mark_beyond(axis: Axes, x: np.ndarray, mean: np.ndarray, top: float, colour: str) -> bool:
    """A triangle at the border where a mean rises above the axis, with its highest value; whether it does."""
    beyond = np.flatnonzero(np.nan_to_num(mean) > top)
    if beyond.size == 0:
        return False
    at = beyond[int(np.argmax(mean[beyond]))]
    axis.plot([x[at]], [top], "^", ms=4.5, mew=0, color=colour, clip_on=False, zorder=5)
    axis.annotate(
        f"{mean[at]:.2g}", (x[at], top), (-15, -2), textcoords="offset points", ha="right", va="top", fontsize=SMALL_PT, color=colour,
        path_effects=[withStroke(linewidth=1.6, foreground="white")], zorder=6,
    )  # fmt: skip
    return True


def words(left_out: Iterable[tuple[bool, bool]]) -> str:
    """What a caption says of axes that leave something out; of each panel what `keep_in` returned."""
    found = list(left_out)
    if not any(cut for cut, _ in found):
        return ""
    marks = "triangles at the border give the highest mean beyond it, " if any(mean for _, mean in found) else ""
    return f"Where few values would stretch an axis it ends earlier: {marks}intervals that reach further are cut. "


def _finite(parts: list[np.ndarray]) -> np.ndarray:
    joined = np.concatenate([np.asarray(p, float) for p in parts]) if parts else np.zeros(0)
    return joined[np.isfinite(joined)]
