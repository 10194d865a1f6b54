"""Figures of `tme sensitivity`: the tornado of mean effects, shares of variance, and which groups act together."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.viz import style
from tme.viz.load import Missing
from tme.viz.study import StudyPage
from tme.viz.style import Drawn

MOST_GROUPS = 10
MOST_OUTCOMES = 4


def short(group: str) -> str:
    """A group's name on an axis: its last word, before it what of several kinds it is."""
    kind, _, name = group.removeprefix("entries.").rpartition(".")
    return name.replace("_", " ") + (f"\n({kind})" if kind not in ("", "mechanisms") else "")


def sensitivity(page: StudyPage) -> list[Drawn]:
    """One row per outcome: tornado, first-order and total shares, shares of pairs; contrasts first, of many outcomes the first four."""
    outcomes = page.summary["outcomes"][:MOST_OUTCOMES]
    screened, shares = page.summary["screened"], page.summary["shares"]
    usable = [o for o in outcomes if any(r["effect"] for r in screened.get(o, ())) or shares.get(o, {}).get("groups")]
    if not usable:
        raise Missing("no outcome varied, or too few simulations reached the day")
    figure = style.new_figure(style.PAGE_IN, 0.3 + 1.9 * len(usable))
    axes = figure.subplots(len(usable), 3, squeeze=False, width_ratios=(1.0, 1.0, 0.7))
    for row, outcome in zip(axes, usable):
        _tornado(row[0], [r for r in screened.get(outcome, ()) if r["effect"] is not None])
        groups = sorted(shares.get(outcome, {}).get("groups") or [], key=lambda g: -g["total"])
        _shares(row[1], groups)
        _pairs(row[2], [g["group"] for g in groups], shares.get(outcome, {}).get("pairs") or [])
        row[0].set_title(outcome, fontweight="bold")
    style.panel_letters(list(axes.ravel()))
    caption = (
        "Left, tornado: mean absolute effect (Morris) of moving a group of numbers across its ranges, with 95 % intervals, in units of the outcome (log ratio, "
        "excess, or the readout's own); orange where the outcome falls, blue where it rises, grey where a group has several numbers and no one "
        "direction. Middle: share of the outcome's variance that a group explains alone (filled) and with all its interactions (open), Sobol's indices with "
        "95 % intervals, over the groups kept. Right: share that two groups explain together beyond what each does alone; within brackets where the interval holds 0."
    )
    return [Drawn("sensitivity", "Which numbers matter", figure, caption)]


def _tornado(axis: Any, rows: list[dict[str, Any]]) -> None:
    """Bars of mean effects, the largest on top."""
    rows = rows[:MOST_GROUPS][::-1]
    if not rows:
        axis.set_visible(False)
        return
    colours = [style.GREY if r["slope"] is None else style.BLUE if r["slope"] > 0 else style.ORANGE for r in rows]
    at = np.arange(len(rows))
    axis.barh(at, [r["effect"] for r in rows], xerr=[r["effect_interval"] for r in rows], color=colours, height=0.7, error_kw={"lw": 0.8, "ecolor": style.BLACK})
    axis.set_yticks(at, [short(r["group"]) for r in rows])
    axis.set_ylim(-0.6, max(len(rows), 4) - 0.4)
    axis.set(xlabel="mean effect of the range", xlim=(0, None))


def _shares(axis: Any, groups: list[dict[str, Any]]) -> None:
    """First-order and total shares."""
    if not groups:
        axis.set_visible(False)
        return
    at = np.arange(len(groups))
    for key, shift, face in (("total", -0.15, "white"), ("first", 0.15, style.GREEN)):
        axis.errorbar([g[key] for g in groups], at + shift, xerr=[g[f"{key}_interval"] for g in groups], fmt="o", ms=4, mfc=face, mec=style.GREEN,
                      ecolor=style.GREEN, lw=0.9, label={"total": "total", "first": "alone"}[key])  # fmt: skip
    axis.axvline(0, color=style.GREY, lw=0.6)
    axis.set_yticks(at, [f"{short(g['group'])} {k}" for k, g in enumerate(groups, 1)])
    axis.set_ylim(len(groups) - 0.5, -0.5)
    ends = [g[k] + side * g[f"{k}_interval"] for g in groups for k in ("total", "first") for side in (-1, 1)]
    axis.set(xlabel="share of variance", xlim=(max(-1.0, min(-0.1, *ends)), min(2.0, max(1.05, *ends))))
    axis.legend(loc="lower right")


def _pairs(axis: Any, names: list[str], pairs: list[dict[str, Any]]) -> None:
    """A matrix of the shares of pairs, groups by their number in the panel before."""
    if len(names) < 2:
        axis.set_visible(False)
        return
    size = len(names)
    matrix = np.full((size, size), np.nan)
    for p in pairs:
        i, j = sorted((names.index(p["group"]), names.index(p["with"])), reverse=True)
        matrix[i, j] = p["share"]
        sure = abs(p["share"]) > p["share_interval"]
        share = f"{p['share'] + 0.0:.2f}".replace("-0.00", "0.00")
        axis.text(j, i, share if sure else f"({share})", ha="center", va="center", fontsize=style.SMALL_PT - 1.5 * (size > 3), color="black")
    axis.imshow(np.clip(matrix, -0.5, 0.5), cmap="RdBu_r", vmin=-0.5, vmax=0.5, alpha=0.8)
    axis.set_yticks(range(size), [str(k) for k in range(1, size + 1)])
    axis.set_xticks(range(size - 1), [str(k) for k in range(1, size)])
    axis.set(xlim=(-0.5, size - 1.5), ylim=(size - 0.5, -0.5), xlabel="share of a pair", aspect="auto")
