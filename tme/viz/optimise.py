"""Figures of `tme optimise`: the Pareto front with the grid beside it, what the search found when, and the therapies of the front."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from tme.viz import style
from tme.viz.load import Missing
from tme.viz.study import StudyPage
from tme.viz.style import Drawn

STAGES = (("search", style.BLUE, "o"), ("grid", style.ORANGE, "s"))


def optimise(page: StudyPage) -> list[Drawn]:
    """A panel for each pair of objectives, the share of the box after each point, and the settings along the front."""
    names = [o["name"] for o in page.summary["objectives"]]
    if not page.table["within"].any():
        raise Missing("no point keeps the limits")
    pairs = list(combinations(names, 2))
    figure = style.new_figure(style.PAGE_IN, 5.4 if len(pairs) < 3 else 7.6)
    grid = figure.add_gridspec(2 if len(pairs) < 3 else 3, 2, height_ratios=(1.2, 0.9) if len(pairs) < 3 else (1.0, 1.0, 0.9))
    axes = [figure.add_subplot(grid[k // 2, k % 2]) for k in range(len(pairs) + 1)]
    for axis, (x, y) in zip(axes, pairs):
        _front(axis, page, x, y)
    _trace(axes[-1], page.summary["compared"])
    last = figure.add_subplot(grid[-1, :])
    _settings(last, page.summary, names[0])
    axes[0].legend(loc="best")
    style.panel_letters([a for a in (*axes, last) if a.get_visible()])
    caption = (
        "Each point is a therapy: of the search (dots) and of the grid of equal cost (squares), pale; crosses break a limit. Filled: points of each front in tumours that "
        "the search has not seen, mean with 95 % interval by tumour, hollow where a limit is broken there; steps: what they are at least as good as. Share of the box between the best and the "
        "worst seen that is covered (hypervolume), after so many points; square: the grid. Bottom: the therapies of the search's front, best in the first objective on the left; "
        "height in the range of each number, with its value."
    )
    return [Drawn("pareto", "What can be had for what", figure, caption)]


def _front(axis: Any, page: StudyPage, x: str, y: str) -> None:
    """All points, and both fronts with their intervals."""
    for stage, colour, marker in STAGES:
        rows = page.table[(page.table["stage"] == stage) & page.table["known"]]
        kept = rows["within"].to_numpy(bool)
        axis.plot(rows[x][kept], rows[y][kept], marker, color=colour, ms=3, alpha=0.3, mew=0)
        axis.plot(rows[x][~kept], rows[y][~kept], "x", color=colour, ms=3, alpha=0.4, mew=0.7)
        told = [m for m in page.summary["fronts"][stage] if m["again"][x]["value"] is not None and m["again"][y]["value"] is not None]
        for k, m in enumerate(told):
            a, b = m["again"][x], m["again"][y]
            axis.errorbar(a["value"], b["value"], xerr=_half(a), yerr=_half(b), fmt=marker, ms=4.5, color=colour, mfc=colour if m["within"] else "white", lw=0.9,
                          label=f"front of the {stage}" if k == 0 else None)  # fmt: skip
        if len(page.summary["objectives"]) == 2:
            _steps(axis, page, [(m["again"][x]["value"], m["again"][y]["value"]) for m in told if m["within"]], colour)
    axis.set(xlabel=_label(page, x), ylabel=_label(page, y))


def _steps(axis: Any, page: StudyPage, points: list[tuple[float, float]], colour: str) -> None:
    """The border of what two-objective points are at least as good as."""
    first, second = ((1.0 if o["sense"] == "minimise" else -1.0) for o in page.summary["objectives"])
    border: list[tuple[float, float]] = []
    for a, b in sorted((first * a, second * b) for a, b in points):
        if not border or b < border[-1][1]:
            border.append((a, b))
    if len(border) > 1:
        a, b = np.array(border).T
        axis.step(first * a, second * b, where="post", color=colour, lw=0.9, alpha=0.8)


def _half(e: dict[str, Any]) -> Any:
    """Lengths of an error bar; none where there is no interval."""
    return None if e["low"] is None else [[max(e["value"] - e["low"], 0.0)], [max(e["high"] - e["value"], 0.0)]]


def _label(page: StudyPage, name: str) -> str:
    """An objective with the way it shall go."""
    sense = next(o["sense"] for o in page.summary["objectives"] if o["name"] == name)
    return f"{name.replace('_', ' ')}, {'small' if sense == 'minimise' else 'large'} is good"


def _trace(axis: Any, c: dict[str, Any]) -> None:
    """Share of the box after each point."""
    axis.set_visible(bool(c))
    if not c:
        return
    axis.step(range(1, len(c["trace"]) + 1), 100 * np.array(c["trace"]), where="post", color=style.BLUE, label="search")
    axis.plot(c["points"], 100 * c["share"]["grid"], "s", color=style.ORANGE, ms=5, label="grid of as many points")
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axis.set(xlabel="points simulated", ylabel="share of the box (%)", xlim=(0, None), ylim=(0, None))
    axis.legend(loc="lower right")


def _settings(axis: Any, summary: dict[str, Any], first: str) -> None:
    """A column for each therapy of the front, a row for each number."""
    front, variables = summary["fronts"]["search"], summary["variables"]
    axis.set_visible(bool(front))
    for i, v in enumerate(variables):
        for k, m in enumerate(front):
            value = m["values"][v["key"]]
            axis.bar(k, max(_place(v, value), 0.02) * 0.8, bottom=-i - 0.45, width=0.8, color=style.BLUE, alpha=0.45)
            axis.text(k, -i - 0.4, f"{value:.3g}", ha="center", va="bottom", fontsize=style.SMALL_PT - 0.5)
    axis.set_yticks([-i for i in range(len(variables))], [_key(v["key"]) for v in variables])
    axis.set_xticks(range(len(front)), [f"{m['again'][first]['value']:.3g}" if m["again"][first]["value"] is not None else "?" for m in front])
    axis.set(xlim=(-0.6, max(len(front), 4) - 0.4), ylim=(-len(variables) + 0.5, 0.5), xlabel=first.replace("_", " "))


def _place(v: dict[str, Any], value: float) -> float:
    """Where in its range a value lies, 0 to 1."""
    if v["scale"] == "log":
        return float(np.log(value / v["low"]) / np.log(v["high"] / v["low"]))
    return (value - v["low"]) / (v["high"] - v["low"])


def _key(key: str) -> str:
    """`arms.both.drugs.0.dose_mg_kg` -> both drugs 0, dose mg kg."""
    *place, name = key.removeprefix("arms.").split(".")
    return f"{' '.join(place)}\n{name}".replace("_", " ")
